#!/usr/bin/env bash
# Stores elsewhere: additional ones that are only read, a store that was moved, and Podman's, from which images and volumes come over.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/registry.sh"

conf_of() { if [ "$1" = root ]; then echo /etc/containers/storage.conf; else echo "/home/$1/.config/containers/storage.conf"; fi; }
shared_store() { if [ "$1" = root ]; then echo /var/lib/shared-store; else echo "/home/$1/shared"; fi; }
additional() { # USER: a store with two images becomes an additional one; the own one is empty
    local user=$1 conf
    conf=$(conf_of "$user")
    fresh "$user"
    as "$user" berth pull -q $REGISTRY/t/busybox:1 $REGISTRY/t/oci:1 >/dev/null
    as "$user" mv "$(store_of "$user")" "$(shared_store "$user")"
    as "$user" mkdir -p "${conf%/*}"
    printf '[storage]\ndriver = "overlay"\n[storage.options]\nadditionalimagestores = [\n  "%s", # ours\n  "/nowhere",\n]\n' "$(shared_store "$user")" | as "$user" tee "$conf" >/dev/null
}
additional_gone() {
    rm -f "$(conf_of "$1")"
    [ ! -e "$(shared_store "$1")" ] || as "$1" berth layer remove "path=$(shared_store "$1")"
}
contents() { find "$1" -type f -path '*/names/*' -o -type f -path '*/images/*' -o -path '*/layers/*' -prune -print | sort; }
only_read() { # USER
    local user=$1 shared before id
    additional "$user"
    shared=$(shared_store "$user")
    before=$(contents "$shared")
    contains "$(as "$user" berth images)" R/O
    contains "$(as "$user" berth info)" '/nowhere (not read: no such directory)'
    systemctl stop test-registry # what is there needs no registry
    equal "$(as "$user" berth run --rm $REGISTRY/t/busybox:1 echo up)" up
    unit_file "$user" shared <<<"$LOCAL
[Container]
Image=$REGISTRY/t/busybox:1
Pull=missing
Exec=sleep inf
StopTimeout=1"
    manager "$user" start shared
    equal "$(property "$user" shared ActiveState)" active
    unit_gone "$user" shared
    fails_with 125 as "$user" berth rmi $REGISTRY/t/busybox:1 2>"$WORK/err"
    contains "$(cat "$WORK/err")" 'only read'
    id=$(as "$user" berth image inspect --format '{{.Id}}' $REGISTRY/t/oci:1)
    as "$user" berth tag $REGISTRY/t/oci:1 mine
    equal "$(as "$user" berth images -q --no-trunc mine)" "sha256:$id"
    as "$user" berth save mine | tar -t >/dev/null
    equal "$(ls "$(store_of "$user")/layers")" ''
    contains "$(as "$user" berth system check)" 'nothing wrong'
    as "$user" berth image prune -a -f >/dev/null
    as "$user" berth rmi -a -f >/dev/null
    equal "$(contents "$shared")" "$before"
    serve
    # Its layers are not fetched again, and it may vanish: then they are.
    as "$user" berth pull $REGISTRY/t/busybox:1 >/dev/null 2>"$WORK/err"
    equal "$(ls "$(store_of "$user")/layers")" ''
    additional_gone "$user"
    equal "$(as "$user" berth run --rm $REGISTRY/t/busybox:1 echo again 2>/dev/null)" again
    sound "$user"
}
check 'alice: additional stores are read and never written' only_read alice
check 'root: additional stores are read and never written' only_read root
additional_gone alice
additional_gone root

moved() { # USER: the whole store is renamed to another file system's directory
    local user=$1 from to run=()
    from=$(store_of "$user")
    fresh "$user"
    as "$user" berth pull -q $REGISTRY/t/busybox:1 >/dev/null
    as "$user" berth run --rm -v kept:/data $REGISTRY/t/busybox:1 sh -c 'echo kept >/data/file'
    as "$user" berth run -d --name stays --stop-timeout 1 $REGISTRY/t/busybox:1 sleep inf >/dev/null
    as "$user" berth rm -f stays >/dev/null
    if [ "$user" = root ]; then
        to=/var/lib/moved/berth
        mkdir -p /var/lib/moved
        mv "$from" "$to"
        ln -s "$to" "$from"
    else
        to=/home/$user/moved/berth
        as "$user" mkdir -p "${to%/*}"
        as "$user" mv "$from" "$to"
        run=(env XDG_DATA_HOME="${to%/*}")
    fi
    equal "$(as "$user" "${run[@]}" berth run --rm -v kept:/data $REGISTRY/t/busybox:1 cat /data/file)" kept
    contains "$(as "$user" "${run[@]}" berth system check)" 'nothing wrong'
    as "$user" "${run[@]}" berth pull -q $REGISTRY/t/oci:1 >/dev/null
    as "$user" "${run[@]}" berth volume rm kept >/dev/null
    as "$user" "${run[@]}" berth rmi -a -f >/dev/null
    equal "$(ls "$to/layers")" ''
    emptied "$to/tmp"
    if [ "$user" = root ]; then rm "$from"; fi
    rm -rf "${to%/*}"
}
check 'alice: a store that was moved works where it is now' moved alice
check 'root: a store that was moved works where it is now' moved root

push "docker-archive:$ARCHIVES/plain.tar" --format oci --dest-compress-format zstd docker://$REGISTRY/t/zstd:1
graph_root() { as "$1" podman info --format '{{.Store.GraphRoot}}'; }
# Locks and Podman's own housekeeping aside: every file with its size, times and ids.
state_of() { find "$(graph_root "$1")" -printf '%P %s %T@ %C@ %m %U %G %n\n' | grep -vE '\.lock |^ |libpod|networks' | sort; }
podmans() { # USER: two images with four names and two volumes, in a store of Podman's that had none
    local user=$1 base=$REGISTRY/t
    fresh "$user"
    as "$user" podman pull -q --tls-verify=false $base/zstd:1 $base/oci:1 $base/busybox:1 >/dev/null
    as "$user" podman tag $base/busybox:1 localhost/mine:2
    as "$user" podman volume create --label a=b data >/dev/null
    as "$user" podman run --rm --network none -v data:/data $base/busybox:1 sh -c 'mkdir /data/d; echo x >/data/d/f; chown -R 7:8 /data/d; chmod 600 /data/d/f; ln /data/d/f /data/hard; ln -s d/f /data/soft; dd if=/dev/zero of=/data/holes bs=1 count=1 seek=9000000 2>/dev/null'
    as "$user" podman volume create --opt type=tmpfs --opt device=tmpfs --opt o=size=1m ram >/dev/null
}
podmans_gone() { as "$1" podman rmi -a -f >/dev/null; as "$1" podman volume rm -f data ram >/dev/null; }
came_over() { # USER
    local user=$1 enter=() before theirs layer id name
    [ "$user" = root ] || enter=(podman unshare)
    podmans "$user"
    theirs=$(graph_root "$user")
    before=$(state_of "$user")
    equal "$(as "$user" berth system migrate --from podman --dry-run 2>/dev/null | wc -l)" 4
    equal "$(as "$user" berth images -q; as "$user" berth volume ls -q)" ''
    systemctl stop test-registry
    as "$user" berth system migrate --from podman >/dev/null 2>"$WORK/err" || true
    serve
    contains "$(cat "$WORK/err")" '4 came over'
    equal "$(state_of "$user")" "$before"
    for name in $REGISTRY/t/oci:1 $REGISTRY/t/busybox:1 $REGISTRY/t/zstd:1 localhost/mine:2; do
        equal "$(as "$user" berth images -q --no-trunc $name)" "sha256:$(as "$user" podman images -q --no-trunc $name | cut -d: -f2)"
    done
    for layer in "$(store_of "$user")"/layers/*; do
        id=$(jq -r --arg diff "sha256:${layer##*/sha256-}" '.[] | select(."diff-digest" == $diff) | .id' "$theirs/overlay-layers/layers.json" | head -n 1)
        as "$user" "${enter[@]}" python3 "$TESTS/images-look.py" "$layer/fs" | sort >"$WORK/ours.txt"
        as "$user" "${enter[@]}" python3 "$TESTS/images-look.py" "$theirs/overlay/$id/diff" | sort >"$WORK/theirs.txt"
        diff "$WORK/ours.txt" "$WORK/theirs.txt"
    done
    look() { as "$user" "${enter[@]}" find "$1" -printf '%P %y %s %T@ %m %U %G %n %l\n' | sort; }
    equal "$(look "$(store_of "$user")/volumes/data/_data")" "$(look "$theirs/volumes/data/_data")"
    [ "$(du -k "$(store_of "$user")/volumes/data/_data/holes" | cut -f1)" -lt 1000 ]
    equal "$(as "$user" berth volume inspect data | jq -c '.[0].Labels')" '{"a":"b"}'
    equal "$(as "$user" berth volume inspect ram | jq -r '.[0].Options.o')" size=1m
    equal "$(as "$user" berth run --rm -v data:/data localhost/mine:2 cat /data/d/f)" x
    contains "$(as "$user" berth system migrate --from podman 2>&1)" '0 came over, 4 were there'
    contains "$(as "$user" berth system check)" 'nothing wrong'
    emptied "$(store_of "$user")/tmp"
    as "$user" berth volume rm data ram >/dev/null
    podmans_gone "$user"
}
check 'alice: images and volumes of Podman come over under their ids, and Podman keeps them as they were' came_over alice
check 'root: images and volumes of Podman come over under their ids, and Podman keeps them as they were' came_over root

in_part() {
    local theirs id
    podmans alice
    theirs=$(graph_root alice)
    id=$(jq -r '.[] | select(.names[0] | endswith("/t/oci:1")) | .layer' "$theirs/overlay-images/images.json")
    find "$theirs/overlay/$id/diff" -type f -size +0 | head -n 1 | while read -r file; do printf X | dd of="$file" conv=notrunc status=none; done
    as alice podman run -d --rm --network none --name writer -v data:/data --stop-timeout 0 $REGISTRY/t/busybox:1 sleep inf >/dev/null
    fails_with 125 as alice berth system migrate --from podman >/dev/null 2>"$WORK/err"
    contains "$(cat "$WORK/err")" '/t/oci:1: the unpacked layer'
    contains "$(cat "$WORK/err")" 'volume data: in use by'
    as alice podman rm -f writer >/dev/null
    contains "$(as alice berth volume ls -q)" ram
    contains "$(as alice berth images --format '{{.Repository}}')" /t/busybox
    emptied "$(store_of alice)/tmp"
    podmans_gone alice
    as alice berth volume rm ram >/dev/null
    fails_with 125 as alice berth system migrate
    fails_with 125 as alice berth system migrate --from docker
    fails_with 125 as alice berth system migrate --from podman --store /nowhere 2>"$WORK/err"
    equal "$(wc -l <"$WORK/err")" 1
}
check 'what cannot come over is named, and the rest comes' in_part
finish
