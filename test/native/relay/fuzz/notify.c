/*
 * The filter of notifications on random messages, with sanitizers: fuzz SECONDS. System calls are stubs: recvmsg(2) gives a mutated message,
 * sendmsg(2) checks that nothing passes but the closed list (T35).
 */
#include "relay.h"

/* The C library's headers and the kernel's cannot be read together. */
int printf(const char *format, ...);
int rand(void);
void srand(unsigned seed);
int atoi(const char *text);
long time(long *now);
void *malloc(size_t size);
void *memchr(const void *text, int byte, size_t n);
size_t strlen(const char *text);
int strncmp(const char *a, const char *b, size_t n);
_Noreturn void exit(int status);
_Noreturn void abort(void);

struct relay relay;
static unsigned long long messages, passed;
static char given[4096];
static size_t given_length;

void sys_exit(int status)
{
    exit(status);
}

int64_t relay_clock(void)
{
    return 0;
}

long relay_connect(const char *path, int type)
{
    (void)path, (void)type;
    return 5;
}

void relay_close(int *fd)
{
    *fd = -1;
}

static const char *const seeds[] = {
    "READY=1",
    "STATUS=all is well\nREADY=1\n",
    "MAINPID=1\nREADY=1",
    "RELOADING=1\nMONOTONIC_USEC=18446744073709551615",
    "BARRIER=1",
    "FDSTORE=1\nFDNAME=a:b\nFDPOLL=0",
    "ERRNO=2\nWATCHDOG=trigger\nEXTEND_TIMEOUT_USEC=1\nSTOPPING=1\n\n=\n",
};

static const char *const allowed[] = {
    "READY=1",          "STATUS=",        "RELOADING=1",
    "MONOTONIC_USEC=",  "STOPPING=1",     "WATCHDOG=1",
    "WATCHDOG=trigger", "WATCHDOG_USEC=", "EXTEND_TIMEOUT_USEC=",
    "ERRNO=",           "FDSTORE=1",      "FDSTOREREMOVE=1",
    "FDPOLL=0",         "FDNAME=",        "BARRIER=1",
};

static void mutate(void)
{
    const char *seed = seeds[(unsigned)rand() % (sizeof seeds / sizeof seeds[0])];
    given_length = strlen(seed);
    memcpy(given, seed, given_length);
    if (rand() % 16 == 0) {
        given_length = sizeof given - (size_t)(rand() % 3);
        for (size_t i = 0; i < given_length; i++)
            given[i] = rand() % 40 == 0 ? '\n' : seed[(size_t)i % strlen(seed)];
    }
    for (int changes = rand() % 6; changes > 0 && given_length > 0; changes--) {
        size_t at = (size_t)rand() % given_length;
        switch (rand() % 3) {
        case 0: given[at] = (char)rand(); break;
        case 1: given[at] = "\n=\0M1:"[rand() % 6]; break;
        default: given_length = at; break;
        }
    }
}

static long receive(struct tiny_msghdr *message)
{
    struct iovec *part = message->iov;
    size_t n = given_length < part->iov_len ? given_length : part->iov_len;
    memcpy(part->iov_base, given, n);
    message->flags = n < given_length ? TINY_MSG_TRUNC : 0;
    struct {
        struct tiny_cmsghdr header;
        struct tiny_ucred who;
        uint32_t pad;
        struct tiny_cmsghdr rights;
        int fds[2];
    } control = {{sizeof(struct tiny_cmsghdr) + sizeof(struct tiny_ucred), TINY_SOL_SOCKET, TINY_SCM_CREDENTIALS},
                 {1, (uint32_t)rand() % 3, 0},
                 0,
                 {sizeof(struct tiny_cmsghdr) + sizeof(int), TINY_SOL_SOCKET, TINY_SCM_RIGHTS},
                 {77, 0}};
    size_t length = rand() % 2 == 0 ? offsetof(__typeof__(control), rights) : sizeof control;
    if (rand() % 8 == 0)
        control.header.length = (size_t)rand() % 64;
    memcpy(message->control, &control, length);
    message->control_length = rand() % 8 == 0 ? (size_t)rand() % (length + 1) : length;
    return (long)n;
}

static void check_line(const char *line, size_t n)
{
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (n >= strlen(allowed[i]) && strncmp(line, allowed[i], strlen(allowed[i])) == 0)
            return;
    printf("passed: %.*s\n", (int)n, line);
    abort();
}

static long send_checked(const struct tiny_msghdr *message)
{
    const struct iovec *part = message->iov;
    const char *at = part->iov_base, *end = at + part->iov_len;
    passed++;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        check_line(at, (size_t)((stop == NULL ? end : stop) - at));
        at = stop == NULL ? end : stop + 1;
    }
    return (long)part->iov_len;
}

long sys6(long number, long a, long b, long c, long d, long e, long f)
{
    (void)a, (void)c, (void)d, (void)e, (void)f;
    switch (number) {
    case __NR_mmap: return (long)malloc((size_t)b);
    case __NR_recvmsg: return receive((struct tiny_msghdr *)b);
    case __NR_sendmsg: return send_checked((const struct tiny_msghdr *)b);
    default: return 0;
    }
}

int main(int argc, char **argv)
{
    long end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
    relay.manager = "/manager";
    relay.manager_socket = 5;
    relay.uids = "0+2";
    srand(1);
    for (; messages % 1024 != 0 || time(NULL) < end; messages++) {
        relay.fdstore = rand() % 2 == 0;
        relay.ready_payload = rand() % 4 != 0;
        mutate();
        notify_receive();
        if (notify_pending())
            notify_send();
    }
    printf("%llu messages, %llu passed on\n", messages, passed);
    return passed == 0;
}
