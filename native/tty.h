/* A person or systemd waits for the payload: see tty.c. */
#pragma once
#include "error.h"
#include "process.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attend_request {
    int pidfd;
    int terminal;     /* pty master, -1: the payload has our streams itself */
    uint64_t forward; /* bit N-1: signal N is handed on */
    bool child;       /* reaped by us */
    bool detachable;  /* ctrl-p ctrl-q leaves the payload alone */
};

/* 0: ended, 1: the person detached, -1. */
int attend(const struct attend_request *request, struct process_end *ret_end, struct error *error);

/* Gives a pty the size of our own terminal, if there is one. */
void terminal_copy_size(int terminal);
