/*
 * /usr/bin/berth: finds the program that a command line means, and runs it.
 *
 *   name of the file         …-generator                → program `generator`
 *   berth [GLOBAL…] VERB …   native verbs               → program VERB, or `FIRST-SECOND` for two words
 *   anything else            Node's half                → execve of node with cli.cjs; a pull's with pull.cjs
 *
 * A native program is JavaScript for the QuickJS that is linked in: ready in the heap image (engine-image.h), or bytecode that
 * imports from there.
 */
#include "apart.h"
#include "engine-record.h"
#include "engine.h"
#include "host.h"
#include "globals.h"
#include "journal-end.h"
#include <errno.h>
#include <linux/sched/types.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef BERTH_LIB
#define BERTH_LIB "/usr/lib/berth/"
#endif
#ifndef BERTH_NODE
#define BERTH_NODE "/usr/bin/node"
#endif

/*
 * A process of this niceness gets a seventieth of a processor that another one wants whole (sched(7)); of
 * ten the starts beside it notice more. SCHED_IDLE would help them no further, but on a busy machine a pull would hardly end.
 */
enum { ASIDE = 19 };

/*
 * Nanoseconds, the least there is: who wakes up waits until the one that runs has had its slice, however little that one weighs, and a start wakes
 * up often. Kernels before 6.12 know no slice of a process and take none from here.
 */
enum { SLICE = 100 * 1000 };

/*
 * crtbeginT.o of gcc calls these in a static program, and libgcc's first one reads every entry of .eh_frame: a tenth of a start that
 * does nothing. Only C++ exceptions and the cancellation of threads need it; native.mk puts these in their place.
 */
void __wrap___register_frame_info(const void *begin, void *object);
void *__wrap___deregister_frame_info(const void *begin);

void __wrap___register_frame_info(const void *begin, void *object)
{
    (void)begin, (void)object;
}

void *__wrap___deregister_frame_info(const void *begin)
{
    (void)begin;
    return NULL;
}

/* Does the global option `word` (with dashes) take the next word as its value? */
static bool takes_next_word(const char *word)
{
    bool is_long = strncmp(word, "--", 2) == 0;
    const char *name = word + (is_long ? 2 : 1);
    if (strchr(name, '='))
        return false;
    for (const struct global_option *option = global_options; option->name; option++) {
        size_t length = strlen(option->name);
        if (is_long ? length > 1 && strcmp(option->name, name) == 0
                    : length == 1 && name[strlen(name) - 1] == option->name[0])
            return option->takes_value;
    }
    return false;
}

/* Index of the verb in argv; argc when there is none. */
static int find_verb(int argc, char **argv)
{
    int at = 1;
    for (; at < argc && argv[at][0] == '-' && argv[at][1] != 0; at++) {
        if (strcmp(argv[at], "--") == 0)
            return at + 1;
        if (strcmp(argv[at], "--version") == 0 || strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0 ||
            strcmp(argv[at], "-v") == 0)
            return argc;
        if (takes_next_word(argv[at]))
            at++;
    }
    return at < argc ? at : argc;
}

/*
 * `container VERB` is another name of VERB, as the peer has it, but for the verbs that there are only so; `image pull` is pull.
 * Node knows the other verbs of images.
 */
static int without_noun(int argc, char **argv)
{
    int verb = find_verb(argc, argv);
    if (verb + 1 >= argc)
        return argc;
    bool pull = strcmp(argv[verb], "image") == 0 && strcmp(argv[verb + 1], "pull") == 0;
    bool container = strcmp(argv[verb], "container") == 0 && argv[verb + 1][0] != '-' &&
                     strcmp(argv[verb + 1], "prune") != 0 && strcmp(argv[verb + 1], "exists") != 0 &&
                     strcmp(argv[verb + 1], "cleanup") != 0;
    if (!pull && !container)
        return argc;
    if (strcmp(argv[verb + 1], "ls") == 0 || strcmp(argv[verb + 1], "list") == 0)
        argv[verb + 1] = (char *)"ps";
    memmove(argv + verb, argv + verb + 1, (size_t)(argc - verb) * sizeof(*argv));
    return argc - 1;
}

static const struct program *program_of(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = argc > 0 ? (slash ? slash + 1 : argv[0]) : "";
    if (strstr(name, "-generator"))
        return program_find("generator");
    int verb = find_verb(argc, argv);
    if (verb >= argc)
        return program_find("help");
    if (verb + 1 < argc) {
        char two[128];
        int length = snprintf(two, sizeof(two), "%s-%s", argv[verb], argv[verb + 1]);
        const struct program *found = length < (int)sizeof(two) ? program_find(two) : NULL;
        if (found && !strchr(argv[verb], '-') && !strchr(argv[verb + 1], '-'))
            return found;
    }
    /* `oci-create` is the name of a program, not a verb. */
    return strchr(argv[verb], '-') ? NULL : program_find(argv[verb]);
}

/* `script` is a file of BERTH_LIB. */
static int become_node(const char *script, int argc, char **argv)
{
    char **words = calloc((size_t)argc + 2, sizeof(char *));
    if (!words)
        return 125;
    words[0] = (char *)"node";
    words[1] = (char *)script;
    for (int i = 1; i < argc; i++)
        words[i + 1] = argv[i];
    if (access(script, R_OK) < 0) {
        fprintf(stderr, "berth: %s: cannot be read: %s; install the package berth again\n", script,
                strerrordesc_np(errno));
        return 125;
    }
    execve(BERTH_NODE, words, environ);
    if (!getauxval(AT_SECURE))
        execvpe("node", words, environ);
    fprintf(stderr, "berth: this command needs Node 20 or newer, which is not installed; install the package nodejs\n");
    return 127;
}

/* In all of Node's threads and their children. A host that lets nobody do that is no reason not to go on. */
static void stand_aside(void)
{
    struct sched_attr right;
    if (nice(ASIDE) < 0)
        errno = 0;
    if (syscall(SYS_sched_getattr, 0, &right, sizeof(right), 0) < 0 || right.sched_policy != SCHED_OTHER)
        return; /* somebody has chosen another policy for it (chrt(1)) */
    right.sched_runtime = SLICE;
    syscall(SYS_sched_setattr, 0, &right, 0);
}

int main(int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], "berth-heap-image") == 0)
        return engine_record(argc, argv);
    argc = without_noun(argc, argv);
    const struct program *program = program_of(argc, argv);
    int status = program ? engine_run(program, argc, argv) : ENGINE_BY_NODE;
    if (status == ENGINE_BY_NODE_ASIDE || status == ENGINE_BY_NODE_APART)
        stand_aside();
    bool lowered = status == ENGINE_BY_NODE_APART;
    if (lowered || (status < 0 && ignores_terminal()))
        stand_apart(lowered);
    if (status < 0)
        status = become_node(program && strcmp(program->name, "pull") == 0 ? BERTH_LIB "pull.cjs" : BERTH_LIB "cli.cjs",
                             argc, argv);
    journal_end(status); /* without the runtime's end: the kernel takes the memory back faster */
}
