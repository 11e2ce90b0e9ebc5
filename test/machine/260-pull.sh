#!/usr/bin/env bash
# Images from a registry that is not ours (Debian's docker-registry): pulled by a person and inside a unit's start, compared with what
# Podman unpacks; many at once, a slow line, no line.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/registry.sh"
push "docker-archive:$ARCHIVES/plain.tar" --format v2s2 docker://$REGISTRY/t/schema2:1
push "docker-archive:$ARCHIVES/plain.tar" --format oci --dest-compress-format zstd docker://$REGISTRY/t/zstd:1

as_podman_does() { # USER NAME
    local user=$1 name=$REGISTRY/t/$2:1 enter=() theirs layer id layers=0
    fresh "$user"
    as "$user" berth pull -q "$name"
    as "$user" podman pull -q --tls-verify=false "$name" >/dev/null
    [ "$user" = root ] || enter=(podman unshare)
    theirs=$(as "$user" podman info --format '{{.Store.GraphRoot}}')
    for layer in "$(store_of "$user")"/layers/*; do
        id=$(jq -r --arg diff "sha256:${layer##*/sha256-}" '.[] | select(."diff-digest" == $diff) | .id' "$theirs/overlay-layers/layers.json" | head -n 1)
        layers=$((layers + 1))
        as "$user" "${enter[@]}" python3 "$TESTS/images-look.py" "$layer/fs" | sort >"$WORK/ours.txt"
        as "$user" "${enter[@]}" python3 "$TESTS/images-look.py" "$theirs/overlay/$id/diff" | sort >"$WORK/theirs.txt"
        diff "$WORK/ours.txt" "$WORK/theirs.txt"
    done
    equal $layers 2
    equal "$(as "$user" podman images -q --no-trunc "$name")" "sha256:$(as "$user" berth images -q --no-trunc | cut -d: -f2)"
    as "$user" podman rmi -f "$name" >/dev/null
    sound "$user"
}
for form in oci schema2 zstd; do
    check "alice: $form: names, modes, owners, links, attributes and times are those of podman" as_podman_does alice $form
done
check 'root: schema2: names, modes, owners, links, attributes and times are those of podman' as_podman_does root schema2

sixty() {
    local name=$REGISTRY/t/sixty:1
    push "oci:$ARCHIVES/sixty" docker://$name
    fresh alice
    as alice berth pull -q $name >/dev/null
    equal "$(ls "$(store_of alice)/layers" | wc -l)" 60
    # 58 files and the version, without the one that the last layer takes away.
    equal "$(as alice berth run --rm --network none $name sh -c 'busybox cat /app/version; busybox ls /app | busybox wc -l; busybox test -e /app/30 || echo gone' | xargs)" '59 58 gone'
    sound alice
}
check 'an image of sixty layers is pulled and runs' sixty

blobs_asked() { journalctl --sync; journalctl -u test-registry --since "@$1" -o cat --no-pager | grep -cE '"GET /v2/t/[a-z0-9]+/blobs/sha256:' || true; }
ten_at_once() {
    local i pids=() began
    fresh alice
    began=$(date +%s.%N)
    for i in 1 2 3 4 5 6 7 8 9 10; do
        as alice berth pull -q $REGISTRY/t/busybox:1 >"$WORK/ten.$i" &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    equal "$(sort -u "$WORK"/ten.* | wc -l)" 1
    # The layer once, the configuration once.
    equal "$(blobs_asked "$began")" 2
    sound alice
}
check 'ten who pull the same image wait for one download' ten_at_once

ten_units() {
    local i began
    fresh alice
    for i in 1 2 3 4 5 6 7 8 9 10; do
        unit_file alice tenth$i <<<"$LOCAL
[Container]
Image=$REGISTRY/t/busybox:1
Network=none
Exec=sleep inf
StopTimeout=1"
    done
    began=$(date +%s.%N)
    manager alice start tenth{1,2,3,4,5,6,7,8,9,10}
    for i in 1 2 3 4 5 6 7 8 9 10; do equal "$(property alice tenth$i ActiveState)" active; done
    equal "$(blobs_asked "$began")" 2
    unit_gone alice tenth{1,2,3,4,5,6,7,8,9,10}
    sound alice
}
check 'ten units that start at once with the same image cause one download' ten_units

# The package alone brings Node: what is installed of it is taken away, not hidden.
no_node() {
    local user directory=$WORK/node
    fresh alice
    fresh root
    for user in alice root; do as $user berth pull -q $REGISTRY/t/busybox:1 >/dev/null; done
    mkdir -p "$directory"
    mv /usr/bin/node* "$directory/"
    trap 'mv "$WORK"/node/* /usr/bin/' EXIT
    for user in alice root; do
        fails as $user sh -c 'command -v node'
        equal "$(as $user berth run --rm --network none $REGISTRY/t/busybox:1 echo here)" here
        unit_file $user nodeless <<<"$LOCAL
[Container]
Image=$REGISTRY/t/busybox:1
Exec=sleep inf
StopTimeout=1"
        manager $user start nodeless
        equal "$(as $user berth exec systemd-nodeless echo inside)" inside
        manager $user restart nodeless
        equal "$(property $user nodeless ActiveState)" active
        unit_gone $user nodeless
    done
    # What needs it says so in one line; an image that is there starts with Pull=newer.
    fails as alice berth pull -q $REGISTRY/t/oci:1 2>"$WORK/err"
    equal "$(wc -l <"$WORK/err")" 1
    contains "$(cat "$WORK/err")" node
    systemctl stop test-registry
    equal "$(as alice berth run -q --rm --pull newer --network none $REGISTRY/t/busybox:1 echo here 2>"$WORK/err")" here
    contains "$(cat "$WORK/err")" 'the image that is there is used'
    serve
}
check 'without Node an image that is there runs, by hand and as a unit' no_node

unchanged() {
    local began
    began=$(date +%s.%N)
    as alice berth pull -q $REGISTRY/t/busybox:1
    equal "$(blobs_asked "$began")" 0
    contains "$(as alice berth pull --format json $REGISTRY/t/busybox:1)" '"LayersFetched": 0'
}
check 'a second pull of an unchanged tag asks for no blob' unchanged

shared_base() {
    fresh alice
    as alice berth pull -q $REGISTRY/t/oci:1 $REGISTRY/t/schema2:1 >/dev/null
    equal "$(ls "$(store_of alice)/layers" | wc -l)" 2
    as alice berth pull -q --all-tags $REGISTRY/t/zstd >/dev/null
    contains "$(as alice berth images)" '/t/zstd'
    sound alice
}
check 'layers are shared, and all tags are pulled' shared_base

policies() {
    fresh alice
    fails_with 125 as alice berth pull --policy never $REGISTRY/t/busybox:1 2>"$WORK/err"
    contains "$(cat "$WORK/err")" 'no such image'
    fails_with 125 as alice berth pull $REGISTRY/t/nothing:1 2>"$WORK/err"
    equal "$(wc -l <"$WORK/err")" 1
    fails_with 125 as alice berth pull --policy sometimes $REGISTRY/t/busybox:1
    fails_with 125 as alice berth pull --platform linux/s390x $REGISTRY/t/busybox:1 2>"$WORK/err"
    contains "$(cat "$WORK/err")" 's390x'
    fails_with 125 as alice berth pull 'Not/A:Name:' 2>"$WORK/err"
    equal "$(as alice berth images -q)" ''
    equal "$(ls "$(store_of alice)/tmp")" ''
}
check 'policies and wrong use' policies

offline() {
    fresh alice
    as alice berth pull -q $REGISTRY/t/busybox:1
    systemctl stop test-registry
    equal "$(as alice berth run --rm --pull newer $REGISTRY/t/busybox:1 echo here 2>"$WORK/err")" here
    contains "$(cat "$WORK/err")" 'the image that is there is used'
    equal "$(as alice berth run --rm $REGISTRY/t/busybox:1 echo here)" here
    fails_with 125 as alice berth run --rm --pull always --retry 0 $REGISTRY/t/busybox:1 echo here
    unit_file alice offline <<<"$LOCAL
[Container]
Image=$REGISTRY/t/busybox:1
Pull=newer
PodmanArgs=--retry=0
Exec=sleep inf
StopTimeout=1"
    manager alice start offline
    contains "$(journal alice offline)" 'the image that is there is used'
    unit_gone alice offline
    serve
}
check 'without a registry a start goes on with the image that is there' offline

# It takes the connection and never answers.
silent() {
    local began took
    fresh alice
    as alice berth pull -q $REGISTRY/t/busybox:1
    systemctl stop test-registry
    systemd-run -q --collect --unit test-slow python3 -c "import socket, time; s = socket.create_server(('127.0.0.1', $PORT)); print(flush=True); time.sleep(1e6)"
    timeout 30 sh -c "until ss -Hltn | grep -q :$PORT; do sleep 0.1; done"
    unit_file alice silent <<<"$LOCAL
[Container]
Image=$REGISTRY/t/busybox:1
Pull=newer
Exec=sleep inf
StopTimeout=1"
    began=$SECONDS
    manager alice start silent
    took=$((SECONDS - began))
    equal "$(property alice silent ActiveState)" active
    contains "$(journal alice silent)" 'the image that is there is used'
    manager alice stop silent
    # Nor does a person who has more patience with it.
    as alice berth pull -q $REGISTRY/t/busybox:1 >/dev/null 2>&1 &
    timeout 60 sh -c 'until ls "$0"/locks/pull-* >/dev/null 2>&1; do sleep 0.1; done' "$(store_of alice)"
    began=$SECONDS
    manager alice start silent
    [ $((SECONDS - began)) -le 75 ]
    contains "$(journal alice silent)" 'another pull of it has brought nothing for 20 s; the image that is there is used'
    kill -0 %%
    pkill -KILL -u alice -x node
    wait
    unit_gone alice silent
    systemctl stop test-slow
    serve
    echo "# the start took $took s" >>"$WORK/figures"
    [ $took -ge 20 ] && [ $took -le 75 ]
}
check 'a registry that says nothing keeps Pull=newer from the image that is there for less than systemd waits' silent
[ ! -e "$WORK/figures" ] || cat "$WORK/figures"

slow_line() {
    fresh alice
    systemd-run -q --collect --unit test-slow python3 "$TESTS/registry-slow.py" $SLOW $PORT 150000
    unit_file alice slow <<<"$LOCAL
[Container]
Image=127.0.0.1:$SLOW/t/busybox:1
Exec=sleep inf
StopTimeout=1
[Service]
TimeoutStartSec=3"
    local began seen='' right='' pid
    began=$SECONDS
    manager alice start --no-block slow
    while [[ $(property alice slow ActiveState) == @(activating|inactive) ]]; do
        seen+=$(property alice slow StatusText)$'\n'
        right+=$(ps -u alice -o ni=,comm= | sed -n 's/^ *\([0-9-]*\) node$/\1/p')
        sleep 0.2
    done
    equal "$(property alice slow ActiveState)" active
    [ $((SECONDS - began)) -ge 5 ]
    grep -Eqx 'pulling busybox:1: layer 1/1, [0-9.]+/1\.[0-9]+ MB, [0-9]+ kB/s, ([0-9]+ min|[0-9]+ s) left' <<<"$seen" || { echo "status: $(sort -u <<<"$seen")" >&2; return 1; }
    pid=$(property alice slow MainPID)
    equal "$(cat "/proc/$pid/comm")" sleep
    fails pgrep -u alice -x node
    unit_gone alice slow
    sound alice
    # The start is not to wait longer than it must.
    [[ ${right//$'\n'/} =~ ^0+$ ]] || { echo "niceness: $right" >&2; return 1; }
}
check 'a pull that takes longer than TimeoutStartSec= says how far it is and is not killed' slow_line

waiting_unit() { # NAME IMAGE
    unit_file alice "$1" <<<"$LOCAL
[Container]
Image=127.0.0.1:$SLOW/t/$2:1
Exec=sleep inf
StopTimeout=1
[Service]
TimeoutStartSec=3"
}
statuses() { # NAME TEXT: what the unit says while it starts, at last until it says TEXT
    local now
    while [[ $(property alice "$1" ActiveState) == @(activating|inactive) ]]; do
        now=$(property alice "$1" StatusText)
        echo "$now"
        [[ -z $2 || $now != *"$2"* ]] || return 0
        sleep 0.2
    done
}
layers_asked() { journalctl --sync; journalctl -u test-registry --since "@$1" -o cat --no-pager | grep -c "\"GET /v2/t/[a-z]*/blobs/$layer" || true; }
common_layer() {
    local began layer seen
    derive twin
    layer=$(jq -r '.layers[0].digest' "$WORK/twin/manifest.json")
    fresh alice
    slow_at 60000
    waiting_unit common busybox
    waiting_unit twin twin
    began=$(date +%s.%N)
    manager alice start --no-block common
    statuses common kB/s >/dev/null
    manager alice start --no-block twin
    seen=$(statuses twin '')
    equal "$(property alice twin ActiveState)" active
    equal "$(property alice common ActiveState)" active
    grep -Eqx 'pulling twin:1: layer 1/1, [0-9.]+/1\.[0-9]+ MB, [0-9]+ kB/s, ([0-9]+ min|[0-9]+ s) left; another pull brings it' <<<"$seen" || { echo "status: $(sort -u <<<"$seen")" >&2; return 1; }
    equal "$(layers_asked "$began")" 1
    unit_gone alice common twin
    sound alice
    # The one that brings it dies, and then there is one that brings nothing.
    fresh alice
    slow_at 150000
    as alice berth pull -q 127.0.0.1:$SLOW/t/busybox:1 >/dev/null 2>&1 &
    timeout 60 sh -c 'until ls "$0"/tmp/*/sha256-* >/dev/null 2>&1; do sleep 0.02; done' "$(store_of alice)"
    waiting_unit twin twin
    manager alice start --no-block twin
    contains "$(statuses twin 'kB/s')" 'another pull brings it'
    kill -KILL "$(pgrep -u alice -x node -o)"
    wait
    seen=$(statuses twin '')
    equal "$(property alice twin ActiveState)" active
    contains "$seen" 'left'
    unit_gone alice twin
    sound alice
    fresh alice
    as alice berth pull -q 127.0.0.1:$SLOW/t/busybox:1 >/dev/null 2>&1 &
    timeout 60 sh -c 'until ls "$0"/tmp/*/sha256-* >/dev/null 2>&1; do sleep 0.02; done' "$(store_of alice)"
    sleep 1
    pkill -STOP -u alice -x node
    waiting_unit twin twin
    fails manager alice start twin
    equal "$(property alice twin Result)" timeout
    pkill -KILL -u alice -x node
    wait
    unit_gone alice twin
}
check 'who waits for a layer that another pull brings says so and is not killed while it comes' common_layer

bars() {
    fresh alice
    slow_at 100000
    as alice python3 "$TESTS/terminals.py" size:24x50 'wait:kB/s' size:24x100 'wait:left' size:24x36 'wait:pulling' 'wait:pulling' end -- \
        berth pull 127.0.0.1:$SLOW/t/busybox:1 >"$WORK/out"
    python3 - "$WORK/out" <<'END'
import re, sys
frames = re.split(r'\x1b\[(\d+)A\x1b\[J', open(sys.argv[1], newline='').read())
texts, rows = [frame.split('\r\n')[:-1] for frame in frames[::2]], [int(number) for number in frames[1::2]]
widest = [max(map(len, text), default=0) for text in texts]
wide = next(i for i, width in enumerate(widest) if width > 49)
narrow = next(i for i in range(wide, len(rows)) if rows[i] > len(texts[i])) + 1
assert any(re.search(r'^[0-9a-f]{12} \[=* +\] [0-9.]+/1.1 MB$', line) for text in texts[:wide] for line in text), texts[:wide]
assert any(line.endswith(' left') for text in texts[wide:narrow] for line in text), texts[wide:narrow]
assert max(widest[narrow:-1]) <= 35, texts[narrow:]
assert all(up <= len(text) for up, text in list(zip(rows, texts))[narrow:]), rows
END
}
check 'the bars of a pull are as wide as the terminal, before and after it is made another size' bars

stalled() {
    fresh alice
    systemctl stop test-slow
    systemd-run -q --collect --unit test-slow python3 "$TESTS/registry-slow.py" $SLOW $PORT 30
    unit_file alice stalled <<<"$LOCAL
[Container]
Image=127.0.0.1:$SLOW/t/busybox:1
Exec=sleep inf
[Service]
TimeoutStartSec=2"
    fails manager alice start stalled
    equal "$(property alice stalled Result)" timeout
    unit_gone alice stalled
    systemctl stop test-slow
    as alice berth pull -q $REGISTRY/t/busybox:1
    sound alice
}
check 'a line on which no byte of a layer arrives gets no more time' stalled

image_unit() { # USER
    fresh "$1"
    unit_file "$1" base.image <<<"$LOCAL
[Image]
Image=$REGISTRY/t/busybox:1"
    unit_file "$1" ofimage <<<"$LOCAL
[Container]
Image=base.image
Exec=sleep inf
StopTimeout=1"
    manager "$1" start ofimage
    equal "$(property "$1" ofimage ActiveState)" active
    contains "$(as "$1" berth images)" '/t/busybox'
    unit_gone "$1" ofimage
    rm -f "$(unit_directory "$1")/base.image"
    manager "$1" daemon-reload
}
check 'alice: Image=base.image pulls first' image_unit alice
check 'root: Image=base.image pulls first' image_unit root

for_account() {
    fresh alice
    unit_file root account <<<"$LOCAL
[Container]
Image=$REGISTRY/t/busybox:1
Exec=sleep inf
StopTimeout=1
[Service]
User=alice"
    manager root start account
    contains "$(as alice berth images)" '/t/busybox'
    unit_gone root account
}
check 'a system unit with User= pulls into the account' for_account

finish
