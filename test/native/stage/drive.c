/*
 * drive [OPTION…] TINY OPS: a launcher for tests of the stage. It does what packaging/decisions/0002-processes.md says of the
 * launcher and prints what it hears (to descriptor $DRIVE_FD, else 1), a line each: `at NAME`, `fd NAME`, `pid N`, `fail …`, `closed`, `status TEXT`, `exit N`,
 * `signal N`. The payload's descriptors are ours.
 *
 *   --uid N         the clone belongs to this account (the maps are written by root, as newuidmap would)
 *   --ns HEX        bits of clone(2)
 *   --uid-map TEXT, --gid-map TEXT    lines of the maps, separated by commas
 *   --deny          deny setgroups(2) before the map is written
 *   --fd PATH       a launch descriptor (O_RDWR, else O_RDONLY; `pidfd:N`: of a process)
 *   --stop-at NAME  close the control socket instead of answering
 *   --terminal      copy the console's output to our standard output
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <grp.h>
#include <unistd.h>

static FILE *said;

static struct {
    const char *tiny, *ops, *uid_map, *gid_map, *stop_at, *fds[64];
    int fd_count, terminal, deny;
    uid_t uid;
    unsigned long long ns;
} wish;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "drive: %s: %s\n", what, strerror(errno));
    exit(99);
}

static int load(const char *path, const char *name)
{
    char buffer[65536];
    ssize_t n;
    int from = open(path, O_RDONLY | O_CLOEXEC), to = memfd_create(name, MFD_CLOEXEC);
    if (from < 0 || to < 0)
        die(path);
    while ((n = read(from, buffer, sizeof buffer)) > 0)
        if (write(to, buffer, (size_t)n) != n)
            die("write");
    close(from);
    return to;
}

static void write_file(pid_t pid, const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    char *copy = strdup(text);
    for (char *at = copy; *at; at++)
        if (*at == ',')
            *at = '\n';
    if (fd < 0 || write(fd, copy, strlen(copy)) < 0)
        die(path);
    close(fd);
    free(copy);
}

static int open_wished(const char *path)
{
    if (strncmp(path, "pidfd:", 6) == 0)
        return (int)syscall(SYS_pidfd_open, atoi(path + 6), 0);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    return fd < 0 ? open(path, O_RDONLY | O_CLOEXEC) : fd;
}

/* Descriptors of the stage; everything that is to be kept was moved above 200 before. */
static _Noreturn void become_stage(int ready, int control, int ops, int status, int tiny, const int *fds)
{
    char byte;
    char *argv[] = {"berth-stage", NULL}, *envp[] = {NULL};
    if (read(ready, &byte, 1) != 1)
        _exit(98);
    if (wish.ns & CLONE_NEWUSER) {
        if (!wish.deny)
            setgroups(0, NULL);
        if (setresgid(0, 0, 0) || setresuid(0, 0, 0))
            _exit(97);
    }
    dup2(control, 64);
    dup2(ops, 65);
    dup2(status, 66);
    dup2(tiny, 67);
    for (int i = 0; i < wish.fd_count; i++)
        dup2(fds[i], 70 + i);
    int self = dup3(tiny, 69, O_CLOEXEC);
    close_range(3, 63, 0);
    close_range(68, 68, 0);
    close_range(70 + wish.fd_count, ~0u, 0);
    syscall(SYS_execveat, self, "", argv, envp, AT_EMPTY_PATH);
    _exit(96);
}

static int high(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 200);
}

/* The launcher proper, as the account. Tells the clone's pid on `tell`, waits for all processes, prints their ends. */
static int account(int tell, int go_maps, int control_end)
{
    int fds[64], pipe_ready[2], status_pipe[2], mine;
    int ops = high(load(wish.ops, "ops")), tiny = high(load(wish.tiny, "tiny"));
    mine = high(control_end);
    if (pipe2(pipe_ready, O_CLOEXEC) || pipe2(status_pipe, O_CLOEXEC))
        die("pipe");
    int ready = high(pipe_ready[0]), status = high(status_pipe[1]);
    close(status_pipe[1]);
    for (int i = 0; i < wish.fd_count; i++)
        if ((fds[i] = high(open_wished(wish.fds[i]))) < 0)
            die(wish.fds[i]);
    int pidfd = -1;
    struct clone_args args = {
        .flags = wish.ns | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd, .exit_signal = SIGCHLD};
    fflush(said);
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0)
        become_stage(ready, mine, ops, status, tiny, fds);
    if (pid < 0)
        die("clone3");
    close(mine);
    close(control_end);
    close(status);
    char byte;
    if (write(tell, &pid, sizeof pid) != sizeof pid || read(go_maps, &byte, 1) != 1 ||
        write(pipe_ready[1], "x", 1) != 1)
        die("maps");
    char text[2048];
    ssize_t n = read(status_pipe[0], text, sizeof text - 1);
    if (n > 0) {
        text[n] = 0;
        fprintf(said, "status %s\n", text);
    } else {
        fprintf(said, "running\n");
    }
    fflush(said);
    int end;
    while ((pid = waitpid(-1, &end, __WALL)) > 0) {
        if (WIFEXITED(end))
            fprintf(said, "exit %d\n", WEXITSTATUS(end));
        else
            fprintf(said, "signal %d\n", WTERMSIG(end));
        fflush(said);
    }
    return 0;
}

static int receive(int control, char *text, size_t size, int *fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } rights;
    struct iovec part = {text, size - 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &rights, .msg_controllen = sizeof rights};
    ssize_t n = recvmsg(control, &message, MSG_CMSG_CLOEXEC);
    *fd = -1;
    if (n <= 0)
        return 0;
    text[n] = 0;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head != NULL && head->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(head), sizeof *fd);
    return 1;
}

static void copy_terminal(int fd)
{
    char buffer[512];
    ssize_t n;
    if (fork() != 0)
        return;
    while ((n = read(fd, buffer, sizeof buffer)) > 0)
        if (write(1, buffer, (size_t)n) < 0)
            break;
    _exit(0);
}

static void converse(int control)
{
    char text[2048], answer[2048];
    int fd;
    while (receive(control, text, sizeof text, &fd)) {
        fprintf(said, "%s\n", text);
        fflush(said);
        if (fd >= 0 && wish.terminal && strcmp(text, "fd console") == 0)
            copy_terminal(fd);
        if (strncmp(text, "at ", 3) != 0)
            continue;
        if (wish.stop_at != NULL && strcmp(text + 3, wish.stop_at) == 0)
            break;
        snprintf(answer, sizeof answer, "go %s", text + 3);
        send(control, answer, strlen(answer), MSG_NOSIGNAL);
    }
    close(control);
}

static void parse(int argc, char **argv)
{
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        const char *name = argv[i] + 2;
        if (strcmp(name, "uid") == 0)
            wish.uid = (uid_t)atoi(argv[++i]);
        else if (strcmp(name, "ns") == 0)
            wish.ns = strtoull(argv[++i], NULL, 16);
        else if (strcmp(name, "uid-map") == 0)
            wish.uid_map = argv[++i];
        else if (strcmp(name, "gid-map") == 0)
            wish.gid_map = argv[++i];
        else if (strcmp(name, "deny") == 0)
            wish.deny = 1;
        else if (strcmp(name, "fd") == 0)
            wish.fds[wish.fd_count++] = argv[++i];
        else if (strcmp(name, "stop-at") == 0)
            wish.stop_at = argv[++i];
        else if (strcmp(name, "terminal") == 0)
            wish.terminal = 1;
        else
            die(name);
    }
    if (argc - i != 2)
        die("usage: drive [OPTION…] TINY OPS");
    wish.tiny = argv[i];
    wish.ops = argv[i + 1];
}

int main(int argc, char **argv)
{
    int control[2], tell[2], maps[2];
    pid_t clone_pid;
    parse(argc, argv);
    const char *number = getenv("DRIVE_FD");
    int out = fcntl(number ? atoi(number) : 1, F_DUPFD_CLOEXEC, 210);
    if (out < 0 || !(said = fdopen(out, "w")))
        die("DRIVE_FD");
    if (number)
        close(atoi(number));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) || pipe2(tell, O_CLOEXEC) ||
        pipe2(maps, O_CLOEXEC))
        die("socketpair");
    pid_t pid = fork();
    if (pid == 0) {
        close(control[0]);
        if (wish.uid != 0 &&
            (setgroups(0, NULL) || setresgid(wish.uid, wish.uid, wish.uid) || setresuid(wish.uid, wish.uid, wish.uid)))
            die("setresuid");
        prctl(PR_SET_DUMPABLE, 1);
        exit(account(tell[1], maps[0], control[1]));
    }
    close(control[1]);
    close(tell[1]);
    if (read(tell[0], &clone_pid, sizeof clone_pid) != sizeof clone_pid)
        die("the clone has no pid");
    if (wish.ns & CLONE_NEWUSER) {
        if (wish.deny)
            write_file(clone_pid, "setgroups", "deny");
        write_file(clone_pid, "uid_map", wish.uid_map);
        write_file(clone_pid, "gid_map", wish.gid_map);
    }
    if (write(maps[1], "x", 1) != 1)
        die("write");
    converse(control[0]);
    int end;
    while (waitpid(pid, &end, 0) < 0 && errno == EINTR)
        ;
    return 0;
}
