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

# Off a terminal: whole lines on standard error, and the id alone on standard output.
plain_lines() {
    fresh alice
    as alice berth pull $REGISTRY/t/oci:1 >"$WORK/out" 2>"$WORK/err"
    grep -Eqx '[0-9a-f]{64}' "$WORK/out"
    equal "$(wc -l <"$WORK/out")" 1
    equal "$(sed -E 's/[0-9a-f]{12}:/ID:/; s/[0-9.]+ [kM]?B/SIZE/' "$WORK/err" | sort)" "$(printf '%s\n' 'layer 1/2 ID: SIZE' 'layer 2/2 ID: SIZE' 'pulling oci:1: 2 layers, SIZE')"
    as alice berth pull -q $REGISTRY/t/busybox:1 2>"$WORK/err" >/dev/null
    equal "$(cat "$WORK/err")" ''
}
check 'off a terminal a pull says its layers in lines' plain_lines

# The time is the server's.
delayed() {
    systemd-run -q --collect --unit test-slow python3 -c "
import http.server, time
class Ill(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        open('$WORK/asked', 'a').write(f'{time.monotonic()}\n')
        self.send_error(503)
    do_HEAD = do_GET
http.server.ThreadingHTTPServer(('127.0.0.1', $SLOW), Ill).serve_forever()"
    timeout 30 sh -c "until ss -Hltn | grep -q :$SLOW; do sleep 0.1; done"
    fails_with 125 as alice berth pull -q --retry 2 --retry-delay 1500ms 127.0.0.1:$SLOW/t/busybox:1 2>"$WORK/err"
    contains "$(cat "$WORK/err")" 'failed with 503'
    systemctl stop test-slow
    # Half of each is chance, and the second is twice the first.
    python3 - "$WORK/asked" <<'END'
import sys
times = [float(line) for line in open(sys.argv[1])]
first, second = (later - one for one, later in zip(times, times[1:]))
assert len(times) == 3 and 0.75 <= first <= 6 and 1.5 <= second <= 8, times
END
}
check '--retry-delay is waited between the tries' delayed

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
    # Nor does an .image unit keep those from starting that need it.
    local policy
    for policy in newer missing; do
        unit_file alice kept.image <<<"$LOCAL
[Image]
Image=$REGISTRY/t/busybox:1
Policy=$policy"
        unit_file alice ofkept <<<"$LOCAL
[Container]
Image=kept.image
Exec=sleep inf
StopTimeout=1"
        manager alice start ofkept
        equal "$(property alice ofkept ActiveState)" active
        equal "$(property alice kept-image Result)" success
        # The policy missing does not even ask.
        equal "$(journal alice kept-image | grep -c 'the image that is there is used')" 1
        unit_gone alice ofkept
        manager alice stop kept-image
    done
    rm -f "$(unit_directory alice)/kept.image"
    manager alice daemon-reload
    serve
}
check 'without a registry a start goes on with the image that is there' offline

offline_boot() { # its network never comes up: what is wanted then has waited for that, and runs with the image that is there
    fresh root
    berth pull -q $REGISTRY/t/busybox:1
    systemctl stop test-registry
    local at=/run/systemd/system
    printf '[Unit]\nBefore=network-online.target\n[Service]\nType=oneshot\nExecStart=sh -c "sleep 2; exit 1"\n' >$at/no-network.service
    mkdir -p $at/network-online.target.wants
    ln -sf ../no-network.service $at/network-online.target.wants/
    printf '[Unit]\nDescription=boot\n' >$at/test-boot.target
    unit_file root boots <<<"[Container]
Image=$REGISTRY/t/busybox:1
Pull=newer
PodmanArgs=--retry=0
Exec=sleep inf
StopTimeout=1
[Install]
WantedBy=test-boot.target"
    systemctl stop network-online.target
    systemctl start test-boot.target boots.service
    equal "$(systemctl is-active boots.service)" active
    equal "$(systemctl is-failed no-network.service)" failed
    [ "$(systemctl show --value -p ExecMainStartTimestampMonotonic boots)" -gt "$(systemctl show --value -p ExecMainExitTimestampMonotonic no-network)" ]
    contains "$(journal root boots)" 'the image that is there is used'
    unit_gone root boots
    rm -r $at/network-online.target.wants $at/no-network.service $at/test-boot.target
    systemctl daemon-reload
    systemctl reset-failed no-network.service 2>/dev/null || true
    serve
}
check 'root: a boot without a network' offline_boot

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
