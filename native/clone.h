/*
 * New processes that share our memory until they exec (CLONE_VM): nothing is copied, whatever the size of the heap.
 *
 * What runs in the child before exec uses raw system calls only: no errno, no locks, no allocation, since the parent's
 * memory is under it. With CLONE_VFORK the parent waits for the exec; without, the parent goes on at the same time and
 * leaves what the child reads alone.
 */
#pragma once
#include "error.h"
#include <linux/sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* Runs `function(argument)` in the child on a stack of its own; it must not return. clone3(2): a pid or -errno. */
long clone_with_stack(struct clone_args *arguments, void (*function)(void *), void *argument);

/* A system call without errno: result or -errno. */
static inline long raw6(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    result = x0;
#else
#error "this processor is not supported"
#endif
    return result;
}
#define RAW(number, a, b, c, d) raw6(number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* In the child: default dispositions for all signals, nothing blocked. */
void child_reset_signals(void);

/* In the child: one descriptor that is to stand at `number`. */
struct placement {
    int from;       /* a descriptor of the parent's table, copied with the clone */
    int number;     /* where it stands in the new program */
    unsigned flags; /* O_CLOEXEC: only needed until the exec */
};

/*
 * In the child: places the descriptors and closes all others. Sources are first moved above every target, so that no
 * placement covers a source. 0 or -errno.
 */
long child_place(struct placement *placements, size_t count);
