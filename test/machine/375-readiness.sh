#!/usr/bin/env bash
# Readiness as a table: start period × TimeoutStartSec × what the probe finds × the payload's end, all at once; and an image's HEALTHCHECK.
. "$(dirname "$0")/lib.sh"
. "$TESTS/ways.sh"

MARKS=/var/tmp/readiness
PERIODS='0 7' TIMEOUTS='3 10'
LATE=5 # seconds until the payload is well; longer than the short timeout, shorter than the long one and than the period

# name PERIOD TIMEOUT PROBE END
name() { echo "ready-p$1-t$2-$3-$4"; }

rows() { # PERIOD TIMEOUT PROBE END RESULT of every row of the table
    local period timeout probe end
    for period in $PERIODS; do
        for timeout in $TIMEOUTS; do
            for probe in well late never; do echo "$period $timeout $probe stays $(expected "$period" "$timeout" "$probe")"; done
            # Before the first success: the start fails with the payload's own end.
            for probe in late never; do
                echo "$period $timeout $probe exit3 exit-code"
                echo "$period $timeout $probe exit0 protocol"
            done
            # After it: the start was good, and so is that of what waited for it.
            echo "$period $timeout well exit3 exit-code/active"
            echo "$period $timeout well exit0 success/active"
        done
    done
}

expected() { # PERIOD TIMEOUT PROBE: of a payload that stays
    case $3 in
    well) echo success ;;
    never) echo timeout ;;
    late) if [ "$1" -gt $LATE ] || [ "$2" -gt $LATE ]; then echo success; else echo timeout; fi ;;
    esac
}

table_units() {
    local period timeout probe end result unit check exec directory=/etc/containers/systemd
    while read -r period timeout probe end result; do
        unit=$(name "$period" "$timeout" "$probe" "$end")
        case $end in
        stays) exec="(sleep $LATE; touch /tmp/late) & exec sleep inf" ;;
        exit?) case $probe in
            well) exec="until test -e /marks/$unit.followed; do sleep 0.1; done; exit ${end#exit}" ;;
            # The clock of systemd's own times.
            *) exec="sleep 1; cut -d\\\" \\\" -f1 /proc/uptime >/marks/$unit.end; exit ${end#exit}" ;;
            esac ;;
        esac
        case $probe in
        well) check='true' ;;
        late) check='test -e /tmp/late' ;;
        never) check='false' ;;
        esac
        cat >"$directory/$unit.container" <<UNIT
[Container]
Image=localhost/busybox
Network=none
StopTimeout=1
Notify=healthy
HealthCmd=$check && touch /marks/$unit.first
HealthInterval=300ms
HealthTimeout=1s
HealthStartPeriod=${period}s
Volume=$MARKS:/marks
Exec=sh -c "$exec"
[Service]
TimeoutStartSec=$timeout
UNIT
        # It fails when it is started before the first success.
        printf '%s\n' '[Unit]' "Requires=$unit.service" "After=$unit.service" '[Service]' 'Type=oneshot' 'RemainAfterExit=yes' \
            "ExecStart=/usr/bin/test -e $MARKS/$unit.first" "ExecStartPost=/usr/bin/touch $MARKS/$unit.followed" >"/run/systemd/system/after-$unit.service"
    done < <(rows)
    systemctl daemon-reload
}

table_starts() {
    rm -rf $MARKS
    mkdir -p $MARKS
    table_units
    local units spins=0
    mapfile -t units < <(rows | while read -r row; do
        # shellcheck disable=SC2086 # words
        echo "after-$(set -- $row; name "$1" "$2" "$3" "$4").service"
    done)
    systemctl start --no-block "${units[@]}"
    # No job is left: everything has started or failed; and what was to end has ended.
    while systemctl list-jobs --no-legend | grep ready-p >/dev/null ||
        systemctl list-units --no-legend --state active,deactivating 'ready-p*-well-exit*' | grep . >/dev/null; do
        [ $((++spins)) -lt 900 ]
        read -rt 0.1 <> <(:) || :
    done
}

table_holds() {
    local period timeout probe end result unit wrong=0 got
    while read -r period timeout probe end result; do
        unit=$(name "$period" "$timeout" "$probe" "$end")
        got=$(systemctl show -P Result "$unit")/$(systemctl show -P ActiveState "after-$unit")
        case $result in
        success) wanted=success/active ;;
        */*) wanted=$result ;;
        *) wanted=$result/inactive ;;
        esac
        [ "$got" = "$wanted" ] || { echo "$unit: $got instead of $wanted" && wrong=1; }
    done < <(rows)
    [ $wrong = 0 ]
}

# A crash while starting is told within a second: half of them, since a busy machine has slow moments of its own; none later than 5 s.
crashes_are_told() {
    local end unit
    for end in "$MARKS"/*.end; do
        unit=$(basename "$end" .end)
        echo "$(cat "$end") $(systemctl show -P InactiveEnterTimestampMonotonic "$unit")"
    done | awk '{ print $2 / 1000000 - $1 }' | sort -n >"$WORK/delays"
    cat "$WORK/delays"
    equal "$(wc -l <"$WORK/delays")" 16
    awk 'NR == 8 && $1 > 1 { exit 1 } $1 > 5 || $1 < 0 { exit 1 }' "$WORK/delays"
}

table_goes() {
    systemctl stop 'after-ready-p*' 'ready-p*' 2>/dev/null || true
    systemctl reset-failed 'ready-p*' 2>/dev/null || true
    rm -rf /etc/containers/systemd/ready-p* /run/systemd/system/after-ready-p* $MARKS
    systemctl daemon-reload
    equal "$(systemctl list-units --no-legend 'ready-p*' 'after-ready-p*')" ''
}

# The image says how it is asked; a key of the unit says otherwise.
image_check() {
    python3 - "$IMAGES/busybox.tar" "$WORK/checked.tar" <<'PY'
import io, json, sys, tarfile
source, target = tarfile.open(sys.argv[1]), tarfile.open(sys.argv[2], 'w')
manifest = json.load(source.extractfile('manifest.json'))
name = manifest[0]['Config']
config = json.load(source.extractfile(name))
config['config']['Healthcheck'] = {'Test': ['CMD-SHELL', 'test -e /tmp/ok || { echo the image asks; exit 1; }'], 'Interval': 200000000, 'Retries': 1, 'StartPeriod': 30000000000}
manifest[0]['RepoTags'] = ['localhost/checked:latest']
changed = {'manifest.json': json.dumps(manifest).encode(), name: json.dumps(config).encode()}
for member in source:
    data = changed.get(member.name)
    if data is None:
        target.addfile(member, source.extractfile(member) if member.isfile() else None)
    else:
        member.size = len(data)
        target.addfile(member, io.BytesIO(data))
target.close()
PY
    berth load -q -i "$WORK/checked.tar"
    local keys='[Container]\nImage=localhost/checked\nNetwork=none\nStopTimeout=1\n'
    # shellcheck disable=SC2059 # the format is ours
    printf "$keys"'Notify=healthy\nExec=sh -c "sleep 1; touch /tmp/ok; exec sleep inf"\n' | unit_file root image-asks
    manager root start image-asks
    berth exec systemd-image-asks test -e /tmp/ok
    contains "$(berth health image-asks | head -n 1)" healthy
    berth healthcheck run image-asks
    berth exec systemd-image-asks rm /tmp/ok
    contains "$(fails_with 1 berth healthcheck run image-asks)" unhealthy
    local spins=0
    until { berth health image-asks || true; } | grep 'the image asks' >/dev/null; do [ $((++spins)) -lt 600 ]; done
    # shellcheck disable=SC2059
    printf "$keys"'HealthCmd=none\nExec=sleep inf\n' | unit_file root image-silent
    manager root start image-silent
    contains "$(fails_with 125 berth health image-silent 2>&1)" 'no health check'
    unit_gone root image-asks image-silent
    berth rmi localhost/checked
}

way_load root "$IMAGES/busybox.tar" >/dev/null || exit 1
check 'every row of the table has come to its end' table_starts
check 'each start ends as the table says, and what comes after it waits for the first success' table_holds
check 'a crash while starting is told within a second' crashes_are_told
check 'nothing of the table stays' table_goes
check "an image's HEALTHCHECK" image_check
finish
