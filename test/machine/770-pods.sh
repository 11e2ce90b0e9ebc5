#!/usr/bin/env bash
# Pods: .pod units in three ways, the verbs, what members share, and who moves when one of them dies.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"

directory_of() { if [ "$1" = alice ]; then echo /home/alice/.config/containers/systemd; else echo /etc/containers/systemd; fi; }

pod_file() { # WAY NAME, the text on standard input
    local directory text
    text=$(cat)
    [ "$1" != svc ] || text+=$'\n[Service]\nUser=svc'
    directory=$(directory_of "$1")
    as "$(way_manager "$1")" mkdir -p "$directory"
    printf '%s\n' "$text" >"$directory/$2.pod"
}

member() { # WAY NAME POD COMMAND [MORE]
    way_unit "$1" "$2" <<<$'[Container]\nImage=localhost/busybox\nContainerName='"$2"$'\nPod='"$3"$'.pod\nStopTimeout=1\nExec='"$4"$'\n'"${5:-}"$'\n[Service]\nRestart=always\nRestartSec=100ms'
}

gone() { # WAY POD MEMBER…
    local way=$1 pod=$2 name
    shift 2
    manager "$(way_manager "$way")" stop "$pod-pod" || true
    for name in "$@"; do rm -f "$(directory_of "$way")/$name.container"; done
    rm -f "$(directory_of "$way")/$pod.pod"
    manager "$(way_manager "$way")" daemon-reload
    manager "$(way_manager "$way")" reset-failed || true
}

kill_main() { # WAY UNIT: 0, for none, would be our own process group
    local pid
    pid=$(way_property "$1" "$2" MainPID)
    [ "$pid" -gt 1 ] && kill -KILL "$pid"
}

wait_for() { timeout 30 bash -c "until $1; do read -rt 0.1 <> <(:) || :; done"; }

SERVE='sh -c "mkdir -p /w; hostname >/w/index.html; echo shared >/dev/shm/file; exec busybox httpd -f -p 80 -h /w"'

pod() { # WAY PORT
    local way=$1 port=$2 first second said
    pod_file "$way" app <<<$'[Pod]\nPodName=app\nHostName=box\nPublishPort='"$port"$':80'
    member "$way" web app "$SERVE"
    member "$way" side app 'sleep inf'
    manager "$(way_manager "$way")" daemon-reload
    manager "$(way_manager "$way")" start app-pod
    for name in app-pod web side; do wait_for "[ \$(systemctl $( [ "$way" != alice ] || echo --user --machine=alice@) show -P ActiveState $name) = active ]"; done
    wait_for "curl -sS --max-time 2 http://127.0.0.1:$port/ 2>/dev/null | grep -qx box"
    # Network, IPC and host name are shared, processes are not.
    equal "$(way_berth "$way" exec side wget -qO- http://127.0.0.1/)" box
    equal "$(way_berth "$way" exec side hostname)" box
    equal "$(way_berth "$way" exec side cat /dev/shm/file)" shared
    local said
    said=$(way_berth "$way" exec side ps)
    fails grep -q httpd <<<"$said"
    equal "$(way_berth "$way" pod ls --format '{{.Name}} {{.Status}} {{.NumberOfContainers}}')" 'app Running 3'
    equal "$(way_berth "$way" pod inspect app | jq -r '.[0] | .State, .NumContainers, .ExitPolicy')" $'Running\n3\nstop'
    # The boot starts the pod, and so the members: each says whether it does.
    equal "$(way_berth "$way" ps --filter pod=app --filter should-start-on-boot=true -q)" ''
    pod_file "$way" app <<<$'[Pod]\nPodName=app\nHostName=box\nPublishPort='"$port"$':80\n[Install]\nWantedBy=default.target'
    manager "$(way_manager "$way")" daemon-reload
    equal "$(way_berth "$way" ps --filter pod=app --filter should-start-on-boot=false -q)" ''
    equal "$(way_berth "$way" ps --filter pod=app --filter should-start-on-boot=true -q | wc -l)" 3
    # The log of each member is its own unit's.
    contains "$(fails_with 125 way_berth "$way" run --rm --pod app -p 1:1 localhost/busybox true 2>&1)" 'belongs to the pod'
    # A member that dies is restarted by systemd alone.
    first=$(way_property "$way" app-pod MainPID) second=$(way_property "$way" side MainPID)
    kill_main "$way" web
    wait_for "curl -sS --max-time 2 http://127.0.0.1:$port/ 2>/dev/null | grep -qx box"
    equal "$(way_property "$way" app-pod MainPID)" "$first"
    equal "$(way_property "$way" side MainPID)" "$second"
    said=$(awk '/^Pss:/ { print $2 }' "/proc/$first/smaps_rollup")
    [ "$said" -le 20 ] || { echo "the holder has $said kB"; return 1; }
}

holder_dies() { # the holder's restart brings back all members
    local way=$1 port=$2 before
    before=$(way_property "$way" side MainPID)
    kill_main "$way" app-pod
    export -f way_property way_manager property manager as
    wait_for "now=\$(way_property $way side MainPID); [ \$now != 0 ] && [ \$now != $before ]"
    wait_for "curl -sS --max-time 2 http://127.0.0.1:$port/ 2>/dev/null | grep -qx box"
}

stops() {
    local way=$1 port=$2
    manager "$(way_manager "$way")" stop app-pod
    for name in web side; do [ "$(way_property "$way" $name ActiveState)" != active ]; done
    fails curl -sS --max-time 2 "http://127.0.0.1:$port/" 2>/dev/null
    equal "$(way_berth "$way" ps -aq)" ''
    equal "$(way_berth "$way" pod ls -q)" ''
    fails pgrep ^pasta
    fails pgrep ^berth-holder
    gone "$way" app web side
}

# ExitPolicy=stop: the last member's end is the pod's, not its restart.
exit_policy() {
    local way=$1
    pod_file "$way" last <<<$'[Pod]\nPodName=last'
    way_unit "$way" only <<<$'[Container]\nImage=localhost/busybox\nContainerName=only\nPod=last.pod\nExec=sleep inf\nStopTimeout=1'
    way_start "$way" only
    equal "$(way_property "$way" last-pod ActiveState)" active
    manager "$(way_manager "$way")" restart only
    equal "$(way_property "$way" last-pod ActiveState)" active
    way_stop "$way" only
    wait_for "! pgrep ^berth-holder"
    equal "$(way_property "$way" last-pod Result)" success
    gone "$way" last only
}

by_hand() {
    local user=$1
    as "$user" berth pod create --name hand -p 8173:80 >/dev/null
    as "$user" berth run --rm --pod hand localhost/busybox true # which starts its pod
    equal "$(as "$user" berth pod start hand)" hand
    as "$user" berth run -d --rm --name in-hand --pod hand localhost/busybox sh -c 'mkdir /w; echo hi >/w/index.html; exec busybox httpd -f -p 80 -h /w' >/dev/null
    wait_for 'curl -sS --max-time 2 http://127.0.0.1:8173/ 2>/dev/null | grep -qx hi'
    contains "$(fails_with 125 as "$user" berth pod rm hand 2>&1)" 'the pod runs'
    equal "$(as "$user" berth pod restart hand)" hand
    equal "$(as "$user" berth pod ps --format '{{.Status}}' --filter name=hand)" Running
    as "$user" berth run -d --rm --name in-hand --pod hand localhost/busybox sleep inf >/dev/null
    equal "$(as "$user" berth pod kill --all)" hand
    wait_for "! $([ "$user" = root ] || echo "as $user") berth ps -q --filter name=in-hand | grep -q ."
    equal "$(as "$user" berth pod stop hand)" hand
    equal "$(as "$user" berth pod start hand)" hand
    equal "$(as "$user" berth pod rm --force --time 0 hand)" hand
    equal "$(as "$user" berth ps -aq)" ''
    fails_with 1 as "$user" berth pod exists hand
}

# ShmSize=, StartWithPod=false, the logs of all members, and [Service] of the pod is the holder's.
of_a_unit() { # WAY
    local way=$1 first main
    pod_file "$way" keys <<<$'[Pod]\nPodName=keys\nShmSize=300k\nPodmanArgs=--share=+pid\n[Service]\nRestart=no\nEnvironment=SOME=one'
    member "$way" with keys 'sh -c "echo said by with; cd /proc; echo $PPID; exec sleep inf"'
    way_unit "$way" late <<<$'[Container]\nImage=localhost/busybox\nContainerName=late\nPod=keys.pod\nStartWithPod=false\nStopTimeout=1\nExec=sh -c "echo said by late; exec sleep inf"'
    manager "$(way_manager "$way")" start keys-pod
    export -f way_property way_manager property manager as
    wait_for "[ \$(way_property $way with ActiveState) = active ]"
    equal "$(way_property "$way" late ActiveState)" inactive
    way_start "$way" late
    # One tmpfs of 300 kB for both, and one set of processes: the holder is the first.
    equal "$(way_berth "$way" exec late sh -c 'df -k /dev/shm | tail -n 1 | xargs | cut -d" " -f2; echo x >/dev/shm/seen')" 300
    equal "$(way_berth "$way" exec with cat /dev/shm/seen)" x
    fails way_berth "$way" exec with dd if=/dev/zero of=/dev/shm/large bs=1k count=400 2>/dev/null
    equal "$(way_berth "$way" exec late cat /proc/1/comm)" berth-holder
    equal "$(way_berth "$way" exec late sh -c 'grep -l sleep /proc/[0-9]*/comm | wc -l')" 2
    equal "$(way_berth "$way" pod inspect keys | jq -c '.[0].SharedNamespaces')" '["ipc","net","pid","uts"]'
    journalctl --sync
    if [ "$way" != svc ]; then contains "$(way_berth "$way" pod logs keys | grep -o 'said by [a-z]*' | sort | xargs)" 'said by late said by with'; fi
    equal "$(way_berth "$way" pod ls --format '{{.Status}}')" Running
    # A member's end moves nothing else; Restart= in [Service] of the pod is its own.
    first=$(way_property "$way" with MainPID) main=$(way_property "$way" keys-pod MainPID)
    way_stop "$way" late
    equal "$(way_property "$way" with MainPID) $(way_property "$way" keys-pod MainPID)" "$first $main"
    equal "$(way_property "$way" keys-pod Restart)" no
    gone "$way" keys with late
}

# What belongs to the pod is seen by all members; ExitPolicy=continue and Restart=no.
settings() { # WAY
    local way=$1 holder name
    pod_file "$way" set <<<$'[Pod]\nPodName=set\nAddHost=db:192.0.2.7\nDNS=192.0.2.53\nDNSSearch=example.org\nDNSOption=ndots:3\nExitPolicy=continue\nPodmanArgs=--sysctl net.ipv4.ip_unprivileged_port_start=70 --sysctl kernel.msgmax=4321\n[Service]\nRestart=no'
    for name in first other; do way_unit "$way" $name <<<$'[Container]\nImage=localhost/busybox\nContainerName='$name$'\nPod=set.pod\nExec=sleep inf\nStopTimeout=0'; done
    manager "$(way_manager "$way")" start set-pod first other
    for name in first other; do
        contains "$(way_berth "$way" exec $name cat /etc/hosts)" $'192.0.2.7\tdb'
        equal "$(way_berth "$way" exec $name cat /etc/resolv.conf)" $'search example.org\nnameserver 192.0.2.53\noptions ndots:3'
        equal "$(way_berth "$way" exec $name cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax | xargs)" '70 4321'
    done
    holder=$(way_property "$way" set-pod MainPID)
    manager "$(way_manager "$way")" stop first other
    equal "$(way_property "$way" set-pod ActiveState) $(way_property "$way" set-pod MainPID)" "active $holder"
    way_start "$way" first
    equal "$(way_property "$way" set-pod MainPID)" "$holder"
    kill_main "$way" set-pod
    export -f way_property way_manager property manager as
    for name in set-pod first; do wait_for "[[ \$(way_property $way $name ActiveState) = @(failed|inactive) ]]"; done
    equal "$(way_property "$way" set-pod NRestarts) $(way_property "$way" first MainPID)" '0 0'
    gone "$way" set first other
}

# Without --share net each has its own network, without ipc its own /dev/shm; --ipc container: shares that outside of pods.
sharing() {
    local pair
    berth pod create --name some --share uts --hostname shared >/dev/null
    berth pod start some >/dev/null
    pair=$(berth run --rm --pod some --network none localhost/busybox sh -c 'hostname; ls /sys/class/net; df -k /dev/shm | tail -n 1 | xargs | cut -d" " -f2' | xargs)
    equal "$pair" 'shared lo 64000'
    berth pod rm -f -t 0 some >/dev/null
    contains "$(fails_with 125 berth pod create --share net,time x 2>&1)" 'time cannot be shared'
    berth run -d --rm --name owner --ipc shareable --network none --shm-size 1m --stop-timeout 0 localhost/busybox sh -c 'echo mine >/dev/shm/f; exec sleep inf' >/dev/null
    wait_for 'berth exec owner test -s /dev/shm/f'
    equal "$(berth run --rm --ipc container:owner --network none localhost/busybox cat /dev/shm/f)" mine
    berth rm -f owner >/dev/null
}

on_a_network() { # root: a pod in a network, found by its name
    [ -e /etc/resolv.conf ] || { echo 'nameserver 192.0.2.53' >/etc/resolv.conf; trap 'rm /etc/resolv.conf' EXIT; }
    berth network create podnet
    berth pod create --name named --network podnet
    berth pod start named
    berth run -d --rm --name inside --pod named localhost/busybox sh -c 'mkdir /w; echo net >/w/index.html; exec busybox httpd -f -p 80 -h /w'
    equal "$(berth run --rm --network podnet localhost/busybox sh -c 'until wget -T 2 -qO- http://named/; do sleep 0.1; done')" net
    berth pod rm -f -t 0 named
    wait_for '! ls /sys/class/net | grep -q ^berth'
    berth network rm podnet
}

# What a pod has for each of its members; what they say themselves comes after it. `pod logs` is `logs` of all of them.
for_members() { # USER
    local said
    as "$1" berth pod create --name all --network none --infra --infra-image x --device /dev/full:/dev/mine --no-hosts --security-opt no-new-privileges --uts host >/dev/null
    said=$(as "$1" berth run --rm --pod all --name one localhost/busybox sh -c 'hostname; grep NoNewPrivs /proc/self/status; test -c /dev/mine && echo mine; cat /etc/hosts' 2>&1 || true)
    contains "$said" "$(hostname)"$'\nNoNewPrivs:\t1\nmine'
    fails grep -q localhost <<<"$said"
    as "$1" berth run -d --pod all --name first localhost/busybox sh -c 'echo said by first; sleep inf' >/dev/null
    as "$1" berth run -d --pod all --name second --log-driver k8s-file localhost/busybox sh -c 'echo said by second; sleep inf' >/dev/null
    as "$1" berth run -d --pod all --name third --log-driver none localhost/busybox sleep inf >/dev/null
    export -f as
    wait_for "[ \$(as $1 berth pod logs all | wc -l) = 2 ]"
    equal "$(as "$1" berth pod logs all | sort)" $'first said by first\nsecond said by second'
    equal "$(as "$1" berth pod logs --since 1h --tail 1 -c second all)" 'said by second'
    equal "$(as "$1" berth pod logs --until 1h all)" ''
    contains "$(fails_with 125 as "$1" berth pod logs -c fourth all 2>&1)" 'all: it has no container fourth'
    # Who follows has followed everything when the last of them has ended.
    as "$1" timeout 60 berth pod logs --follow all >"followed-$1" &
    wait_for "[ \$(wc -l <followed-$1) = 2 ]"
    as "$1" berth pod rm -f -t 0 all >/dev/null
    wait $!
    equal "$(sort "followed-$1")" $'first said by first\nsecond said by second'
    contains "$(fails_with 125 as "$1" berth pod create --memory 1g x 2>&1)" 'Slice='
}

# Pods as people make them: with their first container, started with a member; all members at once, and all that have ended.
of_a_person() { # USER
    local id name
    as "$1" berth run -d --pod new:made --name first --hostname box -p 127.0.0.1:8199:80 localhost/busybox sleep inf >/dev/null
    id=$(as "$1" berth pod inspect --format '{{.Id}}' made)
    equal "$(as "$1" berth exec first hostname)" box
    contains "$(as "$1" berth pod inspect made)" 8199
    contains "$(fails_with 125 as "$1" berth run -d --pod new:made localhost/busybox true 2>&1)" 'there is a pod of this name'
    as "$1" berth run -d --pod made --name second localhost/busybox sleep 1000 >/dev/null
    equal "$(as "$1" berth pod top made args | sort | xargs)" 'COMMAND sleep 1000 sleep inf'
    equal "$(as "$1" berth pod stats --no-stream --format '{{.Name}}' made | sort | xargs)" 'first second'
    as "$1" berth pause second >/dev/null
    equal "$(as "$1" berth pod pause made)" "$id"
    equal "$(as "$1" berth ps --filter pod=made --filter status=paused --sort names --format '{{.Names}}' | xargs)" 'first second'
    equal "$(as "$1" berth pod unpause --all)" "$id"
    equal "$(as "$1" berth ps --filter status=paused -q)" ''
    contains "$(fails_with 125 as "$1" berth pod prune 2>&1)" '--force'
    equal "$(as "$1" berth pod prune -f)" ''
    as "$1" berth pod stop -t 0 made >/dev/null
    as "$1" berth pod create idle >/dev/null
    as "$1" berth run --rm --pod idle localhost/busybox true
    equal "$(as "$1" berth pod ls --format '{{.Status}}' --filter name=idle)" Running
    as "$1" berth pod rm -f -t 0 idle
    contains "$(as "$1" berth system prune -f)" $'Deleted Pods\n'"$id"
    fails_with 1 as "$1" berth pod exists made
    contains "$(fails_with 125 as "$1" berth pod top idle 2>&1)" 'no such pod'
}

# Members that are there before their pod starts, or after it was stopped; what fails makes no pod.
made_first() { # USER
    local run=(as "$1" berth run --pod new:fresh) name
    running() { as "$1" berth ps --filter "pod=$2" --sort names --format '{{.Names}}' | grep -v infra | xargs; }
    as "$1" berth pod create --name later --network none >/dev/null
    for name in one two; do as "$1" berth create --pod later --name $name --stop-timeout 0 localhost/busybox sleep inf >/dev/null; done
    equal "$(running "$1" later)" ''
    equal "$(as "$1" berth pod start later)" later
    equal "$(running "$1" later)" 'one two'
    equal "$(as "$1" berth pod restart later)" later
    equal "$(running "$1" later)" 'one two'
    as "$1" berth pod stop later >/dev/null
    equal "$(as "$1" berth start two)" two.service
    equal "$(running "$1" later)" two
    # At once.
    for _ in 1 2; do
        as "$1" berth pod stop later >/dev/null
        as "$1" berth start one >/dev/null &
        as "$1" berth start two >/dev/null
        wait $!
        equal "$(running "$1" later)" 'one two'
    done
    as "$1" berth pod rm -f -t 0 later >/dev/null
    contains "$(fails_with 125 "${run[@]}" --network none --memory nonsense localhost/busybox true 2>&1)" nonsense
    contains "$(fails_with 125 "${run[@]}" --network none --pull never localhost/unknown true 2>&1)" localhost/unknown
    contains "$(fails_with 125 "${run[@]}" --ipc host localhost/busybox true 2>&1)" 'belongs to the pod fresh'
    contains "$(fails_with 127 "${run[@]}" --network none -d --name gone localhost/busybox nonsense 2>&1)" nonsense
    fails_with 1 as "$1" berth pod exists fresh
    equal "$(as "$1" berth ps -aq)" ''
    as "$1" berth create --pod new:fresh --network none --name member --stop-timeout 0 localhost/busybox sleep inf >/dev/null
    as "$1" berth start member >/dev/null
    equal "$(running "$1" fresh)" member
    as "$1" berth pod rm -f -t 0 fresh >/dev/null
    equal "$(as "$1" berth ps -aq)" ''
}

bad_input() {
    contains "$(fails_with 125 berth pod create --exit-policy never x 2>&1)" 'use stop or continue'
    contains "$(fails_with 125 berth pod create --name a/b 2>&1)" 'not a name'
    contains "$(fails_with 125 berth pod start nothing 2>&1)" 'no such pod'
    contains "$(fails_with 125 berth pod create --network container:x y 2>&1)" 'not for pods'
    contains "$(fails_with 125 berth run --rm --pod nothing localhost/busybox true 2>&1)" 'no such pod'
    berth pod rm --ignore nothing
}

port=8181
for way in $WAYS; do
    way_load "$way" "$IMAGES/busybox.tar" || exit 1
    check "$way: a pod with two members" pod "$way" $port
    check "$way: the holder's end brings all of them back" holder_dies "$way" $port
    check "$way: the pod's stop takes all along" stops "$way" $port
    check "$way: ExitPolicy=stop" exit_policy "$way"
    check "$way: hosts, resolver and sysctls of a pod, ExitPolicy=continue, Restart=no" settings "$way"
    check "$way: ShmSize=, StartWithPod=, --share pid, logs, Restart= of the pod" of_a_unit "$way"
    port=$((port + 1))
done
for user in root alice; do
    check "$user: a pod by hand" by_hand $user
    check "$user: what a pod has for its members, and what they said" for_members $user
    check "$user: a pod that run makes, and verbs for all of its members" of_a_person $user
    check "$user: members made before their pod starts, and pods that are not made in vain" made_first $user
done
check 'root: a pod in a network of its own' on_a_network
check 'root: pods that share less, containers that share memory' sharing
check 'bad input is one line' bad_input
finish
