#!/usr/bin/env bash
# Bad input of a host and of unit files: one clear line each, the right exit status, nothing left behind, and the next start works.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

# one_line STATUS PART COMMAND…: fails with the status and one line of standard error that holds the part.
one_line() {
    local wanted=$1 part=$2 status=0
    shift 2
    "$@" >output 2>message || status=$?
    cat message >&2
    equal "$status" "$wanted"
    equal "$(wc -l <message)" 1
    contains "$(cat message)" "$part"
}

still_works() { equal "$(as "$1" berth run --rm --network none localhost/busybox echo fine)" fine; }

# A command in a mount namespace where something of the host is missing or different.
without() { # USER PREPARATION COMMAND…
    local user=$1 preparation=$2
    shift 2
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount --propagation private sh -c "$preparation"' && exec setpriv --reuid="$0" --regid="$0" --clear-groups -- "$@"' \
        "$(id -u "$user")" env -i PATH="$PATH" HOME="$(getent passwd "$user" | cut -d: -f6)" XDG_RUNTIME_DIR="/run/user/$(id -u "$user")" "$@"
}

RUN='berth run --rm --network none localhost/busybox true'

no_subordinate_ids() {
    local status=0
    as plain berth load -q -i "$IMAGES/busybox.tar" >load 2>&1 || status=$?
    # Whether the store can hold the image with one id or not: a container of this account is refused by the file that lacks the line.
    as plain berth run --rm --network none localhost/busybox true >output 2>message && return 1
    contains "$(cat load message)" /etc/subuid
    equal "$(wc -l <message)" 1
}

no_newuidmap() {
    one_line 125 uidmap without alice 'mount --bind /dev/null /usr/bin/newuidmap' $RUN
    still_works alice
}

not_unified() {
    one_line 125 unified without alice 'mount -t tmpfs tmpfs /sys/fs/cgroup' $RUN
    one_line 125 unified without root 'mount -t tmpfs tmpfs /sys/fs/cgroup' $RUN
    still_works alice
    still_works root
}

# A unit with this text fails at start with 78, and status shows the part; repaired, it starts.
bad_unit() { # USER PART TEXT
    local user=$1 part=$2 status
    unit_file "$user" bad <<<"$3"
    ! manager "$user" start bad
    equal "$(property "$user" bad ExecMainStatus)" 78
    contains "$(journal "$user" bad)" "$part"
    contains "$(manager "$user" status bad -n 20 || true)" "$part"
    unit_file "$user" bad <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nExec=sleep inf'
    manager "$user" start bad
    unit_gone "$user" bad
}

unreadable_file() {
    local file
    unit_file alice bad <<<$'[Container]\nImage=localhost/busybox'
    file=$(unit_directory alice)/bad.container
    chmod 0 "$file"
    manager alice daemon-reload
    ! manager alice start bad
    contains "$(journal alice bad)" bad.container
    chmod 644 "$file"
    unit_gone alice bad
}

one_service_name() {
    unit_file root first <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nExec=sleep inf\nServiceName=same'
    unit_file root second <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=1\nExec=sleep inf\nServiceName=same'
    local said
    said=$(berth check /etc/containers/systemd/first.container /etc/containers/systemd/second.container 2>&1) && return 1
    contains "$said" first.container
    contains "$said" second.container
    contains "$said" same
    unit_gone root first second
    systemctl reset-failed 2>/dev/null || true
}

never_pulled() {
    unit_file "$1" never <<<$'[Container]\nImage=localhost/nowhere\nPull=never\nNetwork=none'
    ! manager "$1" start never
    equal "$(property "$1" never ExecMainStatus)" 125
    contains "$(journal "$1" never)" localhost/nowhere
    unit_gone "$1" never
}

# The launcher of such a start lives for milliseconds; journald must learn its unit all the same.
each_time() {
    unit_file "$1" never <<<$'[Container]\nImage=localhost/nowhere\nPull=never\nNetwork=none'
    local since count
    since=$(date '+%F %T.%6N')
    as "$1" bash -c 'for _ in {1..30}; do systemctl $0 start never; systemctl $0 reset-failed never; done' "$([ "$1" = root ] && echo --system || echo --user)"
    journalctl --sync
    if [ "$1" = root ]; then count=$(journalctl -u never --since "$since" -o cat); else count=$(as "$1" journalctl --user -u never --since "$since" -o cat); fi
    equal "$(grep -c 'localhost/nowhere: no such image' <<<"$count")" 30
    unit_gone "$1" never
}

for user in root alice; do
    as $user berth load -q -i "$IMAGES/busybox.tar" >/dev/null || exit 1
    check "$user: an image that is absent with Pull=never" never_pulled $user
    check "$user: why a start failed is in the unit's journal, each time" each_time $user
    check "$user: an unknown key" bad_unit $user 'PublishPort' $'[Container]\nImage=localhost/busybox\nPublishPorts=80:80'
    check "$user: a bad boolean" bad_unit $user 'bad.container:3:' $'[Container]\nImage=localhost/busybox\nReadOnly=maybe'
    check "$user: no image" bad_unit $user 'Image' $'[Container]\nExec=sleep inf'
    check "$user: a reference to nothing" bad_unit $user 'data.volume' $'[Container]\nImage=localhost/busybox\nVolume=data.volume:/data'
done
check 'an account without subordinate ids is told the file' no_subordinate_ids
check 'a host without newuidmap is told the package' no_newuidmap
check 'a cgroup tree that is not unified' not_unified
check 'a file that cannot be read' unreadable_file
check 'two units with one service name' one_service_name
for user in root alice plain; do as $user berth rmi -f localhost/busybox >/dev/null 2>&1; done
finish
