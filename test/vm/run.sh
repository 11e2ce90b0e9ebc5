#!/usr/bin/env bash
# Tier vm: every test/vm/NNN-*.sh inside the Debian 13 tree booted by qemu with Debian's own kernel: all controllers of the
# unified hierarchy are there, so limits bite, and AppArmor is on. Emulated: no place for timings.
#   run.sh [NNN…]        numbers or parts of names choose tests
#   run.sh DIRECTORY/FILE   this one, which is elsewhere
# BERTH_VM_SECONDS limits the whole run (default 1800).
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "$here/../.." && pwd)
cd "$checkout" || exit 1
# shellcheck source=test/machine/tally.sh
. "$here/../machine/tally.sh"
work=$checkout/build/vm.$$ # of its own: two runs may be on their way in one checkout

main() {
    local files file
    if [[ ${1:-} == */* ]]; then files=("${1##*/}"); else mapfile -t files < <(choose "$@"); fi
    [ ${#files[@]} -gt 0 ] || { echo "no vm tests"; close 1; }
    bash packaging/build/build.sh || { echo "not ok - the build"; close 1; }
    mkdir -p "$work/parcel/tests"
    [[ ${1:-} != */* ]] || cp "$1" "$work/parcel/tests/"
    pack "${files[@]}" || close 1
    boot
    for file in "${files[@]}"; do report "$file"; done
    close 0
}

close() {
    failed=$((failed + $1))
    echo "vm: $passed passed, $failed failed"
    [ "$failed" != 0 ] || rm -rf "$work"
    [ "$failed" = 0 ]
    exit
}

# Disk 2 is the script that systemd.run= executes, disk 3 a tar archive with package, images and tests.
pack() {
    local deb images
    deb=$(find dist -name 'berth_*.deb' | sort -V | tail -n 1)
    images=$(test/machine/images.sh) || return
    cp "$deb" "$work/parcel/berth.deb"
    cp -r "$images" "$work/parcel/images"
    cp test/machine/{lib,ways}.sh "$here"/*.sh "$work/parcel/tests/"
    tar -C "$work/parcel" -cf "$work/parcel.img" .
    {
        cat "$here/start.sh"
        printf 'for test in %s; do\n' "$*"
        cat <<'END'
    echo "@@ begin $test"
    timeout --kill-after=10 1500 bash /run/parcel/tests/$test
    echo "@@ end $test $?"
done
echo "@@ done"
sync
exit
END
    } >"$work/script.img"
    # A raw disk is a whole number of sectors; the shell ignores what follows `exit`.
    truncate -s %512 "$work/script.img"
    truncate -s %512 "$work/parcel.img"
}

boot() {
    local tree image
    tree=$(packaging/build/tree.sh)
    image=$(bash "$here/image.sh") || close 1
    # The guards against leaks between processes (among them a page table of the kernel's own) cost most where the processor is emulated.
    # cmpxchg16b is left out of the processor: with it this emulation corrupts the kernel's slabs.
    timeout --kill-after=10 "${BERTH_VM_SECONDS:-1800}" qemu-system-x86_64 \
        -accel tcg,thread=single -cpu Nehalem,-cx16 -smp 1 -m 1024 -no-reboot -snapshot -display none -monitor none -nic none \
        -kernel "$(echo "$tree"/boot/vmlinuz-*)" -initrd "$image/initrd" \
        -append "console=ttyS0 root=/dev/vda rw panic=-1 quiet apparmor=1 security=apparmor systemd.unified_cgroup_hierarchy=1 mitigations=off init_on_alloc=0 audit=0 nowatchdog nokaslr \"systemd.run=/bin/sh /dev/vdb\" systemd.run_success_action=poweroff systemd.run_failure_action=poweroff" \
        -drive "file=$image/disk,format=raw,if=virtio" -drive "file=$work/script.img,format=raw,if=virtio" \
        -drive "file=$work/parcel.img,format=raw,if=virtio" \
        -serial "file:$work/console.log" -serial "file:$work/output.log" </dev/null
    tr -d '\r' <"$work/output.log" | sed 's/\x1b\[[0-9;?]*[A-Za-z]//g' >"$work/output.txt"
    if ! grep -qx '@@ done' "$work/output.txt"; then
        echo "not ok - the virtual machine boots and runs the tests"
        tail -n 30 "$work/console.log" "$work/output.txt"
        failed=$((failed + 1))
    fi
}

report() {
    local file=$1 output status
    printf -- '-- %s\n' "$file"
    output=$(sed -n "/^@@ begin $file\$/,/^@@ end $file /p" "$work/output.txt" | grep -v '^@@')
    status=$(sed -n "s/^@@ end $file \(.*\)\$/\1/p" "$work/output.txt")
    printf '%s\n' "$output"
    tally "$file" "${status:-missing}" "$output"
}

main "$@"
