/* The container's own addresses, which its networks may change while it runs. */
#include "ports.h"
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

enum { LOOPBACK = 1 };

static struct found {
    int interface; /* 0: none */
    unsigned char bytes[16];
} found_v4, found_v6;

/* Of each family the first address of the first interface that is not loopback. */
static void take(const struct nlmsghdr *head)
{
    const struct ifaddrmsg *message = NLMSG_DATA(head);
    int interface = (int)message->ifa_index;
    bool v4 = message->ifa_family == AF_INET;
    struct found *found = v4 ? &found_v4 : &found_v6;
    if ((!v4 && message->ifa_family != AF_INET6) || interface == LOOPBACK || message->ifa_scope != RT_SCOPE_UNIVERSE)
        return;
    if (found->interface != 0 && found->interface <= interface)
        return;
    unsigned left = IFA_PAYLOAD(head);
    for (const struct rtattr *at = IFA_RTA(message); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
        size_t size = v4 ? 4 : 16;
        if (at->rta_type != (v4 ? IFA_LOCAL : IFA_ADDRESS) || RTA_PAYLOAD(at) != size)
            continue;
        found->interface = interface;
        memcpy(found->bytes, RTA_DATA(at), size);
    }
}

static bool ask(int netlink)
{
    struct {
        struct nlmsghdr head;
        struct ifaddrmsg message;
    } question = {
        .head = {.nlmsg_len = sizeof(question), .nlmsg_type = RTM_GETADDR, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
    return send(netlink, &question, sizeof(question), 0) == (ssize_t)sizeof(question);
}

/* `changes` is emptied first: what comes while we read is told once more. */
void find_addresses(int changes)
{
    static char answer[16384] __attribute__((aligned(8)));
    static int netlink = -1;
    if (netlink < 0)
        netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (netlink < 0)
        fail("socket", "netlink");
    while (recv(changes, answer, sizeof(answer), 0) >= 0 || errno == EINTR || errno == ENOBUFS)
        ;
    found_v4.interface = found_v6.interface = 0;
    bool more = ask(netlink);
    while (more) {
        ssize_t length = recv(netlink, answer, sizeof(answer), 0);
        if (length <= 0)
            break;
        unsigned left = (unsigned)length;
        for (const struct nlmsghdr *head = (struct nlmsghdr *)answer; NLMSG_OK(head, left);
             head = NLMSG_NEXT(head, left)) {
            if (head->nlmsg_type == NLMSG_DONE || head->nlmsg_type == NLMSG_ERROR)
                more = false;
            else if (head->nlmsg_type == RTM_NEWADDR)
                take(head);
        }
    }
}

bool address_inside(int family, union address *ret)
{
    const struct found *found = family == AF_INET ? &found_v4 : &found_v6;
    if (found->interface == 0)
        return false;
    memset(ret, 0, sizeof(*ret));
    ret->any.sa_family = (sa_family_t)family;
    if (family == AF_INET)
        memcpy(&ret->v4.sin_addr, found->bytes, 4);
    else
        memcpy(&ret->v6.sin6_addr, found->bytes, 16);
    return true;
}
