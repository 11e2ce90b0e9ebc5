/* Probes of readiness and health, in a relay of its own kind (BERTH_PROBES); see relay-probe.c for the theory. */
#ifndef BERTH_TINY_RELAY_PROBE_H
#define BERTH_TINY_RELAY_PROBE_H

#include "relay.h"

/* What is asked, in this order: READY once, STARTUP until it is well, HEALTH for ever. */
enum role { ROLE_READY, ROLE_STARTUP, ROLE_HEALTH, ROLES };
enum health { HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

/* `check=ROLE,KIND,INTERVAL,TIMEOUT,RETRIES,SUCCESSES,TARGET`; times in milliseconds. */
struct check {
    char kind; /* 0: none; e exec (TARGET: index of the operations), t TCP, h HTTP, u Unix socket */
    int ops;
    uint16_t port;
    const char *target; /* `5432`, `8080/ready`, `/run/app.sock` */
    uint64_t interval;  /* 0: never again by itself */
    uint64_t timeout;
    uint64_t retries;   /* failures in a row until they count; 0: never */
    uint64_t successes; /* in a row, of STARTUP */
};

struct probe {
    struct check check[ROLES];
    const char *log_name; /* file of the results in `log` */
    int bundle, log;      /* directories */
    int tiny, group;      /* memfd of the stage; the payload's cgroup */
    int ask;              /* a datagram here: probe now (`berth healthcheck run`) */
    uint64_t namespaces;  /* for sockets: those to enter */
    uint64_t start_period, stop_signal, stop_timeout;
    uint64_t log_count, log_size;
    uint64_t once;   /* not 0: one probe, whose result is our exit status */
    bool kill, stop; /* on failure */
    bool awaited;    /* READY=1 is told by a check */

    bool begun, running;
    bool disturbed; /* while the probe ran it was paused, or went on */
    bool second;    /* IPv6, after IPv4 was refused; of an exec: its process inside the pid namespace is known */
    int role;
    enum health health;
    uint64_t streak, successes;
    int64_t start_end, next, timeout_at, counted, quick;
    int64_t kill_at;  /* the stop signal was sent; 0: not */
    int pid, pidfd;   /* of an exec */
    int control, out; /* an exec's; `out` is the socket of the others */
    bool asked;       /* the HTTP request was sent */
    int kept[2];      /* TCP sockets that were used: IPv4, IPv6 */
    int draining;     /* the last one of them still gets bytes: how many times we look */
    int64_t started;  /* microseconds since 1970 */
    char *output;     /* of the running probe, log_size bytes and a NUL */
    size_t output_length;
    struct text results; /* the last ones as JSON, newest last, separated by commas */
    uint64_t results_count;
#ifdef BERTH_FILES
    uint64_t limit; /* --timeout in milliseconds, then when it is over; 0: none */
    bool late;      /* the payload was killed for that: our exit status */
#endif
};

extern struct probe probe;

void probe_read_word(const char *word);
void probe_begin(void);
int64_t probe_due(void);
void probe_choose(struct pollfd *fds);
void probe_serve(const struct pollfd *fds);
void probe_finish(int status);

/* relay-probe-run.c */
void probe_start(const struct check *check);
bool probe_paused(void);
/* False: there was no message. */
bool probe_control(void);
void probe_output(void);
void probe_ended(void);
void probe_timeout(void);

/* relay-probe-log.c */
void results_open(void);
void results_add(int status);
void results_write(void);
void results_say(const char *head, const char *reason);

#ifdef BERTH_FILES
/* RFC 3339, of microseconds since 1970. */
void results_add_time(struct text *t, int64_t usec);
uint64_t probe_next_number(const char **at);

/* relay-file.c */
void file_read_word(const char *word);
bool file_wanted(void);
/* As read(2) of the stream's pipe: what was read is in the file. */
long file_move(const struct stream *s);

/* relay-file-support.c */
void support_ended(void);
/* The payload's time is over. */
void limit_reached(void);

/* relay-file-terminal.c */
bool terminal_ready(void);
void terminal_show(const char *data, size_t n);
/* `out`: where the payload's output is waited for. */
void terminal_choose(struct pollfd *fds, struct pollfd *out);
void terminal_serve(const struct pollfd *fds);
#endif

/* relay-notify.c: lines for the manager, sent before all others. */
void notify_own(const char *lines);
/* relay.c */
bool payload_exiting(void);

#endif
