#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *relay_program;

static void die(const char *what)
{
    perror(what);
    exit(99);
}

static int check(int result, const char *what)
{
    if (result < 0)
        die(what);
    return result;
}

static int bound(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    unlink(path);
    int fd = check(socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket");
    check(bind(fd, (struct sockaddr *)&address, sizeof address), path);
    return fd;
}

void journal_listen(struct bench *b)
{
    b->journal = bound(b->journal_path, SOCK_STREAM);
    check(listen(b->journal, 8), "listen");
}

void bench_open(struct bench *b)
{
    bool hold = b->hold, slow = b->slow_journal;
    *b = (struct bench){.hold = hold, .slow_journal = slow, .payload_pidfd = -1};
    strcpy(b->directory, "/tmp/relay.XXXXXX");
    if (mkdtemp(b->directory) == NULL)
        die("mkdtemp");
    snprintf(b->journal_path, sizeof b->journal_path, "%s/journal", b->directory);
    snprintf(b->manager_path, sizeof b->manager_path, "%s/manager", b->directory);
    snprintf(b->notify_path, sizeof b->notify_path, "%s/notify", b->directory);
    journal_listen(b);
    b->manager = bound(b->manager_path, SOCK_DGRAM);
    b->notify = bound(b->notify_path, SOCK_DGRAM);
    check(pipe2(b->out, O_CLOEXEC) | pipe2(b->err, O_CLOEXEC) | pipe2(b->status, O_CLOEXEC) | pipe2(b->up, O_CLOEXEC) |
              pipe2(b->go, O_CLOEXEC),
          "pipe2");
}

/* The guard of a relay that was killed comes to us; what it holds is free only when it is reaped. */
static void reap_others(struct bench *b)
{
    siginfo_t info = {0};
    relay_ended(b);
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && info.si_pid > 0) {
        if (info.si_pid == b->payload || info.si_pid == b->relay)
            return;
        waitpid(info.si_pid, NULL, __WALL);
        info.si_pid = 0;
    }
}

static void close_pair(int *pair)
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

void bench_close(struct bench *b)
{
    if (b->payload_pidfd >= 0)
        syscall(SYS_pidfd_send_signal, b->payload_pidfd, SIGKILL, NULL, 0);
    if (b->relay > 0) {
        kill(b->relay, SIGKILL);
        waitpid(b->relay, NULL, 0);
    }
    for (pid_t pid = 0; b->payload > 0 && pid != b->payload && pid >= 0;)
        pid = waitpid(-1, NULL, __WALL);
    for (int i = 0; i < b->stream_count; i++) {
        if (b->streams[i].fd >= 0)
            close(b->streams[i].fd);
        free(b->streams[i].text);
    }
    close_pair(b->out), close_pair(b->err), close_pair(b->status), close_pair(b->up), close_pair(b->go);
    for (int *fd = (int[]){b->journal, b->manager, b->notify, b->payload_pidfd, -2}; *fd != -2; fd++)
        if (*fd >= 0)
            close(*fd);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", b->directory);
    if (system(command) != 0)
        die(command);
}

static void write_map(pid_t pid, const char *name, unsigned id)
{
    char path[64], text[32];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int length = snprintf(text, sizeof text, strcmp(name, "setgroups") == 0 ? "deny" : "0 %u 1", id);
    int fd = check(open(path, O_WRONLY | O_CLOEXEC), path);
    check((int)write(fd, text, (size_t)length), path);
    close(fd);
}

void bench_payload(struct bench *b, int (*run)(struct bench *b))
{
    bool account = geteuid() != 0;
    struct clone_args arguments = {.flags = CLONE_PIDFD | (b->hold ? CLONE_NEWPID : 0) | (account ? CLONE_NEWUSER : 0),
                                   .pidfd = (uint64_t)(uintptr_t)&b->payload_pidfd,
                                   .exit_signal = SIGCHLD};
    if (!b->hold && account)
        arguments.flags &= ~(uint64_t)CLONE_NEWUSER;
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) {
        char word;
        dup2(b->out[1], 1);
        dup2(b->err[1], 2);
        for (int fd = 3; fd < 256; fd++)
            if (fd != b->go[0])
                close(fd);
        if (read(b->go[0], &word, 1) != 1)
            _exit(98);
        close(b->go[0]);
        _exit(run(b));
    }
    b->payload = check((int)pid, "clone3");
    if (account && b->hold) {
        write_map(b->payload, "uid_map", geteuid());
        write_map(b->payload, "setgroups", 0);
        write_map(b->payload, "gid_map", getegid());
    }
    close(b->out[1]), close(b->err[1]), close(b->go[0]);
    b->out[1] = b->err[1] = b->go[0] = -1;
}

void bench_relay(struct bench *b, const char *const *words)
{
    char journal[128], manager[128], mainpid[32];
    const char *argv[32] = {"berth-relay", "out=0", "err=1", "status=2", "payload=3", "notify=4", "up=5"};
    int count = 7;
    snprintf(journal, sizeof journal, "journal=%s", b->journal_path);
    snprintf(manager, sizeof manager, "manager=%s", b->manager_path);
    snprintf(mainpid, sizeof mainpid, "mainpid=%d", b->payload);
    argv[count++] = journal, argv[count++] = manager, argv[count++] = mainpid;
    argv[count++] = "identifier=web", argv[count++] = "unit=web.service";
    if (b->hold)
        argv[count++] = geteuid() != 0 ? "hold=user" : "hold=pid";
    while (*words != NULL)
        argv[count++] = *words++;
    b->relay = check(fork(), "fork");
    if (b->relay == 0) {
        setsid();
        int given[] = {b->out[0], b->err[0], b->status[0], b->payload_pidfd, b->notify, b->up[1]};
        for (int i = 0; i < 6; i++)
            given[i] = fcntl(given[i], F_DUPFD, 100);
        for (int i = 0; i < 6; i++)
            dup2(given[i], 10 + i);
        syscall(SYS_close_range, 16, ~0u, 0);
        char *environment[] = {NULL};
        execve(relay_program, (char *const *)argv, environment);
        _exit(97);
    }
    close(b->out[0]), close(b->err[0]), close(b->up[1]), close(b->notify), close(b->status[0]);
    b->out[0] = b->err[0] = b->up[1] = b->notify = b->status[0] = -1;
    struct pollfd up = {.fd = b->up[0]};
    if (poll(&up, 1, 5000) != 1) {
        fprintf(stderr, "the relay does not come up\n");
        exit(99);
    }
}

void bench_go(struct bench *b)
{
    check((int)write(b->go[1], "x", 1), "go");
}

void bench_executed(struct bench *b, const char *record)
{
    if (record != NULL)
        check((int)write(b->status[1], record, strlen(record)), "status");
    close(b->status[1]);
    b->status[1] = -1;
}

static void serve_stream(struct journal_stream *s)
{
    if (s->text == NULL)
        s->text = calloc(1, MOST_TEXT);
    ssize_t n = read(s->fd, s->text + s->length, MOST_TEXT - 1 - s->length);
    if (n > 0) {
        s->length += (size_t)n;
        return;
    }
    s->ended = true;
    close(s->fd);
    s->fd = -1;
}

static long long clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

bool bench_serve(struct bench *b, int milliseconds, bool (*until)(struct bench *b))
{
    long long end = clock_ms() + milliseconds;
    for (;;) {
        reap_others(b);
        if (until != NULL && until(b))
            return true;
        long long left = end - clock_ms();
        if (left <= 0)
            return false;
        struct pollfd fds[MOST_STREAMS + 1] = {{.fd = b->slow_journal ? -1 : b->journal, .events = POLLIN}};
        for (int i = 0; i < b->stream_count; i++)
            fds[1 + i] = (struct pollfd){.fd = b->slow_journal ? -1 : b->streams[i].fd, .events = POLLIN};
        poll(fds, 1 + (nfds_t)b->stream_count, left < 10 ? (int)left : 10);
        for (int i = 0; i < b->stream_count; i++)
            if (fds[1 + i].revents != 0)
                serve_stream(&b->streams[i]);
        if (fds[0].revents != 0 && b->stream_count < MOST_STREAMS) {
            int fd = check(accept4(b->journal, NULL, NULL, SOCK_CLOEXEC), "accept4");
            shutdown(fd, SHUT_WR); /* as journald does */
            struct ucred peer = {0};
            check(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &(socklen_t){sizeof peer}), "peer");
            b->streams[b->stream_count++] = (struct journal_stream){.fd = fd, .peer = peer.pid};
        }
    }
}

bool relay_ended(struct bench *b)
{
    int status;
    if (b->relay > 0 && waitpid(b->relay, &status, WNOHANG) == b->relay) {
        b->relay = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
    }
    return b->relay <= 0;
}

bool payload_ended(struct bench *b)
{
    struct pollfd fd = {.fd = b->payload_pidfd, .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

const char *body_of(const struct journal_stream *stream)
{
    if (stream == NULL || stream->text == NULL)
        return "(no stream)";
    const char *at = stream->text;
    for (int line = 0; line < 7 && at != NULL; line++)
        at = (at = strchr(at, '\n')) == NULL ? NULL : at + 1;
    return at == NULL ? "(no header)" : at;
}

struct journal_stream *stream_of(struct bench *b, char priority)
{
    char header[64];
    snprintf(header, sizeof header, "web\nweb.service\n%c\n1\n0\n0\n0\n", priority);
    for (int i = b->stream_count - 1; i >= 0; i--)
        if (b->streams[i].text != NULL && strncmp(b->streams[i].text, header, strlen(header)) == 0)
            return &b->streams[i];
    return NULL;
}

pid_t guard_of(struct bench *b)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", b->relay, b->relay);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    return n > 0 ? (pid_t)atoi(text) : 0;
}

bool manager_receive(struct bench *b, char *text, size_t size, int *ret_descriptors, int milliseconds)
{
    union {
        char space[CMSG_SPACE(16 * sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct iovec part = {text, size - 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct pollfd fd = {.fd = b->manager, .events = POLLIN};
    *ret_descriptors = 0;
    if (poll(&fd, 1, milliseconds) != 1)
        return false;
    ssize_t n = check((int)recvmsg(b->manager, &message, 0), "recvmsg");
    text[n] = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
        *ret_descriptors = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int i = 0; i < *ret_descriptors; i++)
            close(((int *)CMSG_DATA(c))[i]);
    }
    return true;
}

void notify_as(struct bench *b, const char *text, int descriptor)
{
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", b->notify_path);
    struct iovec part = {(void *)text, strlen(text)};
    struct msghdr message = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        control.aligned = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.aligned), &descriptor, sizeof(int));
    }
    int fd = check(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    check((int)sendmsg(fd, &message, 0), "sendmsg");
    close(fd);
}
