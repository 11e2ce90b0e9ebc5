#include "host.h"
#include "journal-end.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct host_roots host_roots = {JS_UNDEFINED, JS_UNDEFINED};

void bytes_release(struct bytes *bytes)
{
    if (bytes->borrowed)
        JS_FreeCString(bytes->context, bytes->borrowed);
    free(bytes->owned);
    *bytes = BYTES_NONE;
}

/* UTF-8 of characters below U+0100 to one byte each; -1 when a character is above. */
static ssize_t narrow(const char *text, size_t length, char *target)
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x80) {
            target[used++] = (char)byte;
            continue;
        }
        if ((byte != 0xC2 && byte != 0xC3) || i + 1 >= length)
            return -1;
        target[used++] = (char)((byte << 6) | ((unsigned char)text[++i] & 0x3F));
    }
    return (ssize_t)used;
}

static bool is_ascii(const char *data, size_t length)
{
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, data + i, 8);
        if (word & UINT64_C(0x8080808080808080))
            return false;
    }
    for (; i < length; i++)
        if ((unsigned char)data[i] >= 0x80)
            return false;
    return true;
}

int take_bytes(JSContext *context, JSValueConst value, struct bytes *bytes)
{
    *bytes = (struct bytes){.context = context};
    if (!JS_IsString(value)) {
        JS_ThrowTypeError(context, "the host takes a byte string here");
        return -1;
    }
    bytes->borrowed = JS_ToCStringLen(context, &bytes->length, value);
    if (!bytes->borrowed)
        return -1;
    bytes->data = bytes->borrowed;
    if (is_ascii(bytes->data, bytes->length))
        return 0;
    bytes->owned = malloc(bytes->length + 1);
    ssize_t length = bytes->owned ? narrow(bytes->borrowed, bytes->length, bytes->owned) : -1;
    if (length < 0) {
        JS_ThrowTypeError(context, "a byte string has a character above U+00FF");
        return -1;
    }
    bytes->owned[length] = 0;
    bytes->data = bytes->owned;
    bytes->length = (size_t)length;
    return 0;
}

int take_path(JSContext *context, JSValueConst value, struct bytes *bytes)
{
    if (take_bytes(context, value, bytes) < 0)
        return -1;
    if (memchr(bytes->data, 0, bytes->length) == NULL)
        return 0;
    struct error error;
    error_set(&error, "open", EINVAL, "", "a path or word has a NUL byte");
    throw_error(context, &error);
    return -1;
}

int take_int(JSContext *context, JSValueConst value, int *ret_number)
{
    double number;
    if (!JS_IsNumber(value) || JS_ToFloat64(context, &number, value) < 0 || !(number >= INT_MIN && number <= INT_MAX)) {
        JS_ThrowTypeError(context, "the host takes a number here");
        return -1;
    }
    *ret_number = (int)number;
    return 0;
}

int take_unsigned(JSContext *context, JSValueConst value, uint32_t *ret_number)
{
    double number;
    if (!JS_IsNumber(value) || JS_ToFloat64(context, &number, value) < 0 || !(number >= 0 && number <= UINT32_MAX)) {
        JS_ThrowTypeError(context, "the host takes a number from 0 to 4294967295 here");
        return -1;
    }
    *ret_number = (uint32_t)number;
    return 0;
}

JSValue take_property(JSContext *context, JSValueConst object, const char *name)
{
    return JS_IsObject(object) ? JS_GetPropertyStr(context, object, name) : JS_UNDEFINED;
}

int take_length(JSContext *context, JSValueConst array, uint32_t limit, uint32_t *ret_length)
{
    if (!JS_IsArray(context, array)) {
        JS_ThrowTypeError(context, "the host takes an array here");
        return -1;
    }
    JSValue value = JS_GetPropertyStr(context, array, "length");
    uint32_t length;
    if (take_unsigned(context, value, &length) < 0)
        return -1;
    if (length > limit) {
        JS_ThrowRangeError(context, "%u elements are too many for the host, at most %u", length, limit);
        return -1;
    }
    *ret_length = length;
    return 0;
}

int take_words(JSContext *context, JSValueConst array, char ***ret_words)
{
    uint32_t count;
    if (take_length(context, array, 1 << 20, &count) < 0)
        return -1;
    size_t head = ((size_t)count + 1) * sizeof(char *), used = head, room = head + 4096;
    char *block = malloc(room);
    size_t *offsets = malloc(((size_t)count + 1) * sizeof(size_t));
    int result = block && offsets ? 0 : -1;
    for (uint32_t i = 0; i < count && result == 0; i++) {
        JSValue value = JS_GetPropertyUint32(context, array, i);
        cleanup_bytes struct bytes word = BYTES_NONE;
        result = take_path(context, value, &word);
        JS_FreeValue(context, value);
        if (result < 0)
            break;
        if (used + word.length + 1 > room) {
            room = (used + word.length + 1) * 2;
            char *grown = realloc(block, room);
            if (!grown) {
                result = -1;
                break;
            }
            block = grown;
        }
        memcpy(block + used, word.data, word.length + 1);
        offsets[i] = used;
        used += word.length + 1;
    }
    if (result == 0) {
        char **words = (char **)block;
        for (uint32_t i = 0; i < count; i++)
            words[i] = block + offsets[i];
        words[count] = NULL;
        *ret_words = words;
    } else {
        free(block);
        if (!JS_HasException(context))
            JS_ThrowOutOfMemory(context);
    }
    free(offsets);
    return result;
}

int take_fds(JSContext *context, JSValueConst array, uint32_t limit, int **ret_fds, uint32_t *ret_count)
{
    uint32_t count;
    if (take_length(context, array, limit, &count) < 0)
        return -1;
    int *fds = malloc((count + 1) * sizeof(int));
    if (!fds) {
        JS_ThrowOutOfMemory(context);
        return -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        JSValue value = JS_GetPropertyUint32(context, array, i);
        int result = take_int(context, value, &fds[i]);
        JS_FreeValue(context, value);
        if (result < 0) {
            free(fds);
            return -1;
        }
    }
    *ret_fds = fds;
    *ret_count = count;
    return 0;
}

JSValue give_bytes(JSContext *context, const char *data, size_t length)
{
    if (is_ascii(data, length))
        return JS_NewStringLen(context, data, length);
    size_t wide = length;
    for (size_t i = 0; i < length; i++)
        wide += (unsigned char)data[i] >> 7;
    char *text = malloc(wide);
    if (!text)
        return JS_ThrowOutOfMemory(context);
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)data[i];
        if (byte >= 0x80) {
            text[used++] = (char)(0xC0 | (byte >> 6));
            byte = 0x80 | (byte & 0x3F);
        }
        text[used++] = (char)byte;
    }
    JSValue value = JS_NewStringLen(context, text, used);
    free(text);
    return value;
}

JSValue give_string(JSContext *context, const char *text)
{
    return give_bytes(context, text, strlen(text));
}

void give_property(JSContext *context, JSValueConst object, const char *name, JSValue value)
{
    JS_DefinePropertyValueStr(context, object, name, value, JS_PROP_C_W_E);
}

JSValue throw_error(JSContext *context, const struct error *error)
{
    if (JS_IsUndefined(host_roots.error_factory))
        return JS_ThrowInternalError(context, "%s: %s", error->path, error->text);
    JSValue arguments[] = {
        JS_NewString(context, error->syscall), JS_NewString(context, error_name(error->number)),
        JS_NewInt32(context, error->number),   give_string(context, error->text),
        give_string(context, error->path),
    };
    JSValue made = JS_Call(context, host_roots.error_factory, JS_UNDEFINED, COUNT(arguments), arguments);
    for (size_t i = 0; i < COUNT(arguments); i++)
        JS_FreeValue(context, arguments[i]);
    return JS_IsException(made) ? made : JS_Throw(context, made);
}

JSValue throw_errno(JSContext *context, const char *syscall, const char *path)
{
    struct error error;
    error_errno(&error, syscall, path);
    return throw_error(context, &error);
}

JSValue give_exit(JSContext *context, int status, int signal)
{
    JSValue object = JS_NewObject(context);
    give_property(context, object, signal ? "signal" : "status", JS_NewInt32(context, signal ? signal : status));
    return object;
}

int read_all(int fd, size_t size_hint, size_t limit, char **ret_data, size_t *ret_length)
{
    size_t room = (size_hint < limit ? size_hint : limit) + 512, used = 0;
    cleanup_free char *data = malloc(room);
    while (data) {
        ssize_t got = read(fd, data + used, room - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0) {
            *ret_data = steal_pointer(&data);
            *ret_length = used;
            return 0;
        }
        used += (size_t)got;
        if (used > limit) {
            errno = EFBIG;
            return -1;
        }
        if (room - used < 256) {
            room *= 2;
            char *grown = realloc(data, room);
            if (!grown)
                break;
            data = grown;
        }
    }
    errno = ENOMEM;
    return -1;
}

int write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t done = write(fd, data, length);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        data += done;
        length -= (size_t)done;
    }
    return 0;
}

/* onError(factory): factory(syscall, code, errno, text, path) makes what is thrown. */
static JSValue on_error(JSContext *context, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    host_roots.error_factory = JS_DupValue(context, argv[0]);
    return JS_UNDEFINED;
}

/* enter(entries): the programs that the bytecode holds. */
static JSValue enter(JSContext *context, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    host_roots.entries = JS_DupValue(context, argv[0]);
    return JS_UNDEFINED;
}

static JSValue finish(JSContext *context, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int status;
    if (take_int(context, argv[0], &status) < 0)
        return JS_EXCEPTION;
    journal_end(status & 0xFF);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("onError", 1, on_error),
    JS_CFUNC_DEF("enter", 1, enter),
    JS_CFUNC_DEF("finish", 1, finish),
};

void host_install(JSContext *context, JSValueConst host)
{
    INSTALL(context, host, functions);
    host_install_files(context, host);
    host_install_tree(context, host);
    host_install_processes(context, host);
    host_install_facts(context, host);
    host_install_sockets(context, host);
    host_install_kernel(context, host);
    host_install_split(context, host);
    host_install_text(context, host);
    host_install_layers(context, host);
}

void host_install_process(JSContext *context, JSValueConst host, int argc, char **argv)
{
    host_install_ids(context, host);
    JSValue words = JS_NewArray(context);
    for (int i = 0; i < argc; i++)
        JS_DefinePropertyValueUint32(context, words, (uint32_t)i, give_string(context, argv[i]), JS_PROP_C_W_E);
    give_property(context, host, "argv", words);
}
