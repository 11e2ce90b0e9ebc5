/*
 * Notifications (man 3 sd_notify) from the payload's socket to the manager's.
 *
 * The manager believes MAINPID= of any process of uid 0, and would then kill it (T35): a closed list of fields is
 * handed on, each with a value of its own form, everything else is dropped.
 * One message is on its way at a time; while the manager does not take it, no other is read, so that the payload waits
 * as it would at the manager's own socket.
 */
#include "relay.h"
#ifdef BERTH_PROBES
#include "relay-probe.h"
#endif

enum { MESSAGE = 4095, DESCRIPTORS = 16 };

/* One page of its own, there from the first notification on. */
static char *message;
static size_t message_length;
static int descriptors[DESCRIPTORS];
static size_t descriptor_count;

/*
 * The closed list; the first letter says what may follow: `=` nothing, `n` a number, `s` text that is shown to people,
 * `R` nothing, and only when the payload or we tell readiness, `F` nothing, and `f` text, only with a descriptor store.
 */
static const char fields[] = "RREADY=1\0"
                             "sSTATUS=\0"
                             "=RELOADING=1\0"
                             "nMONOTONIC_USEC=\0"
                             "=STOPPING=1\0"
                             "=WATCHDOG=1\0"
                             "=WATCHDOG=trigger\0"
                             "nWATCHDOG_USEC=\0"
                             "nEXTEND_TIMEOUT_USEC=\0"
                             "nERRNO=\0"
                             "FFDSTORE=1\0"
                             "FFDSTOREREMOVE=1\0"
                             "FFDPOLL=0\0"
                             "fFDNAME=\0";

static bool value_allowed(char kind, const char *value)
{
    uint64_t number;
    switch (kind) {
    case '=': return *value == 0;
    case 'n': return text_unsigned(value, 10, UINT64_MAX, &number);
    case 'R': return *value == 0 && (relay.ready_started || relay.ready_payload);
    case 'F': return *value == 0 && relay.fdstore;
    case 'f': return relay.fdstore;
    default: return true;
    }
}

static bool line_allowed(char *line)
{
    for (const char *f = fields; *f != 0; f += text_length(f) + 1) {
        char *value = line + text_length(f + 1);
        if (!text_starts(line, f + 1) || !value_allowed(*f, value))
            continue;
        for (char *at = value; *at != 0; at++)
            if ((unsigned char)*at < 32 || *at == 127)
                *at = '?';
        return true;
    }
    return false;
}

/* Keeps the lines that may pass, in place; true when a line says what descriptors are for. */
static bool filter(size_t length)
{
    bool store = false;
    char *to = message;
    char *end = message + length;
    *end = '\n';
    for (char *line = message, *next; line < end; line = next) {
        for (next = line; *next != '\n'; next++)
            if (*next == 0)
                *next = '?';
        *next++ = 0;
        if (!line_allowed(line))
            continue;
        store |= text_equal(line, "FDSTORE=1");
        size_t n = text_length(line);
        memmove(to, line, n);
        to += n;
        *to++ = '\n';
    }
    message_length = (size_t)(to - message);
    return store;
}

static void drop_descriptors(void)
{
    while (descriptor_count > 0)
        sys_close(descriptors[--descriptor_count]);
}

/* `uids=FIRST+COUNT,…`: who may write; absent: whoever can reach the socket. */
static bool sender_allowed(uint32_t uid)
{
    uint64_t first = 0, number = 0;
    if (relay.uids == NULL)
        return true;
    for (const char *at = relay.uids;; at++) {
        if (*at >= '0' && *at <= '9') {
            number = number * 10 + (uint64_t)(*at - '0');
        } else if (*at == '+') {
            first = number;
            number = 0;
        } else {
            if (uid >= first && uid - first < number)
                return true;
            if (*at == 0)
                return false;
            number = 0;
        }
    }
}

static bool read_control(const struct tiny_msghdr *header)
{
    bool known = false;
    const char *at = header->control;
    const char *end = at + header->control_length;
    while (end - at >= (ptrdiff_t)sizeof(struct tiny_cmsghdr)) {
        const struct tiny_cmsghdr *c = (const struct tiny_cmsghdr *)at;
        if (c->length < sizeof *c || c->length > (size_t)(end - at))
            break;
        if (c->level == TINY_SOL_SOCKET && c->type == TINY_SCM_CREDENTIALS) {
            known = sender_allowed(((const struct tiny_ucred *)(c + 1))->uid);
        } else if (c->level == TINY_SOL_SOCKET && c->type == TINY_SCM_RIGHTS) {
            descriptor_count = (c->length - sizeof *c) / sizeof(int);
            memcpy(descriptors, c + 1, descriptor_count * sizeof(int));
        }
        at += (c->length + 7) & ~(size_t)7;
    }
    return known;
}

static bool page_ready(void)
{
    if (message != NULL)
        return true;
    long page = sys_mmap(MESSAGE + 1, TINY_PROT_READ | TINY_PROT_WRITE, TINY_MAP_PRIVATE | TINY_MAP_ANONYMOUS, -1);
    if (page < 0)
        return false;
    message = (char *)page;
    return true;
}

void notify_receive(void)
{
    if (!page_ready())
        return;
    union {
        char space[32 + sizeof(struct tiny_cmsghdr) + sizeof descriptors];
        uint64_t aligned;
    } control;
    struct iovec part = {message, MESSAGE};
    struct tiny_msghdr header = {.iov = &part, .iov_length = 1, .control = &control, .control_length = sizeof control};
    long n = sys_recvmsg(relay.notify, &header, TINY_MSG_DONTWAIT | TINY_MSG_CMSG_CLOEXEC);
    if (n < 0)
        return;
    bool good = read_control(&header) && (header.flags & (TINY_MSG_TRUNC | TINY_MSG_CTRUNC)) == 0;
    message[n] = 0;
    if (good && n >= 9 && descriptor_count == 1 &&
        (text_equal(message, "BARRIER=1") || text_equal(message, "BARRIER=1\n"))) {
        message_length = (size_t)n;
        return;
    }
    bool store = good && filter((size_t)n);
    if (!store)
        drop_descriptors();
    if (!good)
        message_length = 0;
}

#ifdef BERTH_PROBES
/* Lines of our own that were not sent yet. */
static char own[384];
static size_t own_length;

void notify_own(const char *lines)
{
    struct text t = {own, own_length, sizeof own};
    text_add_all(&t, lines, "\n", NULL);
    own_length = t.length;
}
#else
enum { own_length = 0 };
#endif

bool notify_pending(void)
{
    return message_length > 0 || relay.ready_due || own_length > 0;
}

static long send_one(const char *data, size_t length, bool with_descriptors)
{
    struct {
        struct tiny_cmsghdr header;
        int fds[DESCRIPTORS];
    } control = {.header = {sizeof control.header + descriptor_count * sizeof(int), TINY_SOL_SOCKET, TINY_SCM_RIGHTS}};
    memcpy(control.fds, descriptors, descriptor_count * sizeof(int));
    struct iovec part = {(void *)data, length};
    struct tiny_msghdr header = {.iov = &part, .iov_length = 1};
    if (with_descriptors && descriptor_count > 0) {
        header.control = &control;
        header.control_length = control.header.length;
    }
    return sys_sendmsg(relay.manager_socket, &header, TINY_MSG_NOSIGNAL | TINY_MSG_DONTWAIT);
}

/* False: to be tried again. What the manager does not understand is dropped; a manager that went away is looked for again. */
static bool sent(long result)
{
    if (result == -EAGAIN || result == -EINTR)
        return false;
    if (result != -ECONNREFUSED && result != -ENOTCONN && result != -ENOENT && result != -ECONNRESET)
        return true;
    relay_close(&relay.manager_socket);
    relay.retry = relay_clock() + RELAY_RETRY_MS;
    return false;
}

void notify_send(void)
{
    static const char ready[] = "READY=1\n";
    if (relay.manager != NULL && relay.manager_socket < 0 && relay_clock() >= relay.retry) {
        relay.manager_socket = (int)relay_connect(relay.manager, TINY_SOCK_DGRAM);
        if (relay.manager_socket < 0)
            relay.retry = relay_clock() + RELAY_RETRY_MS;
    }
    if (relay.manager != NULL && relay.manager_socket < 0)
        return;
    if (relay.ready_due) {
        if (relay.manager != NULL && !sent(send_one(ready, sizeof ready - 1, false)))
            return;
        relay.ready_due = false;
    }
#ifdef BERTH_PROBES
    if (own_length > 0 && relay.manager != NULL && !sent(send_one(own, own_length, false)))
        return;
    own_length = 0;
#endif
    if (message_length == 0 || (relay.manager != NULL && !sent(send_one(message, message_length, true))))
        return;
    message_length = 0;
    drop_descriptors();
}
