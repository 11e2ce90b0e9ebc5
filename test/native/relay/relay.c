/* Tests of native/tiny/relay*.c: relay RELAY-PROGRAM MODE, with MODE `root` or `account` (our own uid). Prints TAP. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int number, failures;
static const char *mode;
static const char *const no_words[] = {NULL};
static const char *const ready_words[] = {"ready=started", NULL};

static void ok(bool good, const char *what)
{
    printf("%sok %d - %s: %s\n", good ? "" : "not ", ++number, mode, what);
    failures += !good;
}

static void same(const char *got, const char *wanted, const char *what)
{
    ok(strcmp(got, wanted) == 0, what);
    if (strcmp(got, wanted) != 0)
        printf("# got:    %.300s\n# wanted: %.300s\n", got, wanted);
}

static void say(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0)
        _exit(errno == EPIPE ? 32 : 33);
}

static int speaks_and_crashes(struct bench *b)
{
    (void)b;
    say(1, "one\n");
    say(2, "<4>warn\n");
    say(1, "last line");
    return 3;
}

static int waits(struct bench *b)
{
    (void)b;
    say(1, "up\n");
    while (pause() < 0)
        ;
    return 0;
}

static bool both_ended(struct bench *b)
{
    return relay_ended(b) && payload_ended(b);
}

static bool never(struct bench *b)
{
    (void)b;
    return false;
}

static bool is_up(struct bench *b)
{
    return strcmp(body_of(stream_of(b, '6')), "up\n") == 0;
}

static void start(struct bench *b, bool hold, int (*run)(struct bench *b), const char *const *words)
{
    b->hold = hold;
    b->slow_journal = false;
    bench_open(b);
    bench_payload(b, run);
    bench_relay(b, words);
}

static void begin(struct bench *b, int (*run)(struct bench *b), const char *const *words)
{
    start(b, true, run, words);
    bench_go(b);
    bench_serve(b, 5000, is_up);
}

static void lines(bool hold)
{
    struct bench b;
    start(&b, hold, speaks_and_crashes, no_words);
    bench_go(&b);
    ok(bench_serve(&b, 5000, both_ended), "relay and payload end");
    same(body_of(stream_of(&b, '6')), "one\nlast line",
         "standard output is a stream of priority 6, unfinished line and all");
    same(body_of(stream_of(&b, '3')), "<4>warn\n", "standard error is a stream of priority 3, prefixes as they are");
    int status = 0;
    waitpid(b.payload, &status, __WALL);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 3, "the payload's exit status is its own");
    ok(b.relay == 0, "the relay exits 0");
    b.payload = 0;
    bench_close(&b);
}

static void holding(void)
{
    struct bench b;
    start(&b, true, speaks_and_crashes, no_words);
    b.slow_journal = true;
    bench_go(&b);
    bench_serve(&b, 400, payload_ended);
    ok(!payload_ended(&b), "the payload's end is not seen before the journal has its last line");
    b.slow_journal = false;
    ok(bench_serve(&b, 5000, payload_ended), "it is seen when the journal has closed the streams");
    struct journal_stream *out = stream_of(&b, '6'), *err = stream_of(&b, '3');
    ok(out != NULL && out->ended && err != NULL && err->ended, "both streams were closed by then");
    bench_close(&b);
}

/* Nobody reads: after five seconds the end is no longer kept back. */
static void giving_up(void)
{
    struct bench b;
    start(&b, true, speaks_and_crashes, no_words);
    b.slow_journal = true;
    bench_go(&b);
    ok(!bench_serve(&b, 4000, payload_ended), "a journal that takes nothing keeps the end back for a while");
    ok(bench_serve(&b, 4000, payload_ended), "but not for ever");
    bench_close(&b);
}

static int closes_its_streams(struct bench *b)
{
    (void)b;
    say(1, "up\n");
    close(1), close(2);
    while (pause() < 0)
        ;
    return 0;
}

static bool streams_ended(struct bench *b)
{
    return stream_of(b, '6') != NULL && stream_of(b, '6')->ended && stream_of(b, '3') != NULL &&
           stream_of(b, '3')->ended;
}

static void streams_closed_by_a_payload_that_lives(void)
{
    struct bench b;
    begin(&b, closes_its_streams, ready_words);
    ok(bench_serve(&b, 2000, streams_ended), "streams that the payload closes are closed");
    bench_serve(&b, 200, never);
    ok(!relay_ended(&b) && guard_of(&b) > 0, "relay and guard stay with a payload that lives");
    bench_executed(&b, NULL);
    char text[256];
    int descriptors;
    ok(manager_receive(&b, text, sizeof text, &descriptors, 2000), "and notifications are still carried");
    syscall(SYS_pidfd_send_signal, b.payload_pidfd, SIGKILL, NULL, 0);
    ok(bench_serve(&b, 2000, both_ended), "they end with it");
    bench_close(&b);
}

/* A process outside of the container holds the pipes' write ends: only `look` tells that the payload is on its way out. */
static void pipes_held_outside(void)
{
    struct bench b = {.hold = true};
    bench_open(&b);
    int outside[2] = {dup(b.out[1]), dup(b.err[1])};
    bench_payload(&b, speaks_and_crashes);
    static const char *const words[] = {"look=1", NULL};
    bench_relay(&b, words);
    bench_go(&b);
    ok(bench_serve(&b, 13000, both_ended), "write ends that are held outside do not keep the payload from ending");
    same(body_of(stream_of(&b, '6')), "one\nlast line", "and all that it wrote is there");
    close(outside[0]), close(outside[1]);
    bench_close(&b);
}

static void killed_relay(void)
{
    struct bench b;
    begin(&b, waits, no_words);
    pid_t guard = guard_of(&b);
    b.slow_journal = true;
    kill(b.relay, SIGKILL);
    bench_serve(&b, 300, never);
    ok(!payload_ended(&b) && kill(guard, 0) == 0, "the guard of a killed relay waits for the journal");
    b.slow_journal = false;
    ok(bench_serve(&b, 3000, payload_ended), "the payload of a killed relay is killed");
    struct journal_stream *said = stream_of(&b, '3');
    ok(said != NULL && strncmp(body_of(said), "\n<2>berth: ", 11) == 0 && strstr(body_of(said), "was killed") != NULL,
       "and the journal says why");
    ok(said != NULL && said->peer == guard,
       "over a stream of the guard's own: journald knows no unit of a dead process");
    bench_close(&b);
}

static void killed_relay_without_a_journal(void)
{
    struct bench b;
    begin(&b, waits, no_words);
    b.slow_journal = true;
    kill(b.relay, SIGKILL);
    ok(bench_serve(&b, 10000, payload_ended), "a journal that does not read does not keep the payload alive");
    bench_close(&b);
}

static void killed_guard(void)
{
    struct bench b;
    begin(&b, waits, no_words);
    pid_t first = guard_of(&b);
    kill(first, SIGKILL);
    for (int i = 0; i < 100 && (guard_of(&b) == first || guard_of(&b) == 0); i++)
        usleep(10000);
    ok(guard_of(&b) > 0 && guard_of(&b) != first, "a killed guard is replaced");
    ok(!payload_ended(&b), "and the payload does not notice");
    kill(b.relay, SIGKILL);
    ok(bench_serve(&b, 3000, payload_ended), "the new guard guards");
    bench_close(&b);
}

static int writes_when_asked(struct bench *b)
{
    (void)b;
    signal(SIGPIPE, SIG_IGN);
    say(1, "up\n");
    while (usleep(10000) == 0)
        say(1, "more\n");
    return 0;
}

static void both_killed(void)
{
    struct bench b;
    begin(&b, writes_when_asked, no_words);
    pid_t guard = guard_of(&b);
    kill(b.relay, SIGSTOP), kill(guard, SIGSTOP);
    kill(guard, SIGKILL), kill(b.relay, SIGKILL);
    ok(bench_serve(&b, 3000, payload_ended), "with relay and guard killed at once nobody reads");
    int status = 0;
    waitpid(b.payload, &status, __WALL);
    b.payload = 0;
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 32, "and the payload's next write gets EPIPE");
    bench_close(&b);
}

static void signals(void)
{
    struct bench b;
    begin(&b, waits, no_words);
    for (int *signal = (int[]){SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGPIPE, 0}; *signal != 0; signal++)
        kill(b.relay, *signal);
    bench_serve(&b, 200, never);
    ok(!relay_ended(&b), "signals that ask a unit to end do not end the relay");
    bench_close(&b);
}

enum { MANY = 1 << 20 };

static int writes_much(struct bench *b)
{
    (void)b;
    static char text[MANY];
    for (int i = 0; i < MANY; i++)
        text[i] = i % 64 == 63 ? '\n' : (char)('a' + i / 64 % 26);
    for (int done = 0; done < MANY;) {
        ssize_t n = write(1, text + done, (size_t)(MANY - done));
        if (n < 0)
            return 1;
        done += (int)n;
    }
    return 0;
}

static void back_pressure(void)
{
    struct bench b = {.slow_journal = true, .hold = true};
    bench_open(&b);
    bench_payload(&b, writes_much);
    bench_relay(&b, no_words);
    bench_go(&b);
    ok(!bench_serve(&b, 300, payload_ended), "a journal that does not read makes the payload wait");
    b.slow_journal = false;
    ok(bench_serve(&b, 10000, both_ended), "it goes on when the journal reads");
    const char *body = body_of(stream_of(&b, '6'));
    bool whole = strlen(body) == MANY;
    for (int i = 0; whole && i < MANY; i++)
        whole = body[i] == (i % 64 == 63 ? '\n' : (char)('a' + i / 64 % 26));
    ok(whole, "and nothing was dropped");
    bench_close(&b);
}

static int writes_twice(struct bench *b)
{
    (void)b;
    say(1, "up\n");
    usleep(500000);
    say(1, "again\n");
    return 0;
}

static void journal_restarts(void)
{
    struct bench b;
    begin(&b, writes_twice, no_words);
    close(b.journal);
    b.journal = -1;
    for (int i = 0; i < b.stream_count; i++) {
        close(b.streams[i].fd);
        b.streams[i].fd = -1;
    }
    bench_serve(&b, 300, never);
    journal_listen(&b);
    ok(bench_serve(&b, 5000, both_ended), "the relay ends although the journal went away in between");
    same(body_of(stream_of(&b, '6')), "again\n", "what was written since goes to the new journal");
    bench_close(&b);
}

static void plain_sinks(void)
{
    struct bench b = {.hold = true};
    bench_open(&b);
    char path[128], text[256] = "";
    snprintf(path, sizeof path, "%s/log", b.directory);
    int file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    bench_payload(&b, speaks_and_crashes);
    /* Index 6 would be the seventh descriptor; the relay's own `up` pipe stands in for a sink that splice(2) refuses. */
    int keep = b.status[0];
    b.status[0] = file;
    static const char *const words[] = {"plain-out=2", "plain-err=2", "status=60", NULL};
    bench_relay(&b, words);
    bench_go(&b);
    ok(bench_serve(&b, 5000, both_ended), "a plain sink needs no journal");
    int again = open(path, O_RDONLY | O_CLOEXEC);
    ok(read(again, text, sizeof text - 1) > 0 && strstr(text, "one\n") != NULL && strstr(text, "last line") != NULL &&
           strstr(text, "<4>warn\n") != NULL,
       "a file that is opened for appending gets every byte");
    close(again), close(keep);
    bench_close(&b);
}

void notifications(void (*report)(bool good, const char *what));

static void small(void)
{
    struct bench b;
    if (geteuid() != 0) /* the relay is not dumpable: only root may read its maps */
        return;
    begin(&b, waits, no_words);
    char path[64], line[128];
    int pss = -1;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", b.relay);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "Pss: %d kB", &pss);
    if (file != NULL)
        fclose(file);
    printf("# the relay's proportional share is %d kB\n", pss);
    /* The file's three pages count whole or by half: the account's run beside us has them mapped at times. */
    ok(pss > 0 && pss <= 24, "the relay needs no more than 24 kB");
    bench_close(&b);
}

static int holds(struct bench *b)
{
    (void)b;
    execl("/tmp/holder", "berth-holder", (char *)NULL);
    return 96;
}

/* A process without a parent in the holder's namespace; false when it is still there after two seconds. */
static bool orphan_is_reaped(struct bench *b)
{
    char path[64], children[64];
    pid_t helper = fork();
    if (helper == 0) {
        if (syscall(SYS_setns, b->payload_pidfd, CLONE_NEWPID) < 0)
            _exit(1);
        if (fork() == 0) {
            if (fork() == 0)
                usleep(100000);
            _exit(0);
        }
        _exit(0);
    }
    waitpid(helper, NULL, 0);
    usleep(50000);
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", b->payload, b->payload);
    bool seen = false;
    for (int i = 0; i < 200; i++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = read(fd, children, sizeof children);
        close(fd);
        seen |= n > 0;
        if (seen && n == 0)
            return true;
        usleep(10000);
    }
    return false;
}

static void holder(void)
{
    struct bench b = {.hold = true};
    bench_open(&b);
    bench_payload(&b, holds);
    bench_go(&b);
    if (geteuid() == 0)
        ok(orphan_is_reaped(&b), "the holder reaps what is left to it");
    usleep(100000);
    kill(b.payload, SIGUSR1), kill(b.payload, SIGQUIT);
    bench_serve(&b, 100, never);
    ok(!payload_ended(&b), "the holder stays whatever else it is sent");
    kill(b.payload, SIGTERM);
    ok(bench_serve(&b, 2000, payload_ended), "the holder ends on SIGTERM, as first process of its namespace");
    bench_close(&b);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    relay_program = argv[1];
    mode = argv[2];
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    lines(true);
    lines(false);
    holding();
    giving_up();
    streams_closed_by_a_payload_that_lives();
    pipes_held_outside();
    killed_relay();
    killed_relay_without_a_journal();
    killed_guard();
    both_killed();
    signals();
    back_pressure();
    journal_restarts();
    plain_sinks();
    notifications(ok);
    small();
    holder();
    printf("1..%d\n", number);
    return failures != 0;
}
