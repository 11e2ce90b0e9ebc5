#include "program-table.h"
#include "programs.h"
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

int program_find(const char *name)
{
    for (size_t i = 0; i < PROGRAMS; i++)
        if (strcmp(programs[i].name, name) == 0)
            return (int)i;
    return -1;
}

const uint8_t *program_bytecode(int number, size_t *ret_length)
{
    const struct program *program = &programs[number];
    *ret_length = program->length;
    if (!program->packed_end)
        return program->bytecode;
    uint8_t *bytecode = malloc(program->length);
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (!bytecode || !context)
        return NULL;
    size_t packed_length = (size_t)(program->packed_end - program->bytecode);
    size_t length = ZSTD_decompress_usingDict(context, bytecode, program->length, program->bytecode, packed_length,
                                              program_run, PROGRAM_LENGTH_run);
    return length == program->length ? bytecode : NULL;
}
