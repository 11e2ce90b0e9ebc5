#!/usr/bin/env bash
# login, logout and search with Debian's docker-registry: TLS, passwords, tokens; as root and as alice.
. "$(dirname "$0")/lib.sh"
. "$TESTS/registries.sh"
trap 'end_registries; rm -rf "$WORK" /etc/containers/certs.d /root/.config/containers/certs.d /home/alice/.config/containers/certs.d' EXIT
set -e
begin_registries
set +e
chmod -R a+rX "$WORK"

# The file of credentials that the account's own tools have, too.
auth_file() { # USER
    # shellcheck disable=SC2016 # expanded by the account's shell
    as "$1" sh -c 'echo "${XDG_RUNTIME_DIR:-/run/containers/$(id -u)}/containers/auth.json" | sed "s,/run/containers/\([0-9]*\)/containers,/run/containers/\1,"'
}
password() { printf 'se cret\n'; }

not_verified() { # USER
    local err
    err=$(password | as "$1" berth login -u me --password-stdin 127.0.0.1:5443 2>&1 >/dev/null) && return 1
    equal "$(wc -l <<<"$err")" 1
    contains "$err" 'not from an authority known here'
    contains "$err" 'certs.d/127.0.0.1:5443/ca.crt'
}
trust() { # USER
    local directory port
    for port in 5443 5444; do
        directory=/etc/containers/certs.d/127.0.0.1:$port
        [ "$1" = root ] || directory=/home/$1/.config/containers/certs.d/127.0.0.1:$port
        as "$1" mkdir -p "$directory"
        as "$1" cp "$REGISTRY_CA" "$directory/ca.crt"
    done
}

wrong_password() { # USER PORT
    local err status=0
    err=$(printf 'wrong-one' | as "$1" berth login -u me --password-stdin "127.0.0.1:$2" 2>&1 >/dev/null) || status=$?
    equal $status 125
    equal "$(wc -l <<<"$err")" 1
    [[ $err != *wrong-one* ]]
    [ ! -e "$(auth_file "$1")" ] || ! grep -q "127.0.0.1:$2" "$(auth_file "$1")"
}

logs_in() { # USER PORT
    local file
    equal "$(password | as "$1" berth login -u me --password-stdin "127.0.0.1:$2")" 'Login Succeeded!'
    file=$(auth_file "$1")
    equal "$(stat -c %a "$file")" 600
    equal "$(stat -c %U "$file")" "$1"
    equal "$(as "$1" berth login --get-login "127.0.0.1:$2")" me
    contains "$(as "$1" berth login "127.0.0.1:$2")" 'Already logged in'
    # What we wrote is what the peer reads.
    equal "$(as "$1" podman login --get-login "127.0.0.1:$2")" me
}

searches() { # USER PORT
    contains "$(as "$1" berth search "127.0.0.1:$2/busy")" "127.0.0.1:$2/team/busybox"
    equal "$(as "$1" berth search "127.0.0.1:$2/nothing" --format json)" '[]'
    equal "$(as "$1" berth search --list-tags "127.0.0.1:$2/team/busybox" --format '{{.Tag}}' | sort | tr '\n' ' ')" '1 2 '
    fails_with 125 as "$1" berth search --list-tags "127.0.0.1:$2/team/absent" 2>"$WORK/err"
    equal "$(wc -l <"$WORK/err")" 1
}

# In a mount namespace in which Node is a program that fails.
without_node() { # USER COMMAND…
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare -m bash -c 'mount --bind /bin/false /usr/bin/node; . "$0"; as "$@"' "$WORK/as" "$@"
}
declare -f as >"$WORK/as"
distrusted() { # USER HOST:PORT
    local directory=/etc/containers/certs.d/$2 err
    [ "$1" = root ] || directory=/home/$1/.config/containers/certs.d/$2
    mv "$directory/ca.crt" "$directory/ca.not"
    err=$(fails_with 125 as "$1" berth pull -q --retry 0 "$2/team/busybox:1" 2>&1)
    mv "$directory/ca.not" "$directory/ca.crt"
    contains "$err" 'not from an authority known here'
}

# The image of either registry is the one that was pushed: its id says so.
pulls() { # USER PORT
    local id
    as "$1" berth pull -q "127.0.0.1:$2/team/busybox:1" >"$WORK/out"
    id=$(tail -n 1 "$WORK/out")
    equal "${id#sha256:}" "$(skopeo inspect --raw --config "docker-archive:$IMAGES/busybox.tar" | sha256sum | cut -c1-64)"
    # Unchanged: with a password Node is not needed, a token is Node's matter.
    equal "$(as "$1" berth pull -q "127.0.0.1:$2/team/busybox:1")" "$id"
    [ "$2" != 5443 ] || equal "$(without_node "$1" berth pull "127.0.0.1:$2/team/busybox:1")" "$id"
    # An authority that is not believed any more: not "unchanged", but Node's error.
    distrusted "$1" "127.0.0.1:$2"
    # Nothing stays that belongs to a name which is taken away.
    local note
    note=$(if [ "$1" = root ]; then echo /var/lib; else echo /home/alice/.local/share; fi)/berth/pulled/127.0.0.1:$2%2Fteam%2Fbusybox:1
    [ -e "$note" ]
    as "$1" berth untag "127.0.0.1:$2/team/busybox:1"
    [ ! -e "$note" ]
    as "$1" berth rmi "${id#sha256:}" >/dev/null
}

# A name that is nowhere, behind a mirror that nobody serves and one that does; then blocked; then rejected.
configured() {
    local directory=/home/alice/.config/containers name=r.example.com/all/busybox:2
    as alice tee "$directory/registries.conf" >/dev/null <<'TOML'
[[registry]]
prefix = "*.example.com"
location = "127.0.0.1:9"
[[registry.mirror]]
location = "127.0.0.1:10"
[[registry]]
prefix = "r.example.com/all"
location = "127.0.0.1:9/nothing"
[[registry.mirror]]
location = "127.0.0.1:10/team"
[[registry.mirror]]
location = "127.0.0.1:5443/team"
[[registry]]
prefix = "*.ports.example.com"
location = "127.0.0.1"
[[registry]]
location = "blocked.example.com"
blocked = true
TOML
    as alice berth pull -q --retry 0 $name >/dev/null 2>&1
    contains "$(as alice berth images)" r.example.com/all/busybox
    as alice berth rmi $name >/dev/null
    # The port stays, and goes on.
    as alice berth pull -q --retry 0 a.ports.example.com:5443/team/busybox:1 >/dev/null
    as alice berth rmi a.ports.example.com:5443/team/busybox:1 >/dev/null
    contains "$(fails_with 125 as alice berth pull --retry 0 other.example.com/x 2>&1)" 'refused'
    contains "$(fails_with 125 as alice berth pull blocked.example.com/x 2>&1)" "$directory/registries.conf blocks the registry"
    as alice tee "$directory/policy.json" >/dev/null <<<'{"default":[{"type":"reject"}]}'
    contains "$(fails_with 125 as alice berth pull $name 2>&1)" "$directory/policy.json rejects it (default)"
    contains "$(fails_with 125 as alice berth load -i $IMAGES/busybox.tar 2>&1)" "docker-archive:$IMAGES/busybox.tar: $directory/policy.json rejects it (default)"
    contains "$(fails_with 125 as alice berth import $IMAGES/rootfs.tar 2>&1)" "tarball:$IMAGES/rootfs.tar: $directory/policy.json rejects it (default)"
    as alice tee "$directory/policy.json" >/dev/null <<<'{"default":[{"type":"signedBy"}]}'
    contains "$(fails_with 125 as alice berth pull $name 2>&1)" 'asks for a signature'
}
unconfigured() { rm -f /home/alice/.config/containers/{registries.conf,policy.json}; }

# A helper keeps the password; no file has it.
helper() {
    local file
    as alice tee /home/alice/docker-credential-test >/dev/null <<'SH'
#!/bin/sh
case $1 in
store) cat >"$HOME/kept" ;;
get) cat >/dev/null; if [ -e "$HOME/kept" ]; then cat "$HOME/kept"; else echo 'credentials not found in native keychain'; exit 1; fi ;;
erase) cat >/dev/null; rm -f "$HOME/kept" ;;
esac
SH
    chmod 755 /home/alice/docker-credential-test
    file=$(auth_file alice)
    as alice sh -c "mkdir -p '${file%/*}'; echo '{\"credHelpers\":{\"127.0.0.1:5443\":\"test\"}}' >'$file'"
    # shellcheck disable=SC2016 # expanded by the account's shell
    password | as alice sh -c 'PATH=$HOME:$PATH berth login -u me --password-stdin 127.0.0.1:5443'
    equal "$(jq -r .Secret /home/alice/kept)" 'se cret'
    [ "$(grep -c auths "$file")" = 0 ]
    # shellcheck disable=SC2016 # expanded by the account's shell
    as alice sh -c 'PATH=$HOME:$PATH berth search --list-tags 127.0.0.1:5443/team/busybox' >/dev/null
    # shellcheck disable=SC2016 # expanded by the account's shell
    as alice sh -c 'PATH=$HOME:$PATH berth logout 127.0.0.1:5443'
    [ ! -e /home/alice/kept ]
    rm -f "$file"
    # For all registries.
    # shellcheck disable=SC2016 # expanded by the account's shell
    as alice sh -c 'echo "credential-helpers = [\"test\"]" >"$HOME/.config/containers/registries.conf"'
    # shellcheck disable=SC2016 # expanded by the account's shell
    contains "$(password | as alice sh -c 'PATH=$HOME:$PATH berth login -v -u me --password-stdin 127.0.0.1:5443')" 'Used: credential helper test'
    [ ! -e "$file" ]
    # shellcheck disable=SC2016 # expanded by the account's shell
    equal "$(as alice sh -c 'PATH=$HOME:$PATH berth login --get-login 127.0.0.1:5443')" me
    # shellcheck disable=SC2016 # expanded by the account's shell
    as alice sh -c 'PATH=$HOME:$PATH berth logout 127.0.0.1:5443'
    [ ! -e /home/alice/kept ]
    rm -f /home/alice/docker-credential-test /home/alice/.config/containers/registries.conf
}

tokens_are_scoped() {
    grep -qx '/token?repository:team/busybox:pull' "$REGISTRY_DIR/front.log"
    grep -qx '/token?registry:catalog:\*' "$REGISTRY_DIR/front.log"
}

logs_out() { # USER PORT…
    local port
    for port in "${@:2}"; do
        contains "$(as "$1" berth logout 127.0.0.1:$port)" "Removed login credentials for 127.0.0.1:$port"
        fails_with 125 as "$1" berth logout 127.0.0.1:$port
        fails_with 125 as "$1" berth login --get-login 127.0.0.1:$port
        fails_with 125 as "$1" berth search --list-tags 127.0.0.1:$port/team/busybox
    done
    equal "$(jq -c .auths "$(auth_file "$1")")" '{}'
    rm -f "$(auth_file "$1")"
}

# What the peer keeps, we know; and what is not ours in the file stays.
shares_the_file() {
    local file
    password | as alice podman login -u me --password-stdin --cert-dir "$REGISTRY_DIR" 127.0.0.1:5443
    file=$(auth_file alice)
    equal "$(as alice berth login --get-login 127.0.0.1:5443)" me
    jq '.other = {"kept": true}' "$file" >"$WORK/edited"
    cat "$WORK/edited" >"$file"
    password | as alice berth login -u me --password-stdin 127.0.0.1:5444
    equal "$(jq -c .other "$file")" '{"kept":true}'
    as alice berth logout --all
    equal "$(jq -c .auths "$file")" '{}'
    rm -f "$file"
}

# A prompt: what is typed for the password is not shown.
asks() {
    local out
    rm -f "$WORK/keys"
    mkfifo -m 666 "$WORK/keys"
    : >"$WORK/screen"
    as alice script -qec 'berth login 127.0.0.1:5443' /dev/null <"$WORK/keys" >"$WORK/screen" 2>&1 &
    local pid=$!
    exec 3>"$WORK/keys"
    shows Username
    printf 'me\n' >&3
    shows Password
    printf 'se cret\n' >&3
    exec 3>&-
    wait $pid
    out=$(cat "$WORK/screen")
    contains "$out" 'Login Succeeded!'
    [[ $out != *'se cret'* ]]
    as alice berth logout 127.0.0.1:5443
    rm -f "$(auth_file alice)"
    # The password that --creds leaves out; where nobody can be asked, one line says so.
    contains "$(fails_with 125 as alice berth pull --creds me 127.0.0.1:5443/team/busybox:1 2>&1)" 'no terminal to ask for the password'
    out=$(as alice python3 "$TESTS/terminals.py" wait:Password hidden 'send:se cret\n' end -- berth pull -q --creds me 127.0.0.1:5443/team/busybox:1)
    [[ $out =~ [0-9a-f]{64} && $out != *'se cret'* ]]
    as alice python3 "$TESTS/terminals.py" wait:Password hidden 'send:se cret\n' end -- berth search --creds me --list-tags 127.0.0.1:5443/team/busybox >/dev/null
    fails_with 125 as alice python3 "$TESTS/terminals.py" wait:Password hidden 'send:other\n' end -- berth push --creds me 127.0.0.1:5443/team/busybox:1 >/dev/null
    as alice berth rmi 127.0.0.1:5443/team/busybox:1
}
shows() { # WORD
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout 60 sh -c 'until grep -q "$0" "$1"; do sleep 0.05; done' "$1" "$WORK/screen"
}

refuses() {
    local err
    err=$(as alice berth login -u me -p secret 127.0.0.1:5443 2>&1) && return 1
    contains "$err" 'list of processes'
    for word in 'https://127.0.0.1:5443' 'a b' 127.0.0.1:5443/team:1; do fails_with 125 as alice berth login -u me --password-stdin "$word"; done
    fails_with 125 as alice berth login --password-stdin 127.0.0.1:5443
    fails_with 125 as alice berth login 127.0.0.1:5443
}

# systemd gives root's units no HOME.
without_home() {
    local file
    mkdir -p /root/.docker /root/.config/containers
    mv /etc/containers/certs.d /root/.config/containers/
    printf '{"auths":{"127.0.0.1:5443":{"auth":"%s"}}}' "$(printf 'me:se cret' | base64)" >"$WORK/auth.json"
    cp "$WORK/auth.json" /root/.docker/config.json
    for file in '' "AuthFile=$WORK/auth.json"; do
        unit_file root homeless.image <<<"[Quadlet]
DefaultDependencies=false
[Image]
Image=127.0.0.1:5443/team/busybox:1
$file"
        systemctl start homeless-image
        berth rmi 127.0.0.1:5443/team/busybox:1
        systemctl stop homeless-image
        rm -f /root/.docker/config.json
    done
    unit_gone root homeless.image
    rm -rf /root/.config/containers/certs.d
}

for user in root alice; do
    ports=(5443 5444)
    [ $user != root ] || ports=(5443) # what a token service is told does not depend on the account
    check "$user: an authority that is not known" not_verified $user
    check "$user: its certificate is put into certs.d" trust $user
    for port in "${ports[@]}"; do
        check "$user $port: a wrong password is not kept, nor said" wrong_password $user $port
        check "$user $port: login" logs_in $user $port
        check "$user $port: search" searches $user $port
        check "$user $port: pull" pulls $user $port
    done
    [ $user != alice ] || check 'alice: mirrors, a blocked registry, policy.json' configured
    [ $user != alice ] || unconfigured
    check "$user: logout" logs_out $user "${ports[@]}"
    [ $user != root ] || check 'root: a unit has the files of its home' without_home
    [ $user != root ] || rm -rf /etc/containers/certs.d # alice would believe it too
done
check 'tokens are asked for with the scope that is needed' tokens_are_scoped
check "alice: the file is podman's, too" shares_the_file
check 'alice: a credential helper' helper
check 'alice: user name and password are asked for' asks
check 'alice: what is wrong on the command line' refuses
finish
