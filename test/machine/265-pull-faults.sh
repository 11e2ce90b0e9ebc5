#!/usr/bin/env bash
# What goes wrong with pulls: a changed byte, a full disk, a kill at any point, an interruption.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/registry.sh"

repaired() {
    local layer file note
    fresh alice
    as alice berth pull -q $REGISTRY/t/busybox:1
    layer=$(echo "$(store_of alice)"/layers/*)
    printf x | dd of="$layer/fs/etc/passwd" conv=notrunc status=none
    fails_with 1 as alice berth system check >"$WORK/out" 2>&1
    contains "$(cat "$WORK/out")" 'not what its digest says'
    # Without its registry the image is what it was.
    systemctl stop test-registry
    fails_with 1 as alice berth system check --repair
    as alice berth run --rm --network none $REGISTRY/t/busybox:1 true
    serve
    as alice berth system check --repair
    sound alice
    # The documents, too, here of an image that was not pulled but migrated or handed over; and what a pull sees to by itself: what is not there.
    note=$(echo "$(store_of alice)"/pulled/*)
    mv "$note" "$WORK/note"
    for file in "$(store_of alice)"/blobs/sha256/*; do printf ' ' >>"$file"; done
    as alice berth system check --repair
    mv "$WORK/note" "$note"
    sound alice
    for file in "$layer/fs" "$layer/layer.json" "$(store_of alice)/blobs/sha256"; do
        as alice berth layer remove "path=$file"
        as alice berth pull -q $REGISTRY/t/busybox:1
    done
    sound alice
}
check 'a changed byte is found, what is missing is missed, and both are fetched again' repaired

# A repair that waits for its registry has the broken layer in its hands.
repair_killed() {
    local layer store
    store=$(store_of alice)
    fresh alice
    as alice berth pull -q $REGISTRY/t/busybox:1
    layer=$(echo "$store"/layers/*)
    as alice berth pull -q $REGISTRY/t/oci:1
    printf x | dd of="$layer/fs/etc/passwd" conv=notrunc status=none
    repair_dies() {
        systemctl kill -s STOP test-registry
        as alice systemd-run --user -q --collect --unit test-repair berth system check --repair
        timeout 60 sh -c 'until ls -d "$0"/tmp/*/broken-* >/dev/null 2>&1; do sleep 0.05; done' "$store"
        manager alice kill -s KILL test-repair
        timeout 60 sh -c 'while pgrep -u alice -f "system check --repai[r]" >/dev/null; do sleep 0.05; done'
    }
    repair_dies
    systemctl stop test-registry
    # Nobody could bring it: the image starts with what it had, also when another container ends before.
    fails ls "$layer"
    as alice berth run --rm --network none $REGISTRY/t/oci:1 true
    ls -d "$store"/tmp/*/broken-*
    as alice berth run --rm --network none $REGISTRY/t/busybox:1 true
    ls -d "$layer/fs"
    serve
    repair_dies
    systemctl kill -s CONT test-registry
    contains "$(fails_with 1 as alice berth system check)" 'not what its digest says'
    as alice berth system check --repair
    sound alice
}
check 'a repair that is killed leaves the image as it was, and the next one mends it' repair_killed

# newuidmap(1) as it is, noting that it was called; refusing when there is $WORK/refuse.
ids_once() {
    mkdir -p "$WORK/bin"
    install -m 666 /dev/null "$WORK/maps"
    printf '#!/bin/sh\necho "$@" >>%s/maps\n[ ! -e %s/refuse ] || { echo "newuidmap: not today" >&2; exit 1; }\nexec /usr/bin/newuidmap "$@"\n' "$WORK" "$WORK" >"$WORK/bin/newuidmap"
    chmod 755 "$WORK/bin/newuidmap"
    fresh alice
    as alice env "PATH=$WORK/bin:/usr/bin:/bin" berth pull -q $REGISTRY/t/oci:1
    [ "$(find "$(store_of alice)/layers" -mindepth 1 -maxdepth 1 | wc -l)" -ge 2 ]
    equal "$(wc -l <"$WORK/maps")" 1
    sound alice
    equal "$(pgrep -u alice -f 'berth layer')" ''
    # Refused, each layer's program says so itself.
    fresh alice
    touch "$WORK/refuse"
    fails_with 125 as alice env "PATH=$WORK/bin:/usr/bin:/bin" berth pull -q $REGISTRY/t/oci:1 2>"$WORK/err"
    contains "$(head -n 1 "$WORK/err")" 'newuidmap: not today; the package uidmap must be installed'
    equal "$(pgrep -u alice -f 'berth layer')" ''
}
check 'the ids of an account are mapped once for all layers of a pull' ids_once

# Kills a command at a random point of the time it takes, which is measured first and follows how busy the machine is.
elapsed() { echo $((($(date +%s%N) - $1) / 1000000)); }
cut=0 tries=0 length=0 who=alice
cut_at_random() { # COMMAND…: fails when it had ended before
    local moment=$((RANDOM * length / 32768 + 20)) status=0 began took
    tries=$((tries + 1))
    began=$(date +%s%N)
    as $who timeout -s KILL $((moment / 1000)).$(printf %03d $((moment % 1000))) "$@" >/dev/null 2>&1 || status=$?
    if [ $status != 137 ]; then
        took=$(elapsed "$began")
        length=$(((length + took) / 2))
        return 1
    fi
    cut=$((cut + 1))
    length=$((length + length / 50))
}
works_after() { # IMAGE
    # The start fetches what is missing.
    equal "$(as $who berth run -q --rm --network none "$REGISTRY/t/$1:1" sh -c 'echo up' 2>&1)" up
    contains "$(as $who berth system check)" 'nothing wrong'
}

killed() { # USER TIMES IMAGE: at random points of a pull; the store works after each, and the last pull finds nothing wrong
    local began who=$1 times=$2 goes_on='' pull=(berth pull -q "$REGISTRY/t/$3:1")
    fresh $who
    began=$(date +%s%N)
    as $who "${pull[@]}" >/dev/null
    length=$(elapsed "$began") cut=0 tries=0
    while [ $cut -lt "$times" ] && [ $tries -lt $((6 * times + 20)) ]; do
        [ -n "$goes_on" ] || as $who berth rmi -a -f >/dev/null 2>&1 || true
        goes_on=''
        cut_at_random "${pull[@]}" || continue
        # Some go on with what the last one has left.
        if [ $((cut % 4)) = 3 ] && [ $cut -lt "$times" ]; then goes_on=yes; else works_after "$3"; fi
    done
    as $who "${pull[@]}" >/dev/null
    sound $who
    echo "# $who, $3: $cut of $tries pulls were killed, the last within $length ms" >>"$WORK/figures"
    equal $cut "$times"
}
check 'a pull that is killed at any point leaves a store that works' killed alice "${KILLS:-6}" oci

removal_killed() { # TIMES
    local began pull=(berth pull -q $REGISTRY/t/busybox:1 $REGISTRY/t/oci:1)
    fresh alice
    as alice "${pull[@]}" >/dev/null
    began=$(date +%s%N)
    as alice berth rmi -a -f >/dev/null
    length=$(elapsed "$began") cut=0 tries=0
    while [ $cut -lt "$1" ] && [ $tries -lt $((5 * $1 + 10)) ]; do
        as alice "${pull[@]}" >/dev/null
        if cut_at_random berth rmi -a -f; then works_after oci; fi
    done
    as alice berth rmi -a -f >/dev/null
    as alice berth image prune -f >/dev/null 2>&1
    equal "$(ls "$(store_of alice)/layers" "$(store_of alice)/images" "$(store_of alice)/names" "$(store_of alice)/tmp" | grep -v :)" ''
    echo "# $cut of $tries removals were killed, the last within $length ms" >>"$WORK/figures"
    equal $cut "$1"
}
check 'a removal that is killed at any point leaves a store that works' removal_killed "${KILLS:-3}"
[ ! -e "$WORK/figures" ] || cat "$WORK/figures"

at_once() { # two pulls, a removal and a start of one image
    local i pids one
    fresh alice
    as alice berth pull -q $REGISTRY/t/busybox:1 >/dev/null
    for i in 1 2; do
        pids=()
        as alice berth pull -q $REGISTRY/t/busybox:1 >"$WORK/one" 2>&1 & pids+=($!)
        as alice berth pull -q $REGISTRY/t/busybox:1 >"$WORK/two" 2>&1 & pids+=($!)
        as alice berth run -q --rm --network none $REGISTRY/t/busybox:1 echo up >"$WORK/three" 2>&1 & pids+=($!)
        as alice berth rmi -f $REGISTRY/t/busybox:1 >"$WORK/four" 2>&1 || true # a start or a container may hold it
        for one in "${pids[@]}"; do wait "$one" || { cat "$WORK"/one "$WORK"/two "$WORK"/three >&2; return 1; }; done
        equal "$(cat "$WORK/three")" up
        contains "$(as alice berth system check)" 'nothing wrong'
    done
    as alice berth pull -q $REGISTRY/t/busybox:1 >/dev/null
    sound alice
}
check 'two pulls, a removal and a start of one image at once' at_once

# The container that makes room takes its image with it (--rmi): the one that comes found it there before.
replaced() {
    local name=$REGISTRY/t/busybox:1
    fresh alice
    as alice berth run -q -d --rm --rmi --name changes --network none --stop-timeout 1 $name sleep inf >/dev/null
    equal "$(as alice berth run -q --rm --replace --name changes --network none $name echo up)" up
    sound alice
}
check 'an image that is removed while a start makes room is fetched again' replaced

# Of a kernel that shares the processors between sessions, where no control group does: Node has a session of its own, with the group's niceness.
apart() { # PID
    local group
    group=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
    [ "$(cat /proc/sys/kernel/sched_autogroup_enabled 2>/dev/null)" = 1 ] && [ ! -e "/sys/fs/cgroup$group/cpu.weight" ] || return 0
    equal "$(ps -o sid= -p "$1" | tr -d ' ')" "$1"
    contains "$(cat "/proc/$1/autogroup")" ' nice 15'
}
# Kernels from 6.12 on let a process ask for less than their own.
short_slice() { # PID
    [ "$(printf '%s\n' 6.12 "$(uname -r)" | sort -V | head -n 1)" = 6.12 ] && grep -q '^se\.slice ' "/proc/$1/sched" 2>/dev/null || return 0
    equal "$(sed -n 's/^se\.slice *: *//p' "/proc/$1/sched")" 100000
}
cut_off() { # a pull is killed when it has brought 3 MB of the layer
    fresh alice
    large 2000000
    as alice berth pull -q 127.0.0.1:$SLOW/t/large:1 >/dev/null 2>&1 &
    local pid='' partial parent i kept=0
    partial=$(store_of alice)/partial
    until pid=$(pgrep -u alice -x node); do sleep 0.02; done
    for i in $(seq 600); do
        kept=$({ cat "$partial"/* 2>/dev/null || true; } | wc -c)
        [ "$kept" -lt 3000000 ] || break
        sleep 0.05
    done
    # A pull that no start waits for does not take the processors from those that do.
    equal "$(ps -o ni= -p $pid | tr -d ' ')" 19
    contains "$(grep ^0:: /proc/$pid/cgroup)" /berth-pull-
    equal "$(manager alice show -P CPUWeight "$(sed -n 's,^0::.*/,,p' /proc/$pid/cgroup)")" 4
    apart $pid
    short_slice $pid
    # Who started it is killed, and what it started with it.
    parent=$(ps -o ppid= -p $pid | tr -d ' ')
    [ "$(cat /proc/$parent/comm)" = berth ] || parent=$pid
    kill -KILL $parent
    wait
    for i in $(seq 300); do [ -e /proc/$pid ] || break; sleep 0.1; done
    fails pgrep -u alice -x node
    [ "$kept" -ge 3000000 ]
}
answers() { journalctl --sync; journalctl -u test-registry --since "@$1" -o cat --no-pager | grep -E '"GET /v2/t/large/blobs/' | grep -oE '" (200|206) ' | sort | uniq -c | tr -s ' '; }
resumed() {
    local began
    cut_off
    large 200000000
    began=$(date +%s.%N)
    as alice berth pull -q 127.0.0.1:$SLOW/t/large:1 >/dev/null
    contains "$(answers "$began")" 206
    equal "$(ls "$(store_of alice)/partial")" ''
    sound alice
    # What is kept may have been spoilt: then all is fetched.
    cut_off
    large 200000000
    printf spoilt | dd of="$(echo "$(store_of alice)"/partial/*)" bs=1 seek=100000 conv=notrunc status=none
    as alice berth pull -q 127.0.0.1:$SLOW/t/large:1 >/dev/null
    equal "$(ls "$(store_of alice)/partial")" ''
    sound alice
    systemctl stop test-slow
}
check 'a pull that was killed within a layer goes on where it was' resumed

bigger_killed() { # USER: layers that are kept as far as they came, and those that are small
    large 200000000
    systemctl stop test-slow
    derive both large
    killed "$1" "${KILLS:-4}" both
}
for user in alice root; do check "$user: a pull of a larger image that is killed at any point leaves a store that works" bigger_killed $user; done
[ ! -e "$WORK/figures" ] || tail -n 2 "$WORK/figures"

# In a repository of its own: where the registry has the blobs, none are sent.
in_pieces() {
    local began i
    large 200000000
    systemctl stop test-slow
    systemd-run -q --collect --unit test-slow python3 "$TESTS/registry-picky.py" $SLOW $PORT 1000000
    for i in $(seq 300); do ! curl -sf http://127.0.0.1:$SLOW/v2/ >/dev/null || break; sleep 0.1; done
    fresh alice
    as alice berth pull -q $REGISTRY/t/large:1 >/dev/null
    began=$(date +%s.%N)
    as alice berth push -q $REGISTRY/t/large:1 127.0.0.1:$SLOW/pieces/large:1
    systemctl stop test-slow
    journalctl --sync
    [ "$(journalctl -u test-registry --since "@$began" -o cat --no-pager | grep -cE '"PATCH /v2/pieces/large/blobs/uploads/.*" 202 ')" -ge 12 ]
    fresh alice
    as alice berth pull -q $REGISTRY/pieces/large:1 >/dev/null
    sound alice
}
check 'a push through a proxy that takes a megabyte at a time' in_pieces

no_space() {
    local small=/home/alice/small
    large 200000000
    mkdir -p $small
    mount -t tmpfs -o size=8m,uid=1000,gid=1000,mode=700 none $small
    fails_with 125 as alice env XDG_DATA_HOME=$small berth pull -q 127.0.0.1:$SLOW/t/large:1 2>"$WORK/err" || { umount $small; return 1; }
    echo "$(find $small -type f -size +4k; ls $small/berth/layers $small/berth/tmp $small/berth/images $small/berth/names | grep -v :)" >"$WORK/left"
    mount -o remount,size=100m $small
    as alice env XDG_DATA_HOME=$small berth pull -q 127.0.0.1:$SLOW/t/large:1 >"$WORK/id" 2>&1 || true
    as alice env XDG_DATA_HOME=$small berth system check >"$WORK/check" 2>&1 || true
    umount $small
    rmdir $small
    systemctl stop test-slow
    contains "$(cat "$WORK/err")" 'o space left'
    equal "$(wc -l <"$WORK/err")" 1
    equal "$(xargs <"$WORK/left")" ''
    contains "$(cat "$WORK/check")" '1 images, 1 layers verified, nothing wrong'
}
check 'a full disk is said in one line, leaves nothing, and the next pull works' no_space

begun() { # a pull of alice has begun to unpack
    timeout 120 sh -c 'until ls "$0"/*/sha256-* >/dev/null 2>&1; do sleep 0.02; done' "$(store_of alice)/tmp"
}
in_terminal() { as alice python3 "$TESTS/terminals.py" "$@"; }
interrupted() {
    local name=127.0.0.1:$SLOW/t/busybox:1 pull=(berth pull 127.0.0.1:$SLOW/t/busybox:1)
    fresh alice
    large 300000
    # Ctrl-C; the terminal is closed: what was begun is put away, and the end is that of the signal.
    fails_with 130 in_terminal 'wait:kB/s' 'send:\x03' end -- "${pull[@]}" >"$WORK/out"
    contains "$(cat "$WORK/out")" 'interrupted'
    emptied "$(store_of alice)/tmp"
    fails_with 129 in_terminal 'wait:kB/s' close -- "${pull[@]}"
    emptied "$(store_of alice)/tmp"
    # A stop in the middle of a unit's start.
    unit_file alice halted <<<"[Container]
Image=$name
$LOCAL"
    manager alice start --no-block halted
    begun
    manager alice stop halted
    equal "$(ls "$(store_of alice)/tmp" "$(store_of alice)/layers" | grep -v :)" ''
    unit_gone alice halted
}
check 'a pull that is interrupted, hung up or stopped leaves nothing' interrupted

# A layer that two images share; the tag of one has moved on since it was pulled.
repaired_as_it_was() {
    local layer id
    fresh alice
    slow_at 5000000
    derive moved
    id=$(as alice berth pull -q 127.0.0.1:$SLOW/t/moved:1)
    push "docker-archive:$ARCHIVES/gzipped.tar" docker://$REGISTRY/t/moved:1
    as alice berth load -q -i "$IMAGES/busybox.tar" >/dev/null
    layer=$(echo "$(store_of alice)"/layers/*)
    printf x | dd of="$layer/fs/etc/passwd" conv=notrunc status=none
    # Not below a container of the other image.
    as alice berth run -d --name shares --network none --stop-timeout 1 localhost/busybox sleep inf >/dev/null
    fails_with 1 as alice berth system check --repair >/dev/null 2>"$WORK/err"
    contains "$(cat "$WORK/err")" 'used by shares; stop it first'
    as alice berth exec shares test -x /bin/busybox
    as alice berth rm -f shares >/dev/null
    # Ctrl-C: the broken layer is better than none.
    slow_at 200000
    fails_with 130 in_terminal wait:pulling 'send:\x03' end -- berth system check --repair >/dev/null
    [ -e "$layer/fs/etc/passwd" ]
    emptied "$(store_of alice)/tmp"
    slow_at 5000000
    as alice berth system check --repair >"$WORK/out"
    contains "$(cat "$WORK/out")" '/t/moved:1: fetched again'
    contains "$(cat "$WORK/out")" 'localhost/busybox:latest: fetched again'
    equal "$(as alice berth images -q --no-trunc 127.0.0.1:$SLOW/t/moved:1)" "sha256:$id"
    equal "$(as alice berth images -n | wc -l)" 2
    systemctl stop test-slow
    sound alice
}
check 'a repair fetches the image by its digest, leaves its names and running containers alone, and puts back what it interrupts' repaired_as_it_was

# The terminal goes, these stay: one has nothing to do with it, the other still writes to it.
outlives() {
    local name=127.0.0.1:$SLOW/t/busybox:1
    fresh alice
    slow_at 300000
    rm -f /home/alice/ended.*
    # shellcheck disable=SC2016 # expanded by the account's shell
    fails_with 129 in_terminal wait:begun close -- sh -c '
        nohup sh -c "berth pull -q $0; echo \$? >/home/alice/ended.1" >/dev/null 2>&1 &
        setsid sh -c "berth pull $0; echo \$? >/home/alice/ended.2" &
        until ls "$1"/tmp/*/sha256-* >/dev/null 2>&1; do sleep 0.02; done
        echo begun; wait' $name "$(store_of alice)"
    fails test -e /home/alice/ended.1
    timeout 240 sh -c 'until [ -s /home/alice/ended.1 ] && [ -s /home/alice/ended.2 ]; do sleep 0.1; done'
    equal "$(cat /home/alice/ended.1 /home/alice/ended.2 | xargs)" '0 0'
    rm -f /home/alice/ended.*
    systemctl stop test-slow
    contains "$(as alice berth images -q --no-trunc)" sha256:
    sound alice
}
check 'a pull under nohup or in a session of its own outlives its terminal' outlives
finish
