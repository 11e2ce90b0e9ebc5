/*
 * LogDriver=k8s-file and json-file: the payload's lines in a file instead of the journal (BERTH_FILES).
 *
 * The form is that of the Kubernetes logs: `TIME stdout|stderr F|P TEXT`, one record a line; P is a part of a line that goes on
 * in the next record of the same stream. Nothing is kept back until a line is whole: what a crash leaves unfinished is in the file.
 *
 * The file is named by its directory's descriptor and a name, so that the container can be renamed meanwhile. Before a record would
 * make it longer than is wanted, it is renamed to NAME.1, that one to NAME.2, and so on; no record is cut in two.
 * A file that takes nothing (a full disk) does not stop the payload: the records are lost, and the journal is told once.
 */
#include "relay-probe.h"

enum { READ_AT_ONCE = 4096, RECORD_HEAD = 64, BUFFERED = 4608 };

static struct {
    const char *name;
    int directory, fd;
    uint64_t most, files; /* 0 bytes: without a limit */
    uint64_t size;
    bool told;
    size_t used;
} file = {.fd = -1};

static char buffered[BUFFERED];

/* `log-file=DIRECTORY,BYTES,FILES,NAME` */
void file_read_word(const char *word)
{
    if (!text_starts(word, "log-file="))
        return;
    const char *at = word + 9;
    file.directory = RELAY_FIRST_FD + (int)probe_next_number(&at);
    file.most = probe_next_number(&at);
    file.files = probe_next_number(&at);
    file.name = at;
}

bool file_wanted(void)
{
    return file.name != NULL;
}

static void open_file(void)
{
    const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    long fd = sys_openat(file.directory, file.name, flags, 0600);
    file.fd = fd < 0 ? -1 : (int)fd;
    long size = fd < 0 ? 0 : sys3(__NR_lseek, fd, 0, 2);
    file.size = size < 0 ? 0 : (uint64_t)size;
}

static void numbered(struct text *name, uint64_t number)
{
    text_add(name, file.name);
    if (number == 0)
        return;
    text_add(name, ".");
    text_add_number(name, (int64_t)number);
}

/* With one file alone there is none to keep: it begins anew. */
static void rotate(void)
{
    for (uint64_t older = file.files - 1; older > 0; older--) {
        TEXT(from, 272);
        TEXT(to, 272);
        numbered(&from, older - 1);
        numbered(&to, older);
        sys5(__NR_renameat2, file.directory, PTR(from.start), file.directory, PTR(to.start), 0);
    }
    if (file.files <= 1)
        sys3(__NR_unlinkat, file.directory, PTR(file.name), 0);
    relay_close(&file.fd);
    open_file();
}

static void flush(void)
{
    size_t done = 0;
    if (file.fd < 0)
        open_file();
    while (done < file.used) {
        long n = sys_write(file.fd, buffered + done, file.used - done);
        if (n == -EINTR)
            continue;
        if (n <= 0) {
            if (!file.told)
                event_send(relay.lost);
            file.told = true;
            break;
        }
        done += (size_t)n;
    }
    file.size += done;
    file.used = 0;
}

static void add(const char *data, size_t n)
{
    memcpy(buffered + file.used, data, n);
    file.used += n;
}

/* `whole`: with it the line ends. */
static void record(const char *head, const char *data, size_t n, bool whole)
{
    size_t length = text_length(head) + n + 3;
    if (file.most > 0 && file.size + file.used > 0 && file.size + file.used + length > file.most) {
        flush();
        rotate();
    }
    if (file.used + length > BUFFERED)
        flush();
    add(head, text_length(head));
    add(whole ? "F " : "P ", 2);
    add(data, n);
    add("\n", 1);
}

static void records(const struct stream *s, const char *data, size_t n)
{
    struct __kernel_timespec now;
    TEXT(head, RECORD_HEAD);
    sys2(__NR_clock_gettime, 0, PTR(&now));
    results_add_time(&head, now.tv_sec * 1000000 + now.tv_nsec / 1000);
    text_add(&head, s == relay.stream ? " stdout " : " stderr ");
    while (n > 0) {
        size_t length = 0;
        while (length < n && data[length] != '\n')
            length++;
        bool whole = length < n;
        record(head.start, data, length, whole);
        data += length + whole;
        n -= length + whole;
    }
    flush();
}

/* To whom a person's terminal is given, gets the bytes as well. */
long file_move(const struct stream *s)
{
    char data[READ_AT_ONCE];
    long n = sys_read(s->pipe, data, sizeof data);
    if (n <= 0)
        return n;
    records(s, data, (size_t)n);
    if (s == relay.stream)
        terminal_show(data, (size_t)n);
    return !s->shown || log_write(s->sink, data, (size_t)n) ? n : -EPIPE;
}
