/*
 * Files out of a container: its root is a tree that the payload changes as it likes. A process of its own reads it, with the container's
 * ids, shut into that root, by openat2 with RESOLVE_IN_ROOT: whatever links stand there, and whatever moves meanwhile, nothing outside is
 * reached (THREATS T25). It loads nothing, asks no name service, and has one descriptor besides its own.
 */
#include "layer.h"
#include "openat2-libc.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIT(capability) (UINT64_C(1) << (capability))

struct transfer {
    const struct transfer_request *request;
    int result;
};

static int open_below(const char *path, uint64_t flags)
{
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, LAYER_FD_ROOT, path, &how, sizeof(how));
    if (fd < 0 && (errno == ENOSYS || errno == EAGAIN)) {
        fd = openat2_by_steps(LAYER_FD_ROOT, path, how.flags, how.resolve);
        errno = fd < 0 ? -fd : 0;
    }
    return fd;
}

static const char *kind_of(const struct stat *stat)
{
    return S_ISREG(stat->st_mode) ? "file" : S_ISDIR(stat->st_mode) ? "directory" : "other";
}

/* First without opening it, since that may do something to a device; then once more, and it must be the same. */
static int open_entry(const char *path, const struct stat *seen)
{
    struct stat stat;
    int fd = open_below(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | (S_ISDIR(seen->st_mode) ? O_DIRECTORY : 0));
    if (fd < 0 || fstat(fd, &stat) < 0)
        layer_fail("%s: %s", layer_text(path, strlen(path)), layer_reason());
    if (stat.st_ino != seen->st_ino || stat.st_dev != seen->st_dev)
        layer_fail("%s: it was replaced meanwhile; try again", layer_text(path, strlen(path)));
    return fd;
}

static void be_reader(void *argument)
{
    struct transfer *transfer = argument;
    const struct transfer_request *request = transfer->request;
    struct error error = {0};
    struct stat stat;
    layer_descriptors(-1, request->target, transfer->result, request->root);
    prctl(PR_SET_DUMPABLE, 0);
    if (request->confined && confine_root(LAYER_FD_ROOT, BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH)) < 0)
        layer_fail("chroot: %s", layer_reason());
    int entry = open_below(request->path, O_PATH);
    if (entry < 0 && errno == ENOENT) {
        layer_say("kind", "absent");
        layer_say("ok", "%s", "");
        _exit(0);
    }
    if (entry < 0 || fstat(entry, &stat) < 0)
        layer_fail("%s: %s", layer_text(request->path, strlen(request->path)), layer_reason());
    layer_say("kind", "%s", kind_of(&stat));
    if (request->target >= 0) {
        if (!S_ISDIR(stat.st_mode) && !S_ISREG(stat.st_mode))
            layer_fail("%s: neither a file nor a directory", layer_text(request->path, strlen(request->path)));
        int opened = open_entry(request->path, &stat);
        /* Without a name it is a layer, root and all; a container's files have their names only. */
        bool layer = *request->name == 0 && !(request->flags & EXPORT_LITERAL);
        if ((layer ? layer_export(opened, LAYER_FD_OUT, request->flags, &error)
                   : layer_export_one(opened, request->name, LAYER_FD_OUT, request->flags, &error)) < 0)
            layer_fail("%s: %s", layer_text(error.path, strlen(error.path)), error.text);
    }
    layer_say("ok", "%s", "");
    _exit(0);
}

static void take_answer(char *text, char *ret_kind, bool *ret_fine, char *ret_error, size_t size)
{
    for (char *line; (line = strsep(&text, "\n")) != NULL;) {
        if (strncmp(line, "kind ", 5) == 0)
            snprintf(ret_kind, TRANSFER_KIND_LIMIT, "%s", line + 5);
        else if (strncmp(line, "error ", 6) == 0)
            snprintf(ret_error, size, "%s", line + 6);
        else if (strncmp(line, "ok ", 3) == 0)
            *ret_fine = true;
    }
}

int transfer_out(const struct transfer_request *request, char *ret_kind, struct error *error)
{
    int ends[2];
    pid_t pid;
    char text[4096], reason[1024] = "the reader ended without a word";
    bool fine = false;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(error, "pipe", "");
    cleanup_close int result = ends[0], theirs = ends[1];
    struct transfer transfer = {request, theirs};
    *ret_kind = 0;
    if (userns_fork(request->map, be_reader, &transfer, &pid, error) < 0)
        return -1;
    close(steal_fd(&theirs));
    size_t length = 0;
    for (ssize_t got; length < sizeof(text) - 1; length += (size_t)got)
        if ((got = read(result, text + length, sizeof(text) - 1 - length)) <= 0)
            break;
    text[length] = 0;
    int status = wait_for(pid);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE)
        snprintf(reason, sizeof(reason), "who reads the output has ended");
    take_answer(text, ret_kind, &fine, reason, sizeof(reason));
    return fine ? 0 : error_set(error, "copy", EIO, "", "%s", reason);
}
