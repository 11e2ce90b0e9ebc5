#!/usr/bin/env bash
# Rapid restarts (RESTARTS, default 500) of a unit with published ports, in each network that publishes them (WAYS and NETWORKS choose): none may
# meet its own port.
ways_chosen=${WAYS:-root alice svc}
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../ways.sh"
RESTARTS=${RESTARTS:-500}
SERVE='sh -c "mkdir -p /w; echo hello >/w/index.html; exec busybox httpd -f -p 80 -h /w"'

restarts() { # WAY NETWORK
    local way=$1 round began=$SECONDS udp=8494:84/udp
    # All of TCP: an account's have no pasta then.
    [ "$2" != app.network ] || udp=8494:84
    [ "$2" != app.network ] || unit_file "$(way_manager "$way")" app.network <<<$'[Network]\nNetworkDeleteOnStop=true'"$([ "$way" != svc ] || printf '\n[Service]\nUser=svc')"
    way_unit "$way" ports <<<$'[Container]\nImage=localhost/busybox\nNetwork='"$2"$'\nPublishPort=8490:80\nPublishPort=8491-8493:81-83\nPublishPort='"$udp"$'\nStopSignal=SIGKILL\nExec='"$SERVE"$'\n[Unit]\nStartLimitIntervalSec=0'
    for ((round = 0; round <= RESTARTS; round++)); do
        manager "$(way_manager "$way")" restart ports || { echo "restart $round:"; way_journal "$way" ports | tail -n 5; return 1; }
    done
    equal "$(curl -sS --max-time 5 --retry 20 --retry-all-errors --retry-delay 1 http://127.0.0.1:8490/)" hello
    equal "$(way_journal "$way" ports | grep -iE 'in use|bind' || :)" ''
    equal "$(way_property "$way" ports NRestarts)" 0
    echo "# $way, $2: $RESTARTS restarts in $((SECONDS - began)) s" >&3
}

gone() { # WAY NETWORK
    way_gone "$1" ports
    [ "$2" != app.network ] || way_gone "$1" app.network
    timeout 30 bash -c 'while pgrep "^(pasta|aardvark|berth-holder|berth-ports)" || ls /sys/class/net | grep -q ^berth || ss -Htuln | grep -E ":849[0-4] "; do read -rt 0.1 <> <(:) || :; done' >/dev/null
}

exec 3>&1
[ -e /etc/resolv.conf ] || echo 'nameserver 192.0.2.53' >/etc/resolv.conf
# The way out, without which pasta has nothing to copy.
ip link add out0 type veth peer name out1 && ip addr add 192.0.2.1/24 dev out0 && ip link set out0 up && ip link set out1 up && ip route add default via 192.0.2.50
for way in $ways_chosen; do
    way_load "$way" "$IMAGES/busybox.tar" >/dev/null || exit 1
    for network in ${NETWORKS:-$([ "$way" = root ] && echo bridge || echo pasta) app.network}; do
        check "$way, $network: $RESTARTS restarts" restarts "$way" "$network"
        check "$way, $network: nothing stays" gone "$way" "$network"
    done
done
finish
