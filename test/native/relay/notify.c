/* What of the payload's notifications reaches the manager, and when READY=1 does (T35). */
#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void (*ok)(bool good, const char *what);

static int waits(struct bench *b)
{
    (void)b;
    while (pause() < 0)
        ;
    return 0;
}

static void start(struct bench *b, const char *const *words)
{
    *b = (struct bench){.hold = true};
    bench_open(b);
    bench_payload(b, waits);
    bench_relay(b, words);
    bench_go(b);
}

/* Sends a message; what the manager gets next, empty for nothing. */
static const char *passed(struct bench *b, const char *text, int descriptor, int *ret_descriptors)
{
    static char got[8192];
    notify_as(b, text, descriptor);
    if (!manager_receive(b, got, sizeof got, ret_descriptors, 150))
        got[0] = 0;
    return got;
}

struct row {
    const char *sent, *passed, *what;
};

static const struct row rows[] = {
    {"READY=1", "READY=1\n", "READY=1 passes"},
    {"STATUS=all is well", "STATUS=all is well\n", "a status passes"},
    {"RELOADING=1\nMONOTONIC_USEC=123\n", "RELOADING=1\nMONOTONIC_USEC=123\n", "RELOADING=1 with its time passes"},
    {"STOPPING=1\nWATCHDOG=1\nWATCHDOG=trigger\nWATCHDOG_USEC=5\nEXTEND_TIMEOUT_USEC=6\nERRNO=2",
     "STOPPING=1\nWATCHDOG=1\nWATCHDOG=trigger\nWATCHDOG_USEC=5\nEXTEND_TIMEOUT_USEC=6\nERRNO=2\n",
     "the rest of the closed list passes"},
    {"MAINPID=1", "", "T35 MAINPID= does not pass"},
    {"MAINPID=1\nREADY=1\nMAINPIDFD=1\nMAINPIDFDID=1", "READY=1\n", "T35 MAINPID= does not pass beside READY=1"},
    {"NOTIFYACCESS=all", "", "T35 NOTIFYACCESS= does not pass"},
    {"X_OTHER=1\nBUSERROR=a.b\nEXIT_STATUS=0\nINVOCATION_ID=1", "", "what is not on the list does not pass"},
    {"mainpid=1\n MAINPID=1\nREADY=1 \nREADY=10\nREADY=", "", "no other spelling passes"},
    {"STATUS=a\x1b[2J\x07z\x7f", "STATUS=a?[2J?z?\n", "T28 control characters of a status become ?"},
    {"STATUS=gr\xc3\xbc\xc3\x9f", "STATUS=gr\xc3\xbc\xc3\x9f\n", "letters of other languages stay"},
    {"WATCHDOG_USEC=-1\nERRNO=x\nEXTEND_TIMEOUT_USEC=99999999999999999999999\nMONOTONIC_USEC=", "",
     "a bad number does not pass"},
    {"FDSTORE=1\nFDNAME=x", "", "no descriptor store without leave"},
    {"BARRIER=1", "", "a barrier without a descriptor does not pass"},
    {"\n\n\n", "", "empty lines are nothing"},
};

static void fields(void)
{
    static const char *const words[] = {"ready=payload", NULL};
    struct bench b;
    int descriptors;
    start(&b, words);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = passed(&b, rows[i].sent, -1, &descriptors);
        ok(strcmp(got, rows[i].passed) == 0, rows[i].what);
        if (strcmp(got, rows[i].passed) != 0)
            printf("# got %s\n", got);
    }
    char *longest = calloc(1, 8192);
    memset(longest, 'x', 5000);
    memcpy(longest, "READY=1\nSTATUS=", 15);
    ok(strcmp(passed(&b, longest, -1, &descriptors), "") == 0, "a message of more than 4 kB is dropped whole");
    free(longest);
    ok(strcmp(passed(&b, "READY=1", -1, &descriptors), "READY=1\n") == 0, "and the next one passes");
    bench_close(&b);
}

static void with_descriptors(void)
{
    static const char *const words[] = {"ready=payload", NULL};
    static const char *const storing[] = {"ready=payload", "fdstore=1", NULL};
    struct bench b;
    int descriptors, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    start(&b, words);
    ok(strcmp(passed(&b, "BARRIER=1", null, &descriptors), "BARRIER=1") == 0 && descriptors == 1,
       "a barrier passes with its descriptor");
    ok(strcmp(passed(&b, "READY=1", null, &descriptors), "READY=1\n") == 0 && descriptors == 0,
       "T35 a descriptor that nobody asked for does not pass");
    ok(strcmp(passed(&b, "BARRIER=1\nMAINPID=1", null, &descriptors), "") == 0, "T35 nothing rides on a barrier");
    bench_close(&b);
    start(&b, storing);
    ok(strcmp(passed(&b, "FDSTORE=1\nFDNAME=sock\nFDPOLL=0", null, &descriptors),
              "FDSTORE=1\nFDNAME=sock\nFDPOLL=0\n") == 0 &&
           descriptors == 1,
       "with a descriptor store FDSTORE=1 passes");
    ok(strcmp(passed(&b, "FDSTOREREMOVE=1\nFDNAME=sock", -1, &descriptors), "FDSTOREREMOVE=1\nFDNAME=sock\n") == 0,
       "and FDSTOREREMOVE=1");
    bench_close(&b);
    close(null);
}

static bool ready_after(const char *const *words, const char *record)
{
    struct bench b;
    char text[256];
    int descriptors;
    start(&b, words);
    bool early = manager_receive(&b, text, sizeof text, &descriptors, 100);
    bench_executed(&b, record);
    bool ready = manager_receive(&b, text, sizeof text, &descriptors, 300) && strcmp(text, "READY=1\n") == 0;
    bench_close(&b);
    return ready && !early;
}

static void readiness(void)
{
    static const char *const started[] = {"ready=started", NULL};
    static const char *const by_payload[] = {"ready=payload", NULL};
    static const char *const none[] = {"ready=none", NULL};
    ok(ready_after(started, NULL), "READY=1 is sent when the status pipe closes empty, not before");
    ok(!ready_after(started, "exec 2 127 no such file"), "a record on the status pipe means no READY=1");
    ok(!ready_after(by_payload, NULL), "with ready=payload we do not say it");
    ok(!ready_after(none, NULL), "nor with ready=none");
    struct bench b;
    int descriptors;
    start(&b, none);
    ok(strcmp(passed(&b, "READY=1\nSTATUS=x", -1, &descriptors), "STATUS=x\n") == 0, "nor may the payload then");
    bench_close(&b);
}

static void senders(void)
{
    static const char *const others[] = {"ready=payload", "uids=100000+65536,7+1", NULL};
    char own[64];
    const char *const ours[] = {"ready=payload", own, NULL};
    snprintf(own, sizeof own, "uids=4000000000+5,%u+1", geteuid());
    struct bench b;
    int descriptors;
    start(&b, others);
    ok(strcmp(passed(&b, "READY=1", -1, &descriptors), "") == 0, "T33 a sender of another uid is not heard");
    bench_close(&b);
    start(&b, ours);
    ok(strcmp(passed(&b, "READY=1", -1, &descriptors), "READY=1\n") == 0, "a sender of the payload's range is");
    bench_close(&b);
}

void notifications(void (*report)(bool good, const char *what));

void notifications(void (*report)(bool good, const char *what))
{
    ok = report;
    fields();
    with_descriptors();
    readiness();
    senders();
}
