/* The end of a process whose last words are for the journal; see journal-end.c. */
#pragma once

/* _exit(status); after a failure whose words went to the journal, once journald has taken them (at most 2 s). */
__attribute__((noreturn)) void journal_end(int status);
