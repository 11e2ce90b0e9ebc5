/* Operations on processes and namespaces. */
#include "stage.h"

#include <linux/nsfs.h>
#include <linux/sockios.h>

/* netdevice(7); <linux/if.h> needs a C library. */
struct interface_request {
    char name[16];
    short flags;
    char rest[22];
};
enum { INTERFACE_UP = 1, INTERFACE_RUNNING = 0x40 };

int op_become_root(struct stage *s, const struct op *op)
{
    (void)op;
    /* EPERM: a map without the right to change groups (single-id); the groups stay the account's, without power here. */
    long result = sys2(__NR_setgroups, 0, 0);
    if (result < 0 && result != -EPERM)
        return (int)result;
    s->hint = "the user namespace has no root: its id map was not written";
    result = sys3(__NR_setresgid, 0, 0, 0);
    if (result == 0)
        result = sys3(__NR_setresuid, 0, 0, 0);
    sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return (int)result;
}

int op_sync(struct stage *s, const struct op *op)
{
    TEXT(message, 300);
    char answer[300];
    s->subject = op->fields[0];
    text_add_all(&message, "at ", op->fields[0], NULL);
    int result = stage_send(message.start, -1);
    if (result < 0)
        sys_exit(EXIT_OURS);
    long n;
    do
        n = sys_read(FD_CONTROL, answer, sizeof answer - 1);
    while (n == -EINTR);
    if (n <= 0)
        sys_exit(EXIT_OURS);
    answer[n] = 0;
    if (!text_starts(answer, "go ") || !text_equal(answer + 3, op->fields[0])) {
        s->hint = "the launcher answered something else";
        return -EPROTO;
    }
    if (text_equal(op->fields[0], "ready")) {
        s->ready = true;
        sys_close(FD_CONTROL);
    }
    return 0;
}

int op_await(struct stage *s, const struct op *op)
{
    char byte;
    long n;
    do
        n = sys_read(field_fd(op->fields[0]), &byte, 1);
    while (n == -EINTR);
    if (n == 0)
        sys_exit(EXIT_OURS);
    s->subject = "start";
    return n < 0 ? (int)n : 0;
}

/* A mount of another mount namespace can be cloned only by who is in that. */
static int clone_shm(struct stage *s)
{
    int at = root_open(s, "/dev/shm", O_PATH | O_DIRECTORY);
    int mount = at < 0 ? at : clone_mount(at, "", AT_EMPTY_PATH);
    if (at >= 0)
        sys_close(at);
    return mount;
}

int op_send_fd(struct stage *s, const struct op *op)
{
    static const struct {
        const char *name, *path;
        int type;
    } kinds[] = {
        {"netns", "self/ns/net", CLONE_NEWNET},
        {"mntns", "self/ns/mnt", CLONE_NEWNS},
        {"userns", "self/ns/user", CLONE_NEWUSER},
    };
    s->subject = op->fields[0];
    bool shm = text_equal(op->fields[0], "shm");
    if (shm || text_equal(op->fields[0], "root")) {
        TEXT(message, 300);
        long fd = -ENOENT;
        if (s->root >= 0)
            fd = shm ? clone_shm(s) : sys_openat(s->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
        if (fd < 0)
            return (int)fd;
        text_add_all(&message, "fd ", op->fields[1], NULL);
        int sent = stage_send(message.start, (int)fd);
        sys_close((int)fd);
        return sent;
    }
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!text_equal(op->fields[0], kinds[i].name))
            continue;
        int proc = stage_proc(s);
        if (proc < 0)
            return proc;
        long fd = sys_openat(proc, kinds[i].path, O_RDONLY | O_CLOEXEC, 0);
        if (fd < 0)
            return (int)fd;
        long result = sys_ioctl((int)fd, NS_GET_NSTYPE, 0) == kinds[i].type ? 0 : -EPROTO;
        if (result == 0) {
            TEXT(message, 300);
            text_add_all(&message, "fd ", op->fields[1], NULL);
            result = stage_send(message.start, (int)fd);
        }
        sys_close((int)fd);
        return (int)result;
    }
    s->hint = "known are netns, mntns, userns, root, shm";
    return -EINVAL;
}

int op_setns(struct stage *s, const struct op *op)
{
    uint64_t flags = field_hex(op->fields[1]);
    s->hint = "the namespaces of the container cannot be joined";
    s->joined = true;
    long result = sys2(__NR_setns, field_fd(op->fields[0]), (long)flags);
    if (result < 0)
        return (int)result;
    if ((flags & CLONE_NEWNS) != 0 || flags == 0) {
        result = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
        if (result < 0)
            return (int)result;
        s->root = (int)result;
        s->pivoted = true;
    }
    return 0;
}

int op_unshare(struct stage *s, const struct op *op)
{
    (void)s;
    return (int)sys1(__NR_unshare, (long)field_hex(op->fields[0]));
}

/* What the first of the two processes of a fork still needs. */
static struct {
    long pid;
    int pidfd;
    /* A quarter of it is used (gcc -fstack-usage: fork_told, stage_send); no signal has a handler. */
    char stack[1024] __attribute__((aligned(16)));
} forking;

/* It tells of the second one and ends. */
static _Noreturn void fork_told(void)
{
    TEXT(message, 32);
    text_add(&message, "pid ");
    text_add_number(&message, forking.pid);
    sys_exit(stage_send(message.start, forking.pidfd) < 0 ? EXIT_OURS : 0);
}

/*
 * clone3(2) without a copy of the memory, which would be thrown away by the exec that soon follows: the second process goes on
 * here, on our stack; the first takes the small one and never returns.
 */
static __attribute__((noinline)) long clone_and_leave(struct clone_args *args)
{
#ifdef BERTH_HOSTED
    forking.pid = sys2(__NR_clone3, PTR(args), sizeof *args);
    if (forking.pid > 0)
        fork_told();
    return forking.pid;
#elif defined(__x86_64__)
    long result;
    args->flags |= CLONE_VM;
    __asm__ volatile(
        "syscall\n\ttest %%rax, %%rax\n\tjle 1f\n\tmov %%rax, %1\n\tmov %5, %%rsp\n\txor %%ebp, %%ebp\n\tcall *%6\n1:"
        : "=a"(result), "+m"(forking.pid)
        : "a"(__NR_clone3), "D"(args), "S"(sizeof *args), "r"(forking.stack + sizeof forking.stack), "r"(fork_told)
        : "rcx", "r11", "memory");
    return result;
#else
    register long x8 __asm__("x8") = __NR_clone3;
    register long x0 __asm__("x0") = (long)args;
    register long x1 __asm__("x1") = (long)sizeof *args;
    args->flags |= CLONE_VM;
    __asm__ volatile("svc 0\n\tcmp x0, #0\n\tb.le 1f\n\tstr x0, [%3]\n\tmov sp, %4\n\tblr %5\n1:"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(&forking.pid), "r"(forking.stack + sizeof forking.stack), "r"(fork_told)
                     : "x30", "memory", "cc");
    return x0;
#endif
}

int op_fork(struct stage *s, const struct op *op)
{
    int gate[2];
    struct clone_args args = {.flags = CLONE_PARENT | CLONE_PIDFD, .pidfd = (uint64_t)PTR(&forking.pidfd)};
    (void)op;
    long result = sys2(__NR_pipe2, PTR(gate), O_CLOEXEC);
    if (result < 0)
        return (int)result;
    s->hint = "a joined pid namespace is at its end, or the limit of processes is reached";
    result = clone_and_leave(&args);
    if (result < 0)
        return (int)result;
    /* Its end tells us that the launcher was told of us: what we say next must not come before. */
    char byte;
    sys_close(gate[1]);
    while (sys_read(gate[0], &byte, 1) == -EINTR)
        ;
    sys_close(gate[0]);
    return 0;
}

int op_session(struct stage *s, const struct op *op)
{
    (void)s, (void)op;
    long result = sys0(__NR_setsid);
    /* EPERM: already leader of a group; then it is one of a session too, or was made so by the launcher. */
    return result < 0 && result != -EPERM ? (int)result : 0;
}

int op_hostname(struct stage *s, const struct op *op)
{
    s->subject = op->fields[0];
    return (int)sys2(__NR_sethostname, PTR(op->fields[0]), (long)text_length(op->fields[0]));
}

int op_domainname(struct stage *s, const struct op *op)
{
    s->subject = op->fields[0];
    return (int)sys2(__NR_setdomainname, PTR(op->fields[0]), (long)text_length(op->fields[0]));
}

int op_pdeathsig(struct stage *s, const struct op *op)
{
    (void)s;
    return (int)sys_prctl(PR_SET_PDEATHSIG, field_int(op->fields[0]), 0, 0, 0);
}

int op_loopback_up(struct stage *s, const struct op *op)
{
    struct interface_request request = {.name = "lo"};
    (void)op;
    s->subject = "lo";
    /* Any socket of the namespace takes the request; a unix one is there under RestrictAddressFamilies= too. */
    long fd = sys3(__NR_socket, TINY_AF_UNIX, TINY_SOCK_DGRAM | TINY_SOCK_CLOEXEC, 0);
    if (fd < 0)
        return (int)fd;
    long result = sys_ioctl((int)fd, SIOCGIFFLAGS, PTR(&request));
    if (result == 0) {
        request.flags |= INTERFACE_UP | INTERFACE_RUNNING;
        result = sys_ioctl((int)fd, SIOCSIFFLAGS, PTR(&request));
    }
    sys_close((int)fd);
    return (int)result;
}
