#!/usr/bin/env bash
# The stage plays operations for real, as root and as an account: test/native/stage/*.test.ts. Prints TAP.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- test/native/stage/*.test.ts
node --import tsx test/compile.ts build/test/stage "$@"
compiled=("${@/#/build/test/stage/}")
exec bash packaging/build/in-tree.sh bash test/native/stage-in-tree.sh "${compiled[@]/%.ts/.js}"
