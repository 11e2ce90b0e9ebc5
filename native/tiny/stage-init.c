/*
 * The operations `init`, `watch` and `hold`: the stage stays as the first process, in the shape of a program of one page. For `init` (init.c) its
 * child goes on to the exec; `hold` (holder.c) is all there is.
 */
#include "init.h"
#include "stage.h"

#ifndef BERTH_HOSTED
__asm__(".section .rodata\n.balign 16\ninit_image: .incbin \"build/init\"\ninit_image_end: .byte 0\n"
        ".balign 16\nholder_image: .incbin \"build/holder\"\nholder_image_end: .byte 0\n.text\n");
extern const char init_image[], init_image_end[], holder_image[], holder_image_end[];
#else
static const char init_image[1], holder_image[1];
#define init_image_end init_image
#define holder_image_end holder_image
#endif

/* Its own group in the foreground: the terminal's signals are for the payload. */
static void become_foreground(void)
{
    uint64_t none = 0, ttou = 1ull << (SIGTTOU - 1);
    int group = (int)sys_getpid();
    sys2(__NR_setpgid, 0, 0);
    sys_sigprocmask(SIG_SETMASK, &ttou, NULL);
    sys_ioctl(0, TIOCSPGRP, PTR(&group));
    sys_sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A sealed memfd with the small program: what stays beside the payload is a page of code, not the whole stage. */
static int open_image(const char *name, const char *image, long size)
{
    long fd = sys2(__NR_memfd_create, PTR(name), MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (fd == -EINVAL) /* before Linux 6.3 */
        fd = sys2(__NR_memfd_create, PTR(name), MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || size == 0)
        return -1;
    if (sys_write((int)fd, image, (size_t)size) != size ||
        sys_fcntl((int)fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        return -1;
    return (int)fd;
}

/* `status`: the pipe that goes on as FD_STARTED, or -1. Returns, with no descriptor left, where the image cannot be executed. */
static void execute_image(char **words, const char *image, long size, int status)
{
    static char *const no_environment[] = {NULL};
    int fd = open_image(words[0], image, size);
    /* dup3(2) refuses a descriptor that is there already. */
    if (fd == 3 || (fd >= 0 && sys_dup3(fd, 3, O_CLOEXEC) >= 0)) {
        if (status >= 0)
            sys_dup3(status, FD_STARTED, 0);
        sys_close_range(status >= 0 ? FD_STARTED + 1 : FD_STARTED, ~0u, 0);
        sys_execveat(3, "", words, no_environment, AT_EMPTY_PATH);
    }
    sys_close_range(3, ~0u, 0);
}

static _Noreturn void become_reaper(long child, const char *bundle)
{
    TEXT(number, 24);
    text_add_number(&number, child);
    char *words[] = {"berth-init", number.start, (char *)bundle, NULL};
    execute_image(words, init_image, init_image_end - init_image, bundle != NULL ? FD_STATUS : -1);
    init_loop((int)child, bundle, false);
}

int op_hold(struct stage *s, const struct op *op)
{
    char *words[] = {"berth-holder", NULL};
    uint64_t all = ~0ull;
    (void)op;
    int result = apply_sets(s);
    if (result < 0)
        return result;
    sys_sigprocmask(SIG_SETMASK, &all, NULL);
    execute_image(words, holder_image, holder_image_end - holder_image, -1);
    sys_exit(holder_main(1, words, words + 1));
}

int op_init(struct stage *s, const struct op *op)
{
    uint64_t all = ~0ull;
    int result = apply_sets(s);
    if (result < 0)
        return result;
    /* Before the child is there: a signal that comes meanwhile is kept for the reaper. */
    sys_sigprocmask(SIG_SETMASK, &all, NULL);
    /* Before it, too: the payload never sees a pid 1 of another name. */
    sys_prctl(PR_SET_NAME, PTR("berth-init"), 0, 0, 0);
    /* Not clone3(2): filters of containers answer that with ENOSYS, since they cannot look into its structure. */
    long pid = sys5(__NR_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid > 0)
        become_reaper(pid, op->count > 0 ? op->fields[0] : NULL);
    if (pid == 0)
        become_foreground();
    return (int)pid;
}

int op_watch(struct stage *s, const struct op *op)
{
    return op_init(s, op);
}
