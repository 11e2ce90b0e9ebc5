#!/usr/bin/env bash
# Prints the path of the Debian 13 tree that builds and tests Berth; makes it when it is absent.
#   tree.sh            the tree
#   tree.sh host       also installs on this host what the machines of the tests need
# The tree lives in ${BERTH_CACHE:-~/.cache/berth}; its name holds a hash of the package list, so a changed list makes a new one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${BERTH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/berth}
packages=$(grep -v '^#' "$here/packages.txt" | tr -s ' \n' ',' | sed 's/^,//; s/,$//')
tree=$cache/trixie-$(printf %s "$packages" | sha256sum | cut -c1-12)

say() { printf 'tree: %s\n' "$*" >&2; }

need() { # COMMAND PACKAGE…: installs the packages on this host when the command is missing
    local command=$1
    shift
    command -v "$command" >/dev/null && return
    [ "$(id -u)" = 0 ] || { say "$command is missing: install $*"; exit 1; }
    say "installing $*"
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@" >&2; then
        apt-get update -q >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@" >&2
    fi
}

if [ "${1:-}" = host ]; then
    need systemd-nspawn systemd-container
    need qemu-system-x86_64 qemu-system-x86
    need clang-format clang-format
    need mke2fs e2fsprogs
    need nsenter util-linux
    need ip iproute2
fi

if [ ! -e "$tree/etc/debian_version" ]; then
    [ "$(id -u)" = 0 ] || { say "run as root: the tree is made with mmdebstrap"; exit 1; }
    need mmdebstrap mmdebstrap
    mkdir -p "$cache"
    exec 9>"$cache/tree.lock"
    flock 9 # two builds at once make one tree
    if [ ! -e "$tree/etc/debian_version" ]; then
        say "making $tree, this takes a minute or two"
        rm -rf "$tree.part"
        mmdebstrap --quiet --variant=minbase --include="$packages" trixie "$tree.part" >&2
        mv "$tree.part" "$tree"
    fi
    exec 9>&-
fi
printf '%s\n' "$tree"
