#!/usr/bin/env bash
# SIGKILL of the launcher at any moment of a start, and of whole units: nothing stays behind, the next start works.
. "$(dirname "$0")/lib.sh"
. "$TESTS/ways.sh"
KILLS=${KILLS:-24} # npm run soak asks for more

# killer UNIT CGROUP MICROSECONDS: waits for the launcher in the unit's group, waits that long, kills it. Prints whether it did.
cat >killer.py <<'PY'
import os, signal, sys, time
group, delay = sys.argv[1], int(sys.argv[2])
open('watching', 'w').close()
end = time.monotonic() + 30
while time.monotonic() < end:
    for path in (group + '/supervisor/cgroup.procs', group + '/cgroup.procs'):
        try:
            pids = [int(line) for line in open(path)]
        except OSError:
            continue
        for pid in pids:
            try:
                words = open(f'/proc/{pid}/cmdline', errors='replace').read().split('\0')
            except OSError:
                continue
            if words[:2] != ['/usr/bin/berth', 'run']:
                continue
            time.sleep(delay / 1e6)
            try:
                os.kill(pid, signal.SIGKILL)
                print('killed')
            except ProcessLookupError:
                print('late')
            sys.exit(0)
print('never')
PY

group_of() { # WAY UNIT
    case $1 in
    alice) echo "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/$2" ;;
    *) echo "/sys/fs/cgroup/system.slice/$2" ;;
    esac
}
nothing_left() { # WAY: no process, no bundle, no layer
    local store runtime
    case $1 in
    root) store=/var/lib/berth runtime=/run/berth ;;
    alice) store=/home/alice/.local/share/berth runtime=/run/user/1000/berth ;;
    svc) store=/var/lib/berth/users/990 runtime=/run/berth/users/990 ;;
    esac
    equal "$(ls -A "$runtime/containers" 2>/dev/null)" '' || return
    equal "$(ls -A "$store/containers" 2>/dev/null)" '' || return
    emptied "$store/tmp" || return
    equal "$(ls -A "$store/volumes" 2>/dev/null | grep -E '^[0-9a-f]{64}$' || true)" '' || return
    equal "$(pgrep -f 'sleep 54321' | wc -l)" 0 || return
    equal "$(pgrep -x 'berth-relay|berth-guard|pasta' | wc -l)" 0 || return
    [ ! -e "$(group_of "$1" victim.service)" ] || return
}
kill_all() { # not the unit's own group: that could hit ExecStopPost= already
    echo 1 >"$(group_of "$1" victim.service)/supervisor/cgroup.kill"
    echo 1 >"$(group_of "$1" victim.service)/payload/cgroup.kill" || true
}
wait_failed() { equal "$(wait_settled "$1" active)" failed; } # WAY
wait_settled() { # WAY [STATE…]: until the unit is in none of these states, nor on its way
    local way=$1 state end=$((SECONDS + 60))
    shift
    while [ $SECONDS -lt $end ]; do
        state=$(way_property "$way" victim ActiveState)
        [[ " $* activating deactivating " == *" $state "* ]] || break
        sleep 0.02
    done
    echo "$state"
}

killed_launcher() { # WAY
    local way=$1 i killed=0 state said moment
    way_unit "$way" victim <<<$'[Container]\nImage=localhost/busybox\nExec=sleep 54321\nNetwork=none\nStopTimeout=0\nVolume=/data'
    for i in $(seq 1 "$KILLS"); do
        rm -f watching
        moment=$((i * 24000 / KILLS))
        python3 killer.py "$(group_of "$way" victim.service)" $moment >said &
        until [ -e watching ]; do sleep 0.01; done
        manager "$(way_manager "$way")" start --no-block victim
        wait $!
        said=$(cat said)
        [ "$said" != killed ] || killed=$((killed + 1))
        state=$(wait_settled "$way")
        if [ "$state" = active ]; then
            # Killed after the hand-over: the unit must be a healthy one.
            kill -0 "$(way_property "$way" victim MainPID)"
            way_stop "$way" victim
        else
            equal "$state" failed
        fi
        nothing_left "$way" || { echo "left behind after a kill at $moment microseconds ($said, $state)" >&2; return 1; }
        manager "$(way_manager "$way")" reset-failed victim 2>/dev/null || true
    done
    echo "killed $killed of $KILLS" >&2
    ((killed > KILLS / 8))
    way_start "$way" victim
    equal "$(way_property "$way" victim ActiveState)" active
    way_stop "$way" victim
    nothing_left "$way"
    way_gone "$way" victim
}
killed_unit() { # WAY: all of it at once, supervisor too; ExecStopPost= cleans up
    local way=$1
    way_unit "$way" victim <<<$'[Container]\nImage=localhost/busybox\nExec=sleep 54321\nNetwork=none'
    way_start "$way" victim
    kill_all "$way"
    wait_failed "$way"
    nothing_left "$way"
    manager "$(way_manager "$way")" reset-failed victim
    way_gone "$way" victim
}
lost_runtime() { # WAY: the runtime directory is gone as after a power cut; the store's layer is found and removed
    local way=$1 store
    case $way in
    root) store=/var/lib/berth ;;
    alice) store=/home/alice/.local/share/berth ;;
    svc) store=/var/lib/berth/users/990 ;;
    esac
    way_unit "$way" victim <<<$'[Container]\nImage=localhost/busybox\nExec=sh -c "mkdir /d; touch /d/f; chown -R 5:5 /d; chmod 700 /d; sleep 54321"\nNetwork=none'
    way_start "$way" victim
    timeout 30 bash -c "$(declare -f way_berth as); until way_berth $way exec systemd-victim sh -c '[ \$(stat -c %u%a /d) = 5700 ]' 2>/dev/null; do sleep 0.1; done"
    rm -rf /run/berth/containers/systemd-victim /run/user/1000/berth/containers/systemd-victim /run/berth/users/990/containers/systemd-victim
    kill_all "$way"
    wait_failed "$way"
    equal "$(ls -A "$store/containers")" ''
    manager "$(way_manager "$way")" reset-failed victim
    way_start "$way" victim
    way_berth "$way" exec systemd-victim test -d /d
    way_stop "$way" victim || true
    manager "$(way_manager "$way")" reset-failed victim 2>/dev/null || true
    nothing_left "$way"
    way_gone "$way" victim
}
at_once() { # WAY: sixteen starts do not wait for each other, nor mix up
    local way=$1 i units=()
    for i in $(seq 16); do
        printf '[Container]\nImage=localhost/busybox\nExec=sleep 54321\nNetwork=none\nStopTimeout=0\n%s' "$([ "$way" != svc ] || printf '[Service]\nUser=svc\n')" |
            way_file "$way" "many$i"
        units+=("many$i")
    done
    manager "$(way_manager "$way")" daemon-reload
    manager "$(way_manager "$way")" start "${units[@]}"
    equal "$(way_berth "$way" ps -q | wc -l)" 16
    manager "$(way_manager "$way")" stop "${units[@]}" || true
    equal "$(way_berth "$way" ps -a -q | wc -l)" 0
    unit_gone "$(way_manager "$way")" "${units[@]}" 2>/dev/null
}
way_file() {
    local directory
    directory=$(unit_directory "$(way_manager "$1")")
    as "$(way_manager "$1")" mkdir -p "$directory"
    as "$(way_manager "$1")" tee "$directory/$2.container" >/dev/null
}

for way in $WAYS; do
    way_load "$way" "$IMAGES/busybox.tar" >/dev/null
    check "$way: SIGKILL of the launcher at $KILLS moments of a start" killed_launcher "$way"
    check "$way: SIGKILL of everything in the unit" killed_unit "$way"
    check "$way: the runtime directory is lost" lost_runtime "$way"
    check "$way: sixteen starts at once" at_once "$way"
done
finish
