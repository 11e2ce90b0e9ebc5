/* The engine's allocator: see engine-memory.c. */
#pragma once
#include <quickjs/quickjs.h>

extern const JSMallocFunctions engine_memory;

/* While the heap image is made (engine-record.c): who gives the blocks instead. */
extern const JSMallocFunctions *engine_memory_instead;
