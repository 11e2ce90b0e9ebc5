/* The results of probes: a file in the form of `podman inspect`'s State.Health, and a line in the journal for a change. */
#include "relay-probe.h"

enum { RECORD = 128 }; /* a result without its output */

/* One block for the output of the running probe and for the last results. */
void results_open(void)
{
    size_t room = probe.log_size + 1 + probe.log_count * (probe.log_size + RECORD);
    long at = sys_mmap(room, TINY_PROT_READ | TINY_PROT_WRITE, TINY_MAP_PRIVATE | TINY_MAP_ANONYMOUS, -1);
    if (at < 0 && at > -4096)
        sys_exit(1);
    probe.output = (char *)at;
    probe.results = (struct text){probe.output + probe.log_size + 1, 0, room - probe.log_size - 1};
}

static void add_two(struct text *t, int64_t number, int least)
{
    for (int64_t limit = 10; least > 1; least--, limit *= 10)
        if (number < limit)
            text_add(t, "0");
    text_add_number(t, number);
}

/* RFC 3339; days to a date by the civil calendar of 400 years (146097 days), which begins in March. */
FILES_TOO void results_add_time(struct text *t, int64_t usec)
{
    int64_t seconds = usec / 1000000;
    int days = (int)(seconds / 86400) + 719468, rest = (int)(seconds % 86400);
    int era = days / 146097, day = days % 146097;
    int year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int of_year = day - (365 * year + year / 4 - year / 100);
    int month = (5 * of_year + 2) / 153;
    int parts[] = {year + era * 400 + (month >= 10),
                   month < 10 ? month + 3 : month - 9,
                   of_year - (153 * month + 2) / 5 + 1,
                   rest / 3600,
                   rest / 60 % 60,
                   rest % 60,
                   (int)(usec % 1000000)};
    static const char after[] = "-\0-\0T\0:\0:\0.\0Z";
    for (int i = 0; i < 7; i++) {
        add_two(t, parts[i], i < 6 ? 2 : 6);
        text_add(t, after + 2 * i);
    }
}

/* As a JSON string; control characters become blanks, and all is cut where one more would not fit. */
static void add_string(struct text *t, const char *s, size_t room)
{
    size_t end = t->length + room;
    for (; *s != 0 && t->length + 3 < end; s++) {
        char one[3] = {*s, 0, 0};
        if (*s == '"' || *s == '\\')
            one[0] = '\\', one[1] = *s;
        else if (*s == '\n')
            one[0] = '\\', one[1] = 'n';
        else if ((unsigned char)*s < 32 || *s == 127)
            one[0] = ' ';
        text_add(t, one);
    }
}

void results_add(int status)
{
    struct text *t = &probe.results;
    struct __kernel_timespec now;
    /* The oldest go until there is room: results are separated by a line's end, which no string holds. */
    while (probe.results_count > 0 &&
           (probe.results_count >= probe.log_count || t->size - t->length < probe.log_size + RECORD)) {
        const char *second = text_find(t->start, '\n');
        size_t first = second == NULL ? t->length : (size_t)(second + 1 - t->start);
        t->length -= first;
        memmove(t->start, t->start + first, t->length + 1);
        probe.results_count--;
    }
    if (probe.log_count == 0)
        return;
    sys2(__NR_clock_gettime, 0, PTR(&now));
    text_add(t, probe.results_count > 0 ? ",\n{\"Start\":\"" : "{\"Start\":\"");
    results_add_time(t, probe.started);
    text_add(t, "\",\"End\":\"");
    results_add_time(t, now.tv_sec * 1000000 + now.tv_nsec / 1000);
    text_add(t, "\",\"ExitCode\":");
    text_add_number(t, status);
    text_add(t, ",\"Output\":\"");
    add_string(t, probe.output, probe.log_size);
    text_add(t, "\"}");
    probe.results_count++;
}

void results_write(void)
{
    static const char *const names[] = {"starting", "healthy", "unhealthy"};
    TEXT(head, 128);
    TEXT(name, 128);
    if (probe.log < 0)
        return;
    text_add_all(&name, probe.log_name, ".new", NULL);
    text_add_all(&head, "{\"Status\":\"", names[probe.health], "\",\"FailingStreak\":", NULL);
    text_add_number(&head, (int64_t)probe.streak);
    text_add(&head, ",\"Log\":[");
    /* A new file: what stands there may be of somebody else, such as a FIFO that would hold us. */
    sys3(__NR_unlinkat, probe.log, PTR(name.start), 0);
    long fd = sys_openat(probe.log, name.start, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    struct iovec parts[] = {
        {head.start, head.length}, {probe.results.start, probe.results.length}, {(void *)"]}\n", 3}};
    sys3(__NR_writev, fd, PTR(parts), 3);
    sys_close((int)fd);
    sys5(__NR_renameat2, probe.log, PTR(name.start), probe.log, PTR(probe.log_name), 0);
}

/*
 * A change, as an entry of ours: `head` ends with the message, which the reason follows. Where nobody takes entries, and where the
 * payload's lines go elsewhere than to the journal, as a line on its standard error.
 */
void results_say(const char *head, const char *reason)
{
    TEXT(entry, 512);
    size_t message = head == NULL ? 0 : text_length(head);
    if (head == NULL)
        return;
    text_add_all(&entry, head, *reason != 0 ? ": " : "", NULL);
    while (message > 0 && head[message - 1] != '=')
        message--;
    for (char one[2] = {0}; *reason != 0 && *reason != '\n'; reason++) {
        one[0] = *reason;
        text_add_shown(&entry, one);
    }
    text_add(&entry, "\n");
    if ((!event_send(entry.start) || relay.stream[1].plain) && relay.stream[1].sink >= 0)
        sys_write(relay.stream[1].sink, entry.start + message, entry.length - message);
}
