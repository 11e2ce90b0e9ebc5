/*
 * openat2_by_steps beside the kernel's openat2: random trees with links of all kinds, random paths and flags. Both must find the
 * same inode, or both must fail. differential DIRECTORY SEED TURNS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long minus(long result)
{
    return result < 0 ? -errno : result;
}
#define STEP_OPENAT(directory, name, flags) minus(openat(directory, name, (int)(flags)))
#define STEP_READLINK(fd, text, size) minus(readlinkat(fd, "", text, size))
#define STEP_STATX(fd, about) minus(statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, about))
#define STEP_CLOSE(fd) close(fd)
#include "openat2.h"

static uint32_t state;
static unsigned pick(unsigned below)
{
    state = state * 1664525 + 1013904223;
    return (uint32_t)(((uint64_t)state * below) >> 32);
}

static const char *const names[] = {"a", "b", "c", "l", "m", "f", "..", ".", "", "nothing"};

static void make_path(char *path, bool may_be_absolute)
{
    *path = 0;
    if (may_be_absolute && pick(3) == 0)
        strcat(path, "/");
    for (unsigned n = pick(6) + 1; n > 0; n--) {
        strcat(path, names[pick(10)]);
        if (n > 1 || pick(6) == 0)
            strcat(path, "/");
    }
}

static void make_tree(int at, int depth)
{
    char text[256];
    for (unsigned i = 0; i < 6; i++) {
        const char *name = names[i];
        if (i < 3 && depth < 3 && mkdirat(at, name, 0755) == 0) {
            int below = openat(at, name, O_RDONLY | O_DIRECTORY);
            make_tree(below, depth + 1);
            close(below);
        } else if (i < 5) {
            make_path(text, true);
            if (symlinkat(text, at, name) < 0 && errno != EEXIST && errno != ENOENT)
                perror("symlinkat");
        } else
            close(openat(at, name, O_WRONLY | O_CREAT, 0644));
    }
}

static bool same(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int main(int argc, char **argv)
{
    static const uint64_t kinds[] = {
        RESOLVE_IN_ROOT,
        RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
        RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        RESOLVE_BENEATH,
        RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
        RESOLVE_BENEATH | RESOLVE_NO_XDEV,
    };
    static const uint64_t flags[] = {
        O_PATH, O_RDONLY, O_PATH | O_NOFOLLOW, O_PATH | O_DIRECTORY, O_RDONLY | O_NOFOLLOW, O_RDONLY | O_DIRECTORY};
    unsigned turns = argc == 4 ? (unsigned)atoi(argv[3]) : 0, found = 0, first = 0;
    state = argc == 4 ? (uint32_t)atoi(argv[2]) : 1;
    if (argc != 4 || mkdir(argv[1], 0755) < 0)
        return perror("usage: differential NEW-DIRECTORY SEED TURNS"), 2;
    int root = open(argv[1], O_RDONLY | O_DIRECTORY);
    make_tree(root, 0);
    for (int fd = open("/", O_PATH); fd >= 0 && first == 0; close(fd))
        first = (unsigned)fd;
    for (unsigned turn = 0; turn < turns; turn++) {
        char path[512];
        make_path(path, true);
        struct open_how how = {.flags = flags[pick(6)] | O_CLOEXEC, .resolve = kinds[pick(6)]};
        int kernel;
        do /* a rename somewhere on this host */
            kernel = (int)minus(syscall(SYS_openat2, root, path, &how, sizeof how));
        while (kernel == -EAGAIN);
        int steps = openat2_by_steps(root, path, how.flags, how.resolve);
        bool right = kernel >= 0 ? steps >= 0 && same(kernel, steps) : steps < 0;
        if (!right) {
            printf("# %s flags %llo resolve %llx: the kernel %d, step by step %d\n", path,
                   (unsigned long long)how.flags, (unsigned long long)how.resolve, kernel, steps);
            return 1;
        }
        if (kernel >= 0) {
            found++;
            close(kernel);
            close(steps);
        }
    }
    int last = open("/", O_PATH);
    printf("# %u of %u found\n", found, turns);
    if (last != (int)first)
        printf("# descriptors were left open: %d is the first free one, not %u\n", last, first);
    return last == (int)first && found > turns / 20 ? 0 : 1;
}
