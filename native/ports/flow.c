/*
 * Moves the data of all connections, both ways, without looking at it: from socket to pipe to socket (splice(2)).
 *
 * A pipe is lent to a direction for as long as it has something that the receiver does not take yet: idle connections have none. When all are lent (slow readers),
 * or the account has no more pages for pipes (fs.pipe-user-pages-soft; it would get pipes of 8 kB), the data stay where they are, in the sender's socket, and are copied
 * as far as the receiver takes them. One pipe is kept from the start.
 * An end is tried until it says EAGAIN (edge-triggered); one connection gets SHARE pieces before the others have their turn.
 * Two threads: the first accepts and connects, and hands every other connection to the second, as the numbers of its descriptors. A connection stays where it is.
 */
#include "ports.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    PIPE_SIZE = 256 << 10,
    PIPE_LEAST = 64 << 10,
    PIPES_MOST = 8, /* of each thread; of the 256 of this size that an account may have */
    PIPES_IDLE = 2,
    REFUSED = 1000, /* ms before asking for another pipe after there was none */
    PIECE = 1 << 20,
    SHARE = 8,
    EVENTS = 64,
    ACCEPTS = 16, /* at a time */
    REST = 100,   /* ms without accepting when there is no descriptor left */
    LOOK = 20,    /* ms between two looks at what a receiver has not taken yet */
    PATIENCE = 2000,
    STACK = 64 << 10
};

enum kind { LISTENER, CHANGES, PROCESS, INBOX, END };

struct pipe {
    int out, in;
    struct pipe *next;
};

struct flow;

struct end {
    enum kind kind;
    int fd;
    bool readable, writable, failed;
    struct flow *flow;
};

/* What comes from end[i] for end[!i]. */
struct half {
    struct pipe *pipe;
    uint32_t held, passed;
    bool ended; /* nothing more comes; the receiver was told so unless the sender failed */
};

struct flow {
    struct end end[2]; /* client, server */
    struct half half[2];
    bool connecting, queued, gone;
    uint32_t taken;           /* of what an end had sent before it failed, by the other one */
    int64_t until;            /* whose time is over then; 0: it has not begun */
    struct sockaddr_in other; /* while connecting: where else to */
    struct flow *next;
};

/* A flow on its way from one thread to the other. */
struct begun {
    int fds[2];
    struct sockaddr_in other;
};

/* Begins as `struct end` does. */
struct watched {
    enum kind kind;
    int fd;
    uint16_t target;
};

static struct thread {
    atomic_int flows;
    int epoll, inbox; /* the second's: what it is to serve */
} first, second;
static int outbox = -1; /* there is no second */
static struct watched *watched;
static int watched_count;

static int spare = -1;

static _Thread_local struct thread *self;
static _Thread_local int epoll;
static _Thread_local struct pipe *idle;
static _Thread_local int pipes, idle_pipes;
static _Thread_local int64_t refused; /* a pipe, until then */
static _Thread_local struct flow *queue, **queue_end;
static _Thread_local bool hurry; /* one of the queue need not wait for LOOK */
static _Thread_local struct flow *graves;
static _Thread_local int64_t resting; /* until then; 0: not */

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static bool is_worth_it(int fd)
{
    return fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE) >= 0 || fcntl(fd, F_GETPIPE_SZ) >= PIPE_LEAST;
}

static struct pipe *make_pipe(void)
{
    int fds[2];
    if (pipes == PIPES_MOST || now() < refused)
        return NULL;
    struct pipe *pipe = malloc(sizeof(*pipe));
    if (pipe != NULL && pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0) {
        if (is_worth_it(fds[1])) {
            *pipe = (struct pipe){.out = fds[0], .in = fds[1]};
            pipes++;
            return pipe;
        }
        close(fds[0]);
        close(fds[1]);
    }
    free(pipe);
    refused = now() + REFUSED;
    return NULL;
}

static struct pipe *borrow(void)
{
    struct pipe *pipe = idle;
    if (pipe == NULL)
        return make_pipe();
    idle = pipe->next;
    idle_pipes--;
    return pipe;
}

static void close_pipe(struct pipe *pipe)
{
    close(pipe->out);
    close(pipe->in);
    free(pipe);
    pipes--;
}

static void keep(struct pipe *pipe)
{
    pipe->next = idle;
    idle = pipe;
    idle_pipes++;
}

static void give_back(struct half *half)
{
    struct pipe *pipe = half->pipe;
    half->pipe = NULL;
    if (pipe != NULL && half->held == 0 && idle_pipes < PIPES_IDLE)
        keep(pipe);
    else if (pipe != NULL)
        close_pipe(pipe);
    half->held = 0;
}

/* Nobody is there: one is kept, since the account may have none left the next time. */
static void close_idle_pipes(void)
{
    while (idle_pipes > 1)
        close_pipe(borrow());
}

static void enqueue(struct flow *flow, bool soon)
{
    hurry |= soon;
    if (flow->queued || flow->gone)
        return;
    flow->queued = true;
    flow->next = NULL;
    *queue_end = flow;
    queue_end = &flow->next;
}

/* With a reset when it did not come to its end: the other side must not take the data for complete. */
static void end_flow(struct flow *flow, bool complete)
{
    if (flow->gone)
        return;
    flow->gone = true;
    self->flows--;
    for (int i = 0; i < 2; i++) {
        give_back(&flow->half[i]);
        if (!complete)
            setsockopt(flow->end[i].fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
        close(flow->end[i].fd);
    }
    if (!flow->queued) {
        flow->next = graves;
        graves = flow;
    }
}

/* False: the receiver does not take all of it now. */
static bool empty_pipe(struct half *half, struct end *to)
{
    while (half->held > 0) {
        if (!to->writable || to->failed)
            return false;
        ssize_t n = splice(half->pipe->out, NULL, to->fd, NULL, half->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n > 0) {
            half->held -= (uint32_t)n;
            half->passed += (uint32_t)n;
        } else if (n < 0 && errno == EAGAIN)
            to->writable = false;
        else if (n == 0 || errno != EINTR)
            to->failed = true;
    }
    return true;
}

static void finish(struct half *half, const struct end *from, struct end *to)
{
    half->ended = true;
    if (!from->failed && shutdown(to->fd, SHUT_WR) < 0)
        to->failed = true;
}

/* What reading has come to when it gave nothing; true: another try. */
static bool nothing_read(ssize_t n, struct half *half, struct end *from, struct end *to)
{
    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0 && errno == EAGAIN) {
        from->readable = false;
        return false;
    }
    from->failed |= n < 0;
    finish(half, from, to);
    return false;
}

/* Without a pipe. */
static bool copy(struct half *half, struct end *from, struct end *to)
{
    static char buffers[2][256 << 10];
    char *buffer = buffers[self == &second];
    if (!to->writable)
        return false;
    ssize_t n = recv(from->fd, buffer, sizeof(buffers[0]), MSG_PEEK);
    if (n <= 0)
        return nothing_read(n, half, from, to);
    ssize_t sent = send(to->fd, buffer, (size_t)n, MSG_NOSIGNAL);
    if (sent > 0) {
        half->passed += (uint32_t)sent;
        from->failed |= recv(from->fd, NULL, (size_t)sent, MSG_TRUNC) != sent;
        return true;
    }
    if (errno == EAGAIN)
        to->writable = false;
    else if (errno != EINTR)
        to->failed = true;
    return errno == EINTR;
}

/* One piece; true: there may be more. */
static bool move(struct half *half, struct end *from, struct end *to)
{
    if (to->failed || !empty_pipe(half, to) || half->ended || !from->readable)
        return false;
    if (half->pipe == NULL && (half->pipe = borrow()) == NULL)
        return copy(half, from, to);
    ssize_t n = splice(from->fd, NULL, half->pipe->in, NULL, PIECE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n <= 0)
        return nothing_read(n, half, from, to);
    half->held = (uint32_t)n;
    return empty_pipe(half, to);
}

/* Up to SHARE pieces. */
static bool take_turn(struct flow *flow, int i)
{
    struct half *half = &flow->half[i];
    bool more = true;
    for (int share = 0; more && share < SHARE; share++)
        more = move(half, &flow->end[i], &flow->end[!i]);
    if (half->held == 0)
        give_back(half);
    return more;
}

/*
 * What an end had sent before it failed reaches the other one, whose reset would take along what the kernel still holds for it: it has its time as long as it goes on
 * taking some.
 */
static bool has_last_words(struct flow *flow, int i)
{
    struct half *half = &flow->half[i];
    int held = 0;
    if (ioctl(flow->end[!i].fd, SIOCOUTQ, &held) < 0 || (half->ended && half->held == 0 && held == 0))
        return true;
    uint32_t taken = half->passed - (uint32_t)held;
    if (flow->until == 0 || taken != flow->taken) {
        flow->taken = taken;
        flow->until = now() + PATIENCE;
    }
    return now() >= flow->until;
}

static void work(struct flow *flow)
{
    if (flow->connecting)
        return;
    bool more = take_turn(flow, 0);
    more |= take_turn(flow, 1);
    const struct end *end = flow->end;
    bool failed = end[0].failed || end[1].failed;
    if (failed ? (end[0].failed && end[1].failed) || has_last_words(flow, end[0].failed ? 0 : 1)
               : flow->half[0].ended && flow->half[1].ended)
        end_flow(flow, !failed);
    else if (more || failed)
        enqueue(flow, more);
}

static bool watch(int fd, uint32_t events, void *what)
{
    struct epoll_event event = {.events = events, .data.ptr = what};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void abort_both(const int fds[2])
{
    for (int i = 0; i < 2; i++) {
        setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
        close(fds[i]);
    }
}

static void begin_flow(const struct begun *begun)
{
    const int *fds = begun->fds;
    struct flow *flow = calloc(1, sizeof(*flow));
    if (flow == NULL) {
        abort_both(fds);
        self->flows--;
        return;
    }
    flow->connecting = true;
    flow->other = begun->other;
    for (int i = 0; i < 2; i++)
        flow->end[i] = (struct end){.kind = END, .fd = fds[i], .flow = flow};
    for (int i = 0; i < 2; i++)
        if (!watch(fds[i], EPOLLIN | EPOLLOUT | EPOLLET, &flow->end[i])) {
            end_flow(flow, false);
            return;
        }
}

/* A client that is accepted needs another descriptor: this one is closed for it. */
static bool have_spare(void)
{
    if (spare < 0)
        spare = fcntl(epoll, F_DUPFD_CLOEXEC, 0);
    return spare >= 0;
}

/* By the thread that has fewer. */
static void open_flow(int client_fd, const union address *client, uint16_t target)
{
    struct begun begun = {{client_fd, -1}, other_inside(client, target)};
    begun.fds[1] = connect_inside(client_fd, client, target);
    if (begun.fds[1] < 0 && errno == EMFILE) {
        close(spare);
        spare = -1;
        begun.fds[1] = connect_inside(client_fd, client, target);
    }
    if (begun.fds[1] < 0) {
        abort_both(begun.fds);
        return;
    }
    if (outbox >= 0 && second.flows < first.flows) {
        second.flows++;
        if (send(outbox, &begun, sizeof(begun), MSG_NOSIGNAL) == sizeof(begun))
            return;
        second.flows--;
    }
    first.flows++;
    begin_flow(&begun);
}

static void take_over(int inbox)
{
    struct begun begun;
    for (int i = 0; i < ACCEPTS && recv(inbox, &begun, sizeof(begun), 0) == sizeof(begun); i++)
        begin_flow(&begun);
}

/* Without a descriptor nobody is accepted for a moment: the listeners stay readable, and would keep us awake. */
static void rest(bool wanted)
{
    resting = wanted ? now() + REST : 0;
    for (int i = 0; i < watched_count; i++)
        if (watched[i].kind == LISTENER) {
            struct epoll_event event = {.events = wanted ? 0 : EPOLLIN, .data.ptr = &watched[i]};
            epoll_ctl(epoll, EPOLL_CTL_MOD, watched[i].fd, &event);
        }
}

static void accept_some(int listener, uint16_t target)
{
    for (int i = 0; i < ACCEPTS; i++) {
        if (!have_spare()) {
            rest(true);
            return;
        }
        union address client;
        socklen_t length = sizeof(client);
        int fd = accept4(listener, &client.any, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            unmap(&client);
            open_flow(fd, &client, target);
        }
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
            rest(true);
        if (fd < 0)
            return;
    }
}

/* Asked once: the error is the socket's no more then. */
static bool is_refused(int fd)
{
    int number = 0;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &(socklen_t){sizeof(number)}) == 0 && number == ECONNREFUSED;
}

/*
 * Nobody listens where the client is led to; true: it is on its way to another address. A server that has accepted and resets at once
 * has seen the client, and does not want it.
 */
static bool try_other(struct flow *flow)
{
    struct end *server = &flow->end[1];
    bool wanted = flow->other.sin_family != AF_UNSPEC && is_refused(server->fd);
    int fd = wanted ? connect_other(&flow->other) : -1;
    flow->other.sin_family = AF_UNSPEC;
    if (fd < 0)
        return false;
    close(server->fd);
    server->fd = fd;
    return watch(fd, EPOLLIN | EPOLLOUT | EPOLLET, server);
}

static void on_end(struct end *end, uint32_t events)
{
    struct flow *flow = end->flow;
    if (flow->gone || (flow->connecting && end == &flow->end[1] && (events & EPOLLERR) && try_other(flow)))
        return;
    if (events & EPOLLERR) {
        end->failed = true;
        if (flow->connecting) {
            end_flow(flow, false);
            return;
        }
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        end->readable = true;
    if (events & (EPOLLOUT | EPOLLHUP))
        end->writable = true;
    if (end == &flow->end[1] && end->writable)
        flow->connecting = false;
    enqueue(flow, true);
}

/* A stop ends us in order, and is not waited for; what an end without it leaves behind must not keep the ports. */
static void on_process(int process)
{
    epoll_ctl(epoll, EPOLL_CTL_DEL, process, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_sec = 1}}, NULL);
}

static void on_event(const struct epoll_event *event)
{
    struct watched *what = event->data.ptr;
    switch (what->kind) {
    case LISTENER: accept_some(what->fd, what->target); break;
    case CHANGES: find_addresses(what->fd); break;
    case PROCESS: on_process(what->fd); break;
    case INBOX: take_over(what->fd); break;
    case END: on_end(event->data.ptr, event->events); break;
    }
}

/* One turn of each that has something to do. */
static void work_off(void)
{
    struct flow *flow = queue;
    queue = NULL;
    queue_end = &queue;
    hurry = false;
    while (flow != NULL) {
        struct flow *next = flow->next;
        flow->queued = false;
        if (flow->gone) {
            flow->next = graves;
            graves = flow;
        } else
            work(flow);
        flow = next;
    }
}

/* Events of the same turn may have named them. */
static void bury(void)
{
    while (graves != NULL) {
        struct flow *flow = graves;
        graves = flow->next;
        free(flow);
        if (self->flows == 0)
            close_idle_pipes();
    }
}

static void loop(void) __attribute__((noreturn));

static void loop(void)
{
    queue_end = &queue;
    for (;;) {
        struct epoll_event events[EVENTS];
        int found = epoll_wait(epoll, events, EVENTS, hurry ? 0 : queue != NULL ? LOOK : resting ? REST : -1);
        if (found < 0 && errno != EINTR)
            _exit(1);
        if (resting != 0 && now() >= resting)
            rest(false);
        for (int i = 0; i < found; i++)
            on_event(&events[i]);
        work_off();
        bury();
    }
}

static void be(struct thread *thread)
{
    self = thread;
    epoll = thread->epoll;
    filter_calls();
}

static void *serve_second(void *nothing __attribute__((unused)))
{
    static struct watched inbox = {.kind = INBOX};
    be(&second);
    inbox.fd = second.inbox;
    if (!watch(inbox.fd, EPOLLIN, &inbox))
        _exit(1);
    loop();
}

/* Before the filter, which need not allow it then. Where the unit may not have it (TasksMax=), one thread serves. */
static void start_second(void)
{
    int pair[2];
    pthread_t thread;
    pthread_attr_t attributes;
    mallopt(M_ARENA_MAX, 1);
    second.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (second.epoll < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return;
    second.inbox = pair[0];
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    if (pthread_create(&thread, &attributes, serve_second, NULL) == 0)
        outbox = pair[1];
}

static void watch_one(struct watched what)
{
    watched[watched_count] = what;
    if (!watch(what.fd, EPOLLIN, &watched[watched_count++]))
        _exit(1);
}

void serve(struct listener *listeners, int count, int changes, int process)
{
    start_second();
    first.epoll = epoll_create1(EPOLL_CLOEXEC);
    watched = calloc((size_t)count + 2, sizeof(*watched));
    if (first.epoll < 0 || watched == NULL)
        _exit(1);
    be(&first);
    struct pipe *one = make_pipe();
    if (one != NULL)
        keep(one);
    for (int i = 0; i < count; i++)
        watch_one((struct watched){LISTENER, listeners[i].fd, listeners[i].target});
    watch_one((struct watched){CHANGES, changes, 0});
    if (process >= 0)
        watch_one((struct watched){PROCESS, process, 0});
    loop();
}
