# Run by relay.sh inside the Debian tree.
set -uo pipefail
chmod 1777 /tmp
make -s -f packaging/build/native.mk build/relay build/holder >&2 || exit 1
gcc -std=gnu17 -O1 -Wall -Wextra -Werror -o /tmp/relay-test test/native/relay/*.c || exit 1
install -m 755 -t /tmp build/relay build/holder
gcc -std=gnu17 -DBERTH_HOSTED -iquote native/tiny -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -Wall -Wextra -Werror \
    -o /tmp/fuzz-notify test/native/relay/fuzz/notify.c native/tiny/relay-notify.c native/tiny/text.c || exit 1
# At the same time: most of it is waiting. One plan for both.
/tmp/relay-test /tmp/relay root >/tmp/root.log 2>&1 &
setpriv --reuid 12345 --regid 12345 --clear-groups /tmp/relay-test /tmp/relay account >/tmp/account.log 2>&1
second=$?
wait $!
first=$?
cat /tmp/root.log /tmp/account.log | grep -v '^1\.\.'
if said=$(ASAN_OPTIONS=detect_leaks=0 timeout 60 /tmp/fuzz-notify "${BERTH_FUZZ_SECONDS:-5}" 2>&1); then
    third=0
    echo "ok - T35 nothing but the closed list passes: $said"
else
    third=1
    echo "not ok - T35 nothing but the closed list passes"
    sed 's/^/# /' <<<"$said" | tail -n 30
fi
echo "1..$(($(cat /tmp/root.log /tmp/account.log | grep -cE '^(not )?ok ') + 1))"
[ $first = 0 ] && [ $second = 0 ] && [ $third = 0 ]
