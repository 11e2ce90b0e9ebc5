#!/usr/bin/env bash
# Inside the machine, in which a much older package is installed; /var/tmp/new.deb is today's.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

starts() { # WAY: with the old one
    way_load "$1" "$IMAGES/busybox.tar"
    way_unit "$1" lasting-$1 <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nVolume=kept:/kept\nExec=sh -c "trap \'exit 0\' TERM; echo old >/kept/who; while :; do sleep 0.1; done"'
    way_start "$1" lasting-$1
    way_property "$1" lasting-$1 MainPID >"$WORK/pid-$1"
    [ "$1" = svc ] || way_berth "$1" run -d --name typed --network none localhost/busybox sleep 100000
}
replaced() {
    cp /usr/bin/berth "$WORK/old"
    dpkg --install /var/tmp/new.deb
    ! cmp -s /usr/bin/berth "$WORK/old"
    systemctl daemon-reload
    manager alice daemon-reload
}
is_seen() { # WAY
    equal "$(way_property "$1" lasting-$1 MainPID)" "$(cat "$WORK/pid-$1")"
    equal "$(way_property "$1" lasting-$1 ActiveState)" active
    equal "$(way_berth "$1" exec "systemd-lasting-$1" cat /kept/who)" old
    contains "$(way_berth "$1" ps --format '{{.Names}}')" "systemd-lasting-$1"
    contains "$(way_berth "$1" inspect "systemd-lasting-$1")" localhost/busybox
    way_berth "$1" images >/dev/null
}
ends_and_starts() { # WAY
    way_stop "$1" lasting-$1
    equal "$(way_property "$1" lasting-$1 Result)" success
    ! way_berth "$1" ps -a --format '{{.Names}}' | grep -x "systemd-lasting-$1"
    way_start "$1" lasting-$1
    equal "$(way_berth "$1" exec "systemd-lasting-$1" cat /kept/who)" old
    way_stop "$1" lasting-$1
}
typed_ends() { # WAY: what a person has started with the old one
    equal "$(way_berth "$1" exec typed echo reached)" reached
    way_berth "$1" rm -f -t 0 typed
    ! way_berth "$1" ps -a --format '{{.Names}}' | grep -x typed
}
restarts() { # WAY: a running service, by its new lines alone
    way_start "$1" lasting-$1
    manager "$(way_manager "$1")" restart lasting-$1
    equal "$(way_property "$1" lasting-$1 ActiveState)" active
    way_gone "$1" lasting-$1
}

for way in $WAYS; do check "$way: the old one starts its containers" starts "$way"; done
check "the new package takes the old one's place" replaced
for way in $WAYS; do
    check "$way: the container runs on, and is seen" is_seen "$way"
    check "$way: the new one stops it, and starts it on the old one's store" ends_and_starts "$way"
    [ "$way" = svc ] || check "$way: what was typed ends, too" typed_ends "$way"
    check "$way: a restart" restarts "$way"
done
finish
