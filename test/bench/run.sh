#!/usr/bin/env bash
# npm run bench: in a machine of its own, rootless, with podman and crun beside us in the same run.
# Prints the table, writes dist/bench.json. BENCH_RUNS (default 21) alternating runs; BENCH_ONLY=run,exec,pulls,… chooses.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
name=${BERTH_MACHINE:-bench}
machine() { "$checkout/test/machine/machine.sh" "$@"; }

bash "$checkout/packaging/build/build.sh"
machine down $name
machine up $name --install
trap 'machine down $name' EXIT
work=$(mktemp -d)
chmod 755 "$work"
"$checkout/node_modules/.bin/esbuild" "$here/measure.ts" --bundle --platform=node --format=esm --log-level=warning --outfile="$work/measure.mjs"
"$checkout/packaging/build/in-tree.sh" gcc -O2 -Wall -D_GNU_SOURCE -o build/stopwatch test/bench/stopwatch.c
cp "$checkout/build/stopwatch" "$work/"
machine copy $name "$work" /var/tmp/bench
rm -rf "$work"
for program in berth podman; do machine run $name --user alice $program load -q -i /var/lib/images/busybox.tar >/dev/null; done
# A bundle for the runtimes alone: crun's own example, without a terminal, with a root of its own and mapped ids.
machine run $name --user alice bash -ec '
    mkdir -p ~/bundle/rootfs
    tar -C ~/bundle/rootfs -xf /var/lib/images/rootfs.tar --no-same-owner
    cd ~/bundle
    crun spec --rootless
    python3 - <<"PY"
import json
spec = json.load(open("config.json"))
spec["linux"].update({kind: [{"containerID": 0, "hostID": 1000, "size": 1}] for kind in ("uidMappings", "gidMappings")})
spec["process"].update(terminal=False, args=["true"], env=["PATH=/bin"])
json.dump(spec, open("config.json", "w"))
PY'
# Another host, from which published ports are reached, with iperf3.
wanted() { [[ -z ${BENCH_ONLY:-} || ,$BENCH_ONLY, == *,$1,* ]]; }
if wanted throughput; then
    images=$("$checkout/test/machine/debian-images.sh" iperf)
    machine copy $name "$images/iperf.tar" /var/lib/images/iperf.tar
    for program in berth podman; do
        for who in alice root; do machine run $name --user $who $program load -q -i /var/lib/images/iperf.tar >/dev/null; done
    done
    machine run $name bash -ec '
        mkdir -p /var/tmp/iperf
        tar -xOf /var/lib/images/iperf.tar layer/layer.tar | tar -C /var/tmp/iperf -xf - --exclude "./dev/*"
        mount --bind /dev /var/tmp/iperf/dev'
fi
machine run $name bash -ec '
    ip netns add far
    ip link add out0 type veth peer name out1 netns far
    ip addr add 192.0.2.1/24 dev out0
    ip link set out0 up
    ip route add default via 192.0.2.50
    ip -n far addr add 192.0.2.50/24 dev out1
    ip -n far link set out1 up
    echo nameserver 192.0.2.50 >/etc/resolv.conf'
machine run $name --user alice env BENCH_BUNDLE=/home/alice/bundle BENCH_RUNS="${BENCH_RUNS:-21}" ${BENCH_ONLY:+BENCH_ONLY="$BENCH_ONLY"} \
    node /var/tmp/bench/measure.mjs >"$checkout/dist/bench.json.part"
registry=()
if wanted pulls; then
    # Images for pulls, in Debian's registry on loopback.
    machine copy $name "$here/pull-images.py" /var/tmp/pull-images.py
    machine run $name bash -ec '
        mkdir -p /var/tmp/pulls /etc/containers/registries.conf.d
        python3 /var/tmp/pull-images.py /var/tmp/pulls
        printf "[[registry]]\nlocation = \"127.0.0.1:5057\"\ninsecure = true\n" >/etc/containers/registries.conf.d/bench.conf
        printf "version: 0.1\nstorage: {filesystem: {rootdirectory: /var/tmp/pulls/registry}}\nhttp: {addr: \"127.0.0.1:5057\"}\n" >/var/tmp/pulls/registry.yml
        systemd-run -q --collect --unit bench-registry docker-registry serve /var/tmp/pulls/registry.yml
        for i in $(seq 300); do curl -sf http://127.0.0.1:5057/v2/ >/dev/null && break; sleep 0.1; done
        for i in small big mixed; do skopeo --insecure-policy copy -q --dest-tls-verify=false oci:/var/tmp/pulls/$i docker://127.0.0.1:5057/bench/$i:1; done'
    registry=(BENCH_REGISTRY=127.0.0.1:5057)
fi
machine run $name env BENCH_RUNS="${BENCH_RUNS:-21}" ${BENCH_ONLY:+BENCH_ONLY="$BENCH_ONLY"} "${registry[@]}" node /var/tmp/bench/measure.mjs <"$checkout/dist/bench.json.part" >"$checkout/dist/bench.json"
rm "$checkout/dist/bench.json.part"
