#!/bin/sh
# make-deb.sh VERSION FILE: the package, from what is in dist/. Runs inside the Debian 13 tree, called by the Makefile.
set -eu
version=$1 file=$2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
make -s install DESTDIR="$root" prefix=/usr
mkdir "$root/DEBIAN"
size=$(du -ks --apparent-size "$root" | cut -f1)
built_using=$(dpkg-query -W -f '${source:Package} (= ${source:Version}), ' \
    libquickjs libseccomp-dev libzstd-dev zlib1g-dev nettle-dev libc6-dev | sed 's/, $//')
sed "s/@version@/$version/; s/@size@/$size/; s/@builtusing@/$built_using/" packaging/debian/control.in >"$root/DEBIAN/control"
cp packaging/debian/conffiles "$root/DEBIAN/"
install -m 755 packaging/debian/postinst packaging/debian/postrm "$root/DEBIAN/"
(cd "$root" && find usr etc -type f -exec md5sum {} + >DEBIAN/md5sums)
chmod 755 "$root"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat -c %Y dist/berth)} dpkg-deb --root-owner-group -Zzstd --build "$root" "$file.part" >/dev/null
mv "$file.part" "$file"
