#!/usr/bin/env bash
# Socket activation: a .socket beside a .container, with a privileged port for an account's service, and the client's address.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"
. "$TESTS/far.sh"

# Says which descriptors it was given, and to each client who it is.
SCRIPT='import os, socket
assert os.environ["LISTEN_FDS"] == "1" and os.environ["LISTEN_PID"] == str(os.getpid())
s = socket.socket(fileno=3)
while True:
    c, a = s.accept()
    c.sendall(("%s %s\n" % (os.environ["LISTEN_FDNAMES"], a[0])).encode())
    c.close()'

socket_directory() { if [ "$1" = alice ]; then echo /home/alice/.config/systemd/user; else echo /etc/systemd/system; fi; }

activated() { # WAY PORT
    local way=$1 port=$2 directory
    directory=$(socket_directory "$way")
    as "$(way_manager "$way")" mkdir -p "$directory"
    printf '%s\n' "$SCRIPT" >"$WORK/serve.py"
    printf '[Socket]\nListenStream=127.0.0.1:%s\nFileDescriptorName=door\n' "$port" >"$directory/sock.socket"
    way_unit "$way" sock <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nVolume=/usr:/usr:ro\nVolume=/usr/lib:/lib:ro\nVolume=/usr/lib64:/lib64:ro\nVolume='"$WORK"$'/serve.py:/serve.py:ro\nExec=/usr/bin/python3 /serve.py\nStopTimeout=1'
    manager "$(way_manager "$way")" start sock.socket
    equal "$(way_property "$way" sock ActiveState)" inactive
    # The container has no network at all: what it answers came by the descriptor alone.
    equal "$(timeout 30 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; cat <&3")" 'door 127.0.0.1'
    equal "$(way_property "$way" sock ActiveState)" active
    manager "$(way_manager "$way")" stop sock.socket sock.service
    rm "$directory/sock.socket"
    way_gone "$way" sock
}

# Every form of socket at once, for a container without a network: TCP of both families, datagrams, a path. Clients come from another machine.
FORMS='import os, select, socket
assert os.environ["LISTEN_FDS"] == "4", os.environ["LISTEN_FDS"]
sockets = [socket.socket(fileno=3 + i) for i in range(4)]
while True:
    for s in select.select(sockets, [], [])[0]:
        if s.type == socket.SOCK_DGRAM:
            data, a = s.recvfrom(100)
            s.sendto(("udp %s" % a[0]).encode(), a)
            continue
        c, a = s.accept()
        c.sendall(("tcp %s" % a[0] if a else "path").encode())
        c.close()'
ASK='import socket, sys
kind, family, at = sys.argv[1:]
s = socket.socket(getattr(socket, family), socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
s.settimeout(30)
s.connect(at if family == "AF_UNIX" else (at.rsplit(",", 1)[0], int(at.rsplit(",", 1)[1])))
if kind == "udp":
    s.send(b"?")
print(s.recv(100).decode())'

forms() { # WAY PORT
    local way=$1 port=$2 directory path=/run/forms.sock
    [ "$way" != alice ] || path=/run/user/1000/forms.sock
    directory=$(socket_directory "$way")
    as "$(way_manager "$way")" mkdir -p "$directory"
    printf '%s\n' "$FORMS" >"$WORK/forms.py"
    printf '[Socket]\nBindIPv6Only=ipv6-only\nListenStream=0.0.0.0:%s\nListenStream=[::]:%s\nListenDatagram=0.0.0.0:%s\nListenStream=%s\n' "$port" "$port" "$port" "$path" >"$directory/forms.socket"
    way_unit "$way" forms <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nVolume=/usr:/usr:ro\nVolume=/usr/lib:/lib:ro\nVolume=/usr/lib64:/lib64:ro\nVolume='"$WORK"$'/forms.py:/forms.py:ro\nExec=/usr/bin/python3 /forms.py\nStopTimeout=0'
    manager "$(way_manager "$way")" start forms.socket
    equal "$(way_property "$way" forms ActiveState)" inactive
    # the first datagram waits for the start, too
    equal "$(ip netns exec far python3 -c "$ASK" udp AF_INET "192.0.2.1,$port")" 'udp 192.0.2.50'
    equal "$(way_property "$way" forms ActiveState)" active
    equal "$(ip netns exec far python3 -c "$ASK" tcp AF_INET "192.0.2.1,$port")" 'tcp 192.0.2.50'
    equal "$(ip netns exec far python3 -c "$ASK" tcp AF_INET6 "2001:db8:77::1,$port")" 'tcp 2001:db8:77::50'
    equal "$(python3 -c "$ASK" stream AF_UNIX "$path")" path
    # systemd has the sockets: a container that dies is there again for the next client
    kill -KILL "$(way_property "$way" forms MainPID)"
    equal "$(ip netns exec far python3 -c "$ASK" tcp AF_INET "192.0.2.1,$port")" 'tcp 192.0.2.50'
    manager "$(way_manager "$way")" stop forms.socket forms.service
    rm "$directory/forms.socket"
    way_gone "$way" forms
}

trap 'no_far; rm -rf "$WORK"' EXIT
far
for way in $WAYS; do way_load "$way" "$IMAGES/busybox.tar" || exit 1; done
check 'root: a privileged port' activated root 191
check 'alice: a port of a user manager' activated alice 8191
check 'svc: a privileged port for an account' activated svc 192
check 'root: TCP, UDP and a path, and who asks' forms root 193
check 'alice: TCP, UDP and a path, and who asks' forms alice 8193
check 'svc: TCP, UDP and a path, and who asks' forms svc 194
finish
