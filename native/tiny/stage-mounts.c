/* Operations that mount something below the new root, except masks (stage-masks.c). */
#include "stage.h"

int attach_at(struct stage *s, int mount, const char *path, const struct mount_words *words)
{
    struct statx about;
    int result = 0, target = -1;
    if (words->point && (result = (int)sys_statx(mount, "", AT_EMPTY_PATH, STATX_TYPE, &about)) == 0)
        target = root_create(s, path, (about.stx_mode & TINY_S_IFMT) == S_IFDIR, 0755, NULL);
    else if (result == 0)
        target = root_open(s, path, O_PATH);
    if (target >= 0) {
        result = attach(mount, target);
        sys_close(target);
    } else if (result == 0) {
        result = target;
    }
    sys_close(mount);
    if ((result == -ENOTDIR || result == -EINVAL) && s->hint == NULL)
        s->hint = "one of source and target is a directory and the other is not, or nothing can be mounted there";
    return result;
}

/* Whether a comma-separated list has an option that starts so. */
static bool has_key(const char *options, const char *key)
{
    for (const char *at = options; at != NULL && *at != 0; at = text_find(at, ',')) {
        at += *at == ',';
        if (text_starts(at, key))
            return true;
    }
    return false;
}

int unknown_word(struct stage *s)
{
    s->hint = "a flag of the operation is not known";
    return -EINVAL;
}

/* mount(2) for an option that fsconfig(2) cannot carry (its strings end at 255 bytes). */
static int mount_old_way(struct stage *s, const struct op *op, const struct mount_words *words)
{
    TEXT(path, 64);
    int target = words->point ? root_create(s, op->fields[2], true, 0755, NULL) : root_open(s, op->fields[2], O_PATH);
    if (target < 0)
        return target;
    /* A path of ours in our own /proc: the descriptor decides where, not a name of the image. */
    text_add(&path, "/proc/self/fd/");
    text_add_number(&path, target);
    unsigned flags =
        (unsigned)words->set & (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    long result = s->pivoted ? -EINVAL
                             : sys5(__NR_mount, PTR(op->fields[1]), PTR(path.start), PTR(op->fields[0]), flags,
                                    PTR(op->fields[4]));
    sys_close(target);
    return (int)result;
}

/* A tmpfs without a mode of its own has that of the directory which it covers, as in other runtimes. */
static void inherit_mode(struct stage *s, int mount, const struct op *op)
{
    struct statx about;
    if (!text_equal(op->fields[0], "tmpfs") || has_key(op->fields[4], "mode="))
        return;
    int covered = root_open(s, op->fields[2], O_PATH | O_DIRECTORY);
    s->hint = NULL;
    if (covered < 0)
        return;
    if (sys_statx(covered, "", AT_EMPTY_PATH, STATX_MODE, &about) == 0)
        sys3(__NR_fchmodat, mount, PTR("."), about.stx_mode & 07777);
    sys_close(covered);
}

static bool has_long_option(const char *options)
{
    size_t n = 0;
    for (; *options != 0; options++)
        if ((n = *options == ',' ? 0 : n + 1) > 255)
            return true;
    return false;
}

int op_mount(struct stage *s, const struct op *op)
{
    struct mount_words words;
    s->subject = op->fields[2];
    if (!parse_mount_words(op->fields[3], &words))
        return unknown_word(s);
    if (has_long_option(op->fields[4]))
        return mount_old_way(s, op, &words);
    int mount = fs_make(s, op->fields[0], op->fields[1], op->fields[4], words.set);
    if (mount < 0)
        return mount;
    inherit_mode(s, mount, op);
    words.set = words.clear = 0;
    int result = apply_mount_words(mount, &words, -1);
    if (result < 0) {
        sys_close(mount);
        return result;
    }
    return attach_at(s, mount, op->fields[2], &words);
}

/* What a container wrote must not lead the mount of the next one out of the directory `top`. */
static int open_below(struct stage *s, int top, const char *below)
{
    s->subject = below;
    int found = (int)sys_openat2(top, below, O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    if (found == -ENOENT || found == -ELOOP)
        s->hint = "there is no such subpath; a link does not lead out of what a container may write";
    return found;
}

/* The path that the kernel has for a descriptor: no link is in it. */
static int real_path(int fd, char *out, size_t size)
{
    TEXT(link, 64);
    text_add(&link, "/proc/self/fd/");
    text_add_number(&link, fd);
    long n = sys4(__NR_readlinkat, AT_FDCWD, PTR(link.start), PTR(out), size - 1);
    if (n >= 0)
        out[n] = 0;
    return n < 0 ? (int)n : 0;
}

int open_within(struct stage *s, const char *top, const char *rest)
{
    char outer[4097], real[4097];
    s->subject = top;
    int from = (int)sys_openat(AT_FDCWD, top, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (from < 0)
        return from;
    s->subject = rest;
    int found = (int)sys_openat2(from, rest, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);
    int result = found < 0 ? found : real_path(from, outer, sizeof outer);
    sys_close(from);
    if (result == 0)
        result = real_path(found, real, sizeof real);
    if (result == 0) {
        /* Links may lead anywhere on the way; what they come to has to lie inside. */
        size_t n = text_equal(outer, "/") ? 0 : text_length(outer);
        if (!text_starts(real, outer) || (real[n] != 0 && real[n] != '/')) {
            struct text to = {s->detail, 0, sizeof s->detail};
            text_add(&to, "it is ");
            text_add(&to, real);
            s->hint = "a link does not lead out of what a container may write; give the path that it leads to";
            result = -EXDEV;
        }
    } else if (result == -ENOENT || result == -ELOOP) {
        s->hint = "a link in its path leads nowhere";
    }
    if (result == 0)
        return found;
    if (found >= 0)
        sys_close(found);
    return result;
}

/* mount(2) flags of the attributes that both have; the descriptor of the mount, which lies over the root. */
static int mount_over_root(const char *type, const char *source, const char *options, uint64_t attributes)
{
    unsigned flags =
        (unsigned)attributes & (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    long result = sys5(__NR_mount, PTR(source), PTR("/"), PTR(type), flags, PTR(options));
    return result < 0 ? (int)result : (int)sys_openat(AT_FDCWD, "/..", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

/* Attaches a detached mount over the root, where no path of ours leads to it. */
static int put_over_root(int mount)
{
    int root = mount < 0 ? mount : (int)sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    int result = root < 0 ? root : attach(mount, root);
    if (root >= 0)
        sys_close(root);
    if (result == 0)
        return mount;
    if (mount >= 0)
        sys_close(mount);
    return result;
}

int make_file_system(struct stage *s, const char *type, const char *source, const char *options,
                     const struct mount_words *words, const char *below)
{
    const struct mount_words rest = {.propagation = words->propagation, .propagation_deep = words->propagation_deep};
    bool old_way = has_long_option(options);
    int mount = -EINVAL;
    if (!old_way)
        mount = fs_make(s, type, source, options, words->set);
    if (old_way || *below != 0) {
        /* A part can be cloned of what is attached alone, and mount(2) makes nothing else. */
        int top = s->pivoted ? -EINVAL
                  : old_way  ? mount_over_root(type, source, options, words->set)
                             : put_over_root(mount);
        if (top < 0)
            return top;
        int found = open_below(s, top, *below == 0 ? "." : below);
        mount = found < 0 ? found : clone_mount(found, "", AT_EMPTY_PATH);
        if (found >= 0)
            sys_close(found);
        long result = sys1(__NR_fchdir, top);
        if (result == 0)
            result = sys2(__NR_umount2, PTR("."), 2 /* MNT_DETACH */);
        sys1(__NR_chdir, PTR("/"));
        sys_close(top);
        if (result < 0 && mount >= 0) {
            sys_close(mount);
            mount = (int)result;
        }
    }
    int result = mount < 0 ? mount : apply_mount_words(mount, &rest, -1);
    if (result == 0)
        return mount;
    if (mount >= 0)
        sys_close(mount);
    return result;
}

int op_mount_below(struct stage *s, const struct op *op)
{
    struct mount_words words;
    s->subject = op->fields[2];
    if (!parse_mount_words(op->fields[3], &words))
        return unknown_word(s);
    int mount = make_file_system(s, op->fields[0], op->fields[1], op->fields[4], &words, op->fields[5]);
    if (mount < 0)
        return mount;
    s->subject = op->fields[2];
    return attach_at(s, mount, op->fields[2], &words);
}

/* A copy of the host's, which cannot be written: also what is mounted below it. */
static int host_copy(const char *path)
{
    static const struct mount_words read_only = {.set_deep = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                                                             MOUNT_ATTR_NOEXEC};
    int mount = clone_mount(AT_FDCWD, path, AT_RECURSIVE);
    if (mount < 0)
        return mount;
    int result = apply_mount_words(mount, &read_only, -1);
    if (result == 0)
        return mount;
    sys_close(mount);
    return result;
}

int op_mount_host(struct stage *s, const struct op *op)
{
    static const char *const known[][2] = {{"proc", "/proc"}, {"sysfs", "/sys"}, {"cgroup2", "/sys/fs/cgroup"}};
    const char *type = op->fields[0], *host = NULL;
    struct mount_words words;
    s->subject = op->fields[1];
    for (unsigned i = 0; i < 3; i++)
        if (text_equal(type, known[i][0]))
            host = known[i][1];
    if (host == NULL || !parse_mount_words(op->fields[2], &words))
        return unknown_word(s);
    int mount = fs_make(s, type, type, "", words.set);
    if (mount == -EPERM || mount == -EBUSY || mount == -EACCES) {
        s->hint = NULL;
        s->detail[0] = 0;
        mount = host_copy(host);
        if (mount < 0)
            s->hint = "neither a new one can be mounted nor the host's be copied";
    } else if (mount >= 0 && s->proc < 0 && text_equal(type, "proc")) {
        /* Our own fresh procfs: what later writes go through. */
        s->proc = (int)sys_fcntl(mount, F_DUPFD_CLOEXEC, 0);
    }
    return mount < 0 ? mount : attach_at(s, mount, op->fields[1], &words);
}

static int check_source(struct stage *s, int mount, const struct mount_words *words)
{
    struct statx about;
    if (!words->source_directory && !words->source_file)
        return 0;
    long result = sys_statx(mount, "", AT_EMPTY_PATH, STATX_TYPE, &about);
    if (result < 0)
        return (int)result;
    bool directory = (about.stx_mode & TINY_S_IFMT) == S_IFDIR;
    if (directory ? !words->source_file : !words->source_directory)
        return 0;
    s->hint = directory ? "a file was expected" : "a directory was expected";
    return directory ? -EISDIR : -ENOTDIR;
}

int find_id_map(struct stage *s, const char *text)
{
    uint64_t number;
    if (text_unsigned(text, 10, MAX_ID_MAPS, &number) && number < s->id_map_count)
        return s->id_maps[number];
    s->hint = "there is no id map of this number";
    return -EINVAL;
}

/* The source of a bind: by its path, or (found >= 0) as it was opened. */
static int clone_source(int found, const char *path, unsigned deep)
{
    return found < 0 ? clone_mount(AT_FDCWD, path, deep) : clone_mount(found, "", AT_EMPTY_PATH | deep);
}

int make_bind(struct stage *s, const char *path, const char *rest, const char *below, const struct mount_words *words,
              const char *map)
{
    unsigned deep = words->recursive ? AT_RECURSIVE : 0;
    int found = -1;
    s->subject = path;
    if (*rest != 0 || *below != 0) {
        int top = *rest != 0 ? open_within(s, path, rest)
                             : (int)sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
        found = top < 0 || *below == 0 ? top : open_below(s, top, below);
        if (top >= 0 && found != top)
            sys_close(top);
        if (found < 0)
            return found;
    }
    int mount = clone_source(found, path, deep);
    if (mount == -ENOENT && found < 0 && words->create) {
        int result = make_host_directories(path, 0755);
        mount = result < 0 ? result : clone_mount(AT_FDCWD, path, deep);
    }
    /* In a user namespace mounts below may be locked to their parent: all or nothing. */
    if (mount == -EINVAL && !words->recursive)
        mount = clone_source(found, path, AT_RECURSIVE);
    if (found >= 0)
        sys_close(found);
    if (mount == -EINVAL)
        s->hint = "it lies in another mount namespace";
    if (mount < 0)
        return mount;
    int result = check_source(s, mount, words);
    int idmap = -1;
    if (result == 0 && *map != 0)
        result = idmap = find_id_map(s, map);
    if (result >= 0)
        result = apply_mount_words(mount, words, idmap);
    if (result < 0 && idmap >= 0)
        s->hint = "an id-mapped mount needs root without a user namespace, and a file system that can do it";
    if (result >= 0)
        return mount;
    sys_close(mount);
    return result;
}

int op_bind(struct stage *s, const struct op *op)
{
    struct mount_words words;
    s->subject = op->fields[0];
    if (!parse_mount_words(op->fields[2], &words))
        return unknown_word(s);
    int mount = make_bind(s, op->fields[0], "", "", &words, op->fields[3]);
    if (mount < 0)
        return mount;
    s->subject = op->fields[1];
    return attach_at(s, mount, op->fields[1], &words);
}

int op_bind_below(struct stage *s, const struct op *op)
{
    struct mount_words words;
    if (!parse_mount_words(op->fields[4], &words))
        return unknown_word(s);
    int mount = make_bind(s, op->fields[0], op->fields[1], op->fields[2], &words, op->fields[5]);
    if (mount < 0)
        return mount;
    s->subject = op->fields[3];
    return attach_at(s, mount, op->fields[3], &words);
}

int op_bind_fd(struct stage *s, const struct op *op)
{
    struct mount_words words;
    int fd = field_fd(op->fields[0]);
    s->subject = op->fields[1];
    if (!parse_mount_words(op->fields[2], &words))
        return unknown_word(s);
    /* A file or directory of our mount namespace is cloned; a detached mount cannot be, and is taken itself. */
    int mount = clone_mount(fd, "", AT_EMPTY_PATH | (words.recursive ? AT_RECURSIVE : 0));
    if (mount == -EINVAL)
        mount = (int)sys_fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (mount < 0)
        return mount;
    int result = apply_mount_words(mount, &words, -1);
    if (result == 0)
        return attach_at(s, mount, op->fields[1], &words);
    sys_close(mount);
    return result;
}

/* What the options say of the root directory itself stays as they say; the rest is that of the covered directory. */
static void restore_root(int directory, const char *options, const struct statx *before, bool made)
{
    bool uid = made || has_key(options, "uid="), gid = made || has_key(options, "gid=");
    if (uid || gid)
        sys3(__NR_fchown, directory, uid ? (int)before->stx_uid : -1, gid ? (int)before->stx_gid : -1);
    if (made || has_key(options, "mode="))
        sys2(__NR_fchmod, directory, before->stx_mode & 07777);
}

int op_tmpfs_copyup(struct stage *s, const struct op *op)
{
    struct mount_words words;
    s->subject = op->fields[0];
    if (!parse_mount_words(op->fields[2], &words))
        return unknown_word(s);
    bool made = false;
    int point = words.point ? root_create(s, op->fields[0], true, 0755, &made) : -1;
    if (point >= 0)
        sys_close(point);
    int from = root_open(s, op->fields[0], O_RDONLY | O_DIRECTORY);
    if (from < 0)
        return from;
    int mount = fs_make(s, "tmpfs", "tmpfs", op->fields[1], words.set & ~(uint64_t)MOUNT_ATTR_RDONLY);
    int result = mount;
    if (mount >= 0) {
        struct mount_words after = {.set = words.set & MOUNT_ATTR_RDONLY};
        struct statx before = {0};
        sys_statx(mount, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &before);
        int to = (int)sys_openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        result = to < 0 ? to : copy_tree(s, from, to);
        if (result == 0)
            restore_root(to, op->fields[1], &before, made);
        if (to >= 0)
            sys_close(to);
        if (result == 0)
            result = apply_mount_words(mount, &after, -1);
        /* Where `from` was opened, not where its name leads now. */
        if (result == 0)
            result = attach(mount, from);
        sys_close(mount);
    }
    sys_close(from);
    return result;
}
