/* What is known of one member while its headers are read. */
#pragma once
#include "layer-stream.h"
#include "layer.h"

struct tar_xattr {
    char *name;
    char *value;
    uint32_t name_length, value_length;
};

struct tar_extent {
    uint64_t offset, length;
};

/* `has_*`: an extended header said it, so the plain header's field does not count. */
struct member {
    char *name, *link; /* malloc'ed; the lengths without NUL */
    size_t name_length, link_length;
    bool has_name, has_sparse_name, has_link, has_size, has_uid, has_gid, has_mtime, has_atime;
    uint64_t stored; /* bytes in the archive */
    uint64_t size;   /* of the file */
    uint64_t uid, gid, mode, major, minor;
    int64_t mtime, atime;
    uint32_t mtime_nsec, atime_nsec;
    char type;
    struct tar_xattr xattrs[LAYER_XATTR_LIMIT];
    size_t xattr_count;
    /* GNU sparse files, in the forms 0.0, 0.1 and 1.0 of extended headers. */
    bool sparse, has_real_size;
    int sparse_major, sparse_minor;
    uint64_t real_size;
    struct tar_extent *extents;
    size_t extent_count, extent_room;
};

void member_release(struct member *member);
/* Replaces a text of the member; a NUL inside or more than `limit` bytes end the process. */
void member_text(char **place, size_t *ret_length, const char *text, size_t length, size_t limit, const char *what);
void member_extent(struct member *member, uint64_t offset, uint64_t length);
/* Applies one extended header (type x). */
void pax_apply(struct member *member, const char *data, size_t length);
/* Decimal digits to a number; anything else ends the process, naming `what`. */
uint64_t pax_number(const char *text, size_t length, const char *what);
