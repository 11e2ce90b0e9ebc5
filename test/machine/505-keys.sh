#!/usr/bin/env bash
# Keys of [Container] by their effect: what the payload of one file sees with Berth and with Podman is the same; User= sees what a
# user's unit sees.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

# Runs in the container, whose /out is a directory of the test.
cat >facts <<'E2'
#!/bin/sh
exec >/out/facts 2>&1
echo "arguments: $0 $*"
env | grep -vE '^(SHLVL|container)=' | sort | sed 's/^/environment: /'
echo "directory: $(pwd)"
echo "ids: $(id)"
echo "host name: $(hostname)"
grep -E '^(Cap|NoNewPrivs|Seccomp)' /proc/self/status
sed 's/ *$//' /proc/self/limits
for path in /scratch /plain /mounted /dev/shm /tmp /run /var/tmp; do
    echo "mount: $(awk -v p="$path" '$5 == p { sub(".* - ", "/ - "); print }' /proc/self/mountinfo) $(awk -v p="$path" '$5 == p { print $6 }' /proc/self/mountinfo)"
    [ ! -d $path ] || echo "$path: $(stat -c %u:%g:%a $path)"
    touch $path/made && echo "$path can be written"
done
touch /bin/made
echo "sysctl: $(cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ip_default_ttl | xargs)"
ls -ln /dev | awk '/^[bc]/ && $NF != "null" { print "device:", $1, $3, $4, $5, $6, $NF }'
for path in /etc/group /proc/kcore /proc/keys /proc/timer_list /sys/firmware /proc/sys /proc/interrupts; do
    if [ -d $path ]; then echo "$path: $(ls $path | wc -l) entries"; else echo "$path: $(head -c 5 $path 2>&1 | wc -c) bytes"; fi
done
echo "zone: $(date -d @0 +%z) $(md5sum </etc/localtime)"
[ ! -e /scratch/made ] || chmod 600 /scratch/made
echo end
E2
chmod 755 facts
printf 'FROM_FILE=a b\n# a comment\nPLAIN=from the file\n' >env
# chmod(2), fchmodat(2) and fchmodat2(2) give ENOSYS
echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chmod","fchmodat","fchmodat2"],"action":"SCMP_ACT_ERRNO","errnoRet":38}]}' >seccomp.json

much() { # the user, what is mounted, confinement
    cat <<E2
[Container]
Image=localhost/busybox
Entrypoint=["/bin/sh", "/facts"]
Exec=first "second word" \$\${PLAIN}
Environment=PLAIN=one "SPACED=two words"
EnvironmentFile=$WORK/env
WorkingDir=/etc
User=1234
Group=4321
HostName=keyed
Tmpfs=/scratch:size=1m,mode=1773
Tmpfs=/plain
Mount=type=tmpfs,dst=/mounted,tmpfs-size=2m,ro
AddCapability=CAP_NET_ADMIN
DropCapability=CAP_NET_BIND_SERVICE setfcap
NoNewPrivileges=yes
SeccompProfile=$WORK/seccomp.json
ShmSize=3m
Ulimit=nofile=77:88
Ulimit=core=0
Sysctl=net.ipv4.ip_unprivileged_port_start=80 net.ipv4.ip_default_ttl=33
AddDevice=/dev/fuse
AddDevice=/dev/net/tun:/dev/tunnel:rwm
AddDevice=-/dev/absent
Mask=/etc/group:/proc/interrupts
Unmask=/proc/keys:/sys/firmware
Timezone=Asia/Tokyo
E2
}
bare() { # WAY: a directory as root, nothing writable, nothing masked, no capability, the ids of the account
    cat <<E2
[Container]
Rootfs=$WORK/root-$1
Entrypoint=/facts
HostName=keyed
ReadOnly=yes
ReadOnlyTmpfs=no
UserNS=$([ "$1" = root ] && echo host || echo keep-id:uid=77,gid=88)
DropCapability=all
SeccompProfile=unconfined
Unmask=ALL
Timezone=local
E2
}
read_only() { # the tmpfs that a read-only root gets; the image's own command line is replaced by Exec= alone
    printf '%s\n' '[Container]' Image=localhost/busybox HostName=keyed ReadOnly=yes ReadOnlyTmpfs=yes Exec=/facts
}

# facts_of WAY berth|podman FILE: the lines that the payload of this file writes, and the owner that the file has outside.
facts_of() {
    local way=$1 program=$2 out=$WORK/out-$1-$2-$3 unit=$2-$3-$1 text
    mkdir -m 777 "$out"
    text=$("$3" "$way"; printf '%s\n' Network=none "Volume=$WORK/facts:/facts:ro" "Volume=$out:/out" '[Service]' Type=oneshot)
    if [ "$program" = berth ]; then way_unit "$way" "$unit" <<<"$text"; else peer_unit "$way" "$unit" <<<"$text"; fi
    way_start "$way" "$unit" || way_journal "$way" "$unit" >&2
    [ "$program" = podman ] || way_gone "$way" "$unit"
    stat -c 'owner outside: %u:%g' "$out/facts"
    cat "$out/facts"
}

# The service that Podman's generator makes of a file, which this machine does not run at boot.
peer_unit() { # WAY NAME
    local services=/run/systemd/system option=()
    [ "$1" = root ] || services=/run/user/1000/systemd/user option=(-user)
    mkdir -p "$WORK/peer-$2"
    cat >"$WORK/peer-$2/$2.container"
    as "$1" mkdir -p "$services"
    as "$1" env QUADLET_UNIT_DIRS="$WORK/peer-$2" /usr/libexec/podman/quadlet -dryrun "${option[@]}" 2>/dev/null | grep -v '^---' >"$services/$2.service"
    manager "$1" daemon-reload
}

rootfs_of() { # WAY: owned by the account, with what a read-only root must have
    mkdir -p "$WORK/root-$1"/{out,run}
    tar -C "$WORK/root-$1" -xf "$IMAGES/rootfs.tar"
    touch "$WORK/root-$1/facts"
    [ "$1" = root ] || chown -R "$(id -u "$1"):$(id -g "$1")" "$WORK/root-$1"
}

like_podman() { # WAY FILE
    local ours peer
    ours=$(facts_of "$1" berth "$2")
    peer=$(facts_of "$1" podman "$2")
    equal "$(tail -n 1 <<<"$ours")" end
    # With keep-id Podman mounts as the account, Berth as the container's root: the options differ, the owner that is seen does not.
    [ "$2" != bare ] || { ours=$(without_host_ids <<<"$ours") peer=$(without_host_ids <<<"$peer"); }
    diff <(cat <<<"$ours") <(cat <<<"$peer")
}

# The ids of the host are the only thing in which the two accounts differ.
like_alice() { # FILE
    local ours
    ours=$(facts_of svc berth "$1")
    equal "$(tail -n 1 <<<"$ours")" end
    diff <(without_host_ids <<<"$ours") <({ stat -c 'owner outside: %u:%g' "$WORK/out-alice-berth-$1/facts"; cat "$WORK/out-alice-berth-$1/facts"; } | without_host_ids)
}
without_host_ids() { sed -E 's/,uid=[0-9]+,gid=[0-9]+//; /^owner outside/d'; }

# The words of the keys themselves, so that both cannot be wrong together.
as_written() { # WAY
    local seen line
    seen=$(cat "$WORK/out-$1-berth-much/facts")
    for line in 'arguments: /facts first second word ${PLAIN}' 'environment: PLAIN=one' 'environment: FROM_FILE=a b' 'environment: SPACED=two words' \
        'environment: HOME=/etc' 'directory: /etc' 'ids: uid=1234' 'gid=4321' 'host name: keyed' $'NoNewPrivs:\t1' 'sysctl: 80 33' '229 fuse' '200 tunnel' \
        'size=1024k,mode=1773' 'size=3072k' 'size=2048k' '/etc/group: 0 bytes' '/proc/interrupts: 0 bytes' '/proc/keys: 5 bytes' 'zone: +0900' \
        'Function not implemented' '/scratch can be written'; do
        [[ $seen == *"$line"* ]] || { echo "missing: $line" >&2; return 1; }
    done
    grep -Eq '^Max open files +77 +88 ' <<<"$seen"
    grep -Eq '^Max core file size +0 +0 ' <<<"$seen"
    equal "$(sed -n 's/^CapBnd:\t//p' <<<"$seen")" 00000000000411fb # 800405fb without 10 and 31, with 12
    fails grep -q '/mounted can be written' <<<"$seen"
    seen=$(cat "$WORK/out-$1-berth-bare/facts")
    fails grep -q 'can be written' <<<"$seen"
    equal "$(sed -n 's/^Cap\(Bnd\|Eff\):\t//p' <<<"$seen" | sort -u)" 0000000000000000
    equal "$(grep Seccomp_filters <<<"$seen")" "$(grep Seccomp_filters /proc/1/status)" # the machine has some
    [ "$1" = root ] || contains "$seen" 'ids: uid=77'
    seen=$(cat "$WORK/out-$1-berth-read_only/facts")
    for line in /tmp /run /var/tmp /dev/shm; do contains "$seen" "$line can be written"; done
    contains "$seen" "touch: /bin/made: Read-only file system"
}

# What shows only in a service that runs: its names, signals, annotations, log.
running() { # WAY
    local unit=called-$1 pid group
    way_unit "$1" file-"$1" < <(sed "s/WAY/$1/" <<'E2'
[Container]
Image=localhost/busybox
Network=none
ContainerName=named
ServiceName=called-WAY
RunInit=yes
StopSignal=USR1
StopTimeout=60
Annotation=some.note=text "other.note=two words"
Label=tier=front
LogDriver=passthrough
GlobalArgs=--log-level=error
PodmanArgs=--oom-score-adj=700
Exec=sh -c 'trap "echo stopped by USR1; exit 3" USR1; echo begun; while :; do sleep 0.1; done'
[Service]
SuccessExitStatus=3
E2
    )
    way_start "$1" "$unit"
    pid=$(way_property "$1" "$unit" MainPID)
    equal "$(way_berth "$1" ps --format '{{.Names}} {{.Labels}}')" 'named map[tier:front]'
    equal "$(way_berth "$1" inspect named | jq -r '.[0].Config.Annotations | ."some.note", ."other.note"')" $'text\ntwo words'
    equal "$(cat "/proc/$pid/comm") $(cat "/proc/$pid/oom_score_adj")" 'berth-init 700'
    contains "$(readlink "/proc/$pid/fd/1")" socket:
    group=$(way_property "$1" "$unit" ControlGroup)
    equal "$(cat "/sys/fs/cgroup$group/supervisor/cgroup.procs" | wc -l)" 0
    way_stop "$1" "$unit"
    contains "$(way_journal "$1" "$unit")" 'stopped by USR1'
    equal "$(way_property "$1" "$unit" Result)" success
}

for way in root alice; do
    for program in berth podman; do as $way $program load -q -i "$IMAGES/busybox.tar" >/dev/null 2>&1; done
done
way_load svc "$IMAGES/busybox.tar" >/dev/null
for way in $WAYS; do rootfs_of "$way"; done
for way in root alice; do
    for file in much bare read_only; do check "$way: the keys of '$file' do what they do with Podman" like_podman $way $file; done
done
for file in much bare read_only; do check "svc: the keys of '$file' do what they do for alice" like_alice $file; done
for way in $WAYS; do check "$way: and it is what the keys say" as_written "$way"; done
for way in $WAYS; do
    check "$way: names, signals, annotations and log of a running service" running "$way"
    way_stop "$way" "called-$way" 2>/dev/null
    way_gone "$way" "file-$way"
done
for way in root alice; do
    as $way podman rm -fa >/dev/null 2>&1
    for program in berth podman; do as $way $program rmi -f localhost/busybox >/dev/null 2>&1; done
    as $way rm -f "$([ $way = root ] && echo /run/systemd/system || echo /run/user/1000/systemd/user)"/podman-*.service
    manager $way daemon-reload
done
way_berth svc rmi -f localhost/busybox >/dev/null
finish
