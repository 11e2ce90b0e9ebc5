/* The programs in this file: bytecode for the engine. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* The number of a program; -1 when there is none of this name. */
int program_find(const char *name);

/* Its bytecode, which stays valid; NULL when there is no memory to decompress it. */
const uint8_t *program_bytecode(int number, size_t *ret_length);
