#!/usr/bin/env bash
# `npm run build`: makes dist/berth and dist/cli.mjs. One build at a time per checkout; see build.ts for the steps.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -d node_modules ] || npm ci --no-audit --no-fund >&2
mkdir -p build dist
exec flock build/.lock node_modules/.bin/tsx packaging/build/build.ts "$@"
