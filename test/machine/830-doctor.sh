#!/usr/bin/env bash
# berth system doctor: each thing that containers need is taken away, in a mount namespace of its own, and must be named with what mends it.
. "$(dirname "$0")/lib.sh"

# broken STATE NAME MEND SHELL: with the host as SHELL makes it, the line of NAME has this state, and MEND stands below it.
broken() {
    local state=$1 name=$2 mend=$3 shell=$4 said status=0
    said=$(unshare --mount --propagation private bash -ec "$shell; exec berth system doctor ${5:---for alice}") || status=$?
    contains "$said" "$(printf '%-7s  %s ' "$state" "$name")"
    contains "$(grep -A 1 "^$state *$name " <<<"$said")" "mend: $mend"
    [ "$state" = warning ] || equal "$status" 1
}
file() { # PATH TEXT: shell text that puts a file over a path
    printf 'f=$(mktemp); chmod 644 $f; echo "%s" >$f; mount --bind $f %s' "$2" "$1"
}
program() { # PATH TEXT: shell text that puts a program over a path, which says this
    printf 'f=$(mktemp); printf "#!/bin/sh\\necho %s\n" >$f; chmod 755 $f; mount --bind $f %s' "$2" "$1"
}
hidden() { # PATH…: shell text that makes programs unusable
    printf 'f=$(mktemp); for p in %s; do [ ! -e $p ] || mount --bind $f $p; done' "$*"
}

well() {
    local said
    said=$(berth system doctor --for alice)
    equal "$(grep -c '^MISSING' <<<"$said")" 0
    contains "$said" 'containers of alice: 0 missing'
    contains "$(as alice berth system doctor)" 'containers of alice: 0 missing'
    contains "$(berth system doctor)" 'containers of root: 0 missing'
    contains "$(berth system doctor)" "netavark, $(/usr/lib/podman/netavark --version)"
    contains "$said" "/usr/bin/pasta, $(dpkg-query -W -f '${Version}' passt)"
}
as_json() {
    berth system doctor --for alice --format json >said.json
    python3 -c '
import json
rows = json.load(open("said.json"))
assert len(rows) > 12, rows
assert all(set(row) <= {"name", "state", "found", "mend"} for row in rows)
assert all((row["state"] == "ok") != ("mend" in row) for row in rows), rows'
}
# The command that is named must mend what was broken.
mends() {
    useradd -m -K SUB_UID_COUNT=0 -K SUB_GID_COUNT=0 bare
    sed -i '/^bare:/d' /etc/subuid /etc/subgid
    local said command
    said=$(fails_with 1 berth system doctor --for bare)
    equal "$(grep -c '^MISSING  sub' <<<"$said")" 2
    contains "$said" 'warning  lingering'
    while read -r command; do bash -c "$command"; done < <(sed -n 's/^ *mend: \(usermod .*\)/\1/p' <<<"$said")
    said=$(berth system doctor --for bare)
    contains "$said" 'containers of bare: 0 missing'
    userdel -r bare 2>/dev/null
    sed -i '/^bare:/d' /etc/subuid /etc/subgid
}
# As AppArmor does.
silent_pasta() {
    local said
    said=$(unshare --mount --propagation private bash -ec "$(hidden /usr/libexec/coreutils/libstdbuf.so); exec berth system doctor --for alice")
    contains "$said" "$(printf '%-7s  %s ' ok pasta)"
}
refused() {
    contains "$(fails_with 125 as alice berth system doctor --for bob 2>&1)" 'only root'
    contains "$(fails_with 125 berth system doctor --for nobody-there 2>&1)" 'there is no such account'
}

check 'a whole host' well
check 'as JSON' as_json
check 'no subordinate ids' broken MISSING subuid 'usermod --add-subuids' "$(file /etc/subuid '')"
check 'no subordinate groups' broken MISSING subgid 'usermod --add-subgids' "$(file /etc/subgid '')"
check 'few subordinate ids' broken warning subuid 'usermod --add-subuids' "$(file /etc/subuid alice:100000:1000)"
check 'newuidmap is not setuid' broken MISSING newuidmap 'chown root: ' 'f=$(mktemp); cp /usr/bin/newuidmap $f; chmod 755 $f; mount --bind $f /usr/bin/newuidmap'
check 'no newgidmap' broken MISSING newgidmap 'apt-get install uidmap' "$(hidden /usr/bin/newgidmap)"
check 'no pasta' broken MISSING pasta 'apt-get install passt' "$(hidden /usr/bin/pasta)"
check 'no user namespaces' broken MISSING 'user namespaces' 'sysctl -w user.max' "$(file /proc/sys/user/max_user_namespaces 0)"
check 'no tun' broken MISSING tun 'modprobe tun' "$(hidden /dev/net/tun)"
check 'control groups are not unified' broken MISSING 'control groups' 'boot without' 'mount -t tmpfs none /sys/fs/cgroup'
check 'no overlay' broken MISSING overlay 'install a kernel' "$(file /proc/filesystems 'nodev tmpfs'); [ ! -d /lib/modules ] || mount -t tmpfs none /lib/modules"
check 'the store on an overlay' broken MISSING store 'berth account prepare' 'd=$(mktemp -d -p /run); mkdir $d/u $d/w; mount -t overlay none -o lowerdir=/home/alice,upperdir=$d/u,workdir=$d/w /home/alice'
check 'an account without user manager' broken warning 'user manager' 'loginctl enable-linger' 'mount -t tmpfs none /run/user'
check 'no lingering' broken warning lingering 'loginctl enable-linger alice' 'mount -t tmpfs none /var/lib/systemd/linger'
check "Podman's generator is active" broken warning generator 'berth system takeover' \
    'mount -t tmpfs none /etc/systemd; mount -t tmpfs none /usr/local/lib; mkdir -p /usr/local/lib/systemd/user-generators; cp /bin/true /usr/local/lib/systemd/user-generators/podman-user-generator'
check 'no netavark' broken MISSING netavark 'apt-get install netavark' "$(hidden /usr/lib/podman/netavark /usr/bin/netavark /usr/libexec/podman/netavark)" ' '
check 'an old netavark' broken MISSING netavark 'apt-get install netavark, of Debian 13' "$(program /usr/lib/podman/netavark 'netavark 1.9.0')" ' '
check 'a strange aardvark-dns' broken warning aardvark-dns 'apt-get install aardvark-dns, of Debian 13' "$(program /usr/lib/podman/aardvark-dns 'aardvark-dns 2.0.1')" ' '
check 'an old pasta' broken MISSING pasta 'apt-get install passt, of Debian 13' "$(file /usr/bin/pasta '2023_01_01
Copyright Red Hat'); chmod 755 \$f"
check 'a pasta of which nothing is known' broken warning pasta 'apt-get install passt, of Debian 13' "$(program /usr/bin/pasta 'pasta 2023_01_01')"
check 'a pasta that says nothing when it is asked' silent_pasta
check 'no nft' broken MISSING nft 'apt-get install nftables' "$(hidden /usr/sbin/nft)" ' '
check 'the named commands mend it' mends
check 'mistaken operands' refused
finish
