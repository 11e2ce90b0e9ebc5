#!/usr/bin/env bash
# Our own entries in the journal: starts, changes of health, ends, pulls; with ids that the catalog explains.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"
START=fe96800bb44a46cf900442133ebc1db1
DIED=adbda65e843c4b7b96499029789b975d
HEALTH=fc730a7446594675be7dea3ddd5ed1da

entries() { # MESSAGE_ID MATCH…: as JSON, one per line
    local id=$1
    shift
    journalctl --sync
    journalctl --quiet --no-pager -o json "MESSAGE_ID=$id" "$@"
}
field() { # NAME: of the one entry on standard input
    python3 -c 'import json, sys; print(json.loads(sys.stdin.readline()).get(sys.argv[1], ""))' "$1"
}
until_entry() { # MESSAGE_ID MATCH…: the entry, within 30 s
    local end=$((SECONDS + 30)) got
    until got=$(entries "$@") && [ -n "$got" ]; do
        [ $SECONDS -lt $end ] || { echo "no such entry: $*" >&2; return 1; }
        sleep 0.1
    done
    echo "$got"
}

of_a_unit() { # WAY
    local name=ev$$$1 entry unit=_SYSTEMD_UNIT
    [ "$1" != alice ] || unit=_SYSTEMD_USER_UNIT
    way_unit "$1" "$name" <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nExec=sh -c "echo its own line; touch /tmp/ok; sleep inf"\nHealthCmd=test -f /tmp/ok\nHealthInterval=100ms\nHealthRetries=1\nHealthStartPeriod=20s'
    way_start "$1" "$name"
    entry=$(until_entry $START "$unit=$name.service")
    equal "$(wc -l <<<"$entry")" 1
    equal "$(field BERTH_EVENT <<<"$entry") $(field BERTH_TYPE <<<"$entry") $(field BERTH_NAME <<<"$entry")" "start container systemd-$name"
    equal "$(field BERTH_IMAGE <<<"$entry") $(field PRIORITY <<<"$entry")" 'localhost/busybox:latest 6'
    equal "$(field BERTH_ID <<<"$entry")" "$(way_berth "$1" inspect --format '{{.Id}}' "systemd-$name")"
    entry=$(until_entry $HEALTH "$unit=$name.service")
    equal "$(field BERTH_HEALTH <<<"$entry") $(field BERTH_NAME <<<"$entry") $(field MESSAGE <<<"$entry")" "healthy systemd-$name berth: health: healthy"
    way_berth "$1" exec "$name" rm /tmp/ok
    entry=$(until_entry $HEALTH "$unit=$name.service" BERTH_HEALTH=unhealthy)
    equal "$(field PRIORITY <<<"$entry")" 4
    # They are no output of the container.
    [ "$1" = svc ] || equal "$(way_berth "$1" logs "$name")" 'its own line'
    # Its end has one entry, with the status that systemd tells.
    manager "$(way_manager "$1")" kill --kill-whom=main -s KILL "$name"
    entry=$(until_entry $DIED "BERTH_NAME=systemd-$name")
    equal "$(wc -l <<<"$entry") $(field BERTH_EXIT_STATUS <<<"$entry")" '1 137'
    way_gone "$1" "$name"
}
changes() { # what people do with a container
    local since name=evc$$
    since=$(date +%s)
    as alice berth run -d --name $name --network none localhost/busybox sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done' >/dev/null
    as alice berth pause $name
    as alice berth unpause $name
    as alice berth commit -q $name ev-image >/dev/null
    as alice berth stop $name
    as alice berth rename $name new$name
    journalctl --sync
    equal "$(as alice berth events --since "$since" --stream=false --filter type=container --format '{{.Status}} {{.Name}} {{.Image}}' | grep "evc$$" | tr '\n' ';')" \
        "start $name localhost/busybox:latest;pause $name localhost/busybox:latest;unpause $name localhost/busybox:latest;commit $name localhost/ev-image:latest;died $name localhost/busybox:latest;rename new$name localhost/busybox:latest;"
    equal "$(as alice berth events --since "$since" --stream=false --filter event=died --filter container=$name --format '{{.ContainerExitCode}}')" 5
    contains "$(journalctl -x --no-pager -q "BERTH_NAME=$name" BERTH_EVENT=pause)" "Container $name was paused"
    as alice berth rm new$name
    as alice berth rmi ev-image >/dev/null
}
of_a_person() {
    local entry
    fails_with 3 berth run --rm --name evp$$ --network none localhost/busybox sh -c 'exit 3'
    entry=$(until_entry $START "BERTH_NAME=evp$$")
    equal "$(field BERTH_IMAGE <<<"$entry")" localhost/busybox:latest
    entry=$(until_entry $DIED "BERTH_NAME=evp$$")
    equal "$(field BERTH_EXIT_STATUS <<<"$entry")" 3
}
without_relay() { # LogDriver=passthrough leaves nothing of ours behind that could speak
    local entry
    unit_file root "evq$$" <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nLogDriver=passthrough\nStopTimeout=1\nExec=sleep inf'
    systemctl start "evq$$"
    until_entry $START "BERTH_NAME=systemd-evq$$" >/dev/null
    unit_gone root "evq$$"
    # Stopped by us: nobody has told its status.
    entry=$(until_entry $DIED "BERTH_NAME=systemd-evq$$")
    equal "$(field BERTH_EXIT_STATUS <<<"$entry")" ''
}
of_a_failed_pull() {
    local entry
    fails_with 125 berth pull -q "localhost:1/nosuch$$" 2>/dev/null
    entry=$(until_entry 01c89bac9bd44c34875d1053fe507c84 "BERTH_NAME=localhost:1/nosuch$$")
    contains "$(field BERTH_ERROR <<<"$entry")" refused
    unit_file root "evr$$" <<<$'[Container]\nImage=localhost:1/unit'$$$'\nNetwork=none'
    fails systemctl start "evr$$" 2>/dev/null
    until_entry 01c89bac9bd44c34875d1053fe507c84 "_SYSTEMD_UNIT=evr$$.service" >/dev/null
    unit_gone root "evr$$"
}
explained() {
    local said
    [ -n "$(journalctl --list-catalog $START)" ]
    journalctl --sync
    said=$(journalctl --quiet --no-pager -x -n 1 "MESSAGE_ID=$START" "BERTH_NAME=evp$$")
    contains "$said" "Subject: Container evp$$ runs"
    contains "$said" 'Documentation: man:berth(1)'
    contains "$said" 'localhost/busybox'
}

for way in $WAYS; do
    way_load "$way" "$IMAGES/busybox.tar" >/dev/null
    check "$way: start and health of a unit" of_a_unit "$way"
done
check 'start and end of what a person runs' of_a_person
check 'start without a relay' without_relay
check 'pause, commit, rename and an end with a status' changes
check 'pulls that fail' of_a_failed_pull
check 'the catalog explains them' explained
finish
