#!/usr/bin/env bash
# Networks of accounts, in units of a user manager and with User=: names, ports with the client's address, several networks, and that nothing
# stays when the last container has gone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"
. "$TESTS/far.sh"

SERVE='mkdir -p /w; hostname >/w/index.html; exec busybox httpd -f -p 80 -h /w'
mkdir -p "$WORK/site/cgi-bin" && chmod -R 755 "$WORK/site"
echo hello >"$WORK/site/index.html"
printf '%s\n' '#!/bin/sh' 'printf "\n%s\n" "$REMOTE_ADDR"' >"$WORK/site/cgi-bin/who" && chmod 755 "$WORK/site/cgi-bin/who"
fetch() { echo "until wget -T 2 -qO- http://$1/; do sleep 0.1; done"; }

space() { if [ "$1" = svc ]; then echo berth-netns@990.service; else echo berth-netns.service; fi; }
names() { if [ "$1" = svc ]; then echo berth-names@990.service; else echo berth-names.service; fi; }
wait_until() { timeout ${PATIENCE:-30} bash -c "until $1; do read -rt 0.1 <> <(:) || :; done"; }
processes_of() { pgrep -U "$1" -x 'pasta|pasta.avx2|aardvark-dns|berth-holder|berth-ports' || :; }
is_gone() { # WAY: the unit, its processes and its mounts
    wait_until "[ \"\$(systemctl $([ "$1" = svc ] || echo "--user -M $1@") is-active $(space "$1"))\" = inactive ]"
    equal "$(processes_of "$1")" ''
}

far_curl() { ip netns exec far curl -gsS --max-time 10 --retry 20 --retry-all-errors --retry-delay 1 "$1"; }

way_file() { # WAY NAME.TYPE: the text on standard input; for svc with User=svc
    local text
    text=$(cat)
    [ "$1" != svc ] || text+=$'\n[Service]\nUser=svc\n'
    unit_file "$(way_manager "$1")" "$2" <<<"$text"
}

stack() { # two containers of a network know each other; the port is published; the namespace is a unit that goes with them
    local way=$1 space
    space=$(space "$way")
    way_file "$way" app.network <<<$'[Network]\nSubnet=10.77.6.0/24\nNetworkDeleteOnStop=true'
    way_unit "$way" web <<<$'[Container]\nImage=localhost/busybox\nContainerName=web\nNetwork=app.network:ip=10.77.6.9\nPublishPort=8461:80\nPublishPort=8467:81\nNetworkAlias=www\nUserNS=keep-id:uid=7,gid=7\nUser=0\nVolume='"$WORK"$'/site:/site:ro\nExec=busybox httpd -f -p 80 -h /site\nStopTimeout=1'
    way_unit "$way" client <<<$'[Container]\nImage=localhost/busybox\nContainerName=client\nNetwork=app.network\nExec=sleep inf\nStopTimeout=1'
    way_start "$way" web
    way_start "$way" client
    equal "$(way_property "$way" "$space" ActiveState)" active
    equal "$(way_berth "$way" exec client sh -c "$(fetch web)")" hello
    way_berth "$way" exec client wget -T 5 -qO- http://www/
    contains "$(way_berth "$way" exec web ip -o addr show eth0)" 10.77.6.9/24
    contains "$(way_berth "$way" exec client cat /etc/resolv.conf)" 'nameserver 10.77.6.1'
    way_berth "$way" exec web grep -qE "^ *7 +0 +1\$" /proc/self/uid_map
    contains "$(way_berth "$way" network inspect systemd-app)" 10.77.6.9
    contains "$(fails_with 2 way_berth "$way" network rm systemd-app 2>&1)" 'in use by container'
    # the client's address is seen, and the way out leads both of them to the host
    contains "$(far_curl http://192.0.2.1:8461/cgi-bin/who)" 192.0.2.50
    contains "$(far_curl 'http://[2001:db8:77::1]:8461/cgi-bin/who')" 2001:db8:77::50
    local link
    link=$(ip -6 -o addr show dev out0 scope link | awk '{ sub("/.*", "", $4); print $4 }')
    contains "$(far_curl "http://[$link%25out1]:8461/cgi-bin/who")" fd62:6572:7468:0:
    # what trusts its own loopback there does not trust the host's
    contains "$(curl -sS --max-time 10 http://127.0.0.1:8461/cgi-bin/who)" 10.77.6.9
    equal "$(processes_of "$way" | wc -l)" 4
    # nobody listens behind this one: the client is told at once
    local status=0
    timeout 20 ip netns exec far curl -sS http://192.0.2.1:8467/ || status=$?
    [ "$status" != 0 ] && [ "$status" != 124 ]
    way_berth "$way" exec client wget -T 5 -qO- http://192.0.2.50:8470/
    contains "$(fails_with 125 way_berth "$way" run --rm --cgroups=disabled -p 8461:80 localhost/busybox true 2>&1)" 'in use by container web (web.service)'
    way_berth "$way" exec web wget -T 5 -qO- http://192.0.2.50:8470/
    # the server of the names is killed: systemd starts another, and nothing else moves
    way_berth "$way" exec client nslookup web
    kill -KILL "$(way_property "$way" "$(names "$way")" MainPID)"
    timeout 30 bash -c "$(declare -f way_berth as); until way_berth $way exec client nslookup web; do read -rt 0.1 <> <(:) || :; done" >/dev/null 2>&1
    # restarts meet neither their own port nor their own address
    manager "$(way_manager "$way")" restart web
    curl -sS --max-time 10 --retry 20 --retry-all-errors --retry-delay 1 http://127.0.0.1:8461/ >/dev/null
    way_berth "$way" exec client sh -c "$(fetch web)"
    way_stop "$way" web
    fails curl -sS --max-time 2 http://127.0.0.1:8461/
    equal "$(way_property "$way" "$space" ActiveState)" active
    way_stop "$way" client
    is_gone "$way"
    way_stop "$way" app-network
    fails_with 1 way_berth "$way" network exists systemd-app
    way_gone "$way" web client app.network
}

several() { # a person's containers: two networks, one of them internal, connect and disconnect
    local run='as alice berth run -d --rm --stop-timeout 0'
    as alice berth network create --subnet 10.77.1.0/24 one
    as alice berth network create --subnet 10.77.2.0/24 --ipv6 --internal two
    contains "$(fails_with 125 as alice berth network create --subnet 10.77.2.0/25 x 2>&1)" 'overlaps the network two'
    contains "$(fails_with 125 as alice berth network create --driver macvlan -o parent=out0 x 2>&1)" "only root's"
    $run --name both --network one --network two:interface_name=back localhost/busybox sh -c "$SERVE"
    $run --name hidden --network two localhost/busybox sleep inf
    $run --name late --network one localhost/busybox sh -c "$SERVE"
    as alice berth exec hidden sh -c "$(fetch both)"
    as alice berth exec late sh -c "$(fetch both)"
    fails as alice berth exec hidden wget -T 2 -qO- http://192.0.2.50:8470/
    local said
    said=$(as alice berth exec hidden ip route)
    fails grep default <<<"$said"
    as alice berth exec both ip -o addr show back
    as alice berth network connect --ip 10.77.2.50 two late
    contains "$(as alice berth exec late ip -o addr show eth1)" 10.77.2.50/24
    as alice berth exec hidden sh -c "$(fetch late)"
    contains "$(as alice berth exec late cat /etc/hosts)" $'10.77.2.50\tlate'
    contains "$(as alice berth exec late cat /etc/resolv.conf)" 'nameserver 10.77.2.1'
    as alice berth network disconnect two late
    fails grep 10.77.2. <<<"$(as alice berth exec late cat /etc/hosts /etc/resolv.conf)"
    fails as alice berth exec late ip -o addr show eth1
    as alice berth network disconnect one late # the one that it was started in
    equal "$(as alice berth exec late ls /sys/class/net)" lo
    as alice berth network connect one late
    as alice berth exec late sh -c "$(fetch both)"
    # a foreground container in a scope
    contains "$(as alice berth run --rm --network one localhost/busybox ip route)" 'default via 10.77.1.1'
    contains "$(fails_with 125 as alice berth run --rm --network nothing localhost/busybox true 2>&1)" 'no such network'
    # another account sees nothing of them
    fails_with 1 as bob berth network exists one
    as alice berth stop -t 0 both hidden late
    equal "$(as alice berth network prune -f)" $'one\ntwo'
    is_gone alice
}

in_pod() { # a pod in a network: its members share it, and others reach it by its name
    way_file alice app.network <<<'[Network]'
    way_file alice trio.pod <<<$'[Pod]\nNetwork=app.network\nPublishPort=8462:80'
    way_unit alice web <<<$'[Container]\nImage=localhost/busybox\nPod=trio.pod\nExec=sh -c "'"$SERVE"$'"\nStopTimeout=1'
    way_unit alice client <<<$'[Container]\nImage=localhost/busybox\nContainerName=client\nNetwork=app.network\nExec=sleep inf\nStopTimeout=1'
    manager alice start trio-pod client
    as alice berth exec client sh -c "$(fetch systemd-trio)"
    curl -sS --max-time 10 --retry 20 --retry-all-errors --retry-delay 1 http://127.0.0.1:8462/ >/dev/null
    manager alice stop trio-pod client
    is_gone alice
    manager alice stop app-network
    way_gone alice web client trio.pod app.network
    as alice berth network rm systemd-app
}

# Network=container:NAME and NAME.container: one network namespace, which is as old as the first, and goes with it.
joins() { # WAY
    local way=$1 form namespace
    way_unit "$way" base <<<$'[Container]\nImage=localhost/busybox\nContainerName=base\nExec=sh -c "'"$SERVE"$'"\nStopTimeout=0'
    way_start "$way" base
    for form in container:base base.container; do
        way_unit "$way" joins <<<$'[Container]\nImage=localhost/busybox\nContainerName=joins\nNetwork='$form$'\nExec=sleep inf\nStopTimeout=0'
        way_start "$way" joins
        namespace=$(way_berth "$way" exec base readlink /proc/self/ns/net)
        equal "$(way_berth "$way" exec joins readlink /proc/self/ns/net)" "$namespace"
        [ "$(way_berth "$way" exec joins readlink /proc/self/ns/pid)" != "$(way_berth "$way" exec base readlink /proc/self/ns/pid)" ]
        way_berth "$way" exec joins sh -c "$(fetch 127.0.0.1)"
        equal "$(way_berth "$way" exec joins cat /proc/self/uid_map)" "$(way_berth "$way" exec base cat /proc/self/uid_map)"
        equal "$(way_berth "$way" exec joins cat /etc/resolv.conf)" "$(way_berth "$way" exec base cat /etc/resolv.conf)"
        way_stop "$way" joins
    done
    equal "$(way_berth "$way" run --rm --cgroups=disabled --pid container:base --ipc container:base --uts container:base --network container:base localhost/busybox sh -c 'readlink /proc/self/ns/pid; hostname' 2>/dev/null)" \
        "$(way_berth "$way" exec base sh -c 'readlink /proc/self/ns/pid; hostname')"
    # the file brings the other along, and goes with it
    way_stop "$way" base
    way_start "$way" joins
    equal "$(way_property "$way" base ActiveState)" active
    way_stop "$way" base
    wait_until "[ \"\$(systemctl $([ "$way" = svc ] || echo "--user -M $way@") is-active joins)\" != active ]"
    contains "$(fails_with 125 way_berth "$way" run --rm --network container:nothing localhost/busybox true 2>&1)" 'nothing'
    way_gone "$way" joins base
}

loses_its_network() { # when the namespace dies the containers fail, and Restart= brings them back in a new one
    as alice berth network create one
    way_unit alice web <<<$'[Container]\nImage=localhost/busybox\nContainerName=web\nNetwork=one\nExec=sleep inf\nStopTimeout=1\n[Service]\nRestart=always\nRestartSec=0'
    way_start alice web
    kill -KILL "$(way_property alice berth-netns.service MainPID)"
    wait_until "[ \"\$(systemctl --user -M alice@ show web -P NRestarts)\" -ge 1 ] && [ \"\$(systemctl --user -M alice@ is-active web)\" = active ]"
    as alice berth exec web wget -T 5 -qO- http://192.0.2.50:8470/
    way_gone alice web
    is_gone alice
    contains "$(as alice sh -c 'berth network hold' 2>&1 || :)" 'systemd does this'
    as alice berth network rm one
}

# What carries a network or its ports is killed alone, by the kernel for want of memory or by hand: the unit says so and fails, and Restart= brings back
# both. In a pod that is the pod's affair.
carrier_dies() {
    local old program
    way_file alice app.network <<<'[Network]'
    way_file alice duo.pod <<<$'[Pod]\nPublishPort=8465:80'
    way_unit alice inside <<<$'[Container]\nImage=localhost/busybox\nContainerName=inside\nPod=duo.pod\nExec=sleep inf\nStopTimeout=1'
    way_unit alice lone <<<$'[Container]\nImage=localhost/busybox\nContainerName=lone\nNetwork=app.network\nPublishPort=8466:80\nExec=sh -c "'"$SERVE"$'"\nStopTimeout=1\n[Service]\nRestart=on-failure\nRestartSec=100ms'
    manager alice start duo-pod lone
    for name in duo-pod lone; do
        old=$(way_property alice $name MainPID)
        program=$([ $name = lone ] && echo '/usr/lib/berth/ports .*8466' || echo 'pasta .*8465')
        pkill -KILL -f -- "^$program"
        wait_until "[ \"\$(systemctl --user -M alice@ show $name -P NRestarts)\" = 1 ] && [ \"\$(systemctl --user -M alice@ is-active $name)\" = active ]"
        [ "$(way_property alice $name MainPID)" != "$old" ]
    done
    wait_until '[ "$(systemctl --user -M alice@ is-active inside)" = active ]'
    curl -sS --max-time 10 --retry 20 --retry-all-errors --retry-delay 1 http://127.0.0.1:8466/ >/dev/null
    contains "$(way_journal alice lone)" 'the process that carried the network was killed'
    contains "$(way_journal alice inside)" 'the process that carried the network was killed'
    manager alice stop duo-pod lone
    manager alice stop app-network
    way_gone alice inside lone duo.pod app.network
    as alice berth network rm systemd-app
}

# The namespace comes and goes with each lone container, however often, and the first thing that runs finds its names.
comes_and_goes() {
    local name
    as alice berth network create one
    for name in a b c; do
        as alice berth run --rm --stop-timeout 0 --name $name --network one localhost/busybox nslookup $name
        is_gone alice
    done
    # Without the server of names a container starts all the same, and says so.
    as alice systemctl --user mask --runtime berth-names.service
    local said
    said=$(as alice berth run --rm --stop-timeout 0 --network one localhost/busybox echo up 2>&1) || :
    as alice systemctl --user unmask --runtime berth-names.service
    contains "$said" up
    contains "$said" 'berth: warning: the names of the networks are not served: see systemctl --user status berth-names.service'
    is_gone alice
    as alice berth network rm one
}

# The server of names hears of a new network by a signal, and may come to it late: a start waits until it listens there.
late_names() { # USER
    local user=$1 unit=berth-names.service pid said began
    as "$user" berth network create one
    as "$user" berth network create two
    as "$user" berth run -d --rm --stop-timeout 0 --name there --network two localhost/busybox sleep inf
    as "$user" berth exec there nslookup there
    pid=$(property "$user" $unit MainPID)
    kill -STOP "$pid"
    (sleep 1; kill -CONT "$pid") &
    began=$(now)
    said=$(as "$user" berth run --rm --stop-timeout 0 --name late --network one localhost/busybox nslookup late 2>&1) || { echo "$said"; return 1; }
    contains "$said" 'Name:'
    echo "after $(($(now) - began)) ms"
    as "$user" berth stop there
    as "$user" berth network rm one two
    [ "$user" = root ] || is_gone "$user"
}

# Who wants the namespace again while it goes has names all the same; so it is after a restart of it.
comes_again() { # WAY
    local way=$1 manager space
    manager=$(way_manager "$way")
    space=$(space "$way")
    is_served() { wait_until "[ \"\$(systemctl $([ "$way" = svc ] || echo "--user -M $way@") is-active lone "$(names "$way")" | xargs)\" = 'active active' ]"; }
    way_file "$way" again.network <<<$'[Network]\nNetworkDeleteOnStop=true'
    way_unit "$way" lone <<<$'[Container]\nImage=localhost/busybox\nContainerName=lone\nNetwork=again.network\nExec=sleep inf\nStopTimeout=0'
    manager "$manager" edit --runtime --stdin --drop-in=slow "$space" <<<"[Service]
ExecStop=/bin/sh -c 'until [ -e $WORK/go.$way ]; do sleep 0.1; done'"
    way_start "$way" lone
    is_served
    way_stop "$way" lone
    wait_until "[ \"\$(systemctl $([ "$way" = svc ] || echo "--user -M $way@") is-active $space)\" = deactivating ]"
    manager "$manager" start --no-block lone
    touch "$WORK/go.$way"
    is_served
    way_berth "$way" exec lone nslookup lone
    manager "$manager" restart "$space"
    is_served
    way_berth "$way" exec lone nslookup lone
    way_stop "$way" lone
    manager "$manager" revert "$space"
    is_gone "$way"
    way_stop "$way" again-network
    way_gone "$way" lone again.network
}

now() { local at=${EPOCHREALTIME/./}; echo $((at / 1000)); }
# All of them at once. The time is a figure: it is below two seconds on a quiet machine, and on a busy one the questions alone take as long.
wait_names() { # SINCE ADDRESS COMMAND…
    local since=$1 address=$2 name waiting=()
    shift 2
    for name in "$@"; do
        (
            until [[ $($name timeout 1 nslookup where.example 2>&1) == *"$address"* ]]; do
                [ $(($(now) - since)) -lt 30000 ] || { echo "$name:"; $name cat /etc/resolv.conf; exit 1; }
            done
            echo "# $name: names after $(($(now) - since)) ms" >>"$WORK/took"
        ) &
        waiting+=($!)
    done
    for name in "${waiting[@]}"; do wait "$name"; done
}

# A server of names that has one answer to all questions, on an address of a namespace.
answers() { # NAMESPACE ADDRESS ANSWER
    ip netns exec "$1" python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
while True:
    q, a = s.recvfrom(512)
    end = q.index(0, 12) + 5
    known = q[end - 4:end - 2] == bytes((0, 1))
    s.sendto(q[:2] + bytes((0x81, 0x80, 0, 1, 0, known, 0, 0, 0, 0)) + q[12:end] + (bytes((0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)) + socket.inet_aton(sys.argv[2]) if known else b""), a)' "$2" "$3" >/dev/null 2>&1 &
}

# The default route, the host's address on it and its resolver change under running containers: the way out is there again within 2 s, and
# so are names, in files that the containers have not changed themselves.
host_moves() {
    local name
    kept=$WORK/resolv.conf # for the trap, which outlives the function
    cp /etc/resolv.conf "$kept"
    ip netns add near && ip link add out2 type veth peer name out3 netns near
    trap 'cp "$kept" /etc/resolv.conf; ip netns pids near | xargs -r kill; ip netns del near; ip link del out2 2>/dev/null || :; ip addr replace 192.0.2.1/24 dev out0; ip route replace default via 192.0.2.50' EXIT
    ip -n near link set lo up && ip -n far link set lo up
    ip -n near addr add 198.51.100.50/24 dev out3 && ip -n near link set out3 up
    # the same far server behind both
    for name in near far; do ip -n $name addr add 203.0.113.9/32 dev lo; done
    mkdir -p "$WORK/near" && echo near >"$WORK/near/index.html"
    ip netns exec near busybox httpd -p 8470 -h "$WORK/near"
    answers far 192.0.2.50 203.0.113.1
    local server=$!
    answers near 198.51.100.50 203.0.113.2
    echo 'nameserver 192.0.2.50' >/etc/resolv.conf
    as alice berth network create one
    as alice berth run -d --rm --stop-timeout 0 --name plain --network pasta localhost/busybox sleep inf
    as alice berth run -d --rm --stop-timeout 0 --name own --network pasta localhost/busybox sh -c 'echo "# mine" >>/etc/resolv.conf; exec sleep inf'
    as alice berth run -d --rm --stop-timeout 0 --name bridged --network one localhost/busybox sleep inf
    as alice berth run -d --rm --stop-timeout 0 --name ports --network one -p 8463:80 localhost/busybox sleep inf
    berth run -d --rm --stop-timeout 0 --name rooted localhost/busybox sleep inf
    way_unit svc moved <<<$'[Container]\nImage=localhost/busybox\nContainerName=moved\nNetwork=pasta\nStopTimeout=0\nExec=sleep inf'
    way_start svc moved
    local all=('as alice berth exec plain' 'as alice berth exec bridged' 'as alice berth exec ports' 'berth exec rooted' 'way_berth svc exec moved')
    for name in "${all[@]}"; do
        equal "$($name wget -T 5 -qO- http://203.0.113.9:8470/)" far
        contains "$($name nslookup where.example)" 203.0.113.1
    done
    ip addr add 198.51.100.1/24 dev out2 && ip link set out2 up
    ip route replace default via 198.51.100.50
    ip addr del 192.0.2.1/24 dev out0
    echo 'nameserver 198.51.100.50' >/etc/resolv.conf
    wait_names "$(now)" 203.0.113.2 "${all[@]}"
    for name in "${all[@]}"; do equal "$($name wget -T 2 -qO- http://203.0.113.9:8470/)" near; done
    contains "$(as alice berth exec own cat /etc/resolv.conf)" '# mine'
    # and back
    ip addr add 192.0.2.1/24 dev out0 && ip route replace default via 192.0.2.50
    echo 'nameserver 192.0.2.50' >/etc/resolv.conf
    wait_names "$(now)" 203.0.113.1 'as alice berth exec plain' 'way_berth svc exec moved'
    kill $server
    berth stop rooted
    way_gone svc moved
    as alice berth stop plain own bridged ports
    as alice berth network rm one
    is_gone alice
}

# Two accounts with the same names, subnets and port numbers: each has its own, and is told of a port that the other has.
two_accounts() {
    local user address=192.0.2.1
    for user in alice bob; do
        as "$user" berth network create --subnet 10.77.9.0/24 one
        as "$user" berth run -d --rm --stop-timeout 0 --name web --hostname "box-$user" --network one -p "$address":8464:80 localhost/busybox sh -c "$SERVE"
        as "$user" berth run -d --rm --stop-timeout 0 --name client --network one localhost/busybox sleep inf
        address=127.0.0.1
    done
    for user in alice bob; do
        equal "$(as "$user" berth exec client sh -c "$(fetch web)")" "box-$user"
        equal "$(as "$user" berth ps --format '{{.Names}}' | sort | tr '\n' ' ')" 'client web '
    done
    equal "$(curl -sS --max-time 10 http://192.0.2.1:8464/) $(curl -sS --max-time 10 http://127.0.0.1:8464/)" 'box-alice box-bob'
    contains "$(fails_with 125 as bob berth run --rm --network one -p 64:80 localhost/busybox true 2>&1)" 'port 64 may not be published by this account'
    contains "$(fails_with 125 as bob berth run --rm --network one -p 192.0.2.1:8464:80 localhost/busybox true 2>&1)" 'port 8464/tcp is in use'
    as bob berth stop web client
    equal "$(as alice berth exec client sh -c "$(fetch web)")" box-alice
    as alice berth stop web client
    for user in alice bob; do
        as "$user" berth network rm one
        is_gone "$user"
    done
}

# The namespace is being stopped when the next container wants it.
one_after_the_other() {
    as alice berth network create one
    local i
    for i in 1 2 3 4 5; do
        as alice berth run -d --rm --name single --network one localhost/busybox:latest sleep inf
        as alice berth rm -f -t 0 single
    done
    as alice berth run --rm --network one localhost/busybox:latest true
    as alice berth network rm one
    is_gone alice
}

trap 'no_far; rm -rf "$WORK"' EXIT
far
mkdir -p "$WORK/far" && echo far >"$WORK/far/index.html"
ip netns exec far busybox httpd -p 8470 -h "$WORK/far"
as root berth load -q -i $IMAGES/busybox.tar
as alice berth load -q -i $IMAGES/busybox.tar
way_load svc $IMAGES/busybox.tar
check 'alice: a .network, names, a published port, restarts, and nothing stays' stack alice
check 'svc: the same with User=' stack svc
check 'several networks, an internal one, connect and disconnect, prune' several
as bob berth load -q -i $IMAGES/busybox.tar
check 'route, address and resolver of the host change under running containers' host_moves
cat "$WORK/took" 2>/dev/null
check 'two accounts do not see each other' two_accounts
check 'alice: the network of another container' joins alice
check 'svc: the same with User=' joins svc
check 'a pod in a network' in_pod
check 'the namespace comes and goes with a lone container, and its names are there at once' comes_and_goes
for user in alice root; do check "$user: names are there at once, though their server hears of them late" late_names $user; done
check 'containers of run in a network, one right after the other' one_after_the_other
check 'alice: the namespace is wanted again while it goes' comes_again alice
check 'svc: the same with User=' comes_again svc
check 'what carries a network is killed: containers and pods come back with another' carrier_dies
check 'the namespace dies: containers come back with a new one' loses_its_network
finish
