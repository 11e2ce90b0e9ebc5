/*
 * The namespaces of the container. What a server there answers goes to an address that is not the container's: the mark of our socket, which the kernel gives
 * to the connection that the server accepts (net.ipv4.tcp_fwmark_accept, ip-sysctl.rst), chooses a table where all addresses are local.
 */
#include "ports.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PRIORITY = 100, LOOPBACK = 1 };

struct message {
    struct nlmsghdr head;
    union {
        struct rtmsg route;
        struct fib_rule_hdr rule;
    };
    char attributes[64];
};

static void attribute(struct message *message, unsigned short type, uint32_t value)
{
    struct rtattr *at = (struct rtattr *)((char *)message + NLMSG_ALIGN(message->head.nlmsg_len));
    at->rta_type = type;
    at->rta_len = RTA_LENGTH(sizeof(value));
    memcpy(RTA_DATA(at), &value, sizeof(value));
    message->head.nlmsg_len = NLMSG_ALIGN(message->head.nlmsg_len) + RTA_LENGTH(sizeof(value));
}

/* 0, or an errno. */
static int ask(int netlink, struct message *message)
{
    message->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
        char more[1024];
    } answer;
    if (send(netlink, message, message->head.nlmsg_len, 0) < 0 || recv(netlink, &answer, sizeof(answer), 0) < 0)
        return errno;
    return answer.head.nlmsg_type == NLMSG_ERROR && answer.error.error != -EEXIST ? -answer.error.error : 0;
}

/* ip rule add fwmark MARK lookup MARK priority 100; ip route add local default dev lo table MARK */
static int lead_answers(int netlink, unsigned char family)
{
    struct message rule = {
        .head = {.nlmsg_type = RTM_NEWRULE, .nlmsg_len = NLMSG_LENGTH(sizeof(struct fib_rule_hdr))},
        .rule = {.family = family, .action = FR_ACT_TO_TBL, .table = RT_TABLE_UNSPEC},
    };
    attribute(&rule, FRA_PRIORITY, PRIORITY);
    attribute(&rule, FRA_FWMARK, MARK);
    attribute(&rule, FRA_TABLE, MARK);
    struct message route = {
        .head = {.nlmsg_type = RTM_NEWROUTE, .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg))},
        .route = {.rtm_family = family,
                  .rtm_table = RT_TABLE_UNSPEC,
                  .rtm_protocol = RTPROT_STATIC,
                  .rtm_scope = RT_SCOPE_HOST,
                  .rtm_type = RTN_LOCAL},
    };
    attribute(&route, RTA_OIF, LOOPBACK);
    attribute(&route, RTA_TABLE, MARK);
    int failed = ask(netlink, &rule);
    return failed != 0 ? failed : ask(netlink, &route);
}

static void set_loopback_up(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_name = "lo"};
    if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        fail("interface", "lo");
    request.ifr_flags |= IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        fail("interface", "lo");
    close(fd);
}

static void join(const char *userns, const char *netns)
{
    int user = open(userns, O_RDONLY | O_CLOEXEC);
    int net = open(netns, O_RDONLY | O_CLOEXEC);
    if (user < 0 || net < 0)
        fail("open", user < 0 ? userns : netns);
    if (setns(user, CLONE_NEWUSER) < 0)
        fail("setns", userns);
    if (setns(net, CLONE_NEWNET) < 0)
        fail("setns", netns);
    close(user);
    close(net);
}

/* Of the namespace that we are in. */
static void switch_on(const char *path, bool needed)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && !needed)
        return; /* a kernel without IPv6 */
    if (fd < 0 || write(fd, "1", 1) != 1)
        fail("write", path);
    close(fd);
}

int enter(const char *userns, const char *netns)
{
    join(userns, netns);
    switch_on("/proc/sys/net/ipv4/tcp_fwmark_accept", true);
    switch_on("/proc/sys/net/ipv4/fwmark_reflect", true);
    switch_on("/proc/sys/net/ipv6/fwmark_reflect", false);
    set_loopback_up();
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (netlink < 0)
        fail("socket", "netlink");
    errno = lead_answers(netlink, AF_INET);
    if (errno != 0)
        fail("rule", "of IPv4");
    errno = lead_answers(netlink, AF_INET6);
    if (errno != 0 && errno != EAFNOSUPPORT && errno != EOPNOTSUPP)
        fail("rule", "of IPv6");
    close(netlink);
    struct sockaddr_nl groups = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    int changes = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (changes < 0 || bind(changes, (struct sockaddr *)&groups, sizeof(groups)) < 0)
        fail("socket", "netlink");
    return changes;
}
