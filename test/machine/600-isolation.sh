#!/usr/bin/env bash
# What a payload sees and cannot do, as root and as an account, beside Podman's container of the same image in the same run.
# Each case carries the id of the threat it tries.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

once() { # WAY [OPTION…] -- COMMAND…: a container that runs this and is gone
    local way=$1 options=()
    shift
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    way_berth "$way" run --rm --network none "${options[@]}" localhost/busybox "$@"
}

status_like_podman() { # WAY: capabilities, seccomp, no-new-privileges of pid 1
    local want='^(Cap|Seccomp:|NoNewPrivs|Groups)' ours peer
    ours=$(once "$1" -- cat /proc/self/status | grep -E "$want")
    peer=$(as "$1" podman run --rm --network none localhost/busybox cat /proc/self/status | grep -E "$want")
    equal "$ours" "$peer"
}

masked_like_podman() { # WAY: each path that podman hides is hidden here
    local paths='/proc/acpi /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/sched_debug /proc/scsi /sys/firmware /sys/fs/selinux /sys/dev/block /proc/asound /proc/interrupts'
    local script='for p in '$paths'; do [ -e $p ] || continue; if [ -d $p ]; then echo $p dir $(ls $p | wc -l); else echo $p file $(head -c 1 $p 2>/dev/null | wc -c); fi; done'
    equal "$(once "$1" -- sh -c "$script")" "$(as "$1" podman run --rm --network none localhost/busybox sh -c "$script")"
}

devices_like_podman() {
    equal "$(once "$1" -- sh -c 'ls /dev | sort')" "$(as "$1" podman run --rm --network none localhost/busybox sh -c 'ls /dev | sort')"
}

namespaces_differ() { # WAY: user (unless root), pid, mnt, ipc, uts, net, cgroup
    local ns inside outside
    for ns in pid mnt ipc uts net cgroup; do
        inside=$(once "$1" -- readlink /proc/self/ns/$ns)
        outside=$(readlink /proc/self/ns/$ns)
        [ "$inside" != "$outside" ] || { echo "$ns is shared" >&2; return 1; }
    done
}

# T2: no descriptor but 0, 1, 2 (the listing itself opens one).
no_descriptor_leaks() {
    exec 7</etc/passwd 8</
    equal "$(once "$1" -- sh -c 'ls /proc/self/fd | wc -w')" 4
    way_berth "$1" run -d --name leaks --rm --network none localhost/busybox sleep 1000 >/dev/null
    equal "$(way_berth "$1" exec leaks sh -c 'ls /proc/self/fd | wc -w')" 4
    way_berth "$1" rm -f -t 0 leaks >/dev/null
}

# T1: neither the container nor an exec shows our program; what it shows cannot be written.
program_out_of_reach() {
    local out
    way_berth "$1" run -d --name reach --rm --network none localhost/busybox sh -c \
        'while :; do for p in /proc/[0-9]*; do readlink $p/exe; [ $p = /proc/1 ] || ( : >>$p/exe ) 2>/dev/null && echo WRITABLE $p; done; done >/tmp/seen 2>/dev/null' >/dev/null
    local i
    for ((i = 0; i < 20; i++)); do way_berth "$1" exec reach true; done
    out=$(way_berth "$1" exec reach sort -u /tmp/seen)
    way_berth "$1" rm -f -t 0 reach >/dev/null
    contains "$out" busybox
    fails grep -E '/usr/bin/berth' <<<"$out"
}

# T10: the control groups cannot be written from inside.
cgroup_read_only() {
    fails once "$1" -- sh -c 'mkdir /sys/fs/cgroup/inside 2>/dev/null || echo max >/sys/fs/cgroup/pids.max'
    contains "$(once "$1" -- grep ' /sys/fs/cgroup ' /proc/self/mountinfo)" ' ro,'
    equal "$(once "$1" -- cat /proc/self/cgroup | grep '^0::')" '0::/'
}

# T11: an exec has no more than the container's first process.
exec_like_run() {
    way_berth "$1" run -d --name caps --rm --network none --cap-drop net_bind_service --security-opt no-new-privileges localhost/busybox sleep 1000 >/dev/null
    local first second
    first=$(way_berth "$1" exec caps cat /proc/1/status | grep -E '^(Cap|Seccomp:|NoNewPrivs)')
    second=$(way_berth "$1" exec caps cat /proc/self/status | grep -E '^(Cap|Seccomp:|NoNewPrivs)')
    way_berth "$1" rm -f -t 0 caps >/dev/null
    equal "$second" "$first"
    contains "$second" $'NoNewPrivs:\t1'
    contains "$second" $'CapInh:\t0000000000000000'
    contains "$second" $'CapAmb:\t0000000000000000'
}

# T12: the groups of the image's user, and no others.
groups_of_the_user() {
    equal "$(once "$1" --user app -- id -G)" '1000 44'
    equal "$(once "$1" --user 1234 -- id -G)" 0
    equal "$(once "$1" -- id -G)" 0
}

# T13: ids are 32 bits and mapped, or refused by name.
ids_in_range() {
    local id
    for id in 4294967295 4294967296 -1 99999999999999999999; do
        fails once "$1" --user "$id" -- true 2>message
        equal "$(wc -l <message)" 1
        contains "$(cat message)" "$id"
    done
}

# T15: a working directory through a link of the image makes nothing outside.
workdir_through_link() {
    local image=$WORK/linked-$1
    mkdir -p "$image"
    tar -C "$image" -xf "$IMAGES/rootfs.tar"
    ln -s ../../../../../../../var/tmp "$image/escape"
    tar -C "$image" -cf "$WORK/linked.tar" .
    way_berth "$1" import -q -c 'WORKDIR /escape/made-by-t15' "$WORK/linked.tar" localhost/linked >/dev/null
    way_berth "$1" run --rm --network none localhost/linked true || true
    way_berth "$1" run --rm --network none --tmpfs /escape/made-by-t15 localhost/linked true || true
    way_berth "$1" rmi -f localhost/linked >/dev/null
    [ ! -e /var/tmp/made-by-t15 ]
}

# T2: a working directory in /proc is no way out.
workdir_in_proc() {
    local n
    for n in 3 5 7 8 9 10; do fails once "$1" --workdir "/proc/self/fd/$n" -- ls ../../../../etc/containers; done
    way_berth "$1" run -d --rm --name within --network none --stop-timeout 0 localhost/busybox sleep 1000 >/dev/null
    for n in 3 5 7 8 9 10; do fails way_berth "$1" exec --workdir "/proc/self/fd/$n" within ls ../../../../etc/containers; done
    way_berth "$1" rm -f -t 0 within >/dev/null
}

# T14: labels and annotations of an image change nothing of the confinement; the options of a run are no back door either.
labels_are_text() {
    local plain labelled
    plain=$(once "$1" -- grep -E '^(Cap|Seccomp|NoNew)' /proc/self/status)
    labelled=$(once "$1" --label io.podman.annotations.privileged=TRUE --annotation io.podman.annotations.privileged=TRUE --annotation io.podman.annotations.seccomp=unconfined \
        --annotation run.oci.keep_original_groups=1 -- grep -E '^(Cap|Seccomp|NoNew)' /proc/self/status)
    equal "$labelled" "$plain"
}

# T28: what an image or a name holds is printed without control characters.
control_characters() {
    local out
    way_berth "$1" run -d --name bell --rm --network none --label "evil=$(printf '\033[2Jx')" localhost/busybox sh -c "$(printf ': \033]0;owned\007'); sleep 1000" >/dev/null
    out=$(way_berth "$1" ps --no-trunc; way_berth "$1" inspect bell; way_berth "$1" ps --format json)
    way_berth "$1" rm -f -t 0 bell >/dev/null
    contains "$out" bell
    fails env LC_ALL=C grep -P '[\x00-\x08\x0b-\x1f\x7f]' <<<"$out"
}

# T29: the value of a variable passed on by name is in no argument list while the container runs.
environment_not_in_argv() {
    SECRET_WORD=moonshine way_berth "$1" run -d --name hush --rm --network none --env SECRET_WORD localhost/busybox sleep 1000 >/dev/null
    fails grep -lsa moonshine /proc/[0-9]*/cmdline
    equal "$(systemctl show '*' 2>/dev/null | grep -c moonshine || true)" 0
    way_berth "$1" rm -f -t 0 hush >/dev/null
}

# T33: state is the account's own; another account neither sees nor touches a container.
private_state() {
    local directory
    as alice berth run -d --name mine --rm --network none localhost/busybox sleep 1000 >/dev/null
    equal "$(as bob berth ps -q | wc -l)" 0
    fails as bob berth stop mine
    fails as bob berth exec mine true
    as bob berth rm -f mine # for bob there is none, and --force is content with that
    equal "$(as alice berth inspect --format '{{.State.Running}}' mine)" true
    for directory in /run/user/1000/berth /home/alice/.local/share/berth; do equal "$(stat -c %a "$directory")" 700; done
    equal "$(as alice berth exec mine echo mine)" mine
    as alice berth rm -f -t 0 mine >/dev/null
    [ -z "$(find /tmp -newer "$WORK" -name '*berth*')" ]
}

# T7: an image whose /proc, /dev or /sys is a link fails with one line.
links_for_mount_points() {
    local name image=$WORK/hostile
    for name in proc dev sys; do
        rm -rf "$image"
        mkdir "$image"
        tar -C "$image" -xf "$IMAGES/rootfs.tar"
        rm -rf "${image:?}/$name"
        ln -s /tmp "$image/$name"
        tar -C "$image" -cf "$WORK/hostile.tar" .
        way_berth "$1" import -q "$WORK/hostile.tar" localhost/hostile >/dev/null
        fails way_berth "$1" run --rm --network none localhost/hostile true 2>message
        equal "$(wc -l <message)" 1
        contains "$(cat message)" "/$name"
        way_berth "$1" rmi -f localhost/hostile >/dev/null
    done
}

for way in root alice; do
    way_load $way "$IMAGES/busybox.tar" || exit 1
    as $way podman load -q -i "$IMAGES/busybox.tar" >/dev/null 2>&1
    check "T11 T12 $way: capabilities, seccomp, no-new-privileges and groups are Podman's" status_like_podman $way
    check "T4 $way: masked paths are Podman's" masked_like_podman $way
    check "T5 $way: /dev holds what Podman's holds" devices_like_podman $way
    check "$way: namespaces of its own" namespaces_differ $way
    check "T2 $way: no descriptor leaks into run and exec" no_descriptor_leaks $way
    check "T1 $way: our program is out of the payload's reach" program_out_of_reach $way
    check "T10 $way: control groups are read-only inside" cgroup_read_only $way
    check "T11 $way: exec has no more than run" exec_like_run $way
    check "T12 $way: supplementary groups are the image user's" groups_of_the_user $way
    check "T13 $way: ids out of range are refused by name" ids_in_range $way
    check "T15 $way: a working directory through a link stays inside" workdir_through_link $way
    check "T2 $way: a working directory below /proc/self/fd is no way out" workdir_in_proc $way
    check "T14 $way: labels and annotations are text" labels_are_text $way
    check "T7 $way: links where /proc, /dev, /sys belong fail with one line" links_for_mount_points $way
    check "T28 $way: no control characters reach the terminal" control_characters $way
    check "T29 $way: a passed variable is in no argument list" environment_not_in_argv $way
done
check 'T33: one account neither sees nor touches the containers of another' private_state
for way in root alice; do
    as $way berth rmi -f localhost/busybox >/dev/null
    as $way podman rmi -f localhost/busybox >/dev/null 2>&1
done
finish
