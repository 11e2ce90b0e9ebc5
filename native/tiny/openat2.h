/*
 * openat2 step by step, for where the call is forbidden: RestrictSUIDSGID=, which DynamicUser= implies, answers it with ENOSYS, since
 * seccomp cannot look into its arguments. One component after the other is opened without following; a link is read and its
 * text put in front of what remains; `..` goes back to a descriptor that is still held, never by name, so that no rename leads out.
 *
 * Included by native/tiny/openat2.c and native/host-tree.c, which define the four calls in capitals, each giving -errno. Flags
 * without O_CREAT. RESOLVE_IN_ROOT and RESOLVE_BENEATH, with NO_SYMLINKS and NO_XDEV; magic links are taken by their text.
 */
enum { STEPS_DEPTH = 64, STEPS_LINKS = 40, STEPS_PATH = 4096 };

struct steps {
    int held[STEPS_DEPTH + 1]; /* held[0] is the caller's */
    unsigned depth, links;
    uint64_t resolve, mount;
    char rest[STEPS_PATH];
};

static size_t steps_length(const char *text)
{
    size_t n = 0;
    while (text[n] != 0)
        n++;
    return n;
}

static void steps_back_to(struct steps *s, unsigned depth)
{
    while (s->depth > depth)
        STEP_CLOSE(s->held[s->depth--]);
}

/* Puts a text in front of what remains; an absolute one starts again at the root. */
static int steps_prepend(struct steps *s, const char *text, size_t n)
{
    size_t rest = steps_length(s->rest);
    if (n + rest + 2 > sizeof s->rest)
        return -ENAMETOOLONG;
    if (n > 0 && text[0] == '/') {
        if (!(s->resolve & RESOLVE_IN_ROOT))
            return -EXDEV;
        steps_back_to(s, 0);
    }
    /* No slash behind the last component: it would have to be a directory. */
    memmove(s->rest + n + (rest > 0), s->rest, rest + 1);
    memcpy(s->rest, text, n);
    if (rest > 0)
        s->rest[n] = '/';
    return 0;
}

/* Cuts the first component into name: its length; 0 when nothing remains. `last`: only slashes may follow. */
static int steps_take(struct steps *s, char *name, bool *last, bool *slash)
{
    const char *from = s->rest;
    size_t n = 0;
    while (*from == '/')
        from++;
    while (from[n] != 0 && from[n] != '/')
        n++;
    if (n > 255)
        return -ENAMETOOLONG;
    memcpy(name, from, n);
    name[n] = 0;
    *slash = from[n] == '/';
    memmove(s->rest, from + n, steps_length(from + n) + 1);
    *last = true;
    for (const char *at = s->rest; *at != 0; at++)
        if (*at != '/')
            *last = false;
    return (int)n;
}

static int steps_follow(struct steps *s, int link)
{
    char text[STEPS_PATH];
    long n = (s->resolve & RESOLVE_NO_SYMLINKS) || ++s->links > STEPS_LINKS ? -ELOOP
                                                                            : STEP_READLINK(link, text, sizeof text);
    STEP_CLOSE(link);
    return n < 0 ? (int)n : steps_prepend(s, text, (size_t)n);
}

/* Opens one component: 1 goes on, otherwise the result. */
static int steps_component(struct steps *s, const char *name, bool last, bool slash, uint64_t flags, int *ret_fd)
{
    struct statx about = {0};
    int at = s->held[s->depth];
    int fd = (int)STEP_OPENAT(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fd;
    int result = (int)STEP_STATX(fd, &about);
    if (result == 0 && (s->resolve & RESOLVE_NO_XDEV) && about.stx_mnt_id != s->mount)
        result = -EXDEV;
    unsigned kind = about.stx_mode & 0170000;
    bool wanted = last && !slash;
    if (result == 0 && kind == 0120000 && !(wanted && (flags & O_NOFOLLOW))) {
        result = steps_follow(s, fd);
        return result < 0 ? result : 1;
    }
    if (result == 0 && kind == 0120000 && !(flags & O_PATH))
        result = -ELOOP;
    if (result == 0 && kind != 0040000 && (!wanted || (flags & O_DIRECTORY)))
        result = -ENOTDIR;
    if (result == 0 && !last) {
        if (s->depth == STEPS_DEPTH)
            result = -ENAMETOOLONG;
        else {
            s->held[++s->depth] = fd;
            return 1;
        }
    }
    if (result == 0 && (flags & O_PATH)) {
        *ret_fd = fd;
        return 0;
    }
    STEP_CLOSE(fd);
    if (result == 0)
        *ret_fd = result = (int)STEP_OPENAT(at, name, flags | O_NOFOLLOW | O_CLOEXEC);
    return result < 0 ? result : 0;
}

static int openat2_by_steps(int directory, const char *path, uint64_t flags, uint64_t resolve)
{
    struct steps s = {.held = {directory}, .resolve = resolve};
    struct statx about = {0};
    char name[256];
    bool last, slash;
    int fd = -1, result = (int)STEP_STATX(directory, &about);
    if (path[0] == 0)
        result = -ENOENT;
    if (result == 0)
        result = steps_prepend(&s, path, steps_length(path));
    s.mount = about.stx_mnt_id;
    while (result >= 0 && fd < 0) {
        int n = steps_take(&s, name, &last, &slash);
        bool dots = n == 2 && name[0] == '.' && name[1] == '.';
        result = n;
        if (n == 0)
            fd = result = (int)STEP_OPENAT(s.held[s.depth], ".", (flags & ~(uint64_t)O_NOFOLLOW) | O_CLOEXEC);
        else if (dots && s.depth == 0 && !(resolve & RESOLVE_IN_ROOT))
            result = -EXDEV;
        else if (dots)
            steps_back_to(&s, s.depth == 0 ? 0 : s.depth - 1);
        else if (n > 0 && !(n == 1 && name[0] == '.'))
            result = steps_component(&s, name, last, slash, flags, &fd);
    }
    steps_back_to(&s, 0);
    return result < 0 ? result : fd;
}
