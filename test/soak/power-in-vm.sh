#!/usr/bin/env bash
# Inside the virtual machine of power.sh: first looks whether all is well after the last cut, then changes stores until the next one.
#   power-in-vm.sh KEPT-ROOT KEPT-ALICE      numbers that the volumes must have reached
. "$(dirname "$0")/lib.sh"
store_of() { if [ "$1" = root ]; then echo /var/lib/berth; else echo "/home/$1/.local/share/berth"; fi; }
busybox() { as "$1" berth run --rm --network none "${@:2}"; }

# A registry that outlives the cuts, filled once, and a slow line to it.
APP=127.0.0.1:5056/team/app:1
registry() {
    local data=/srv/state/registry
    printf '[[registry]]\nlocation = "127.0.0.1:%s"\ninsecure = true\n' 5055 5056 >/etc/containers/registries.conf.d/power.conf
    printf 'version: 0.1\nlog: {level: warn}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:5055"}\n' $data/data >/run/registry.yml
    systemd-run -q --unit registry docker-registry serve /run/registry.yml
    systemd-run -q --unit slow python3 "$TESTS/registry-slow.py" 5056 5055 1000000
    curl -sf --retry 60 --retry-connrefused --retry-delay 1 -o /dev/null http://127.0.0.1:5056/v2/
    [ ! -e $data/sum ] || return 0
    berth load -q -i "$IMAGES/busybox.tar" >/dev/null
    berth run --name app --network none localhost/busybox sh -c 'dd if=/dev/urandom of=/noise bs=1M count=12 2>/dev/null; sha256sum /noise' >/srv/state/new
    berth commit -q app localhost/app >/dev/null
    berth push -q localhost/app 127.0.0.1:5055/team/app:1
    berth rm app >/dev/null
    berth rmi -f localhost/app >/dev/null
    sync
    mv /srv/state/new $data/sum
    sync
}

pulled() { # What a cut left of a layer is gone on with, and what comes is the image.
    local kept
    kept=$(find "$(store_of alice)" -path '*partial*' -type f -size +0 | wc -l)
    [ "$kept" = 0 ] || echo "@@ in a pull: $kept layers were on their way" >/dev/ttyS1
    as alice berth pull -q $APP >/dev/null
    equal "$(busybox alice $APP sha256sum /noise)" "$(cat /srv/state/registry/sum)"
    contains "$(as alice berth system check)" 'nothing wrong'
    as alice berth rmi -f $APP >/dev/null
}

pulls() { # Until the power goes, too.
    while :; do
        as alice berth pull -q $APP >/dev/null && as alice berth rmi -f $APP >/dev/null
    done
}

sound() { # USER KEPT
    local user=$1 image
    contains "$(as "$user" berth system check)" 'nothing wrong'
    for image in $(as "$user" berth images -q --no-trunc); do equal "$(busybox "$user" "$image" echo up)" up; done
    as "$user" berth load -q -i "$IMAGES/busybox.tar" >/dev/null
    equal "$(busybox "$user" --name left localhost/busybox echo up)" up
    local n
    n=$(busybox "$user" -v kept:/data localhost/busybox sh -c 'cat /data/n 2>/dev/null || echo 0')
    [ "$n" -ge "$2" ] || { echo "the volume has $n, $2 were acknowledged"; return 1; }
    # What the cut left: nothing but what is in use.
    equal "$(ls -A "$(store_of "$user")/tmp")" ''
    equal "$(ls -A "$(store_of "$user")/containers")" ''
}

work() { # USER: until the power goes
    local user=$1 n=$2 round
    for ((round = 0; ; round++)); do
        n=$((n + 1))
        busybox "$user" -v kept:/data localhost/busybox sh -c "echo $n >/data/new && sync /data/new && mv /data/new /data/n && sync /data" &&
            echo "@@ kept $user $n"
        case $((round % 5)) in
        0) as "$user" berth load -q -i "$IMAGES/hello.tar" >/dev/null ;;
        1) as "$user" berth import "$IMAGES/rootfs.tar" "other:$round" >/dev/null ;;
        2) as "$user" berth run --name left --replace --network none localhost/busybox sh -c 'mkdir -p /d/e; echo x >/d/e/f' ;;
        3) as "$user" berth tag localhost/busybox "t$round" ;;
        4) as "$user" berth rmi -f "other:$((round - 3))" "t$((round - 1))" >/dev/null && as "$user" berth image prune -f >/dev/null ;;
        esac
    done
}

check 'root: all is well' sound root "$1"
check 'alice: all is well' sound alice "$2"
check 'the registry serves' registry
check 'alice: a pull that the cut ended' pulled
[ "$failures" = 0 ] || { echo '@@ unsound'; exit 1; }
echo '@@ sound'
work root "$1" &
pulls &
work alice "$2"
