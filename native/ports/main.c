/*
 * /usr/lib/berth/ports: brings published TCP ports into the network namespace of a container and keeps the client's address.
 *
 *   ports PROCESS|- USERNS NETNS [ADDRESS/]FIRST-LAST:TARGET…
 *
 * PROCESS is the number of one with whose end it ends, too; - for none. USERNS and NETNS are paths. ADDRESS is one of the host's, without brackets; none: all of
 * both families. TARGET is the container's port for FIRST. Prints the number of the process that serves, and ends. Status 1 and one line when it
 * cannot: `ports: port NUMBER: REASON`, where it is for one; status 2 where the kernel or the unit forbids what it needs in the container.
 *
 * 1. In the namespaces of the host, as the account: the sockets that listen. They stay the host's.
 * 2. In the namespaces of the container (inside.c): a rule that leads answers to us, for they go to addresses that are elsewhere. Each socket made from
 *    now on is the container's.
 * 3. Without any power but to make such sockets, and with the few system calls that the flows need (inside.c), in a process of its own: for
 *    each client a connection inside, from the client's address (open.c), and the data of both moved by the kernel (flow.c). Nothing of
 *    it is looked at.
 */
#include "ports.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

static struct listener *listeners;
static int count;

static int status = 1;

void fail(const char *what, const char *name)
{
    dprintf(2, "ports: %s%s%s: %s\n", what, *name == '\0' ? "" : " ", name, strerror(errno));
    _exit(status);
}

void refuse(const char *what, const char *name)
{
    dprintf(2, "ports: %s %s\n", what, name);
    _exit(1);
}

/* False: a host without IPv6. */
static bool listen_on(const union address *address, bool both, uint16_t target, const char *name)
{
    bool v6 = address->any.sa_family == AF_INET6;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && v6 && both)
        return false;
    if (fd < 0)
        fail("port", name);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (v6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){!both}, sizeof(int));
    if (bind(fd, &address->any, v6 ? sizeof(address->v6) : sizeof(address->v4)) < 0 || listen(fd, BACKLOG) < 0)
        fail("port", name);
    listeners = reallocarray(listeners, (size_t)count + 1, sizeof(*listeners));
    if (listeners == NULL)
        fail("port", name);
    listeners[count++] = (struct listener){.fd = fd, .target = htons(target)};
    return true;
}

/* `where` has an address without a port; without any family it is all of both. */
static void listen_port(union address where, unsigned port, unsigned target, const char *name)
{
    bool both = where.any.sa_family == AF_UNSPEC;
    if (both)
        where.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
    if (where.any.sa_family == AF_INET6)
        where.v6.sin6_port = htons((uint16_t)port);
    else
        where.v4.sin_port = htons((uint16_t)port);
    if (listen_on(&where, both, (uint16_t)target, name))
        return;
    where.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    listen_on(&where, false, (uint16_t)target, name);
}

static bool parse_address(const char *word, union address *ret)
{
    if (inet_pton(AF_INET, word, &ret->v4.sin_addr) == 1)
        ret->any.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, word, &ret->v6.sin6_addr) == 1)
        ret->any.sa_family = AF_INET6;
    else
        return false;
    return true;
}

/* [ADDRESS/]FIRST-LAST:TARGET */
static void publish(char *word)
{
    char *slash = strchr(word, '/');
    unsigned first, last, target;
    int end = 0;
    if (sscanf(slash == NULL ? word : slash + 1, "%u-%u:%u%n", &first, &last, &target, &end) != 3 ||
        (slash == NULL ? word : slash + 1)[end] != '\0' || first == 0 || first > last || last > 65535 || target == 0 ||
        target + (last - first) > 65535)
        refuse("not [ADDRESS/]FIRST-LAST:TARGET:", word);
    union address where = {.any = {.sa_family = AF_UNSPEC}};
    if (slash != NULL)
        *slash = '\0';
    if (slash != NULL && !parse_address(word, &where))
        refuse("not an address:", word);
    for (unsigned port = first; port <= last; port++, target++) {
        char name[16];
        snprintf(name, sizeof(name), "%u", port);
        listen_port(where, port, target, name);
    }
}

/* Two for each connection. */
static void raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void detach(void)
{
    int nothing = open("/dev/null", O_RDWR);
    if (nothing < 0)
        fail("open", "/dev/null");
    for (int fd = 0; fd < 3; fd++)
        dup2(nothing, fd);
    if (nothing > 2)
        close(nothing);
    if (chdir("/") < 0)
        _exit(1);
    setsid();
}

/* -1 for none. */
static int open_process(const char *word)
{
    if (strcmp(word, "-") == 0)
        return -1;
    char *end;
    long pid = strtol(word, &end, 10);
    if (*end != '\0' || pid <= 0)
        refuse("not a process:", word);
    int fd = pidfd_open((pid_t)pid, 0);
    if (fd < 0)
        fail("process", word);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        refuse("usage:", "ports PROCESS|- USERNS NETNS [ADDRESS/]FIRST-LAST:TARGET...");
    if (close_range(3, ~0U, 0) < 0)
        fail("close_range", "");
    raise_limit();
    signal(SIGPIPE, SIG_IGN);
    for (int i = 4; i < argc; i++)
        publish(argv[i]);
    int process = open_process(argv[1]);
    status = 2;
    int changes = enter(argv[2], argv[3]);
    find_addresses(changes);
    give_up_power();
    pid_t pid = fork();
    if (pid < 0)
        fail("fork", "");
    if (pid > 0) {
        dprintf(1, "%d\n", (int)pid);
        return 0;
    }
    detach();
    prctl(PR_SET_NAME, "berth-ports");
    serve(listeners, count, changes, process);
}
