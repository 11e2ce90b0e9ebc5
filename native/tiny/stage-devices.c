/* Device nodes, the terminal, and the masks over /proc and /sys. */
#include "stage.h"

struct node {
    unsigned kind, major, minor, mode;
};

static bool is_node(int fd, const struct node *node, struct statx *about)
{
    return sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, about) == 0 && (about->stx_mode & TINY_S_IFMT) == node->kind &&
           (node->kind == S_IFIFO || (about->stx_rdev_major == node->major && about->stx_rdev_minor == node->minor));
}

static int make_node(const struct root_place *place, const struct node *node, int64_t uid, int64_t gid)
{
    /* new_encode_dev() of the kernel. */
    unsigned number = (node->minor & 0xff) | (node->major << 8) | ((node->minor & ~0xffu) << 12);
    /* Without a umask, since chmod(2) by name would follow what somebody puts there. */
    long umask = sys1(__NR_umask, 0);
    long result = sys4(__NR_mknodat, place->parent, PTR(place->name), node->kind | node->mode, number);
    sys1(__NR_umask, umask);
    if (result == 0)
        result = sys5(__NR_fchownat, place->parent, PTR(place->name), uid, gid, AT_SYMLINK_NOFOLLOW);
    return (int)result;
}

/* The host's node of the same path over `target`, an empty file. */
static int bind_node(struct stage *s, const char *path, const struct node *node, int target)
{
    struct statx about;
    int mount = clone_mount(AT_FDCWD, path, 0);
    if (mount < 0) {
        s->hint = "the host has no such device, and an account cannot make one";
        return mount;
    }
    int result = -ENODEV;
    if (is_node(mount, node, &about))
        result = attach(mount, target);
    else
        s->hint = "the host has something else there, and an account cannot make a device";
    sys_close(mount);
    return result;
}

int op_device(struct stage *s, const struct op *op)
{
    struct root_place place;
    struct statx about = {0};
    struct node node = {
        .kind = op->fields[1][0] == 'b'   ? S_IFBLK
                : op->fields[1][0] == 'p' ? S_IFIFO
                                          : S_IFCHR,
        .major = (unsigned)field_int(op->fields[2]),
        .minor = (unsigned)field_int(op->fields[3]),
        .mode = field_octal(op->fields[4]),
    };
    s->subject = op->fields[0];
    int result = root_parent(s, op->fields[0], true, &place);
    if (result < 0)
        return result;
    result = s->no_nodes ? -EPERM : make_node(&place, &node, field_int(op->fields[5]), field_int(op->fields[6]));
    if (result == -EPERM) {
        s->no_nodes = node.kind != S_IFIFO;
        result = (int)sys_openat(place.parent, place.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (result >= 0)
            sys_close(result);
    }
    int fd = result < 0 && result != -EEXIST
                 ? result
                 : (int)sys_openat(place.parent, place.name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
    sys_close(place.parent);
    if (fd < 0)
        return fd;
    result = 0;
    if (!is_node(fd, &node, &about)) {
        result = -EEXIST;
        if ((about.stx_mode & TINY_S_IFMT) == S_IFREG)
            result = bind_node(s, op->fields[0], &node, fd);
    }
    sys_close(fd);
    return result;
}

/* The terminal's own descriptor over /dev/console; nothing is followed (T5). */
static int cover_console(struct stage *s, int terminal)
{
    struct root_place place;
    int result = root_parent(s, "/dev/console", true, &place);
    if (result < 0)
        return result;
    long made = sys_openat(place.parent, place.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (made >= 0)
        sys_close((int)made);
    struct statx about;
    int target = (int)sys_openat(place.parent, place.name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
    sys_close(place.parent);
    if (target < 0)
        return target;
    result = (int)sys_statx(target, "", AT_EMPTY_PATH, STATX_TYPE, &about);
    if (result == 0 && (about.stx_mode & TINY_S_IFMT) == S_IFLNK)
        result = -ELOOP;
    int mount = result < 0 ? result : clone_mount(terminal, "", AT_EMPTY_PATH);
    if (mount >= 0) {
        result = attach(mount, target);
        sys_close(mount);
    } else {
        result = mount;
    }
    sys_close(target);
    return result;
}

/* ioctl_tty(2): the peer is opened through the master, never by a path. */
static int open_terminal(struct stage *s, int *peer)
{
    struct statfs about;
    int unlock = 0;
    int master = root_open(s, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
    if (master < 0)
        return master;
    long result = sys_fstatfs(master, &about);
    if (result == 0 && about.f_type != DEVPTS_SUPER_MAGIC) {
        s->hint = "it is no terminal multiplexer of a devpts";
        result = -ENODEV;
    }
    if (result == 0)
        result = sys_ioctl(master, TIOCSPTLCK, PTR(&unlock));
    if (result == 0)
        result = *peer = (int)sys_ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (result >= 0)
        return master;
    sys_close(master);
    return (int)result;
}

int op_console(struct stage *s, const struct op *op)
{
    int peer = -1;
    s->subject = "/dev/pts";
    int master = open_terminal(s, &peer);
    if (master < 0)
        return master;
    long result = sys3(__NR_fchown, peer, field_int(op->fields[0]), field_int(op->fields[1]));
    if (result == 0)
        result = sys_ioctl(peer, TIOCSCTTY, 0);
    if (result == 0 && s->made_root)
        result = cover_console(s, peer);
    if (result == 0)
        result = stage_send("fd console", master);
    for (int i = 0; result >= 0 && i < 3; i++)
        result = sys_dup3(peer, i, 0);
    sys_close(master);
    sys_close(peer);
    return result < 0 ? (int)result : 0;
}

/* /dev/null of the old root, verified (T4): taken before the old root goes. */
int take_null(struct stage *s)
{
    static const struct mount_words words = {.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC};
    struct node node = {.kind = S_IFCHR, .major = 1, .minor = 3};
    struct statx about;
    if (s->null >= 0)
        return 0;
    if (s->pivoted)
        return -EINVAL;
    int mount = clone_mount(AT_FDCWD, "/dev/null", 0);
    if (mount < 0)
        return mount;
    int result = is_node(mount, &node, &about) ? apply_mount_words(mount, &words, -1) : -ENODEV;
    if (result == 0) {
        s->null = mount;
        return 0;
    }
    s->hint = "/dev/null of the host is no null device";
    sys_close(mount);
    return result;
}

static int take_empty(struct stage *s)
{
    if (s->empty < 0)
        s->empty = fs_make(s, "tmpfs", "tmpfs", "size=4k,nr_inodes=2,mode=755",
                           MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    return s->empty < 0 ? s->empty : 0;
}

/* The first cover is attached itself; later ones are its clones (a detached mount cannot be cloned before Linux 6.15). */
static int cover(int mount, bool *used, int target)
{
    if (!*used) {
        int result = attach(mount, target);
        *used = result == 0;
        return result;
    }
    int clone = clone_mount(mount, "", AT_EMPTY_PATH);
    if (clone < 0)
        return clone;
    int result = attach(clone, target);
    sys_close(clone);
    return result;
}

static bool is_absent(int error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -EACCES;
}

int op_mask(struct stage *s, const struct op *op)
{
    struct statx about;
    s->subject = op->fields[0];
    int target = root_open(s, op->fields[0], O_PATH);
    if (target < 0)
        return is_absent(target) ? 0 : target;
    int result = (int)sys_statx(target, "", AT_EMPTY_PATH, STATX_TYPE, &about);
    bool directory = (about.stx_mode & TINY_S_IFMT) == S_IFDIR;
    if (result == 0)
        result = directory ? take_empty(s) : take_null(s);
    if (result == 0)
        result = directory ? cover(s->empty, &s->empty_used, target) : cover(s->null, &s->null_used, target);
    sys_close(target);
    return result;
}

int op_read_only(struct stage *s, const struct op *op)
{
    static const struct mount_words words = {.set_deep = MOUNT_ATTR_RDONLY};
    s->subject = op->fields[0];
    int target = root_open(s, op->fields[0], O_PATH);
    if (target < 0)
        return is_absent(target) ? 0 : target;
    int mount = clone_mount(target, "", AT_EMPTY_PATH | AT_RECURSIVE);
    int result = mount;
    if (mount >= 0) {
        result = apply_mount_words(mount, &words, -1);
        if (result == 0)
            result = attach(mount, target);
        sys_close(mount);
    }
    sys_close(target);
    return result;
}
