/* Unix sockets, enough for sd_notify, D-Bus and varlink: src/host/host.ts `Sockets`. */
#include "host.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { most_fds = 253 }; /* SCM_MAX_FD */

/* A path, or `@name` for the abstract namespace. */
static int unix_address(const char *path, size_t length, struct sockaddr_un *address, socklen_t *ret_length)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (length == 0 || length >= sizeof(address->sun_path)) {
        errno = length == 0 ? EINVAL : ENAMETOOLONG;
        return -1;
    }
    memcpy(address->sun_path, path, length);
    if (path[0] == '@')
        address->sun_path[0] = 0;
    *ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (path[0] == '@' ? 0 : 1));
    return 0;
}

/* A connected socket or -1 with errno. */
static int connect_to(const char *path, int type)
{
    struct sockaddr_un address;
    socklen_t length;
    if (unix_address(path, strlen(path), &address, &length) < 0)
        return -1;
    cleanup_close int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, length) < 0)
        return -1;
    return steal_fd(&fd);
}

static int send_with_fds(int fd, const char *data, size_t length, const int *fds, uint32_t count)
{
    union {
        char space[CMSG_SPACE(most_fds * sizeof(int))];
        struct cmsghdr align;
    } control;
    while (length > 0 || count > 0) {
        struct iovec part = {(void *)data, length};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        if (count > 0) {
            message.msg_control = control.space;
            message.msg_controllen = CMSG_SPACE(count * sizeof(int));
            struct cmsghdr *header = CMSG_FIRSTHDR(&message);
            *header = (struct cmsghdr){
                .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(count * sizeof(int))};
            memcpy(CMSG_DATA(header), fds, count * sizeof(int));
        }
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return -1;
        count = 0; /* they went with the first byte */
        data += sent;
        length -= (size_t)sent;
    }
    return 0;
}

/* `stream` or `datagram` */
static int take_type(JSContext *context, JSValueConst value, int *ret)
{
    cleanup_bytes struct bytes type = BYTES_NONE;
    if (take_path(context, value, &type) < 0)
        return -1;
    *ret = strcmp(type.data, "datagram") == 0 ? SOCK_DGRAM : SOCK_STREAM;
    return 0;
}

FUNCTION(connect_unix)
{
    UNUSED;
    cleanup_bytes struct bytes path = BYTES_NONE;
    int type;
    if (take_path(context, argv[0], &path) < 0 || take_type(context, argv[1], &type) < 0)
        return JS_EXCEPTION;
    int fd = connect_to(path.data, type);
    return fd < 0 ? throw_errno(context, "connect", path.data) : JS_NewInt32(context, fd);
}

FUNCTION(send_data)
{
    UNUSED;
    int fd;
    uint32_t count = 0;
    cleanup_free int *fds = NULL;
    cleanup_bytes struct bytes data = BYTES_NONE;
    if (take_int(context, argv[0], &fd) < 0 || take_bytes(context, argv[1], &data) < 0)
        return JS_EXCEPTION;
    if (!JS_IsUndefined(argv[2]) && take_fds(context, argv[2], most_fds, &fds, &count) < 0)
        return JS_EXCEPTION;
    return send_with_fds(fd, data.data, data.length, fds, count) < 0 ? throw_errno(context, "sendmsg", "")
                                                                     : JS_UNDEFINED;
}

static JSValue give_message(JSContext *context, const char *data, size_t length, struct msghdr *message)
{
    JSValue object = JS_NewObject(context), fds = JS_NewArray(context);
    uint32_t used = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            JS_DefinePropertyValueUint32(context, fds, used++, JS_NewInt32(context, fd), JS_PROP_C_W_E);
        }
    }
    give_property(context, object, "data", give_bytes(context, data, length));
    give_property(context, object, "fds", fds);
    return object;
}

FUNCTION(receive_data)
{
    UNUSED;
    int fd, timeout;
    uint32_t limit;
    if (take_int(context, argv[0], &fd) < 0 || take_unsigned(context, argv[1], &limit) < 0 ||
        take_int(context, argv[2], &timeout) < 0)
        return JS_EXCEPTION;
    if (limit == 0 || limit > (16 << 20))
        return JS_ThrowRangeError(context, "receive takes a limit from 1 to 16 MiB");
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int ready;
    while ((ready = poll(&wait, 1, timeout)) < 0 && errno == EINTR)
        ;
    if (ready == 0)
        errno = ETIMEDOUT;
    if (ready <= 0)
        return throw_errno(context, "recvmsg", "");
    cleanup_free char *data = malloc(limit);
    if (!data)
        return JS_ThrowOutOfMemory(context);
    union {
        char space[CMSG_SPACE(most_fds * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec part = {data, limit};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof(control)};
    ssize_t got;
    while ((got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
        ;
    if (got < 0 && errno == ENOTSOCK) {
        message.msg_controllen = 0; /* a pipe has bytes only */
        while ((got = read(fd, data, limit)) < 0 && errno == EINTR)
            ;
    }
    return got < 0 ? throw_errno(context, "recvmsg", "") : give_message(context, data, (size_t)got, &message);
}

/* Waits until the manager has read everything before: it closes the other end of the pipe then. */
static int barrier(int fd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    cleanup_close int read_end = ends[0], write_end = ends[1];
    if (send_with_fds(fd, "BARRIER=1", 9, &write_end, 1) < 0)
        return -1;
    close(steal_fd(&write_end));
    struct pollfd wait = {.fd = read_end, .events = 0};
    int ready;
    while ((ready = poll(&wait, 1, 5000)) < 0 && errno == EINTR)
        ;
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0 ? 0 : -1;
}

FUNCTION(notify)
{
    UNUSED;
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path || !*path)
        return JS_FALSE;
    cleanup_bytes struct bytes state = BYTES_NONE;
    if (take_bytes(context, argv[0], &state) < 0)
        return JS_EXCEPTION;
    cleanup_close int fd = connect_to(path, SOCK_DGRAM);
    if (fd < 0)
        return throw_errno(context, "connect", path);
    if (state.length > 0 && send_with_fds(fd, state.data, state.length, NULL, 0) < 0)
        return throw_errno(context, "sendmsg", path);
    if (JS_ToBool(context, argv[1]) && barrier(fd) < 0)
        return throw_errno(context, "sendmsg", path);
    return JS_TRUE;
}

FUNCTION(bind_unix)
{
    UNUSED;
    cleanup_bytes struct bytes path = BYTES_NONE;
    uint32_t mode;
    int type;
    if (take_path(context, argv[0], &path) < 0 || take_type(context, argv[1], &type) < 0 ||
        take_unsigned(context, argv[2], &mode) < 0)
        return JS_EXCEPTION;
    struct sockaddr_un address;
    socklen_t length;
    if (unix_address(path.data, path.length, &address, &length) < 0)
        return throw_errno(context, "bind", path.data);
    cleanup_close int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return throw_errno(context, "socket", path.data);
    mode_t before = umask(0777); /* nobody connects before it has its mode */
    int bound = bind(fd, (struct sockaddr *)&address, length);
    umask(before);
    if (bound < 0)
        return throw_errno(context, "bind", path.data);
    if (path.data[0] != '@' && chmod(path.data, mode) < 0)
        return throw_errno(context, "chmod", path.data);
    if (type == SOCK_STREAM && listen(fd, 1) < 0)
        return throw_errno(context, "listen", path.data);
    return JS_NewInt32(context, steal_fd(&fd));
}

FUNCTION(accept_one)
{
    UNUSED;
    int listener;
    if (take_int(context, argv[0], &listener) < 0)
        return JS_EXCEPTION;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    return fd < 0 ? throw_errno(context, "accept", "") : JS_NewInt32(context, fd);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("connectUnix", 2, connect_unix), JS_CFUNC_DEF("send", 3, send_data),
    JS_CFUNC_DEF("receive", 3, receive_data),     JS_CFUNC_DEF("notify", 2, notify),
    JS_CFUNC_DEF("bindUnix", 3, bind_unix),       JS_CFUNC_DEF("accept", 1, accept_one),
};

void host_install_sockets(JSContext *context, JSValueConst host)
{
    INSTALL(context, host, functions);
}
