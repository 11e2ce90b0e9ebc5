#!/usr/bin/env bash
# Tier machine: every test/machine/NNN-*.sh inside booted Debian 13 machines with the package installed: four of them share the
# files, since a file waits three quarters of its time.
#   run.sh [--keep] [NNN…]      --keep leaves the machine up; numbers (or parts of names) choose tests
# BERTH_MACHINE names the machine (default: test, of which more than one add a number), BERTH_MACHINES how many there are (default 4);
# BERTH_TEST_SECONDS limits one file (default 1200). BERTH_BURNERS=N keeps the machines busy meanwhile: N endless loops, one of them
# with a line for the journal in each turn. CRASHES, AT_ONCE and KILLS go to the tests.
# Of files that failed beside others, up to five are run again, alone in a fresh machine, as long as 27 minutes have not gone (since
# BERTH_TEST_BEGAN, of `npm test`). What passes then counts as passed and is listed as unsteady: a defect all the same, of the test or of
# Berth. BERTH_AGAIN=no leaves that out; the soak does, since it looks for these.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
name=${BERTH_MACHINE:-test}
test_began=${BERTH_TEST_BEGAN:-$(date +%s)}
machine() { "$here/machine.sh" "$@"; }
keep=no
knobs=()
for knob in CRASHES AT_ONCE KILLS; do [ -z "${!knob:-}" ] || knobs+=("$knob=${!knob}"); done
# shellcheck source=test/machine/tally.sh
. "$here/tally.sh"
if [ "${1:-}" = --keep ]; then
    keep=yes
    shift
fi

main() {
    local files names worker workers=()
    mapfile -t files < <(choose "$@" | longest_first)
    [ ${#files[@]} -gt 0 ] || { echo "no machine tests"; close 1; }
    bash "$checkout/packaging/build/build.sh" || { echo "not ok - the build"; close 1; }
    work=$(mktemp -d)
    names=("$name")
    [ $keep = yes ] || [ ${#files[@]} = 1 ] || mapfile -t names < <(seq -f "$name-%g" "${BERTH_MACHINES:-4}")
    printf '%s\n' "${files[@]}" >"$work/queue"
    for name in "${names[@]}"; do
        serve &
        workers+=($!)
    done
    for worker in "${workers[@]}"; do wait "$worker" || failed=$((failed + 1)); done
    [ ! -s "$work/queue" ] || { echo "not ok - no machine took: $(tr '\n' ' ' <"$work/queue")"; failed=$((failed + 1)); }
    [ ${#names[@]} = 1 ] || [ "${BERTH_AGAIN:-yes}" = no ] || again
    while read -r _ good bad; do passed=$((passed + good)) failed=$((failed + bad)); done < <(cat "$work"/results.* 2>/dev/null)
    [ ! -s "$work/unsteady" ] || echo "unsteady, passed when run again: $(tr '\n' ' ' <"$work/unsteady")"
    rm -rf "$work"
    close 0
}

# The longest files at the head, so that none of them is alone at the end, and neighbours that strain different things.
longest_first() {
    awk -v numbers='266 805 200 800 265 370 750 260 525 110 520 350 112 400 530' '
        BEGIN { n = split(numbers, number) }
        { rank = n + 1; for (i in number) if (index($0, number[i] "-") == 1) rank = i; print rank, $0 }' | sort -s -n -k 1,1 | cut -d ' ' -f 2
}

# Runs the files that failed once more. Their results take the place of the first ones.
again() {
    local files file left
    mapfile -t files < <(awk '$3 > 0 { print $1 }' "$work"/results.* 2>/dev/null)
    [ ${#files[@]} -gt 0 ] && [ ${#files[@]} -le 5 ] || return
    name=${names[0]}
    for file in "${files[@]}"; do
        left=$((29 * 60 + test_began - $(date +%s)))
        [ $left -gt 120 ] || break
        echo "-- again, alone"
        sed -i "/^$file /d" "$work"/results.*
        echo "$file" >"$work/queue"
        (BERTH_TEST_SECONDS=$left; serve) || failed=$((failed + 1))
        ! grep -q "^$file [1-9][0-9]* 0$" "$work"/results.* || echo "$file" >>"$work/unsteady"
    done
}

burn() { # NUMBER
    local i loop='while :; do echo noise; done'
    for ((i = 0; i < $1; i++)); do
        machine run "$name" systemd-run --quiet --unit="burner-$i" -p LogRateLimitIntervalSec=1s -p LogRateLimitBurst=100 sh -c "$loop"
        loop='while :; do :; done'
    done
}

close() {
    failed=$((failed + $1))
    echo "machine: $passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}

# One machine takes files from the queue until it is empty.
serve() {
    local file
    [ $keep = yes ] || trap 'machine down "$name"' EXIT
    fresh
    while file=$(take) && [ -n "$file" ]; do
        passed=0 failed=0
        run_file "$file" >"$work/output.$name"
        flock "$work/queue" cat "$work/output.$name"
        echo "$file $passed $failed" >>"$work/results.$name"
        # What a failed test left must not make others fail.
        [ "$after" = "$before" ] || [ $keep = yes ] || [ ! -s "$work/queue" ] || fresh
    done
    exit 0
}

# A machine in which nothing of an earlier file is.
fresh() {
    machine down "$name"
    machine up "$name" --install && machine copy "$name" "$here" /usr/local/lib/berth-tests ||
        { echo "not ok - the machine $name boots and takes the package"; exit 1; }
    burn "${BERTH_BURNERS:-0}"
    before=$(state)
}

# The first line of the queue leaves it.
take() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    flock "$work/queue" sh -c 'head -n 1 "$1"; rest=$(tail -n +2 "$1"); if [ -n "$rest" ]; then echo "$rest"; fi >"$1.new"; cat "$1.new" >"$1"' sh "$work/queue"
}

run_file() {
    local file=$1 output status began=$SECONDS work_before
    work_before=$(worked)
    printf -- '-- %s\n' "$file"
    output=$(timeout --kill-after=10 "${BERTH_TEST_SECONDS:-1200}" "$here/machine.sh" run "$name" env "${knobs[@]}" bash "/usr/local/lib/berth-tests/$file" 2>&1 </dev/null)
    status=$?
    printf '%s\n' "$output"
    tally "$file" $status "$output"
    leaves_nothing "$file"
    printf '   (%s s, %s of them the work of one processor)\n' $((SECONDS - began)) $(($(worked) - work_before))
}

# Seconds of processor time that the machine has used.
worked() { sed -n 's/^usage_usec \(.*\)......$/\1/p' "$(cat "${BERTH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/berth}/machines/$name/cgroup")/cpu.stat"; }

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

# The last command may have returned before systemd has cleared away its scope.
leaves_nothing() {
    local until=$((SECONDS + 30))
    while after=$(state) && [ "$after" != "$before" ] && [ $SECONDS -lt $until ]; do sleep 0.2; done
    if [ "$after" = "$before" ]; then
        passed=$((passed + 1))
        echo "ok - $1 leaves nothing behind"
    else
        failed=$((failed + 1))
        echo "not ok - $1 leaves something behind"
        diff <(printf '%s\n' "$before") <(printf '%s\n' "$after") | sed 's/^/# /'
    fi
}

main "$@"
