#!/usr/bin/env bash
# `berth oci`: the command line of an OCI runtime, alone and below the peer.
. "$(dirname "$0")/lib.sh"
RUNTIME=/usr/local/bin/berth-oci
printf '#!/bin/sh\nexec /usr/bin/berth oci "$@"\n' >$RUNTIME
chmod 755 $RUNTIME
trap 'rm -rf "$WORK" $RUNTIME; podman rm -fa >/dev/null 2>&1' EXIT

mkdir -p "$WORK/bundle/rootfs"
tar -C "$WORK/bundle/rootfs" -xf "$IMAGES/rootfs.tar"
configure() { # WORD…: the bundle's config.json with this command, by the peer's own `spec`
    (cd "$WORK/bundle" && rm -f config.json && crun spec)
    python3 - "$WORK/bundle/config.json" "$@" <<'PY'
import json, sys
path, *words = sys.argv[1:]
spec = json.load(open(path))
spec['process']['terminal'] = False
spec['process']['args'] = words
json.dump(spec, open(path, 'w'))
PY
}
oci() { berth oci --root "$WORK/state" "$@"; }
field() { oci state "$1" | python3 -c "import json,sys; print(json.load(sys.stdin)['$2'])"; }

runs() {
    configure echo hello
    equal "$(oci run -b "$WORK/bundle" r1)" hello
    configure sh -c 'exit 6'
    fails_with 6 oci run -b "$WORK/bundle" r1
    [ ! -e "$WORK/state/r1" ]
}
life() {
    configure sleep 1000
    oci create -b "$WORK/bundle" --pid-file "$WORK/pid" c1 </dev/null >/dev/null 2>&1
    equal "$(field c1 status)" created
    equal "$(field c1 pid)" "$(cat "$WORK/pid")"
    contains "$(fails_with 1 oci create -b "$WORK/bundle" c1 2>&1)" exists
    contains "$(fails_with 1 oci delete nobody 2>&1)" nobody
    oci start c1
    equal "$(field c1 status)" running
    contains "$(fails_with 1 oci start c1 2>&1)" running
    contains "$(fails_with 1 oci delete c1 2>&1)" running
    equal "$(oci exec c1 sh -c 'echo $$ >/dev/null; echo inside')" inside
    fails_with 8 oci exec c1 sh -c 'exit 8'
    oci kill c1 KILL
    tail --pid="$(cat "$WORK/pid")" -f /dev/null
    equal "$(field c1 status)" stopped
    oci delete c1
    contains "$(fails_with 1 oci state c1 2>&1)" c1
}
never_started() {
    configure sleep 1000
    oci create -b "$WORK/bundle" --pid-file "$WORK/pid" c2 </dev/null >/dev/null 2>&1
    oci delete c2
    fails grep -qs '^State:.[^ZX]' "/proc/$(cat "$WORK/pid")/status" # gone, or about to be reaped
    [ ! -e "$WORK/state/c2" ]
}
hooks() {
    configure true
    printf '#!/bin/sh\ncat >>%s/hooked\nprintf "\\n%%s\\n" "$1" >>%s/hooked\n' "$WORK" "$WORK" >"$WORK/hook"
    chmod 755 "$WORK/hook"
    python3 - "$WORK/bundle/config.json" "$WORK/hook" <<'PY'
import json, sys
path, hook = sys.argv[1:]
spec = json.load(open(path))
spec['hooks'] = {point: [{'path': hook, 'args': ['hook', point], 'env': ['PATH=/bin']}] for point in ('createRuntime', 'poststart', 'poststop')}
json.dump(spec, open(path, 'w'))
PY
    oci run -b "$WORK/bundle" h1
    equal "$(grep -o '^\(createRuntime\|poststart\|poststop\)$' "$WORK/hooked" | tr '\n' ' ')" 'createRuntime poststart poststop '
}
bad_bundle() {
    contains "$(fails_with 1 oci create -b "$WORK/nowhere" b1 2>&1)" "$WORK/nowhere/config.json"
    mkdir -p "$WORK/bad"
    echo '{' >"$WORK/bad/config.json"
    contains "$(fails_with 1 oci create -b "$WORK/bad" b1 2>&1)" 'not JSON'
    echo '{"ociVersion":"1.0.0","root":{"path":"r"},"linux":{},"process":{}}' >"$WORK/bad/config.json"
    contains "$(fails_with 1 oci create -b "$WORK/bad" b1 2>&1)" root
    contains "$(fails_with 1 oci create -b "$WORK/bundle" ../x 2>&1)" ../x
    contains "$(fails_with 1 oci paint b1 2>&1)" paint
    [ ! -e "$WORK/state/b1" ]
}
# `crun spec --rootless` writes a user namespace without mappings: it gets what the account's other containers have.
rootless() {
    mkdir -p "$WORK/rootless/rootfs"
    tar -C "$WORK/rootless/rootfs" --no-same-owner -xf "$IMAGES/rootfs.tar" --exclude='dev/*'
    (cd "$WORK/rootless" && crun spec --rootless)
    sed -i -e 's/"terminal": *true/"terminal": false/' -e 's/"sh"/"cat", "\/proc\/self\/uid_map"/' "$WORK/rootless/config.json"
    chown -R alice: "$WORK/rootless"
    local ours theirs
    ours=$(as alice berth oci --root "$WORK/rootless/state" run -b "$WORK/rootless" less)
    theirs=$(as alice crun --root "$WORK/rootless/theirs" run -b "$WORK/rootless" less)
    equal "$ours" "$theirs"
    equal "$(xargs <<<"$ours")" '0 1000 1 1 100000 65536'
}
below_podman() {
    as "$1" podman load -q -i "$IMAGES/busybox.tar" >/dev/null
    local podman="podman --runtime $RUNTIME"
    equal "$(as "$1" $podman run --rm --network none localhost/busybox echo hello)" hello
    fails_with 127 as "$1" $podman run --rm --network none localhost/busybox no-such
    as "$1" $podman run -d --name p1 --network none localhost/busybox sh -c 'trap "exit 0" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
    equal "$(as "$1" $podman exec p1 sh -c 'id -u; cat /proc/1/comm')" $'0\nsh'
    fails_with 5 as "$1" $podman exec p1 sh -c 'exit 5'
    contains "$(as "$1" script -qec "$podman exec -it p1 tty" /dev/null)" /dev/pts/
    as "$1" $podman stop -t 5 p1 >/dev/null
    equal "$(as "$1" $podman inspect --format '{{.State.ExitCode}}' p1)" 0
    as "$1" $podman rm p1 >/dev/null
}

check 'oci run: output and exit status' runs
check 'oci create, start, exec, kill, delete' life
check 'oci delete of one that was never started' never_started
check 'hooks run in order' hooks
check 'a bad bundle, id or action is one line' bad_bundle
check 'a bundle of an account without id mappings' rootless
check 'podman as root with Berth as its runtime' below_podman root
check 'podman of an account with Berth as its runtime' below_podman alice
finish
