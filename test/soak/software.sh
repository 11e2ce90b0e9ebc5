#!/usr/bin/env bash
# Prints a directory with real Debian software for images, fetched when absent: base.tar, Debian's smallest system, and packages/ with
# what nginx, postgresql, redis and python3 with scipy need above it. About 250 MB.
set -euo pipefail
cache=${BERTH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/berth}
software=$cache/software-$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-12)

if [ ! -d "$software" ]; then
    mkdir -p "$cache"
    exec 9>"$cache/software.lock"
    flock 9
    if [ ! -d "$software" ]; then
        rm -rf "$software.part"
        mkdir -p "$software.part/packages"
        # shellcheck disable=SC2016 # expanded by mmdebstrap's shell
        SOFTWARE=$software.part mmdebstrap --quiet --variant=minbase --customize-hook='
            APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -qqy --no-install-recommends --download-only install \
                nginx postgresql redis-server python3 python3-scipy iputils-ping >&2
            mv "$1"/var/cache/apt/archives/*.deb "$SOFTWARE/packages/"' trixie "$software.part/base.tar" >&2
        mv "$software.part" "$software"
    fi
fi
printf '%s\n' "$software"
