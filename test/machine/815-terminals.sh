#!/usr/bin/env bash
# What people look at, in a real pseudo-terminal: sizes, keys, bytes of any kind, a reader that stops; T28.
. "$(dirname "$0")/lib.sh"

in_terminal() { # USER WORD… -- PROGRAM…
    as "$1" python3 "$TESTS/terminals.py" "${@:2}"
}

begin() { # USER NAME COMMAND…
    as "$1" berth run -d --rm --name "$2" --label $'shown=\e]0;a title\a' --stop-timeout 1 --network none localhost/busybox "${@:3}" >/dev/null
}

# A new size takes another way than what is typed, which may be there before.
until_size() { printf 'send:until stty size | grep "^%s %s$"; do sleep 0.1; done\\n' "$1" "$2"; }

alive() { [ "$(as "$1" berth inspect --format '{{.State.Running}}' "$2")" = true ]; }

exec_in_terminal() { # USER
    begin "$1" shell sleep inf
    local said
    said=$(in_terminal "$1" size:31x77 'wait:# ' "$(until_size 31 77)" 'wait:\n31 77' size:20x50 "$(until_size 20 50)" 'wait:\n20 50' \
        'send:printf "\\\\200\\\\377\\\\n"\n' 'wait:\x80\xff' 'send:sh -c "echo go; sleep 1000"\n' 'wait:go\r\n' 'send:\x03' 'send:exit 7\n' end -- berth exec -it shell sh 2>&1 || echo "status $?")
    contains "$said" 'status 7'
    # A reader that stops: 1 MB waits for it, nothing of it is lost, and the next command answers.
    said=$(in_terminal "$1" still:1 'wait:the end' end -- berth exec -t shell sh -c 'head -c 1000000 /dev/zero | tr "\0" x; echo the end' | tr -cd x | wc -c)
    equal "$said" 1000000
    # Ctrl-P Ctrl-Q leaves what runs inside alone.
    in_terminal "$1" 'wait:# ' 'send:sleep 4321 &\n' 'wait:# ' 'send:\x10\x11' end -- berth exec -it shell sh >/dev/null
    contains "$(as "$1" berth top shell)" 'sleep 4321'
    as "$1" berth stop shell
}

# T28: what runs as the account holds root's terminal open, but is of another session: the kernel lets it type nothing there (TIOCSTI).
for_account() {
    local said status
    begin alice shell sleep inf
    # shellcheck disable=SC2016 # expanded in the container: field 7 of the process that waits for it
    said=$(in_terminal root end -- berth --for alice run --rm --pid host --network none localhost/busybox \
        sh -c 'read -r _ _ _ berth _ </proc/$$/stat; set -- $(cat /proc/$berth/stat); echo "$2 has terminal $7"')
    contains "$said" '(berth) has terminal 0'
    printf '#!/bin/sh\ncut -d" " -f7 /proc/self/stat >/tmp/for-alice-terminal\n' >/usr/local/bin/docker-credential-seen
    chmod 755 /usr/local/bin/docker-credential-seen
    as alice sh -c 'echo "{\"credHelpers\":{\"seen.example\":\"seen\"}}" >/tmp/for-alice.json'
    in_terminal root end -- berth --for alice logout --authfile /tmp/for-alice.json seen.example || true
    equal "$(cat /tmp/for-alice-terminal)" 0
    rm -f /usr/local/bin/docker-credential-seen /tmp/for-alice*
    # Sizes, keys and the status go through all the same.
    said=$(in_terminal root size:31x77 'wait:# ' "$(until_size 31 77)" 'wait:\n31 77' size:20x50 "$(until_size 20 50)" 'wait:\n20 50' \
        'send:sh -c "echo go; sleep 1000"\n' 'wait:go\r\n' 'send:\x03' 'send:exit 7\n' end -- berth exec --for alice -it shell sh 2>&1 || echo "status $?")
    contains "$said" 'status 7'
    status=0
    in_terminal root wait:shell 'send:\x03' end -- berth stats --for alice >/dev/null || status=$?
    [ $status = 0 ] || [ $status = 130 ]
    as alice berth stop shell
}

attach_in_terminal() { # USER
    begin "$1" spoken sh -c 'trap "echo interrupted" INT; echo begun; while :; do echo turn; sleep 0.2; done'
    in_terminal "$1" wait:turn size:10x20 'send:\x03' wait:interrupted wait:turn 'send:\x10\x11' end -- berth attach spoken >/dev/null
    alive "$1" spoken
    as "$1" berth stop spoken
}

# A payload that has a terminal and nobody attends to: what is typed reaches it, and what it says is in the log all the same.
attach_to_terminal() { # USER
    as "$1" berth run -d -i -t --rm --name typed --stop-timeout 1 --network none localhost/busybox sh >/dev/null
    local said
    said=$(in_terminal "$1" size:31x77 'send:stty size\n' 'wait:31 77' size:20x50 still:1 'send:stty size\n' 'wait:20 50' 'send:echo a$((40+2))\n' wait:a42 \
        'send:printf "\\200\\377\\n"\n' 'wait:\x80\xff' 'send:sh -c "echo go; sleep 1000"\n' 'wait:go\r\n' 'send:\x03' 'wait:# ' 'send:\x10' 'send:\x11' end -- berth attach typed)
    alive "$1" typed
    # What is typed with --no-stdin is typed to nobody; one attaches at a time.
    in_terminal "$1" still:5 'send:echo unseen$((1+1))\n' 'send:\x10\x11' end -- berth attach --no-stdin typed >/dev/null &
    local first=$! spins=0
    sleep 2
    contains "$(fails_with 125 as "$1" berth attach typed 2>&1 </dev/null)" 'somebody else is attached'
    wait $first
    # 1 MB that a reader does not take at first is there afterwards, and in the log; so is what was typed beyond a line.
    until said=$(in_terminal "$1" 'send:head -c 1000000 /dev/zero | tr "\\0" x | fold -w 100; echo the end''ing\n' still:1 'wait:the ending\r\n/ # ' 'send:\x10\x11' end -- berth attach typed); do
        [ $((++spins)) -lt 10 ]
        sleep 0.3
    done
    [ "$(tr -cd x <<<"$said" | wc -c)" -ge 1000000 ]
    said=$(as "$1" berth logs typed)
    contains "$said" a42
    equal "$(grep -c '^x\{100\}' <<<"${said//$'\r'/}")" 10000
    equal "$(grep -c unseen2 <<<"$said" || true)" 0
    said=$(in_terminal "$1" 'send:exit 7\n' end -- berth attach typed 2>&1 || echo "status $?")
    contains "$said" 'status 7'
}

logs_in_terminal() { # USER
    begin "$1" wild sh -c 'printf "\033[31mred\033[0m \033]0;title\007 \033[2J \302\233 \200\n"; echo bad >&2; i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo "line $i of many that fill a terminal whose reader has stopped"; done; exec sleep inf'
    local said
    # T28: colours pass, what would do something to the terminal is text.
    said=$(in_terminal "$1" 'wait:line 3000 ' 'send:\x03' end -- berth logs --follow wild || true)
    contains "$said" $'\e[31mred\e[0m'
    contains "$said" '\x1b]0;title\x07 \x1b[2J \xc2\x9b'
    contains "$said" $'\e[31mbad\e[0m'
    said=$(in_terminal "$1" still:1 'wait:line 3000 ' end -- env NO_COLOR=1 berth logs --names wild | tr -d '\r' | grep -c '^wild line ')
    equal "$said" 3000
    # Into a pipe the bytes are the payload's own.
    contains "$(as "$1" berth logs wild | grep -a red | od -c)" '033'
    as "$1" berth stop wild
}

stats_in_terminal() { # USER
    begin "$1" counted sleep inf
    local status=0
    in_terminal "$1" size:24x100 wait:counted size:24x60 wait:counted 'send:\x03' end -- berth stats >"$WORK/said" || status=$?
    contains "$(cat "$WORK/said")" counted
    [ $status = 0 ] || [ $status = 130 ]
    as "$1" berth stop counted
}

up_in_terminal() { # USER: Ctrl-C leaves what was begun to systemd, and a second `up` ends it
    local directory=/var/tmp/up-$1 status=0
    rm -rf "$directory"
    as "$1" mkdir "$directory"
    printf '%s\n' '[Container]' 'Image=localhost/busybox' 'Network=none' 'StopTimeout=1' 'Notify=healthy' 'HealthCmd=test -e /tmp/go' 'HealthInterval=100ms' 'Exec=sleep inf' |
        as "$1" tee "$directory/slow.container" >/dev/null
    in_terminal "$1" size:24x80 wait:starting size:12x40 'send:\x03' end -- berth up "$directory" >"$WORK/said" || status=$?
    [ $status = 130 ] || [ $status = 1 ]
    contains "$(as "$1" berth plan "$directory")" 'start    slow.service  it is starting still'
    local spins=0 second
    in_terminal "$1" size:24x80 end -- berth up "$directory" >"$WORK/second" &
    second=$!
    until grep -q waiting "$WORK/second"; do
        [ $((++spins)) -lt 600 ]
        sleep 0.1
    done
    until as "$1" berth exec systemd-slow touch /tmp/go 2>/dev/null; do [ $((++spins)) -lt 800 ]; done
    wait $second
    contains "$(cat "$WORK/second")" 'slow.service  started'
    as "$1" berth down "$directory"
    rm -rf "$directory"
}

# T28: what an image or a label says is text for a terminal.
labels_are_text() { # USER
    begin "$1" labelled sleep inf
    local said
    for said in "$(in_terminal "$1" end -- berth inspect labelled)" "$(in_terminal "$1" end -- berth inspect --format '{{.Config.Labels}}' labelled)" \
        "$(in_terminal "$1" end -- berth ps --format '{{.Names}} {{.Labels}}')"; do
        contains "$said" 'a title'
        fails grep -q $'[\e\a]' <<<"$said"
    done
    as "$1" berth stop labelled
}

for who in root alice; do
    as "$who" berth load -q -i "$IMAGES/busybox.tar" >/dev/null
    check "$who: exec -it: sizes, bytes, Ctrl-C, a reader that stops, Ctrl-P Ctrl-Q" exec_in_terminal "$who"
    check "$who: attach to a terminal: keys, sizes, bytes, one at a time, a reader that stops" attach_to_terminal "$who"
    check "$who: attach: Ctrl-C for the payload, Ctrl-P Ctrl-Q" attach_in_terminal "$who"
    # What does not depend on who asks is shown once.
    [ "$who" = root ] || continue
    check "$who: T28 logs: no escape sequence but colours, a reader that stops" logs_in_terminal "$who"
    check "$who: stats until Ctrl-C" stats_in_terminal "$who"
    check "$who: up, and Ctrl-C in the middle" up_in_terminal "$who"
    check "$who: T28 labels are text" labels_are_text "$who"
done
check 'T28: --for ACCOUNT: the terminal of root is another session' for_account
finish
