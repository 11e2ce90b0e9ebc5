# For the machine tests (NNN-name.sh), which run as root inside the machine. A test file reads:
#
#   . "$(dirname "$0")/lib.sh"
#   starts() { unit_file alice web <<<$'[Container]\nImage=localhost/busybox\nExec=sleep inf'; manager alice start web; }
#   check 'a unit of a user starts' starts
#   finish
#
# A case is a function; it passes when every command in it succeeds (it runs in a subshell with set -e and pipefail).
# shellcheck shell=bash
set -uo pipefail
IMAGES=/var/lib/images
TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORK=$(mktemp -d /var/tmp/case.XXXXXX)
chmod 755 "$WORK"
case_number=0 failures=0
trap 'rm -rf "$WORK"' EXIT
cd "$WORK" || exit 1

check() { # NAME FUNCTION [ARGUMENT…]
    local name=$1 output status
    shift
    case_number=$((case_number + 1))
    # Not as the condition of an `if`: the shell switches `set -e` off in there.
    output=$( (set -eE; trap 'echo "failed: line ${LINENO}: ${BASH_COMMAND}" >&2' ERR; "$@") 2>&1 </dev/null)
    status=$?
    if [ $status = 0 ]; then
        printf 'ok %d - %s\n' "$case_number" "$name"
    else
        failures=$((failures + 1))
        printf 'not ok %d - %s\n' "$case_number" "$name"
        printf '%s\n' "$output" | tail -n 30 | sed 's/^/# /'
    fi
}

finish() {
    printf '1..%d\n' "$case_number"
    [ "$failures" = 0 ]
    exit
}

# as USER COMMAND…: in a login session of the account, as machine.sh run --user does.
as() {
    local user=$1
    shift
    if [ "$user" = root ]; then
        "$@"
    else
        # shellcheck disable=SC2016 # expanded by the inner shell
        su -l "$user" -s /bin/bash -c 'cd /; export DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus; exec "$0" "$@"' -- "$@"
    fi
}

# own USER COMMAND…: with the account's ids alone, for what is not Berth's: a login costs several times what such a command does.
own() {
    local user=$1
    shift
    [ "$user" = root ] || set -- setpriv --reuid="$user" --regid="$user" --init-groups "$@"
    "$@"
}

# manager root|USER VERB…: systemctl of the system's or the user's manager. It and `journal` need no other function: `bash -c` gets them.
manager() {
    local user=$1
    shift
    if [ "$user" = root ]; then
        systemctl "$@"
    else
        XDG_RUNTIME_DIR=/run/user/$(id -u "$user") setpriv --reuid="$user" --regid="$user" --init-groups systemctl --user "$@"
    fi
}

# unit_write root|USER NAME[.TYPE]: writes standard input where that manager's generator reads. A reload is dear: several files have one.
unit_write() {
    local user=$1 name=$2 directory
    [[ $name == *.* ]] || name=$name.container
    directory=$(unit_directory "$user")
    own "$user" mkdir -p "$directory"
    own "$user" tee "$directory/$name" >/dev/null
}

# unit_file root|USER NAME[.TYPE]: unit_write, and the manager reads it.
unit_file() {
    unit_write "$@"
    manager "$1" daemon-reload
}

# unit_gone root|USER NAME…: stops, removes the files, reloads, forgets failures.
unit_gone() {
    local user=$1 name directory
    shift
    directory=$(unit_directory "$user")
    for name in "$@"; do
        manager "$user" stop "${name%.*}.service" 2>/dev/null || true
        [[ $name == *.* ]] || name=$name.container
        rm -rf "$directory/$name" "$directory/$name.d"
    done
    manager "$user" daemon-reload
    manager "$user" reset-failed 2>/dev/null || true
}

unit_directory() {
    if [ "$1" = root ]; then
        echo /etc/containers/systemd
    else
        echo "/home/$1/.config/containers/systemd"
    fi
}

# journal root|USER UNIT: the messages of the unit, one per line; the journal is written out first.
journal() {
    journalctl --sync
    if [ "$1" = root ]; then
        journalctl -u "$2" -o cat --no-pager
    else
        setpriv --reuid="$1" --regid="$1" --init-groups journalctl --user -u "$2" -o cat --no-pager
    fi
}

property() { # root|USER UNIT PROPERTY
    manager "$1" show "$2" -P "$3"
}

# fails_with STATUS COMMAND…: passes when the command ends with this status; prints its output.
fails_with() {
    local wanted=$1 status=0
    shift
    "$@" || status=$?
    [ "$status" = "$wanted" ] || {
        echo "status $status instead of $wanted: $*" >&2
        return 1
    }
}

# fails COMMAND…: passes when the command does not succeed. (`! COMMAND` fails a case only where it stands last: the shell does not apply `set -e` to it.)
fails() {
    if "$@"; then
        echo "succeeded: $*" >&2
        return 1
    fi
}

equal() { # GOT WANTED
    [ "$1" = "$2" ] || {
        printf 'got:    %s\nwanted: %s\n' "$1" "$2" >&2
        return 1
    }
}

# The last child that removes a container's files there may outlive `run --rm` by a moment.
emptied() { # DIRECTORY
    local _
    for _ in $(seq 300); do
        [ -n "$(ls -A "$1")" ] || return 0
        sleep 0.1
    done
    equal "$(ls -A "$1")" ''
}

contains() { # TEXT PART
    [[ $1 == *"$2"* ]] || {
        printf 'not found: %s\nin: %s\n' "$2" "$1" >&2
        return 1
    }
}
