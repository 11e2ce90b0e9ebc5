# Run by openat2.sh inside the Debian tree: openat2-in-tree.sh SEEDS
set -euo pipefail
work=$(mktemp -d /tmp/openat2.XXXXXX)
trap 'rm -rf "$work"' EXIT
gcc -std=gnu17 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -Wall -Wextra -Werror \
    -iquote native/tiny -o "$work/differential" test/native/openat2/differential.c
echo "1..$1"
failed=0
for seed in $(seq "$1"); do
    if "$work/differential" "$work/tree$seed" "$seed" 20000; then
        echo "ok $seed - T3 T16 a tree of links, seed $seed"
    else
        echo "not ok $seed - T3 T16 a tree of links, seed $seed"
        failed=1
    fi
done
exit $failed
