#!/usr/bin/env bash
# load, import, images, tag and rmi; archives that the test makes; each as root and as alice.
. "$(dirname "$0")/lib.sh"
ARCHIVES=$WORK/archives
python3 "$TESTS/images-make.py" "$ARCHIVES" || exit 1
chmod -R a+rX "$ARCHIVES"
store_of() { if [ "$1" = root ]; then echo /var/lib/berth; else echo "/home/$1/.local/share/berth"; fi; }

# A store of the test's own: what is there comes back afterwards.
fresh() { # USER
    local store
    store=$(store_of "$1")
    [ ! -e "$store" ] || [ -e "$store.kept" ] || mv "$store" "$store.kept"
    [ ! -e "$store" ] || as "$1" sh -c 'for i in $(berth images -q --no-trunc); do berth rmi -f "$i"; done' >/dev/null
}
restore() {
    local store
    store=$(store_of "$1")
    fresh "$1"
    rm -rf "$store"
    [ ! -e "$store.kept" ] || mv "$store.kept" "$store"
}
trap 'restore root; restore alice; rm -rf "$WORK"' EXIT

# Nothing half: no work in tmp/, every layer and record whole and used.
is_clean() { # USER
    local store
    store=$(store_of "$1")
    equal "$(ls "$store/tmp")" ''
    python3 - "$store" <<'PY'
import json, os, sys
store = sys.argv[1]
records = [json.load(open(f'{store}/images/{name}')) for name in os.listdir(f'{store}/images')]
used = {layer.replace(':', '-') for record in records for layer in record['layers']}
there = set(os.listdir(f'{store}/layers'))
assert used == there, f'layers {there ^ used} are missing or of no use'
for layer in there:
    json.load(open(f'{store}/layers/{layer}/layer.json'))
ids = {record['id'] for record in records}
for name in os.listdir(f'{store}/names'):
    assert open(f'{store}/names/{name}').read().strip() in ids, name
PY
}

loads() { # USER ARCHIVE NAME…
    local user=$1 archive=$2 out name
    shift 2
    fresh "$user"
    out=$(as "$user" berth load -i "$ARCHIVES/$archive")
    for name in "$@"; do
        contains "$out" "Loaded image: $name"
        contains "$(as "$user" berth images --format '{{.Repository}}:{{.Tag}}')" "$name"
    done
    is_clean "$user"
}
refuses() { # USER ARCHIVE WORDS: one line, 125, nothing left
    local user=$1 archive=$2 words=$3 before err
    before=$(as "$user" berth images --no-trunc --format json)
    fails_with 125 as "$user" berth load -i "$ARCHIVES/$archive" 2>"$WORK/err"
    err=$(cat "$WORK/err")
    equal "$(wc -l <"$WORK/err")" 1
    contains "$err" "$words"
    equal "$(as "$user" berth images --no-trunc --format json)" "$before"
    is_clean "$user"
}

one_image() {
    fresh "$1"
    as "$1" berth import -q "$ARCHIVES/rootfs.tar" kept
}
for user in root alice; do
    check "$user: docker archive" loads $user plain.tar localhost/plain:latest
    check "$user: OCI archive" loads $user oci.tar localhost/oci:latest
    check "$user: an image that the hostile ones must leave alone" one_image $user
    check "$user: T17 a layer that escapes by .." refuses $user bad-escape.tar "'..'"
    check "$user: T17 a layer that escapes through a link" refuses $user bad-link.tar 'up'
    check "$user: T17 a hard link to an absolute target" refuses $user bad-hardlink.tar 'absolute target'
    check "$user: T19 a layer that is not what its digest says" refuses $user bad-oci-flip 'corrupt'
done
# What is read is the same for both.
check "alice: docker archive, compressed by zstd" loads alice plain.tar.zst localhost/plain:latest
check "alice: docker archive with gzip layers" loads alice gzipped.tar localhost/gzipped:latest
check "alice: docker archive whose layer is a link to another" loads alice shared-layer.tar localhost/shared-layer:latest
check "alice: two names, short ones are Docker's" loads alice two-names.tar docker.io/library/busybox:1 quay.io/me/app:2
check "alice: an image without a name" loads alice no-name.tar
check "alice: OCI layout" loads alice oci localhost/oci:latest
check "alice: OCI layout with zstd layers" loads alice oci-zstd localhost/oci-zstd:latest
check "alice: OCI layout with plain layers" loads alice oci-plain localhost/oci-plain:latest
check "alice: OCI archive, compressed by gzip" loads alice oci.tar.gz localhost/oci:latest
check "alice: T18 a configuration that is a path of the host" refuses alice bad-config-name.tar 'the archive has no'
check "alice: T18 a configuration that is a link to the host" refuses alice bad-config-link.tar 'the archive has no link'
check "alice: T18 a blob that is a link" refuses alice bad-oci-symlink 'not followed'
check "alice: T18 a directory of blobs that is a link" refuses alice bad-oci-symlinked-directory 'links are not followed'
check "alice: T18 an index that is a pipe" refuses alice bad-oci-fifo 'not a regular file'
check "alice: T19 a digest that is a path" refuses alice bad-oci-traverse 'digest'
check "alice: T19 a diff id that does not fit" refuses alice bad-diff.tar 'digest'
check "alice: T20 a name with .." refuses alice bad-name.tar 'no name of an image'
check "alice: T34 a manifest of 9 MB" refuses alice bad-big.tar 'limit'
check "alice: a size that does not fit" refuses alice bad-oci-size 'but the manifest says'
check "alice: a missing blob" refuses alice bad-oci-missing 'no such file'
check "alice: an artifact that is no image" refuses alice bad-oci-artifact 'not a container image'
check "alice: an index with a digest that is nowhere" refuses alice bad-oci-foreign 'no such file'
check "alice: a truncated archive" refuses alice bad-truncated.tar 'truncated'
check "alice: no archive" refuses alice bad-noise.tar 'no tar archive'
check "alice: a manifest that is not JSON" refuses alice bad-manifest.tar 'not JSON'
check "alice: a configuration of wrong kinds" refuses alice bad-config.tar 'rootfs is not an object'
check "alice: fewer diff ids than layers" refuses alice bad-count.tar 'layers, but'
check "alice: a file that is not there" refuses alice nothing.tar 'no such file'

from_pipe() {
    fresh "$1"
    contains "$(as "$1" sh -c "cat $ARCHIVES/plain.tar | berth load")" 'localhost/plain:latest'
    contains "$(as "$1" sh -c "cat $ARCHIVES/oci.tar.gz | berth load -q")" 'localhost/oci:latest'
    contains "$(as "$1" sh -c "berth load <$ARCHIVES/plain.tar")" 'localhost/plain:latest'
    is_clean "$1"
}
check 'root: load from a pipe and from a file as standard input' from_pipe root
check 'alice: load from a pipe and from a file as standard input' from_pipe alice

imports() {
    local id config
    fresh "$1"
    id=$(as "$1" berth import -c 'CMD ["/bin/true"]' -c 'ENV A=1' -m note "$ARCHIVES/rootfs.tar" mine)
    contains "$(as "$1" berth images)" 'localhost/mine'
    config=$(cat "$(store_of "$1")/blobs/sha256/${id#sha256:}")
    equal "$(jq -c '[.config.Cmd, .config.Env, .history[0].comment]' <<<"$config")" '[["/bin/true"],["A=1"],"note"]'
    as "$1" sh -c "gzip -c $ARCHIVES/rootfs.tar | berth import - piped:1" >/dev/null
    contains "$(as "$1" berth images)" 'localhost/piped'
    fails_with 125 as "$1" berth import -c 'RUN ls' "$ARCHIVES/rootfs.tar" x
    fails_with 125 as "$1" berth import "$ARCHIVES/rootfs.tar" 'Not/A:Name'
    fails_with 125 as "$1" berth import "$ARCHIVES/bad-noise.tar" x
    fails_with 125 as "$1" sh -c "head -c 700000 $ARCHIVES/rootfs.tar | berth import - x"
    equal "$(as "$1" berth images -n | wc -l)" 2
    is_clean "$1"
}
check 'root: import' imports root
check 'alice: import' imports alice

# T17: a root file system of a stranger's.
hostile_import() { # USER
    local user=$1 name words
    python3 - "$WORK" <<'END'
import io, sys, tarfile
work = sys.argv[1]
def member(name, kind=tarfile.REGTYPE, link='', data=b'', device=(0, 0)):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mode = kind, link, len(data), 0o666
    info.devmajor, info.devminor = device
    return info, io.BytesIO(data)
archives = {
    'upwards': [member('../witness', data=b'evil')],
    'through': [member('up', tarfile.SYMTYPE, '../' * 20 + work[1:]), member('up/witness', data=b'evil')],
    'hard': [member('passwd', tarfile.LNKTYPE, '/etc/passwd')],
    'device': [member('disk', tarfile.BLKTYPE, device=(8, 0)), member('after', data=b'x')],
}
for name, members in archives.items():
    with tarfile.open(f'{work}/{name}.tar', 'w') as out:
        for info, data in members:
            out.addfile(info, data)
END
    fresh "$user"
    as "$user" berth import -q "$IMAGES/rootfs.tar" kept
    while read -r name words; do
        fails_with 125 as "$user" berth import -q "$WORK/$name.tar" evil 2>"$WORK/err"
        equal "$(wc -l <"$WORK/err")" 1
        contains "$(cat "$WORK/err")" "$words"
        fails test -e "$WORK/witness"
        equal "$(as "$user" berth images -n | wc -l)" 1
        is_clean "$user"
    done <<END
upwards leads upwards
through up
hard absolute target
END
    # What root makes of it no mount of a container opens (610-image-devices.sh); an account has none.
    as "$user" berth import -q "$WORK/device.tar" nodes >/dev/null 2>"$WORK/err"
    if [ "$user" = root ]; then
        equal "$(find /var/lib/berth/layers -type b | wc -l)" 1
        fails berth run --rm --network none --mount type=image,source=localhost/nodes,destination=/mnt localhost/kept busybox head -c 1 /mnt/disk
    else
        contains "$(cat "$WORK/err")" 'devices are left out'
        equal "$(find "$(store_of "$user")/layers" -type b -o -type c | wc -l)" 0
    fi
    is_clean "$user"
}
for user in root alice; do check "$user: T17 import of a hostile root file system" hostile_import $user; done

# What podman makes of the same archive, seen with the ids that the files have inside.
as_podman_does() { # USER ARCHIVE
    local user=$1 archive=$2 store theirs enter=()
    fresh "$user"
    as "$user" berth load -q -i "$ARCHIVES/$archive" >/dev/null
    store=$(store_of "$user")
    as "$user" podman load -q -i "$ARCHIVES/$archive" >"$WORK/loaded"
    [ "$user" = root ] || enter=(podman unshare)
    theirs=$(as "$user" podman info --format '{{.Store.GraphRoot}}')
    local layer layers=0
    for layer in "$store"/layers/*; do
        local diff=${layer##*/sha256-} id
        id=$(jq -r --arg diff "sha256:$diff" '.[] | select(."diff-digest" == $diff) | .id' "$theirs/overlay-layers/layers.json" | head -n 1)
        [ -n "$id" ] || continue
        layers=$((layers + 1))
        as "$user" "${enter[@]}" python3 "$TESTS/images-look.py" "$layer/fs" | sort >"$WORK/ours.txt"
        as "$user" "${enter[@]}" python3 "$TESTS/images-look.py" "$theirs/overlay/$id/diff" | sort >"$WORK/theirs.txt"
        diff "$WORK/ours.txt" "$WORK/theirs.txt"
    done
    equal $layers 2
    as "$user" podman rmi -f "$(sed 's/.*: //' "$WORK/loaded")" >/dev/null
}
check 'root: names, modes, owners, links, attributes and times are those of podman' as_podman_does root plain.tar
check 'alice: names, modes, owners, links, attributes and times are those of podman' as_podman_does alice plain.tar

# docker-archive, oci-archive, directories, zstd layers, several images in one archive: with the ids that podman has.
saved_by_others() {
    fresh alice
    chmod 777 "$WORK"
    as alice podman load -q -i "$ARCHIVES/plain.tar" >/dev/null
    as alice podman load -q -i "$ARCHIVES/gzipped.tar" >/dev/null
    local form id name
    for form in docker-archive oci-archive oci-dir docker-dir; do
        as alice podman save -q --format $form -o "$WORK/$form" localhost/plain >/dev/null
        as alice berth load -i "$WORK/$form"
    done
    as alice podman save -q -m -o "$WORK/many" localhost/plain localhost/gzipped >/dev/null
    equal "$(as alice berth load -q -i "$WORK/many" | sort | tr '\n' ' ')" 'Loaded image: localhost/gzipped:latest Loaded image: localhost/plain:latest '
    id=$(as alice podman images -q --no-trunc localhost/plain)
    contains "$(as alice berth images --no-trunc -n)" "$id"
    as alice skopeo --insecure-policy copy -q --dest-compress-format zstd containers-storage:localhost/plain "oci-archive:$WORK/zstd:quay.io/a/b:c"
    equal "$(as alice berth load -q -i "$WORK/zstd")" 'Loaded image: quay.io/a/b:c'
    for name in plain gzipped; do as alice podman rmi -f localhost/$name >/dev/null 2>&1 || true; done
    is_clean alice
}
check 'what podman and skopeo save is loaded' saved_by_others

names() {
    fresh "$1"
    as "$1" berth load -q -i "$ARCHIVES/plain.tar" >/dev/null
    as "$1" berth tag plain other:2 quay.io/me/it
    contains "$(as "$1" berth images)" 'quay.io/me/it'
    equal "$(as "$1" berth images -q | wc -l)" 1
    equal "$(as "$1" berth images --format json | jq '.[0].Names | length')" 3
    equal "$(as "$1" berth images -f reference=other -n | wc -l)" 1
    fails_with 125 as "$1" berth rmi "$(as "$1" berth images -q)"
    as "$1" berth image exists other:2
    contains "$(as "$1" berth rmi other:2)" 'Untagged: localhost/other:2'
    fails_with 1 as "$1" berth image exists other:2
    contains "$(as "$1" berth rmi it plain)" 'Deleted: '
    equal "$(as "$1" berth images -q)" ''
    fails_with 1 as "$1" berth rmi plain
    as "$1" berth rmi -i plain
    fails_with 125 as "$1" berth tag plain x
    equal "$(ls "$(store_of "$1")/layers")" ''
    is_clean "$1"
}
check 'root: names are given and taken' names root
check 'alice: names are given and taken' names alice

shared_layers() {
    fresh alice
    as alice berth load -q -i "$ARCHIVES/plain.tar" >/dev/null
    as alice berth load -q -i "$ARCHIVES/no-name.tar" >/dev/null
    as alice berth rmi plain >/dev/null
    is_clean alice
    equal "$(ls /home/alice/.local/share/berth/layers | wc -l)" 1
}
check 'a layer that another image has stays' shared_layers

no_space() {
    local store=/home/alice/.local/share/berth
    fresh alice
    as alice mkdir -p $store
    mount -t tmpfs -o size=1m,uid=1000,gid=1000,mode=700 tmpfs $store
    local status=0
    as alice berth load -i "$ARCHIVES/plain.tar" 2>"$WORK/err" || status=$?
    local lines left
    lines=$(cat "$WORK/err") left=$(ls $store/tmp $store/layers $store/images $store/names | grep -v :)
    umount $store
    equal $status 125
    contains "$lines" 'no space left'
    equal "$(wc -l <<<"$lines")" 1
    equal "$(tr -d '\n' <<<"$left")" ''
}
check 'no space left: one line, nothing left behind' no_space

killed() { # USER: at ten moments of a load; the store works after each, and the last load repairs all
    local user=$1 store moment
    fresh "$user"
    store=$(store_of "$user")
    for moment in 0.02 0.05 0.08 0.1 0.12 0.14 0.16 0.2 0.25 0.3; do
        as "$user" sh -c "timeout -s KILL $moment berth load -i $ARCHIVES/plain.tar" >/dev/null 2>&1 || true
        as "$user" berth images >/dev/null
    done
    as "$user" berth load -q -i "$ARCHIVES/plain.tar" >/dev/null
    is_clean "$user"
    # Half a layer, half a record, an empty name: each is made again.
    for part in "$store"/layers/*/layer.json "$store"/images/*.json "$store"/names/*; do
        : >"$part"
        as "$user" berth images >/dev/null
        as "$user" berth load -q -i "$ARCHIVES/plain.tar" >/dev/null
        is_clean "$user"
    done
}
check 'root: a load that is killed leaves a store that works' killed root
check 'alice: a load that is killed leaves a store that works' killed alice

beside_each_other() {
    fresh alice
    local i pids=()
    for i in 1 2 3 4 5 6; do
        as alice berth load -q -i "$ARCHIVES/plain.tar" >/dev/null &
        pids+=($!)
    done
    as alice sh -c 'for i in 1 2 3; do berth rmi -f -i plain; done' >/dev/null 2>&1 || true
    for i in "${pids[@]}"; do wait "$i"; done
    as alice berth load -q -i "$ARCHIVES/plain.tar" >/dev/null
    is_clean alice
}
check 'six loads and removals beside each other' beside_each_other

newer() {
    fresh alice
    as alice berth load -q -i "$ARCHIVES/plain.tar" >/dev/null
    echo '{"version":2}' >/home/alice/.local/share/berth/version
    fails_with 125 as alice berth load -i "$ARCHIVES/plain.tar" 2>"$WORK/err"
    contains "$(cat "$WORK/err")" 'upgrade Berth'
    echo '{"version":1}' >/home/alice/.local/share/berth/version
}
check 'a store of a newer format is refused by name' newer

wrong_use() {
    fails_with 125 as alice berth load -i
    fails_with 125 as alice berth load extra
    fails_with 125 as alice berth images --filter nonsense
    fails_with 125 as alice berth images --sort nonsense
    fails_with 125 as alice berth rmi
    fails_with 125 as alice berth tag one
    fails_with 125 as plain berth load -i "$ARCHIVES/plain.tar" 2>"$WORK/err"
    contains "$(cat "$WORK/err")" 'no subordinate ids in /etc/subuid'
    equal "$(as alice berth images --help | head -n 1)" 'usage: berth images [options] [IMAGE]'
}
check 'wrong use is one line and 125' wrong_use

speed() {
    fresh alice
    head -c 30000000 /dev/urandom >"$WORK/big"
    tar -C "$WORK" -czf "$WORK/big.tar.gz" big
    chmod a+r "$WORK/big.tar.gz"
    local began
    began=$(date +%s%N)
    as alice berth import -q "$WORK/big.tar.gz" big >/dev/null
    echo "30 MB in $((($(date +%s%N) - began) / 1000000)) ms" >&2
    [ $((($(date +%s%N) - began) / 1000000)) -lt 5000 ]
}
check 'a layer of 30 MB takes no time worth speaking of' speed
finish
