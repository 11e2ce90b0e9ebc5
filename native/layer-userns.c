/*
 * A process with the ids of a store: in a user namespace of its own with the account's map, or (root's store) in none.
 *
 * Root's layers hold device nodes and trusted.* attributes, which no user namespace but the first may make; there the writer
 * is confined by its chroot, by the capabilities it keeps and by its list of system calls.
 */
#include "layer.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "unknown architecture"
#endif

int wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static int write_proc(pid_t pid, const char *name, const char *text, struct error *error)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return error_errno(error, "write", path);
    return 0;
}

static int map_single(pid_t pid, const struct store_map *map, struct error *error)
{
    char text[64];
    if (map->uid_count != 1 || map->gid_count != 1)
        return error_set(error, "user namespace", EINVAL, "", "a single-id map has one range");
    if (write_proc(pid, "setgroups", "deny", error) < 0)
        return -1;
    snprintf(text, sizeof(text), "%u %u 1", map->uid[0].inside, map->uid[0].outside);
    if (write_proc(pid, "uid_map", text, error) < 0)
        return -1;
    snprintf(text, sizeof(text), "%u %u 1", map->gid[0].inside, map->gid[0].outside);
    return write_proc(pid, "gid_map", text, error);
}

/* newuidmap or newgidmap, with its standard error in a pipe. */
static pid_t start_helper(const char *program, pid_t pid, const struct id_range *ranges, size_t count, int *ret_words)
{
    int ends[2];
    char **words = calloc(count * 3 + 3, sizeof(*words));
    if (words == NULL || pipe2(ends, O_CLOEXEC) < 0) {
        free(words);
        return -1;
    }
    char *storage = calloc(count * 3 + 1, 12), *at = storage;
    size_t used = 0;
    words[used++] = (char *)program;
    words[used++] = at;
    snprintf(at, 12, "%d", (int)pid);
    for (size_t i = 0; i < count; i++) {
        const uint32_t numbers[3] = {ranges[i].inside, ranges[i].outside, ranges[i].count};
        for (int k = 0; k < 3; k++) {
            at += 12;
            snprintf(at, 12, "%u", numbers[k]);
            words[used++] = at;
        }
    }
    pid_t helper = fork();
    if (helper == 0) {
        char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
        signal(SIGPIPE, SIG_DFL);
        dup2(ends[1], 2);
        execvpe(program, words, environment);
        dprintf(2, "%s", strerror(errno));
        _exit(127);
    }
    close(ends[1]);
    *ret_words = ends[0];
    free(words);
    free(storage);
    return helper;
}

static int end_helper(const char *program, pid_t helper, int words, struct error *error)
{
    char text[300] = "";
    size_t length = 0;
    if (helper < 0)
        return error_errno(error, "fork", program);
    for (ssize_t got; length < sizeof(text) - 1 && (got = read(words, text + length, sizeof(text) - 1 - length)) > 0;)
        length += (size_t)got;
    close(words);
    int status = wait_for(helper);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    text[strcspn(text, "\n")] = 0;
    return error_set(
        error, "user namespace", EPERM, "",
        "%s; the package uidmap must be installed and /etc/subuid and /etc/subgid give the account its ids",
        *text ? text : "newuidmap failed");
}

/* Root needs no helper: a container of root with a user namespace of its own. */
static int map_directly(pid_t pid, const char *name, const struct id_range *ranges, size_t count, struct error *error)
{
    char text[4096] = "";
    size_t length = 0;
    for (size_t i = 0; i < count && length < sizeof(text); i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%u %u %u\n", ranges[i].inside,
                                   ranges[i].outside, ranges[i].count);
    if (length >= sizeof(text))
        return error_set(error, "user namespace", E2BIG, "", "the id map has too many lines");
    return write_proc(pid, name, text, error);
}

static int map_subordinate(pid_t pid, const struct store_map *map, struct error *error)
{
    if (geteuid() == 0) {
        if (map_directly(pid, "uid_map", map->uid, map->uid_count, error) < 0)
            return -1;
        return map_directly(pid, "gid_map", map->gid, map->gid_count, error);
    }
    int uid_words = -1, gid_words = -1;
    pid_t uid = start_helper("newuidmap", pid, map->uid, map->uid_count, &uid_words);
    pid_t gid = start_helper("newgidmap", pid, map->gid, map->gid_count, &gid_words);
    struct error second;
    int first = end_helper("newuidmap", uid, uid_words, error);
    int other = end_helper("newgidmap", gid, gid_words, first < 0 ? &second : error);
    return first < 0 || other < 0 ? -1 : 0;
}

static int write_maps(pid_t pid, const struct store_map *map, struct error *error)
{
    switch (map->kind) {
    case MAP_SINGLE: return map_single(pid, map, error);
    case MAP_SUBORDINATE: return map_subordinate(pid, map, error);
    default: return 0;
    }
}

static int clone_error(struct error *error)
{
    const char *hint = NULL;
    if (errno == EPERM)
        hint =
            "user namespaces are not allowed here (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
            "kernel.apparmor_restrict_unprivileged_userns; RestrictNamespaces= of the unit)";
    else if (errno == ENOSPC || errno == EUSERS)
        hint = "no more user namespaces (sysctl user.max_user_namespaces)";
    return hint ? error_set(error, "clone", errno, "", "%s", hint) : error_errno(error, "clone", "");
}

int userns_fork(const struct store_map *map, void (*body)(void *), void *argument, pid_t *ret_pid, struct error *error)
{
    int go[2];
    char byte = 'g';
    if (pipe2(go, O_CLOEXEC) < 0)
        return error_errno(error, "pipe", "");
    bool makes = map->kind != MAP_HOST && map->userns == 0;
    unsigned long flags = SIGCHLD | (makes ? CLONE_NEWUSER : 0);
    pid_t pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, 0UL);
    if (pid == 0) {
        close(go[1]);
        if (read(go[0], &byte, 1) != 1)
            _exit(1);
        if (map->userns != 0 && setns(map->userns, CLONE_NEWUSER) < 0)
            _exit(1);
        if (map->kind == MAP_SUBORDINATE)
            setgroups(0, NULL);
        if (map->kind != MAP_HOST && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
            _exit(1);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body(argument);
        _exit(1);
    }
    close(go[0]);
    int result = 0;
    if (pid < 0)
        result = clone_error(error);
    else if ((makes && write_maps(pid, map, error) < 0) ||
             (write(go[1], &byte, 1) != 1 && error_errno(error, "write", "")))
        result = -1;
    close(go[1]);
    if (result < 0 && pid > 0)
        wait_for(pid);
    if (result == 0)
        *ret_pid = pid;
    return result;
}

static void await_end(void *unused)
{
    char byte;
    (void)unused;
    while (read(0, &byte, 1) > 0)
        ;
}

int userns_hold(const struct store_map *map, struct error *error)
{
    pid_t pid;
    if (userns_fork(map, await_end, NULL, &pid, error) < 0)
        return -1;
    dprintf(1, "%d\n", (int)pid);
    wait_for(pid);
    return 0;
}

int confine_root(int directory, uint64_t keep)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct have[2], want[2];
    if (fchdir(directory) < 0 || chroot(".") < 0)
        return -1;
    if (syscall(SYS_capget, &header, have) < 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        uint32_t bits = have[i].permitted & (uint32_t)(keep >> (32 * i));
        want[i] = (struct __user_cap_data_struct){.permitted = bits, .effective = bits};
    }
    umask(0);
    return (int)syscall(SYS_capset, &header, want);
}

#if defined(__SANITIZE_ADDRESS__)
int confine_calls(const int *calls, size_t count)
{
    (void)calls; /* the sanitizers make calls of their own */
    (void)count;
    return 0;
}
#else
int confine_calls(const int *calls, size_t count)
{
    struct sock_filter filter[128];
    unsigned short used = 0;
    if (count > 120)
        return errno = E2BIG, -1;
    filter[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    filter[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    filter[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++)
        filter[used++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i], (unsigned char)(count - i), 0);
    filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = used, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
#endif
