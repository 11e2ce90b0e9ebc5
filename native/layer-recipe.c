#include "layer-recipe.h"
#include "layer-digest.h"
#include "layer-stream.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zlib.h>

/* The file: gzip of records, each with a name (CONTENT) or bytes (LITERAL) behind it. */
enum recipe_kind { LITERAL = 1, CONTENT, END };

#define RECIPE_MAGIC 0x43455242u

struct recipe_record {
    uint32_t magic, kind;
    uint64_t offset, length;
    uint64_t name_length;
};

#define PART (64 << 10)

struct recipe {
    int fd;
    z_stream gzip;
    size_t literal_length;
    unsigned char literal[PART];
    unsigned char out[PART];
};

/* --- the parser's side ---------------------------------------------------------------------------------------------- */

struct recipe *recipe_start(int fd)
{
    struct recipe *recipe = calloc(1, sizeof(*recipe));
    if (recipe == NULL || deflateInit2(&recipe->gzip, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        layer_fail("out of memory");
    recipe->fd = fd;
    return recipe;
}

static void squeeze(struct recipe *recipe, const void *data, size_t length, int flush)
{
    recipe->gzip.next_in = (unsigned char *)data;
    recipe->gzip.avail_in = (uInt)length;
    do {
        recipe->gzip.next_out = recipe->out;
        recipe->gzip.avail_out = PART;
        deflate(&recipe->gzip, flush);
        if (!write_full(recipe->fd, recipe->out, PART - recipe->gzip.avail_out))
            layer_fail("writing the layer's recipe: %s", layer_reason());
    } while (recipe->gzip.avail_out == 0);
}

static void flush_literal(struct recipe *recipe)
{
    const struct recipe_record record = {RECIPE_MAGIC, LITERAL, 0, recipe->literal_length, 0};
    if (recipe->literal_length == 0)
        return;
    squeeze(recipe, &record, sizeof(record), Z_NO_FLUSH);
    squeeze(recipe, recipe->literal, recipe->literal_length, Z_NO_FLUSH);
    recipe->literal_length = 0;
}

void recipe_literal(struct recipe *recipe, const void *data, size_t length)
{
    for (const unsigned char *at = data; length > 0;) {
        size_t room = PART - recipe->literal_length, part = length < room ? length : room;
        memcpy(recipe->literal + recipe->literal_length, at, part);
        recipe->literal_length += part;
        at += part;
        length -= part;
        if (recipe->literal_length == PART)
            flush_literal(recipe);
    }
}

void recipe_content(struct recipe *recipe, const char *name, size_t name_length, uint64_t offset, uint64_t length)
{
    const struct recipe_record record = {RECIPE_MAGIC, CONTENT, offset, length, name_length};
    flush_literal(recipe);
    squeeze(recipe, &record, sizeof(record), Z_NO_FLUSH);
    squeeze(recipe, name, name_length, Z_NO_FLUSH);
}

void recipe_end(struct recipe *recipe)
{
    const struct recipe_record record = {.magic = RECIPE_MAGIC, .kind = END};
    flush_literal(recipe);
    squeeze(recipe, &record, sizeof(record), Z_FINISH);
    deflateEnd(&recipe->gzip);
    free(recipe);
}

/* --- putting it together -------------------------------------------------------------------------------------------- */

struct assembly {
    int recipe, stream, result, root;
};

static const int assembler_calls[] = {SYS_read,       SYS_pread64, SYS_write,    SYS_openat,  SYS_close,
                                      SYS_mmap,       SYS_munmap,  SYS_mremap,   SYS_madvise, SYS_brk,
                                      SYS_exit_group, SYS_futex,   SYS_getrandom};

static void put_out(const void *data, size_t length)
{
    if (!write_full(LAYER_FD_OUT, data, length))
        layer_fail("who reads the layer has ended");
}

/* The layer is the root, so no link leads out of it. The same file is often asked for again (sparse files). */
static int open_content(struct stream *stream, const struct recipe_record *record)
{
    static char name[LAYER_NAME_LIMIT + 1], kept[LAYER_NAME_LIMIT + 1];
    static int file = -1;
    if (record->name_length == 0 || record->name_length > LAYER_NAME_LIMIT)
        layer_fail("the layer's recipe is broken");
    if (!stream_read(stream, name, record->name_length))
        layer_fail("the layer's recipe is truncated");
    name[record->name_length] = 0;
    if (file >= 0 && strcmp(name, kept) == 0)
        return file;
    if (file >= 0)
        close(file);
    const char *inside = name + strspn(name, "/");
    file = openat(AT_FDCWD, inside, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        layer_fail("%s: %s", layer_text(name, record->name_length), layer_reason());
    strcpy(kept, name);
    return file;
}

static void copy_content(struct stream *stream, const struct recipe_record *record)
{
    static char buffer[256 << 10];
    int file = open_content(stream, record);
    uint64_t offset = record->offset;
    for (uint64_t left = record->length; left > 0;) {
        ssize_t got = pread(file, buffer, left < sizeof(buffer) ? (size_t)left : sizeof(buffer), (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            layer_fail("reading a file of the layer: %s", layer_reason());
        if (got == 0)
            layer_fail("a file of the layer is shorter than it was");
        put_out(buffer, (size_t)got);
        offset += (uint64_t)got;
        left -= (uint64_t)got;
    }
}

static void copy_literal(struct stream *stream, uint64_t length)
{
    while (length > 0) {
        const unsigned char *part;
        size_t got = stream_take(stream, &part, length < PART ? (size_t)length : PART);
        if (got == 0)
            layer_fail("the layer's recipe is truncated");
        put_out(part, got);
        length -= got;
    }
}

static void be_assembler(void *argument)
{
    struct assembly *assembly = argument;
    struct recipe_record record;
    layer_descriptors(assembly->recipe, assembly->stream, assembly->result, assembly->root);
    prctl(PR_SET_DUMPABLE, 0);
    if (confine_root(LAYER_FD_ROOT, (UINT64_C(1) << CAP_DAC_OVERRIDE) | (UINT64_C(1) << CAP_DAC_READ_SEARCH)) < 0)
        layer_fail("chroot: %s", layer_reason());
    if (confine_calls(assembler_calls, sizeof(assembler_calls) / sizeof(*assembler_calls)) < 0)
        layer_fail("seccomp: %s", layer_reason());
    struct stream *stream = stream_open(LAYER_FD_IN, UINT64_MAX, false);
    for (;;) {
        if (!stream_read(stream, &record, sizeof(record)))
            layer_fail("the layer's recipe is truncated");
        if (record.magic != RECIPE_MAGIC)
            layer_fail("the layer's recipe is broken");
        if (record.kind == END)
            break;
        if (record.kind == CONTENT)
            copy_content(stream, &record);
        else
            copy_literal(stream, record.length);
    }
    layer_say("ok", "%s", "");
    _exit(0);
}

/* Hands the stream on and hashes it. A `target` of -1: only the digest is wanted. */
static int pump(int source, int target, bool sha512, char *ret_digest, struct error *error)
{
    static char buffer[256 << 10];
    struct digest digest;
    digest_start(&digest, sha512);
    for (ssize_t got; (got = read(source, buffer, sizeof(buffer))) != 0;) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(error, "read", "");
        digest_update(&digest, buffer, (size_t)got);
        if (target >= 0 && !write_full(target, buffer, (size_t)got))
            return error_errno(error, "write", "the tar stream");
    }
    digest_text(&digest, ret_digest);
    return 0;
}

/* The error line of a process that has ended. */
static int hear(int fd, struct error *error)
{
    char line[1024];
    size_t length = 0;
    for (ssize_t got; length < sizeof(line) - 1 && (got = read(fd, line + length, sizeof(line) - 1 - length)) > 0;)
        length += (size_t)got;
    line[length] = 0;
    line[strcspn(line, "\n")] = 0;
    if (strcmp(line, "ok ") == 0)
        return 0;
    return error_set(error, "layer", EIO, "", "%s",
                     length > 6 ? line + 6 : "putting the layer together ended without a word");
}

int layer_assemble(const struct layer_assembly *request, char *ret_digest, struct error *error)
{
    int stream[2], result[2];
    pid_t pid;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    if (pipe2(stream, O_CLOEXEC) < 0)
        return error_errno(error, "pipe", "");
    cleanup_close int from = stream[0], to = stream[1];
    if (pipe2(result, O_CLOEXEC) < 0)
        return error_errno(error, "pipe", "");
    cleanup_close int heard = result[0], said = result[1];
    struct assembly assembly = {request->recipe, to, said, request->root};
    sigaction(SIGPIPE, &ignore, &before);
    int done = userns_fork(request->map, be_assembler, &assembly, &pid, error);
    if (done == 0) {
        close(steal_fd(&to));
        close(steal_fd(&said));
        done = pump(from, request->target, request->sha512, ret_digest, error);
        close(steal_fd(&from));
        int told = done < 0 ? 0 : hear(heard, error);
        wait_for(pid);
        done = done < 0 ? done : told;
    }
    sigaction(SIGPIPE, &before, NULL);
    return done;
}
