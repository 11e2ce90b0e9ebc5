#!/usr/bin/env bash
# Runs a command inside the Debian 13 tree with the checkout at /mnt as working directory: in-tree.sh COMMAND…
# BERTH_BIND=DIRECTORY shows another directory of this host at /media.
# The tree becomes the root by pivot_root: in a chroot the kernel refuses user namespaces, which the native tests make.
# The bind mount lives in a mount namespace of its own, so that nothing is left behind and runs do not see each other.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
tree=$("$here/tree.sh")
# shellcheck disable=SC2016 # expanded by the inner shell
exec unshare --mount --propagation private sh -ec '
tree=$1 checkout=$2
shift 2
mount --bind "$tree" "$tree"
mount --bind "$checkout" "$tree/mnt"
mount -t proc proc "$tree/proc"
mount -t tmpfs tmpfs "$tree/tmp"
mount --bind /dev "$tree/dev"
[ -z "${BERTH_BIND:-}" ] || mount --bind "$BERTH_BIND" "$tree/media"
cd "$tree"
pivot_root . srv
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 sh -ec "umount -l /srv; cd /mnt; exec \"\$@\"" sh "$@"
' sh "$tree" "$checkout" "$@"
