/*
 * A directory as a tar stream: pax headers for all that a plain header cannot hold. Of a layer, overlayfs' own marks in the form that
 * archives have (`.wh.NAME`, `.wh..wh..opq`); the directory is the store's and quiet. What a container is at work in changes meanwhile
 * (EXPORT_LIVING): what has gone is left out, what has become shorter is filled with zeros. Every step goes by descriptors and follows no
 * link, whatever moves (T25).
 */
#include "layer.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define BLOCK 512

/* Files with several names: the first name that was written. */
struct seen {
    ino_t inode;
    char *name;
};

struct export
{
    int target;
    struct error *error;
    char path[LAYER_NAME_LIMIT + LAYER_COMPONENT_LIMIT + 8];
    char link[LAYER_NAME_LIMIT + 1];
    struct seen *seen;
    size_t seen_count, seen_room;
    char *pax;
    size_t pax_length, pax_room;
    unsigned flags;
    dev_t device; /* of EXPORT_ONE_FILE_SYSTEM */
};

static int failed(struct export *export, const char *call)
{
    return error_errno(export->error, call, export->path);
}

static int put(struct export *export, const void *data, size_t length)
{
    return write_full(export->target, data, length) ? 0 : error_errno(export->error, "write", "the tar stream");
}

static int put_padding(struct export *export, uint64_t size)
{
    static const char zeros[BLOCK];
    return put(export, zeros, (BLOCK - size % BLOCK) % BLOCK);
}

/* A record's length counts its own digits. */
static int pax_add(struct export *export, const char *key, const char *value, size_t length)
{
    size_t rest = strlen(key) + length + 3, total = rest + 1;
    char digits[24];
    while (total != rest + (size_t)snprintf(digits, sizeof(digits), "%zu", total))
        total = rest + strlen(digits);
    if (export->pax_length + total + 1 > export->pax_room) {
        export->pax_room = (export->pax_length + total + 1) * 2;
        char *grown = realloc(export->pax, export->pax_room);
        if (grown == NULL)
            return failed(export, "realloc");
        export->pax = grown;
    }
    char *at = export->pax + export->pax_length;
    at += sprintf(at, "%s %s=", digits, key);
    memcpy(at, value, length);
    at[length] = '\n';
    export->pax_length += total;
    return 0;
}

/* Files and directories alone have attributes that an archive takes. */
static int pax_xattrs(struct export *export, int self)
{
    char names[8192], value[LAYER_XATTR_VALUE_LIMIT], key[LAYER_COMPONENT_LIMIT + 32];
    ssize_t length = flistxattr(self, names, sizeof(names));
    if (length < 0)
        return errno == ENOTSUP ? 0 : failed(export, "listxattr");
    for (const char *name = names; name < names + length; name += strlen(name) + 1) {
        if (strncmp(name, "user.", 5) != 0 && strcmp(name, "security.capability") != 0)
            continue;
        if (strncmp(name, "user.overlay.", 13) == 0)
            continue;
        ssize_t size = fgetxattr(self, name, value, sizeof(value));
        if (size < 0)
            return failed(export, "getxattr");
        snprintf(key, sizeof(key), "SCHILY.xattr.%.255s", name);
        if (pax_add(export, key, value, (size_t)size) < 0)
            return -1;
    }
    return 0;
}

/* Digits up to the last byte, which stays NUL. */
static void put_octal(char *field, size_t size, uint64_t number)
{
    for (size_t i = size - 1; i-- > 0; number >>= 3)
        field[i] = (char)('0' + (number & 7));
}

static int put_header(struct export *export, const char *name, char type, const struct stat *stat, uint64_t size)
{
    char block[BLOCK] = {0};
    unsigned sum = 0;
    memcpy(block, name, strnlen(name, 100));
    put_octal(block + 100, 8, stat->st_mode & 07777);
    put_octal(block + 108, 8, stat->st_uid & 07777777);
    put_octal(block + 116, 8, stat->st_gid & 07777777);
    put_octal(block + 124, 12, size & UINT64_C(077777777777));
    put_octal(block + 136, 12, stat->st_mtim.tv_sec > 0 ? (uint64_t)stat->st_mtim.tv_sec & UINT64_C(077777777777) : 0);
    memset(block + 148, ' ', 8);
    block[156] = type;
    memcpy(block + 257, "ustar\00000", 8);
    if (type == '3' || type == '4') {
        put_octal(block + 329, 8, major(stat->st_rdev));
        put_octal(block + 337, 8, minor(stat->st_rdev));
    }
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)block[i];
    put_octal(block + 148, 7, sum);
    return put(export, block, BLOCK);
}

/* Pax header and plain header of the entry at export->path. */
static int put_entry(struct export *export, char type, const struct stat *stat, const char *link, int self)
{
    char text[64];
    uint64_t size = type == '0' ? (uint64_t)stat->st_size : 0;
    export->pax_length = 0;
    snprintf(text, sizeof(text), "%" PRIu64, size);
    if (pax_add(export, "path", export->path, strlen(export->path)) < 0 ||
        pax_add(export, "size", text, strlen(text)) < 0)
        return -1;
    snprintf(text, sizeof(text), "%u", stat->st_uid);
    if (pax_add(export, "uid", text, strlen(text)) < 0)
        return -1;
    snprintf(text, sizeof(text), "%u", stat->st_gid);
    if (pax_add(export, "gid", text, strlen(text)) < 0)
        return -1;
    /* Before 1970 the fraction counts backwards: -1.5 is two seconds before, and half a second on. */
    bool before = stat->st_mtim.tv_sec < 0 && stat->st_mtim.tv_nsec > 0;
    int64_t seconds = (int64_t)stat->st_mtim.tv_sec + before;
    snprintf(text, sizeof(text), "%s%" PRId64 ".%09ld", before && seconds == 0 ? "-" : "", seconds,
             before ? 1000000000 - stat->st_mtim.tv_nsec : stat->st_mtim.tv_nsec);
    if (pax_add(export, "mtime", text, strlen(text)) < 0)
        return -1;
    if ((link && pax_add(export, "linkpath", link, strlen(link)) < 0) || (self >= 0 && pax_xattrs(export, self) < 0))
        return -1;
    struct stat plain = {.st_mode = 0644};
    if (put_header(export, "pax", 'x', &plain, export->pax_length) < 0 ||
        put(export, export->pax, export->pax_length) < 0 || put_padding(export, export->pax_length) < 0)
        return -1;
    return put_header(export, export->path, type, stat, size);
}

static int put_content(struct export *export, int file, uint64_t size)
{
    static char buffer[256 << 10];
    for (uint64_t left = size; left > 0;) {
        ssize_t got = read(file, buffer, left < sizeof(buffer) ? (size_t)left : sizeof(buffer));
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0 && export->flags & EXPORT_LIVING) {
            got = (ssize_t)(left < sizeof(buffer) ? left : sizeof(buffer));
            memset(buffer, 0, (size_t)got);
        }
        if (got <= 0)
            return failed(export, "read");
        if (put(export, buffer, (size_t)got) < 0)
            return -1;
        left -= (uint64_t)got;
    }
    return put_padding(export, size);
}

/* A file that has gone from something that is at work is no failure. */
static bool has_gone(struct export *export)
{
    return export->flags & EXPORT_LIVING && (errno == ENOENT || errno == ESRCH || errno == ENOTDIR || errno == ELOOP);
}

static int put_file(struct export *export, int file)
{
    struct stat stat;
    if (fstat(file, &stat) < 0)
        return failed(export, "stat");
    if (!S_ISREG(stat.st_mode)) /* another thing stands there since we looked */
        return export->flags & EXPORT_LIVING ? 0 : failed(export, "open");
    if (put_entry(export, '0', &stat, NULL, file) < 0)
        return -1;
    return put_content(export, file, (uint64_t)stat.st_size);
}

/* The name under which this file was written already; NULL and remembered when it was not. */
static const char *other_name(struct export *export, const struct stat *stat)
{
    for (size_t i = 0; i < export->seen_count; i++)
        if (export->seen[i].inode == stat->st_ino)
            return export->seen[i].name;
    if (export->seen_count == export->seen_room) {
        export->seen_room = export->seen_room ? export->seen_room * 2 : 64;
        struct seen *grown = realloc(export->seen, export->seen_room * sizeof(*grown));
        if (grown == NULL)
            return NULL;
        export->seen = grown;
    }
    export->seen[export->seen_count++] = (struct seen){stat->st_ino, strdup(export->path)};
    return NULL;
}

/* An empty file with this name beside what export->path ends in. */
static int put_mark(struct export *export, size_t parent_length, const char *prefix, const char *name)
{
    char kept[sizeof(export->path)];
    struct stat stat = {.st_mode = S_IFREG | 0600};
    memcpy(kept, export->path, sizeof(kept));
    snprintf(export->path + parent_length, sizeof(export->path) - parent_length, "%s%s", prefix, name);
    int result = put_entry(export, '0', &stat, NULL, -1);
    memcpy(export->path, kept, sizeof(kept));
    return result;
}

static bool is_opaque(struct export *export, int self)
{
    char value[2];
    if (export->flags & EXPORT_LITERAL)
        return false;
    return (fgetxattr(self, "trusted.overlay.opaque", value, 2) == 1 && value[0] == 'y') ||
           (fgetxattr(self, "user.overlay.opaque", value, 2) == 1 && value[0] == 'y');
}

/* What the kernel makes up is no file to copy, and another file system belongs to no image. */
static bool stays_outside(struct export *export, int directory)
{
    struct statfs about;
    struct stat stat;
    if (export->flags & EXPORT_ONE_FILE_SYSTEM)
        return fstat(directory, &stat) < 0 || stat.st_dev != export->device;
    return export->flags & EXPORT_LITERAL && fstatfs(directory, &about) == 0 &&
           (about.f_type == PROC_SUPER_MAGIC || about.f_type == SYSFS_MAGIC || about.f_type == CGROUP2_SUPER_MAGIC);
}

static int export_directory(struct export *export, int directory, size_t length);

static int export_below(struct export *export, int below, const struct stat *stat, size_t length)
{
    export->path[length++] = '/';
    export->path[length] = 0;
    if (put_entry(export, '5', stat, NULL, below) < 0 ||
        (is_opaque(export, below) && put_mark(export, length, ".wh..wh..opq", "") < 0))
        return -1;
    return stays_outside(export, below) ? 0 : export_directory(export, below, length);
}

static int export_entry(struct export *export, int directory, const char *name, size_t parent_length)
{
    struct stat stat;
    const char *shared = NULL;
    size_t length = parent_length + strlen(name);
    if (length > LAYER_NAME_LIMIT)
        return error_set(export->error, "export", ENAMETOOLONG, export->path, NULL);
    strcpy(export->path + parent_length, name);
    if (fstatat(directory, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
        return has_gone(export) ? 0 : failed(export, "stat");
    if (S_ISDIR(stat.st_mode)) {
        cleanup_close int below = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below < 0)
            return has_gone(export) ? 0 : failed(export, "open");
        return export_below(export, below, &stat, length);
    }
    if (S_ISCHR(stat.st_mode) && stat.st_rdev == 0 && !(export->flags & EXPORT_LITERAL))
        return put_mark(export, parent_length, ".wh.", name);
    if (stat.st_nlink > 1 && (shared = other_name(export, &stat)) != NULL)
        return put_entry(export, '1', &stat, shared, -1);
    if (S_ISLNK(stat.st_mode)) {
        ssize_t size = readlinkat(directory, name, export->link, sizeof(export->link) - 1);
        if (size < 0)
            return has_gone(export) || errno == EINVAL ? 0 : failed(export, "readlink");
        export->link[size] = 0;
        return put_entry(export, '2', &stat, export->link, -1);
    }
    if (S_ISREG(stat.st_mode)) {
        cleanup_close int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (file < 0)
            return has_gone(export) ? 0 : failed(export, "open");
        return put_file(export, file);
    }
    if (S_ISSOCK(stat.st_mode)) /* archives have no word for it */
        return 0;
    return put_entry(export, S_ISCHR(stat.st_mode) ? '3' : S_ISBLK(stat.st_mode) ? '4' : '6', &stat, NULL, -1);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in order, so that the same layer gives the same bytes. */
static int sorted_names(struct export *export, int directory, char ***ret_names, size_t *ret_count)
{
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    if (list == NULL)
        return failed(export, "open");
    char **names = NULL;
    size_t count = 0, room = 0;
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(list)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (count == room) {
            room = room ? room * 2 : 32;
            char **grown = realloc(names, room * sizeof(*names));
            if (grown == NULL) {
                result = failed(export, "realloc");
                break;
            }
            names = grown;
        }
        names[count++] = strdup(entry->d_name);
    }
    closedir(list);
    if (count > 0)
        qsort(names, count, sizeof(*names), compare);
    *ret_names = names;
    *ret_count = count;
    return result;
}

static int export_directory(struct export *export, int directory, size_t length)
{
    char **names = NULL;
    size_t count = 0;
    int result = sorted_names(export, directory, &names, &count);
    for (size_t i = 0; i < count; i++) {
        if (result == 0)
            result = export_entry(export, directory, names[i], length);
        export->path[length] = 0;
        free(names[i]);
    }
    free(names);
    return result;
}

/* Each level of the tree holds a descriptor. */
static void allow_depth(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int finish(struct export *export, int result)
{
    static const char end[2 * BLOCK];
    if (result == 0)
        result = put(export, end, sizeof(end));
    for (size_t i = 0; i < export->seen_count; i++)
        free(export->seen[i].name);
    free(export->seen);
    free(export->pax);
    return result;
}

int layer_export(int directory, int target, unsigned flags, struct error *error)
{
    struct export export = {.target = target, .error = error, .flags = flags};
    struct stat stat;
    allow_depth();
    if (fstat(directory, &stat) < 0)
        return error_errno(error, "stat", "");
    export.device = stat.st_dev;
    strcpy(export.path, "./");
    int result = put_entry(&export, '5', &stat, NULL, directory);
    export.path[0] = 0;
    if (result == 0 && is_opaque(&export, directory))
        result = put_mark(&export, 0, ".wh..wh..opq", "");
    if (result == 0)
        result = export_directory(&export, directory, 0);
    return finish(&export, result);
}

int layer_export_one(int entry, const char *name, int target, unsigned flags, struct error *error)
{
    struct export export = {.target = target, .error = error, .flags = flags};
    struct stat stat;
    int result;
    allow_depth();
    if (fstat(entry, &stat) < 0)
        return error_errno(error, "stat", name);
    if (strlen(name) > LAYER_COMPONENT_LIMIT)
        return error_set(error, "export", ENAMETOOLONG, name, NULL);
    export.device = stat.st_dev;
    strcpy(export.path, name);
    if (!S_ISDIR(stat.st_mode))
        result = put_file(&export, entry);
    else
        result = *name ? export_below(&export, entry, &stat, strlen(name)) : export_directory(&export, entry, 0);
    return finish(&export, result);
}
