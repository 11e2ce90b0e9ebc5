/* The relay's two streams to the journal (man 3 sd_journal_stream_fd) or to given descriptors. */
#include "relay.h"
#ifdef BERTH_FILES
#include "relay-probe.h"
#endif

#include <asm/siginfo.h>
#include <linux/signalfd.h>

enum { MOVE_AT_ONCE = 65536, SPLICE_NONBLOCK = 2, CLOSE_SIGNAL = 40 };

FILES_TOO bool log_write(int fd, const char *data, size_t n)
{
    while (n > 0) {
        long written = sys_write(fd, data, n);
        if (written == -EAGAIN) {
            struct pollfd full = {.fd = fd, .events = POLLOUT};
            sys_ppoll(&full, 1, NULL);
        } else if (written <= 0 && written != -EINTR) {
            return false;
        } else if (written > 0) {
            data += written;
            n -= (size_t)written;
        }
    }
    return true;
}

/* The header: identifier, unit (believed for uid 0), priority, `<N>` prefixes are honoured, three kinds of forwarding off. */
static bool log_header(int fd, char priority)
{
    TEXT(header, 512);
    const char level[] = {priority, '\n', 0};
    text_add_shown(&header, relay.identifier != NULL ? relay.identifier : "berth");
    text_add(&header, "\n");
    text_add_shown(&header, relay.unit != NULL ? relay.unit : "");
    text_add_all(&header, "\n", level, "1\n0\n0\n0\n", NULL);
    return log_write(fd, header.start, header.length);
}

/*
 * An entry of ours in the journal's native protocol: one datagram to the socket beside the streams'. False when nobody
 * takes it.
 */
bool event_send(const char *entry)
{
    if (entry == NULL || relay.journal == NULL)
        return false;
    char *name = (char *)relay.journal + text_length(relay.journal) - 6;
    memcpy(name, "socket", 6);
    int fd = (int)relay_connect(relay.journal, TINY_SOCK_DGRAM);
    memcpy(name, "stdout", 6);
    long sent = sys_write(fd, entry, text_length(entry));
    relay_close(&fd);
    return sent > 0;
}

void log_connect(struct stream *s)
{
    int64_t now = relay_clock();
    if (s->plain || relay.journal == NULL || now < relay.retry) {
        if (relay.journal == NULL && !s->plain)
            relay_close(&s->pipe);
        return;
    }
    long fd = relay_connect(relay.journal, TINY_SOCK_STREAM);
    if (fd >= 0 && !log_header((int)fd, s->priority)) {
        sys_close((int)fd);
        fd = -1;
    }
    if (fd < 0) {
        relay.retry = now + RELAY_RETRY_MS;
        return;
    }
    s->sink = (int)fd;
    s->blocked = false;
}

/* For a sink that splice(2) refuses: a file opened for appending, some terminals. */
static __attribute__((noinline)) long copy(struct stream *s)
{
    char data[512];
    long n = sys_read(s->pipe, data, sizeof data);
    if (n > 0 && !log_write(s->sink, data, (size_t)n))
        return -EPIPE;
#ifdef BERTH_FILES
    if (n > 0 && s == relay.stream)
        terminal_show(data, (size_t)n);
#endif
    return n;
}

static long move_some(struct stream *s)
{
    long n = -EINVAL;
#ifdef BERTH_FILES
    if (file_wanted())
        return file_move(s);
#endif
#ifdef BERTH_FILES
    if (relay.client >= 0 && s == relay.stream) {
        struct pollfd now = {.fd = s->sink, .events = POLLOUT};
        struct __kernel_timespec none = {0, 0};
        return sys_ppoll(&now, 1, &none) > 0 ? copy(s) : -EAGAIN;
    }
#endif
    if (!s->copy)
        n = sys6(__NR_splice, s->pipe, 0, s->sink, 0, MOVE_AT_ONCE, SPLICE_NONBLOCK);
    if (n == -EINVAL) {
        s->copy = true;
        n = copy(s);
    }
    return n;
}

/* Moves what the pipe holds, once. With the payload gone an empty pipe is at its end, whoever still holds it. */
void log_move(struct stream *s)
{
    if (s->pipe < 0 || s->blocked)
        return;
#ifdef BERTH_FILES
    if (s == relay.stream && !terminal_ready())
        return;
#endif
    long n = move_some(s);
    if (n > 0 || n == -EINTR)
        return;
    if (n == -EAGAIN) {
        int waiting = 0;
        sys_ioctl(s->pipe, FIONREAD, PTR(&waiting));
        if (waiting > 0)
            s->blocked = true;
        else if (relay.ended)
            log_flush(s);
        return;
    }
    /* A terminal whose other side is closed says EIO. */
    if (n == 0 || n == -EIO) {
        log_flush(s);
        return;
    }
    /* The journal went away: the bytes are still in the pipe. A given sink is gone for good: the payload sees EPIPE. */
    if (s->plain)
        relay_close(&s->pipe);
    relay_close(&s->sink);
}

/*
 * No more bytes will come. journald closes its end once it has processed the last line; that must be seen. Poll(2)
 * cannot tell: journald shuts down its writing side from the start, so POLLHUP is there as soon as we shut down ours,
 * and an edge of epoll cannot be told from the one that shutdown(2) makes itself. But POLL_HUP as a signal
 * (fcntl(2), F_SETSIG) is sent for the peer's close alone.
 */
void log_flush(struct stream *s)
{
    relay_close(&s->pipe);
    struct pollfd now = {.fd = s->sink};
    uint64_t signals = 1ull << (CLOSE_SIGNAL - 1);
    if (s->plain || s->sink < 0) {
        relay_close(&s->sink);
        return;
    }
    if (relay.flush < 0)
        relay.flush = (int)sys4(__NR_signalfd4, -1, PTR(&signals), 8, O_CLOEXEC | O_NONBLOCK);
    sys_fcntl(s->sink, F_SETOWN, sys_getpid());
    sys_fcntl(s->sink, F_SETSIG, CLOSE_SIGNAL);
    sys_fcntl(s->sink, F_SETFL, O_RDWR | O_NONBLOCK | FASYNC);
    struct __kernel_timespec none = {0, 0};
    s->flushing = true;
    if (sys_ppoll(&now, 1, &none) > 0 || sys2(__NR_shutdown, s->sink, 1) < 0)
        relay_close(&s->sink);
}

void log_flushed(void)
{
    struct signalfd_siginfo info;
    while (sys_read(relay.flush, &info, sizeof info) == sizeof info)
        for (struct stream *s = relay.stream; s < relay.stream + 2; s++)
            if (info.ssi_code == POLL_HUP && info.ssi_fd == s->sink)
                relay_close(&s->sink);
}

void log_give_up(void)
{
    for (struct stream *s = relay.stream; s < relay.stream + 2; s++) {
        relay_close(&s->pipe);
        relay_close(&s->sink);
    }
}

/* All that the payload wrote was processed, or nobody takes it. */
bool log_done(void)
{
    for (const struct stream *s = relay.stream; s < relay.stream + 2; s++)
        if (s->pipe >= 0 || (s->sink >= 0 && !s->plain))
            return false;
    return true;
}

/*
 * A line of the guard's, when the relay is dead. The relay's streams do not do: journald asks /proc about the process
 * that connected a stream and knows the unit of a dead one only by luck. So the guard connects one of its own and stays
 * until journald has closed it. The old descriptors stay open: the payload is to be killed, not to see EPIPE.
 */
void log_say(const char *message)
{
    struct stream *s = &relay.stream[1];
    struct __kernel_timespec left = {.tv_sec = RELAY_FLUSH_MS / 1000}; /* ppoll(2) counts it down */
    s->pipe = -1;
#ifdef BERTH_FILES
    s->plain &= !file_wanted();
#endif
    if (!s->plain) {
        s->sink = -1;
        relay.retry = 0;
        log_connect(s);
    }
    struct pollfd ready = {.fd = s->sink, .events = POLLOUT};
    if (sys_ppoll(&ready, 1, &left) <= 0 || !log_write(s->sink, message, text_length(message)))
        return;
    log_flush(s);
    ready = (struct pollfd){.fd = relay.flush, .events = POLLIN};
    while (s->sink >= 0 && sys_ppoll(&ready, 1, &left) > 0)
        log_flushed();
}
