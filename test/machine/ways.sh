# The three ways to run, for tests that must see one behaviour: `root` (system unit), `alice` (unit of her user manager, lingering)
# and `svc` (system unit with User=svc: an account with neither login nor home).
# shellcheck shell=bash
WAYS='root alice svc'

way_manager() { # WAY → root or the account whose manager runs the unit
    if [ "$1" = svc ]; then echo root; else echo "$1"; fi
}

# way_write WAY NAME: the unit's text on standard input, for svc with User=svc; way_unit: the manager reads it, too.
way_write() {
    local way=$1 name=$2 text
    text=$(cat)
    [ "$way" != svc ] || text+=$'\n[Service]\nUser=svc\n'
    unit_write "$(way_manager "$way")" "$name" <<<"$text"
}
way_unit() {
    way_write "$@"
    manager "$(way_manager "$1")" daemon-reload
}

way_start() { manager "$(way_manager "$1")" start "$2"; }
way_stop() { manager "$(way_manager "$1")" stop "$2"; }
way_journal() { journal "$(way_manager "$1")" "$2"; }
way_property() { property "$(way_manager "$1")" "$2" "$3"; }
way_gone() { # WAY NAME…
    local owner
    owner=$(way_manager "$1")
    shift
    unit_gone "$owner" "$@"
}

# each_way NAME FUNCTION [ARGUMENT…]: the case for the three ways at once, since they wait more than they work. FUNCTION gets the way first.
# Names of units must differ between the ways: root's and svc's are of one manager. way_end is the way_gone of such cases.
each_way() {
    local way name=$1 function=$2
    shift 2
    for way in $WAYS; do
        (
            failures=0
            check "$way: $name" "$function" "$way" "$@"
            exit "$failures"
        ) >"$WORK/said.$way" &
        eval "local pid_$way=\$!"
    done
    for way in $WAYS; do
        local pid=pid_$way
        case_number=$((case_number + 1))
        wait "${!pid}" || failures=$((failures + 1))
        sed -E "1s/^((not )?ok) [0-9]+/\1 $case_number/" "$WORK/said.$way"
    done
}

# way_end WAY NAME…: way_gone that forgets the failures of these units only.
way_end() {
    local owner directory name
    owner=$(way_manager "$1")
    directory=$(unit_directory "$owner")
    shift
    for name in "$@"; do
        manager "$owner" stop "$name.service" 2>/dev/null || true
        rm -rf "$directory/$name.container"
    done
    manager "$owner" daemon-reload
    manager "$owner" reset-failed "${@/%/.service}" 2>/dev/null || true
}

# way_berth WAY VERB…: the command as the account that the container belongs to.
way_berth() {
    local way=$1
    shift
    case $way in
    svc) setpriv --reuid=990 --regid=990 --clear-groups env -i PATH="$PATH" HOME=/nonexistent berth "$@" ;;
    *) as "$way" berth "$@" ;;
    esac
}

way_load() {
    if [ "$1" = svc ]; then berth account prepare svc && way_berth svc load -q -i "$2"; else as "$1" berth load -q -i "$2"; fi
}
