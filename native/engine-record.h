/* Makes the heap image: see engine-image.h. */
#pragma once
#include <quickjs/quickjs.h>
#include <stdbool.h>

/* A file system of the build writes it. `argv`: name, bytecode of the base program, output. Exit status. */
int engine_record(int argc, char **argv);
