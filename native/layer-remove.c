/* Removal of directories whose files belong to mapped ids: only root of a user namespace with that map may do it. */
#include "layer-path.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct removal {
    char *const *paths;
    int result;
};

static const char *last_component(const char *path, int *ret_parent)
{
    char parent[4096];
    const char *slash = strrchr(path, '/');
    if (slash == NULL || (size_t)(slash - path) >= sizeof(parent)) {
        errno = EINVAL;
        return NULL;
    }
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = 0;
    *ret_parent = open(*parent ? parent : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return *ret_parent < 0 ? NULL : slash + 1;
}

/* A link is removed itself, never followed. */
static bool remove_one(const char *path)
{
    cleanup_close int parent = -1;
    const char *name = last_component(path, &parent);
    if (name == NULL || *name == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return errno == ENOENT;
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return false;
    cleanup_close int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return directory >= 0 && empty_directory(directory) && unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

static void be_remover(void *argument)
{
    struct removal *removal = argument;
    dup2(removal->result, LAYER_FD_RESULT);
    int status = 0;
    for (char *const *path = removal->paths; *path != NULL; path++)
        if (!remove_one(*path) && status++ == 0)
            layer_say("error", "%s: %s", layer_text(*path, strlen(*path)), layer_reason());
    _exit(status ? 1 : 0);
}

int layer_remove(const struct store_map *map, char *const *paths, struct error *error)
{
    int ends[2];
    pid_t pid;
    char line[1024];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(error, "pipe", "");
    cleanup_close int result = ends[0], theirs = ends[1];
    struct removal removal = {paths, theirs};
    if (userns_fork(map, be_remover, &removal, &pid, error) < 0)
        return -1;
    close(steal_fd(&theirs));
    size_t length = 0;
    for (ssize_t got; length < sizeof(line) - 1 && (got = read(result, line + length, sizeof(line) - 1 - length)) > 0;)
        length += (size_t)got;
    line[length] = 0;
    int status = wait_for(pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    line[strcspn(line, "\n")] = 0;
    return error_set(error, "remove", EIO, "", "%s", length > 6 ? line + 6 : "the removal ended without a word");
}
