#!/usr/bin/env bash
# Runs clang-format over the C files of the project: clang-format.sh -i | --dry-run --Werror
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v clang-format >/dev/null || packaging/build/tree.sh host >/dev/null
find native test -name '*.[ch]' -print0 | xargs -0 -r clang-format "$@"
