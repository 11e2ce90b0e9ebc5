/* tiny/openat2.h on libc's system calls. */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_OPENAT(directory, name, flags) minus(openat(directory, name, (int)(flags)))
#define STEP_READLINK(fd, text, size) minus(readlinkat(fd, "", text, size))
#define STEP_STATX(fd, about) minus(statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, about))
#define STEP_CLOSE(fd) close(fd)

static long minus(long result)
{
    return result < 0 ? -errno : result;
}

#include "tiny/openat2.h"
