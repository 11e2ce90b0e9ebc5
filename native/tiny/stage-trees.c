/*
 * Walks over directories of the host, as root of the user namespace, where an account's mapped ids can be removed and
 * given away. Everything by descriptor: no link is followed, nothing outside the tree is reached (T20).
 */
#include "stage.h"

enum { MAX_DEPTH = 1024, LISTING = 2048 };

/* What is done in a tree: 0 or a negative errno; the walk goes on after an error and tells the first. */
struct visitor {
    int first_error;
    unsigned depth;
    bool remove;
    int64_t uid, gid;
};

static void note(struct visitor *v, long result)
{
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

static void visit_entry(struct visitor *v, int parent, const char *name, bool directory)
{
    long result = -ENOTEMPTY;
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
    if (!v->remove)
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

/* Splits a host path into its parent, opened, and the last name. */
static int open_parent(const char *path, const char **name)
{
    char parent[4096];
    size_t n = text_length(path);
    if (n >= sizeof parent)
        return -ENAMETOOLONG;
    while (n > 0 && path[n - 1] != '/')
        n--;
    *name = path + n;
    if (**name == 0 || text_equal(*name, ".") || text_equal(*name, ".."))
        return -EINVAL;
    memcpy(parent, path, n);
    parent[n] = 0;
    return (int)sys_openat(AT_FDCWD, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

static int visit(struct stage *s, const char *path, struct visitor *v)
{
    const char *name;
    struct statx about;
    s->subject = path;
    int parent = open_parent(path, &name);
    if (parent == -ENOENT && v->remove)
        return 0;
    if (parent < 0)
        return parent;
    long result = sys_statx(parent, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &about);
    bool done = !v->remove && about.stx_uid == v->uid && about.stx_gid == v->gid;
    if (result == 0 && !done)
        visit_entry(v, parent, name, (about.stx_mode & TINY_S_IFMT) == S_IFDIR);
    sys_close(parent);
    if (result < 0)
        return result == -ENOENT && v->remove ? 0 : (int)result;
    return v->first_error;
}

int op_remove_tree(struct stage *s, const struct op *op)
{
    struct visitor v = {.remove = true};
    return visit(s, op->fields[0], &v);
}

int op_chown_tree(struct stage *s, const struct op *op)
{
    struct visitor v = {.uid = field_int(op->fields[1]), .gid = field_int(op->fields[2])};
    int result = visit(s, op->fields[0], &v);
    if (result == -EINVAL)
        s->hint = "the id is not mapped in the user namespace";
    return result;
}
