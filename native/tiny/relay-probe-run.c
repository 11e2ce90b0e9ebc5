/* How a probe is made: a process by the stage, or a connection from inside the container's namespaces. */
#include "relay-probe.h"

#include <linux/in.h>
#include <linux/in6.h>

enum { STACK = 768, WALL = 0x40000000, EXIT_OURS = 125, MOST_DRAINS = 16 };
static char stack[STACK] __attribute__((aligned(16)));

/* Descriptors of the stage, as packaging/decisions/0002-processes.md says; the last two are on their way to 0, 1 and 2. */
enum { STAGE_CONTROL = 64, STAGE_OPS = 65, STAGE_TINY = 67, STAGE_PAYLOAD = 70, STAGE_OUT = 71, STAGE_NULL = 72 };

/* clone3(2) of a process that calls `run` on the stack above and does not return; we wait for its exec or end. */
static __attribute__((noinline)) long clone_run(struct clone_args *args, void (*run)(void))
{
    args->flags |= CLONE_VM | CLONE_VFORK;
    args->stack = (uint64_t)PTR(stack);
    args->stack_size = STACK;
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\txor %%ebp, %%ebp\n\tcall *%4\n1:"
                     : "=a"(result)
                     : "a"(__NR_clone3), "D"(args), "S"(sizeof *args), "r"(run)
                     : "rcx", "r11", "memory");
    return result;
#else
    register long x8 __asm__("x8") = __NR_clone3;
    register long x0 __asm__("x0") = (long)args;
    register long x1 __asm__("x1") = (long)sizeof *args;
    __asm__ volatile("svc 0\n\tcbnz x0, 1f\n\tblr %3\n1:" : "+r"(x0) : "r"(x8), "r"(x1), "r"(run) : "x30", "memory");
    return x0;
#endif
}

/* What the child of an exec finds; it shares our memory. */
static int child_ops, child_control, child_out, child_null;

static void place(int from, int to)
{
    if (sys_dup3(from, to, 0) < 0)
        sys_exit(EXIT_OURS);
}

static void exec_run(void)
{
    static char *const argv[] = {(char *)"berth-stage", NULL};
    static char *const envp[] = {NULL};
    sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    place(child_control, STAGE_CONTROL);
    place(child_ops, STAGE_OPS);
    place(probe.tiny, STAGE_TINY);
    place(relay.payload, STAGE_PAYLOAD);
    place(child_out, STAGE_OUT);
    place(child_null, STAGE_NULL);
    place(STAGE_NULL, 0);
    place(STAGE_OUT, 1);
    place(STAGE_OUT, 2);
    sys_close_range(STAGE_OUT, ~0u, 0);
    /* The launcher has switched off the gap in our stack; a payload's process has it. */
    sys1(__NR_personality, 0);
    sys_execveat(STAGE_TINY, "", argv, envp, AT_EMPTY_PATH);
    sys_exit(EXIT_OURS);
}

static void say(const char *what, int error)
{
    struct text t = {probe.output, probe.output_length, probe.log_size + 1};
    text_add(&t, what);
    if (error != 0)
        text_add_error(&t, error);
    probe.output_length = t.length;
}

/* The stage waits for `go ready`: it is there before it asks. False: told. */
static bool start_exec(const struct check *check)
{
    int pair[2] = {-1, -1}, pipe[2] = {-1, -1};
    struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (uint64_t)PTR(&probe.pidfd)};
    if (probe.group >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)probe.group;
    }
    child_ops = check->ops;
    child_null = (int)sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
    long result = sys4(__NR_socketpair, TINY_AF_UNIX, TINY_SOCK_SEQPACKET | TINY_SOCK_CLOEXEC, 0, PTR(pair));
    if (result >= 0)
        result = sys2(__NR_pipe2, PTR(pipe), O_CLOEXEC);
    child_control = pair[1];
    child_out = pipe[1];
    if (result >= 0 && sys_write(pair[0], "go ready", 8) > 0)
        result = clone_run(&args, exec_run);
    /* A group that is not ours to fill (no delegation): then the probe stays with us. */
    if (result == -EACCES || result == -EPERM) {
        args.flags &= ~(uint64_t)CLONE_INTO_CGROUP;
        result = clone_run(&args, exec_run);
    }
    relay_close(&child_null);
    relay_close(&child_control);
    relay_close(&child_out);
    probe.control = pair[0];
    probe.out = pipe[0];
    if (result < 0) {
        probe.pidfd = -1;
        say("no process: ", (int)-result);
        return false;
    }
    probe.pid = (int)result;
    sys_fcntl(probe.out, F_SETFL, O_RDONLY | O_NONBLOCK);
    return true;
}

/* All that it started, too: the process leads a group of its own. */
static void kill_probe(void)
{
    sys_kill(-probe.pid, SIGKILL);
    sys4(__NR_pidfd_send_signal, probe.pidfd, SIGKILL, 0, 0);
}

/* `pid N` with a descriptor: the stage went on in a process inside the pid namespace, which is our child, too. */
bool probe_control(void)
{
    char message[256];
    struct {
        struct tiny_cmsghdr head;
        int fd;
        int padding;
    } rights;
    struct iovec part = {message, sizeof message - 1};
    struct tiny_msghdr header = {.iov = &part, .iov_length = 1, .control = &rights, .control_length = sizeof rights};
    long n = sys_recvmsg(probe.control, &header, TINY_MSG_DONTWAIT | TINY_MSG_CMSG_CLOEXEC);
    if (n <= 0) {
        if (n != -EAGAIN)
            relay_close(&probe.control);
        return false;
    }
    message[n] = 0;
    uint64_t pid;
    if (text_starts(message, "fail ")) {
        say(message + 5, 0);
    } else if (text_starts(message, "pid ") && text_unsigned(message + 4, 10, INT32_MAX, &pid)) {
        sys_wait4(probe.pid, NULL, WALL);
        relay_close(&probe.pidfd);
        probe.pid = (int)pid;
        probe.second = true;
        probe.pidfd = header.control_length >= sizeof rights.head + sizeof(int) ? rights.fd : -1;
        if (!probe.running)
            kill_probe();
    }
    return true;
}

void probe_ended(void)
{
    int status = 1 << 8; /* what nobody can tell is no success */
    /* The first of two processes ends when it has sent the number of the second. */
    for (int before = probe.pidfd; probe.control >= 0 && probe_control();)
        if (probe.pidfd != before)
            return;
    sys_wait4(probe.pid, &status, WALL);
    relay_close(&probe.pidfd);
    relay_close(&probe.control);
    if (!probe.running)
        return;
    probe_output();
    probe_finish((status & 0x7f) != 0 ? 128 + (status & 0x7f) : status >> 8 & 0xff);
}

static unsigned short family(void)
{
    return probe.second ? 10 : TINY_AF_INET;
}

/* Inside the namespaces of the container, for as long as it takes to get a socket there. */
static void socket_run(void)
{
    const struct check *check = &probe.check[probe.role];
    /* A Unix socket is found by its name alone: of a file, or `@` of the network namespace. */
    uint64_t without = check->kind == 'u' && check->target[0] != '@' ? CLONE_NEWNET : CLONE_NEWNS;
    long fd = probe.namespaces != 0 ? sys2(__NR_setns, relay.payload, (long)(probe.namespaces & ~without)) : 0;
    if (fd >= 0 && check->kind == 'u')
        fd = relay_connect(check->target, TINY_SOCK_STREAM);
    else if (fd >= 0)
        fd = sys3(__NR_socket, family(), TINY_SOCK_STREAM | TINY_SOCK_CLOEXEC | TINY_SOCK_NONBLOCK, 0);
    probe.out = (int)fd;
    sys_exit(0);
}

/* The start of both families' addresses is the same, and IPv6 does not look at the flow where IPv4 has its address. */
static long connect_to(unsigned short family)
{
    uint16_t port = probe.check[probe.role].port;
    struct sockaddr_in6 address = {.sin6_family = family,
                                   .sin6_port = (uint16_t)(port << 8 | port >> 8),
                                   .sin6_flowinfo = 0x0100007f,
                                   .sin6_addr.s6_addr = {[15] = 1}};
    return sys3(__NR_connect, probe.out, PTR(&address), sizeof address);
}

/* What came is thrown away (tcp(7), MSG_TRUNC). True: both sides have ended, or there never was a connection. */
static bool drained(int fd)
{
    long n = 1;
    for (int i = 0; n > 0 && i < 2; i++)
        n = sys6(__NR_recvfrom, fd, 0, INT32_MAX, TINY_MSG_DONTWAIT | TINY_MSG_TRUNC, 0, 0);
    return n == 0 || n == -ENOTCONN;
}

/*
 * A TCP socket serves again, so that no process has to enter the container for the next one. It is ended as by close(2): the server
 * sees FIN, and it may still say what it likes. When its own end has come by the next probe, connect(2) with AF_UNSPEC makes
 * the socket a new one; before, that would be a reset, which servers log, so a socket that is not at its end by then is closed.
 */
static void leave_socket(void)
{
    sys2(__NR_shutdown, probe.out, 1);
    probe.kept[probe.second] = probe.out;
    probe.out = -1;
}

/* What a server still sends is taken from it for a while: nobody shall wait for us. */
static void drain(void)
{
    int *fd = &probe.kept[probe.second];
    if (drained(*fd))
        probe.draining = 0;
    else if (--probe.draining == 0)
        relay_close(fd);
}

static void get_socket(void)
{
    struct clone_args args = {.flags = CLONE_FILES};
    int *kept = &probe.kept[probe.second];
    probe.asked = false;
    probe.out = *kept;
    *kept = -1;
    if (probe.out >= 0 && drained(probe.out) && connect_to(0) >= 0)
        return;
    relay_close(&probe.out);
    long child = clone_run(&args, socket_run);
    if (child > 0)
        sys_wait4((int)child, NULL, WALL);
    else
        probe.out = (int)child;
}

static void start_socket(const struct check *check);

/* Again when poll(2) tells. On the loopback all is over when the first call returns, and the second one says how. */
static void try_socket(const struct check *check)
{
    bool tcp = check->kind != 'u';
    long result = probe.out;
    if (tcp && probe.out >= 0) {
        result = connect_to(family());
        if (result == -EINPROGRESS)
            result = connect_to(family());
        if (result == -EALREADY)
            return;
        if (check->kind == 't' || result < 0)
            leave_socket();
    }
    if (result < 0 && !probe.second && tcp) {
        probe.second = true;
        start_socket(check);
    } else if (result < 0) {
        say("", (int)-result);
        probe_finish(1);
    } else if (check->kind == 'h') {
        const char *path = text_find(check->target, '/');
        TEXT(request, 600);
        text_add_all(&request, "GET ", path == NULL ? "/" : path, " HTTP/1.0\r\nHost: localhost\r\n\r\n", NULL);
        probe.asked = true;
        sys6(__NR_sendto, probe.out, PTR(request.start), (long)request.length, TINY_MSG_NOSIGNAL, 0, 0);
    } else {
        probe_finish(0);
    }
}

static void start_socket(const struct check *check)
{
    get_socket();
    try_socket(check);
}

/* The status line, `HTTP/1.0 200 OK`; 200 to 399 is well. */
static void answered(void)
{
    size_t room = probe.log_size - probe.output_length;
    long n = sys_read(probe.out, probe.output + probe.output_length, room < 32 ? room : 32);
    if (n > 0)
        probe.output_length += (size_t)n;
    probe.output[probe.output_length] = 0;
    if (n == -EAGAIN || (n > 0 && probe.output_length < 13))
        return;
    bool line = probe.output_length >= 13 && text_starts(probe.output, "HTTP/1.");
    for (size_t i = 0; i < probe.output_length; i++)
        if (probe.output[i] == '\r' || probe.output[i] == '\n')
            probe.output[probe.output_length = i] = 0;
    leave_socket();
    probe.draining = MOST_DRAINS;
    drain();
    probe_finish(!(line && (probe.output[9] == '2' || probe.output[9] == '3')));
}

void probe_output(void)
{
    const struct check *check = &probe.check[probe.role];
    char rest[256];
    if (!probe.running || check->kind != 'e') {
        if (!probe.running)
            drain();
        else if (!probe.asked)
            try_socket(check);
        else
            answered();
        return;
    }
    for (;;) {
        size_t room = probe.log_size - probe.output_length;
        bool kept = room > 0;
        long n = sys_read(probe.out, kept ? probe.output + probe.output_length : rest, kept ? room : sizeof rest);
        if (n > 0 && kept)
            probe.output_length += (size_t)n;
        probe.output[probe.output_length] = 0;
        if (n == 0)
            relay_close(&probe.out);
        if (n <= 0)
            return;
    }
}

/* The end of what is killed is seen later, also of a process that is not known yet; the result counts now. */
void probe_timeout(void)
{
    probe.output_length = 0;
    say("the check took too long", 0);
    if (probe.pidfd >= 0)
        kill_probe();
    probe_finish(1);
}

/* The order, too: `frozen 1` comes when the last one has stopped, and never while one is in a call that no signal ends. */
bool probe_paused(void)
{
    char order = '0';
    int fd = (int)sys_openat(probe.group, "cgroup.freeze", O_RDONLY | O_CLOEXEC, 0);
    sys_read(fd, &order, 1);
    sys_close(fd);
    return probe.disturbed |= order == '1';
}

void probe_start(const struct check *check)
{
    struct __kernel_timespec now;
    probe.disturbed = false;
    if (probe.pidfd >= 0 || probe_paused()) { /* one that was killed is not gone yet, or none may begin */
        probe.next = relay_clock() + 1000;
        return;
    }
    sys2(__NR_clock_gettime, 0, PTR(&now));
    probe.started = now.tv_sec * 1000000 + now.tv_nsec / 1000;
    probe.running = true;
    probe.draining = 0;
    probe.second = false;
    probe.output_length = 0;
    probe.output[0] = 0;
    probe.timeout_at = relay_clock() + (int64_t)check->timeout;
    if (check->kind != 'e')
        start_socket(check);
    else if (!start_exec(check))
        probe_finish(1);
}
