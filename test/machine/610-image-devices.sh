#!/usr/bin/env bash
# A hostile image brings device nodes. As root without a user namespace they would be the host's devices; Podman's device cgroup
# forbids to open them, here the mount does.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

# T5: the memory and the random device stand for a disk. The ones that a container is given do work.
nodes_of_an_image() {
    local image=$WORK/nodes out
    rm -rf "$image"
    mkdir "$image"
    tar -C "$image" -xf "$IMAGES/rootfs.tar"
    mknod -m 666 "$image/null-of-image" c 1 3
    mknod -m 666 "$image/zero-of-image" c 1 5
    tar -C "$image" -cf "$WORK/nodes.tar" .
    chmod 644 "$WORK/nodes.tar"
    way_berth "$1" import -q "$WORK/nodes.tar" localhost/nodes >/dev/null
    out=$(way_berth "$1" run --rm --network none localhost/nodes sh -c \
        'head -c 1 /zero-of-image >/dev/null 2>&1 && echo opened; [ ! -c /null-of-image ] || { (: >/null-of-image) 2>/dev/null && echo written; }; head -c 1 /dev/zero | wc -c')
    way_berth "$1" run --rm --network none --read-only localhost/nodes sh -c '! head -c 1 /zero-of-image 2>/dev/null'
    way_berth "$1" rmi -f localhost/nodes >/dev/null
    equal "$out" 1
}

# T5: a directory of the host, mounted by root, gives no devices either.
nodes_of_a_directory() {
    mkdir -p "$WORK/directory"
    mknod -m 666 "$WORK/directory/zero" c 1 5
    fails berth run --rm --network none -v "$WORK/directory:/mnt" localhost/busybox head -c 1 /mnt/zero 2>/dev/null
    equal "$(berth run --rm --network none -v "$WORK/directory:/mnt:dev" localhost/busybox sh -c 'head -c 1 /mnt/zero | wc -c')" 1
}

# What a payload may open by its own nodes, beside Podman's: fuse is a device that no container has unless it is given.
opens() { # PROGRAM [OPTION…]
    local program=$1
    shift
    "$program" run --rm --network none --cap-add mknod "$@" localhost/busybox sh -c '
        mknod /dev/made c 10 229 || echo cannot make
        mknod /dev/disk b 7 0 || echo cannot make a disk
        for node in made fuse disk zero; do
            [ -e /dev/$node ] || continue
            (exec 3</dev/$node) 2>/dev/null && echo $node can be read
            (exec 3>/dev/$node) 2>/dev/null && echo $node can be written
        done' 2>"$WORK/said"
}
devices_of_root() {
    local options given
    (exec 3<>/dev/fuse) # the machine itself may
    for options in '' '--device /dev/fuse' '--device /dev/fuse:r' '--device /dev/fuse:w' '--privileged'; do
        # shellcheck disable=SC2086
        given=$(opens berth $options)
        equal "$(cat "$WORK/said")" ''
        # shellcheck disable=SC2086
        equal "$given" "$(opens podman $options)"
    done
    equal "$(opens berth)" $'zero can be read\nzero can be written'
    equal "$(opens berth --device /dev/fuse:r)" $'made can be read\nfuse can be read\nzero can be read\nzero can be written'
}
devices_of_a_unit() { # an exec has no more
    unit_file root nodes <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nAddCapability=CAP_MKNOD\nAddDevice=/dev/fuse:r\nStopTimeout=0\nExec=sleep inf'
    systemctl start nodes
    equal "$(berth exec systemd-nodes sh -c '(exec 3</dev/fuse) && echo read; (exec 3>/dev/fuse) 2>/dev/null && echo written')" read
    berth exec systemd-nodes mknod /dev/made c 10 229
    fails berth exec systemd-nodes sh -c '(exec 3>/dev/made)' 2>/dev/null
    systemctl daemon-reload
    fails berth exec systemd-nodes sh -c '(exec 3>/dev/made)' 2>/dev/null
    unit_gone root nodes
}
for way in root alice; do
    way_load $way "$IMAGES/busybox.tar" || exit 1
    check "T5 $way: device nodes of an image open nothing" nodes_of_an_image $way
done
check 'T5 root: device nodes of a mounted directory open nothing, unless asked for' nodes_of_a_directory
podman load -q -i "$IMAGES/busybox.tar" >/dev/null 2>&1
check 'T5 root: which devices open is what it is with Podman' devices_of_root
podman rmi -f localhost/busybox >/dev/null 2>&1
check 'T5 root: a unit and an exec into it' devices_of_a_unit
unit_gone root nodes
finish
