/*
 * The recipe of a layer: how its tar stream is put together again from the files that it became. Headers and padding stand in it as they
 * were, contents as the name of their file. So a layer can be verified, saved and pushed with the very digest it came with, and is
 * stored once. Podman keeps the same knowledge (tar-split).
 */
#pragma once
#include "layer.h"

struct recipe;

/* For the parser; what goes wrong ends the process by layer_fail. */
struct recipe *recipe_start(int fd);
void recipe_literal(struct recipe *recipe, const void *data, size_t length);
/* `length` bytes of the stream are those at `offset` in the file of this name (not NUL-terminated). */
void recipe_content(struct recipe *recipe, const char *name, size_t name_length, uint64_t offset, uint64_t length);
void recipe_end(struct recipe *recipe);
