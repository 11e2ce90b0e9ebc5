#!/usr/bin/env bash
# User namespaces: which ids a container has, whose its files are, and what is copied for that.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"
SEE='cat /proc/self/uid_map /proc/self/gid_map | xargs; id -u; stat -c %u:%g / /bin/busybox /etc/passwd; touch /made && stat -c %u /made; touch /data/new; stat -c %u:%g /data /data/new'

store_of() { case $1 in root) echo /var/lib/berth ;; alice) echo /home/alice/.local/share/berth ;; svc) echo /var/lib/berth/users/990 ;; esac; }

# seen WAY MAP-AND-USER OPTION…: what a container with the options writes; root of the image is root inside, a new volume the payload's.
seen() {
    local way=$1 wanted=$2 user
    shift 2
    user=${wanted##* }
    wanted="${wanted% *} $user 0:0 0:0 0:0 $([ "$user" != 0 ] || echo '0 ')$user:$user $user:$user"
    equal "$(way_berth "$way" run --rm --network none -v ids:/data "$@" localhost/busybox sh -c "$SEE" 2>/dev/null | xargs)" "$wanted"
    way_berth "$way" volume rm ids >/dev/null
    equal "$(ls "$(store_of "$way")/containers")" ''
}
# The same of a unit, by two of its lines.
seen_in_unit() { # WAY MAP LINE…
    local way=$1 wanted=$2
    shift 2
    way_unit "$way" ids <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\n'"$(printf '%s\n' "$@")"$'\nExec=sh -c "cat /proc/self/uid_map | xargs"\n[Service]\nType=oneshot'
    way_start "$way" ids || { way_journal "$way" ids; return 1; }
    contains "$(way_journal "$way" ids)" "$wanted"
    way_gone "$way" ids
}
both() { echo "$1 $1"; }

of_root() {
    seen root "$(both '0 100000 1000') 0" --uidmap 0:100000:1000
    seen root '0 100000 1000 0 200000 10 0' --uidmap 0:100000:1000 --gidmap 0:200000:10
    seen root "$(both '0 300000 5 5 100003 2 7 300007 3') 0" --uidmap 0:300000:10 --uidmap +5:@100003:2
    seen root "$(both '0 2147483647 1024') 0" --userns auto
    seen root "$(both '0 2147483647 3000') 7" --userns auto:size=3000 --user 7:7
    seen root "$(both '0 231072 65536') 0" --subuidname svc --subgidname svc
    seen root "$(both '0 0 4294967295') 0" --userns keep-id
    seen_in_unit root '0 2147483647 1024' UserNS=auto
    seen_in_unit root '0 231072 65536' SubUIDMap=svc SubGIDMap=svc
}

# Ids outside are those of the account's own namespace, as with Podman: 0 is the account, 1 its first subordinate id.
of_account() { # WAY UID FIRST-SUBORDINATE
    local way=$1 uid=$2 first=$3
    seen "$way" "$(both "0 1 $uid $uid 0 1 $((uid + 1)) $((uid + 1)) $((65536 - uid))") $uid" --userns keep-id
    seen "$way" "$(both '0 1 33 33 0 1 34 34 65503') 33" --userns keep-id:uid=33,gid=33
    seen "$way" "$(both '0 1 65536') 0" --userns nomap
    seen "$way" "$(both '0 1 1024') 0" --userns auto
    seen "$way" "$(both '0 1 2000') 5" --userns auto:size=2000 --user 5:5
    seen "$way" "$(both "0 0 1 1 10 5") 0" --uidmap 0:0:1 --uidmap "1:@$((first + 9)):5"
    seen_in_unit "$way" "0 1 $uid $uid 0 1" UserNS=keep-id
}

# A directory has the owners that it has, but where its mount is told the map.
of_directory() {
    local root=$WORK/root map=(--network none --uidmap 0:300000:1000)
    mkdir "$root" && tar -C "$root" -xf "$IMAGES/rootfs.tar"
    contains "$(fails_with 125 berth run --rm "${map[@]}" --rootfs "$root" true 2>&1)" "permission denied; give $root to the container's ids, or write $root:idmap"
    equal "$(berth run --rm "${map[@]}" --rootfs "$root:idmap" sh -c "$SEE" 2>/dev/null | xargs)" "$(both '0 300000 1000') 0 0:0 0:0 0:0 0"
    equal "$(stat -c %u:%g "$root/made")" 0:0
    contains "$(fails_with 125 as alice berth run --rm --network none --rootfs "$root:idmap" true 2>&1)" 'only root can mount'
    # A volume of the host's ids, and the same without the map.
    mkdir -p "$WORK/ours"
    touch "$WORK/ours/f"
    equal "$(berth run --rm "${map[@]}" -v "$WORK/ours:/m:idmap" localhost/busybox sh -c 'touch /m/g; stat -c %u /m/f')" 0
    equal "$(stat -c %u "$WORK/ours/g")" 0
    equal "$(berth run --rm "${map[@]}" -v "$WORK/ours:/m" localhost/busybox stat -c %u /m/f)" 65534
    equal "$(berth run --rm "${map[@]}" --mount type=image,src=localhost/busybox,dst=/mnt --rootfs "$root:idmap" stat -c %u /mnt/bin)" 0
    chown -R 300000:300000 "$root"
    equal "$(berth run --rm "${map[@]}" --mount type=image,src=localhost/busybox,dst=/mnt --rootfs "$root" stat -c %u / /mnt/bin | xargs)" '0 0'
}

# A layer is copied once for a map, and never where the kernel maps the mount.
copied_once() { # WAY
    local way=$1 before
    before=$(find "$(store_of "$way")/layers" -maxdepth 2 -printf '%i %C@ %p\n' | sort)
    way_berth "$way" run --rm --network none --userns keep-id localhost/busybox true
    equal "$(find "$(store_of "$way")/layers" -maxdepth 2 -printf '%i %C@ %p\n' | sort)" "$before"
    contains "$before" mapped-
    fails grep . <<<"$(find /var/lib/berth/layers -maxdepth 2 -name 'mapped-*')"
}

# No two have an id in common; who comes too late is told so.
apart() { # USER
    local user=$1 name
    for name in one two; do as "$user" berth run -d --rm --network none --name $name --stop-timeout 0 --userns auto:size=30000 localhost/busybox sleep inf >/dev/null; done
    equal "$(as "$user" berth exec one cat /proc/self/uid_map | awk '{ print $1, $3 }')" '0 30000'
    equal "$(($(as "$user" berth exec two cat /proc/self/uid_map | awk '{ print $2 }') - $(as "$user" berth exec one cat /proc/self/uid_map | awk '{ print $2 }')))" 30000
    [ "$user" = root ] || contains "$(fails_with 125 as "$user" berth run --rm --network none --userns auto:size=30000 localhost/busybox true 2>&1)" 'ids in a row are free in /etc/subuid; other containers have them'
    as "$user" berth exec two sh -c 'touch /x; stat -c %u /x'
    as "$user" berth rm -f one two >/dev/null
}

# Files in and out, an image of it, its root once more when it does not run.
handled() { # USER USERNS
    local user=$1 userns=$2
    as "$user" berth run --network none --name handled --user 0 --userns "$userns" localhost/busybox sh -c 'echo x >/etc/f; chown 7:8 /etc/f'
    contains "$(as "$user" sh -c 'berth cp handled:/etc/f - | tar tvf - --numeric-owner')" 7/8
    contains "$(as "$user" berth diff handled)" 'A /etc/f'
    as "$user" berth commit -q handled localhost/handled >/dev/null
    equal "$(as "$user" berth run --rm --network none localhost/handled stat -c %u:%g /etc/f)" 7:8
    as "$user" berth rm handled >/dev/null
    as "$user" berth rmi localhost/handled >/dev/null
}

# A pod's map is that of its members; networks with names work with one.
in_pods() { # USER USERNS MAP
    local user=$1 userns=$2 map=$3
    as "$user" berth pod create --name mapped --userns "$userns" >/dev/null
    as "$user" berth pod start mapped >/dev/null
    equal "$(as "$user" berth run --rm --pod mapped localhost/busybox sh -c 'cat /proc/self/uid_map | xargs; stat -c %u / /bin/busybox | xargs; touch /dev/shm/x')" "$map"$'\n0 0'
    as "$user" berth pod rm -f -t 0 mapped >/dev/null
    as "$user" berth network create mapnet >/dev/null
    contains "$(as "$user" berth run --rm --network mapnet --userns "$userns" localhost/busybox sh -c 'ip -o -4 addr show eth0; cat /proc/self/uid_map | xargs')" "$map"
    as "$user" berth network rm mapnet >/dev/null
}

bad_input() {
    contains "$(fails_with 125 berth run --rm --userns nomap localhost/busybox true 2>&1)" 'for accounts, not for root'
    contains "$(fails_with 125 berth run --rm --uidmap 5:100000:5 localhost/busybox true 2>&1)" 'uid 0 and gid 0 must be in it'
    contains "$(fails_with 125 as alice berth run --rm --uidmap 0:@0:5 localhost/busybox true 2>&1)" 'not one of this account'
    contains "$(fails_with 125 as alice berth run --rm --userns auto:size=70000 localhost/busybox true 2>&1)" 'no 70000 ids in a row are free in /etc/subuid; no range is so large'
    contains "$(fails_with 125 as alice berth run --rm --userns auto:size=5 --user 9 localhost/busybox true 2>&1)" 'uid 9 is not mapped'
    sed -i /^containers:/d /etc/subuid
    contains "$(fails_with 125 berth run --rm --userns auto localhost/busybox true 2>&1)" 'add a line containers:'
    equal "$(ls /var/lib/berth/containers /run/berth/containers)" $'/run/berth/containers:\n\n/var/lib/berth/containers:'
}

[ -e /etc/resolv.conf ] || { echo 'nameserver 192.0.2.53' >/etc/resolv.conf; made_resolver=yes; }
for file in subuid subgid; do cp /etc/$file $file && echo containers:2147483647:2147483648 >>/etc/$file; done
for way in $WAYS; do way_load "$way" "$IMAGES/busybox.tar" >/dev/null || exit 1; done
check 'root: a directory and the map' of_directory
check 'root: ids, files and volumes of every form' of_root
check 'alice: ids, files and volumes of every form' of_account alice 1000 100000
check 'svc: ids, files and volumes of every form' of_account svc 990 231072
for way in alice svc; do check "$way: a layer is copied once for a map" copied_once $way; done
for user in root alice; do check "$user: auto gives each its own ids" apart $user; done
check 'root: cp, diff and commit' handled root auto
check 'alice: cp, diff and commit' handled alice keep-id
check 'root: pods and networks' in_pods root auto '0 2147483647 1024'
check 'alice: pods and networks' in_pods alice keep-id '0 1 1000 1000 0 1 1001 1001 64536'
check 'bad input is one line' bad_input
for file in subuid subgid; do cat $file >/etc/$file; done
[ -z "${made_resolver:-}" ] || rm /etc/resolv.conf
for way in $WAYS; do way_berth "$way" rmi -f localhost/busybox >/dev/null; done
finish
