/*
 * https://github.com/opencontainers/runtime-spec/blob/v1.2.1/config-linux.md#seccomp
 *
 * Names of system calls that libseccomp does not know are skipped, as profiles name calls of many kernels and
 * processors; everything else that is not understood is an error, because a filter that is weaker than its text must not
 * be loaded (T9).
 */
#include "seccomp-compile.h"
#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Error with the key of the profile as the path. */
static int refuse(struct error *error, const char *key, const char *text, const char *value)
{
    return error_set(error, "seccomp", EINVAL, key, text, value);
}
#define REFUSE(error, key, ...) error_set(error, "seccomp", EINVAL, key, __VA_ARGS__)

struct filter {
    JSContext *context;
    scmp_filter_ctx context_of_library;
    uint32_t default_action;
    struct error *error;
};

/* A string property copied to `text`; 1, 0 when absent, -1. */
static int get_text(JSContext *context, JSValueConst object, const char *key, char *text, size_t size)
{
    JSValue value = JS_GetPropertyStr(context, object, key);
    int result = 0;
    if (JS_IsString(value)) {
        const char *data = JS_ToCString(context, value);
        result = data && snprintf(text, size, "%s", data) < (int)size ? 1 : -1;
        JS_FreeCString(context, data);
    } else if (!JS_IsUndefined(value) && !JS_IsNull(value)) {
        result = -1;
    }
    JS_FreeValue(context, value);
    return result;
}

/* A number property from 0 to 2^64-1; 1, 0 when absent, -1. */
static int get_number(JSContext *context, JSValueConst object, const char *key, uint64_t *ret_number)
{
    JSValue value = JS_GetPropertyStr(context, object, key);
    int result = 0;
    double number = 0;
    if (JS_IsNumber(value)) {
        JS_ToFloat64(context, &number, value);
        result = number >= 0 && number == (double)(uint64_t)number ? 1 : -1;
        if (number >= 18446744073709551615.0) { /* the nearest double of UINT64_MAX is above it */
            *ret_number = UINT64_MAX;
            result = 1;
        } else if (result == 1) {
            *ret_number = (uint64_t)number;
        }
    } else if (!JS_IsUndefined(value) && !JS_IsNull(value)) {
        result = -1;
    }
    JS_FreeValue(context, value);
    return result;
}

/* The array property; its length, 0 when absent, -1. The caller frees the array. */
static int64_t get_array(JSContext *context, JSValueConst object, const char *key, JSValue *ret_array)
{
    *ret_array = JS_GetPropertyStr(context, object, key);
    if (JS_IsUndefined(*ret_array) || JS_IsNull(*ret_array))
        return 0;
    if (!JS_IsArray(context, *ret_array))
        return -1;
    JSValue length = JS_GetPropertyStr(context, *ret_array, "length");
    int64_t count = 0;
    JS_ToInt64(context, &count, length);
    return count;
}

static int get_action(struct filter *filter, JSValueConst object, const char *key, const char *errno_key,
                      uint32_t *ret_action)
{
    char name[64];
    uint64_t data = EPERM;
    struct error *error = filter->error;
    if (get_text(filter->context, object, key, name, sizeof(name)) != 1)
        return REFUSE(error, key, "an action such as SCMP_ACT_ERRNO is missing");
    int has_data = get_number(filter->context, object, errno_key, &data);
    if (has_data < 0 || data > 4095)
        return REFUSE(error, errno_key, "not an error number from 0 to 4095");
    const struct {
        const char *name;
        uint32_t action;
    } actions[] = {
        {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
        {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
        {"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO((uint32_t)data)},
        {"SCMP_ACT_TRACE", SCMP_ACT_TRACE((uint32_t)data)},
        {"SCMP_ACT_LOG", SCMP_ACT_LOG},
        {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
    };
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i].name, name) == 0) {
            *ret_action = actions[i].action;
            return 0;
        }
    }
    if (strcmp(name, "SCMP_ACT_NOTIFY") == 0)
        return REFUSE(error, key, "SCMP_ACT_NOTIFY needs a listener, which Berth does not give");
    return refuse(error, key, "no such action: %s", name);
}

static int get_operator(const char *name, enum scmp_compare *ret_operator)
{
    static const struct {
        const char *name;
        enum scmp_compare operator;
    } operators[] = {
        {"SCMP_CMP_NE", SCMP_CMP_NE},
        {"SCMP_CMP_LT", SCMP_CMP_LT},
        {"SCMP_CMP_LE", SCMP_CMP_LE},
        {"SCMP_CMP_EQ", SCMP_CMP_EQ},
        {"SCMP_CMP_GE", SCMP_CMP_GE},
        {"SCMP_CMP_GT", SCMP_CMP_GT},
        {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
    };
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (strcmp(operators[i].name, name) == 0) {
            *ret_operator = operators[i].operator;
            return 0;
        }
    }
    return -1;
}

enum { most_arguments = 6 };

static int get_argument(struct filter *filter, JSValueConst object, struct scmp_arg_cmp *ret_argument)
{
    uint64_t index = 0, value = 0, second = 0;
    char name[64];
    enum scmp_compare comparison;
    if (get_number(filter->context, object, "index", &index) != 1 || index >= most_arguments)
        return REFUSE(filter->error, "args.index", "not a number from 0 to 5");
    if (get_number(filter->context, object, "value", &value) != 1 ||
        get_number(filter->context, object, "valueTwo", &second) < 0)
        return REFUSE(filter->error, "args.value", "not a number from 0 to 2^64-1");
    if (get_text(filter->context, object, "op", name, sizeof(name)) != 1 || get_operator(name, &comparison) < 0)
        return REFUSE(filter->error, "args.op", "not an operator such as SCMP_CMP_EQ");
    *ret_argument = (struct scmp_arg_cmp){(unsigned)index, comparison, value, second};
    return 0;
}

static int get_arguments(struct filter *filter, JSValueConst rule, struct scmp_arg_cmp arguments[most_arguments],
                         unsigned *ret_count)
{
    JSValue array;
    int64_t count = get_array(filter->context, rule, "args", &array);
    int result = 0;
    if (count < 0 || count > most_arguments)
        result = REFUSE(filter->error, "args", "not an array of at most six conditions");
    for (int64_t i = 0; i < count && result == 0; i++) {
        JSValue item = JS_GetPropertyUint32(filter->context, array, (uint32_t)i);
        result = get_argument(filter, item, &arguments[i]);
        JS_FreeValue(filter->context, item);
    }
    JS_FreeValue(filter->context, array);
    *ret_count = (unsigned)count;
    return result;
}

/* Two conditions on one argument cannot stand in one rule of the library: they are rules of their own, as in runc. */
static bool same_argument_twice(const struct scmp_arg_cmp *arguments, unsigned count)
{
    unsigned seen = 0;
    for (unsigned i = 0; i < count; i++) {
        if (seen & (1U << arguments[i].arg))
            return true;
        seen |= 1U << arguments[i].arg;
    }
    return false;
}

static int add_name(struct filter *filter, const char *name, uint32_t action, const struct scmp_arg_cmp *arguments,
                    unsigned count)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return 0;
    int result = 0;
    if (same_argument_twice(arguments, count)) {
        for (unsigned i = 0; i < count && result == 0; i++)
            result = seccomp_rule_add_array(filter->context_of_library, action, number, 1, arguments + i);
    } else {
        result = seccomp_rule_add_array(filter->context_of_library, action, number, count, arguments);
    }
    if (result == 0 || result == -EEXIST || result == -EDOM) /* EDOM: not a call of any chosen architecture */
        return 0;
    return error_set(filter->error, "seccomp", -result, name, "the rule cannot be compiled: %s",
                     strerrordesc_np(-result));
}

static int add_rule(struct filter *filter, JSValueConst rule)
{
    uint32_t action;
    struct scmp_arg_cmp arguments[most_arguments];
    unsigned count = 0;
    JSValue names;
    if (get_action(filter, rule, "action", "errnoRet", &action) < 0 ||
        get_arguments(filter, rule, arguments, &count) < 0)
        return -1;
    if (action == filter->default_action)
        return 0; /* says nothing; the library refuses it */
    int64_t length = get_array(filter->context, rule, "names", &names);
    int result = length <= 0 ? REFUSE(filter->error, "syscalls.names", "not an array of names") : 0;
    for (int64_t i = 0; i < length && result == 0; i++) {
        JSValue item = JS_GetPropertyUint32(filter->context, names, (uint32_t)i);
        const char *name = JS_IsString(item) ? JS_ToCString(filter->context, item) : NULL;
        result = name ? add_name(filter, name, action, arguments, count)
                      : REFUSE(filter->error, "syscalls.names", "not an array of names");
        JS_FreeCString(filter->context, name);
        JS_FreeValue(filter->context, item);
    }
    JS_FreeValue(filter->context, names);
    return result;
}

static int add_architecture(struct filter *filter, const char *name)
{
    char lower[64];
    if (strncmp(name, "SCMP_ARCH_", 10) != 0 || strlen(name) >= sizeof(lower))
        return refuse(filter->error, "architectures", "no such architecture: %s", name);
    size_t i = 0;
    for (const char *at = name + 10; *at; at++)
        lower[i++] = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
    lower[i] = 0;
    uint32_t token = seccomp_arch_resolve_name(lower);
    if (token == 0)
        return refuse(filter->error, "architectures", "no such architecture: %s", name);
    int result = seccomp_arch_add(filter->context_of_library, token);
    if (result < 0 && result != -EEXIST)
        return error_set(filter->error, "seccomp", -result, name, "the architecture cannot be added");
    return 0;
}

typedef int item_function(struct filter *filter, JSValueConst item);

static int add_architecture_item(struct filter *filter, JSValueConst item)
{
    const char *name = JS_IsString(item) ? JS_ToCString(filter->context, item) : NULL;
    int result =
        name ? add_architecture(filter, name) : REFUSE(filter->error, "architectures", "not an array of names");
    JS_FreeCString(filter->context, name);
    return result;
}

static int for_each(struct filter *filter, JSValueConst profile, const char *key, item_function *function)
{
    JSValue array;
    int64_t length = get_array(filter->context, profile, key, &array);
    int result = length < 0 ? REFUSE(filter->error, key, "not an array") : 0;
    for (int64_t i = 0; i < length && result == 0; i++) {
        JSValue item = JS_GetPropertyUint32(filter->context, array, (uint32_t)i);
        result = JS_IsObject(item) || JS_IsString(item) ? function(filter, item)
                                                        : REFUSE(filter->error, key, "not an array of rules");
        JS_FreeValue(filter->context, item);
    }
    JS_FreeValue(filter->context, array);
    return result;
}

static int export_program(struct filter *filter, void **ret_program, size_t *ret_length)
{
    size_t length = 0;
    int result = seccomp_export_bpf_mem(filter->context_of_library, NULL, &length);
    void *program = result < 0 ? NULL : malloc(length);
    if (program)
        result = seccomp_export_bpf_mem(filter->context_of_library, program, &length);
    if (!program || result < 0) {
        free(program);
        return error_set(filter->error, "seccomp", result < 0 ? -result : ENOMEM, "", "the filter cannot be compiled");
    }
    *ret_program = program;
    *ret_length = length;
    return 0;
}

static int compile_parsed(struct filter *filter, JSValueConst profile, void **ret_program, size_t *ret_length)
{
    if (!JS_IsObject(profile))
        return REFUSE(filter->error, "seccomp", "not a JSON object");
    if (get_action(filter, profile, "defaultAction", "defaultErrnoRet", &filter->default_action) < 0)
        return -1;
    filter->context_of_library = seccomp_init(filter->default_action);
    if (!filter->context_of_library)
        return error_set(filter->error, "seccomp", ENOMEM, "", NULL);
    /* A binary tree instead of a chain: at the load the kernel plays the filter for each system call (seccomp_cache_prepare()). */
    seccomp_attr_set(filter->context_of_library, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    int result = for_each(filter, profile, "architectures", add_architecture_item);
    if (result == 0)
        result = for_each(filter, profile, "syscalls", add_rule);
    if (result == 0)
        result = export_program(filter, ret_program, ret_length);
    seccomp_release(filter->context_of_library);
    return result;
}

int seccomp_compile(JSContext *context, const char *profile, size_t length, void **ret_program, size_t *ret_length,
                    struct error *error)
{
    struct filter filter = {.context = context, .error = error};
    JSValue parsed = JS_ParseJSON(context, profile, length, "seccomp");
    if (JS_IsException(parsed)) {
        JS_FreeValue(context, JS_GetException(context));
        return REFUSE(error, "seccomp", "the profile is not JSON");
    }
    int result = compile_parsed(&filter, parsed, ret_program, ret_length);
    JS_FreeValue(context, parsed);
    return result;
}
