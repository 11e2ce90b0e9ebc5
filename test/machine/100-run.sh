#!/usr/bin/env bash
# `berth run` typed by a person: as root and as an account.
. "$(dirname "$0")/lib.sh"

load() { as "$1" berth load -i "$IMAGES/busybox.tar"; }
runs() { equal "$(as "$1" berth run --rm --network none localhost/busybox echo hello)" hello; }
status_of() { fails_with 7 as "$1" berth run --rm --network none localhost/busybox sh -c 'exit 7'; }
signal_of() {
    rm -f out
    as "$1" berth run --rm --name killed --network none localhost/busybox sh -c 'echo up; exec sleep 1000' >out 2>/dev/null &
    until grep -q up out; do sleep 0.1; done
    as "$1" berth kill -s KILL killed
    fails_with 137 wait $!
}
not_found() {
    local said
    said=$(fails_with 127 as "$1" berth run --rm --network none localhost/busybox no-such-program 2>&1)
    contains "$said" no-such-program
    equal "$(wc -l <<<"$said")" 1
}
not_executable() {
    local said
    said=$(fails_with 126 as "$1" berth run --rm --network none localhost/busybox /etc/passwd 2>&1)
    contains "$said" /etc/passwd
}
no_image() {
    local said
    said=$(fails_with 125 as "$1" berth run --rm --pull=never --network none localhost/absent true 2>&1)
    contains "$said" localhost/absent
    equal "$(wc -l <<<"$said")" 1
}
pid_one() { equal "$(as "$1" berth run --rm --network none localhost/busybox sh -c 'echo $$')" 1; }
input() { equal "$(echo words | as "$1" berth run --rm -i --network none localhost/busybox cat)" words; }
no_input() { equal "$(echo words | as "$1" berth run --rm --network none localhost/busybox cat)" ''; }
errors_apart() {
    equal "$(as "$1" berth run --rm --network none localhost/busybox sh -c 'echo out; echo err >&2' 2>/dev/null)" out
    equal "$(as "$1" berth run --rm --network none localhost/busybox sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)" err
}
reopens() { # as nginx's log files: a link to /dev/stdout, opened by another uid
    equal "$(as "$1" berth run --rm --network none --user 33 localhost/busybox sh -c 'echo logged >/dev/stdout')" logged
}
no_descriptors() {
    local list
    list=$(as "$1" berth run --rm --network none localhost/busybox sh -c 'ls /proc/self/fd' | tr '\n' ' ')
    equal "$list" '0 1 2 3 ' # 3 is the directory that ls reads
}
name_in_use() {
    as "$1" berth run -d --rm --name twice --network none localhost/busybox sleep 1000 >/dev/null
    local said
    said=$(fails_with 125 as "$1" berth run --rm --name twice --network none localhost/busybox true 2>&1)
    contains "$said" 'in use'
    # What cannot start replaces nothing.
    for wrong in -d --interactive; do
        fails_with 125 as "$1" berth run --rm $wrong --replace --name twice --network none --user nosuch localhost/busybox true
        fails_with 125 as "$1" berth run --rm $wrong --replace --name twice --network none --pull never localhost/nowhere true
    done
    equal "$(as "$1" berth ps -q --filter name=twice | wc -l)" 1
    equal "$(as "$1" berth run --rm --replace --name twice --network none localhost/busybox echo replaced)" replaced
    equal "$(as "$1" berth ps -a -q --filter name=twice)" ''
}
earlier_boot() { # what a container of --rm had when the power went is found, whatever its name was
    local store=/var/lib/berth runtime=/run/berth other kind
    [ "$1" = root ] || store=/home/$1/.local/share/berth runtime=/run/user/$(id -u "$1")/berth
    for kind in true false; do
        as "$1" berth run --name "lost-$kind" --network none localhost/busybox sh -c 'mkdir /d; chown 5:5 /d; chmod 700 /d'
        other=$store/containers/lost-$kind/container.json
        sed -i "s/\"boot\":\"[^\"]*\",\"remove\":false/\"boot\":\"another\",\"remove\":$kind/" "$other"
        grep -q "another.*$kind" "$other"
        rm -r "$runtime/containers/lost-$kind"
    done
    rm -f "$runtime/swept"
    as "$1" berth run --rm --network none localhost/busybox true
    equal "$(ls -A "$store/containers")" lost-false
    as "$1" berth rm lost-false
    emptied "$store/containers"
}
drivers() { # in the foreground its output is ours, whatever is kept of it
    equal "$(as "$1" berth run --rm --network none --log-driver none localhost/busybox sh -c 'echo out; echo err >&2' 2>&1 | sort)" $'err\nout'
    equal "$(as "$1" berth run --rm --network none --log-driver k8s-file --log-opt path=/tmp/kept-"$1" localhost/busybox echo both)" both
    equal "$(cut -d' ' -f2- /tmp/kept-"$1")" 'stdout F both'
    as "$1" berth run -d --name mute --network none --log-driver none localhost/busybox sh -c 'echo never-kept; exec sleep 1000' >/dev/null
    as "$1" berth rm -f -t 0 mute >/dev/null
    journalctl --sync
    equal "$(journalctl -q -o cat --grep never-kept || true)" ''
    rm "/tmp/kept-$1"
}
other_platform() {
    contains "$(fails_with 125 as "$1" berth run --rm --platform linux/arm64 --pull never localhost/busybox true 2>&1)" 'it is for linux/amd64'
    as "$1" berth run --rm --platform linux/amd64 --pull never --network none localhost/busybox true
}
leaves_no_file() {
    local store runtime locks
    store=/var/lib/berth runtime=/run/berth
    [ "$1" = root ] || store=/home/$1/.local/share/berth runtime=/run/user/$(id -u "$1")/berth
    locks=$(find "$store/locks" -name 'container-*' | sort)
    as "$1" berth run --rm --network none localhost/busybox sh -c 'mkdir /d; touch /d/f; chown 5:5 /d; chmod 700 /d'
    equal "$(ls -A "$store/containers")" ''
    equal "$(find "$store/locks" -name 'container-*' | sort)" "$locks"
    equal "$(ls -A "$runtime/containers")" ''
    emptied "$store/tmp"
}

for who in root alice; do
    check "$who: the image is loaded" load "$who"
    check "$who: a command runs and its output arrives" runs "$who"
    check "$who: its exit status is ours" status_of "$who"
    check "$who: a signal is 128 + N" signal_of "$who"
    check "$who: a program that does not exist is 127 and one line" not_found "$who"
    check "$who: a file that is no program is 126" not_executable "$who"
    check "$who: an image that is not there is 125 and one line" no_image "$who"
    check "$who: the payload is pid 1 of its namespace" pid_one "$who"
    check "$who: -i hands standard input on" input "$who"
    check "$who: without -i standard input is empty" no_input "$who"
    check "$who: standard output and error stay apart" errors_apart "$who"
    check "$who: drivers of the log, in the foreground and behind it" drivers "$who"
    check "$who: an image of another platform is not run unasked" other_platform "$who"
    check "$who: another uid can open /dev/stdout anew" reopens "$who"
    check "$who: T2: no descriptor above 2 reaches the payload" no_descriptors "$who"
    check "$who: a name in use is refused, and replaced when asked" name_in_use "$who"
    check "$who: what the power cut off is removed after the next boot" earlier_boot "$who"
    check "$who: --rm leaves nothing, also of other ids" leaves_no_file "$who"
done
finish
