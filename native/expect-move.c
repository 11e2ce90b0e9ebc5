/*
 * The first process that changes its control group waits, within write(2) to cgroup.procs, for a grace period of RCU: 4 to
 * 12 ms; until some milliseconds after the last change the others do not (Linux, kernel/cgroup/cgroup.c
 * cgroup_procs_write_start(), cgroup_threadgroup_rwsem; kernel/rcu/sync.c). systemd's move of a process of ours comes
 * several milliseconds after our start: here the grace period begins meanwhile, by a write that moves nothing: a process of
 * a group is written to that same group. One that cannot exist would do for kernels before 6.18; later ones look for it
 * first, and wait only when there is something to move.
 *
 * A thread of its own waits, uninterruptibly; it uses raw system calls alone, since libc does not know of it.
 */
#include "expect-move.h"
#include "clone.h"
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* A line of cgroup.procs: read before the thread exists, and there until the process ends. */
static char pid[16];
static size_t length;

__attribute__((noreturn, no_sanitize("address", "undefined"))) static void wait_in_write(void *argument)
{
    long fd = (long)(intptr_t)argument;
    RAW(SYS_write, fd, pid, length, 0);
    RAW(SYS_close, fd, 0, 0, 0);
    for (;;)
        RAW(SYS_exit, 0, 0, 0, 0);
}

/* The first process of the group; false: none, or one of another pid namespace ("0", which would mean ourselves). */
static bool read_first(int fd)
{
    ssize_t count = read(fd, pid, sizeof(pid));
    const char *end = count > 1 && pid[0] != '0' ? memchr(pid, '\n', (size_t)count) : NULL;
    length = end ? (size_t)(end - pid) : 0;
    return end != NULL;
}

void expect_move(const char *file)
{
    int fd = open(file, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    struct clone_args arguments = {.flags = CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM};
    if (!read_first(fd) || clone_with_stack(&arguments, wait_in_write, (void *)(intptr_t)fd) < 0)
        close(fd);
}
