/*
 * fuzz SEED ITERATIONS FILE…: mutated lists of operations through the decoder, the checks and the player of the stage, built for the
 * host with sanitizers. System calls are answered by chance: success, a descriptor, an error, plausible content; nothing is done.
 * A crash, a report of a sanitizer or a list without an end is the failure; the list at hand is left in $FUZZ_LIST.
 */
#include "../../../native/tiny/stage.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* <sys/mman.h> and POSIX names do not go with the kernel's headers. */
void *mmap(void *, size_t, int, int, int, long);
int fileno(FILE *);

enum { MOST_CALLS = 3000, MOST_BYTES = 1 << 16, MOST_PIECES = 4096, LEFT = 64 };

static uint64_t state;
static jmp_buf finished;
static const unsigned char *list;
static size_t list_length;
static void *pieces[MOST_PIECES];
static unsigned piece_count, calls;
static char last_sync[400];
/* Of this play: one call in so many fails (0: none), and everything is a directory. */
static uint32_t failing;
static bool friendly;
static unsigned long played, ended[3];

static uint32_t chance(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16) % below;
}

/* Of exactly this size, so that AddressSanitizer sees a step beyond it. */
static void *piece(size_t size)
{
    if (piece_count == MOST_PIECES)
        abort();
    return pieces[piece_count++] = calloc(1, size == 0 ? 1 : size);
}

_Noreturn void sys_exit(int status)
{
    ended[status == 0 ? 0 : status == 125 ? 1 : 2]++;
    longjmp(finished, 1);
}

static long random_error(void)
{
    static const int errors[] = {EPERM,  ENOENT, EINVAL,  EEXIST, ENOTDIR, EISDIR,     ELOOP,  EACCES,    EBUSY,
                                 ENOSYS, EXDEV,  ENOEXEC, EROFS,  EAGAIN,  EOPNOTSUPP, ENOMEM, EOVERFLOW, ENODEV};
    return -errors[chance(sizeof errors / sizeof *errors)];
}

static long give_text(char *to, size_t size)
{
    static const char *const texts[] = {
        "go created", "/", "../..", "a/b/../c", "deny", "17", "e overlay: no such thing\n", ""};
    const char *text = texts[chance(sizeof texts / sizeof *texts)];
    size_t n = strlen(text);
    if (chance(20) == 0) {
        memset(to, 'x', size);
        return (long)size;
    }
    memcpy(to, text, n < size ? n : size);
    return (long)(n < size ? n : size);
}

static long give_entries(char *to, size_t size)
{
    static const char *const names[] = {".", "..", "file", "directory", "link", "a name with blanks"};
    size_t at = 0;
    for (uint32_t count = chance(4); count > 0; count--) {
        const char *name = names[chance(6)];
        size_t length = (offsetof(struct tiny_dirent, name) + strlen(name) + 1 + 7) & ~(size_t)7;
        if (at + length > size)
            break;
        struct tiny_dirent *entry = (struct tiny_dirent *)(to + at);
        *entry = (struct tiny_dirent){.inode = 1, .length = (uint16_t)length, .type = (uint8_t)(chance(3) * 4)};
        memcpy(entry->name, name, strlen(name) + 1);
        at += length;
    }
    return (long)at;
}

static long answer_read(int fd, char *to, size_t size)
{
    if (fd != FD_CONTROL || (!friendly && chance(8) == 0))
        return give_text(to, size);
    int n = snprintf(to, size, "go %s", last_sync);
    return n < (int)size ? n : (long)size;
}

static long answer_statx(struct statx *out, int fd)
{
    static const unsigned kinds[] = {S_IFDIR, S_IFREG, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK};
    memset(out, 0, sizeof *out);
    out->stx_mode = (uint16_t)(kinds[friendly ? 0 : chance(7)] | 0644);
    out->stx_rdev_major = 1;
    out->stx_rdev_minor = 3;
    out->stx_ino = 1 + chance(2);
    out->stx_nlink = 1 + chance(2);
    out->stx_size = fd == FD_OPS ? list_length : 0;
    return 0;
}

static long answer_message(const struct tiny_msghdr *message)
{
    size_t n = message->iov->iov_len;
    const char *text = message->iov->iov_base;
    if (n > 3 && memcmp(text, "at ", 3) == 0)
        snprintf(last_sync, sizeof last_sync, "%.*s", (int)(n - 3), text + 3);
    return (long)n;
}

static long map(long length, int fd)
{
    if (fd != FD_OPS)
        return (long)piece((size_t)length);
    void *copy = piece(list_length);
    memcpy(copy, list, list_length);
    return (long)copy;
}

long sys6(long number, long a, long b, long c, long d, long e, long f)
{
    (void)d, (void)f;
    if (number == __NR_mmap)
        return map(b, (int)e);
    if (number == __NR_statx && a == FD_OPS)
        return answer_statx((struct statx *)e, FD_OPS);
    if (++calls > MOST_CALLS + 1000)
        sys_exit(125);
    if (calls > MOST_CALLS || (failing != 0 && chance(failing) == 0))
        return random_error();
    switch (number) {
    case __NR_read: return answer_read((int)a, (char *)b, (size_t)c);
    case __NR_getdents64: return chance(3) == 0 ? give_entries((char *)b, (size_t)c) : 0;
    case __NR_readlinkat: return give_text((char *)c, (size_t)d);
    case __NR_getcwd: return give_text((char *)a, (size_t)b);
    case __NR_statx: return answer_statx((struct statx *)e, (int)a);
    case __NR_fstatfs:
        memset((void *)b, 0, sizeof(struct statfs));
        ((struct statfs *)b)->f_type = !friendly && chance(4) == 0 ? 0
                                       : chance(2)                 ? PROC_SUPER_MAGIC
                                                                   : DEVPTS_SUPER_MAGIC;
        return 0;
    case __NR_sendmsg: return answer_message((const struct tiny_msghdr *)b);
    case __NR_write: return c;
    case __NR_flistxattr: memcpy((void *)b, "user.a\0trusted.b", 17); return 17;
    case __NR_fgetxattr: return chance(64);
    case __NR_copy_file_range: return 0;
    case __NR_execve: return chance(4) == 0 ? -ENOEXEC : -ENOENT;
    case __NR_clone3: return chance(2) == 0 ? 0 : 4242;
    case __NR_wait4: *(int *)b = (int)chance(65536); return chance(2) == 0 ? 4242 : -ECHILD;
    case __NR_open_tree:
    case __NR_fsopen:
    case __NR_fsmount:
    case __NR_openat:
    case __NR_openat2: return 100 + chance(900);
    default: return 0;
    }
}

static struct {
    unsigned char *bytes;
    size_t length;
} corpus[256];
static unsigned corpus_count;

static void load(const char *path)
{
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = malloc(MOST_BYTES);
    if (file == NULL || bytes == NULL || corpus_count == 256)
        exit(2);
    corpus[corpus_count].length = fread(bytes, 1, MOST_BYTES, file);
    corpus[corpus_count++].bytes = bytes;
    fclose(file);
}

/* Where a random record starts, and where it ends; 0 when the list is too damaged to tell. */
static size_t find_record(const unsigned char *bytes, size_t length, size_t *end)
{
    size_t at = 10, found = 0;
    for (unsigned seen = 1; at + 4 <= length; seen++) {
        size_t size = bytes[at] | (size_t)bytes[at + 1] << 8 | (size_t)bytes[at + 2] << 16;
        if (at + 4 + size > length)
            break;
        if (chance(seen) == 0) {
            found = at;
            *end = at + 4 + size;
        }
        at += 4 + size;
    }
    return found;
}

/* Puts a record of another list into this one: the lengths stay right, so that the player is reached. */
static size_t splice(unsigned char *bytes, size_t length)
{
    unsigned other = chance(corpus_count);
    size_t from_end = 0, to_end = 0;
    size_t from = find_record(corpus[other].bytes, corpus[other].length, &from_end);
    size_t to = find_record(bytes, length, &to_end);
    if (from == 0 || to == 0 || length + (from_end - from) > MOST_BYTES)
        return length;
    memmove(bytes + to + (from_end - from), bytes + to, length - to);
    memcpy(bytes + to, corpus[other].bytes + from, from_end - from);
    return length + (from_end - from);
}

/* A byte of a record's text becomes another, and no NUL: the list stays well-formed, its fields do not. */
static void change_text(unsigned char *bytes, size_t length)
{
    static const unsigned char liked[] = "/.0179,=:-ax\\ \x01\xff";
    size_t end = 0, at = find_record(bytes, length, &end);
    if (at == 0)
        return;
    at += 4;
    if (at == end)
        return;
    at += chance((uint32_t)(end - at));
    if (bytes[at] != 0)
        bytes[at] = liked[chance(sizeof liked - 1)];
}

static size_t mutate(unsigned char *bytes, size_t length)
{
    size_t at = length == 0 ? 0 : chance((uint32_t)length), n;
    switch (chance(8)) {
    case 0: bytes[at] ^= (unsigned char)(1 << chance(8)); return length;
    case 1: bytes[at] = (unsigned char)chance(256); return length;
    case 2:
        n = chance(16);
        n = n > length - at ? length - at : n;
        memmove(bytes + at, bytes + at + n, length - at - n);
        return length - n;
    case 3:
        n = chance(16);
        if (length + n > MOST_BYTES)
            return length;
        memmove(bytes + at + n, bytes + at, length - at);
        return length + n;
    case 4: return at;
    case 5: change_text(bytes, length); return length;
    default: return splice(bytes, length);
    }
}

static void play(const unsigned char *bytes, size_t length)
{
    char *words[] = {"berth-stage", NULL}, *none[] = {NULL};
    list = bytes;
    list_length = length;
    static const uint32_t rates[] = {0, 24, 200};
    calls = 0;
    friendly = chance(2) == 0;
    failing = rates[chance(3)];
    if (setjmp(finished) == 0)
        sys_exit(stage_main(1, words, none));
    played++;
    while (piece_count > 0)
        free(pieces[--piece_count]);
}

/* Shared memory of a file: what is there when the process dies, stays. */
static unsigned char *kept;

static void open_kept(void)
{
    const char *path = getenv("FUZZ_LIST");
    FILE *file = path == NULL || *path == 0 ? NULL : fopen(path, "wb+");
    if (file == NULL)
        return;
    static const char blank[MOST_BYTES];
    fwrite(blank, 1, sizeof blank, file);
    fflush(file);
    kept = mmap(NULL, MOST_BYTES, 3 /* PROT_READ, PROT_WRITE */, 1 /* MAP_SHARED */, fileno(file), 0);
}

int main(int argc, char **argv)
{
    static unsigned char bytes[MOST_BYTES + LEFT];
    if (argc < 4)
        return 2;
    state = strtoull(argv[1], NULL, 10) * 2 + 1;
    unsigned long iterations = strtoul(argv[2], NULL, 10);
    open_kept();
    for (int i = 3; i < argc; i++)
        load(argv[i]);
    for (unsigned i = 0; i < corpus_count; i++)
        play(corpus[i].bytes, corpus[i].length);
    /* iterations 0: the lists as they are, to look at a crash again. */
    for (unsigned long i = 0; i < iterations; i++) {
        unsigned one = chance(corpus_count);
        size_t length = corpus[one].length;
        memcpy(bytes, corpus[one].bytes, length);
        for (uint32_t n = 1 + chance(6); n > 0; n--)
            length = mutate(bytes, length);
        if (kept != NULL)
            memcpy(kept, bytes, length < MOST_BYTES ? length : MOST_BYTES);
        play(bytes, length);
    }
    printf("# %lu lists: %lu ended in order, %lu refused or failed, %lu could not be executed\n", played, ended[0],
           ended[1], ended[2]);
    return 0;
}
