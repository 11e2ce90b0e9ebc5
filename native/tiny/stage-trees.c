/*
 * Walks over directories of the host, as root of the user namespace, where an account's mapped ids can be removed and
 * given away. Everything by descriptor: no link is followed, nothing outside the tree is reached (T20).
 *
 * The top comes last, so that a walk which was cut short is made again, and one which came to its end is not: the top then has
 * the owner, or the label, already.
 */
#include "stage.h"

enum { MAX_DEPTH = 1024, LISTING = 2048 };

/* What is done in a tree: 0 or a negative errno; the walk goes on after an error and tells the first. */
struct visitor {
    int first_error;
    unsigned depth;
    bool remove;
    int64_t uid, gid;
    const char *label; /* of SELinux; NULL: the owner is what changes */
    uint64_t mount;    /* with a label: nothing that is mounted below is entered */
};

static const char SELINUX[] = "security.selinux";

static void note(struct visitor *v, long result)
{
    /* A file system without labels has one for all of it, which is the policy's to say. */
    if (result == -EOPNOTSUPP && v->label != NULL)
        return;
    if (result < 0 && result != -ENOENT && v->first_error == 0)
        v->first_error = (int)result;
}

static void visit_directory(struct visitor *v, int directory);

/* Opens a subdirectory for listing; one without permission is given it first. */
static int enter(int parent, const char *name)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = (int)sys_openat(parent, name, flags, 0);
    if (fd != -EACCES)
        return fd;
    /* chmod(2) follows a link: through an O_PATH descriptor, by its own `.` once it may be searched. */
    int handle = (int)sys_openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (handle < 0)
        return handle;
    enum { FCHMODAT2 = 452 };
    long result = sys4(FCHMODAT2, handle, PTR(""), 0700, AT_EMPTY_PATH);
    if (result == -ENOSYS)
        result = sys3(__NR_fchmodat, parent, PTR(name), 0700);
    sys_close(handle);
    return result < 0 ? (int)result : (int)sys_openat(parent, name, flags, 0);
}

static bool is_mount(const struct visitor *v, int parent, const char *name)
{
    struct statx about;
    return v->label != NULL &&
           (sys_statx(parent, name, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &about) < 0 || about.stx_mnt_id != v->mount);
}

/* Descriptors of links and devices take no attributes: by the name in its directory, which is where we go. */
static long set_label(int parent, const char *name, const char *label)
{
    long result = sys1(__NR_fchdir, parent);
    return result < 0 ? result : sys5(__NR_lsetxattr, PTR(name), PTR(SELINUX), PTR(label), text_length(label) + 1, 0);
}

static bool has_label(int parent, const char *name, const char *label)
{
    char value[600] = "";
    long n = sys1(__NR_fchdir, parent);
    if (n == 0)
        n = sys4(__NR_lgetxattr, PTR(name), PTR(SELINUX), PTR(value), sizeof value - 1);
    return n > 0 && text_equal(value, label);
}

static void visit_entry(struct visitor *v, int parent, const char *name, bool directory)
{
    long result = -ENOTEMPTY;
    if (is_mount(v, parent, name))
        return;
    /* Some file systems leave entries out of a listing that shrinks meanwhile: again then. */
    for (int attempt = 0; attempt < 3 && result == -ENOTEMPTY; attempt++) {
        int fd = directory ? enter(parent, name) : -1;
        if (fd >= 0) {
            visit_directory(v, fd);
            sys_close(fd);
        } else if (directory) {
            note(v, fd);
        }
        result = v->remove ? sys3(__NR_unlinkat, parent, PTR(name), directory ? AT_REMOVEDIR : 0) : 0;
    }
    note(v, result);
    if (v->label != NULL)
        note(v, set_label(parent, name, v->label));
    else if (!v->remove)
        note(v, sys5(__NR_fchownat, parent, PTR(name), v->uid, v->gid, AT_SYMLINK_NOFOLLOW));
}

static bool is_directory(int parent, const struct tiny_dirent *entry)
{
    struct statx about;
    if (entry->type != 0)
        return entry->type == TINY_DT_DIR;
    return sys_statx(parent, entry->name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &about) == 0 &&
           (about.stx_mode & TINY_S_IFMT) == S_IFDIR;
}

static void visit_directory(struct visitor *v, int directory)
{
    char listing[LISTING] __attribute__((aligned(8)));
    long n;
    if (++v->depth > MAX_DEPTH) {
        note(v, -ELOOP);
        v->depth--;
        return;
    }
    while ((n = sys3(__NR_getdents64, directory, PTR(listing), sizeof listing)) > 0)
        for (long at = 0; at < n;) {
            struct tiny_dirent *entry = (struct tiny_dirent *)(listing + at);
            at += entry->length;
            if (!text_equal(entry->name, ".") && !text_equal(entry->name, ".."))
                visit_entry(v, directory, entry->name, is_directory(directory, entry));
        }
    note(v, n);
    v->depth--;
}

/* Splits a path into its parent, opened, and the last name. resolve: of openat2(2). */
static int open_parent(const char *path, const char **name, uint64_t resolve)
{
    char parent[4096] = ".";
    size_t n = text_length(path);
    if (n >= sizeof parent)
        return -ENAMETOOLONG;
    while (n > 0 && path[n - 1] != '/')
        n--;
    *name = path + n;
    if (**name == 0 || text_equal(*name, ".") || text_equal(*name, ".."))
        return -EINVAL;
    if (n > 0) {
        memcpy(parent, path, n);
        parent[n] = 0;
    }
    const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    return resolve == 0 ? (int)sys_openat(AT_FDCWD, parent, flags, 0)
                        : (int)sys_openat2(AT_FDCWD, parent, flags, 0, resolve);
}

static int visit(struct stage *s, const char *path, uint64_t resolve, struct visitor *v)
{
    const char *name;
    struct statx about;
    s->subject = path;
    int parent = open_parent(path, &name, resolve);
    if (parent == -ENOENT && v->remove)
        return 0;
    if (parent < 0)
        return parent;
    long result = sys_statx(parent, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_MNT_ID, &about);
    v->mount = about.stx_mnt_id;
    bool done = v->label != NULL ? has_label(parent, name, v->label)
                                 : !v->remove && about.stx_uid == v->uid && about.stx_gid == v->gid;
    if (result == 0 && !done)
        visit_entry(v, parent, name, (about.stx_mode & TINY_S_IFMT) == S_IFDIR);
    sys_close(parent);
    if (v->label != NULL)
        sys1(__NR_chdir, PTR("/"));
    if (result < 0)
        return result == -ENOENT && v->remove ? 0 : (int)result;
    return v->first_error;
}

/* A file, a link or a whole directory; what is not there is gone already. */
int remove_below(int parent, const char *name)
{
    struct visitor v = {.remove = true};
    struct statx about;
    long result = sys_statx(parent, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &about);
    if (result == 0)
        visit_entry(&v, parent, name, (about.stx_mode & TINY_S_IFMT) == S_IFDIR);
    return result == -ENOENT ? 0 : result < 0 ? (int)result : v.first_error;
}

int op_remove_tree(struct stage *s, const struct op *op)
{
    struct visitor v = {.remove = true};
    return visit(s, op->fields[0], 0, &v);
}

static const char NOT_MAPPED[] = "the id is not mapped in the user namespace";

int op_chown_tree(struct stage *s, const struct op *op)
{
    struct visitor v = {.uid = field_int(op->fields[1]), .gid = field_int(op->fields[2])};
    int result = visit(s, op->fields[0], 0, &v);
    if (result == -EINVAL)
        s->hint = NOT_MAPPED;
    return result;
}

int op_chown_below(struct stage *s, const struct op *op)
{
    struct visitor v = {.uid = field_int(op->fields[2]), .gid = field_int(op->fields[3])};
    struct statx about;
    int found = open_within(s, op->fields[0], op->fields[1]);
    if (found < 0)
        return found;
    int result = (int)sys_statx(found, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &about);
    if (result == 0 && (about.stx_uid != v.uid || about.stx_gid != v.gid)) {
        if ((about.stx_mode & TINY_S_IFMT) == S_IFDIR)
            visit_entry(&v, found, ".", true);
        else
            note(&v, sys5(__NR_fchownat, found, PTR(""), v.uid, v.gid, AT_EMPTY_PATH));
        result = v.first_error;
    }
    sys_close(found);
    if (result == -EINVAL)
        s->hint = NOT_MAPPED;
    return result;
}

int op_label_tree(struct stage *s, const struct op *op)
{
    struct visitor v = {.label = op->fields[1]};
    int result = visit(s, op->fields[0], RESOLVE_NO_SYMLINKS, &v);
    if (result == -EINVAL)
        s->hint = "the policy of the host has no such SELinux context";
    if (result == -EPERM || result == -EACCES)
        s->hint = "only the owner of a file may label it, as far as the policy lets it";
    if (result == -ELOOP)
        s->hint = "a link has come into its path";
    return result;
}
