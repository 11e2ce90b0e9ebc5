/*
 * The first process that changes its control group waits, within write(2) to cgroup.procs, for a grace period of RCU: 4 to
 * 12 ms; until some milliseconds after the last change the others do not (Linux, kernel/cgroup/cgroup.c
 * cgroup_procs_write_start(), cgroup_threadgroup_rwsem; kernel/rcu/sync.c). systemd's move of a process of ours comes
 * several milliseconds after our start: here the grace period begins meanwhile, by a write that moves nothing.
 *
 * The write names a process that cannot exist: pids are below PID_MAX_LIMIT, 4194304 (include/linux/threads.h). The kernel
 * looks for it when the grace period is over, and says ESRCH. A thread of its own waits for that, uninterruptibly; it uses
 * raw system calls alone, since libc does not know of it.
 */
#include "expect-move.h"
#include "clone.h"
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

static const char no_process[] = "4194304";

__attribute__((noreturn, no_sanitize("address", "undefined"))) static void wait_in_write(void *argument)
{
    long fd = (long)(intptr_t)argument;
    RAW(SYS_write, fd, no_process, sizeof(no_process) - 1, 0);
    RAW(SYS_close, fd, 0, 0, 0);
    for (;;)
        RAW(SYS_exit, 0, 0, 0, 0);
}

void expect_move(const char *file)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    struct clone_args arguments = {.flags = CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM};
    if (clone_with_stack(&arguments, wait_in_write, (void *)(intptr_t)fd) < 0)
        close(fd);
}
