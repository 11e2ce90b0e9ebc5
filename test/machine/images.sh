#!/usr/bin/env bash
# Prints the directory with the test images; makes them from Debian's static busybox when absent. No registry is needed.
#   busybox.tar       docker-archive, localhost/busybox:latest
#   busybox-oci/      the same as an OCI layout directory (gzip)       busybox-oci.tar   as an oci-archive
#   busybox-zstd/     the same with zstd layers
#   rootfs.tar        the root file system alone, for `berth import` and Rootfs=
#   hello.tar         docker-archive, localhost/hello:latest: busybox httpd on port 8080
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "$here/../../packaging/build" && pwd)
cache=${BERTH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/berth}
images=$cache/images-$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-12)

if [ ! -d "$images" ]; then
    "$build/tree.sh" >/dev/null
    mkdir -p "$cache"
    exec 9>"$cache/images.lock"
    flock 9
    if [ ! -d "$images" ]; then
        rm -rf "$images.part"
        mkdir "$images.part"
        # shellcheck disable=SC2016 # expanded inside the tree
        BERTH_BIND=$images.part "$build/in-tree.sh" bash -euc '
            cd /media
            root=/tmp/root
            mkdir -p $root/{bin,dev,etc,proc,sys,root,tmp,usr,var/www,var/log,home}
            chmod 1777 $root/tmp
            cp /bin/busybox $root/bin/busybox
            for applet in $(/bin/busybox --list | grep -vx busybox); do ln -s busybox $root/bin/$applet; done
            echo "root:x:0:0:root:/root:/bin/sh" >$root/etc/passwd
            echo "www:x:33:33:www:/var/www:/bin/sh" >>$root/etc/passwd
            echo "app:x:1000:1000:app:/home:/bin/sh" >>$root/etc/passwd
            printf "root:x:0:\nwww:x:33:\napp:x:1000:\nextra:x:44:app\n" >$root/etc/group
            echo "hello from a container" >$root/var/www/index.html
            tar -C $root --numeric-owner -cf rootfs.tar .
            umoci init --layout busybox-oci
            umoci new --image busybox-oci:latest
            umoci insert --image busybox-oci:latest $root /
            umoci config --image busybox-oci:latest --config.cmd sh --config.env PATH=/bin --config.workingdir / --os linux --architecture amd64
            umoci tag --image busybox-oci:latest hello
            umoci config --image busybox-oci:hello --clear=config.cmd --config.entrypoint httpd --config.entrypoint=-f --config.entrypoint=-v \
                --config.cmd=-p --config.cmd=8080 --config.cmd=-h --config.cmd=/var/www --config.exposedports 8080/tcp
            copy() { skopeo --insecure-policy copy --quiet "$@"; }
            copy oci:busybox-oci:latest docker-archive:busybox.tar:localhost/busybox:latest
            copy oci:busybox-oci:hello docker-archive:hello.tar:localhost/hello:latest
            copy oci:busybox-oci:latest oci-archive:busybox-oci.tar:latest
            copy --dest-compress-format zstd docker-archive:busybox.tar oci:busybox-zstd:latest
            umoci rm --image busybox-oci:hello
            umoci gc --layout busybox-oci' >&2
        mv "$images.part" "$images"
    fi
fi
printf '%s\n' "$images"
