/*
 * System calls without a C library, for the tiny program (stage, relay, init, holder).
 *
 * One rule: a call returns what the kernel returns, so a failure is a negative errno; there is no errno variable.
 * Structures and constants are the kernel's own (linux/, asm/). Everything goes through sys6(), which a hosted
 * build (BERTH_HOSTED: the fuzzer) replaces by a stub.
 */
#ifndef BERTH_TINY_SYS_H
#define BERTH_TINY_SYS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <asm/ioctls.h>
#include <asm/signal.h>
#include <asm/statfs.h>
#include <asm/termbits.h>
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <linux/uio.h>
#include <linux/un.h>
#include <linux/wait.h>

#ifdef BERTH_HOSTED
long sys6(long number, long a, long b, long c, long d, long e, long f);
#elif defined(__x86_64__)
static inline long sys6(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static inline long sys6(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}
#else
#error "the tiny program knows x86_64 and aarch64"
#endif

/* The operands that a call does not take are left to whatever the registers hold: passing zeros costs code. */
#if defined(__x86_64__) && !defined(BERTH_HOSTED)
static inline long sys0(long number)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
    return result;
}
static inline long sys1(long number, long a)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a) : "rcx", "r11", "memory");
    return result;
}
static inline long sys2(long number, long a, long b)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return result;
}
static inline long sys3(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
static inline long sys4(long number, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}
#else
#define sys0(number) sys6(number, 0, 0, 0, 0, 0, 0)
#define sys1(number, a) sys6(number, a, 0, 0, 0, 0, 0)
#define sys2(number, a, b) sys6(number, a, b, 0, 0, 0, 0)
#define sys3(number, a, b, c) sys6(number, a, b, c, 0, 0, 0)
#define sys4(number, a, b, c, d) sys6(number, a, b, c, d, 0, 0)
#endif
#define sys5(number, a, b, c, d, e) sys6(number, a, b, c, d, e, 0)
#define PTR(p) ((long)(p))

/* What linux/ headers leave to the C library. */
struct tiny_dirent {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

struct tiny_msghdr {
    void *name;
    int32_t name_length;
    struct iovec *iov;
    size_t iov_length;
    void *control;
    size_t control_length;
    uint32_t flags;
};

struct tiny_cmsghdr {
    size_t length;
    int32_t level;
    int32_t type;
};

struct tiny_ucred {
    uint32_t pid, uid, gid;
};

struct tiny_sigaction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

enum {
    TINY_AF_UNIX = 1,
    TINY_AF_INET = 2,
    TINY_AF_NETLINK = 16,
    TINY_SOCK_STREAM = 1,
    TINY_SOCK_DGRAM = 2,
    TINY_SOCK_SEQPACKET = 5,
    TINY_SOCK_CLOEXEC = 02000000,
    TINY_SOCK_NONBLOCK = 04000,
    TINY_SOL_SOCKET = 1,
    TINY_SCM_RIGHTS = 1,
    TINY_SCM_CREDENTIALS = 2,
    TINY_SO_PASSCRED = 16,
    TINY_MSG_DONTWAIT = 0x40,
    TINY_MSG_TRUNC = 0x20,
    TINY_MSG_CTRUNC = 8,
    TINY_MSG_NOSIGNAL = 0x4000,
    TINY_MSG_CMSG_CLOEXEC = 0x40000000,
    TINY_DT_DIR = 4,
    TINY_P_PIDFD = 3,
    TINY_P_ALL = 0,
    TINY_PROT_READ = 1,
    TINY_PROT_WRITE = 2,
    TINY_MAP_PRIVATE = 2,
    TINY_MAP_ANONYMOUS = 0x20,
    TINY_SEEK_SET = 0,
    TINY_LOCK_EX = 2,
    TINY_SYNC_WAIT_BEFORE = 1,
    TINY_SYNC_WRITE = 2,
    TINY_SYNC_WAIT_AFTER = 4,
    TINY_R_OK = 4,
    TINY_W_OK = 2,
    TINY_X_OK = 1,
    TINY_S_IFMT = 0170000,
};

#ifndef MFD_EXEC /* Linux 6.3 */
#define MFD_EXEC 0x10U
#endif
#ifndef O_PATH
#define O_PATH 010000000
#endif

/* Thin names, in the order of their use. */
static inline long sys_read(int fd, void *data, size_t n)
{
    return sys3(__NR_read, fd, PTR(data), (long)n);
}
static inline long sys_write(int fd, const void *data, size_t n)
{
    return sys3(__NR_write, fd, PTR(data), (long)n);
}
static inline long sys_close(int fd)
{
    return sys1(__NR_close, fd);
}
static inline long sys_openat(int dir, const char *path, int flags, int mode)
{
    return sys4(__NR_openat, dir, PTR(path), flags, mode);
}
/* openat2.c */
long openat2_fallback(int dir, const char *path, uint64_t flags, uint64_t resolve);
static inline long sys_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    long fd = sys4(__NR_openat2, dir, PTR(path), PTR(&how), sizeof how);
    /* EAGAIN: a rename anywhere on the host raced with a `..`, as openat2(2) warns. */
    return fd == -ENOSYS || fd == -EAGAIN ? openat2_fallback(dir, path, flags, resolve) : fd;
}
static inline long sys_statx(int dir, const char *path, int flags, unsigned mask, struct statx *out)
{
    return sys5(__NR_statx, dir, PTR(path), flags, mask, PTR(out));
}
static inline long sys_fstatfs(int fd, struct statfs *out)
{
    return sys2(__NR_fstatfs, fd, PTR(out));
}
static inline long sys_dup3(int from, int to, int flags)
{
    return sys3(__NR_dup3, from, to, flags);
}
static inline long sys_fcntl(int fd, int command, long argument)
{
    return sys3(__NR_fcntl, fd, command, argument);
}
static inline long sys_ioctl(int fd, unsigned long request, long argument)
{
    return sys3(__NR_ioctl, fd, (long)request, argument);
}
static inline long sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    return sys3(__NR_close_range, first, last, flags);
}
static inline long sys_getpid(void)
{
    return sys0(__NR_getpid);
}
static inline long sys_kill(int pid, int signal)
{
    return sys2(__NR_kill, pid, signal);
}
static inline long sys_prctl(int option, long a, long b, long c, long d)
{
    return sys5(__NR_prctl, option, a, b, c, d);
}
static inline long sys_wait4(int pid, int *status, int options)
{
    return sys4(__NR_wait4, pid, PTR(status), options, 0);
}
static inline long sys_sendmsg(int fd, const struct tiny_msghdr *message, int flags)
{
    return sys3(__NR_sendmsg, fd, PTR(message), flags);
}
static inline long sys_recvmsg(int fd, struct tiny_msghdr *message, int flags)
{
    return sys3(__NR_recvmsg, fd, PTR(message), flags);
}
static inline long sys_mmap(size_t length, int protection, int flags, int fd)
{
    return sys6(__NR_mmap, 0, (long)length, protection, flags, fd, 0);
}
static inline long sys_execveat(int dir, const char *path, char *const *argv, char *const *envp, int flags)
{
    return sys5(__NR_execveat, dir, PTR(path), PTR(argv), PTR(envp), flags);
}
static inline long sys_ppoll(struct pollfd *fds, unsigned n, const struct __kernel_timespec *timeout)
{
    return sys5(__NR_ppoll, PTR(fds), n, PTR(timeout), 0, 8);
}
static inline long sys_sigprocmask(int how, const uint64_t *set, uint64_t *old)
{
    return sys4(__NR_rt_sigprocmask, how, PTR(set), PTR(old), 8);
}
#ifdef BERTH_HOSTED
_Noreturn void sys_exit(int status);
#else
static inline _Noreturn void sys_exit(int status)
{
    for (;;)
        sys1(__NR_exit_group, status);
}
#endif

/* The programs in one; see main.c. */
int stage_main(int argc, char **argv, char **envp) __attribute__((weak));
int relay_main(int argc, char **argv, char **envp) __attribute__((weak));
int holder_main(int argc, char **argv, char **envp) __attribute__((weak));

#endif
