#!/usr/bin/env bash
# Tier check: types, lint, formats, layers. Each check is one test; a failed one shows what its tool said.
set -uo pipefail
cd "$(dirname "$0")/.."
passed=0 failed=0
bin=node_modules/.bin

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
names=()

# Two at a time: most of them use one processor. What they say is printed in their order.
check() { # NAME COMMAND…
    local name=$1
    shift
    names+=("$name")
    while [ "$(jobs -pr | wc -l)" -ge 2 ]; do wait -n; done
    { "$@" >"$work/$name" 2>&1 && touch "$work/$name.ok"; } &
}

report() { # NAME
    if [ -e "$work/$1.ok" ]; then
        passed=$((passed + 1))
        printf 'ok %s\n' "$1"
    else
        failed=$((failed + 1))
        printf 'not ok %s\n' "$1"
        sed 's/^/# /' "$work/$1"
    fi
}

shell_scripts() { git ls-files -co --exclude-standard '*.sh' .ci/run; }
shell_syntax() { shell_scripts | while read -r file; do bash -n "$file" || exit 1; done; }
c_format() { bash packaging/build/clang-format.sh --dry-run --Werror; }
# Entries of the native programs are written by the build; types of hot code are checked without Node's and the DOM's.
hot_types() { $bin/tsx packaging/build/build.ts --entries && $bin/tsc -p tsconfig.hot.json; }
layers() { node --import tsx --test --test-reporter=spec test/check/*.test.ts; }

mkdir -p build
check lint $bin/eslint --max-warnings 0 .
check types $bin/tsc -p tsconfig.json
check hot-types hot_types
check format $bin/prettier --check --log-level warn .
check c-format c_format
check layers layers
check shell-syntax shell_syntax
wait
for name in "${names[@]}"; do report "$name"; done
echo "check: $passed passed, $failed failed"
[ "$failed" = 0 ]
