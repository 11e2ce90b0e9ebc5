#!/usr/bin/env bash
# npm run test:conformance [-- OPTION…]: the generator, as the system's and as a user's, against unit files that carry their own expectations.
# The cases are not part of this project: BERTH_CONFORMANCE names the directory with quadlet_conformance.py and its cases/, by default
# ../shared/conformance beside the checkout. Without it nothing can run, which is a failure, unless BERTH_CONFORMANCE=none says that this is meant.
# Options go to that program: --type container, --filter GLOB, -v, … Its closing line, of the user's run, is the last one.
set -uo pipefail
cd "$(dirname "$0")/.."
directory=${BERTH_CONFORMANCE:-../shared/conformance}
if [ "$directory" = none ]; then
    echo "test/conformance.sh: nothing was run, as BERTH_CONFORMANCE=none asks" >&2
    exit 0
fi
if [ ! -f "$directory/quadlet_conformance.py" ]; then
    echo "test/conformance.sh: no quadlet_conformance.py in $directory; set BERTH_CONFORMANCE to its directory, or to none to run nothing" >&2
    exit 1
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
