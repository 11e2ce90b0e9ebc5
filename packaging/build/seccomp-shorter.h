/* Build time: a filter that says the same in fewer instructions; see seccomp-shorter.c. */
#ifndef BERTH_SECCOMP_SHORTER_H
#define BERTH_SECCOMP_SHORTER_H

#include <linux/filter.h>
#include <stddef.h>

/* Instructions of the result, malloc'ed at *ret_program; 0: the program is none that we understand. */
size_t seccomp_shorter(const struct sock_filter *program, size_t length, struct sock_filter **ret_program);

#endif
