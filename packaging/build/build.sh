#!/usr/bin/env bash
# `npm run build`: makes dist/berth, dist/cli.cjs and dist/pull.cjs. One build at a time per checkout; see build.ts for the steps.
set -euo pipefail
cd "$(dirname "$0")/../.."
bash packaging/build/node-modules.sh
mkdir -p build dist
exec flock build/.lock node_modules/.bin/tsx packaging/build/build.ts "$@"
