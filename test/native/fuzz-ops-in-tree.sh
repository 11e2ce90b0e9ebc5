# Run by fuzz-ops.sh inside the Debian tree: fuzz-ops-in-tree.sh DIRECTORY SEED TURNS
set -euo pipefail
out=$1 seed=$2 turns=$3
# What makes the stage; start.c and main.c need no C library and are not for a host's program.
sources=$(ls native/tiny/*.c | grep -v -e '/relay' -e '/start.c' -e '/main.c')
# Strict C: the headers of the C library would otherwise bring types that the kernel headers have too.
# shellcheck disable=SC2086
gcc -std=c17 -DBERTH_HOSTED -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined \
    -ffreestanding -Wall -Wextra -iquote native -iquote native/tiny -o $out/fuzz test/native/fuzz-ops/fuzz.c $sources
echo 1..1
if ASAN_OPTIONS=detect_leaks=0 FUZZ_LIST=$out/last timeout 300 $out/fuzz "$seed" "$turns" $out/corpus/* >$out/log 2>&1; then
    cat $out/log
    echo "ok 1 - $turns mutated lists of operations, seed $seed"
else
    tail -n 40 $out/log | sed 's/^/# /'
    echo "not ok 1 - $turns mutated lists of operations, seed $seed; the list is $out/last"
    exit 1
fi
