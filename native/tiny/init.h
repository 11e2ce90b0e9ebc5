/* The loop of the first process (init.c), as a program of its own and within the stage. */
#pragma once

#include "sys.h"

/* Where the program finds the status pipe when it watches another runtime. */
enum { FD_STARTED = 4 };

/* `bundle`: the child is another OCI runtime; `awaited`: its start is, and FD_STARTED is the status pipe. */
_Noreturn void init_loop(int child, const char *bundle, bool awaited);
