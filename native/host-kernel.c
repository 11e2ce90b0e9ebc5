/* Starting containers: src/host/host.ts `Kernel`. */
#include "host.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FUNCTION(name) static JSValue name(JSContext *context, JSValueConst this, int argc, JSValueConst *argv)
#define UNUSED (void)this, (void)argc

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

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("pipe", 1, make_pipe),
    JS_CFUNC_DEF("fchown", 3, change_owner),
};

void host_install_kernel(JSContext *context, JSValueConst host)
{
    INSTALL(context, host, functions);
}
