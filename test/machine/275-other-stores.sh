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
    equal "$(ls "$to/layers" "$to/tmp" | grep -v :)" ''
    if [ "$user" = root ]; then rm "$from"; fi
    rm -rf "${to%/*}"
}
check 'alice: a store that was moved works where it is now' moved alice
check 'root: a store that was moved works where it is now' moved root
finish
