#!/usr/bin/env bash
# A hundred containers that are well, asked every five seconds: no line in the journal, and how much of one processor that takes.
. "$(dirname "$0")/../../lib.sh"
COUNT=${COUNT:-100} SECONDS_LONG=${SECONDS_LONG:-60}

used() { # microseconds of processor: of the account and of the journal
    local group sum=0
    for group in user.slice/user-1000.slice system.slice/systemd-journald.service; do
        sum=$((sum + $(sed -n 's/^usage_usec //p' "/sys/fs/cgroup/$group/cpu.stat")))
    done
    echo $sum
}
ours() { # of that what our processes took: relays, and the journal; the rest is the container's server and the programs of probes
    local sum
    sum=$(find /sys/fs/cgroup/user.slice/user-1000.slice -path '*/well*.service/supervisor/cpu.stat' -exec sed -n 's/^usage_usec //p' {} + | awk '{ sum += $1 } END { printf "%d", sum }')
    echo $((sum + $(sed -n 's/^usage_usec //p' /sys/fs/cgroup/system.slice/systemd-journald.service/cpu.stat)))
}
begin() { # KIND CHECK
    local i
    for i in $(seq "$COUNT"); do
        as alice berth run -d --rm --name "well$i" --network none --stop-timeout 0 --health-cmd "$2" --health-interval 5s localhost/busybox \
            httpd -f -p 8080 -h / >/dev/null
    done
    timeout 120 sh -c 'until [ "$(su -l alice -s /bin/sh -c "berth ps -q --filter health=healthy" | wc -l)" = '"$COUNT"' ]; do sleep 1; done'
}
share() { awk "BEGIN { printf \"%.2f\", ($2 - $1) / $SECONDS_LONG / 10000 }"; } # BEFORE AFTER: percent of one processor
well() { # KIND CHECK used|ours: which of them is judged
    local before after percent lines cursor mine mine_after own
    begin "$@"
    journalctl --sync
    cursor=$(journalctl --quiet --no-pager -n 0 --show-cursor | sed -n 's/^-- cursor: //p')
    before=$(used) mine=$(ours)
    sleep "$SECONDS_LONG"
    after=$(used) mine_after=$(ours)
    journalctl --sync
    lines=$(journalctl --quiet --no-pager --after-cursor "$cursor" -o cat _UID=1000 | grep -cE 'health|berth' || true)
    percent=$(share "$before" "$after") own=$(share "$mine" "$mine_after")
    echo "# $1: $percent % of one processor with what answers, of which relays and the journal $own %; $lines lines" >&3
    [ "$3" = used ] || percent=$own
    as alice berth rm -f -t 0 --all >/dev/null
    equal "$lines" 0
    awk "BEGIN { exit !($percent < $MOST) }" || { echo "$percent % is more than $MOST %" >&2; return 1; }
}

# What the program of a probe costs by itself, without a container: microseconds of posix_spawn(3), exec, exit and wait, at the pace of the probes.
floor() {
    as alice berth run --rm localhost/busybox cat /bin/busybox >/var/tmp/busybox
    chmod 755 /var/tmp/busybox
    ln -sf busybox /var/tmp/sh
    python3 - /var/tmp/sh -c true <<'END'
import os, resource, sys, time
def used(): return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
rounds, before = 200, used()
for _ in range(rounds):
    os.waitpid(os.posix_spawn(sys.argv[1], sys.argv[1:], {}), 0)
    time.sleep(0.05)
print(round((used() - before) / rounds * 1e6))
END
}

exec 3>&1
as alice berth load -q -i "$IMAGES/busybox.tar" >/dev/null
# A program has a price that is not ours: where `sh -c true` alone takes 2 %, no probe that executes it can take less.
us=$(floor)
echo "# \`sh -c true\` by itself: $us us, $(awk "BEGIN { printf \"%.2f\", $us * $COUNT / 5 / 10000 }") % of one processor" >&3
MOST=$(awk "BEGIN { print $us * $COUNT / 5 / 10000 * 2.5 }")
check "$COUNT healthy containers, exec: less than 2.5 of the program's own" well exec true used
# A connection costs the server that takes it, too (busybox's forks for each), and that is the payload's.
MOST=$(awk "BEGIN { print 2 * $COUNT / 100 }")
check "$COUNT healthy containers, port: relays and the journal" well port port:8080 ours
finish
