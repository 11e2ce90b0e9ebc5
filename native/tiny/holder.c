/*
 * The holder: first process of a pod's pid namespace. It keeps the namespaces alive, reaps what is left to it, and ends
 * on SIGTERM, SIGINT or SIGHUP. It is started by the stage like a payload, so all of its confinement is the stage's.
 *
 * Compiled twice, as init.c: as a program of its own (build/holder, -DBERTH_HOLDER), which the stage carries and executes, and into the stage.
 */
#include "sys.h"
#include "text.h"

enum { SIGINFO_SIZE = 128 };

int holder_main(int argc, char **argv, char **envp)
{
    (void)argc;
    (void)argv;
    (void)envp;
    /* As pid 1 it is sent only signals that it waits for; blocked ones stay pending until they are taken. */
    uint64_t waited = 1ull << (SIGTERM - 1) | 1ull << (SIGINT - 1) | 1ull << (SIGHUP - 1) | 1ull << (SIGCHLD - 1);
    uint64_t all = ~0ull;
    uint64_t info[SIGINFO_SIZE / sizeof(uint64_t)];
    sys_sigprocmask(SIG_SETMASK, &all, NULL);
    sys_prctl(PR_SET_NAME, PTR("berth-holder"), 0, 0, 0);
    for (;;) {
        long signal = sys4(__NR_rt_sigtimedwait, PTR(&waited), PTR(info), 0, 8);
        if (signal == SIGCHLD)
            while (sys_wait4(-1, NULL, 1 | 0x40000000) > 0)
                ;
        else if (signal > 0)
            return 0;
    }
}

#ifdef BERTH_HOLDER
int tiny_main(int argc, char **argv, char **envp);

int tiny_main(int argc, char **argv, char **envp)
{
    return holder_main(argc, argv, envp);
}
#endif
