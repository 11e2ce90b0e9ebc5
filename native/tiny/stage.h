/* What the files of the stage share; the theory of operation is in stage.c. */
#ifndef BERTH_TINY_STAGE_H
#define BERTH_TINY_STAGE_H

#include "ops.h"
#include "sys.h"
#include "text.h"

/* Decision 0002. */
enum {
    FD_CONTROL = 64,
    FD_OPS = 65,
    FD_STATUS = 66,
    FD_LAUNCH = 70,
    /* Listen descriptors become 3, 4, … and must end below FD_CONTROL. */
    MAX_LISTEN = 60,
    MAX_ID_MAPS = 64,
    MAX_KEPT = 256,
    EXIT_OURS = 125,
    EXIT_CANNOT_RUN = 126,
    EXIT_NOT_FOUND = 127,
};

struct capability_sets {
    uint64_t bounding, permitted, effective, inheritable, ambient;
};

/*
 * One stage. Descriptors are -1 while they are not open. `root` is the new root's mount before and after pivot; for a
 * list that joins a container it is the container's root.
 */
struct stage {
    int root;
    int proc;       /* verified procfs: see stage_proc() */
    int host_proc;  /* the old root's /proc, opened before it goes */
    int null;       /* verified clone of /dev/null's mount, for masks */
    int empty;      /* the empty read-only directory, for masks */
    bool null_used; /* their first mount was attached; now they are cloned */
    bool empty_used;
    bool made_root;    /* the list makes a root, it does not join one */
    bool mask_follows; /* a `mask` comes after `pivot` */
    bool pivoted;
    bool joined; /* setns was played: others may see us, so stay undumpable */
    bool ready;  /* `go ready` has come: failures are told on descriptor 2 */
    bool no_new_privileges;
    bool sets_given;   /* `capabilities` was played */
    bool sets_pending; /* …and the sets still have to be applied */
    bool cwd_pending;
    bool hidden;   /* all descriptors above 2 are close-on-exec */
    bool no_nodes; /* mknod was refused: binds from now on */
    struct capability_sets sets;
    int id_maps[MAX_ID_MAPS];
    unsigned id_map_count;
    int kept[MAX_KEPT];
    unsigned kept_count;
    const char **environment;
    const char *cwd;
    const char **listen;
    unsigned listen_count;
    /* For messages: what the failing operation was about, an addition, and the exit status. Set by the operation. */
    const char *subject;
    const char *hint;
    int exit_status;
    char detail[256]; /* the kernel's own words, from a file system context */
};

/* Every operation: 0, or a negative errno after setting subject and hint. Names as in ops.h. */
#define BERTH_OP_FUNCTION(function, name, fields, rest) int op_##function(struct stage *s, const struct op *op);
BERTH_OPS(BERTH_OP_FUNCTION)
#undef BERTH_OP_FUNCTION

/* stage.c */
/* Tells the failure of step by the right channel and ends the process. */
_Noreturn void stage_fail(struct stage *s, const char *step, int error);
/* Sends a message (and a descriptor when fd >= 0) on the control socket. */
int stage_send(const char *message, int fd);
/* Pages from the kernel, for what is too large for the stack; lives until exec. NULL when there are none. */
void *stage_pages(size_t bytes);

/* Numbers of checked fields. */
int64_t field_int(const char *field);
unsigned field_octal(const char *field);
uint64_t field_hex(const char *field);
/* The stage's descriptor of a launch index. */
int field_fd(const char *field);
/* Walks comma-separated words: copies the next one to word (cut at size) and moves *at; false at the end. */
bool next_word(const char **at, char *word, size_t size);
bool has_word(const char *list, const char *word);

/* paths.c: every path of the image is resolved in the root. */
/* openat2 in the root, following links inside it. */
int root_open(struct stage *s, const char *path, unsigned flags);
/* Opens (O_PATH) the directory of the last component, which is not followed; creates missing directories when asked. */
struct root_place {
    int parent;
    char name[256];
};
int root_parent(struct stage *s, const char *path, bool create, struct root_place *place);
/* Creates what is missing; an O_PATH descriptor of it. directory: the kind of the last component. *made: created now. */
int root_create(struct stage *s, const char *path, bool directory, unsigned mode, bool *made);
int make_host_directories(const char *path, unsigned mode);

/* attributes.c: words of flags to attributes. */
struct mount_words {
    uint64_t set, clear;           /* this mount only */
    uint64_t set_deep, clear_deep; /* all mounts below */
    uint64_t propagation;
    bool propagation_deep;
    bool recursive, deep_idmap, create, point, source_directory, source_file;
};
/* False: an unknown word. */
bool parse_mount_words(const char *flags, struct mount_words *out);
int apply_mount_words(int mount, const struct mount_words *words, int idmap);

/* filesystem.c: fsopen, options, fsmount. */
int fs_open(struct stage *s, const char *type);
int fs_set(struct stage *s, int context, const char *key, const char *value);
/* Creates the superblock and a detached mount with the attributes; closes context in every case. */
int fs_mount(struct stage *s, int context, uint64_t attributes);
/* fs_open, the comma-separated options, fs_mount. */
int fs_make(struct stage *s, const char *type, const char *source, const char *options, uint64_t attributes);
int attach(int mount, int target);
int clone_mount(int from, const char *path, unsigned flags);

/* stage-mounts.c */
/* Attaches a detached mount at a path of the root and closes it; flag `point`: an empty place of its kind is made first. */
int attach_at(struct stage *s, int mount, const char *path, const struct mount_words *words);
/* What rest names in the directory top, opened with O_PATH; its links are the host's, and where they lead is refused when it is not in top. */
int open_within(struct stage *s, const char *top, const char *rest);
/* The mounts of `bind` and, where rest or below is not empty, `bind-below`, detached. map: the number of an id map, or empty. */
int make_bind(struct stage *s, const char *path, const char *rest, const char *below, const struct mount_words *words,
              const char *map);
/* The mount of `mount`, detached; below: empty, or the part of it that is wanted. */
int make_file_system(struct stage *s, const char *type, const char *source, const char *options,
                     const struct mount_words *words, const char *below);
int find_id_map(struct stage *s, const char *text);
int unknown_word(struct stage *s);

/* stage-trees.c */
int remove_below(int parent, const char *name);

/* copy.c: the content of one directory into another. */
int copy_tree(struct stage *s, int from, int to);

/* procfs.c */
/* A procfs that nobody has mounted anything on, by descriptor (T6, T9). Negative errno when there is none. */
int stage_proc(struct stage *s);
/* The old root's /proc, verified, for when no fresh one can be mounted; to be taken before pivot. */
int take_host_proc(struct stage *s);
int proc_open(struct stage *s, const char *path, int flags);
/* Writes to self/NAME of it. */
int proc_write_self(struct stage *s, const char *name, const char *text);
bool setgroups_denied(struct stage *s);

/* process.c */
int apply_sets(struct stage *s);

/* stage-devices.c */
int take_null(struct stage *s);

/* stage-exec.c: makes all descriptors above 2 close-on-exec (T2), before a filter may forbid that. */
int hide_descriptors(struct stage *s);

/* init.c */

#endif
