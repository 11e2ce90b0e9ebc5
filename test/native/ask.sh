#!/usr/bin/env bash
# The program that asks a registry without Node (native/ask), with sanitizers, beside servers whose certificates are wrong: test/native/ask.
# Prints TAP.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec bash packaging/build/in-tree.sh bash test/native/ask-in-tree.sh
