#!/usr/bin/env bash
# T3 T16: openat2 step by step finds what the kernel finds, and fails where it fails. Prints TAP.
#   SEEDS: how many trees (default: 8)
set -euo pipefail
cd "$(dirname "$0")/../.."
bash packaging/build/in-tree.sh bash test/native/openat2-in-tree.sh "${SEEDS:-8}"
