/*
 * Attending a payload: forward signals, carry a terminal, and return how it ended. Theory of operation.
 *
 * One loop around poll(2): a signalfd, the payload's pidfd and, with a terminal, our two streams and the pty master.
 * All signals that matter are blocked while we attend, so none is lost between two polls, and none can end us with the
 * terminal still raw: those that are not handed on restore the terminal and are then raised again.
 * Bytes wait in two small buffers; a side is polled for reading only while its buffer has room, so nothing grows.
 * When the payload has ended, what is left in the pty is written out, but we do not wait for processes that still
 * hold it.
 */
#include "tty.h"
#include "clone.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

enum { buffer_size = 4096 };
enum { key_ctrl_p = 16, key_ctrl_q = 17, key_end_of_file = 4 };

struct buffer {
    char data[buffer_size];
    size_t start, end;
};

struct session {
    const struct attend_request *request;
    struct termios before;
    bool raw;
    bool input_open, output_open;
    bool master_open; /* there may be more to read */
    bool hung_up;     /* nobody reads what we write to the master */
    bool detached;
    bool saw_ctrl_p;
    struct buffer in, out; /* to the pty, from the pty */
};

static void terminal_restore(struct session *session)
{
    if (session->raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &session->before);
    session->raw = false;
}

static void terminal_raw(struct session *session)
{
    if (tcgetattr(STDIN_FILENO, &session->before) < 0)
        return; /* not a terminal: plain bytes */
    struct termios raw = session->before;
    cfmakeraw(&raw);
    session->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void terminal_copy_size(int terminal)
{
    struct winsize size;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        ioctl(terminal, TIOCSWINSZ, &size);
}

/* What a person typed, without the keys that detach. A lone ctrl-p waits for the next key. */
static void take_keys(struct session *session, const char *keys, size_t count)
{
    struct buffer *in = &session->in;
    for (size_t i = 0; i < count; i++) {
        if (session->raw && session->request->detachable) {
            if (session->saw_ctrl_p && keys[i] == key_ctrl_q) {
                session->detached = true;
                return;
            }
            if (session->saw_ctrl_p)
                in->data[in->end++] = key_ctrl_p;
            session->saw_ctrl_p = keys[i] == key_ctrl_p;
            if (session->saw_ctrl_p)
                continue;
        }
        in->data[in->end++] = keys[i];
    }
}

static void read_input(struct session *session)
{
    char keys[buffer_size / 2]; /* a held-back ctrl-p may come on top */
    ssize_t got = read(STDIN_FILENO, keys, sizeof(keys));
    if (got > 0) {
        take_keys(session, keys, (size_t)got);
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        session->input_open = false;
        session->in.data[session->in.end++] = key_end_of_file;
    }
}

/* 1: there may be more, 0: nothing for now. */
static int read_master(struct session *session)
{
    struct buffer *out = &session->out;
    ssize_t got;
    do
        got = read(session->request->terminal, out->data, sizeof(out->data));
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        out->start = 0;
        out->end = (size_t)got;
        return 1;
    }
    if (got < 0 && errno == EAGAIN)
        return 0;
    session->master_open = false; /* EIO: nobody has the other side open */
    return 0;
}

static void write_some(int fd, struct buffer *buffer, bool *open)
{
    ssize_t done = write(fd, buffer->data + buffer->start, buffer->end - buffer->start);
    if (done >= 0)
        buffer->start += (size_t)done;
    else if (errno != EINTR && errno != EAGAIN)
        *open = false;
    if (buffer->start == buffer->end || !*open)
        buffer->start = buffer->end = 0;
}

/* The signals that came. */
static void take_signals(struct session *session, int fd)
{
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof(info)) == sizeof(info)) {
        int number = (int)info.ssi_signo;
        if (number == SIGWINCH && session->request->terminal >= 0) {
            terminal_copy_size(session->request->terminal);
        } else if (session->request->forward & (UINT64_C(1) << (number - 1))) {
            syscall(SYS_pidfd_send_signal, session->request->pidfd, number, NULL, 0);
        } else {
            terminal_restore(session);
            sigset_t one;
            sigemptyset(&one);
            sigaddset(&one, number);
            signal(number, SIG_DFL);
            raise(number);
            sigprocmask(SIG_UNBLOCK, &one, NULL);
        }
    }
}

/* A hang-up is not the end of what the payload wrote: only a read that finds nothing more is. */
static void step(struct session *session, const struct pollfd *polls)
{
    bool room = session->out.end == session->out.start, writable = true;
    if (polls[2].revents)
        read_input(session);
    if (polls[3].revents & (POLLHUP | POLLERR))
        session->hung_up = true;
    if (polls[3].revents && room)
        read_master(session);
    if (!room && polls[4].revents)
        write_some(STDOUT_FILENO, &session->out, &session->output_open);
    if (session->hung_up)
        session->in.start = session->in.end = 0;
    else if (session->in.end > session->in.start)
        write_some(session->request->terminal, &session->in, &writable);
    if (!session->output_open)
        session->out.start = session->out.end = 0;
}

/* The last words: what is in the pty when the payload has ended. */
static void drain(struct session *session)
{
    while (session->output_open) {
        while (session->output_open && session->out.end > session->out.start)
            write_some(STDOUT_FILENO, &session->out, &session->output_open);
        if (!session->master_open || read_master(session) == 0)
            return;
    }
}

static int loop(struct session *session, int signals, struct error *error)
{
    int terminal = session->request->terminal;
    for (;;) {
        bool room_in = session->in.end == session->in.start, room_out = session->out.end == session->out.start;
        struct pollfd polls[] = {
            {.fd = signals, .events = POLLIN},
            {.fd = session->request->pidfd, .events = POLLIN},
            {.fd = terminal >= 0 && session->input_open && room_in ? STDIN_FILENO : -1, .events = POLLIN},
            {.fd = session->master_open && (room_out || !room_in) ? terminal : -1,
             .events = (short)((room_out ? POLLIN : 0) | (room_in ? 0 : POLLOUT))},
            {.fd = session->output_open && !room_out ? STDOUT_FILENO : -1, .events = POLLOUT},
        };
        if (poll(polls, 5, -1) < 0) {
            if (errno == EINTR)
                continue;
            return error_errno(error, "poll", "");
        }
        if (polls[0].revents)
            take_signals(session, signals);
        if (terminal >= 0)
            step(session, polls);
        if (session->detached)
            return 1;
        if (polls[1].revents) {
            if (terminal >= 0)
                drain(session);
            return 0;
        }
    }
}

/*
 * The end of a process that is not our child: kernels from 6.15 on tell it to the holder of a pidfd once its parent has
 * reaped it; before, it is not known and counts as 0.
 */
static struct process_end end_of_sibling(int pidfd)
{
    struct {
        uint64_t mask, cgroup;
        uint32_t ids[11];
        int32_t exit_code;
    } info;
    enum { info_exit = 1 << 3 };
    struct pollfd reaped = {.fd = pidfd, .events = 0};
    poll(&reaped, 1, 200); /* POLLHUP comes with the reaping */
    memset(&info, 0, sizeof(info));
    info.mask = info_exit;
    if (ioctl(pidfd, _IOWR(0xFF, 11, info), &info) < 0 || !(info.mask & info_exit))
        return (struct process_end){0, 0};
    return (struct process_end){(info.exit_code >> 8) & 0xFF, info.exit_code & 0x7F};
}

int attend(const struct attend_request *request, struct process_end *ret_end, struct error *error)
{
    struct session session = {.request = request, .input_open = true, .output_open = true, .master_open = true};
    sigset_t wanted, before;
    sigemptyset(&wanted);
    for (int number = 1; number <= 64; number++)
        if ((request->forward & (UINT64_C(1) << (number - 1))) && number != SIGKILL && number != SIGSTOP)
            sigaddset(&wanted, number);
    if (request->terminal >= 0) {
        const int ending[] = {SIGWINCH, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
        for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
            sigaddset(&wanted, ending[i]);
    }
    sigprocmask(SIG_BLOCK, &wanted, &before);
    /* Ours, so that a payload that closes its terminal and opens it again (an init does) does not hang it up. */
    cleanup_close int peer =
        request->terminal < 0 ? -1 : ioctl(request->terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    cleanup_close int signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    int result = signals < 0 ? error_errno(error, "signalfd", "") : 0;
    if (result == 0 && request->terminal >= 0) {
        fcntl(request->terminal, F_SETFL, fcntl(request->terminal, F_GETFL) | O_NONBLOCK);
        terminal_raw(&session);
        terminal_copy_size(request->terminal);
    }
    if (result == 0)
        result = loop(&session, signals, error);
    terminal_restore(&session);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (result == 0 && request->child)
        return process_wait(request->pidfd, ret_end, error);
    if (result == 0)
        *ret_end = end_of_sibling(request->pidfd);
    return result;
}
