#!/usr/bin/env bash
# Tier unit: every test/unit/**/*.test.ts under Node, then those of hot code again under QuickJS (quickjs/run.ts says which).
# The list is made by find: node --test with a directory or a quoted pattern runs nothing on Node 20, and says so with success.
# Compiled first, all at once: a process for each file that compiles what it imports takes three times as long.
set -uo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/test
mapfile -t files < <(find test/unit -name '*.test.ts' | sort)
if [ ${#files[@]} = 0 ]; then
    echo "no test files below test/unit"
    echo "unit: 0 passed, 1 failed"
    exit 1
fi
if ! node --import tsx test/compile.ts build/unit "${files[@]}"; then
    echo "not ok - the tests are compiled"
    echo "unit: 0 passed, 1 failed"
    exit 1
fi
compiled=("${files[@]/#/build/unit/}")
node --enable-source-maps --test --test-concurrency=3 --test-reporter=spec --test-reporter-destination=build/test/unit-spec.log \
    --test-reporter=tap --test-reporter-destination=build/test/unit.tap "${compiled[@]/%.ts/.js}"
status=$?
count() { sed -n "s/^# $1 \([0-9]*\)\$/\1/p" build/test/unit.tap | tail -n 1; }
passed=$(count pass) failed=$(($(count fail) + $(count cancelled)))
skipped=$(($(count skipped) + $(count todo)))
if [ $status != 0 ] || [ $failed != 0 ]; then
    sed -n '/failing tests:/,$p' build/test/unit-spec.log
    awk '/^test at /{at = substr($0, 9); getline name; getline why; gsub(/^✖ | \([0-9.]+ms\)$/, "", name); print "not ok - " at ": " name "\n#" why}' \
        build/test/unit-spec.log
fi
if [ $skipped != 0 ]; then
    grep -E '# (SKIP|TODO)' build/test/unit.tap
    echo "$skipped tests were skipped: a unit test has nothing to skip for"
fi
[ $status = 0 ] || [ $failed != 0 ] || failed=1
echo "under Node: ${#files[@]} files, $passed passed"
quickjs=$(node --import tsx test/quickjs/run.ts)
printf '%s\n' "$quickjs"
[[ $(tail -n 1 <<<"$quickjs") =~ ^"under QuickJS: "([0-9]+)" files, "([0-9]+)" passed, "([0-9]+)" failed"$ ]] || BASH_REMATCH=(0 0 0 1)
passed=$((passed + BASH_REMATCH[2])) failed=$((failed + skipped + BASH_REMATCH[3]))
echo "unit: $passed passed, $failed failed"
[ $failed = 0 ]
