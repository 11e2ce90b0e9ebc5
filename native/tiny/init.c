/*
 * berth-init PID [LOG]: the optional first process of a container. It hands every signal on to the payload, reaps what is left to
 * it, and ends as the payload ended: its status, or 128 + the number of the signal that killed it.
 *
 * With LOG the child is another OCI runtime, which ends with 1 when it could not start its container, and also when its payload ended
 * so. Only in the first case it has written an error there (and to its standard error): then the status is that of podman-run(1).
 *
 * All signals are blocked and taken one by one by rt_sigtimedwait(2): no handler, no race. (The kernel does not throw
 * signals away for the first process of a pid namespace while they are blocked.)
 *
 * Compiled twice: as a program of its own (build/init, -DBERTH_INIT), one page of code that the stage carries and
 * executes, and into the stage for where a filter forbids that.
 */
#include "sys.h"
#include "text.h"

enum { EXIT_UNKNOWN = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

_Noreturn void init_loop(int child, const char *log);

/* Whether text holds `part`, letters of both cases being the same. */
static bool holds(const char *text, const char *part)
{
    for (; *text != 0; text++) {
        size_t i = 0;
        while (part[i] != 0 && (text[i] | 0x20) == (part[i] | 0x20))
            i++;
        if (part[i] == 0)
            return true;
    }
    return false;
}

/* The status for a runtime that has ended with 1 or 255: that of its last error; `status` when it has written none. */
static int explain(const char *log, int status)
{
    static char data[4096];
    long fd = sys_openat(-100, log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
    long length = fd < 0 ? 0 : sys_read((int)fd, data, sizeof data - 1);
    for (char *line = data, *end; length > 0 && *line != 0; line = end) {
        end = text_find(line, '\n');
        if (end != NULL)
            *end++ = 0;
        else
            end = line + text_length(line);
        /* runc writes warnings there, too, after a payload that has run. */
        if (*line == 0 || (holds(line, " level=") && !holds(line, " level=error ") && !holds(line, " level=fatal ")))
            continue;
        status = holds(line, "not found") || holds(line, "no such file") ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
    }
    return status;
}

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

_Noreturn void init_loop(int child, const char *log)
{
    uint64_t all = ~0ull;
    sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    sys_sigprocmask(SIG_SETMASK, &all, NULL);
    for (;;) {
        int status = reap(child);
        if (status >= 0)
            sys_exit(log != NULL && (status == 1 || status == 255) ? explain(log, status) : status);
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
    if (argc < 2 || argc > 3 || !text_unsigned(argv[1], 10, INT32_MAX, &child) || child == 0)
        return EXIT_UNKNOWN;
    sys_prctl(PR_SET_NAME, PTR(argc == 3 ? "berth-watch" : "berth-init"), 0, 0, 0);
    init_loop((int)child, argv[2]);
}
#endif
