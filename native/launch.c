/*
 * The launcher's side of a start. Theory of operation.
 *
 * Only the tiny program enters a container (T1). It is in the read-only data of this program; a start copies it into a
 * memfd and seals that: nobody can write it, not even a payload that reaches it through /proc/PID/exe. Stage and
 * relay of one start are executed from one memfd and share its pages.
 *
 * launch_stage:
 *   1. The memfd, the operations (another memfd), the control socket (SOCK_SEQPACKET: one packet, one message), the
 *      status pipe, the descriptor of the cgroup: all close-on-exec from birth. A failure here leaves no process.
 *   2. clone3: the wanted namespaces, CLONE_INTO_CGROUP (the process is never elsewhere), CLONE_PIDFD (never a bare
 *      pid), CLONE_PARENT for a child of systemd (exit_signal must be 0 then). CLONE_VM: nothing of our heap is
 *      copied. The child runs beside us on a stack of its own until it execs; what it reads (struct stage_start) is
 *      never freed or changed by us.
 *   3. We close our copies of the child's ends: from now on our death is the end of file on its control socket, and
 *      its death the end of file on ours.
 * The child, with raw system calls only:
 *   4. resets the signals, puts the descriptors to their numbers, closes all others.
 *   5. With a new user namespace: waits for `ids` (end of file: exit 125), then becomes its root. Without, it is what
 *      we are.
 *   6. execveat of the memfd with an empty environment. A failure is `fail start ERRNO TEXT` on control, exit 125.
 * Whoever dies, at whatever point, nothing stays: before 3 the child does not exist or has its own copy of the other end
 * closed by 4; after 4 it holds only its own end and sees the end of file.
 */
#include "launch.h"
#include "clone.h"
#include "tiny-image.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    stage_control = 64,
    stage_ops = 65,
    stage_status = 66,
    stage_tiny = 67,
    stage_descriptors = 70,
    relay_descriptors = 10
};
enum { most_descriptors = 512 };
enum { failure_status = 125 };

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* The environment of what we execute is empty; the stage gets the payload's by an operation. */
static char *const no_environment[] = {NULL};

static int memory_file(const char *name, unsigned flags, const void *data, size_t length, struct error *error)
{
    cleanup_close int fd = memfd_create(name, flags | MFD_CLOEXEC);
    if (fd < 0 && (flags & MFD_EXEC) && errno == EINVAL) /* before Linux 6.3 all are executable */
        fd = memfd_create(name, (flags & ~MFD_EXEC) | MFD_CLOEXEC);
    if (fd < 0 && (flags & MFD_EXEC) && errno == EACCES)
        return error_set(error, "memfd_create", EACCES, "",
                         "executable memory files are forbidden here; set the sysctl vm.memfd_noexec to 0 or 1");
    if (fd < 0)
        return error_errno(error, "memfd_create", name);
    for (size_t done = 0; done < length;) {
        ssize_t wrote = write(fd, (const char *)data + done, length - done);
        if (wrote < 0 && errno != EINTR)
            return error_errno(error, "write", name);
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return steal_fd(&fd);
}

/* A tiny program in its sealed memfd. */
static int sealed_program(const unsigned char *image, size_t size, struct error *error)
{
    cleanup_close int fd = memory_file("berth", MFD_ALLOW_SEALING | MFD_EXEC, image, size, error);
    if (fd < 0)
        return -1;
    /* Seals keep the content; the mode keeps others from opening it for writing, which would forbid to execute it. */
    if (fchmod(fd, 0555) < 0)
        return error_errno(error, "fchmod", "tiny program");
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        return error_errno(error, "fcntl", "seals of the tiny program");
    return steal_fd(&fd);
}

/* The stage: one memfd for all that this process starts. */
static int tiny_program(struct error *error)
{
    static int tiny = -1;
    if (tiny < 0)
        tiny = sealed_program(tiny_image, TINY_IMAGE_SIZE, error);
    return tiny;
}

/* What a child reads. The launcher writes nothing of it after the clone. */
struct child_start {
    char *const *argv;
    bool wait_for_ids;
    bool new_session;
    int tiny;              /* number of the memfd in the child */
    int control;           /* number of the control socket in our table; -1: none */
    volatile long failure; /* read by the launcher when it waited (CLONE_VFORK) */
    size_t count;
    struct placement placements[];
};

__attribute__((noreturn, no_sanitize("address", "undefined"))) static void child_exit(void)
{
    for (;;)
        RAW(SYS_exit_group, failure_status, 0, 0, 0);
}

/* `fail start ERRNO TEXT`, without libc. */
__attribute__((noreturn, no_sanitize("address", "undefined"))) static void
child_fail(struct child_start *start, int control, long failure, const char *text)
{
    char message[256] = "fail start ";
    size_t used = 11;
    char digits[12];
    size_t count = 0;
    unsigned number = (unsigned)-failure;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0)
        message[used++] = digits[--count];
    message[used++] = ' ';
    for (; *text && used < sizeof(message); text++)
        message[used++] = *text;
    start->failure = failure;
    if (control >= 0)
        raw6(SYS_sendto, control, (long)message, (long)used, MSG_NOSIGNAL, 0, 0);
    child_exit();
}

/* As root of the new user namespace: only this may be done by nobody else. */
__attribute__((no_sanitize("address", "undefined"))) static void child_become_root(struct child_start *start)
{
    char message[8];
    long got;
    do
        got = raw6(SYS_recvfrom, stage_control, (long)message, sizeof(message), 0, 0, 0);
    while (got == -EINTR);
    if (got <= 0)
        child_exit();
    if (got != 3 || message[0] != 'i' || message[1] != 'd' || message[2] != 's')
        child_fail(start, stage_control, -EPROTO, "the launcher said something else than ids");
    /* Refused where setgroups is denied (a single-id map): then the groups of the account stay, as the kernel wants it. */
    RAW(SYS_setgroups, 0, 0, 0, 0);
    long result = RAW(SYS_setresgid, 0, 0, 0, 0);
    if (result < 0)
        child_fail(start, stage_control, result, "group 0 of the user namespace is not mapped");
    result = RAW(SYS_setresuid, 0, 0, 0, 0);
    if (result < 0)
        child_fail(start, stage_control, result, "user 0 of the user namespace is not mapped");
}

__attribute__((noreturn, no_sanitize("address", "undefined"))) static void child_main(void *argument)
{
    struct child_start *start = argument;
    child_reset_signals();
    long result = child_place(start->placements, start->count);
    int control = start->control < 0 ? -1 : stage_control;
    if (result < 0)
        child_fail(start, start->control, result,
                   "descriptors cannot be placed: the limit of open files is too low (LimitNOFILE=)");
    if (start->wait_for_ids)
        child_become_root(start);
    if (start->new_session) {
        RAW(SYS_setsid, 0, 0, 0, 0);
        /* Without the random gap in it the stack of what stays is one or two pages, not three. */
        RAW(SYS_personality, ADDR_NO_RANDOMIZE, 0, 0, 0);
    }
    static const char empty[] = "";
    result = raw6(SYS_execveat, start->tiny, (long)empty, (long)start->argv, (long)no_environment, AT_EMPTY_PATH, 0);
    child_fail(start, control, result, "the stage cannot be executed");
}

static struct child_start *new_start(size_t count)
{
    return calloc(1, sizeof(struct child_start) + count * sizeof(struct placement));
}

/* What the errno of clone3 means for a person. */
static int clone_error(struct error *error, int number, const struct launch_request *request)
{
    bool user = request->namespaces & CLONE_NEWUSER;
    const char *cgroup = request->cgroup;
    if (number == EPERM && user)
        return error_set(
            error, "clone3", number, "user namespace",
            "the kernel refuses a user namespace: unprivileged user namespaces are switched off "
            "(kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, RestrictNamespaces=)");
    if (number == EPERM)
        return error_set(
            error, "clone3", number, "namespaces",
            "the kernel refuses new namespaces: this needs root or a user namespace (RestrictNamespaces=?)");
    if (number == ENOSPC)
        return error_set(error, "clone3", number, "namespaces",
                         "the limit of namespaces is reached (sysctl user.max_user_namespaces and its relatives), or "
                         "they are nested too deep");
    if (number == EAGAIN)
        return error_set(error, "clone3", number, cgroup,
                         "the limit of processes is reached (TasksMax=, LimitNPROC=, kernel.pid_max)");
    if (number == EBUSY && cgroup)
        return error_set(error, "clone3", number, cgroup,
                         "the cgroup cannot hold processes: controllers are enabled for its children");
    if (number == EOPNOTSUPP && cgroup)
        return error_set(error, "clone3", number, cgroup, "the cgroup is in an invalid domain state");
    if (number == EACCES && cgroup)
        return error_set(error, "clone3", number, cgroup,
                         "a process may not be put into this cgroup: the common ancestor is not ours (Delegate=yes?)");
    if (number == EINVAL && request->sibling)
        return error_set(error, "clone3", number, "", "a sibling process cannot be made here (is this pid 1?)");
    return error_set(error, "clone3", number, cgroup ? cgroup : "", NULL);
}

/* Descriptors of a stage that live in the launcher until the clone. */
struct stage_ends {
    int ops, control[2], status[2], cgroup, null;
};

static void stage_ends_release(struct stage_ends *ends)
{
    int *all[] = {&ends->ops,       &ends->control[0], &ends->control[1], &ends->status[0],
                  &ends->status[1], &ends->cgroup,     &ends->null};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        cleanup_close_fd(all[i]);
}

static int stage_ends_open(struct stage_ends *ends, const struct launch_request *request, struct error *error)
{
    ends->ops = memory_file("ops", 0, request->ops, request->ops_length, error);
    if (ends->ops < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends->control) < 0)
        return error_errno(error, "socketpair", "");
    if (pipe2(ends->status, O_CLOEXEC) < 0)
        return error_errno(error, "pipe2", "");
    if (request->cgroup && (ends->cgroup = open(request->cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
        return error_errno(error, "open", request->cgroup);
    if ((ends->null = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0)
        return error_errno(error, "open", "/dev/null");
    return 0;
}

static void stage_places(struct placement *places, const struct stage_ends *ends, int tiny,
                         const struct launch_request *request)
{
    for (int i = 0; i < 3; i++)
        *places++ = (struct placement){request->stdio[i] < 0 ? ends->null : request->stdio[i], i, 0};
    *places++ = (struct placement){ends->control[1], stage_control, 0};
    *places++ = (struct placement){ends->ops, stage_ops, 0};
    *places++ = (struct placement){ends->status[1], stage_status, 0};
    *places++ = (struct placement){tiny, stage_tiny, 0};
    for (size_t i = 0; i < request->count; i++)
        *places++ = (struct placement){request->descriptors[i], stage_descriptors + (int)i, 0};
}

int launch_stage(const struct launch_request *request, struct launched *ret_launched, struct error *error)
{
    static char *const words[] = {(char *)"berth-stage", NULL};
    __attribute__((cleanup(stage_ends_release))) struct stage_ends ends = {-1, {-1, -1}, {-1, -1}, -1, -1};
    if (request->count > most_descriptors)
        return error_set(error, "clone3", EINVAL, "", "more than %d descriptors for a stage", most_descriptors);
    int tiny = tiny_program(error);
    if (tiny < 0 || stage_ends_open(&ends, request, error) < 0)
        return -1;
    struct child_start *start = new_start(7 + request->count);
    if (!start)
        return error_set(error, "malloc", ENOMEM, "", NULL);
    start->argv = words;
    start->wait_for_ids = request->namespaces & CLONE_NEWUSER;
    start->tiny = stage_tiny;
    start->control = ends.control[1];
    start->count = 7 + request->count;
    stage_places(start->placements, &ends, tiny, request);
    int pidfd = -1;
    struct clone_args arguments = {
        .flags = request->namespaces | CLONE_PIDFD | (request->sibling ? CLONE_PARENT : 0) |
                 (request->cgroup ? CLONE_INTO_CGROUP : 0),
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .exit_signal = request->sibling ? 0 : SIGCHLD,
        .cgroup = request->cgroup ? (uint64_t)ends.cgroup : 0,
    };
    long pid = clone_with_stack(&arguments, child_main, start);
    if (pid < 0) {
        free(start);
        return clone_error(error, (int)-pid, request);
    }
    /* `start` stays: the child reads it at its own pace. */
    *ret_launched = (struct launched){(pid_t)pid, pidfd, steal_fd(&ends.control[0]), steal_fd(&ends.status[0])};
    return 0;
}

ssize_t launch_receive(int control, char *message, int *fds, size_t *ret_fds, struct error *error)
{
    union {
        char space[CMSG_SPACE(launch_most_fds * sizeof(int))];
        struct cmsghdr align;
    } ancillary;
    struct iovec part = {message, launch_message_size};
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = ancillary.space, .msg_controllen = sizeof(ancillary)};
    ssize_t got;
    while ((got = recvmsg(control, &header, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
        ;
    *ret_fds = 0;
    if (got < 0 && (errno == ECONNRESET || errno == EPIPE))
        return 0;
    if (got < 0)
        return error_errno(error, "recvmsg", "control socket of the stage");
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&header); at; at = CMSG_NXTHDR(&header, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds + *ret_fds, CMSG_DATA(at), count * sizeof(int));
        *ret_fds += count;
    }
    return got;
}

int launch_proceed(int control, const char *name, struct error *error)
{
    char message[256];
    int length = snprintf(message, sizeof(message), strcmp(name, "ids") == 0 ? "%s" : "go %s", name);
    if (length >= (int)sizeof(message))
        return error_set(error, "send", EINVAL, name, "the name of a sync is too long");
    ssize_t sent;
    while ((sent = send(control, message, (size_t)length, MSG_NOSIGNAL)) < 0 && errno == EINTR)
        ;
    if (sent < 0 && errno == EPIPE)
        return error_set(error, "send", EPIPE, "", "the stage has ended");
    return sent < 0 ? error_errno(error, "send", "control socket of the stage") : 0;
}

int launch_relay(char *const words[], size_t words_count, const int *descriptors, size_t count, bool probes,
                 enum relay_program program, struct process *ret_process, struct error *error)
{
    if (count > most_descriptors)
        return error_set(error, "clone3", EINVAL, "", "more than %d descriptors for the relay", most_descriptors);
    /* A program of its own: what stays keeps no page of the stage in memory. */
    cleanup_close int tiny = program == RELAY_FILER    ? sealed_program(filer_image, FILER_IMAGE_SIZE, error)
                             : program == RELAY_PROBER ? sealed_program(prober_image, PROBER_IMAGE_SIZE, error)
                                                       : sealed_program(relay_image, RELAY_IMAGE_SIZE, error);
    int stage = tiny >= 0 && probes ? tiny_program(error) : -1;
    if (tiny < 0 || (probes && stage < 0))
        return -1;
    cleanup_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return error_errno(error, "open", "/dev/null");
    size_t kept = count + probes;
    cleanup_free struct child_start *start = new_start(4 + kept);
    cleanup_free char **argv = calloc(words_count + 3, sizeof(char *));
    if (!start || !argv)
        return error_set(error, "malloc", ENOMEM, "", NULL);
    argv[0] = (char *)"berth-relay";
    memcpy(argv + 1, words, words_count * sizeof(char *));
    argv[words_count + 1] = (char *)""; /* for hide_words() of relay.c */
    start->argv = argv;
    start->new_session = true;
    start->control = -1;
    start->count = 4 + kept;
    for (int i = 0; i < 3; i++)
        start->placements[i] = (struct placement){null, i, 0};
    for (size_t i = 0; i < count; i++)
        start->placements[3 + i] = (struct placement){descriptors[i], relay_descriptors + (int)i, 0};
    /* Probes are processes of the stage. */
    if (probes)
        start->placements[3 + count] = (struct placement){stage, relay_descriptors + (int)count, 0};
    /* The memfd itself stands last, and is closed by the exec. */
    start->tiny = relay_descriptors + (int)kept;
    start->placements[3 + kept] = (struct placement){tiny, start->tiny, O_CLOEXEC};
    int pidfd = -1;
    struct clone_args arguments = {
        .flags = CLONE_VFORK | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd, .exit_signal = SIGCHLD};
    long pid = clone_with_stack(&arguments, child_main, start);
    if (pid < 0)
        return error_set(error, "clone3", (int)-pid, "relay", NULL);
    if (start->failure < 0) {
        waitpid((pid_t)pid, NULL, 0);
        close(pidfd);
        return error_set(error, "execveat", (int)-start->failure, "relay", NULL);
    }
    *ret_process = (struct process){(pid_t)pid, pidfd};
    return 0;
}
