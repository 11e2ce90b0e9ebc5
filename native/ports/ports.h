/* What the parts of /usr/lib/berth/ports share; main.c tells what the program is. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Of our sockets in the container, and of the routing table that its answers take. */
#define MARK 0x62727468

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* A listening socket, and where its connections go in the container. */
struct listener {
    int fd;
    uint16_t target; /* port, network byte order */
};

/* Prints one line and ends the program. */
void fail(const char *what, const char *name) __attribute__((noreturn));
/* The same, where errno has nothing to add. */
void refuse(const char *what, const char *name) __attribute__((noreturn));

/* inside.c: enters the namespaces for good and makes the ways of the answers; the result is a netlink socket that tells of each change of addresses. */
int enter(const char *userns, const char *netns);

/* power.c: no capability but those for sockets with a foreign address; then the few system calls that flows need. */
void give_up_power(void);
void filter_calls(void);

/* addresses.c: reads the container's addresses anew, after `changes` has told of some; the one to connect to, or false. */
void find_addresses(int changes);
bool address_inside(int family, union address *ret);

/* flow.c: until a second after `process` (a pidfd, or -1) has ended. */
void serve(struct listener *listeners, int count, int changes, int process) __attribute__((noreturn));

/* open.c */
void unmap(union address *address);
/* A socket in the container on its way to the server, or -1 with errno. */
int connect_inside(int accepted, const union address *client, uint16_t target);
/* Where a client of IPv6 is led to when nobody listens for it there; of no family: nowhere. */
struct sockaddr_in other_inside(const union address *client, uint16_t target);
int connect_other(const struct sockaddr_in *to);
