/* Programs beside us: src/host/host.ts `Processes`. */
#include "apart.h"
#include "host.h"
#include "process.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const size_t capture_limit = (size_t)16 << 20;

/* A SpawnRequest with its descriptors: 0 to 2 of the child, and our ends of what is captured. */
struct request {
    char **argv;
    char **environment;
    int stdio[3];
    int owned[3];   /* closed after the start */
    int capture[3]; /* read ends; -1 */
    int timeout;    /* milliseconds, -1 none */
    bool ends_first;
};

static void request_release(struct request *request)
{
    free(request->argv);
    free(request->environment);
    for (int i = 0; i < 3; i++) {
        cleanup_close_fd(&request->owned[i]);
        cleanup_close_fd(&request->capture[i]);
    }
}

static int open_input(JSContext *context, JSValueConst value, struct request *request)
{
    if (JS_IsUndefined(value)) {
        request->owned[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (request->owned[0] < 0)
            throw_errno(context, "open", "/dev/null");
    } else if (JS_IsNumber(value)) {
        return take_int(context, value, &request->stdio[0]);
    } else {
        /* A memory file, so that no pipe can fill up while the child writes to us. */
        cleanup_bytes struct bytes input = BYTES_NONE;
        if (take_bytes(context, value, &input) < 0)
            return -1;
        request->owned[0] = memfd_create("input", MFD_CLOEXEC);
        if (request->owned[0] < 0 || write_all(request->owned[0], input.data, input.length) < 0 ||
            lseek(request->owned[0], 0, SEEK_SET) < 0) {
            throw_errno(context, "memfd_create", "standard input");
            return -1;
        }
    }
    request->stdio[0] = request->owned[0];
    return request->owned[0] < 0 ? -1 : 0;
}

static int open_output(JSContext *context, JSValueConst value, int number, bool may_capture, struct request *request)
{
    request->stdio[number] = number;
    if (JS_IsUndefined(value))
        return 0;
    if (JS_IsNumber(value))
        return take_int(context, value, &request->stdio[number]);
    cleanup_bytes struct bytes word = BYTES_NONE;
    if (take_path(context, value, &word) < 0)
        return -1;
    if (strcmp(word.data, "inherit") == 0)
        return 0;
    if (strcmp(word.data, "capture") != 0 || !may_capture) {
        JS_ThrowTypeError(context, "%s: not possible here", word.data);
        return -1;
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        throw_errno(context, "pipe2", "");
        return -1;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    request->capture[number] = ends[0];
    request->owned[number] = request->stdio[number] = ends[1];
    return 0;
}

static int take_request(JSContext *context, JSValueConst object, bool may_capture, struct request *request)
{
    *request = (struct request){.owned = {-1, -1, -1}, .capture = {-1, -1, -1}, .timeout = -1};
    JSValue words = take_property(context, object, "argv"), environment = take_property(context, object, "environment"),
            input = take_property(context, object, "input"), out = take_property(context, object, "stdout"),
            err = take_property(context, object, "stderr"), timeout = take_property(context, object, "timeout"),
            ends_first = take_property(context, object, "endsFirst");
    request->ends_first = JS_ToBool(context, ends_first);
    int result = take_words(context, words, &request->argv);
    if (result == 0 && JS_IsUndefined(environment))
        result = (request->environment = calloc(1, sizeof(char *))) ? 0 : -1;
    else if (result == 0)
        result = take_words(context, environment, &request->environment);
    if (result == 0 && !may_capture && !JS_IsUndefined(input) && !JS_IsNumber(input)) {
        JS_ThrowTypeError(context, "input: not possible here");
        result = -1;
    }
    if (result == 0 && !JS_IsUndefined(timeout))
        result = take_int(context, timeout, &request->timeout);
    if (result == 0)
        result = open_input(context, input, request);
    if (result == 0)
        result = open_output(context, out, 1, may_capture, request);
    if (result == 0)
        result = open_output(context, err, 2, may_capture, request);
    JSValue values[] = {words, environment, input, out, err, timeout, ends_first};
    for (size_t i = 0; i < COUNT(values); i++)
        JS_FreeValue(context, values[i]);
    if (result < 0)
        request_release(request);
    return result;
}

struct capture {
    char *data;
    size_t length;
    size_t room;
};

/* Takes what is there. 1: more may come, 0: the end, -1 with errno. */
static int capture_some(struct capture *capture, int fd)
{
    for (;;) {
        if (capture->room - capture->length < 4096) {
            size_t room = capture->room ? capture->room * 2 : 16384;
            char *grown = realloc(capture->data, room);
            if (!grown)
                return -1;
            capture->data = grown;
            capture->room = room;
        }
        ssize_t got = read(fd, capture->data + capture->length, capture->room - capture->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN ? 1 : -1;
        if (got == 0)
            return 0;
        capture->length += (size_t)got;
        if (capture->length > capture_limit) {
            errno = EFBIG;
            return -1;
        }
    }
}

static long milliseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/*
 * Collects the output until the process has ended. Not until the pipes are closed: a helper that leaves a process in
 * the background may have left it our pipe.
 */
static int attend_to_end(struct request *request, const struct process *process, struct capture captures[3])
{
    long deadline = request->timeout < 0 ? 0 : milliseconds() + request->timeout;
    for (bool ended = false; !ended;) {
        struct pollfd polls[] = {
            {.fd = process->pidfd, .events = POLLIN},
            {.fd = request->capture[1], .events = POLLIN},
            {.fd = request->capture[2], .events = POLLIN},
        };
        long left = request->timeout < 0 ? -1 : deadline - milliseconds();
        int ready = poll(polls, 3, request->timeout < 0 ? -1 : left > 0 ? (int)left : 0);
        if (ready < 0 && errno != EINTR)
            return -1;
        if (ready == 0) {
            syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0);
            request->timeout = -1;
        }
        ended = ready > 0 && polls[0].revents != 0;
        for (int i = 1; i < 3; i++) {
            if (request->capture[i] < 0)
                continue;
            int more = capture_some(&captures[i], request->capture[i]);
            if (more < 0)
                return -1;
            if (more == 0)
                cleanup_close_fd(&request->capture[i]), request->capture[i] = -1;
        }
    }
    return 0;
}

FUNCTION(run)
{
    UNUSED;
    struct request request;
    struct error error;
    struct process process;
    if (take_request(context, argv[0], true, &request) < 0)
        return JS_EXCEPTION;
    struct capture captures[3] = {0};
    JSValue result = JS_UNDEFINED;
    if (process_start(request.argv, request.environment, request.stdio, &process, &error) < 0) {
        result = throw_error(context, &error);
    } else {
        for (int i = 0; i < 3; i++)
            cleanup_close_fd(&request.owned[i]), request.owned[i] = -1;
        struct process_end end = {0};
        if (attend_to_end(&request, &process, captures) < 0) {
            result = throw_errno(context, "read", request.argv[0]);
            syscall(SYS_pidfd_send_signal, process.pidfd, SIGKILL, NULL, 0);
        }
        if (process_wait(process.pidfd, &end, &error) < 0 && !JS_IsException(result))
            result = throw_error(context, &error);
        close(process.pidfd);
        if (!JS_IsException(result)) {
            result = give_exit(context, end.status, end.signal);
            give_property(context, result, "stdout",
                          give_bytes(context, captures[1].data ? captures[1].data : "", captures[1].length));
            give_property(context, result, "stderr",
                          give_bytes(context, captures[2].data ? captures[2].data : "", captures[2].length));
        }
    }
    free(captures[1].data);
    free(captures[2].data);
    request_release(&request);
    return result;
}

/* The child that ends before us when we are asked to end; its pidfd. */
static volatile sig_atomic_t heir = -1, asked_to_end;

static void pass_end_on(int number)
{
    int before = errno;
    asked_to_end = number;
    if (heir >= 0)
        syscall(SYS_pidfd_send_signal, heir, number, NULL, 0);
    errno = before;
}

static void end_after(int pidfd)
{
    heir = pidfd;
    if (asked_to_end)
        pass_end_on(asked_to_end);
}

/* The child has ended: we end as we would have without it. */
static void end_now(void)
{
    heir = -1;
    signal(SIGTERM, SIG_DFL);
    if (asked_to_end)
        raise(asked_to_end);
}

FUNCTION(spawn)
{
    UNUSED;
    struct request request;
    struct error error;
    struct process process;
    if (take_request(context, argv[0], false, &request) < 0)
        return JS_EXCEPTION;
    if (request.ends_first)
        signal(SIGTERM, pass_end_on);
    int started = process_start(request.argv, request.environment, request.stdio, &process, &error);
    request_release(&request);
    if (started < 0 && request.ends_first)
        end_now();
    if (started < 0)
        return throw_error(context, &error);
    if (request.ends_first)
        end_after(process.pidfd);
    JSValue child = JS_NewObject(context);
    give_property(context, child, "pid", JS_NewInt32(context, process.pid));
    give_property(context, child, "pidfd", JS_NewInt32(context, process.pidfd));
    return child;
}

FUNCTION(wait_for)
{
    UNUSED;
    JSValue value = take_property(context, argv[0], "pidfd");
    int pidfd, taken = take_int(context, value, &pidfd);
    JS_FreeValue(context, value);
    if (taken < 0)
        return JS_EXCEPTION;
    struct process_end end;
    struct error error;
    int waited = process_wait(pidfd, &end, &error);
    if (pidfd == heir)
        end_now();
    if (waited < 0)
        return throw_error(context, &error);
    return give_exit(context, end.status, end.signal);
}

FUNCTION(become)
{
    UNUSED;
    cleanup_free char **words = NULL, **environment = NULL;
    if (take_words(context, argv[0], &words) < 0 || take_words(context, argv[1], &environment) < 0)
        return JS_EXCEPTION;
    if (JS_ToBool(context, argv[2])) {
        stand_apart(false);
        if (getsid(0) != getpid())
            return throw_errno(context, "fork", words[0]);
    }
    struct error error;
    process_become(words, environment, &error);
    return throw_error(context, &error);
}

FUNCTION(open_process)
{
    UNUSED;
    int pid;
    if (take_int(context, argv[0], &pid) < 0)
        return JS_EXCEPTION;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd >= 0)
        return JS_NewInt32(context, fd);
    if (errno == ESRCH || errno == EINVAL) /* EINVAL: not above 0, or a thread */
        return JS_UNDEFINED;
    return throw_errno(context, "pidfd_open", "");
}

FUNCTION(start_time)
{
    UNUSED;
    int pid;
    if (take_int(context, argv[0], &pid) < 0)
        return JS_EXCEPTION;
    char path[32], line[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
    if (length < 0)
        return errno == ENOENT || errno == ESRCH ? JS_UNDEFINED : throw_errno(context, "read", path);
    line[length] = 0;
    /* The name, field 2, may hold blanks and brackets; the last bracket ends it. */
    char *at = strrchr(line, ')');
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? JS_NewStringLen(context, at + 1, strspn(at + 1, "0123456789")) : JS_UNDEFINED;
}

FUNCTION(send_signal)
{
    UNUSED;
    int pidfd, number;
    if (take_int(context, argv[0], &pidfd) < 0 || take_int(context, argv[1], &number) < 0)
        return JS_EXCEPTION;
    if (syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) == 0)
        return JS_TRUE;
    return errno == ESRCH ? JS_FALSE : throw_errno(context, "pidfd_send_signal", "");
}

FUNCTION(poll_fds)
{
    UNUSED;
    int timeout;
    uint32_t count;
    cleanup_free int *fds = NULL;
    if (take_fds(context, argv[0], 4096, &fds, &count) < 0 || take_int(context, argv[1], &timeout) < 0)
        return JS_EXCEPTION;
    cleanup_free struct pollfd *polls = calloc(count + 1, sizeof(*polls));
    if (!polls)
        return JS_ThrowOutOfMemory(context);
    for (uint32_t i = 0; i < count; i++)
        polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    long deadline = milliseconds() + timeout;
    int ready;
    while ((ready = poll(polls, count, timeout)) < 0 && errno == EINTR) {
        long left = deadline - milliseconds();
        if (timeout >= 0)
            timeout = left > 0 ? (int)left : 0;
    }
    if (ready < 0)
        return throw_errno(context, "poll", "");
    JSValue array = JS_NewArray(context);
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++)
        if (polls[i].revents)
            JS_DefinePropertyValueUint32(context, array, used++, JS_NewInt32(context, fds[i]), JS_PROP_C_W_E);
    return array;
}

FUNCTION(close_fd)
{
    UNUSED;
    int fd;
    if (take_int(context, argv[0], &fd) < 0)
        return JS_EXCEPTION;
    return close(fd) < 0 && errno == EBADF ? throw_errno(context, "close", "") : JS_UNDEFINED;
}

FUNCTION(write_fd)
{
    UNUSED;
    int fd;
    cleanup_bytes struct bytes data = BYTES_NONE;
    if (take_int(context, argv[0], &fd) < 0 || take_bytes(context, argv[1], &data) < 0)
        return JS_EXCEPTION;
    return write_all(fd, data.data, data.length) < 0 ? throw_errno(context, "write", "") : JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("run", 1, run),
    JS_CFUNC_DEF("spawn", 1, spawn),
    JS_CFUNC_DEF("wait", 1, wait_for),
    JS_CFUNC_DEF("exec", 3, become),
    JS_CFUNC_DEF("openProcess", 1, open_process),
    JS_CFUNC_DEF("startTime", 1, start_time),
    JS_CFUNC_DEF("signal", 2, send_signal),
    JS_CFUNC_DEF("poll", 2, poll_fds),
    JS_CFUNC_DEF("close", 1, close_fd),
    JS_CFUNC_DEF("write", 2, write_fd),
};

void host_install_processes(JSContext *context, JSValueConst host)
{
    INSTALL(context, host, functions);
}
