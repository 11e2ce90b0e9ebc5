#!/usr/bin/env bash
# in-machine.sh NAME [IMAGE…]: runs machine/NAME.sh in a machine of its own that has these images of debian-images.sh beside the usual ones.
# KEEP=yes leaves the machine up; other knobs are those of the file.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
name=${BERTH_MACHINE:-soak} file=$1
shift
machine() { "$checkout/test/machine/machine.sh" "$@"; }

images=
[ $# = 0 ] || images=$("$checkout/test/machine/debian-images.sh" "$@") || exit 1
bash "$checkout/packaging/build/build.sh" || exit 1
machine down "$name"
[ "${KEEP:-no}" = yes ] || trap 'machine down "$name"' EXIT
machine up "$name" --install && machine copy "$name" "$checkout/test/machine" /usr/local/lib/berth-tests &&
    machine copy "$name" "$here" /usr/local/lib/berth-tests/soak || exit 1
for image in "$@"; do machine copy "$name" "$images/$image.tar" "/var/lib/images/$image.tar" || exit 1; done
knobs=()
for knob in KILLS RESTARTS SEED WAYS FORMS NETWORKS; do [ -z "${!knob:-}" ] || knobs+=("$knob=${!knob}"); done
machine run "$name" env "${knobs[@]}" bash "/usr/local/lib/berth-tests/soak/machine/$file.sh" </dev/null
