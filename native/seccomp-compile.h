/* The `linux.seccomp` object of an OCI configuration, compiled by libseccomp. */
#pragma once
#include "error.h"
#include <quickjs/quickjs.h>
#include <stddef.h>

/* `profile` is JSON text. The result is struct sock_filter records, freed by the caller. */
int seccomp_compile(JSContext *context, const char *profile, size_t length, void **ret_program, size_t *ret_length,
                    struct error *error);

/* The default profile's program, made at build time (build/seccomp-default.c); length 0: this build has none. */
struct seccomp_program {
    const unsigned char *bytes;
    unsigned long length;
};
extern const struct seccomp_program seccomp_defaults[];
extern const unsigned seccomp_default_count;
