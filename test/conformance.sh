#!/usr/bin/env bash
# npm run test:conformance [-- OPTION…]: the generator, as the system's and as a user's, against unit files that carry their own expectations.
# The cases are not part of this project: BERTH_CONFORMANCE names the directory with quadlet_conformance.py and its cases/, by default
# ../shared/conformance beside the checkout. Without it nothing runs, which is a failure when MUST_RUN names conformance.
# Options go to that program: --type container, --filter GLOB, -v, … Its closing line, of the user's run, is the last one.
set -uo pipefail
cd "$(dirname "$0")/.."
directory=${BERTH_CONFORMANCE:-../shared/conformance}
if [ ! -f "$directory/quadlet_conformance.py" ]; then
    echo "test/conformance.sh: no quadlet_conformance.py in $directory: nothing was run; set BERTH_CONFORMANCE to its directory" >&2
    [[ ,${MUST_RUN:-}, != *,conformance,* ]]
    exit
fi
[ -x dist/berth ] || npm run --silent build || exit 1
status=0
for mode in system user; do
    flags="--no-kmsg-log --no-failure-units"
    [ $mode = system ] || flags="--user $flags"
    echo "== $mode"
    python3 "$directory/quadlet_conformance.py" --command-name berth --cli-prefix "$PWD/dist/berth generator" \
        --generator "$PWD/dist/berth generator $flags {outdir}" "$@" || status=1
done
exit $status
