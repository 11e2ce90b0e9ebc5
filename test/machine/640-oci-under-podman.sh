#!/usr/bin/env bash
# Podman calls Berth as its OCI runtime, as root and as an account: foreign bundles, a foreign monitor.
. "$(dirname "$0")/lib.sh"

printf '#!/bin/sh\nexec /usr/bin/berth oci "$@"\n' >"$WORK/berth-oci"
chmod 755 "$WORK/berth-oci"
pod() {
    local user=$1
    shift
    as "$user" podman --log-level error --cgroup-manager cgroupfs --runtime "${RUNTIME:-$WORK/berth-oci}" "$@"
}
run() {
    local user=$1
    shift
    pod "$user" run --rm --network none "$@"
}
runs() { equal "$(run "$1" localhost/busybox sh -c 'echo hello; exit 0')" hello; }
status_of() { fails_with 7 run "$1" localhost/busybox sh -c 'exit 7'; }
not_found() {
    local said
    said=$(fails_with 127 run "$1" localhost/busybox no-such-program 2>&1)
    contains "$said" no-such-program
}
as_crun() { # what a payload sees is what crun shows it
    local script='id; ls /dev; grep -E "Cap|NoNew|Seccomp:|Groups" /proc/self/status; pwd; ulimit -n; umask; cat /proc/self/uid_map; cut -d " " -f 2,3 /proc/mounts | sort; for f in /proc/keys /proc/timer_list; do wc -c <$f; done; ls /sys/firmware /proc/scsi 2>&1; ls /proc/self/fd'
    equal "$(run "$1" --user 33 --cap-add CHOWN localhost/busybox sh -c "$script" | grep -v /etc/hosts)" \
        "$(RUNTIME=crun run "$1" --user 33 --cap-add CHOWN localhost/busybox sh -c "$script" | grep -v /etc/hosts)"
}
tmpfs_modes() {
    equal "$(run "$1" --tmpfs /given:mode=700 --tmpfs /etc --tmpfs /new localhost/busybox stat -c %a /given /etc /new)" $'700\n755\n1777'
}
read_only() { equal "$(run "$1" --read-only localhost/busybox sh -c 'touch /x 2>/dev/null; echo $?; touch /tmp/x; echo $?')" $'1\n0'; }
terminal() { contains "$(run "$1" -t localhost/busybox sh -c 'tty; test -c /dev/console && echo console')" console; }
long_life() {
    pod "$1" run -d --name living --network none localhost/busybox sleep 1000 >/dev/null
    equal "$(pod "$1" exec -u 33 -w /tmp living sh -c 'id -u; pwd; echo $$')" $'33\n/tmp\n2'
    pod "$1" stop -t 1 living >/dev/null
    pod "$1" rm living >/dev/null
}
shares() { # a mount of the host appears inside
    mkdir -p /mnt/shared
    mountpoint -q /mnt/shared || mount -t tmpfs shared /mnt/shared
    mount --make-shared /mnt/shared
    equal "$(run root -v /mnt/shared:/mnt:rshared localhost/busybox grep -c ' /mnt .*shared:' /proc/self/mountinfo)" 1
    umount /mnt/shared
}

for who in root alice; do
    as "$who" podman load -q -i "$IMAGES/busybox.tar" >/dev/null
    check "$who: a container runs" runs "$who"
    check "$who: its status arrives" status_of "$who"
    check "$who: a missing program is 127" not_found "$who"
    check "$who: the payload sees what crun shows" as_crun "$who"
    check "$who: modes of a tmpfs" tmpfs_modes "$who"
    check "$who: a read-only root" read_only "$who"
    check "$who: a terminal" terminal "$who"
    check "$who: exec, stop, rm" long_life "$who"
    as "$who" podman rmi -f localhost/busybox >/dev/null
done
as root podman load -q -i "$IMAGES/busybox.tar" >/dev/null
check 'root: shared mounts stay shared' shares
as root podman rmi -f localhost/busybox >/dev/null
finish
