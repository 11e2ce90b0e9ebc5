#!/usr/bin/env bash
# npm run soak [-- ROUNDS]: what takes too long for every change. Fuzzes for minutes instead of seconds and repeats the machine
# tests (default 10 rounds) in a fresh machine each: rare orders of events show up here.
set -uo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-10} failed=0
export BERTH_FUZZ_SECONDS=${BERTH_FUZZ_SECONDS:-300} BERTH_TEST_SECONDS=1800
bash test/run.sh native || failed=$((failed + 1))
for ((round = 1; round <= rounds; round++)); do
    echo "== round $round of $rounds"
    bash test/run.sh machine || failed=$((failed + 1))
done
echo "soak: $((rounds + 1 - failed)) passed, $failed failed"
[ "$failed" = 0 ]
