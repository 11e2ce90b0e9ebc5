#!/usr/bin/env bash
# A package of a much older commit of this repository is replaced by today's while its containers run: upgrade.sh [COMMIT]
# The older one is built here, from `git archive`, in today's tree of packages. Without the history (a shallow clone) that is an error.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
# The first in which starts, stops and removals work in all three ways to run.
commit=${1:-1873260}
name=${BERTH_MACHINE:-soak-upgrade}
machine() { "$checkout/test/machine/machine.sh" "$@"; }

git -C "$checkout" cat-file -e "$commit^{commit}" 2>/dev/null || {
    echo "not ok - the commit $commit is not in this clone: fetch the history (git fetch --unshallow), or name another commit"
    exit 1
}
work=$(mktemp -d)
trap 'machine down "$name"; rm -rf "$work"' EXIT
git -C "$checkout" archive "$commit" | tar -x -C "$work"
cp "$checkout/packaging/build/packages.txt" "$work/packaging/build/packages.txt"
ln -s "$checkout/node_modules" "$work/node_modules"
bash "$checkout/packaging/build/build.sh"
bash "$work/packaging/build/build.sh"
machine down "$name"
machine up "$name"
machine install "$name" "$(find "$work/dist" -name 'berth_*.deb')"
machine copy "$name" "$(find "$checkout/dist" -name 'berth_*.deb')" /var/tmp/new.deb
machine copy "$name" "$checkout/test/machine" /usr/local/lib/berth-tests
machine copy "$name" "$here/upgrade-in-machine.sh" /usr/local/lib/berth-tests/upgrade-in-machine.sh
machine run "$name" bash /usr/local/lib/berth-tests/upgrade-in-machine.sh </dev/null
