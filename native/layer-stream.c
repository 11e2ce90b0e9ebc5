#include "layer-stream.h"
#include "layer-digest.h"
#include "layer-recipe.h"
#include "layer.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

/*
 * The input buffer is read from the pipe, the output buffer is filled by the decompressor and emptied by the tar reader.
 * Plain tar has no second buffer: what was read is given out.
 */
#define INPUT_SIZE (256 << 10)
#define OUTPUT_SIZE (512 << 10)

enum compression { PLAIN, GZIP, ZSTD };

struct stream {
    int fd;
    enum compression compression;
    uint64_t byte_limit;
    uint64_t ratio_limit;            /* 0: none but LAYER_RATIO_LIMIT */
    uint64_t read_bytes, made_bytes; /* of the blob, of the tar stream */
    struct digest digest;
    z_stream gzip;
    ZSTD_DStream *zstd;
    bool frame_open; /* inside a gzip member or zstd frame: an end here is a truncation */
    bool pending;    /* the output was filled to the brim: the decompressor may hold more without more input */
    bool ended;
    struct recipe *tap;
    size_t input_start, input_end;
    size_t output_start, output_end;
    unsigned char *output; /* of PLAIN: the input buffer */
    unsigned char input[INPUT_SIZE];
};

/* More bytes behind those that are left; false at the end of the blob. */
static bool fill_input(struct stream *stream)
{
    if (stream->input_start == stream->input_end)
        stream->input_start = stream->input_end = 0;
    if (stream->input_end == INPUT_SIZE) {
        memmove(stream->input, stream->input + stream->input_start, stream->input_end - stream->input_start);
        stream->input_end -= stream->input_start;
        stream->input_start = 0;
    }
    for (;;) {
        ssize_t got = read(stream->fd, stream->input + stream->input_end, INPUT_SIZE - stream->input_end);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            layer_fail("reading the archive: %s", layer_reason());
        stream->input_end += (size_t)got;
        stream->read_bytes += (uint64_t)got;
        return got > 0;
    }
}

static enum compression detect(struct stream *stream)
{
    while (stream->input_end - stream->input_start < 6 && fill_input(stream))
        ;
    const unsigned char *head = stream->input + stream->input_start;
    size_t length = stream->input_end - stream->input_start;
    if (length >= 3 && memcmp(head, "\x1f\x8b\x08", 3) == 0)
        return GZIP;
    if (length >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0)
        return ZSTD;
    if (length >= 4 && (head[0] & 0xF0) == 0x50 && memcmp(head + 1, "\x2a\x4d\x18", 3) == 0)
        return ZSTD; /* a skippable frame, as zstd:chunked archives may begin with one */
    if (length >= 6 && memcmp(head,
                              "\xfd"
                              "7zXZ\0",
                              6) == 0)
        layer_fail("the archive is compressed by xz, which is not supported: decompress it first (xz -dc)");
    if (length >= 3 && memcmp(head, "BZh", 3) == 0)
        layer_fail("the archive is compressed by bzip2, which is not supported: decompress it first (bzip2 -dc)");
    return PLAIN;
}

struct stream *stream_open(int fd, uint64_t byte_limit, bool sha512)
{
    struct stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL)
        layer_fail("out of memory");
    stream->fd = fd;
    stream->byte_limit = byte_limit;
    digest_start(&stream->digest, sha512);
    stream->compression = detect(stream);
    if (stream->compression == PLAIN) {
        stream->output = stream->input;
        return stream;
    }
    stream->output = malloc(OUTPUT_SIZE);
    if (stream->compression == GZIP && inflateInit2(&stream->gzip, 15 + 16) != Z_OK)
        layer_fail("out of memory");
    if (stream->compression == ZSTD)
        stream->zstd = ZSTD_createDStream();
    if (stream->output == NULL || (stream->compression == ZSTD && stream->zstd == NULL))
        layer_fail("out of memory");
    stream->frame_open = true;
    return stream;
}

/* What may stand behind a gzip member: another one, or padding of zeros. */
static bool next_member(struct stream *stream)
{
    for (;;) {
        while (stream->input_start < stream->input_end && stream->input[stream->input_start] == 0)
            stream->input_start++;
        if (stream->input_start < stream->input_end)
            break;
        if (!fill_input(stream))
            return false;
    }
    if (stream->input[stream->input_start] != 0x1f)
        layer_fail("the archive is corrupt: there is something behind its compressed end");
    inflateReset(&stream->gzip);
    stream->frame_open = true;
    return true;
}

static size_t inflate_some(struct stream *stream)
{
    for (;;) {
        if (!stream->frame_open && !next_member(stream))
            return 0;
        if (!stream->pending && stream->input_start == stream->input_end && !fill_input(stream))
            layer_fail("the archive is truncated");
        stream->gzip.next_in = stream->input + stream->input_start;
        stream->gzip.avail_in = (uInt)(stream->input_end - stream->input_start);
        stream->gzip.next_out = stream->output;
        stream->gzip.avail_out = OUTPUT_SIZE;
        int status = inflate(&stream->gzip, Z_NO_FLUSH);
        stream->input_start = stream->input_end - stream->gzip.avail_in;
        if (status == Z_STREAM_END)
            stream->frame_open = false;
        else if (status != Z_OK && status != Z_BUF_ERROR)
            layer_fail("the archive is corrupt: %s", stream->gzip.msg ? stream->gzip.msg : "bad gzip data");
        stream->pending = stream->gzip.avail_out == 0 && stream->frame_open;
        if (stream->gzip.avail_out < OUTPUT_SIZE)
            return OUTPUT_SIZE - stream->gzip.avail_out;
    }
}

static size_t unzstd_some(struct stream *stream)
{
    for (;;) {
        if (!stream->pending && stream->input_start == stream->input_end && !fill_input(stream)) {
            if (stream->frame_open)
                layer_fail("the archive is truncated");
            return 0;
        }
        ZSTD_inBuffer in = {stream->input + stream->input_start, stream->input_end - stream->input_start, 0};
        ZSTD_outBuffer out = {stream->output, OUTPUT_SIZE, 0};
        size_t status = ZSTD_decompressStream(stream->zstd, &out, &in);
        if (ZSTD_isError(status))
            layer_fail("the archive is corrupt: %s", ZSTD_getErrorName(status));
        stream->frame_open = status != 0;
        stream->input_start += in.pos;
        stream->pending = out.pos == OUTPUT_SIZE && stream->frame_open;
        if (out.pos > 0)
            return out.pos;
    }
}

void stream_limit_ratio(struct stream *stream, uint64_t ratio)
{
    stream->ratio_limit = ratio;
}

static void check_limits(const struct stream *stream)
{
    if (stream->ratio_limit > 0 && stream->made_bytes > LAYER_RATIO_SPARE &&
        (stream->made_bytes - LAYER_RATIO_SPARE) / stream->ratio_limit > stream->read_bytes)
        layer_fail("the archive unpacks to more than %llu times its size", (unsigned long long)stream->ratio_limit);
    if (stream->made_bytes > stream->byte_limit)
        layer_fail("the archive is larger than the limit of %llu bytes", (unsigned long long)stream->byte_limit);
    if (stream->made_bytes > LAYER_RATIO_FROM && stream->made_bytes / LAYER_RATIO_LIMIT > stream->read_bytes)
        layer_fail("the archive unpacks to more than %d times its size: refused as a bomb", LAYER_RATIO_LIMIT);
}

/* Refills the output; false at the end. All that comes out is hashed and counted here, once. */
static bool fill_output(struct stream *stream)
{
    if (stream->ended)
        return false;
    size_t got = 0;
    stream->output_start = 0;
    switch (stream->compression) {
    case PLAIN:
        if (stream->input_start == stream->input_end)
            fill_input(stream);
        stream->output_start = stream->input_start;
        got = stream->input_end - stream->input_start;
        stream->input_start = stream->input_end;
        break;
    case GZIP: got = inflate_some(stream); break;
    case ZSTD: got = unzstd_some(stream); break;
    }
    stream->output_end = stream->output_start + got;
    if (got == 0) {
        stream->ended = true;
        return false;
    }
    stream->made_bytes += got;
    digest_update(&stream->digest, stream->output + stream->output_start, got);
    check_limits(stream);
    return true;
}

size_t stream_take(struct stream *stream, const unsigned char **ret_data, size_t wish)
{
    if (stream->output_start == stream->output_end && !fill_output(stream))
        return 0;
    size_t length = stream->output_end - stream->output_start;
    if (length > wish)
        length = wish;
    *ret_data = stream->output + stream->output_start;
    stream->output_start += length;
    if (stream->tap)
        recipe_literal(stream->tap, *ret_data, length);
    return length;
}

void stream_tap(struct stream *stream, struct recipe *recipe)
{
    stream->tap = recipe;
}

bool stream_read(struct stream *stream, void *data, size_t length)
{
    for (size_t done = 0; done < length;) {
        const unsigned char *part;
        size_t got = stream_take(stream, &part, length - done);
        if (got == 0 && done == 0)
            return false;
        if (got == 0)
            layer_fail("the archive is truncated");
        memcpy((char *)data + done, part, got);
        done += got;
    }
    return true;
}

void stream_skip(struct stream *stream, uint64_t length)
{
    while (length > 0) {
        const unsigned char *part;
        size_t got = stream_take(stream, &part, length > OUTPUT_SIZE ? OUTPUT_SIZE : (size_t)length);
        if (got == 0)
            layer_fail("the archive is truncated");
        length -= got;
    }
}

void stream_digest(struct stream *stream, char *ret_digest)
{
    const unsigned char *part;
    while (stream_take(stream, &part, OUTPUT_SIZE) > 0)
        ;
    digest_text(&stream->digest, ret_digest);
}
