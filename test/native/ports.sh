#!/usr/bin/env bash
# The program that carries published ports (native/ports) between two network namespaces, with sanitizers and as it is installed:
# addresses, both directions, ends, resets, slow readers, want of descriptors. Prints TAP.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec packaging/build/in-tree.sh bash test/native/ports-in-tree.sh
