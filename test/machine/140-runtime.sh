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
network() { contains "$(as "$1" berth --runtime "$2" run --rm localhost/busybox ip -4 addr)" 'scope global'; }
volume() {
    as "$1" berth --runtime "$2" run --rm -v kept:/var/www --network none localhost/busybox sh -c 'cat /var/www/index.html; echo more >/var/www/more' | grep -q hello
    equal "$(as "$1" berth run --rm -v kept:/var/www --network none localhost/busybox cat /var/www/more)" more
}
unit() {
    printf '[Container]\nImage=localhost/busybox\nGlobalArgs=--runtime %s\nNetwork=none\nExec=sh -c '"'"'trap "exit 0" TERM; echo up; while :; do sleep 0.1; done'"'"'\n' "$2" |
        unit_file "$1" foreign
    manager "$1" start foreign
    equal "$(cat "/proc/$(property "$1" foreign MainPID)/comm" | cut -c1-4)" "$2"
    contains "$(fails_with 125 as "$1" berth exec systemd-foreign true 2>&1)" "$2"
    sleep 0.5
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
        check "$who, $runtime: a volume is filled from the image" volume "$who" "$runtime"
        check "$who, $runtime: as a unit" unit "$who" "$runtime"
    done
    check "$who: a runtime that is not there" absent "$who"
done
finish
