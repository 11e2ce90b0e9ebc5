/* Entry of the tiny program and the four functions that the compiler takes for granted. */
#include "sys.h"
#include "text.h"

int tiny_main(int argc, char **argv, char **envp);
_Noreturn void tiny_start(long *stack) __attribute__((used));

#if defined(__x86_64__)
__asm__(".text\n.global _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall tiny_start\n");
#elif defined(__aarch64__)
__asm__(".text\n.global _start\n_start:\n\tmov x29, #0\n\tmov x30, #0\n\tmov x0, sp\n\tbl tiny_start\n");
#endif

/* The kernel's layout (man 5 elf, "initial stack"): argc, argv… NULL, envp… NULL. */
_Noreturn void tiny_start(long *stack)
{
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1);
    sys_exit(tiny_main(argc, argv, argv + argc + 1));
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    char *t = to;
    const char *f = from;
    while (n-- != 0)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    char *t = to;
    const char *f = from;
    if (t < f)
        return memcpy(to, from, n);
    while (n-- != 0)
        t[n] = f[n];
    return to;
}

void *memset(void *to, int byte, size_t n)
{
    for (char *t = to; n-- != 0;)
        *t++ = (char)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *p = a, *q = b;
    for (; n-- != 0; p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}
