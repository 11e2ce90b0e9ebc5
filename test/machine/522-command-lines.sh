#!/usr/bin/env bash
# Wrong command lines of every verb: one clear line on standard error, nothing on standard output, the right exit status.
. "$(dirname "$0")/lib.sh"

# STATUS|WHAT THE LINE SAYS|WORDS. `...` stands for `--network none localhost/busybox true`; `run` gets `--rm`.
cat >lines <<'E2'
125|no such verb|nosuch
125|init: no such verb|init images
125|system prune: say --force|system prune
125|system reset: no such verb|system reset
125|unknown option --nosuch|--nosuch
125|--root has no value|--root
125|--root is not supported|--root /tmp/store images
125|--log-level is `foo`; use|--log-level foo ps
125|needs more operands|run
125|unknown option --nosuch|run --nosuch
125|--name has no value|run --name=x --name
125|--pull=never|run --pull never localhost/nowhere true
125|name of an image|run localhost/UPPER:case true
125|use missing, always, never|run --pull sometimes ...
125|there is no such mode; use host|run --userns foo ...
125|cannot be combined|run --network host -p 80:80 ...
125|--network nosuchnet|run --network nosuchnet localhost/busybox true
125|--rootfs /nonexistent: there is no such directory|run --rootfs /nonexistent true
125|--rootfs /etc/passwd: not a directory|run --rootfs /etc/passwd true
125|/etc/passwd: not a namespace|run --uts ns:/etc/passwd ...
127|nosuch|--runtime nosuch run ...
127|nosuch|run --runtime nosuch ...
127|/nosuch|run -d --network none localhost/busybox /nosuch
126|/etc/passwd|run -d --network none localhost/busybox /etc/passwd
127|/nosuch|run --network none localhost/busybox /nosuch
126|/etc|run --network none localhost/busybox /etc
125|--name ../x: not a name|run --name ../x ...
125|/nonexistent: there is no such file|run -v /nonexistent:/x ...
126|/no/where|run -w /no/where ...
125|--module x is not supported|--module x run ...
125|127.0.0.1:5/x/y: 127.0.0.1:5: the connection is refused|run --network none --retry 1 --retry-delay 100ms 127.0.0.1:5/x/y true
125|rel is not an absolute path|run -v /tmp:rel ...
125|foo is not an option|run -v /tmp:/x:foo ...
125|there is no type foo|run --mount type=foo ...
125|target= is missing|run --mount type=bind,src=/tmp ...
125|size=foo is not an option|run --tmpfs /x:size=foo ...
125|write NAME=VALUE|run -e =x ...
125|cannot be read|run --env-file /nonexistent ...
125|not an absolute path|run -w rel ...
125|no such user|run -u nosuch ...
125|not a host name|run --hostname a_b/c ...
125|no such capability|run --cap-add FOO ...
125|/nonexistent: the seccomp profile cannot be read|run --security-opt seccomp=/nonexistent ...
125|not JSON|run --security-opt seccomp=/etc/passwd ...
125|there is no limit foo|run --ulimit foo=1 ...
125|the soft limit is above|run --ulimit nofile=10:5 ...
125|no namespace holds this parameter|run --sysctl kernel.nosuch=1 ...
125|no such device|run --device /nonexistent ...
125|Nowhere/Land|run --tz Nowhere/Land ...
125|use journald|run --log-driver foo ...
125|--log-opt foo: write NAME=VALUE|run --log-opt foo ...
125|--annotation foo: the value is missing|run --annotation foo ...
125|not a signal|run --stop-signal FOO ...
125|whole decimal number|run --stop-timeout x ...
125|not a size|run --memory foo ...
125|not a size|run --shm-size foo ...
125|not a number|run --cpus x ...
125|no such file or directory|run --cidfile /nonexistent/x ...
125|no such running container|run --pid container:nosuch ...
125|not a port|run -p 99999:80 localhost/busybox true
125|not an IP address|run -p 1.2.3:80:80 localhost/busybox true
125|not understood|run --uidmap foo ...
125|not an octal mask|run --umask 999 ...
125|NAME:ADDRESS|run --add-host foo ...
125|write true or false|run --read-only=2 ...
125|leaves nothing to start again|run --restart always ...
125|nosuch: no such container|exec nosuch true
125|needs more operands|exec nosuch
125|name at least one container|stop
125|nosuch: no such container, and there is no unit nosuch.service|stop nosuch
125|exclude each other|stop --all nosuch
125|not a signal|kill -s FOO nosuch
1|nosuch: no such container|rm nosuch
1|../../etc: no such container|rm ../../etc
125|use stopped, exited|wait --condition foo nosuch
125|whole decimal number|logs --tail x nosuch
125|not a template|ps --format foo
125|{{.Foo}}: not a field|ps --format {{.Foo}}
125|not a template|ps --format {{.ID
125|--sort x: use|ps --sort x
125|--filter x: use|ps --filter x
125|takes fewer operands|ps extra
125|not a template|images --format yaml
125|not one of dangling|images --filter x=y
125|not one of created|images --sort foo
125|/nonexistent: no such file|import /nonexistent
125|checksum is wrong|import /etc/passwd
125|not a name for an image|import /etc/passwd NOT:A:NAME
125|no image: neither|load -i /tmp
125|no such file|load -i /nonexistent
125|neither a tar archive|load
1|no such image|rmi nosuch
125|no such image|tag nosuch x
125|not a name for an image|tag localhost/busybox UPPER
2|no such file or directory|check /nonexistent
2|text, json or sarif|check --format foo /etc/passwd
125|print, list, install or rm|quadlet foo
125|no such unit file|quadlet print nosuch
125|not a template|quadlet list --format yaml
125|berth help system|system foo
125|no such field|info --format {{.Foo}}
125|no verb is called nosuch|help nosuch
1|the action is missing; there are create|oci
1|oci foo: not an action|oci foo
1|no such container|oci state nosuch
1|not a container id|oci state ../x
1|config.json: no such file|oci create --bundle /nonexistent x
E2

refused() { # WHO
    local status wanted part words got bad=0
    while IFS='|' read -r wanted part words; do
        words=${words/%.../--network none localhost/busybox true}
        words=${words/run /run --rm }
        status=0
        # shellcheck disable=SC2086 # words are split on purpose
        as "$1" timeout 60 berth $words >output 2>message </dev/null || status=$?
        got=$(cat message)
        if [ "$status" != "$wanted" ] || [ "$(wc -l <message)" != 1 ] || [[ $got != *"$part"* ]] || [ -s output ]; then
            printf 'berth %s: status %s instead of %s, "%s" wanted\n%s\n%s\n' "$words" "$status" "$wanted" "$part" "$got" "$(cat output)" >&2
            bad=1
        fi
    done <lines
    [ "$bad" = 0 ]
}

# Several wishes that one missing thing refuses are one line.
together() {
    as alice berth run --rm --network none --uidmap 0:0:99999999 localhost/busybox true 2>message && return 1
    equal "$(wc -l <message)" 1
    if as alice berth run --rm --network none --memory 64m --pids-limit 20 --cpus 1 localhost/busybox true 2>message; then
        return 0 # a machine whose controllers are there; test/vm has them, and looks at their limits
    fi
    equal "$(wc -l <message)" 1
    contains "$(cat message)" '--memory, '
}

nothing_inspected() { # scripts read the empty list, people the line
    local status=0
    as "$1" berth inspect nosuch >output 2>message || status=$?
    equal "$status $(wc -l <message) $(cat output)" '125 1 []'
}

global_behind_verb() { equal "$(as "$1" berth run --rm --runtime crun --network none localhost/busybox echo fine)" fine; }

for who in root alice; do
    as "$who" berth load -q -i "$IMAGES/busybox.tar" >/dev/null || exit 1
    check "$who: $(wc -l <lines) wrong command lines are one clear line each" refused "$who"
    check "$who: inspect of nothing is an empty list and one line" nothing_inspected "$who"
    check "$who: a global option behind the verb" global_behind_verb "$who"
done
check 'several options that lack one thing are one line' together
for who in root alice; do as "$who" berth rmi -f localhost/busybox >/dev/null 2>&1; done
finish
