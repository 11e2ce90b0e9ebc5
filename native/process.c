#include "process.h"
#include "clone.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char search_path[] = "/usr/sbin:/usr/bin:/sbin:/bin";

/* The file of a word: itself when it has a slash, else the first executable of that name in the search path. */
static int find_program(const char *word, char path[PATH_MAX], struct error *error)
{
    if (word == NULL || *word == 0)
        return error_set(error, "execve", EINVAL, "", "there is no word that names a program");
    if (strchr(word, '/')) {
        if (snprintf(path, PATH_MAX, "%s", word) >= PATH_MAX)
            return error_set(error, "execve", ENAMETOOLONG, word, NULL);
        return 0;
    }
    for (const char *at = search_path; *at;) {
        size_t length = strcspn(at, ":");
        struct stat status;
        if (snprintf(path, PATH_MAX, "%.*s/%s", (int)length, at, word) < PATH_MAX && stat(path, &status) == 0 &&
            S_ISREG(status.st_mode) && access(path, X_OK) == 0)
            return 0;
        at += length + (at[length] == ':');
    }
    return error_set(error, "execve", ENOENT, word, "not found in %s", search_path);
}

struct start {
    const char *path;
    char *const *argv;
    char *const *environment;
    struct placement stdio[3];
    volatile long failure; /* -errno of the child: its memory is ours until the exec */
};

__attribute__((noreturn, no_sanitize("address", "undefined"))) static void start_child(void *argument)
{
    struct start *start = argument;
    child_reset_signals();
    long result = child_place(start->stdio, 3);
    if (result == 0)
        result = RAW(SYS_execve, start->path, start->argv, start->environment, 0);
    start->failure = result;
    for (;;)
        RAW(SYS_exit_group, 127, 0, 0, 0);
}

int process_start(char *const argv[], char *const environment[], const int stdio[3], struct process *ret_process,
                  struct error *error)
{
    char path[PATH_MAX];
    if (find_program(argv[0], path, error) < 0)
        return -1;
    struct start start = {.path = path, .argv = argv, .environment = environment};
    for (int i = 0; i < 3; i++)
        start.stdio[i] = (struct placement){stdio[i], i, 0};
    int pidfd = -1;
    struct clone_args arguments = {
        .flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
    };
    long pid = clone_with_stack(&arguments, start_child, &start);
    if (pid < 0)
        return error_set(error, "clone3", (int)-pid, path, NULL);
    if (start.failure < 0) {
        waitpid((pid_t)pid, NULL, 0);
        close(pidfd);
        return error_set(error, "execve", (int)-start.failure, path, NULL);
    }
    *ret_process = (struct process){(pid_t)pid, pidfd};
    return 0;
}

int process_become(char *const argv[], char *const environment[], struct error *error)
{
    char path[PATH_MAX];
    if (find_program(argv[0], path, error) < 0)
        return -1;
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        return error_errno(error, "close_range", path);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(path, argv, environment);
    return error_errno(error, "execve", path);
}

int process_wait(int pidfd, struct process_end *ret_end, struct error *error)
{
    siginfo_t info = {0};
    while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0) {
        if (errno == ECHILD)
            return error_set(error, "waitid", ECHILD, "", "the process is not a child of ours");
        if (errno != EINTR)
            return error_errno(error, "waitid", "");
    }
    bool exited = info.si_code == CLD_EXITED;
    *ret_end = (struct process_end){exited ? info.si_status : 0, exited ? 0 : info.si_status};
    return 0;
}
