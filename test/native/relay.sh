#!/usr/bin/env bash
# The relay beside payloads of its own, with a journal and a manager of the test: test/native/relay. As root and as an account. Prints TAP.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec bash packaging/build/in-tree.sh bash test/native/relay-in-tree.sh
