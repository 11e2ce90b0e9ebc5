/*
 * Copies the content of one directory into another (T16): by descriptors, no link followed, with modes, owners, times,
 * extended attributes and hard links. Sockets are left out, devices too where making them is not allowed.
 */
#include "stage.h"

enum {
    MAX_DEPTH = 256,
    MAX_NAME = 256,
    MAX_HARD_LINKS = 4096,
    LISTING = 4096,
    COPY_MOST = 1 << 20,
    MAX_UNSYNCED = 256,
};

/* Files with several names that were met: where the first copy is. */
struct hard_link {
    uint64_t inode;
    uint32_t device_major, device_minor;
    char *path; /* below the target */
};

struct copier {
    struct stage *stage;
    int top; /* target directory */
    unsigned depth, links;
    struct hard_link *table;
    char *text; /* room for paths in the table */
    size_t text_left;
    size_t path_length;
    /* Of a volume that lasts: what has to reach the disk. Beyond `keep` all of the file system is to. */
    unsigned keep, kept;
    bool too_many;
    int files[MAX_UNSYNCED];
    char path[4096]; /* of the directory at hand, below the target, ending with `/` unless empty */
};

static int copy_directory(struct copier *c, int from, int to);

static int fail_at(struct copier *c, const char *name, int error)
{
    struct text t = {c->stage->detail, 0, sizeof c->stage->detail};
    text_add_all(&t, "while copying ", c->path, name, NULL);
    return error;
}

static int copy_attributes(int from, int to)
{
    static const char *const left_out[] = {"security.selinux", "security.evm", "security.ima", "trusted."};
    char names[4096], value[4096];
    long n = sys3(__NR_flistxattr, from, PTR(names), sizeof names);
    /* A file system without attributes, or a list beyond all reason. */
    for (long at = 0; at < n; at += (long)text_length(names + at) + 1) {
        bool skip = false;
        for (unsigned i = 0; i < sizeof left_out / sizeof *left_out; i++)
            skip |= text_starts(names + at, left_out[i]);
        /* user.overlay.* of a layer are overlayfs' own. */
        if (skip || text_starts(names + at, "user.overlay."))
            continue;
        long size = sys4(__NR_fgetxattr, from, PTR(names + at), PTR(value), sizeof value);
        if (size < 0)
            continue;
        long result = sys5(__NR_fsetxattr, to, PTR(names + at), PTR(value), size, 0);
        if (result < 0 && result != -EOPNOTSUPP && result != -EPERM)
            return (int)result;
    }
    return 0;
}

static void set_times(int to, const char *name, const struct statx *about)
{
    struct __kernel_timespec times[2] = {
        {.tv_sec = about->stx_atime.tv_sec, .tv_nsec = about->stx_atime.tv_nsec},
        {.tv_sec = about->stx_mtime.tv_sec, .tv_nsec = about->stx_mtime.tv_nsec},
    };
    sys4(__NR_utimensat, to, PTR(name), PTR(times), name == NULL ? 0 : AT_SYMLINK_NOFOLLOW);
}

/* Owner, mode (after it: chown clears setuid), attributes (after it: chown clears capabilities), times. */
static int finish(int from, int to, const struct statx *about)
{
    long result = sys3(__NR_fchown, to, about->stx_uid, about->stx_gid);
    if (result == 0)
        result = sys2(__NR_fchmod, to, about->stx_mode & 07777);
    /* RestrictSUIDSGID= of the unit (DynamicUser= implies it) forbids these two bits, and only them. */
    if (result == -EPERM && (about->stx_mode & 06000) != 0)
        result = sys2(__NR_fchmod, to, about->stx_mode & 01777);
    if (result == 0)
        result = copy_attributes(from, to);
    set_times(to, NULL, about);
    return (int)result;
}

/* Done with a file or directory that was made. */
static void leave(struct copier *c, int to)
{
    if (c->kept == c->keep) {
        c->too_many = c->keep > 0;
        sys_close(to);
        return;
    }
    /* The disk works while the rest is copied. */
    sys4(__NR_sync_file_range, to, 0, 0, TINY_SYNC_WRITE);
    c->files[c->kept++] = to;
}

/*
 * Only what was copied, since a busy disk may take minutes for all that others have written. The data of all comes first: then the
 * journal is written once.
 */
static int reach_disk(struct copier *c, int top)
{
    const unsigned wait = TINY_SYNC_WAIT_BEFORE | TINY_SYNC_WRITE | TINY_SYNC_WAIT_AFTER;
    long result = 0;
    if (c->too_many)
        return (int)sys1(__NR_syncfs, top);
    /* Each error of a descriptor is told once: fsync is silent of what was told here. Some file systems have neither for a directory. */
    for (unsigned i = 0; result == 0 && i < c->kept; i++) {
        result = sys4(__NR_sync_file_range, c->files[i], 0, 0, wait);
        if (result == -EINVAL || result == -ESPIPE || result == -ENOSYS)
            result = 0;
    }
    for (unsigned i = 0; result == 0 && i < c->kept; i++)
        if ((result = sys1(__NR_fsync, c->files[i])) == -EINVAL)
            result = 0;
    return (int)(result < 0 ? result : sys1(__NR_fsync, top));
}

static int copy_bytes(int from, int to)
{
    char buffer[4096];
    long n;
    while ((n = sys6(__NR_copy_file_range, from, 0, to, 0, COPY_MOST, 0)) > 0)
        ;
    if (n == 0)
        return 0;
    /* Other file systems, older kernels: by hand. The offsets are the files' own, so nothing is copied twice. */
    while ((n = sys_read(from, buffer, sizeof buffer)) > 0)
        for (long done = 0, m; done < n; done += m)
            if ((m = sys_write(to, buffer + done, (size_t)(n - done))) < 0)
                return (int)m;
    return (int)n;
}

static int copy_file(struct copier *c, int from_dir, int to_dir, const char *name, const struct statx *about)
{
    int from = (int)sys_openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
    if (from < 0)
        return from;
    struct statx now;
    int result = (int)sys_statx(from, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO, &now);
    if (result == 0 && ((now.stx_mode & TINY_S_IFMT) != S_IFREG || now.stx_ino != about->stx_ino))
        result = -EAGAIN; /* exchanged under our hands */
    int to =
        result < 0 ? result : (int)sys_openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to >= 0) {
        result = copy_bytes(from, to);
        if (result == 0)
            result = finish(from, to, about);
        leave(c, to);
    } else {
        result = to;
    }
    sys_close(from);
    return result;
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct statx *about)
{
    char text[4096];
    long n = sys4(__NR_readlinkat, from_dir, PTR(name), PTR(text), sizeof text - 1);
    if (n < 0)
        return (int)n;
    text[n] = 0;
    n = sys3(__NR_symlinkat, PTR(text), to_dir, PTR(name));
    if (n == 0)
        n = sys5(__NR_fchownat, to_dir, PTR(name), about->stx_uid, about->stx_gid, AT_SYMLINK_NOFOLLOW);
    return (int)n;
}

static int copy_node(int to_dir, const char *name, const struct statx *about)
{
    unsigned major = about->stx_rdev_major, minor = about->stx_rdev_minor;
    unsigned number = (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
    long umask = sys1(__NR_umask, 0);
    long result = sys4(__NR_mknodat, to_dir, PTR(name), about->stx_mode, number);
    sys1(__NR_umask, umask);
    if (result == 0)
        result = sys5(__NR_fchownat, to_dir, PTR(name), about->stx_uid, about->stx_gid, AT_SYMLINK_NOFOLLOW);
    return result == -EPERM ? 0 : (int)result;
}

/* 1: a name of a file that was copied before, now linked. */
static int copy_hard_link(struct copier *c, int to_dir, const char *name, const struct statx *about)
{
    size_t need = c->path_length + text_length(name) + 1;
    if (about->stx_nlink < 2 || (about->stx_mode & TINY_S_IFMT) == S_IFDIR)
        return 0;
    if (c->table == NULL) {
        c->text_left = 1 << 20;
        c->table = stage_pages(MAX_HARD_LINKS * sizeof *c->table);
        c->text = stage_pages(c->text_left);
    }
    if (c->table == NULL || c->text == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < c->links; i++) {
        struct hard_link *link = &c->table[i];
        if (link->inode == about->stx_ino && link->device_major == about->stx_dev_major &&
            link->device_minor == about->stx_dev_minor) {
            long result = sys5(__NR_linkat, c->top, PTR(link->path), to_dir, PTR(name), 0);
            return result < 0 ? (int)result : 1;
        }
    }
    /* With the table full they become files of their own. */
    if (c->links == MAX_HARD_LINKS || need > c->text_left)
        return 0;
    c->table[c->links++] = (struct hard_link){about->stx_ino, about->stx_dev_major, about->stx_dev_minor, c->text};
    memcpy(c->text, c->path, c->path_length);
    memcpy(c->text + c->path_length, name, text_length(name) + 1);
    c->text += need;
    c->text_left -= need;
    return 0;
}

static int copy_subdirectory(struct copier *c, int from_dir, int to_dir, const char *name, const struct statx *about)
{
    size_t before = c->path_length, n = text_length(name);
    if (before + n + 2 > sizeof c->path)
        return -ENAMETOOLONG;
    int from = (int)sys_openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (from < 0)
        return from;
    long made = sys3(__NR_mkdirat, to_dir, PTR(name), 0700);
    int to = made < 0 ? (int)made : (int)sys_openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    int result = to;
    if (to >= 0) {
        memcpy(c->path + before, name, n);
        c->path[before + n] = '/';
        c->path[c->path_length = before + n + 1] = 0;
        result = copy_directory(c, from, to);
        c->path[c->path_length = before] = 0;
        if (result == 0)
            result = finish(from, to, about);
        leave(c, to);
    }
    sys_close(from);
    return result;
}

static int copy_entry(struct copier *c, int from, int to, const char *name)
{
    struct statx about;
    long result = sys_statx(from, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &about);
    if (result < 0)
        return (int)result;
    result = copy_hard_link(c, to, name, &about);
    if (result != 0)
        return result < 0 ? (int)result : 0;
    switch (about.stx_mode & TINY_S_IFMT) {
    case S_IFDIR: return copy_subdirectory(c, from, to, name, &about);
    case S_IFREG: return copy_file(c, from, to, name, &about);
    case S_IFLNK: return copy_link(from, to, name, &about);
    case S_IFSOCK: return 0;
    default: return copy_node(to, name, &about);
    }
}

static int copy_directory(struct copier *c, int from, int to)
{
    char listing[LISTING] __attribute__((aligned(8)));
    int result = 0;
    long n = 0;
    if (++c->depth > MAX_DEPTH)
        return fail_at(c, "", -ELOOP);
    while (result == 0 && (n = sys3(__NR_getdents64, from, PTR(listing), sizeof listing)) > 0) {
        for (long at = 0; result == 0 && at < n;) {
            struct tiny_dirent *entry = (struct tiny_dirent *)(listing + at);
            at += entry->length;
            if (text_equal(entry->name, ".") || text_equal(entry->name, ".."))
                continue;
            result = copy_entry(c, from, to, entry->name);
            if (result < 0 && c->stage->detail[0] == 0)
                fail_at(c, entry->name, result);
        }
    }
    c->depth--;
    return result < 0 ? result : (int)n;
}

/* `keep`: so many of them may be held open, until all of it is on the disk; 0: it need not be. */
static int copy_kept(struct stage *s, int from, int to, unsigned keep)
{
    struct copier *c = stage_pages(sizeof *c);
    struct statx about;
    if (c == NULL)
        return -ENOMEM;
    c->stage = s;
    c->top = to;
    c->keep = keep;
    int result = copy_directory(c, from, to);
    if (result == 0)
        result = (int)sys_statx(from, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &about);
    if (result == 0)
        result = finish(from, to, &about);
    if (result == 0 && keep > 0)
        result = reach_disk(c, to);
    for (unsigned i = 0; i < c->kept; i++)
        sys_close(c->files[i]);
    return result;
}

int copy_tree(struct stage *s, int from, int to)
{
    return copy_kept(s, from, to, 0);
}

/* With LimitNOFILE= of the unit there may be few. */
static unsigned descriptors_left(void)
{
    uint64_t limit[2] = {0};
    if (sys4(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, PTR(limit)) < 0 || limit[0] < 128)
        return 1;
    return limit[0] - 64 < MAX_UNSYNCED ? (unsigned)limit[0] - 64 : MAX_UNSYNCED;
}

/* Whether a directory has no entries; a negative errno when it cannot be read. */
static int is_empty(int directory)
{
    char listing[512] __attribute__((aligned(8)));
    long n = sys3(__NR_getdents64, directory, PTR(listing), sizeof listing);
    int entries = 0;
    for (long at = 0; at < n; at += ((struct tiny_dirent *)(listing + at))->length)
        entries++;
    sys3(__NR_lseek, directory, 0, TINY_SEEK_SET);
    return n < 0 ? (int)n : entries <= 2;
}

/*
 * A volume is filled in two steps, so that no payload sees a part and a start that is killed leaves nothing that counts as filled: the image's
 * content is copied into FILLING, which becomes FILLED when it is whole (and on the disk), whose entries then move up. A start removes what
 * it finds of the first and goes on with the second. One after the other: the lock goes with the process.
 */
static const char FILLING[] = ".berth-filling", FILLED[] = ".berth-filled";

static int open_directory(int parent, const char *name)
{
    return (int)sys_openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
}

/* Moves all entries; one that has come into the volume meanwhile stays. Entries leave the listing, so it is read from its start again. */
static int move_entries(int from, int to)
{
    char listing[LISTING] __attribute__((aligned(8)));
    struct statx about;
    for (;;) {
        long result = 0, moved = 0;
        sys3(__NR_lseek, from, 0, TINY_SEEK_SET);
        long n = sys3(__NR_getdents64, from, PTR(listing), sizeof listing);
        for (long at = 0; result == 0 && at < n;) {
            struct tiny_dirent *entry = (struct tiny_dirent *)(listing + at);
            at += entry->length;
            if (text_equal(entry->name, ".") || text_equal(entry->name, ".."))
                continue;
            moved++;
            result = sys_statx(to, entry->name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &about) == 0
                         ? remove_below(from, entry->name)
                         : sys4(__NR_renameat, from, PTR(entry->name), to, PTR(entry->name));
        }
        if (n < 0 || result < 0 || moved == 0)
            return (int)(n < 0 ? n : result);
    }
}

/* The top gets its owner before the entries are there: who may not look into it must not find some of them. */
static int settle(int to)
{
    struct statx about;
    remove_below(to, FILLING);
    int from = open_directory(to, FILLED);
    if (from < 0)
        return from == -ENOENT ? 0 : remove_below(to, FILLED);
    long result = sys_statx(from, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &about);
    if (result == 0)
        result = finish(from, to, &about);
    if (result == 0)
        result = move_entries(from, to);
    if (result == 0)
        result = sys3(__NR_unlinkat, to, PTR(FILLED), AT_REMOVEDIR);
    if (result == 0)
        set_times(to, NULL, &about);
    sys_close(from);
    return (int)result;
}

static int copy_whole(struct stage *s, int from, int to, bool lasts)
{
    long result = sys3(__NR_mkdirat, to, PTR(FILLING), 0700);
    int part = result < 0 ? (int)result : open_directory(to, FILLING);
    result = part < 0 ? part : copy_kept(s, from, part, lasts ? descriptors_left() : 0);
    if (part >= 0)
        sys_close(part);
    if (result == 0)
        result = sys4(__NR_renameat, to, PTR(FILLING), to, PTR(FILLED));
    if (result < 0) {
        remove_below(to, FILLING);
        return (int)result;
    }
    result = settle(to);
    return result == 0 && lasts ? (int)sys1(__NR_fsync, to) : (int)result;
}

/* An empty volume belongs to the payload, and then has what the image has in its place. */
static int fill(struct stage *s, const struct op *op, int to)
{
    struct statx about;
    long result = sys3(__NR_fchown, to, field_int(op->fields[2]), field_int(op->fields[3]));
    if (result < 0 || op->fields[1][0] == 0)
        return (int)result;
    s->subject = op->fields[1];
    int from = root_open(s, op->fields[1], O_RDONLY | O_DIRECTORY);
    /* The image need not have the volume's place. */
    if (from < 0)
        return from == -ENOENT ? 0 : from;
    result = is_empty(from);
    if (result == 0)
        result = copy_whole(s, from, to, op->fields[4][0] != 0);
    else if (result > 0 && (result = sys_statx(from, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &about)) == 0)
        result = finish(from, to, &about);
    sys_close(from);
    return (int)result;
}

int op_copy_up(struct stage *s, const struct op *op)
{
    s->subject = op->fields[0];
    int to = (int)sys_openat(AT_FDCWD, op->fields[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (to < 0)
        return to;
    int record = -1;
    if (op->fields[4][0] != 0) {
        s->subject = op->fields[4];
        record = (int)sys_openat(AT_FDCWD, op->fields[4], O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        if (record < 0) {
            sys_close(to);
            return record;
        }
        /* A file system without locks: nobody else is waited for. */
        sys2(__NR_flock, record, TINY_LOCK_EX);
        s->subject = op->fields[0];
    }
    int result = settle(to);
    if (result == 0 && (result = is_empty(to)) > 0)
        result = fill(s, op, to);
    if (record >= 0)
        sys_close(record);
    sys_close(to);
    return result;
}
