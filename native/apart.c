/*
 * A kernel with autogroups gives each session the same part of the processors, and a niceness counts within a session alone (sched(7), "The
 * autogroup feature"). What is to leave the processors to others in all sessions needs one of its own, whose niceness is that of the
 * group: but a session of its own gets no signal from the terminal, and nobody waits for it. So there are two processes.
 *
 *   carrier   who was started: waits, hands on signals, ends as the other ends
 *   worker    leader of the new session; the kernel ends it when the carrier ends
 *
 * The same pair keeps Node and its children from signals that who started us ignores (nohup(1); a script's command with `&`): Node takes
 * each back to its default when it begins, and so do children of it. The carrier ignores them still, and the terminal sends none to the worker.
 *
 * And what root runs as another account (src/verbs/for-account.ts) is a worker, too: it holds root's terminal open, and whatever else runs as that
 * account may trace it. In the terminal's own session it could type there as root (TIOCSTI).
 */
#include "apart.h"
#include "journal-end.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * A thirtieth of what another session gets that wants a processor whole: a pull still ends there. 19 spares the others no more, 10 less
 * (packaging/decisions/0009). CPUWeight= of the scope (src/verbs/stand-aside.ts) is the same part.
 */
#define GROUP_NICENESS "15"

/* What a terminal sends, and what asks for an end. A signal that nobody can hand on ends the carrier, and with it the worker; SIGSTOP stops the carrier alone. */
static const int handed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGUSR1, SIGUSR2};

static bool is_ignored(int number)
{
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

bool ignores_terminal(void)
{
    return is_ignored(SIGHUP) || is_ignored(SIGINT) || is_ignored(SIGQUIT);
}

/* Not what is ignored: a blocked signal is kept all the same, and would be handed on. */
static void watched(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < sizeof(handed_on) / sizeof(*handed_on); i++)
        if (!is_ignored(handed_on[i]))
            sigaddset(set, handed_on[i]);
    sigaddset(set, SIGCHLD);
    if (!is_ignored(SIGTSTP))
        sigaddset(set, SIGTSTP);
}

/* Of others than root the kernel takes one a tenth of a second, of all sessions together (kernel/sched/autogroup.c). */
static void lower_group(void)
{
    for (int tries = 0; tries < 3; tries++) {
        int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
        if (fd < 0)
            return;
        ssize_t written = write(fd, GROUP_NICENESS, strlen(GROUP_NICENESS));
        int number = errno;
        close(fd);
        if (written >= 0 || number != EAGAIN)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 110 * 1000 * 1000}, NULL);
    }
}

/* As the worker ended. A core is its own. */
__attribute__((noreturn)) static void end_as(int status)
{
    if (!WIFSIGNALED(status))
        journal_end(WEXITSTATUS(status));
    int number = WTERMSIG(status);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    signal(number, SIG_DFL);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    journal_end(128 + number);
}

__attribute__((noreturn)) static void carry(pid_t worker, const sigset_t *set)
{
    for (;;) {
        int status, number = sigwaitinfo(set, NULL);
        if (number == SIGCHLD) {
            if (waitpid(worker, &status, WNOHANG) == worker)
                end_as(status);
        } else if (number == SIGTSTP) {
            kill(worker, SIGSTOP);
            raise(SIGSTOP);
            kill(worker, SIGCONT);
        } else if (number > 0) {
            kill(worker, number);
        }
    }
}

void stand_apart(bool lowered)
{
    sigset_t set, before;
    pid_t carrier = getpid();
    watched(&set);
    signal(SIGCHLD, SIG_DFL); /* ignored by who started us, it would take the status */
    sigprocmask(SIG_BLOCK, &set, &before);
    pid_t worker = fork();
    if (worker > 0)
        carry(worker, &set);
    if (worker == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != carrier)
            _exit(128 + SIGKILL);
        setsid();
        if (lowered)
            lower_group();
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}
