/*
 * One error type, one rule.
 *
 * A function that can fail takes `struct error *` last and returns a negative number (or NULL) on failure, and only
 * then has it filled the error. It says what failed (the system call as in man 2), on what (path or name, may be empty)
 * and why (errno, and a text for people; empty: strerror). Callers add nothing that the error already says. Results
 * named `ret_*` are untouched on failure.
 */
#pragma once
#include <stddef.h>

struct error {
    int number; /* errno */
    char syscall[32];
    char path[4096];
    char text[512];
};

/* Fills the error and returns -1. `number` is an errno; `format` may be NULL: then the text is that of the errno. */
int error_set(struct error *error, const char *syscall, int number, const char *path, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* As error_set with errno and its own text. */
int error_errno(struct error *error, const char *syscall, const char *path);

/* "ENOENT" and the like; "E123" for a number without a name. The result is static. */
const char *error_name(int number);

/* Releases what a scope acquired. */
void cleanup_close_fd(int *fd);
void cleanup_free_pointer(void *pointer);
#define cleanup_close __attribute__((cleanup(cleanup_close_fd)))
#define cleanup_free __attribute__((cleanup(cleanup_free_pointer)))

/* Takes a descriptor out of its scope. */
static inline int steal_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

static inline void *steal_pointer(void *pointer)
{
    void **place = pointer;
    void *taken = *place;
    *place = NULL;
    return taken;
}
