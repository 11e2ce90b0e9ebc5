#!/usr/bin/env bash
# The verbs that look at containers, and those that change them while they run; where Podman is here it is the judge of what is printed.
. "$(dirname "$0")/lib.sh"
LOOP='mkdir /n; echo x >/n/f; rm /etc/group; while :; do sleep 1; done'

begin() { # WHO NAME COMMAND…
    local who=$1 name=$2
    shift 2
    as "$who" berth run -d --name "$name" --network none --stop-timeout 1 localhost/busybox "$@" >/dev/null
}

ends_as() { # STATUS WHO WAIT…: of what is gone only Linux 6.15 and later tell it
    local status=$1
    shift
    [ "$(printf '%s\n' 6.15 "$(uname -r)" | sort -V | head -n 1)" = 6.15 ] || status=-1
    equal "$(as "$@")" "$status"
}
tops() {
    begin "$1" t1 sh -c 'sleep 1000 & wait'
    local shown
    as "$1" timeout 30 sh -c 'until [ "$(berth top t1 | wc -l)" = 3 ]; do sleep 0.1; done'
    shown=$(as "$1" berth top t1 pid,ppid user args)
    contains "$shown" '1           0           root        sh -c sleep 1000 & wait'
    grep -Eq '^[0-9]+ +1 +root +sleep 1000$' <<<"$shown"
    equal "$(as "$1" berth top t1 huser | sort -u)" "$(printf '%s\n' HUSER "$1")"
    contains "$(as "$1" berth top t1 capeff seccomp)" 'SYS_CHROOT  filter'
    contains "$(fails_with 125 as "$1" berth top t1 nonsense 2>&1)" 'nonsense: not a field'
    contains "$(fails_with 125 as "$1" berth top t1 -o pid 2>&1)" 'ps(1)'
    # A process of exec counts, and one by another user has that user's name.
    as "$1" berth exec -d -u app t1 sleep 2000
    grep -Eq '^app +sleep 2000$' <<<"$(as "$1" berth top t1 user args)"
}
no_link() { # T16: the image's /etc/passwd may be a link; nothing is read through it
    as "$1" berth exec t1 sh -c 'rm /etc/passwd; ln -s ../../../../../../etc/shadow /etc/passwd'
    equal "$(as "$1" berth top t1 user args | sed -n 2p)" '0           sh -c sleep 1000 & wait'
}
statistics() {
    equal "$(as "$1" berth stats --no-stream --format '{{.Name}} {{.NetIO}}' t1)" 't1 0B / 0B'
    (($(as "$1" berth stats --no-stream --format "{{.PIDs}}" t1) >= 3))
    as "$1" berth stats --no-stream --format json | python3 -c '
import json, sys
[row] = [one for one in json.load(sys.stdin) if one["name"] == "t1"]
assert row["cpu_percent"].endswith("%") and row["unit"] == "t1.service", row'
    contains "$(fails_with 125 as "$1" berth stats --no-stream absent 2>&1)" 'absent: no such container'
    contains "$(fails_with 125 as "$1" berth stats --interval 0 t1 2>&1)" 'one second'
}
live() { # a terminal: drawn over itself until the container has ended
    begin "$1" l1 sleep 1000
    as "$1" timeout 60 script -qec 'berth stats -i 1 l1' /dev/null >live </dev/null &
    timeout 30 sh -c 'until grep -q l1.service live || grep -q l1 live; do sleep 0.1; done'
    as "$1" berth rm -f -t 0 l1
    wait $!
    grep -q $'\e\[H' live
}
silent_reader() { # a reader that goes away ends it, without a word
    as "$1" timeout 30 sh -c 'cd /tmp; berth stats -i 1 t1 2>said | head -n 1; cat said' >shown
    equal "$(grep -c . shown)" 1
}
pauses() {
    equal "$(as "$1" berth pause t1)" t1
    equal "$(as "$1" berth ps --filter name=t1 --format '{{.State}} {{.Status}}' | cut -d' ' -f1)" paused
    contains "$(as "$1" berth ps --filter status=paused --format '{{.Names}} {{.Status}}')" Paused
    equal "$(as "$1" berth inspect --format '{{.State.Status}} {{.State.Paused}} {{.State.Running}}' t1)" 'paused true true'
    contains "$(fails_with 125 as "$1" berth pause t1 2>&1)" 'paused already'
    as "$1" berth container unpause t1
    contains "$(fails_with 125 as "$1" berth unpause t1 2>&1)" 'not paused'
    as "$1" berth pause t1 # what would hang is refused
    contains "$(fails_with 125 as "$1" timeout 60 berth exec t1 true 2>&1)" 'container is paused'
    as "$1" berth unpause t1
    equal "$(as "$1" berth pause --all)" t1
    # A paused container is stopped like any other: its first process gets the signal.
    as "$1" berth unpause --filter name=t1
    begin "$1" z1 sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
    as "$1" berth pause z1
    as "$1" berth stop -t 30 z1
    contains "$(as "$1" berth logs z1; journal "$1" z1.service)" ''
    equal "$(property "$1" z1.service Result)" success
    as "$1" berth rm z1
}
ports() {
    as "$1" berth run -d --name o1 -p 127.0.0.1:18080:80 -p 18081:81/udp localhost/busybox sleep 1000 >/dev/null
    equal "$(as "$1" berth port o1)" $'80/tcp -> 127.0.0.1:18080\n81/udp -> 0.0.0.0:18081'
    equal "$(as "$1" berth port o1 80)" 127.0.0.1:18080
    equal "$(as "$1" berth port o1 81/udp)" 0.0.0.0:18081
    contains "$(fails_with 125 as "$1" berth port o1 81 2>&1)" 'not published'
    contains "$(as "$1" berth port -a)" "$(as "$1" berth ps -q --filter name=o1)"$'\t80/tcp -> 127.0.0.1:18080'
    as "$1" berth rm -f -t 0 o1
}
lists() {
    local id
    id=$(as "$1" berth ps -q --no-trunc --filter name=t1)
    begin "$1" t2 sleep 1000
    equal "$(as "$1" berth ps --format '{{.Names}}' --filter since=t1)" t2
    equal "$(as "$1" berth ps --format '{{.Names}}' --filter 'name=^t[12]$' --sort names)" $'t1\nt2'
    equal "$(as "$1" berth ps --format '{{.Names}}' --filter name=t1 --filter name=t2 --filter status=running --sort names)" $'t1\nt2'
    equal "$(as "$1" berth ps --filter name=t1 --filter status=exited -q)" ''
    equal "$(as "$1" berth ps --format '{{.Names}}' --filter command=sleep --filter until=0)" ''
    equal "$(as "$1" berth ps --filter until=0 --filter until=9999999999 -q)" '' # each of them narrows
    equal "$(as "$1" berth ps --format '{{.Names}}' --filter since=t2 --filter since=t1)" ''
    equal "$(as "$1" berth ps --format '{{.Names}}' --filter 'label!=none' --filter unit=t1)" t1
    contains "$(fails_with 125 as "$1" berth ps --filter 'name=[' 2>&1)" 'regular expression'
    contains "$(fails_with 125 as "$1" berth ps --filter status=bogus 2>&1)" 'use running'
    local image
    for image in busybox busybox:latest localhost/busybox localhost/busybox:latest; do
        equal "$(as "$1" berth ps -q --no-trunc --filter name=t1 --filter "ancestor=$image")" "$id"
    done
    equal "$(as "$1" berth ps --filter ancestor=localhost/box --filter ancestor=busybox:1 -q)" ''
    equal "$(as "$1" berth ps --filter name=t1 --format '{{.Exited}} {{.ExitCode}} {{.AutoRemove}}')" 'false 0 false'
    [[ $(as "$1" berth ps -s --filter name=t1 --format '{{.Size}}') =~ ^[0-9.]+kB\ \(virtual\ [0-9.]+MB\)$ ]]
    as "$1" berth ps -s --format json | python3 -c 'import json, sys; assert all(c["Size"]["rootFsSize"] > 10**6 for c in json.load(sys.stdin))'
    as "$1" berth system df >/dev/null
    # The language of templates in lists, and what lists show as Podman's.
    equal "$(as "$1" berth ps --filter name=t1 --format '{{.Names | upper}} {{.Image}} {{.Mounts}} {{range .Labels}}x{{end}}{{.Label "a"}}')" 'T1 localhost/busybox:latest [] '
    equal "$(as "$1" berth ps --filter name=t1 --filter restart-policy=no --filter should-start-on-boot=false --format '{{.Names}} {{.Restarts}}')" 't1 0'
    equal "$(as "$1" berth ps --filter name=t1 --filter restart-policy=always -q)" ''
    contains "$(fails_with 125 as "$1" berth ps --filter should-start-on-boot=maybe 2>&1)" 'use true or false'
    equal "$(as "$1" berth ps --filter name=t1 --ns --noheading | awk '{ print $2, NF }')" 't1 10'
    equal "$(as "$1" berth ps --filter name=t1 --format '{{.PIDNS}}')" \
        "$(as "$1" readlink "/proc/$(as "$1" berth inspect --format '{{.State.Pid}}' t1)/ns/pid" | tr -dc 0-9)"
    equal "$(as "$1" berth container ls -q --no-trunc --filter name=t1)" "$id"
}
kinds() { # inspect of what is no container, several kinds in one call, sizes
    as "$1" berth volume create iv >/dev/null
    as "$1" berth network create in >/dev/null
    as "$1" berth pod create --name ip >/dev/null
    equal "$(as "$1" berth inspect --format '{{.Id | len}} {{.Name}}' t1 ip)" $'64 t1\n64 ip'
    equal "$(as "$1" berth inspect --format '{{len .}}' t1 busybox iv in ip | wc -l)" 5
    equal "$(as "$1" berth inspect --type volume --format '{{.Name}} {{.Labels}}' iv)" 'iv map[]'
    equal "$(as "$1" berth inspect --type network --format '{{.Name}} {{.Driver}}' in podman)" $'in bridge\nberth bridge'
    equal "$(as "$1" berth inspect --type pod --format '{{.State}}' ip)" Created
    contains "$(fails_with 125 as "$1" berth inspect --type volume t1 2>&1)" 't1: no such volume'
    contains "$(fails_with 125 as "$1" berth inspect nowhere 2>&1)" 'nowhere: no such container, image, volume, network, pod'
    contains "$(fails_with 125 as "$1" berth inspect --type shape t1 2>&1)" 'use container, image, volume, network, pod or all'
    # `wait` for who runs, with the words of podman-wait(1)
    equal "$(as "$1" berth wait --condition running t1)" -1
    as "$1" berth pause t1 >/dev/null
    equal "$(as "$1" berth wait --condition exited,paused t1)" -1
    as "$1" berth unpause t1 >/dev/null
    contains "$(fails_with 125 as "$1" berth wait --condition bogus t1 2>&1)" 'use stopped, exited'
    # what goes with its end has a status, too; one of create is waited for until it has run
    as "$1" berth run -d --rm --name w1 --network none localhost/busybox sh -c 'sleep 2; exit 6' >/dev/null
    ends_as 6 "$1" berth wait --condition healthy,exited w1
    as "$1" berth create --name w2 --network none localhost/busybox sh -c 'exit 5' >/dev/null
    as "$1" timeout 30 berth wait w2 >waited-"$1" &
    sleep 3
    as "$1" berth start w2 >/dev/null
    wait $!
    equal "$(cat waited-"$1")" 5
    as "$1" berth rm w2 >/dev/null
    # names of images: untag leaves the image
    as "$1" berth tag busybox one:1 two
    as "$1" berth untag busybox one:1
    fails_with 1 as "$1" berth image exists one:1
    contains "$(fails_with 125 as "$1" berth image untag busybox two three 2>&1)" 'three: not a name of busybox'
    as "$1" berth image exists two
    as "$1" berth image untag busybox two
    as "$1" berth image exists localhost/busybox:latest
    as "$1" berth exec t1 sh -c 'dd if=/dev/zero of=/big bs=1k count=100 2>/dev/null'
    [ "$(as "$1" berth inspect --size --format '{{.SizeRw}}' t1)" -ge 102400 ]
    local words
    for words in busybox '--type image busybox' 't1 busybox'; do
        # shellcheck disable=SC2086 # its words
        contains "$(fails_with 125 as "$1" berth inspect --size $words 2>&1)" 'berth: --size is for containers, not for images'
    done
    contains "$(fails_with 125 as "$1" berth inspect --size iv 2>&1)" 'not for volumes'
    as "$1" berth inspect -s t1 | python3 -c 'import json, sys; one = json.load(sys.stdin)[0]; assert one["SizeRootFs"] > one["SizeRw"] + 10**6'
    as "$1" berth pod rm ip >/dev/null
    as "$1" berth network rm in >/dev/null
    as "$1" berth volume rm iv >/dev/null
}
renames() {
    contains "$(fails_with 125 as "$1" berth rename t2 t3 2>&1)" 'stop it first'
    as "$1" berth stop -t 0 t2
    contains "$(fails_with 125 as "$1" berth rename t2 t1 2>&1)" 'there is a container of this name'
    contains "$(fails_with 125 as "$1" berth rename t2 .. 2>&1)" 'not a name'
    as "$1" berth rename t2 t3
    fails_with 1 as "$1" berth container exists t2
    as "$1" berth container exists t3
    contains "$(as "$1" berth inspect --format '{{.GraphDriver.Data.UpperDir}}' t3)" /t3/upper
}
prunes() {
    contains "$(fails_with 125 as "$1" berth container prune 2>&1)" '--force'
    as "$1" berth container prune -f --filter label=no-such
    as "$1" berth container exists t3
    equal "$(as "$1" berth container prune -f)" t3
    fails_with 1 as "$1" berth container exists t3
    as "$1" berth container exists t1
    as "$1" berth rm -f -t 0 t1
}
times() { # what is no time is said in our words; an end before the beginning is no error
    local verb
    for verb in 'logs t1' 'events --stream=false'; do
        # shellcheck disable=SC2086
        equal "$(fails_with 125 as "$1" berth $verb --since bogus 2>&1)" 'berth: --since bogus: not a time'
    done
    equal "$(as "$1" berth logs --until 2000-01-01 t1 2>&1; as "$1" berth events --since 1m --until 2000-01-01 2>&1)" ''
}
limits() { # the controllers are tested in the virtual machine; what is wrong is said here
    begin "$1" u1 sleep 1000
    contains "$(fails_with 125 as "$1" berth update u1 2>&1)" 'nothing to change'
    contains "$(fails_with 125 as "$1" berth update --memory lots u1 2>&1)" lots
    contains "$(fails_with 125 as "$1" berth update --blkio-weight 5 u1 2>&1)" IOWeight
    as "$1" berth stop -t 0 u1
    contains "$(fails_with 125 as "$1" berth update --cpus 1 u1 2>&1)" 'not running'
    as "$1" berth rm u1
}
attaches() { # both streams, binary too, to the end; its exit status is the payload's
    as "$1" berth run -d --name a1 --network none localhost/busybox \
        sh -c 'until [ -e /go ]; do sleep 0.05; done; echo out; printf "a\001\377b\n"; head -c 8192 /dev/zero | tr "\0" x; echo; echo err >&2; exit 7' >/dev/null
    as "$1" sh -c 'berth attach a1 >"$0/out" 2>"$0/err"; echo $? >"$0/status"' "$2" &
    timeout 30 sh -c 'until pgrep -f "follow.*_SYSTEMD_(USER_)?UNIT=a1.service" >/dev/null; do sleep 0.1; done'
    as "$1" berth pause a1 # news of ours in the journal of its unit, as its end is
    as "$1" berth unpause a1
    as "$1" berth exec a1 touch /go
    wait $!
    equal "$(cat "$2/status" "$2/err")" $'7\nerr'
    equal "$(tr -d x <"$2/out" | od -An -c | tr -s ' ' | tr -d '\n')" ' o u t \n a 001 377 b \n \n'
    equal "$(tr -cd x <"$2/out" | wc -c)" 8192
    contains "$(fails_with 125 as "$1" berth attach a1 2>&1)" 'not running'
    contains "$(fails_with 125 as "$1" berth attach --detach-keys ctrl-1 a1 2>&1)" 'not running'
    as "$1" berth rm a1
}
types() { # -i keeps the input open until somebody types; the end of that is the payload's, and nothing of ours stays
    as "$1" berth run -d -i --name a3 --network none --user 1000 localhost/busybox sh -c 'cat /dev/stdin; echo end; exit 4' >/dev/null
    as "$1" timeout 60 berth exec a3 true # it has not found its input at its end
    equal "$(printf 'one\ntwo\n' | as "$1" sh -c 'timeout 60 berth attach a3; echo $?')" $'one\ntwo\nend\n4'
    as "$1" berth rm a3
    as "$1" berth run -d -i --rm --name a4 --network none localhost/busybox cat >/dev/null
    local holder
    holder=$(as "$1" berth inspect --format '{{.Berth.state.input.pid}}' a4)
    equal "$(cat "/proc/$holder/comm")" berth-holder
    as "$1" berth stop -t 0 a4
    timeout 30 sh -c 'while [ -e "/proc/$0" ]; do sleep 0.1; done' "$holder"
}
at_terminal() { # Ctrl-P Ctrl-Q leaves it alone, Ctrl-C is for the payload
    as "$1" berth run -d --name a2 --network none localhost/busybox sh -c 'trap "echo interrupted; exit 3" INT; while :; do echo tick; sleep 0.1; done' >/dev/null
    as "$1" python3 - <<'PY'
import os, pty, select, sys, time
def attach():
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp("berth", ["berth", "attach", "a2"])
    return pid, fd
def read_until(fd, text, seconds=60):
    data, end = b"", time.time() + seconds
    while text not in data and time.time() < end:
        if select.select([fd], [], [], 1)[0]:
            try:
                data += os.read(fd, 4096)
            except OSError:
                break
    assert text in data, data
pid, fd = attach()
read_until(fd, b"tick\r\n")
os.write(fd, b"x\x10\x11")
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert os.system("berth ps -q --filter name=a2 | grep -q .") == 0
pid, fd = attach()
read_until(fd, b"tick\r\n")
os.write(fd, b"\x03")
read_until(fd, b"interrupted")
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
PY
    as "$1" berth rm a2
}
events() {
    local since
    since=$(date +%s)
    begin "$1" v1 sleep 1000
    as "$1" berth rm -f -t 0 v1
    journalctl --sync
    equal "$(as "$1" berth events --since "$since" --stream=false --filter container=v1 --filter event=start --format '{{.Type}} {{.Name}} {{.Image}}')" \
        'container v1 localhost/busybox:latest'
    contains "$(as "$1" berth events --since "$since" --until 0s --filter type=container)" 'container start '
    as "$1" berth events --since "$since" --stream=false --format json | head -n 1 | python3 -c '
import json, sys
event = json.load(sys.stdin)
assert event["timeNano"] // 10**9 == event["time"] and set(event) >= {"ID", "Image", "Name", "Status", "Type", "Attributes"}, event'
    contains "$(fails_with 125 as "$1" berth events --filter shape=round 2>&1)" shape
    contains "$(fails_with 125 as "$1" berth events --format '{{.Shape}}' 2>&1)" Shape
    # It waits for what comes, and ends with its reader.
    as "$1" timeout 60 sh -c 'berth events --filter container=v2 --format "{{.Status}}" | head -n 1' >heard &
    timeout 30 sh -c 'until pgrep -f "[j]ournalctl.*--follow" >/dev/null; do sleep 0.1; done'
    begin "$1" v2 sleep 1000
    timeout 60 sh -c 'until [ -s heard ]; do sleep 0.1; done'
    as "$1" berth rm -f -t 0 v2
    begin "$1" v2 sleep 1000 # the reader has gone: this one cannot be written
    wait $!
    as "$1" berth rm -f -t 0 v2
    equal "$(cat heard)" start
}
of_unit() { # a system unit with User=: its owner sees it
    unit_file root seen <<<$'[Container]\nImage=localhost/busybox\nExec=sleep 1000\nNetwork=none\nStopTimeout=0\n[Service]\nUser=bob'
    as bob berth load -q -i "$IMAGES/busybox.tar" >/dev/null
    systemctl start seen
    local name
    name=$(as bob berth ps --format '{{.Names}}' --filter unit=seen)
    contains "$(as bob berth top seen user args)" 'root        sleep 1000'
    equal "$(as bob berth stats --no-stream --format '{{.Unit}}' seen)" seen.service
    as bob berth pause seen
    as bob berth unpause seen
    contains "$(fails_with 125 as bob berth rename seen other 2>&1)" 'ContainerName=other'
    as bob berth container exists "$name"
    unit_gone root seen
}
as_peer() { # what both print of the same container
    podman load -q -i "$IMAGES/busybox.tar" >/dev/null
    podman run -d --name peer --network none localhost/busybox sh -c "$LOOP" >/dev/null
    begin root ours sh -c "$LOOP"
    timeout 30 sh -c 'until [ "$(podman top peer pid 2>/dev/null | wc -l)" = 3 ]; do sleep 0.1; done'
    local fields='pid ppid user comm huser state tty nice rgroup capeff capbnd seccomp pgid group groups'
    headings() { head -n 1 | tr -s ' '; }
    # shellcheck disable=SC2086
    equal "$(berth top ours $fields | headings)" "$(podman top peer $fields | headings | sed 's/ $//')"
    keys() { python3 -c 'import json, sys; print(sorted(set(json.load(sys.stdin)[0]) - {"unit"}))'; }
    equal "$(berth stats --no-stream --format json ours | keys)" "$(podman stats --no-stream --format json peer 2>/dev/null | keys)"
    podman pause peer >/dev/null
    berth pause ours >/dev/null
    status() { sed -E 's/[0-9]+ seconds?|Less than a second/N/'; }
    equal "$(berth ps --filter name=ours --format '{{.State}} {{.Status}}' | status)" "$(podman ps -a --filter name=peer --format '{{.State}} {{.Status}}' | status)"
    podman rm -f -t 0 peer >/dev/null
    berth rm -f -t 0 ours
}

# What has no meaning without a monitor, a database and a machine of Windows; `podman inspect` names all of it.
NOT_OURS='Config.(Annotations|Attach|CreateCommand|Health(LogDestination|check(MaxLog|OnFailure))|OnBuild|OpenStdin|Passwd|StdinOnce|Timeout|sdNotify)
ConmonPidFile|Dependencies|ExecIDs|GraphDriver.Data.MergedDir|IsInfra|IsService|KubeExit|Namespace$|PidFile|StaticDir|UseImageHost|lockNumber
HostConfig.(Annotations|AutoRemoveImage|Blkio|Cgroup$|Cgroups$|ConsoleSize|ContainerIDFile|CpuCount|CpuPercent|CpuRealtime|DiskQuota|Dns|ExtraHosts|HostsFile|IOMaximum|Isolation|KernelMemory|Links|LogConfig.(Config|Size|Tag)|MemorySwappiness|OomKillDisable|PublishAllPorts|VolumeDriver|VolumesFrom)
NetworkSettings.(Bridge|EndpointID|HairpinMode|LinkLocal|Sandbox|Networks.[^.]*.(DriverOpts|EndpointID|IPAMConfig|Links))|State.(CheckpointedAt|ConmonPid|RestoredAt)
host.(buildah|conmon|cpuUtilization|databaseBackend|freeLocks|linkmode|networkBackendInfo.*(package|version)|ociRuntime.package|pasta.(package|version)|remoteSocket|security.(capabilities|seccompProfilePath)|serviceIsRemote|slirp4netns|variant)
plugins|registries|store.(configFile|graphOptions|graphStatus|imageCopyTmpDir|transientStore)|(version|Client).(APIVersion|BuildOrigin|Built|GitCommit|GoVersion)'
has_all_of_peer() { # the keys of `inspect`, `info` and `version`; and what both say of the same container
    podman volume create named >/dev/null
    berth volume create named >/dev/null
    local program template
    for program in podman berth; do
        $program run -d --name same --network none --user app -e A=b --label c=d -v named:/named -v /var/lib/images:/images:ro --tmpfs /t \
            --cap-drop chown --health-cmd 'test -e /' --stop-signal USR1 localhost/busybox sleep inf >/dev/null
        $program inspect same >"inspect.$program"
        for template in '{{range .Mounts}}{{.Type}}:{{.Destination}} {{end}}' '{{index .Config.Labels "c"}} {{len .Mounts}}' \
            '{{if .State.Running}}{{upper .Name}}{{else}}no{{end}}' '{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}' \
            '{{with .Config}}{{.StopSignal}}{{end}} {{printf "%s|%q" .Path .Name}}' '{{join .Args ","}}{{if and .State.Health (eq .Name "same")}} asked{{end}}'; do
            $program inspect --format "$template" same
        done >"filled.$program"
        $program inspect --format '{{.Id}}' localhost/busybox >>"filled.$program" # an image, when there is no such container
        $program info --format json >"info.$program"
        $program version --format json >"version.$program"
        $program rm -f -t 0 same >/dev/null
        $program volume rm named >/dev/null
    done
    equal "$(cat filled.berth)" "$(cat filled.podman)"
    NOT_OURS=$(tr '\n' '|' <<<"$NOT_OURS" | sed 's/|$//') python3 - <<'PY'
import json, os, re
def read(name, program):
    value = json.load(open(f"{name}.{program}"))
    return value[0] if isinstance(value, list) else value
def keys(value, path=""):
    if isinstance(value, dict):
        for key, one in value.items():
            yield path + key
            yield from keys(one, f"{path}{key}.")
for name in ("inspect", "info", "version"):
    missing = set(keys(read(name, "podman"))) - set(keys(read(name, "berth")))
    missing = sorted(key for key in missing if not re.match(f"({os.environ['NOT_OURS']})", key))
    assert not missing, (name, missing)
ours, peer = read("inspect", "berth"), read("inspect", "podman")
def same(path, of=lambda value: value):
    a, b = ours, peer
    for word in path.split("."):
        a, b = a[word], b[word]
    assert of(a) == of(b), (path, a, b)
for path in ("Path Args Name Pod Driver RestartCount State.Status State.Running State.ExitCode State.FinishedAt Config.Cmd Config.Labels Config.WorkingDir "
             "Config.StopSignal Config.Umask HostConfig.CapAdd HostConfig.CapDrop HostConfig.ReadonlyRootfs HostConfig.Privileged HostConfig.PidMode "
             "HostConfig.UTSMode HostConfig.CgroupMode HostConfig.Memory HostConfig.NanoCpus HostConfig.ShmSize HostConfig.NetworkMode HostConfig.Tmpfs").split():
    same(path)
same("BoundingCaps", sorted)
same("EffectiveCaps", lambda caps: caps or [])
same("Mounts", lambda mounts: sorted((m["Type"], m.get("Name"), m["Destination"], m["RW"]) for m in mounts))
assert ours["Config"]["Healthcheck"]["Interval"] == peer["Config"]["Healthcheck"]["Interval"]
PY
}
ended() { # how a container ended is in inspect while its unit knows it
    begin "$1" n1 sh -c 'exit 7'
    equal "$(as "$1" berth wait n1)" 7
    equal "$(as "$1" berth inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.RestartCount}}' n1)" 'exited 7 false 0'
    [[ $(as "$1" berth inspect --format '{{.State.FinishedAt}}' n1) == "$(date -u +%Y)"-* ]]
    as "$1" berth rm n1
}

as root berth load -q -i "$IMAGES/busybox.tar" >/dev/null
as alice berth load -q -i "$IMAGES/busybox.tar" >/dev/null
for who in alice root; do
    check "$who: top" tops "$who"
    check "$who: top follows no link of the image" no_link "$who"
    check "$who: pause and unpause" pauses "$who"
    [ "$who" = alice ] || break
    check "$who: stats" statistics "$who"
    check "$who: stats on a terminal" live "$who"
    check "$who: stats for a reader that goes away" silent_reader "$who"
    check "$who: port" ports "$who"
    check "$who: ps: filters, order, sizes" lists "$who"
    check "$who: inspect of every kind, and sizes" kinds "$who"
    check "$who: times" times "$who"
    check "$who: rename" renames "$who"
    check "$who: container prune" prunes "$who"
    check "$who: update" limits "$who"
    mkdir -m 777 attached # by others, too
    check "$who: attach" attaches "$who" "$PWD/attached"
    check "$who: attach to what has a standard input" types "$who"
    check "$who: attach at a terminal: detach keys, Ctrl-C" at_terminal "$who"
    check "$who: events" events "$who"
done
berth rm -f -t 0 t1 >/dev/null 2>&1
check 'a system unit with User=: its owner sees it' of_unit
check 'as Podman prints it' as_peer
check 'inspect, info and version have all keys of Podman that mean something' has_all_of_peer
check 'the end of a container in inspect' ended alice
finish
