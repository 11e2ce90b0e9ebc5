/* A hint to the kernel that processes are going to change their control group; see expect-move.c. */
#pragma once

/* `file`: a cgroup.procs that we may write. Returns at once; nothing comes of a failure. */
void expect_move(const char *file);
