/* The programs in this file. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct program {
    const char *name;
    const uint8_t *bytecode; /* NULL: it is one of the base */
    size_t length;
    bool linked; /* is of the base, or imports from it */
};

/* What a start needs, and what most others have in common with it; its bytecode is in the heap image (engine-image.h). */
extern const struct program base_program;

/* NULL when there is none of this name. */
const struct program *program_find(const char *name);
