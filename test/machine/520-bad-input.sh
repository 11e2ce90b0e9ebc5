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

GOOD=$'[Container]\nImage=localhost/busybox\nNetwork=none\nStopTimeout=0\nExec=sleep inf'

# What the unit said in its last start: systemd's own lines are not ours.
said() { # WAY UNIT
    journalctl --sync
    as "$(way_manager "$1")" journalctl -t "$2" -o cat --no-pager --since "@$since"
}
now() { since=$(date +%s.%6N); }

# A unit with this text fails at start with the status and one line that holds the part, which status shows; repaired, it starts.
bad_unit() { # WAY STATUS PART TEXT
    local way=$1 unit=bad-$1
    way_unit "$way" "$unit" <<<"$4"
    now
    fails way_start "$way" "$unit"
    equal "$(way_property "$way" "$unit" ExecMainStatus)" "$2"
    equal "$(said "$way" "$unit" | wc -l)" 1
    contains "$(said "$way" "$unit")" "$3"
    contains "$(manager "$(way_manager "$way")" status "$unit" -n 20 || true)" "$3"
    repaired "$way" "$unit"
}
repaired() { # WAY UNIT
    way_unit "$1" "$2" <<<"$GOOD"
    manager "$(way_manager "$1")" reset-failed "$2" 2>/dev/null || true
    way_start "$1" "$2"
    equal "$(way_berth "$1" ps --format '{{.Names}}')" "systemd-$2"
    way_gone "$1" "$2"
}

# Root reads everything but what is not there.
unreadable_file() { # WAY
    local manager file
    manager=$(way_manager "$1")
    way_unit "$1" bad <<<"$GOOD"
    file=$(unit_directory "$manager")/bad.container
    if [ "$manager" = root ]; then ln -sf nowhere "$file"; else chmod 0 "$file"; fi
    manager "$manager" daemon-reload
    now
    fails way_start "$1" bad
    equal "$(way_property "$1" bad ExecMainStatus)" 78
    contains "$(said "$1" bad)" bad.container
    rm -f "$file"
    repaired "$1" bad
}

# The first by name is the service; the other one is told of by the check, the file itself, and the log of a user's generator.
one_service_name() { # WAY
    local manager files check
    manager=$(way_manager "$1")
    now
    way_unit "$1" first <<<"$GOOD"$'\nServiceName=same'
    way_unit "$1" second <<<"$GOOD"$'\nServiceName=same'
    files=$(unit_directory "$manager")
    check=$(as "$manager" berth check "$files/first.container" "$files/second.container" 2>&1) && return 1
    for part in first.container second.container same.service; do contains "$check" "$part"; done
    if [ "$manager" != root ]; then
        journalctl --sync
        contains "$(as "$manager" journalctl -o cat --no-pager --since "@$since" | grep 'second.container is left out')" first.container
    fi
    way_start "$1" same
    contains "$(way_property "$1" same SourcePath)" /first.container
    equal "$(way_berth "$1" ps --format '{{.Names}}')" systemd-same
    way_stop "$1" same
    way_gone "$1" first second
}

# Another unit's container has the name: the second takes it over, as with Podman, where the account may stop the first; never is the
# first one stopped by the end of a start that fails.
name_in_use() { # WAY
    way_unit "$1" first-"$1" <<<"$GOOD"$'\nContainerName=taken'
    way_unit "$1" bad-"$1" <<<"$GOOD"$'\nContainerName=taken\n[Service]\nExecStartPre=false'
    way_start "$1" first-"$1"
    now
    fails way_start "$1" bad-"$1"
    equal "$(said "$1" bad-"$1" | wc -l)" 0
    equal "$(way_property "$1" first-"$1" ActiveState)" active
    way_unit "$1" bad-"$1" <<<"$GOOD"$'\nContainerName=taken'
    manager "$(way_manager "$1")" reset-failed bad-"$1" 2>/dev/null || true
    now
    if [ "$1" = svc ]; then
        fails way_start "$1" bad-"$1"
        equal "$(said "$1" bad-"$1" | wc -l)" 1
        contains "$(said "$1" bad-"$1")" "taken: the container is first-svc.service's"
        equal "$(way_property "$1" first-"$1" ActiveState)" active
        way_stop "$1" first-"$1"
        manager root reset-failed bad-svc
    fi
    way_start "$1" bad-"$1"
    equal "$(way_property "$1" bad-"$1" ActiveState)" active
    [ "$(way_property "$1" first-"$1" ActiveState)" != active ]
    equal "$(way_berth "$1" ps --format '{{.Names}}')" taken
    way_gone "$1" first-"$1" bad-"$1"
}

# For units the file of the machine itself is covered meanwhile; root needs no helper.
no_newuidmap_unit() { # WAY
    mount --bind /dev/null /usr/bin/newuidmap
    if [ "$1" = root ]; then
        repaired root bad-root
    else
        way_unit "$1" bad-"$1" <<<"$GOOD"
        now
        fails way_start "$1" bad-"$1"
        equal "$(way_property "$1" bad-"$1" ExecMainStatus)" 125
        equal "$(said "$1" bad-"$1" | wc -l)" 1
        contains "$(said "$1" bad-"$1")" uidmap
    fi
    umount /usr/bin/newuidmap
    repaired "$1" bad-"$1"
}

no_subordinate_ids_unit() {
    way_unit root bad <<<"$GOOD"$'\n[Service]\nUser=plain'
    now
    fails way_start root bad
    contains "$(way_property root bad ExecStartPre)" 'status=125' # root hands the image over
    equal "$(said root bad | wc -l)" 1
    contains "$(said root bad)" /etc/subuid
    way_gone root bad
}

corrupt_archive() { # WAY: see 200-images for the many ways to be corrupt
    local before
    before=$(way_berth "$1" images -q | sort)
    head -c 100000 "$IMAGES/busybox.tar" >truncated.tar
    one_line 125 truncated.tar way_berth "$1" load -i "$WORK/truncated.tar"
    equal "$(way_berth "$1" images -q | sort)" "$before"
    repaired "$1" bad-"$1"
}

no_space() { # WAY: the store is a file system of a megabyte
    local account=$1 store
    case $1 in
    root) store=/var/lib/berth ;;
    alice) store=/home/alice/.local/share/berth ;;
    svc) store=/var/lib/berth/users/990 ;;
    esac
    mount -t tmpfs -o "size=1m,mode=711,uid=$(id -u "$account"),gid=$(id -g "$account")" tmpfs "$store"
    one_line 125 'no space left' way_berth "$1" load -q -i "$IMAGES/busybox.tar"
    one_line 125 'no space left' way_berth "$1" import -q "$IMAGES/rootfs.tar" localhost/other
    equal "$(ls "$store"/{tmp,layers,images,names} | grep -v : | tr -d '\n')" ''
    umount "$store"
    repaired "$1" bad-"$1"
}

# The launcher of such a start lives for milliseconds; journald must learn its unit all the same.
each_time() { # root|USER
    unit_file "$1" never <<<$'[Container]\nImage=localhost/nowhere\nPull=never\nNetwork=none'
    local since count
    since=$(date '+%F %T.%6N')
    as "$1" bash -c 'for _ in {1..30}; do systemctl $0 start never; systemctl $0 reset-failed never; done' "$([ "$1" = root ] && echo --system || echo --user)"
    journalctl --sync
    if [ "$1" = root ]; then count=$(journalctl -u never --since "$since" -o cat); else count=$(as "$1" journalctl --user -u never --since "$since" -o cat); fi
    equal "$(grep -c 'localhost/nowhere: no such image' <<<"$count")" 30
    unit_gone "$1" never
}

# What a case that failed half-way left makes no other fail.
clean() {
    local way
    while umount /usr/bin/newuidmap 2>/dev/null; do :; done
    while umount -t tmpfs /var/lib/berth/users/990 /home/alice/.local/share/berth /var/lib/berth 2>/dev/null; do :; done
    for way in root alice; do unit_gone $way never first second same bad first-$way bad-$way first-svc bad-svc 2>/dev/null; done
}
trap 'clean; rm -rf "$WORK"' EXIT

for way in $WAYS; do
    way_load "$way" "$IMAGES/busybox.tar" >/dev/null || exit 1
    check "$way: an image that is absent with Pull=never" bad_unit "$way" 125 localhost/nowhere $'[Container]\nImage=localhost/nowhere\nPull=never\nNetwork=none'
    [ "$way" = svc ] || check "$way: why a start failed is in the unit's journal, each time" each_time "$way"
    check "$way: an unknown key" bad_unit "$way" 78 PublishPort $'[Container]\nImage=localhost/busybox\nPublishPorts=80:80'
    check "$way: a bad boolean" bad_unit "$way" 78 "bad-$way.container:3:" $'[Container]\nImage=localhost/busybox\nReadOnly=maybe'
    check "$way: no image" bad_unit "$way" 78 Image $'[Container]\nExec=sleep inf'
    check "$way: a reference to nothing" bad_unit "$way" 78 data.volume $'[Container]\nImage=localhost/busybox\nVolume=data.volume:/data'
    check "$way: a file that cannot be read" unreadable_file "$way"
    check "$way: two units with one service name" one_service_name "$way"
    check "$way: a container name in use" name_in_use "$way"
    check "$way: a host without newuidmap" no_newuidmap_unit "$way"
    check "$way: a corrupt archive" corrupt_archive "$way"
    check "$way: no space left while an image comes in" no_space "$way"
    clean
done
check 'an account without subordinate ids is told the file' no_subordinate_ids
check 'a unit of such an account, too' no_subordinate_ids_unit
check 'a host without newuidmap is told the package' no_newuidmap
check 'a cgroup tree that is not unified' not_unified
for way in $WAYS; do way_berth "$way" rmi -f localhost/busybox >/dev/null 2>&1; done
as plain berth rmi -f localhost/busybox >/dev/null 2>&1
finish
