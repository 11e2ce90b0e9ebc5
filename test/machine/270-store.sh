#!/usr/bin/env bash
# What leaves the store and what is thrown away: save, image prune, history, image inspect.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/registry.sh"

loaded() { # a store of alice's own with three images
    fresh alice
    as alice berth pull -q $REGISTRY/t/oci:1 $REGISTRY/t/busybox:1 >/dev/null
}
saved() { # FORMAT
    local out=$WORK/saved.$1 id
    loaded
    chmod 777 "$WORK"
    as alice berth save --format "$1" -o "$out" $REGISTRY/t/oci:1
    id=$(as alice berth images -q --no-trunc $REGISTRY/t/oci:1)
    as alice skopeo --insecure-policy copy -q "${2:-$1}:$out" containers-storage:localhost/again:1
    equal "$(as alice podman images -q --no-trunc localhost/again:1)" "$id"
    as alice podman rmi -f localhost/again:1 >/dev/null
    as alice berth rmi -a -f >/dev/null
    contains "$(as alice berth load -i "$out")" "$REGISTRY/t/oci:1"
    equal "$(as alice berth images -q --no-trunc)" "$id"
    fails_with 125 as alice berth save --format "$1" -o "$out" $REGISTRY/t/oci:1
    sound alice
}
check 'docker-archive: Podman and Berth load it under the same id' saved docker-archive
check 'oci-archive: Podman and Berth load it under the same id' saved oci-archive
check 'oci-dir: Podman and Berth load it under the same id' saved oci-dir oci

pipe() {
    loaded
    as alice sh -c "berth save $REGISTRY/t/oci:1 $REGISTRY/t/busybox:1 >$WORK/both.tar"
    as alice berth rmi -a -f >/dev/null
    equal "$(as alice berth load -q -i "$WORK/both.tar" | wc -l)" 2
    fails_with 125 as alice berth save nothing:1
    fails_with 125 as alice berth save --format tape $REGISTRY/t/oci:1
}
check 'save to a pipe, several at once, and wrong use' pipe

pushed() {
    local id digest
    loaded
    id=$(as alice berth images -q --no-trunc $REGISTRY/t/oci:1)
    # The registry has its blobs in another repository: they are handed over, and the manifest stays what it was.
    as alice berth push --digestfile "$WORK/digest" $REGISTRY/t/oci:1 $REGISTRY/sent/app:2 2>"$WORK/err"
    contains "$(cat "$WORK/err")" 'is there'
    digest=$(cat "$WORK/digest")
    equal "$(skopeo --insecure-policy inspect --tls-verify=false --format '{{.Digest}}' docker://$REGISTRY/sent/app:2)" "$digest"
    equal "$(skopeo --insecure-policy inspect --tls-verify=false --format '{{.Digest}}' docker://$REGISTRY/t/oci:1)" "$digest"
    as alice podman pull -q --tls-verify=false $REGISTRY/sent/app:2 >/dev/null
    equal "$(as alice podman images -q --no-trunc $REGISTRY/sent/app:2)" "$id"
    as alice podman rmi -f $REGISTRY/sent/app:2 >/dev/null
    as alice berth push -q $REGISTRY/t/oci:1
    as alice berth import -q "$IMAGES/rootfs.tar" made >/dev/null
    fails_with 125 as alice berth push made
    as alice berth push -q made $REGISTRY/sent/made:1
    equal "$(as alice berth pull -q $REGISTRY/sent/made:1)" "$(as alice berth images -q --no-trunc made | cut -d: -f2)"
    sound alice
}
check 'push: Podman pulls it under the same id, and what is there is not sent again' pushed

pruned() {
    local busybox
    loaded
    busybox=$(as alice berth images -q --no-trunc $REGISTRY/t/busybox:1)
    fails_with 125 as alice berth image prune
    equal "$(as alice berth image prune -f)" ''
    # The tag moves on: the image before has no name, but a unit may go back to it.
    unit_file alice keeps <<<"$LOCAL
[Container]
Image=$REGISTRY/t/busybox:1"
    push "docker-archive:$ARCHIVES/gzipped.tar" docker://$REGISTRY/t/busybox:1
    as alice berth pull -q $REGISTRY/t/busybox:1 >/dev/null
    equal "$(as alice berth image prune -f)" ''
    contains "$(as alice berth images -q --no-trunc)" "$busybox"
    equal "$(as alice berth image prune -a -f | wc -l)" 1
    contains "$(as alice berth images --format '{{.Repository}}')" /t/busybox
    unit_gone alice keeps
    equal "$(as alice berth image prune -f)" "${busybox#sha256:}"
    equal "$(as alice berth image prune -f --budget 1k | wc -l)" 1
    equal "$(ls "$(store_of alice)/layers" "$(store_of alice)/images" | grep -v :)" ''
    push "oci-archive:$IMAGES/busybox-oci.tar" docker://$REGISTRY/t/busybox:1
}
check 'prune takes what nobody needs, and leaves what a unit names with one version back' pruned

# As the timer runs it, with the budget where the manual says.
budget() { # USER
    local user=$1 service=berth-image-prune.service directory=/etc/systemd/system prune
    fresh "$user"
    as "$user" berth pull -q $REGISTRY/t/busybox:1 $REGISTRY/t/oci:1 >/dev/null
    unit_file "$user" keeps <<<"$LOCAL
[Container]
Image=$REGISTRY/t/oci:1"
    prune() { manager "$user" start $service; as "$user" berth images --format '{{.Repository}}'; }
    equal "$(prune | wc -l)" 2
    [ "$user" = root ] || directory=/home/$user/.config/systemd/user
    as "$user" mkdir -p "$directory/$service.d"
    echo $'[Service]\nEnvironment=BERTH_IMAGE_BUDGET=1G' | as "$user" tee "$directory/$service.d/budget.conf" >/dev/null
    manager "$user" daemon-reload
    equal "$(prune | wc -l)" 2
    sed -i s/1G/1k/ "$directory/$service.d/budget.conf"
    manager "$user" daemon-reload
    equal "$(prune)" $REGISTRY/t/oci
    rm -r "$directory/$service.d"
    unit_gone "$user" keeps
    sound "$user"
}
for user in alice root; do check "$user: the service that a timer runs keeps the budget of BERTH_IMAGE_BUDGET=" budget $user; done

running_stays() {
    loaded
    as alice berth run -d --name stays --stop-timeout 1 $REGISTRY/t/busybox:1 sleep inf
    as alice berth image prune -a -f >/dev/null
    contains "$(as alice berth images)" /t/busybox
    as alice berth rm -f stays >/dev/null
}
mounted_stays() {
    local name=$REGISTRY/t/oci:1
    loaded
    as alice berth run -d --name stays --network none --stop-timeout 1 --mount type=image,src=$name,dst=/i $REGISTRY/t/busybox:1 sleep inf >/dev/null
    equal "$(as alice berth image prune -a -f)" ''
    contains "$(fails_with 2 as alice berth rmi -f $name 2>&1)" 'used by the container stays'
    as alice berth exec stays ls /i/bin >/dev/null
    as alice berth rm -f stays >/dev/null
    as alice berth volume create --driver image --opt image=$name tools >/dev/null
    contains "$(fails_with 2 as alice berth rmi $name 2>&1)" 'used by the volume tools; remove it first: berth volume rm tools'
    as alice berth volume rm tools >/dev/null
    unit_file alice keeps <<<"$LOCAL
[Container]
Image=$REGISTRY/t/busybox:1
Mount=type=image,source=$name,destination=/i"
    equal "$(as alice berth image prune -a -f)" ''
    unit_gone alice keeps
    equal "$(as alice berth image prune -a -f | wc -l)" 2
}
check 'prune leaves what a container has' running_stays
check 'prune and rmi leave what a container has mounted, a volume stands on, and a unit mounts' mounted_stays

described() {
    local name=$REGISTRY/t/oci:1 filter='.[0] | {Id, Architecture, Os, Created, RepoTags, Layers: .RootFS.Layers, Cmd: .Config.Cmd, Env: .Config.Env, History: (.History | length)}'
    loaded
    as alice podman pull -q --tls-verify=false $name >/dev/null
    equal "$(as alice berth image inspect $name | jq -S "$filter")" "$(as alice podman image inspect $name | jq -S "$filter")"
    equal "$(as alice berth inspect --type image --format '{{.Id}}' $name)" "$(as alice podman inspect --type image --format '{{.Id}}' $name)"
    # Its configuration has no history: each layer is shown nevertheless.
    equal "$(as alice berth history -q --no-trunc $name | wc -l)" 2
    contains "$(as alice berth system df)" 'Local Volumes'
    contains "$(as alice berth system df -v)" "$name"
    as alice podman rmi -f $name >/dev/null
    fails_with 125 as alice berth image inspect nothing
    fails_with 125 as alice berth history nothing
}
timers() {
    local scope
    for scope in --system --global; do equal "$(systemctl $scope is-enabled berth-image-prune.timer)" enabled; done
    systemctl -q is-active berth-image-prune.timer
    # Also for an account whose manager was there before the package.
    manager alice -q is-active berth-image-prune.timer
    loaded
    as alice berth tag $REGISTRY/t/busybox:1 $REGISTRY/t/oci:1 # the other image has no name any more
    as alice systemctl --user daemon-reload
    as alice systemctl --user start berth-image-prune.service
    equal "$(as alice berth images -q | sort -u | wc -l)" 1
    systemctl start berth-image-prune.service
    # Where no store is, none is made.
    local store=/home/bob/.local/share/berth
    [ ! -e $store ] || mv $store $store.kept
    as bob systemctl --user daemon-reload
    as bob systemctl --user start berth-image-prune.service
    equal "$(ls $store 2>&1 | grep -c 'No such file')" 1
    [ ! -e $store.kept ] || mv $store.kept $store
    manager bob reset-failed
}
check 'the timer is enabled, for accounts as well; its service takes what has no name' timers

check 'image inspect says what Podman says; history and system df' described

# What the disk says: blocks, so that holes are nothing and a small file is a block; two names of a file count once; also what a pull has kept.
honest_bytes() { # USER
    local user=$1 store disk sum images freed before after tree=$WORK/tree.$1
    store=$(store_of "$user")
    used() { as "$user" "${enter[@]}" du -s --block-size=1 "$store" | cut -f 1; }
    row() { as "$user" berth system df --format json | jq "map(select(.Type == \"Images\")) | .[0].$1"; }
    near() { [ $(($1 - $2)) -le 100000 ] && [ $(($2 - $1)) -le 100000 ] || { echo "system df: $1, the disk: $2" >&2; return 1; }; }
    local enter=()
    [ "$user" = root ] || enter=(unshare --user --map-auto --map-root-user)
    fresh "$user"
    mkdir "$tree"
    tar -C "$tree" -xf "$IMAGES/rootfs.tar"
    truncate -s 60M "$tree/holes"
    head -c 3000000 /dev/urandom >"$tree/one"
    ln "$tree/one" "$tree/two"
    for i in $(seq 300); do echo x >"$tree/small$i"; done
    tar -C "$tree" --sparse -cf "$tree.tar" .
    chmod 644 "$tree.tar"
    as "$user" berth import -q "$tree.tar" localhost/holes >/dev/null
    as "$user" berth run --name dfs --network none -v dfs:/kept localhost/holes sh -c 'cat /one >/written; cat /one >/kept/written'
    as "$user" mkdir -p "$store/partial"
    as "$user" sh -c "head -c 5000000 /dev/urandom >$store/partial/sha256-$(printf 0%.0s {1..64}).$(printf 0%.0s {1..16})"
    disk=$(used)
    sum=$(as "$user" berth system df --format json | jq 'map(.RawSize) | add')
    near "$sum" "$disk"
    # Three of the image, its programs and 300 blocks, 3 written, 3 of the volume, 5 kept; no hole.
    [ "$disk" -gt 15000000 ] && [ "$disk" -lt 40000000 ]
    images=$(row RawSize)
    [ "$images" -gt $((3000000 + 300 * 4096 + 5000000)) ]
    # The image is in use: what a pull has kept can be had back. Then all but the documents.
    near "$(row RawReclaimable)" 5000000
    as "$user" berth rm -f dfs >/dev/null
    freed=$(row RawReclaimable) before=$(used)
    # A budget is of the disk, too: by the lengths of its files the image would have 60 MB more.
    equal "$(as "$user" berth image prune -f --budget 30M)" ''
    as "$user" berth image prune -a -f >/dev/null
    after=$(used)
    near "$freed" $((before - after))
    as "$user" berth volume rm dfs >/dev/null
    sound "$user"
}
for user in alice root; do check "$user: system df says what the disk says" honest_bytes $user; done
finish
