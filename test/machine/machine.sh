#!/usr/bin/env bash
# A booted Debian 13 machine for tests: systemd 257 under systemd-nspawn on an overlay of the tree, without a network.
#   machine.sh up NAME [--install]            boots it; --install also installs dist/berth_*.deb
#   machine.sh install NAME [FILE.deb]        installs a package (default: the one in dist/)
#   machine.sh run NAME [--user USER] [--] COMMAND…   runs a command in a login session, root's unless said otherwise
#   machine.sh copy NAME FILE TARGET          copies a file or directory of this host into it
#   machine.sh down NAME                      ends it and removes what it left
#   machine.sh list
# Accounts: alice (1000) and bob (1001) with subordinate ids and lingering, plain (1002) without subordinate ids, svc (990):
# a service account with subordinate ids, but neither login nor home.
# Images: /var/lib/images, made by images.sh. Machines live in ${BERTH_CACHE:-~/.cache/berth}/machines.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
machines=${BERTH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/berth}/machines

main() {
    local verb=${1:-}
    shift || true
    case $verb in
    up | down | install | run | copy) name_of "${1:-}" && shift && "machine_$verb" "$@" ;;
    list) machine_list ;;
    *) die "usage: machine.sh up|install|run|copy|down NAME … | list" ;;
    esac
}

name_of() {
    [[ $1 =~ ^[a-z][a-z0-9-]{0,30}$ ]] || die "a machine's name is lower case letters, digits and dashes, not '$1'"
    name=$1 dir=$machines/$1
}

machine_up() {
    local tree
    running && die "machine $name is up already"
    tree=$("$checkout/packaging/build/tree.sh" host)
    remove_remains
    mkdir -p "$dir"/{upper,work,root,var,home,roothome}
    chmod 700 "$dir"
    cp -a --reflink=auto "$tree/var/." "$dir/var/"
    mount -t overlay overlay -o "lowerdir=$tree,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
    populate "$dir/root" "$dir/var" "$dir/home"
    mkdir -p "$dir/var/lib/images"
    cp -a --reflink=auto "$("$here/images.sh")/." "$dir/var/lib/images/"
    boot
    enter sh -ec '
        mkdir -p /dev/net
        rm -f /dev/net/tun /dev/fuse # the nodes of this host may be for root alone
        mknod -m 666 /dev/net/tun c 10 200
        mknod -m 666 /dev/fuse c 10 229
        # Unprivileged processes may mount proc and sysfs only where one that nothing covers is in sight; those of nspawn are covered.
        mkdir -p /run/fresh/proc /run/fresh/sys
        mount -t proc proc /run/fresh/proc
        mount -t sysfs sysfs /run/fresh/sys'
    [ "${1:-}" != --install ] || machine_install
}

# What the accounts and the boot need, written before the first boot.
populate() {
    local root=$1 var=$2 home=$3 user
    for user in alice:1000 bob:1001 plain:1002; do
        printf '%s:x:%s:%s::/home/%s:/bin/bash\n' "${user%:*}" "${user#*:}" "${user#*:}" "${user%:*}" >>"$root/etc/passwd"
        printf '%s:x:%s:\n' "${user%:*}" "${user#*:}" >>"$root/etc/group"
        printf '%s:!:20000::::::\n' "${user%:*}" >>"$root/etc/shadow"
        install -d -m 700 -o "${user#*:}" -g "${user#*:}" "$home/${user%:*}"
    done
    echo 'svc:x:990:990::/nonexistent:/usr/sbin/nologin' >>"$root/etc/passwd"
    echo 'svc:x:990:' >>"$root/etc/group"
    echo 'svc:!:20000::::::' >>"$root/etc/shadow"
    printf '%s\n' alice:100000:65536 bob:165536:65536 svc:231072:65536 | tee "$root/etc/subuid" >"$root/etc/subgid"
    mkdir -p "$var/lib/systemd/linger"
    touch "$var/lib/systemd/linger/"{alice,bob}
    echo machine >"$root/etc/hostname"
    echo '127.0.0.1 localhost machine' >"$root/etc/hosts"
    rm -f "$root/etc/resolv.conf"
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    systemd_settings "$root"
}

systemd_settings() {
    local root=$1 unit
    mkdir -p "$root/etc/systemd/system/multi-user.target.wants" "$root/etc/systemd/"{system,user}-generators \
        "$root/etc/systemd/journald.conf.d"
    # The tree holds Podman for comparison; its generators read the same files and must not answer for ours.
    ln -s /dev/null "$root/etc/systemd/system-generators/podman-system-generator"
    ln -s /dev/null "$root/etc/systemd/user-generators/podman-user-generator"
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer man-db.timer e2scrub_all.timer fstrim.timer \
        podman.service podman.socket podman-auto-update.timer podman-restart.service podman-clean-transient.service \
        systemd-udevd.service systemd-udev-trigger.service nftables.service e2scrub_reap.service systemd-networkd.service \
        systemd-networkd.socket systemd-networkd-wait-online.service; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    # Podman's default pids limit wants a controller that the unified tree of some hosts lacks.
    mkdir -p "$root/etc/containers/containers.conf.d"
    printf '[containers]\npids_limit = 0\n' >"$root/etc/containers/containers.conf.d/test.conf"
    # No limit on log lines: the tests count them.
    printf '[Journal]\nStorage=persistent\nRateLimitBurst=0\nForwardToConsole=no\n' \
        >"$root/etc/systemd/journald.conf.d/test.conf"
    printf '%s\n' '[Unit]' 'Description=Tells the test that the machine is up' 'After=multi-user.target user@1000.service user@1001.service' \
        '[Service]' 'Type=oneshot' 'ExecStart=/bin/sh -c "echo up >/run/machine-ready"' >"$root/etc/systemd/system/machine-ready.service"
    ln -sf ../machine-ready.service "$root/etc/systemd/system/multi-user.target.wants/"
}

# The machine says that it is up through a named pipe: nothing is polled. The shell around nspawn holds a lock for as long as it runs.
boot() {
    local answer
    mkfifo "$dir/ready"
    exec 8<>"$dir/ready"
    make_cgroup
    setsid bash -c '
        dir=$1 cgroup=$2
        exec 9>"$dir/lock" 8<&-
        flock 9
        echo $$ >"$cgroup/cgroup.procs"
        SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --boot --quiet -D "$dir/root" --machine="$3" --register=no --keep-unit \
            --capability=all --private-network --system-call-filter="add_key keyctl bpf request_key" --console=pipe \
            --link-journal=no --resolv-conf=off --timezone=off \
            --bind="$dir/var:/var" --bind="$dir/home:/home" --bind="$dir/roothome:/root" --bind="$dir/ready:/run/machine-ready" \
            </dev/null >"$dir/console.log" 2>&1 9>&- &
        echo $! >"$dir/nspawn.pid"
        wait $!
        echo ended 1<>"$dir/ready" # opened for both directions: does not wait for a reader
    ' bash "$dir" "$cgroup" "$name" >/dev/null 2>&1 </dev/null &
    read -r -t "${BERTH_BOOT_SECONDS:-90}" answer <&8 || answer=silence
    exec 8<&-
    if [ "$answer" != up ]; then
        tail -n 20 "$dir/console.log" >&2
        die "machine $name did not come up ($answer); its console is in $dir/console.log"
    fi
    init_pid >"$dir/init.pid"
}

# The first process of the machine is nspawn's only child.
init_pid() {
    local nspawn init
    nspawn=$(cat "$dir/nspawn.pid")
    read -r init _ <"/proc/$nspawn/task/$nspawn/children" || [ -n "$init" ] || return
    echo "$init"
}

# Each machine has a cgroup of its own in the unified hierarchy: nspawn names the ones below it always the same.
make_cgroup() {
    local top=/sys/fs/cgroup
    [ "$(stat -f -c %T $top)" = cgroup2fs ] || top=/sys/fs/cgroup/unified
    [ "$(stat -f -c %T $top 2>/dev/null)" = cgroup2fs ] || die "no unified cgroup hierarchy is mounted on this host (looked at $top)"
    cgroup=$top/berth-$name
    mkdir -p "$cgroup"
    echo "$cgroup" >"$dir/cgroup"
}

machine_install() {
    local deb=${1:-}
    [ -n "$deb" ] || deb=$(find "$checkout/dist" -name 'berth_*.deb' | sort -V | tail -n 1)
    [ -f "$deb" ] || die "no package: run npm run build first"
    require_running
    cp "$deb" "$dir/var/tmp/berth.deb"
    enter sh -c 'dpkg --install /var/tmp/berth.deb >/var/tmp/dpkg.log 2>&1 || { cat /var/tmp/dpkg.log; exit 1; }'
}

machine_copy() {
    [ $# = 2 ] || die "usage: machine.sh copy NAME FILE TARGET"
    require_running
    tar -C "$(dirname "$1")" --owner=0 --group=0 -cf - "$(basename "$1")" | enter sh -c '
        set -e; rm -rf /var/tmp/copy; mkdir -p /var/tmp/copy; tar -C /var/tmp/copy -xf -; cp -rT "/var/tmp/copy/$1" "$2"' sh "$(basename "$1")" "$2"
}

# A person's session: root's as a scope, another account's through PAM, as a login gives it.
machine_run() {
    local user=root
    if [ "${1:-}" = --user ]; then
        user=$2
        shift 2
    fi
    [ "${1:-}" != -- ] || shift
    [ $# -gt 0 ] || die "usage: machine.sh run NAME [--user USER] [--] COMMAND…"
    require_running
    if [ "$user" = root ]; then
        enter systemd-run --scope --quiet --collect --slice=user.slice -- "$@"
    else
        enter su -l "$user" -s /bin/bash -c 'export DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus; exec "$0" "$@"' -- "$@"
    fi
}

enter() {
    nsenter -t "$(cat "$dir/init.pid")" -m -u -i -n -p -C -r -w -- \
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" "$@"
}

machine_down() {
    if running; then
        kill -KILL "$(init_pid)" || true
        flock --timeout 20 "$dir/lock" true || die "machine $name does not end; nspawn is $(cat "$dir/nspawn.pid")"
    fi
    remove_remains
}

machine_list() {
    local lock
    for lock in "$machines"/*/lock; do
        [ -e "$lock" ] || continue
        name_of "$(basename "$(dirname "$lock")")"
        running && printf '%s\n' "$name"
    done
    return 0
}

running() { [ -e "$dir/lock" ] && ! flock --nonblock "$dir/lock" true; }
require_running() { running || die "machine $name is not up: machine.sh up $name"; }

remove_remains() {
    [ -d "$dir" ] || return 0
    ! mountpoint -q "$dir/root" || umount "$dir/root"
    [ ! -e "$dir/cgroup" ] || find "$(cat "$dir/cgroup")" -depth -type d -exec rmdir {} + 2>/dev/null || true
    rm -rf "$dir"
}

die() {
    printf 'machine.sh: %s\n' "$*" >&2
    exit 1
}

main "$@"
