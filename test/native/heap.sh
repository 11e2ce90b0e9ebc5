#!/usr/bin/env bash
# The heap image (native/engine-record.c) is made wherever the kernel puts the memory of libc: also right behind the program, and it holds the
# same each time but for what a start sets anew. Prints TAP.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# `exec -a`: the program makes its image under this name.
# shellcheck disable=SC2016
make_heap() { "$@" bash -c 'exec -a berth-heap-image build/obj/image/berth build/obj/programs/base.bytecode "$0"' "$work/heap"; }
echo 1..2
if make_heap setarch -R; then echo "ok 1 - memory right behind the program"; else echo "not ok 1 - memory right behind the program"; fi
failed=0
for _ in $(seq 40); do make_heap || failed=$((failed + 1)); done
size=$(stat -c %s build/obj/image/heap)
if [ "$failed" = 0 ] && [ "$(stat -c %s "$work/heap")" = "$size" ] && [ "$(cmp -l "$work/heap" build/obj/image/heap | wc -l)" -lt 64 ]; then
    echo "ok 2 - forty times the same"
else
    echo "not ok 2 - forty times the same ($failed failed)"
fi
