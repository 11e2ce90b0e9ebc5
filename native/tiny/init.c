/*
 * berth-init PID: the optional first process of a container. It hands every signal on to the payload, reaps what is left to
 * it, and ends as the payload ended: its status, or 128 + the number of the signal that killed it.
 *
 * All signals are blocked and taken one by one by rt_sigtimedwait(2): no handler, no race. (The kernel does not throw
 * signals away for the first process of a pid namespace while they are blocked.)
 *
 * Compiled twice: as a program of its own (build/init, -DBERTH_INIT), one page of code that the stage carries and
 * executes, and into the stage for where a filter forbids that.
 */
#include "sys.h"
#include "text.h"

enum { EXIT_UNKNOWN = 125 };

_Noreturn void init_loop(int child);

/* The payload's end among all that ended; -1 while it runs. */
static int reap(int child)
{
    int status, pid, result = -1;
    while ((pid = (int)sys_wait4(-1, &status, WNOHANG | __WALL)) > 0)
        if (pid == child)
            result = (status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f);
    /* No child at all: it was reaped before us. */
    return result < 0 && pid == -ECHILD ? EXIT_UNKNOWN : result;
}

_Noreturn void init_loop(int child)
{
    uint64_t all = ~0ull;
    sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    sys_sigprocmask(SIG_SETMASK, &all, NULL);
    for (;;) {
        int status = reap(child);
        if (status >= 0)
            sys_exit(status);
        long signal = sys4(__NR_rt_sigtimedwait, PTR(&all), 0, 0, 8);
        if (signal > 0 && signal != SIGCHLD)
            sys_kill(child, (int)signal);
    }
}

#ifdef BERTH_INIT
int tiny_main(int argc, char **argv, char **envp);

int tiny_main(int argc, char **argv, char **envp)
{
    uint64_t child;
    (void)envp;
    if (argc != 2 || !text_unsigned(argv[1], 10, INT32_MAX, &child) || child == 0)
        return EXIT_UNKNOWN;
    sys_prctl(PR_SET_NAME, PTR("berth-init"), 0, 0, 0);
    init_loop((int)child);
}
#endif
