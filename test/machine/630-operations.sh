#!/usr/bin/env bash
# What the operations of a start do to volumes, mounts and limits, as root and as an account.
. "$(dirname "$0")/lib.sh"

run() {
    local user=$1
    shift
    as "$user" berth run --rm --network none "$@"
}
prints() {
    local text
    text=$(as "$1" berth --print-ops run --rm --network none --name shown -v fresh:/data localhost/busybox sh -c 'a  b')
    contains "$text" "root-overlay "
    contains "$text" "exec /bin sh -c 'a  b'"
    equal "$(as "$1" berth ps -a -q --filter name=shown)" ''
    equal "$(tail -n 1 <<<"$text")" "exec /bin sh -c 'a  b'"
}
copies_up() { # the volume gets what the image has there, once
    run "$1" -v filled:/etc localhost/busybox sh -c 'test -s /etc/passwd; rm /etc/passwd; echo mine >/etc/mine'
    equal "$(run "$1" -v filled:/etc localhost/busybox sh -c 'cat /etc/mine; test -e /etc/passwd || echo gone')" $'mine\ngone'
}
read_only() {
    local said
    said=$(run "$1" --read-only -v ro:/ro:ro --tmpfs /t localhost/busybox sh -c 'echo x >/x; echo x >/ro/x; echo x >/t/x && echo written' 2>&1)
    contains "$said" '/x: Read-only file system'
    contains "$said" '/ro/x: Read-only file system'
    contains "$said" written
}
takes_over() { # :U
    equal "$(run "$1" --user 33 -v mine:/mine:U localhost/busybox sh -c 'touch /mine/f && stat -c %u /mine /mine/f')" $'33\n33'
}
limits() {
    equal "$(run "$1" --ulimit nofile=100:200 --sysctl net.ipv4.ip_forward=1 --shm-size 1m localhost/busybox \
        sh -c 'ulimit -n; ulimit -Hn; cat /proc/sys/net/ipv4/ip_forward; df -k /dev/shm | tail -n 1 | tr -s " " | cut -d " " -f 2')" $'100\n200\n1\n1024'
}
foreign_sysctl() {
    local said
    said=$(fails_with 125 run "$1" --sysctl kernel.panic=1 localhost/busybox true 2>&1)
    contains "$said" kernel.panic
    equal "$(wc -l <<<"$said")" 1
}
missing_source() {
    local said
    said=$(fails_with 125 run "$1" --mount type=bind,src=/no/such/place,dst=/x localhost/busybox true 2>&1)
    contains "$said" /no/such/place
    equal "$(wc -l <<<"$said")" 1
}
reaper() {
    equal "$(run "$1" --init localhost/busybox sh -c 'cat /proc/1/comm; exit 3' || echo "$?")" $'berth-init\n3'
}
work_directory() {
    equal "$(run "$1" --user 33 --tmpfs /made --workdir /made/here localhost/busybox sh -c 'pwd; stat -c %u .')" $'/made/here\n33'
    local said
    said=$(fails_with 126 run "$1" --workdir /no/where localhost/busybox true 2>&1)
    contains "$said" /no/where
    equal "$(wc -l <<<"$said")" 1
}

id_map() { # owner 0 on the disk is 33 inside, and back
    mkdir -p "$WORK/mapped"
    touch "$WORK/mapped/old"
    chmod 777 "$WORK/mapped"
    equal "$(run root --user 33 -v "$WORK/mapped:/m:idmap=uids=0-33-1;gids=0-33-1" localhost/busybox sh -c 'stat -c %u:%g /m/old; touch /m/new')" 33:33
    equal "$(stat -c %u:%g "$WORK/mapped/new")" 0:0
}
joins() { # root's containers share namespaces by name
    berth run -d --rm --name base --network none --hostname based localhost/busybox sleep 1000 >/dev/null
    contains "$(berth run --rm --network none --pid container:base localhost/busybox ps)" 'sleep 1000'
    fails_with 4 berth run --rm --network none --pid container:base localhost/busybox sh -c 'exit 4'
    equal "$(berth run --rm --network container:base --uts container:base localhost/busybox hostname)" based
    berth stop -t 1 base >/dev/null
}

for who in root alice; do
    as "$who" berth load -q -i "$IMAGES/busybox.tar" >/dev/null
    check "$who: --print-ops shows the list and starts nothing" prints "$who"
    check "$who: a new volume is filled from the image, an old one is not" copies_up "$who"
    check "$who: read-only root and volume, writable tmpfs" read_only "$who"
    check "$who: :U gives a volume to the payload's user" takes_over "$who"
    check "$who: limits, sysctls and the size of /dev/shm" limits "$who"
    check "$who: T6 a sysctl of the host is refused with one line" foreign_sysctl "$who"
    check "$who: a bind mount without a source is one line" missing_source "$who"
    check "$who: the reaper is pid 1 and passes the status on" reaper "$who"
    check "$who: a working directory that is missing is made for the user" work_directory "$who"
    as "$who" sh -c 'berth volume rm fresh filled ro mine >/dev/null 2>&1 || true'
done
as root berth load -q -i "$IMAGES/busybox.tar" >/dev/null
check 'root: a bind mount with an id map of its own' id_map
check 'root: a container joins namespaces of another' joins
finish
