/* The engine's allocator: see engine-memory.c. */
#pragma once
#include <quickjs/quickjs.h>

extern const JSMallocFunctions engine_memory;
