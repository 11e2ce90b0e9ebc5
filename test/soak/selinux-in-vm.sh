#!/usr/bin/env bash
# Inside the virtual machine of selinux.sh, whose policy is enforced. WAYS chooses.
ways_chosen=${WAYS:-root alice svc}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"
LABEL='system_u:object_r:container_file_t'

label_of() { getfattr --absolute-names -h --only-values -n security.selinux "$1" | tr -d '\0'; }
domain_of() { tr -d '\0' <"/proc/$1/attr/current"; }
level_of() { domain_of "$1" | cut -d: -f4-; }
main_of() { way_property "$1" "$2" MainPID; }
home_of() { case $1 in root) echo /srv/root ;; *) echo "/srv/$1" ;; esac; }
owner_of() { if [ "$1" = svc ]; then echo svc; else echo "$1"; fi; }
inside() { way_berth "$1" exec "$2" "${@:3}"; }

enforced() {
    equal "$(cat /sys/fs/selinux/enforce)" 1
    semodule -l | grep -x berth
}

files_of() { # WAY
    local top
    top=$(home_of "$1")
    mkdir -p "$top"/{shared/below,private,plain,shared/mounted}
    echo "of $1" | tee "$top"/{shared/below,private,plain}/file >/dev/null
    ln -s /etc/machine-id "$top/shared/link"
    mount -t tmpfs tmpfs "$top/shared/mounted"
    echo other >"$top/shared/mounted/file"
    chown -hR "$(owner_of "$1")" "$top"
}

unit() { # WAY NAME LINE…: waits for signals
    local way=$1 name=$2
    printf '%s\n' '[Container]' 'Image=localhost/busybox' "ContainerName=$name" 'StopSignal=SIGKILL' 'Exec=sleep inf' "${@:3}" | way_unit "$way" "$name"
    way_start "$way" "$name" || { way_journal "$way" "$name" | tail -n 5 >&2; return 1; }
}

starts() { # WAY
    local top payload
    top=$(home_of "$1")
    way_load "$1" "$IMAGES/busybox.tar"
    unit "$1" "one-$1" Network=none "Volume=$top/shared:/shared:z" "Volume=$top/private:/private:Z" "Volume=$top/plain:/plain" 'Volume=data:/data' 'Tmpfs=/t'
    payload=$(main_of "$1" "one-$1")
    [[ $(domain_of "$payload") =~ ^system_u:system_r:container_t:s0:c[0-9]+,c[0-9]+$ ]]
}

labelled() { # WAY
    local top payload level path
    top=$(home_of "$1")
    level=$(level_of "$(main_of "$1" "one-$1")")
    for path in shared shared/below shared/below/file shared/link; do equal "$path $(label_of "$top/$path")" "$path $LABEL:s0"; done
    for path in private private/file; do equal "$path $(label_of "$top/$path")" "$path $LABEL:$level"; done
    # Neither where the link leads nor what is mounted below.
    [[ $(label_of /etc/machine-id) != *container_file_t* && $(label_of "$top/shared/mounted/file") != *container_file_t* ]]
    [[ $(label_of "$top/plain/file") != *container_file_t* ]]
}

# What the policy of the host lets the payload do, in the same process that was started and in one of `exec`.
confined() { # WAY
    inside "$1" "one-$1" sh -ec 'cat /proc/self/attr/current | grep -q :container_t:
        cat /shared/below/file /private/file /etc/hosts /etc/hostname /run/.containerenv /bin/busybox >/dev/null
        for path in /shared/new /private/new /data/new /t/new /new /dev/shm/new; do echo x >$path; done'
    contains "$(fails_with 1 inside "$1" "one-$1" cat /plain/file 2>&1)" 'Permission denied'
    contains "$(fails_with 1 inside "$1" "one-$1" cat /shared/mounted/file 2>&1)" 'Permission denied'
}

# Another container reads what is shared, and not what is private.
apart() { # WAY
    local top
    top=$(home_of "$1")
    unit "$1" "two-$1" Network=none "Volume=$top/shared:/shared" "Volume=$top/private:/private" 'Volume=data:/data'
    # What a payload makes in a shared directory has its own level by this policy.
    inside "$1" "two-$1" sh -ec 'cat /shared/below/file; echo x >/data/other'
    contains "$(fails_with 1 inside "$1" "two-$1" cat /private/file 2>&1)" 'Permission denied'
    way_gone "$1" "two-$1"
}

# The walk is made once: what differs below a top with the right label stays, until the top differs.
once() { # WAY
    local top
    top=$(home_of "$1")
    chcon -t tmp_t "$top/shared/below/file"
    manager "$(way_manager "$1")" restart "one-$1"
    contains "$(label_of "$top/shared/below/file")" :tmp_t:
    chcon -t tmp_t "$top/shared"
    manager "$(way_manager "$1")" restart "one-$1"
    equal "$(label_of "$top/shared/below/file")" "$LABEL:s0"
}

refused() { # WAY
    local path said
    for path in / /usr /etc /home /var/lib /usr/bin/ "$([ "$1" = alice ] && echo /home/alice || echo /root/.)"; do
        said=$(fails_with 125 way_berth "$1" run --rm --network none -v "$path:/x:z" localhost/busybox true 2>&1)
        contains "$said" 'cannot be labelled for a container; name a directory of its own'
        equal "$(wc -l <<<"$said")" 1
    done
    [[ $(label_of /usr)$(label_of /etc)$(label_of /home) != *container_file_t* ]]
}

pods() { # WAY
    local a b holder
    unit_file "$(way_manager "$1")" "group-$1.pod" <<<$'[Pod]\nNetwork=none'"$([ "$1" != svc ] || printf '\n[Service]\nUser=svc')"
    unit "$1" "a-$1" "Pod=group-$1.pod"
    unit "$1" "b-$1" "Pod=group-$1.pod"
    a=$(level_of "$(main_of "$1" "a-$1")")
    b=$(level_of "$(main_of "$1" "b-$1")")
    equal "$a" "$b"
    [ "$a" != "$(level_of "$(main_of "$1" "one-$1")")" ]
    inside "$1" "a-$1" sh -c 'echo said >/dev/shm/word'
    equal "$(inside "$1" "b-$1" cat /dev/shm/word)" said
    way_gone "$1" "a-$1" "b-$1"
    unit_gone "$(way_manager "$1")" "group-$1-pod"
    rm -f "$(unit_directory "$(way_manager "$1")")/group-$1.pod"
}

end() { # WAY
    umount "$(home_of "$1")/shared/mounted"
    way_gone "$1" "one-$1"
}

check 'SELinux is on and enforces' enforced
for way in $ways_chosen; do
    check "$way: files" files_of "$way"
    check "$way: a container starts, with a level of its own" starts "$way"
    check "$way: :z and :Z label the tree" labelled "$way"
    check "$way: the payload is confined, and reads its own" confined "$way"
    check "$way: what is private is for the container alone" apart "$way"
    check "$way: no walk twice" once "$way"
    check "$way: what the host needs is refused" refused "$way"
    check "$way: the members of a pod share a level" pods "$way"
    check "$way: the end" end "$way"
done
[ "$failures" = 0 ] || dmesg | grep avc: | grep -E 'container_t|berth' | tail -n 40 | cut -c1-330
finish
