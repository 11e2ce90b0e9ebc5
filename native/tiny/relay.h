/* The relay's one piece of state, shared with the guard by CLONE_VM and CLONE_FILES; see relay.c for the theory. */
#ifndef BERTH_TINY_RELAY_H
#define BERTH_TINY_RELAY_H

#include "sys.h"
#include "text.h"

enum {
    RELAY_FIRST_FD = 10,   /* index 0 of the words */
    RELAY_LOOK_MS = 10000, /* see relay.c */
    RELAY_RETRY_MS = 200,  /* the journal or the manager cannot be reached */
    RELAY_FLUSH_MS = 5000, /* how long the end of a payload may wait for a journal that does not read */
};

/* One of the payload's pipes and where its bytes go. */
struct stream {
    int pipe;     /* -1: at its end */
    int sink;     /* -1: not connected */
    bool plain;   /* the sink was given to us: no journal */
    bool copy;    /* splice(2) cannot write to it */
    bool blocked; /* the sink takes no more for now */
    char priority;
    bool flushing; /* all is written; see log_flush() */
#ifdef BERTH_FILES
    bool shown; /* the sink was given to us, beside the file */
#endif
};

struct relay {
    const char *journal, *identifier, *unit, *manager, *uids, *pid;
    const char *born, *well, *unwell; /* entries of the journal: event_send(), results_say() */
    struct stream stream[2];
    int notify, status, payload, kill, events, up;
#ifdef BERTH_FILES
    int support, victim; /* pidfds, see relay-file-support.c */
    int attach, client;  /* sockets, see relay-file-terminal.c */
#endif
    int given; /* our own standard output, a journal stream; names the journal's socket */
    int manager_socket;
    int flush;       /* signalfd: a sink that is flushing was closed */
    int self, guard; /* pidfds of the relay and of the guard */
    int guard_pid, hold_pid;
    int64_t deadline; /* milliseconds, CLOCK_MONOTONIC; 0: none */
    int64_t retry;    /* no connection attempt before */
    bool ready_started, ready_payload, ready_due, fdstore, look;
    bool attended;        /* a launcher stays and sees our end: no guard */
    bool hold, hold_user; /* see relay-guard.c */
    bool leaving;         /* the end is in order: the guard goes, too */
#ifdef BERTH_FILES
    const char *lost; /* an entry, too */
#endif
    bool ended; /* the payload is gone, or can be gone but for us */
};

extern struct relay relay;

int64_t relay_clock(void);
/* Socket of a type (SOCK_STREAM or SOCK_DGRAM), non-blocking, connected to a path; `@` means the abstract namespace. */
long relay_connect(const char *path, int type);
void relay_close(int *fd);

/* relay-log.c */
void log_connect(struct stream *s);
void log_move(struct stream *s);
void log_flush(struct stream *s);
void log_flushed(void);
void log_give_up(void);
void log_say(const char *message);
bool event_send(const char *entry);
#ifdef BERTH_FILES
#define FILES_TOO
/* All of it; waits where the descriptor takes no more for now. */
bool log_write(int fd, const char *data, size_t n);
#else
#define FILES_TOO static
#endif
bool log_done(void);

/* relay-notify.c */
bool notify_pending(void);
void notify_receive(void);
void notify_send(void);

/* relay-guard.c */
void guard_start(void);
void guard_ended(void);
void hold_take(void);
void hold_release(void);

#endif
