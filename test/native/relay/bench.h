/*
 * A bench for the relay: a journal and a manager of our own, a payload in a new pid namespace (and user namespace, for an
 * account), and the relay started with words and descriptors as packaging/decisions/0002-processes.md says.
 */
#ifndef BERTH_TEST_RELAY_BENCH_H
#define BERTH_TEST_RELAY_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { MOST_STREAMS = 8, MOST_TEXT = 4 << 20 };

/* What the journal got on one connection, header included. */
struct journal_stream {
    int fd; /* -1: closed by us after the end */
    pid_t peer;
    char *text;
    size_t length;
    bool ended;
};

struct bench {
    char directory[64];
    char journal_path[96], manager_path[96], notify_path[96];
    int journal, manager, notify; /* sockets; -1: not there */
    struct journal_stream streams[MOST_STREAMS];
    int stream_count;
    int out[2], err[2], status[2], up[2], go[2];
    pid_t payload, relay;
    int payload_pidfd;
    bool hold, slow_journal; /* slow: accepts and reads only when told */
};

void bench_open(struct bench *b);
void bench_close(struct bench *b);
/* Starts the payload, which waits; `run` is called in it with its pipes as 1 and 2. */
void bench_payload(struct bench *b, int (*run)(struct bench *b));
/* Starts the relay on the payload, with further words (NULL at the end), and waits until it is up. */
void bench_relay(struct bench *b, const char *const *words);
void bench_go(struct bench *b);
/* The status pipe: closed empty, or with a record. */
void bench_executed(struct bench *b, const char *record);
/* Serves the journal for this many milliseconds, or until `until` is true. */
bool bench_serve(struct bench *b, int milliseconds, bool (*until)(struct bench *b));
void journal_listen(struct bench *b);

bool relay_ended(struct bench *b);
bool payload_ended(struct bench *b);
/* The stream whose header has this priority: the last one. NULL: none. */
struct journal_stream *stream_of(struct bench *b, char priority);
/* Without the header's seven lines. */
const char *body_of(const struct journal_stream *stream);
/* The guard's pid: the relay's only child that is alive; 0: none. */
pid_t guard_of(struct bench *b);

/* The next message of the manager, with `count` of its descriptors closed; false after `milliseconds` without one. */
bool manager_receive(struct bench *b, char *text, size_t size, int *ret_descriptors, int milliseconds);
/* A message to the payload's socket; descriptor -1: none. */
void notify_as(struct bench *b, const char *text, int descriptor);

extern const char *relay_program;

#endif
