#!/usr/bin/env bash
# `--volumes-from`: the binds and volumes of another container, as a backup of it takes them.
. "$(dirname "$0")/lib.sh"
MOUNTS=' (/x|/data|/anon|/declared|/t) '

source_of() { # WHO: with a bind, a named and an anonymous volume, one that the image declares, and what is not shared
    as "$1" sh -c 'mkdir -p /tmp/of-$(id -un)/x && echo bound >/tmp/of-$(id -un)/x/file'
    as "$1" sh -c 'berth run -d --name of --network none --stop-timeout 0 --tz Europe/Berlin --tmpfs /t -v /tmp/of-$(id -un)/x:/x:ro -v data:/data -v /anon \
        localhost/declares sh -c "echo named >/data/file; echo nameless >/anon/file; echo declared >/declared/file; exec sleep 1000"' >/dev/null
    as "$1" timeout 30 sh -c 'until berth exec of test -s /declared/file; do sleep 0.1; done'
}
seen() { # WHO OPTION…: what lies where, and whether it can be written
    as "$1" berth run --rm --network none "${@:2}" localhost/busybox sh -c \
        'cat /x/file /data/file /anon/file /declared/file; grep -E "'"$MOUNTS"'" /proc/mounts | while read -r _ at _ how _; do echo "$at ${how%%,*}"; done | sort'
}
all() {
    source_of "$1"
    equal "$(seen "$1" --volumes-from of)" $'bound\nnamed\nnameless\ndeclared\n/anon rw\n/data rw\n/declared rw\n/x ro'
    equal "$(seen "$1" --volumes-from of:ro | tail -4)" $'/anon ro\n/data ro\n/declared ro\n/x ro'
    as "$1" sh -c 'mkdir -p /tmp/of-$(id -un)/own && echo own >/tmp/of-$(id -un)/own/file'
    # shellcheck disable=SC2016 # the account's shell
    equal "$(as "$1" sh -c 'berth run --rm --network none --volumes-from of -v /tmp/of-$(id -un)/own:/x localhost/busybox cat /x/file /data/file')" $'own\nnamed'
    equal "$(as "$1" berth inspect --format '{{range .Mounts}}{{.Destination}} {{end}}' of | tr ' ' '\n' | sort | xargs)" '/anon /data /declared /x'
}
ended() { # and one that has ended; what is anonymous stays while somebody has it
    as "$1" berth stop of >/dev/null
    equal "$(seen "$1" --volumes-from of | head -4)" $'bound\nnamed\nnameless\ndeclared'
    as "$1" berth run -d --name heir --network none --stop-timeout 0 --volumes-from of localhost/busybox sleep 1000 >/dev/null
    as "$1" berth rm -f -v of >/dev/null
    equal "$(as "$1" berth exec heir cat /data/file /anon/file /declared/file)" $'named\nnameless\ndeclared'
    as "$1" berth restart -q heir
    as "$1" berth stop heir >/dev/null
    as "$1" berth start -q heir
    equal "$(as "$1" berth exec heir cat /data/file /anon/file /declared/file)" $'named\nnameless\ndeclared'
    as "$1" berth rm -f -v heir >/dev/null
    as "$1" berth volume rm -f data >/dev/null
    equal "$(as "$1" berth volume ls -q)" ''
}
wrong() {
    contains "$(fails_with 125 as "$1" berth run --rm --volumes-from nobody localhost/busybox true 2>&1)" 'nobody: no such container'
    contains "$(fails_with 125 as "$1" berth run --rm --volumes-from of:rx localhost/busybox true 2>&1)" 'rx is not one of ro, rw and z'
    contains "$(fails_with 125 as "$1" berth run --rm --volumes-from ../x localhost/busybox true 2>&1)" 'not the name or id'
}

for who in root alice; do
    as "$who" berth load -q -i "$IMAGES/busybox.tar" >/dev/null
    as "$who" sh -c 'berth run -d --name seed --network none --stop-timeout 0 localhost/busybox sleep 1000 && berth commit -q -c "VOLUME /declared" seed localhost/declares && berth rm -f seed' >/dev/null
    check "$who: --volumes-from takes binds and volumes, and nothing else" all "$who"
    check "$who: --volumes-from of what has ended, and is removed" ended "$who"
    check "$who: --volumes-from of nobody, and with what is no option" wrong "$who"
    as "$who" berth rmi localhost/declares >/dev/null
    rm -rf "/tmp/of-$who"
done
finish
