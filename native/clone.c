#include "clone.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Each child that runs beside us keeps its stack to itself; it is never unmapped, as nobody knows when the child has
 * left it. A launch has one or two.
 */
enum { stack_size = 64 * 1024 };

__attribute__((noinline)) static long enter(struct clone_args *arguments, void (*function)(void *), void *argument)
{
    long result;
#if defined(__x86_64__)
    register void (*kept_function)(void *) __asm__("r12") = function;
    register void *kept_argument __asm__("r13") = argument;
    __asm__ volatile("syscall\n"
                     "test %%rax, %%rax\n"
                     "jnz 1f\n"
                     "xor %%ebp, %%ebp\n"
                     "mov %%r13, %%rdi\n"
                     "call *%%r12\n"
                     "hlt\n"
                     "1:\n"
                     : "=a"(result)
                     : "a"((long)SYS_clone3), "D"(arguments), "S"(sizeof(*arguments)), "r"(kept_function),
                       "r"(kept_argument)
                     : "rcx", "r11", "memory");
#else
    register long x8 __asm__("x8") = SYS_clone3;
    register long x0 __asm__("x0") = (long)arguments;
    register long x1 __asm__("x1") = sizeof(*arguments);
    register void (*kept_function)(void *) __asm__("x19") = function;
    register void *kept_argument __asm__("x20") = argument;
    __asm__ volatile("svc 0\n"
                     "cbnz x0, 1f\n"
                     "mov x29, 0\n"
                     "mov x0, x20\n"
                     "blr x19\n"
                     "brk 0\n"
                     "1:\n"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(kept_function), "r"(kept_argument)
                     : "memory", "x30");
    result = x0;
#endif
    return result;
}

long clone_with_stack(struct clone_args *arguments, void (*function)(void *), void *argument)
{
    void *stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED)
        return -errno;
    arguments->flags |= CLONE_VM;
    arguments->stack = (uint64_t)(uintptr_t)stack;
    arguments->stack_size = stack_size;
    /* No handler of ours may run in the child on the shared memory. */
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    long pid = enter(arguments, function, argument);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0 || (arguments->flags & CLONE_VFORK))
        munmap(stack, stack_size);
    return pid;
}

__attribute__((no_sanitize("address", "undefined"))) void child_reset_signals(void)
{
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } fallback = {0}, current;
    for (int number = 1; number <= 64; number++) {
        if (RAW(SYS_rt_sigaction, number, 0, &current, 8) == 0 && current.handler != NULL)
            RAW(SYS_rt_sigaction, number, &fallback, 0, 8);
    }
    uint64_t none = 0;
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
}

__attribute__((no_sanitize("address", "undefined"))) long child_place(struct placement *placements, size_t count)
{
    int above = 3;
    for (size_t i = 0; i < count; i++)
        if (placements[i].number >= above)
            above = placements[i].number + 1;
    for (size_t i = 0; i < count; i++) {
        if (placements[i].from == placements[i].number)
            continue;
        long moved = RAW(SYS_fcntl, placements[i].from, F_DUPFD_CLOEXEC, above, 0);
        if (moved < 0)
            return moved;
        placements[i].from = (int)moved;
    }
    int next = 0; /* placements are in ascending order of their numbers: close the gaps on the way */
    for (size_t i = 0; i < count; i++) {
        int number = placements[i].number;
        long result = placements[i].from == number
                          ? RAW(SYS_fcntl, number, F_SETFD, placements[i].flags ? FD_CLOEXEC : 0, 0)
                          : RAW(SYS_dup3, placements[i].from, number, placements[i].flags, 0);
        if (result < 0)
            return result;
        if (number > next)
            RAW(SYS_close_range, next, number - 1, 0, 0);
        next = number + 1;
    }
    return RAW(SYS_close_range, next, ~0U, 0, 0);
}
