# Makes a copy of the tree a test machine: accounts, and what would disturb a boot. Sourced by machine.sh and vm/image.sh.
#   populate ROOT VAR HOME      VAR and HOME may be ROOT/var and ROOT/home
# shellcheck shell=bash

# What the accounts and the boot need, written before the first boot.
populate() {
    local root=$1 var=$2 home=$3 user
    for user in alice:1000 bob:1001 plain:1002; do
        printf '%s:x:%s:%s::/home/%s:/bin/bash\n' "${user%:*}" "${user#*:}" "${user#*:}" "${user%:*}" >>"$root/etc/passwd"
        printf '%s:x:%s:\n' "${user%:*}" "${user#*:}" >>"$root/etc/group"
        printf '%s:!:20000::::::\n' "${user%:*}" >>"$root/etc/shadow"
        install -d -m 700 -o "${user#*:}" -g "${user#*:}" "$home/${user%:*}"
    done
    echo 'svc:x:990:990::/nonexistent:/usr/sbin/nologin' >>"$root/etc/passwd"
    echo 'svc:x:990:' >>"$root/etc/group"
    echo 'svc:!:20000::::::' >>"$root/etc/shadow"
    printf '%s\n' alice:100000:65536 bob:165536:65536 svc:231072:65536 | tee "$root/etc/subuid" >"$root/etc/subgid"
    mkdir -p "$var/lib/systemd/linger"
    touch "$var/lib/systemd/linger/"{alice,bob}
    echo machine >"$root/etc/hostname"
    echo '127.0.0.1 localhost machine' >"$root/etc/hosts"
    rm -f "$root/etc/resolv.conf"
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    systemd_settings "$root"
}

systemd_settings() {
    local root=$1 unit
    mkdir -p "$root/etc/systemd/"{system,system-generators,user-generators} \
        "$root/etc/systemd/journald.conf.d"
    # The tree holds Podman for comparison; its generators read the same files and must not answer for ours.
    ln -s /dev/null "$root/etc/systemd/system-generators/podman-system-generator"
    ln -s /dev/null "$root/etc/systemd/user-generators/podman-user-generator"
    # Each reload runs every generator: those of systemd that have nothing to say here take a third of its time.
    for unit in debug fstab getty gpt-auto hibernate-resume import rc-local ssh system-update sysv tpm2; do
        ln -s /dev/null "$root/etc/systemd/system-generators/systemd-$unit-generator"
    done
    ln -s /dev/null "$root/etc/systemd/user-generators/systemd-xdg-autostart-generator"
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer man-db.timer e2scrub_all.timer fstrim.timer \
        podman.service podman.socket podman-auto-update.timer podman-restart.service podman-clean-transient.service \
        systemd-udevd.service systemd-udev-trigger.service nftables.service e2scrub_reap.service systemd-networkd.service \
        systemd-networkd.socket systemd-networkd-wait-online.service docker-registry.service; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    # Nor does a reload read what is for other machines than these: of disks, of a TPM, of the boot's earlier and later parts.
    for unit in {emergency,rescue,initrd-cleanup,initrd-parse-etc,initrd-switch-root,initrd-udevadm-cleanup-db}.service \
        systemd-{battery-check,binfmt,boot-random-seed,bsod,confext,firstboot,fsck-root,hibernate-clear,hibernate-resume}.service \
        systemd-{hwdb-update,machine-id-commit,modules-load,pcrmachine,pcrphase,pcrphase-sysinit,pstore,quotacheck-root}.service \
        systemd-{random-seed,soft-reboot,sysext,tpm2-setup,tpm2-setup-early,udev-settle}.service kmod-static-nodes.service \
        systemd-{creds,hostnamed,importd,initctl,pcrextend,pcrlock,sysext,udevd-control,udevd-kernel}.socket \
        systemd-ask-password-{console,wall}.path getty.target remote-fs.target machines.target; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    # Podman's default pids limit wants a controller that the unified tree of some hosts lacks.
    mkdir -p "$root/etc/containers/containers.conf.d"
    printf '[containers]\npids_limit = 0\n' >"$root/etc/containers/containers.conf.d/test.conf"
    # No limit on log lines: the tests count them.
    printf '[Journal]\nStorage=persistent\nRateLimitBurst=0\nForwardToConsole=no\n' \
        >"$root/etc/systemd/journald.conf.d/test.conf"
}
