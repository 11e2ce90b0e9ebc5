#!/usr/bin/env bash
# npm run test:conformance [-- OPTION…]: the generator against unit files that carry their own expectations.
# The cases are not part of this project: BERTH_CONFORMANCE names a directory with quadlet_conformance.py and its cases/.
# Options go to that program: --type container, --filter GLOB, -v, …
set -euo pipefail
cd "$(dirname "$0")/.."
program=${BERTH_CONFORMANCE:-}/quadlet_conformance.py
if [ ! -f "$program" ]; then
    echo "test/conformance.sh: set BERTH_CONFORMANCE to a directory with quadlet_conformance.py and its cases" >&2
    exit 2
fi
[ -x dist/berth ] || npm run --silent build
exec python3 "$program" --generator "$PWD/dist/berth generator --user --no-kmsg-log {outdir}" "$@"
