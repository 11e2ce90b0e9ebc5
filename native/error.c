#include "error.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int error_set(struct error *error, const char *syscall, int number, const char *path, const char *format, ...)
{
    error->number = number;
    snprintf(error->syscall, sizeof(error->syscall), "%s", syscall);
    snprintf(error->path, sizeof(error->path), "%s", path ? path : "");
    if (format == NULL) {
        const char *text = strerrordesc_np(number);
        if (text != NULL)
            snprintf(error->text, sizeof(error->text), "%s", text);
        else
            snprintf(error->text, sizeof(error->text), "error %d", number);
        /* Messages begin in lower case, as everywhere in Berth. */
        if (error->text[0] >= 'A' && error->text[0] <= 'Z' && error->text[1] >= 'a')
            error->text[0] += 'a' - 'A';
        return -1;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return -1;
}

int error_errno(struct error *error, const char *syscall, const char *path)
{
    return error_set(error, syscall, errno, path, NULL);
}

const char *error_name(int number)
{
    static char unknown[16];
    const char *name = strerrorname_np(number);
    if (name != NULL)
        return name;
    snprintf(unknown, sizeof(unknown), "E%d", number);
    return unknown;
}

void cleanup_close_fd(int *fd)
{
    if (*fd < 0)
        return;
    int kept = errno;
    close(*fd);
    errno = kept;
}

void cleanup_free_pointer(void *pointer)
{
    free(*(void **)pointer);
}
