/*
 * The caller of the three processes of layer.h: it makes the pipes, starts parser and writer, hands the blob's bytes on and
 * hashes them, then hears how both ended. It never looks at what it hands on.
 *
 *   blob ─► caller ─pipe─► parser ─pipe─► writer ─► files
 *              ▲              │              │
 *              └── result ────┴── result ────┘
 *
 * A process that dies closes its pipes, so the others end too; the results tell whose failure came first.
 */
#include "layer.h"
#include "layer-digest.h"
#include "layer-stream.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_SIZE (1 << 20)
#define BIT(capability) (UINT64_C(1) << (capability))
/* What makes files with foreign owners; SYS_ADMIN is for trusted.* in root's store and nothing else is allowed to use it. */
#define WRITER_CAPABILITIES                                                                                            \
    (BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_MKNOD) | BIT(CAP_SETFCAP) |  \
     BIT(CAP_SYS_ADMIN))

enum { BLOB, RECORDS, PARSER_RESULT, WRITER_RESULT, PIPES };

struct work {
    const struct layer_request *request;
    struct layer_limits limits;
    int pipes[PIPES][2];
    pid_t parser, writer;
};

/* What a process said. */
struct answer {
    bool fine;
    char text[1024]; /* of its error */
};

bool read_full(int fd, void *data, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t got = read(fd, (char *)data + done, length - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

bool write_full(int fd, const void *data, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t put = write(fd, (const char *)data + done, length - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        done += (size_t)put;
    }
    return true;
}

void layer_say(const char *word, const char *format, ...)
{
    char line[1024];
    int used = snprintf(line, sizeof(line), "%s ", word);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format, arguments);
    va_end(arguments);
    strcat(line, "\n");
    write_full(LAYER_FD_RESULT, line, strlen(line));
}

void layer_fail(const char *format, ...)
{
    char text[960];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    layer_say("error", "%s", text);
    _exit(1);
}

/* Length of a UTF-8 character that is shown as it is; 0: not valid, or a control character. */
static size_t printable(const unsigned char *at, size_t left)
{
    size_t length = at[0] < 0x80 ? 1 : at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    if (at[0] < 0x20 || at[0] == 0x7F || (at[0] >= 0x80 && at[0] < 0xC2) || at[0] > 0xF4 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return length == 2 && at[0] == 0xC2 && at[1] < 0xA0 ? 0 : length;
}

const char *layer_text(const char *bytes, size_t length)
{
    static char texts[4][240];
    static unsigned next;
    char *text = texts[next++ % 4];
    size_t used = 0;
    for (size_t i = 0; i < length;) {
        size_t shown = printable((const unsigned char *)bytes + i, length - i);
        if (used > sizeof(texts[0]) - 10) {
            strcpy(text + used, "...");
            return text;
        }
        if (shown == 0) {
            used += (size_t)sprintf(text + used, "\\x%02x", (unsigned char)bytes[i++]);
            continue;
        }
        memcpy(text + used, bytes + i, shown);
        used += shown;
        i += shown;
    }
    text[used] = 0;
    return text;
}

const char *layer_reason(void)
{
    static char text[128];
    snprintf(text, sizeof(text), "%s", strerror(errno));
    if (text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a')
        text[0] += 'a' - 'A';
    return text;
}

void layer_descriptors(int in, int out, int result, int root)
{
    /* First out of the way of each other, then to their numbers. */
    const int wanted[4] = {in, out, result, root};
    int kept[4];
    for (int i = 0; i < 4; i++) {
        kept[i] = wanted[i] < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : wanted[i];
        kept[i] = fcntl(kept[i], F_DUPFD_CLOEXEC, 64);
    }
    for (int i = 0; i < 4; i++)
        if (kept[i] < 0 || dup2(kept[i], i) < 0)
            _exit(1);
    close_range(4, ~0U, 0);
}

static void be_parser(struct work *work)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    layer_descriptors(work->pipes[BLOB][0], work->pipes[RECORDS][1], work->pipes[PARSER_RESULT][1],
                      work->request->recipe);
    prctl(PR_SET_DUMPABLE, 0);
    layer_parser(&work->limits);
}

static void be_writer(void *argument)
{
    struct work *work = argument;
    layer_descriptors(work->pipes[RECORDS][0], -1, work->pipes[WRITER_RESULT][1], work->request->target);
    prctl(PR_SET_DUMPABLE, 0);
    if (confine_root(LAYER_FD_ROOT, WRITER_CAPABILITIES) < 0)
        layer_fail("chroot: %s", layer_reason());
    layer_writer(&work->limits);
}

static void close_pipes(struct work *work)
{
    for (int i = 0; i < PIPES; i++)
        for (int end = 0; end < 2; end++) {
            cleanup_close_fd(&work->pipes[i][end]);
            work->pipes[i][end] = -1;
        }
}

static int start(struct work *work, struct error *error)
{
    for (int i = 0; i < PIPES; i++)
        if (pipe2(work->pipes[i], O_CLOEXEC) < 0)
            return error_errno(error, "pipe", "");
    fcntl(work->pipes[BLOB][1], F_SETPIPE_SZ, PIPE_SIZE); /* where the kernel gives less, it is only slower */
    fcntl(work->pipes[RECORDS][1], F_SETPIPE_SZ, PIPE_SIZE);
    if (userns_fork(work->request->map, be_writer, work, &work->writer, error) < 0)
        return -1;
    work->parser = fork();
    if (work->parser == 0)
        be_parser(work);
    if (work->parser < 0)
        return error_errno(error, "fork", "");
    const int theirs[][2] = {{BLOB, 0}, {RECORDS, 0}, {RECORDS, 1}, {PARSER_RESULT, 1}, {WRITER_RESULT, 1}};
    for (size_t i = 0; i < sizeof(theirs) / sizeof(*theirs); i++) {
        int *end = &work->pipes[theirs[i][0]][theirs[i][1]];
        cleanup_close_fd(end);
        *end = -1;
    }
    return 0;
}

/* The blob's bytes to the parser; its digest and size. A parser that has ended says why itself. */
static int pump(struct work *work, struct layer_result *result, struct error *error)
{
    const struct layer_request *request = work->request;
    static char buffer[256 << 10];
    struct digest digest;
    bool listening = true;
    int64_t left = request->length;
    off_t at = request->offset;
    digest_start(&digest, request->sha512_blob);
    while (left != 0 && listening) {
        size_t wish = left > 0 && left < (int64_t)sizeof(buffer) ? (size_t)left : sizeof(buffer);
        ssize_t got =
            request->offset < 0 ? read(request->source, buffer, wish) : pread(request->source, buffer, wish, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(error, "read", "the archive");
        if (got == 0 && left > 0)
            return error_set(error, "read", EIO, "", "the archive is truncated");
        if (got == 0)
            break;
        at += got;
        left -= left > 0 ? got : 0;
        result->blob_size += (uint64_t)got;
        listening = write_full(work->pipes[BLOB][1], buffer, (size_t)got);
        digest_update(&digest, buffer, (size_t)got);
    }
    digest_text(&digest, result->blob);
    return 0;
}

static void take_line(const char *line, struct layer_result *result, struct answer *answer)
{
    const char *value = strchr(line, ' ');
    value = value ? value + 1 : "";
    if (strncmp(line, "ok ", 3) == 0)
        answer->fine = true;
    else if (strncmp(line, "error ", 6) == 0)
        snprintf(answer->text, sizeof(answer->text), "%s", value);
    else if (strncmp(line, "diff ", 5) == 0)
        snprintf(result->diff_id, sizeof(result->diff_id), "%s", value);
    else if (strncmp(line, "entries ", 8) == 0)
        result->entries = strtoull(value, NULL, 10);
    else if (strncmp(line, "size ", 5) == 0)
        result->size = strtoull(value, NULL, 10);
    else if (strncmp(line, "replaced ", 9) == 0)
        result->replaced = true;
    else if (strncmp(line, "warning ", 8) == 0) {
        size_t used = result->warnings ? strlen(result->warnings) : 0;
        char *grown = realloc(result->warnings, used + strlen(value) + 2);
        if (grown == NULL)
            return;
        sprintf(grown + used, "%s\n", value);
        result->warnings = grown;
    }
}

/* Hears a process to its end and reaps it. */
static struct answer listen_to(int fd, pid_t pid, const char *name, struct layer_result *result)
{
    struct answer answer = {0};
    static char text[64 << 10];
    size_t length = 0;
    for (ssize_t got; length < sizeof(text) - 1; length += (size_t)got) {
        got = read(fd, text + length, sizeof(text) - 1 - length);
        if (got < 0 && errno == EINTR)
            got = 0;
        else if (got <= 0)
            break;
    }
    text[length] = 0;
    int status = wait_for(pid);
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        take_line(line, result, &answer);
    if (WIFSIGNALED(status)) {
        answer.fine = false;
        snprintf(answer.text, sizeof(answer.text), "the layer's %s was ended by signal %d", name, WTERMSIG(status));
    } else if (!answer.fine && *answer.text == 0) {
        snprintf(answer.text, sizeof(answer.text), "the layer's %s ended without a word", name);
    }
    return answer;
}

static int finish(struct work *work, struct layer_result *result, int pumped, struct error *error)
{
    cleanup_close_fd(&work->pipes[BLOB][1]);
    work->pipes[BLOB][1] = -1;
    struct answer parser = listen_to(work->pipes[PARSER_RESULT][0], work->parser, "parser", result);
    struct answer writer = listen_to(work->pipes[WRITER_RESULT][0], work->writer, "writer", result);
    if (pumped < 0)
        return -1;
    bool told_by_writer = strcmp(parser.text, "the writer has ended") == 0;
    if (!parser.fine && !told_by_writer)
        return error_set(error, "layer", EIO, "", "%s", parser.text);
    if (!writer.fine)
        return error_set(error, "layer", EIO, "", "%s", writer.text);
    if (!parser.fine)
        return error_set(error, "layer", EIO, "", "%s", parser.text);
    return 0;
}

int layer_apply(const struct layer_request *request, struct layer_result *result, struct error *error)
{
    struct work work = {.request = request};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    work.limits =
        (struct layer_limits){request->byte_limit,  request->entry_limit, request->sha512_diff, request->needs_end,
                              request->recipe >= 0, request->map->kind,   request->copy};
    memset(work.pipes, -1, sizeof(work.pipes));
    memset(result, 0, sizeof(*result));
    sigaction(SIGPIPE, &ignore, &before);
    int done = start(&work, error);
    if (done < 0) {
        close_pipes(&work);
        if (work.writer > 0)
            wait_for(work.writer);
    } else {
        done = finish(&work, result, pump(&work, result, error), error);
        close_pipes(&work);
    }
    sigaction(SIGPIPE, &before, NULL);
    return done;
}

int layer_plain(int source, int target, uint64_t byte_limit, uint64_t ratio, struct error *error)
{
    static const int calls[] = {SYS_read,    SYS_write, SYS_mmap,       SYS_munmap, SYS_mremap,
                                SYS_madvise, SYS_brk,   SYS_exit_group, SYS_futex,  SYS_getrandom};
    struct layer_result result = {0};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(error, "pipe", "");
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        layer_descriptors(source, target, ends[1], -1);
        if (confine_calls(calls, sizeof(calls) / sizeof(*calls)) < 0)
            layer_fail("seccomp: %s", layer_reason());
        struct stream *stream = stream_open(LAYER_FD_IN, byte_limit, false);
        stream_limit_ratio(stream, ratio);
        const unsigned char *part;
        for (size_t got; (got = stream_take(stream, &part, PIPE_SIZE)) > 0;)
            if (!write_full(LAYER_FD_OUT, part, got))
                layer_fail("writing the archive: %s", layer_reason());
        layer_say("ok", "%s", "");
        _exit(0);
    }
    close(ends[1]);
    if (pid < 0)
        return error_errno(error, "fork", "");
    struct answer answer = listen_to(ends[0], pid, "parser", &result);
    close(ends[0]);
    return answer.fine ? 0 : error_set(error, "layer", EIO, "", "%s", answer.text);
}
