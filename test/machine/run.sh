#!/usr/bin/env bash
# Tier machine: every test/machine/NNN-*.sh inside one booted Debian 13 machine with the package installed.
#   run.sh [--keep] [NNN…]      --keep leaves the machine up; numbers (or parts of names) choose tests
# BERTH_MACHINE names the machine (default: test); BERTH_TEST_SECONDS limits one file (default 300).
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
name=${BERTH_MACHINE:-test}
machine() { "$here/machine.sh" "$@"; }
keep=no
# shellcheck source=test/machine/tally.sh
. "$here/tally.sh"
if [ "${1:-}" = --keep ]; then
    keep=yes
    shift
fi

main() {
    local files
    mapfile -t files < <(choose "$@")
    [ ${#files[@]} -gt 0 ] || { echo "no machine tests"; close 1; }
    bash "$checkout/packaging/build/build.sh" || { echo "not ok - the build"; close 1; }
    machine down "$name"
    [ $keep = yes ] || trap 'machine down "$name"' EXIT
    machine up "$name" --install || { echo "not ok - the machine boots and takes the package"; close 1; }
    machine copy "$name" "$here" /usr/local/lib/berth-tests || close 1
    remember
    for file in "${files[@]}"; do run_file "$file"; done
    close 0
}

choose() {
    local file part
    for file in "$here"/[0-9][0-9][0-9]-*.sh; do
        [ -e "$file" ] || continue
        [ $# -gt 0 ] || echo "${file##*/}"
        for part in "$@"; do [[ ${file##*/} != *"$part"* ]] || echo "${file##*/}"; done
    done
}

close() {
    failed=$((failed + $1))
    echo "machine: $passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}

run_file() {
    local file=$1 output status began=$SECONDS
    printf -- '-- %s\n' "$file"
    output=$(timeout --kill-after=10 "${BERTH_TEST_SECONDS:-300}" "$here/machine.sh" run "$name" bash "/usr/local/lib/berth-tests/$file" 2>&1 </dev/null)
    status=$?
    printf '%s\n' "$output"
    tally "$file" $status "$output"
    leaves_nothing "$file"
    printf '   (%s s)\n' $((SECONDS - began))
}

# What must be the same after a test as before: processes of ours, mounts, runtime directories, unit files.
state() {
    machine run "$name" bash -c '
        ps -eo comm= | grep -E "^(berth|pasta)" | sort
        findmnt -rno TARGET | grep -E "berth|netns" | sort
        ls -d /run/berth/containers/* /run/berth/users/*/containers/* /run/user/*/berth/containers/* 2>/dev/null
        find /etc/containers/systemd /home/*/.config/containers/systemd -mindepth 1 2>/dev/null
        systemctl list-units --failed --plain --no-legend
        ls /run/systemd/transient 2>/dev/null | grep -v "^\(run\|session\)-" || true'
}

remember() { before=$(state); }

leaves_nothing() {
    local after
    after=$(state)
    if [ "$after" = "$before" ]; then
        passed=$((passed + 1))
        echo "ok - $1 leaves nothing behind"
    else
        failed=$((failed + 1))
        echo "not ok - $1 leaves something behind"
        diff <(printf '%s\n' "$before") <(printf '%s\n' "$after") | sed 's/^/# /'
        before=$after
    fi
}

main "$@"
