#!/usr/bin/env bash
# RestrictSUIDSGID= of a unit, which DynamicUser= implies, takes openat2 away (ENOSYS). What rests on it must hold without.
. "$(dirname "$0")/lib.sh"

without() { systemd-run --quiet --wait --pipe --collect -p RestrictSUIDSGID=yes -p Delegate=yes -- "$@"; }
once() { without berth run --rm --network none "$@"; }

taken_away() {
    equal "$(without python3 -c 'import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall(437, -100, b"/", ctypes.create_string_buffer(24), 24)
print(ctypes.get_errno())')" 38
}

everyday() {
    local out
    out=$(once --user app --read-only -v "$WORK:/etc/deep/er:ro" -v fresh630:/var --tmpfs /made/t --tmpfs /w --workdir /w/o/r \
        --sysctl net.ipv4.ip_forward=1 localhost/busybox sh -c 'id -un; pwd; ls -d /etc/deep/er /made/t; ls /var; cat /proc/sys/net/ipv4/ip_forward' | xargs)
    equal "$out" 'app /w/o/r /etc/deep/er /made/t log tmp www 1'
}

image_with() { # COMMAND…: the image localhost/hostile, changed by a command inside its tree
    rm -rf "$WORK/hostile"
    mkdir "$WORK/hostile"
    tar -C "$WORK/hostile" -xf "$IMAGES/rootfs.tar"
    (cd "$WORK/hostile" && "$@")
    tar -C "$WORK/hostile" -cf "$WORK/hostile.tar" .
    berth import -q "$WORK/hostile.tar" localhost/hostile >/dev/null
}

mount_points() { # T7
    local name
    for name in proc dev sys; do
        image_with sh -c "rm -rf $name; ln -s /tmp $name"
        fails once localhost/hostile true 2>message
        contains "$(cat message)" "/$name"
    done
}

links_outwards() { # T3, T15, T16
    local before
    image_with ln -s ../../../../../../../../var/tmp escape
    before=$(ls -A /var/tmp)
    fails_with 126 once --workdir /escape/by-workdir localhost/hostile true
    berth import -q -c 'WORKDIR /escape/by-workdir' "$WORK/hostile.tar" localhost/hostile >/dev/null
    once localhost/hostile true || true
    once --tmpfs /escape/by-tmpfs localhost/hostile true || true
    once -v made630:/escape/by-volume localhost/hostile true || true
    equal "$(ls -A /var/tmp)" "$before"
}

names_of_the_host() { # T16: /etc/passwd of the image is a link to that of the host
    image_with sh -c 'rm etc/passwd; ln -s ../../../../../../../../../etc/passwd etc/passwd'
    fails once --user alice localhost/hostile true 2>message
    contains "$(cat message)" 'no such user'
}

dynamic_user() {
    unit_file root dynamic <<<$'[Container]\nImage=localhost/busybox\nExec=sh -c "id -u; cat /proc/self/uid_map; exec sleep 1000"\nNetwork=none\n[Service]\nDynamicUser=yes'
    systemctl start dynamic.service
    contains "$(berth_map dynamic)" ' 1'
    contains "$(journalctl -u dynamic.service -o cat)" ' 0 '
    systemctl stop dynamic.service
    unit_gone root dynamic
}
berth_map() { cat "/proc/$(systemctl show -P MainPID "$1.service")/uid_map"; }

berth load -q -i "$IMAGES/busybox.tar" || exit 1
check 'openat2 is not there' taken_away
check 'a container of all kinds of mounts' everyday
check 'T7: links where /proc, /dev, /sys belong' mount_points
check 'T3 T15 T16: links of the image lead nowhere else' links_outwards
check 'T16: names are looked up in the image' names_of_the_host
check 'DynamicUser=: a container with its own id alone, its image handed over' dynamic_user
berth rmi -f localhost/hostile >/dev/null
finish
