#!/usr/bin/env bash
# A hundred containers that are well, asked every five seconds: no line in the journal, and how much of one processor that takes.
. "$(dirname "$0")/../../lib.sh"
COUNT=${COUNT:-100} SECONDS_LONG=${SECONDS_LONG:-60} MOST=${MOST:-2}

used() { # microseconds of processor: of the account and of the journal
    local group sum=0
    for group in user.slice/user-1000.slice system.slice/systemd-journald.service; do
        sum=$((sum + $(sed -n 's/^usage_usec //p' "/sys/fs/cgroup/$group/cpu.stat")))
    done
    echo $sum
}
begin() { # KIND CHECK
    local i
    for i in $(seq "$COUNT"); do
        as alice berth run -d --rm --name "well$i" --network none --stop-timeout 0 --health-cmd "$2" --health-interval 5s localhost/busybox \
            httpd -f -p 8080 -h / >/dev/null
    done
    timeout 120 sh -c 'until [ "$(su -l alice -s /bin/sh -c "berth ps -q --filter health=healthy" | wc -l)" = '"$COUNT"' ]; do sleep 1; done'
}
well() { # KIND CHECK
    local before after percent lines cursor
    begin "$@"
    journalctl --sync
    cursor=$(journalctl --quiet --no-pager -n 0 --show-cursor | sed -n 's/^-- cursor: //p')
    before=$(used)
    sleep "$SECONDS_LONG"
    after=$(used)
    journalctl --sync
    lines=$(journalctl --quiet --no-pager --after-cursor "$cursor" -o cat _UID=1000 | grep -cE 'health|berth' || true)
    percent=$(awk "BEGIN { printf \"%.2f\", ($after - $before) / $SECONDS_LONG / 10000 }")
    echo "# $1: $percent % of one processor, $lines lines" >&3
    as alice berth rm -f -t 0 --all >/dev/null
    equal "$lines" 0
    awk "BEGIN { exit !($percent < $MOST) }" || { echo "$percent % is more than $MOST %" >&2; return 1; }
}

exec 3>&1
as alice berth load -q -i "$IMAGES/busybox.tar" >/dev/null
check "$COUNT healthy containers, exec" well exec true
check "$COUNT healthy containers, port" well port port:8080
finish
