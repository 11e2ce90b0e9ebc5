/*
 * The stage: what a clone of the launcher becomes before it becomes the payload. Theory of operation.
 *
 * Who. `berth run` (and exec, oci) clones a process with the wanted namespaces; the clone becomes root of its user
 * namespace and executes this program from a sealed memfd, with the descriptors of packaging/decisions/0002-processes.md.
 * The stage plays a flat list of operations (ops.h) and its last operation, exec, makes it the payload. It has no policy:
 * what is mounted where was decided in TypeScript (src/ops/compile.ts).
 *
 * Phases, with what may still go wrong and who is told:
 *   1. check      the whole list is decoded and checked before anything is played (T30).
 *   2. building   everything up to `sync ready`: namespaces, root, mounts, masks, pivot. As root of the user namespace.
 *                 A failure is sent as `fail STEP ERRNO TEXT`; the launcher undoes what it made and prints one line.
 *                 The launcher's death (end of file) ends the stage with 125.
 *   3. ready      after `go ready` nobody waits for us: a failure is one line on descriptor 2, a record on the status
 *                 pipe, and our exit status: 125 ours, 126 cannot be executed, 127 not found.
 *                 Here privileges fall: bounding set, ids, capabilities, no-new-privileges, seccomp; then exec, which
 *                 closes the status pipe: the launcher and the relay know that the payload runs.
 *
 * Rules.
 * - A path of the image is resolved by openat2 with RESOLVE_IN_ROOT, once; then only its descriptor is used (T3, T4, T15).
 * - Mounts are made detached (fsopen, open_tree) and attached by descriptor (move_mount).
 * - What is written below /proc goes through a procfs that is ours and verified, or the old root's, verified (T6, T9).
 * - The stage is not dumpable (T1, T2); every descriptor that it opens is close-on-exec.
 * - The stage owns no heap: the list is mapped, arrays of pointers are pages of their own, the rest is on the stack.
 */
#include "stage.h"

#define BERTH_OP_POINTER(function, name, fields, rest) op_##function,
static int (*const players[OP_COUNT])(struct stage *, const struct op *) = {BERTH_OPS(BERTH_OP_POINTER)};
#undef BERTH_OP_POINTER

void *stage_pages(size_t bytes)
{
    long at = sys_mmap(bytes, TINY_PROT_READ | TINY_PROT_WRITE, TINY_MAP_PRIVATE | TINY_MAP_ANONYMOUS, -1);
    return at < 0 && at > -4096 ? NULL : (void *)at;
}

int64_t field_int(const char *field)
{
    int64_t value = 0;
    text_signed(field, &value);
    return value;
}

unsigned field_octal(const char *field)
{
    uint64_t value = 0;
    text_unsigned(field, 8, 07777, &value);
    return (unsigned)value;
}

uint64_t field_hex(const char *field)
{
    uint64_t value = 0;
    text_unsigned(field, 16, UINT64_MAX, &value);
    return value;
}

int field_fd(const char *field)
{
    return FD_LAUNCH + (int)field_int(field);
}

bool next_word(const char **at, char *word, size_t size)
{
    size_t n = 0;
    while (**at == ',')
        ++*at;
    if (**at == 0)
        return false;
    for (; **at != 0 && **at != ','; ++*at)
        if (n + 1 < size)
            word[n++] = **at;
    word[n] = 0;
    return true;
}

bool has_word(const char *list, const char *word)
{
    char one[32];
    while (next_word(&list, one, sizeof one))
        if (text_equal(one, word))
            return true;
    return false;
}

int stage_send(const char *message, int fd)
{
    struct iovec part = {(void *)message, text_length(message)};
    struct {
        struct tiny_cmsghdr head;
        int fd;
        int padding;
    } rights = {{sizeof rights - sizeof rights.padding, TINY_SOL_SOCKET, TINY_SCM_RIGHTS}, fd, 0};
    struct tiny_msghdr all = {.iov = &part, .iov_length = 1};
    if (fd >= 0) {
        all.control = &rights;
        all.control_length = sizeof rights;
    }
    long sent = sys_sendmsg(FD_CONTROL, &all, TINY_MSG_NOSIGNAL);
    return sent < 0 ? (int)sent : 0;
}

/* "PATH: words (hint)": the text of a failure. */
static void describe(const struct stage *s, int error, struct text *t)
{
    if (s->subject != NULL && *s->subject != 0) {
        text_add_shown(t, s->subject);
        text_add(t, ": ");
    }
    if (error != 0)
        text_add_error(t, error);
    if (s->detail[0] != 0) {
        text_add(t, error != 0 ? ": " : "");
        text_add_shown(t, s->detail);
    }
    if (s->hint != NULL) {
        bool alone = error == 0 && s->detail[0] == 0;
        text_add_all(t, alone ? "" : " (", s->hint, alone ? "" : ")", NULL);
    }
}

_Noreturn void stage_fail(struct stage *s, const char *step, int error)
{
    int status = s->exit_status != 0 ? s->exit_status : EXIT_OURS;
    TEXT(t, 1024);
    if (!s->ready) {
        text_add_all(&t, "fail ", step, " ", NULL);
        text_add_number(&t, error);
        text_add(&t, " ");
        describe(s, error, &t);
        stage_send(t.start, -1);
        sys_exit(EXIT_OURS);
    }
    text_add_all(&t, "berth: ", step, " ", NULL);
    describe(s, error, &t);
    text_add(&t, "\n");
    sys_write(2, t.start, t.length);
    t.length = 0;
    text_add_all(&t, step, " ", NULL);
    text_add_number(&t, error);
    text_add(&t, " ");
    text_add_number(&t, status);
    text_add(&t, " ");
    describe(s, error, &t);
    sys_write(FD_STATUS, t.start, t.length);
    sys_exit(status);
}

/* The list, mapped read-only. */
static void map_list(struct stage *s, struct ops *ops)
{
    struct statx about;
    long result = sys_statx(FD_OPS, "", AT_EMPTY_PATH, STATX_SIZE, &about);
    if (result < 0)
        stage_fail(s, "list", (int)-result);
    s->hint = "the list of operations is damaged";
    if (about.stx_size == 0 || about.stx_size > OPS_MAX_LIST)
        stage_fail(s, "list", EINVAL);
    long at = sys_mmap(about.stx_size, TINY_PROT_READ, TINY_MAP_PRIVATE, FD_OPS);
    if (at < 0 && at > -4096)
        stage_fail(s, "list", (int)-at);
    if (!ops_open(ops, (const char *)at, about.stx_size))
        stage_fail(s, "list", EINVAL);
    sys_close(FD_OPS);
    s->hint = NULL;
}

/* Phase 1. */
static void check_list(struct stage *s, struct ops ops)
{
    struct op op;
    const char *why = NULL;
    enum ops_next next;
    bool ended = false;
    while ((next = ops_next(&ops, &op, NULL, &why)) == OPS_OP) {
        if (ended) {
            why = "an operation follows exec";
            next = OPS_BAD;
            break;
        }
        ended = op.number == OP_exec || op.number == OP_hold;
        s->mask_follows |= op.number == OP_mask;
        s->made_root |= op.number == OP_root_overlay || op.number == OP_root_bind;
    }
    if (next == OPS_END)
        return;
    s->hint = why;
    stage_fail(s, op.number < OP_COUNT ? op_rows[op.number].name : "list", EINVAL);
}

static void play_list(struct stage *s, struct ops *ops)
{
    /* Operations that keep their fields (environment, exec, listen) take this room; then the next ones get new pages. */
    const char **room = NULL;
    struct op op;
    const char *why = NULL;
    for (;;) {
        if (room == NULL)
            room = stage_pages((OPS_MAX_REST + 1) * sizeof *room);
        if (room == NULL)
            stage_fail(s, "list", ENOMEM);
        if (ops_next(ops, &op, room, &why) != OPS_OP)
            return;
        s->subject = s->hint = NULL;
        s->detail[0] = 0;
        s->exit_status = 0;
        int result = players[op.number](s, &op);
        if (result < 0)
            stage_fail(s, op_rows[op.number].name, -result);
        if (op.number == OP_environment || op.number == OP_listen)
            room = NULL;
    }
}

int stage_main(int argc, char **argv, char **envp)
{
    struct stage s = {.root = -1, .proc = -1, .host_proc = -1, .null = -1, .empty = -1};
    struct ops ops;
    (void)argc, (void)argv, (void)envp;
    sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    sys_prctl(PR_SET_NAME, PTR("berth-stage"), 0, 0, 0);
    sys1(__NR_umask, 022);
    map_list(&s, &ops);
    check_list(&s, ops);
    play_list(&s, &ops);
    return 0;
}
