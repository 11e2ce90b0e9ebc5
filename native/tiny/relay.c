/*
 * The relay: the only process of ours that stays beside a running payload.
 *
 * What it does: it carries the payload's standard output and error from two pipes to two streams of the journal, hands
 * on the notifications of a closed list, tells the manager READY=1 when the payload was executed, and keeps the
 * payload's exit back until its last line is in the journal. It lives outside the container's namespaces, with the
 * unit's uid, in the unit's supervisor cgroup, so that journald attributes every line to the unit.
 *
 * Phases:
 * 1. words: `NAME=VALUE…`, descriptors by index from 10 on (packaging/decisions/0002-processes.md). Signals are blocked:
 *    `KillMode=mixed` and terminals must not end it before it has drained the pipes. Only SIGKILL does.
 * 2. hold and guard (relay-guard.c), then `up` is closed: the launcher may let the payload be executed.
 * 3. the loop: ppoll on what is left. Bytes go by splice(2), so no page of ours is dirtied and an unsent byte stays in
 *    the pipe: a journal that does not read stops the payload's writes, a journal that went away is connected again.
 * 4. the end. A pipe at its end is flushed: the stream is shut down, and journald closes it once it has processed the
 *    last line (only then may we go: it reads our cgroup from /proc). With both flushed, the hold is released and the
 *    payload's exit becomes visible to systemd, which kills what is left of the unit at once. When the pipes do not
 *    end although the payload has (somebody outside holds the write end), they are read until empty: cgroup.events
 *    tells, or where the kernel tells too late (`look=1`), a look at /proc every ten seconds.
 *    A journal that takes nothing for 5 s does not keep the exit back any longer.
 */
#include "relay.h"
#ifdef BERTH_PROBES
#include "relay-probe.h"
#define PROBES_TOO
#ifdef BERTH_FILES
enum { PROBE_SOURCES = 8 };
#else
enum { PROBE_SOURCES = 4 };
#endif
#else
#define PROBES_TOO static
enum { PROBE_SOURCES = 0 };
#endif

struct relay relay = {
    .stream = {{.pipe = -1, .sink = -1, .priority = '6'}, {.pipe = -1, .sink = -1, .priority = '3'}},
    .notify = -1,
    .status = -1,
    .payload = -1,
#ifdef BERTH_FILES
    .support = -1,
    .victim = -1,
    .attach = -1,
    .client = -1,
#endif
    .kill = -1,
    .events = -1,
    .up = -1,
    .given = -1,
    .manager_socket = -1,
    .flush = -1,
    .self = -1,
    .guard = -1,
};

int64_t relay_clock(void)
{
    struct __kernel_timespec now;
    sys2(__NR_clock_gettime, 1, PTR(&now));
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void relay_close(int *fd)
{
    if (*fd >= 0)
        sys_close(*fd);
    *fd = -1;
}

long relay_connect(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = TINY_AF_UNIX};
    size_t length = text_length(path);
    if (length >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = 0;
    long fd = sys3(__NR_socket, TINY_AF_UNIX, type | TINY_SOCK_CLOEXEC | TINY_SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fd;
    /* A pathname is given with its NUL, an abstract name ends with the length. */
    long size = (long)(offsetof(struct sockaddr_un, sun_path) + length + (path[0] != '@'));
    long result = sys3(__NR_connect, fd, PTR(&address), size);
    if (result < 0) {
        sys_close((int)fd);
        return result;
    }
    return fd;
}

/* Offsets in `relay` instead of pointers: the text of the relay shall fit in two pages. */
struct word {
    const char *name;
    uint16_t offset;
    char kind; /* t text, d descriptor; a capital letter: of `probe`, and N is a number */
};

static const struct word words[] = {
    {"journal=", offsetof(struct relay, journal), 't'},
    {"identifier=", offsetof(struct relay, identifier), 't'},
    {"unit=", offsetof(struct relay, unit), 't'},
    {"manager=", offsetof(struct relay, manager), 't'},
    {"uids=", offsetof(struct relay, uids), 't'},
    {"mainpid=", offsetof(struct relay, pid), 't'},
    {"born=", offsetof(struct relay, born), 't'},
#ifdef BERTH_PROBES
    {"well=", offsetof(struct relay, well), 't'},
    {"unwell=", offsetof(struct relay, unwell), 't'},
    {"bundle=", offsetof(struct probe, bundle), 'D'},
    {"health-log=", offsetof(struct probe, log), 'D'},
    {"group=", offsetof(struct probe, group), 'D'},
    {"tiny=", offsetof(struct probe, tiny), 'D'},
    {"log-name=", offsetof(struct probe, log_name), 'T'},
    {"log-count=", offsetof(struct probe, log_count), 'N'},
    {"log-size=", offsetof(struct probe, log_size), 'N'},
    {"enter=", offsetof(struct probe, namespaces), 'N'},
    {"start-period=", offsetof(struct probe, start_period), 'N'},
    {"stop=", offsetof(struct probe, stop_signal), 'N'},
    {"stop-timeout=", offsetof(struct probe, stop_timeout), 'N'},
    {"once=", offsetof(struct probe, once), 'N'},
    {"ask=", offsetof(struct probe, ask), 'D'},
#endif
#ifdef BERTH_FILES
    {"lost=", offsetof(struct relay, lost), 't'},
    {"limit=", offsetof(struct probe, limit), 'N'},
#endif
    {"out=", offsetof(struct relay, stream[0].pipe), 'd'},
    {"err=", offsetof(struct relay, stream[1].pipe), 'd'},
    {"plain-out=", offsetof(struct relay, stream[0].sink), 'd'},
    {"plain-err=", offsetof(struct relay, stream[1].sink), 'd'},
    {"given=", offsetof(struct relay, given), 'd'},
    {"notify=", offsetof(struct relay, notify), 'd'},
    {"status=", offsetof(struct relay, status), 'd'},
    {"payload=", offsetof(struct relay, payload), 'd'},
    {"kill=", offsetof(struct relay, kill), 'd'},
    {"events=", offsetof(struct relay, events), 'd'},
    {"up=", offsetof(struct relay, up), 'd'},
#ifdef BERTH_FILES
    {"support=", offsetof(struct relay, support), 'd'},
    {"victim=", offsetof(struct relay, victim), 'd'},
    {"attach=", offsetof(struct relay, attach), 'd'},
#endif
};

/* Words that are not known come from a newer launcher and are passed over. */
static void read_word(const char *word)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!text_starts(word, words[i].name))
            continue;
        const char *value = word + text_length(words[i].name);
        uint64_t index;
        void *to = (char *)&relay + words[i].offset;
#ifdef BERTH_PROBES
        if (words[i].kind <= 'Z')
            to = (char *)&probe + words[i].offset;
        if (words[i].kind == 'N')
            text_unsigned(value, 10, UINT64_MAX, to);
        else
#endif
            if ((words[i].kind | 32) == 't')
            *(const char **)to = *value != 0 ? value : NULL;
        else if (text_unsigned(value, 10, 64, &index))
            *(int *)to = RELAY_FIRST_FD + (int)index;
        return;
    }
#ifdef BERTH_PROBES
    probe_read_word(word);
#endif
#ifdef BERTH_FILES
    file_read_word(word);
#endif
    relay.ready_started |= text_equal(word, "ready=started");
    relay.ready_payload |= text_equal(word, "ready=payload");
    relay.fdstore |= text_equal(word, "fdstore=1");
    relay.look |= text_equal(word, "look=1");
    relay.attended |= text_equal(word, "attended=1");
    relay.hold |= text_equal(word, "hold=pid");
    relay.hold_user |= text_equal(word, "hold=user");
}

/* The unit's journal may be one of LogNamespace=: the other end of the stream that systemd gave us names it. */
static struct sockaddr_un given_address;

static void find_journal(void)
{
    uint32_t size = sizeof given_address - 1;
    if (relay.given >= 0 && sys3(__NR_getpeername, relay.given, PTR(&given_address), PTR(&size)) >= 0 &&
        given_address.sun_family == TINY_AF_UNIX && size > 2 && given_address.sun_path[0] == '/')
        relay.journal = given_address.sun_path;
    relay_close(&relay.given);
}

/*
 * journald puts our command line into every entry of the payload. While the last byte of the words is not 0, the kernel shows
 * the first word alone (fs/proc/base.c, get_mm_cmdline(), made for setproctitle(3)). The last word is an empty one for this.
 */
static void hide_words(int argc, char **argv)
{
    argv[argc - 1][0] = 1;
}

static void begin(int argc, char **argv)
{
    uint64_t all = ~0ull;
    sys_sigprocmask(SIG_SETMASK, &all, NULL);
    sys_prctl(PR_SET_NAME, PTR("berth-relay"), 0, 0, 0);
    sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    sys1(__NR_chdir, PTR("/"));
    for (int i = 1; i < argc; i++)
        read_word(argv[i]);
    hide_words(argc, argv);
    relay.hold |= relay.hold_user;
    sys_close_range(0, RELAY_FIRST_FD - 1, 0);
    find_journal();
    for (struct stream *s = relay.stream; s < relay.stream + 2; s++) {
        s->plain = s->sink >= 0;
        if (s->pipe >= 0)
            sys_fcntl(s->pipe, F_SETFL, O_RDONLY | O_NONBLOCK);
    }
    if (relay.notify >= 0) {
        int one = 1;
        sys5(__NR_setsockopt, relay.notify, TINY_SOL_SOCKET, TINY_SO_PASSCRED, PTR(&one), sizeof one);
    }
    relay.self = (int)sys2(__NR_pidfd_open, sys_getpid(), 0);
#ifdef BERTH_FILES
    /* A descriptor that is always there stands for the file, which is another one after each rotation. */
    for (struct stream *s = relay.stream; file_wanted() && s < relay.stream + 2; s++) {
        s->shown = s->plain;
        if (!s->plain)
            s->sink = (int)sys2(__NR_pidfd_open, sys_getpid(), 0);
        s->plain = true;
    }
#endif
}

/* Data on the status pipe means that the start failed. It is left there for the launcher. */
static void status_changed(void)
{
    int waiting = 0;
    sys_ioctl(relay.status, FIONREAD, PTR(&waiting));
    relay.ready_due = waiting == 0 && relay.ready_started;
    if (waiting == 0)
        event_send(relay.born);
#ifdef BERTH_PROBES
    if (waiting == 0)
        probe_begin();
#endif
    relay_close(&relay.status);
}

/*
 * The payload has begun to exit, although the hold keeps it from being seen as ended: PF_EXITING in field 9 of
 * /proc/PID/stat (man 5 proc_pid_stat). The hold keeps the pid from being used again. False where /proc shows us no
 * processes of other users (ProtectProc=).
 */
PROBES_TOO __attribute__((noinline)) bool payload_exiting(void)
{
    TEXT(path, 40);
    char stat[256];
    uint64_t flags = 0;
    text_add_all(&path, "/proc/", relay.pid != NULL ? relay.pid : "0", "/stat", NULL);
    long fd = sys_openat(AT_FDCWD, path.start, O_RDONLY | O_CLOEXEC, 0);
    long n = fd < 0 ? 0 : sys_read((int)fd, stat, sizeof stat - 1);
    int file = (int)fd;
    relay_close(&file);
    while (n > 0 && stat[n - 1] != ')')
        n--;
    /* After the name: state, parent, group, session, terminal, its group, flags. */
    for (int field = 0; n > 0 && field < 7 && (size_t)n < sizeof stat - 1; n++)
        if (stat[n] == ' ')
            field++;
    for (; n > 0 && stat[n] >= '0' && stat[n] <= '9'; n++)
        flags = flags * 10 + (uint64_t)(stat[n] - '0');
    return (flags & 4) != 0;
}

/* cgroup.events of payload/: "populated 0" comes before the exit of a payload that waits for the hold. */
static void events_changed(void)
{
    char text[64] = "";
    long n = sys4(__NR_pread64, relay.events, PTR(text), sizeof text - 1, 0);
#ifdef BERTH_PROBES
    probe.disturbed = true;
#endif
    for (long i = 0; n > 0 && i < n; i++)
        if (text_starts(text + i, "populated 0"))
            relay.ended |= relay.hold;
    if (n <= 0)
        relay_close(&relay.events);
}

enum {
    PIPE_OUT,
    PIPE_ERR,
    SINK_OUT,
    SINK_ERR,
    NOTIFY,
    MANAGER,
    STATUS,
    PAYLOAD,
    GUARD,
    FLUSH,
    EVENTS,
    PROBE,
    SUPPORT = PROBE + 4,
    TERMINAL,
    SOURCES = PROBE + PROBE_SOURCES
};

static void want(struct pollfd *fds, int source, int fd, short events)
{
    fds[source] = (struct pollfd){.fd = fd, .events = events};
}

static void choose(struct pollfd *fds)
{
    for (int i = 0; i < 2; i++) {
        const struct stream *s = &relay.stream[i];
        want(fds, PIPE_OUT + i, s->sink >= 0 && !s->blocked ? s->pipe : -1, POLLIN);
        /* A journal's end is watched all the time, a given sink (whose hang-up may be none of ours) only when it is full. */
        bool watched = !s->flushing && (s->blocked || !s->plain);
        want(fds, SINK_OUT + i, watched ? s->sink : -1, s->blocked ? POLLOUT : 0);
    }
    bool sending = notify_pending();
    want(fds, NOTIFY, sending ? -1 : relay.notify, POLLIN);
    want(fds, MANAGER, sending ? relay.manager_socket : -1, POLLOUT);
    want(fds, STATUS, relay.status, POLLIN);
    want(fds, PAYLOAD, relay.ended ? -1 : relay.payload, POLLIN);
    want(fds, GUARD, relay.guard, POLLIN);
    want(fds, FLUSH, relay.flush, POLLIN);
    want(fds, EVENTS, relay.ended ? -1 : relay.events, POLLPRI);
#ifdef BERTH_PROBES
    probe_choose(fds + PROBE);
#endif
#ifdef BERTH_FILES
    want(fds, SUPPORT, relay.ended ? -1 : relay.support, POLLIN);
    terminal_choose(fds + TERMINAL, fds + PIPE_OUT);
#endif
}

/* Milliseconds until something is due without an event; -1: nothing. */
static int64_t next_due(void)
{
    int64_t due = relay.deadline;
    bool lost = (notify_pending() && relay.manager_socket < 0);
    for (int i = 0; i < 2; i++)
        lost |= relay.stream[i].pipe >= 0 && relay.stream[i].sink < 0;
    if (lost && (due == 0 || relay.retry < due))
        due = relay.retry;
#ifdef BERTH_FILES
    if (probe.limit != 0 && !relay.ended && (due == 0 || (int64_t)probe.limit < due))
        due = (int64_t)probe.limit;
#endif
#ifdef BERTH_PROBES
    int64_t probes = probe_due();
    if (probes != 0 && (due == 0 || probes < due))
        due = probes;
#endif
    int64_t left = due == 0 ? -1 : due - relay_clock();
    if (relay.look && relay.hold && (due == 0 || left > RELAY_LOOK_MS))
        return RELAY_LOOK_MS;
    return due != 0 && left < 0 ? 0 : left;
}

static void wait_for(struct pollfd *fds)
{
    int64_t left = next_due();
    struct __kernel_timespec timeout = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
    long ready = sys_ppoll(fds, SOURCES, left < 0 ? NULL : &timeout);
    for (int i = 0; ready < 0 && i < SOURCES; i++)
        fds[i].revents = 0;
    if (ready == 0 && relay.look && relay.hold)
        relay.ended |= payload_exiting();
}

static void serve_streams(const struct pollfd *fds)
{
    for (int i = 0; i < 2; i++) {
        struct stream *s = &relay.stream[i];
        short at_sink = fds[SINK_OUT + i].revents;
        if (at_sink != 0)
            s->blocked = false;
        if ((at_sink & (POLLHUP | POLLERR)) != 0 && !s->plain)
            relay_close(&s->sink);
        if (s->pipe >= 0 && s->sink < 0)
            log_connect(s);
        if (s->sink >= 0 && (fds[PIPE_OUT + i].revents != 0 || relay.ended))
            log_move(s);
    }
    if (fds[FLUSH].revents != 0)
        log_flushed();
}

static void serve(const struct pollfd *fds)
{
    if (fds[STATUS].revents != 0)
        status_changed();
    if (fds[NOTIFY].revents != 0)
        notify_receive();
    if (fds[EVENTS].revents != 0)
        events_changed();
    if (fds[PAYLOAD].revents != 0)
        relay.ended = true;
    serve_streams(fds);
#ifdef BERTH_PROBES
    probe_serve(fds + PROBE);
#endif
#ifdef BERTH_FILES
    if (fds[SUPPORT].revents != 0 && !relay.ended)
        support_ended();
    if (probe.limit != 0 && !relay.ended && relay_clock() >= (int64_t)probe.limit)
        limit_reached();
    terminal_serve(fds + TERMINAL);
#endif
    if (notify_pending())
        notify_send();
    if (fds[GUARD].revents != 0)
        guard_ended();
}

/* True when nothing is left to do. */
static bool finished(void)
{
    bool streams_over = relay.stream[0].pipe < 0 && relay.stream[1].pipe < 0;
    if (relay.deadline == 0 && (relay.ended || streams_over) && !log_done())
        relay.deadline = relay_clock() + RELAY_FLUSH_MS;
    if (relay.deadline != 0 && relay_clock() >= relay.deadline)
        log_give_up();
    if (log_done()) {
        relay.deadline = 0;
        relay.ended |= relay.hold && payload_exiting();
        hold_release();
        return relay.ended;
    }
    return false;
}

int relay_main(int argc, char **argv, char **envp)
{
    (void)envp;
    begin(argc, argv);
    for (int i = 0; i < 2; i++)
        if (relay.stream[i].pipe >= 0 && relay.stream[i].sink < 0)
            log_connect(&relay.stream[i]);
    if (relay.hold)
        hold_take();
    guard_start();
    sys_write(relay.up, ".", 1);
    relay_close(&relay.up);
#ifdef BERTH_PROBES
    if (relay.status < 0)
        probe_begin();
#endif
#ifdef BERTH_FILES
    if (probe.limit != 0)
        probe.limit += (uint64_t)relay_clock();
#endif
    struct pollfd fds[SOURCES];
    while (!finished()) {
        choose(fds);
        wait_for(fds);
        serve(fds);
    }
    /* A last word of the payload, such as STOPPING=1 or a status, is still on its way. */
    if (relay.notify >= 0 && !notify_pending())
        notify_receive();
    if (notify_pending())
        notify_send();
#ifdef BERTH_FILES
    return probe.once != 0 || probe.late;
#elif defined(BERTH_PROBES)
    return probe.once != 0;
#else
    return 0;
#endif
}
