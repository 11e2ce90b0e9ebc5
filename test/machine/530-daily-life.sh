#!/usr/bin/env bash
# What happens to services over the years: crashes, kills, upgrades, stubborn processes. Three ways to run, one behaviour.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"
CRASHES=${CRASHES:-25} AT_ONCE=${AT_ONCE:-5} # npm run soak asks for more

log_to_dev_stdout() { # WAY USER
    way_unit "$1" linked-"$1" <<E2
[Container]
Image=localhost/busybox
Network=none
StopTimeout=1
User=$2
Exec=sh -c 'ln -s /dev/stdout /tmp/access.log; ln -s /dev/stderr /tmp/error.log; echo to the access log >/tmp/access.log; echo to the error log >>/tmp/error.log; exec sleep inf'
E2
    way_start "$1" linked-"$1"
    way_stop "$1" linked-"$1"
    contains "$(way_journal "$1" linked-"$1")" 'to the access log'
    contains "$(way_journal "$1" linked-"$1")" 'to the error log'
    way_end "$1" linked-"$1"
}

stderr_is_an_error() { # WAY
    way_unit "$1" streams-"$1" <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nExec=sh -c "echo good news; echo bad news >&2; exec sleep inf"'
    way_start "$1" streams-"$1"
    way_stop "$1" streams-"$1"
    journalctl --sync
    local read=(journalctl -u "streams-$1")
    [ "$1" != alice ] || read=(as alice journalctl --user-unit "streams-$1")
    equal "$("${read[@]}" -p 3..3 -o cat | grep news)" 'bad news'
    equal "$("${read[@]}" -p 6..6 -o cat | grep news)" 'good news'
    way_end "$1" streams-"$1"
}

# The last words of a payload that dies by a signal are in the journal, every time, those of both streams.
last_line() { # WAY
    local way=$1 manager i batch seen wanted
    manager=$(way_manager "$way")
    mkdir -p "$WORK/crash-$way"
    python3 "$TESTS/crash.py" "$WORK/crash-$way/crash"
    way_unit "$way" crash$$-"$way"@ <<<"[Container]
Image=localhost/busybox
Network=none
StopTimeout=1
Volume=$WORK/crash-$way:/crash:ro
Exec=/crash/crash %i"
    for ((i = 0; i < CRASHES; i += AT_ONCE)); do
        mapfile -t batch < <(seq -f "crash$$-$way@%04g" "$i" "$((i + AT_ONCE > CRASHES ? CRASHES - 1 : i + AT_ONCE - 1))")
        manager "$manager" start --wait "${batch[@]}" 2>&1 | head -n 1 || true
        [ "$i" != 0 ] || equal "$(way_property "$way" "${batch[0]}" ExecMainCode) $(way_property "$way" "${batch[0]}" ExecMainStatus)" '2 11'
        manager "$manager" reset-failed "${batch[@]}" 2>/dev/null || true
    done
    wanted=$(seq -f 'last words of %04g' 0 $((CRASHES - 1)) | sed p)
    seen=$(way_journal "$way" "crash$$-$way@*" | grep 'last words' | sort)
    diff <(cat <<<"$seen") <(cat <<<"$wanted") | head -n 10
    equal "$(wc -l <<<"$seen")" $((2 * CRASHES))
    way_end "$way" crash$$-"$way"@
}

long_running() { # WAY: the unit whose relay will be killed
    local unit=lost$$-$1
    way_unit "$1" "$unit" <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nExec=sh -c "echo up; exec sleep inf"'
    way_start "$1" "$unit"
    timeout 30 bash -c "$(declare -f as journal way_journal way_manager); until way_journal $1 $unit | grep -x up >/dev/null; do :; done"
    date +%s >"$WORK/up-$1"
}

# journald forgets what it knew of a silent stream's process after 5 s: a line that somebody else writes for a dead one is nobody's.
# It is held for a moment, so that it sees all that happens at the end at once, as it does on a busy machine.
killed_relay() { # WAY
    local unit=lost$$-$1 group payload relay pid manager age journald
    payload=$(way_property "$1" "$unit" MainPID)
    group=$(way_property "$1" "$unit" ControlGroup)
    relay=$(for pid in $(cat "/sys/fs/cgroup$group/supervisor/cgroup.procs"); do
        if [ "$(cat "/proc/$pid/comm")" = berth-relay ]; then echo "$pid"; fi
    done | head -n 1)
    [ -n "$relay" ]
    manager=$(way_manager "$1")
    age=$(($(date +%s) - $(cat "$WORK/up-$1")))
    [ "$age" -gt 6 ] || sleep $((7 - age))
    journald=$(systemctl show systemd-journald -P MainPID)
    kill -STOP "$journald"
    kill -KILL "$relay"
    timeout 1 tail --pid="$payload" -f /dev/null || true
    kill -CONT "$journald"
    # The manager tells when the unit has left active: wait for that job-less change by its own waiting command.
    timeout 30 tail --pid="$payload" -f /dev/null
    timeout 30 bash -c 'until [ "$("$@")" = failed ]; do read -rt 0.1 <> <(:) || :; done' _ \
        bash -c "$(declare -f manager as property); property $manager $unit ActiveState"
    contains "$(way_journal "$1" "$unit")" "carries this container's output was killed"
    way_end "$1" "$unit"
}

missing_program() { # WAY
    way_unit "$1" absent-"$1" <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nExec=/no/such/program'
    fails way_start "$1" absent-"$1"
    equal "$(way_property "$1" absent-"$1" ExecMainStatus)" 127
    contains "$(way_journal "$1" absent-"$1")" '/no/such/program'
    way_end "$1" absent-"$1"
}

not_executable() { # WAY
    way_unit "$1" plainfile-"$1" <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nExec=/etc/passwd'
    fails way_start "$1" plainfile-"$1"
    equal "$(way_property "$1" plainfile-"$1" ExecMainStatus)" 126
    contains "$(way_journal "$1" plainfile-"$1")" '/etc/passwd'
    way_end "$1" plainfile-"$1"
}

stubborn() { # WAY
    way_unit "$1" stubborn-"$1" <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nStopTimeout=2\nExec=sh -c "trap \'\' TERM; while :; do sleep 1; done"'
    way_start "$1" stubborn-"$1"
    local began=$SECONDS
    way_stop "$1" stubborn-"$1"
    [ $((SECONDS - began)) -lt 12 ]
    way_end "$1" stubborn-"$1"
}

endless() { # WAY: the payload has all the time it wants
    way_unit "$1" endless-"$1" <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=-1\nExec=sh -c "trap \'exit 0\' TERM; while :; do sleep 0.1; done"'
    way_start "$1" endless-"$1"
    way_stop "$1" endless-"$1"
    equal "$(way_property "$1" endless-"$1" Result)" success
    way_gone "$1" endless-"$1"
}

exit_status() { # WAY
    way_unit "$1" status-"$1" <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nExec=sh -c "exit 42"'
    # The start itself has succeeded or not, whichever comes first: the payload's end or the news of its start.
    manager "$(way_manager "$1")" start --wait status-"$1" || true
    equal "$(way_property "$1" status-"$1" ExecMainStatus)" 42
    way_end "$1" status-"$1"
}

oneshot() { # WAY
    way_unit "$1" job-"$1" <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nExec=sh -c "echo the job is done; exit $${CODE:-0}"\n[Service]\nType=oneshot'
    way_start "$1" job-"$1"
    contains "$(way_journal "$1" job-"$1")" 'the job is done'
    equal "$(way_property "$1" job-"$1" Result)" success
    way_end "$1" job-"$1"
    way_unit "$1" job-"$1" <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nExec=sh -c "exit 3"\n[Service]\nType=oneshot'
    fails way_start "$1" job-"$1"
    equal "$(way_property "$1" job-"$1" ExecMainStatus)" 3
    way_end "$1" job-"$1"
}

restarts() { # WAY: killed again and again, systemd alone brings it back
    way_unit "$1" phoenix-"$1" <<<$'[Unit]\nStartLimitIntervalSec=0\n[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nExec=sleep inf\n[Service]\nRestart=always\nRestartSec=0'
    way_start "$1" phoenix-"$1"
    local i before now
    for ((i = 0; i < 5; i++)); do
        before=$(way_property "$1" phoenix-"$1" MainPID)
        kill -KILL "$before"
        now=$before
        until [ "$now" != "$before" ] && [ "$(cat "/proc/$now/comm" 2>/dev/null)" = sleep ]; do
            now=$(way_property "$1" phoenix-"$1" MainPID)
            [ $((++spins)) -lt 2000 ]
        done
    done
    way_end "$1" phoenix-"$1"
}
spins=0

# A package of another version: the programs say its number, which is as long as ours.
other_version() { # VERSION
    local file
    rm -rf repacked
    dpkg-deb -R /var/tmp/berth.deb repacked
    sed -i "s/^Version: .*/Version: $1/" repacked/DEBIAN/control
    for file in usr/bin/berth usr/lib/berth/{cli,pull}.cjs; do LC_ALL=C sed -i "s/${VERSION//./\\.}/$1/g" "repacked/$file"; done
    (cd repacked && find usr etc -type f -exec md5sum {} + >DEBIAN/md5sums)
    dpkg-deb --root-owner-group -Znone --build repacked "$1.deb" >/dev/null
    rm -rf repacked
}
installs() { # FILE VERSION
    dpkg --install "$1" >/dev/null 2>&1
    equal "$(berth --version)" "berth version $2"
    equal "$(dpkg-query -W -f '${Version}' berth)" "$2"
}

lasting() { # WAY NAME
    way_unit "$1" "$2" <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nExec=sh -c "trap \'exit 0\' TERM; while :; do sleep 0.1; done"'
    way_start "$1" "$2"
}
state_of() { # WAY CONTAINER
    case $1 in
    root) echo "/run/berth/containers/$2/state.json" ;;
    alice) echo "/run/user/1000/berth/containers/$2/state.json" ;;
    svc) echo "/run/berth/users/990/containers/$2/state.json" ;;
    esac
}
nothing_of() { # WAY CONTAINER
    [ ! -e "$(dirname "$(state_of "$1" "$2")")" ]
    [ ! -e "/var/lib/berth/containers/$2" ]
    [ ! -e "/home/alice/.local/share/berth/containers/$2" ]
    [ ! -e "/var/lib/berth/users/990/containers/$2" ]
}

# What the version before started runs on, is seen and stopped by the new one, and starts with it; with what the first version did not yet note.
before_upgrade() { # WAY
    local unit=lasting-$1 state
    lasting "$1" "$unit"
    way_property "$1" "$unit" MainPID >"$WORK/payload-$1"
    state=$(state_of "$1" "systemd-$unit")
    jq 'del(.volumes, .defaultSeccomp, .health, .pod)' "$state" >"state-$1"
    cat "state-$1" >"$state"
}
after_upgrade() { # WAY
    local unit=lasting-$1
    manager "$(way_manager "$1")" daemon-reload
    equal "$(way_property "$1" "$unit" MainPID)" "$(cat "$WORK/payload-$1")"
    equal "$(way_berth "$1" exec "systemd-$unit" echo reached)" reached
    way_stop "$1" "$unit"
    equal "$(way_property "$1" "$unit" Result)" success
    nothing_of "$1" "systemd-$unit"
    way_start "$1" "$unit"
}

# Back again: the container of the newer version is stopped by the older one; one whose notes it cannot read is refused by name, ends
# with its unit all the same, and the unit starts again.
after_downgrade() { # WAY
    local unit=lasting-$1 state
    manager "$(way_manager "$1")" daemon-reload
    way_stop "$1" "$unit"
    nothing_of "$1" "systemd-$unit"
    way_start "$1" "$unit"
    state=$(state_of "$1" "systemd-$unit")
    jq '.version = 2 | .news = {}' "$state" >"state-$1"
    cat "state-$1" >"$state"
    contains "$(fails_with 125 way_berth "$1" exec "systemd-$unit" true 2>&1)" 'started by a newer berth'
    way_stop "$1" "$unit"
    nothing_of "$1" "systemd-$unit"
    contains "$(way_journal "$1" "$unit")" "systemd-$unit: started by a newer berth (state version 2)"
    manager "$(way_manager "$1")" reset-failed "$unit" 2>/dev/null || true
    way_start "$1" "$unit"
    equal "$(way_berth "$1" exec "systemd-$unit" echo reached)" reached
    way_stop "$1" "$unit"
    equal "$(way_property "$1" "$unit" Result)" success
    way_end "$1" "$unit"
}

# The name that systemctl takes reaches the container, too; rm alone wants the container's own.
unit_name() { # WAY
    way_unit "$1" named-"$1" <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nExec=sleep inf'
    way_start "$1" named-"$1"
    equal "$(way_berth "$1" exec "named-$1" echo reached)" reached
    contains "$(way_berth "$1" inspect "named-$1")" "systemd-named-$1"
    way_berth "$1" rm -f -i "named-$1"
    equal "$(way_property "$1" named-"$1" ActiveState)" active
    way_end "$1" named-"$1"
}

VERSION=$(dpkg-deb -f /var/tmp/berth.deb Version) NEWER=
[[ ! $VERSION =~ ^(.*[.])[0-9]$ ]] || NEWER=${BASH_REMATCH[1]}9
check 'a package of another version is made' other_version "$NEWER"
for way in $WAYS; do way_load "$way" "$IMAGES/busybox.tar" || exit 1; done
each_way 'a unit that runs for a while' long_running
each_way 'a log file that is a link to /dev/stdout logs' log_to_dev_stdout 0
each_way 'the same as uid 33' log_to_dev_stdout 33
each_way 'standard error has priority err, standard output info' stderr_is_an_error
each_way "the last words of a crash are there, $CRASHES of $CRASHES" last_line
each_way 'a missing program fails the start with 127' missing_program
each_way 'a file that is no program fails the start with 126' not_executable
each_way 'a pid 1 that ignores SIGTERM is gone after StopTimeout=' stubborn
each_way 'a StopTimeout= without end gives the payload its time' endless
each_way "the payload's exit status is the unit's" exit_status
each_way 'Type=oneshot waits and tells' oneshot
each_way 'Restart=always after SIGKILL' restarts
each_way 'the name of the unit finds the container' unit_name
each_way 'a unit of the version before' before_upgrade
check 'the newer package comes' installs "$NEWER.deb" "$NEWER"
each_way 'an upgrade leaves the payload running' after_upgrade
check 'the older package comes back' installs /var/tmp/berth.deb "$VERSION"
each_way 'a downgrade, too' after_downgrade
for way in $WAYS; do
    check "$way: a killed relay fails the unit and says so" killed_relay "$way"
    way_berth "$way" rmi -f localhost/busybox >/dev/null 2>&1
done
finish
