/*
 * journald learns the unit of a line from the control group of the process that connected the stream, which it reads from
 * /proc when it takes the line (systemd, journald-context.c). When the process is gone by then, a line from a user manager's
 * unit is stored without its unit, and `journalctl --user -u` does not show why the start failed. So a process that fails
 * waits until journald has taken what was written: it connects a second stream, says nothing over it, and waits for its end.
 * journald serves the streams in the order in which they became ready (sd_event_source_set_priority(3): all have the same).
 * The first stream stays as it is, since others may share it: a shell in a unit, the manager itself beside a generator.
 *
 * journald shuts down its writing side from the start, so after our shutdown(2) poll(2) says POLLHUP at once; POLL_HUP as a
 * signal comes from the peer's close alone.
 */
#include "journal-end.h"
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_SECONDS = 2 };

/* JOURNAL_STREAM= names the device and inode of what systemd connected (systemd.exec(5)). */
static bool is_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char name[64];
    struct stat status;
    if (!stream || fstat(fd, &status) < 0)
        return false;
    snprintf(name, sizeof(name), "%lu:%lu", (unsigned long)status.st_dev, (unsigned long)status.st_ino);
    return strcmp(name, stream) == 0;
}

static void wait_for_journal(void)
{
    static const char header[] = "\n\n6\n0\n0\n0\n0\n"; /* identifier, unit, priority, four switches */
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/stdout"};
    struct timespec longest = {.tv_sec = LONGEST_SECONDS};
    sigset_t closed;
    siginfo_t info;
    sigemptyset(&closed);
    sigaddset(&closed, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &closed, NULL);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        write(fd, header, sizeof(header) - 1) < 0 || fcntl(fd, F_SETOWN, getpid()) < 0 ||
        fcntl(fd, F_SETSIG, SIGRTMIN) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC) < 0 || shutdown(fd, SHUT_WR) < 0)
        return;
    do
        if (sigtimedwait(&closed, &info, &longest) < 0)
            return;
    while (info.si_code != POLL_HUP);
}

void journal_end(int status)
{
    fflush(stderr);
    if (status != 0 && is_journal(STDERR_FILENO))
        wait_for_journal();
    _exit(status);
}
