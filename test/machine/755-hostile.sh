#!/usr/bin/env bash
# Volumes, secrets and pods in the hands of a hostile payload or image: links in volumes and in the image, secrets looked for everywhere,
# neighbours. Each check carries the id of its row in the list of threats; what it watches over lies in OUTSIDE.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"
OUTSIDE=/var/tmp/outside
UP=../../../../../../../../../../..

run() { # WAY WORD…
    local way=$1
    shift
    way_berth "$way" run --rm --network none "$@"
}

# What nobody may touch: names, owners, modes, contents.
outside() { find $OUTSIDE -printf '%P %U:%G %m %l\n' | sort; cat $OUTSIDE/file; }
untouched() { equal "$(outside)" "$watched"; }

# in_pod WAY WORD…: the same as a member of a pod.
in_pod() {
    local way=$1
    shift
    way_berth "$way" run --rm --pod hostile "$@"
}
# Who is svc has no manager to start a pod with.
hows() { if [ "$1" = svc ]; then echo run; else echo run in_pod; fi; }
refused() { contains "$(fails_with 125 "$@" 2>&1)" 'the links of /proc lead out of the root'; }
pod_up() { way_berth "$1" pod create --name hostile --network none >/dev/null && way_berth "$1" pod start hostile >/dev/null; }

# A volume whose payload leaves links that lead out: by an absolute path, by climbing, through /proc.
trap_volume() { # WAY
    way_berth "$1" volume rm -f trap >/dev/null 2>&1 || :
    run "$1" -v trap:/v localhost/busybox sh -c "ln -s $OUTSIDE /v/absolute; ln -s $UP$OUTSIDE /v/climbs; ln -s /proc/1/root$OUTSIDE /v/magic; ln -s $OUTSIDE/file /v/file; ln -s $UP$OUTSIDE/new /v/dangles; mkdir /v/held /v/real"
}

# T3: the place of a mount, of a file, of a tmpfs and of a secret is a link of the payload's: they are where it leads to inside. A member of a
# pod is no way round.
mount_places() {
    local way=$1 how link
    for how in $(hows "$way"); do
        for link in absolute climbs; do
            equal "$($how "$way" -v trap:/v -v other:/v/$link/volume --mount type=bind,src="$WORK/mark",dst=/v/$link/file --tmpfs /v/$link/memory --secret marker,target=/v/$link/secret \
                localhost/busybox sh -c "cat /v/$link/file /v/$link/secret; echo; ls $OUTSIDE" | xargs)" "mark $MARKER file memory secret volume"
        done
        refused $how "$way" -v trap:/v -v other:/v/magic/made localhost/busybox true
        equal "$($how "$way" -v trap:/v --mount type=bind,src="$WORK/mark",dst=/v/file --mount type=bind,src="$WORK/mark",dst=/v/dangles localhost/busybox cat /v/file /v/dangles)" $'mark\nmark'
        untouched
    done
}

# T3: the place is exchanged for a link and back all the time while another container starts on the same volume.
exchanged() {
    local way=$1 round good=0 status
    printf '%s\n' 'cd /v; mkdir -p real; n=0' 'while :; do mv -T real place 2>/dev/null; mv -T place real; ln -sfn '"$UP$OUTSIDE"' place; rm -f place; n=$((n + 1)); echo $n >rounds.new; mv rounds.new rounds; done' >"$WORK/swap.sh"
    way_unit "$way" swapper <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nVolume=trap:/v\nVolume='"$WORK"$'/swap.sh:/swap.sh:ro\nExec=sh /swap.sh\nStopTimeout=0'
    way_start "$way" swapper
    for ((round = 0; round < 200 && (round < 12 || good == 0); round++)); do
        status=0
        run "$way" -v trap:/v -v other:/v/place/made localhost/busybox sh -c 'echo ours >/v/place/made/ours; echo ours >/v/real/made/ours; true' >"$WORK/said" 2>&1 || status=$?
        case $status in
        0) good=$((good + 1)) ;;
        125) grep -q '^berth: bind /v/place/made: ' "$WORK/said" || { cat "$WORK/said"; return 1; } ;;
        *) cat "$WORK/said"; return 1 ;;
        esac
    done
    [ "$good" -gt 0 ]
    [ "$(run "$way" -v trap:/v localhost/busybox cat /v/rounds)" -gt 50 ]
    way_gone "$way" swapper
    untouched
}

# T15: a working directory through a link of a volume; T3: :U gives nothing to the payload that a link leads to.
owners() {
    local way=$1 how link
    for how in $(hows "$way"); do
        for link in absolute climbs dangles; do $how "$way" -v trap:/v --workdir "/v/$link/made" localhost/busybox true; done
        refused $how "$way" -v trap:/v --workdir /v/magic/made localhost/busybox true
        $how "$way" -v trap:/v --user 33 --workdir /v/absolute localhost/busybox true
        $how "$way" -v trap:/v:U --user 33:33 localhost/busybox true
        equal "$($how "$way" -v trap:/v localhost/busybox stat -c %u:%g /v /v/held /v/absolute | xargs)" '33:33 33:33 33:33'
        $how "$way" -v trap:/v:U localhost/busybox true
        untouched
    done
}

# T3: of a source in another one that the payload writes it exchanges the path: what that leads to is neither given away nor mounted.
nested_sources() {
    local way=$1 how app=$WORK/app-$1 words
    mkdir -p "$app/var/outside"
    chown -R "$way:" "$app"
    words=(-v "$app:/app" -v "$app/var/outside:/logs:U" --user 33:33)
    way_berth "$way" volume create --opt type=none --opt o=bind --opt "device=$app/var/outside" "part-$way"
    for how in $(hows "$way"); do
        equal "$($how "$way" "${words[@]}" localhost/busybox stat -c %u /logs)" 33
        $how "$way" -v "$app:/app" localhost/busybox sh -c "mv /app/var /app/old; ln -s ${OUTSIDE%/*} /app/var"
        contains "$(fails_with 125 $how "$way" "${words[@]}" localhost/busybox true 2>&1)" 'a link does not lead out'
        contains "$(fails_with 125 $how "$way" -v "$app:/app" -v "$app/var/outside:/logs:ro" localhost/busybox true 2>&1)" "it is $OUTSIDE (a link does not lead out"
        contains "$(fails_with 125 $how "$way" -v "$app:/app" --mount type=volume,src=part-$way,dst=/logs,subpath=. localhost/busybox true 2>&1)" 'a link does not lead out'
        contains "$(fails_with 125 $how "$way" --runtime crun -v "$app:/app" -v "$app/var/outside:/logs" localhost/busybox true 2>&1)" 'another runtime would follow links'
        untouched
        $how "$way" -v "$app:/app" localhost/busybox sh -c 'rm /app/var; ln -s old /app/var'
        equal "$($how "$way" "${words[@]}" localhost/busybox stat -c %u /logs)" 33
        # an absolute link that stays inside
        $how "$way" -v "$app:/app" localhost/busybox sh -c "echo 3 >/app/old/release; rm /app/var; ln -s $app/old /app/var"
        equal "$($how "$way" -v "$app:/app" -v "$app/var:/logs" localhost/busybox cat /logs/release)" 3
        $how "$way" -v "$app:/app" localhost/busybox sh -c 'rm /app/var; mv /app/old /app/var'
    done
    way_berth "$way" volume rm "part-$way"
    rm -rf "$app"
}

# An image whose places for volumes, secrets and its working directory are links that lead out.
hostile_image() { # WAY
    local way=$1 image=$WORK/image
    [ -d "$image" ] || {
        mkdir "$image" && tar -C "$image" -xf "$IMAGES/rootfs.tar"
        ln -s "$UP$OUTSIDE" "$image/data"
        mkdir "$image/tree" && ln -s $OUTSIDE "$image/tree/link" && ln -s "$UP$OUTSIDE/file" "$image/tree/file"
        mkdir -p "$image/run" && ln -s "$UP$OUTSIDE" "$image/run/secrets"
        tar -C "$image" -cf "$WORK/image.tar" .
    }
    way_berth "$way" import -q -c 'VOLUME ["/data", "/tree", "/data/../../../../..'$OUTSIDE'/deep"]' -c "WORKDIR /data/made" "$WORK/image.tar" localhost/hostile >/dev/null
}

# T16: what a new volume is filled with is of the image, wherever its links lead; a volume in a volume's place, too.
copied_up() {
    local way=$1 how
    for how in $(hows "$way"); do
        equal "$($how "$way" --workdir / localhost/hostile sh -c 'cat /data/file /tree/link/file /tree/file /data/* 2>/dev/null; ls -A /data/ | grep -v ^deep')" ''
        $how "$way" --workdir / -v filled:/data -v deeper:/tree localhost/busybox true
        $how "$way" --workdir / -v filled:/data -v deeper:/tree localhost/hostile true
        $how "$way" -v fresh:/data -v links:/tree localhost/hostile true
        way_berth "$way" volume export fresh >fresh.tar
        way_berth "$way" volume export links >links.tar
        fails grep -a outside-marker fresh.tar links.tar
        way_berth "$way" volume rm -f filled deeper fresh links >/dev/null
        untouched
    done
}

# T23: a secret is written neither through a link of the image nor of a volume; its place in the store is exchanged, not written through.
secret_links() {
    local way=$1 how
    for how in $(hows "$way"); do
        equal "$($how "$way" --workdir / --secret marker --secret marker,target=/tree/file localhost/hostile sh -c 'cat /run/secrets/marker; echo; cat /tree/file' | xargs)" "$MARKER $MARKER"
        $how "$way" -v trap:/run/secrets --secret marker localhost/busybox true
        $how "$way" -v trap:/v --secret marker,target=/v/file --secret marker,target=/v/dangles localhost/busybox true
        untouched
    done
}

# T29: a member's secrets are with its payload, and nowhere else: no arguments, no helper's environment, no record, no log.
hidden() {
    local way=$1 pid own files
    way_unit "$way" tell <<<$'[Container]\nImage=localhost/busybox\nContainerName=tell\nPod=shown.pod\nSecret=marker,type=env,target=PASSWORD\nSecret=marker,mode=0400\nNotify=healthy\nHealthCmd=test -n "$PASSWORD"\nExec=sh -c "echo up; exec sleep inf"\nStopTimeout=1'
    pod_unit "$way" shown
    way_start "$way" tell
    equal "$(way_berth "$way" exec tell sh -c 'echo $PASSWORD; cat /run/secrets/marker' | xargs)" "$MARKER $MARKER"
    pid=$(way_property "$way" tell MainPID)
    fails grep -lsaF "$MARKER" /proc/[0-9]*/cmdline
    equal "$(grep -lsaF "$MARKER" /proc/[0-9]*/environ)" "/proc/$pid/environ"
    own=$(way_berth "$way" inspect tell; way_berth "$way" pod inspect shown; way_berth "$way" ps --no-trunc; manager "$(way_manager "$way")" show tell shown-pod; manager "$(way_manager "$way")" cat tell shown-pod; way_journal "$way" tell; way_journal "$way" shown-pod)
    fails grep -aF "$MARKER" <<<"$own"
    fails grep -F "$MARKER" <<<"$(way_berth "$way" --print-ops run --rm --network none --secret marker,type=env localhost/busybox true)"
    equal "$(stat -c %a "$(store_of "$way")/secrets/marker")" 600
    # the copies for the container alone, which only its account reads
    files=$(grep -rlsaF "$MARKER" /run/berth /run/user "$(store_of "$way")/containers" "$(store_of "$way")/pods" || :)
    for own in $files; do fails as bob cat "$own"; done
    way_stop "$way" shown-pod
    fails grep -rlsaF "$MARKER" /run/berth /run/user
    way_gone "$way" tell
    unit_gone "$(way_manager "$way")" shown.pod
    # a start that fails leaves none behind
    fails_with 127 run "$way" --secret marker --secret marker,type=env localhost/busybox /no/such
    fails grep -rlsaF "$MARKER" /run/berth /run/user /tmp
}
pod_unit() { # WAY NAME
    local text=$'[Pod]\nPodName='"$2"$'\nNetwork=none'
    [ "$1" != svc ] || text+=$'\n[Service]\nUser=svc'
    unit_file "$(way_manager "$1")" "$2.pod" <<<"$text"
}
store_of() { case $1 in root) echo /var/lib/berth ;; alice) echo /home/alice/.local/share/berth ;; svc) echo /var/lib/berth/users/990 ;; esac; }

# T33: another account neither sees nor touches pods, volumes and secrets, nor runs what a payload left in a volume.
neighbours() {
    local way=$1 what place
    run "$way" -v trap:/v localhost/busybox sh -c 'cp /bin/busybox /v/sh; chmod 4755 /v/sh; chmod 777 /v'
    place=$(way_berth "$way" volume inspect --format '{{.Mountpoint}}' trap)
    [ -u "$place/sh" ]
    fails as bob "$place/sh" sh -c true
    fails as bob ls "$place"
    fails as bob sh -c "echo x >$place/x"
    equal "$(as bob berth volume ls -q; as bob berth secret ls -q; as bob berth pod ls -q)" ''
    for what in 'volume inspect trap' 'volume rm trap' 'secret inspect marker' 'secret rm marker' 'pod inspect hostile' 'pod rm hostile' 'pod stop hostile' 'run --rm --network none --pod hostile localhost/busybox true'; do
        # shellcheck disable=SC2086 # words
        fails as bob berth $what
    done
    fails as bob berth run --rm --network none -v "$place:/v" localhost/busybox sh -c 'ls /v/sh'
    [ "$way" = svc ] || way_berth "$way" pod exists hostile
    way_berth "$way" secret exists marker
    for what in volumes secrets pods; do equal "$(stat -c %a "$(store_of "$way")/$what")" 700; done
}

echo mark >"$WORK/mark"
mkdir -m 755 $OUTSIDE && echo outside-marker >$OUTSIDE/file && watched=$(outside)
trap 'rm -rf "$WORK" $OUTSIDE' EXIT
as bob berth load -q -i "$IMAGES/busybox.tar" >/dev/null
for way in $WAYS; do
    way_load "$way" "$IMAGES/busybox.tar" >/dev/null || exit 1
    MARKER=moonshine-$way-$$
    printf %s "$MARKER" | way_berth "$way" secret create marker - >/dev/null
    check "T29 $way: the secrets of a pod's member" hidden "$way"
    [ "$way" = svc ] || pod_up "$way"
    trap_volume "$way"
    hostile_image "$way"
    check "T3 $way: places of mounts that are links of the payload's" mount_places "$way"
    check "T3 $way: a place that is exchanged while another starts" exchanged "$way"
    check "T15 $way: working directories and owners behind links" owners "$way"
    check "T3 $way: a source whose path the payload exchanges" nested_sources "$way"
    check "T16 $way: new volumes are filled from the image alone" copied_up "$way"
    check "T23 $way: secrets and links" secret_links "$way"
    check "T33 $way: another account" neighbours "$way"
    [ "$way" = svc ] || way_berth "$way" pod rm -f -t 0 hostile >/dev/null
    way_berth "$way" rmi -f localhost/hostile >/dev/null
    way_berth "$way" volume rm --all >/dev/null
done
for way in $WAYS; do way_berth "$way" secret rm marker >/dev/null; done
finish
