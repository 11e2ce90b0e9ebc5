/* Programs that we start, wait for or become. */
#pragma once
#include "error.h"
#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t pid;
    int pidfd;
};

/* How a process ended: `signal` 0 means it exited with `status`. */
struct process_end {
    int status;
    int signal;
};

/* Starts argv with this environment and these descriptors 0, 1, 2; every other is closed, signals are as at log-in. */
int process_start(char *const argv[], char *const environment[], const int stdio[3], struct process *ret_process,
                  struct error *error);

/* Becomes argv: descriptors above 2 are closed. Returns only with an error. */
int process_become(char *const argv[], char *const environment[], struct error *error);

/* Waits for a child. */
int process_wait(int pidfd, struct process_end *ret_end, struct error *error);
