#!/usr/bin/env bash
# [Service] sandboxing in the three ways to run: each option works, or the start is refused by its name. Never a third thing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

sandboxed() { # WAY OPTION=VALUE…
    local way=$1 line
    shift
    unit_file "$(way_manager "$way")" boxed <<E2
[Container]
Image=localhost/busybox
Network=none
StopTimeout=1
Exec=sh -c 'echo running as \$(id -u); exec sleep inf'
[Service]
$([ "$way" != svc ] || echo User=svc)
$(for line in "$@"; do echo "$line"; done)
E2
    # Each case counts as a start of the same unit.
    manager "$(way_manager "$way")" reset-failed boxed 2>/dev/null || true
}

# What an administrator adds to the generated service, whose unit file says nothing; the generator does not see it.
dropped_in() { # WAY OPTION=VALUE
    local manager
    manager=$(way_manager "$1")
    as "$manager" mkdir -p "$(drop_in "$1")"
    printf '[Service]\n%s\n' "$2" | as "$manager" tee "$(drop_in "$1")/box.conf" >/dev/null
    manager "$manager" daemon-reload
    manager "$manager" reset-failed boxed 2>/dev/null || true
}

drop_in() {
    if [ "$1" = alice ]; then echo /home/alice/.config/systemd/user/boxed.service.d; else echo /etc/systemd/system/boxed.service.d; fi
}

# Our lines of the last start. By the identifier: journald may find a process of a user manager gone before it looks for its unit.
said() { # WAY
    journalctl --sync
    as "$(way_manager "$1")" journalctl -t boxed -o cat --no-pager --since "@$since"
}

# Journal times have microseconds; a start of the case before has ended when this is read.
now() { since=$(date +%s.%6N); }

works() { # WAY OPTION=VALUE…
    local way=$1
    sandboxed "$@"
    now
    way_start "$way" boxed
    equal "$(way_property "$way" boxed ActiveState)" active
    contains "$(said "$way")" 'running as 0'
    equal "$(cat /proc/"$(way_property "$way" boxed MainPID)"/comm)" sleep
    way_stop "$way" boxed
}

# One line for each option names it: those of the generator's failing unit, with their places.
refused() { # WAY OPTION=VALUE…
    local way=$1 lines line
    sandboxed "$@"
    is_refused "$way"
    shift
    equal "$(wc -l <<<"$lines")" $#
    for line in "$@"; do grep -q "boxed.container:[0-9]*:[0-9]*: \`$line\` in \[Service\] .*; " <<<"$lines" || contains "$lines" "$line"; done
}

refused_at_start() { # WAY OPTION=VALUE
    local lines
    dropped_in "$@"
    is_refused "$1"
    contains "$lines" "; boxed.service: ${2%%=*}="
    equal "$(wc -l <<<"$lines")" 1
}

is_refused() { # WAY; leaves our lines
    now
    fails way_start "$1" boxed
    lines=$(said "$1")
    equal "$(way_property "$1" boxed MainPID)" 0
}

CAPS=$(echo CAP_{SETUID,SETGID,SETPCAP,CHOWN,DAC_OVERRIDE,FOWNER,KILL,SYS_CHROOT,SYS_ADMIN,NET_ADMIN})
FILTER='@system-service @mount @privileged'
SPACES='user mnt pid ipc uts cgroup net'
SOME=(NoNewPrivileges=yes ProtectSystem=strict PrivateTmp=yes PrivateDevices=yes) # what root may have, and a user manager refuses
ALL_WAYS=(RestrictNamespaces=yes SystemCallFilter=~@mount PrivateUsers=yes CapabilityBoundingSet= PrivatePIDs=yes ProtectControlGroups=yes ProtectHostname=yes)
refused_options() { # WAY
    local -n into=options
    case $1 in
    root) into=("${ALL_WAYS[@]}") ;;
    svc) into=(NoNewPrivileges=yes "${ALL_WAYS[@]}") ;;
    alice) into=("${SOME[@]}" "${ALL_WAYS[@]}" LockPersonality=yes BindPaths=/srv) ;;
    esac
}

for way in $WAYS; do
    way_load "$way" "$IMAGES/busybox.tar" || exit 1
    check "$way: no sandboxing at all" works "$way" "RestrictNamespaces=$SPACES"
    refused_options "$way"
    check "$way: ${options[*]}: each is refused by name" refused "$way" "${options[@]}"
done
for way in root svc; do
    for line in ProtectSystem={yes,full,strict}; do check "$way: $line works" works "$way" "$line"; done
    check "$way: PrivateTmp=disconnected and PrivateNetwork=yes work" works "$way" PrivateTmp=disconnected PrivateNetwork=yes
    together=(PrivateTmp=yes PrivateDevices=yes ProtectHome=yes 'RestrictAddressFamilies=AF_UNIX AF_NETLINK' "SystemCallFilter=$FILTER"
        "CapabilityBoundingSet=$CAPS")
    check "$way: ${together[*]}: all at once work" works "$way" "${together[@]}"
done
check 'root: NoNewPrivileges=yes, PrivateUsers=identity and SystemCallFilter= that takes something away work' \
    works root NoNewPrivileges=yes PrivateUsers=identity 'SystemCallFilter=~@reboot @swap'
check 'svc: NoNewPrivileges=yes with the ambient capabilities works' works svc NoNewPrivileges=yes 'AmbientCapabilities=CAP_SETUID CAP_SETGID'

at_start() { # WAY OPTION=VALUE…
    local way=$1 line
    shift
    sandboxed "$way" ''
    for line in "$@"; do check "$way: $line in a drop-in is refused at the start" refused_at_start "$way" "$line"; done
    rm -rf "$(drop_in "$way")"
}

# What is asked for by name and cannot be had is no silent loss.
added_and_taken() { # the unit file alone, then a drop-in
    local lines line='CapabilityBoundingSet=~CAP_NET_RAW'
    sandboxed root ''
    sed -i 's/^Network=none/&\nAddCapability=CAP_NET_RAW/' "$(unit_directory root)/boxed.container"
    manager root daemon-reload
    refused_at_start root "$line"
    contains "$(said root)" CAP_NET_RAW
    rm -rf "$(drop_in root)"
    printf '%s\n' "$line" >>"$(unit_directory root)/boxed.container"
    manager root daemon-reload
    is_refused root
    contains "$lines" '`AddCapability=CAP_NET_RAW` does not work: CapabilityBoundingSet='
}
# Where the filter kills the start itself, what runs after it names the option.
killed_start() {
    local way line
    for way in root svc; do
        sandboxed "$way" ''
        for line in SystemCallFilter=~clone3 SystemCallFilter=@system-service; do
            refused_at_start "$way" "$line"
            [ "$way" = svc ] || contains "$(said root)" 'was killed'
        done
        # Only the relay's guard is killed, or a stage, and whom the launcher asks why.
        for line in SystemCallFilter=~{clone,prctl}; do refused_at_start "$way" "$line"; done
        # Nothing of ours can say a word.
        dropped_in "$way" SystemCallFilter=~execve
        fails way_start "$way" boxed
        equal "$(way_property "$way" boxed ExecMainStatus)" 31
        contains "$(berth why boxed 2>&1 || true)" 'SystemCallFilter= in [Service] must allow @system-service'
        rm -rf "$(drop_in "$way")"
    done
}

MET=(PrivateUsers=yes RestrictNamespaces=yes SystemCallFilter=~@mount)
check 'root: a capability that is added and taken away is refused by name' added_and_taken
check 'root, svc: a filter that kills the start is named' killed_start
at_start root "${MET[@]}" CapabilityBoundingSet= ProtectSystem=strict PrivatePIDs=yes ProtectControlGroups=yes ProtectHostname=yes
at_start svc "${MET[@]}" CapabilityBoundingSet= ProtectSystem=strict NoNewPrivileges=yes
at_start alice "${MET[@]}" NoNewPrivileges=yes ProtectSystem=yes PrivateTmp=yes PrivateDevices=yes
for way in $WAYS; do
    way_gone "$way" boxed
    rm -rf "$(drop_in "$way")"
done
setpriv --reuid=990 --regid=990 --clear-groups env -i PATH="$PATH" berth rmi -f localhost/busybox >/dev/null 2>&1
finish
