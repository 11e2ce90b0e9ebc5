/* QuickJS with one of our programs in it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/*
 * Evaluates a bundle's bytecode with `berth`, the host, as a global. The program ends the process by `finish(status)`, at
 * once: taking the runtime apart would cost a fifth of a start. Returns 125 after an uncaught exception, which becomes one
 * line on standard error (BERTH_DEBUG=1: with its stack).
 */
int engine_run(const uint8_t *bytecode, size_t length, int argc, char **argv);
