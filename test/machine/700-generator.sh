#!/usr/bin/env bash
# The generator under systemd: systemd's own parser judges what it writes, broken edits of running services, the peer's generator beside ours.
. "$(dirname "$0")/lib.sh"

judged() { # PROGRAM KIND EXPECTED
    local said
    said=$(python3 "$TESTS/generator-$1.py" "$2" "$WORK/out-$2")
    shift
    equal "$(tail -n 1 <<<"$said")" "$2" || { head -n 5 <<<"$said"; return 1; }
}

# A service keeps running while its file is broken; a restart meets the failing unit, whose lines say what to repair.
broken_edit() { # USER
    local user=$1 pid status=0
    as "$user" berth load -q -i "$IMAGES/busybox.tar"
    unit_file "$user" edited <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopSignal=KILL\nExec=sleep inf'
    manager "$user" start edited
    pid=$(manager "$user" show -P MainPID edited)
    unit_file "$user" edited <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nReadOnly=maybe\nStopSignal=KILL\nExec=sleep inf'
    equal "$(manager "$user" is-active edited)" active
    equal "$(manager "$user" show -P MainPID edited)" "$pid"
    manager "$user" restart edited 2>/dev/null || status=$?
    [ "$status" != 0 ]
    equal "$(manager "$user" show -P ExecMainStatus edited)" 78
    [ ! -e "/proc/$pid" ]
    journalctl --sync
    contains "$(manager "$user" status --no-pager -l edited || true)" 'neither true nor false'
    unit_file "$user" edited <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nReadOnly=yes\nStopSignal=KILL\nExec=sleep inf'
    manager "$user" reset-failed edited || true
    manager "$user" restart edited
    equal "$(manager "$user" is-active edited)" active
    unit_gone "$user" edited
}

# A pod keeps running while its file is broken, and its stop leaves nothing of it: neither holder nor members nor state.
broken_pod() { # USER
    local user=$1 pid member
    unit_file "$user" mended.pod <<<$'[Pod]\nPodName=mended\nNetwork=none\nStopTimeout=1'
    unit_file "$user" member <<<$'[Container]\nImage=localhost/busybox\nPod=mended.pod\nStopSignal=KILL\nExec=sleep inf'
    manager "$user" start member mended-pod
    pid=$(manager "$user" show -P MainPID mended-pod) member=$(manager "$user" show -P MainPID member)
    unit_file "$user" mended.pod <<<$'[Pod]\nPodName=mended\nNetwork=none\nStopTimeout=1\nNope=1'
    equal "$(manager "$user" is-active mended-pod)" active
    equal "$(manager "$user" show -P MainPID mended-pod)" "$pid"
    manager "$user" stop mended-pod
    [ ! -e "/proc/$pid" ]
    for _ in {1..50}; do [ -e "/proc/$member" ] || break; sleep 0.1; done
    [ ! -e "/proc/$member" ]
    equal "$(as "$user" berth pod ps -q)" ''
    fails manager "$user" start mended-pod
    equal "$(manager "$user" show -P ExecMainStatus mended-pod)" 78
    unit_gone "$user" member
    unit_gone "$user" mended.pod
}

boot_shows_failure() {
    unit_file root wanted <<<$'[Container]\nImage=localhost/busybox\nNope=1\n[Install]\nWantedBy=multi-user.target'
    contains "$(systemctl list-dependencies --plain multi-user.target)" wanted.service
    unit_gone root wanted
}

# While the peer's generator is active ours writes nothing; a takeover makes it ours, --undo gives the files back: for the system and for accounts.
takeover() {
    local kind user
    berth system takeover --undo
    for kind in system user; do
        [ ! -e /etc/systemd/$kind-generators/podman-$kind-generator ]
        [ $kind = system ] && user=root || user=alice
        unit_file $user shared <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopSignal=KILL\nExec=sleep inf'
        contains "$(manager $user cat shared)" /usr/bin/podman
        contains "$(as $user berth check || true)" "podman-$kind-generator is active"
    done
    berth system takeover
    manager alice daemon-reload
    for kind in system user; do
        [ $kind = system ] && user=root || user=alice
        equal "$(readlink /etc/systemd/$kind-generators/podman-$kind-generator)" /dev/null
        contains "$(manager $user cat shared)" /usr/bin/berth
    done
    berth system takeover
    unit_gone root shared
    unit_gone alice shared
}

# Which file of a name counts, and which drop-ins in which order: any mixture of three directories and all levels, beside the peer's generator.
precedence() {
    local top=$WORK/precedence round place level name file out units=0
    RANDOM=7
    for round in {1..15}; do
        for place in run etc/deep usr; do
            mkdir -p "$top/$place"
            for name in foo-bar-baz.container foo-bar@.container foo-bar@one.container foo-bar.volume; do
                ((RANDOM % 3)) || printf '[%s]\n%s[Service]\nEnvironment=AT=%s\n' "$([[ $name == *volume ]] && echo Volume || echo Container)" \
                    "$([[ $name == *volume ]] || printf 'Image=localhost/busybox\n_')" "$place" | tr _ '\n' >"$top/$place/$name"
            done
            for level in container volume foo-.container foo-bar-.container foo-bar-baz.container foo-@.container foo-bar@.container foo-bar@one.container foo-.volume; do
                ((RANDOM % 2)) || continue
                mkdir -p "$top/$place/$level.d"
                for file in 10-same "$((RANDOM % 90 + 10))-own" "$place"; do
                    printf '[Service]\nEnvironment=AT=%s-%s-%s\n' "$place" "$level" "$file" >"$top/$place/$level.d/${file//\//-}.conf"
                done
            done
        done
        for out in /usr/bin/berth /usr/libexec/podman/quadlet; do
            [ $out = /usr/bin/berth ] && set -- berth generator || set -- $out
            QUADLET_UNIT_DIRS=$top/run:$top/etc:$top/usr "$@" -dryrun 2>/dev/null |
                awk '/^---.*---$/{name = $0} /^Environment=AT=/{print name, $0}' | sort -s -k 1,1 >"$top.${out##*/}" || true
        done
        diff "$top.berth" "$top.quadlet"
        units=$((units + $(cut -d ' ' -f 1 "$top.berth" | uniq | wc -l)))
        rm -r "$top"
    done
    ((units > 30))
}

network_is_quiet() { # USER
    as "$1" timeout 5 berth system wait
}

# Ended by the signal of the job's end: not before, and not long after.
network_is_awaited() {
    cat >/run/systemd/system/slow-network.service <<<$'[Unit]\nBefore=network-online.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=sleep 2'
    mkdir -p /run/systemd/system/network-online.target.wants
    ln -sf ../slow-network.service /run/systemd/system/network-online.target.wants/
    systemctl daemon-reload
    systemctl stop network-online.target slow-network.service 2>/dev/null || true
    systemctl start --no-block network-online.target
    as alice timeout 20 berth system wait
    equal "$(systemctl is-active network-online.target)" active
    systemctl stop network-online.target slow-network.service
    rm -r /run/systemd/system/network-online.target.wants /run/systemd/system/slow-network.service
    systemctl daemon-reload
}

# The peer's package has a unit of the same name, which waits for 90 s and fails. Where the files are ours, so is what they wait for.
network_unit_is_ours() {
    unit_file alice waits <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopSignal=KILL\nExec=sleep inf'
    [ -e /usr/lib/systemd/user/podman-user-wait-network-online.service ]
    contains "$(manager alice cat podman-user-wait-network-online)" '/usr/bin/berth system wait'
    manager alice stop podman-user-wait-network-online
    as alice timeout 20 systemctl --user start podman-user-wait-network-online
    unit_gone alice waits
}

quadlet_verbs() { # USER
    local user=$1 files
    files=$(mktemp -d /var/tmp/quadlet.XXXXXX)
    chmod 755 "$files"
    printf '# FileName=one\n[Container]\nImage=localhost/busybox\n---\n# FileName=two\n[Volume]\n' >"$files/both.quadlets"
    printf '[Container]\nImage=localhost/busybox\n' >"$files/a@.container"
    contains "$(as "$user" berth quadlet install "$files/both.quadlets" "$files/a@.container")" one.container
    contains "$(as "$user" berth quadlet list --format '{{.Name}} {{.App}} {{.Status}}')" 'two.volume .both.app inactive/dead'
    equal "$(as "$user" berth quadlet print one.container | head -n 1)" '# FileName=one'
    fails_with 125 as "$user" berth quadlet install "$files/both.quadlets"
    as "$user" berth quadlet install --replace "$files/both.quadlets"
    manager "$user" start two-volume
    contains "$(as "$user" berth quadlet list --format '{{.Name}} {{.Status}}')" 'two.volume active/exited'
    fails_with 125 as "$user" berth quadlet rm one.container
    contains "$(as "$user" berth quadlet rm --force one.container)" two.volume
    equal "$(as "$user" berth quadlet list -n)" ''
    as "$user" berth volume rm systemd-two
    rm -r "$files"
}

check 'T32: systemd reads the words that were written' judged judge words '150 of 150'
check '500 mutated files each give a unit that systemd loads' judged judge mutants '500 of 500'
check 'what systemd would not load is told, and a unit that fails stands in' judged lines refused '90 of 90'
check 'what systemd passes over is told' judged lines lines 'all alike'
check 'drop-ins and files of one name count as with the peer' precedence
check 'two processes translate as one does' judged judge halves 'all alike'
check 'which keys the Podman beside us has' judged judge keys 'as it is'
for user in root alice; do
    check "$user: a broken edit, restart, status, repair" broken_edit $user
    check "$user: a broken edit of a pod that runs, stop, start" broken_pod $user
    check "$user: quadlet install, list, print, rm" quadlet_verbs $user
    check "$user: the wait for the network ends at once when nothing is on its way" network_is_quiet $user
done
check 'a broken unit is still wanted by its target' boot_shows_failure
check 'the wait for the network ends with the job' network_is_awaited
check "the wait for the network is ours beside the peer's package" network_unit_is_ours
check "one owner of the files: the peer's generator, or ours after a takeover" takeover
finish
