#!/usr/bin/env bash
# A person's containers: detached starts, exec, stop, kill, wait, rm, ps, inspect, logs, and the terminal.
. "$(dirname "$0")/lib.sh"
SERVES='echo up $GREETING; echo oops >&2; trap "exit 4" TERM; while :; do sleep 0.1; done'

begin() { # WHO NAME [OPTION…]: a detached container that ends with 4 at SIGTERM
    local who=$1 name=$2
    shift 2
    as "$who" berth run -d --name "$name" --network none "$@" localhost/busybox sh -c "$SERVES" >/dev/null
}
gone() { equal "$(as "$1" berth ps -a -q --filter "name=$2")" ''; }

detached() {
    local id
    id=$(as "$1" berth run -d --rm --name d1 --network none localhost/busybox sleep 1000)
    [[ $id =~ ^[0-9a-f]{64}$ ]]
    equal "$(as "$1" berth ps --no-trunc -q)" "$id"
    equal "$(manager "$1" is-active d1.service)" active
    manager "$1" stop d1.service
    gone "$1" d1
}
log_fields() { # of root: the manager of an account cannot say them (systemd.exec(5), LogExtraFields=)
    local id
    id=$(berth run -d --rm --name d4 --network none --log-opt tag=mine localhost/busybox sh -c 'echo here; sleep 1000')
    journalctl --sync
    equal "$(journalctl -q -o json -u d4.service CONTAINER_ID_FULL="$id" CONTAINER_NAME=d4 IMAGE_NAME=localhost/busybox:latest CONTAINER_TAG=mine | jq -r .MESSAGE | grep here)" here
    equal "$(berth inspect --format '{{.Id}}' d4)" "$id"
    equal "$(berth exec d4 env | grep -c "$id" || true)" 0
    berth rm -f -t 0 d4
}
detached_fails() {
    local said
    said=$(fails_with 127 as "$1" berth run -d --rm --name d2 --network none localhost/busybox no-such 2>&1)
    contains "$said" no-such
    equal "$(wc -l <<<"$said")" 1
    gone "$1" d2
}
variable() { # the value comes from our environment, and not over an argument list
    as "$1" env GREETING='a "quoted" $value \ x' berth run -d --rm --name d3 -e GREETING --network none localhost/busybox \
        sh -c 'echo "<$GREETING>"; sleep 1000' >/dev/null
    journalctl --sync
    equal "$(as "$1" berth logs d3)" '<a "quoted" $value \ x>'
    as "$1" berth rm -f d3 >/dev/null
}
executes() {
    begin "$1" e1 -e GREETING=hello
    equal "$(as "$1" berth exec e1 sh -c 'echo $GREETING')" hello
    equal "$(as "$1" berth exec -e GREETING=other -w /tmp e1 sh -c 'echo $GREETING $PWD')" 'other /tmp'
    equal "$(as "$1" berth exec -u app e1 id)" 'uid=1000(app) gid=1000(app) groups=44(extra),1000(app)'
    equal "$(echo data | as "$1" berth exec -i e1 cat)" data
    fails_with 9 as "$1" berth exec e1 sh -c 'exit 9'
    contains "$(fails_with 127 as "$1" berth exec e1 no-such 2>&1)" no-such
    fails_with 126 as "$1" berth exec e1 /etc/passwd
    contains "$(fails_with 127 as "$1" berth exec -w /missing e1 pwd 2>&1)" 'cwd /missing: no such'
    contains "$(fails_with 127 as "$1" berth exec -d e1 no-such-program 2>&1)" no-such-program
    as "$1" berth exec -dt e1 sh -c 'sleep 0.5; echo alive >/tmp/alive'
    as "$1" timeout 30 berth exec e1 sh -c 'until grep -q alive /tmp/alive 2>/dev/null; do sleep 0.1; done'
    contains "$(fails_with 126 as "$1" berth exec -u nobody-here e1 true 2>&1)" nobody-here
    contains "$(fails_with 125 as "$1" berth exec no-container true 2>&1)" no-container
}
in_group() { # the joined process is in the payload's control group and dies with it
    as "$1" berth exec -d e1 sleep 12345
    local pid
    pid=$(pgrep -f 'sleep 12345' | head -n 1)
    grep -q '^0::/.*/e1.service/payload$' "/proc/$pid/cgroup"
}
at_once() { # the manager moves the process: a call that it does not notice would wait for 25 s
    local _
    for _ in $(seq 10); do as "$1" timeout 10 berth exec e1 true; done
}
# A terminal's input that has no end: at one, script(1) types the end-of-file character of whatever mode the terminal is in just then.
silence() {
    [ -p silence ] || mkfifo silence
    "$@" <>silence
}
terminal() {
    contains "$(silence as "$1" script -qec 'berth exec -it e1 sh -c "tty; exit 3"' /dev/null || echo "status $?")" $'/dev/pts/0\r\nstatus 3'
    contains "$(silence as "$1" script -qec 'berth run --rm -it --network none localhost/busybox sh -c "tty; exit 5"' /dev/null || echo "status $?")" $'/dev/pts/0\r\nstatus 5'
}
terminal_size() {
    contains "$(silence as "$1" script -qec 'stty rows 33 cols 99; berth run --rm -it --network none localhost/busybox sh -c "sleep 0.2; stty size"' /dev/null)" '33 99'
}
told() {
    equal "$(as "$1" berth ps --format '{{.Names}} {{.State}} {{.Unit}}')" 'e1 running e1.service'
    equal "$(as "$1" berth inspect --format '{{.State.Running}} {{.Name}} {{.HostConfig.NetworkMode}}' e1)" 'true e1 none'
    as "$1" berth ps --format json | python3 -c 'import json,sys; assert [c["Names"] for c in json.load(sys.stdin)] == [["e1"]]'
    as "$1" berth inspect e1 | python3 -c 'import json,sys; [c] = json.load(sys.stdin); assert c["Berth"]["spec"]["ociVersion"].startswith("1.")'
    contains "$(fails_with 125 as "$1" berth inspect no-container 2>&1)" no-container
    contains "$(fails_with 125 as "$1" berth ps --filter shape=round 2>&1)" shape
}
logged() {
    journalctl --sync
    equal "$(as "$1" berth logs e1 | sort)" $'oops\nup hello'
    equal "$(as "$1" berth logs --priority err e1)" oops
    equal "$(as "$1" berth logs --grep '^up' e1)" 'up hello'
    equal "$(as "$1" berth logs --format json e1 | grep -c '"MESSAGE":"oops"')" 1
    begin "$1" e9
    journalctl --sync
    equal "$(as "$1" berth logs e1 e9 | grep -c oops)" 2
    as "$1" berth rm -f -t 1 e9 >/dev/null
    contains "$(as "$1" berth logs e9)" oops
}
waited() {
    as "$1" berth wait e1 >waited 2>&1 &
    sleep 0.3
    as "$1" berth stop e1
    wait $!
    equal "$(cat waited)" 4
    equal "$(as "$1" berth ps -q)" ''
    equal "$(as "$1" berth ps -a --format '{{.Names}} {{.State}}')" 'e1 exited'
    contains "$(fails_with 125 as "$1" berth exec e1 true 2>&1)" 'not running'
    as "$1" berth rm e1
    gone "$1" e1
}
not_forced() {
    begin "$1" f1
    contains "$(fails_with 2 as "$1" berth rm f1 2>&1)" running
    as "$1" berth rm -f f1
    gone "$1" f1
}
like_an_id() { # a new name may be the beginning of another container's id, and replaces nothing
    local id short
    id=$(as "$1" berth run -d --rm --name i1 --network none localhost/busybox sleep 1000)
    short=${id:0:4}
    equal "$(as "$1" berth run --rm --replace --name "$short" --network none localhost/busybox echo new)" new
    as "$1" berth run -d --rm --name "$short" --network none localhost/busybox sh -c 'exit 0' >/dev/null
    # Its unit ends by itself, and ExecStopPost= removes by name.
    as "$1" timeout 60 sh -c 'while [ -n "$(berth ps -a -q --filter "name=$0")" ]; do sleep 0.1; done' "$short"
    equal "$(as "$1" berth ps -q --no-trunc --filter name=i1)" "$id"
    as "$1" berth rm -f i1
}
stubborn() { # -t counts although the unit's own time is longer
    as "$1" berth run -d --rm --name s1 --stop-timeout 60 --network none localhost/busybox sleep 1000 >/dev/null
    local began=$SECONDS
    as "$1" berth stop -t 1 s1
    ((SECONDS - began < 8))
    gone "$1" s1
}
absent() {
    contains "$(fails_with 1 as "$1" berth rm absent 2>&1)" absent
    as "$1" berth rm -i absent
    fails_with 125 as "$1" berth stop absent
    as "$1" berth stop -i absent
    contains "$(fails_with 125 as "$1" berth kill -s NOSUCH absent 2>&1)" NOSUCH
}
filtered() { # what --filter does not mean is left
    local name
    for name in f1 f2; do as "$1" berth run -d --rm --name $name --label "kind=$name" --stop-timeout 1 --network none localhost/busybox sleep 1000 >/dev/null; done
    equal "$(as "$1" berth stop --filter label=kind=f1)" f1
    gone "$1" f1
    contains "$(fails_with 125 as "$1" berth stop --filter label=kind=f2 f2 2>&1)" exclude
    contains "$(fails_with 125 as "$1" berth rm -f --filter shape=round 2>&1)" '--filter shape=round'
    equal "$(as "$1" berth stop --filter label=kind=none)" ''
    equal "$(as "$1" berth ps --format '{{.Names}}' --filter label=kind=f2)" f2
    equal "$(as "$1" berth rm -f -t 0 --filter label=kind=f2)" f2
    gone "$1" f2
}
ended() { # what is left of one without --rm says how it ended, and holds nothing
    local id shown
    as "$1" berth run -d --name n1 -p 127.0.0.1:18110:80 localhost/busybox sh -c 'exit 3' >/dev/null
    as "$1" timeout 60 sh -c 'until berth ps -a --filter name=n1 --format "{{.Status}}" | grep -q "Exited (3) .* ago"; do sleep 0.1; done'
    equal "$(as "$1" berth wait n1)" 3
    equal "$(as "$1" berth ps -a -q --filter exited=3 | wc -l)" 1
    # Its port is free for another.
    as "$1" berth run --name n2 -p 127.0.0.1:18110:80 localhost/busybox sh -c 'exit 7' || equal $? 7
    shown=$(as "$1" berth ps -a --format json --filter name=n2)
    equal "$(python3 -c 'import json,sys; one = json.load(sys.stdin)[0]; print(one["ExitCode"], one["ExitedAt"] > 0)' <<<"$shown")" '7 True'
    as "$1" berth run -d --name n3 --network none --stop-timeout 1 localhost/busybox sleep 1000 >/dev/null
    contains "$(fails_with 125 as "$1" berth container cleanup n3 2>&1)" 'is running'
    as "$1" berth stop n3 >/dev/null
    equal "$(as "$1" berth wait n3)" 137
    equal "$(as "$1" berth container cleanup n3)" n3
    as "$1" berth rm n1 n2 n3 >/dev/null
}
again() { # the same container, with its files, volumes and variables, however often it is started
    local id
    id=$(as "$1" env WORD='a "$x' berth run -d --name a1 -e WORD -v /data --network none --stop-timeout 0 localhost/busybox \
        sh -c 'echo "$WORD" >>/tmp/n; echo x >>/data/n; exec sleep 1000')
    as "$1" berth restart -q a1
    as "$1" berth stop a1 >/dev/null
    as "$1" berth start -q a1
    as "$1" berth stop a1 >/dev/null
    as "$1" berth restart -q a1
    # shellcheck disable=SC2016 # the variable's value
    equal "$(as "$1" berth exec a1 sort /tmp/n /data/n | uniq -c | tr -s ' \n' ' ')" ' 4 a "$x 4 x '
    equal "$(as "$1" berth inspect --format '{{.Id}}' a1)" "$id"
    as "$1" berth rm -f -v a1 >/dev/null
    contains "$(fails_with 5 as "$1" berth start a1 2>&1)" 'no container a1 that could be started again'
}
again_in_background() { # what ran in the foreground
    # shellcheck disable=SC2016 # the container's
    equal "$(as "$1" env WORD=one berth run --name a6 -e WORD --network none --stop-timeout 0 localhost/busybox \
        sh -c 'echo "$WORD" >>/tmp/n; cat /tmp/n; [ "$(wc -l </tmp/n)" = 1 ] || exec sleep 1000')" one
    as "$1" berth start -q a6
    equal "$(as "$1" berth exec a6 cat /tmp/n)" $'one\none'
    equal "$(manager "$1" is-active a6.service)" active
    as "$1" berth stop a6 >/dev/null
    as "$1" berth start -q a6
    as "$1" berth rm -f a6 >/dev/null
}
again_at_once() { # by several
    as "$1" berth run -d --name a5 --network none --stop-timeout 0 localhost/busybox sleep 1000 >/dev/null
    as "$1" berth stop a5 >/dev/null
    # shellcheck disable=SC2016 # expanded by the account's shell
    as "$1" sh -c 'for i in 1 2 3 4 5; do berth start -q a5 & pids="$pids $!"; done; for pid in $pids; do wait $pid || exit; done'
    as "$1" berth rm -f -v a5 >/dev/null
}
again_elsewhere() { # where it was made is gone
    as "$1" sh -c 'mkdir /tmp/place && cd /tmp/place && berth run -d --name a2 --network none --stop-timeout 0 localhost/busybox sleep 1000' >/dev/null
    rmdir /tmp/place
    as "$1" berth stop a2 >/dev/null
    as "$1" berth start -q a2
    as "$1" berth rm -f -v a2 >/dev/null
}
again_replaced() { # the variables of the one that was replaced are gone with it
    as "$1" env WORD=old OLD=old berth run -d --name a3 -e WORD -e OLD --network none --stop-timeout 0 localhost/busybox sleep 1000 >/dev/null
    as "$1" env WORD=new berth run -d --replace --name a3 -e 'WORD*' -e 'OLD*' --network none --stop-timeout 0 localhost/busybox sleep 1000 >/dev/null
    # shellcheck disable=SC2016 # the container's
    equal "$(as "$1" berth exec a3 sh -c 'echo $WORD ${OLD-none}')" 'new none'
    as "$1" berth rm -f -v a3 >/dev/null
}
again_crun() { # the state that crun leaves belongs to another id of the account's
    as alice berth run -d --name a4 --runtime crun --userns keep-id --network none --stop-timeout 0 localhost/busybox sleep 1000 >/dev/null
    as alice berth stop a4 >/dev/null
    as alice berth start -q a4
    equal "$(as alice berth exec a4 id -u)" 1000
    as alice berth rm -f a4 >/dev/null
    equal "$(find /run/user/1000/berth/containers /home/alice/.local/share/berth/tmp -name "a4*" -o -path "*/tmp/*")" ''
}
cidfile() {
    as "$1" berth run --rm --cidfile /tmp/id-"$1" --network none localhost/busybox true
    [ ! -e /tmp/id-"$1" ]
}

for who in root alice; do
    as "$who" berth load -q -i "$IMAGES/busybox.tar" >/dev/null
    check "$who: run -d is a unit of systemd" detached "$who"
    check "$who: run -d of a program that is not there says so" detached_fails "$who"
    check "$who: run -d takes a variable from our environment" variable "$who"
    check "$who: exec" executes "$who"
    check "$who: exec is in the payload's control group" in_group "$who"
    check "$who: exec again and again" at_once "$who"
    check "$who: T28: run -t and exec -t have a terminal of their own" terminal "$who"
    check "$who: the terminal has the size of ours" terminal_size "$who"
    check "$who: ps and inspect tell of it" told "$who"
    check "$who: logs shows the payload's lines, no others" logged "$who"
    check "$who: wait prints the exit status after stop" waited "$who"
    check "$who: rm wants --force for a container that runs" not_forced "$who"
    check "$who: a name that another id begins with" like_an_id "$who"
    check "$who: stop --time is shorter than the unit's time" stubborn "$who"
    check "$who: a container that is not there" absent "$who"
    check "$who: stop and rm --filter" filtered "$who"
    check "$who: without --rm its end is known, and nothing is held" ended "$who"
    check "$who: start and restart of what has ended" again "$who"
    check "$who: start again by several at once" again_at_once "$who"
    check "$who: start again of what ran in the foreground" again_in_background "$who"
    check "$who: start again after the directory of run has gone" again_elsewhere "$who"
    check "$who: run -d --replace takes no variable of the other one" again_replaced "$who"
    check "$who: --cidfile goes with --rm" cidfile "$who"
done
check 'alice: start again of a container of crun with --userns keep-id' again_crun
check 'root: fields of the log of run -d' log_fields
finish
