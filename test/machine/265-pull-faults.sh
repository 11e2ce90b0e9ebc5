#!/usr/bin/env bash
# What goes wrong with pulls: a changed byte, a bomb, a kill at any point, an interruption.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/registry.sh"

repaired() {
    local layer
    fresh alice
    as alice berth pull -q $REGISTRY/t/busybox:1
    layer=$(echo "$(store_of alice)"/layers/*)
    printf x | dd of="$layer/fs/etc/passwd" conv=notrunc status=none
    fails_with 1 as alice berth system check >"$WORK/out" 2>&1
    contains "$(cat "$WORK/out")" 'not what its digest says'
    as alice berth system check --repair
    sound alice
}
check 'a changed byte is found, and the layer fetched again' repaired

bomb() {
    mkdir -p "$WORK/bomb/blobs/sha256"
    ( cd "$WORK/bomb"
        truncate -s 600M zeros
        tar -c zeros | tee >(sha256sum | cut -d' ' -f1 >diff) | zstd -q >layer
        rm zeros
        put() { local hex; hex=$(sha256sum <"$1" | cut -d' ' -f1); mv "$1" "blobs/sha256/$hex"; echo "{\"mediaType\":\"$2\",\"digest\":\"sha256:$hex\",\"size\":$(stat -c %s "blobs/sha256/$hex")}"; }
        while [ ! -s diff ]; do sleep 0.1; done
        layer=$(put layer application/vnd.oci.image.layer.v1.tar+zstd)
        echo "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:$(cat diff)\"]}}" >config
        config=$(put config application/vnd.oci.image.config.v1+json)
        echo "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":$config,\"layers\":[$layer]}" >manifest
        echo "{\"schemaVersion\":2,\"manifests\":[$(put manifest application/vnd.oci.image.manifest.v1+json)]}" >index.json
        echo '{"imageLayoutVersion":"1.0.0"}' >oci-layout )
    push "oci:$WORK/bomb" docker://$REGISTRY/t/bomb:1
    fresh alice
    fails_with 125 as alice berth pull -q $REGISTRY/t/bomb:1 2>"$WORK/err"
    contains "$(cat "$WORK/err")" 'bomb'
    equal "$(ls "$(store_of alice)/tmp" "$(store_of alice)/layers" | grep -v :)" ''
}
check 'T34 a layer that unpacks to thousands of times its size is refused' bomb

killed() { # TIMES: at random points of a pull; the store works after each, and the last pull finds nothing wrong
    local i moment
    fresh alice
    for i in $(seq "$1"); do
        moment=0.$(printf %03d $((RANDOM % 500 + 100)))
        as alice timeout -s KILL "$moment" berth pull -q $REGISTRY/t/oci:1 $REGISTRY/t/busybox:1 >/dev/null 2>&1 || true
        [ $((i % 5)) != 0 ] || contains "$(as alice berth system check)" 'nothing wrong'
        [ $((i % 8)) != 0 ] || as alice berth rmi -a -f >/dev/null 2>&1 || true
    done
    equal "$(as alice berth run --rm $REGISTRY/t/busybox:1 echo up)" up
    as alice berth pull -q $REGISTRY/t/oci:1 $REGISTRY/t/busybox:1 >/dev/null
    sound alice
}
check 'a pull that is killed at any point leaves a store that works' killed "${KILLS:-25}"

interrupted() {
    fresh alice
    systemd-run -q --collect --unit test-slow python3 "$TESTS/registry-slow.py" $SLOW $PORT 60000
    local i
    for i in $(seq 300); do ! curl -sf http://127.0.0.1:$SLOW/v2/ >/dev/null || break; sleep 0.1; done
    as alice timeout -s INT 3 berth pull -q 127.0.0.1:$SLOW/t/busybox:1 2>"$WORK/err" || true
    contains "$(cat "$WORK/err")" 'interrupted'
    systemctl stop test-slow
    equal "$(ls "$(store_of alice)/tmp" "$(store_of alice)/layers" | grep -v :)" ''
}
check 'an interrupted pull leaves nothing' interrupted
finish
