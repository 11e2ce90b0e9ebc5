#!/usr/bin/env bash
# A virtual machine with Debian's policy of SELinux, enforcing: payloads are confined by it and read their own root, volumes get labels.
#   selinux.sh      ENFORCING=0 only notes what would be denied, WAYS='root alice svc' chooses ways to run
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
cd "$checkout" || exit 1
work=$checkout/build/selinux.$$
cache=${BERTH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/berth}
packages='selinux-policy-default policycoreutils selinux-utils attr'

# The disk of the virtual machine with the policy, and every file of it labelled as the policy says.
label_disk() { # DISK
    local root=$work/root
    mkdir -p "$root"
    mount -o loop "$1" "$root" || return
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    # shellcheck disable=SC2086 # one word for each package
    chroot "$root" sh -ec 'mkdir -p /var/cache/apt/archives/partial /var/lib/apt/lists/partial; apt-get update -q
        DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"; apt-get clean; rm -rf /var/lib/apt/lists/*' \
        sh $packages >"$work/packages.log" 2>&1 </dev/null || tail -n 20 "$work/packages.log"
    rm -f "$root/etc/resolv.conf"
    cp packaging/selinux/berth.cil "$root/root/"
    policy_of_tests >"$root/root/tests.cil"
    chroot "$root" semodule -n -i /root/berth.cil -i /root/tests.cil 2>>"$work/packages.log" || return
    # Node has a compiler.
    chroot "$root" setsebool -N -P allow_execmem 1 >>"$work/packages.log" 2>&1 </dev/null || return
    sed -i 's/^SELINUX=.*/SELINUX=enforcing/' "$root/etc/selinux/config"
    # Without a procfs setfiles leaves no file system out.
    chroot "$root" setfiles -F /etc/selinux/default/contexts/files/file_contexts / >"$work/labels.log" 2>&1 || tail -n 20 "$work/labels.log"
    umount "$root"
}

# The tests are a service that speaks with the manager of an account, which sessions of that account do elsewhere.
policy_of_tests() {
    echo '(allow initrc_t unconfined_t (system (start stop status reload)))'
    echo '(allow initrc_t file_type (service (start stop status reload enable disable)))'
}

image() {
    local plain
    plain=$(bash test/vm/image.sh) || return
    disk=$cache/selinux-$( (basename "$plain"; declare -f label_disk policy_of_tests; cat packaging/selinux/berth.cil; echo "$packages") | sha256sum | cut -c1-12)
    initrd=$plain/initrd
    [ ! -e "$disk" ] || return 0
    rm -f "$cache"/selinux-*
    cp --sparse=always "$plain/disk" "$disk.part" && label_disk "$disk.part" && mv "$disk.part" "$disk"
}

pack() {
    local images
    bash packaging/build/build.sh || return
    images=$(test/machine/images.sh) || return
    mkdir -p "$work/parcel/tests"
    cp "$(find dist -name 'berth_*.deb' | sort -V | tail -n 1)" "$work/parcel/berth.deb"
    cp -r "$images" "$work/parcel/images"
    cp test/machine/{lib,ways}.sh "$here/selinux-in-vm.sh" "$work/parcel/tests/"
    tar -C "$work/parcel" -cf "$work/parcel.img" .
    echo "export WAYS='${WAYS:-}'" >"$work/script.img"
    cat test/vm/start.sh - >>"$work/script.img" <<'END'
timeout --kill-after=10 1800 bash /run/parcel/tests/selinux-in-vm.sh
echo "@@ status $?"
sync
exit
END
    truncate -s %512 "$work/script.img" "$work/parcel.img"
}

boot() {
    local tree
    tree=$(packaging/build/tree.sh)
    # cmpxchg16b is left out of the processor: see test/vm/run.sh.
    timeout --kill-after=10 2400 qemu-system-x86_64 -accel tcg,thread=single -cpu Nehalem,-cx16 -smp 1 -m 1536 -no-reboot -snapshot \
        -display none -monitor none -nic none -kernel "$(echo "$tree"/boot/vmlinuz-*)" -initrd "$initrd" \
        -append "console=ttyS0 root=/dev/vda rw panic=-1 ${KERNEL:-quiet} security=selinux enforcing=${ENFORCING:-1} systemd.unified_cgroup_hierarchy=1 \"systemd.run=/bin/sh /dev/vdb\" systemd.run_success_action=poweroff systemd.run_failure_action=poweroff" \
        -drive "file=$disk,format=raw,if=virtio" -drive "file=$work/script.img,format=raw,if=virtio" \
        -drive "file=$work/parcel.img,format=raw,if=virtio" \
        -serial "file:$work/console.log" -serial "file:$work/output.log" </dev/null
    tr -d '\r' <"$work/output.log" >"$work/output.txt"
    cat "$work/output.txt"
    grep -qx '@@ status 0' "$work/output.txt" || tail -n 30 "$work/console.log"
}

mkdir -p "$work"
image && pack && boot || exit 1
grep -qx '@@ status 0' "$work/output.txt" || exit 1
rm -rf "$work"
