/* The last operations: working directory, environment, and the exec that makes the stage the payload. */
#include "stage.h"

/* T2: the working directory lies in the root, and was reached without magic links. */
static int enter_directory(struct stage *s, int directory)
{
    char where[4096];
    long result = sys1(__NR_fchdir, directory);
    if (result == 0)
        result = sys2(__NR_getcwd, PTR(where), sizeof where);
    if (result < 0)
        return (int)result;
    if (where[0] == '/')
        return 0;
    s->hint = "it lies outside the root";
    return -EPERM;
}

static int change_directory(struct stage *s, const char *path)
{
    int fd = root_open(s, path, O_PATH | O_DIRECTORY);
    if (fd < 0)
        return fd;
    int result = enter_directory(s, fd);
    sys_close(fd);
    return result;
}

int op_cwd(struct stage *s, const struct op *op)
{
    s->subject = op->fields[0];
    int result = change_directory(s, op->fields[0]);
    if (result == -ENOENT && s->made_root && field_octal(op->fields[1]) == 0)
        s->hint = "it must be in the image or below a mount; make it there, or leave --workdir out";
    else if (result == -ENOENT && s->made_root) {
        struct op make = {.number = OP_mkdir, .count = 4, .fields = op->fields};
        result = op_mkdir(s, &make);
        s->hint = result < 0 && s->hint == NULL ? "it is missing and cannot be created" : s->hint;
        if (result == 0)
            result = change_directory(s, op->fields[0]);
    }
    /* A network file system may give to the payload's user what it denies to root: once more as that user. */
    if (result == -EACCES) {
        s->cwd = op->fields[0];
        s->cwd_pending = true;
        result = 0;
    }
    return result;
}

int op_environment(struct stage *s, const struct op *op)
{
    s->environment = op->fields;
    return 0;
}

int op_listen(struct stage *s, const struct op *op)
{
    s->listen = op->fields;
    s->listen_count = op->count;
    if (op->count > MAX_LISTEN) {
        s->hint = "too many descriptors";
        return -E2BIG;
    }
    return 0;
}

/* LISTEN_PID is a number that only now is known (sd_listen_fds(3)). */
static void fill_listen_pid(struct stage *s)
{
    static char entry[40];
    struct text t = {entry, 0, sizeof entry};
    text_add(&t, "LISTEN_PID=");
    text_add_number(&t, sys_getpid());
    for (const char **at = s->environment; at != NULL && *at != NULL; at++)
        if (text_starts(*at, "LISTEN_PID="))
            *at = entry;
}

int hide_descriptors(struct stage *s)
{
    if (s->hidden)
        return 0;
    s->hidden = true;
    return (int)sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
}

/* Descriptors 3… of the payload; all others are closed by the exec. */
static int arrange_descriptors(struct stage *s)
{
    int hidden = hide_descriptors(s);
    if (hidden < 0)
        return hidden;
    for (unsigned i = 0; i < s->listen_count; i++) {
        long result = sys_dup3(field_fd(s->listen[i]), 3 + (int)i, 0);
        if (result < 0)
            return (int)result;
    }
    return 0;
}

/* What is told when no candidate can be run: the first file that is there. */
struct failure {
    int error; /* 0: none was there */
    bool directory;
    char path[4096];
};

/* Returns when the next candidate should be tried. Looks at the file only after a failure: a filter may forbid even that. */
static void try_path(struct stage *s, const char *path, const char **argv, struct failure *failure)
{
    static const char *none[] = {NULL};
    const char **environment = s->environment != NULL ? s->environment : none;
    struct statx about;
    int error = -(int)sys3(__NR_execve, PTR(path), PTR(argv), PTR(environment));
    bool there = sys_statx(AT_FDCWD, path, 0, STATX_TYPE, &about) == 0;
    if (failure->error != 0 || (!there && (error == ENOENT || error == ENOTDIR)))
        return;
    failure->error = error;
    failure->directory = there && (about.stx_mode & TINY_S_IFMT) == S_IFDIR;
    memcpy(failure->path, path, text_length(path) + 1);
}

static _Noreturn void cannot_run(struct stage *s, const struct failure *failure)
{
    int error = failure->directory ? EISDIR : failure->error;
    s->subject = failure->path;
    s->exit_status = EXIT_CANNOT_RUN;
    if (error == ENOENT)
        s->hint = "its interpreter, named in the first line or the ELF header, is missing in the image";
    else if (error == EACCES)
        s->hint = "it is not executable for this user, or its file system is mounted noexec";
    else if (error == ENOEXEC)
        s->hint = "it is no program for this machine, or a script without a first line #!";
    else if (error == E2BIG)
        s->hint = "arguments and environment are too long";
    else if (error == EAGAIN)
        s->hint = "the limit of processes is reached";
    stage_fail(s, "exec", error);
}

static _Noreturn void not_found(struct stage *s, const char *word, const char *search)
{
    struct text t = {s->detail, 0, sizeof s->detail};
    s->subject = word;
    s->exit_status = EXIT_NOT_FOUND;
    if (text_find(word, '/') == NULL)
        text_add_all(&t, "searched in ", *search != 0 ? search : "nothing: PATH is empty", NULL);
    stage_fail(s, "exec", ENOENT);
}

/* Looks the word up as execvp(3) does: a file that cannot be run does not end the search. */
static _Noreturn void search_and_run(struct stage *s, const char *search, const char **argv)
{
    struct failure failure = {.error = 0};
    char path[4096];
    const char *word = argv[0];
    size_t length = text_length(word);
    if (length != 0 && length < sizeof path && text_find(word, '/') != NULL)
        try_path(s, word, argv, &failure);
    for (const char *at = search; length != 0 && text_find(word, '/') == NULL && *at != 0;) {
        size_t n = 0;
        while (at[n] != 0 && at[n] != ':')
            n++;
        if (n + length + 3 < sizeof path) {
            struct text t = {path, 0, sizeof path};
            memcpy(path, n == 0 ? "." : at, n == 0 ? 1 : n);
            path[t.length = n == 0 ? 1 : n] = 0;
            text_add_all(&t, "/", word, NULL);
            try_path(s, path, argv, &failure);
        }
        at += n + (at[n] == ':');
    }
    if (failure.error != 0)
        cannot_run(s, &failure);
    not_found(s, word, search);
}

int op_exec(struct stage *s, const struct op *op)
{
    int result = apply_sets(s);
    if (result == 0 && s->cwd_pending) {
        s->subject = s->cwd;
        result = change_directory(s, s->cwd);
    }
    if (op->count < 2) {
        s->hint = "there is no command";
        result = -EINVAL;
    }
    fill_listen_pid(s);
    if (result == 0)
        result = arrange_descriptors(s);
    if (result < 0)
        return result;
    uint64_t none = 0;
    sys_sigprocmask(SIG_SETMASK, &none, NULL);
    search_and_run(s, op->fields[0], op->fields + 1);
}
