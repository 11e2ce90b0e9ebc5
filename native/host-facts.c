/* Who and where we are: src/host/host.ts `Facts`. */
#include "host.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

FUNCTION(environment)
{
    UNUSED;
    cleanup_bytes struct bytes name = BYTES_NONE;
    if (take_path(context, argv[0], &name) < 0)
        return JS_EXCEPTION;
    const char *value = getenv(name.data);
    return value ? give_string(context, value) : JS_UNDEFINED;
}

FUNCTION(environment_list)
{
    UNUSED;
    JSValue array = JS_NewArray(context);
    for (uint32_t i = 0; environ && environ[i]; i++)
        JS_DefinePropertyValueUint32(context, array, i, give_string(context, environ[i]), JS_PROP_C_W_E);
    return array;
}

FUNCTION(now)
{
    UNUSED;
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return JS_NewFloat64(context, (double)time.tv_sec + (double)time.tv_nsec / 1e9);
}

FUNCTION(monotonic)
{
    UNUSED;
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return JS_NewFloat64(context, (double)time.tv_sec * 1e6 + (double)(time.tv_nsec / 1000));
}

FUNCTION(kernel_release)
{
    UNUSED;
    struct utsname name;
    return uname(&name) < 0 ? throw_errno(context, "uname", "") : give_string(context, name.release);
}

FUNCTION(host_name)
{
    UNUSED;
    struct utsname name;
    return uname(&name) < 0 ? throw_errno(context, "uname", "") : give_string(context, name.nodename);
}

FUNCTION(working_directory)
{
    UNUSED;
    char path[PATH_MAX];
    return getcwd(path, sizeof(path)) ? give_string(context, path) : throw_errno(context, "getcwd", "");
}

FUNCTION(random_hex)
{
    UNUSED;
    static const char digits[] = "0123456789abcdef";
    uint32_t count;
    unsigned char bytes[256];
    char text[2 * sizeof(bytes)];
    if (take_unsigned(context, argv[0], &count) < 0)
        return JS_EXCEPTION;
    if (count > sizeof(bytes))
        return JS_ThrowRangeError(context, "at most 256 random bytes at once");
    if (getrandom(bytes, count, 0) != (ssize_t)count)
        return throw_errno(context, "getrandom", "");
    for (uint32_t i = 0; i < count; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return JS_NewStringLen(context, text, 2 * (size_t)count);
}

FUNCTION(is_terminal)
{
    UNUSED;
    int fd;
    return take_int(context, argv[0], &fd) < 0 ? JS_EXCEPTION : JS_NewBool(context, isatty(fd));
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("environment", 1, environment),
    JS_CFUNC_DEF("environmentList", 0, environment_list),
    JS_CFUNC_DEF("now", 0, now),
    JS_CFUNC_DEF("monotonic", 0, monotonic),
    JS_CFUNC_DEF("kernelRelease", 0, kernel_release),
    JS_CFUNC_DEF("hostName", 0, host_name),
    JS_CFUNC_DEF("cwd", 0, working_directory),
    JS_CFUNC_DEF("random", 1, random_hex),
    JS_CFUNC_DEF("isTerminal", 1, is_terminal),
};

void host_install_facts(JSContext *context, JSValueConst host)
{
    INSTALL(context, host, functions);
}

void host_install_ids(JSContext *context, JSValueConst host)
{
    give_property(context, host, "pid", JS_NewInt32(context, getpid()));
    give_property(context, host, "uid", JS_NewFloat64(context, getuid()));
    give_property(context, host, "gid", JS_NewFloat64(context, getgid()));
    give_property(context, host, "euid", JS_NewFloat64(context, geteuid()));
}
