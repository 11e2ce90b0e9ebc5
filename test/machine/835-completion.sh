#!/usr/bin/env bash
# Completion in the shells themselves: bash, zsh in a terminal of its own, and fish all answer the same.
. "$(dirname "$0")/lib.sh"

# A line for a person who has typed it and asks what may follow, and the answer, in the order of sort(1).
QUESTIONS='berth ru|run
berth pod r|restart rm
berth inspect r|rm
berth inspect lo|localhost/busybox:latest
berth inspect n|n1
berth inspect p|p1
berth inspect v|v1
berth inspect --type volume |v1
berth inspect -t container |rm
berth inspect --type=pod rm |p1
berth start |rm u1.service
berth rm rm r|rm
berth pod rm |p1
berth network connect n1 r|rm
berth run --network n|n1 none
berth run --net=pas|pasta
berth run --network host lo|localhost/busybox:latest
berth run -v v1|v1
berth run --pull ne|never newer
berth exec rm ls --|
berth ps --format |json
berth graph --format |dot json svg text
berth --for al|alice
berth --log-level debug rm r|rm
berth rm rm --fo|--force
berth nosuch |'

asked() { cut -d'|' -f1 <<<"$QUESTIONS"; }
bash_answers() {
    local words line
    . /usr/share/bash-completion/completions/berth
    while IFS= read -r line; do
        COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()
        _berth 2>said
        grep -v '^failed: ' said || true # that is the trap of a case, which tells what a function tries
        mapfile -t words < <(printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort -u)
        echo "${words[*]}"
    done
}
zsh_answers() {
    local lines
    mapfile -t lines
    zsh -f "$TESTS/completion.zsh" "${lines[@]}"
}
fish_answers() { # fish writes the option before a value that is joined to it
    # shellcheck disable=SC2016 # fish's
    fish -c 'while read -l line; echo (complete -C $line | string replace -r "\t.*" "" | string replace -r -- "^--\w+=" "" | LC_ALL=C sort -u); end'
}
answers() { # SHELL
    local got
    got=$(asked | "$1_answers" | paste -d'|' <(asked) -)
    diff <(cat <<<"$got") - <<<"$QUESTIONS"
}

berth load -q -i "$IMAGES/busybox.tar" >/dev/null
berth run -d --name rm --network none --stop-timeout 0 localhost/busybox sleep 1000 >/dev/null
berth network create n1 >/dev/null
berth volume create v1 >/dev/null
berth pod create p1 >/dev/null
unit_file root u1 <<<$'[Container]\nImage=localhost/busybox'
for shell in bash zsh fish; do check "$shell: verbs, options, their values and names" answers $shell; done
berth rm -f rm >/dev/null
berth pod rm p1 >/dev/null
berth network rm n1 >/dev/null
berth volume rm v1 >/dev/null
unit_gone root u1
finish
