#!/usr/bin/env bash
# A virtual machine whose power is cut at random moments while stores change: the next boot must find nothing to repair, and every write
# that was acknowledged. The stores are on a disk of their own with a journal, as servers have it.
#   power.sh [CUTS]      default 10
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
cd "$checkout" || exit 1
cuts=${1:-10} bad=0 inside=0 root=0 alice=0
work=$checkout/build/power.$$

prepare() {
    local images
    bash packaging/build/build.sh || exit 1
    images=$(test/machine/images.sh) || exit 1
    mkdir -p "$work/parcel/tests"
    cp "$(find dist -name 'berth_*.deb' | sort -V | tail -n 1)" "$work/parcel/berth.deb"
    cp -r "$images" "$work/parcel/images"
    cp test/machine/lib.sh test/machine/registry-slow.py "$here/power-in-vm.sh" "$work/parcel/tests/"
    tar -C "$work/parcel" -cf "$work/parcel.img" .
    truncate -s %512 "$work/parcel.img"
    truncate -s 512M "$work/state.img"
    mke2fs -q -F -t ext4 "$work/state.img"
}

script() { # ROOT ALICE
    cat <<END
exec >/dev/ttyS1 2>&1 </dev/null
mkdir -p /run/parcel /var/lib/images /srv/state
mount -o remount,rw /
tar -C /run/parcel -xf /dev/vdc
cp -a /run/parcel/images/. /var/lib/images/
mount /dev/vdd /srv/state
mkdir -p /srv/state/root /srv/state/alice /var/lib/berth /home/alice/.local/share/berth
chown -R alice:alice /home/alice/.local
chown alice:alice /srv/state/alice
chmod 700 /srv/state/root /srv/state/alice
mount --bind /srv/state/root /var/lib/berth
mount --bind /srv/state/alice /home/alice/.local/share/berth
ip link set lo up
dpkg --install /run/parcel/berth.deb >/run/parcel/dpkg.log 2>&1 || cat /run/parcel/dpkg.log
modprobe -a overlay tun fuse
systemctl start multi-user.target user@1000.service
bash /run/parcel/tests/power-in-vm.sh $1 $2
echo "@@ done"
exit
END
}

# Boots, waits until all was found to be well, and cuts the power some seconds later.
cut() { # NUMBER SECONDS
    local tree image qemu line until=$((SECONDS + 900))
    tree=$(packaging/build/tree.sh)
    image=$(bash test/vm/image.sh) || exit 1
    script "$root" "$alice" >"$work/script.img"
    truncate -s %512 "$work/script.img"
    : >"$work/output.log"
    qemu-system-x86_64 -accel tcg,thread=single -cpu Nehalem,-cx16 -smp 1 -m 1024 -no-reboot -display none -monitor none -nic none \
        -kernel "$(echo "$tree"/boot/vmlinuz-*)" -initrd "$image/initrd" \
        -append 'console=ttyS0 root=/dev/vda rw panic=-1 quiet systemd.unified_cgroup_hierarchy=1 "systemd.run=/bin/sh /dev/vdb" systemd.run_success_action=poweroff systemd.run_failure_action=poweroff' \
        -drive "file=$image/disk,format=raw,if=virtio,snapshot=on" -drive "file=$work/script.img,format=raw,if=virtio" \
        -drive "file=$work/parcel.img,format=raw,if=virtio" -drive "file=$work/state.img,format=raw,if=virtio" \
        -serial "file:$work/console.log" -serial "file:$work/output.log" </dev/null &
    qemu=$!
    until grep -qa '^@@ \(sound\|unsound\|done\)' "$work/output.log" || [ $SECONDS -ge $until ] || ! kill -0 $qemu 2>/dev/null; do sleep 0.5; done
    if grep -qa '^@@ sound' "$work/output.log"; then
        sleep "$2"
        kill -9 $qemu
        echo "ok $1 - all was well; the power was cut after $2 s"
    else
        kill -9 $qemu 2>/dev/null
        bad=$((bad + 1))
        echo "not ok $1 - all is well after a cut"
        tr -d '\r' <"$work/output.log" | tail -n 40 | sed 's/^/# /'
    fi
    wait $qemu 2>/dev/null
    ! grep -qa '^@@ in a pull' "$work/output.log" || inside=$((inside + 1))
    while read -r _ _ who line; do
        [ "$who" != root ] || root=${line//[^0-9]/}
        [ "$who" != alice ] || alice=${line//[^0-9]/}
    done < <(grep -a '^@@ kept [a-z]* [0-9]*.$' "$work/output.log")
}

prepare
# The first boot begins, the others look at what a cut left.
for ((i = 0; i <= cuts; i++)); do cut "$i" "$((RANDOM % 20)).$((RANDOM % 10))"; done
echo "power: $((cuts + 1 - bad)) passed, $bad failed; $root and $alice writes were acknowledged, $inside cuts fell in a pull"
[ "$bad" != 0 ] || rm -rf "$work"
[ "$bad" = 0 ]
