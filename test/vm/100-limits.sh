#!/usr/bin/env bash
# Memory=, PidsLimit=, ShmSize= and --cpus bite: as root, for alice's manager, and as a system unit with User=.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

load() { way_load "$1" "$IMAGES/busybox.tar"; }

unit() { # WAY NAME KEYS PROGRAM: writes the program and its oneshot unit; nothing is reloaded
    local way=$1 name=limited-$2-$1 keys=$3 directory
    directory=$(unit_directory "$(way_manager "$way")")
    printf '%s\n' "$4" >"/var/tmp/$name.sh"
    cat >"$directory/$name.container" <<END
[Container]
Image=localhost/busybox:latest
Network=none
Volume=/var/tmp/$name.sh:/program.sh:ro
Exec=sh /program.sh
$keys
[Service]
Type=oneshot
OOMPolicy=continue
$([ "$way" != svc ] || echo User=svc)
END
}

# All limits of a way at the same time, since each login, reload and start takes its seconds here. The logs are for the cases that follow.
limited() { # WAY
    local way=$1 owner directory name
    local units=()
    owner=$(way_manager "$way")
    directory=$(unit_directory "$owner")
    as "$owner" mkdir -p "$directory"
    unit "$way" memory 'Memory=24m' 'cat /sys/fs/cgroup/memory.max
        head -c 80m /dev/zero | tail >/dev/null; echo "ended with $?"'
    unit "$way" pids 'PidsLimit=12' 'cat /sys/fs/cgroup/pids.max
        i=0; while [ $i -lt 20 ]; do sleep 30 & i=$((i + 1)); done; echo all started'
    unit "$way" cpus 'PodmanArgs=--cpus=0.1' 'cat /sys/fs/cgroup/cpu.max
        i=0; while [ $i -lt 10000 ]; do i=$((i + 1)); done; grep nr_throttled /sys/fs/cgroup/cpu.stat'
    unit "$way" shm 'ShmSize=2m' 'dd if=/dev/zero of=/dev/shm/x bs=1M count=4; echo "ended with $?"'
    for name in memory pids cpus shm; do units+=("limited-$name-$way"); done
    manager "$owner" daemon-reload
    manager "$owner" start "${units[@]}" || true
    for name in "${units[@]}"; do way_journal "$way" "$name" >"$WORK/$name"; done
    manager "$owner" stop "${units[@]}"
    for name in "${units[@]}"; do rm "$directory/$name.container" "/var/tmp/$name.sh"; done
    manager "$owner" daemon-reload
    manager "$owner" reset-failed
}

memory() { # WAY
    local said
    said=$(<"$WORK/limited-memory-$1")
    contains "$said" 25165824
    # The kernel takes the shell as well when the first victim's memory is not free soon enough.
    [[ $said == *'ended with 137'* || $said == *'ended with status 137'* ]]
}

pids() { # WAY
    local said
    said=$(<"$WORK/limited-pids-$1")
    contains "$said" 12
    contains "$said" 'fork'
    [[ $said != *'all started'* ]]
}

# A loop that uses a whole processor is held back: the kernel counts the periods in which it had to wait.
cpus() { # WAY
    local said
    said=$(<"$WORK/limited-cpus-$1")
    contains "$said" '10000 100000'
    contains "$said" 'nr_throttled'
    [[ $said != *'nr_throttled 0'* ]]
}

shm() { contains "$(<"$WORK/limited-shm-$1")" 'No space left'; } # WAY

# Of the main process, and of another one: the unit fails, and `why` says what of, how much it might have, and where that stands.
out_of_memory() {
    local name text
    unit_file root hog <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nMemory=24m\nExec=tail /dev/zero'
    unit_file root child <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nPodmanArgs=--memory=24m\nExec=sh -c "tail /dev/zero; exit $$?"'
    systemctl start hog child || true
    for name in hog child; do
        until [ "$(property root $name ActiveState)" = failed ]; do sleep 0.5; done
        text=$(fails_with 3 berth why $name)
        contains "$text" "$name.service: out of memory: the kernel killed a process of it"
        contains "$text" "/etc/containers/systemd/$name.container:$([ $name = hog ] && echo '4: Memory=24m' || echo '4: PodmanArgs=--memory=24m')"
    done
    unit_gone root hog child
    berth run -d --name told --network none localhost/busybox sleep inf
    berth update --pids-limit 30 told
    berth rm -f -t 0 told
    journalctl --sync
    contains "$(berth events --since 10m --stream=false --filter event=update --format '{{.Name}}')" told
}

# The limit of a running container, which its own programs then meet.
updated() {
    local way=$1 id said
    printf '%s\n' '[Container]' 'Image=localhost/busybox:latest' 'ContainerName=changing' 'Network=none' 'Memory=200m' 'PidsLimit=50' 'Exec=sleep inf' \
        '[Service]' 'KillSignal=SIGKILL' 'OOMPolicy=continue' | way_unit "$way" changing
    way_start "$way" changing
    equal "$(way_berth "$way" exec changing cat /sys/fs/cgroup/memory.max)" 209715200
    way_berth "$way" update --memory 24m --pids-limit 20 --cpus 0.5 changing
    equal "$(way_berth "$way" exec changing sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max' | tr '\n' ' ')" \
        '25165824 20 50000 100000 '
    way_berth "$way" update --memory 0 --pids-limit -1 --cpus 0 changing
    equal "$(way_berth "$way" exec changing sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max' | tr '\n' ' ')" \
        'max max max 100000 '
    way_berth "$way" update --memory 24m changing
    said=$(way_berth "$way" exec changing sh -c 'head -c 80m /dev/zero | tail >/dev/null; echo "ended with $?"' 2>&1) || said="ended with $?"
    contains "$said" 'ended with 137'
    way_gone "$way" changing
}

# A registry that never answers: the pull is there for as long as it takes to look at its group.
aside() { # USER PART-OF-PATH
    local group='' i
    as "$1" berth pull -q --retry 0 127.0.0.1:5099/nobody/home:1 >/var/tmp/pulled 2>&1 &
    for i in $(seq 600); do
        group=$(find /sys/fs/cgroup -type d -name 'berth-pull-*.scope' | head -n 1)
        [ -z "$group" ] || ! grep . "$group/cgroup.procs" >/dev/null 2>&1 || break
        sleep 0.1
    done
    contains "$group" "$2"
    equal "$(cat "$group/cpu.weight")" 4
    kill -KILL $(cat "$group/cgroup.procs")
    wait
}

for way in $WAYS; do
    check "$way: the image is loaded" load "$way"
    check "$way: units with limits run" limited "$way"
    check "$way: Memory=" memory "$way"
    check "$way: PidsLimit=" pids "$way"
    check "$way: --cpus" cpus "$way"
    check "$way: ShmSize=" shm "$way"
done
check 'a container that needs more memory than it may have: why says so' out_of_memory
for way in $WAYS; do check "$way: berth update" updated "$way"; done
systemd-run -q --collect --unit test-silent python3 -c 'import signal, socket; silent = socket.create_server(("127.0.0.1", 5099)); signal.pause()'
check 'alice: a pull gives its processors to the services of the account' aside alice /app.slice/
systemctl stop test-silent
rm -f /var/tmp/pulled
finish
