#!/usr/bin/env bash
# Networks: pasta for accounts, the bridge for root; published ports, names, ports in use, and that nothing stays.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"
SERVE='sh -c "mkdir -p /w; echo hello from $$HOSTNAME >/w/index.html; trap \"exit 0\" TERM; busybox httpd -f -p 80 -h /w & wait"'

fetch() { curl -sS --max-time 5 --retry 20 --retry-all-errors --retry-delay 0 --retry-max-time 20 "$@"; }

images() {
    as root berth load -q -i $IMAGES/busybox.tar
    as alice berth load -q -i $IMAGES/busybox.tar
    way_load svc $IMAGES/busybox.tar
}

serves() { # WAY PORT
    way_unit "$1" net-"$1" <<<$'[Container]\nImage=localhost/busybox\nHostName=box\nPublishPort='"$2"$':80\nExec='"$SERVE"
    way_start "$1" net-"$1"
    equal "$(fetch "http://127.0.0.1:$2/")" 'hello from box'
    way_stop "$1" net-"$1"
    fails fetch --retry 0 "http://127.0.0.1:$2/" 2>/dev/null
    # A restart must not meet its own port.
    way_start "$1" net-"$1"
    manager "$(way_manager "$1")" restart net-"$1"
    equal "$(fetch "http://127.0.0.1:$2/")" 'hello from box'
    way_gone "$1" net-"$1"
    fails pgrep ^pasta
}

# The payload crashes: the helper must not stay, nor the rules.
crash_leaves_nothing() { # WAY PORT
    way_unit "$1" net-"$1" <<<$'[Container]\nImage=localhost/busybox\nPublishPort='"$2"$':80\nExec=sh -c "kill -KILL $$$$; exec sleep inf"'
    way_start "$1" net-"$1" || true
    kill -KILL "$(way_property "$1" net-"$1" MainPID)" 2>/dev/null || true
    timeout 10 bash -c 'while pgrep ^pasta >/dev/null; do read -rt 0.05 <> <(:) || :; done'
    way_gone "$1" net-"$1"
    fails grep "dport $2 " <<<"$(nft list ruleset 2>/dev/null)"
    [ ! -e /sys/class/net/berth0 ]
}

udp_and_ranges() {
    as alice berth run -d --rm --name span -p 127.0.0.1:8101-8103:81-83 -p 8104:84/udp localhost/busybox sleep inf
    contains "$(ss -Htln)" '127.0.0.1:8103 '
    contains "$(ss -Huln)" ':8104 '
    as alice berth stop -t 0 span
    fails grep -E ':810[1-4] ' <<<"$(ss -Htuln)"
}

both_families() { # of the host's addresses
    # A host with addresses: where there are none but link-local ones pasta 2025-05-03 connects to those, without their interface.
    ip link add six0 type veth peer name six1
    ip link set six1 up
    ip link set six0 up
    ip addr add 198.51.100.6/24 dev six0
    ip addr add fd00:6::1/64 dev six0 nodad
    ip route add default dev six0
    ip -6 route add default dev six0
    as alice berth run -d --rm --name six -p 8105:80 -p '[::1]:8106:80' localhost/busybox sh -c 'mkdir -p /w; echo six >/w/index.html; exec busybox httpd -f -p 80 -h /w'
    local at
    for at in 127.0.0.1:8105 '[::1]:8105' '[::1]:8106'; do equal "$(fetch -g "http://$at/")" six; done
    fails fetch --retry 0 http://127.0.0.1:8106/ 2>/dev/null
    contains "$(fails_with 125 as bob berth run --rm -p '[::1]:8106:80' localhost/busybox true 2>&1)" 'port 8106/tcp is in use'
    contains "$(fails_with 125 berth run --rm -p '[::1]:8106:80' localhost/busybox true 2>&1)" 'port 8106/tcp is in use'
    as alice berth stop -t 0 six
    ip link del six0
}

sctp() { # root's are netavark's; pasta has none
    berth run -d --rm --name sctp -p 8107-8108:81-82/sctp localhost/busybox sleep inf
    contains "$(nft list ruleset)" 'sctp dport 8107-8108'
    contains "$(fails_with 125 berth run --rm -p 8108:80/sctp localhost/busybox true 2>&1)" 'in use by container sctp'
    berth stop -t 0 sctp
    contains "$(fails_with 125 as alice berth run --rm -p 8107:81/sctp localhost/busybox true 2>&1)" 'pasta does not carry sctp'
}

in_use() { # USER
    python3 -m http.server --bind 127.0.0.1 8111 >/dev/null 2>&1 &
    local server=$! said
    timeout 5 bash -c 'until ss -Htln | grep -q 127.0.0.1:8111; do read -rt 0.05 <> <(:) || :; done'
    said=$(fails_with 125 as "$1" berth run --rm --name taken -p 8111:80 localhost/busybox true 2>&1)
    kill $server
    contains "$said" 'port 8111/tcp is in use'
    [ "$1" != root ] || contains "$said" "python3 (process $server"
    equal "$(grep -c . <<<"$said")" 1
    as "$1" berth run --rm --name taken -p 8111:80 localhost/busybox true
}

# In which families a socket listens is its own affair; whose it is an account is told of its own processes.
listeners_of() { # USER
    cat >listen.py <<'PY'
import signal, socket, sys
for address, port, only in (('::', 8113, 1), ('::', 8114, 0), ('::ffff:127.0.0.1', 8115, 0)):
    s = socket.socket(socket.AF_INET6)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
    s.bind((address, port))
    s.listen()
    globals()[f's{port}'] = s
open(sys.argv[1], 'w').close()
signal.pause()
PY
    rm -f /tmp/listens && as "$1" python3 "$WORK/listen.py" /tmp/listens &
    timeout 5 bash -c 'until [ -e /tmp/listens ]; do read -rt 0.05 <> <(:) || :; done'
    local holder said port
    holder=$(pgrep -f "^python3 $WORK/listen.py")
    as "$1" berth run --rm -p 127.0.0.1:8113:80 localhost/busybox true
    for port in 8113 '[::1]:8113' 127.0.0.1:8114 127.0.0.1:8115; do
        said=$(fails_with 125 as "$1" berth run --rm -p "$port:80" localhost/busybox true 2>&1)
        contains "$said" "port ${port##*:}/tcp is in use by python3 (process $holder"
        equal "$(grep -c . <<<"$said")" 1
    done
    as "$1" berth run --rm -p '[::1]:8115:80' localhost/busybox true
    kill "$holder"
}

taken_by_a_container() {
    berth run -d --rm --name first -p 8112:80 localhost/busybox sleep inf
    contains "$(fails_with 125 berth run --rm --name second -p 8112:80 localhost/busybox true 2>&1)" 'in use by container first'
    berth stop -t 0 first
}

privileged_port() {
    contains "$(fails_with 125 as alice berth run --rm -p 80:80 localhost/busybox true 2>&1)" 'ip_unprivileged_port_start'
}

containers_meet() {
    berth run -d --rm --name web localhost/busybox sh -c 'mkdir /w; echo met >/w/index.html; exec busybox httpd -f -p 80 -h /w'
    local address
    address=$(berth exec web ip -4 -o addr show eth0 | sed 's/.*inet \([0-9.]*\).*/\1/')
    equal "$(berth run --rm localhost/busybox sh -c "until wget -qO- http://$address/; do sleep 0.1; done")" met
    berth stop -t 0 web
    [ ! -e /sys/class/net/berth0 ]
}

addresses() {
    contains "$(berth run --rm --network bridge:interface_name=lan --ip "$1" --mac-address 02:00:00:00:00:09 localhost/busybox ip addr show lan)" "$1/16"
    contains "$(fails_with 125 berth run --rm --ip 192.0.2.1 localhost/busybox true 2>&1)" 'not in 10.'
}

subnet() { berth run --rm localhost/busybox ip -4 -o addr show eth0 | sed 's/.*inet \(10\.[0-9]*\).*/\1/'; }

none_and_host() {
    unit_file root shared <<<$'[Container]\nImage=localhost/busybox\nNetwork=host\nPublishPort=8121:80\nExec=sleep inf\nStopTimeout=0'
    manager root start shared
    equal "$(berth port shared)" ''
    unit_gone root shared
    equal "$(as alice berth run --rm --network none localhost/busybox ip -o link | grep -vc ' lo:' || true)" 0
    contains "$(as alice berth run --rm --network none localhost/busybox ip -o link show lo)" UP
    contains "$(as alice berth run --rm --network bridge localhost/busybox ip -o link)" ' eth0'
    equal "$(as alice berth run --rm --network host localhost/busybox readlink /proc/self/ns/net)" "$(readlink /proc/self/ns/net)"
}

names() { # USER GATEWAY
    local hosts
    hosts=$(as "$1" berth run --rm --hostname box --name named --add-host db:192.0.2.7 --add-host up:host-gateway localhost/busybox cat /etc/hosts)
    contains "$hosts" $'192.0.2.7\tdb'
    contains "$hosts" $'\tup'
    contains "$hosts" $'\thost.containers.internal host.docker.internal'
    contains "$hosts" $'\tbox named'
    # Who shares its network reaches the host at the same address; what such a network cannot give is told, or refused.
    as "$1" berth run -d --rm --name named --stop-timeout 0 localhost/busybox sleep inf >/dev/null
    hosts=$(as "$1" berth run --rm -p 8121:80 --network container:named --add-host up:host-gateway localhost/busybox cat /etc/hosts 2>said)
    equal "$(awk '$2 == "up" { print $1 }' <<<"$hosts")" "$(as "$1" berth exec named awk '$2 == "host.containers.internal" { print $1 }' /etc/hosts)"
    equal "$(cat said)" 'berth: warning: --publish has no effect with --network container: nothing is published'
    contains "$(fails_with 125 as "$1" berth run --rm --network container:named --dns 192.0.2.53 localhost/busybox true 2>&1)" '--dns, '
    as "$1" berth stop named
    equal "$(as "$1" berth run --rm --network host --network-alias www localhost/busybox true 2>&1)" \
        'berth: warning: --network-alias has no effect with --network host: nobody asks for names there'
    equal "$(as "$1" berth run --rm --hostname box localhost/busybox sh -c 'cat /etc/hostname; hostname')" $'box\nbox'
    equal "$(as "$1" berth run --rm --dns 192.0.2.53 --dns-search example.org --dns-option ndots:2 localhost/busybox cat /etc/resolv.conf)" \
        $'search example.org\nnameserver 192.0.2.53\noptions ndots:2'
}

# What /etc/hosts begins with: a file, that of the image, nothing.
hosts_file() {
    local own=$'127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.0.1\tbox'
    based() { berth run --rm --network none --hostname box --name box --hosts-file "$1" "${2:-localhost/busybox}" cat /etc/hosts; }
    echo '192.0.2.9 base # old' >base
    equal "$(based none)" "$own"
    equal "$(based base)" $'192.0.2.9\tbase\n'"$own"
    berth run --name based --no-hosts localhost/busybox sh -c 'echo 192.0.2.8 inside >/etc/hosts'
    berth commit -q based localhost/based >/dev/null
    equal "$(based image localhost/based)" $'192.0.2.8\tinside\n'"$own"
    equal "$(based image)" "$own"
    berth rm based
    berth rmi localhost/based >/dev/null
    contains "$(fails_with 125 based /etc/absent 2>&1)" '--hosts-file /etc/absent: '
    berth pod create --hosts-file base grouped >/dev/null
    berth pod start grouped >/dev/null
    contains "$(berth run --rm --pod grouped localhost/busybox cat /etc/hosts)" $'192.0.2.9\tbase\n127.0.0.1\tlocalhost\n'
    berth pod rm -f grouped >/dev/null
}

# The words that Podman gives pasta are those that it gets from us.
as_podman() {
    as alice podman load -q -i $IMAGES/busybox.tar >/dev/null
    as alice podman run -d --name peer -p 8121:80 localhost/busybox sleep inf >/dev/null
    as alice berth run -d --rm --name ours -p 8122:80 localhost/busybox sleep inf >/dev/null
    local words
    words=$(for pid in $(pgrep ^pasta); do tr '\0' '\n' <"/proc/$pid/cmdline" | grep '^--\(config-net\|dns-forward\|no-map-gw\|map-guest-addr\|quiet\)' | sort | tr '\n' ' '; echo; done)
    as alice podman rm -f -t 0 peer >/dev/null
    as alice berth stop -t 0 ours
    equal "$(grep -c . <<<"$words")" 2
    equal "$(sort -u <<<"$words" | grep -c .)" 1
}

refusals() {
    contains "$(fails_with 125 as root berth run --rm --network pasta localhost/busybox true 2>&1)" 'pasta does not run as root'
    contains "$(fails_with 125 as alice berth run --rm --network blue localhost/busybox true 2>&1)" '--network blue'
}

without_helpers() {
    unshare --mount bash -c 'mount --bind /dev/null /usr/lib/podman/netavark; berth run --rm localhost/busybox true' 2>said && return 1
    contains "$(cat said)" 'install the package netavark'
    equal "$(grep -c . said)" 1
}

check 'the images are there' images
check 'root: a published port answers, and is free after the stop' serves root 8131
check 'alice: a published port answers, and is free after the stop' serves alice 8132
check 'svc: a published port answers, and is free after the stop' serves svc 8133
check 'root: a crash leaves no rules and no bridge' crash_leaves_nothing root 8134
check 'alice: a crash leaves no pasta' crash_leaves_nothing alice 8135
check 'svc: a crash leaves no pasta' crash_leaves_nothing svc 8136
check 'ranges, addresses and udp' udp_and_ranges
as bob berth load -q -i $IMAGES/busybox.tar
check 'both families' both_families
check 'SCTP' sctp
check 'root: a port in use is named with who has it' in_use root
check 'alice: a port in use is named' in_use alice
for user in root alice; do check "$user: who listens in one family, or with an address of the other" listeners_of $user; done
check 'a port of another container is in use' taken_by_a_container
check 'a privileged port names the limit' privileged_port
check 'containers of the bridge reach each other; the last one takes the bridge along' containers_meet
check 'an address, a mac address and a name of the interface' addresses "$(subnet).7.7"
check 'none has only lo, bridge a link to others, host has the host' none_and_host
check 'root: hosts, hostname, resolv.conf' names root
check 'alice: hosts, hostname, resolv.conf' names alice
check 'a base of /etc/hosts' hosts_file
check 'pasta is started as Podman starts it' as_podman
check 'what is not there is refused by name' refusals
check 'a missing netavark is one line with the package' without_helpers
finish
