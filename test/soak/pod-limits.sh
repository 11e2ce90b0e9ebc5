#!/usr/bin/env bash
# Runs in a virtual machine (test/vm/run.sh), which has the controllers: a slice's limits are for the sum of a pod's members, as root, for alice's manager, and
# with User=. One member fits below the limit, two do not.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

EACH=40m LIMIT=67108864

slice_file() { # WAY
    if [ "$1" = alice ]; then echo "/home/alice/.config/systemd/user/pair$1.slice"; else echo "/etc/systemd/system/pair$1.slice"; fi
}

files() { # WAY
    local way=$1 owner name
    owner=$(way_manager "$way")
    as "$owner" mkdir -p "$(dirname "$(slice_file "$way")")"
    printf '[Slice]\nMemoryMax=%s\nMemorySwapMax=0\n' $LIMIT | as "$owner" tee "$(slice_file "$way")" >/dev/null
    way_unit "$way" "pair$way.pod" <<<$'[Pod]\nPodName=pair'"$way"$'\nNetwork=none\n[Service]\nSlice=pair'"$way"'.slice'
    for name in one two; do
        # What comes without a line's end tail(1) keeps.
        way_unit "$way" "$name$way" <<<$'[Container]\nImage=localhost/busybox:latest\nPod=pair'"$way"$'.pod\nStartWithPod=false\nStopTimeout=1\nExec=sh -c "{ head -c '$EACH$' /dev/zero; sleep inf; } | tail"'
    done
}

killed() { awk '$1 == "oom_kill" { print $2 }' "$1/memory.events"; }
wait_for() { timeout 200 bash -c "until $1; do sleep 0.5; done"; }

sum() {
    local way=$1 group
    way_load "$way" "$IMAGES/busybox.tar"
    files "$way"
    way_start "$way" "one$way"
    group=/sys/fs/cgroup$(way_property "$way" "pair$way.slice" ControlGroup)
    equal "$(cat "$group/memory.max")" $LIMIT
    wait_for "[ \$(cat $group/memory.current) -gt $((40 << 20)) ]"
    equal "$(killed "$group")" 0
    way_start "$way" "two$way" || true # its own program may be the one that is killed
    wait_for "grep -q '^oom_kill [1-9]' $group/memory.events"
    [ "$(cat "$group/memory.peak")" -le $LIMIT ]
    way_gone "$way" "one$way" "two$way" "pair$way.pod"
    rm -f "$(slice_file "$way")"
}

for way in $WAYS; do check "$way: a slice limits the sum of a pod's members" sum "$way"; done
finish
