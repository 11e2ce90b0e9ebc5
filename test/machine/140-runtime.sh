#!/usr/bin/env bash
# `--runtime crun|runc`: the same bundle with another OCI runtime.
. "$(dirname "$0")/lib.sh"

runs() { # WHO RUNTIME
    equal "$(as "$1" berth --runtime "$2" run --rm --network none localhost/busybox sh -c 'touch /x; echo $$; id -u')" $'1\n0'
    fails_with 3 as "$1" berth --runtime "$2" run --rm --network none localhost/busybox sh -c 'exit 3'
}
same_map() {
    local ours theirs
    ours=$(as "$1" berth run --rm --network none localhost/busybox cat /proc/self/uid_map)
    theirs=$(as "$1" berth --runtime "$2" run --rm --network none localhost/busybox cat /proc/self/uid_map)
    equal "$theirs" "$ours"
}
same_confinement() { # the lines of /proc/self/status that tell of it
    local words='grep -E "^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):" /proc/self/status'
    local ours theirs
    ours=$(as "$1" berth run --rm --network none localhost/busybox sh -c "$words")
    theirs=$(as "$1" berth --runtime "$2" run --rm --network none localhost/busybox sh -c "$words")
    equal "$theirs" "$ours"
}
# crun alone would lose some: it may look at its terminal when the command has ended.
terminal() { # WHO RUNTIME
    local i
    for ((i = 0; i < 20; i++)); do
        contains "$(as "$1" script -qec "berth --runtime $2 run --rm -it --network none localhost/busybox tty" /dev/null </dev/null)" /dev/pts/
    done
    one_line 127 nosuch as "$1" script -qec "berth --runtime $2 run --rm -t --network none localhost/busybox nosuch" /dev/null </dev/null
    fails_with 7 as "$1" script -qec "berth --runtime $2 run --rm -t --network none localhost/busybox sh -c 'exit 7'" /dev/null </dev/null
}
network() { contains "$(as "$1" berth --runtime "$2" run --rm localhost/busybox ip -4 addr)" 'scope global'; }
volume() {
    as "$1" berth --runtime "$2" run --rm -v kept:/var/www --network none localhost/busybox sh -c 'cat /var/www/index.html; echo more >/var/www/more' | grep -q hello
    equal "$(as "$1" berth run --rm -v kept:/var/www --network none localhost/busybox cat /var/www/more)" more
}
# A further process is made by the runtime that has made the container.
executes() { # WHO
    local out
    out=$(as "$1" berth exec -e GREETING=hello -w /tmp -u www systemd-foreign sh -c 'echo $GREETING $PWD $(id -un); grep ^CapEff /proc/self/status; exit 7') || equal $? 7
    equal "$out" $'hello /tmp www\nCapEff:\t0000000000000000'
    equal "$(as "$1" berth exec systemd-foreign cat /proc/1/comm)" "$(as "$1" berth exec systemd-foreign sh -c 'cat /proc/1/comm')"
    equal "$(echo input | as "$1" berth exec -i systemd-foreign cat)" input
    as "$1" berth exec -d systemd-foreign touch /tmp/detached
    until as "$1" berth exec systemd-foreign ls /tmp/detached; do :; done >/dev/null 2>&1
    for _ in {1..20}; do
        contains "$(as "$1" script -qec 'berth exec -it systemd-foreign tty' /dev/null </dev/null)" /dev/pts/
    done
    one_line 127 nosuch as "$1" berth exec systemd-foreign nosuch
    one_line 127 nosuch as "$1" script -qec 'berth exec -t systemd-foreign nosuch' /dev/null </dev/null
    one_line 126 /etc/passwd as "$1" berth exec systemd-foreign /etc/passwd
    one_line 127 nosuch as "$1" berth exec -d systemd-foreign nosuch
}
one_line() { # STATUS PART COMMAND…
    local said
    said=$(fails_with "$1" "${@:3}" 2>&1)
    contains "$said" "$2"
    equal "$(wc -l <<<"$said")" 1
}
# As Podman does; a payload that ends with 1 does so still.
failures() { # WHO RUNTIME
    one_line 127 nosuch as "$1" berth --runtime "$2" run --rm --network none localhost/busybox nosuch
    one_line 126 /etc/passwd as "$1" berth --runtime "$2" run --rm --network none localhost/busybox /etc/passwd
    fails_with 1 as "$1" berth --runtime "$2" run --rm --network none localhost/busybox sh -c 'echo not found; exit 1'
    printf '[Container]\nImage=localhost/busybox\nGlobalArgs=--runtime %s\nNetwork=none\nExec=nosuch\n' "$2" | unit_file "$1" foreign
    fails_with 1 manager "$1" start foreign
    equal "$(property "$1" foreign ExecMainStatus)" 127
    contains "$(journal "$1" foreign)" nosuch
    unit_gone "$1" foreign
    one_line 127 nosuch as "$1" berth --runtime "$2" run -d --name missing --network none localhost/busybox nosuch
    as "$1" berth rm missing
    # What a further process could not do says nothing of the payload's end.
    as "$1" berth --runtime "$2" run -d --name later --network none localhost/busybox sh -c 'until [ -e /go ]; do sleep 0.1; done; exit 1'
    fails_with 127 as "$1" berth exec later nosuch
    as "$1" berth exec later touch /go
    equal "$(as "$1" berth wait later)" 1
    as "$1" berth rm later
}
unit() {
    printf '[Container]\nImage=localhost/busybox\nGlobalArgs=--runtime %s\nNetwork=none\nExec=sh -c '"'"'trap "exit 0" TERM; echo up; while :; do sleep 0.1; done'"'"'\n' "$2" |
        unit_file "$1" foreign
    manager "$1" start foreign
    local pid
    pid=$(property "$1" foreign MainPID)
    contains "$(cat "/proc/$pid/task/$pid/children" | xargs -n1 | while read -r child; do cat "/proc/$child/comm"; done)" "$2"
    executes "$1"
    manager "$1" stop foreign
    equal "$(property "$1" foreign Result)" success
    contains "$(journal "$1" foreign)" up
    unit_gone "$1" foreign
}
absent() { contains "$(fails_with 127 as "$1" berth --runtime no-such run --rm --network none localhost/busybox true 2>&1)" no-such; }

for who in root alice; do
    as "$who" berth load -q -i "$IMAGES/busybox.tar" >/dev/null
    for runtime in crun runc; do
        check "$who, $runtime: a command runs and its status is ours" runs "$who" "$runtime"
        check "$who, $runtime: the same id map" same_map "$who" "$runtime"
        check "$who, $runtime: the same capabilities and filter" same_confinement "$who" "$runtime"
        check "$who, $runtime: the default network" network "$who" "$runtime"
        check "$who, $runtime: all that is written to a terminal arrives, and the status" terminal "$who" "$runtime"
        check "$who, $runtime: a volume is filled from the image" volume "$who" "$runtime"
        check "$who, $runtime: what cannot start has the status that it has in Podman" failures "$who" "$runtime"
        check "$who, $runtime: as a unit" unit "$who" "$runtime"
    done
    check "$who: a runtime that is not there" absent "$who"
done
finish
