#!/usr/bin/env bash
# The package's AppArmor profile (T31): it grants user namespaces where a distribution wants a profile for them.
. "$(dirname "$0")/lib.sh"

enabled() { equal "$(cat /sys/module/apparmor/parameters/enabled)" Y; }
parses() { apparmor_parser --skip-kernel-load --skip-cache --warn=all --Werror /etc/apparmor.d/berth; }
loaded() { grep -q '^berth (unconfined)$' /sys/kernel/security/apparmor/profiles; }
grants() { grep -q '^ *userns,$' /etc/apparmor.d/berth; }
applies() {
    # A process of the program carries the profile's name.
    contains "$(apparmor_parser --names /etc/apparmor.d/berth)" berth
    as alice berth load -q -i "$IMAGES/busybox.tar"
    equal "$(as alice berth run --rm --network none localhost/busybox echo under a profile)" 'under a profile'
}

check 'AppArmor is on (T31)' enabled
check 'the profile has no warning (T31)' parses
check 'the package has loaded it (T31)' loaded
check 'it grants user namespaces (T31)' grants
check 'a container runs under it (T31)' applies
finish
