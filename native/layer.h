/*
 * Layers: an archive becomes a directory, and back.
 *
 * A layer comes from a stranger. Three processes share the work, so that each can do only what it needs:
 *
 *   caller   reads the blob, hashes its bytes, hands them on through a pipe. Never looks inside.
 *   parser   decompresses, hashes the tar stream, understands tar. Its seccomp filter leaves it read, write and memory.
 *   writer   gets plain records (below) and makes files. In the store's user namespace, in a chroot of the empty layer,
 *            with the few capabilities that takes; it trusts the records as little as the archive.
 *
 * layer.c        the caller: pipes, processes, results        layer-userns.c   namespaces, id maps, confinement
 * layer-stream.c blob bytes to tar bytes                      layer-tar.c      tar bytes to records, layer-pax.c its extended headers
 * layer-write.c  records to files, layer-path.c names         layer-export.c   a layer directory to a tar stream
 * layer-recipe.c the tar stream it came as, put together again          transfer.c     files out of a container
 */
#pragma once
#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a layer may hold. A name is at most PATH_MAX - 1 bytes, a component NAME_MAX: more cannot be made on Linux. */
#define LAYER_NAME_LIMIT 4095
#define LAYER_COMPONENT_LIMIT 255
#define LAYER_HEADER_LIMIT (1 << 20) /* bytes of one extended header */
#define LAYER_XATTR_LIMIT 64         /* extended attributes of one entry */
#define LAYER_XATTR_VALUE_LIMIT 65536
#define LAYER_EXTENT_LIMIT 100000 /* data extents of one sparse file */
#define LAYER_WARNING_LIMIT 16    /* warnings told; the rest is counted */
#define LAYER_DIGEST_LIMIT 144    /* "sha512:" and 128 digits, with the NUL */
/* Deflate cannot do better than 1032 to 1; what claims to do better over this many bytes is a bomb (T34). */
#define LAYER_RATIO_LIMIT 2000
#define LAYER_RATIO_FROM (UINT64_C(256) << 20)
#define LAYER_RATIO_SPARE (UINT64_C(1) << 30)

struct id_range {
    uint32_t inside, outside, count;
};

enum map_kind { MAP_HOST, MAP_SUBORDINATE, MAP_SINGLE };

/* How the ids of a layer are written to disk; StoreMap of src/image/types.ts. */
struct store_map {
    enum map_kind kind;
    struct id_range *uid, *gid;
    size_t uid_count, gid_count;
    int userns; /* descriptor of a user namespace that has these maps already; 0: none */
};

/* An archive that is no layer but files for somebody (`cp`): nothing in it stands for a whiteout, and what is there is not replaced by another kind. */
struct layer_copy {
    char prefix[LAYER_NAME_LIMIT + 1]; /* directory below the root that the names are in */
    int64_t uid, gid;                  /* owner of everything; -1: as the archive says */
    bool overwrite;                    /* a directory may take a file's place, and the other way round */
    bool plain;                        /* no devices, no set-id bits, no capabilities */
};

struct layer_request {
    int source;       /* descriptor of the blob */
    int64_t offset;   /* where it begins, when the descriptor is a regular file; -1: read on from where it is */
    int64_t length;   /* bytes of it; -1: to the end */
    int target;       /* descriptor of the empty directory that becomes the layer's root */
    bool sha512_blob; /* digest wanted of the blob and of the tar stream: sha512 instead of sha256 */
    bool sha512_diff;
    bool needs_end;       /* no digest will tell a truncation at the end of a member: the end mark has to be there */
    uint64_t byte_limit;  /* of the tar stream, and of the files it makes */
    uint64_t entry_limit; /* of the archive's members */
    const struct layer_copy *copy; /* NULL: the archive is a layer */
    int recipe;                    /* descriptor of the file for its recipe (layer-recipe.h); -1: none is wanted */
    const struct store_map *map;
};

struct layer_result {
    char blob[LAYER_DIGEST_LIMIT];
    char diff_id[LAYER_DIGEST_LIMIT];
    uint64_t blob_size;
    uint64_t size; /* bytes of file contents */
    uint64_t entries;
    bool replaced;  /* a member took the place of another one: the recipe does not hold */
    char *warnings; /* lines; the caller of layer_apply frees them */
};

/* Unpacks one layer. On failure the target holds whatever came so far: the caller removes it. */
int layer_apply(const struct layer_request *request, struct layer_result *result, struct error *error);

/* Decompresses a stream in a process of its own that has nothing but memory and the two descriptors. `ratio`: of
   stream_limit_ratio. */
int layer_plain(int source, int target, uint64_t byte_limit, uint64_t ratio, struct error *error);

/* Removes directories with all they hold, in the store's user namespace. Absent ones are no error. */
int layer_remove(const struct store_map *map, char *const *paths, struct error *error);

enum export_flags {
    EXPORT_LIVING = 1,          /* what it is read from changes meanwhile */
    EXPORT_LITERAL = 2,         /* no layer: nothing stands for a whiteout */
    EXPORT_ONE_FILE_SYSTEM = 4, /* of what is mounted in it the empty directory */
};

/* Writes a layer's directory as a tar stream, whiteouts and opaque directories in the archive's form. */
int layer_export(int directory, int target, unsigned flags, struct error *error);
/* A file or directory that is open for reading, under this name; of a directory with the name "" the content. */
int layer_export_one(int entry, const char *name, int target, unsigned flags, struct error *error);

/* Out of a container or the host (native/transfer.c). */
struct transfer_request {
    int root;         /* descriptor of the root in which `path` is resolved */
    const char *path; /* below it; links are followed and lead nowhere else */
    const char *name; /* of the archive's first entry; "": the content of the directory */
    int target;       /* descriptor of the tar stream; -1: only what stands there is asked for */
    unsigned flags;   /* enum export_flags */
    bool confined;    /* the root is a container's: the process is shut in there */
    const struct store_map *map;
};

#define TRANSFER_KIND_LIMIT 16

/* *ret_kind, of TRANSFER_KIND_LIMIT bytes: file, directory, other, absent. */
int transfer_out(const struct transfer_request *request, char *ret_kind, struct error *error);

/* What is put together again: `root` and `recipe` of a layer; the stream goes to `target`, or nowhere (-1). */
struct layer_assembly {
    int root, recipe, target;
    bool sha512;
    const struct store_map *map;
};

/* Gives the digest of the tar stream. */
int layer_assemble(const struct layer_assembly *request, char *ret_digest, struct error *error);

/* --- records: parser to writer -------------------------------------------------------------------------------------- */

enum record_kind {
    RECORD_FILE = 1, /* followed by chunks */
    RECORD_HARDLINK,
    RECORD_SYMLINK,
    RECORD_DIRECTORY,
    RECORD_CHAR,
    RECORD_BLOCK,
    RECORD_FIFO,
    RECORD_UNKNOWN, /* a member of a kind that nobody knows: told, not made */
    RECORD_END,     /* the archive was read to its end: only then the layer is whole */
};

#define RECORD_MAGIC 0x31524C42u

/* Then: name, link, and for each attribute two u32 lengths, name, value; for a file then chunks. */
struct record {
    uint32_t magic, kind;
    uint32_t mode, uid, gid, major, minor;
    uint32_t name_length, link_length, xattr_count;
    uint64_t size; /* of the file, holes included */
    int64_t mtime, atime;
    uint32_t mtime_nsec, atime_nsec;
};

/* Then `length` bytes that stand at `offset`; length 0 ends the file. */
struct record_chunk {
    uint64_t offset;
    uint32_t length, zero;
};

/* --- the processes -------------------------------------------------------------------------------------------------- */

/* Descriptors of parser and writer. */
#define LAYER_FD_IN 0
#define LAYER_FD_OUT 1
#define LAYER_FD_RESULT 2
#define LAYER_FD_ROOT 3   /* of the writer */
#define LAYER_FD_RECIPE 3 /* of the parser */

/*
 * What a process says on LAYER_FD_RESULT, once, at its end; a process that ends without is a failure.
 * Lines: `ok`, `error TEXT`, `diff DIGEST`, `entries N`, `size N`, `replaced`, `warning TEXT`.
 */
void layer_say(const char *word, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `error TEXT`, then ends the process. */
_Noreturn void layer_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Bytes as text for people: control characters and what is not UTF-8 as \xNN (T28), shortened. Static, four at a time. */
const char *layer_text(const char *bytes, size_t length);

/* strerror of errno as it stands in our messages: it begins in lower case. */
const char *layer_reason(void);

struct layer_limits {
    uint64_t byte_limit, entry_limit;
    bool sha512_diff, needs_end, recipe;
    enum map_kind map;
    const struct layer_copy *copy;
};

_Noreturn void layer_parser(const struct layer_limits *limits);
_Noreturn void layer_writer(const struct layer_limits *limits);

/* Forks a process in the map's user namespace, a new one where it names none (MAP_HOST: ours); it runs `body` and never returns from it. */
int userns_fork(const struct store_map *map, void (*body)(void *), void *argument, pid_t *ret_pid, struct error *error);
/* A user namespace with this map, for others to open: says on standard output whose it is, and keeps it until standard input ends. */
int userns_hold(const struct store_map *map, struct error *error);
/* Root of the file system becomes the directory; then only the capabilities in `keep` (bits) are left. */
int confine_root(int directory, uint64_t keep);
/* From here on only these system calls work; any other ends the process. */
int confine_calls(const int *calls, size_t count);
/* LAYER_FD_* from these, everything else closed. */
void layer_descriptors(int in, int out, int result, int root);
/* Waits; the status of waitpid. */
int wait_for(pid_t pid);

/* Reads or writes all of it; false at the end of the file or on an error. */
bool read_full(int fd, void *data, size_t length);
bool write_full(int fd, const void *data, size_t length);
