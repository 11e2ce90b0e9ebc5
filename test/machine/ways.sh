# The three ways to run, for tests that must see one behaviour: `root` (system unit), `alice` (unit of her user manager, lingering)
# and `svc` (system unit with User=svc: an account with neither login nor home).
# shellcheck shell=bash
WAYS='root alice svc'

way_manager() { # WAY → root or the account whose manager runs the unit
    if [ "$1" = svc ]; then echo root; else echo "$1"; fi
}

# way_unit WAY NAME: the text on standard input; for svc with User=svc.
way_unit() {
    local way=$1 name=$2 text
    text=$(cat)
    [ "$way" != svc ] || text+=$'\n[Service]\nUser=svc\n'
    unit_file "$(way_manager "$way")" "$name" <<<"$text"
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
