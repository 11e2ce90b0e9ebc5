#!/usr/bin/env bash
# berth why: each result that a service can have (systemd.service(5)), told of the command that had it, with the line of the unit file.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

unit() { # WAY NAME [LINE…]: keys of [Container]; those after `--` of [Service], after `++` of [Unit]; nothing is reloaded
    local way=$1 name=$2-$1 line
    shift 2
    {
        printf '%s\n' '[Container]' Image=localhost/busybox Network=none StopTimeout=1
        for line in "$@"; do
            case $line in
            --) echo '[Service]' ;;
            ++) echo '[Unit]' ;;
            *) echo "$line" ;;
            esac
        done
    } | way_write "$way" "$name"
}

# start WAY NAME, why WAY NAME: as whoever may, `status N` as the last line
said() {
    local status=0
    "$@" 2>&1 </dev/null || status=$?
    echo "status $status"
}
start() { said as "$(way_manager "$1")" berth start "$2-$1"; }
why() { said as "$(way_manager "$1")" berth why "$2-$1"; }
place() { echo "$(unit_directory "$(way_manager "$1")")/$2-$1.container"; }

# tells WAY NAME REASON LINE: a start that fails says so, and so does `why`, with the line of the file (empty: the file alone)
tells() {
    local text
    text=$(start "$1" "$2")
    # What the manager saw, for whoever reads that a start went well that should not.
    [ "${text##*$'\n'}" = 'status 1' ] || text+=$'\n'$(way_journal "$1" "$2-$1")
    contains "$text" "berth: $2-$1.service: $3"
    contains "$text" 'status 1'
    told "$@"
}
told() { # the same of `why` alone, whose text is then in `answer`
    answer=$(why "$1" "$2")
    equal "$(head -n 1 <<<"$answer" | cut -c "1-$((${#2} + ${#1} + 11 + ${#3}))")" "$2-$1.service: $3"
    if [ "$4" = '' ]; then equal "$(sed -n 2p <<<"$answer")" "$(place "$1" "$2")"; else contains "$answer" "$(place "$1" "$2"):$4"; fi
    contains "$answer" 'status 3'
}

failed_starts() { # WAY
    local serve='Exec=sleep inf' never=('Notify=healthy' 'HealthCmd=false')
    unit "$1" pre "$serve" -- 'ExecStartPre=/bin/sh -c "echo not yet; sleep 1; exit 3"'
    unit "$1" post "$serve" -- 'ExecStartPost=/bin/sh -c "exit 4"'
    unit "$1" presignal "$serve" -- 'ExecStartPre=/bin/sh -c "kill -KILL $$$$"'
    unit "$1" code 'Exec=sh -c "echo the last word; exit 9"' "${never[@]}"
    unit "$1" zero 'Exec=true' "${never[@]}"
    unit "$1" killed 'PodmanArgs=--pid=host' 'Exec=sh -c "kill -USR2 $$$$"' "${never[@]}"
    unit "$1" slow "$serve" "${never[@]}" -- TimeoutStartSec=2
    unit "$1" nothere 'Exec=not-there'
    unit "$1" notexec 'Exec=/etc/passwd'
    unit "$1" noimage 'Image=localhost/absent:1' Pull=never
    unit "$1" nowhere "$serve" -- WorkingDirectory=/nowhere
    unit "$1" noenv "$serve" -- EnvironmentFile=/nowhere
    unit "$1" assert "$serve" ++ AssertPathExists=/nowhere
    unit "$1" wrong "$serve" PublishPorts=80
    manager "$(way_manager "$1")" daemon-reload
    tells "$1" pre 'its ExecStartPre= (/bin/sh -c echo not yet; sleep 1; exit 3) exited with status 3' '7: ExecStartPre='
    contains "$answer" '  not yet'
    tells "$1" post 'its ExecStartPost= (/bin/sh -c exit 4) exited with status 4' '7: ExecStartPost='
    tells "$1" presignal 'its ExecStartPre= (/bin/sh -c kill -KILL $$$$) was killed by signal 9 (SIGKILL)' '7: ExecStartPre='
    tells "$1" code 'its main process exited with status 9' '5: Exec=sh -c'
    contains "$answer" '  the last word'
    tells "$1" zero 'it ended before it said that it was ready' '5: Exec=true'
    tells "$1" killed 'its main process was killed by signal 12 (SIGUSR2)' '6: Exec='
    tells "$1" slow 'its start took longer than TimeoutStartSec=' '9: TimeoutStartSec=2'
    tells "$1" nothere 'its main process exited with status 127: the program of the container does not exist' '5: Exec=not-there'
    tells "$1" notexec 'its main process exited with status 126: the program of the container cannot be executed' '5: Exec=/etc/passwd'
    tells "$1" noimage 'its main process exited with status 125: berth could not start the container' ''
    contains "$answer" 'no such image'
    tells "$1" noenv 'a resource that systemd needs for it was not there' ''
    contains "$answer" 'Failed to load environment files: No such file'
    contains "$(start "$1" assert)" "berth: assert-$1.service: an assertion of it does not hold: AssertPathExists=/nowhere"
    contains "$(why "$1" assert)" 'asserts failed'
    tells "$1" wrong 'its main process exited with status 78: its unit file has a mistake' '6:'
    equal "$(grep -c PublishPorts <<<"$answer")" 1 # once
    # An account that the unit has, but not the directory: systemd's own words.
    tells "$1" nowhere "$(if [ "$1" = svc ]; then echo 'its ExecStartPre= '; else echo 'its main process exited with status 200'; fi)" \
        '7: WorkingDirectory=/nowhere'
    contains "$answer" 'Changing to the requested working directory failed'
    # The manager forgets whose end it was when it reads its units again; its own words tell.
    manager "$(way_manager "$1")" daemon-reload
    answer=$(why "$1" pre)
    contains "$answer" 'one of its commands exited with a failure'
    contains "$answer" 'Control process exited, code=exited, status=3'
    way_end "$1" {pre,post,presignal,code,zero,killed,slow,nothere,notexec,noimage,nowhere,noenv,assert,wrong}-"$1"
}

until_failed() { # WAY NAME
    local spins=0
    until [ "$(way_property "$1" "$2-$1" ActiveState)" = failed ]; do
        [ $((++spins)) -lt 300 ]
        sleep 0.1
    done
}

until_waits() { # WAY NAME: for its restart
    local spins=0
    until [ "$(way_property "$1" "$2-$1" SubState)" = auto-restart ]; do
        [ $((++spins)) -lt 300 ]
        sleep 0.1
    done
}

later_failures() { # WAY: of what was up
    unit "$1" watched 'Exec=sleep inf' -- WatchdogSec=1 WatchdogSignal=SIGKILL
    unit "$1" limited 'Exec=sleep inf' -- RuntimeMaxSec=1
    unit "$1" unstoppable 'Exec=sleep inf' -- ExecStop=/bin/false
    unit "$1" deaf 'Exec=sh -c "trap \"\" TERM; while :; do sleep 1; done"' StopTimeout=60 -- TimeoutStopSec=1
    unit "$1" reloads 'Exec=sleep inf' -- 'ExecReload=/bin/sh -c "exit 6"'
    unit "$1" dumps 'PodmanArgs=--pid=host' 'PodmanArgs=--ulimit=core=-1' 'Exec=sh -c "sleep 1; cd /tmp; kill -SEGV $$$$"'
    unit "$1" loops 'Exec=sh -c "echo the last word; sleep 1; exit 9"' -- Restart=always RestartSec=100
    unit "$1" again 'Exec=sleep 1' -- Restart=always RestartSec=100
    manager "$(way_manager "$1")" daemon-reload
    local name
    for name in watched limited unstoppable deaf reloads dumps loops again; do contains "$(start "$1" $name)" 'status 0'; done
    way_stop "$1" "unstoppable-$1"
    way_stop "$1" "deaf-$1"
    for name in watched limited unstoppable deaf dumps; do until_failed "$1" $name; done
    told "$1" watched 'it did not send WATCHDOG=1 in time (WatchdogSec=)' '7: WatchdogSec=1'
    told "$1" limited 'it ran as long as RuntimeMaxSec= allows' '7: RuntimeMaxSec=1'
    told "$1" unstoppable 'its ExecStop= (/bin/false) exited with status 1' '7: ExecStop=/bin/false'
    told "$1" deaf 'its stop took longer than TimeoutStopSec=' '8: TimeoutStopSec=1'
    case $(way_property "$1" "dumps-$1" Result) in
    core-dump) told "$1" dumps 'its main process dumped core on signal 11 (SIGSEGV)' '7: Exec=' ;;
    *) told "$1" dumps 'its main process was killed by signal 11 (SIGSEGV)' '7: Exec=' ;; # this host's kernel writes none
    esac
    name=$(said as "$(way_manager "$1")" berth reload "reloads-$1")
    contains "$name" "berth: reloads-$1.service: its reload failed: its ExecReload= (/bin/sh -c exit 6) exited with status 6; it runs as before"
    contains "$name" 'status 1'
    contains "$(why "$1" reloads)" "reloads-$1.service is up"
    # What is about to be started again is not up.
    for name in loops again; do until_waits "$1" $name; done
    told "$1" loops 'its main process exited with status 9' '5: Exec=sh -c'
    contains "$answer" 'it is activating (auto-restart) for '
    contains "$answer" '  the last word'
    contains "$(said as "$(way_manager "$1")" berth status "loops-$1")" 'its main process exited with status 9'
    name=$(why "$1" again)
    contains "$name" "again-$1.service is activating (auto-restart)"
    contains "$name" ': its main process exited with status 0'
    contains "$name" 'status 3'
    way_end "$1" {watched,limited,unstoppable,deaf,reloads,dumps,loops,again}-"$1"
}

not_begun() { # WAY: nothing failed, and it is not up
    unit "$1" skipped 'Exec=sleep inf' -- ExecCondition=/bin/false
    unit "$1" unmet 'Exec=sleep inf' ++ ConditionPathExists=/nowhere
    unit "$1" broken 'Exec=sh -c "echo the deepest word; exit 7"' Notify=healthy HealthCmd=false
    unit "$1" needs 'Exec=sleep inf' ++ "Requires=broken-$1.service" "After=broken-$1.service"
    unit "$1" asleep 'Exec=sleep inf'
    manager "$(way_manager "$1")" daemon-reload
    contains "$(start "$1" skipped)" 'status 0'
    contains "$(why "$1" skipped)" "Skipped due to 'exec-condition'"
    contains "$(start "$1" unmet)" 'status 0'
    contains "$(why "$1" unmet)" 'ConditionPathExists=/nowhere'
    contains "$(start "$1" needs)" 'status 1'
    answer=$(why "$1" needs)
    contains "$answer" 'a unit that it requires failed'
    contains "$answer" "broken-$1.service: its main process exited with status 7"
    contains "$answer" '  the deepest word'
    contains "$(why "$1" asleep)" 'nobody asked for it, or it was stopped'
    way_end "$1" {skipped,unmet,broken,needs,asleep}-"$1"
}

# The units of an account without a manager are the system's.
of_service() {
    unit svc sleeps 'Exec=sh -c "exit 9"' Notify=healthy HealthCmd=false
    manager root daemon-reload
    start svc sleeps
    local text
    text=$(said berth --for svc why sleeps-svc)
    contains "$text" 'sleeps-svc.service: its main process exited with status 9'
    contains "$text" "$(place svc sleeps):5: Exec=sh -c"
    contains "$text" 'status 3'
    contains "$(said berth status --for svc sleeps-svc)" 'its main process exited with status 9'
    way_end svc sleeps-svc
}

for way in $WAYS; do way_load "$way" "$IMAGES/busybox.tar" >/dev/null || exit 1; done
# root's and svc's units have one manager, and a reload for the one makes it forget how the other's commands ended: svc comes alone.
for WAYS in 'root alice' svc; do
    each_way 'a start that failed: each result, and the line of the file' failed_starts
    each_way 'what failed after it was up, and a reload' later_failures
    each_way 'what was not begun' not_begun
done
WAYS='root alice svc'
check 'root for an account of User=: the system has its units' of_service
finish
