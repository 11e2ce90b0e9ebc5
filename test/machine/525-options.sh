#!/usr/bin/env bash
# Options of `podman run` in each way: what they mean there they mean here.
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/machine/ways.sh
. "$TESTS/ways.sh"

for who in root alice; do as $who berth load -q -i "$IMAGES/busybox.tar" >/dev/null; done
berth run --replace --name made --network none localhost/busybox true
berth commit -q -c 'EXPOSE 8080 81-82/udp' -c 'ENV hello=world PATH=/bin' made localhost/exposes >/dev/null
berth rm made >/dev/null
berth save -q -o "$WORK/exposes.tar" localhost/exposes
chmod 644 "$WORK/exposes.tar"
for way in $WAYS; do way_load "$way" "$WORK/exposes.tar" >/dev/null; done

# `PORT/PROTOCOL` of what is published, sorted; each on a port of the host of its own.
published() { # TEXT OF berth port
    [ "$(sed 's/.*://' <<<"$1" | sort -u | wc -l)" = "$(wc -l <<<"$1")" ] && fails grep -q ':0$' <<<"$1" || return
    cut -d' ' -f1 <<<"$1" | sort | tr '\n' ' '
}

all_published() { # WAY
    local unit="all-$1" ports
    way_unit "$1" "$unit" <<'U'
[Container]
Image=localhost/exposes
Exec=sh -c 'echo served | nc -l -p 8080; exec sleep 100'
ExposeHostPort=99
PodmanArgs=-P
U
    way_start "$1" "$unit"
    ports=$(way_berth "$1" port "$unit")
    equal "$(published "$ports")" '8080/tcp 81/udp 82/udp 99/tcp '
    contains "$(way_berth "$1" ps)" '->8080/tcp'
    contains "$(way_berth "$1" inspect --format '{{json .NetworkSettings.Ports}}' "$unit")" '"81/udp":[{"HostIp":"0.0.0.0","HostPort":"'
    equal "$(timeout 5 bash -c 'cat </dev/tcp/127.0.0.1/$0' "$(sed -n 's/^8080.*://p' <<<"$ports")")" served
    way_end "$1" "$unit"
}
each_way '--publish-all publishes what the image and --expose name' all_published

published_by_hand() { # USER
    as "$1" berth run -d --rm --name all -P -p 127.0.0.1:9393:8080 localhost/exposes sleep 100 >/dev/null
    equal "$(published "$(as "$1" berth port all)")" '8080/tcp 81/udp 82/udp '
    equal "$(as "$1" berth port all 8080)" 127.0.0.1:9393
    as "$1" berth rm -f -t 0 all >/dev/null
    # Where the container has no ports of its own it is passed over, as Podman does.
    as "$1" berth run --rm -P --network none localhost/exposes true
    as "$1" berth run --rm -P --network host localhost/exposes true
    as "$1" berth pod create all-pod >/dev/null
    contains "$(fails_with 125 as "$1" berth run --pod all-pod -P localhost/exposes true 2>&1)" '--publish-all: belongs to the pod all-pod'
    as "$1" berth pod rm all-pod >/dev/null
}
for who in root alice; do check "$who: --publish-all typed by a person" published_by_hand $who; done

labelled() { # WAY
    local unit="labelled-$1"
    printf '# of a file\na=file\nb=x y\n' >"$WORK/labels-$1"
    chmod 644 "$WORK/labels-$1"
    way_unit "$1" "$unit" <<U
[Container]
Image=localhost/exposes
Exec=sh -c 'env; exec sleep 100'
Label=a=key
PodmanArgs=--label-file $WORK/labels-$1 --env-merge 'hello=\$\${hello}-some'
U
    way_start "$1" "$unit"
    equal "$(way_berth "$1" inspect --format '{{index .Config.Labels "a"}} {{index .Config.Labels "b"}}' "$unit")" 'key x y'
    way_stop "$1" "$unit"
    contains "$(way_journal "$1" "$unit")" hello=world-some
    way_end "$1" "$unit"
}
each_way '--label-file and --env-merge in a unit' labelled

by_hand() { # USER
    local run=(berth run --rm --network none) shown
    printf 'a=file\nHOME\n' >"$WORK/labels"
    as "$1" "${run[@]}" -d --name l --label b=2 --label-file "$WORK/labels" localhost/exposes sleep 100 >/dev/null
    equal "$(as "$1" berth inspect --format '{{index .Config.Labels "a"}} {{index .Config.Labels "b"}} {{index .Config.Labels "HOME"}}' l)" \
        "file 2 $(as "$1" printenv HOME)"
    # The file is for its owner: its values stand nowhere that others can read.
    shown=$(manager "$1" show l.service -p ExecStart,Environment --value)
    contains "$shown" localhost/exposes
    fails grep -e '=file' -e "=$(as "$1" printenv HOME)" <<<"$shown"
    as "$1" berth rm -f -t 0 l >/dev/null
    as "$1" berth run -d --name l --network none --stop-timeout 0 --env-host --label-file "$WORK/labels" localhost/exposes sleep 100 >/dev/null
    fails grep -e BERTH_LABEL -e BERTH_CONTAINER_ID <<<"$(as "$1" berth exec l env)"
    mv "$WORK/labels" "$WORK/labels.away"
    as "$1" berth stop l >/dev/null
    as "$1" berth start l >/dev/null
    mv "$WORK/labels.away" "$WORK/labels"
    equal "$(as "$1" berth inspect --format '{{index .Config.Labels "a"}} {{index .Config.Labels "HOME"}}' l)" "file $(as "$1" printenv HOME)"
    as "$1" berth rm -f -t 0 l >/dev/null
    contains "$(as "$1" "${run[@]}" --env-merge 'hello=${hello}-some' --env-merge 'z=${hello}' localhost/exposes env)" $'hello=world-some\n'
    equal "$(as "$1" "${run[@]}" --unsetenv-all -e A=1 --hostname h localhost/exposes /bin/env | sort)" $'A=1\nHOME=/root\nHOSTNAME=h'
    contains "$(fails_with 125 as "$1" "${run[@]}" --dns 1.1.1.1 localhost/exposes true 2>&1)" 'no effect with --network none'
}
for who in root alice; do check "$who: --label-file, --env-merge and --unsetenv-all typed by a person" by_hand $who; done

pod_id() { # USER
    local file
    file=$(as "$1" mktemp -u /var/tmp/pod.XXXXXX)
    as "$1" berth pod create --label-file "$WORK/labels" --pod-id-file "$file" -p 80 idp >/dev/null
    contains "$(as "$1" berth pod inspect idp)" "\"Id\": \"$(cat "$file")\""
    contains "$(fails_with 125 as "$1" berth pod create --pod-id-file "$file" other 2>&1)" 'the file is there'
    contains "$(as "$1" berth pod inspect idp)" '"a": "file"'
    as "$1" berth pod start --pod-id-file "$file" >/dev/null
    fails grep -q ':0$' <<<"$(as "$1" berth port idp-infra)"
    as "$1" berth run -d --pod-id-file "$file" --name member localhost/exposes sleep 100 >/dev/null
    equal "$(as "$1" berth inspect --format '{{.Pod}}' member)" idp
    contains "$(fails_with 125 as "$1" berth run --pod-id-file /nonexistent localhost/exposes true 2>&1)" 'no such file'
    as "$1" berth pod stop -t 0 --pod-id-file "$file" >/dev/null
    # Started again when the file is gone: the unit has the pod itself.
    as "$1" berth pod start idp >/dev/null
    as "$1" mv "$file" "$file.away"
    as "$1" berth start member >/dev/null
    # A file that cannot be written: nothing has happened to the pod of before.
    contains "$(fails_with 125 as "$1" berth pod create --replace --pod-id-file /no/such/dir/x idp 2>&1)" /no/such/dir/x
    equal "$(as "$1" berth pod inspect idp --format '{{.Id}} {{.State}}')" "$(cat "$file.away") Running"
    fails_with 125 as "$1" berth pod create --pod-id-file /no/such/dir/x other 2>/dev/null
    fails_with 1 as "$1" berth pod exists other
    as "$1" berth pod rm -f -t 0 --pod-id-file "$file.away" >/dev/null
    # As with --cidfile of containers.
    contains "$(fails_with 125 as "$1" berth pod rm -f --pod-id-file "$file" 2>&1)" 'no such file'
    equal "$(as "$1" berth pod rm -f --ignore --pod-id-file "$file")" ''
    equal "$(as "$1" berth pod stop --ignore --pod-id-file "$file")" ''
    equal "$(as "$1" berth pod ls -q)" ''
    rm "$file.away"
}
for who in root alice; do check "$who: --pod-id-file of pod create, run, pod start, stop and rm" pod_id $who; done

latest() { # USER
    local run=(berth run -d --network none)
    as "$1" "${run[@]}" --name older localhost/exposes sleep 100 >/dev/null
    sleep 1.1 # the times are of whole seconds
    as "$1" "${run[@]}" --name newer localhost/exposes sh -c 'echo said; exec sleep 100' >/dev/null
    equal "$(as "$1" berth ps -lq --no-trunc)" "$(as "$1" berth inspect --format '{{.Id}}' newer)"
    equal "$(as "$1" berth exec -l hostname)" newer
    equal "$(as "$1" berth inspect -l --format '{{.Name}}')" newer
    contains "$(as "$1" berth top -l pid args)" 'sleep 100'
    equal "$(as "$1" berth port -l)" ''
    contains "$(as "$1" berth stats -l --no-stream)" newer
    contains "$(fails_with 125 as "$1" berth stop -l older 2>&1)" '--latest and names of containers exclude each other'
    contains "$(fails_with 125 as "$1" berth exec -l 2>&1)" 'needs more operands'
    journalctl --sync
    equal "$(as "$1" berth logs -l)" said
    equal "$(as "$1" berth stop -l -t 0)" newer
    as "$1" berth start -l >/dev/null
    equal "$(as "$1" berth kill -l)" newer
    as "$1" berth wait -l >/dev/null
    # It ran last, but it was made first.
    as "$1" berth restart older >/dev/null
    equal "$(as "$1" berth rm -f -t 0 -l)" newer
    equal "$(as "$1" berth rm -f -t 0 -l)" older
    contains "$(fails_with 125 as "$1" berth exec -l true 2>&1)" '--latest: there is no container'
    equal "$(as "$1" berth ps -lq)" ''
}
for who in root alice; do check "$who: --latest is the container made last" latest $who; done

names() { # USER
    local run=(berth run --rm --network none)
    equal "$(as "$1" "${run[@]}" --user 1234:99 --passwd-entry '$USERNAME:x:$UID:$GID:hi:$HOME:/bin/sh' \
        --group-entry 'many:x:$GID:$USERLIST' localhost/exposes sh -c 'tail -n 1 /etc/passwd; tail -n 1 /etc/group; id -gn')" \
        $'1234:x:1234:99:hi:/:/bin/sh\nmany:x:99:1234\nmany'
    equal "$(as "$1" "${run[@]}" --hostuser bob --hostuser 990 --user bob localhost/exposes sh -c 'id -u; tail -n 2 /etc/passwd | cut -d: -f1-3')" \
        $'1001\nbob:*:1001\nsvc:*:990'
    contains "$(fails_with 125 as "$1" "${run[@]}" --hostuser nosuch localhost/exposes true 2>&1)" '--hostuser nosuch: there is no such user'
}
for who in root alice; do check "$who: --passwd-entry, --group-entry and --hostuser" names $who; done

timed() { # USER
    local run=(berth run --network none --timeout 1) began=$SECONDS
    fails_with 255 as "$1" "${run[@]}" --rm localhost/exposes sh -c 'trap "" TERM; sleep 100; sleep 100'
    fails_with 255 as "$1" "${run[@]}" --name late --log-driver passthrough localhost/exposes sleep 100
    equal "$(as "$1" berth inspect --format '{{.State.ExitCode}}' late)" 255
    as "$1" berth rm late >/dev/null
    fails_with 255 as "$1" script -qec "${run[*]} --rm -t localhost/exposes sleep 100" /dev/null
    as "$1" "${run[@]}" --rm localhost/exposes true
    as "$1" "${run[@]}" -d --name late localhost/exposes sleep 100 >/dev/null
    equal "$(as "$1" berth wait late)" 137
    as "$1" berth rm late >/dev/null
    [ $((SECONDS - began)) -lt 60 ]
}
for who in root alice; do check "$who: --timeout typed by a person" timed $who; done

timed_unit() { # WAY
    local unit="timed-$1"
    way_unit "$1" "$unit" <<'U'
[Container]
Image=localhost/exposes
Network=none
Exec=sh -c 'trap "" TERM; echo begun; sleep 100; sleep 100'
PodmanArgs=--timeout 1
U
    way_start "$1" "$unit"
    for _ in $(seq 100); do
        [ "$(way_property "$1" "$unit" ActiveState)" != failed ] || break
        sleep 0.1
    done
    equal "$(way_property "$1" "$unit" Result)" signal
    contains "$(way_journal "$1" "$unit")" $'begun\n'
    contains "$(way_journal "$1" "$unit")" 'the time that --timeout allows is over'
    way_end "$1" "$unit"
}
each_way '--timeout in a unit' timed_unit

image_gone() { # USER
    local run=(berth run --rmi --network none)
    as "$1" berth tag localhost/exposes localhost/gone
    as "$1" "${run[@]}" localhost/gone true
    fails_with 1 as "$1" berth image exists localhost/gone
    as "$1" berth image exists localhost/exposes
    # Another container uses it; the command was not found: it stays.
    as "$1" berth run -d --name user --network none localhost/exposes sleep 100 >/dev/null
    contains "$(as "$1" "${run[@]}" localhost/exposes true 2>&1)" 'warning: --rmi: '
    fails_with 127 as "$1" "${run[@]}" localhost/exposes no-such
    as "$1" berth rm -f -t 0 user >/dev/null
    as "$1" berth image exists localhost/exposes
    as "$1" berth tag localhost/exposes localhost/gone
    as "$1" "${run[@]}" -d --name short localhost/gone sleep 1 >/dev/null
    for _ in $(seq 100); do
        as "$1" berth image exists localhost/gone || break
        sleep 0.1
    done
    fails_with 1 as "$1" berth image exists localhost/gone
    equal "$(as "$1" berth ps -aq)" ''
    contains "$(fails_with 125 as "$1" "${run[@]}" --rm=false localhost/exposes true 2>&1)" '--rmi removes the container, too'
}
for who in root alice; do check "$who: --rmi" image_gone $who; done

finish
