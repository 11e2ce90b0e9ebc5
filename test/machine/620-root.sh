#!/usr/bin/env bash
# What a start may write: the container's own layer, never the image.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

store_of() { if [ "$1" = root ]; then echo /var/lib/berth; else echo /home/alice/.local/share/berth; fi; }

# The image lacks /run, /etc/hosts and other mount points: they are made in the layer, with --read-only too.
image_untouched() {
    local layers before
    layers=$(store_of "$1")/layers
    before=$(find "$layers" -printf '%p %y %T@\n' | sort)
    way_berth "$1" run --rm --network none --read-only localhost/busybox true
    way_berth "$1" run --rm --network none --read-only --read-only-tmpfs=false localhost/busybox true
    way_berth "$1" run --rm --network none -v new:/made/by/us localhost/busybox true
    equal "$(find "$layers" -printf '%p %y %T@\n' | sort)" "$before"
}

# podman-run(1), --read-only-tmpfs
read_only_places() {
    local script='for d in / /etc /run /tmp /var/tmp /dev /dev/shm; do touch $d/x 2>/dev/null && echo $d; done; echo x >/dev/null && echo null'
    equal "$(way_berth "$1" run --rm --network none --read-only localhost/busybox sh -c "$script" | xargs)" '/run /tmp /var/tmp /dev /dev/shm null'
    equal "$(way_berth "$1" run --rm --network none --read-only --read-only-tmpfs=false localhost/busybox sh -c "$script" | xargs)" null
}

# keep-id maps the account to the kept id; files of the image keep their owners, as with Podman.
keep_id() {
    local out
    out=$(way_berth "$1" run --rm --network none --userns keep-id:uid=500,gid=501 localhost/busybox sh -c 'id -u; id -g; stat -c %u:%g /bin/busybox; touch /tmp/x && stat -c %u:%g /tmp/x' 2>/dev/null | xargs)
    equal "$out" '500 501 0:0 500:501'
    mkdir -p "$WORK/data"
    chown alice: "$WORK/data"
    way_berth "$1" run --rm --network none --userns keep-id:uid=500,gid=501 -v "$WORK/data:/data" localhost/busybox touch /data/file 2>/dev/null
    equal "$(stat -c %U:%G "$WORK/data/file")" alice:alice
}

# systemd moves an account's process only while it has the account's own id: root in there has another.
keep_id_exec() {
    local group
    way_berth alice run -d --rm --name kept --network none --userns keep-id:uid=500,gid=501 localhost/busybox sleep 1000 >/dev/null
    equal "$(way_berth alice exec kept id -u)" 500
    : >said
    way_berth alice exec kept sh -c 'echo in; exec sleep 1000' >said &
    until grep -q in said; do sleep 0.1; done
    group=/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/kept.service/payload/cgroup.procs
    equal "$(wc -l <"$group")" 2
    way_berth alice rm -f -t 0 kept >/dev/null
    fails_with 137 wait $!
}

# The same into a unit of each account, from a session and from a shell that no unit owns.
keep_id_unit() { # WAY
    way_unit "$1" kept <<'E2'
[Container]
Image=localhost/busybox
Network=none
UserNS=keep-id:uid=500,gid=501
StopTimeout=1
Exec=sleep inf
E2
    way_start "$1" kept
    equal "$(way_berth "$1" exec systemd-kept sh -c 'id -u; id -g' | xargs)" '500 501'
    equal "$(way_berth "$1" exec -u 0 systemd-kept sh -c 'id -u; grep ^0: /proc/self/cgroup' | xargs)" '0 0::/'
    way_gone "$1" kept
}

# The layer of a container that is removed at its end needs not reach the disk; another's does.
volatile_layer() {
    contains "$(way_berth "$1" run --rm --network none localhost/busybox grep ' / ' /proc/mounts)" volatile
    way_berth "$1" run --name lasting --network none localhost/busybox sh -c 'grep " / " /proc/mounts' >mounts
    contains "$(cat mounts)" overlay
    fails_with 1 grep -q volatile mounts
    way_berth "$1" rm lasting >/dev/null
}

for way in root alice; do
    way_load $way "$IMAGES/busybox.tar" || exit 1
    check "$way: a start writes nothing to the image" image_untouched $way
    check "$way: only the layer of a container that stays is brought to the disk" volatile_layer $way
    check "$way: what a read-only root leaves writable" read_only_places $way
done
check 'alice: keep-id' keep_id alice
check 'alice: a further process in a container with keep-id is in its group' keep_id_exec
way_load svc "$IMAGES/busybox.tar" || exit 1
for way in alice svc; do check "$way: a further process in a unit with keep-id" keep_id_unit $way; done
way_berth svc rmi -f localhost/busybox >/dev/null 2>&1
finish
