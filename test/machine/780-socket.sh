#!/usr/bin/env bash
# Socket activation: a .socket beside a .container, with a privileged port for an account's service, and the client's address.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

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

for way in $WAYS; do way_load "$way" "$IMAGES/busybox.tar" || exit 1; done
check 'root: a privileged port' activated root 191
check 'alice: a port of a user manager' activated alice 8191
check 'svc: a privileged port for an account' activated svc 192
finish
