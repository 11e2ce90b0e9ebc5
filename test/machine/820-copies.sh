#!/usr/bin/env bash
# cp, export, diff, commit: files out of containers and into them, and what a hostile container makes of it (T1, T2, T25, T29).
. "$(dirname "$0")/lib.sh"
SETUP='mkdir -p /n/d /n/empty; echo x >/n/f; echo deep >/n/d/deep; ln -s ../f /n/d/link; ln /n/f /n/hard; ln -s /n/d /n/dir
printf "a\0b" >"/n/ümlaut name"; echo w >/n/.wh.f; rm /etc/group; chmod 4755 /n/f; chown 1000:44 /n/d/deep; chmod 700 /n/d; touch /ready; exec sleep 1000'

begin() { # WHO NAME [OPTION…]
    local who=$1 name=$2
    shift 2
    as "$who" berth run -d --name "$name" --network none --stop-timeout 0 "$@" localhost/busybox sh -c "$SETUP" >/dev/null
    as "$who" timeout 30 sh -c 'until berth exec "$0" test -e /ready; do sleep 0.05; done' "$name"
}
place() { as "$1" mktemp -d; }

out() {
    begin "$1" c1 -v vol1:/data
    local to
    to=$(place "$1")
    as "$1" berth exec c1 sh -c 'echo volume >/data/v'
    as "$1" berth cp c1:/n/d/link "$to/plain" # a link is followed
    equal "$(cat "$to/plain")" x
    as "$1" berth cp c1:/n "$to"
    as "$1" berth cp c1:/n/. "$to/new"
    as "$1" diff -r --no-dereference "$to/n" "$to/new"
    equal "$(cat "$to/n/d/deep")" deep
    equal "$(readlink "$to/n/d/link")" ../f
    equal "$(stat -c %i "$to/n/f")" "$(stat -c %i "$to/n/hard")"
    [ -d "$to/n/empty" ]
    [ -e "$to/n/.wh.f" ]
    [ -e "$to/n/ümlaut name" ]
    as "$1" berth cp c1:/data/v "$to"
    equal "$(cat "$to/v")" volume
    # All of it is the caller's, and no set-id bit comes out.
    equal "$(find "$to" ! -user "$1" -o -perm /6000)" ''
    equal "$(as "$1" sh -c 'berth cp c1:/n/f - | tar tf -')" f
    contains "$(as "$1" sh -c 'berth cp c1:/n - | tar tvf -')" 1000/44
}
into() {
    local from
    from=$(place "$1")
    as "$1" sh -c 'cd "$0"; mkdir -p t/sub; echo 1 >t/one; echo 2 >t/sub/two; chmod 640 t/one' "$from"
    as "$1" berth cp "$from/t" c1:/n
    as "$1" berth cp "$from/t/." c1:/n/t2
    as "$1" berth cp "$from/t/one" c1:/n/dir/   # through a link of the container's own
    as "$1" berth cp "$from/t/one" c1:/n/renamed
    equal "$(as "$1" berth exec c1 sh -c 'cat /n/t/sub/two /n/t2/one /n/d/one /n/renamed; stat -c %u:%g:%a /n/renamed')" $'2\n1\n1\n1\n0:0:640'
    as "$1" sh -c 'tar c -C "$0" t | berth cp - c1:/data' "$from"
    equal "$(as "$1" berth exec c1 cat /data/t/one)" 1
    as "$1" sh -c 'cd "$0" && berth cp t/one c1:relative' "$from"
    equal "$(as "$1" berth exec c1 cat /relative)" 1
}
owned() { # -a: what is copied is the payload's user's
    as "$1" berth run -d --name c2 --network none --stop-timeout 0 -u app localhost/busybox sleep 1000 >/dev/null
    as "$1" berth cp /etc/hostname c2:/tmp/h
    equal "$(as "$1" berth exec c2 stat -c %u:%g /tmp/h)" "$(as "$1" berth exec c2 sh -c 'id -u; id -g' | paste -sd:)"
    as "$1" berth cp -a=false /etc/hostname c2:/tmp/r
    equal "$(as "$1" berth exec c2 stat -c %u /tmp/r)" 0
    as "$1" berth cp c1:/n/d/deep c2:/tmp
    equal "$(as "$1" berth exec c2 cat /tmp/deep)" deep
    as "$1" berth rm -f -t 0 c2
}
wrong() {
    local to
    to=$(place "$1")
    contains "$(fails_with 125 as "$1" berth cp c1:/absent "$to" 2>&1)" 'c1:/absent: no such file'
    contains "$(fails_with 125 as "$1" berth cp absent:/n "$to" 2>&1)" 'no such container'
    contains "$(fails_with 125 as "$1" berth cp /etc/hostname "$to" 2>&1)" CONTAINER:PATH
    contains "$(fails_with 125 as "$1" berth cp /etc/hostname c1:/no/such 2>&1)" 'no directory /no'
    contains "$(fails_with 125 as "$1" berth cp /etc/hostname c1:/new/ 2>&1)" 'no such directory'
    contains "$(fails_with 125 as "$1" berth cp c1:/n/d "$to/../$(basename "$to")/x/y" 2>&1)" 'no directory'
    contains "$(fails_with 125 as "$1" berth cp c1:/n c1:/n/f 2>&1)" --overwrite
    contains "$(fails_with 125 as "$1" berth cp c1:/dev/null "$to" 2>&1)" 'neither a file nor a directory'
    contains "$(fails_with 125 as "$1" sh -c 'echo junk | berth cp - c1:/n' 2>&1)" archive
    as "$1" sh -c 'mkdir -p "$0/n/f"' "$to"
    contains "$(fails_with 125 as "$1" berth cp c1:/n "$to" 2>&1)" 'a directory stands there'
    as "$1" berth cp --overwrite c1:/n "$to"
    equal "$(cat "$to/n/f")" x
}
links() { # T25: links of the container lead nowhere but into the container
    echo secret >/var/tmp/secret
    chmod 644 /var/tmp/secret
    mkdir -m 777 /var/tmp/victim
    as "$1" berth exec c1 sh -c 'mkdir /bad; cd /bad; ln -s /var/tmp/secret abs; ln -s ../../../../../../var/tmp/secret rel; ln -s /var/tmp/victim to
        ln -s /proc/self/root/var/tmp/secret proc; ln -s loop loop'
    local to link
    to=$(place "$1")
    for link in abs rel proc; do
        contains "$(fails_with 125 as "$1" berth cp "c1:/bad/$link" "$to/got" 2>&1)" "/bad/$link"
    done
    fails_with 125 as "$1" berth cp /etc/hostname c1:/bad/to/planted
    as "$1" berth exec c1 mkdir -p /var/tmp/victim
    as "$1" berth cp /etc/hostname c1:/bad/to/planted
    as "$1" berth exec c1 test -e /var/tmp/victim/planted
    equal "$(ls -A /var/tmp/victim)" ''
    equal "$(ls -A "$to")" ''
    rm -rf /var/tmp/secret /var/tmp/victim
}
raced() { # a directory and a link to the host's change places all the time
    as "$1" berth exec -d c1 sh -c 'mkdir -p /r/real; echo inside >/r/real/hostname; ln -s /etc /r/link
        while [ -e /ready ]; do mv -T /r/real /r/tmp 2>/dev/null; mv -T /r/link /r/real 2>/dev/null; mv -T /r/real /r/link; mv -T /r/tmp /r/real; done'
    local to turn
    to=$(place "$1")
    as "$1" timeout 30 sh -c 'until berth exec c1 test -e /r/link; do sleep 0.05; done'
    for turn in 1 2; do
        as "$1" berth cp c1:/r/real/hostname "$to/$turn" 2>/dev/null || true
        as "$1" berth cp c1:/r "$to/r$turn" 2>/dev/null || true
        as "$1" berth cp /etc/passwd c1:/r/real/planted 2>/dev/null || true
    done
    as "$1" berth exec c1 rm /ready # ends the changes
    fails grep -rqsx "$(cat /etc/hostname)" "$to"
    [ ! -e /etc/planted ]
}
hostile_archive() { # names that lead upwards, and links of the archive itself
    local from
    from=$(place "$1")
    as "$1" python3 - "$from" <<'PY'
import io, sys, tarfile
def make(name, *members):
    with tarfile.open(f"{sys.argv[1]}/{name}", "w") as archive:
        for kind, path, link in members:
            info = tarfile.TarInfo(path)
            info.type, info.linkname = kind, link
            info.size = 4 if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(b"evil") if info.size else None)
make("up.tar", (tarfile.REGTYPE, "../../../../../../tmp/evil", ""))
make("link.tar", (tarfile.SYMTYPE, "out", "/tmp"), (tarfile.REGTYPE, "out/evil", ""))
make("hard.tar", (tarfile.LNKTYPE, "h", "../../etc/passwd"))
PY
    rm -f /tmp/evil
    contains "$(fails_with 125 as "$1" sh -c 'berth cp - c1:/n <"$0/up.tar"' "$from" 2>&1)" upwards
    contains "$(fails_with 125 as "$1" sh -c 'berth cp - c1:/n <"$0/hard.tar"' "$from" 2>&1)" upwards
    as "$1" sh -c 'berth cp - c1:/n <"$0/link.tar"' "$from" || true
    [ ! -e /tmp/evil ]
}
differs() {
    local changes
    begin "$1" c3
    changes=$(as "$1" berth diff c3)
    contains "$changes" 'D /etc/group'
    contains "$changes" 'C /etc'
    contains "$changes" 'A /n/d/deep'
    fails grep -q '/proc\|/sys\|containerenv' <<<"$changes"
    # A directory in the place of another hides all that the other one had; a name is no line.
    as "$1" berth exec c3 sh -c 'rm -r /var/www; mkdir -p /var/www "$0/etc"; touch /var/www/new "$0/etc/passwd"' $'/n/x\nD '
    changes=$(as "$1" berth diff c3)
    grep -qx 'D /var/www/index.html' <<<"$changes"
    grep -qx 'A /var/www/new' <<<"$changes"
    fails grep -qx 'D /etc/passwd' <<<"$changes"
    equal "$(as "$1" berth diff --format json c3 | python3 -c 'import json, sys; print(sorted(json.load(sys.stdin)))')" "['added', 'changed', 'deleted']"
}
commits() {
    local id
    id=$(as "$1" berth commit -p -a me -m why -c 'CMD ["cat", "/n/f"]' -c 'ENV MADE=yes' c3 made)
    equal "$(as "$1" berth run --rm --network none localhost/made)" x
    equal "$(as "$1" berth run --rm --network none "$id" sh -c 'echo $MADE; ls /etc/group 2>&1 | grep -c "No such"; stat -c %u:%g:%a /n/d/deep; stat -c %a /n/f')" $'yes\n1\n1000:44:644\n4755'
    equal "$(as "$1" berth image inspect --format '{{.Author}} {{.Comment}}' made)" 'me why'
    contains "$(as "$1" berth history made)" 'berth commit'
    as "$1" berth rmi made >/dev/null
    contains "$(fails_with 125 as "$1" berth commit -c 'NONSENSE x' c3 2>&1)" NONSENSE
    # It goes on when the commit is ended in the middle, and stays paused when somebody else has paused it.
    local freezer
    freezer=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(as "$1" berth inspect c3 --format '{{.State.Pid}}')/cgroup")/cgroup.freeze
    as "$1" berth exec c3 truncate -s 300M /n/large
    fails_with 143 as "$1" sh -c 'berth commit -q -p c3 & until grep -q 1 "$0"; do kill -0 $! || exit 1; done; kill -TERM $!; wait $!' "$freezer"
    equal "$(cat "$freezer")" 0
    as "$1" berth exec c3 rm /n/large
    as "$1" berth pause c3
    as "$1" berth rmi "$(as "$1" berth commit -q -p c3)" >/dev/null
    equal "$(cat "$freezer")" 1
    as "$1" berth unpause c3
}
exports() {
    as "$1" sh -c 'berth export c1 | tar tf -' >listed
    grep -qx n/d/deep listed
    grep -qx bin/busybox listed
    grep -qx data/ listed
    fails grep -q '^data/v\|^proc/.\|^sys/.' listed
    equal "$(as "$1" sh -c '{ berth export c1 | head -c 1 >/dev/null; } 2>&1')" 'berth: copy: who reads the output has ended'
    as "$1" sh -c 'cd $(mktemp -d); berth export -o a.tar c1 && berth import a.tar exported >/dev/null'
    equal "$(as "$1" berth run --rm --network none localhost/exported cat /n/d/deep)" deep
    as "$1" berth rmi localhost/exported >/dev/null
}
stopped() { # its layer and its image are mounted where nobody sees it
    local to before
    to=$(place "$1")
    as "$1" berth stop -t 0 c3
    before=$(findmnt -rn | wc -l)
    as "$1" berth cp c3:/n/d/deep "$to"
    equal "$(cat "$to/deep")" deep
    as "$1" berth cp "$to/deep" c3:/n/again
    as "$1" sh -c 'berth cp c3:/n/again -' | tar xO | grep -qx deep
    contains "$(as "$1" sh -c 'berth export c3 | tar tf -')" n/again
    contains "$(as "$1" berth diff c3)" 'A /n/again'
    equal "$(findmnt -rn | wc -l)" "$before"
    as "$1" berth rm c3
}
of_unit() { # of a system unit with User=, by its owner
    unit_file root copied <<<$'[Container]\nImage=localhost/busybox\nExec=sleep 1000\nNetwork=none\nStopTimeout=0\n[Service]\nUser=bob'
    as bob berth load -q -i "$IMAGES/busybox.tar" >/dev/null
    systemctl start copied
    as bob berth cp /etc/hostname copied:/tmp/h
    equal "$(as bob sh -c 'berth cp copied:/tmp/h - | tar xO')" "$(cat /etc/hostname)"
    unit_gone root copied
}

for who in alice root; do
    as "$who" berth load -q -i "$IMAGES/busybox.tar" >/dev/null
    check "$who: cp out of a container" out "$who"
    check "$who: cp into a container" into "$who"
    check "$who: diff" differs "$who"
    if [ "$who" = alice ]; then
        check "$who: T25: cp follows no link out of the container" links "$who"
        check "$who: commit" commits "$who"
        check "$who: cp gives files to the payload's user" owned "$who"
        check "$who: cp says what is wrong" wrong "$who"
        check "$who: T25: cp of a hostile archive" hostile_archive "$who"
        check "$who: export" exports "$who"
        check "$who: cp, export and diff of a container that does not run" stopped "$who"
        check "$who: T25: cp while directory and link change places" raced "$who"
    fi
    as "$who" berth rm -f -t 0 c3 >/dev/null 2>&1
    as "$who" berth rm -f -t 0 c1 >/dev/null 2>&1
    as "$who" berth volume rm vol1 >/dev/null 2>&1
done
check 'a system unit with User=: cp by its owner' of_unit
finish
