#!/usr/bin/env bash
# D-Bus control: start, stop, restart, reload, enable, disable, mask, status, why; as root, as a user, and as root for a user.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"
SERVES='trap "exit 0" TERM; echo up; while :; do sleep 0.1; done'

NAMES='c1 e1 s1 broken needs lacks typo e2 e3'
# All units of an owner with one reload: c1, e1, s1 serve; the others are what is wrong with them.
set_up() { # OWNER
    local name
    as "$1" mkdir -p "$(unit_directory "$1")"
    for name in c1 e1 s1; do
        write_unit "$1" $name <<<$'[Unit]\nDescription=A service\n[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\n'"Exec=sh -c '$SERVES'"$'\n[Service]\n'"ExecReload=/bin/sh -c 'echo reloaded >/tmp/reloaded-$1'"
    done
    write_unit "$1" broken <<<$'[Unit]\nStartLimitBurst=2\nStartLimitIntervalSec=1h\n[Container]\nImage=localhost/busybox\nNetwork=none\n'"Exec=sh -c 'echo the last word; exit 7'"$'\n[Service]\nType=oneshot'
    write_unit "$1" needs <<<$'[Unit]\nRequires=broken.service\nAfter=broken.service\n[Container]\nImage=localhost/busybox\nNetwork=none'
    write_unit "$1" lacks <<<$'[Unit]\nRequires=nowhere.service\nAfter=nowhere.service\n[Container]\nImage=localhost/busybox\nNetwork=none'
    write_unit "$1" typo <<<$'[Container]\nImage=localhost/busybox\nPublishPorts=80'
    write_unit "$1" e2 <<<$'[Container]\nImage=localhost/busybox\n[Install]\nWantedBy=timers.target'
    write_unit "$1" e3 <<<$'[Container]\nImage=localhost/busybox\n[Install]\nAlias=e3-too.service'
    manager "$1" daemon-reload
}
put_away() { # OWNER
    local name
    manager "$1" stop c1 e1 s1 2>/dev/null || true
    for name in $NAMES; do rm -rf "$(unit_directory "$1")/$name.container"{,.d}; done
    manager "$1" daemon-reload
    manager "$1" reset-failed
}
write_unit() { # OWNER NAME: the text on standard input
    local file
    file=$(unit_directory "$1")/$2.container
    cat >"$file"
    chown "$1:" "$file"
}
# As root for the user where $1 is `for`.
control() {
    local who=$1 verb=$2
    shift 2
    if [ "$who" = for ]; then berth "$verb" --for alice "$@"; else as "$who" berth "$verb" "$@"; fi
}
owner() { if [ "$1" = for ]; then echo alice; else echo "$1"; fi; }

starts_and_stops() {
    local owner name=c1
    owner=$(owner "$1")
    equal "$(control "$1" start $name)" $name.service
    equal "$(manager "$owner" is-active $name)" active
    equal "$(control "$1" restart $name.container)" $name.service
    # ExecReload= of its [Service]; and a file that was changed counts once the manager has read it.
    equal "$(control "$1" reload $name)" $name.service
    equal "$(manager "$owner" show -P ReloadResult $name) $(cat "/tmp/reloaded-$owner")" 'success reloaded'
    rm "/tmp/reloaded-$owner"
    echo '[Unit]
Description=Read anew for '"$1" | as "$owner" tee -a "$(unit_directory "$owner")/$name.container" >/dev/null
    equal "$(control "$1" daemon-reload)" ''
    equal "$(manager "$owner" show -P Description $name)" "Read anew for $1"
    equal "$(control "$1" stop $name.service)" $name.service
    fails_with 3 manager "$owner" is-active $name >/dev/null
}
others_for() {
    local said
    berth --for alice start s1
    contains "$(berth ps --for alice --format '{{.Names}}')" systemd-s1
    equal "$(berth --for=alice exec systemd-s1 sh -c 'echo $0' inside)" inside
    equal "$(berth inspect --for 1000 --format '{{.Name}}' systemd-s1)" systemd-s1
    contains "$(berth logs --for alice s1)" up
    contains "$(berth top --for alice systemd-s1)" COMMAND
    equal "$(berth run --for alice --rm --network none -v /home/alice:/h localhost/busybox touch /h/by-alice; stat -c %U /home/alice/by-alice)" alice
    rm /home/alice/by-alice
    # From a directory that is closed to it, as root's home is.
    mkdir -m 700 /tmp/closed
    (cd /tmp/closed && berth run --for alice -d --name closed --network none --stop-timeout 0 localhost/busybox sleep 1000 >/dev/null)
    berth rm --for alice -f closed >/dev/null
    rmdir /tmp/closed
    berth stop --for alice s1
    fails berth exec --for alice systemd-s1 true
    said=$(fails_with 125 berth ps --for nobody-of-that-name 2>&1)
    equal "$said" 'berth: --for nobody-of-that-name: there is no such account'
    said=$(fails_with 125 as alice berth ps --for bob 2>&1)
    equal "$said" 'berth: --for bob: only root may act for another account'
}
of_service() { # a container of User= without login: its unit is the system's, and that tells
    way_load svc "$IMAGES/busybox.tar" >/dev/null
    way_unit svc served <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nExec=sleep 1000'
    manager root start served
    contains "$(berth status --for svc served)" 'container systemd-served'
    contains "$(berth --for svc why served)" 'served.service is up'
    manager root stop served
    way_gone svc served
}
tells_why() {
    local owner said
    owner=$(owner "$1")
    said=$(fails_with 1 control "$1" start broken 2>&1)
    contains "$said" 'broken.service: its main process exited with status 7'
    contains "$said" '  the last word'
    said=$(fails_with 3 control "$1" why broken)
    contains "$said" 'status 7'
    said=$(fails_with 1 control "$1" start needs 2>&1)
    contains "$said" 'needs.service: a unit that it requires failed'
    contains "$said" 'broken.service: its main process exited with status 7'
    # The third start within the hour is refused; what systemd still has of the second is not why.
    said=$(fails_with 1 control "$1" start broken 2>&1)
    contains "$said" 'broken.service: it was started too often (StartLimitBurst=)'
    said=$(fails_with 5 control "$1" start nosuch 2>&1)
    contains "$said" 'berth: nosuch.service: there is no such unit'
    manager "$owner" reset-failed broken # its count of starts, too
    said=$(fails_with 125 control "$1" start lacks 2>&1)
    equal "$said" 'berth: lacks.service needs what cannot be started: Unit nowhere.service not found'
    control "$1" start e2
    for _ in $(seq 300); do manager "$owner" is-active --quiet e2 || break; sleep 0.1; done
    contains "$(fails_with 3 control "$1" why e2)" ': it ended or was stopped: its main process exited with status 0'
}
mistaken() {
    local owner said
    owner=$(owner "$1")
    said=$(fails_with 1 control "$1" start typo 2>&1)
    contains "$said" 'its unit file has a mistake'
    contains "$said" 'PublishPort'
}
enables() {
    local owner said target=default.target
    owner=$(owner "$1")
    [ "$owner" != root ] || target=multi-user.target
    said=$(control "$1" enable e1)
    contains "$said" "e1.container.d/50-berth-enable.conf, starts with $target"
    contains "$(manager "$owner" show -P WantedBy e1)" "$target"
    contains "$(control "$1" enable e1)" 'already enabled'
    contains "$(control "$1" disable e1)" 'disabled: removed'
    equal "$(manager "$owner" show -P WantedBy e1)" ''
    control "$1" enable --now e1 >/dev/null
    equal "$(manager "$owner" is-active e1)" active
    control "$1" disable --now e1 >/dev/null
    fails_with 3 manager "$owner" is-active e1 >/dev/null
    contains "$(control "$1" disable e2)" 'which empties [Install]'
    equal "$(manager "$owner" show -P WantedBy e2)" ''
    contains "$(control "$1" enable e2)" 'enabled: removed'
    equal "$(manager "$owner" show -P WantedBy e2)" timers.target
    # Where [Install] starts nothing any more, or never did, there is something to write.
    control "$1" disable e2 >/dev/null
    write_unit "$owner" e2 <<<$'[Container]\nImage=localhost/busybox'
    said=$(control "$1" enable e2)
    contains "$said" 'enabled: removed'
    contains "$said" "e2.container.d/50-berth-enable.conf, starts with $target"
    equal "$(manager "$owner" show -P WantedBy e2)" "$target"
    write_unit "$owner" e2 <<<$'[Container]\nImage=localhost/busybox\n[Install]\nWantedBy=timers.target'
    contains "$(control "$1" disable e2)" 'which empties [Install]'
    equal "$(manager "$owner" show -P WantedBy e2)" ''
    equal "$(control "$1" disable e3)" 'e3.service: already disabled: nothing in its [Install] starts it'
    contains "$(control "$1" enable e3)" "starts with $target"
    contains "$(manager "$owner" show -P Names e3)" e3-too.service
    contains "$(control "$1" disable e3)" 'disabled: removed'
    control "$1" enable e2 >/dev/null
    control "$1" mask e2 >/dev/null
    said=$(fails_with 1 control "$1" start e2 2>&1)
    equal "$said" 'berth: e2.service: it is masked'
    control "$1" unmask e2 >/dev/null
}
# An instance is enabled by its own name, its template by DefaultInstance=.
enables_instances() {
    local said directory plain=$'[Container]\nImage=localhost/busybox\nNetwork=none\n'"Exec=sh -c '$SERVES'"
    directory=$(unit_directory root)
    write_unit root each@ <<<"$plain"
    ln -s each@.container "$directory/each@b.container"
    systemctl daemon-reload
    said=$(fails_with 1 berth enable each@a 2>&1)
    contains "$said" "make a link each@a.container to $directory/each@.container"
    fails_with 1 berth enable each@ 2>/dev/null
    contains "$(berth enable --now each@b)" "$directory/each@b.container.d/50-berth-enable.conf, starts with multi-user.target"
    equal "$(systemctl show -P WantedBy -P ActiveState each@b)" $'multi-user.target\nactive'
    contains "$(berth disable --now each@b)" 'disabled: removed'
    equal "$(systemctl show -P WantedBy -P ActiveState each@b)" $'\ninactive'
    write_unit root each@ <<<"$plain"$'\n[Install]\nWantedBy=multi-user.target\nDefaultInstance=main'
    contains "$(berth disable each@)" 'which empties [Install]'
    equal "$(systemctl show -P WantedBy each@main)" ''
    contains "$(berth enable each@)" 'enabled: removed'
    equal "$(systemctl show -P WantedBy each@main)" multi-user.target
    rm -r "$directory"/each@*
    systemctl daemon-reload
}
shows() {
    local owner said
    owner=$(owner "$1")
    fails_with 3 control "$1" status s1 >/dev/null
    control "$1" start -q s1
    said=$(control "$1" status s1)
    contains "$said" 's1.service - A service'
    contains "$said" 'active (running) for'
    contains "$said" 's1.container'
    equal "$(control "$1" status --format json s1 | grep -c '"activeState": "active"')" 1
    fails_with 4 control "$1" status nosuch >/dev/null
    # What is generated has no mistake, and systemd's own programs show the container.
    if [ "$1" = root ]; then
        equal "$(systemd-analyze verify /run/systemd/generator/s1.service 2>&1)" ''
        said=$(systemctl status --no-pager -l s1)
        contains "$said" 'loaded (/etc/containers/systemd/s1.container; generated)'
        contains "$said" 'berth-relay'
        contains "$(systemd-cgls --no-pager -u s1.service)" payload
        contains "$(systemd-analyze --no-pager critical-chain s1.service)" 's1.service +'
        contains "$(systemd-analyze --no-pager security s1.service)" 'Overall exposure level for s1.service'
    fi
    control "$1" stop s1 >/dev/null
}
# Each result that the job of a start can have (man 5 org.freedesktop.systemd1), of plain units.
job_unit() { # NAME [Unit]-LINES [Service]-LINES
    printf '[Unit]\n%b\n[Service]\nType=oneshot\n%b\n' "$2" "$3" >"/run/systemd/system/job-$1.service"
}
job_results() {
    local name said
    mkdir -p /run/systemd/system
    job_unit done '' 'ExecStart=/bin/true'
    job_unit condition 'ConditionPathExists=/nowhere' 'ExecStart=/bin/false'
    job_unit failed '' 'ExecStart=/bin/sh -c "exit 9"'
    job_unit signal '' 'ExecStart=/bin/sh -c "kill -USR1 $$$$"'
    job_unit slow '' 'TimeoutStartSec=1\nExecStart=/bin/sleep 1000'
    job_unit assert 'AssertPathExists=/nowhere' 'ExecStart=/bin/true'
    job_unit dependency 'Requires=job-failed.service\nAfter=job-failed.service' 'ExecStart=/bin/true'
    job_unit endless '' 'ExecStart=/bin/sleep 1000'
    job_unit timeout 'After=job-endless.service\nJobTimeoutSec=1' 'ExecStart=/bin/true'
    job_unit canceled 'After=job-endless.service' 'ExecStart=/bin/true'
    systemctl daemon-reload
    systemctl start --no-block job-endless
    for name in done condition failed signal slow assert dependency timeout canceled; do
        berth start job-$name >"$WORK/job-$name" 2>&1 && echo 0 >>"$WORK/job-$name" || echo $? >>"$WORK/job-$name" &
    done
    timeout 60 bash -c 'until systemctl list-jobs --no-legend | grep -q job-canceled; do read -rt 0.1 <> <(:) || :; done'
    berth stop job-canceled.service
    wait
    for name in done condition; do equal "$(cat "$WORK/job-$name")" "job-$name.service"$'\n0'; done
    while read -r name said; do
        contains "$(cat "$WORK/job-$name")" "berth: job-$name.service: $said"
        equal "$(tail -n 1 "$WORK/job-$name")" 1
    done <<'END'
failed its main process exited with status 9
signal its main process was killed by signal 10 (SIGUSR1)
slow its start took longer than TimeoutStartSec=
assert an assertion of it does not hold: AssertPathExists=/nowhere
dependency a unit that it requires failed
timeout the job ran out of time in the queue (JobTimeoutSec=)
canceled another job took the place of this one
END
    contains "$(cat "$WORK/job-dependency")" 'job-failed.service: its main process exited with status 9'
    # Nothing can be reloaded that does not run.
    said=$(fails_with 125 berth reload job-done 2>&1)
    equal "$said" 'berth: Job type reload is not applicable for unit job-done.service'
    systemctl stop job-endless
    rm /run/systemd/system/job-*.service
    systemctl daemon-reload
    systemctl reset-failed
}
# Nobody may control the system's units but root, unless polkit says so.
denied() {
    local said verb
    said=$(fails_with 125 as alice berth start --system c1 2>&1)
    contains "$said" 'polkit does not let this account'
    equal "$(wc -l <<<"$said")" 1
    said=$(fails_with 125 as alice berth start --for bob x 2>&1)
    contains "$said" 'only root'
    for verb in stop restart reload mask unmask; do
        said=$(fails_with 125 as alice berth $verb --system c1 2>&1)
        contains "$said" 'polkit does not let this account'
        equal "$(wc -l <<<"$said")" 1
    done
    said=$(fails_with 125 as alice berth daemon-reload --system 2>&1)
    contains "$said" 'polkit does not let this account'
    equal "$(wc -l <<<"$said")" 1
    mkdir /tmp/denied
    cp /etc/containers/systemd/c1.container /tmp/denied/d1.container
    for verb in 'enable --system c1' 'disable --system e2' 'up --system /tmp/denied' 'down --system /tmp/denied'; do
        # shellcheck disable=SC2086 # words
        said=$(fails_with 125 as alice berth $verb 2>&1)
        equal "$(wc -l <<<"$said")" 1
        equal "${said%%[:/]*}" berth
    done
    rm -r /tmp/denied
    equal "$(ls -d /etc/containers/systemd/{c1,e2}.container.d /etc/containers/systemd/d* 2>/dev/null)" ''
    # What is as it should be needs no reload, and so nobody's leave.
    contains "$(as alice berth disable --system c1)" 'already disabled'
}
# A pod as text, in Graphviz's language and as a picture, each read by what knows its form.
drawn() {
    local said edges directory=$WORK/drawn
    mkdir "$directory"
    printf '[Pod]\n' >"$directory/shop.pod"
    printf '[Container]\nImage=localhost/busybox\nPod=shop.pod\nVolume=goods.volume:/d\n' >"$directory/web.container"
    printf '[Unit]\nRequires=web.service odd\\x22name.service\n[Container]\nImage=localhost/busybox\nPod=shop.pod\n' >"$directory/cart.container"
    printf '[Volume]\n' >"$directory/goods.volume"
    edges='cart.service -> shop-pod.service
cart.service -> web.service
web.service -> goods-volume.service
web.service -> shop-pod.service'
    said=$(berth graph "$directory")
    equal "$(head -n 1 <<<"$said")" 'cart.service  (cart.container)'
    contains "$said" '├─ BindsTo   shop-pod.service  (shop.pod)'
    contains "$said" 'Requires  goods-volume.service  (goods.volume)'
    berth graph --format dot "$directory" | python3 "$TESTS/dot.py" >dot.said
    equal "$(grep -- '->' dot.said | grep -v odd | LC_ALL=C sort)" "$edges"
    equal "$(grep -v -- '->\|odd' dot.said | LC_ALL=C sort | tr '\n' ' ')" 'cart.service goods-volume.service shop-pod.service web.service '
    contains "$(grep odd dot.said)" 'cart.service -> odd'
    berth graph --format svg "$directory" | python3 -c '
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.stdin).getroot()
svg = "{http://www.w3.org/2000/svg}"
assert root.tag == svg + "svg", root.tag
titles = [one.text for one in root.iter(svg + "title")]
print("\n".join(sorted(t.split(":")[0] + " -> " + t.split("= ")[1] for t in titles if "odd" not in t)))' >svg.said
    equal "$(cat svg.said)" "$edges"
}
# polkit asks on the terminal for the password of an administrator.
authorised() {
    local status=0
    systemctl stop c1
    usermod -aG sudo -p "$(openssl passwd -6 geheim)" alice
    as alice python3 "$TESTS/terminals.py" 'wait:Password:' hidden 'send:geheim\r' end -- berth start --system c1 || status=$?
    # A change of unit files, and then the reload: two questions.
    as alice python3 "$TESTS/terminals.py" 'wait:Password:' hidden 'send:geheim\r' 'wait:Password:' hidden 'send:geheim\r' end -- berth mask --system e1 || status=$?
    usermod -rG sudo -p '!' alice
    [ $status = 0 ]
    systemctl is-active c1
    systemctl stop c1
    equal "$(systemctl show -P LoadState e1)" masked
    berth unmask e1
}
# One start must survive that the manager is restarted in its middle. (A restarted system bus leaves the machine's logins broken; that of an account does not: bus_restarts.)
survives() {
    local pid
    way_unit root slow <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nNotify=true\nStopTimeout=1\nExec=sleep 1000'
    mkdir -p /run/systemd/system/slow.service.d
    printf '[Service]\nExecStartPre=/bin/sh -c "read x </run/slow.fifo"\n' >/run/systemd/system/slow.service.d/wait.conf
    mkfifo /run/slow.fifo
    systemctl daemon-reload
    berth start slow >/run/slow.said 2>&1 &
    pid=$!
    timeout 20 bash -c 'until [ "$(systemctl show -P SubState slow)" = start-pre ]; do read -rt 0.1 <> <(:) || :; done'
    "$@"
    echo go >/run/slow.fifo
    # No READY=1 comes from a sleep: stopping is what ends it.
    timeout 20 bash -c 'until [ "$(systemctl show -P SubState slow)" = start ]; do read -rt 0.1 <> <(:) || :; done'
    systemctl stop slow
    fails wait "$pid"
    contains "$(cat /run/slow.said)" slow.service
    rm -rf /run/slow.fifo /run/slow.said /run/systemd/system/slow.service.d
    way_gone root slow
}
# So do run -d, stop and rm -f, which speak to the manager themselves.
detached_survives() { # WHO
    local pid shared=/var/tmp/again-$1 spins=0
    rm -rf "$shared"
    as "$1" mkdir -p "$shared"
    wait_for() { until [ -e "$1" ]; do [ $((++spins)) -lt 600 ]; read -rt 0.05 <> <(:) || :; done; }
    as "$1" berth run -d --name reborn --network none --stop-timeout 60 -v "$shared:/s" --sdnotify healthy --health-cmd 'test -e /s/well' --health-interval 200ms \
        localhost/busybox sh -c 'trap "touch /s/asked; until test -e /s/leave; do sleep 0.1; done; exit 0" TERM; touch /s/begun; while :; do sleep 0.1; done' >"$WORK/id" 2>"$WORK/said" &
    pid=$!
    wait_for "$shared/begun"
    manager "$1" daemon-reexec
    as "$1" touch "$shared/well"
    wait $pid
    equal "$(cat "$WORK/said")" ''
    equal "$(as "$1" berth inspect --format '{{.Id}} {{.State.Status}}' reborn)" "$(cat "$WORK/id") running"
    as "$1" "${@:2}" reborn >"$WORK/said" 2>&1 &
    pid=$!
    wait_for "$shared/asked"
    manager "$1" daemon-reexec
    as "$1" touch "$shared/leave"
    wait $pid
    equal "$(cat "$WORK/said")" reborn
    as "$1" berth rm -i -f reborn >/dev/null
    fails_with 1 as "$1" berth container exists reborn
    rm -r "$shared"
}
# A job that Node's half follows over the bus survives that the bus is restarted.
bus_restarts() {
    local pid before stack=/home/alice/stack
    as alice mkdir -p $stack
    printf '%s\n' '[Container]' 'Image=localhost/busybox' 'Network=none' 'StopTimeout=1' 'Notify=healthy' 'HealthCmd=test -e /stack/go' \
        'HealthInterval=200ms' "Volume=$stack:/stack" 'Exec=sleep inf' | as alice tee $stack/patient.container >/dev/null
    as alice berth up $stack >"$WORK/up.said" 2>&1 &
    pid=$!
    timeout 30 bash -c "$(declare -f as manager property); until [ \"\$(property alice patient ActiveState)\" = activating ]; do sleep 0.1; done"
    before=$(property alice dbus MainPID)
    manager alice restart dbus
    fails equal "$(property alice dbus MainPID)" "$before"
    kill -0 $pid
    as alice touch $stack/go
    wait $pid
    contains "$(cat "$WORK/up.said")" 'patient.service: started'
    equal "$(property alice patient ActiveState)" active
    as alice berth down $stack
    rm -r $stack
}

for who in root alice; do
    way_load "$who" "$IMAGES/busybox.tar" >/dev/null
    set_up "$who"
    check "$who: start, restart, stop" starts_and_stops "$who"
    check "$who: a failed start says why" tells_why "$who"
    check "$who: a mistake in the file is told" mistaken "$who"
    check "$who: enable, disable, mask" enables "$who"
    check "$who: status" shows "$who"
done
check 'root for alice: start, restart, stop' starts_and_stops for
check 'root for alice: a failed start says why' tells_why for
check 'root for alice: enable, disable, mask' enables for
check 'instances of templates: enable, disable' enables_instances
check 'root for alice: status' shows for
check 'root for alice: every other verb, before and behind the option' others_for
check 'root for an account of User=: status, why' of_service
check 'alice: a start survives that the bus is restarted' bus_restarts
put_away alice
check 'every result of a job is told' job_results
check 'a user is denied by polkit in one line' denied
check 'a pod is drawn as text, for Graphviz and as a picture' drawn
check 'a password at the terminal is enough for polkit' authorised
put_away root
check 'a start survives that the manager is re-executed' survives systemctl daemon-reexec
for who in root alice; do
    check "$who: run -d and stop survive that the manager is re-executed" detached_survives "$who" berth stop
    check "$who: so does rm -f" detached_survives "$who" berth rm -f
done
finish
