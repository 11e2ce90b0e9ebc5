#!/usr/bin/env bash
# [Service] sandboxing of a system unit with User=: each option works, or the start is refused by its name. Never a third thing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

sandboxed() { # OPTION=VALUE…
    local line
    unit_file root boxed <<E2
[Container]
Image=localhost/busybox
Network=none
StopTimeout=1
Exec=sh -c 'echo running as \$(id -u); exec sleep inf'
[Service]
User=svc
$(for line in "$@"; do echo "$line"; done)
E2
    # Each case counts as a start of the same unit.
    systemctl reset-failed boxed 2>/dev/null || true
}

works() {
    sandboxed "$@"
    systemctl start boxed
    equal "$(property root boxed ActiveState)" active
    journalctl --sync
    contains "$(journalctl -u boxed _SYSTEMD_INVOCATION_ID="$(property root boxed InvocationID)" -o cat)" 'running as 0'
    equal "$(cat /proc/"$(property root boxed MainPID)"/comm)" sleep
    systemctl stop boxed
}

# The one line names the option, in the generator's failing unit or at start.
refused() { # NAME OPTION=VALUE…
    local name=$1
    shift
    sandboxed "$@"
    ! systemctl start boxed
    journalctl --sync
    contains "$(journalctl -u boxed -n 20 -o cat)" "$name"
    equal "$(property root boxed MainPID)" 0
}

way_load svc "$IMAGES/busybox.tar" || exit 1
check 'no sandboxing at all' works
check 'ProtectSystem=strict works' works ProtectSystem=strict
check 'ProtectHome=yes works' works ProtectHome=yes
check 'PrivateTmp=yes works' works PrivateTmp=yes
check 'PrivateDevices=yes works' works PrivateDevices=yes
check 'PrivateNetwork=yes works without a network' works PrivateNetwork=yes
check 'RestrictAddressFamilies=AF_UNIX AF_NETLINK works' works 'RestrictAddressFamilies=AF_UNIX AF_NETLINK'
check 'NoNewPrivileges=yes with the ambient capabilities works' works NoNewPrivileges=yes 'AmbientCapabilities=CAP_SETUID CAP_SETGID'
check 'CapabilityBoundingSet= that holds what the id maps need works' works 'CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_NET_BIND_SERVICE CAP_SETFCAP CAP_SETPCAP CAP_SYS_CHROOT CAP_SYS_ADMIN'
check 'NoNewPrivileges=yes alone is refused by name' refused NoNewPrivileges NoNewPrivileges=yes
check 'PrivateUsers=yes is refused by name' refused PrivateUsers PrivateUsers=yes
check 'CapabilityBoundingSet= (empty) is refused by name' refused CapabilityBoundingSet 'CapabilityBoundingSet='
check 'RestrictNamespaces=yes is refused by name' refused RestrictNamespaces RestrictNamespaces=yes
check 'SystemCallFilter= without mounts is refused by name' refused SystemCallFilter 'SystemCallFilter=@basic-io @file-system @process @signal @network-io @io-event'
unit_gone root boxed
setpriv --reuid=990 --regid=990 --clear-groups env -i PATH="$PATH" berth rmi -f localhost/busybox >/dev/null 2>&1
finish
