#!/usr/bin/env bash
# `berth layer` on archives that the test makes: the sanitized program and the real one, as root, as an account with
# subordinate ids, and as one with a single id; then the fuzzer. Prints TAP.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p build/test/layer
exec packaging/build/in-tree.sh bash test/native/layer-in-tree.sh
