#!/usr/bin/env bash
# Tier native: the C half with address and undefined-behaviour sanitizers, as root and as an unprivileged user, and the fuzzers for
# a bounded time. Every test/native/NAME.sh prints TAP; NAME-in-tree.sh is what NAME.sh runs inside the Debian 13 tree.
#   run.sh [NAME…]
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.." || exit 1
# shellcheck source=test/machine/tally.sh
. test/machine/tally.sh

close() {
    failed=$((failed + $1))
    echo "native: $passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}

bash packaging/build/build.sh && bash packaging/build/build.sh --sanitize || { echo "not ok - the build"; close 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
names=()
for script in "$here"/*.sh; do
    name=$(basename "$script" .sh)
    case $name in run | *-in-tree) continue ;; esac
    [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
    names+=("$name")
done
try() { # NAME
    local status=0
    timeout --kill-after=10 "${BERTH_TEST_SECONDS:-600}" bash "$here/$1.sh" >"$work/$1.out" 2>&1 </dev/null || status=$?
    echo "$status" >"$work/$1.status"
}
# Two at a time: most of them wait for the kernel (namespaces, mounts, time that must pass).
for name in "${names[@]}"; do
    while [ "$(jobs -pr | wc -l)" -ge 2 ]; do wait -n; done
    try "$name" &
done
wait
for name in "${names[@]}"; do
    printf -- '-- %s\n' "$name"
    output=$(<"$work/$name.out")
    grep -v '^ok ' <<<"$output"
    tally "$name" "$(<"$work/$name.status")" "$output"
done
[ ${#names[@]} -gt 0 ] || { echo "no native tests"; close 1; }
close 0
