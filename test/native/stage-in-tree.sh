# Run by stage.sh inside the Debian tree: stage-in-tree.sh FILE…, compiled
set -euo pipefail
umask 022
chmod 755 /tmp
make -s -f packaging/build/native.mk build/tiny >&2
gcc -std=gnu17 -O1 -Wall -Wextra -Werror -static -o /tmp/drive test/native/stage/drive.c
# Where the account may execute it, whatever the modes on the way to the checkout are.
install -m 755 build/tiny /tmp/tiny
STAGE_DRIVE=/tmp/drive STAGE_TINY=/tmp/tiny exec node --enable-source-maps --test --test-reporter=tap "$@"
