# Run by host.sh inside the Debian tree: makes build/berth-test and tries it.
set -euo pipefail
here=build/test/host
exec 9>build/.lock # no other build while objects are read
flock 9
(cd $here && qjsc -c -m -N program_test -o test.c test.js && sed -i '/_size = /d' test.c)
make -s -f packaging/build/native.mk SANITIZE=1 build/berth-asan >&2
make -s -f packaging/build/native.mk dist/berth >&2
link() { # OUTPUT OBJECTS FLAGS…: our programs.h instead of the real one
    local output=$1 objects=$2
    shift 2
    for file in main programs; do
        gcc -std=gnu17 -g -D_GNU_SOURCE -iquote $here -iquote native -iquote build "$@" -c native/$file.c -o "$here/$file.o"
    done
    # shellcheck disable=SC2046
    gcc "$@" -o "$output" "$here/main.o" "$here/programs.o" $(find $objects -maxdepth 1 -name '*.o' ! -name main.o ! -name programs.o) \
        /usr/lib/x86_64-linux-gnu/quickjs/libquickjs.a -Wl,-Bstatic -lseccomp -lzstd -lz -lnettle \
        $(case " $* " in *" -static "*) ;; *) echo -Wl,-Bdynamic ;; esac) -lm -lpthread -ldl
}
link build/berth-test build/asan -fsanitize=address,undefined -fno-sanitize-recover=undefined
link build/berth-test-static build/obj -O2 -static -Wl,--gc-sections -s
exec 9>&-

umask 022
mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
failures=0 number=0
result() { # STATUS NAME
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; failures=$((failures + 1)); fi
}
as() { # USER COMMAND…
    if [ "$1" = 0 ]; then shift; "$@"; else setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; fi
}
for program in berth-test berth-test-static; do
    cp build/$program /tmp/$program
    for user in 0 12345; do
        dir=/tmp/$program-$user
        mkdir -m 755 $dir && chown $user:$user $dir
        status=0
        as $user env -i BERTH_DIR=$dir ASAN_OPTIONS=detect_leaks=0 /tmp/$program >$dir.log 2>$dir.err || status=$?
        sed "s/^ok [0-9]* - \(.*\)/ok - $program as user $user: \1/; s/^not ok [0-9]* - \(.*\)/not ok - $program as user $user: \1/; /^1\.\./d" $dir.log
        number=$((number + $(grep -cE '^(not )?ok ' $dir.log || true)))
        failures=$((failures + $(grep -c '^not ok ' $dir.log || true)))
        grep -v "^sh: \|^$" $dir.err | head -20 | sed 's/^/# /' || true
        result $((status > 1 || $(grep -c 'Sanitizer\|runtime error' $dir.err || true) > 0)) "$program as user $user: ends in order"
    done
done

for program in berth-test berth-test-static; do
    timeout 100 python3 test/native/host/terminal.py /tmp/$program >/tmp/terminal.log 2>&1 || true
    sed "s/^\(not \)\?ok [0-9]* - /\1ok - $program: /" /tmp/terminal.log
    number=$((number + $(grep -cE '^(not )?ok ' /tmp/terminal.log || true)))
    failures=$((failures + $(grep -c '^not ok ' /tmp/terminal.log || true)))
    result $(($(grep -cE '^(not )?ok ' /tmp/terminal.log || true) != 11)) "$program: all terminal tests ran"
done

edge() { # NAME STATUS PATTERN COMMAND…: exit status and the whole of standard error, one line at most
    local name=$1 status=0 expected=$2 pattern=$3
    shift 3
    ASAN_OPTIONS=detect_leaks=0 "$@" >/tmp/out 2>/tmp/err || status=$?
    local ok=0
    [ $status = "$expected" ] || ok=1
    [ "$(wc -l </tmp/err)" -le 1 ] || ok=1
    grep -qE "$pattern" /tmp/err || { [ -z "$pattern" ] && [ ! -s /tmp/err ]; } || ok=1
    result $ok "$name"
    [ $ok = 0 ] || { echo "# status $status"; sed 's/^/# /' /tmp/err; }
}
T=/tmp/berth-test
edge 'an uncaught error is one line' 125 '^berth: /no such: no such file or directory$' env BERTH_TEST=throw $T
edge 'a defect is one line' 125 '^berth: internal error: TypeError: ' env BERTH_TEST=bug $T
edge 'endless recursion is one line' 125 '^berth: internal error: InternalError: stack overflow$' env BERTH_TEST=stack /tmp/berth-test-static
edge 'endless memory is one line' 125 '^berth: internal error: ' env BERTH_TEST=memory /tmp/berth-test-static
edge 'no status is said' 125 '^berth: internal error: the program gave no status$' env BERTH_TEST=silent $T
edge 'a generator by its name' 0 '' env BERTH_TEST=nothing bash -c "exec -a /x/berth-system-generator $T a b c"
edge 'two words' 0 '' env BERTH_TEST=nothing $T --module x two words
edge 'a program name is no verb' 125 'cli.cjs: cannot be read' env BERTH_TEST=nothing $T two-words
edge 'a verb after a global with a value' 0 '' env BERTH_TEST=nothing $T --module help one
edge 'a verb after a global with =' 0 '' env BERTH_TEST=nothing $T --module=x one --flag
edge 'a verb that is not native' 125 '/usr/lib/berth/cli.cjs: cannot be read: .*; install the package berth again$' $T images
# The static program reads the rules of a time zone by a function of ours (native/left-out.c), the other one by libc's.
zones='CET-1CEST,M3.5.0,M10.5.0/3 EST5EDT NZST-12:00:00NZDT-13:00:00,M10.1.0,M3.3.0/2:45:00 <+0330>-3:30 IST-2IDT,M3.4.4/26,M10.5.0 CET-1CEST,J60,300/1:30
    Europe/Berlin Asia/Kathmandu :UTC nonsense UTC+ CET-1CEST,M3 XXX25:61:61'
bad=0
for zone in $zones; do
    for program in /tmp/berth-test /tmp/berth-test-static; do
        TZ=$zone BERTH_TEST=zone ASAN_OPTIONS=detect_leaks=0 $program >$program.zone || bad=1
    done
    cmp /tmp/berth-test.zone /tmp/berth-test-static.zone || { bad=1; echo "# TZ=$zone"; }
done
result $bad 'hours of a time zone, by rules of every form'
[ "$(TZ=CET-1CEST,M3.5.0,M10.5.0/3 BERTH_TEST=zone /tmp/berth-test-static | tr '\n' ' ')" = '-60 -60 -60 -120 -120 -60 ' ]
result $? 'a day of summer and one of winter'
BERTH_DEBUG=1 BERTH_TEST=bug $T >/tmp/out 2>/tmp/err || true
result $(($(wc -l </tmp/err) < 2)) 'BERTH_DEBUG=1 shows the stack'

# libc's memory begins right behind the heap image then; blocks of both must not be taken for each other.
mkdir /tmp/units
for i in $(seq 1000); do
    printf '[Container]\nImage=localhost/x:%s\nPublishPort=%s:80\nVolume=/srv/%s:/srv\nLabel=a=b c=d\n' $i $((8000 + i)) $i >/tmp/units/web$i.container
done
status=0
QUADLET_UNIT_DIRS=/tmp/units setarch -R dist/berth generator -user -no-kmsg-log /tmp/generated || status=$?
result $((status != 0 || $(find /tmp/generated -name '*.service' | wc -l) < 1000)) 'the heap image ends where libc begins'

size=$(stat -c %s /tmp/berth-test-static)
# Processor time, not the clock: other work on the machine must not fail a test.
microseconds() { # COMMAND…: per run, over 100 runs
    local TIMEFORMAT='%U %S' spent
    spent=$({ time for _ in $(seq 100); do "$@"; done; } 2>&1)
    awk '{ printf "%d", ($1 + $2) * 10000 }' <<<"$spent"
}
export BERTH_TEST=nothing
all=$(microseconds /tmp/berth-test-static) none=$(microseconds /bin/true)
unset BERTH_TEST
echo "# size $size bytes; start $((all - none)) us above true's $none us"
result $((size > 4000000)) 'the program is below 4 MB'
result $((all - none > 2000)) 'the program starts within 2 ms'
echo "1..$number"
[ $failures = 0 ]
