#include "layer-tar.h"
#include <stdlib.h>
#include <string.h>

void member_text(char **place, size_t *ret_length, const char *text, size_t length, size_t limit, const char *what)
{
    if (memchr(text, 0, length) != NULL)
        layer_fail("the archive is corrupt: a %s has a NUL byte", what);
    if (length > limit)
        layer_fail("a %s in the archive is %zu bytes long, the limit is %zu: %s", what, length, limit,
                   layer_text(text, length));
    char *copy = malloc(length + 1);
    if (copy == NULL)
        layer_fail("out of memory");
    memcpy(copy, text, length);
    copy[length] = 0;
    free(*place);
    *place = copy;
    *ret_length = length;
}

void member_extent(struct member *member, uint64_t offset, uint64_t length)
{
    if (member->extent_count == LAYER_EXTENT_LIMIT)
        layer_fail("a sparse file in the archive has more than %d parts", LAYER_EXTENT_LIMIT);
    if (member->extent_count == member->extent_room) {
        member->extent_room = member->extent_room ? member->extent_room * 2 : 16;
        member->extents = realloc(member->extents, member->extent_room * sizeof(*member->extents));
        if (member->extents == NULL)
            layer_fail("out of memory");
    }
    member->extents[member->extent_count++] = (struct tar_extent){offset, length};
}

void member_release(struct member *member)
{
    free(member->name);
    free(member->link);
    for (size_t i = 0; i < member->xattr_count; i++) {
        free(member->xattrs[i].name);
        free(member->xattrs[i].value);
    }
    free(member->extents);
    memset(member, 0, sizeof(*member));
}

uint64_t pax_number(const char *text, size_t length, const char *what)
{
    uint64_t number = 0;
    if (length == 0)
        layer_fail("the archive is corrupt: empty %s", what);
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || number > (UINT64_MAX - 9) / 10)
            layer_fail("the archive is corrupt: %s '%s'", what, layer_text(text, length));
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    return number;
}

/* Seconds with an optional fraction, which may be negative: -1.5 is half a second before -1. */
static void pax_time(const char *text, size_t length, int64_t *ret_seconds, uint32_t *ret_nanoseconds)
{
    bool negative = length > 0 && text[0] == '-';
    size_t start = negative ? 1 : 0;
    const char *dot = memchr(text, '.', length);
    size_t whole = dot ? (size_t)(dot - text) : length;
    uint64_t seconds = pax_number(text + start, whole - start, "time");
    uint32_t nanoseconds = 0, unit = 100000000;
    for (size_t i = whole + 1; i < length; i++, unit /= 10) {
        if (text[i] < '0' || text[i] > '9')
            layer_fail("the archive is corrupt: time '%s'", layer_text(text, length));
        nanoseconds += (uint32_t)(text[i] - '0') * unit;
    }
    if (seconds > INT64_MAX / 2)
        layer_fail("the archive is corrupt: time '%s'", layer_text(text, length));
    *ret_seconds = negative ? -(int64_t)seconds : (int64_t)seconds;
    if (negative && nanoseconds > 0) {
        *ret_seconds -= 1;
        nanoseconds = 1000000000 - nanoseconds;
    }
    *ret_nanoseconds = nanoseconds;
}

static void pax_xattr(struct member *member, const char *name, size_t name_length, const char *value, size_t length)
{
    if (name_length == 0 || name_length > LAYER_COMPONENT_LIMIT)
        layer_fail("an extended attribute's name in the archive is %zu bytes long, the limit is %d", name_length,
                   LAYER_COMPONENT_LIMIT);
    if (length > LAYER_XATTR_VALUE_LIMIT)
        layer_fail("the extended attribute %s in the archive has %zu bytes, the limit is %d",
                   layer_text(name, name_length), length, LAYER_XATTR_VALUE_LIMIT);
    if (member->xattr_count == LAYER_XATTR_LIMIT)
        layer_fail("a member of the archive has more than %d extended attributes", LAYER_XATTR_LIMIT);
    struct tar_xattr *xattr = &member->xattrs[member->xattr_count];
    size_t checked = 0;
    char *copied_name = NULL;
    member_text(&copied_name, &checked, name, name_length, LAYER_COMPONENT_LIMIT, "attribute's name");
    *xattr =
        (struct tar_xattr){.name = copied_name, .name_length = (uint32_t)checked, .value_length = (uint32_t)length};
    xattr->value = malloc(length + 1);
    if (xattr->value == NULL)
        layer_fail("out of memory");
    memcpy(xattr->value, value, length);
    member->xattr_count++;
}

/* GNU.sparse.map of the form 0.1: offset,length,offset,length,… */
static void pax_sparse_map(struct member *member, const char *value, size_t length)
{
    uint64_t offset = 0;
    bool second = false;
    member->extent_count = 0;
    for (size_t start = 0; start < length;) {
        const char *comma = memchr(value + start, ',', length - start);
        size_t end = comma ? (size_t)(comma - value) : length;
        uint64_t number = pax_number(value + start, end - start, "sparse map");
        if (second)
            member_extent(member, offset, number);
        offset = number;
        second = !second;
        start = end + 1;
    }
    if (second)
        layer_fail("the archive is corrupt: a sparse map with half a pair");
}

static void pax_sparse(struct member *member, const char *key, const char *value, size_t length)
{
    if (strcmp(key, "name") == 0) {
        member_text(&member->name, &member->name_length, value, length, LAYER_NAME_LIMIT, "name");
        member->has_name = member->has_sparse_name = true;
        return;
    }
    if (strcmp(key, "map") == 0) {
        member->sparse = true;
        pax_sparse_map(member, value, length);
        return;
    }
    uint64_t number = pax_number(value, length, "sparse field");
    if (strcmp(key, "major") == 0)
        member->sparse_major = number > 9 ? 9 : (int)number;
    else if (strcmp(key, "minor") == 0)
        member->sparse_minor = number > 9 ? 9 : (int)number;
    else if (strcmp(key, "size") == 0 || strcmp(key, "realsize") == 0) {
        member->real_size = number;
        member->has_real_size = true;
    } else if (strcmp(key, "offset") == 0) {
        member->sparse = true;
        member_extent(member, number, 0);
    } else if (strcmp(key, "numbytes") == 0) {
        if (member->extent_count == 0)
            layer_fail("the archive is corrupt: a sparse map with half a pair");
        member->extents[member->extent_count - 1].length = number;
    }
}

static void pax_record(struct member *member, const char *key, size_t key_length, const char *value, size_t length)
{
    static const char xattr_prefix[] = "SCHILY.xattr.", sparse_prefix[] = "GNU.sparse.";
    size_t prefix = sizeof(xattr_prefix) - 1;
    if (key_length > prefix && strncmp(key, xattr_prefix, prefix) == 0) {
        pax_xattr(member, key + prefix, key_length - prefix, value, length);
        return;
    }
    if (length == 0) /* takes an earlier header's value back; there is none */
        return;
    if (strncmp(key, sparse_prefix, sizeof(sparse_prefix) - 1) == 0) {
        pax_sparse(member, key + sizeof(sparse_prefix) - 1, value, length);
    } else if (strcmp(key, "path") == 0) {
        if (!member->has_sparse_name) /* GNU.sparse.name is the better one, wherever it stands */
            member_text(&member->name, &member->name_length, value, length, LAYER_NAME_LIMIT, "name");
        member->has_name = true;
    } else if (strcmp(key, "linkpath") == 0) {
        member_text(&member->link, &member->link_length, value, length, LAYER_NAME_LIMIT, "link target");
        member->has_link = true;
    } else if (strcmp(key, "size") == 0) {
        member->stored = pax_number(value, length, "size");
        member->has_size = true;
    } else if (strcmp(key, "uid") == 0) {
        member->uid = pax_number(value, length, "uid");
        member->has_uid = true;
    } else if (strcmp(key, "gid") == 0) {
        member->gid = pax_number(value, length, "gid");
        member->has_gid = true;
    } else if (strcmp(key, "mtime") == 0) {
        pax_time(value, length, &member->mtime, &member->mtime_nsec);
        member->has_mtime = true;
    } else if (strcmp(key, "atime") == 0) {
        pax_time(value, length, &member->atime, &member->atime_nsec);
        member->has_atime = true;
    }
}

/* Records are `LENGTH KEY=VALUE\n`, the length counts all of it; values may hold anything (POSIX pax, "extended header"). */
void pax_apply(struct member *member, const char *data, size_t length)
{
    while (length > 0) {
        const char *space = memchr(data, ' ', length < 20 ? length : 20);
        if (space == NULL)
            layer_fail("the archive is corrupt: an extended header without a length");
        uint64_t record = pax_number(data, (size_t)(space - data), "extended header's length");
        if (record > length || record < (uint64_t)(space - data) + 4 || data[record - 1] != '\n')
            layer_fail("the archive is corrupt: an extended header with a wrong length");
        const char *key = space + 1, *end = data + record - 1;
        const char *equals = memchr(key, '=', (size_t)(end - key));
        if (equals == NULL || equals == key)
            layer_fail("the archive is corrupt: an extended header without a key");
        char text[LAYER_COMPONENT_LIMIT + 32];
        size_t key_length = (size_t)(equals - key);
        if (memchr(key, 0, key_length) != NULL)
            layer_fail("the archive is corrupt: an extended header's key has a NUL byte");
        if (key_length < sizeof(text)) {
            memcpy(text, key, key_length);
            text[key_length] = 0;
            pax_record(member, text, key_length, equals + 1, (size_t)(end - equals - 1));
        } else if (strncmp(key, "SCHILY.xattr.", 13) == 0) {
            pax_xattr(member, key + 13, key_length - 13, equals + 1, (size_t)(end - equals - 1));
        }
        data += record;
        length -= record;
    }
}
