/* Starting containers: src/host/host.ts `Kernel`. */
#include "expect-move.h"
#include "host.h"
#include "launch.h"
#include "seccomp-compile.h"
#include "tty.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

FUNCTION(make_pipe)
{
    UNUSED;
    uint32_t uid = 0, gid = 0;
    bool owned = JS_IsObject(argv[0]);
    if (owned) {
        JSValue user = take_property(context, argv[0], "uid"), group = take_property(context, argv[0], "gid");
        int result = take_unsigned(context, user, &uid) < 0 || take_unsigned(context, group, &gid) < 0;
        JS_FreeValue(context, user);
        JS_FreeValue(context, group);
        if (result)
            return JS_EXCEPTION;
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return throw_errno(context, "pipe2", "");
    if (owned && fchown(ends[1], uid, gid) < 0) {
        JSValue thrown = throw_errno(context, "fchown", "pipe of the payload");
        close(ends[0]);
        close(ends[1]);
        return thrown;
    }
    JSValue pair = JS_NewArray(context);
    for (uint32_t i = 0; i < 2; i++)
        JS_DefinePropertyValueUint32(context, pair, i, JS_NewInt32(context, ends[i]), JS_PROP_C_W_E);
    return pair;
}

FUNCTION(change_owner)
{
    UNUSED;
    int fd;
    uint32_t uid, gid;
    if (take_int(context, argv[0], &fd) < 0 || take_unsigned(context, argv[1], &uid) < 0 ||
        take_unsigned(context, argv[2], &gid) < 0)
        return JS_EXCEPTION;
    return fchown(fd, uid, gid) < 0 ? throw_errno(context, "fchown", "") : JS_UNDEFINED;
}

/* A property as an int; `fallback` when it is absent and there is a fallback. */
static int int_property(JSContext *context, JSValueConst object, const char *name, const int *fallback, int *ret_number)
{
    JSValue value = take_property(context, object, name);
    int result = 0;
    if (JS_IsUndefined(value) && fallback)
        *ret_number = *fallback;
    else
        result = take_int(context, value, ret_number);
    JS_FreeValue(context, value);
    return result;
}

/* One of descriptors 0, 1, 2 of the payload: 'null', 'inherit' or a number. */
static int take_stdio(JSContext *context, JSValueConst array, uint32_t index, int *ret_fd)
{
    JSValue value = JS_GetPropertyUint32(context, array, index);
    int result = 0;
    if (JS_IsNumber(value)) {
        result = take_int(context, value, ret_fd);
    } else {
        cleanup_bytes struct bytes word = BYTES_NONE;
        result = take_path(context, value, &word);
        if (result == 0)
            *ret_fd = strcmp(word.data, "inherit") == 0 ? (int)index : -1;
    }
    JS_FreeValue(context, value);
    return result;
}

/* The fields of a LaunchRequest; what is borrowed lives in `cgroup`, `ops` and `fds`. */
static int take_launch(JSContext *context, JSValueConst object, struct launch_request *request, struct bytes *cgroup,
                       struct bytes *ops, int **fds)
{
    JSValue namespaces = take_property(context, object, "namespaces"),
            sibling = take_property(context, object, "sibling"), group = take_property(context, object, "cgroup"),
            list = take_property(context, object, "ops"), stdio = take_property(context, object, "stdio"),
            descriptors = take_property(context, object, "descriptors");
    uint32_t flags = 0, count = 0;
    int result = take_unsigned(context, namespaces, &flags);
    if (result == 0 && !JS_IsUndefined(group))
        result = take_path(context, group, cgroup);
    if (result == 0)
        result = take_bytes(context, list, ops);
    if (result == 0 && JS_IsObject(stdio)) {
        for (uint32_t i = 0; i < 3 && result == 0; i++)
            result = take_stdio(context, stdio, i, &request->stdio[i]);
    }
    if (result == 0)
        result = take_fds(context, descriptors, 512, fds, &count);
    request->namespaces = flags;
    request->sibling = JS_ToBool(context, sibling) == 1;
    request->cgroup = cgroup->length > 0 ? cgroup->data : NULL;
    request->ops = ops->data;
    request->ops_length = ops->length;
    request->descriptors = *fds;
    request->count = count;
    JSValue values[] = {namespaces, sibling, group, list, stdio, descriptors};
    for (size_t i = 0; i < COUNT(values); i++)
        JS_FreeValue(context, values[i]);
    return result;
}

FUNCTION(launch)
{
    UNUSED;
    struct launch_request request = {.stdio = {-1, -1, -1}};
    struct launched launched;
    struct error error;
    cleanup_bytes struct bytes cgroup = BYTES_NONE, ops = BYTES_NONE;
    cleanup_free int *fds = NULL;
    if (take_launch(context, argv[0], &request, &cgroup, &ops, &fds) < 0)
        return JS_EXCEPTION;
    if (launch_stage(&request, &launched, &error) < 0)
        return throw_error(context, &error);
    JSValue stage = JS_NewObject(context);
    give_property(context, stage, "pid", JS_NewInt32(context, launched.pid));
    give_property(context, stage, "pidfd", JS_NewInt32(context, launched.pidfd));
    give_property(context, stage, "control", JS_NewInt32(context, launched.control));
    give_property(context, stage, "status", JS_NewInt32(context, launched.status));
    return stage;
}

FUNCTION(receive_message)
{
    UNUSED;
    int control, fds[launch_most_fds];
    size_t count;
    struct error error;
    if (int_property(context, argv[0], "control", NULL, &control) < 0)
        return JS_EXCEPTION;
    cleanup_free char *message = malloc(launch_message_size);
    if (!message)
        return JS_ThrowOutOfMemory(context);
    ssize_t length = launch_receive(control, message, fds, &count, &error);
    if (length < 0)
        return throw_error(context, &error);
    if (length == 0)
        return JS_NewString(context, "closed");
    static const char console[] = "fd console";
    if (count == 1 && length == sizeof(console) - 1 && memcmp(message, console, sizeof(console) - 1) == 0)
        terminal_copy_size(fds[0]); /* before the payload runs and asks for it */
    JSValue object = JS_NewObject(context), array = JS_NewArray(context);
    for (uint32_t i = 0; i < count; i++)
        JS_DefinePropertyValueUint32(context, array, i, JS_NewInt32(context, fds[i]), JS_PROP_C_W_E);
    give_property(context, object, "message", give_bytes(context, message, (size_t)length));
    give_property(context, object, "fds", array);
    return object;
}

FUNCTION(proceed)
{
    UNUSED;
    int control;
    struct error error;
    cleanup_bytes struct bytes name = BYTES_NONE;
    if (int_property(context, argv[0], "control", NULL, &control) < 0 || take_path(context, argv[1], &name) < 0)
        return JS_EXCEPTION;
    return launch_proceed(control, name.data, &error) < 0 ? throw_error(context, &error) : JS_UNDEFINED;
}

FUNCTION(outcome)
{
    UNUSED;
    int status;
    if (int_property(context, argv[0], "status", NULL, &status) < 0)
        return JS_EXCEPTION;
    cleanup_free char *data = NULL;
    size_t length;
    if (read_all(status, 0, 65536, &data, &length) < 0)
        return throw_errno(context, "read", "status pipe of the stage");
    return give_bytes(context, data, length);
}

FUNCTION(start_relay)
{
    UNUSED;
    cleanup_free char **words = NULL;
    cleanup_free int *fds = NULL;
    uint32_t words_count, count;
    int32_t program;
    struct error error;
    struct process process;
    if (take_length(context, argv[0], 1024, &words_count) < 0 || take_words(context, argv[0], &words) < 0 ||
        take_fds(context, argv[1], 64, &fds, &count) < 0 || JS_ToInt32(context, &program, argv[3]) < 0)
        return JS_EXCEPTION;
    if (launch_relay(words, words_count, fds, count, JS_ToBool(context, argv[2]) == 1, (enum relay_program)program,
                     &process, &error) < 0)
        return throw_error(context, &error);
    JSValue child = JS_NewObject(context);
    give_property(context, child, "pid", JS_NewInt32(context, process.pid));
    give_property(context, child, "pidfd", JS_NewInt32(context, process.pidfd));
    return child;
}

static int take_attend(JSContext *context, JSValueConst stage, JSValueConst object, struct attend_request *request)
{
    static const int no_terminal = -1;
    JSValue forward = take_property(context, object, "forward"), child = take_property(context, object, "child"),
            detachable = take_property(context, object, "detachable");
    cleanup_free int *signals = NULL;
    uint32_t count = 0;
    *request = (struct attend_request){.child = JS_ToBool(context, child) == 1,
                                       .detachable = JS_ToBool(context, detachable) == 1};
    int result = int_property(context, stage, "pidfd", NULL, &request->pidfd);
    if (result == 0)
        result = int_property(context, object, "terminal", &no_terminal, &request->terminal);
    if (result == 0)
        result = take_fds(context, forward, 64, &signals, &count);
    for (uint32_t i = 0; i < count; i++)
        if (signals[i] >= 1 && signals[i] <= 64)
            request->forward |= UINT64_C(1) << (signals[i] - 1);
    JS_FreeValue(context, forward);
    JS_FreeValue(context, child);
    JS_FreeValue(context, detachable);
    return result;
}

FUNCTION(attend_to)
{
    UNUSED;
    struct attend_request request;
    struct process_end end = {0};
    struct error error;
    if (take_attend(context, argv[0], argv[1], &request) < 0)
        return JS_EXCEPTION;
    int result = attend(&request, &end, &error);
    if (result < 0)
        return throw_error(context, &error);
    JSValue object = give_exit(context, end.status, end.signal);
    if (result == 1)
        give_property(context, object, "detached", JS_TRUE);
    return object;
}

FUNCTION(compile_seccomp)
{
    UNUSED;
    struct error error;
    cleanup_bytes struct bytes profile = BYTES_NONE;
    cleanup_free void *program = NULL;
    size_t length;
    if (take_bytes(context, argv[0], &profile) < 0)
        return JS_EXCEPTION;
    if (seccomp_compile(context, profile.data, profile.length, &program, &length, &error) < 0)
        return throw_error(context, &error);
    return give_bytes(context, program, length);
}

/* As escapeProgram() of src/ops/process.ts does it, which takes 2 ms for ten thousand bytes that are mostly zero. */
static JSValue give_escaped(JSContext *context, const unsigned char *bytes, size_t length)
{
    cleanup_free char *escaped = malloc(2 * length + 1);
    if (!escaped)
        return JS_ThrowOutOfMemory(context);
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] <= 1)
            escaped[used++] = 1;
        escaped[used++] = bytes[i] == 0 ? 2 : (char)bytes[i];
    }
    return give_bytes(context, escaped, used);
}

FUNCTION(default_seccomp)
{
    UNUSED;
    uint32_t number = 0;
    if (JS_ToUint32(context, &number, argv[0]) < 0)
        return JS_EXCEPTION;
    if (number >= seccomp_default_count) {
        struct error error;
        error_set(&error, "seccomp", ENOENT, "", "this build has no such seccomp profile");
        return throw_error(context, &error);
    }
    return give_escaped(context, seccomp_defaults[number].bytes, seccomp_defaults[number].length);
}

FUNCTION(expect_a_move)
{
    UNUSED;
    cleanup_bytes struct bytes file = BYTES_NONE;
    if (take_path(context, argv[0], &file) < 0)
        return JS_EXCEPTION;
    expect_move(file.data);
    return JS_UNDEFINED;
}

FUNCTION(limit_devices)
{
    UNUSED;
    cleanup_bytes struct bytes directory = BYTES_NONE, program = BYTES_NONE;
    if (take_path(context, argv[0], &directory) < 0 || take_bytes(context, argv[1], &program) < 0)
        return JS_EXCEPTION;
    cleanup_close int group = open(directory.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (group < 0)
        return throw_errno(context, "open", directory.data);
    union bpf_attr load = {
        .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
        .insns = (uint64_t)(uintptr_t)program.data,
        .insn_cnt = (uint32_t)(program.length / sizeof(struct bpf_insn)),
        .license = (uint64_t)(uintptr_t) "Apache-2.0",
    };
    cleanup_close int loaded = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
    if (loaded < 0)
        return throw_errno(context, "bpf", directory.data);
    union bpf_attr attach = {
        .target_fd = (uint32_t)group,
        .attach_bpf_fd = (uint32_t)loaded,
        .attach_type = BPF_CGROUP_DEVICE,
        .attach_flags = BPF_F_ALLOW_MULTI, /* systemd's own, of DevicePolicy=, hold as well */
    };
    return syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) < 0 ? throw_errno(context, "bpf", directory.data)
                                                                          : JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("launch", 1, launch),
    JS_CFUNC_DEF("receiveMessage", 1, receive_message),
    JS_CFUNC_DEF("proceed", 2, proceed),
    JS_CFUNC_DEF("outcome", 1, outcome),
    JS_CFUNC_DEF("relay", 4, start_relay),
    JS_CFUNC_DEF("attend", 2, attend_to),
    JS_CFUNC_DEF("compileSeccomp", 1, compile_seccomp),
    JS_CFUNC_DEF("defaultSeccomp", 1, default_seccomp),
    JS_CFUNC_DEF("expectMove", 1, expect_a_move),
    JS_CFUNC_DEF("limitDevices", 2, limit_devices),
    JS_CFUNC_DEF("pipe", 1, make_pipe),
    JS_CFUNC_DEF("fchown", 3, change_owner),
};

void host_install_kernel(JSContext *context, JSValueConst host)
{
    INSTALL(context, host, functions);
}
