# For the tests of pulls: Debian's docker-registry on loopback with two images, and stores of their own for root and alice.
# shellcheck shell=bash
ARCHIVES=$WORK/archives PORT=5055 SLOW=5056
REGISTRY=127.0.0.1:$PORT
# The machine has no network to wait for.
LOCAL=$'[Quadlet]\nDefaultDependencies=false'
python3 "$TESTS/images-make.py" "$ARCHIVES" || exit 1
chmod -R a+rX "$ARCHIVES"
mkdir -p /etc/containers/registries.conf.d
printf '[[registry]]\nlocation = "127.0.0.1:%s"\ninsecure = true\n' $PORT $SLOW 5058 >/etc/containers/registries.conf.d/260-test.conf
printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}\nhttp: {addr: "%s"}\n' "$WORK/registry" $REGISTRY >"$WORK/registry.yml"
serve() {
    systemd-run -q --collect --unit test-registry docker-registry serve "$WORK/registry.yml"
    local i
    for i in $(seq 600); do ! curl -sf http://$REGISTRY/v2/ >/dev/null || return 0; sleep 0.1; done
    return 1
}
store_of() { if [ "$1" = root ]; then echo /var/lib/berth; else echo "/home/$1/.local/share/berth"; fi; }
# A store of the test's own: what is there comes back afterwards.
fresh() { # USER
    local store
    store=$(store_of "$1")
    [ ! -e "$store" ] || [ -e "$store.kept" ] || mv "$store" "$store.kept"
    [ ! -e "$store" ] || as "$1" berth layer remove "path=$store/layers" "path=$store/images" "path=$store/names" "path=$store/pulled" "path=$store/blobs" "path=$store/tmp"
}
restore() {
    fresh "$1"
    rm -rf "$(store_of "$1")"
    [ ! -e "$(store_of "$1").kept" ] || mv "$(store_of "$1").kept" "$(store_of "$1")"
}
trap 'systemctl stop test-registry test-slow test-silent test-person test-hostile 2>/dev/null; for user in root alice bob; do restore $user; done; rm -rf "$WORK" /etc/containers/registries.conf.d/260-test.conf' EXIT
serve || { echo 'not ok 1 - the registry serves'; echo '1..1'; exit 1; }
slow_at() { # BYTES-PER-SECOND [whole]: the registry on a line of that speed; `whole`: one that knows no ranges
    local i
    systemctl stop test-slow 2>/dev/null || true
    systemd-run -q --collect --unit test-slow python3 "$TESTS/registry-slow.py" $SLOW $PORT "$@"
    for i in $(seq 300); do ! curl -sf http://127.0.0.1:$SLOW/v2/ >/dev/null || return 0; sleep 0.1; done
    return 1
}
# t/large:1, with a layer of 12 MB that cannot be packed, on a line of that speed.
large() { # BYTES-PER-SECOND [whole]
    if [ ! -e "$WORK/large.tar" ]; then
        mkdir "$WORK/large"
        head -c 12000000 /dev/urandom >"$WORK/large/noise"
        tar -C "$WORK/large" -cf "$WORK/large.tar" noise
        berth import -q "$WORK/large.tar" localhost/large >/dev/null
        berth push -q localhost/large $REGISTRY/t/large:1
        berth rmi -f localhost/large >/dev/null
    fi
    slow_at "$@"
}
push() { skopeo --insecure-policy copy -q --dest-tls-verify=false "$@"; }
# derive NAME [IMAGE]: t/NAME:1, which is t/busybox:1 with another configuration, and with the layers of t/IMAGE:1 above its own.
derive() {
    local directory=$WORK/$1 above=$WORK/$1.above config
    fetch() { skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$REGISTRY/t/$1:1" "dir:$2"; }
    part() { jq -r '.config.digest | split(":")[1]' "$1/manifest.json"; }
    fetch busybox "$directory"
    echo '{"layers":[]}' >"$WORK/layers"
    echo '{"rootfs":{"diff_ids":[]}}' >"$WORK/ids"
    if [ -n "${2:-}" ]; then
        fetch "$2" "$above"
        cp "$above/manifest.json" "$WORK/layers"
        cp "$above/$(part "$above")" "$WORK/ids"
        cp -n "$above"/[0-9a-f]* "$directory/"
    fi
    jq -c --slurpfile more "$WORK/ids" '.config.Labels.derived = "yes" | del(.history) | .rootfs.diff_ids += $more[0].rootfs.diff_ids' "$directory/$(part "$directory")" >"$directory/new"
    config=$(sha256sum <"$directory/new" | cut -d' ' -f1)
    mv "$directory/new" "$directory/$config"
    jq -c --slurpfile more "$WORK/layers" --arg digest "sha256:$config" --argjson size "$(stat -c %s "$directory/$config")" \
        '.config += {$digest, $size} | .layers += $more[0].layers' "$directory/manifest.json" >"$directory/new"
    mv "$directory/new" "$directory/manifest.json"
    push "dir:$directory" "docker://$REGISTRY/t/$1:1"
}
push "docker-archive:$ARCHIVES/plain.tar" --format oci docker://$REGISTRY/t/oci:1
push "oci-archive:$IMAGES/busybox-oci.tar" docker://$REGISTRY/t/busybox:1

sound() { # USER: nothing half is there, and all digests are right
    emptied "$(store_of "$1")/tmp"
    contains "$(as "$1" berth system check)" 'nothing wrong'
}
