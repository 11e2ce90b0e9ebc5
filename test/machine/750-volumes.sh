#!/usr/bin/env bash
# Volumes and secrets: the verbs, .volume units, what containers see of them, and that nothing leaks or stays.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"
KILLS=${KILLS:-6} # npm run soak asks for more

run() { # WAY WORD…
    local way=$1
    shift
    way_berth "$way" run --rm --network none "$@"
}

life() { # create, exists, ls, inspect, rm
    equal "$(way_berth "$1" volume create --label tier=db --uid 33 --gid 33 life)" life
    contains "$(fails_with 125 way_berth "$1" volume create life 2>&1)" 'there is a volume of this name'
    equal "$(way_berth "$1" volume create --ignore life)" life
    way_berth "$1" volume exists life
    fails_with 1 way_berth "$1" volume exists lif
    equal "$(way_berth "$1" volume ls -q --filter label=tier=db)" life
    contains "$(way_berth "$1" volume ls)" $'DRIVER      VOLUME NAME\nlocal       life'
    equal "$(way_berth "$1" volume inspect life | jq -r '.[0] | .Name, .Driver, .Labels.tier, .Scope, .UID')" $'life\nlocal\ndb\nlocal\n33'
    equal "$(run "$1" -v life:/v localhost/busybox stat -c %u:%g /v)" 33:33
    equal "$(way_berth "$1" volume rm life)" life
    fails_with 1 way_berth "$1" volume rm life
    equal "$(way_berth "$1" volume ls -q)" ''
}

in_use() {
    way_berth "$1" run -d --rm --name user --network none -v used:/u localhost/busybox sleep 1000
    contains "$(fails_with 2 way_berth "$1" volume rm used 2>&1)" 'in use by container user'
    equal "$(way_berth "$1" volume ls -q --filter dangling=true)" ''
    way_berth "$1" volume rm --force --time 0 used
    equal "$(way_berth "$1" ps -aq)" ''
    fails_with 1 way_berth "$1" volume exists used
}

# A volume outlives its containers; an anonymous one goes with --rm.
outlives() {
    run "$1" -v kept:/k -v /anonymous --mount type=volume,dst=/other localhost/busybox sh -c 'echo data >/k/file'
    equal "$(run "$1" -v kept:/k localhost/busybox cat /k/file)" data
    equal "$(way_berth "$1" volume ls -q)" kept
    # what is written over a source goes with the container; it has the mode of the source
    mkdir -p "$WORK/below" && chmod 751 "$WORK/below"
    equal "$(run "$1" -v "$WORK/below:/o:O" localhost/busybox sh -c 'stat -c %a /o; echo x >/o/new; cat /o/new')" $'751\nx'
    equal "$(ls "$WORK/below")" ''
}

# Of two images that share a new volume the one that has something for it fills it, whichever comes first.
left_to_the_next() {
    run "$1" -v shared:/nothing-of-the-image localhost/busybox true
    run "$1" -v shared:/var/www:nocopy localhost/busybox true
    equal "$(run "$1" -v shared:/var/www localhost/busybox cat /var/www/index.html)" "$(run "$1" localhost/busybox cat /var/www/index.html)"
    run "$1" -v shared:/var/www localhost/busybox rm -r /var/www/index.html
    fails run "$1" -v shared:/var/www localhost/busybox test -e /var/www/index.html
    way_berth "$1" volume rm shared
}

# An image with much to copy: 1000 files in 10 directories, of another owner, and a top that is closed to others.
full_image() { # WAY
    [ -e "$WORK/full.tar" ] || {
        mkdir "$WORK/full" && tar -C "$WORK/full" -xf "$IMAGES/rootfs.tar"
        python3 - "$WORK/full/full" <<'PY'
import os, sys
for d in range(10):
    os.makedirs(f'{sys.argv[1]}/d{d}')
    for f in range(100):
        with open(f'{sys.argv[1]}/d{d}/f{f}', 'w') as file:
            file.write(f'{d} {f}\n' * 400)
PY
        chown -R 33:44 "$WORK/full/full" && chmod 700 "$WORK/full/full"
        tar -C "$WORK/full" -cf "$WORK/full.tar" .
        rm -rf "$WORK/full"
    }
    way_berth "$1" import -q "$WORK/full.tar" localhost/full >/dev/null
}
# What a payload sees of it: owner and mode of the top, what lies in it, and the sum of all.
SUM='stat -c %u:%g:%a /full; ls -A /full | wc -l; cd /full && find . -type f | sort | xargs cat | md5sum'

# Two units that start at once with one new volume: both see all of it.
filled_for_both() {
    local way=$1 whole round name names=()
    whole=$(run "$way" localhost/full sh -c "$SUM")
    for name in one two; do
        names+=("$name-$way")
        way_unit "$way" "$name-$way" <<<$'[Container]\nImage=localhost/full\nNetwork=none\nVolume=both:/full\nExec=sh -c "'"${SUM//%/%%}"$'"\n[Service]\nType=oneshot'
    done
    for round in 1 2 3; do
        manager "$(way_manager "$way")" start "${names[@]}"
        for name in "${names[@]}"; do equal "$(way_journal "$way" "$name" | grep -E '^33:|^[0-9]+$|  -$' | tail -n 3)" "$whole"; done
        way_berth "$way" volume rm both
    done
    way_end "$way" "${names[@]}"
}

# All processes of a start are killed in the middle of the copy, or a little later: the next start has a whole volume, and nothing else in it.
killed_in_the_copy() {
    local way=$1 whole round part=0 copied data name group=/sys/fs/cgroup/system.slice/torn-$way.service
    [ "$way" != alice ] || group=/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/torn-$way.service
    data=$(store_of "$way")/volumes/torn/_data
    whole=$(run "$way" localhost/full sh -c "$SUM")
    way_unit "$way" "torn-$way" <<<$'[Unit]\nStartLimitIntervalSec=0\n[Container]\nImage=localhost/full\nNetwork=none\nVolume=torn:/full\nExec=sleep inf\nStopTimeout=0'
    for ((round = 0; part < KILLS && round < 5 * KILLS; round++)); do
        manager "$(way_manager "$way")" start --no-block "torn-$way"
        # so many files, or too late: there is something, and no copying
        timeout 60 bash -c 'until [ "$(find "$1/.berth-filling" -type f 2>/dev/null | wc -l)" -gt "$2" ] || { [ ! -e "$1/.berth-filling" ] && [ -n "$(ls -A "$1" 2>/dev/null)" ]; }; do :; done' sh "$data" $((RANDOM % 900))
        # not the unit's own group: that could hit ExecStopPost= already
        for name in supervisor payload; do echo 1 >"$group/$name/cgroup.kill" || true; done
        manager "$(way_manager "$way")" stop "torn-$way"
        copied=$(find "$data/.berth-filling" -type f | wc -l) || copied=0
        [[ $copied -eq 0 || $copied -eq 1000 ]] || part=$((part + 1))
        equal "$(way_berth "$way" ps -aq)" ''
        equal "$(run "$way" -v torn:/full localhost/full sh -c "$SUM")" "$whole"
        way_berth "$way" volume rm torn
    done
    echo "$part of $round were killed in the middle" >&2
    [ "$part" = "$KILLS" ]
    way_end "$way" "torn-$way"
}

# A new volume reaches the disk before its payload has it: what was copied, and not all else that waits there, which a busy disk may take minutes for.
only_its_own() {
    equal "$(systemd-run --quiet --pipe --wait --collect -p SystemCallFilter=~syncfs -p SystemCallErrorNumber=EIO \
        berth run --rm --network none -v own:/var/www localhost/busybox ls /var/www)" "$(run root localhost/busybox ls /var/www)"
    berth volume rm own
}

# Another start that fills the volume takes longer than the unit would wait: that is work, and the unit waits.
waits_for_the_copy() {
    local began
    way_berth root volume create late
    unit_file root late <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nVolume=late:/var/www\nExec=sleep inf\nStopTimeout=0\n[Service]\nTimeoutStartSec=2'
    flock /var/lib/berth/volumes/late sleep 6 &
    timeout 10 sh -c 'while flock --nonblock /var/lib/berth/volumes/late true; do :; done'
    began=$SECONDS
    systemctl start --no-block late
    timeout 10 sh -c 'until systemctl show -P StatusText late | grep -qx "Filling volume late"; do :; done'
    systemctl start late
    [ $((SECONDS - began)) -ge 3 ]
    equal "$(property root late StatusText)" ''
    unit_gone root late
    berth volume rm late
}
store_of() { case $1 in root) echo /var/lib/berth ;; alice) echo /home/alice/.local/share/berth ;; svc) echo /var/lib/berth/users/990 ;; esac; }

archives() {
    run "$1" -v kept:/k localhost/busybox sh -c 'chown 33:44 /k/file; chmod 640 /k/file; ln -s file /k/link'
    way_berth "$1" volume export kept >"$WORK/kept.tar"
    contains "$(tar -tvf "$WORK/kept.tar" --numeric-owner)" '-rw-r----- 33/44'
    way_berth "$1" volume create copy
    way_berth "$1" volume import copy - <"$WORK/kept.tar"
    equal "$(run "$1" -v copy:/k localhost/busybox sh -c 'stat -c %u:%g:%a /k/file; cat /k/link')" $'33:44:640\ndata'
    way_berth "$1" volume rm kept copy
}

# T17: an archive that leads out of the volume writes nothing outside.
hostile_archive() {
    rm -rf "$WORK/out" "$WORK/x"
    ln -s /etc "$WORK/out"
    tar -C "$WORK" -cf "$WORK/bad.tar" out
    mkdir "$WORK/x"
    mkdir "$WORK/x/out"
    echo evil >"$WORK/x/out/evil"
    tar -C "$WORK/x" -rf "$WORK/bad.tar" out/evil
    way_berth "$1" volume create hostile
    way_berth "$1" volume import hostile - <"$WORK/bad.tar" || true
    [ ! -e /etc/evil ]
    way_berth "$1" volume rm hostile
}

subpath() {
    run "$1" -v deep:/d localhost/busybox sh -c 'mkdir -p /d/a/b; echo inner >/d/a/b/file; ln -s /etc /d/link; ln -s a/b /d/short'
    equal "$(run "$1" --mount type=volume,src=deep,dst=/m,subpath=a/b localhost/busybox cat /m/file)" inner
    equal "$(run "$1" --mount type=volume,src=deep,dst=/m,subpath=short localhost/busybox cat /m/file)" inner
    # T3: a link of the payload leads to what is below the volume, where there is no /etc.
    contains "$(fails_with 125 run "$1" --mount type=volume,src=deep,dst=/m,subpath=link localhost/busybox ls /m 2>&1)" 'no such subpath'
    contains "$(fails_with 125 run "$1" --mount type=volume,src=deep,dst=/m,subpath=none localhost/busybox true 2>&1)" 'no such subpath'
    way_berth "$1" volume rm deep
}

backed() { # a directory of the host, by Type=bind
    mkdir -p "$WORK/backing"
    chmod 777 "$WORK/backing"
    way_berth "$1" volume create --opt type=none --opt o=bind,ro --opt "device=$WORK/backing" backed
    touch "$WORK/backing/seen"
    equal "$(run "$1" -v backed:/b localhost/busybox sh -c 'ls /b; touch /b/x 2>/dev/null || echo read-only')" $'seen\nread-only'
    way_berth "$1" volume rm backed
    [ -e "$WORK/backing/seen" ]
    way_berth "$1" volume create --opt type=none --opt o=bind --opt device=/no/such gone
    contains "$(fails_with 125 run "$1" -v gone:/b localhost/busybox true 2>&1)" '/no/such is not there'
    way_berth "$1" volume rm gone
}

# root: mounted for the first container, unmounted by the last; shared between them.
file_system() {
    berth volume create --opt type=tmpfs --opt device=tmpfs --opt o=size=2m,uid=33 memory
    berth run -d --rm --name first --network none -v memory:/m localhost/busybox sh -c 'echo shared >/m/file; exec sleep 1000'
    timeout 10 bash -c 'until [ -s /var/lib/berth/volumes/memory/_data/file ]; do read -rt 0.05 <> <(:) || :; done'
    equal "$(run root -v memory:/m localhost/busybox cat /m/file)" shared
    findmnt -n /var/lib/berth/volumes/memory/_data >/dev/null
    berth stop -t 0 first
    timeout 10 bash -c 'while findmnt -n /var/lib/berth/volumes/memory/_data >/dev/null; do read -rt 0.05 <> <(:) || :; done'
    equal "$(berth volume mount memory)" /var/lib/berth/volumes/memory/_data
    findmnt -n /var/lib/berth/volumes/memory/_data >/dev/null
    berth volume unmount memory
    # what an archive is made of, or unpacked into, is there meanwhile
    berth volume export memory >"$WORK/memory.tar"
    fails findmnt -n /var/lib/berth/volumes/memory/_data
    # of a file system in memory the content would go with the mount: it stays, as by hand; nothing is left of an archive that is none
    fails_with 125 berth volume import memory /etc/passwd
    fails findmnt -n /var/lib/berth/volumes/memory/_data
    echo kept >"$WORK/kept" && tar -cf "$WORK/memory.tar" -C "$WORK" kept
    berth volume import memory "$WORK/memory.tar"
    equal "$(run root -v memory:/m localhost/busybox cat /m/kept)" kept
    contains "$(berth volume export memory | tar -t)" kept
    berth volume unmount memory
    fails findmnt -n /var/lib/berth/volumes/memory/_data
    berth volume rm memory
    # what was imported is gone then: the next start begins with what the image has
    berth volume create --opt type=tmpfs --opt device=tmpfs memory
    berth volume import memory "$WORK/memory.tar"
    berth volume unmount memory
    equal "$(run root -v memory:/var/www localhost/busybox ls /var/www)" "$(run root localhost/busybox ls /var/www)"
    berth volume rm memory
    # what a file system of its own holds shows when it is mounted
    mkdir -p "$WORK/one/a/b" "$WORK/two"
    echo inner >"$WORK/one/a/b/file"
    berth volume create --opt type=overlay --opt device=overlay --opt "o=lowerdir=$WORK/one:$WORK/two" layered
    equal "$(run root --mount type=volume,src=layered,dst=/m,subpath=a/b localhost/busybox cat /m/file)" inner
    contains "$(fails_with 125 run root --mount type=volume,src=layered,dst=/m,subpath=a/c localhost/busybox true 2>&1)" 'no such subpath'
    berth volume rm layered
    berth volume create --opt type=nosuchfs --opt device=nothing wrong
    local said
    said=$(fails_with 125 run root -v wrong:/m localhost/busybox true 2>&1)
    contains "$said" 'volume wrong: mount: '
    equal "$(wc -l <<<"$said")" 1
    berth volume rm wrong
}

# `volume mount` and `unmount` for people: where the content is, whatever the volume stands on.
by_hand() {
    local way=$1 place
    way_berth "$way" volume create plain
    place=$(way_berth "$way" volume mount plain)
    equal "$place" "$(way_berth "$way" volume inspect --format '{{.Mountpoint}}' plain)"
    run "$way" -v plain:/p localhost/busybox sh -c 'echo here >/p/file'
    equal "$(cat "$place/file")" here
    equal "$(way_berth "$way" volume unmount plain)" plain
    equal "$(cat "$place/file")" here
    mkdir -p "$WORK/device" && chmod 777 "$WORK/device"
    way_berth "$way" volume create --opt type=bind --opt o=bind --opt "device=$WORK/device" elsewhere
    equal "$(way_berth "$way" volume mount plain elsewhere)" "$place"$'\n'"$WORK/device"
    way_berth "$way" volume create --driver image --opt image=localhost/busybox picture
    contains "$(fails_with 125 way_berth "$way" volume mount picture 2>&1)" 'mounted only in containers'
    way_berth "$way" volume create --opt type=tmpfs --opt device=tmpfs memory
    if [ "$way" = root ]; then
        place=$(berth volume mount memory)
        equal "$(berth volume mount memory)" "$place"
        equal "$(findmnt -n -o FSTYPE "$place")" tmpfs # once
        berth run -d --rm --name holds --network none --stop-timeout 0 -v memory:/m localhost/busybox sleep inf
        contains "$(fails_with 125 berth volume unmount memory 2>&1)" 'a container uses it'
        echo kept >"$place/kept"
        berth stop holds
        # what a person mounted stays, with all that is in it
        run root -v memory:/m localhost/busybox test -e /m/kept
        contains "$(berth volume export memory | tar -t)" kept
        equal "$(findmnt -n -o FSTYPE "$place")" tmpfs
        equal "$(cat "$place/kept")" kept
        berth volume unmount memory
        fails findmnt -n "$place"
        # a note of it that a boot has made void
        berth volume mount memory
        umount "$place"
        run root -v memory:/m localhost/busybox true
        fails findmnt -n "$place"
    else
        contains "$(fails_with 125 way_berth "$way" volume mount memory 2>&1)" 'only root'
    fi
    contains "$(fails_with 1 way_berth "$way" volume mount nothing 2>&1)" 'no such volume'
    way_berth "$way" volume rm plain elsewhere picture memory
}

# What each container mounts for itself has one that runs; what was written over an image stays with that one, whatever its name means later.
one_at_a_time() {
    local way=$1
    way_berth "$way" tag localhost/busybox localhost/renamed
    way_berth "$way" volume create --driver image --opt image=localhost/renamed tools
    way_berth "$way" volume create --opt type=tmpfs --opt device=tmpfs memory
    mkdir -p "$WORK/other" && touch "$WORK/other/other" && tar -C "$WORK/other" -cf "$WORK/other.tar" .
    way_berth "$way" import -q "$WORK/other.tar" localhost/renamed >/dev/null
    equal "$(run "$way" -v tools:/t localhost/busybox sh -c 'test -x /t/bin/busybox; ls /t/other 2>/dev/null; echo same')" same
    contains "$(run "$way" -v memory:/m:noexec localhost/busybox grep ' /m ' /proc/mounts)" noexec
    if [ "$way" != svc ]; then
        way_berth "$way" run -d --rm --name first --network none --stop-timeout 0 -v tools:/t -v memory:/m localhost/busybox sleep inf
        contains "$(fails_with 125 run "$way" -v tools:/t localhost/busybox true 2>&1)" 'volume tools: the container first has it, and a volume of an image is for one container at a time'
        if [ "$way" = root ]; then run root -v memory:/m localhost/busybox true
        else contains "$(fails_with 125 run "$way" -v memory:/m localhost/busybox true 2>&1)" 'volume memory: the container first has it'; fi
        way_berth "$way" stop first
    fi
    run "$way" -v tools:/t -v memory:/m localhost/busybox true
    way_berth "$way" volume rm tools memory
    way_berth "$way" rmi localhost/renamed >/dev/null
}

of_an_image() {
    way_berth "$1" volume create --driver image --opt image=localhost/busybox tools
    run "$1" -v tools:/t localhost/busybox sh -c 'test -x /t/bin/busybox; echo more >/t/more'
    equal "$(run "$1" -v tools:/t localhost/busybox cat /t/more)" more
    way_berth "$1" volume rm tools
    equal "$(run "$1" --mount type=image,src=localhost/busybox,dst=/i localhost/busybox sh -c 'test -x /i/bin/busybox; touch /i/x 2>/dev/null || echo read-only')" read-only
    equal "$(run "$1" --mount type=image,src=localhost/busybox,dst=/i,rw=true localhost/busybox sh -c 'echo written >/i/x; rm /i/bin/busybox; cat /i/x; stat -c %a /i')" $'written\n755'
    contains "$(fails_with 125 way_berth "$1" volume create --driver image --opt image=localhost/none x 2>&1)" 'no such image'
    # a part of it: of one layer, of an overlay, of one that is kept
    equal "$(run "$1" --mount type=image,src=localhost/busybox,dst=/i,subpath=var/www localhost/busybox ls /i)" "$(run "$1" localhost/busybox ls /var/www)"
    equal "$(run "$1" --mount type=image,src=localhost/busybox,dst=/i,subpath=/var/www,rw=true localhost/busybox sh -c 'echo written >/i/x; cat /i/x; grep -c " /i overlay rw" /proc/mounts')" $'written\n1'
    contains "$(fails_with 125 run "$1" --mount type=image,src=localhost/busybox,dst=/i,subpath=none localhost/busybox true 2>&1)" 'no such subpath'
    way_berth "$1" volume create --driver image --opt image=localhost/busybox tools
    run "$1" --mount type=volume,src=tools,dst=/t,subpath=var/www localhost/busybox sh -c 'echo more >/t/more'
    equal "$(run "$1" -v tools:/t localhost/busybox cat /t/var/www/more)" more
    way_berth "$1" volume rm tools
    one_at_a_time "$1"
    contains "$(fails_with 125 run "$1" --mount "type=bind,src=$WORK,dst=/i,subpath=full" localhost/busybox true 2>&1)" 'subpath is not an option of type=bind'
}

unit() { # every key of a .volume
    local dir=$WORK/of-$1 said
    mkdir -p "$dir"
    chmod 777 "$dir"
    way_text "$1" data.volume <<<$'[Volume]\nVolumeName=data\nLabel=a=b\nCopy=false\nUID=33\nGID=44'
    way_text "$1" bound.volume <<<$'[Volume]\nDevice='"$dir"$'\nType=bind\nOptions=bind'
    way_text "$1" image.volume <<<$'[Volume]\nDriver=image\nImage=localhost/busybox'
    way_unit "$1" uses <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nVolume=data.volume:/etc\nVolume=bound.volume:/bound\nVolume=image.volume:/image\nExec=sh -c "stat -c %%u:%%g /etc; ls /etc | grep -c passwd; ls /image/bin/busybox; touch /bound/made; exec sleep inf"\nStopTimeout=1'
    way_start "$1" uses
    equal "$(way_property "$1" data-volume ActiveState)" active
    timeout 10 bash -c "until [ -e $dir/made ]; do read -rt 0.05 <> <(:) || :; done"
    said=$(way_journal "$1" uses)
    contains "$said" 33:44
    contains "$said" /image/bin/busybox
    equal "$(way_berth "$1" volume ls -q | xargs)" 'data systemd-bound systemd-image'
    way_stop "$1" uses
    # Again: what is there is no error.
    manager "$(way_manager "$1")" restart data-volume
    way_gone "$1" uses
    for name in data bound image; do way_remove "$1" $name.volume; done
    way_berth "$1" volume rm --all
}

# way_text WAY FILE: a file of the unit directory; for svc with User=svc.
way_text() {
    local way=$1 file=$2 text directory=/etc/containers/systemd
    text=$(cat)
    [ "$way" != svc ] || text+=$'\n[Service]\nUser=svc'
    [ "$way" != alice ] || directory=/home/alice/.config/containers/systemd
    as "$(way_manager "$way")" mkdir -p "$directory"
    printf '%s\n' "$text" >"$directory/$file"
}

way_remove() { # WAY FILE
    local directory=/etc/containers/systemd
    [ "$1" != alice ] || directory=/home/alice/.config/containers/systemd
    manager "$(way_manager "$1")" stop "${2%.*}-${2##*.}" || true
    rm -f "$directory/$2"
    manager "$(way_manager "$1")" daemon-reload
}

secrets() {
    local id
    id=$(printf 's3cret-%s' "$1" | way_berth "$1" secret create --label k=v token -)
    equal "$(way_berth "$1" secret ls --format '{{.Name}} {{.Driver}}')" 'token file'
    equal "$(way_berth "$1" secret inspect token | jq -r '.[0] | .Spec.Name, .Spec.Labels.k, .SecretData')" $'token\nv\nnull'
    equal "$(way_berth "$1" secret inspect --showsecret --format '{{.SecretData}}' token)" "s3cret-$1"
    contains "$(printf x | fails_with 125 way_berth "$1" secret create token - 2>&1)" '--replace'
    equal "$(run "$1" --secret token localhost/busybox sh -c 'cat /run/secrets/token; echo; stat -c %u:%g:%a /run/secrets/token')" "s3cret-$1"$'\n0:0:444'
    equal "$(run "$1" --user 33 --secret token,target=/etc/own,uid=33,gid=44,mode=0400 localhost/busybox sh -c 'cat /etc/own; echo; stat -c %u:%g:%a /etc/own')" "s3cret-$1"$'\n33:44:400'
    equal "$(run "$1" --secret token,type=env,target=PASSWORD localhost/busybox sh -c 'echo $PASSWORD')" "s3cret-$1"
    contains "$(fails_with 125 run "$1" --secret nothing localhost/busybox true 2>&1)" 'no such secret'
    equal "$(way_berth "$1" secret rm token)" "$id"
    fails_with 1 way_berth "$1" secret exists token
}

bad_input() {
    contains "$(fails_with 125 berth volume create --driver nfs x 2>&1)" 'no such volume driver'
    contains "$(fails_with 125 berth volume create --opt size=1 x 2>&1)" 'has no option size'
    contains "$(fails_with 125 berth volume create --opt type=tmpfs x 2>&1)" 'needs --opt device='
    contains "$(fails_with 125 berth volume create ../x 2>&1)" 'not a name of a volume'
    contains "$(fails_with 125 berth volume mk x 2>&1)" 'no such verb'
    contains "$(fails_with 125 berth volume ls --filter colour=red 2>&1)" 'use name='
    contains "$(fails_with 125 berth secret create x /no/such 2>&1)" '/no/such'
    contains "$(fails_with 125 berth secret create a/b - 2>&1 </dev/null)" 'not a name of a secret'
    contains "$(fails_with 125 berth secret create empty - 2>&1 </dev/null)" 'not empty'
    contains "$(fails_with 125 alice_berth run --rm -v /no/such:/x localhost/busybox true 2>&1)" '/no/such'
    equal "$(berth volume ls -q)" ''
}
alice_berth() { as alice berth "$@"; }

for way in $WAYS; do
    way_load "$way" "$IMAGES/busybox.tar" || exit 1
    way_berth "$way" volume rm --all >/dev/null
    check "$way: a volume is made, listed, shown and removed" life "$way"
    # A person who is svc has no manager to start a container in the background.
    [ "$way" = svc ] || check "$way: a volume in use stays unless it is forced" in_use "$way"
    check "$way: a volume outlives its containers, an anonymous one does not" outlives "$way"
    check "$way: a new volume is left to the next image, while nothing was put into it" left_to_the_next "$way"
    full_image "$way"
    check "$way: two that start at once with a new volume both see all of it" filled_for_both "$way"
    check "$way: a copy that was killed is made again, whole" killed_in_the_copy "$way"
    way_berth "$way" rmi -f localhost/full >/dev/null
    check "$way: export and import keep owners, modes and links" archives "$way"
    check "$way: T17 an archive that leads out of the volume" hostile_archive "$way"
    check "$way: T3 a part of a volume" subpath "$way"
    check "$way: a volume on a directory of the host" backed "$way"
    check "$way: volume mount and unmount" by_hand "$way"
    check "$way: a volume of an image, and an image as a mount" of_an_image "$way"
    check "$way: .volume units" unit "$way"
    check "$way: secrets as files and variables" secrets "$way"
done
check 'root: a new volume does not wait for what others write' only_its_own
check 'root: a unit waits while its volume is filled' waits_for_the_copy
check 'root: a file system of its own is mounted while it is needed' file_system
check 'bad input is one line' bad_input
finish
