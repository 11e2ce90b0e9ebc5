#!/usr/bin/env bash
# `create` makes a container that `start` runs, and follows with --attach; `restart` and `start` for several containers.
. "$(dirname "$0")/lib.sh"

create() { # WHO OPTION…
    local who=$1
    shift
    as "$who" berth create --network none "$@"
}
for who in root alice; do as "$who" berth load -q -i "$IMAGES/busybox.tar" >/dev/null; done
gone() { equal "$(as "$1" berth ps -a -q)" ''; }

followed() { # from its first line, on both streams, with its status; and again
    local id round
    id=$(create "$1" --name made localhost/busybox sh -c 'echo out; echo err >&2; exit 3')
    equal "$(as "$1" berth ps -a --format '{{.ID}} {{.State}} {{.Status}}' --no-trunc)" "$id created Created"
    equal "$(as "$1" berth ps -q)" ''
    equal "$(as "$1" berth inspect made --format '{{.Id}} {{.State.Status}} {{.State.Running}} {{.State.StartedAt}}')" "$id created false 0001-01-01T00:00:00Z"
    fails_with 125 create "$1" --name made localhost/busybox true
    for round in 1 2; do
        fails_with 3 as "$1" berth start --attach made >"$WORK/out" 2>"$WORK/err"
        equal "$(cat "$WORK/out")" out
        equal "$(cat "$WORK/err")" err
        equal "$(as "$1" berth inspect made --format '{{.Id}} {{.State.ExitCode}}')" "$id 3"
    done
    as "$1" berth rm made
    # What is gone with its end tells its status, too.
    create "$1" --rm --name made localhost/busybox sh -c 'exit 4'
    fails_with 4 as "$1" berth start -a made
    gone "$1"
}
check 'root: what is created is started, and followed to its end' followed root
check 'alice: what is created is started, and followed to its end' followed alice

typed() {
    create "$1" --interactive --name cat localhost/busybox cat
    equal "$(echo hello | as "$1" berth start -a -i cat)" hello
    as "$1" berth rm cat
    # One that was made without --interactive has none.
    create "$1" --name cat localhost/busybox cat
    equal "$(echo hello | as "$1" berth start -ai cat)" ''
    as "$1" berth rm cat
    gone "$1"
}
check 'alice: standard input of start --interactive' typed alice

files() { # are there before the start, and volumes with it
    local id
    id=$(create "$1" -v named:/data -v /anonymous localhost/busybox sh -c 'cat /data/../put; [ -d /anonymous ]')
    echo put >"$WORK/put"
    chmod 644 "$WORK/put"
    as "$1" berth cp "$WORK/put" "$id:/put"
    equal "$(as "$1" berth diff "$id")" 'A /put'
    as "$1" berth cp "$id:/etc/passwd" - | tar -t | grep -qx passwd
    fails_with 2 as "$1" berth volume rm named
    equal "$(as "$1" berth volume ls -q | wc -l)" 2
    equal "$(as "$1" berth start -a "$id")" put
    as "$1" berth rm -v "$id"
    as "$1" berth volume rm named
    equal "$(as "$1" berth volume ls -q)" ''
    # A removal takes away what never ran; an image that it uses stays until then.
    id=$(create "$1" localhost/busybox true)
    fails_with 2 as "$1" berth rmi localhost/busybox
    as "$1" berth rm "$id"
    gone "$1"
}
check 'root: files and volumes of a container that never ran' files root
check 'alice: files and volumes of a container that never ran' files alice

several() {
    local name
    for name in a b c; do create "$1" --name "$name" --stop-timeout 0 localhost/busybox sleep 1000; done
    as "$1" berth start a b
    equal "$(as "$1" berth restart --running --time 0 | sort)" $'a.service\nb.service'
    equal "$(as "$1" berth ps --format '{{.Names}}' --sort names)" $'a\nb'
    equal "$(as "$1" berth start --all)" c.service
    equal "$(as "$1" berth ps --format '{{.Names}}' --sort names)" $'a\nb\nc'
    as "$1" berth rm -f -a
    # Nobody waits for the stop of one that ignores its signal; by any name of its, and none is left stopped.
    as "$1" berth run -d --name deaf --network none --stop-timeout 300 localhost/busybox sh -c 'trap "" TERM; while :; do sleep 1; done' >/dev/null
    unit_file "$1" named <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=300\nExec=sh -c "trap : TERM; while :; do sleep 1; done"'
    manager "$1" start named
    local before after word
    for word in deaf named.service systemd-named; do
        before=$(property "$1" "${word#systemd-}" MainPID)
        as "$1" berth restart -t 0 "$word"
        after=$(property "$1" "${word#systemd-}" MainPID)
        [ "$before" != "$after" ] && [ "$after" != 0 ]
    done
    fails_with 125 as "$1" berth restart -t 0 no-such-one
    contains "$(fails_with 125 berth restart --for "$1" -t 0 deaf 2>&1)" '--time is for containers of the own account'
    as "$1" berth stop -t 0 systemd-named
    unit_gone "$1" named
    as "$1" berth rm -f -t 0 deaf
    gone "$1"
}
check 'alice: start --all, restart --running, restart --time' several alice

failing() { # says why, and is still there
    create "$1" --name bad localhost/busybox no-such-command
    fails_with 1 as "$1" berth start bad 2>"$WORK/err"
    contains "$(cat "$WORK/err")" 'exec no-such-command: no such file or directory'
    fails_with 1 as "$1" berth start -a bad
    as "$1" berth rm bad
    fails_with 125 create "$1" --name bad --retry 0 no-such.example/image:1 2>"$WORK/err"
    fails_with 125 create "$1" --name bad --memory nonsense localhost/busybox true
    gone "$1"
    [ ! -e "$(if [ "$1" = root ]; then echo /var/lib/berth; else echo "/home/$1/.local/share/berth"; fi)/containers/bad" ]
}
taken() { # a unit's name, that of a container that waits, and a network that it is going to be in
    contains "$(fails_with 125 create "$1" --name dbus localhost/busybox true 2>&1)" 'there is a unit dbus.service already'
    create "$1" --rm --name waits localhost/busybox true
    fails_with 125 create "$1" --name waits localhost/busybox true
    fails_with 125 as "$1" berth run --rm --name waits --network none localhost/busybox true
    as "$1" berth rm waits
    as "$1" berth network create own
    as "$1" berth create --network own:alias=x --name waits localhost/busybox true
    fails_with 2 as "$1" berth network rm own
    as "$1" berth network rm -f own
    gone "$1"
}
check 'root: names and networks that are taken' taken root
check 'alice: names and networks that are taken' taken alice

check 'root: a create and a start that fail' failing root
check 'alice: a create and a start that fail' failing alice

finish
