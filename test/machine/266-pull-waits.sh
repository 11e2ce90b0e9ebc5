#!/usr/bin/env bash
# What a pull waits for, and for how long: another pull, a registry that says nothing; what it shows meanwhile; and the bombs that it refuses.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/registry.sh"

# It takes the connection and never answers. The starts that ask it, of root and bob, go on beside the other cases, which are alice's.
SILENT=127.0.0.1:5057
silent_unit() { # USER NAME SECONDS LINE…
    local user=$1 name=$2 seconds=$3
    shift 3
    as "$user" berth tag $REGISTRY/t/busybox:1 $SILENT/t/$name:1
    printf '%s\n' "$LOCAL" '[Container]' "Image=$SILENT/t/$name:1" Pull=newer 'Exec=sleep inf' StopTimeout=1 "$@" '[Service]' "TimeoutStartSec=$seconds" |
        as "$user" tee "$(unit_directory "$user")/$name.container" >/dev/null
}
ask_silent() {
    local user
    for user in root bob; do
        fresh $user
        as $user mkdir -p "$(unit_directory $user)"
        as $user berth pull -q $REGISTRY/t/busybox:1
    done
    systemd-run -q --collect --unit test-silent python3 -c "import socket, time; s = socket.create_server(('127.0.0.1', ${SILENT#*:})); time.sleep(1e6)"
    timeout 30 sh -c "until ss -Hltn | grep -q :${SILENT#*:}; do sleep 0.1; done"
    silent_unit root silent 90
    # However many tries it was given.
    silent_unit root patient 90 Retry=9
    # Whatever systemd allows it: less than the two tries of the others take.
    for user in root bob; do silent_unit $user brief 30; manager $user daemon-reload; done
    silent_unit root behind 90
    systemctl daemon-reload
    manager bob start --no-block brief
    # A person has more patience with it.
    systemd-run -q --collect --unit test-person berth pull -q $SILENT/t/behind:1
    timeout 60 sh -c 'until ls "$0"/pull-* >/dev/null 2>&1 && ! flock -n "$0"/pull-* true; do sleep 0.2; done' /var/lib/berth/locks
    systemctl start --no-block silent patient brief behind
}
check 'starts ask a registry that says nothing' ask_silent
# It takes a while to make what it serves.
HOSTILE=5058
systemd-run -q --collect --unit test-hostile nice python3 "$TESTS/registry-hostile.py" $HOSTILE

waiting_unit() { # NAME IMAGE
    unit_file alice "$1" <<<"$LOCAL
[Container]
Image=127.0.0.1:$SLOW/t/$2:1
Exec=sleep inf
StopTimeout=1
[Service]
TimeoutStartSec=5"
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
# Pulls of services do not stand aside: on a busy machine those of a person take many times as long.
service() { as alice systemd-run --user -q --collect "$@"; }
unpacking() { timeout 60 sh -c 'until ls "$0"/tmp/*/sha256-* >/dev/null 2>&1; do sleep 0.02; done' "$(store_of alice)"; }
layers_asked() { journalctl --sync; journalctl -u test-registry --since "@$1" -o cat --no-pager | grep -c "\"GET /v2/t/[a-z]*/blobs/$layer" || true; }
common_layer() {
    local began layer seen
    derive twin
    layer=$(jq -r '.layers[0].digest' "$WORK/twin/manifest.json")
    fresh alice
    slow_at 90000
    waiting_unit common busybox
    waiting_unit twin twin
    began=$(date +%s.%N)
    manager alice start --no-block common
    statuses common kB/s >/dev/null
    manager alice start --no-block twin
    seen=$(statuses twin '')
    statuses common '' >/dev/null
    equal "$(property alice twin ActiveState)" active
    equal "$(property alice common ActiveState)" active
    grep -Eqx 'pulling twin:1: layer 1/1, [0-9.]+/1\.[0-9]+ MB, [0-9]+ kB/s, ([0-9]+ min|[0-9]+ s) left; another pull brings it' <<<"$seen" || { echo "status: $(sort -u <<<"$seen")" >&2; return 1; }
    equal "$(layers_asked "$began")" 1
    unit_gone alice common twin
    sound alice
    # The one that brings it dies, and then there is one that brings nothing.
    fresh alice
    slow_at 150000
    service --unit test-puller berth pull -q 127.0.0.1:$SLOW/t/busybox:1
    unpacking
    waiting_unit twin twin
    manager alice start --no-block twin
    contains "$(statuses twin 'kB/s')" 'another pull brings it'
    manager alice kill --kill-whom main -s KILL test-puller
    seen=$(statuses twin '')
    equal "$(property alice twin ActiveState)" active
    contains "$seen" 'left'
    unit_gone alice twin
    sound alice
    fresh alice
    service --unit test-puller berth pull -q 127.0.0.1:$SLOW/t/busybox:1
    unpacking
    sleep 1
    manager alice kill --kill-whom main -s STOP test-puller
    waiting_unit twin twin
    fails manager alice start twin
    equal "$(property alice twin Result)" timeout
    manager alice kill -s KILL test-puller
    unit_gone alice twin
}
check 'who waits for a layer that another pull brings says so and is not killed while it comes' common_layer

# What an earlier pull kept, of a server that knows no ranges: it sends all again, for longer than the start has, before something new comes.
without_ranges() {
    local digest diff
    large 1500000 whole
    skopeo --insecure-policy inspect --tls-verify=false --config docker://$REGISTRY/t/large:1 >"$WORK/config"
    digest=$(skopeo --insecure-policy inspect --tls-verify=false --raw docker://$REGISTRY/t/large:1 | jq -r '.layers[0].digest')
    diff=$(jq -r '.rootfs.diff_ids[0] | split(":")[1][0:16]' "$WORK/config")
    fresh alice
    as alice mkdir -p "$(store_of alice)/partial"
    curl -sf -r 0-10999999 "http://$REGISTRY/v2/t/large/blobs/$digest" | as alice tee "$(store_of alice)/partial/${digest/:/-}.$diff" >/dev/null
    waiting_unit again large
    # The image has nothing that could run: it is fetched, and the start ends with that.
    fails manager alice start again
    equal "$(property alice again Result)" exit-code
    contains "$(journal alice again)" 'pulled 127.0.0.1'
    equal "$(ls "$(store_of alice)/partial")" ''
    unit_gone alice again
    sound alice
    systemctl stop test-slow
}
check 'a start that goes on with what was kept is not killed while a server without ranges sends it again' without_ranges

# A layer that is whole is for all, though the pull that brought it has a large one to go.
not_held_back() {
    large 400000
    derive both large
    fresh alice
    service --unit test-both berth pull -q 127.0.0.1:$SLOW/t/both:1
    timeout 60 sh -c 'until [ "$(ls -d "$0"/tmp/*/sha256-* 2>/dev/null | wc -l)" -ge 2 ]; do sleep 0.02; done' "$(store_of alice)"
    service --wait timeout 90 berth pull -q 127.0.0.1:$SLOW/t/busybox:1
    equal "$(property alice test-both ActiveState)" active
    manager alice kill -s KILL test-both
    systemctl stop test-slow
}
check 'a layer that is whole does not wait for the large one beside it' not_held_back

took() { # USER UNIT: seconds of its start
    echo $((($(property "$1" "$2" ActiveEnterTimestampMonotonic) - $(property "$1" "$2" InactiveExitTimestampMonotonic)) / 1000000))
}
used_what_is_there() { # USER UNIT
    local i
    for i in $(seq 400); do [ "$(property "$1" "$2" ActiveState)" = activating ] || break; sleep 0.2; done
    equal "$(property "$1" "$2" ActiveState)" active
    contains "$(journal "$1" "$2")" 'the image that is there is used'
    echo "# $1: the start of $2 took $(took "$1" "$2") s" >>"$WORK/figures"
}
silent() {
    local unit
    for unit in silent patient brief behind; do used_what_is_there root $unit; done
    used_what_is_there bob brief
    for unit in silent patient; do
        [ "$(took root $unit)" -ge 20 ] && [ "$(took root $unit)" -le 75 ]
        contains "$(journal root $unit)" 'no answer for 20 s'
    done
    [ "$(took root behind)" -le 75 ]
    contains "$(journal root behind)" 'another pull of it has brought nothing for 20 s; the image that is there is used'
    systemctl is-active -q test-person
    unit_gone bob brief
    unit_gone root silent patient brief behind
    systemctl stop test-person test-silent
}
check 'a registry that says nothing keeps Pull=newer from the image that is there for less than systemd waits' silent
[ ! -e "$WORK/figures" ] || cat "$WORK/figures"

bars() {
    fresh alice
    slow_at 100000
    service --wait --pipe python3 "$TESTS/terminals.py" size:24x50 'wait:kB/s' size:24x100 'wait:left' size:24x36 'wait:pulling' 'wait:pulling' end -- \
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
    contains "$(cat "$WORK/err")" 'refused as a bomb'
    equal "$(ls "$(store_of alice)/tmp" "$(store_of alice)/layers" | grep -v :)" ''
}
check 'T34 a layer that unpacks to thousands of times its size is refused' bomb

# Deflate packs zeros to a thousandth (fetched by a start, which does not stand aside): the limits of a layer and of all layers of an image; documents that nobody could write again.
hostile() {
    local name line
    timeout 200 sh -c "until curl -sf http://127.0.0.1:$HOSTILE/v2/ >/dev/null; do sleep 0.2; done"
    rm -rf "$(store_of alice)/partial" # of a pull that was killed before
    while read -r name line; do
        fresh alice
        fails_with 125 as alice timeout 200 berth run -q --rm 127.0.0.1:$HOSTILE/t/$name:1 true 2>"$WORK/err"
        equal "$(wc -l <"$WORK/err")" 1
        grep -qE -- "$line" "$WORK/err" || { cat "$WORK/err" >&2; return 1; }
        equal "$(ls "$(store_of alice)/tmp" "$(store_of alice)/layers" "$(store_of alice)/partial" "$(store_of alice)/images" 2>/dev/null | grep -v :)" ''
    done <<'END'
one-bomb layer sha256:[0-9a-f]{12}: .*larger than the limit of 13[0-9]{8} bytes
many-bombs layers unpack to more than the limit of 13[0-9]{8} bytes
deep-config the image's configuration is nested more than 100 deep
deep-manifest nested more than 100 deep
endless-text is not JSON
END
    systemctl stop test-hostile
    # An archive that is compressed as a whole is unpacked first.
    python3 -c 'import gzip, sys; sys.stdout.buffer.write(gzip.compress(bytes(32 << 20)) * 45)' >"$WORK/zeros.gz"
    fails_with 125 as alice berth load -q -i "$WORK/zeros.gz" 2>"$WORK/err"
    grep -qE 'larger than the limit of 13[0-9]{8} bytes' "$WORK/err" || { cat "$WORK/err" >&2; return 1; }
    equal "$(ls "$(store_of alice)/tmp")" ''
    fails_with 125 as alice berth load -q < <(cat "$WORK/zeros.gz") 2>"$WORK/err"
    contains "$(cat "$WORK/err")" 'unpacks to more than 200 times its size'
    equal "$(ls "$(store_of alice)/tmp")" ''
    rm "$WORK/zeros.gz"
}
check 'T34 a bomb of gzip, many small ones, and deep documents are refused in one line and leave nothing' hostile
finish
