/*
 * A procfs on which nobody has mounted anything (T6, T9), and the operations that write through it.
 *
 * Best is a fresh instance of our pid namespace, which is attached nowhere. Where the kernel refuses one (a host whose
 * /proc is itself covered in places), the old root's /proc serves: verified by its file system type and root inode, and
 * used with RESOLVE_NO_XDEV, so that nothing mounted below it is ever reached.
 */
#include "stage.h"

static bool is_procfs(int fd)
{
    struct statfs about;
    return sys_fstatfs(fd, &about) == 0 && about.f_type == PROC_SUPER_MAGIC;
}

int take_host_proc(struct stage *s)
{
    struct statx about;
    if (s->host_proc >= 0)
        return s->host_proc;
    /* After pivot /proc is a path of the image; a list that joins a container has no other, and it is verified too. */
    if (s->pivoted && s->made_root)
        return -EPERM;
    long fd = sys_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0)
        return (int)fd;
    /* PROC_ROOT_INO of include/linux/proc_ns.h. */
    if (!is_procfs((int)fd) || sys_statx((int)fd, "", AT_EMPTY_PATH, STATX_INO, &about) < 0 || about.stx_ino != 1) {
        sys_close((int)fd);
        return -EPERM;
    }
    return s->host_proc = (int)fd;
}

int stage_proc(struct stage *s)
{
    if (s->proc >= 0)
        return s->proc;
    long context = sys2(__NR_fsopen, PTR("proc"), FSOPEN_CLOEXEC);
    if (context >= 0) {
        if (sys5(__NR_fsconfig, context, FSCONFIG_CMD_CREATE, 0, 0, 0) == 0)
            s->proc = (int)sys3(__NR_fsmount, context, FSMOUNT_CLOEXEC,
                                MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        sys_close((int)context);
    }
    if (s->proc >= 0 && is_procfs(s->proc))
        return s->proc;
    s->proc = take_host_proc(s);
    if (s->proc < 0)
        s->hint = "no procfs can be mounted and the host's /proc is none";
    return s->proc;
}

int proc_open(struct stage *s, const char *path, int flags)
{
    int proc = stage_proc(s);
    if (proc < 0)
        return proc;
    long fd = sys_openat2(proc, path, (unsigned)flags | O_CLOEXEC, 0,
                          RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
    struct statx about;
    if (fd < 0)
        return (int)fd;
    if (!is_procfs((int)fd) || sys_statx((int)fd, "", AT_EMPTY_PATH, STATX_TYPE, &about) < 0 ||
        (about.stx_mode & TINY_S_IFMT) != S_IFREG) {
        sys_close((int)fd);
        s->hint = "it is no file of procfs";
        return -EPERM;
    }
    return (int)fd;
}

/* "self" as the procfs itself names us: its pid namespace need not be ours. */
static int self_path(struct stage *s, const char *name, struct text *path)
{
    char pid[24];
    int proc = stage_proc(s);
    if (proc < 0)
        return proc;
    long link = sys_openat2(proc, "self", O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE_NO_XDEV | RESOLVE_BENEATH);
    if (link < 0)
        return (int)link;
    long n = is_procfs((int)link) ? sys4(__NR_readlinkat, link, PTR(""), PTR(pid), sizeof pid - 1) : -EPERM;
    sys_close((int)link);
    if (n < 0)
        return (int)n;
    pid[n] = 0;
    text_add_all(path, pid, "/", name, NULL);
    return 0;
}

static int open_self(struct stage *s, const char *name, int flags)
{
    TEXT(path, 96);
    int result = self_path(s, name, &path);
    return result < 0 ? result : proc_open(s, path.start, flags);
}

static int write_once(int fd, const char *text)
{
    long n = sys_write(fd, text, text_length(text));
    sys_close(fd);
    return n < 0 ? (int)n : 0;
}

int proc_write_self(struct stage *s, const char *name, const char *text)
{
    int fd = open_self(s, name, O_WRONLY);
    return fd < 0 ? fd : write_once(fd, text);
}

bool setgroups_denied(struct stage *s)
{
    char text[8] = "";
    int fd = open_self(s, "setgroups", O_RDONLY);
    if (fd < 0)
        return false;
    long n = sys_read(fd, text, sizeof text - 1);
    sys_close(fd);
    return n > 0 && text_starts(text, "deny");
}

/* sysctl.d(5): the first separator decides; with dots, a slash stands for a dot in a name. False: no key. */
static bool sysctl_path(const char *key, struct text *path)
{
    const char *first = key;
    while (*first != 0 && *first != '.' && *first != '/')
        first++;
    bool dots = *first != '/';
    text_add(path, "sys/");
    for (char previous = '/'; *key != 0; key++) {
        char c = *key;
        if (dots && (c == '.' || c == '/'))
            c = c == '.' ? '/' : '.';
        /* Empty, `.` and `..` components. */
        if (previous == '/' && (c == '/' || c == '.'))
            return false;
        char one[2] = {previous = c, 0};
        text_add(path, one);
    }
    return path->length > 4 && path->start[path->length - 1] != '/' && path->length + 1 < path->size;
}

int op_sysctl(struct stage *s, const struct op *op)
{
    TEXT(path, 256);
    s->subject = op->fields[0];
    if (!sysctl_path(op->fields[0], &path)) {
        s->hint = "this is no name of a sysctl";
        return -EINVAL;
    }
    int fd = proc_open(s, path.start, O_WRONLY);
    if (fd == -ENOENT)
        s->hint = "this kernel does not have it";
    if (fd == -EACCES || fd == -EPERM)
        s->hint = "it belongs to no namespace of the container";
    return fd < 0 ? fd : write_once(fd, op->fields[1]);
}

int op_oom_score_adj(struct stage *s, const struct op *op)
{
    /*
     * A process that is not dumpable has files of root's in /proc. Before a container is joined nobody in it can see
     * us, so we may be dumpable for one write.
     */
    if (!s->joined)
        sys_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    int result = proc_write_self(s, "oom_score_adj", op->fields[0]);
    sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    s->subject = op->fields[0];
    if (result == -EACCES || result == -EPERM)
        s->hint = "an account may only raise it; set OOMScoreAdjust= in [Service]";
    return result;
}

int op_label(struct stage *s, const struct op *op)
{
    bool apparmor = text_equal(op->fields[0], "apparmor");
    s->subject = op->fields[1];
    if (!apparmor && !text_equal(op->fields[0], "selinux"))
        return -EINVAL;
    TEXT(text, 600);
    text_add_all(&text, apparmor ? "exec " : "", op->fields[1], NULL);
    int result = proc_write_self(s, apparmor ? "attr/apparmor/exec" : "attr/exec", text.start);
    if (result == -ENOENT && apparmor)
        result = proc_write_self(s, "attr/exec", text.start);
    if (result == -ENOENT || result == -EINVAL)
        s->hint =
            apparmor ? "AppArmor is not there or has no such profile" : "SELinux is not there or has no such context";
    return result;
}

int op_keyring(struct stage *s, const struct op *op)
{
    enum { JOIN_SESSION_KEYRING = 1 };
    long result = sys2(__NR_keyctl, JOIN_SESSION_KEYRING, PTR(op->fields[0]));
    s->subject = op->fields[0];
    /* No keyrings here, a filter above us, or the account's quota: the payload then has the keyring of before. */
    if (result == -ENOSYS || result == -EPERM || result == -EDQUOT || result == -EACCES)
        return 0;
    return result < 0 ? (int)result : 0;
}
