#!/usr/bin/env bash
# Readiness and notifications (DESIGN section 3; T35), for the three ways to run. The payload is notify.py with the machine's Python.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

images() {
    as root berth load -q -i $IMAGES/busybox.tar
    as alice berth load -q -i $IMAGES/busybox.tar
    way_load svc $IMAGES/busybox.tar
    install -m 644 "$TESTS/notify.py" /var/tmp/notify.py
}

unit() { # WAY WORDS [LINE…]
    printf '%s\n' '[Container]' 'Image=localhost/busybox' 'Network=none' 'StopTimeout=2' 'Notify=true' 'Volume=/usr:/usr:ro' \
        'Volume=/usr/lib:/lib:ro' 'Volume=/usr/lib64:/lib64:ro' 'Volume=/var/tmp/notify.py:/notify.py:ro' \
        "Exec=/usr/bin/python3 /notify.py $2" "${@:3}" | way_unit "$1" "told-$1"
}

# starts WAY WORDS [LINE…]: the start succeeds.
starts() {
    unit "$@"
    way_start "$1" "told-$1"
}

shows() { equal "$(way_property "$1" "told-$1" "$2")" "$3"; } # WAY PROPERTY VALUE

until_shows() { # WAY PROPERTY VALUE
    local spins=0
    until [ "$(way_property "$1" "told-$1" "$2")" = "$3" ]; do
        [ $((++spins)) -lt 3000 ] || shows "$@"
        read -rt 0.02 <> <(:) || :
    done
}

waits_for_ready() { # WAY
    unit "$1" 'sleep:1 STATUS=half-way sleep:1 READY=1,STATUS=serving wait'
    local manager
    manager=$(way_manager "$1")
    manager "$manager" start --no-block "told-$1"
    until_shows "$1" StatusText half-way
    shows "$1" ActiveState activating
    way_start "$1" "told-$1"
    until_shows "$1" StatusText serving
    shows "$1" ActiveState active
    way_gone "$1" "told-$1"
}

without_ready() { # WAY: it ends before it was ready: the start fails, with the payload's status
    unit "$1" 'sleep:0.2 exit:7'
    fails way_start "$1" "told-$1" 2>/dev/null
    shows "$1" ExecMainStatus 7
    shows "$1" Result exit-code
    way_gone "$1" "told-$1"
}

main_pid_stays() { # WAY
    sleep inf &
    local victim=$! before
    starts "$1" "MAINPID=$victim MAINPID=$victim,READY=1 MAINPID=$victim NOTIFYACCESS=none STATUS=later wait"
    until_shows "$1" StatusText later
    before=$(way_property "$1" "told-$1" MainPID)
    [ "$before" != "$victim" ]
    equal "$(cat "/proc/$before/comm")" python3
    shows "$1" NotifyAccess all
    way_gone "$1" "told-$1"
    kill -0 "$victim"
    kill "$victim"
}

own_socket() { # WAY: systemd's sockets are not inside, and the variable names ours
    starts "$1" 'environment:NOTIFY_SOCKET environment:MAINPID READY=1 wait'
    contains "$(way_journal "$1" "told-$1")" 'NOTIFY_SOCKET=/run/notify/notify.sock'
    local payload
    payload=$(way_property "$1" "told-$1" MainPID)
    [ ! -e "/proc/$payload/root/run/systemd/notify" ]
    equal "$(stat -c %F "/proc/$payload/root/run/notify/notify.sock")" socket
    way_gone "$1" "told-$1"
}

extends() { # WAY
    starts "$1" 'EXTEND_TIMEOUT_USEC=3000000 sleep:2.5 READY=1 wait' '[Service]' 'TimeoutStartSec=1'
    shows "$1" ActiveState active
    way_gone "$1" "told-$1"
}

watched() { # WAY
    starts "$1" 'environment:WATCHDOG_PID environment:WATCHDOG_USEC READY=1 ping:2 STATUS=silent wait' StopTimeout=1 '[Service]' 'WatchdogSec=1'
    # A pid 1 without a handler never sees the SIGABRT of a watchdog: systemd waits this long before SIGKILL.
    shows "$1" TimeoutAbortUSec 1s
    contains "$(way_journal "$1" "told-$1")" 'WATCHDOG_PID=None' # unset: meant for whoever reads it
    contains "$(way_journal "$1" "told-$1")" 'WATCHDOG_USEC=1000000'
    until_shows "$1" StatusText silent
    until_shows "$1" ActiveState failed
    shows "$1" Result watchdog
    way_gone "$1" "told-$1"
}

barrier() { # WAY
    starts "$1" 'READY=1 barrier wait'
    local spins=0
    until way_journal "$1" "told-$1" | grep 'the barrier is down' >/dev/null; do [ $((++spins)) -lt 50 ]; done
    way_gone "$1" "told-$1"
}

stores() { # WAY
    starts "$1" 'store:kept store:other unstore:other READY=1 wait' '[Service]' 'FileDescriptorStoreMax=4'
    until_shows "$1" NFileDescriptorStore 1
    way_gone "$1" "told-$1"
    starts "$1" 'store:kept READY=1 wait'
    shows "$1" NFileDescriptorStore 0
    way_gone "$1" "told-$1"
}

stopping() { # WAY: the last words of a payload that ends in order
    starts "$1" 'READY=1 sleep:0.5 STOPPING=1,STATUS=closing sleep:1 exit:0'
    until_shows "$1" StatusText closing
    until_shows "$1" ActiveState inactive
    shows "$1" Result success
    way_gone "$1" "told-$1"
}

check 'the images are there' images
for way in $WAYS; do
    check "$way: the start waits for READY=1, and shows the status" waits_for_ready "$way"
    check "$way: a payload that ends before READY=1 fails the start" without_ready "$way"
    check "$way: T35 MAINPID= and NOTIFYACCESS= of a payload do nothing" main_pid_stays "$way"
    check "$way: T35 the payload's socket is ours" own_socket "$way"
    check "$way: EXTEND_TIMEOUT_USEC=" extends "$way"
    check "$way: the watchdog" watched "$way"
    check "$way: a barrier" barrier "$way"
    check "$way: the descriptor store, with leave and without" stores "$way"
    check "$way: STOPPING=1" stopping "$way"
done
finish
