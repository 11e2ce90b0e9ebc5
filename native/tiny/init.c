/*
 * berth-init PID [BUNDLE]: the optional first process of a container. It hands every signal on to the payload, reaps what is left to
 * it, and ends as the payload ended: its status, or 128 + the number of the signal that killed it.
 *
 * With BUNDLE the child is another OCI runtime, which ends with 1 when it could not start its container, and also when its payload ended
 * so. Only in the first case it has written an error to BUNDLE/runtime.log (and to its standard error): then the status is that of
 * podman-run(1). It writes BUNDLE/runtime.pid when the payload is about to run; until then the status pipe (packaging/decisions/
 * 0002-processes.md) stays open here, so that a start that fails is none. inotify(7) tells by SIGIO.
 *
 * All signals are blocked and taken one by one by rt_sigtimedwait(2): no handler, no race. (The kernel does not throw
 * signals away for the first process of a pid namespace while they are blocked.)
 *
 * Compiled twice: as a program of its own (build/init, -DBERTH_INIT), one page of code that the stage carries and
 * executes, and into the stage for where a filter forbids that.
 */
#include "init.h"
#include <linux/inotify.h>
#include "text.h"

enum { EXIT_UNKNOWN = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

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
static int explain(int bundle, int status)
{
    static char data[4096];
    long fd = sys_openat(bundle, "runtime.log", O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
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

/* Closes the status pipe when the runtime has written its pid file; `ended` without one: what was awaited is not coming. */
static void look(int bundle, bool *awaited, bool ended)
{
    static const char failed[] = "runtime 0 125 it has ended before its container ran";
    if (!*awaited)
        return;
    long fd = sys_openat(bundle, "runtime.pid", O_PATH | O_CLOEXEC | O_NOFOLLOW, 0);
    if (fd < 0 && !ended)
        return;
    if (fd < 0)
        sys_write(FD_STARTED, failed, sizeof failed - 1);
    sys_close(FD_STARTED);
    *awaited = false;
}

/* `bundle` is open and its directory watched before the child, which waits for nothing, is looked for. */
static bool await_start(const char *path)
{
    long fd = sys1(__NR_inotify_init1, O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    sys_fcntl((int)fd, F_SETOWN, sys_getpid());
    sys_fcntl((int)fd, F_SETFL, O_NONBLOCK | FASYNC);
    return sys3(__NR_inotify_add_watch, fd, PTR(path), IN_CREATE | IN_MOVED_TO) >= 0;
}

_Noreturn void init_loop(int child, const char *path, bool awaited)
{
    uint64_t all = ~0ull;
    int bundle = path == NULL ? -1 : (int)sys_openat(-100, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    sys_sigprocmask(SIG_SETMASK, &all, NULL);
    if (awaited && !await_start(path)) {
        sys_close(FD_STARTED);
        awaited = false;
    }
    for (;;) {
        int status = reap(child);
        look(bundle, &awaited, status >= 0);
        if (status >= 0)
            sys_exit(path != NULL && (status == 1 || status == 255) ? explain(bundle, status) : status);
        long signal = sys4(__NR_rt_sigtimedwait, PTR(&all), 0, 0, 8);
        if (signal > 0 && signal != SIGCHLD && !(signal == SIGIO && path != NULL))
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
    init_loop((int)child, argv[2], argc == 3);
}
#endif
