#!/usr/bin/env bash
# Readiness and health: what the relay asks, what systemd is told, and what happens to a payload that is not well.
. "$(dirname "$0")/lib.sh"
. "$TESTS/ways.sh"

eventually() { # COMMAND…: within 30 s
    local end=$((SECONDS + 30))
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || {
            echo "never: $*" >&2
            return 1
        }
        sleep 0.1
    done
}
# unit WAY NAME EXEC KEY=VALUE…: keys of [Container]; those after `--` of [Service].
unit() {
    local way=$1 name=$2 exec=$3 section='' line
    shift 3
    {
        printf '[Container]\nImage=localhost/busybox\nStopTimeout=1\nExec=%s\n' "$exec"
        [[ $* == *Network=* ]] || echo Network=none
        for line in "$@"; do
            if [ "$line" = -- ]; then section=$'[Service]\n'; else printf '%s%s\n' "$section" "$line"; section=''; fi
        done
    } | way_unit "$way" "$name"
}
state_of() { way_berth "$1" health "$2" | head -n 1; }
is() { [[ $(state_of "$1" "$2") == "$2: $3"* || $(state_of "$1" "$2") == "systemd-$2: $3"* ]]; }
health_lines() { way_journal "$1" "$2" | grep -c 'berth: health: ' || true; }

ready_by_ipv6() {
    unit root server 'sh -c "sleep 1; exec httpd -f -p [::1]:8080 -h /var/www"' Notify=port:8080
    way_start root server
    way_gone root server
}
ready_by_unix_socket() {
    mkdir -p "$WORK/s"
    unit root waits 'sleep inf' Notify=unix:/s/app.sock "Volume=$WORK/s:/s"
    python3 -c 'import socket,sys,time; time.sleep(1); s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); s.accept(); s.accept()' "$WORK/s/app.sock" &
    way_start root waits
    [ -S "$WORK/s/app.sock" ]
    way_gone root waits
    kill $!
}
ready_when_healthy() { # WAY
    unit "$1" "late-$1" 'sh -c "sleep 1; touch /tmp/ok; exec sleep inf"' Notify=healthy 'HealthCmd=test -f /tmp/ok' HealthInterval=1h
    way_start "$1" "late-$1"
    way_berth "$1" exec "late-$1" test -f /tmp/ok
    is "$1" "late-$1" healthy
    contains "$(way_berth "$1" ps)" '(healthy)'
    equal "$(way_berth "$1" ps -q --filter health=healthy | wc -l)" 1
    contains "$(way_berth "$1" inspect "late-$1" --format '{{.State.Health.Status}}')" healthy
    equal "$(way_property "$1" "late-$1" StatusText)" healthy
    way_end "$1" "late-$1"
}
ready_when_it_listens() { # WAY WHAT
    unit "$1" "server-$1" 'sh -c "sleep 1; exec httpd -f -p 8080 -h /var/www"' "Notify=$2"
    way_start "$1" "server-$1"
    contains "$(way_berth "$1" exec "server-$1" wget -qO- http://127.0.0.1:8080/)" 'hello'
    way_end "$1" "server-$1"
}
never_ready() { # WAY: 404 is no readiness; the status says what is waited for
    unit "$1" "lost-$1" 'httpd -f -p 8080 -h /var/www' Notify=http:8080/missing -- TimeoutStartSec=4
    manager "$(way_manager "$1")" start --no-block "lost-$1"
    eventually bash -c "$(declare -f as manager property way_property way_manager); [[ \$(way_property $1 lost-$1 StatusText) == *'last check failed: HTTP/1.'*404* ]]"
    fails way_start "$1" "lost-$1"
    equal "$(way_property "$1" "lost-$1" Result)" timeout
    way_end "$1" "lost-$1"
}
crash_while_starting() { # WAY
    unit "$1" "short-$1" 'sh -c "sleep 0.3; exit 3"' Notify=healthy HealthCmd=false HealthInterval=1s HealthStartPeriod=1h -- TimeoutStartSec=1h
    fails_with 1 timeout 30 bash -c "$(declare -f as manager way_start way_manager); way_start $1 short-$1"
    equal "$(way_property "$1" "short-$1" ExecMainStatus)" 3
    way_end "$1" "short-$1"
}
start_period_extends() { # WAY
    local name=slow$$-$1
    unit "$1" "$name" 'sh -c "sleep 3; touch /tmp/ok; exec sleep inf"' Notify=healthy 'HealthCmd=test -f /tmp/ok' \
        HealthInterval=200ms HealthRetries=1 HealthStartPeriod=30s HealthOnFailure=kill -- TimeoutStartSec=2
    way_start "$1" "$name"
    equal "$(health_lines "$1" "$name")" 1
    way_end "$1" "$name"
}
comes_and_goes() { # WAY: only changes are told
    local name=moody$$-$1
    unit "$1" "$name" 'sh -c "touch /tmp/ok; exec sleep inf"' 'HealthCmd=test -f /tmp/ok || { echo it is gone; exit 4; }' HealthInterval=100ms HealthRetries=2
    way_start "$1" "$name"
    eventually is "$1" "$name" healthy
    way_berth "$1" healthcheck run "$name"
    sleep 1
    way_berth "$1" exec "$name" rm /tmp/ok
    eventually is "$1" "$name" unhealthy
    contains "$(way_berth "$1" health "$name" || true)" 'failed (4)  it is gone'
    equal "$(fails_with 1 way_berth "$1" healthcheck run "$name")" unhealthy
    fails_with 1 way_berth "$1" health "$name" >/dev/null
    equal "$(way_property "$1" "$name" StatusText)" unhealthy
    way_berth "$1" exec "$name" touch /tmp/ok
    eventually is "$1" "$name" healthy
    equal "$(health_lines "$1" "$name")" 3
    contains "$(way_journal "$1" "$name")" 'berth: health: unhealthy: it is gone'
    small "$1" "$name"
    way_end "$1" "$name"
}
# With its guard, which has the same memory: counted twice, as `npm run bench` does.
small() { # WAY NAME
    local pid sum=0 relay=''
    for pid in $(cat "/sys/fs/cgroup$(way_property "$1" "$2" ControlGroup)/supervisor/cgroup.procs"); do
        sum=$((sum + $(sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup")))
        relay=${relay:-$pid}
    done
    echo "relay and guard: $sum kB" >&2
    [ "$sum" -le 60 ]
    [ "$(ls "/proc/$relay/fd" | wc -l)" -lt 40 ]
    equal "$(pgrep -P "$relay" -x test | wc -l)" 0
}
killed_when_unhealthy() { # WAY
    unit "$1" "ill-$1" 'sleep inf' 'HealthCmd=["false"]' HealthInterval=100ms HealthRetries=3 HealthOnFailure=kill
    way_start "$1" "ill-$1"
    eventually bash -c "$(declare -f as manager property way_property way_manager); [ \$(way_property $1 ill-$1 ActiveState) = failed ]"
    equal "$(way_property "$1" "ill-$1" Result)" signal
    contains "$(way_journal "$1" "ill-$1")" 'berth: health: unhealthy'
    way_end "$1" "ill-$1"
}
stopped_when_unhealthy() { # WAY
    unit "$1" "ill-$1" 'sh -c "trap \"echo good bye; exit 0\" TERM; while :; do sleep 0.1; done"' HealthCmd=false HealthInterval=100ms HealthRetries=1 HealthOnFailure=stop \
        HealthStartPeriod=2s # before its trap is set, the stop signal is lost on a first process
    way_start "$1" "ill-$1"
    eventually bash -c "$(declare -f as manager property way_property way_manager); [ \$(way_property $1 ill-$1 ActiveState) = inactive ]"
    contains "$(way_journal "$1" "ill-$1")" 'good bye'
    way_end "$1" "ill-$1"
}
restarted_when_unhealthy() { # WAY; the payload ignores the stop signal
    unit "$1" "ill-$1" 'sleep inf' HealthCmd=false HealthInterval=100ms HealthRetries=1 HealthOnFailure=restart -- RestartSec=0 StartLimitIntervalSec=0
    way_start "$1" "ill-$1"
    eventually bash -c "$(declare -f as manager property way_property way_manager); [ \$(way_property $1 ill-$1 NRestarts) -ge 1 ]"
    way_end "$1" "ill-$1"
}
startup_check() { # WAY
    unit "$1" "begins-$1" 'sleep inf' HealthCmd=true 'HealthStartupCmd=false' HealthStartupInterval=100ms HealthStartupRetries=3
    way_start "$1" "begins-$1"
    eventually bash -c "$(declare -f as manager property way_property way_manager); [ \$(way_property $1 begins-$1 ActiveState) = failed ]"
    way_end "$1" "begins-$1"
    unit "$1" "begins-$1" 'sh -c "sleep 1; touch /tmp/ok; exec sleep inf"' Notify=healthy HealthCmd=true 'HealthStartupCmd=test -f /tmp/ok' HealthStartupInterval=100ms
    way_start "$1" "begins-$1"
    way_berth "$1" exec "begins-$1" test -f /tmp/ok
    way_end "$1" "begins-$1"
}
endless_check() { # WAY: it is killed with all that it started
    unit "$1" "stuck-$1" 'sleep inf' 'HealthCmd=sleep 98765 & sleep 98765' HealthTimeout=1s HealthInterval=1h HealthRetries=1
    way_start "$1" "stuck-$1"
    eventually is "$1" "stuck-$1" unhealthy
    contains "$(way_berth "$1" health "stuck-$1" || true)" 'too long'
    eventually bash -c '! pgrep -f "[s]leep 98765"'
    way_end "$1" "stuck-$1"
}
# T11: a probe has the payload's confinement.
confined() { # WAY
    local look='grep -E "^(Cap|NoNewPrivs|Seccomp:|Uid)" /proc/$$/status; readlink /proc/$$/ns/user; cat /proc/$$/cgroup'
    unit "$1" "tight-$1" "sh -c '${look//$/\$\$} >/tmp/own; exec sleep inf'" "HealthCmd=${look//$/\$\$} | cmp - /tmp/own" HealthInterval=100ms DropCapability=all NoNewPrivileges=true User=33 HealthRetries=1 \
        HealthStartPeriod=30s
    way_start "$1" "tight-$1"
    eventually bash -c "$(declare -f as way_berth); ! way_berth $1 health tight-$1 | grep starting"
    is "$1" "tight-$1" healthy || { way_berth "$1" health "tight-$1"; way_berth "$1" exec "tight-$1" cat /tmp/own; return 1; }
    way_end "$1" "tight-$1"
}
# Nothing that fails while it is stopped counts: the payload needs its time.
stop_is_no_failure() { # WAY
    local name=ends$$-$1
    unit "$1" "$name" 'sh -c "trap \"rm /tmp/ok; sleep 2; echo all saved; exit 0\" TERM; touch /tmp/ok; while :; do sleep 0.1; done"' 'HealthCmd=test -f /tmp/ok' \
        HealthInterval=100ms HealthRetries=1 HealthStartPeriod=30s HealthOnFailure=kill StopTimeout=30 Notify=healthy
    way_start "$1" "$name"
    way_stop "$1" "$name"
    contains "$(way_journal "$1" "$name")" 'all saved'
    equal "$(way_property "$1" "$name" Result)" success
    equal "$(health_lines "$1" "$name")" 1
    way_end "$1" "$name"
}
# Connections from the relay end as those of any client do, and one socket serves for all of them.
asked() { # NAME KIND COUNT [ADDRESS]: beside the payload, in its network
    nsenter -t "$(way_berth root inspect "$1" --format '{{.State.Pid}}')" -n python3 "$TESTS/asked.py" "${@:2}"
}
relay_sockets() { # NAME: by their numbers
    local relay
    relay=$(head -n 1 "/sys/fs/cgroup$(way_property root "$1" ControlGroup)/supervisor/cgroup.procs")
    find "/proc/$relay/fd" -lname 'socket:*' -printf '%l\n' | sort
}
connections_end_well() {
    local before
    # Time for a busy server to end before the next probe: a socket whose server has not is replaced.
    unit root asked 'sleep inf' HealthCmd=port:9000 HealthInterval=300ms HealthRetries=2
    way_start root asked
    equal "$(asked asked ends 10)" '{"seen": ["end"], "resets": 0, "slow": false}'
    before=$(relay_sockets asked)
    equal "$(asked asked ends 10)" '{"seen": ["end"], "resets": 0, "slow": false}'
    equal "$(relay_sockets asked)" "$before"
    equal "$(asked asked speaks 10)" '{"seen": ["end"], "resets": 0, "slow": false}'
    equal "$(relay_sockets asked)" "$before"
    equal "$(asked asked keeps 30)" '{"seen": ["end"], "resets": 0, "slow": false}'
    contains "$(asked asked ends 10 ::1)" '"seen": ["end"]'
    eventually is root asked unhealthy
    contains "$(way_berth root health asked || true)" 'connection refused'
    small root asked
    way_gone root asked
    # The server answers one client at a time: that it can send all of a long answer is part of its health.
    unit root asked 'sleep inf' HealthCmd=http:9000/ HealthInterval=3s
    way_start root asked
    contains "$(asked asked body 2)" '"slow": false}'
    is root asked healthy
    way_gone root asked
}
# Podman's users and their monitoring call it, whatever the check is.
made_now() { # WAY
    local way=$1 name=now-$1
    unit "$way" "$name" 'sh -c "httpd -p 8080 -h /var/www; exec sleep inf"' HealthCmd=http:8080/index.html HealthInterval=1h
    way_start "$way" "$name"
    eventually way_berth "$way" healthcheck run "$name"
    way_berth "$way" exec "$name" killall httpd
    equal "$(fails_with 1 way_berth "$way" healthcheck run "$name")" unhealthy
    way_end "$way" "$name"
    unit "$way" "$name" 'sh -c "httpd -p [::1]:8080 -h /var/www; exec sleep inf"' HealthCmd=port:8080 HealthInterval=1h
    way_start "$way" "$name"
    eventually way_berth "$way" healthcheck run "$name"
    way_end "$way" "$name"
    unit "$way" "$name" 'sleep inf' HealthCmd=unix:/tmp/none.sock HealthInterval=1h
    way_start "$way" "$name"
    equal "$(fails_with 1 way_berth "$way" healthcheck run "$name")" unhealthy
    way_end "$way" "$name"
    unit "$way" "$name" 'httpd -f -p 8080 -h /var/www' Notify=port:8080
    way_start "$way" "$name"
    contains "$(fails_with 125 way_berth "$way" healthcheck run "$name" 2>&1)" 'no health check'
    way_end "$way" "$name"
}
# Nobody is asked while it is paused, and what a pause met does not count.
paused_is_not_ill() { # WAY
    local name
    unit "$1" "still-$1" 'sleep inf' 'HealthCmd=sleep 0.3' HealthInterval=100ms HealthTimeout=3s HealthRetries=1 HealthOnFailure=kill
    unit "$1" "deaf-$1" 'httpd -f -p 8080 -h /var/www' HealthCmd=http:8080/index.html HealthInterval=100ms HealthTimeout=3s HealthRetries=1 \
        HealthOnFailure=kill HealthStartPeriod=30s
    way_start "$1" "still-$1"
    way_start "$1" "deaf-$1"
    for name in still deaf; do eventually is "$1" "$name-$1" healthy; done
    way_berth "$1" pause "still-$1" "deaf-$1"
    sleep 4
    for name in still deaf; do is "$1" "$name-$1" healthy; done
    way_berth "$1" unpause "still-$1" "deaf-$1"
    for name in still deaf; do
        way_berth "$1" healthcheck run "$name-$1"
        is "$1" "$name-$1" healthy
        fails grep 'too long' <<<"$(way_berth "$1" health "$name-$1")"
    done
    way_end "$1" "still-$1" "deaf-$1"
}
# One process that cannot be stopped: `frozen` stays 0, and the others stand still all the same.
paused_but_for_one() {
    local name group common=(HealthInterval=1s HealthTimeout=1s HealthRetries=1 HealthOnFailure=kill HealthStartPeriod=30s)
    stuck=()
    trap 'kill -9 "${stuck[@]}" || true' EXIT
    unit root still 'sleep inf' HealthCmd=true "${common[@]}"
    unit root deaf 'httpd -f -p 8080 -h /var/www' HealthCmd=http:8080/index.html "${common[@]}"
    for name in still deaf; do
        way_start root $name
        eventually is root $name healthy
        group=/sys/fs/cgroup$(way_property root $name ControlGroup)
        unshare -m python3 "$TESTS/stuck.py" "$group/payload" &
        stuck+=($!)
        eventually grep -qx $! "$group/payload/cgroup.procs"
        eventually grep -q '^State:.D' /proc/$!/status
        berth healthcheck run $name # the next one is a second away
        echo 1 >"$group/payload/cgroup.freeze"
    done
    sleep 4
    for name in still deaf; do
        group=/sys/fs/cgroup$(way_property root $name ControlGroup)
        grep -qx 'frozen 0' "$group/payload/cgroup.events"
        is root $name healthy
        fails bash -c "cd /proc; grep -H '^State:.D' \$(sed 's,$,/status,' '$group/supervisor/cgroup.procs')"
        echo 0 >"$group/payload/cgroup.freeze"
        berth healthcheck run $name
    done
    kill -9 "${stuck[@]}"
    wait "${stuck[@]}" || true
    way_gone root still deaf
}
# Without an interval there is no check but this, and it counts as one.
asked_alone() { # WAY
    local way=$1 name=asks$$-$1
    unit "$way" "$name" 'sh -c "touch /tmp/ok; exec sleep inf"' 'HealthCmd=test -f /tmp/ok' HealthInterval=disable HealthRetries=2 HealthOnFailure=kill
    way_start "$way" "$name"
    eventually way_berth "$way" exec "$name" test -f /tmp/ok
    equal "$(way_berth "$way" health "$name" | grep -c .)" 1
    is "$way" "$name" starting
    way_berth "$way" healthcheck run "$name"
    is "$way" "$name" healthy
    way_berth "$way" exec "$name" rm /tmp/ok
    equal "$(fails_with 1 way_berth "$way" healthcheck run "$name")" unhealthy
    contains "$(state_of "$way" "$name")" ': healthy, 1 failure in a row'
    equal "$(fails_with 1 way_berth "$way" healthcheck run "$name")" unhealthy
    eventually bash -c "$(declare -f as manager property way_property way_manager); [ \$(way_property $way $name ActiveState) = failed ]"
    equal "$(health_lines "$way" "$name")" 2
    way_end "$way" "$name"
}
asked_meanwhile() { # an answer of before is none
    unit root slow 'sh -c "touch /tmp/ok; exec sleep inf"' 'HealthCmd=if test -f /tmp/ok; then sleep 1.25; else sleep 1.25; exit 1; fi' HealthInterval=disable
    way_start root slow
    eventually berth exec slow test -f /tmp/ok
    berth healthcheck run slow &
    eventually pgrep -f '[s]leep 1.25'
    berth exec slow rm /tmp/ok
    equal "$(fails_with 1 berth healthcheck run slow)" unhealthy
    wait $!
    way_gone root slow
}
asked_before_ready() { # what it waits for comes first, and the answer is of its own check
    local asker
    unit root waits 'sh -c "until test -f /tmp/go; do sleep 0.1; done; exec httpd -f -p 8080 -h /var/www"' Notify=port:8080 \
        'HealthCmd=test -f /tmp/go' HealthInterval=disable HealthTimeout=1s
    manager root start --no-block waits
    eventually berth exec waits true
    berth healthcheck run waits &
    asker=$!
    sleep 0.5
    berth exec waits touch /tmp/go
    wait $asker
    way_gone root waits
}
at_a_terminal() { # the relay carries nothing, but asks; what it says is not for the terminal
    python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' \
        berth run --rm -it --name typed --network none --health-cmd 'test -f /tmp/ok' --health-interval 200ms --health-retries 1 localhost/busybox sleep 1000 >screen &
    eventually berth exec typed touch /tmp/ok
    eventually is root typed healthy
    berth healthcheck run typed
    berth exec typed rm /tmp/ok
    eventually is root typed unhealthy
    equal "$(fails_with 1 berth healthcheck run typed)" unhealthy
    berth stop -t 0 typed
    wait
    equal "$(cat screen)" ''
}
refused() {
    contains "$(fails_with 125 berth run --rm --sdnotify healthy --network none localhost/busybox true 2>&1)" 'needs a health check'
    contains "$(fails_with 125 berth run --rm --health-retries 0 --health-cmd true localhost/busybox true 2>&1)" '--health-retries 0: not a whole number of at least 1'
    contains "$(fails_with 125 berth run --rm --health-timeout 10ms --health-cmd true localhost/busybox true 2>&1)" '--health-timeout 10ms'
    contains "$(fails_with 125 berth run --rm --health-cmd port:70000 --sdnotify port:0 localhost/busybox true 2>&1)" '--sdnotify port:0'
    contains "$(fails_with 125 berth run --rm --no-healthcheck --health-cmd true localhost/busybox true 2>&1)" '--no-healthcheck excludes'
    contains "$(fails_with 125 berth run --rm --health-startup-cmd true localhost/busybox true 2>&1)" 'needs a --health-cmd'
    contains "$(fails_with 125 berth run --rm --health-cmd true --health-log-destination /nowhere localhost/busybox true 2>&1)" '/nowhere: not a directory'
    unit root plain 'sleep inf'
    way_start root plain
    contains "$(fails_with 125 berth health plain 2>&1)" 'no health check'
    contains "$(fails_with 125 berth healthcheck run plain 2>&1)" 'no health check'
    way_gone root plain
}
differs() { [ "$(<"$1")" != "$2" ]; } # FILE TEXT
kept_elsewhere() {
    mkdir -p "$WORK/results"
    unit root kept 'sleep inf' 'HealthCmd=echo "fine \"quoted\""; echo more' HealthInterval=100ms HealthLogDestination="$WORK/results" HealthMaxLogCount=2
    way_start root kept
    eventually bash -c "[ \$(jq '.Log | length' $WORK/results/*-healthcheck.log || python3 -c 'import json,glob; print(len(json.load(open(glob.glob(\"$WORK/results/*.log\")[0]))[\"Log\"]))') = 2 ]"
    python3 - "$WORK"/results/*.log <<'PY'
import json, sys, datetime
r = json.load(open(sys.argv[1]))
assert r['Status'] == 'healthy' and r['FailingStreak'] == 0, r
assert r['Log'][0]['Output'] == 'fine "quoted"\nmore\n', r
age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(r['Log'][1]['Start'].replace('Z', '+00:00'))
assert -1 < age.total_seconds() < 60, (age, r)
PY
    # What somebody puts in the way does not stop the relay.
    local file before
    file=$(ls "$WORK"/results/*-healthcheck.log)
    until mkfifo "$file.new"; do :; done
    before=$(<"$file")
    eventually differs "$file" "$before"
    way_gone root kept
}

for way in $WAYS; do way_load "$way" "$IMAGES/busybox.tar" >/dev/null || exit 1; done
each_way 'Notify=healthy waits for the first success' ready_when_healthy
each_way 'Notify=port: waits for the listener' ready_when_it_listens port:8080
each_way 'Notify=http: waits for the answer' ready_when_it_listens http:8080/index.html
each_way 'an answer that is none, and the status that says so' never_ready
each_way 'a crash while starting fails the start at once' crash_while_starting
each_way 'the start period extends the start, and its failures do not count' start_period_extends
each_way 'healthy, unhealthy, healthy: three lines, and a small relay' comes_and_goes
each_way 'HealthOnFailure=kill' killed_when_unhealthy
each_way 'HealthOnFailure=stop' stopped_when_unhealthy
each_way 'HealthOnFailure=restart' restarted_when_unhealthy
each_way 'a startup check' startup_check
each_way 'a check that does not end' endless_check
each_way "T11 a check has the payload's confinement" confined
each_way 'a stop is no failure' stop_is_no_failure
each_way 'healthcheck run asks by a connection, too' made_now
each_way 'paused is not ill' paused_is_not_ill
each_way 'a check that is made when asked for alone' asked_alone
check 'paused but for one process that cannot be' paused_but_for_one
check 'healthcheck run while a check is on its way' asked_meanwhile
check 'healthcheck run before the container is ready' asked_before_ready
check 'a terminal in the foreground: probed, and healthcheck run' at_a_terminal
check 'connections end as any client ends them, by one socket' connections_end_well
check 'IPv6 when nobody listens on IPv4' ready_by_ipv6
check 'Notify=unix:' ready_by_unix_socket
check 'bad wishes' refused
check 'results in a directory' kept_elsewhere
finish
