#!/usr/bin/env bash
# Images of real Debian software, made by buildah, skopeo and umoci, pulled by Berth and by Podman in a machine of their own; some minutes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
name=${BERTH_MACHINE:-soak-images}
machine() { "$checkout/test/machine/machine.sh" "$@"; }

bash "$checkout/packaging/build/build.sh"
software=$("$here/software.sh")
machine down "$name"
trap 'machine down "$name"' EXIT
machine up "$name" --install
machine copy "$name" "$checkout/test/machine" /usr/local/lib/berth-tests
machine copy "$name" "$here/images-in-machine.sh" /usr/local/lib/berth-tests/images-in-machine.sh
machine copy "$name" "$software" /var/tmp/software
machine run "$name" bash /usr/local/lib/berth-tests/images-in-machine.sh </dev/null
