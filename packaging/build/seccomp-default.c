/*
 * Build-time program: compiles the default seccomp profiles with the same code that compiles a profile at a start, so that
 * starts need not: seccomp-default PROFILE.json... > build/seccomp-default.c.
 */
#include "seccomp-compile.h"
#include "seccomp-shorter.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_text(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "r");
    char *text = malloc(1 << 20);
    if (!file || !text)
        return NULL;
    *ret_length = fread(text, 1, (1 << 20) - 1, file);
    text[*ret_length] = 0;
    fclose(file);
    return text;
}

static int print_program(JSContext *context, const char *path, int number)
{
    size_t length = 0, text_length = 0;
    void *program = NULL;
    struct error error;
    char *text = read_text(path, &text_length);
    if (!text) {
        fprintf(stderr, "seccomp-default: %s: cannot be read\n", path);
        return -1;
    }
    if (seccomp_compile(context, text, text_length, &program, &length, &error) < 0) {
        fprintf(stderr, "seccomp-default: %s: %s\n", error.path, error.text);
        return -1;
    }
    struct sock_filter *shorter;
    size_t count = seccomp_shorter(program, length / sizeof *shorter, &shorter);
    if (count == 0) {
        fprintf(stderr, "seccomp-default: %s: not understood by seccomp-shorter.c, so it stays as the library wrote it\n",
                path);
    } else {
        program = shorter;
        length = count * sizeof *shorter;
    }
    printf("static const unsigned char program_%d[] = {", number);
    for (size_t i = 0; i < length; i++)
        printf("%s%d,", i % 32 == 0 ? "\n" : "", ((unsigned char *)program)[i]);
    printf("\n};\n");
    return 0;
}

int main(int argc, char **argv)
{
    JSRuntime *runtime = JS_NewRuntime();
    JSContext *context = JS_NewContextRaw(runtime);
    JS_AddIntrinsicBaseObjects(context);
    JS_AddIntrinsicJSON(context);
    printf("/* Made by packaging/build/seccomp-default.c. */\n#include \"seccomp-compile.h\"\n");
    for (int i = 1; i < argc; i++)
        if (print_program(context, argv[i], i - 1) < 0)
            return 1;
    printf("const struct seccomp_program seccomp_defaults[] = {\n");
    for (int i = 1; i < argc; i++)
        printf("    {program_%d, sizeof program_%d},\n", i - 1, i - 1);
    printf("};\nconst unsigned seccomp_default_count = %d;\n", argc - 1);
    return 0;
}
