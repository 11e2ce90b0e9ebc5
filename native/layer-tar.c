/*
 * The parser: a process with nothing but a pipe in, a pipe out and memory.
 *
 * A reader of its own, because names must arrive byte for byte: libarchive turns names of extended headers into Unicode's
 * composed form, and a program that looks for its own file then does not find it. See packaging/decisions/0005-layers.md.
 * What it understands: v7, ustar, pax, GNU long names, GNU sparse files (old form, 0.0, 0.1, 1.0), star's prefix.
 */
#include "layer-tar.h"
#include "layer-recipe.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define BLOCK 512

struct parser {
    struct stream *stream;
    const struct layer_limits *limits;
    struct recipe *recipe;
    uint64_t entries;
    unsigned char header[BLOCK];
};

static const int parser_calls[] = {SYS_read,    SYS_write, SYS_writev,     SYS_mmap,  SYS_munmap,   SYS_mremap,
                                   SYS_madvise, SYS_brk,   SYS_exit_group, SYS_futex, SYS_getrandom};

/* A number of a header: octal digits, or two's complement when the first bit is set (GNU). */
static int64_t header_number(const unsigned char *field, size_t length, const char *what)
{
    if (field[0] & 0x80) {
        uint64_t number = (field[0] & 0x40) ? UINT64_MAX : 0;
        for (size_t i = 0; i < length; i++) {
            unsigned char byte = i == 0 ? (field[0] & 0x40 ? field[0] : field[0] & 0x7F) : field[i];
            if (i + 8 < length && byte != ((field[0] & 0x40) ? 0xFF : 0))
                layer_fail("the archive is corrupt: %s out of range", what);
            number = number << 8 | byte;
        }
        return (int64_t)number;
    }
    uint64_t number = 0;
    size_t i = 0;
    while (i < length && (field[i] == ' ' || field[i] == 0))
        i++;
    for (; i < length && field[i] != ' ' && field[i] != 0; i++) {
        if (field[i] < '0' || field[i] > '7')
            layer_fail("the archive is corrupt: %s is not a number", what);
        number = number << 3 | (uint64_t)(field[i] - '0');
    }
    return (int64_t)number;
}

static uint64_t header_size(const unsigned char *field, const char *what)
{
    int64_t number = header_number(field, 12, what);
    if (number < 0)
        layer_fail("the archive is corrupt: negative %s", what);
    return (uint64_t)number;
}

static bool all_zero(const unsigned char *block)
{
    return block[0] == 0 && memcmp(block, block + 1, BLOCK - 1) == 0;
}

static void check_sum(const unsigned char *header)
{
    int64_t plain = 0, with_sign = 0, written = 0;
    for (size_t i = 148; i < 156; i++)
        if (header[i] >= '0' && header[i] <= '7')
            written = written << 3 | (header[i] - '0');
    for (size_t i = 0; i < BLOCK; i++) {
        unsigned char byte = i >= 148 && i < 156 ? ' ' : header[i];
        plain += byte;
        with_sign += (signed char)byte;
    }
    if (written != plain && written != with_sign)
        layer_fail("the archive is corrupt, or no tar archive: a header's checksum is wrong");
}

static void skip_padding(struct parser *parser, uint64_t size)
{
    uint64_t rest = (BLOCK - size % BLOCK) % BLOCK;
    /* The last member's padding may be missing. */
    for (const unsigned char *part; rest > 0;) {
        size_t got = stream_take(parser->stream, &part, (size_t)rest);
        if (got == 0)
            return;
        rest -= got;
    }
}

/* The data of a member that describes the next one. */
static char *read_special(struct parser *parser, uint64_t size, size_t *ret_length)
{
    if (size > LAYER_HEADER_LIMIT)
        layer_fail("an extended header in the archive has %llu bytes, the limit is %d", (unsigned long long)size,
                   LAYER_HEADER_LIMIT);
    char *data = malloc(size + 1);
    if (data == NULL)
        layer_fail("out of memory");
    if (size > 0 && !stream_read(parser->stream, data, size))
        layer_fail("the archive is truncated");
    data[size] = 0;
    skip_padding(parser, size);
    *ret_length = size;
    return data;
}

static void header_name(struct member *member, const unsigned char *header)
{
    char text[100 + 155 + 2];
    size_t prefix = 0, length = strnlen((const char *)header, 100);
    bool ustar = memcmp(header + 257, "ustar\0", 6) == 0;
    if (ustar) {
        size_t room = memcmp(header + 508, "tar\0", 4) == 0 ? 131 : 155;
        prefix = strnlen((const char *)header + 345, room);
        memcpy(text, header + 345, prefix);
        if (prefix > 0)
            text[prefix++] = '/';
    }
    memcpy(text + prefix, header, length);
    member_text(&member->name, &member->name_length, text, prefix + length, LAYER_NAME_LIMIT, "name");
}

/* The plain header's fields, where no extended header said otherwise. */
static void header_fields(struct member *member, const unsigned char *header)
{
    member->type = (char)header[156];
    if (!member->has_name)
        header_name(member, header);
    if (!member->has_link)
        member_text(&member->link, &member->link_length, (const char *)header + 157,
                    strnlen((const char *)header + 157, 100), LAYER_NAME_LIMIT, "link target");
    if (!member->has_size)
        member->stored = header_size(header + 124, "size");
    if (!member->has_uid)
        member->uid = (uint64_t)header_number(header + 108, 8, "uid");
    if (!member->has_gid)
        member->gid = (uint64_t)header_number(header + 116, 8, "gid");
    if (!member->has_mtime)
        member->mtime = header_number(header + 136, 12, "time");
    if (!member->has_atime) {
        member->atime = member->mtime;
        member->atime_nsec = member->mtime_nsec;
    }
    member->mode = (uint64_t)header_number(header + 100, 8, "mode");
    if (member->type == '3' || member->type == '4') {
        member->major = (uint64_t)header_number(header + 329, 8, "device number");
        member->minor = (uint64_t)header_number(header + 337, 8, "device number");
    }
    member->size = member->stored;
}

static void old_sparse_entries(struct member *member, const unsigned char *at, int count)
{
    for (int i = 0; i < count && at[i * 24] != 0; i++)
        member_extent(member, header_size(at + i * 24, "sparse offset"),
                      header_size(at + i * 24 + 12, "sparse length"));
}

/* Type S: four extents in the header, more in the blocks behind it. */
static void old_sparse(struct parser *parser, struct member *member)
{
    unsigned char block[BLOCK];
    bool more = parser->header[482] != 0;
    member->sparse = true;
    old_sparse_entries(member, parser->header + 386, 4);
    member->size = header_size(parser->header + 483, "size");
    while (more) {
        if (!stream_read(parser->stream, block, BLOCK))
            layer_fail("the archive is truncated");
        old_sparse_entries(member, block, 21);
        more = block[504] != 0;
    }
}

/* A line of digits at the head of the data; counts what it took. */
static uint64_t sparse_line(struct parser *parser, struct member *member, uint64_t *taken)
{
    char digits[24];
    for (size_t length = 0; length < sizeof(digits); length++) {
        if (*taken >= member->stored || !stream_read(parser->stream, digits + length, 1))
            layer_fail("the archive is corrupt: a sparse map without an end");
        ++*taken;
        if (digits[length] == '\n')
            return pax_number(digits, length, "sparse map");
    }
    layer_fail("the archive is corrupt: a sparse map with a number too long");
}

/* Form 1.0: the map stands before the data, padded to a block. */
static void new_sparse(struct parser *parser, struct member *member)
{
    uint64_t taken = 0, count = sparse_line(parser, member, &taken);
    member->sparse = true;
    member->extent_count = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t offset = sparse_line(parser, member, &taken);
        member_extent(member, offset, sparse_line(parser, member, &taken));
    }
    uint64_t rest = (BLOCK - taken % BLOCK) % BLOCK;
    if (taken + rest > member->stored)
        layer_fail("the archive is corrupt: a sparse map without an end");
    stream_skip(parser->stream, rest);
    member->stored -= taken + rest;
}

/* Extents in order, inside the file, and together as long as what is stored. */
static void check_sparse(const struct member *member)
{
    uint64_t end = 0, sum = 0;
    for (size_t i = 0; i < member->extent_count; i++) {
        const struct tar_extent *extent = &member->extents[i];
        if (extent->offset < end || extent->offset > member->size || extent->length > member->size - extent->offset)
            layer_fail("the archive is corrupt: a sparse map out of order: %s",
                       layer_text(member->name, member->name_length));
        end = extent->offset + extent->length;
        sum += extent->length;
    }
    if (sum != member->stored)
        layer_fail("the archive is corrupt: a sparse map does not fit its data: %s",
                   layer_text(member->name, member->name_length));
}

static enum record_kind kind_of(const struct member *member)
{
    switch (member->type) {
    case 0:
    case '0':
    case '7':
        return member->name_length > 0 && member->name[member->name_length - 1] == '/' ? RECORD_DIRECTORY : RECORD_FILE;
    case 'S': return RECORD_FILE;
    case '1': return RECORD_HARDLINK;
    case '2': return RECORD_SYMLINK;
    case '3': return RECORD_CHAR;
    case '4': return RECORD_BLOCK;
    case '5':
    case 'D': return RECORD_DIRECTORY;
    case '6': return RECORD_FIFO;
    default: return RECORD_UNKNOWN;
    }
}

static void put(const void *data, size_t length)
{
    /* The writer's own error is the one that is told. */
    if (length > 0 && !write_full(LAYER_FD_OUT, data, length))
        layer_fail("the writer has ended");
}

static void send_head(const struct member *member, enum record_kind kind)
{
    if (member->uid > UINT32_MAX - 1 || member->gid > UINT32_MAX - 1) /* T13: never wrap */
        layer_fail("an owner in the archive is out of range: %s", layer_text(member->name, member->name_length));
    struct record record = {
        .magic = RECORD_MAGIC,
        .kind = (uint32_t)kind,
        .mode = (uint32_t)(member->mode & 07777),
        .uid = (uint32_t)member->uid,
        .gid = (uint32_t)member->gid,
        .major = (uint32_t)member->major,
        .minor = (uint32_t)member->minor,
        .name_length = (uint32_t)member->name_length,
        .link_length = (uint32_t)member->link_length,
        .xattr_count = (uint32_t)member->xattr_count,
        .size = kind == RECORD_FILE ? member->size : 0,
        .mtime = member->mtime,
        .atime = member->atime,
        .mtime_nsec = member->mtime_nsec,
        .atime_nsec = member->atime_nsec,
    };
    if (kind == RECORD_UNKNOWN)
        record.major = (unsigned char)member->type;
    char head[sizeof(record) + 2 * (LAYER_NAME_LIMIT + 1)];
    memcpy(head, &record, sizeof(record));
    memcpy(head + sizeof(record), member->name, member->name_length);
    memcpy(head + sizeof(record) + member->name_length, member->link, member->link_length);
    put(head, sizeof(record) + member->name_length + member->link_length);
    for (size_t i = 0; i < member->xattr_count; i++) {
        const struct tar_xattr *xattr = &member->xattrs[i];
        uint32_t lengths[2] = {xattr->name_length, xattr->value_length};
        put(lengths, sizeof(lengths));
        put(xattr->name, xattr->name_length);
        put(xattr->value, xattr->value_length);
    }
}

/* Whiteouts become no files, whatever they hold. */
static bool is_mark(const struct member *member)
{
    const char *slash = memrchr(member->name, '/', member->name_length);
    const char *base = slash ? slash + 1 : member->name;
    return member->name_length - (size_t)(base - member->name) >= 4 && memcmp(base, ".wh.", 4) == 0;
}

static void send_extent(struct parser *parser, const struct member *member, uint64_t offset, uint64_t length)
{
    bool named = parser->recipe && length > 0 && !is_mark(member);
    if (named) {
        recipe_content(parser->recipe, member->name, member->name_length, offset, length);
        stream_tap(parser->stream, NULL);
    }
    while (length > 0) {
        const unsigned char *part;
        size_t got = stream_take(parser->stream, &part, length > (1 << 20) ? 1 << 20 : (size_t)length);
        if (got == 0)
            layer_fail("the archive is truncated");
        struct record_chunk chunk = {.offset = offset, .length = (uint32_t)got};
        struct iovec parts[2] = {{&chunk, sizeof(chunk)}, {(void *)part, got}};
        ssize_t done = writev(LAYER_FD_OUT, parts, 2);
        size_t written = done < 0 ? 0 : (size_t)done;
        if (written < sizeof(chunk)) {
            put((char *)&chunk + written, sizeof(chunk) - written);
            written = sizeof(chunk);
        }
        put(part + (written - sizeof(chunk)), got - (written - sizeof(chunk)));
        offset += got;
        length -= got;
    }
    if (named)
        stream_tap(parser->stream, parser->recipe);
}

static void send_data(struct parser *parser, const struct member *member)
{
    if (!member->sparse) {
        send_extent(parser, member, 0, member->stored);
    } else {
        for (size_t i = 0; i < member->extent_count; i++)
            send_extent(parser, member, member->extents[i].offset, member->extents[i].length);
    }
    struct record_chunk end = {.offset = member->size};
    put(&end, sizeof(end));
}

/* Hands one member with its data on. */
static void send_member(struct parser *parser, struct member *member)
{
    header_fields(member, parser->header);
    enum record_kind kind = kind_of(member);
    uint64_t stored = member->stored;
    if (++parser->entries > parser->limits->entry_limit)
        layer_fail("the archive has more than %llu entries", (unsigned long long)parser->limits->entry_limit);
    if (member->type == 'S')
        old_sparse(parser, member);
    else if (kind == RECORD_FILE && member->sparse_major == 1 && member->sparse_minor == 0)
        new_sparse(parser, member);
    if (member->has_real_size && member->sparse)
        member->size = member->real_size;
    if (member->sparse)
        check_sparse(member);
    if (member->size > parser->limits->byte_limit)
        layer_fail("a file in the archive is larger than the limit of %llu bytes: %s",
                   (unsigned long long)parser->limits->byte_limit, layer_text(member->name, member->name_length));
    /* These carry no data, also when some writers give them a size. */
    if (member->type >= '1' && member->type <= '6')
        stored = 0;
    send_head(member, kind);
    if (kind == RECORD_FILE)
        send_data(parser, member);
    else
        stream_skip(parser->stream, stored);
    skip_padding(parser, stored);
}

/* False at the end of the archive: two blocks of zeros, or one, or none at all. */
static bool next_header(struct parser *parser)
{
    if (!stream_read(parser->stream, parser->header, BLOCK)) {
        if (parser->limits->needs_end)
            layer_fail("the archive is truncated: its end mark is missing");
        return false;
    }
    if (!all_zero(parser->header)) {
        check_sum(parser->header);
        return true;
    }
    if (stream_read(parser->stream, parser->header, BLOCK) && !all_zero(parser->header))
        layer_fail("the archive is corrupt: a single block of zeros before a member");
    return false;
}

static void parse(struct parser *parser)
{
    struct member member = {0};
    bool described = false;
    while (next_header(parser)) {
        char type = (char)parser->header[156];
        if (type != 'x' && type != 'X' && type != 'g' && type != 'L' && type != 'K') {
            send_member(parser, &member);
            member_release(&member);
            described = false;
            continue;
        }
        size_t length;
        char *data = read_special(parser, header_size(parser->header + 124, "size"), &length);
        if (type == 'x' || type == 'X') {
            pax_apply(&member, data, length);
        } else if (type == 'L') {
            member_text(&member.name, &member.name_length, data, strnlen(data, length), LAYER_NAME_LIMIT, "name");
            member.has_name = true;
        } else if (type == 'K') {
            member_text(&member.link, &member.link_length, data, strnlen(data, length), LAYER_NAME_LIMIT,
                        "link target");
            member.has_link = true;
        } /* g: defaults for the rest, in practice a comment; others leave them aside as well */
        free(data);
        described = described || type != 'g';
    }
    if (described)
        layer_fail("the archive is truncated");
}

void layer_parser(const struct layer_limits *limits)
{
    if (confine_calls(parser_calls, sizeof(parser_calls) / sizeof(*parser_calls)) < 0)
        layer_fail("seccomp: %s", layer_reason());
    struct parser parser = {.limits = limits};
    char digest[LAYER_DIGEST_LIMIT];
    parser.stream = stream_open(LAYER_FD_IN, limits->byte_limit, limits->sha512_diff);
    if (limits->recipe) {
        parser.recipe = recipe_start(LAYER_FD_RECIPE);
        stream_tap(parser.stream, parser.recipe);
    }
    parse(&parser);
    stream_digest(parser.stream, digest);
    if (parser.recipe)
        recipe_end(parser.recipe);
    struct record end = {.magic = RECORD_MAGIC, .kind = RECORD_END};
    put(&end, sizeof(end));
    layer_say("diff", "%s", digest);
    layer_say("entries", "%llu", (unsigned long long)parser.entries);
    layer_say("ok", "%s", "");
    _exit(0);
}
