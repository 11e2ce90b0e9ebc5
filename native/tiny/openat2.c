#include "sys.h"
#include "text.h"

#define STEP_OPENAT(directory, name, flags) sys_openat(directory, name, (int)(flags), 0)
#define STEP_READLINK(fd, text, size) sys4(__NR_readlinkat, fd, PTR(""), PTR(text), (long)(size))
#define STEP_STATX(fd, about) sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, about)
#define STEP_CLOSE(fd) sys_close(fd)
#include "openat2.h"

long openat2_fallback(int directory, const char *path, uint64_t flags, uint64_t resolve)
{
    return openat2_by_steps(directory, path, flags, resolve);
}
