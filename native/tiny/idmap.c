/*
 * Id maps that the stage writes itself.
 *
 * `id-map`: a user namespace that only carries an id map, for mounts with MOUNT_ATTR_IDMAP (mount_setattr(2)). It belongs to a
 * child that does nothing; its maps are written, its namespace is opened, and it is ended: the descriptor keeps the
 * namespace. The kernel asks for privileges over the file system, so this is for root without a user namespace.
 *
 * `nest`: our own new user namespace below the one that was joined. Its maps can be written only by a process that is in the outer
 * one (user_namespaces(7)), so a child that stays there does it. Afterwards our namespaces can be opened through /proc by the account.
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
    char lines[4000];
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

/* The child of op_nest, in the outer namespace: waits until its parent is in the new one, and writes the maps. */
static _Noreturn void write_maps_of(struct stage *s, long pid, const int *gate, const char *text)
{
    const char *end = text + text_length(text), *middle = text_find(text, ';');
    char byte;
    long n;
    sys_close(gate[1]);
    do
        n = sys_read(gate[0], &byte, 1);
    while (n == -EINTR);
    int result = n == 1 ? write_map(s, pid, "uid_map", text, middle) : -ECANCELED;
    if (result == 0)
        result = write_map(s, pid, "gid_map", middle + 1, end);
    sys_exit(-result);
}

int op_nest(struct stage *s, const struct op *op)
{
    struct clone_args args = {.exit_signal = 0};
    int gate[2], status = 0;
    s->subject = op->fields[0];
    if (text_find(op->fields[0], ';') == NULL) {
        s->hint = "an id map is uids; gids";
        return -EINVAL;
    }
    long result = stage_proc(s);
    if (result >= 0)
        result = sys2(__NR_pipe2, PTR(gate), O_CLOEXEC);
    if (result < 0)
        return (int)result;
    long self = sys_getpid();
    long pid = sys2(__NR_clone3, PTR(&args), sizeof args);
    if (pid == 0)
        write_maps_of(s, self, gate, op->fields[0]);
    if (pid < 0)
        return (int)pid;
    sys_close(gate[0]);
    /* Else our files in /proc are root's. Nobody of the container is there yet; become-root ends it. */
    sys_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    result = sys1(__NR_unshare, CLONE_NEWUSER);
    if (result == 0)
        result = sys_write(gate[1], "", 1);
    sys_close(gate[1]);
    sys_wait4((int)pid, &status, __WALL);
    if (result < 0)
        return (int)result;
    /* From here on the pid namespace may be another one, of which a procfs can be mounted. */
    if (s->proc >= 0 && s->proc != s->host_proc)
        sys_close(s->proc);
    s->proc = -1;
    s->hint = "the ids are not all in the outer user namespace";
    return -(status >> 8 & 0xff);
}
