/* A process that is not to share its part of the processors with those of our session; see apart.c. */
#pragma once

#include <stdbool.h>

/*
 * Returns in a child that has a session of its own, `lowered`: at a high niceness as a whole; this process stays and hands on to it what
 * signals it gets. Its end is ours, so that for who started us nothing has changed. Without memory for a child it returns here, with errno.
 */
void stand_apart(bool lowered);

/* Whether one of the signals that end what a terminal runs is ignored. */
bool ignores_terminal(void);
