#!/usr/bin/env bash
# berth account prepare, the hand-over of images, stores of accounts without a home, images in use.
. "$(dirname "$0")/lib.sh"
python3 "$TESTS/images-make.py" "$WORK/archives" || exit 1
chmod -R a+rX "$WORK/archives"
SVC=$(id -u svc)
clean() {
    # What a case that failed half-way left running.
    for user in root alice; do as $user berth rm -f -i user-of-plain >/dev/null 2>&1 || true; done
    umount /var/lib/berth 2>/dev/null
    umount /run/berth/users 2>/dev/null
    rm -rf "/run/berth/users/$SVC"
}
trap 'clean; rm -rf "$WORK"' EXIT
# Stores of the test's own.
mkdir "$WORK/store"
mount --bind "$WORK/store" /var/lib/berth
chmod 711 /var/lib/berth
rm -rf "/run/berth/users/$SVC"
# As units with User= run it: no session, no home, few variables.
service() { setpriv --reuid "$SVC" --regid "$(id -g svc)" --clear-groups env -i PATH="$PATH" HOME="$(getent passwd svc | cut -d: -f6)" "$@"; }

prepares() {
    local again
    for again in once twice; do
        berth account prepare svc
        equal "$(stat -c '%a %u %g %F' "/run/berth/users/$SVC" "/var/lib/berth/users/$SVC" | sort -u)" "700 $SVC $(id -g svc) directory"
        equal "$(stat -c '%a %u' /run/berth /run/berth/users /var/lib/berth /var/lib/berth/users | sort -u)" '711 0'
    done
    service berth load -q -i "$WORK/archives/plain.tar"
    contains "$(service berth images)" localhost/plain
    [ -d "/var/lib/berth/users/$SVC/layers" ]
    service berth rmi plain >/dev/null
}
check 'an account without a home gets its directories, also the second time' prepares

has_home() {
    berth account prepare alice
    [ -d "/run/berth/users/$(id -u alice)" ]
    [ ! -e "/var/lib/berth/users/$(id -u alice)" ]
    rmdir "/run/berth/users/$(id -u alice)"
}
check 'an account with a home keeps its store there' has_home

refuses() { # STATUS WORDS COMMAND…
    local status=$1 words=$2
    shift 2
    fails_with "$status" "$@" 2>"$WORK/err"
    equal "$(wc -l <"$WORK/err")" 1
    contains "$(cat "$WORK/err")" "$words"
}
check 'an account that does not exist' refuses 125 'no such account' berth account prepare nobody-knows
check 'nobody but root prepares' refuses 125 'only root' as alice berth account prepare alice
check 'another word than prepare' refuses 125 'there is only' berth account destroy svc

taken() {
    rm -rf "/run/berth/users/$SVC"
    mkdir "/run/berth/users/$SVC"
    chown bob: "/run/berth/users/$SVC"
    refuses 125 'belongs to uid 1001' berth account prepare svc
    rmdir "/run/berth/users/$SVC"
    ln -s /etc "/run/berth/users/$SVC"
    refuses 125 'belongs to' berth account prepare svc
    equal "$(stat -c '%a %u' /etc)" '755 0'
    rm "/run/berth/users/$SVC"
    chmod 777 /run/berth/users
    refuses 125 'only root can write' berth account prepare svc
    chmod 711 /run/berth/users
    berth account prepare svc
}
check 'T33 what somebody else left at the place is refused, links are not followed' taken

hands_over() {
    berth load -q -i "$WORK/archives/plain.tar" >/dev/null
    berth account prepare --image plain svc
    contains "$(service berth images)" localhost/plain
    equal "$(service berth images -q --no-trunc)" "$(berth images -q --no-trunc)"
    local layer
    for layer in /var/lib/berth/layers/*; do
        python3 "$TESTS/images-look.py" "$layer/fs" | sort >"$WORK/root.txt"
        nsenter_as_svc python3 "$TESTS/images-look.py" "/var/lib/berth/users/$SVC/layers/${layer##*/}/fs" | sort >"$WORK/svc.txt"
        diff "$WORK/root.txt" "$WORK/svc.txt"
    done
    equal "$(ls "/var/lib/berth/users/$SVC/tmp")" ''
    [ "$(find "/var/lib/berth/users/$SVC" -user root | wc -l)" = 0 ]
    # Again: nothing to do, and quick.
    berth account prepare --image plain svc
    contains "$(service berth run --rm --network none --cgroups=disabled plain /bin/busybox echo handed 2>/dev/null)" handed
}
# In a user namespace with the account's map, so that ids look as they do in root's store.
nsenter_as_svc() {
    local sub
    sub=$(awk -F: '$1 == "svc" { print $2 ":" $3 }' /etc/subuid)
    service unshare --user --map-users="0:$SVC:1" --map-users="1:$sub" --map-groups="0:$(id -g svc):1" --map-groups="1:$sub" --setuid=0 --setgid=0 "$@"
}
check 'an image of root is handed over: the same tree with the account as its owner' hands_over

follows() {
    # What came from root follows root's; what the account got itself stays.
    berth import -q "$WORK/archives/rootfs.tar" plain >/dev/null
    berth account prepare --image plain svc
    equal "$(service berth images -f reference=plain -q --no-trunc)" "$(berth images -f reference=plain -q --no-trunc)"
    service berth load -q -i "$WORK/archives/plain.tar" >/dev/null
    berth account prepare --image plain svc
    [ "$(service berth images -f reference=plain -q --no-trunc)" != "$(berth images -f reference=plain -q --no-trunc)" ]
    berth load -q -i "$WORK/archives/plain.tar" >/dev/null
    equal "$(service berth images -f reference=plain -q --no-trunc)" "$(berth images -f reference=plain -q --no-trunc)"
}
check 'a newer image of root follows, one of the account stays' follows

planted() {
    # The account puts links where the hand-over writes; root must not follow them, since root never writes there.
    service berth rmi -f plain >/dev/null
    local store=/var/lib/berth/users/$SVC
    rm -rf "$store/tmp" "$store/names"
    service ln -s /etc "$store/tmp"
    service ln -s /etc "$store/names"
    local before
    before=$(find /etc -newermt '1 minute ago' | sort)
    fails_with 125 berth account prepare --image plain svc 2>/dev/null
    equal "$(find /etc -name '*plain:latest*')" ''
    equal "$(find /etc -newermt '1 minute ago' | sort)" "$before"
    rm "$store/tmp" "$store/names"
    berth account prepare --image plain svc
}
check 'T33 links that an account plants do not lead root' planted

absent() {
    berth account prepare --image not-there svc
    refuses 125 'no subordinate ids' berth account prepare --image plain plain
}
check 'an image that root lacks is no failure; an account that cannot hold it is told why' absent

dynamic() {
    systemd-run --quiet --wait --pipe --collect -p DynamicUser=yes -p StateDirectory=dynamic-test -p User=dynamic-test \
        -p ExecStartPre='+/usr/bin/berth account prepare --image plain dynamic-test' \
        sh -c 'berth images -n; ls -A "$STATE_DIRECTORY/berth/tmp"' >"$WORK/out"
    contains "$(cat "$WORK/out")" localhost/plain
    equal "$(wc -l <"$WORK/out")" 1
    rm -rf /var/lib/private/dynamic-test /var/lib/dynamic-test
    equal "$(find /run/berth/users /var/lib/berth/users -mindepth 1 -maxdepth 1 -uid +61183 | wc -l)" 0
}
check 'DynamicUser=: the image comes into the state directory, with a single id' dynamic

# A volume and a container of an account that nobody has prepared; the unit brings its image itself.
never_prepared() {
    rm -rf "/run/berth/users/$SVC" "/var/lib/berth/users/$SVC"
    unit_file root fresh.volume <<<$'[Volume]\n[Service]\nUser=svc'
    unit_file root fresh <<<$'[Container]\nImage=localhost/busybox\nNetwork=none\nVolume=fresh.volume:/data\nExec=sh -c "echo brought >/data/it; cat /data/it"\n[Service]\nUser=svc\nType=oneshot\nExecStartPre=berth load -q -i '"$IMAGES"'/busybox.tar'
    manager root start fresh
    contains "$(journal root fresh)" brought
    equal "$(berth images -f reference=localhost/busybox -q)" ''
    unit_gone root fresh fresh.volume
    service berth volume rm systemd-fresh
    service berth rmi -f localhost/busybox >/dev/null
}
check 'the first start of an account: its directories are there before the commands of the unit run' never_prepared

# An account of a directory service, which glibc's name service alone knows: containers, by its name and its number, and a volume that is its own.
elsewhere() {
    local name
    gcc -shared -fPIC -o /usr/lib/x86_64-linux-gnu/libnss_far.so.2 -xc - <<'END'
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <string.h>
static enum nss_status user(struct passwd *p, int known) {
    if (known) *p = (struct passwd){"lena", "x", 30044, 30044, "Lena", "/nonexistent", "/bin/sh"};
    return known ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND;
}
static enum nss_status group(struct group *g, int known) {
    static char *none[] = {0};
    if (known) *g = (struct group){"lena", "x", 30044, none};
    return known ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND;
}
enum nss_status _nss_far_getpwnam_r(const char *n, struct passwd *p, char *b, size_t l, int *e) { return user(p, !strcmp(n, "lena")); }
enum nss_status _nss_far_getpwuid_r(uid_t i, struct passwd *p, char *b, size_t l, int *e) { return user(p, i == 30044); }
enum nss_status _nss_far_getgrnam_r(const char *n, struct group *g, char *b, size_t l, int *e) { return group(g, !strcmp(n, "lena")); }
enum nss_status _nss_far_getgrgid_r(gid_t i, struct group *g, char *b, size_t l, int *e) { return group(g, i == 30044); }
END
    kept=$(cat /etc/nsswitch.conf)
    trap nowhere EXIT # as that of the subshell that a case is
    sed -i -E 's/^(passwd|group):.*/\1: files far/' /etc/nsswitch.conf
    echo lena:700000:65536 | tee -a /etc/subuid >>/etc/subgid
    berth load -q -i "$IMAGES/busybox.tar" >/dev/null
    for name in lena 30044; do
        printf '%s\n' '[Container]' Image=localhost/busybox Network=none 'Exec=cat /proc/self/uid_map' '[Service]' Type=oneshot "User=$name" \
            >"/etc/containers/systemd/far-$name.container"
    done
    printf '[Volume]\nUser=lena\nGroup=lena\n' >/etc/containers/systemd/far.volume
    systemctl daemon-reload
    systemctl start far-lena far-30044 far-volume || { journalctl -n 20 -o cat; return 1; }
    journalctl --sync
    for name in lena 30044; do contains "$(journal root far-$name)" 700000; done
    equal "$(stat -c %u:%g "$(berth volume inspect -f '{{.Mountpoint}}' systemd-far)")" 30044:30044
    refuses 125 '--opt o=uid=lana: there is no such user' berth volume create --opt o=uid=lana none
}
# A boot must not hang on the directory: what is there is not looked up again.
nowhere() {
    local status=$?
    trap - ERR
    set +e
    rm /usr/lib/x86_64-linux-gnu/libnss_far.so.2
    systemctl restart far-volume || { journalctl -n 20 -o cat; status=1; }
    systemctl stop far-volume
    berth volume rm systemd-far >/dev/null
    rm -r /etc/containers/systemd/far* /var/lib/berth/users/30044 /run/berth/users/30044
    echo "$kept" >/etc/nsswitch.conf
    sed -i /^lena:/d /etc/subuid /etc/subgid
    berth rmi -f localhost/busybox >/dev/null
    systemctl daemon-reload
    exit $status
}
check 'an account of a directory service' elsewhere

in_use() { # USER
    as "$1" berth load -q -i "$WORK/archives/plain.tar" >/dev/null
    as "$1" berth run -d --name user-of-plain --network none plain /bin/busybox sleep 1000 >/dev/null
    refuses 2 'used by the container user-of-plain' as "$1" berth rmi plain
    refuses 2 'used by the container user-of-plain' as "$1" berth rmi --force plain
    as "$1" berth tag plain second
    contains "$(as "$1" berth rmi plain)" 'Untagged'
    contains "$(as "$1" berth exec user-of-plain /bin/busybox cat /etc/motd)" hi
    as "$1" berth rm -f user-of-plain >/dev/null
    contains "$(as "$1" berth rmi second)" 'Deleted'
}
check 'root: an image in use stays, and its container is named' in_use root
check 'alice: an image in use stays, and its container is named' in_use alice
finish
