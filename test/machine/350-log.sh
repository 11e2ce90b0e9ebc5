#!/usr/bin/env bash
# The log: fields, order and completeness in the real journal, for the three ways to run.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"
CRASHES=${CRASHES:-30}

images() {
    as root berth load -q -i $IMAGES/busybox.tar
    as alice berth load -q -i $IMAGES/busybox.tar
    way_load svc $IMAGES/busybox.tar
}

unit() { # WAY NAME COMMAND [LINE…]
    printf '%s\n' '[Container]' 'Image=localhost/busybox' 'Network=none' 'StopTimeout=1' "ContainerName=$2-$1" "Exec=$3" "${@:4}" | way_unit "$1" "$2-$1"
}

# fields WAY UNIT MATCH FIELD: a field of the unit's entries that match, once per value.
fields() {
    journalctl --sync
    local own=(journalctl _SYSTEMD_UNIT="$2.service")
    [ "$1" != alice ] || own=(journalctl _SYSTEMD_USER_UNIT="$2.service" _UID=1000)
    "${own[@]}" MESSAGE="$3" -o json | python3 -c 'import json, sys
print(",".join(sorted({str(json.loads(line).get(sys.argv[1])) for line in sys.stdin})))' "$4"
}

has_extra_fields() { # WAY UNIT
    equal "$(fields "$1" "$2" 'to out' CONTAINER_NAME)" "$2"
    equal "$(fields "$1" "$2" 'to out' IMAGE_NAME)" localhost/busybox
    equal "$(fields "$1" "$2" 'to err' CONTAINER_TAG)" "of $2"
}

has_fields() { # WAY UID
    unit "$1" fields 'sh -c "echo to out; echo to err >&2; echo \"<4>a warning\" >&2; exec sleep inf"' 'LogOpt="tag=of {{.Name}}"'
    way_start "$1" "fields-$1"
    way_stop "$1" "fields-$1"
    equal "$(fields "$1" "fields-$1" 'to out' PRIORITY)" 6
    equal "$(fields "$1" "fields-$1" 'to err' PRIORITY)" 3
    equal "$(fields "$1" "fields-$1" 'a warning' PRIORITY)" 4
    equal "$(fields "$1" "fields-$1" 'to out' _UID)" "$2"
    equal "$(fields "$1" "fields-$1" 'to out' SYSLOG_IDENTIFIER)" "fields-$1"
    equal "$(fields "$1" "fields-$1" 'to out' _COMM)" berth-relay
    equal "$(fields "$1" "fields-$1" 'to out' _CMDLINE)" berth-relay
    # LogExtraFields= is for system units alone (systemd.exec(5)).
    [ "$1" = alice ] || has_extra_fields "$1" "fields-$1"
    way_gone "$1" "fields-$1"
}

# The owner reads what the unit of the own manager says, without being root.
owner_reads() {
    unit alice mine 'sh -c "echo mine to read; exec sleep inf"'
    way_start alice mine-alice
    way_stop alice mine-alice
    contains "$(as alice journalctl --user -u mine-alice -o cat)" 'mine to read'
    fails contains "$(as bob journalctl _SYSTEMD_USER_UNIT=mine-alice.service -o cat 2>&1)" 'mine to read' 2>/dev/null
    way_gone alice mine-alice
}

crash_unit() { unit "$1" crash 'sh -c "echo first; echo to err >&2; printf unfinished; kill -SEGV $$$$"'; }

# Every line of a payload that dies at once, each with its unit: CRASHES of CRASHES.
every_line() { # WAY
    local i line
    crash_unit "$1"
    for ((i = 0; i < CRASHES; i++)); do
        # Until it has ended: a start of a unit that still runs would be nothing.
        manager "$(way_manager "$1")" start --wait "crash-$1" 2>/dev/null || true
        manager "$(way_manager "$1")" reset-failed "crash-$1" 2>/dev/null || true
    done
    way_stop "$1" "crash-$1" 2>/dev/null || true
    for line in first 'to err' unfinished; do
        equal "$line $(way_journal "$1" "crash-$1" | grep -cx "$line" || true)" "$line $CRASHES"
    done
    way_end "$1" "crash-$1"
}

under_load() { # COMMAND…
    local busy=() i CRASHES=$((CRASHES / 2))
    for ((i = 0; i < 6; i++)); do
        (while :; do :; done) &
        busy+=($!)
    done
    "$@"
    kill "${busy[@]}"
}

forget() { journalctl --rotate --vacuum-time=1s --quiet 2>/dev/null || true; }

counts() { unit "$1" count 'sh -c "trap \"exit 0\" TERM; i=0; while [ $$i -lt 400 ]; do echo line $$i; i=$$((i+1)); [ $$((i % 20)) != 0 ] || sleep 0.1; done; sleep inf & wait"'; }

counted() { # WAY: 0…399, each once, in order
    way_journal "$1" "count-$1" | grep '^line ' | cut -d' ' -f2 >"$WORK/got"
    seq 0 399 >"$WORK/wanted"
    cmp "$WORK/got" "$WORK/wanted"
}

until_line() { # WAY TEXT
    local spins=0
    until way_journal "$1" "count-$1" | grep -x "$2" >/dev/null; do
        [ $((++spins)) -lt 300 ]
        read -rt 0.05 <> <(:) || :
    done
}

# The payloads count meanwhile: they do not notice, and write on into the new journal.
journal_goes() { # COMMAND…: what ends journald
    local way
    declare -A payload
    for way in $WAYS; do counts "$way"; done
    for way in $WAYS; do
        way_start "$way" "count-$way"
        payload[$way]=$(way_property "$way" "count-$way" MainPID)
    done
    "$@"
    for way in $WAYS; do
        until_line "$way" 'line 399'
        equal "$(way_property "$way" "count-$way" MainPID)" "${payload[$way]}"
        [ "$2" = kill ] || counted "$way"
        way_gone "$way" "count-$way"
    done
    systemctl reset-failed systemd-journald
}

# A journal that does not read makes the payload wait; nothing is lost when it reads again.
journal_blocked() {
    local journald way status=0
    for way in $WAYS; do
        unit "$way" count 'sh -c "i=0; while [ $$i -lt 20000 ]; do echo a line of some length to fill the pipe and the socket $$i; i=$$((i+1)); done; echo done; exec sleep inf"'
    done
    journald=$(systemctl show systemd-journald -P MainPID)
    kill -STOP "$journald"
    for way in $WAYS; do
        timeout 20 bash -c "$(declare -f way_start way_manager manager as); way_start $way count-$way" || status=$?
    done
    sleep 0.5
    kill -CONT "$journald"
    [ $status = 0 ]
    for way in $WAYS; do
        until_line "$way" done
        equal "$(way_journal "$way" "count-$way" | grep -c 'to fill the pipe')" 20000
        way_gone "$way" "count-$way"
    done
}

# Write ends of the pipes that a process outside holds must not keep the unit from ending.
held_outside() { # WAY
    unit "$1" held 'sh -c "echo up; trap \"echo bye; exit 7\" TERM; while :; do sleep 0.1; done"'
    way_start "$1" "held-$1"
    local payload out error
    payload=$(way_property "$1" "held-$1" MainPID)
    exec {out}>"/proc/$payload/fd/1" {error}>"/proc/$payload/fd/2"
    kill -TERM "$payload"
    timeout 15 tail --pid="$payload" -f /dev/null
    exec {out}>&- {error}>&-
    equal "$(way_property "$1" "held-$1" ExecMainStatus)" 7
    contains "$(way_journal "$1" "held-$1")" bye
    way_end "$1" "held-$1"
}

supervisors() { # WAY UNIT COMM
    local group pid
    group=$(way_property "$1" "$2" ControlGroup)
    for pid in $(cat "/sys/fs/cgroup$group/supervisor/cgroup.procs"); do
        [ "$(cat "/proc/$pid/comm")" != "$3" ] || echo "$pid"
    done
}

guard_is_replaced() { # WAY
    unit "$1" guarded 'sh -c "trap \"echo the end; exit 0\" TERM; while :; do sleep 0.1; done"'
    way_start "$1" "guarded-$1"
    local before after= spins=0
    before=$(supervisors "$1" "guarded-$1" berth-guard)
    [ -n "$before" ]
    kill -KILL "$before"
    until [ -n "$after" ] && [ "$after" != "$before" ]; do
        after=$(supervisors "$1" "guarded-$1" berth-guard)
        [ $((++spins)) -lt 500 ]
    done
    way_stop "$1" "guarded-$1"
    contains "$(way_journal "$1" "guarded-$1")" 'the end'
    way_end "$1" "guarded-$1"
}

# Nothing but relay and guard stays, each of at most 20 kB that nobody shares.
small() { # WAY
    unit "$1" small 'sleep inf'
    way_start "$1" "small-$1"
    local group pid
    group=$(way_property "$1" "small-$1" ControlGroup)
    equal "$(for pid in $(cat "/sys/fs/cgroup$group/supervisor/cgroup.procs"); do cat "/proc/$pid/comm"; done | sort | tr '\n' ' ')" 'berth-guard berth-relay '
    for pid in $(cat "/sys/fs/cgroup$group/supervisor/cgroup.procs"); do
        [ "$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")" -le 20 ]
    done
    way_end "$1" "small-$1"
}

# T1 The relay's program is a sealed file in memory, and nothing of it can be reached from inside.
not_inside() { # WAY
    unit "$1" inside 'sleep inf'
    way_start "$1" "inside-$1"
    # The shell is the payload's only company: its pid is not 2, which the hold keeps from being given out.
    equal "$(way_berth "$1" exec "inside-$1" sh -c 'for p in /proc/[0-9]*; do read -r name <$p/comm; echo $name; done' | tr '\n' ' ')" 'sleep sh '
    equal "$(way_berth "$1" exec "inside-$1" sh -c '[ $$ != 2 ]; echo $?')" 0
    way_end "$1" "inside-$1"
}

# LINES numbered lines on two streams from four accounts of the container (mapped ids for alice), each of them once, all of the unit's.
numbered() { # WAY LINES [LINE…]: sets `unit`
    local way=$1 each=$(($2 / 4)) account
    unit=numbered$$-$1
    install -m 644 "$TESTS/numbered.py" "$WORK/numbered.py"
    printf '%s\n' '[Container]' 'Image=localhost/busybox' 'Network=none' "ContainerName=$unit" 'Volume=/usr:/usr:ro' \
        'Volume=/usr/lib:/lib:ro' 'Volume=/usr/lib64:/lib64:ro' "Volume=$WORK/numbered.py:/numbered.py:ro" \
        "Exec=/usr/bin/python3 /numbered.py $each 0 1 33 65534" "${@:3}" '[Service]' 'LogRateLimitIntervalSec=0' | way_unit "$way" "$unit"
    manager "$(way_manager "$way")" start --wait "$unit"
    for account in 0 1 33 65534; do seq -f "$account: %.0f" 0 $((each - 1)); done | sort >"$WORK/wanted"
}

every_number() { # WAY LINES
    local unit
    numbered "$@"
    # What the owner of a user manager sees without being root.
    local own=(journalctl --unit="$unit")
    [ "$1" != alice ] || own=(as alice journalctl --user --unit="$unit")
    "${own[@]}" --output=cat | grep -E '^[0-9]+: [0-9]+$' | sort | cmp - "$WORK/wanted"
    way_gone "$1" "$unit"
}

# A file that rotation divides: nothing is lost and nothing is cut while all parts are kept, and none is longer than wished.
every_number_in_files() { # WAY LINES
    local file unit
    rm -rf /var/tmp/numbers
    install -d -m 777 /var/tmp/numbers
    numbered "$@" LogDriver=k8s-file LogOpt=path=/var/tmp/numbers/log LogOpt=max-size=200k LogOpt=max-file=100
    for file in /var/tmp/numbers/log*; do [ "$(stat -c %s "$file")" -le 204800 ]; done
    [ -e /var/tmp/numbers/log.2 ]
    # The oldest first; a line of several parts is one.
    (cd /var/tmp/numbers && ls -rv log* | xargs cat) | awk '{ text = $0; sub(/^[^ ]+ [^ ]+ [FP] /, "", text); whole = held[$2] text; held[$2] = $3 == "P" ? whole : ""; if ($3 == "F") print whole }' |
        sort | cmp - "$WORK/wanted"
    way_gone "$1" "$unit"
    rm -r /var/tmp/numbers
}

until_end() { timeout 60 bash -c "$(declare -f as way_berth); way_berth $1 logs --follow $2"; } # WAY NAME

# What follows the log goes on over a restart of the unit, and ends with it, when all that was written is shown.
follows_to_end() { # WAY
    local unit=followed$$-$1 spins=0 follower
    unit "$1" "followed$$" 'sh -c "trap \"seq 2000; echo the end; exit 0\" TERM; echo up; while :; do sleep 0.1; done"'
    way_start "$1" "$unit"
    until_end "$1" "$unit" >"$WORK/to-end-$1" &
    follower=$!
    until grep -qx up "$WORK/to-end-$1"; do [ $((++spins)) -lt 600 ]; sleep 0.05; done
    manager "$(way_manager "$1")" restart "$unit"
    until [ "$(grep -cx up "$WORK/to-end-$1")" = 2 ]; do [ $((++spins)) -lt 1200 ]; sleep 0.05; done
    kill -0 $follower
    way_stop "$1" "$unit"
    wait $follower
    equal "$(cksum <"$WORK/to-end-$1")" "$(for _ in 1 2; do echo up; seq 2000; echo the end; done | cksum)"
    # Of one that has ended there is nothing to wait for.
    equal "$(until_end "$1" "$unit" | tail -n 1)" 'the end'
    way_end "$1" "$unit"
}

# A journal of its own, which journalctl(1) shows to who names it.
namespaced() {
    local unit=spaced$$-root spins=0 since
    since=$(date +%s)
    unit root "spaced$$" 'sh -c "echo apart from all; exec sleep inf"' '[Service]' LogNamespace=apart
    way_start root "$unit"
    until [ "$(journalctl --quiet --namespace=apart -o cat _SYSTEMD_UNIT="$unit.service" _TRANSPORT=stdout)" = 'apart from all' ]; do
        [ $((++spins)) -lt 600 ]
        sleep 0.05
    done
    equal "$(journalctl --quiet -o cat _SYSTEMD_UNIT="$unit.service" _TRANSPORT=stdout)" ''
    equal "$(berth logs "$unit")" 'apart from all'
    equal "$(berth logs --names "$unit")" "$unit apart from all"
    contains "$(berth status "$unit")" '    apart from all'
    contains "$(berth events --since "$since" --stream=false --filter container="$unit")" ' container start '
    way_stop root "$unit"
    equal "$(until_end root "$unit")" 'apart from all'
    way_end root "$unit"
    systemctl stop 'systemd-journald*@apart.*'
    rm -rf /var/log/journal/*.apart /run/log/journal/*.apart
}

# Files instead of the journal: what is written, what `berth logs` makes of it, beside a container of the journal; the last words of a crash.
log_files() { # WAY
    local unit=filed$$-$1 file=/var/tmp/filed-$1/log spins=0 follower ending
    rm -rf "${file%/*}"
    install -d -m 777 "${file%/*}"
    unit "$1" "filed$$" 'sh -c "echo before; echo to err >&2; sleep 1; echo after; printf unfin; sleep 0.1; printf ished; exec sleep inf"' LogDriver=json-file LogOpt=path=$file
    way_start "$1" "$unit"
    way_berth "$1" logs --follow "$unit" >"$WORK/followed-$1" 2>&1 &
    follower=$!
    until grep -qx after "$WORK/followed-$1" && grep -q 'ished$' $file; do
        [ $((++spins)) -lt 600 ]
        read -rt 0.05 <> <(:) || :
    done
    kill $follower
    equal "$(cat "$WORK/followed-$1")" $'before\nto err\nafter'
    equal "$(way_berth "$1" logs "$unit")" $'before\nto err\nafter\nunfinished'
    equal "$(way_berth "$1" logs --priority err --names "$unit")" "$unit to err"
    equal "$(way_berth "$1" logs --grep '^af' --timestamps "$unit" | sed -E 's/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}[+-][0-9:]{5} //')" after
    equal "$(way_berth "$1" logs --tail 1 --format json "$unit" | jq -r '.MESSAGE, .CONTAINER_NAME')" "unfinished"$'\n'"$unit"
    if [ "$1" = svc ]; then closed; else merged "$1" "$unit"; fi
    until_end "$1" "$unit" >"$WORK/ended-$1" &
    ending=$!
    until grep -qx after "$WORK/ended-$1"; do [ $((++spins)) -lt 900 ]; sleep 0.05; done
    # The first process of a pid namespace takes no signal by default but this one.
    kill -KILL "$(way_property "$1" "$unit" MainPID)"
    wait $ending
    equal "$(cat "$WORK/ended-$1")" $'before\nto err\nafter\nunfinished'
    fails grep -x before <<<"$(way_journal "$1" "$unit")"
    way_end "$1" "$unit"
    # In one part or in two: it depends on when the relay read.
    equal "$(sed -n 's/.* stdout P //p' $file | tr -d '\n')" unfinished
    rm -r "${file%/*}"
}

merged() { # WAY UNIT: with a container of the journal, in the order of time
    unit "$1" "journaled$$" 'sh -c "echo in the journal; head -c 8192 /dev/zero | tr \"\\0\" x; echo; echo in it, too; exec sleep inf"'
    way_start "$1" "journaled$$-$1"
    local spins=0
    until way_journal "$1" "journaled$$-$1" | grep -qx 'in it, too'; do [ $((++spins)) -lt 300 ]; done
    equal "$(way_berth "$1" logs --names --grep 'e' "$2" "journaled$$-$1" | tail -n 3)" "$2 after"$'\n'"$2 unfinished"$'\n'"journaled$$-$1 in the journal"
    equal "$(way_berth "$1" logs --grep '^in' --tail 2 "journaled$$-$1")" $'in the journal\nin it, too'
    # A line that journalctl(1) thinks too long to show.
    equal "$(way_berth "$1" logs --timestamps --grep '^x' "journaled$$-$1" | tr -cd x | wc -c)" 8192
    equal "$(way_berth "$1" logs --format json "journaled$$-$1" | jq -r .MESSAGE | tr -cd x | wc -c)" 8192
    timeout 60 bash -c "$(declare -f as way_berth); way_berth $1 logs --follow --until 1s journaled$$-$1" >/dev/null
    # An end that is further away than a timer of Node can be.
    fails_with 124 timeout 3 bash -c "$(declare -f as way_berth); way_berth $1 logs --follow --until 2099-01-01 journaled$$-$1" >/dev/null
    way_end "$1" "journaled$$-$1"
}

closed() { # the lines of a unit of the system are not for its account
    unit svc "journaled$$" 'sleep inf'
    way_start svc "journaled$$-svc"
    contains "$(fails_with 125 way_berth svc logs "journaled$$-svc" 2>&1)" "journalctl -u journaled$$-svc.service"
    contains "$(way_berth svc why "journaled$$-svc")" 'is up'
    way_end svc "journaled$$-svc"
}

refused_files() {
    contains "$(fails_with 125 berth run --rm --log-driver k8s-file --log-opt path=here localhost/busybox true 2>&1)" '--log-opt path=here: not the absolute path'
    contains "$(fails_with 125 berth run --rm --log-driver k8s-file --log-opt path=/nowhere/at/all localhost/busybox true 2>&1)" '/nowhere/at is not a directory'
    contains "$(fails_with 125 berth run --rm --log-driver k8s-file --log-opt path=/dev/null localhost/busybox true 2>&1)" 'not a plain file'
    contains "$(fails_with 125 berth run --rm --log-driver k8s-file --log-opt max-size=much localhost/busybox true 2>&1)" '--log-opt max-size=much'
    contains "$(berth run --rm --network none --log-opt path=/x localhost/busybox true 2>&1)" 'warning: --log-opt path'
    # A foreground container writes to both.
    equal "$(berth run --rm --network none --log-driver k8s-file --log-opt path="$WORK/both" localhost/busybox echo twice)" twice
    contains "$(cat "$WORK/both")" 'stdout F twice'
}

check 'the images are there' images
for way in root:0 alice:1000 svc:990; do
    check "${way%:*}: priorities, unit, identifier, owner and extra fields" has_fields "${way%:*}" "${way#*:}"
done
check 'the owner reads the own journal, others do not' owner_reads
check 'root: 20000 lines of four accounts, none lost, none twice' every_number root 20000
check 'alice: 100000 lines of four mapped accounts, none lost, none twice' every_number alice 100000
check 'alice: 20000 lines in files' every_number_in_files alice 20000
check 'log files that cannot be' refused_files
each_way 'k8s-file and json-file' log_files
check 'logs, status and events of a unit with LogNamespace=' namespaced
WAYS='root alice' each_way 'logs --follow ends with the container, and not with a restart' follows_to_end
each_way "every line of $CRASHES crashes, with its unit" every_line
forget
under_load each_way 'every line of crashes under load' every_line
forget
check 'nothing is lost when journald restarts' journal_goes systemctl restart systemd-journald
check 'payloads outlive a killed journald' journal_goes systemctl kill --kill-whom=main --signal=KILL systemd-journald
check 'a journal that does not read loses nothing' journal_blocked
each_way 'write ends held outside do not keep the unit from ending' held_outside
each_way 'a killed guard is replaced' guard_is_replaced
each_way 'only relay and guard stay, below 20 kB each' small
each_way 'T1 nothing of ours is seen inside' not_inside
payload_alone() { # what the payload gives to syslog is its own; lines of what serves it in the same unit (pasta's) are not
    local lines beside group name=speaker$$ until=$((SECONDS + 120))
    # Who sends a line lives until it is in the journal: whose it is, journald looks up then.
    as alice berth run -d --name "$name" --stop-timeout 0 -v /run/systemd/journal/dev-log:/dev/log localhost/busybox \
        sh -c 'echo printed; { echo sent; sleep 1000; } | logger -t app' >/dev/null
    group=/sys/fs/cgroup$(as alice systemctl --user show -p ControlGroup --value "$name.service")/supervisor
    # shellcheck disable=SC2016 # expanded by the inner shell
    sh -ec 'echo $$ >"$0/cgroup.procs"; exec setpriv --reuid=1000 --regid=1000 --clear-groups sh -c "{ echo served; sleep 1000; } | logger -t pasta"' "$group" &
    while [ $SECONDS -lt $until ]; do
        journalctl --sync
        lines=$(as alice berth logs "$name" | sort)
        beside=$(as alice journalctl -q -o cat SYSLOG_IDENTIFIER=pasta _SYSTEMD_USER_UNIT="$name.service")
        [[ $lines != $'printed\nsent' || $beside != *served* ]] || break
        sleep 0.1
    done
    equal "$lines" $'printed\nsent'
    contains "$beside" served
    as alice berth rm -f "$name" >/dev/null
    wait $! || true # it has ended with the unit
    equal "$(as alice berth logs "$name" | sort)" $'printed\nsent'
}
check 'alice: logs has the lines of the payload, and no one else' payload_alone
finish
