#!/usr/bin/env bash
# A web server, an application, PostgreSQL and Redis from Debian's packages, as a pod and on a network with names, as root and as a user,
# while their members are restarted and killed at random (KILLS, default 100, in each of the four) and a client writes all the time.
# SEED repeats an order, KEEP=yes leaves the machine up; WAYS and FORMS choose (`WAYS=alice FORMS=network`).
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
name=${BERTH_MACHINE:-stack}
machine() { "$checkout/test/machine/machine.sh" "$@"; }

images=$("$checkout/test/machine/debian-images.sh" nginx app postgres redis) || exit 1
bash "$checkout/packaging/build/build.sh" || exit 1
machine down "$name"
[ "${KEEP:-no}" = yes ] || trap 'machine down "$name"' EXIT
machine up "$name" --install && machine copy "$name" "$checkout/test/machine" /usr/local/lib/berth-tests &&
    machine copy "$name" "$here/stack" /usr/local/lib/berth-tests/stack || exit 1
for image in nginx app postgres redis; do machine copy "$name" "$images/$image.tar" "/var/lib/images/$image.tar" || exit 1; done
knobs=()
for knob in KILLS SEED WAYS FORMS; do [ -z "${!knob:-}" ] || knobs+=("$knob=${!knob}"); done
machine run "$name" env "${knobs[@]}" bash /usr/local/lib/berth-tests/stack/inside.sh </dev/null
