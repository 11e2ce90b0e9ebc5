/* QuickJS with one of our programs in it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/*
 * Evaluates a bundle's bytecode with `berth`, the host, as a global. The status for exit(2): what the program gave to
 * `finish`; 125 after an uncaught exception, which becomes one line on standard error (BERTH_DEBUG=1: with its stack).
 */
int engine_run(const uint8_t *bytecode, size_t length, int argc, char **argv);
