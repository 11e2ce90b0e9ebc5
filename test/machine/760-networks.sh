#!/usr/bin/env bash
# Networks of root: the verbs, .network units, names, several networks, addresses, and that nothing stays.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

SERVE='mkdir -p /w; hostname >/w/index.html; exec busybox httpd -f -p 80 -h /w'
run() { berth run --rm "$@"; }
fetch='until wget -T 2 -qO- http://$0/; do sleep 0.1; done'

life() {
    equal "$(berth network create --label a=b --subnet 10.77.3.0/24 --ip-range 10.77.3.64/26 --gateway 10.77.3.9 blue)" blue
    contains "$(fails_with 125 berth network create blue 2>&1)" 'there is a network'
    equal "$(berth network create --ignore blue)" blue
    berth network exists blue
    fails_with 1 berth network exists green
    equal "$(berth network ls --format '{{.Name}} {{.Driver}} {{.Subnets}}' --filter label=a)" 'blue bridge 10.77.3.0/24'
    equal "$(berth network inspect blue | jq -r '.[0] | .subnets[0].gateway, .subnets[0].lease_range.start_ip, .dns_enabled')" $'10.77.3.9\n10.77.3.64\ntrue'
    equal "$(berth network inspect --format '{{.Name}} {{.DNSEnabled}} {{range .Subnets}}{{.Gateway}} {{.LeaseRange.StartIP}}{{end}}' blue)" 'blue true 10.77.3.9 10.77.3.64'
    contains "$(run --network blue localhost/busybox ip -4 -o addr show eth0)" 10.77.3.64/24
    contains "$(run --network blue localhost/busybox ip route)" 'default via 10.77.3.9'
    [ ! -e /sys/class/net/berth1 ]
    equal "$(berth network rm blue)" blue
    fails_with 1 berth network rm blue
}

names() { # containers of a network find each other by name, alias and short host name; others do not
    berth network create red
    berth run -d --rm --name web --network red --network-alias www --hostname box localhost/busybox sh -c "$SERVE"
    equal "$(run --network red localhost/busybox sh -c "$fetch" web)" box
    equal "$(run --network red localhost/busybox sh -c "$fetch" www)" box
    contains "$(run --network red localhost/busybox cat /etc/resolv.conf)" 'search dns.podman'
    fails run localhost/busybox timeout 3 wget -qO- http://web/
    contains "$(fails_with 2 berth network rm red 2>&1)" 'in use by container web'
    equal "$(berth network inspect red | jq -r '.[0].containers.web.addresses | length')" 1
    berth stop -t 0 web
    berth network rm red
    timeout 20 bash -c 'while pgrep -x aardvark-dns >/dev/null; do read -rt 0.1 <> <(:) || :; done'
}

names_come_back() { # the server of the names is killed: systemd starts another, and nothing else moves
    berth network create red
    berth run -d --rm --name web --network red --hostname box localhost/busybox sh -c "$SERVE"
    berth run -d --rm --name client --network red localhost/busybox sleep inf
    berth exec client sh -c "$fetch" web
    equal "$(property root berth-names MainPID)" "$(pgrep -x aardvark-dns)"
    kill -KILL "$(property root berth-names MainPID)"
    equal "$(timeout 30 berth exec client sh -c "$fetch" web)" box
    # with none running, the next container's start has it, and the others have it again
    systemctl kill -s KILL berth-names
    equal "$(run --network red localhost/busybox sh -c "$fetch" web)" box
    equal "$(timeout 30 berth exec client sh -c "$fetch" web)" box
    berth stop -t 0 web client
    berth network rm red
    timeout 30 bash -c 'while pgrep -x aardvark-dns >/dev/null; do read -rt 0.1 <> <(:) || :; done'
    timeout 30 bash -c 'until [ "$(systemctl is-active berth-names)" = inactive ]; do read -rt 0.1 <> <(:) || :; done'
}

several() {
    berth network create --subnet 10.77.1.0/24 one
    berth network create --subnet 10.77.2.0/24 --internal two
    local seen
    seen=$(run --network one:ip=10.77.1.5 --network two:interface_name=back,mac=02:00:00:00:00:07 localhost/busybox ip -o addr)
    contains "$seen" 10.77.1.5/24
    contains "$seen" 'back '
    contains "$(run --network two localhost/busybox sh -c 'ip route')" '10.77.2.0/24'
    seen=$(run --network two localhost/busybox ip route)
    fails grep default <<<"$seen"
    contains "$(fails_with 125 run --network one --network one localhost/busybox true 2>&1)" 'named twice'
    berth network rm one two
}

ipv6() {
    berth network create --ipv6 --subnet 10.77.4.0/24 --subnet fd77:1::/64 six
    contains "$(run --network six localhost/busybox ip -6 -o addr show eth0)" fd77:1::2/64
    contains "$(run --network six --ip6 fd77:1::99 localhost/busybox ip -6 -o addr show eth0)" fd77:1::99/64
    berth network rm six
}

connects() {
    berth network create --subnet 10.77.5.0/24 late
    local before
    berth run -d --rm --name joiner localhost/busybox sh -c "$SERVE"
    berth run -d --rm --name beside --network container:joiner --stop-timeout 0 localhost/busybox sleep inf
    berth run -d --rm --name db --network late --hostname box localhost/busybox sh -c "$SERVE"
    before=$(berth exec joiner cat /etc/hosts /etc/resolv.conf)
    # What it writes there is no name of its own.
    berth exec joiner sh -c 'head -c 5000 /dev/zero | tr "\0" x >/etc/hostname'
    berth network connect --alias other --ip 10.77.5.50 late joiner
    contains "$(berth exec joiner ip -o addr show eth1)" 10.77.5.50/24
    contains "$(berth exec joiner cat /etc/hosts)" $'10.77.5.50\tjoiner'
    run --network late localhost/busybox sh -c "$fetch" other >/dev/null
    # It finds the others, too, and so does who shares its network.
    for name in joiner beside; do equal "$(timeout 20 berth exec $name sh -c "$fetch" db)" box; done
    berth network disconnect late joiner
    fails berth exec joiner ip -o addr show eth1 2>/dev/null
    equal "$(berth exec joiner cat /etc/hosts /etc/resolv.conf)" "$before"
    berth network connect late joiner
    # Also the network of its start, which the next start brings back; a network that is joined again has its ports.
    berth network disconnect podman joiner
    equal "$(berth exec joiner ls /sys/class/net | sort | xargs)" 'eth1 lo'
    contains "$(fails_with 125 berth network disconnect podman joiner 2>&1)" 'is not in the network podman'
    berth network connect podman joiner
    equal "$(berth exec joiner ls /sys/class/net | sort | xargs)" 'eth0 eth1 lo'
    berth network disconnect berth joiner
    equal "$(timeout 20 berth exec joiner sh -c "$fetch" db)" box
    equal "$(berth exec joiner awk '$2 == "host.containers.internal" { print $1 }' /etc/hosts)" 10.77.5.1
    berth stop -t 0 db beside
    equal "$(berth ps --filter name=joiner --format '{{.Networks}}')" late
    equal "$(berth ps --filter network=podman --filter name=joiner -q)" ''
    berth stop -t 0 joiner
    unit_file root leaver <<<$'[Container]\nImage=localhost/busybox\nNetwork=late\nPublishPort=8162:80\nExec=sh -c "'"$SERVE"$'"\nStopTimeout=1'
    manager root start leaver
    local get='curl -sS --max-time 5 --retry 10 --retry-all-errors --retry-delay 1 http://127.0.0.1:8162/'
    $get >/dev/null
    # Its ports are published in a network that it was joined to, too.
    berth network connect podman leaver
    $get >/dev/null
    equal "$(berth network disconnect late systemd-leaver 2>&1)" ''
    $get >/dev/null
    contains "$(berth network disconnect podman leaver 2>&1)" 'leaver: its ports are published no more'
    equal "$(berth exec leaver ls /sys/class/net)" lo
    fails berth exec leaver grep host.containers.internal /etc/hosts
    fails curl -sS --max-time 2 http://127.0.0.1:8162/ 2>/dev/null
    # They were free meanwhile.
    berth run -d --rm --name taker --stop-timeout 0 -p 8162:80 localhost/busybox sleep inf >/dev/null
    contains "$(fails_with 125 berth network connect late leaver 2>&1)" 'port 8162/tcp is in use by container taker'
    equal "$(berth exec leaver ls /sys/class/net)" lo
    berth stop taker
    berth network connect late leaver
    contains "$(berth exec leaver cat /etc/hosts)" $'10.77.5.1\thost.containers.internal'
    $get >/dev/null
    berth network disconnect late leaver
    manager root restart leaver
    $get >/dev/null
    unit_gone root leaver
    timeout 20 bash -c 'while ls /sys/class/net | grep -q ^berth; do read -rt 0.1 <> <(:) || :; done'
    berth network rm late
}

unit() {
    mkdir -p /etc/containers/systemd
    printf '%s\n' '[Network]' Subnet=10.77.6.0/24 Gateway=10.77.6.1 Label=x=y NetworkDeleteOnStop=true >/etc/containers/systemd/app.network
    unit_file root web <<<$'[Container]\nImage=localhost/busybox\nContainerName=web\nNetwork=app.network\nPublishPort=8161:80\nExec=sh -c "'"$SERVE"$'"\nStopTimeout=1'
    unit_file root shares <<<$'[Container]\nImage=localhost/busybox\nNetwork=web.container\nExec=sleep inf\nStopTimeout=1'
    manager root start shares
    equal "$(property root app-network ActiveState)" active
    curl -sS --max-time 10 --retry 20 --retry-all-errors --retry-delay 1 http://127.0.0.1:8161/ >/dev/null
    equal "$(berth exec systemd-shares wget -qO- http://127.0.0.1/)" "$(berth exec web hostname)"
    unit_gone root shares
    unit_gone root web
    manager root stop app-network
    fails_with 1 berth network exists systemd-app
    rm /etc/containers/systemd/app.network
    manager root daemon-reload
}

crash_leaves_nothing() {
    berth network create crash
    berth run -d --rm --name victim --network crash -p 8162:80 localhost/busybox sleep 1000
    kill -KILL "$(berth inspect --format '{{.State.Pid}}' victim)"
    # the rules go after the interface
    timeout 20 bash -c 'while ls /sys/class/net | grep -q ^berth || nft list ruleset | grep -E "dport 8162 |netavark.*crash"; do read -rt 0.1 <> <(:) || :; done'
    berth network rm crash
}

lingers() { # what keeps the namespace of a dead container alive keeps neither interface nor bridge nor rules
    berth network create slow
    berth run -d --rm --name held --network slow -p 8163:80 localhost/busybox sleep 1000
    local pid
    pid=$(berth inspect --format '{{.State.Pid}}' held)
    exec 5<"/proc/$pid/ns/net"
    berth kill held >/dev/null
    timeout 20 bash -c 'while ls /sys/class/net | grep -qE "^(berth|veth)" || nft list ruleset | grep -E "dport 8163 |nv_.*slow"; do read -rt 0.1 <> <(:) || :; done'
    exec 5<&-
    berth network rm slow
}

macvlan() { # a container on the wire of an interface of the host, in the subnet of that wire
    ip link add mv0 type veth peer name mv1 && ip link set mv0 up && ip link set mv1 up && ip addr add 10.80.0.1/24 dev mv1
    trap 'ip link del mv0' EXIT
    contains "$(fails_with 125 berth network create -d macvlan -o parent=nope0 --subnet 10.80.0.0/24 x 2>&1)" 'no such interface'
    contains "$(fails_with 125 berth network create -d macvlan -o parent=mv0 x 2>&1)" 'give the --subnet'
    local kind seen
    for kind in macvlan ipvlan; do
        berth network create -d $kind -o parent=mv0 --subnet 10.80.0.0/24 --ip-range 10.80.0.128/25 wire
        # The kernel may have been built without it.
        if ip link add link mv0 name probe0 type $kind 2>/dev/null; then
            ip link del probe0
            seen=$(run --network wire localhost/busybox sh -c 'ip -o addr show eth0; ip route; wget -T 5 http://10.80.0.1:1/ 2>&1 || :')
            contains "$seen" 10.80.0.128/24
            contains "$seen" 'default via 10.80.0.1'
            contains "$seen" refused
        else
            contains "$(fails_with 125 run --network wire localhost/busybox true 2>&1)" 'berth: netavark setup: '
        fi
        berth network rm wire
    done
}

# ip(8) leaves its directory mounted.
end_server() { ip netns del server && umount /run/netns && rmdir /run/netns; }
dhcp() { # addresses of a server on the wire: the same at each start, given back at each end
    contains "$(fails_with 125 berth network create --ipam-driver dhcp x 2>&1)" 'only with --driver macvlan'
    contains "$(fails_with 125 berth network create -d macvlan -o parent=lo --ipam-driver dhcp --subnet 10.81.0.0/24 x 2>&1)" 'leave out --subnet'
    ip netns add server && ip link add mv0 type veth peer name mv1 netns server && ip link set mv0 up
    # The kernel may have been built without it.
    if ! ip link add link mv0 name probe0 type macvlan 2>/dev/null; then
        end_server
        return 0
    fi
    ip link del probe0
    ip -n server addr add 10.81.0.1/24 dev mv1 && ip -n server link set mv1 up
    printf '%s\n' 'start 10.81.0.100' 'end 10.81.0.150' 'interface mv1' 'option subnet 255.255.255.0' 'option router 10.81.0.1' 'option dns 10.81.0.53' \
        'option lease 600' "lease_file $WORK/leases" "pidfile $WORK/pid" >udhcpd.conf
    : >leases
    ip netns exec server busybox udhcpd -f "$WORK/udhcpd.conf" >udhcpd.log 2>&1 &
    # not local: the trap outlives the function
    server=$!
    trap 'kill $server; ip link del mv0; end_server' EXIT
    local seen
    berth network create -d macvlan -o parent=mv0 --ipam-driver dhcp wire
    for _ in 1 2; do
        seen=$(run --name leased --network wire localhost/busybox sh -c 'ip -o -4 addr show eth0; ip route; cat /etc/resolv.conf /etc/hosts')
        contains "$seen" 'default via 10.81.0.1'
        contains "$seen" 'nameserver 10.81.0.53'
        [[ $seen =~ inet\ (10.81.0.1[0-9]+)/24 ]] && contains "$seen" "${BASH_REMATCH[1]}"$'\t'
        echo "${BASH_REMATCH[1]}" >>got
        equal "$(grep -c 10.81.0 /run/podman/nv-proxy.lease || true)" 0
    done
    equal "$(sort -u got | wc -l)" 1
    berth network rm wire
}

bad_input() {
    berth network create --subnet 10.77.7.0/29 small
    contains "$(fails_with 125 berth network create --subnet 10.77.7.4/30 x 2>&1)" 'overlaps the network small'
    ip link add dummy7 type veth peer name dummy8 && ip addr add 10.76.0.1/24 dev dummy7 && ip link set dummy7 up
    contains "$(fails_with 125 berth network create --subnet 10.76.0.0/16 x 2>&1)" 'overlaps the route 10.76.0.0/24'
    ip link del dummy7
    contains "$(fails_with 125 berth network create --subnet 10.77.8.0/24 --gateway 10.77.9.1 x 2>&1)" 'the gateway is outside'
    contains "$(fails_with 125 berth network create --driver vxlan x 2>&1)" 'no such network driver'
    contains "$(fails_with 125 berth network create --subnet 10.77.8.0 x 2>&1)" 'not a subnet'
    contains "$(fails_with 125 berth network create host 2>&1)" 'not a name of a network'
    contains "$(fails_with 125 run --network nothing localhost/busybox true 2>&1)" 'no such network'
    contains "$(fails_with 125 run --network small:ip=10.77.9.9 localhost/busybox true 2>&1)" 'not in 10.77.7.0/29'
    local i
    for i in 1 2 3 4 5; do berth run -d --rm --name full$i --network small localhost/busybox sleep 1000; done
    contains "$(fails_with 125 run --network small localhost/busybox true 2>&1)" 'has no free address'
    berth network rm --force --time 0 small
    equal "$(berth ps -aq)" ''
}

# Helpers that are not there, or too old: one line, with the package or the version. Units and people are told the same.
helpers() {
    local program package way said
    berth network create --subnet 10.77.12.0/24 told
    as alice berth network create --subnet 10.77.12.0/24 told
    aside() { mv "$1" "$1.aside"; }
    back() { for program in /usr/lib/podman/netavark /usr/lib/podman/aardvark-dns /usr/bin/pasta; do [ ! -e $program.aside ] || mv $program.aside $program; done; }
    trap 'back' EXIT
    for way in root alice; do
        way_unit $way "told-$way" <<<$'[Container]\nImage=localhost/busybox\nNetwork=told\nExec=sleep inf\nStopTimeout=0'
        for program in netavark aardvark-dns; do
            aside /usr/lib/podman/$program
            said=$(fails_with 125 as $way berth run --rm --network told localhost/busybox true 2>&1 | grep -v 'names of the networks are not served')
            contains "$said" "$program is not installed; install the package $program"
            equal "$(grep -c . <<<"$said")" 1
            fails way_start $way "told-$way"
            contains "$(way_journal $way "told-$way")" "$program is not installed; install the package $program"
            back
            [ $way = root ] || manager alice reset-failed
        done
    done
    aside /usr/bin/pasta
    for way in alice svc; do
        [ $way = svc ] || { said=$(fails_with 125 as $way berth run --rm localhost/busybox true 2>&1) && equal "$(grep -c . <<<"$said")" 1; }
        way_unit $way "told-$way" <<<$'[Container]\nImage=localhost/busybox\nNetwork=pasta\nExec=sleep inf\nStopTimeout=0'
        fails way_start $way "told-$way"
        for said in "${said:-}" "$(way_journal $way "told-$way")"; do contains "$said" 'install the package passt'; done
    done
    back
    # The versions are asked when the files have changed, and only then.
    local asked=$WORK/asked
    aside /usr/lib/podman/netavark
    printf '#!/bin/sh\n[ "$1" != --version ] || { echo asked >>%s; echo "netavark 1.4.0"; }\n' "$asked" >/usr/lib/podman/netavark && chmod 755 /usr/lib/podman/netavark
    said=$(fails_with 125 run --network told localhost/busybox true 2>&1)
    contains "$said" "netavark has version 'netavark 1.4.0': Berth needs 1.10 or a later 1.x"
    equal "$(grep -c . <<<"$said")" 1
    printf '#!/bin/sh\n[ "$1" != --version ] || { echo asked >>%s; echo "netavark 2.0.1"; exit; }\nexec %s.aside "$@"\n' "$asked" /usr/lib/podman/netavark >/usr/lib/podman/netavark
    : >"$asked"
    contains "$(run --network told localhost/busybox echo up 2>&1)" "berth: warning: /usr/lib/podman/netavark has version 'netavark 2.0.1'"
    equal "$(run --network told localhost/busybox echo up 2>&1)" up
    equal "$(cat "$asked")" asked
    back
    equal "$(run --network told localhost/busybox echo up 2>&1)" up
    for way in root alice svc; do way_end $way "told-$way"; done
    berth network rm told
    as alice berth network rm told
}

# aardvark-dns wants to know whom to ask.
[ -e /etc/resolv.conf ] || { echo 'nameserver 192.0.2.53' >/etc/resolv.conf; trap 'rm -rf "$WORK" /etc/resolv.conf' EXIT; }
as root berth load -q -i $IMAGES/busybox.tar
check 'a network is made, listed, shown, used and removed' life
check 'containers of a network know each other by name' names
check 'names outlive the death of their server' names_come_back
check 'several networks, addresses, an internal one' several
check 'IPv6' ipv6
check 'connect and disconnect' connects
check '.network units, and Network=web.container' unit
check 'a crash leaves neither bridge nor rules' crash_leaves_nothing
check 'a namespace that something keeps alive keeps nothing else' lingers
check 'macvlan and ipvlan' macvlan
check 'DHCP' dhcp
check 'bad input is one line' bad_input
as alice berth load -q -i $IMAGES/busybox.tar
way_load svc $IMAGES/busybox.tar
check 'helpers that are missing or too old' helpers
finish
