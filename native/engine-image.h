/*
 * The heap image: the memory of an engine that has read and evaluated the base program (run, exec, the generator and their
 * nearest), as it was when this file was built. The kernel maps it with the other segments and copies the pages that are
 * written, so that a start reads no bytecode and fills no tables: that was more than half of a start's instructions.
 *
 * All pointers in it hold, since this program is linked to fixed addresses and the image lies at one (native.mk). It is made by
 * the program itself, linked with an empty one: `berth-heap-image BYTECODE OUTPUT`.
 */
#pragma once
#include "host.h"
#include <stdint.h>

#define ENGINE_IMAGE_ADDRESS 0x10000000

enum {
    ENGINE_IMAGE_GRAIN = 8, /* blocks start at its multiples */
    ENGINE_IMAGE_SIZE = 8 << 20,
};

/* At the start of the image; all zero in an empty one. */
struct engine_image {
    JSContext *context;
    struct host_roots roots;
    const uint64_t *starts; /* one bit for each grain: a block starts here; one more behind the last block */
};

/* Weak: a program without an image (sanitizers, tests) has NULL here. */
extern struct engine_image engine_image __attribute__((weak));
