# Run by relay.sh inside the Debian tree.
set -uo pipefail
chmod 1777 /tmp
make -s -f packaging/build/native.mk build/relay >&2 || exit 1
gcc -std=gnu17 -O1 -Wall -Wextra -Werror -o /tmp/relay-test test/native/relay/*.c || exit 1
install -m 755 build/relay /tmp/relay
# At the same time: most of it is waiting. One plan for both.
/tmp/relay-test /tmp/relay root >/tmp/root.log 2>&1 &
setpriv --reuid 12345 --regid 12345 --clear-groups /tmp/relay-test /tmp/relay account >/tmp/account.log 2>&1
second=$?
wait $!
first=$?
cat /tmp/root.log /tmp/account.log | grep -v '^1\.\.'
echo "1..$(cat /tmp/root.log /tmp/account.log | grep -cE '^(not )?ok ')"
[ $first = 0 ] && [ $second = 0 ]
