#!/usr/bin/env bash
# 500 starts and stops over one connection to the bus, in a machine of its own: no match rule and no descriptor may stay behind.
#   bus-cycles.sh [CYCLES]     BERTH_MACHINE names the machine (default: cycles)
set -euo pipefail
cd "$(dirname "$0")/../.."
name=${BERTH_MACHINE:-cycles}
machine() { test/machine/machine.sh "$@" </dev/null; }
work=$(mktemp -d)
trap 'machine down "$name" >/dev/null; rm -rf "$work"' EXIT
node_modules/.bin/esbuild test/soak/bus-cycles.ts --bundle --platform=node --format=esm --target=node20 --external:x11 --external:usocket \
    --log-level=warning --outfile="$work/cycles.mjs" \
    --banner:js='import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'
machine down "$name" >/dev/null
machine up "$name"
machine copy "$name" "$work/cycles.mjs" /var/tmp/cycles.mjs
machine run "$name" sh -ec '
    printf "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n" >/run/systemd/system/cycles.service
    systemctl daemon-reload
    node /var/tmp/cycles.mjs "$0" cycles.service' "${1:-500}"
