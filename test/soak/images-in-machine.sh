#!/usr/bin/env bash
# In the machine of images.sh: real software in images of every format, by every program; each is pulled by Berth and by Podman, as root and
# rootless, and compared entry by entry, layer by layer; then the root that a container of each sees.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/registry.sh"
SOFTWARE=/var/tmp/software
SINCE=$(date +%s)
# With a store of its own, so that podman has to unpack what it pulls.
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/made"\nrunroot = "%s/made-run"\n' "$WORK" "$WORK" >"$WORK/storage.conf"
buildah() { CONTAINERS_STORAGE_CONF=$WORK/storage.conf command buildah "$@"; }
# apt, without a network and without leaving anything of its own.
INSTALL='echo "deb [trusted=yes] file:/packages ./" >/tmp/list
    apt="apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::sourcelist=/tmp/list -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists=/tmp/lists"
    mkdir -p /tmp/lists/partial
    export DEBIAN_FRONTEND=noninteractive
    printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    $apt update
    $apt install -y --no-install-recommends'
LEAVE='rm -rf /tmp/list /tmp/lists /usr/sbin/policy-rc.d /var/cache/apt/archives/*.deb'

packages() { (cd $SOFTWARE/packages && dpkg-scanpackages -m . >Packages 2>"$WORK/scan.txt"); }
# Not by `buildah run`, which may not raise limits in the machine.
inside() { # ROOT COMMAND
    mkdir -p "$1/packages"
    mount --bind $SOFTWARE/packages "$1/packages"
    chroot "$1" sh -ec "$2" >"$WORK/install.txt" 2>&1 || { tail -n 20 "$WORK/install.txt" >&2; umount "$1/packages"; return 1; }
    umount "$1/packages"
    rmdir "$1/packages"
}

base() {
    packages
    local work
    work=$(buildah from scratch)
    buildah add -q "$work" $SOFTWARE/base.tar / >/dev/null
    buildah commit -q --format oci "$work" localhost/base >/dev/null
    buildah rm "$work" >/dev/null
}
check 'buildah makes the base' base

by_buildah() { # NAME FORMAT COMMAND PACKAGE…
    local name=$1 format=$2 command=$3 work
    shift 3
    work=$(buildah from localhost/base)
    inside "$(buildah mount "$work")" "$INSTALL $*; $LEAVE"
    buildah config --cmd "$command" "$work"
    buildah commit -q --format "$format" "$work" "localhost/$name" >/dev/null
    # A layer above that takes away, replaces a directory and changes modes and owners only.
    inside "$(buildah mount "$work")" 'rm -rf /usr/share/doc /usr/share/man; rm -rf /var/log; mkdir /var/log; echo new >/var/log/new; chmod 700 /media; chown 33:44 /mnt /srv; rm -f /etc/motd; ln /etc/hostname /etc/hostname.second; ln -s "with blank ä" "/srv/a link"; chmod 6755 /usr/bin/find'
    setfattr -n user.note -v 'of the test' "$(buildah mount "$work")/etc/passwd"
    buildah commit -q --format "$format" --rm "$work" "localhost/$name" >/dev/null
    buildah push -q --tls-verify=false "localhost/$name" docker://$REGISTRY/real/"$name":1
}
check 'buildah makes nginx (OCI)' by_buildah nginx oci "nginx -v" nginx iputils-ping
check 'buildah makes postgresql (Docker schema 2)' by_buildah postgresql docker "psql --version" postgresql

by_umoci() { # redis, a layer by repack; an image of 10 MB; zstd by skopeo
    local layout=$WORK/layout bundle=$WORK/bundle
    buildah push -q localhost/base "oci:$layout:base"
    umoci unpack --image "$layout:base" "$bundle"
    inside "$bundle/rootfs" "$INSTALL redis-server; $LEAVE"
    rm -rf "$bundle/rootfs/usr/share/doc"
    umoci repack --image "$layout:redis" "$bundle"
    umoci config --image "$layout:redis" --config.cmd redis-server --config.cmd --version
    push "oci:$layout:redis" --dest-compress-format zstd docker://$REGISTRY/real/redis-zstd:1
    push "oci:$layout:redis" --format v2s2 docker://$REGISTRY/real/redis-schema2:1
    # The server alone with its libraries.
    umoci new --image "$layout:small"
    mkdir "$WORK/small"
    (cd "$bundle/rootfs" && { chroot . ldd /usr/bin/redis-server | grep -o '/[^ ]*'; echo /usr/bin/redis-server; } |
        sed 's,^/,,' | xargs cp -L --parents -t "$WORK/small")
    umoci insert --image "$layout:small" "$WORK/small" /
    umoci config --image "$layout:small" --config.cmd /usr/bin/redis-server --config.cmd --version
    push "oci:$layout:small" docker://$REGISTRY/real/small:1
    rm -rf "$bundle" "$WORK/small"
}
check 'umoci makes redis, skopeo sends it as zstd and as Docker schema 2' by_umoci

sixty() { # python3 with scipy, and so many layers above it that there are 60, of which some replace and hide
    local layout=$WORK/layout work i
    work=$(buildah from localhost/base)
    inside "$(buildah mount "$work")" "$INSTALL python3 python3-scipy; $LEAVE"
    buildah commit -q --rm "$work" localhost/python >/dev/null
    buildah push -q localhost/python "oci:$layout:sixty"
    mkdir "$WORK/step"
    for i in $(seq 57); do
        mkdir -p "$WORK/step/app/data"
        echo "$i" >"$WORK/step/app/version"
        head -c $((i * 3000)) /dev/urandom >"$WORK/step/app/data/$i"
        chmod $((i % 2 ? 640 : 4755)) "$WORK/step/app/data/$i"
        chown $((i * 100)):$((i * 7)) "$WORK/step/app/data/$i"
        umoci insert --image "$layout:sixty" $([ $((i % 20)) != 0 ] || echo --opaque) "$WORK/step/app" /opt/app
        rm -rf "$WORK/step/app"
    done
    umoci insert --image "$layout:sixty" --whiteout /opt/app/data/45
    umoci config --image "$layout:sixty" --config.cmd python3 --config.cmd -c --config.cmd 'import scipy.linalg; print(scipy.__version__)'
    equal "$(umoci stat --image "$layout:sixty" --json | jq '[.history[] | select(.layer != null)] | length')" 60
    push "oci:$layout:sixty" docker://$REGISTRY/real/python:1
}
check 'umoci makes python3 with scipy in 60 layers' sixty

IMAGES_MADE=(nginx postgresql redis-zstd redis-schema2 small python)

compared() { # USER NAME: pulled by both, each layer compared
    local user=$1 name=$REGISTRY/real/$2:1 enter=() theirs layer id layers=0 entries=0
    as "$user" berth pull -q "$name" >"$WORK/id"
    as "$user" podman pull -q --tls-verify=false "$name" >/dev/null
    [ "$user" = root ] || enter=(podman unshare)
    theirs=$(as "$user" podman info --format '{{.Store.GraphRoot}}')
    for diff in $(jq -r '.layers[]' "$(store_of "$user")/images/$(cat "$WORK/id").json"); do
        layer=$(store_of "$user")/layers/${diff/:/-}
        id=$(jq -r --arg diff "$diff" '.[] | select(."diff-digest" == $diff) | .id' "$theirs/overlay-layers/layers.json" | head -n 1)
        [ -n "$id" ] || { echo "podman lacks $diff" >&2; return 1; }
        layers=$((layers + 1))
        as "$user" "${enter[@]}" python3 "$TESTS/images-look.py" "$layer/fs" "$SINCE" | sort >"$WORK/ours.txt"
        as "$user" "${enter[@]}" python3 "$TESTS/images-look.py" "$theirs/overlay/$id/diff" "$SINCE" | sort >"$WORK/theirs.txt"
        entries=$((entries + $(wc -l <"$WORK/ours.txt")))
        diff "$WORK/ours.txt" "$WORK/theirs.txt" >"$WORK/differ.txt" || { echo "layer $layers $diff"; head -n 20 "$WORK/differ.txt"; return 1; }
    done
    equal "sha256:$(cat "$WORK/id")" "$(as "$user" podman images -q --no-trunc "$name")"
    echo "# $user $2: $layers layers, $entries entries, $(as "$user" podman image inspect --format '{{.Size}}' "$name") bytes" >>"$WORK/figures"
}
# What a container sees: mount points and files that each program puts there apart.
SEEN='find / -xdev ! -path "/dev*" ! -path "/proc*" ! -path "/sys*" ! -path "/run*" ! -path / ! -path /etc ! -path /etc/hosts ! -path /etc/hostname ! -path /etc/resolv.conf ! -path /etc/mtab -printf "%P %y %m %U %G %n %l" \( -type f -printf " %s %T@" -o -true \) -printf "\n" | LC_ALL=C sort'
started() { # USER NAME
    local user=$1 name=$REGISTRY/real/$2:1
    as "$user" berth run --rm --network none --pull never "$name" >"$WORK/ours.txt" 2>&1
    as "$user" podman run --rm --network none --pull never "$name" >"$WORK/theirs.txt" 2>&1
    diff "$WORK/ours.txt" "$WORK/theirs.txt"
    [ -s "$WORK/ours.txt" ]
    [ "$2" != small ] || return 0
    as "$user" berth run --rm --network none --pull never "$name" sh -c "$SEEN" >"$WORK/ours.txt"
    as "$user" podman run --rm --network none --pull never "$name" sh -c "$SEEN" >"$WORK/theirs.txt"
    [ "$(wc -l <"$WORK/ours.txt")" -gt 3000 ]
    diff "$WORK/ours.txt" "$WORK/theirs.txt" >"$WORK/differ.txt" || { head -n 20 "$WORK/differ.txt"; return 1; }
}
for user in alice root; do
    fresh $user
    for image in "${IMAGES_MADE[@]}"; do
        check "$user: $image: every layer is what podman unpacks" compared $user "$image"
        check "$user: $image: runs, and its container sees what podman's sees" started $user "$image"
    done
    check "$user: all digests are right" sound $user
done

crawls() { # a megabyte and more at 50 kB/s: several times as long as systemd would wait
    fresh alice
    systemd-run -q --collect --unit test-slow python3 "$TESTS/registry-slow.py" $SLOW $PORT 50000
    unit_file alice crawl <<<"$LOCAL
[Container]
Image=127.0.0.1:$SLOW/t/busybox:1
Exec=sleep inf
StopTimeout=1
[Service]
TimeoutStartSec=5"
    local began=$SECONDS
    manager alice start crawl
    echo "# a start that pulls at 50 kB/s with TimeoutStartSec=5 took $((SECONDS - began)) s" >>"$WORK/figures"
    [ $((SECONDS - began)) -ge 15 ]
    equal "$(property alice crawl ActiveState)" active
    unit_gone alice crawl
    sound alice
}
check 'a unit starts over a line of 50 kB/s' crawls
cat "$WORK/figures"
finish
