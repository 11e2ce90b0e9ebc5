# Run by ports.sh inside the Debian tree.
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
make -s -f packaging/build/native.mk dist/ports >&2 || exit 1
install -m 755 dist/ports "$work/ports"
# The sanitizers have system calls of their own.
gcc -std=gnu17 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -Wall -Wextra -Werror -D_GNU_SOURCE -DBERTH_UNFILTERED \
    -o "$work/ports-asan" native/ports/*.c || exit 1
export ASAN_OPTIONS=detect_leaks=0:exitcode=99
for program in ports ports-asan; do
    unshare --net --mount --pid --fork --kill-child --mount-proc python3 test/native/ports/check.py "$work/$program" "$work"
done >"$work/out"
cat "$work/out"
echo "1..$(grep -cE '^(not )?ok ' "$work/out")"
[ "$(grep -c '^ok ' "$work/out")" -gt 0 ] && ! grep '^not ok ' "$work/out" >/dev/null
