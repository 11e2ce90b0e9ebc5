#!/usr/bin/env bash
# npm test: every tier, or those named: test/run.sh [check] [unit] [native] [machine] [vm]
# Each tier ends with one line, `TIER: N passed, N failed`; the last line adds them up. A tier that ran nothing, skipped
# something or ended without its line counts as a failure. The full output of a tier is in build/test/TIER.log.
set -uo pipefail
cd "$(dirname "$0")/.."
tiers=("$@")
[ ${#tiers[@]} -gt 0 ] || tiers=(check unit native machine vm)
mkdir -p build/test
bash packaging/build/node-modules.sh >&2 || exit 1

# The emulated machine keeps one processor busy for minutes: it runs beside the tiers that leave one idle, and has ended before other
# machines boot. Its output comes in its turn. What the host lacks is installed before, once.
beside=''
if [[ ${#tiers[@]} -gt 1 && " ${tiers[*]} " == *' vm '* ]] && bash packaging/build/tree.sh host >/dev/null; then
    setsid bash test/vm/run.sh >build/test/vm.log 2>&1 </dev/null &
    beside=$!
    trap 'pkill --session "$beside" 2>/dev/null || true' EXIT # timeout(1) leaves the process group
fi
beside_status=''
end_beside() {
    [[ -n $beside && -z $beside_status ]] || return 0
    wait "$beside"
    beside_status=$?
}

total_passed=0 total_failed=0
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
    [[ $tier != machine && $tier != vm ]] || end_beside
    if [[ -n $beside && $tier = vm ]]; then
        status=$beside_status
        cat build/test/vm.log
    else
        bash "$script" 2>&1 | tee "build/test/$tier.log"
        status=${PIPESTATUS[0]}
    fi
    if [[ $(tail -n 1 "build/test/$tier.log") =~ ^"$tier: "([0-9]+)" passed, "([0-9]+)" failed"$ ]]; then
        passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
        if [ "$passed" = 0 ] && [ "$failed" = 0 ]; then
            echo "test/run.sh: tier $tier ran nothing" >&2
            failed=1
        elif [ "$status" != 0 ] && [ "$failed" = 0 ]; then
            echo "test/run.sh: tier $tier ended with status $status" >&2
            failed=1
        fi
    else
        echo "test/run.sh: tier $tier ended without its closing line" >&2
        passed=0 failed=1
        echo "$tier: 0 passed, 1 failed"
    fi
    printf '   (%s s)\n' $((SECONDS - began))
    total_passed=$((total_passed + passed)) total_failed=$((total_failed + failed))
done
echo "$total_passed passed, $total_failed failed"
[ "$total_failed" = 0 ]
