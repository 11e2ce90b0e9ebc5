/* A second process for half of a work that takes long: src/host/host.ts `Processes.split`. */
#include "engine-memory.h"
#include "host.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* With one processor two processes are slower than one. */
static bool has_two_processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

/*
 * Moves a process that has just been made to a processor other than ours. The kernel often leaves it on ours, where the two take turns for
 * up to 10 ms before it balances them: as long as the whole work. It may be moved anywhere afterwards. A failure costs time alone.
 */
static void give_own_processor(pid_t pid)
{
    cpu_set_t all, others;
    int own = sched_getcpu();
    if (own < 0 || sched_getaffinity(0, sizeof(all), &all) < 0)
        return;
    others = all;
    CPU_CLR(own, &others);
    if (sched_setaffinity(pid, sizeof(others), &others) == 0)
        sched_setaffinity(pid, sizeof(all), &all);
}

static JSValue half(JSContext *context, int fd, pid_t pid, int pidfd)
{
    JSValue result = JS_NewObject(context);
    give_property(context, result, "second", JS_NewBool(context, pid == 0));
    give_property(context, result, "fd", JS_NewInt32(context, fd));
    give_property(context, result, "pid", JS_NewInt32(context, pid));
    give_property(context, result, "pidfd", JS_NewInt32(context, pidfd));
    return result;
}

/* A process that has another half makes no further one, so that no mistake of a program can multiply. */
static bool is_half;

/* Undefined also where no process can be made: the work is then done by one. */
FUNCTION(split)
{
    UNUSED;
    int ends[2];
    if (is_half || !has_two_processors() || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return JS_UNDEFINED;
    is_half = true;
    engine_memory_expect_much();
    pid_t first = getpid(), pid = fork();
    if (pid == 0) {
        close(ends[0]);
        /* Nobody waits for the half of a work whose other half was ended. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != first)
            _exit(1);
        return half(context, ends[1], 0, -1);
    }
    if (pid > 0)
        give_own_processor(pid);
    close(ends[1]);
    int pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd >= 0)
        return half(context, ends[0], pid, pidfd);
    close(ends[0]); /* a second process that is there meets the end of the stream, and ends */
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("split", 0, split),
};

void host_install_split(JSContext *context, JSValueConst host)
{
    INSTALL(context, host, functions);
}
