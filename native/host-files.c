/* Files: src/host/host.ts `Files`, all but what walks a tree (host-tree.c). */
#include "host.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PATH_ARGUMENT(variable, index)                                                                                 \
    cleanup_bytes struct bytes variable = BYTES_NONE;                                                                  \
    if (take_path(context, argv[index], &variable) < 0)                                                                \
    return JS_EXCEPTION
#define MODE_ARGUMENT(variable, index)                                                                                 \
    uint32_t variable;                                                                                                 \
    if (take_unsigned(context, argv[index], &variable) < 0)                                                            \
    return JS_EXCEPTION

static const size_t default_limit = (size_t)64 << 20;

static bool is_absent(int number)
{
    return number == ENOENT || number == ENOTDIR;
}

static JSValue read_path(JSContext *context, JSValueConst *argv, bool absent_is_undefined)
{
    PATH_ARGUMENT(path, 0);
    size_t limit = default_limit;
    if (!JS_IsUndefined(argv[1])) {
        uint32_t wanted;
        if (take_unsigned(context, argv[1], &wanted) < 0)
            return JS_EXCEPTION;
        limit = wanted;
    }
    cleanup_close int fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && absent_is_undefined && is_absent(errno))
        return JS_UNDEFINED;
    if (fd < 0)
        return throw_errno(context, "open", path.data);
    struct stat status;
    if (fstat(fd, &status) < 0)
        return throw_errno(context, "fstat", path.data);
    size_t hint = S_ISREG(status.st_mode) && status.st_size > 0 ? (size_t)status.st_size : 0;
    if (hint == 0 && S_ISREG(status.st_mode))
        hint = 3584; /* procfs and sysfs say 0 */
    cleanup_free char *data = NULL;
    size_t length;
    if (read_all(fd, hint, limit, &data, &length) < 0)
        return throw_errno(context, "read", path.data);
    return give_bytes(context, data, length);
}

FUNCTION(read_file)
{
    UNUSED;
    return read_path(context, argv, false);
}

FUNCTION(read_file_if_exists)
{
    UNUSED;
    return read_path(context, argv, true);
}

/* "dir/.berth-HEX" beside `path`, and "dir" itself. The result is malloc'ed. */
static char *temporary_beside(const char *path, char **ret_directory)
{
    uint64_t random;
    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        return NULL;
    const char *slash = strrchr(path, '/');
    char *temporary = NULL;
    if (asprintf(ret_directory, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".") < 0)
        return NULL;
    if (asprintf(&temporary, "%s%s.berth-%016llx", *ret_directory, slash ? "" : "/", (unsigned long long)random) < 0)
        return NULL;
    return temporary;
}

static int sync_path(const char *path)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -1 : fsync(fd);
}

/* Leaves the name of the failed call in *call. */
static int write_atomic(const char *path, const struct bytes *data, mode_t mode, const char **call)
{
    cleanup_free char *directory = NULL;
    *call = "malloc";
    cleanup_free char *temporary = temporary_beside(path, &directory);
    if (!temporary)
        return -1;
    *call = "open";
    cleanup_close int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (*call = "write", write_all(fd, data->data, data->length) < 0 || (*call = "fchmod", fchmod(fd, mode) < 0) ||
                             (*call = "fsync", fsync(fd) < 0) || (*call = "rename", rename(temporary, path) < 0)) {
        int kept = errno;
        unlink(temporary);
        errno = kept;
        return -1;
    }
    *call = "fsync";
    return sync_path(directory);
}

FUNCTION(write_file_atomic)
{
    UNUSED;
    PATH_ARGUMENT(path, 0);
    cleanup_bytes struct bytes data = BYTES_NONE;
    if (take_bytes(context, argv[1], &data) < 0)
        return JS_EXCEPTION;
    MODE_ARGUMENT(mode, 2);
    const char *call;
    return write_atomic(path.data, &data, mode, &call) < 0 ? throw_errno(context, call, path.data) : JS_UNDEFINED;
}

FUNCTION(write_file)
{
    UNUSED;
    PATH_ARGUMENT(path, 0);
    cleanup_bytes struct bytes data = BYTES_NONE;
    if (take_bytes(context, argv[1], &data) < 0)
        return JS_EXCEPTION;
    int flags = O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY;
    uint32_t mode = 0;
    if (!JS_IsUndefined(argv[2])) {
        if (take_unsigned(context, argv[2], &mode) < 0)
            return JS_EXCEPTION;
        flags |= O_CREAT;
    }
    cleanup_close int fd = open(path.data, flags, mode);
    if (fd < 0)
        return throw_errno(context, "open", path.data);
    if (write_all(fd, data.data, data.length) < 0)
        return throw_errno(context, "write", path.data);
    return JS_UNDEFINED;
}

/* 1 created, 0 was a directory, -1 */
static int make_directory(const char *path, mode_t mode)
{
    if (mkdir(path, mode) == 0)
        return 1;
    if (errno != EEXIST)
        return -1;
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return 0;
    errno = EEXIST;
    return -1;
}

FUNCTION(make_one_directory)
{
    UNUSED;
    PATH_ARGUMENT(path, 0);
    MODE_ARGUMENT(mode, 1);
    int made = make_directory(path.data, mode);
    return made < 0 ? throw_errno(context, "mkdir", path.data) : JS_NewBool(context, made);
}

FUNCTION(make_directories)
{
    UNUSED;
    PATH_ARGUMENT(path, 0);
    MODE_ARGUMENT(mode, 1);
    if (make_directory(path.data, mode) >= 0)
        return JS_UNDEFINED;
    if (errno != ENOENT || path.length == 0)
        return throw_errno(context, "mkdir", path.data);
    cleanup_free char *prefix = strdup(path.data);
    if (!prefix)
        return JS_ThrowOutOfMemory(context);
    for (char *at = prefix + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = 0;
        if (make_directory(prefix, mode) < 0)
            return throw_errno(context, "mkdir", prefix);
        *at = '/';
    }
    return make_directory(prefix, mode) < 0 ? throw_errno(context, "mkdir", prefix) : JS_UNDEFINED;
}

static const char *kind_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return "file";
    case S_IFDIR: return "directory";
    case S_IFLNK: return "symlink";
    case S_IFBLK: return "block";
    case S_IFCHR: return "char";
    case S_IFIFO: return "fifo";
    default: return "socket";
    }
}

struct entry {
    char *name;
    mode_t type;
};

static int compare_entries(const void *left, const void *right)
{
    return strcmp(((const struct entry *)left)->name, ((const struct entry *)right)->name);
}

static mode_t entry_type(DIR *directory, const struct dirent *found)
{
    if (found->d_type != DT_UNKNOWN)
        return DTTOIF(found->d_type);
    struct stat status;
    return fstatat(dirfd(directory), found->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status.st_mode & S_IFMT : 0;
}

static int read_entries(DIR *directory, struct entry **entries, size_t *count)
{
    size_t room = 0;
    for (;;) {
        errno = 0;
        struct dirent *found = readdir(directory);
        if (!found)
            return errno ? -1 : 0;
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
            continue;
        if (*count == room) {
            room = room ? room * 2 : 64;
            struct entry *grown = realloc(*entries, room * sizeof(**entries));
            if (!grown)
                return -1;
            *entries = grown;
        }
        mode_t type = entry_type(directory, found);
        if (type == 0)
            continue; /* gone in the meantime */
        char *name = strdup(found->d_name);
        if (!name)
            return -1;
        (*entries)[(*count)++] = (struct entry){name, type};
    }
}

FUNCTION(list)
{
    UNUSED;
    PATH_ARGUMENT(path, 0);
    cleanup_close int fd = open(path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return throw_errno(context, "open", path.data);
    DIR *directory = fdopendir(fd);
    if (!directory)
        return throw_errno(context, "fdopendir", path.data);
    steal_fd(&fd);
    struct entry *entries = NULL;
    size_t count = 0;
    int result = read_entries(directory, &entries, &count), failure = errno;
    closedir(directory);
    JSValue array = JS_UNDEFINED;
    if (result < 0) {
        errno = failure;
        array = throw_errno(context, "getdents64", path.data);
    } else {
        if (count > 1)
            qsort(entries, count, sizeof(*entries), compare_entries);
        array = JS_NewArray(context);
        for (size_t i = 0; i < count; i++) {
            JSValue item = JS_NewObject(context);
            give_property(context, item, "name", give_string(context, entries[i].name));
            give_property(context, item, "kind", JS_NewString(context, kind_of(entries[i].type)));
            JS_DefinePropertyValueUint32(context, array, (uint32_t)i, item, JS_PROP_C_W_E);
        }
    }
    for (size_t i = 0; i < count; i++)
        free(entries[i].name);
    free(entries);
    return array;
}

static JSValue give_stat(JSContext *context, const struct stat *status)
{
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        {"mode", status->st_mode & 07777},
        {"uid", status->st_uid},
        {"gid", status->st_gid},
        {"size", (double)status->st_size},
        {"device", (double)status->st_dev},
        {"inode", (double)status->st_ino},
        {"rdevMajor", major(status->st_rdev)},
        {"rdevMinor", minor(status->st_rdev)},
        {"links", (double)status->st_nlink},
        {"mtime", (double)status->st_mtim.tv_sec + (double)status->st_mtim.tv_nsec / 1e9},
    };
    JSValue object = JS_NewObject(context);
    give_property(context, object, "kind", JS_NewString(context, kind_of(status->st_mode)));
    for (size_t i = 0; i < COUNT(numbers); i++)
        give_property(context, object, numbers[i].name, JS_NewFloat64(context, numbers[i].value));
    return object;
}

static JSValue stat_path(JSContext *context, JSValueConst *argv, int flags)
{
    PATH_ARGUMENT(path, 0);
    struct stat status;
    if (fstatat(AT_FDCWD, path.data, &status, flags) == 0)
        return give_stat(context, &status);
    return is_absent(errno) ? JS_UNDEFINED : throw_errno(context, "stat", path.data);
}

FUNCTION(stat_following)
{
    UNUSED;
    return stat_path(context, argv, 0);
}

FUNCTION(stat_link)
{
    UNUSED;
    return stat_path(context, argv, AT_SYMLINK_NOFOLLOW);
}

FUNCTION(read_link)
{
    UNUSED;
    PATH_ARGUMENT(path, 0);
    char target[PATH_MAX];
    ssize_t length = readlink(path.data, target, sizeof(target));
    return length < 0 ? throw_errno(context, "readlink", path.data) : give_bytes(context, target, (size_t)length);
}

FUNCTION(real_path)
{
    UNUSED;
    PATH_ARGUMENT(path, 0);
    char resolved[PATH_MAX];
    if (realpath(path.data, resolved))
        return give_string(context, resolved);
    return is_absent(errno) || errno == ELOOP ? JS_UNDEFINED : throw_errno(context, "realpath", path.data);
}

static JSValue two_paths(JSContext *context, JSValueConst *argv, const char *call,
                         int (*function)(const char *, const char *), int named)
{
    PATH_ARGUMENT(first, 0);
    PATH_ARGUMENT(second, 1);
    if (function(first.data, second.data) < 0)
        return throw_errno(context, call, named == 0 ? first.data : second.data);
    return JS_UNDEFINED;
}

FUNCTION(make_symlink)
{
    UNUSED;
    return two_paths(context, argv, "symlink", symlink, 1);
}

FUNCTION(make_link)
{
    UNUSED;
    return two_paths(context, argv, "link", link, 1);
}

FUNCTION(rename_path)
{
    UNUSED;
    /* ENOENT may be the directory of the new name: name the one that is missing. */
    PATH_ARGUMENT(from, 0);
    PATH_ARGUMENT(to, 1);
    if (rename(from.data, to.data) == 0)
        return JS_UNDEFINED;
    int failure = errno;
    bool missing = failure == ENOENT && faccessat(AT_FDCWD, from.data, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
    errno = failure;
    return throw_errno(context, "rename", missing ? from.data : to.data);
}

static JSValue remove_name(JSContext *context, JSValueConst *argv, const char *call, int (*function)(const char *))
{
    PATH_ARGUMENT(path, 0);
    if (function(path.data) == 0)
        return JS_TRUE;
    return is_absent(errno) ? JS_FALSE : throw_errno(context, call, path.data);
}

FUNCTION(unlink_path)
{
    UNUSED;
    return remove_name(context, argv, "unlink", unlink);
}

FUNCTION(remove_directory)
{
    UNUSED;
    return remove_name(context, argv, "rmdir", rmdir);
}

FUNCTION(change_mode)
{
    UNUSED;
    PATH_ARGUMENT(path, 0);
    MODE_ARGUMENT(mode, 1);
    return chmod(path.data, mode) < 0 ? throw_errno(context, "chmod", path.data) : JS_UNDEFINED;
}

FUNCTION(change_owner)
{
    UNUSED;
    PATH_ARGUMENT(path, 0);
    MODE_ARGUMENT(uid, 1);
    MODE_ARGUMENT(gid, 2);
    return lchown(path.data, uid, gid) < 0 ? throw_errno(context, "lchown", path.data) : JS_UNDEFINED;
}

FUNCTION(may_access)
{
    UNUSED;
    PATH_ARGUMENT(path, 0);
    MODE_ARGUMENT(mode, 1);
    return JS_NewBool(context, access(path.data, (int)mode) == 0);
}

/* Whoever had the lock may have removed the file with what it was for: then the lock that counts is another file's. */
static bool is_still(int fd, const char *path)
{
    struct stat locked, named;
    return fstat(fd, &locked) == 0 && lstat(path, &named) == 0 && locked.st_ino == named.st_ino &&
           locked.st_dev == named.st_dev;
}

FUNCTION(lock_path)
{
    UNUSED;
    PATH_ARGUMENT(path, 0);
    bool exclusive = JS_ToBool(context, argv[1]), wait = JS_ToBool(context, argv[2]);
    int how = (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB);
    for (;;) {
        cleanup_close int fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
        if (fd < 0)
            return throw_errno(context, "open", path.data);
        while (flock(fd, how) < 0) {
            if (errno == EWOULDBLOCK)
                return JS_UNDEFINED;
            if (errno != EINTR)
                return throw_errno(context, "flock", path.data);
        }
        if (is_still(fd, path.data))
            return JS_NewInt32(context, steal_fd(&fd));
    }
}

FUNCTION(file_system_type)
{
    UNUSED;
    PATH_ARGUMENT(path, 0);
    struct statfs status;
    if (statfs(path.data, &status) < 0)
        return throw_errno(context, "statfs", path.data);
    return JS_NewFloat64(context, (double)(uint32_t)status.f_type);
}

FUNCTION(sync_one)
{
    UNUSED;
    PATH_ARGUMENT(path, 0);
    cleanup_close int fd = open(path.data, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return throw_errno(context, "open", path.data);
    return fsync(fd) < 0 ? throw_errno(context, "fsync", path.data) : JS_UNDEFINED;
}

FUNCTION(open_path)
{
    UNUSED;
    PATH_ARGUMENT(path, 0);
    MODE_ARGUMENT(flags, 1);
    int fd = open(path.data, (int)flags | O_CLOEXEC | O_NOCTTY, 0600);
    return fd < 0 ? throw_errno(context, "open", path.data) : JS_NewInt32(context, fd);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("readFile", 2, read_file),
    JS_CFUNC_DEF("readFileIfExists", 2, read_file_if_exists),
    JS_CFUNC_DEF("writeFileAtomic", 3, write_file_atomic),
    JS_CFUNC_DEF("writeFile", 3, write_file),
    JS_CFUNC_DEF("mkdir", 2, make_one_directory),
    JS_CFUNC_DEF("mkdirs", 2, make_directories),
    JS_CFUNC_DEF("list", 1, list),
    JS_CFUNC_DEF("stat", 1, stat_following),
    JS_CFUNC_DEF("lstat", 1, stat_link),
    JS_CFUNC_DEF("readlink", 1, read_link),
    JS_CFUNC_DEF("realpath", 1, real_path),
    JS_CFUNC_DEF("symlink", 2, make_symlink),
    JS_CFUNC_DEF("link", 2, make_link),
    JS_CFUNC_DEF("rename", 2, rename_path),
    JS_CFUNC_DEF("unlink", 1, unlink_path),
    JS_CFUNC_DEF("rmdir", 1, remove_directory),
    JS_CFUNC_DEF("chmod", 2, change_mode),
    JS_CFUNC_DEF("chown", 3, change_owner),
    JS_CFUNC_DEF("access", 2, may_access),
    JS_CFUNC_DEF("lock", 3, lock_path),
    JS_CFUNC_DEF("fsType", 1, file_system_type),
    JS_CFUNC_DEF("sync", 1, sync_one),
    JS_CFUNC_DEF("open", 2, open_path),
};

void host_install_files(JSContext *context, JSValueConst host)
{
    INSTALL(context, host, functions);
}
