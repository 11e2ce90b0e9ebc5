/* Starting the tiny program as stage or relay. See launch.c for the theory and packaging/decisions/0002-processes.md. */
#pragma once
#include "error.h"
#include "process.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct launch_request {
    uint64_t namespaces; /* CLONE_NEW* */
    bool sibling;        /* CLONE_PARENT */
    const char *cgroup;  /* directory for CLONE_INTO_CGROUP; NULL: ours */
    const char *ops;
    size_t ops_length;
    int stdio[3]; /* descriptors of ours; -1: /dev/null */
    const int *descriptors;
    size_t count;
};

struct launched {
    pid_t pid;
    int pidfd;
    int control;
    int status;
};

int launch_stage(const struct launch_request *request, struct launched *ret_launched, struct error *error);

/* Next message: its length, 0 when the other end is gone. `fds` has room for `launch_most_fds`. */
enum { launch_most_fds = 16, launch_message_size = 65536 };
ssize_t launch_receive(int control, char *message, int *fds, size_t *ret_fds, struct error *error);

/* Sends `ids`, or `go NAME`. */
int launch_proceed(int control, const char *name, struct error *error);

/* What stays, by what it can: carry lines and messages; ask for readiness and health, too; watch over the network and write
 * a log of its own, too. */
enum relay_program { RELAY_PLAIN, RELAY_PROBER, RELAY_FILER };

/* Forks and executes the relay, in a session of its own; descriptors stand at 10 and up. With `probes` the stage's program
 * stands behind them. */
int launch_relay(char *const words[], size_t words_count, const int *descriptors, size_t count, bool probes,
                 enum relay_program program, struct process *ret_process, struct error *error);
