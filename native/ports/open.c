/* A connection in the container for a client: from the client's own address to the container's. */
#include "ports.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT 75
#endif

static socklen_t length_of(const union address *address)
{
    return address->any.sa_family == AF_INET ? sizeof(address->v4) : sizeof(address->v6);
}

static bool is_loopback(const union address *address)
{
    return address->any.sa_family == AF_INET ? ntohl(address->v4.sin_addr.s_addr) >> 24 == 127
                                             : IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

static void set(int fd, int level, int option, int value)
{
    setsockopt(fd, level, option, &value, sizeof(value));
}

/* Client and server wait for each other's small pieces; one that has vanished is noticed. */
static void tune(int fd)
{
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
}

/*
 * An address of one link means nothing in the container, whose links are others: it is shown with a prefix of our own (RFC 4193; the five letters of our
 * name) and the same last half.
 */
static void lift(struct in6_addr *address)
{
    static const unsigned char prefix[8] = {0xfd, 'b', 'e', 'r', 't', 'h', 0, 0};
    if (IN6_IS_ADDR_LINKLOCAL(address))
        memcpy(address, prefix, sizeof(prefix));
}

/* A socket of both families tells addresses of IPv4 in those of IPv6. */
void unmap(union address *address)
{
    if (address->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr))
        return;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = address->v6.sin6_port};
    memcpy(&v4.sin_addr, &address->v6.sin6_addr.s6_addr[12], sizeof(v4.sin_addr));
    address->v4 = v4;
}

/*
 * Where to: the container's address; without one of IPv6 the one that the client aimed at, which is local by our mark. A client of the host's loopback is another
 * machine for the container: what trusts its own loopback there must not trust it. It comes from the container's address, of the other family where there is none.
 */
static bool destination(int accepted, const union address *client, uint16_t target, union address *ret)
{
    int family = client->any.sa_family;
    bool found = address_inside(family, ret);
    if (!found && is_loopback(client))
        found = address_inside(family == AF_INET ? AF_INET6 : AF_INET, ret);
    else if (!found && family == AF_INET6) {
        socklen_t length = sizeof(*ret);
        found = getsockname(accepted, &ret->any, &length) == 0;
    }
    if (!found) {
        errno = EHOSTUNREACH;
        return false;
    }
    if (ret->any.sa_family == AF_INET) {
        ret->v4.sin_port = target;
        return true;
    }
    lift(&ret->v6.sin6_addr);
    ret->v6.sin6_scope_id = 0;
    ret->v6.sin6_port = target;
    return true;
}

static int make(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        tune(fd);
    return fd;
}

/* 0 when it is on its way. */
static int try_connect(int fd, const union address *to)
{
    return connect(fd, &to->any, length_of(to)) == 0 || errno == EINPROGRESS ? 0 : -1;
}

/* With the client's port, or any (0) where something in the container has it. */
static int connect_as(const union address *client, bool with_port, const union address *to)
{
    int fd = make(client->any.sa_family);
    if (fd < 0)
        return -1;
    bool v4 = client->any.sa_family == AF_INET;
    union address from = *client;
    if (!v4) {
        lift(&from.v6.sin6_addr);
        from.v6.sin6_scope_id = 0;
    }
    if (!with_port)
        *(v4 ? &from.v4.sin_port : &from.v6.sin6_port) = 0;
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set(fd, SOL_SOCKET, SO_MARK, MARK);
    set(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT, 1);
    if (!with_port)
        set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (bind(fd, &from.any, length_of(&from)) == 0 && try_connect(fd, to) == 0)
        return fd;
    int number = errno;
    close(fd);
    errno = number;
    return -1;
}

int connect_inside(int accepted, const union address *client, uint16_t target)
{
    tune(accepted);
    union address to;
    if (!destination(accepted, client, target, &to))
        return -1;
    if (is_loopback(client)) {
        int fd = make(to.any.sa_family);
        if (fd < 0 || try_connect(fd, &to) == 0)
            return fd;
        close(fd);
        errno = ECONNREFUSED;
        return -1;
    }
    int fd = connect_as(client, true, &to);
    if (fd < 0 && (errno == EADDRINUSE || errno == EADDRNOTAVAIL || errno == EACCES))
        fd = connect_as(client, false, &to);
    return fd;
}

/* A server of IPv4 alone cannot be shown an address of IPv6: as one of the host's loopback the client comes from the container's address. */
struct sockaddr_in other_inside(const union address *client, uint16_t target)
{
    union address other;
    if (client->any.sa_family != AF_INET6 || !address_inside(AF_INET, &other))
        return (struct sockaddr_in){.sin_family = AF_UNSPEC};
    other.v4.sin_port = target;
    return other.v4;
}

int connect_other(const struct sockaddr_in *to)
{
    int fd = make(AF_INET);
    if (fd < 0 || try_connect(fd, &(union address){.v4 = *to}) == 0)
        return fd;
    close(fd);
    return -1;
}
