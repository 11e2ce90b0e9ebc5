/*
 * Guard and hold: what must be true when one of us, or the payload, ends.
 *
 * The guard is the relay's twin: same memory, same descriptors (CLONE_VM, CLONE_FILES), a process of its own. It waits
 * for the relay and the payload. When the relay ends first, it says so in the journal and kills payload/: a unit must
 * not look healthy and log nothing. A guard that was killed is replaced.
 *
 * The hold keeps the payload's exit back until its last line is in the journal. With KillMode=mixed systemd kills what
 * is left of a unit in the moment it sees the main process end, so a relay that still drains would lose the race now
 * and then. But the first process of a pid namespace does not become visible as ended before every pid that was given
 * out in the namespace is free again (pid_namespaces(7); the kernel's zap_pid_ns_processes()), while its descriptors
 * are closed and its children killed before that. A pid is in use as long as it names a process group. So:
 *   - a helper enters the payload's pid namespace and clones a process there, with us as parent, which makes itself
 *     leader of a process group and ends: nothing of ours is ever seen or reached from inside;
 *   - the guard, outside of the namespace, joins this group; the ended leader is reaped: its number stays in use;
 *   - when both streams are flushed, the guard ends and is reaped: the number is free, the payload's exit goes on.
 * All this is done before the payload is executed. A relay that is killed takes the hold along with the guard.
 * Without a new pid namespace there is no hold: then draining is a race with systemd.
 */
#include "relay.h"

enum { STACK = 1024, WALL = 0x40000000 };
static char stack[STACK] __attribute__((aligned(16)));

/* clone(2) of a process that calls `run` on its own stack; `run` does not return. */
static __attribute__((noinline)) long clone_run(unsigned long flags, char *top, int *pidfd, void (*run)(void))
{
#if defined(__x86_64__)
    register long r10 __asm__("r10") = 0;
    register long r8 __asm__("r8") = 0;
    long result;
    __asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\txor %%ebp, %%ebp\n\tcall *%6\n1:"
                     : "=a"(result)
                     : "a"(__NR_clone), "D"(flags), "S"(top), "d"(pidfd), "r"(r10), "r"(run), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
#else
    register long x8 __asm__("x8") = __NR_clone;
    register long x0 __asm__("x0") = (long)flags;
    register long x1 __asm__("x1") = (long)top;
    register long x2 __asm__("x2") = (long)pidfd;
    register long x3 __asm__("x3") = 0;
    register long x4 __asm__("x4") = 0;
    __asm__ volatile("svc 0\n\tcbnz x0, 1f\n\tblr %6\n1:"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(run)
                     : "x30", "memory");
    return x0;
#endif
}

static void guard_run(void)
{
    sys_prctl(PR_SET_NAME, PTR("berth-guard"), 0, 0, 0);
    struct pollfd fds[2] = {{.fd = relay.self, .events = POLLIN}, {.fd = relay.payload, .events = POLLIN}};
    while (sys_ppoll(fds, 2, NULL) < 0)
        ;
    if (!relay.leaving && fds[1].revents == 0) {
        log_say(
            "\n<2>berth: the process that carries this container's output was killed; the container is killed, too\n");
        if (sys_write(relay.kill, "1", 1) < 0)
            sys4(__NR_pidfd_send_signal, relay.payload, SIGKILL, 0, 0);
    }
    sys_exit(0);
}

void guard_start(void)
{
    if (relay.payload < 0 || relay.self < 0 || relay.attended)
        return;
    unsigned long flags = CLONE_VM | CLONE_FILES | CLONE_PIDFD;
    long pid = clone_run(flags, stack + STACK, &relay.guard, guard_run);
    if (pid < 0) {
        relay.guard = -1;
        return;
    }
    relay.guard_pid = (int)pid;
    if (relay.hold && sys2(__NR_setpgid, pid, relay.hold_pid) < 0)
        relay.hold = false;
    if (relay.hold_pid > 0)
        sys_wait4(relay.hold_pid, NULL, WALL);
    relay.hold_pid = 0;
}

static void guard_reap(void)
{
    sys_wait4(relay.guard_pid, NULL, WALL);
    relay_close(&relay.guard);
}

/* It ends before us only when it was killed, or together with the payload. The hold went with it. */
void guard_ended(void)
{
    guard_reap();
    relay.hold = false;
    if (!relay.ended)
        guard_start();
}

static void leader_run(void)
{
    sys2(__NR_setpgid, 0, 0);
    sys_exit(0);
}

static void helper_run(void)
{
    long flags = CLONE_NEWPID | (relay.hold_user ? CLONE_NEWUSER : 0);
    if (sys2(__NR_setns, relay.payload, flags) >= 0)
        relay.hold_pid = (int)clone_run(CLONE_VM | CLONE_VFORK | CLONE_PARENT, stack + STACK / 2, NULL, leader_run);
    sys_exit(0);
}

void hold_take(void)
{
    long helper = clone_run(CLONE_VM | CLONE_VFORK, stack + STACK, NULL, helper_run);
    if (helper > 0)
        sys_wait4((int)helper, NULL, WALL);
    relay.hold = relay.hold_pid > 0;
    if (relay.hold_pid < 0)
        relay.hold_pid = 0;
}

void hold_release(void)
{
    if (!relay.hold)
        return;
    /* Under systemd, which reaps the guard, we go first: else it would find us among what is left of the unit, and say so. */
    relay.leaving = relay.ended && relay.manager != NULL;
    if (relay.leaving)
        return;
    relay.hold = false;
    sys4(__NR_pidfd_send_signal, relay.guard, SIGKILL, 0, 0);
    guard_reap();
    /* The payload that only closed its streams goes on, and so does the watch over it. */
    if (!relay.ended)
        guard_start();
}
