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
# shellcheck source=test/machine/populate.sh
. "$here/populate.sh"
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
    tell_when_ready "$dir/root"
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

tell_when_ready() {
    local root=$1
    mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
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
    cgroup=$top/berth-$name-$$ # two caches may each have a machine of this name
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
