/*
 * What walks a tree: removeTree and readFileInRoot. Both act on directory descriptors and never follow a link that
 * someone else may have planted (T16, T18, T20).
 */
#include "host.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "openat2-libc.h"

static int open_how(int directory, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = {.flags = (uint64_t)flags | O_CLOEXEC, .resolve = resolve};
    for (;;) {
        int fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
        if (fd < 0 && errno == ENOSYS) {
            int found = openat2_by_steps(directory, path, how.flags, resolve);
            errno = found < 0 ? -found : 0;
            return found < 0 ? -1 : found;
        }
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) /* EAGAIN: a rename in the tree raced with the walk */
            return fd;
    }
}

/*
 * Removal of a tree. Deeper than `depth_limit` a directory is moved up to the top before it is emptied, so that neither
 * the stack nor the number of descriptors grows with what someone built. The first error is kept and the rest is still
 * tried.
 */
enum { depth_limit = 64 };

struct removal {
    int top;
    unsigned moved;
    bool again; /* something was moved up: the top has to be read once more */
    const char *path;
    struct error *error;
    bool failed;
};

static void note(struct removal *removal, const char *call, const char *name)
{
    if (removal->failed)
        return;
    int number = errno;
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s%s%s", removal->path, *name ? "/…/" : "", name);
    error_set(removal->error, call, number, path, number == EXDEV ? "another file system is mounted here" : NULL);
    removal->failed = true;
}

static void remove_content(struct removal *removal, int directory, int depth);

/* An owner may take back the permissions of a directory (overlayfs leaves work/work with mode 0). */
static int open_directory(int parent, const char *name)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
    int fd = open_how(parent, name, flags, resolve);
    if (fd >= 0 || errno != EACCES)
        return fd;
    cleanup_close int path = open_how(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, resolve);
    char self[32];
    snprintf(self, sizeof(self), "/proc/self/fd/%d", path);
    if (path < 0 || chmod(self, 0700) < 0) {
        errno = EACCES;
        return -1;
    }
    return open_how(parent, name, flags, resolve);
}

static void remove_directory_entry(struct removal *removal, int parent, const char *name, int depth)
{
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return;
    if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES) {
        note(removal, "rmdir", name);
        return;
    }
    if (depth >= depth_limit) {
        char above[48];
        snprintf(above, sizeof(above), ".berth-removed-%d-%u", (int)getpid(), removal->moved++);
        if (renameat2(parent, name, removal->top, above, RENAME_NOREPLACE) == 0) {
            removal->again = true;
            return;
        }
    }
    cleanup_close int directory = open_directory(parent, name);
    if (directory < 0) {
        note(removal, "openat2", name);
        return;
    }
    remove_content(removal, directory, depth + 1);
    if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        note(removal, "rmdir", name);
}

/* Unlinks first and asks later what it was: most entries are no directories. */
static void remove_entry(struct removal *removal, int directory, const struct dirent *entry, int depth)
{
    if (entry->d_type != DT_DIR) {
        if (unlinkat(directory, entry->d_name, 0) == 0 || errno == ENOENT)
            return;
        if (errno != EISDIR) {
            note(removal, "unlink", entry->d_name);
            return;
        }
    }
    remove_directory_entry(removal, directory, entry->d_name, depth);
}

static void remove_content(struct removal *removal, int directory, int depth)
{
    int copy = fcntl(directory, F_DUPFD_CLOEXEC, 3);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        note(removal, "fdopendir", "");
        if (copy >= 0)
            close(copy);
        return;
    }
    rewinddir(stream); /* the copy shares its position with `directory`, which may have been read before */
    struct stat status;
    if (fstat(directory, &status) == 0 && (status.st_mode & 0300) != 0300)
        fchmod(directory, 0700); /* only its owner can; a failure shows at the first entry */
    struct dirent *entry;
    while ((entry = readdir(stream)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_entry(removal, directory, entry, depth);
    closedir(stream);
}

/* 1 removed, 0 absent, -1 */
static int remove_tree_at(int parent, const char *name, const char *path, struct error *error)
{
    if (unlinkat(parent, name, 0) == 0)
        return 1;
    if (errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return error_errno(error, "unlink", path);
    cleanup_close int top = open_directory(parent, name);
    if (top < 0)
        return error_errno(error, "openat2", path);
    struct removal removal = {.top = top, .path = path, .error = error};
    do {
        removal.again = false;
        remove_content(&removal, top, 0);
    } while (removal.again && !removal.failed);
    if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        note(&removal, "rmdir", "");
    return removal.failed ? -1 : 1;
}

static int remove_tree(const char *path, struct error *error)
{
    cleanup_free char *copy = strdup(path);
    if (!copy)
        return error_set(error, "malloc", ENOMEM, path, NULL);
    for (size_t length = strlen(copy); length > 1 && copy[length - 1] == '/'; length--)
        copy[length - 1] = 0;
    char *slash = strrchr(copy, '/');
    const char *name = slash ? slash + 1 : copy;
    if (*name == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error_set(error, "unlink", EINVAL, path, "a tree is removed by its name, not as / . or ..");
    const char *directory = slash == NULL ? "." : slash == copy ? "/" : copy;
    if (slash)
        *slash = 0;
    cleanup_close int parent = open(*directory ? directory : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : error_errno(error, "open", path);
    return remove_tree_at(parent, name, path, error);
}

static JSValue remove_tree_of(JSContext *context, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    cleanup_bytes struct bytes path = BYTES_NONE;
    if (take_path(context, argv[0], &path) < 0)
        return JS_EXCEPTION;
    struct error error;
    int removed = remove_tree(path.data, &error);
    return removed < 0 ? throw_error(context, &error) : JS_NewBool(context, removed);
}

/*
 * The layer says nothing about the path; does it hide what layers below say? It does when the path leads through
 * something that is no directory (a whiteout, a file), or through a directory that is opaque.
 */
static bool hides_below(int root, const char *path)
{
    char prefix[PATH_MAX];
    if (snprintf(prefix, sizeof(prefix), "%s", path) >= (int)sizeof(prefix))
        return false;
    for (char *at = prefix; *at == '/'; at++)
        ;
    for (;;) {
        cleanup_close int fd =
            open_how(root, *prefix ? prefix : "/", O_PATH | O_NOFOLLOW, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
        struct stat status;
        if (fd >= 0 && fstat(fd, &status) == 0) {
            if (!S_ISDIR(status.st_mode))
                return !S_ISLNK(status.st_mode);
            char self[32], value[2];
            snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
            if ((getxattr(self, "trusted.overlay.opaque", value, sizeof(value)) == 1 && value[0] == 'y') ||
                (getxattr(self, "user.overlay.opaque", value, sizeof(value)) == 1 && value[0] == 'y'))
                return true;
        }
        char *slash = strrchr(prefix, '/');
        if (!slash || slash == prefix)
            return false;
        *slash = 0;
    }
}

static JSValue read_found(JSContext *context, int found, const char *path, size_t limit)
{
    struct stat status;
    struct error error;
    if (fstat(found, &status) < 0)
        return throw_errno(context, "fstat", path);
    if (S_ISCHR(status.st_mode) && status.st_rdev == 0)
        return JS_NewString(context, "whiteout");
    if (!S_ISREG(status.st_mode)) {
        error_set(&error, "open", EINVAL, path, "not a regular file");
        return throw_error(context, &error);
    }
    char self[32];
    snprintf(self, sizeof(self), "/proc/self/fd/%d", found);
    cleanup_close int fd = open(self, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return throw_errno(context, "open", path);
    cleanup_free char *data = NULL;
    size_t length;
    if (read_all(fd, (size_t)status.st_size, limit, &data, &length) < 0)
        return throw_errno(context, "read", path);
    JSValue object = JS_NewObject(context);
    give_property(context, object, "data", give_bytes(context, data, length));
    return object;
}

static JSValue read_file_in_root(JSContext *context, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    cleanup_bytes struct bytes root_path = BYTES_NONE, path = BYTES_NONE;
    uint32_t limit;
    if (take_path(context, argv[0], &root_path) < 0 || take_path(context, argv[1], &path) < 0 ||
        take_unsigned(context, argv[2], &limit) < 0)
        return JS_EXCEPTION;
    cleanup_close int root = open(root_path.data, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return throw_errno(context, "open", root_path.data);
    cleanup_close int found = open_how(root, path.data, O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    if (found >= 0)
        return read_found(context, found, path.data, limit);
    if (errno != ENOENT && errno != ENOTDIR)
        return throw_errno(context, "openat2", path.data);
    return JS_NewString(context, hides_below(root, path.data) ? "whiteout" : "absent");
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("removeTree", 1, remove_tree_of),
    JS_CFUNC_DEF("readFileInRoot", 3, read_file_in_root),
};

void host_install_tree(JSContext *context, JSValueConst host)
{
    INSTALL(context, host, functions);
}
