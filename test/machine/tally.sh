# Chooses test files and counts TAP. Sourced by the runners of the machine and vm tiers.
# shellcheck shell=bash disable=SC2034 # passed and failed are read by the runners
passed=0 failed=0

# choose [PART…]: the test files beside the runner whose names hold one of the parts; all without one.
choose() {
    local file part
    for file in "$here"/[0-9][0-9][0-9]-*.sh; do
        [ -e "$file" ] || continue
        [ $# -gt 0 ] || echo "${file##*/}"
        for part in "$@"; do [[ ${file##*/} != *"$part"* ]] || echo "${file##*/}"; done
    done
}

# tally FILE STATUS OUTPUT: adds a test file's cases; a skip, a missing plan or a bad end without a failed case is a failure.
tally() {
    local file=$1 status=$2 output=$3 good bad skipped planned
    good=$(grep -c '^ok ' <<<"$output")
    bad=$(grep -c '^not ok ' <<<"$output")
    skipped=$(grep -ciE '^ok .*# (skip|todo)' <<<"$output")
    planned=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' <<<"$output" | tail -n 1)
    if [ "$skipped" != 0 ]; then
        echo "not ok - $file skipped $skipped"
        good=$((good - skipped)) bad=$((bad + skipped))
    fi
    if [ "${planned:-none}" != $((good + bad)) ] || { [ "$status" != 0 ] && [ "$bad" = 0 ]; }; then
        echo "not ok - $file: status $status, ${planned:-no} cases planned, $((good + bad)) run"
        bad=$((bad + 1))
    fi
    passed=$((passed + good)) failed=$((failed + bad))
}
