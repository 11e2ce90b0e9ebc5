/* Names of the archive inside the layer. Used by the writer, whose root directory is the layer. */
#pragma once
#include "layer.h"
#include <sys/stat.h>

/* A member's name without leading slash, `.` and empty components; empty: the root itself. */
struct place {
    char text[LAYER_NAME_LIMIT + 1];
    size_t length;
    size_t parent_length; /* of the part before `base`, without slash */
    const char *base;
};

/* `..`, components or names too long, an empty name end the process; `what` says whose name it is. */
void place_parse(struct place *place, const char *name, size_t length, const char *what);

/*
 * Descriptor (O_PATH) of the directory that holds the place, resolved below the root whatever links the layer has. Kept
 * until another one is asked for. Missing directories are made when `create`; without it -1 (ENOENT, ENOTDIR).
 */
int place_parent(const struct place *place, bool create);
/* A kept directory may now resolve otherwise: something was removed. */
void place_forget(void);

bool is_whiteout(const struct stat *stat);
/* Removes whatever stands there; ends the process when that fails. */
void remove_at(int parent, const char *base, const struct stat *stat);
/* Hides what lower layers have in this directory. */
void make_opaque(int parent, const char *base);
/* The kind of map decides which attributes can be written. A layer is one file system; a container's root has others mounted in it. */
void path_start(enum map_kind map, bool crosses_mounts);
/* Opens (O_PATH) what a name means, links followed below the root; -1 with errno. */
int place_directory(const struct place *place);

/* Removes all entries of a directory, to any depth, with two descriptors; false with errno. Follows no link. */
bool empty_directory(int directory);
