#!/usr/bin/env bash
# Prints the directory with images made of Debian's packages, for the soak of a stack and for the bench; makes those that are absent.
#   debian-images.sh NAME…      nginx, app, postgres, redis, iperf: docker-archives NAME.tar, localhost/NAME:latest
# What the images start is test/soak/stack/NAME.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs=$(cd "$here/../soak/stack" && pwd)
cache=${BERTH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/berth}
hash=$(cat "${BASH_SOURCE[0]}" "$programs"/{nginx,app,postgres,redis} | sha256sum | cut -c1-12)
images=$cache/debian-images-$hash

packages_of() {
    case $1 in
    nginx) echo nginx-light ;;
    app) echo python3-minimal,python3-psycopg2,python3-redis,media-types ;;
    postgres) echo postgresql ;;
    redis) echo redis-server ;;
    iperf) echo iperf3 ;;
    *) echo "no such image: $1" >&2; return 1 ;;
    esac
}

# The account that the package made; what it may write is a volume.
user_of() {
    case $1 in
    postgres | redis) echo "$1" ;;
    *) echo '' ;;
    esac
}

make() { # NAME
    local name=$1 root=$work/root excluded=() path
    for path in '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*'; do excluded+=(--dpkgopt="path-exclude=$path"); done
    mmdebstrap --quiet --variant=minbase --include="$(packages_of "$name")" "${excluded[@]}" trixie "$root" >&2
    rm -rf "$root"/var/lib/{apt/lists,postgresql}/* "$root"/var/cache/* "$root"/dev/* "$root"/etc/resolv.conf
    [ "$name" = iperf ] || install -m 755 "$programs/$name" "$root/usr/local/bin/serve"
    mkdir -p "$work/image/layer"
    tar -C "$root" --numeric-owner --sort=name -cf "$work/image/layer/layer.tar" .
    archive "$name" "$(user_of "$name")"
    rm -rf "$root" "$work/image"
}

# A docker-archive with one layer (the layout that `docker save` writes).
archive() { # NAME USER
    local diff config command='["/usr/local/bin/serve"]'
    [ "$1" != iperf ] || command='["iperf3", "-s"]'
    diff=$(sha256sum "$work/image/layer/layer.tar" | cut -d' ' -f1)
    printf '{"architecture":"amd64","os":"linux","config":{"User":"%s","Env":["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":%s},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created_by":"mmdebstrap"}]}' \
        "$2" "$command" "$diff" >"$work/config"
    config=$(sha256sum "$work/config" | cut -d' ' -f1).json
    mv "$work/config" "$work/image/$config"
    printf '[{"Config":"%s","RepoTags":["localhost/%s:latest"],"Layers":["layer/layer.tar"]}]' "$config" "$1" >"$work/image/manifest.json"
    tar -C "$work/image" -cf "$images/$1.tar.part" manifest.json "$config" layer/layer.tar
    mv "$images/$1.tar.part" "$images/$1.tar"
}

[ $# -gt 0 ] || { echo 'usage: debian-images.sh NAME…' >&2; exit 2; }
mkdir -p "$images"
exec 9>"$cache/debian-images.lock"
flock 9
work=$(mktemp -d "$cache/debian-images.XXXXXX")
trap 'rm -rf "$work"' EXIT
for name in "$@"; do [ -e "$images/$name.tar" ] || make "$name"; done
printf '%s\n' "$images"
