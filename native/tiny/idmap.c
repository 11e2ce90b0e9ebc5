/*
 * A user namespace that only carries an id map, for mounts with MOUNT_ATTR_IDMAP (mount_setattr(2)).
 *
 * It belongs to a child that does nothing; its maps are written, its namespace is opened, and it is ended: the descriptor
 * keeps the namespace. The kernel asks for privileges over the file system, so this is for root without a user namespace.
 */
#include "stage.h"

static _Noreturn void idle(void)
{
    sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (;;)
        sys_ppoll(NULL, 0, NULL);
}

/* "0 1000 1,5 6 7" up to `end` becomes lines of the map. */
static int write_map(struct stage *s, long pid, const char *name, const char *text, const char *end)
{
    char lines[1024];
    size_t n = 0;
    TEXT(path, 48);
    text_add_number(&path, pid);
    text_add_all(&path, "/", name, NULL);
    for (; text < end; text++) {
        if (n + 1 >= sizeof lines)
            return -E2BIG;
        lines[n++] = *text == ',' ? '\n' : *text;
    }
    int fd = proc_open(s, path.start, O_WRONLY);
    if (fd < 0)
        return fd;
    long result = sys_write(fd, lines, n);
    sys_close(fd);
    return result < 0 ? (int)result : 0;
}

static int open_namespace(struct stage *s, long pid)
{
    TEXT(path, 48);
    text_add_number(&path, pid);
    text_add(&path, "/ns/user");
    return (int)sys_openat(s->proc, path.start, O_RDONLY | O_CLOEXEC, 0);
}

int op_id_map(struct stage *s, const struct op *op)
{
    struct clone_args args = {.flags = CLONE_NEWUSER};
    const char *text = op->fields[0], *end = text + text_length(text), *middle = text_find(text, ';');
    s->subject = text;
    if (middle == NULL || s->id_map_count == MAX_ID_MAPS) {
        s->hint = "an id map is uids; gids, and there are at most 64";
        return -EINVAL;
    }
    s->hint = "an id-mapped mount needs root without a user namespace";
    int result = stage_proc(s);
    if (result < 0)
        return result;
    long pid = sys2(__NR_clone3, PTR(&args), sizeof args);
    if (pid == 0)
        idle();
    if (pid < 0)
        return (int)pid;
    result = write_map(s, pid, "uid_map", text, middle);
    if (result == 0)
        result = write_map(s, pid, "gid_map", middle + 1, end);
    if (result == 0)
        result = open_namespace(s, pid);
    sys_kill((int)pid, SIGKILL);
    sys_wait4((int)pid, NULL, __WALL);
    if (result < 0)
        return result;
    s->id_maps[s->id_map_count++] = result;
    return 0;
}
