#include "engine.h"
#include "engine-image.h"
#include "engine-memory.h"
#include "host.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { failure_status = 125 };

/*
 * Only what our programs use. Evaluation of source text, proxies and weak references stay out: they cost time at every
 * start and widen what a bug could do.
 */
static JSContext *new_context(JSRuntime *runtime)
{
    JSContext *context = JS_NewContextRaw(runtime);
    if (!context)
        return NULL;
    JS_AddIntrinsicBaseObjects(context);
    JS_AddIntrinsicDate(context);
    JS_AddIntrinsicRegExp(context);
    JS_AddIntrinsicJSON(context);
    JS_AddIntrinsicMapSet(context);
    JS_AddIntrinsicTypedArrays(context);
    JS_AddIntrinsicPromise(context); /* neverthrow's classes name it */
    return context;
}

/* Control characters as spaces: the line must be one line, and must not speak to a terminal (T28). */
static void print_line(const char *text, size_t length)
{
    char line[8192];
    size_t used = 0;
    memcpy(line, "berth: ", 7);
    used = 7;
    for (size_t i = 0; i < length && used < sizeof(line) - 1; i++)
        line[used++] = (unsigned char)text[i] < 32 || text[i] == 127 ? ' ' : text[i];
    line[used++] = '\n';
    write_all(STDERR_FILENO, line, used);
}

static void report(JSContext *context)
{
    JSValue exception = JS_GetException(context);
    JSValue class_name = take_property(context, exception, "name");
    JSValue message = take_property(context, exception, "message");
    cleanup_bytes struct bytes kind = BYTES_NONE, text = BYTES_NONE;
    bool is_error = JS_IsString(class_name) && JS_IsString(message) && take_bytes(context, class_name, &kind) == 0;
    size_t length;
    const char *plain = NULL;
    if (is_error && take_bytes(context, message, &text) == 0) {
        /* These are defects of ours; every other class carries a message made for people. */
        static const char *const internal[] = {"TypeError", "ReferenceError", "RangeError", "SyntaxError",
                                               "InternalError"};
        bool ours = false;
        for (size_t i = 0; i < COUNT(internal); i++)
            ours |= strcmp(kind.data, internal[i]) == 0;
        char line[4096];
        int used = snprintf(line, sizeof(line), "%s%s%s%s", ours ? "internal error: " : "", ours ? kind.data : "",
                            ours ? ": " : "", text.data);
        print_line(line, used < (int)sizeof(line) ? (size_t)used : sizeof(line) - 1);
    } else if ((plain = JS_ToCStringLen(context, &length, exception)) != NULL) {
        print_line(plain, length);
        JS_FreeCString(context, plain);
    } else {
        print_line("internal error", 14);
    }
    const char *debug = getenv("BERTH_DEBUG");
    if (debug && strcmp(debug, "1") == 0) {
        JSValue stack = take_property(context, exception, "stack");
        const char *frames = JS_ToCStringLen(context, &length, stack);
        if (frames)
            write_all(STDERR_FILENO, frames, length);
        JS_FreeCString(context, frames);
        JS_FreeValue(context, stack);
    }
    JS_FreeValue(context, class_name);
    JS_FreeValue(context, message);
    JS_FreeValue(context, exception);
}

static void limit_stack(JSContext *context)
{
    JSRuntime *runtime = JS_GetRuntime(context);
    struct rlimit stack;
    JS_UpdateStackTop(runtime);
    if (getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur != RLIM_INFINITY && stack.rlim_cur < (4 << 20))
        JS_SetMaxStackSize(runtime, stack.rlim_cur / 2);
    else
        JS_SetMaxStackSize(runtime, 2 << 20);
}

JSContext *engine_new(void)
{
#ifdef __SANITIZE_ADDRESS__
    JSRuntime *runtime = JS_NewRuntime(); /* with libc's memory, which the sanitizer watches */
#else
    JSRuntime *runtime = JS_NewRuntime2(&engine_memory, NULL);
#endif
    JSContext *context = runtime ? new_context(runtime) : NULL;
    if (!context)
        return NULL;
    JS_SetMemoryLimit(runtime, (size_t)1 << 30);
    /* Programs end in milliseconds: reference counts free nearly all, a search for cycles would only cost time. */
    JS_SetGCThreshold(runtime, (size_t)64 << 20);
    JSValue global = JS_GetGlobalObject(context), host = JS_NewObject(context);
    host_install(context, host);
    JS_DefinePropertyValueStr(context, global, "berth", host, 0);
    JS_FreeValue(context, global);
    return context;
}

/* A module that ends well gives a promise that is fulfilled already. */
bool engine_load(JSContext *context, const uint8_t *bytecode, size_t length)
{
    limit_stack(context);
    JSValue module = JS_ReadObject(context, bytecode, length, JS_READ_OBJ_BYTECODE);
    if (!JS_IsException(module) && JS_ResolveModule(context, module) == 0) {
        JSValue result = JS_EvalFunction(context, module);
        if (!JS_IsException(result) && JS_PromiseState(context, result) != JS_PROMISE_REJECTED)
            return true;
        if (!JS_IsException(result))
            JS_Throw(context, JS_PromiseResult(context, result));
    }
    report(context);
    return false;
}

/* The engine with all that the program imports: the heap image, or (sanitizers) what it was made of. */
static JSContext *engine_for(const struct program *program)
{
    if (!program->linked)
        return engine_new();
    if (&engine_image && engine_image.context) {
        engine_memory_of_image();
        host_roots = engine_image.roots;
        return engine_image.context;
    }
    JSContext *context = engine_new();
    return context && engine_load(context, base_program.bytecode, base_program.length) ? context : NULL;
}

int engine_run(const struct program *program, int argc, char **argv)
{
    JSContext *context = engine_for(program);
    if (!context) {
        print_line("no memory to start", 18);
        return failure_status;
    }
    limit_stack(context);
    if (program->bytecode && !engine_load(context, program->bytecode, program->length))
        return failure_status;
    JSValue global = JS_GetGlobalObject(context), host = take_property(context, global, "berth");
    host_install_process(context, host, argc, argv);
    JSValue entry = take_property(context, host_roots.entries, program->name);
    JSValue result = JS_Call(context, entry, JS_UNDEFINED, 0, NULL);
    int status;
    if (JS_IsException(result))
        report(context);
    else if (take_int(context, result, &status) == 0 && status <= ENGINE_BY_NODE && status >= ENGINE_BY_NODE_APART)
        return status;
    else
        print_line("internal error: the program gave no status", 42);
    return failure_status;
}
