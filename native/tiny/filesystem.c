/* File system contexts: fsopen(2), fsconfig(2), fsmount(2), and attaching by descriptor. */
#include "stage.h"

/* The context tells why in lines such as "e overlay: No changes allowed in reconfigure". */
static void read_reason(struct stage *s, int context)
{
    char line[256];
    long n = sys_read(context, line, sizeof line - 1);
    if (n < 3)
        return;
    line[n] = 0;
    char *end = text_find(line, '\n');
    if (end != NULL)
        *end = 0;
    memcpy(s->detail, line + 2, text_length(line + 2) + 1);
}

int fs_open(struct stage *s, const char *type)
{
    long context = sys2(__NR_fsopen, PTR(type), FSOPEN_CLOEXEC);
    if (context == -ENODEV)
        s->hint = "the kernel does not know this file system";
    if (context == -EPERM)
        s->hint = "mounting is not allowed here";
    return (int)context;
}

int fs_set(struct stage *s, int context, const char *key, const char *value)
{
    long result = value == NULL ? sys5(__NR_fsconfig, context, FSCONFIG_SET_FLAG, PTR(key), 0, 0)
                                : sys5(__NR_fsconfig, context, FSCONFIG_SET_STRING, PTR(key), PTR(value), 0);
    if (result < 0)
        read_reason(s, context);
    return (int)result;
}

int fs_mount(struct stage *s, int context, uint64_t attributes)
{
    long result = sys5(__NR_fsconfig, context, FSCONFIG_CMD_CREATE, 0, 0, 0);
    if (result < 0)
        read_reason(s, context);
    else
        result = sys3(__NR_fsmount, context, FSMOUNT_CLOEXEC, (long)attributes);
    sys_close(context);
    return (int)result;
}

/* The next option of a comma-separated list; a backslash takes the next character as it is. False at the end. */
static bool next_option(const char **at, char *option, size_t size)
{
    size_t n = 0;
    while (**at == ',')
        ++*at;
    if (**at == 0)
        return false;
    for (; **at != 0 && **at != ','; ++*at) {
        if (**at == '\\' && (*at)[1] != 0)
            ++*at;
        if (n + 1 < size)
            option[n++] = **at;
    }
    option[n] = 0;
    return true;
}

static int set_options(struct stage *s, int context, const char *options)
{
    char option[4096];
    while (next_option(&options, option, sizeof option)) {
        char *value = text_find(option, '=');
        if (value != NULL)
            *value++ = 0;
        int result = fs_set(s, context, option, value);
        if (result < 0)
            return result;
    }
    return 0;
}

int fs_make(struct stage *s, const char *type, const char *source, const char *options, uint64_t attributes)
{
    int context = fs_open(s, type);
    if (context < 0)
        return context;
    int result = *source == 0 ? 0 : fs_set(s, context, "source", source);
    if (result == 0)
        result = set_options(s, context, options);
    if (result == 0)
        return fs_mount(s, context, attributes);
    sys_close(context);
    return result;
}

int attach(int mount, int target)
{
    return (int)sys5(__NR_move_mount, mount, PTR(""), target, PTR(""),
                     MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int clone_mount(int from, const char *path, unsigned flags)
{
    return (int)sys3(__NR_open_tree, from, PTR(path), flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}
