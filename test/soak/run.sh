#!/usr/bin/env bash
# npm run soak [-- ROUNDS]: what takes too long for every change. Fuzzes for minutes instead of seconds, lets a thousand payloads crash
# and kills hundreds of launchers in each way to run, on a machine that is idle and on a busy one, and repeats the machine tests
# (default 10 rounds) in a fresh machine each: rare orders of events show up here.
#   npm run soak -- crashes     only the crashes and kills (about half an hour on two processors)
#   npm run soak -- pulls       only pulls and removals that are killed at random points, 200 of each (not counting those that ended first), and a start after every one
#                               (a quarter of an hour, more than an hour on a busy machine)
#   npm run soak -- upgrade     only the upgrade from a much older commit's package
#   npm run soak -- images      only images of real software, unpacked as podman does (some minutes; the software comes from Debian)
#   npm run soak -- stack       only a stack with databases whose members are killed while a client writes (KILLS in each of four forms)
#   npm run soak -- cycles      only 500 starts and stops over one connection to the bus: no match rule and no descriptor stays
#   npm run soak -- checks      only a hundred containers that are asked for their health: no line in the journal, 2 % of a processor
#   npm run soak -- power       only a virtual machine whose power is cut while stores change (CUTS times, default 10)
#   npm run soak -- forms       only what payloads see with every form of networks, ports, volumes and user namespaces, beside Podman
#   npm run soak -- selinux     only a virtual machine that enforces Debian's policy of SELinux (a quarter of an hour)
#   npm run soak -- limits      only a pod in a slice: its limits are for the sum of the members, in an emulated machine (ten minutes)
#   npm run soak -- restarts    only 500 rapid restarts of units with published ports, in each kind of network
set -uo pipefail
cd "$(dirname "$0")/../.."
rounds=${1:-10} failed=0 parts=0
export BERTH_FUZZ_SECONDS=${BERTH_FUZZ_SECONDS:-300} BERTH_TEST_SECONDS=1800
part() {
    parts=$((parts + 1))
    echo "== $1"
    shift
    "$@" || failed=$((failed + 1))
}

crashes() {
    part 'crashes and kills, idle' env BERTH_MACHINES=1 CRASHES=1000 AT_ONCE=2 KILLS=100 bash test/machine/run.sh 400 530
    part 'crashes and kills, busy' env BERTH_MACHINES=1 CRASHES=1000 AT_ONCE=20 KILLS=100 BERTH_BURNERS=4 bash test/machine/run.sh 400 530
}

pulls() {
    part 'pulls and removals that are killed' env KILLS=200 BERTH_TEST_SECONDS=5400 bash test/machine/run.sh 265
}

images() {
    part 'images of real software' bash test/soak/images.sh
}

upgrade() {
    part 'upgrade from a much older package' bash test/soak/upgrade.sh
}

stack() {
    part 'a stack whose members are killed' bash test/soak/in-machine.sh stack nginx app postgres redis
}

restarts() {
    part 'rapid restarts with published ports' bash test/soak/in-machine.sh restarts
}

checks() {
    part 'a hundred healthy containers' bash test/soak/in-machine.sh checks
}

forms() {
    part 'what payloads see, beside Podman' bash test/soak/in-machine.sh forms
}

cycles() {
    part 'starts and stops over one connection' bash test/soak/bus-cycles.sh 500
}

selinux() {
    part 'a policy of SELinux' bash test/soak/selinux.sh
}

limits() {
    part "a slice's limits for a pod" bash test/vm/run.sh test/soak/pod-limits.sh
}

power() {
    part 'power cuts' bash test/soak/power.sh "${CUTS:-10}"
}

case $rounds in
crashes | power | pulls | images | upgrade | stack | restarts | checks | cycles | forms | selinux | limits) "$rounds" ;;
*)
    part native bash test/run.sh native
    crashes
    pulls
    images
    upgrade
    stack
    restarts
    checks
    cycles
    power
    selinux
    limits
    forms
    for ((round = 1; round <= rounds; round++)); do part "round $round of $rounds" env BERTH_AGAIN=no bash test/run.sh machine; done
    ;;
esac
echo "soak: $((parts - failed)) passed, $failed failed"
[ "$failed" = 0 ]
