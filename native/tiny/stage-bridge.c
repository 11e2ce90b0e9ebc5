/* Interfaces that are left on a bridge: rtnetlink(7). */
#include "stage.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

enum { MOST_PORTS = 1024, REPLY = 32768 };

struct link_request {
    struct nlmsghdr head;
    struct ifinfomsg link;
    struct rtattr attribute;
    char name[16];
};

static struct link_request link_request(int type, int flags)
{
    struct link_request request = {0};
    request.head.nlmsg_len = NLMSG_LENGTH(sizeof request.link);
    request.head.nlmsg_type = (uint16_t)type;
    request.head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    return request;
}

static void add_attribute(struct link_request *request, int type, const void *data, size_t length)
{
    request->attribute.rta_type = (uint16_t)type;
    request->attribute.rta_len = (uint16_t)RTA_LENGTH(length);
    for (size_t i = 0; i < length; i++)
        request->name[i] = ((const char *)data)[i];
    request->head.nlmsg_len += RTA_LENGTH(length);
}

/* The bytes of the answer, or -errno: also that of the message when the kernel sends no more than that. */
static long exchange(int fd, const struct link_request *request, char *reply)
{
    long n = sys_write(fd, request, request->head.nlmsg_len);
    if (n > 0)
        n = sys_read(fd, reply, REPLY);
    const struct nlmsghdr *head = (const struct nlmsghdr *)(const void *)reply;
    if (n >= (long)NLMSG_LENGTH(sizeof(struct nlmsgerr)) && head->nlmsg_type == NLMSG_ERROR) {
        int error = ((const struct nlmsgerr *)NLMSG_DATA(head))->error;
        return error < 0 ? error : n;
    }
    return n;
}

static long bridge_index(int fd, const char *name, char *reply)
{
    struct link_request request = link_request(RTM_GETLINK, 0);
    size_t length = text_length(name) + 1;
    if (length > sizeof request.name)
        return -EINVAL;
    add_attribute(&request, IFLA_IFNAME, name, length);
    long n = exchange(fd, &request, reply);
    if (n < 0)
        return n;
    if (n < (long)NLMSG_LENGTH(sizeof(struct ifinfomsg)))
        return -EPROTO;
    return ((const struct ifinfomsg *)NLMSG_DATA((const struct nlmsghdr *)(const void *)reply))->ifi_index;
}

/* Numbers of the interfaces on a bridge. The kernel sends only those, in as many packets as it takes. */
static long ports_of(int fd, long bridge, char *reply, int *ports)
{
    struct link_request request = link_request(RTM_GETLINK, NLM_F_DUMP);
    uint32_t master = (uint32_t)bridge;
    long found = 0;
    add_attribute(&request, IFLA_MASTER, &master, sizeof master);
    long n = exchange(fd, &request, reply);
    for (; n > 0; n = sys_read(fd, reply, REPLY)) {
        const struct nlmsghdr *head = (const struct nlmsghdr *)(const void *)reply;
        for (long left = n; NLMSG_OK(head, left); head = NLMSG_NEXT(head, left)) {
            if (head->nlmsg_type == NLMSG_DONE)
                return found;
            if (head->nlmsg_type == RTM_NEWLINK && found < MOST_PORTS)
                ports[found++] = ((const struct ifinfomsg *)NLMSG_DATA(head))->ifi_index;
        }
    }
    return n < 0 ? n : found;
}

int op_bridge_unplug(struct stage *s, const struct op *op)
{
    static char reply[REPLY] __attribute__((aligned(8)));
    static int ports[MOST_PORTS];
    s->subject = op->fields[0];
    long fd = sys3(__NR_socket, TINY_AF_NETLINK, 3 /* SOCK_RAW */ | TINY_SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return (int)fd;
    long result = bridge_index((int)fd, op->fields[0], reply);
    if (result > 0)
        result = ports_of((int)fd, result, reply, ports);
    for (long i = 0, count = result; i < count; i++) {
        struct link_request request = link_request(RTM_DELLINK, NLM_F_ACK);
        request.link.ifi_index = ports[i];
        long done = exchange((int)fd, &request, reply);
        if (done < 0 && done != -ENODEV)
            result = done;
    }
    sys_close((int)fd);
    return result < 0 && result != -ENODEV ? (int)result : 0;
}
