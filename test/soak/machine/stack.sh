#!/usr/bin/env bash
# A web server, an application, PostgreSQL and Redis from Debian's packages, as a pod and on a network with names, as root and as a user,
# while their members are restarted and killed at random (KILLS, default 100, in each of the four) and a client writes all the time.
# SEED repeats an order; WAYS and FORMS choose (`WAYS=alice FORMS=network`).
ways_chosen=${WAYS:-root alice}
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../ways.sh"
PROGRAMS=$(cd "$(dirname "$0")/../stack" && pwd)
KILLS=${KILLS:-100} PORT=8480 URL=http://127.0.0.1:8480
RANDOM=${SEED:=$((RANDOM + 1))}
MEMBERS='web app db cache'
SERVICE=$'\nStopTimeout=2\n[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=100ms'
slowest=0

unit() { # WAY NAME IMAGE, the rest of [Container] on standard input
    local where
    if [ "$form" = pod ]; then where=Pod=shop.pod; else where=Network=shop.network; fi
    way_unit "$1" "$2" <<<$'[Container]\nImage=localhost/'"$3"$'\nContainerName='"$2"$'\n'"$where"$'\n'"$(cat)$SERVICE"
}

write_units() { # WAY
    local app=app db=db cache=cache publish=PublishPort=$PORT:80
    if [ "$form" = pod ]; then
        app=127.0.0.1 db=127.0.0.1 cache=127.0.0.1
        printf '[Pod]\nPodName=shop\n%s\n[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=100ms\n' "$publish" | unit_file "$1" shop.pod
        publish=
    else
        unit_file "$1" shop.network <<<$'[Network]\nNetworkDeleteOnStop=true'
    fi
    unit_file "$1" shop-db.volume <<<'[Volume]'
    unit_file "$1" shop-cache.volume <<<'[Volume]'
    unit "$1" web nginx <<<$'Environment=APP='"$app"$':8000\n'"$publish"
    unit "$1" app app <<<$'Environment=DB='"$db"' CACHE='"$cache"
    unit "$1" db postgres <<<$'Volume=shop-db.volume:/var/lib/postgresql\nStopSignal=SIGINT'
    unit "$1" cache redis <<<$'Volume=shop-cache.volume:/var/lib/redis'
}

# A write of our own is acknowledged.
is_back() {
    local began=$EPOCHREALTIME taken probe
    # Beyond what the writer counts; each case runs in a shell of its own.
    probe=$((10000000 + $(cat "$WORK/probe" 2>/dev/null || echo 0)))
    echo $((probe - 9999999)) >"$WORK/probe"
    timeout 60 bash -c 'until [ "$(curl -sS --max-time 5 -X POST "$0" 2>"$1")" = "$2" ]; do read -rt 0.05 <> <(:) || :; done' "$URL/$probe" "$WORK/said" "$probe" ||
        { echo "not back after 60 s: $(cat "$WORK/said")"; manager "$way" --no-pager status web app db cache | head -n 60; return 1; }
    echo $probe >>"$WORK/acknowledged"
    taken=$(((${EPOCHREALTIME/./} - ${began/./}) / 1000))
    [ $taken -le $slowest ] || slowest=$taken
    [ $taken -le 5000 ] || echo "# $way, $form: back after $taken ms: ${what:-}" >&3
}

kill_all() { local pid; for pid in "$@"; do [ "${pid:-0}" -le 1 ] || kill -KILL "$pid" 2>/dev/null || :; done; } # 0 is the own process group

# One accident: a member, now and then what the members stand on.
accident() {
    local member group kinds='main main main main restart restart verb relay ground'
    read -ra kinds <<<"$kinds"
    read -ra members <<<"$MEMBERS"
    member=${members[RANDOM % ${#members[@]}]}
    what=${kinds[RANDOM % ${#kinds[@]}]}
    group=/sys/fs/cgroup$(property "$way" "$member" ControlGroup)
    case $what in
    main) kill_all "$(property "$way" "$member" MainPID)" ;;
    restart) manager "$way" restart "$member" ;;
    verb) as "$way" berth kill "$member" >/dev/null || : ;;
    relay) kill_all "$(pgrep --cgroup "${group#/sys/fs/cgroup}/supervisor" -x berth-relay | head -n 1)" ;;
    ground)
        if [ "$form" = pod ]; then
            member=holder
            kill_all "$(property "$way" shop-pod MainPID)"
        else
            member=names
            kill_all $(pgrep -x aardvark-dns)
        fi
        ;;
    esac
    what="$what of $member"
}

survives() {
    local round
    for ((round = 1; round <= KILLS; round++)); do
        accident
        is_back || { echo "round $round: $what (SEED=$SEED)"; return 1; }
    done
    echo "# $way, $form: $KILLS accidents, back after at most $slowest ms, $(wc -l <"$WORK/acknowledged") writes acknowledged" >&3
}

starts() {
    write_units "$way"
    manager "$way" start $MEMBERS
    slowest=0
    is_back
    slowest=0
    python3 "$PROGRAMS/writer.py" $URL "$WORK/acknowledged" >/dev/null 2>&1 &
    echo $! >"$WORK/writer"
}

# The containers go, and come back from other images: the data is that of the volumes.
updates() {
    local image
    for image in app:app db:postgres cache:redis web:nginx; do
        as "$way" berth commit -q "${image%:*}" "localhost/${image#*:}:latest" >/dev/null
        manager "$way" restart "${image%:*}"
        is_back
    done
    if [ "$form" = pod ]; then manager "$way" stop shop-pod; else manager "$way" stop $MEMBERS; fi
    equal "$(as "$way" berth ps -aq)" ''
    manager "$way" start $MEMBERS
    is_back
}

nothing_is_lost() {
    kill "$(cat "$WORK/writer")"
    is_back
    curl -sS --fail --max-time 20 $URL/ >"$WORK/there"
    local line
    for line in 1 2; do
        sed -n ${line}p "$WORK/there" | tr ' ' '\n' | sort >"$WORK/there.$line"
        sort "$WORK/acknowledged" | comm -23 - "$WORK/there.$line" >"$WORK/lost"
        [ ! -s "$WORK/lost" ] || { echo "line $line lacks $(wc -l <"$WORK/lost") acknowledged writes: $(head -n 5 "$WORK/lost" | tr '\n' ' ')"; return 1; }
    done
    [ "$(wc -l <"$WORK/acknowledged")" -gt "$KILLS" ]
}

state() {
    ps -eo comm= | grep -E '^(berth|pasta|aardvark|nginx|postgres|redis|exe)' | sort
    findmnt -rno TARGET | grep -E 'berth|netns' | sort
    ls /sys/class/net | sort
    # netavark's tables stay, empty.
    nft list ruleset 2>/dev/null | grep -E 'dport 8480|nv_' || :
    find /run/berth /run/user/*/berth -mindepth 1 -path '*containers/*' 2>/dev/null | head
    systemctl list-units --failed --plain --no-legend
    systemctl list-units --plain --no-legend 'run-*' | grep -v 'bash /usr/local' || :
}

stops() {
    [ ! -e "$WORK/writer" ] || kill "$(cat "$WORK/writer")" 2>/dev/null || :
    manager "$way" stop $MEMBERS $([ "$form" = pod ] && echo shop-pod || echo shop-network)
    way_gone "$way" $MEMBERS
    if [ "$form" = pod ]; then unit_gone "$way" shop.pod; else unit_gone "$way" shop.network; fi
    manager "$way" stop shop-db-volume shop-cache-volume
    as "$way" berth volume inspect systemd-shop-db systemd-shop-cache >/dev/null
    unit_gone "$way" shop-db.volume shop-cache.volume
    as "$way" berth volume rm systemd-shop-db systemd-shop-cache >/dev/null
    rm -f "$WORK/acknowledged" "$WORK/writer" "$WORK/probe"
    local until=$((SECONDS + 30)) after
    while after=$(state) && [ "$after" != "$before" ] && [ $SECONDS -lt $until ]; do read -rt 0.2 <> <(:) || :; done
    diff <(echo "$before") <(echo "$after")
}

exec 3>&1
[ -e /etc/resolv.conf ] || echo 'nameserver 192.0.2.53' >/etc/resolv.conf
# The way out, which pasta copies.
ip link add out0 type veth peer name out1 && ip addr add 192.0.2.1/24 dev out0 && ip link set out0 up && ip link set out1 up && ip route add default via 192.0.2.50
echo "# SEED=$SEED KILLS=$KILLS"
for way in $ways_chosen; do
    for image in nginx app postgres redis; do way_load "$way" "$IMAGES/$image.tar" >/dev/null || exit 1; done
    for form in ${FORMS:-pod network}; do
        before=$(state)
        check "$way, $form: the stack starts and answers" starts
        check "$way, $form: $KILLS accidents, back after each" survives
        check "$way, $form: updates, and the removal of all containers" updates
        check "$way, $form: no acknowledged write is lost" nothing_is_lost
        check "$way, $form: nothing stays but the volumes" stops
    done
done
finish
