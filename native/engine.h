/* QuickJS with one of our programs in it. */
#pragma once
#include "program-table.h"
#include <quickjs/quickjs.h>
#include <stdbool.h>

/*
 * Runs a program with `berth`, the host, as a global. It ends the process by `finish(status)`, at once: taking the runtime
 * apart would cost a fifth of a start. Returns 125 after an uncaught exception, which becomes one line on standard error
 * (BERTH_DEBUG=1: with its stack), and one of these when Node is to do what the program is called for.
 */
enum { ENGINE_BY_NODE = -1, ENGINE_BY_NODE_ASIDE = -2, ENGINE_BY_NODE_APART = -3 };
int engine_run(const struct program *program, int argc, char **argv);

/* The parts of it that also make the heap image (engine-record.c). */

/* An engine with the host's functions and no program; NULL without memory. */
JSContext *engine_new(void);
/* Evaluates a bundle, which calls `enter`. False after an exception, which has been reported. */
bool engine_load(JSContext *context, const uint8_t *bytecode, size_t length);
