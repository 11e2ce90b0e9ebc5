#!/usr/bin/env bash
# The stage's decoder and player with sanitizers and mutated lists, for a bounded number of turns. Prints TAP.
#   FUZZ_SEED, FUZZ_TURNS: to go on elsewhere (default: 1, 200000)
set -euo pipefail
cd "$(dirname "$0")/../.."
out=build/test/fuzz-ops.$$
mkdir -p $out
node_modules/.bin/tsx test/native/fuzz-ops/corpus.ts $out/corpus
bash packaging/build/in-tree.sh bash test/native/fuzz-ops-in-tree.sh $out "${FUZZ_SEED:-1}" "${FUZZ_TURNS:-200000}"
rm -r $out
