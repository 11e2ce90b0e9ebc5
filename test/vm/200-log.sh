#!/usr/bin/env bash
# The log with Debian's own kernel: the payload's end is kept back until its last line is in the journal.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"
CRASHES=3 # emulated: each start takes its time

load() { way_load "$1" "$IMAGES/busybox.tar"; }

crashes() { # WAY
    local i line
    way_unit "$1" "crash-$1" <<<$'[Unit]\nStartLimitIntervalSec=0\n[Container]\nImage=localhost/busybox\nNetwork=none\nExec=sh -c "echo first; printf unfinished; exit 3"'
    for ((i = 0; i < CRASHES; i++)); do manager "$(way_manager "$1")" start --wait "crash-$1" || true; done
    for line in first unfinished; do
        equal "$line $(way_journal "$1" "crash-$1" | grep -cx "$line" || true)" "$line $CRASHES"
    done
    equal "$(way_property "$1" "crash-$1" ExecMainStatus)" 3
    way_gone "$1" "crash-$1"
}

# journald stands still: the unit does not end before it goes on, and nothing is lost.
held() { # WAY
    way_unit "$1" "held-$1" <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nExec=sh -c "trap \'echo the very last; exit 4\' TERM; while :; do sleep 0.1; done"'
    way_start "$1" "held-$1"
    local payload journald
    payload=$(way_property "$1" "held-$1" MainPID)
    journald=$(systemctl show systemd-journald -P MainPID)
    kill -STOP "$journald"
    kill -TERM "$payload"
    sleep 2
    local state
    state=$(way_property "$1" "held-$1" ActiveState)
    kill -CONT "$journald"
    equal "$state" active
    timeout 20 tail --pid="$payload" -f /dev/null
    contains "$(way_journal "$1" "held-$1")" 'the very last'
    way_gone "$1" "held-$1"
}

for way in $WAYS; do
    check "$way: the image is there" load "$way"
    check "$way: every line of $CRASHES crashes" crashes "$way"
done
check 'the end waits for the journal' held root
finish
