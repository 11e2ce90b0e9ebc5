/*
 * Text of unit files, in C because every file of a boot goes through it: which kinds of characters a text has, and the usual
 * unit file cut into its assignments. Both only answer; what it means is decided in src/unit.
 */
#include "host.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The bits of src/base/kinds.ts. */
enum {
    kind_control = 1, /* below 0x20 but tab and newline; 0x7f */
    kind_newline = 2,
    kind_tab = 4,
    kind_space = 8,
    kind_quote = 16, /* " and ' */
    kind_backslash = 32,
    kind_expanded = 64, /* % and $ */
    kind_high = 128,    /* from 0x80 up */
    kind_other = 256,   /* printable, but none of A-Z a-z 0-9 _ . - and not named above */
};

#define ROW4(a) a, a, a, a
#define ROW16(a) ROW4(a), ROW4(a), ROW4(a), ROW4(a)
#define C kind_control
#define O kind_other
static const uint16_t kinds[256] = {
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    C,
    kind_tab,
    kind_newline,
    C,
    C,
    C,
    C,
    C,        /* 0x00 */
    ROW16(C), /* 0x10 */
    kind_space,
    O,
    kind_quote,
    O,
    kind_expanded,
    kind_expanded,
    O,
    kind_quote, /* sp ! " # $ % & ' */
    O,
    O,
    O,
    O,
    O,
    0,
    0,
    O, /* ( ) * + , - . / */
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    O,
    O,
    O,
    O,
    O,
    O, /* 0-9 : ; < = > ? */
    O,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0, /* @ A-O */
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    O,
    kind_backslash,
    O,
    O,
    0, /* P-Z [ \ ] ^ _ */
    O,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0, /* ` a-o */
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    O,
    O,
    O,
    O,
    C, /* p-z { | } ~ DEL */
    ROW16(kind_high),
    ROW16(kind_high),
    ROW16(kind_high),
    ROW16(kind_high),
    ROW16(kind_high),
    ROW16(kind_high),
    ROW16(kind_high),
    ROW16(kind_high),
};
#undef C
#undef O

static uint32_t kinds_of(const char *data, size_t length)
{
    uint32_t found = 0;
    for (size_t i = 0; i < length; i++)
        found |= kinds[(unsigned char)data[i]];
    return found;
}

/* A byte from 0x80 up arrives as two of them: the same answer. */
FUNCTION(text_kinds)
{
    UNUSED;
    size_t length;
    const char *text = JS_ToCStringLen(context, &length, argv[0]);
    if (!text)
        return JS_EXCEPTION;
    uint32_t found = kinds_of(text, length);
    JS_FreeCString(context, text);
    return JS_NewInt32(context, (int32_t)found);
}

/* FNV-1a, 64 bits, as 16 hexadecimal digits: src/base/hash.ts. */
FUNCTION(text_hash)
{
    UNUSED;
    size_t length;
    const char *text = JS_ToCStringLen(context, &length, argv[0]);
    if (!text)
        return JS_EXCEPTION;
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
    JS_FreeCString(context, text);
    char digits[17];
    for (int i = 0; i < 16; i++)
        digits[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
    return JS_NewStringLen(context, digits, 16);
}

/*
 * Words with blanks between them; quotes group, also inside a word. Undefined when a backslash or a quote that is not closed
 * needs the reader in src/unit/values.ts.
 */
FUNCTION(text_words)
{
    UNUSED;
    cleanup_bytes struct bytes text = BYTES_NONE;
    if (take_bytes(context, argv[0], &text) < 0)
        return JS_EXCEPTION;
    cleanup_free char *word = malloc(text.length + 1);
    if (!word)
        return JS_ThrowOutOfMemory(context);
    JSValue words = JS_NewArray(context);
    uint32_t count = 0;
    const char *at = text.data, *end = at + text.length;
    for (;;) {
        while (at < end && (unsigned char)*at <= ' ')
            at++;
        if (at == end)
            return words;
        size_t used = 0;
        char quote = 0;
        for (; at < end && (quote || (unsigned char)*at > ' '); at++) {
            if (*at == '\\')
                break;
            if (quote ? *at == quote : *at == '"' || *at == '\'')
                quote = quote ? 0 : *at;
            else
                word[used++] = *at;
        }
        if (quote || (at < end && *at == '\\'))
            break;
        JS_SetPropertyUint32(context, words, count++, give_bytes(context, word, used));
    }
    JS_FreeValue(context, words);
    return JS_UNDEFINED;
}

/* Text that grows. */
struct growing {
    char *data;
    size_t used, room;
};

static int grow(struct growing *text, size_t more)
{
    if (text->used + more <= text->room)
        return 0;
    size_t room = (text->used + more) * 2;
    char *grown = realloc(text->data, room);
    if (!grown)
        return -1;
    text->data = grown;
    text->room = room;
    return 0;
}

/* One word and a blank; 1 when the word needs an escape. Empty words, words with blanks and a lone `;` are put in quotes. */
static int add_exec_word(struct growing *line, const struct bytes *word)
{
    uint32_t found = kinds_of(word->data, word->length);
    if (found & (kind_control | kind_newline | kind_tab | kind_quote | kind_backslash))
        return 1;
    if (grow(line, word->length + 3) < 0)
        return -1;
    bool quoted = (found & kind_space) || word->length == 0 || strcmp(word->data, ";") == 0;
    char *at = line->data + line->used;
    if (quoted)
        *at++ = '"';
    memcpy(at, word->data, word->length);
    at += word->length;
    if (quoted)
        *at++ = '"';
    *at++ = ' ';
    line->used = (size_t)(at - line->data);
    return 0;
}

/* The words of an Exec line as one text; undefined when a word needs escapes (src/unit/write.ts). */
FUNCTION(text_exec_line)
{
    UNUSED;
    uint32_t count;
    if (take_length(context, argv[0], 1 << 20, &count) < 0)
        return JS_EXCEPTION;
    struct growing line = {0};
    int result = 0;
    for (uint32_t i = 0; i < count && result == 0; i++) {
        JSValue value = JS_GetPropertyUint32(context, argv[0], i);
        cleanup_bytes struct bytes word = BYTES_NONE;
        result = take_bytes(context, value, &word) < 0 ? -1 : add_exec_word(&line, &word);
        JS_FreeValue(context, value);
    }
    JSValue text = JS_UNDEFINED;
    if (result == 0)
        text = give_bytes(context, line.data ? line.data : "", line.used > 0 ? line.used - 1 : 0);
    else if (result < 0)
        text = JS_HasException(context) ? JS_EXCEPTION : JS_ThrowOutOfMemory(context);
    free(line.data);
    return text;
}

/* A unit file being cut: what becomes the arrays of `UnitCut`. */
struct cut {
    JSContext *context;
    JSValue words, numbers;
    uint32_t word_count, number_count;
    bool in_section;
    uint32_t section; /* where the numbers of the section begin */
};

static void add_word(struct cut *cut, const char *data, size_t length)
{
    JS_SetPropertyUint32(cut->context, cut->words, cut->word_count++, JS_NewStringLen(cut->context, data, length));
}

static void add_number(struct cut *cut, size_t number)
{
    JS_SetPropertyUint32(cut->context, cut->numbers, cut->number_count++, JS_NewInt32(cut->context, (int32_t)number));
}

static void set_number(struct cut *cut, uint32_t at, size_t number)
{
    JS_SetPropertyUint32(cut->context, cut->numbers, at, JS_NewInt32(cut->context, (int32_t)number));
}

/* `[Name]`, nothing else in the brackets that could be meant as one. */
static bool is_header(const char *line, size_t length)
{
    if (length < 3 || line[length - 1] != ']')
        return false;
    return !memchr(line + 1, '[', length - 1) && !memchr(line + 1, ']', length - 2);
}

/* `KEY=VALUE` without blanks around the equal sign. Its place, or NULL. */
static const char *usual_equal(const char *line, size_t length)
{
    const char *equal = memchr(line, '=', length);
    if (!equal || equal == line || equal[-1] == ' ')
        return NULL;
    return equal + 1 < line + length && equal[1] == ' ' ? NULL : equal;
}

/* Ends the section before the line `at`; `filled` is the end of its last line that is not empty. */
static void end_section(struct cut *cut, size_t at, size_t filled, uint32_t count)
{
    if (!cut->in_section)
        return;
    set_number(cut, cut->section + 1, at);
    set_number(cut, cut->section + 3, filled);
    set_number(cut, cut->section + 4, count);
}

/*
 * Cuts a text of printable ASCII; false when it has anything that the reader in src/unit/lexer.ts must look at: blanks at the
 * ends of lines or around an equal sign, continuations, lines that are no assignment, assignments without a section.
 */
static bool cut_text(struct cut *cut, const char *text, size_t length)
{
    size_t line = 0, filled = 0;
    uint32_t count = 0;
    for (size_t from = 0; from < length; line++) {
        const char *start = text + from, *newline = memchr(start, '\n', length - from);
        size_t size = newline ? (size_t)(newline - start) : length - from, next = from + size + 1;
        if (size > 0) {
            char last = start[size - 1];
            if (start[0] == ' ' || last == ' ' || last == '\\')
                return false;
            if (start[0] == '[') {
                if (!is_header(start, size))
                    return false;
                end_section(cut, line, filled, count);
                cut->in_section = true;
                cut->section = cut->number_count;
                count = 0;
                const size_t numbers[] = {line, line + 1, next, next, 0};
                for (size_t i = 0; i < COUNT(numbers); i++)
                    add_number(cut, numbers[i]);
                add_word(cut, start + 1, size - 2);
            } else if (start[0] != '#' && start[0] != ';') {
                const char *equal = usual_equal(start, size);
                if (!equal || !cut->in_section)
                    return false;
                add_number(cut, line);
                add_word(cut, start, (size_t)(equal - start));
                add_word(cut, equal + 1, (size_t)(start + size - equal - 1));
                count++;
            }
            filled = from + size;
        }
        from = next;
    }
    end_section(cut, line, filled, count);
    return true;
}

/* Larger files are left to the reader that reports them. */
enum { largest_cut = 1 << 20 };

static ssize_t read_small(const char *path, char **ret_data, const char **call)
{
    *call = "open";
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat status;
    if (fd < 0 || (*call = "fstat", fstat(fd, &status) < 0))
        return -1;
    if (!S_ISREG(status.st_mode) || status.st_size >= largest_cut)
        return 0;
    /* One byte more than it should have: what fits is the whole file. */
    size_t room = (size_t)status.st_size + 1;
    cleanup_free char *data = malloc(room);
    *call = "read";
    ssize_t got = data ? read(fd, data, room) : -1;
    if (got < 0)
        return -1;
    if ((size_t)got == room || got != status.st_size)
        return 0;
    *ret_data = steal_pointer(&data);
    return got;
}

FUNCTION(read_unit)
{
    UNUSED;
    cleanup_bytes struct bytes path = BYTES_NONE;
    if (take_path(context, argv[0], &path) < 0)
        return JS_EXCEPTION;
    cleanup_free char *data = NULL;
    const char *call;
    ssize_t length = read_small(path.data, &data, &call);
    if (length < 0)
        return throw_errno(context, call, path.data);
    if (length == 0 || (kinds_of(data, (size_t)length) & (kind_control | kind_tab | kind_high)) != 0)
        return JS_UNDEFINED;
    struct cut cut = {.context = context, .words = JS_NewArray(context), .numbers = JS_NewArray(context)};
    JSValue result = JS_UNDEFINED;
    if (cut_text(&cut, data, (size_t)length)) {
        result = JS_NewObject(context);
        give_property(context, result, "text", JS_NewStringLen(context, data, (size_t)length));
        give_property(context, result, "words", JS_DupValue(context, cut.words));
        give_property(context, result, "numbers", JS_DupValue(context, cut.numbers));
    }
    JS_FreeValue(context, cut.words);
    JS_FreeValue(context, cut.numbers);
    return result;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("textKinds", 1, text_kinds), JS_CFUNC_DEF("textHash", 1, text_hash),
    JS_CFUNC_DEF("textWords", 1, text_words), JS_CFUNC_DEF("textExecLine", 1, text_exec_line),
    JS_CFUNC_DEF("readUnit", 1, read_unit),
};

void host_install_text(JSContext *context, JSValueConst host)
{
    INSTALL(context, host, functions);
}
