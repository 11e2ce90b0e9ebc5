/*
 * What is left to a process that data of strangers pass: sockets of the container's with a foreign address, and no other way to the kernel.
 */
#include "ports.h"
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* CAP_NET_RAW is enough for IP_TRANSPARENT and SO_MARK (since Linux 5.17); a client's port may be below the unprivileged ones. */
void give_up_power(void)
{
    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
            fail("capabilities", "");
    uint32_t kept = 1U << CAP_NET_RAW | 1U << CAP_NET_BIND_SERVICE;
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{.effective = kept, .permitted = kept}, {0}};
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capset, &head, data) < 0)
        fail("capabilities", "");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        fail("prctl", "");
}

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, what)
#define ALLOW(call) UNLESS(__NR_##call, 1), ANSWER(SECCOMP_RET_ALLOW)

/* The arguments are little-endian: their first half is the one that counts for an int. */
static const struct sock_filter rules[] __attribute__((unused)) = {
    LOAD(arch),
    UNLESS(ARCHITECTURE, 1),
    BPF_STMT(BPF_JMP | BPF_JA, 1),
    ANSWER(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
    ALLOW(splice),
#ifdef __NR_epoll_wait
    ALLOW(epoll_wait),
#endif
    ALLOW(epoll_pwait),
    ALLOW(epoll_ctl),
    ALLOW(accept4),
    ALLOW(bind),
    ALLOW(connect),
    ALLOW(setsockopt),
    ALLOW(getsockname),
    ALLOW(shutdown),
    ALLOW(close),
    ALLOW(pipe2),
    ALLOW(fcntl),
    ALLOW(recvfrom),
    ALLOW(sendto),
    ALLOW(brk),
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(madvise),
    ALLOW(getrandom),
    ALLOW(restart_syscall),
    ALLOW(setitimer),
    ALLOW(clock_gettime), /* where the vdso has no clock */
    ALLOW(futex),         /* of malloc(3) between two threads */
    ALLOW(exit_group),
    /* Memory that is not executed. */
    UNLESS(__NR_mmap, 3),
    LOAD(args[2]),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4 /* PROT_EXEC */, 1, 0),
    ANSWER(SECCOMP_RET_ALLOW),
    /* What a receiver has not taken. */
    LOAD(nr),
    UNLESS(__NR_ioctl, 3),
    LOAD(args[1]),
    UNLESS(SIOCOUTQ, 1),
    ANSWER(SECCOMP_RET_ALLOW),
    /* Why a server was not reached. */
    LOAD(nr),
    UNLESS(__NR_getsockopt, 3),
    LOAD(args[2]),
    UNLESS(SO_ERROR, 1),
    ANSWER(SECCOMP_RET_ALLOW),
    /* TCP alone: the capability would allow raw sockets. */
    LOAD(nr),
    UNLESS(__NR_socket, 8),
    LOAD(args[2]),
    UNLESS(0, 6),
    LOAD(args[1]),
    UNLESS(SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 4),
    LOAD(args[0]),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0),
    UNLESS(AF_INET6, 1),
    ANSWER(SECCOMP_RET_ALLOW),
    ANSWER(SECCOMP_RET_KILL_PROCESS),
};

void filter_calls(void)
{
#ifndef BERTH_UNFILTERED /* sanitizers have calls of their own */
    struct sock_fprog program = {.len = sizeof(rules) / sizeof(*rules), .filter = (struct sock_filter *)rules};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
        _exit(1);
#endif
}
