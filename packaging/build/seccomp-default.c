/*
 * Build-time program: compiles the default seccomp profile with the same code that compiles a profile at a start, so that
 * starts need not: seccomp-default PROFILE.json > build/seccomp-default.c. An empty file gives an empty program, with which
 * no container starts.
 */
#include "seccomp-compile.h"
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

int main(int argc, char **argv)
{
    size_t length = 0, text_length = 0;
    void *program = NULL;
    struct error error;
    char *text = argc == 2 ? read_text(argv[1], &text_length) : NULL;
    if (!text) {
        fprintf(stderr, "seccomp-default: the profile cannot be read\n");
        return 1;
    }
    JSRuntime *runtime = JS_NewRuntime();
    JSContext *context = JS_NewContextRaw(runtime);
    JS_AddIntrinsicBaseObjects(context);
    JS_AddIntrinsicJSON(context);
    if (text_length > 0 && seccomp_compile(context, text, text_length, &program, &length, &error) < 0) {
        fprintf(stderr, "seccomp-default: %s: %s\n", error.path, error.text);
        return 1;
    }
    printf("/* Made by packaging/build/seccomp-default.c. */\n#include \"seccomp-compile.h\"\n");
    printf("const unsigned long seccomp_default_length = %zu;\nconst unsigned char seccomp_default_program[] = {",
           length);
    for (size_t i = 0; i < length; i++)
        printf("%s%d,", i % 32 == 0 ? "\n" : "", ((unsigned char *)program)[i]);
    printf("%s};\n", length == 0 ? "0" : "\n");
    return 0;
}
