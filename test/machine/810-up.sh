#!/usr/bin/env bash
# berth up, plan, down: a directory of unit files as one application, as root, as a user, and as root for a user.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ways.sh"
SERVES="Exec=sh -c 'trap \"exit 0\" TERM; while :; do sleep 0.1; done'"
SHOP=$WORK/shop

container() { # NAME [LINE…]: a container that runs until it is stopped
    local name=$1
    shift
    printf '%s\n' '[Container]' Image=localhost/busybox Network=none StopTimeout=1 "$SERVES" "$@" >"$SHOP/$name.container"
}
shop() { # one that needs another, a volume, a file beside them
    rm -rf "$SHOP"
    mkdir -p "$SHOP/web.container.d" "$SHOP/files"
    container db 'Volume=shop.volume:/data'
    container web 'Volume=./files:/files:ro' '[Unit]' Requires=db.container After=db.container
    printf '[Volume]\n' >"$SHOP/shop.volume"
    printf '[Container]\nEnvironment=FROM=dropin\n' >"$SHOP/web.container.d/more.conf"
    echo one >"$SHOP/files/page"
    chmod -R a+rX "$SHOP"
}
application() { # WHO VERB…
    local who=$1 verb=$2
    shift 2
    if [ "$who" = for ]; then berth "$verb" --for alice "$@"; else as "$who" berth "$verb" "$@"; fi
}
owner() { if [ "$1" = for ]; then echo alice; else echo "$1"; fi; }
nothing_installed() { equal "$(find -H "$(unit_directory "$1")" -mindepth 1 ! -name users)" ''; }
invocation() { manager "$1" show -P InvocationID "$2"; }

comes_up() {
    local owner said web db
    owner=$(owner "$1")
    shop
    said=$(application "$1" plan "$SHOP")
    contains "$said" 'create   web.service'
    contains "$said" '3 to create'
    [ ! -e "$(unit_directory "$owner")/shop" ]
    said=$(application "$1" up "$SHOP")
    equal "$(sort <<<"$said")" $'db.service: started\nshop-volume.service: started\nweb.service: started'
    equal "$(manager "$owner" is-active web db)" $'active\nactive'
    web=$(invocation "$owner" web) db=$(invocation "$owner" db)
    equal "$(as "$owner" berth exec systemd-web cat /files/page)" one
    contains "$(as "$owner" berth exec systemd-web env)" FROM=dropin
    [ "$1" != root ] || changes_only "$@"
    said=$(application "$1" up "$SHOP")
    equal "$(grep -vc unchanged <<<"$said")" 0
    said=$(application "$1" down "$SHOP")
    contains "$said" 'db.service: removed'
    equal "$(manager "$owner" show -P LoadState db)" not-found
    nothing_installed "$owner"
    as "$owner" berth volume rm systemd-shop >/dev/null
    rm -r "$SHOP"
}
changes_only() {
    local owner said web db
    owner=$(owner "$1")
    web=$(invocation "$owner" web) db=$(invocation "$owner" db)
    said=$(application "$1" plan "$SHOP")
    equal "$(tail -n 1 <<<"$said")" '3 with nothing to do'
    said=$(application "$1" up "$SHOP")
    equal "$(sort <<<"$said")" $'db.service: unchanged\nshop-volume.service: unchanged\nweb.service: unchanged'
    equal "$(invocation "$owner" web) $(invocation "$owner" db)" "$web $db"

    container db Volume=shop.volume:/data Environment=NEW=1
    contains "$(application "$1" plan "$SHOP")" 'restart  db.service'
    said=$(application "$1" up "$SHOP")
    equal "$(sort <<<"$said")" $'db.service: restarted\nshop-volume.service: unchanged\nweb.service: restarted'
    contains "$(as "$owner" berth exec systemd-db env)" NEW=1
    web=$(invocation "$owner" web) db=$(invocation "$owner" db)
    # What runs is of the files from before, whoever started it last, when these are changed without a start.
    manager "$owner" restart db
    container db Volume=shop.volume:/data Environment=NEW=2
    equal "$(application "$1" up --no-start "$SHOP" | grep db.service)" 'db.service: installed'
    contains "$(application "$1" plan "$SHOP")" 'restart  db.service'
    application "$1" up "$SHOP" >/dev/null
    contains "$(as "$owner" berth exec systemd-db env)" NEW=2
    web=$(invocation "$owner" web) db=$(invocation "$owner" db)
    # A file that a unit names counts as part of it.
    echo two >"$SHOP/files/page"
    contains "$(application "$1" plan "$SHOP")" 'restart  web.service'
    application "$1" up "$SHOP" >/dev/null
    equal "$(as "$owner" berth exec systemd-web cat /files/page)" two
    equal "$(invocation "$owner" db)" "$db"
    [ "$(invocation "$owner" web)" != "$web" ]
    # What is gone from the directory is stopped and removed; what somebody stopped comes back.
    rm -r "$SHOP/web.container" "$SHOP/web.container.d"
    manager "$owner" stop db
    said=$(application "$1" plan --format json "$SHOP")
    equal "$(grep -c '"action": "remove"' <<<"$said") $(grep -c '"action": "start"' <<<"$said")" '1 1'
    said=$(application "$1" up "$SHOP")
    contains "$said" 'web.service: removed'
    contains "$said" 'db.service: started'
    equal "$(manager "$owner" show -P LoadState web)" not-found
}
# What an administrator placed or changed stays as it is.
spares() {
    local said place=/etc/containers/systemd/one.container
    mkdir -p "$SHOP" "${place%/*}"
    container one
    printf '[Container]\nImage=localhost/mine\n' >$place
    said=$(fails_with 125 berth up "$SHOP/one.container" 2>&1)
    equal "$said" "berth: $place: placed or changed by hand: move it away, or use --force"
    equal "$(tail -n 1 $place)" Image=localhost/mine
    rm $place
    berth up "$SHOP/one.container" >/dev/null
    echo '# mine' >>$place
    said=$(fails_with 125 berth down "$SHOP/one.container" 2>&1)
    contains "$said" 'changed by hand'
    equal "$(systemctl is-active one)" active
    berth down --force one.container >/dev/null
    nothing_installed root
    said=$(fails_with 125 berth down "$SHOP" 2>&1)
    contains "$said" 'nothing was brought up from there'
    rm -r "$SHOP"
}
# Nothing is done when a file has a mistake; when a unit fails, the others are up, and why is said.
fails_well() {
    local said
    mkdir -p "$SHOP"
    container good
    printf '[Container]\nImage=localhost/busybox\nPublishPorts=80\n' >"$SHOP/typo.container"
    said=$(fails_with 2 berth up "$SHOP" 2>&1)
    contains "$said" "$SHOP/typo.container:3:1: "
    contains "$said" PublishPort
    [ ! -e /etc/containers/systemd/shop ]
    rm "$SHOP/typo.container"
    printf '[Container]\nImage=localhost/busybox\nNetwork=none\nNotify=true\n%s\n%s\n%s\n%s\n' "Exec=sh -c 'echo the last word; exit 7'" '[Service]' Restart=always RestartSec=100 >"$SHOP/bad.container"
    said=$(fails_with 1 berth up "$SHOP" 2>&1)
    contains "$said" 'bad.service: failed: failed'
    contains "$said" 'good.service: started'
    contains "$said" 'bad.service: its main process exited with status 7'
    contains "$said" '  the last word'
    equal "$(systemctl is-active good)" active
    # It waits to be started again: that is not up.
    equal "$(systemctl show -P SubState bad)" auto-restart
    said=$(fails_with 1 berth up "$SHOP" 2>&1)
    contains "$said" 'good.service: unchanged'
    contains "$said" 'bad.service: failed: failed'
    berth down "$SHOP" >/dev/null
    nothing_installed root
    # That it had failed is forgotten with it.
    equal "$(systemctl list-units --all --no-legend --plain bad.service)" ''
    rm -r "$SHOP"
}
# Instances of templates by links; a task that ran to its end does not run again.
special() {
    local said
    mkdir -p "$SHOP"
    container each@
    ln -s each@.container "$SHOP/each@a.container"
    printf '[Container]\nImage=localhost/busybox\nNetwork=none\nExec=true\n[Service]\nType=oneshot\n' >"$SHOP/task.container"
    said=$(berth up "$SHOP")
    contains "$said" 'each@a.service: started'
    contains "$said" 'task.service: started'
    equal "$(systemctl is-active each@a)" active
    said=$(berth up "$SHOP")
    contains "$said" 'task.service: unchanged'
    equal "$(grep -vc unchanged <<<"$said")" 0
    # A start by hand runs what is there: it needs no restart.
    systemctl restart each@a
    equal "$(berth up "$SHOP" | grep -vc unchanged)" 0
    berth down "$SHOP" >/dev/null
    equal "$(systemctl show -P ActiveState each@a)" inactive
    nothing_installed root
    rm -r "$SHOP"
}
# On a terminal there is one line for each unit, which changes.
live() {
    local said
    mkdir -p "$SHOP"
    container a
    container b
    said=$(script -qec "berth up $SHOP" /dev/null)
    contains "$said" $'\e[2A'
    contains "$said" 'a.service  started'
    berth down "$SHOP" >/dev/null
    rm -r "$SHOP"
}
refused() {
    equal "$(fails_with 125 berth up /nonexistent 2>&1)" 'berth: /nonexistent: no such file or directory'
    mkdir -p "$WORK/empty"
    equal "$(fails_with 125 berth up "$WORK/empty" 2>&1)" "berth: $WORK/empty: no unit file is in it"
    contains "$(fails_with 125 berth up /etc/containers 2>&1)" 'name a directory elsewhere'
}

for who in root alice; do way_load "$who" "$IMAGES/busybox.tar" >/dev/null; done
for who in root for; do check "$who: up, plan, down" comes_up "$who"; done
check 'files placed or changed by hand are not touched' spares
check 'a mistake changes nothing, a failure leaves the rest up' fails_well
# The directory of unit files is a link, as where they are kept in a repository.
mv /etc/containers/systemd "$WORK/units"
ln -s "$WORK/units" /etc/containers/systemd
check 'templates and tasks, behind a link' special
rm /etc/containers/systemd
mv "$WORK/units" /etc/containers/systemd
check 'live lines on a terminal' live
check 'mistaken operands' refused
finish
