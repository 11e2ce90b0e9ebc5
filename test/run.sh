#!/usr/bin/env bash
# npm test: every tier, or those named: test/run.sh [check] [unit] [native] [machine] [vm]
# Each tier ends with one line, `TIER: N passed, N failed`; the last line adds them up. A tier that ran nothing, skipped
# something or ended without its line counts as a failure; what failed is named again at the end. The full output of a tier is in
# build/test/TIER.log.
set -uo pipefail
cd "$(dirname "$0")/.."
BERTH_TEST_BEGAN=$(date +%s)
export BERTH_TEST_BEGAN
tiers=("$@")
[ ${#tiers[@]} -gt 0 ] || tiers=(check unit native machine vm)
mkdir -p build/test
bash packaging/build/node-modules.sh >&2 || exit 1

# The emulated machine keeps one processor busy for minutes, and the native tests wait more than they work: they run beside the tiers
# before them, and their output comes in its turn. Other machines boot when the native tests have ended; the emulated one goes on beside
# them, since they wait too. What the host lacks is installed before, once.
declare -A beside=() beside_began=()
begin_beside() { # TIER
    setsid bash "test/$1/run.sh" >"build/test/$1.log" 2>&1 </dev/null &
    beside[$1]=$!
    beside_began[$1]=$(date +%s)
}
end_all() { for pid in "${beside[@]}"; do pkill --session "$pid" 2>/dev/null || true; done; } # timeout(1) leaves the process group
if [ ${#tiers[@]} -gt 1 ] && [[ " ${tiers[*]} " == *' vm '* || " ${tiers[*]} " == *' native '* ]] && bash packaging/build/tree.sh host >/dev/null; then
    trap end_all EXIT
    for tier in native vm; do [[ " ${tiers[*]} " != *" $tier "* ]] || begin_beside $tier; done
fi

# failures TIER: the cases of its log that failed, each with its file and the last lines of why. What a file said when it was run again
# takes the place of what it said before.
failures() {
    awk -v tier="$1" '
        function why(  i) {
            for (i = lines > 4 ? lines - 3 : 1; i <= lines; i++) said[file] = said[file] "    " line[i] "\n"
            lines = 0
        }
        /^#/ && open { line[++lines] = $0; next }
        { why(); open = 0 }
        /^-- again/ { next }
        /^-- / { file = substr($0, 4) ": "; said[file] = ""; if (!(file in number)) { number[file] = ++files; name[files] = file } }
        /^   \([0-9]+ s/ { file = "" }
        /^not ok/ { sub(/^not ok *([0-9]+ )?(- )?/, ""); said[file] = said[file] tier ": " file $0 "\n"; open = 1 }
        END { why(); printf "%s", said[""]; for (i = 1; i <= files; i++) printf "%s", said[name[i]] }' "build/test/$1.log"
}

total_passed=0 total_failed=0 all_failures=''
for tier in "${tiers[@]}"; do
    case $tier in
    check) script=test/check.sh ;;
    unit) script=test/unit.sh ;;
    native | machine | vm) script=test/$tier/run.sh ;;
    *)
        echo "test/run.sh: no tier '$tier'; there are check, unit, native, machine and vm" >&2
        exit 2
        ;;
    esac
    printf '== %s\n' "$tier"
    began=$SECONDS
    if [ -n "${beside[$tier]:-}" ]; then
        wait "${beside[$tier]}"
        status=$?
        took=$(($(stat -c %Y "build/test/$tier.log") - beside_began[$tier]))
        cat "build/test/$tier.log"
    else
        bash "$script" 2>&1 | tee "build/test/$tier.log"
        status=${PIPESTATUS[0]}
        took=$((SECONDS - began))
    fi
    found=$(failures "$tier")
    unsaid=''
    if [[ $(tail -n 1 "build/test/$tier.log") =~ ^"$tier: "([0-9]+)" passed, "([0-9]+)" failed"$ ]]; then
        passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
        if [ "$passed" = 0 ] && [ "$failed" = 0 ]; then
            unsaid="tier $tier ran nothing"
            failed=1
        elif [ "$status" != 0 ] && [ "$failed" = 0 ]; then
            unsaid="tier $tier ended with status $status"
            failed=1
        fi
    else
        unsaid="tier $tier ended without its closing line"
        passed=0 failed=1
        echo "$tier: 0 passed, 1 failed"
    fi
    [ -z "$unsaid" ] || { echo "test/run.sh: $unsaid" >&2; found+=${found:+$'\n'}$unsaid; }
    [ "$failed" = 0 ] || all_failures+=${found:-$tier: $failed}$'\n'
    printf '   (%s s)\n' "$took"
    total_passed=$((total_passed + passed)) total_failed=$((total_failed + failed))
done
[ "$total_failed" = 0 ] || printf 'what failed:\n%s' "$all_failures"
echo "$total_passed passed, $total_failed failed"
[ "$total_failed" = 0 ]
