/*
 * The writer: makes files from records, in a root that is the layer, with the ids of the store's map.
 *
 * It trusts no record: the parser reads what a stranger wrote, and may have been made to say anything. Lengths are checked
 * against fixed limits, names by place_parse, and every name is resolved by openat2 below the root. Times of directories
 * come last, since each entry made in one changes them.
 */
#include "layer-path.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"
#define MEMORY_LIMIT (UINT64_C(256) << 20) /* for the times of directories */

struct xattr {
    char name[LAYER_COMPONENT_LIMIT + 1];
    char *value;
    size_t length;
};

struct late_times {
    char *path;
    struct timespec times[2];
};

static struct {
    const struct layer_limits *limits;
    struct record record;
    char name[LAYER_NAME_LIMIT + 1], link[LAYER_NAME_LIMIT + 1];
    struct xattr xattrs[LAYER_XATTR_LIMIT];
    struct place place, target;
    struct late_times *late;
    size_t late_count, late_room;
    uint64_t late_bytes;
    uint64_t size, warnings;
    bool replaced; /* a member took the place of another */
    bool owners_told, devices_told;
    unsigned char buffer[256 << 10];
    size_t start, end;
} writer;

static const int writer_calls[] = {
    SYS_read,       SYS_write,   SYS_pwrite64,   SYS_openat,    SYS_openat2,    SYS_close,
    SYS_mkdirat,    SYS_mknodat, SYS_symlinkat,  SYS_linkat,    SYS_unlinkat,   SYS_fchownat,
    SYS_fchown,     SYS_fchmod,  SYS_fchmodat,   SYS_utimensat, SYS_fsetxattr,  SYS_lsetxattr,
    SYS_ftruncate,  SYS_fchdir,  SYS_newfstatat, SYS_statx,     SYS_readlinkat, SYS_fstat,
    SYS_getdents64, SYS_lseek,   SYS_fcntl,      SYS_dup,       SYS_mmap,       SYS_munmap,
    SYS_mremap,     SYS_madvise, SYS_brk,        SYS_futex,     SYS_getrandom,  SYS_exit_group,
};

static void warn(const char *format, const char *name)
{
    if (++writer.warnings <= LAYER_WARNING_LIMIT)
        layer_say("warning", format, name);
}

static const char *shown(void)
{
    return writer.place.length > 0 ? layer_text(writer.place.text, writer.place.length) : "/";
}

_Noreturn static void fail_here(void)
{
    layer_fail("%s: %s", shown(), layer_reason());
}

/* --- reading records ------------------------------------------------------------------------------------------------ */

static size_t take(const unsigned char **ret_data, size_t wish)
{
    if (writer.start == writer.end) {
        ssize_t got;
        do
            got = read(LAYER_FD_IN, writer.buffer, sizeof(writer.buffer));
        while (got < 0 && errno == EINTR);
        if (got <= 0)
            layer_fail("the parser has ended");
        writer.start = 0;
        writer.end = (size_t)got;
    }
    size_t length = writer.end - writer.start;
    if (length > wish)
        length = wish;
    *ret_data = writer.buffer + writer.start;
    writer.start += length;
    return length;
}

static void take_all(void *data, size_t length)
{
    const unsigned char *part;
    for (size_t done = 0, got; done < length; done += got) {
        got = take(&part, length - done);
        memcpy((char *)data + done, part, got);
    }
}

static void take_xattrs(void)
{
    for (uint32_t i = 0; i < writer.record.xattr_count; i++) {
        uint32_t lengths[2];
        take_all(lengths, sizeof(lengths));
        if (lengths[0] > LAYER_COMPONENT_LIMIT || lengths[1] > LAYER_XATTR_VALUE_LIMIT)
            layer_fail("the parser sent a bad attribute");
        struct xattr *xattr = &writer.xattrs[i];
        take_all(xattr->name, lengths[0]);
        xattr->name[lengths[0]] = 0;
        xattr->length = lengths[1];
        xattr->value = malloc(xattr->length + 1);
        if (xattr->value == NULL)
            layer_fail("out of memory");
        take_all(xattr->value, xattr->length);
    }
}

static void take_record(void)
{
    struct record *record = &writer.record;
    take_all(record, sizeof(*record));
    if (record->magic != RECORD_MAGIC || record->kind < RECORD_FILE || record->kind > RECORD_END ||
        record->name_length > LAYER_NAME_LIMIT || record->link_length > LAYER_NAME_LIMIT ||
        record->xattr_count > LAYER_XATTR_LIMIT || record->mode > 07777 || record->mtime_nsec > 999999999 ||
        record->atime_nsec > 999999999 || record->size > writer.limits->byte_limit)
        layer_fail("the parser sent a bad record");
    take_all(writer.name, record->name_length);
    take_all(writer.link, record->link_length);
    writer.name[record->name_length] = writer.link[record->link_length] = 0;
    take_xattrs();
}

static void release_record(void)
{
    for (uint32_t i = 0; i < writer.record.xattr_count; i++)
        free(writer.xattrs[i].value);
}

/* --- files for somebody, not a layer (struct layer_copy) ------------------------------------------------------------- */

/* What may be replaced by another kind is for the caller to say. */
static void refuse_replacement(const struct stat *present, bool by_directory)
{
    const struct layer_copy *copy = writer.limits->copy;
    if (copy == NULL || copy->overwrite || S_ISDIR(present->st_mode) == by_directory)
        return;
    layer_fail("%s: a %s stands there; give --overwrite to replace it", shown(), by_directory ? "file" : "directory");
}

static void take_owner_and_mode(void)
{
    const struct layer_copy *copy = writer.limits->copy;
    if (copy == NULL)
        return;
    if (copy->uid >= 0) {
        writer.record.uid = (uint32_t)copy->uid;
        writer.record.gid = (uint32_t)copy->gid;
    }
    if (copy->plain)
        writer.record.mode &= writer.record.kind == RECORD_DIRECTORY ? 01777 : 0777;
}

static bool is_plain(void)
{
    return writer.limits->copy != NULL && writer.limits->copy->plain;
}

/* A directory that is there, or to which a link leads, stays as it is. */
static bool keeps_directory(int parent)
{
    struct stat stat;
    if (writer.limits->copy == NULL || fstatat(parent, writer.place.base, &stat, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    if (S_ISDIR(stat.st_mode))
        return true;
    int led = S_ISLNK(stat.st_mode) ? place_directory(&writer.place) : -1;
    if (led >= 0)
        close(led);
    else
        refuse_replacement(&stat, true);
    return led >= 0;
}

/* --- attributes ----------------------------------------------------------------------------------------------------- */

static void set_owner(int parent, const char *base)
{
    uint32_t uid = writer.record.uid, gid = writer.record.gid;
    if (writer.limits->map == MAP_SINGLE && writer.limits->copy != NULL && writer.limits->copy->uid >= 0)
        return;
    if (writer.limits->map == MAP_SINGLE) {
        if ((uid != 0 || gid != 0) && !writer.owners_told)
            warn("the account has a single id: owners are not kept, every file belongs to it%s", "");
        writer.owners_told = writer.owners_told || uid != 0 || gid != 0;
        return;
    }
    if (fchownat(parent, base, uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0)
        return;
    if (errno == EINVAL)
        layer_fail("%s belongs to %u:%u, which this account's subordinate ids do not reach;"
                   " give it more of them (usermod --add-subuids, --add-subgids)",
                   shown(), uid, gid);
    fail_here();
}

/* Only what means the same on any machine: no labels of the host, nothing that steers overlayfs. */
static bool wanted_xattr(const char *name)
{
    if (strcmp(name, "security.capability") == 0)
        return !is_plain();
    return strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0;
}

static void set_xattrs(int file, int parent, const char *base)
{
    char path[LAYER_COMPONENT_LIMIT + 3] = "./";
    if (writer.record.xattr_count == 0)
        return;
    strcat(path, base);
    if (file < 0 && fchdir(parent) < 0)
        fail_here();
    for (uint32_t i = 0; i < writer.record.xattr_count; i++) {
        const struct xattr *xattr = &writer.xattrs[i];
        if (!wanted_xattr(xattr->name)) {
            warn("extended attributes other than user.* and security.capability are left out: %s", shown());
            continue;
        }
        int done = file >= 0 ? fsetxattr(file, xattr->name, xattr->value, xattr->length, 0)
                             : lsetxattr(path, xattr->name, xattr->value, xattr->length, 0);
        if (done == 0)
            continue;
        if (errno == ENOSPC || errno == EDQUOT)
            fail_here();
        warn("an extended attribute could not be set: %s", shown());
    }
}

static void record_times(struct timespec times[2])
{
    times[0] = (struct timespec){writer.record.atime, writer.record.atime_nsec};
    times[1] = (struct timespec){writer.record.mtime, writer.record.mtime_nsec};
}

static void set_times(int parent, const char *base)
{
    struct timespec times[2];
    record_times(times);
    if (utimensat(parent, base, times, AT_SYMLINK_NOFOLLOW) < 0)
        warn("its time could not be set: %s", shown());
}

/* chown clears set-id bits and capabilities, so: owner, mode, attributes, times. */
static void set_attributes(int parent, const char *base, bool is_link)
{
    set_owner(parent, base);
    if (!is_link && fchmodat(parent, base, writer.record.mode, 0) < 0)
        fail_here();
    set_xattrs(-1, parent, base);
    set_times(parent, base);
}

static void remember_times(void)
{
    writer.late_bytes += writer.place.length + sizeof(struct late_times) + 32;
    if (writer.late_bytes > MEMORY_LIMIT)
        layer_fail("the archive has too many directories");
    if (writer.late_count == writer.late_room) {
        writer.late_room = writer.late_room ? writer.late_room * 2 : 256;
        writer.late = realloc(writer.late, writer.late_room * sizeof(*writer.late));
    }
    char *path = writer.late ? strdup(writer.place.length > 0 ? writer.place.text : ".") : NULL;
    if (path == NULL)
        layer_fail("out of memory");
    writer.late[writer.late_count].path = path;
    record_times(writer.late[writer.late_count++].times);
}

/* A directory may have been replaced by something else since: then its time is not for that. */
static void set_late_times(void)
{
    for (size_t i = 0; i < writer.late_count; i++) {
        struct place *place = &writer.place;
        struct stat stat;
        place_parse(place, writer.late[i].path, strlen(writer.late[i].path), "name");
        if (place->length == 0) {
            utimensat(LAYER_FD_ROOT, ".", writer.late[i].times, 0);
            continue;
        }
        int parent = place_parent(place, false);
        if (parent >= 0 && fstatat(parent, place->base, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(stat.st_mode))
            utimensat(parent, place->base, writer.late[i].times, AT_SYMLINK_NOFOLLOW);
    }
}

/* --- members -------------------------------------------------------------------------------------------------------- */

/* What a file held is nowhere any more, and what stood behind a link has another name: the recipe names neither. */
static void note_replaced(const struct stat *stat)
{
    writer.replaced = writer.replaced || (!is_whiteout(stat) && !(S_ISREG(stat->st_mode) && stat->st_size == 0));
}

/* Makes room at the place. True when a whiteout was there. */
static bool clear_place(int parent)
{
    struct stat stat;
    if (fstatat(parent, writer.place.base, &stat, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT)
            fail_here();
        return false;
    }
    refuse_replacement(&stat, writer.record.kind == RECORD_DIRECTORY);
    note_replaced(&stat);
    remove_at(parent, writer.place.base, &stat);
    place_forget();
    return is_whiteout(&stat) && writer.limits->copy == NULL;
}

/* Calls `make` once more after clearing the place, when something is there already. The parent may be another one then. */
#define MAKE(parent, make)                                                                                             \
    while ((make) < 0) {                                                                                               \
        if (errno != EEXIST)                                                                                           \
            fail_here();                                                                                               \
        clear_place(parent);                                                                                           \
        parent = place_parent(&writer.place, true);                                                                    \
    }

static void write_data(int file)
{
    struct record_chunk chunk;
    uint64_t end = 0;
    for (;;) {
        take_all(&chunk, sizeof(chunk));
        if (chunk.length == 0)
            break;
        if (chunk.offset < end || chunk.offset > writer.record.size || chunk.length > writer.record.size - chunk.offset)
            layer_fail("the parser sent a bad chunk");
        end = chunk.offset;
        for (uint32_t left = chunk.length; left > 0;) {
            const unsigned char *part;
            size_t got = take(&part, left);
            ssize_t done = pwrite(file, part, got, (off_t)end);
            if (done < 0 && errno != EINTR)
                fail_here();
            /* What was not written is given back. */
            size_t written = done < 0 ? 0 : (size_t)done;
            writer.start -= got - written;
            left -= (uint32_t)written;
            end += written;
        }
    }
    if (end != writer.record.size && ftruncate(file, (off_t)writer.record.size) < 0)
        fail_here();
    writer.size += writer.record.size;
    if (writer.size > writer.limits->byte_limit)
        layer_fail("the archive's files are larger than the limit of %llu bytes",
                   (unsigned long long)writer.limits->byte_limit);
}

static void make_file(int parent)
{
    struct timespec times[2];
    int file = -1;
    MAKE(parent, file = openat(parent, writer.place.base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    write_data(file);
    set_owner(file, "");
    if (fchmod(file, writer.record.mode) < 0)
        fail_here();
    set_xattrs(file, -1, "");
    record_times(times);
    if (futimens(file, times) < 0)
        warn("its time could not be set: %s", shown());
    close(file);
}

static void make_directory(int parent)
{
    struct stat stat;
    bool hidden = false;
    if (keeps_directory(parent))
        return;
    if (mkdirat(parent, writer.place.base, 0755) < 0) {
        if (errno != EEXIST || fstatat(parent, writer.place.base, &stat, AT_SYMLINK_NOFOLLOW) < 0)
            fail_here();
        if (!S_ISDIR(stat.st_mode)) {
            hidden = clear_place(parent);
            parent = place_parent(&writer.place, true);
            if (mkdirat(parent, writer.place.base, 0755) < 0)
                fail_here();
        }
    }
    if (hidden)
        make_opaque(parent, writer.place.base);
    set_attributes(parent, writer.place.base, false);
    remember_times();
}

/* As place_parse, below the directory that the archive goes to. The root of the archive stays the empty name. */
static void parse_name(struct place *place, const char *name, size_t length, const char *what)
{
    static char text[2 * LAYER_NAME_LIMIT + 2];
    place_parse(place, name, length, what);
    if (writer.limits->copy == NULL || place->length == 0)
        return;
    int used = snprintf(text, sizeof(text), "%s/%s", writer.limits->copy->prefix, place->text);
    place_parse(place, text, (size_t)used, what);
}

/* The target's directory is resolved below the root and its last component is not followed (T17). */
static void make_hardlink(int parent)
{
    struct stat target, present;
    if (writer.link[0] == '/')
        layer_fail("a hard link in the archive has an absolute target: %s -> %s", shown(),
                   layer_text(writer.link, strlen(writer.link)));
    parse_name(&writer.target, writer.link, strlen(writer.link), "hard link's target");
    int place = dup(parent); /* the kept descriptor goes to the target's directory now */
    int from = writer.target.length > 0 ? place_parent(&writer.target, false) : -1;
    if (place < 0 || from < 0 || fstatat(from, writer.target.base, &target, AT_SYMLINK_NOFOLLOW) < 0 ||
        S_ISDIR(target.st_mode) || is_whiteout(&target))
        layer_fail("a hard link's target is no file of this layer: %s -> %s", shown(),
                   layer_text(writer.link, strlen(writer.link)));
    if (fstatat(place, writer.place.base, &present, AT_SYMLINK_NOFOLLOW) == 0) {
        if (present.st_ino == target.st_ino && present.st_dev == target.st_dev) {
            close(place);
            return;
        }
        refuse_replacement(&present, false);
        note_replaced(&present);
        remove_at(place, writer.place.base, &present);
        place_forget();
        from = place_parent(&writer.target, false);
    }
    if (from < 0 || linkat(from, writer.target.base, place, writer.place.base, 0) < 0)
        layer_fail("a hard link could not be made: %s -> %s: %s", shown(), layer_text(writer.link, strlen(writer.link)),
                   layer_reason());
    close(place);
}

static void make_whiteout(int parent, const char *base)
{
    struct stat stat;
    if (fstatat(parent, base, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
        /* A whiteout hides what lower layers have, never what this layer brings. */
        if (S_ISDIR(stat.st_mode))
            make_opaque(parent, base);
        return;
    }
    if (errno != ENOENT || mknodat(parent, base, S_IFCHR, makedev(0, 0)) < 0)
        fail_here();
}

static void make_device(int parent)
{
    if (is_plain()) {
        warn("devices are left out: %s", shown());
        return;
    }
    mode_t kind = writer.record.kind == RECORD_CHAR ? S_IFCHR : S_IFBLK;
    if (kind == S_IFCHR && writer.record.major == 0 && writer.record.minor == 0 && writer.limits->copy == NULL) {
        make_whiteout(parent, writer.place.base);
        return;
    }
    dev_t device = makedev(writer.record.major, writer.record.minor);
    while (mknodat(parent, writer.place.base, kind | 0600, device) < 0) {
        if (errno == EPERM) {
            if (!writer.devices_told)
                warn("devices are left out, an unprivileged account cannot make them: %s", shown());
            writer.devices_told = true;
            return;
        }
        if (errno != EEXIST)
            fail_here();
        clear_place(parent);
        parent = place_parent(&writer.place, true);
    }
    set_attributes(parent, writer.place.base, false);
}

/* `.wh.NAME` and the marker of an opaque directory. True when the member was one of them. */
static bool apply_whiteout(void)
{
    struct place *place = &writer.place;
    if (strncmp(place->base, WHITEOUT, 4) != 0 || writer.limits->copy != NULL)
        return false;
    if (strcmp(place->base, OPAQUE) == 0) {
        make_opaque(place_parent(place, true), ".");
        return true;
    }
    const char *hidden = place->base + 4;
    if (strncmp(hidden, WHITEOUT, 4) == 0)
        return true; /* aufs' own files */
    if (*hidden == 0 || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
        layer_fail("a whiteout in the archive names no entry: %s", shown());
    int parent = place_parent(place, false);
    if (parent >= 0) {
        make_whiteout(parent, hidden);
        return true;
    }
    /* Below something that is hidden as a whole there is nothing left to hide. */
    if (errno == ENOENT)
        make_whiteout(place_parent(place, true), hidden);
    return true;
}

static void apply_record(void)
{
    struct place *place = &writer.place;
    const struct record *record = &writer.record;
    parse_name(place, writer.name, record->name_length, "name");
    take_owner_and_mode();
    if (place->length == 0) {
        if (record->kind != RECORD_DIRECTORY)
            layer_fail("the archive's root is not a directory"); /* T17: a link named `.` or `/` */
        if (writer.limits->copy != NULL)
            return;
        set_attributes(LAYER_FD_ROOT, ".", false);
        remember_times();
        return;
    }
    if (record->kind == RECORD_UNKNOWN) {
        warn("a member of an unknown kind is left out: %s", shown());
        return;
    }
    if (apply_whiteout()) {
        if (record->kind == RECORD_FILE)
            for (struct record_chunk chunk = {.length = 1}; chunk.length > 0;) {
                const unsigned char *part;
                take_all(&chunk, sizeof(chunk));
                for (uint32_t left = chunk.length; left > 0;)
                    left -= (uint32_t)take(&part, left);
            }
        return;
    }
    int parent = place_parent(place, true);
    switch (record->kind) {
    case RECORD_FILE: make_file(parent); break;
    case RECORD_DIRECTORY: make_directory(parent); break;
    case RECORD_HARDLINK: make_hardlink(parent); break;
    case RECORD_SYMLINK:
        if (record->link_length == 0)
            layer_fail("a symbolic link in the archive has no target: %s", shown());
        MAKE(parent, symlinkat(writer.link, parent, place->base));
        set_attributes(parent, place->base, true);
        break;
    case RECORD_FIFO:
        MAKE(parent, mknodat(parent, place->base, S_IFIFO | 0600, 0));
        set_attributes(parent, place->base, false);
        break;
    default: make_device(parent);
    }
}

void layer_writer(const struct layer_limits *limits)
{
    writer.limits = limits;
    path_start(limits->map, limits->copy != NULL);
    if (confine_calls(writer_calls, sizeof(writer_calls) / sizeof(*writer_calls)) < 0)
        layer_fail("seccomp: %s", layer_reason());
    for (;;) {
        take_record();
        if (writer.record.kind == RECORD_END)
            break;
        apply_record();
        release_record();
    }
    set_late_times();
    if (writer.warnings > LAYER_WARNING_LIMIT)
        layer_say("warning", "and %llu more of these", (unsigned long long)(writer.warnings - LAYER_WARNING_LIMIT));
    if (writer.replaced)
        layer_say("replaced", "%s", "");
    layer_say("size", "%llu", (unsigned long long)writer.size);
    layer_say("ok", "%s", "");
    _exit(0);
}
