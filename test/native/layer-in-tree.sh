# Run by layer.sh inside the Debian tree.
set -euo pipefail
# On a real file system: not every kernel gives user.* attributes to a tmpfs.
work=$(mktemp -d /mnt/build/test/layer/run.XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 /tmp "$work"
umask 022
# The account's subordinate ids, in this mount namespace alone.
printf '12345:200000:65536\n' >/tmp/subid
mount --bind /tmp/subid /etc/subuid
mount --bind /tmp/subid /etc/subgid
(cat /etc/passwd; echo 'layers:x:12345:12345::/nonexistent:/usr/sbin/nologin') >/tmp/passwd
mount --bind /tmp/passwd /etc/passwd
failures=0 number=0
run() { # PROGRAM MODE UID
    local status=0 log=/tmp/$1-$2.log
    cp "$(ls build/"$1" dist/"$1" 2>/dev/null)" /tmp/"$1"
    mkdir -p "$work/$2"
    chown "$3:$3" "$work/$2"
    setpriv --reuid "$3" --regid "$3" --clear-groups env -i PATH="$PATH" HOME=/nonexistent LANG=C.UTF-8 ASAN_OPTIONS=detect_leaks=0 \
        python3 test/native/layer/cases.py /tmp/"$1" "$2" "$work/$2/case" >"$log" 2>&1 || status=$?
    grep -v '^1\.\.' "$log" | sed -E "s/^((not )?ok) [0-9]+ - /\1 - $1 /"
    number=$((number + $(grep -cE '^(not )?ok ' "$log" || true) + 1))
    failures=$((failures + $(grep -c '^not ok ' "$log" || true)))
    if [ "$status" -le 1 ] && grep -q '^1\.\.' "$log"; then echo "ok - $1 as $2 ends in order"; else
        echo "not ok - $1 as $2 ends in order"
        failures=$((failures + 1))
    fi
}
run berth host 0
run berth subordinate 12345
run berth-asan subordinate 12345
run berth-asan single 61200

# The fuzzer: the same code with sanitizers, as an account, on mutations of the seeds.
python3 test/native/layer/seeds.py "$work/seeds"
gcc -std=gnu17 -D_GNU_SOURCE -Inative -Wall -Wextra -Werror -O1 -g -fsanitize=address,undefined -o "$work/fuzz" \
    test/native/layer/fuzz.c $(find native -maxdepth 1 -name 'layer*.c' ! -name layer-binding.c) native/error.c -lzstd -lz -lnettle
mkdir "$work/fuzzed"
chown 61200:61200 "$work/fuzzed"
number=$((number + 1))
if setpriv --reuid 61200 --regid 61200 --clear-groups env ASAN_OPTIONS=detect_leaks=0 \
    timeout 120 "$work/fuzz" "$work/fuzzed" "${BERTH_FUZZ_SECONDS:-15}" "$work"/seeds/* >/tmp/fuzz.log 2>&1; then
    echo "ok - fuzzing: $(tail -n 1 /tmp/fuzz.log)"
else
    echo "not ok - fuzzing"
    sed 's/^/# /' /tmp/fuzz.log
    failures=$((failures + 1))
fi
echo "1..$number"
[ $failures = 0 ]
