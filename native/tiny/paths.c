/*
 * Paths of the image. Each look-up starts at the root's descriptor with openat2 and RESOLVE_IN_ROOT, so `..`, absolute
 * links and races with another container that shares a volume end inside the root (T3, T5, T15).
 *
 * Creating needs its own walk, since openat2 creates nothing on the way: one component after the other, each by
 * descriptor without following; a link is read and its text put in front of what remains. `..` starts again at the root
 * with the canonical path so far, which must then hold no link (RESOLVE_NO_SYMLINKS): a race gives an error, not an escape.
 */
#include "stage.h"

enum { MAX_LINKS = 40, MAX_PATH = 4096 };

int root_open(struct stage *s, const char *path, unsigned flags)
{
    if (s->root < 0) {
        s->hint = "no root was made before";
        return -EINVAL;
    }
    int fd = (int)sys_openat2(s->root, path, flags | O_CLOEXEC, 0, RESOLVE_IN_ROOT);
    if (fd == -EXDEV) {
        s->hint = "the links of /proc lead out of the root";
        return -ELOOP;
    }
    return fd;
}

struct walk {
    int root;
    int at; /* O_PATH directory, or the last component */
    unsigned links;
    char done[MAX_PATH]; /* canonical path of `at`, without its last slash */
    char rest[MAX_PATH]; /* what remains */
};

static int kind_of(int fd)
{
    struct statx about;
    long result = sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &about);
    return result < 0 ? (int)result : about.stx_mode & TINY_S_IFMT;
}

static int restart(struct walk *w)
{
    sys_close(w->at);
    w->at = (int)sys_openat2(w->root, w->done[0] == 0 ? "/" : w->done, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
                             RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
    return w->at < 0 ? w->at : 0;
}

/* Cuts the first component of rest into name: 1; 0 when nothing remains. */
static int take_component(struct walk *w, char *name, size_t size)
{
    const char *from = w->rest;
    size_t n = 0;
    while (*from == '/')
        from++;
    while (from[n] != 0 && from[n] != '/')
        n++;
    if (n == 0)
        return 0;
    if (n >= size)
        return -ENAMETOOLONG;
    memcpy(name, from, n);
    name[n] = 0;
    memmove(w->rest, from + n, text_length(from + n) + 1);
    return 1;
}

/* The link `fd` stands in `at`: its text goes in front of what remains. */
static int follow(struct walk *w, int fd)
{
    char text[MAX_PATH];
    long n = sys4(__NR_readlinkat, fd, PTR(""), PTR(text), sizeof text);
    size_t rest = text_length(w->rest);
    if (n < 0)
        return (int)n;
    if (++w->links > MAX_LINKS || n == 0)
        return -ELOOP;
    if ((size_t)n + rest + 2 > sizeof w->rest)
        return -ENAMETOOLONG;
    memmove(w->rest + n + 1, w->rest, rest + 1);
    memcpy(w->rest, text, (size_t)n);
    w->rest[n] = '/';
    if (text[0] != '/')
        return 0;
    w->done[0] = 0;
    return restart(w);
}

static int go_up(struct walk *w)
{
    size_t n = text_length(w->done);
    while (n > 0 && w->done[--n] != '/')
        ;
    w->done[n] = 0;
    return restart(w);
}

static bool rest_is_empty(const struct walk *w)
{
    const char *at = w->rest;
    while (*at == '/')
        at++;
    return *at == 0;
}

static int open_component(const struct walk *w, const char *name)
{
    return (int)sys_openat2(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, RESOLVE_BENEATH);
}

/* Creates `name` in `at`. Directories get `mode` when they are the last, else 0755. */
static int create_component(const struct walk *w, const char *name, bool directory, unsigned mode)
{
    if (directory)
        return (int)sys3(__NR_mkdirat, w->at, PTR(name), mode);
    long fd = sys_openat(w->at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (int)mode);
    if (fd < 0)
        return (int)fd;
    sys_close((int)fd);
    return 0;
}

struct wish {
    bool create;
    bool parent_only; /* stop before the last component, which is not followed */
    bool directory;
    unsigned mode;
    bool made;
    char *last;
};

/* One component. 1: the walk has ended. */
static int step(struct walk *w, const char *name, struct wish *wish)
{
    if (text_equal(name, "."))
        return 0;
    if (text_equal(name, ".."))
        return go_up(w);
    bool final = rest_is_empty(w);
    if (final && wish->parent_only) {
        memcpy(wish->last, name, text_length(name) + 1);
        return 1;
    }
    int fd = open_component(w, name);
    if (fd == -ENOENT && wish->create) {
        bool directory = !final || wish->directory;
        int result = create_component(w, name, directory, final ? wish->mode : 0755);
        if (result < 0 && result != -EEXIST)
            return result;
        wish->made = result == 0 && final;
        fd = open_component(w, name);
    }
    if (fd < 0)
        return fd;
    if (kind_of(fd) == S_IFLNK) {
        int result = follow(w, fd);
        sys_close(fd);
        return result;
    }
    size_t done = text_length(w->done);
    if (done + text_length(name) + 2 > sizeof w->done) {
        sys_close(fd);
        return -ENAMETOOLONG;
    }
    w->done[done] = '/';
    memcpy(w->done + done + 1, name, text_length(name) + 1);
    sys_close(w->at);
    w->at = fd;
    return 0;
}

/* Walks path; returns the descriptor where it ended. */
static int walk(struct stage *s, const char *path, struct wish *wish)
{
    struct walk w = {.root = s->root, .at = -1};
    char name[256];
    if (s->root < 0) {
        s->hint = "no root was made before";
        return -EINVAL;
    }
    if (text_length(path) >= sizeof w.rest)
        return -ENAMETOOLONG;
    memcpy(w.rest, path, text_length(path) + 1);
    int result = restart(&w);
    while (result == 0 && (result = take_component(&w, name, sizeof name)) == 1)
        if ((result = step(&w, name, wish)) == 1)
            return w.at;
    /* The path was `/`, or ended in `..`: it has no last component. */
    if (result == 0 && wish->parent_only)
        result = -EINVAL;
    if (result == 0)
        return w.at;
    if (w.at >= 0)
        sys_close(w.at);
    if (result == -EROFS)
        s->hint = "it is missing in the image and the root cannot be written";
    if (result == -EOVERFLOW)
        s->hint = "the owner of its directory is not mapped in the user namespace";
    return result;
}

int root_create(struct stage *s, const char *path, bool directory, unsigned mode, bool *made)
{
    /* Nearly always it is there already, or all but its last component is. */
    int fd = root_open(s, path, O_PATH);
    struct wish wish = {.create = true, .directory = directory, .mode = mode};
    if (fd == -ENOENT)
        fd = walk(s, path, &wish);
    if (made != NULL)
        *made = wish.made;
    if (fd < 0)
        return fd;
    int kind = kind_of(fd);
    if (kind < 0 || (kind == S_IFDIR) == directory)
        return kind < 0 ? kind : fd;
    sys_close(fd);
    s->hint = directory ? "a directory is wanted here" : "a file is wanted here";
    return directory ? -ENOTDIR : -EISDIR;
}

/* Nearly always the directory is there and its path ends plainly: one look-up then. */
static int open_parent_at_once(struct stage *s, const char *path, struct root_place *place)
{
    char parent[MAX_PATH];
    size_t n = text_length(path);
    if (n >= sizeof parent || s->root < 0)
        return -ENAMETOOLONG;
    while (n > 0 && path[n - 1] != '/')
        n--;
    const char *last = path + n;
    if (n == 0 || *last == 0 || text_equal(last, ".") || text_equal(last, "..") ||
        text_length(last) >= sizeof place->name)
        return -EINVAL;
    memcpy(parent, path, n);
    parent[n] = 0;
    memcpy(place->name, last, text_length(last) + 1);
    return (int)sys_openat2(s->root, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE_IN_ROOT);
}

int root_parent(struct stage *s, const char *path, bool create, struct root_place *place)
{
    struct wish wish = {.create = create, .parent_only = true, .last = place->name};
    place->parent = open_parent_at_once(s, path, place);
    return place->parent >= 0 ? place->parent : (place->parent = walk(s, path, &wish));
}

/* Missing directories of a host path, as the user would make them: mkdir -p. */
int make_host_directories(const char *path, unsigned mode)
{
    char part[MAX_PATH];
    size_t n = text_length(path);
    if (n >= sizeof part)
        return -ENAMETOOLONG;
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        long result = sys3(__NR_mkdirat, AT_FDCWD, PTR(part), mode);
        if (result < 0 && result != -EEXIST && result != -EROFS && result != -EACCES)
            return (int)result;
    }
    return 0;
}

int op_check_root(struct stage *s, const struct op *op)
{
    for (unsigned i = 0; i < op->count; i++) {
        s->subject = op->fields[i];
        int fd = (int)sys_openat2(s->root, op->fields[i], O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
                                  RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
        if (fd == -ENOENT)
            continue;
        int kind = fd < 0 ? fd : kind_of(fd);
        if (fd >= 0)
            sys_close(fd);
        if (kind == S_IFDIR)
            continue;
        s->hint = "the image has something else there than a directory";
        return kind < 0 && kind != -ELOOP ? kind : -ENOTDIR;
    }
    return 0;
}

int op_mkdir(struct stage *s, const struct op *op)
{
    bool made;
    unsigned mode = field_octal(op->fields[1]);
    s->subject = op->fields[0];
    int fd = root_create(s, op->fields[0], true, mode & 0777, &made);
    if (fd < 0)
        return fd;
    long result = 0;
    if (made) {
        result = sys5(__NR_fchownat, fd, PTR(""), field_int(op->fields[2]), field_int(op->fields[3]), AT_EMPTY_PATH);
        /* chmod by an O_PATH descriptor needs a name: the directory's own `.`. */
        if (result == 0 && mode != (mode & 0755))
            result = sys3(__NR_fchmodat, fd, PTR("."), mode);
    }
    sys_close(fd);
    return (int)result;
}

int op_mount_point(struct stage *s, const struct op *op)
{
    s->subject = op->fields[0];
    int fd = root_create(s, op->fields[0], has_word(op->fields[1], "dir"), 0755, NULL);
    if (fd < 0)
        return fd;
    sys_close(fd);
    return 0;
}

int op_symlink(struct stage *s, const struct op *op)
{
    struct root_place place;
    s->subject = op->fields[1];
    int result = root_parent(s, op->fields[1], true, &place);
    if (result < 0)
        return result;
    long made = sys3(__NR_symlinkat, PTR(op->fields[0]), place.parent, PTR(place.name));
    sys_close(place.parent);
    return made < 0 && made != -EEXIST ? (int)made : 0;
}

int op_write_file(struct stage *s, const struct op *op)
{
    struct root_place place;
    const char *content = op->fields[2];
    size_t left = text_length(content);
    s->subject = op->fields[0];
    int result = root_parent(s, op->fields[0], true, &place);
    if (result < 0)
        return result;
    long fd = -EEXIST;
    for (int attempt = 0; attempt < 2 && fd == -EEXIST; attempt++) {
        fd = sys_openat(place.parent, place.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        (int)field_octal(op->fields[1]));
        if (fd == -EEXIST && (result = (int)sys3(__NR_unlinkat, place.parent, PTR(place.name), 0)) < 0)
            fd = result;
    }
    sys_close(place.parent);
    for (long n = 0; fd >= 0 && left > 0; content += n, left -= (size_t)n)
        if ((n = sys_write((int)fd, content, left)) < 0) {
            sys_close((int)fd);
            return (int)n;
        }
    return fd < 0 ? (int)fd : (sys_close((int)fd), 0);
}
