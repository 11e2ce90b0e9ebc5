/*
 * stopwatch [NAME=VALUE…] PROGRAM [ARGUMENT…]: runs a program with its standard output closed off, and prints the nanoseconds from
 * its start to its end. What measures adds a millisecond or two to every process that it starts itself, to ours and the peer's alike.
 * What the program leaves at work (the peer's clean-up process, our removal of a layer) is waited for after the watch has stopped, so
 * that it does not run beside the next measurement, which is the other's.
 */
#include <errno.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* At most 5 s: a process that is meant to stay (the peer's pause process) is nobody's business here. */
static void await_leftovers(void)
{
    for (int i = 0; i < 500; i++) {
        pid_t ended = waitpid(-1, NULL, WNOHANG);
        if (ended < 0 && errno == ECHILD)
            return;
        if (ended == 0)
            poll(NULL, 0, 10);
    }
}

int main(int argc, char **argv)
{
    int at = 1, status;
    for (; at < argc && strchr(argv[at], '='); at++)
        putenv(argv[at]);
    if (at >= argc)
        return 2;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t pid;
    long long start = now();
    if (posix_spawnp(&pid, argv[at], &actions, NULL, argv + at, environ) != 0 || waitpid(pid, &status, 0) < 0)
        return 127;
    printf("%lld\n", now() - start);
    await_leftovers();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
