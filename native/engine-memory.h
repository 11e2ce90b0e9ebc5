/* The engine's allocator: see engine-memory.c. */
#pragma once
#include <quickjs/quickjs.h>

extern const JSMallocFunctions engine_memory;

/* From now on, while the heap image is made, `functions` gives the blocks: see engine-record.c. */
void engine_memory_record(const JSMallocFunctions *functions);

/* From now on the blocks of the heap image are known as such. */
void engine_memory_of_image(void);

/* From now on memory is taken as for a work that will fill tens of megabytes. */
void engine_memory_expect_much(void);
