/* Decoder of the list of operations (T30): every length is checked once, here, before anything is played. */
#include "ops.h"
#include "text.h"

#define BERTH_OP_ROW(function, name, fields, rest) {name, fields, rest},
const struct op_row op_rows[OP_COUNT] = {BERTH_OPS(BERTH_OP_ROW)};
#undef BERTH_OP_ROW

static const char magic[] = "BERTHOPS1\n";

bool ops_open(struct ops *ops, const char *data, size_t length)
{
    ops->data = data;
    ops->length = length;
    ops->at = sizeof magic - 1;
    return length >= ops->at && length <= OPS_MAX_LIST && memcmp(data, magic, ops->at) == 0;
}

/* What is wrong with a field of this kind, or NULL. */
static const char *check_field(char kind, const char *field)
{
    uint64_t value;
    int64_t number;
    switch (kind) {
    case 'p':
    case 'g':
        /* root-overlay without a writable layer has an empty path there; the operation itself decides. */
        return *field == '/' || *field == 0 ? NULL : "a path is not absolute";
    case 'i': return text_signed(field, &number) ? NULL : "a field is no decimal number";
    case 'o': return text_unsigned(field, 8, 07777, &value) ? NULL : "a field is no octal mode";
    case 'h': return text_unsigned(field, 16, UINT64_MAX, &value) ? NULL : "a field is no hexadecimal number";
    case 'd': return text_unsigned(field, 10, 1023, &value) ? NULL : "a field is no descriptor index";
    default: return NULL;
    }
}

static unsigned find_row(const char *name)
{
    unsigned i = 0;
    while (i < OP_COUNT && !text_equal(op_rows[i].name, name))
        i++;
    return i;
}

/* Splits the record's fields; the record is known to end with NUL. */
static const char *split(const char *at, const char *end, struct op *op, const char **room)
{
    const struct op_row *row = &op_rows[op->number];
    unsigned kinds = (unsigned)text_length(row->fields);
    unsigned most = row->rest ? OPS_MAX_REST : OPS_MAX_FIELDS;
    for (; at < end; at += text_length(at) + 1) {
        unsigned kind = op->count < kinds ? op->count : kinds - 1;
        if (op->count == most || (op->count >= kinds && !row->rest))
            return "too many fields";
        const char *why = check_field(row->fields[kind], at);
        if (why != NULL)
            return why;
        if (room != NULL)
            room[op->count] = at;
        op->count++;
    }
    if (op->count < kinds - row->rest)
        return "too few fields";
    if (room != NULL)
        room[op->count] = NULL;
    op->fields = room;
    return NULL;
}

enum ops_next ops_next(struct ops *ops, struct op *op, const char **room, const char **why)
{
    size_t left = ops->length - ops->at;
    const unsigned char *head = (const unsigned char *)ops->data + ops->at;
    *op = (struct op){.number = OP_COUNT};
    if (left == 0)
        return OPS_END;
    *why = "a record is cut short";
    if (left < 4)
        return OPS_BAD;
    size_t length = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
    const char *record = ops->data + ops->at + 4;
    if (length > left - 4)
        return OPS_BAD;
    *why = "a record has no end or is too long";
    if (length == 0 || length > OPS_MAX_RECORD || record[length - 1] != 0)
        return OPS_BAD;
    *why = "no such operation";
    op->number = find_row(record);
    if (op->number == OP_COUNT)
        return OPS_BAD;
    *why = split(record + text_length(record) + 1, record + length, op, room);
    if (*why != NULL)
        return OPS_BAD;
    ops->at += 4 + length;
    return OPS_OP;
}
