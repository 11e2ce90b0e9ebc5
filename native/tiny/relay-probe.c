/*
 * Readiness and health of a payload, asked by its relay.
 *
 * Why here: a unit with User= may not create timers of the system manager, and a timer with a process for each probe
 * writes to the journal and costs a start of everything each time (what peers are blamed for). The relay is there
 * anyway, outside the container, in the unit's cgroup.
 *
 * What is asked: up to three checks, one after another, one probe at a time. READY (`Notify=port:…`) until it succeeds
 * once, STARTUP until it succeeds as often as wanted, then HEALTH for ever. A check that is not there is passed over.
 * A probe is a connection made from the container's network or mount namespace, or a process: the stage plays the
 * operations of an exec, which the launcher has prepared (src/run/health-start.ts), so that nothing of the decision is
 * here and the process gets no more than any `berth exec` (T11).
 *
 * When: the first probe at once, the next one INTERVAL after the end of the last. While somebody waits for READY=1 the
 * failures in between come sooner (0.1 s, doubled up to 5 s), and count no oftener than once in an interval. A datagram at
 * `ask` is a probe at once; without an interval there are no others. None is made while the payload is paused.
 *
 * What counts: failures within the start period do not, unless a success was before, nor those of a probe that a pause
 * met. RETRIES failures in a row make it
 * unhealthy, one success healthy. Only a change is said in the journal and as STATUS=; every result is in the file that
 * `berth health` reads. On unhealthy the payload is left, killed (the unit fails) or stopped: the stop signal, and after
 * the stop timeout its cgroup is killed. A payload that is stopped by somebody else (`stopping` in the bundle) is left.
 */
#include "relay-probe.h"

enum { QUICK_FIRST_MS = 100, QUICK_MOST_MS = 5000 };

struct probe probe = {
    .bundle = -1,
    .log = -1,
    .tiny = -1,
    .group = -1,
    .ask = -1,
    .pidfd = -1,
    .control = -1,
    .out = -1,
    .kept = {-1, -1},
};

/* The number up to the next comma or the end. */
FILES_TOO uint64_t probe_next_number(const char **at)
{
    uint64_t value = 0;
    for (; **at >= '0' && **at <= '9'; ++*at)
        value = value * 10 + (uint64_t)(**at - '0');
    if (**at != 0)
        ++*at;
    return value;
}

static void read_check(const char *at)
{
    int role = at[0] == 'r' ? ROLE_READY : at[0] == 's' ? ROLE_STARTUP : ROLE_HEALTH;
    struct check *check = &probe.check[role];
    check->kind = at[2];
    at += 4;
    check->interval = probe_next_number(&at);
    check->timeout = probe_next_number(&at);
    check->retries = probe_next_number(&at);
    check->successes = probe_next_number(&at);
    check->target = at;
    uint64_t number = probe_next_number(&at);
    check->ops = RELAY_FIRST_FD + (int)number;
    check->port = (uint16_t)number;
}

/* Those that are no value of `probe` (relay.c, words). */
void probe_read_word(const char *word)
{
    if (text_starts(word, "check="))
        read_check(word + 6);
    probe.kill |= text_equal(word, "on-failure=kill");
    probe.stop |= text_equal(word, "on-failure=stop");
    probe.awaited |= text_equal(word, "ready=probe");
}

static void next_role(void)
{
    while (probe.role < ROLE_HEALTH && probe.check[probe.role].kind == 0)
        probe.role++;
    probe.streak = probe.successes = 0;
    probe.quick = QUICK_FIRST_MS;
    probe.counted = 0;
    const struct check *check = &probe.check[probe.role];
    probe.next = check->kind == 0 || (check->interval == 0 && !probe.awaited) ? 0 : relay_clock();
}

/* The manager gives a start as long as the start period and its last probe take. */
static void extend_start(void)
{
    const struct check *startup = &probe.check[ROLE_STARTUP], *health = &probe.check[ROLE_HEALTH];
    uint64_t more = probe.start_period;
    if (startup->kind != 0)
        more += startup->retries * (startup->interval + startup->timeout);
    TEXT(line, 64);
    text_add(&line, "EXTEND_TIMEOUT_USEC=");
    text_add_number(&line, (int64_t)(more + health->timeout) * 1000);
    if (more > 0)
        notify_own(line.start);
}

/* The payload was executed. */
void probe_begin(void)
{
    probe.begun = true;
    probe.start_end = relay_clock() + (int64_t)probe.start_period;
    results_open();
    results_write();
    next_role();
    if (probe.awaited)
        extend_start();
}

int64_t probe_due(void)
{
    int64_t due = probe.running ? probe.timeout_at : probe.next;
    if (relay.ended || !probe.begun)
        return 0;
    if (probe.kill_at != 0 && (due == 0 || probe.kill_at < due))
        due = probe.kill_at;
    return due;
}

/* Somebody stops the container: what fails now is no news. */
static bool stopping(void)
{
    struct statx about;
    return probe.bundle >= 0 && sys_statx(probe.bundle, "stopping", 0, STATX_TYPE, &about) == 0;
}

static void act(bool kill)
{
    if (kill) {
        if (sys_write(relay.kill, "1", 1) < 0)
            sys4(__NR_pidfd_send_signal, relay.payload, SIGKILL, 0, 0);
    } else if (probe.kill_at == 0) {
        sys4(__NR_pidfd_send_signal, relay.payload, (long)probe.stop_signal, 0, 0);
        probe.kill_at = relay_clock() + (int64_t)probe.stop_timeout;
    }
}

static void set_health(enum health health)
{
    if (probe.health == health)
        return;
    probe.health = health;
    bool well = health == HEALTH_HEALTHY;
    results_say(well ? relay.well : relay.unwell, well ? "" : probe.output);
    notify_own(well ? "STATUS=healthy" : "STATUS=unhealthy");
}

static void tell_ready(void)
{
    if (probe.awaited)
        notify_own(probe.role == ROLE_READY ? "STATUS=ready" : "STATUS=healthy");
    relay.ready_due |= probe.awaited;
    probe.awaited = false;
}

static void succeeded(const struct check *check)
{
    probe.streak = 0;
    probe.successes++;
    if (probe.role == ROLE_HEALTH) {
        set_health(HEALTH_HEALTHY);
        tell_ready();
    } else if (probe.role == ROLE_READY || probe.successes >= check->successes) {
        if (probe.role == ROLE_READY)
            tell_ready();
        probe.role++;
        next_role();
    }
}

/* The last probe failed. True: it was one too many. */
static bool counts(const struct check *check)
{
    int64_t now = relay_clock();
    bool excused = probe.role == ROLE_HEALTH && probe.health == HEALTH_STARTING && now < probe.start_end;
    bool soon = probe.awaited && probe.counted != 0 && now < probe.counted + (int64_t)check->interval;
    if (probe.role == ROLE_READY || excused || soon)
        return false;
    probe.counted = now;
    probe.streak++;
    return check->retries != 0 && probe.streak >= check->retries;
}

static void failed(const struct check *check)
{
    probe.successes = 0;
    bool over = counts(check);
    if (probe.awaited) {
        TEXT(line, 256);
        text_add(&line, "STATUS=starting, the last check failed: ");
        text_add_shown(&line, probe.output);
        notify_own(line.start);
    }
    if (!over)
        return;
    set_health(HEALTH_UNHEALTHY);
    if (probe.role == ROLE_STARTUP)
        act(true);
    else if (probe.kill || probe.stop)
        act(probe.kill);
}

/* `status`: 0 is well. */
void probe_finish(int status)
{
    const struct check *check = &probe.check[probe.role];
    int64_t now = relay_clock();
    probe.running = false;
    relay_close(&probe.out);
    if (probe.once)
        sys_exit(status != 0);
    if (status != 0) {
        probe.next = probe_paused() ? now : 0;
        if (probe.disturbed || stopping() || payload_exiting())
            return;
    }
    int64_t wait = (int64_t)check->interval;
    bool quick = probe.awaited && status != 0 && (wait == 0 || probe.quick < wait);
    probe.next = wait == 0 && !quick ? 0 : now + (quick ? probe.quick : wait);
    probe.quick = probe.quick * 2 > QUICK_MOST_MS ? QUICK_MOST_MS : probe.quick * 2;
    if (status == 0)
        succeeded(check);
    else
        failed(check);
    if (check != &probe.check[ROLE_READY]) {
        results_add(status);
        results_write();
    }
}

void probe_choose(struct pollfd *fds)
{
    fds[0] = (struct pollfd){.fd = probe.pidfd, .events = POLLIN};
    /* After the process is known only its failure is of interest, and that is read at its end: each wake-up costs. */
    fds[1] = (struct pollfd){.fd = probe.control | -(int)probe.second, .events = POLLIN};
    short events = POLLIN;
    if (probe.running && probe.check[probe.role].kind != 'e' && !probe.asked)
        events = POLLOUT;
    fds[2] = (struct pollfd){.fd = probe.draining > 0 ? probe.kept[probe.second] : probe.out, .events = events};
    /* Who asks while a probe runs gets the next one: this one may have looked before. READY is asked anyway, and is no result. */
    fds[3] = (struct pollfd){.fd = probe.running || probe.role == ROLE_READY ? -1 : probe.ask, .events = POLLIN};
}

void probe_serve(const struct pollfd *fds)
{
    char asked;
    if (fds[1].revents != 0)
        probe_control();
    if (fds[2].revents != 0)
        probe_output();
    /* The process may have become another one by the message. */
    if (fds[0].revents != 0 && fds[0].fd == probe.pidfd)
        probe_ended();
    int64_t now = relay_clock();
    if (fds[3].revents != 0 && sys_read(probe.ask, &asked, 1) >= 0)
        probe.next = now;
    if (!probe.begun || relay.ended)
        return;
    if (probe.kill_at != 0 && now >= probe.kill_at) {
        probe.kill_at = 0;
        act(true);
    }
    if (probe.running && now >= probe.timeout_at)
        probe_timeout();
    if (!probe.running && probe.next != 0 && now >= probe.next)
        probe_start(&probe.check[probe.role]);
}
