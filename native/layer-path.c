#include "layer-path.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static enum map_kind map;
static bool crosses;
static struct {
    bool valid;
    int fd;
    size_t length;
    char text[LAYER_NAME_LIMIT + 1];
} kept = {.fd = -1};

void path_start(enum map_kind kind, bool crosses_mounts)
{
    map = kind;
    crosses = crosses_mounts;
}

void place_parse(struct place *place, const char *name, size_t length, const char *what)
{
    size_t used = 0, base = 0;
    for (size_t start = 0; start < length;) {
        const char *slash = memchr(name + start, '/', length - start);
        size_t end = slash ? (size_t)(slash - name) : length, size = end - start;
        const char *component = name + start;
        start = end + 1;
        if (size == 0 || (size == 1 && component[0] == '.'))
            continue;
        if (size == 2 && component[0] == '.' && component[1] == '.')
            layer_fail("a %s in the archive leads upwards by '..': %s", what, layer_text(name, length));
        if (size > LAYER_COMPONENT_LIMIT || used + size + 1 > LAYER_NAME_LIMIT)
            layer_fail("a %s in the archive is too long: %s", what, layer_text(name, length));
        if (used > 0)
            place->text[used++] = '/';
        base = used;
        memcpy(place->text + used, component, size);
        used += size;
    }
    place->text[used] = 0;
    place->length = used;
    place->base = place->text + base;
    place->parent_length = base > 0 ? base - 1 : 0;
}

#include "openat2-libc.h"

static int open_below(const char *path, uint64_t flags)
{
    struct open_how how = {.flags = flags | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (crosses ? 0 : RESOLVE_NO_XDEV)};
    if (*path == 0)
        path = ".";
    int fd = (int)syscall(SYS_openat2, LAYER_FD_ROOT, path, &how, sizeof(how));
    /* Forbidden by RestrictSUIDSGID=; or a rename somewhere on the host raced with a `..` of a link. */
    if (fd < 0 && (errno == ENOSYS || errno == EAGAIN)) {
        fd = openat2_by_steps(LAYER_FD_ROOT, path, how.flags, how.resolve);
        errno = fd < 0 ? -fd : 0;
    }
    return fd;
}

int place_directory(const struct place *place)
{
    return open_below(place->text, O_PATH | O_DIRECTORY);
}

bool is_whiteout(const struct stat *stat)
{
    return S_ISCHR(stat->st_mode) && stat->st_rdev == 0;
}

/* One missing directory on the way to a member that the archive did not announce. */
static void make_missing(int parent, const char *component, const char *path, size_t length)
{
    struct stat stat;
    bool hidden = fstatat(parent, component, &stat, AT_SYMLINK_NOFOLLOW) == 0;
    if (hidden && !is_whiteout(&stat))
        layer_fail("a name in the archive goes through something that is no directory: %s", layer_text(path, length));
    if (hidden)
        remove_at(parent, component, &stat);
    if (mkdirat(parent, component, 0755) < 0)
        layer_fail("%s: %s", layer_text(path, length), layer_reason());
    if (hidden)
        make_opaque(parent, component);
}

static int make_parents(const char *path, size_t length)
{
    char part[LAYER_NAME_LIMIT + 1];
    int parent = open_below("", O_PATH | O_DIRECTORY);
    for (size_t start = 0; parent >= 0 && start < length;) {
        const char *slash = memchr(path + start, '/', length - start);
        size_t end = slash ? (size_t)(slash - path) : length;
        memcpy(part, path, end);
        part[end] = 0;
        /* One step from the parent when that is a plain directory; a link has to be resolved from the root. */
        int next = openat(parent, part + start, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            next = open_below(part, O_PATH | O_DIRECTORY);
        if (next < 0 && (errno == ENOENT || errno == ENOTDIR)) {
            make_missing(parent, part + start, path, end);
            next = openat(parent, part + start, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        close(parent);
        parent = next;
        start = end + 1;
    }
    return parent;
}

int place_parent(const struct place *place, bool create)
{
    size_t length = place->parent_length;
    if (kept.valid && kept.length == length && memcmp(kept.text, place->text, length) == 0)
        return kept.fd;
    place_forget();
    memcpy(kept.text, place->text, length);
    kept.text[length] = 0;
    kept.length = length;
    int fd = open_below(kept.text, O_PATH | O_DIRECTORY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        if (!create)
            return -1;
        fd = make_parents(place->text, length);
    }
    if (fd < 0)
        layer_fail("%s: %s", layer_text(place->text, length), layer_reason());
    kept.valid = true;
    kept.fd = fd;
    return fd;
}

void place_forget(void)
{
    if (kept.valid)
        close(kept.fd);
    kept.valid = false;
}

void make_opaque(int parent, const char *base)
{
    /* The parent is O_PATH: only a change of directory gives its entries a path for the calls without "at". */
    char path[LAYER_COMPONENT_LIMIT + 3];
    snprintf(path, sizeof(path), "./%s", base);
    if (fchdir(parent) < 0)
        layer_fail("%s: %s", layer_text(base, strlen(base)), layer_reason());
    int trusted = map == MAP_HOST ? lsetxattr(path, "trusted.overlay.opaque", "y", 1, 0) : -1;
    int user = lsetxattr(path, "user.overlay.opaque", "y", 1, 0);
    if (trusted < 0 && user < 0)
        layer_fail("a directory cannot be marked as replacing that of lower layers: %s: %s",
                   layer_text(base, strlen(base)), layer_reason());
}

/* Names of the directories that are open above the present one, so that they can be removed on the way back. */
struct trail {
    char **names;
    size_t count, room;
};

static bool trail_push(struct trail *trail, const char *name)
{
    if (trail->count == trail->room) {
        size_t room = trail->room ? trail->room * 2 : 32;
        char **names = realloc(trail->names, room * sizeof(*names));
        if (names == NULL)
            return false;
        trail->names = names;
        trail->room = room;
    }
    char *copy = strdup(name);
    if (copy == NULL)
        return false;
    trail->names[trail->count++] = copy;
    return true;
}

/* Removes what can be removed at once. *ret_below: the first directory that is not empty, malloc'ed, or NULL. */
static bool clear_level(int directory, char **ret_below)
{
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    if (list == NULL) {
        cleanup_close_fd(&copy);
        return false;
    }
    *ret_below = NULL;
    bool fine = true;
    for (struct dirent *entry; fine && (errno = 0, entry = readdir(list)) != NULL;) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        bool is_directory = entry->d_type == DT_DIR;
        if (!is_directory && unlinkat(directory, name, 0) < 0) {
            is_directory = errno == EISDIR;
            fine = is_directory;
        }
        if (fine && is_directory && unlinkat(directory, name, AT_REMOVEDIR) < 0) {
            fine = errno == ENOTEMPTY || errno == EEXIST;
            if (fine) {
                *ret_below = strdup(name);
                break;
            }
        }
    }
    int kept_errno = errno;
    closedir(list);
    errno = kept_errno;
    return fine && kept_errno != ENOMEM;
}

/* Going back up by `..` is safe: nobody else can reach these directories, so none moves meanwhile. */
bool empty_directory(int directory)
{
    struct trail trail = {0};
    int here = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool fine = here >= 0;
    while (fine) {
        char *below = NULL;
        fine = clear_level(here, &below);
        if (fine && below == NULL && trail.count == 0)
            break;
        int next = -1;
        if (fine && below != NULL) {
            next = openat(here, below, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            fine = next >= 0 && trail_push(&trail, below);
        } else if (fine) {
            next = openat(here, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            char *name = trail.names[--trail.count];
            fine = next >= 0 && unlinkat(next, name, AT_REMOVEDIR) == 0;
            free(name);
        }
        free(below);
        int old = here;
        here = next;
        cleanup_close_fd(&old);
    }
    cleanup_close_fd(&here);
    while (trail.count > 0)
        free(trail.names[--trail.count]);
    free(trail.names);
    return fine;
}

void remove_at(int parent, const char *base, const struct stat *stat)
{
    bool fine;
    if (S_ISDIR(stat->st_mode)) {
        int directory = openat(parent, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        fine = directory >= 0 && empty_directory(directory) && unlinkat(parent, base, AT_REMOVEDIR) == 0;
        cleanup_close_fd(&directory);
    } else {
        fine = unlinkat(parent, base, 0) == 0;
    }
    if (!fine)
        layer_fail("%s: %s", layer_text(base, strlen(base)), layer_reason());
}
