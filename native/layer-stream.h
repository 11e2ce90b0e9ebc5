/* The bytes of a blob, decompressed: gzip (several members too), zstd, or as they are. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream;
struct recipe;

/* Reads from the descriptor; what is wrong with the blob ends the process by layer_fail. */
struct stream *stream_open(int fd, uint64_t byte_limit, bool sha512);
/* It may unpack to LAYER_RATIO_SPARE and so many times what was read of it by then: for what comes from a pipe. */
void stream_limit_ratio(struct stream *stream, uint64_t ratio);
/* All that is taken from here on goes into the recipe, too (NULL: no longer). */
void stream_tap(struct stream *stream, struct recipe *recipe);
/* Up to `wish` bytes that stand in a row; 0 at the end. Valid until the next call. */
size_t stream_take(struct stream *stream, const unsigned char **ret_data, size_t wish);
/* Exactly `length` bytes; false at the end of the stream before the first byte, layer_fail after it. */
bool stream_read(struct stream *stream, void *data, size_t length);
void stream_skip(struct stream *stream, uint64_t length);
/* Reads to the end and gives the digest of all that was in the stream. */
void stream_digest(struct stream *stream, char *ret_digest);
