#!/usr/bin/env bash
# `run -d --restart`: systemd starts the container again, until somebody stops it, whenever that is.
. "$(dirname "$0")/lib.sh"

detach() { # WHO NAME POLICY COMMAND…
    local who=$1 name=$2 policy=$3
    shift 3
    as "$who" berth run -d --name "$name" --restart "$policy" --network none --stop-timeout 0 localhost/busybox "$@" >/dev/null
}
starts() { # WHO NAME: lines that the payload wrote
    journalctl --sync
    as "$1" berth logs "$2" | grep -c '^begun' || true
}
until_starts() { # WHO NAME N
    local tries
    for tries in $(seq 300); do
        [ "$(starts "$1" "$2")" -lt "$3" ] || return 0
        sleep 0.1
    done
    echo "# $2 was started $(starts "$1" "$2") times in 30 s" >&2
    return 1
}
pid_of() { as "$1" berth inspect --format '{{.State.Pid}}' "$2" 2>/dev/null || echo 0; } # 0 while it is being started
until_pid() { # WHO NAME PID: it runs, with another payload
    local tries now
    for tries in $(seq 300); do
        now=$(pid_of "$1" "$2")
        [ "$now" = "$3" ] || [ "$now" = 0 ] || return 0
        sleep 0.1
    done
    return 1
}

always() { # and its files, its id and its name stay
    local before made
    detach "$1" r1 always sh -c 'echo x >>/count; echo begun; exec sleep 1000'
    before=$(pid_of "$1" r1)
    equal "$(as "$1" berth inspect --format '{{.HostConfig.RestartPolicy.Name}}' r1)" always
    kill -KILL "$before"
    until_pid "$1" r1 "$before"
    until_starts "$1" r1 2
    equal "$(as "$1" berth exec r1 wc -l /count)" '2 /count'
    made=$(as "$1" berth inspect --format '{{.Created}}' r1)
    before=$(pid_of "$1" r1)
    kill -KILL "$before"
    until_pid "$1" r1 "$before"
    equal "$(as "$1" berth inspect --format '{{.Created}}' r1)" "$made"
    until_starts "$1" r1 3
    as "$1" berth stop r1 >/dev/null
    sleep 2
    equal "$(as "$1" berth ps -q --filter name=r1)" ''
    as "$1" berth start -q r1
    before=$(pid_of "$1" r1)
    kill -KILL "$before"
    until_pid "$1" r1 "$before"
    as "$1" berth rm -f r1 >/dev/null
    sleep 2
    equal "$(as "$1" berth ps -a -q --filter name=r1)" ''
}
on_failure() { # not after a good end; with :N so often and no more
    detach "$1" r2 on-failure sh -c 'echo begun; [ -e /once ] || { touch /once; exit 3; }'
    until_starts "$1" r2 2
    sleep 3
    equal "$(starts "$1" r2)" 2
    as "$1" berth rm r2 >/dev/null
    detach "$1" r3 on-failure:2 sh -c 'echo begun; sleep 0.2; exit 4'
    until_starts "$1" r3 3
    sleep 3
    equal "$(starts "$1" r3)" 3
    equal "$(as "$1" berth inspect --format '{{.State.ExitCode}}' r3)" 4
    # Its unit is gone, or about to be.
    local said whose=()
    [ "$1" = root ] || whose=(--for "$1")
    said=$(fails_with 3 berth why "${whose[@]}" r3)
    contains "$said" ': its main process exited with status 4'
    contains "$said" 'it was started by: berth run '
    # The policy stays with the container that has ended, and is there before its first start.
    local policy='{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}'
    as "$1" berth create --name r5 --restart unless-stopped --network none localhost/busybox true >/dev/null
    equal "$(as "$1" berth inspect --format "$policy" r3 r5)" $'on-failure 2\nunless-stopped 0'
    equal "$(as "$1" berth ps -a --filter restart-policy=on-failure --filter restart-policy=unless-stopped --sort names --format '{{.Names}}')" $'r3\nr5'
    as "$1" berth rm r5 >/dev/null
    as "$1" berth rm r3 >/dev/null
}
waiting() { # stop, rm and run --replace while nothing runs, since systemd waits for the next try
    local verb tries
    for verb in 'stop' 'rm' 'rm -f'; do
        detach "$1" r4 unless-stopped sh -c 'echo begun; exit 5'
        until_starts "$1" r4 1
        for tries in $(seq 200); do
            # shellcheck disable=SC2086 # its words
            [ "$(as "$1" berth ps -q --filter name=r4)" = '' ] && as "$1" berth $verb r4 >/dev/null 2>"$WORK/said-$1" && break
            sleep 0.05
        done
        [ "$tries" -lt 200 ] || cat "$WORK/said-$1"
        sleep 2
        equal "$(manager "$1" is-active r4.service || true)" inactive
        equal "$(as "$1" berth ps -q --filter name=r4)" ''
        as "$1" berth rm -f -i r4 >/dev/null
    done
    detach "$1" r4 always sh -c 'echo begun; exit 5'
    as "$1" berth run -d --replace --name r4 --network none --stop-timeout 0 localhost/busybox sleep 1000 >/dev/null
    sleep 2
    equal "$(as "$1" berth inspect --format '{{.Config.Cmd}}' r4)" '[sleep 1000]'
    as "$1" berth rm -f r4 >/dev/null
}
until_waiting() { # WHO NAME: it has ended, and its unit waits for its next try
    local tries
    for tries in $(seq 1000); do
        [ "$(manager "$1" show -p SubState --value "$2.service")" != auto-restart ] || return 0
        sleep 0.02
    done
    return 1
}
users() { # of a pod, a network and a volume: what stops or removes these ends the waiting for a next start, too
    local verb
    for verb in 'pod stop -t 0' 'pod rm' 'pod rm -f -t 0'; do
        as "$1" berth pod create --name r6 --network none >/dev/null
        as "$1" berth pod start r6 >/dev/null
        as "$1" berth run -d --pod r6 --name r7 --restart always --stop-timeout 0 localhost/busybox sh -c 'echo begun; exit 5' >/dev/null
        [ "$verb" != 'pod rm' ] || as "$1" berth kill r6-infra >/dev/null
        until_waiting "$1" r7
        # shellcheck disable=SC2086 # its words
        as "$1" berth $verb r6 >/dev/null
        sleep 2
        equal "$(manager "$1" is-active r7.service || true)" inactive
        as "$1" berth pod rm -f -i r6 >/dev/null
    done
    as "$1" berth network create --disable-dns r9 >/dev/null
    as "$1" berth run -d --network r9 --name r9 --restart always --stop-timeout 0 localhost/busybox sh -c 'exit 5' >/dev/null
    until_waiting "$1" r9
    contains "$(fails_with 2 as "$1" berth network rm r9 2>&1)" 'in use by container r9'
    as "$1" berth network rm -f r9 >/dev/null
    sleep 1
    equal "$(manager "$1" is-active r9.service || true)" inactive
    as "$1" berth run -d --network none -v r8:/r8 --name r8 --restart always --stop-timeout 0 localhost/busybox sh -c 'exit 5' >/dev/null
    until_waiting "$1" r8
    as "$1" berth volume rm -f r8 >/dev/null
    sleep 2
    equal "$(manager "$1" is-active r8.service || true)" inactive
    equal "$(as "$1" berth ps -a --format '{{.Names}}' | grep '^r[6-9]' || true)" ''
}
stays_listed() { # while it is started again, by whomever, somebody may look, or remove what nobody seems to have
    local directory=/run/berth watcher round before missed
    [ "$1" = root ] || directory=/run/user/1000/berth
    detach "$1" r10 always sleep 1000
    (while [ -d "$WORK" ]; do [ -e "$directory/containers/r10/state.json" ] || echo missed; done) >"$WORK/missed-$1" &
    watcher=$!
    for round in 1 2 3; do
        as "$1" berth restart -q r10
        before=$(pid_of "$1" r10)
        kill -KILL "$before"
        until_pid "$1" r10 "$before"
        equal "$(as "$1" berth inspect --format '{{.State.Status}}' r10)" running
    done
    kill $watcher
    missed=$(wc -l <"$WORK/missed-$1")
    as "$1" berth rm -f r10 >/dev/null
    equal "$missed" 0
}
fails_at_once() { # a start that fails is told, and not tried for ever behind the back of who was told
    contains "$(fails_with 127 as "$1" berth run -d --name r5 --restart always --network none localhost/busybox no-such 2>&1)" no-such
    sleep 2
    equal "$(manager "$1" is-active r5.service || true)" inactive
    as "$1" berth rm -f -i r5 >/dev/null
}
refused() {
    contains "$(fails_with 125 as "$1" berth run --restart sometimes localhost/busybox true 2>&1)" 'no, always, unless-stopped'
    contains "$(fails_with 125 as "$1" berth run --restart always localhost/busybox true 2>&1)" 'Restart= in [Service]'
    contains "$(fails_with 125 as "$1" berth run -d --rm --restart always localhost/busybox true 2>&1)" 'nothing to start again'
    as "$1" berth run --rm --restart no --network none localhost/busybox true
}

store_of() { if [ "$1" = root ]; then echo /var/lib/berth; else echo "/home/$1/.local/share/berth"; fi; }
# The first `run -d` is held where it is about to keep its words, until another has its name.
replaced_at_once() { # WHO
    local pid
    as "$1" strace -qq -o /dev/null -P "$(store_of "$1")/containers/r7" -e trace=%lstat,newfstatat,statx -e inject=%lstat,newfstatat,statx:delay_enter=2000000 \
        berth run -d --name r7 --network none --stop-timeout 0 localhost/busybox sleep 1001 &
    pid=$!
    for _ in $(seq 300); do ! manager "$1" is-active -q r7 || break; sleep 0.1; done
    as "$1" berth run -d --replace --name r7 --network none --stop-timeout 0 localhost/busybox sleep 1002 >/dev/null
    wait $pid
    as "$1" berth stop r7 >/dev/null
    as "$1" berth start -q r7
    equal "$(as "$1" berth inspect --format '{{.Config.Cmd}}' r7)" '[sleep 1002]'
    as "$1" berth rm -f r7 >/dev/null
}
from_nowhere() { # WHO
    equal "$(as "$1" sh -c 'mkdir /tmp/gone; cd /tmp/gone; rmdir /tmp/gone; berth run --name r8 --network none localhost/busybox echo here')" here
    as "$1" berth rm r8 >/dev/null
    as "$1" sh -c 'mkdir /tmp/gone; cd /tmp/gone; rmdir /tmp/gone; berth run -d --name r8 --network none localhost/busybox sleep 1000' >/dev/null
    as "$1" berth rm -f r8 >/dev/null
    contains "$(fails_with 125 as "$1" sh -c 'mkdir /tmp/gone; cd /tmp/gone; rmdir /tmp/gone; berth run -v ./x:/x --network none localhost/busybox true' 2>&1)" berth:
}

begins() { # WHO NAME: starts of the unit that systemd has told of
    journalctl --sync
    as root journalctl -o cat --no-pager _COMM=systemd | grep -c "^Starting $2.service - berth container" || true
}
in_vain() { # a failed restart is one start
    local before
    as "$1" mkdir -p "/var/tmp/vain-$1"
    as "$1" berth run -d --name "vain-$1" --network none --stop-timeout 0 -v "/var/tmp/vain-$1:/v" localhost/busybox sleep 1000 >/dev/null
    before=$(begins "$1" "vain-$1")
    rmdir "/var/tmp/vain-$1"
    contains "$(fails_with 1 as "$1" berth restart "vain-$1" 2>&1)" "/var/tmp/vain-$1: there is no such file or directory"
    equal "$(begins "$1" "vain-$1")" $((before + 1))
    as "$1" berth rm "vain-$1" >/dev/null
}
unit_is_gone() { # its payload is ended all the same, also where there is no Node
    local state
    as "$1" berth run -d --name r9 --network none --stop-timeout 0 localhost/busybox sleep 1003 >/dev/null
    state=$(as "$1" sh -c 'd=/run/berth; [ "$(id -u)" = 0 ] || d=$XDG_RUNTIME_DIR/berth; echo $d/containers/r9/state.json')
    sed -i 's/"unit":"r9.service"/"unit":"nowhere.service"/' "$state"
    unshare --mount bash -ec "$(declare -f as); mount --bind /dev/null \"\$(readlink -f /usr/bin/node)\"; as $1 berth stop r9 >/dev/null"
    fails pgrep -fx 'sleep 1003'
    as "$1" berth rm -f -i r9 >/dev/null
}
# systemd is still at the end of a unit whose container is gone, or keeps it since another unit names it.
free_name() { # WHO
    local units=/run/systemd/system
    [ "$1" = root ] || units=/run/user/1000/systemd/user
    as "$1" mkdir -p "$units/r11.service.d" "$units/r12-pod.service.d"
    printf '[Service]\nExecStopPost=sleep 0.7\n' | as "$1" tee "$units/r11.service.d/slow.conf" "$units/r12-pod.service.d/slow.conf" >/dev/null
    ended() { # NAME: by a signal that systemd knows nothing of
        as "$who" berth kill "$1" >/dev/null
        for _ in $(seq 300); do as "$who" berth ps -q --filter name="$1" | grep -q . || return 0; sleep 0.02; done
        return 1
    }
    local who=$1
    again() { as "$who" berth run -d --name r11 --network none --stop-timeout 0 "$@" >/dev/null; }
    again localhost/busybox sleep 1000
    ended r11
    as "$1" berth rm r11 >/dev/null
    again localhost/busybox sleep 1001
    ended r11
    again --replace --rm localhost/busybox sleep 1002
    as "$1" berth kill r11 >/dev/null
    for _ in $(seq 300); do as "$1" berth container exists r11 || break; sleep 0.02; done
    again localhost/busybox sleep 1003
    contains "$(fails_with 125 again localhost/busybox sleep 1004 2>&1)" 'r11 is in use'
    ended r11
    as "$1" berth rm r11 >/dev/null
    as "$1" berth create --name r11 --network none --stop-timeout 0 localhost/busybox sleep 1005 >/dev/null
    as "$1" berth start -q r11
    equal "$(as "$1" berth inspect --format '{{.Config.Cmd}}' r11)" '[sleep 1005]'
    as "$1" berth pod create --name r12 --network none >/dev/null
    as "$1" berth pod start r12 >/dev/null
    ended r12-infra
    as "$1" berth pod start r12 >/dev/null
    as "$1" berth pod rm -f r12 >/dev/null
    as "$1" berth rm -f r11 >/dev/null
    rm -r "$units"/r1[12]*.service.d
    printf '[Unit]\nAfter=r11.service\n[Service]\nExecStart=sleep 1000\n' | as "$1" tee "$units/names.service" >/dev/null
    manager "$1" daemon-reload
    manager "$1" start names.service
    again localhost/busybox sleep 1006
    as "$1" berth rm -f r11 >/dev/null
    again localhost/busybox sleep 1007
    as "$1" berth create --replace --name r11 --network none --stop-timeout 0 localhost/busybox sleep 1008 >/dev/null
    as "$1" berth start -q r11
    equal "$(as "$1" berth inspect --format '{{.Config.Cmd}}' r11)" '[sleep 1008]'
    as "$1" berth rm -f r11 >/dev/null
    manager "$1" stop names.service
    rm "$units/names.service"
    manager "$1" daemon-reload
}

for who in root alice; do
    as "$who" berth load -q -i "$IMAGES/busybox.tar" >/dev/null
    check "$who: run -d --restart always" always "$who"
    check "$who: run -d --restart on-failure" on_failure "$who"
    check "$who: a container that waits to be started again is stopped, removed, replaced" waiting "$who"
    as "$who" berth rm -f -a >/dev/null # what a case has left is no other's fault
    check "$who: a name that was given back is free, whatever systemd still does" free_name "$who"
    check "$who: one that waits to be started again, and its pod, network or volume" users "$who"
    as "$who" berth rm -f -a >/dev/null
    check "$who: one that is being started again is there" stays_listed "$who"
    check "$who: run -d --restart of what cannot start" fails_at_once "$who"
    check "$who: --restart where it has no meaning" refused "$who"
    check "$who: what a container is started again by is its own, whoever was quick" replaced_at_once "$who"
    check "$who: run from a directory that is gone" from_nowhere "$who"
    check "$who: a restart that fails is tried once" in_vain "$who"
    check "$who: stop of a container whose unit is gone, without Node" unit_is_gone "$who"
done
finish
