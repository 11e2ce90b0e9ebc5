#!/usr/bin/env bash
# Inside the virtual machine of power.sh: first looks whether all is well after the last cut, then changes stores until the next one.
#   power-in-vm.sh KEPT-ROOT KEPT-ALICE      numbers that the volumes must have reached
. "$(dirname "$0")/lib.sh"
store_of() { if [ "$1" = root ]; then echo /var/lib/berth; else echo "/home/$1/.local/share/berth"; fi; }
busybox() { as "$1" berth run --rm --network none "${@:2}"; }

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
[ "$failures" = 0 ] || { echo '@@ unsound'; exit 1; }
echo '@@ sound'
work root "$1" &
work alice "$2"
