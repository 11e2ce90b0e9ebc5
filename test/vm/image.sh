#!/usr/bin/env bash
# Prints the directory with the virtual machine's disk (raw ext4, made from the tree) and initrd; makes it when absent.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
cache=${BERTH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/berth}
# shellcheck source=test/machine/populate.sh
. "$here/../machine/populate.sh"
tree=$("$checkout/packaging/build/tree.sh" host)
key=$( (basename "$tree"; cat "$here/../machine/populate.sh" "${BASH_SOURCE[0]}") | sha256sum | cut -c1-12)
image=$cache/vm-$key

# Emulation is slow: what no test needs does not start.
vm_settings() {
    local root=$1 unit
    for unit in systemd-nsresourced.socket systemd-nsresourced.service serial-getty@ttyS0.service getty@tty1.service systemd-update-utmp.service \
        ldconfig.service systemd-journal-catalog-update.service systemd-update-done.service systemd-sysctl.service systemd-sysusers.service \
        systemd-tmpfiles-setup-dev-early.service systemd-tmpfiles-clean.timer dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount \
        sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount run-lock.mount proc-sys-fs-binfmt_misc.automount \
        modprobe@configfs.service modprobe@efi_pstore.service modprobe@fuse.service modprobe@drm.service \
        netavark-dhcp-proxy.service netavark-dhcp-proxy.socket; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    rm "$root/var/lib/systemd/linger/bob"
    # Profiles of other programs: reading them takes 18 s here.
    find "$root/etc/apparmor.d" -maxdepth 1 -type f -delete
    printf '[Journal]\nStorage=persistent\nRateLimitBurst=0\n' >"$root/etc/systemd/journald.conf.d/test.conf"
}

# Debian's own initrd takes most of the boot time here; one driver and one mount are all that is needed.
make_initrd() {
    local root=$1 target=$2
    chroot "$root" sh -ec '
        mkdir -p /tmp/initrd/dev /tmp/initrd/proc /tmp/initrd/root
        cd /tmp/initrd
        cp /usr/bin/busybox busybox
        for module in virtio_blk; do
            xz -dc "$(find /usr/lib/modules -name "$module.ko.xz")" >"$module.ko"
        done
        printf "%s\n" "#!/busybox sh" "/busybox insmod /virtio_blk.ko" "/busybox mount -t devtmpfs devtmpfs /dev" \
            "/busybox mount -t ext4 /dev/vda /root || exec /busybox sh" \
            "/busybox mount --move /dev /root/dev" "exec /busybox switch_root /root /usr/lib/systemd/systemd" >init
        chmod 755 init
        find . | busybox cpio -o -H newc 2>/dev/null' | gzip -1 >"$target"
}

if [ ! -e "$image" ]; then
    exec 9>"$cache/vm.lock"
    flock 9
    if [ ! -e "$image" ]; then
        work=$cache/vm.part
        ! mountpoint -q "$work/root" || umount "$work/root"
        rm -rf "$work" "$cache"/vm-*[0-9a-f]
        mkdir -p "$work"/{upper,work,root,image}
        mount -t overlay overlay -o "lowerdir=$tree,upperdir=$work/upper,workdir=$work/work" "$work/root"
        populate "$work/root" "$work/root/var" "$work/root/home"
        vm_settings "$work/root"
        # The image holds what runs, not what builds.
        rm -rf "$work/root"/usr/share/{doc,man,locale,i18n} "$work/root"/usr/lib/gcc "$work/root"/usr/include "$work/root"/var/cache/apt
        mke2fs -q -F -t ext4 -O ^has_journal -L root -d "$work/root" "$work/image/disk" 2G >&2
        make_initrd "$work/root" "$work/image/initrd"
        umount "$work/root"
        mv "$work/image" "$image"
        rm -rf "$work"
    fi
fi
printf '%s\n' "$image"
