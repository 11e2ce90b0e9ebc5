/*
 * The new root: made detached, attached over the old root (so that no directory of the host is needed), entered by pivot.
 * Path look-ups of the host go on below the old root until then, since a process's root does not follow what is mounted
 * on it.
 */
#include "stage.h"

enum { MAX_LAYERS = 500 };

int op_propagation(struct stage *s, const struct op *op)
{
    struct mount_words words;
    char word[24];
    const char *flags = op->fields[1];
    s->subject = op->fields[0];
    s->hint = "known are private, slave, shared, unbindable, with r for recursive";
    /* `rslave` and `slave,r` mean the same. */
    if (!parse_mount_words(flags, &words) || words.propagation == 0 || !next_word(&flags, word, sizeof word))
        return -EINVAL;
    s->hint = NULL;
    long flag = (long)words.propagation | (words.propagation_deep || words.recursive ? 1 << 14 /* MS_REC */ : 0);
    return (int)sys5(__NR_mount, 0, PTR(op->fields[0]), 0, flag, 0);
}

/* flags: with `detached` it waits for `root-attach`. */
static int attach_root(struct stage *s, int mount, const char *flags)
{
    if (has_word(flags, "detached")) {
        s->root = mount;
        return 0;
    }
    int result = (int)sys5(__NR_move_mount, mount, PTR(""), AT_FDCWD, PTR("/"), MOVE_MOUNT_F_EMPTY_PATH);
    if (result < 0) {
        s->hint = "the new root cannot be attached";
        sys_close(mount);
        return result;
    }
    s->root = mount;
    return 0;
}

static int open_directory(const char *path)
{
    return (int)sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

/*
 * overlayfs gets its directories as /proc/self/fd/N: an open directory cannot be exchanged, its name may hold commas and
 * colons and be longer than the 255 bytes of fsconfig(2), and the mount table of the container does not show host paths.
 */
static void fd_path(struct text *path, int fd)
{
    text_add(path, "/proc/self/fd/");
    text_add_number(path, fd);
}

static int set_directory(struct stage *s, int context, const char *key, const char *path)
{
    TEXT(by_fd, 40);
    int fd = open_directory(path);
    if (fd < 0) {
        s->subject = path;
        return fd;
    }
    fd_path(&by_fd, fd);
    int result = fs_set(s, context, key, by_fd.start);
    /* The lower directories are looked up at once, upper and work too (Linux 6.5 and later). */
    sys_close(fd);
    return result;
}

static int set_overlay_options(struct stage *s, int context, const struct op *op)
{
    const char *flags = op->fields[2];
    char word[24];
    int result = 0;
    while (result == 0 && next_word(&flags, word, sizeof word)) {
        if (text_equal(word, "userxattr") || text_equal(word, "volatile"))
            result = fs_set(s, context, word, NULL);
        else if (text_equal(word, "metacopy"))
            result = fs_set(s, context, word, "on");
        else if (!text_equal(word, "legacy"))
            result = -EINVAL;
    }
    if (result == 0 && op->fields[3][0] != 0)
        result = fs_set(s, context, "context", op->fields[3]);
    return result;
}

/* Linux 6.8 and later: lowerdir+. Before, that word is refused here, or (before 6.5) only when the mount is made. */
static int overlay_by_context(struct stage *s, const struct op *op)
{
    int context = fs_open(s, "overlay");
    if (context < 0)
        return context;
    int result = set_overlay_options(s, context, op);
    for (unsigned i = 4; result == 0 && i < op->count; i++)
        result = set_directory(s, context, "lowerdir+", op->fields[i]);
    if (result == 0 && op->fields[0][0] != 0)
        result = set_directory(s, context, "upperdir", op->fields[0]);
    if (result == 0 && op->fields[0][0] != 0)
        result = set_directory(s, context, "workdir", op->fields[1]);
    if (result < 0) {
        sys_close(context);
        return result;
    }
    return fs_mount(s, context, 0);
}

/* One directory of the data page; its descriptor stays open until the mount is made. */
static int add_directory(struct stage *s, struct text *data, const char *before, const char *path)
{
    int fd = open_directory(path);
    if (fd < 0) {
        s->subject = path;
        return fd;
    }
    text_add(data, before);
    fd_path(data, fd);
    return 0;
}

/* Before Linux 6.8: mount(2) with one page of data, over the old root, then found again above it; `detached`: over a directory of its own. */
static int overlay_by_mount(struct stage *s, const struct op *op)
{
    TEXT(data, 4096);
    int result = 0;
    for (unsigned i = 4; result == 0 && i < op->count; i++)
        result = add_directory(s, &data, i == 4 ? "lowerdir=" : ":", op->fields[i]);
    if (result == 0 && op->fields[0][0] != 0)
        result = add_directory(s, &data, ",upperdir=", op->fields[0]);
    if (result == 0 && op->fields[0][0] != 0)
        result = add_directory(s, &data, ",workdir=", op->fields[1]);
    if (has_word(op->fields[2], "userxattr"))
        text_add(&data, ",userxattr");
    if (has_word(op->fields[2], "volatile"))
        text_add(&data, ",volatile");
    if (has_word(op->fields[2], "metacopy"))
        text_add(&data, ",metacopy=on");
    if (op->fields[3][0] != 0)
        text_add_all(&data, ",context=\"", op->fields[3], "\"", NULL);
    if (result == 0 && data.length + 1 >= data.size) {
        s->hint = "the image has more layers than this kernel can mount";
        result = -E2BIG;
    }
    bool detached = has_word(op->fields[2], "detached");
    const char *over = !detached ? "/" : op->fields[0][0] != 0 ? op->fields[0] : op->fields[4];
    if (result == 0)
        result = (int)sys5(__NR_mount, PTR("overlay"), PTR(over), PTR("overlay"), 0, PTR(data.start));
    if (result < 0)
        return result;
    if (detached) {
        int copy = clone_mount(AT_FDCWD, over, 0);
        return copy < 0 ? copy : attach_root(s, copy, op->fields[2]);
    }
    /* `..` of the root is the root, but that step goes up to what is mounted on it. */
    int mount = open_directory("/..");
    if (mount < 0)
        return mount;
    s->root = mount;
    return 0;
}

static void explain_overlay(struct stage *s, int error)
{
    if (s->hint != NULL)
        return;
    if (error == -EINVAL)
        s->hint = "the file system of the store may not do as an overlay's upper layer (NFS, another overlay)";
    if (error == -EPERM)
        s->hint = "overlayfs is not allowed in user namespaces here";
    if (error == -EBUSY)
        s->hint = "another container uses this writable layer";
}

int op_root_overlay(struct stage *s, const struct op *op)
{
    s->subject = op->fields[0][0] != 0 ? op->fields[0] : op->count > 4 ? op->fields[4] : "overlay";
    if (op->count < 5 || op->count > MAX_LAYERS + 4 || (op->fields[0][0] == 0) != (op->fields[1][0] == 0)) {
        s->hint = "an overlay has 1 to 500 lower directories, and upper and work together";
        return -EINVAL;
    }
    /* A single layer that nothing is written to: overlayfs wants two lower directories or an upper one. */
    if (op->count == 5 && op->fields[0][0] == 0) {
        struct mount_words words = {.set = MOUNT_ATTR_RDONLY};
        int mount = clone_mount(AT_FDCWD, op->fields[4], 0);
        int result = mount < 0 ? mount : apply_mount_words(mount, &words, -1);
        return result < 0 ? result : attach_root(s, mount, op->fields[2]);
    }
    int mount = has_word(op->fields[2], "legacy") ? -EINVAL : overlay_by_context(s, op);
    if (mount >= 0)
        return attach_root(s, mount, op->fields[2]);
    /* An old kernel, or directories that do not fit: then this says the same again. */
    int result = mount == -EINVAL ? overlay_by_mount(s, op) : mount;
    if (result == 0)
        s->detail[0] = 0;
    if (result < 0)
        explain_overlay(s, result);
    return result;
}

int op_root_bind(struct stage *s, const struct op *op)
{
    /* Nothing that is mounted below it later may come back to the host. */
    struct mount_words words = {.propagation = 1 << 19 /* MS_SLAVE */, .propagation_deep = true};
    s->subject = op->fields[0];
    bool deep = has_word(op->fields[1], "r");
    int mount = clone_mount(AT_FDCWD, op->fields[0], deep ? AT_RECURSIVE : 0);
    if (mount == -EINVAL && !deep) /* mounts below are locked to their parent in a user namespace */
        mount = clone_mount(AT_FDCWD, op->fields[0], AT_RECURSIVE);
    if (mount < 0)
        return mount;
    struct statx about;
    int result = (int)sys_statx(mount, "", AT_EMPTY_PATH, STATX_TYPE, &about);
    if (result == 0 && (about.stx_mode & TINY_S_IFMT) != S_IFDIR)
        result = -ENOTDIR;
    if (result == 0)
        result = apply_mount_words(mount, &words, -1);
    if (result == 0)
        return attach_root(s, mount, op->fields[1]);
    sys_close(mount);
    return result;
}

int op_root_attach(struct stage *s, const struct op *op)
{
    (void)op;
    s->subject = "/";
    if (s->root < 0) {
        s->hint = "no root was made before";
        return -EINVAL;
    }
    int mount = s->root;
    s->root = -1;
    return attach_root(s, mount, "");
}

int op_root_remount(struct stage *s, const struct op *op)
{
    struct mount_words words;
    s->subject = "/";
    if (!parse_mount_words(op->fields[0], &words) || s->root < 0) {
        s->hint = "an unknown flag, or no root was made before";
        return -EINVAL;
    }
    return apply_mount_words(s->root, &words, -1);
}

int op_remount(struct stage *s, const struct op *op)
{
    struct mount_words words;
    s->subject = op->fields[0];
    if (!parse_mount_words(op->fields[1], &words)) {
        s->hint = "a flag of the operation is not known";
        return -EINVAL;
    }
    int fd = root_open(s, op->fields[0], O_PATH);
    if (fd < 0)
        return fd;
    int result = apply_mount_words(fd, &words, -1);
    if (result == -EINVAL)
        s->hint = "nothing is mounted there";
    sys_close(fd);
    return result;
}

int op_pivot(struct stage *s, const struct op *op)
{
    (void)op;
    s->subject = "/";
    if (s->root < 0) {
        s->hint = "no root was made before";
        return -EINVAL;
    }
    /* What later operations may need of the old root, by descriptor. */
    if (s->proc < 0)
        take_host_proc(s);
    if (s->mask_follows) {
        int result = take_null(s);
        if (result < 0)
            return result;
    }
    int old = open_directory("/");
    if (old < 0)
        return old;
    long result = sys1(__NR_fchdir, s->root);
    if (result == 0)
        result = sys2(__NR_pivot_root, PTR("."), PTR("."));
    if (result == -EINVAL)
        s->hint = "the root of the host is no mount point (chroot or initramfs) or is shared";
    /*
     * pivot_root(2), "pivot_root(".", ".")": the old root now lies over the new one. Its mounts may be peers of the
     * host's (rootfsPropagation shared): as slaves their end stays here. `.` must be the old root for that.
     */
    if (result == 0)
        result = sys1(__NR_fchdir, old);
    if (result == 0)
        result = sys5(__NR_mount, 0, PTR("."), 0, 1 << 19 | 1 << 14 /* MS_SLAVE, MS_REC */, 0);
    if (result == 0)
        result = sys2(__NR_umount2, PTR("."), 2 /* MNT_DETACH */);
    if (result == 0)
        result = sys1(__NR_chdir, PTR("/"));
    sys_close(old);
    s->pivoted = true;
    return (int)result;
}
