/*
 * The bindings of `Host` (src/host/host.ts) into QuickJS.
 *
 * Byte strings: one character per byte. QuickJS hands out and takes UTF-8, so a byte from 0x80 up crosses the border as
 * a two-byte sequence; text that is pure ASCII, nearly all of it, is not copied on the way in.
 *
 * A failed call throws what the factory given by src/host/native.ts makes of (syscall, code, errno, text, path).
 */
#pragma once
#include "error.h"
#include <quickjs/quickjs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An argument as bytes, NUL-terminated after `length` bytes. Released at the end of its scope. */
struct bytes {
    JSContext *context;
    const char *data;
    size_t length;
    const char *borrowed; /* of QuickJS */
    char *owned;          /* ours: had bytes from 0x80 up */
};

void bytes_release(struct bytes *bytes);
#define cleanup_bytes __attribute__((cleanup(bytes_release)))
#define BYTES_NONE ((struct bytes){0})

/* Each returns 0, or -1 with a pending exception. */
int take_bytes(JSContext *context, JSValueConst value, struct bytes *bytes);
/* Without a NUL inside: paths, names, words. */
int take_path(JSContext *context, JSValueConst value, struct bytes *bytes);
int take_int(JSContext *context, JSValueConst value, int *ret_number);
int take_unsigned(JSContext *context, JSValueConst value, uint32_t *ret_number);
/* The property `name` of an object; the caller frees it. Undefined when absent. */
JSValue take_property(JSContext *context, JSValueConst object, const char *name);
/* Length of an array, at most `limit`. */
int take_length(JSContext *context, JSValueConst array, uint32_t limit, uint32_t *ret_length);

/* An array of words as a NULL-terminated vector, in one allocation of its own that is freed by free(). */
int take_words(JSContext *context, JSValueConst array, char ***ret_words);
/* An array of descriptors, at most `limit`; the caller frees it. */
int take_fds(JSContext *context, JSValueConst array, uint32_t limit, int **ret_fds, uint32_t *ret_count);

JSValue give_bytes(JSContext *context, const char *data, size_t length);
JSValue give_string(JSContext *context, const char *text);
void give_property(JSContext *context, JSValueConst object, const char *name, JSValue value);

/* The pending exception for an error; returns JS_EXCEPTION. */
JSValue throw_error(JSContext *context, const struct error *error);
JSValue throw_errno(JSContext *context, const char *syscall, const char *path);

/* What programs have given to the host, and what must not be lost with the C variables (engine-image.h). */
struct host_roots {
    JSValue error_factory; /* onError() */
    JSValue entries;       /* enter(): an object, name of a program → function without arguments */
};
extern struct host_roots host_roots;

/* The functions, one file of them each: the same in every process. */
void host_install(JSContext *context, JSValueConst host);
/* What is of this process alone: argv and ids. */
void host_install_process(JSContext *context, JSValueConst host, int argc, char **argv);
void host_install_files(JSContext *context, JSValueConst host);
void host_install_tree(JSContext *context, JSValueConst host);
void host_install_processes(JSContext *context, JSValueConst host);
void host_install_facts(JSContext *context, JSValueConst host);
void host_install_ids(JSContext *context, JSValueConst host); /* host-facts.c */
void host_install_sockets(JSContext *context, JSValueConst host);
void host_install_kernel(JSContext *context, JSValueConst host);
void host_install_split(JSContext *context, JSValueConst host);
void host_install_text(JSContext *context, JSValueConst host);
void host_install_layers(JSContext *context, JSValueConst host); /* layer-binding.c */

/* Helpers that several files use. */

/* {status} or {signal} of a wait. */
JSValue give_exit(JSContext *context, int status, int signal);
/* Reads the rest of a descriptor, at most `limit` bytes (EFBIG above). The buffer is the caller's. */
int read_all(int fd, size_t size_hint, size_t limit, char **ret_data, size_t *ret_length);
int write_all(int fd, const char *data, size_t length);

/* A function of the host, as QuickJS calls it; missing arguments are undefined. */
#define FUNCTION(name) static JSValue name(JSContext *context, JSValueConst this, int argc, JSValueConst *argv)
#define UNUSED (void)this, (void)argc, (void)argv

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define INSTALL(context, host, table) JS_SetPropertyFunctionList(context, host, table, COUNT(table))
