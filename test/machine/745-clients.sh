#!/usr/bin/env bash
# Who asks: clients of another machine reach published ports of TCP, UDP and SCTP, and the server sees their addresses.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"
. "$TESTS/far.sh"

# Answers each client, by TCP and by UDP, with its address.
cat >"$WORK/serve.py" <<'PY'
import socket, threading

def tcp():
    s = socket.create_server(('::', 80), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        c, a = s.accept()
        c.sendall(a[0].encode())
        c.close()

threading.Thread(target=tcp).start()
u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
u.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
u.bind(('::', 80))
while True:
    data, a = u.recvfrom(2000)
    u.sendto(data + b' ' + a[0].encode(), a)
PY
# ask.py tcp|udp ADDRESS PORT: what the server says; it may be starting yet.
cat >"$WORK/ask.py" <<'PY'
import socket, sys, time
kind, address, port = sys.argv[1:]
family = socket.AF_INET6 if ':' in address else socket.AF_INET
end = time.monotonic() + 20
while time.monotonic() < end:
    s = socket.socket(family, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
    s.settimeout(1)
    try:
        s.connect((address, int(port)))
        if kind == 'udp':
            s.send(b'hello')
        said = s.recv(2000).decode()
        if said:
            print(said)
            sys.exit(0)
    except OSError:
        time.sleep(0.1)
sys.exit('no answer')
PY
PYTHON='-v /usr:/usr:ro -v /usr/lib:/lib:ro -v /usr/lib64:/lib64:ro'
ask() { ip netns exec far python3 "$WORK/ask.py" "$@" | sed 's/::ffff://'; }

published() { # WAY PORT [LINES]: a unit
    way_unit "$1" "seen-$1" <<<$'[Container]\nImage=localhost/busybox\nPublishPort='"$2:80"$'\nPublishPort='"$2:80/udp"$'\nVolume=/usr:/usr:ro\nVolume=/usr/lib:/lib:ro\nVolume=/usr/lib64:/lib64:ro\nVolume='"$WORK"$'/serve.py:/serve.py:ro\nExec=/usr/bin/python3 /serve.py\nStopTimeout=0\n'"${3:-}"
    way_start "$1" "seen-$1"
    equal "$(ask tcp 192.0.2.1 "$2")" 192.0.2.50
    equal "$(ask udp 192.0.2.1 "$2")" 'hello 192.0.2.50'
}

seen() { # WAY PORT: on the default network, root's bridge or pasta
    published "$1" "$2"
    if [ "$1" != root ]; then
        equal "$(ask tcp 2001:db8:77::1 "$2")" 2001:db8:77::50
        equal "$(ask udp 2001:db8:77::1 "$2")" 'hello 2001:db8:77::50'
    fi
    way_end "$1" "seen-$1"
}

seen_in_a_network() { # WAY PORT: one with names
    way_berth "$1" network create own
    published "$1" "$2" Network=own
    way_end "$1" "seen-$1"
    way_berth "$1" network rm own
}

# The kernel need not have SCTP: the packet that asks for an association is made by hand, and looked for in the container.
sctp() {
    cat >"$WORK/look.py" <<'PY'
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_SCTP)
print('looks', flush=True)
packet, (address, _) = s.recvfrom(2000)
at = (packet[0] & 15) * 4
print(address, *struct.unpack('>HH', packet[at:at + 4]), flush=True)
PY
    cat >"$WORK/begin.py" <<'PY'
import socket, struct, sys

def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff

init = struct.pack('>BBHIIHHI', 1, 0, 20, 77, 65536, 1, 1, 99)
head = struct.pack('>HHI', 5000, int(sys.argv[2]), 0)
packet = head + struct.pack('<I', crc32c(head + bytes(4) + init)) + init
socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_SCTP).sendto(packet, (sys.argv[1], 0))
PY
    # shellcheck disable=SC2086 # words
    berth run -d --name looks --cap-add net_raw -p 8109:82/sctp $PYTHON -v "$WORK/look.py:/look.py:ro" localhost/busybox /usr/bin/python3 /look.py
    timeout 20 bash -c 'until berth logs looks 2>&1 | grep -q ^looks; do read -rt 0.1 <> <(:) || :; done'
    ip netns exec far python3 "$WORK/begin.py" 192.0.2.1 8109
    timeout 10 berth wait looks
    contains "$(berth logs looks 2>&1)" '192.0.2.50 5000 82'
    berth rm looks
}

trap 'no_far; rm -rf "$WORK"' EXIT
far
for way in $WAYS; do way_load "$way" "$IMAGES/busybox.tar" || exit 1; done
port=8471
for way in $WAYS; do
    check "$way: the addresses of clients on the default network" seen "$way" $((port++))
    check "$way: the addresses of clients in a network with names" seen_in_a_network "$way" $((port++))
done
check 'root: SCTP arrives, with the address it came from' sctp
finish
