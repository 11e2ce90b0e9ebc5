/* The calls of src/image/layer-calls.ts: layers, for the program `layer`. */
#include "host.h"
#include "layer.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void free_map(struct store_map *map)
{
    free(map->uid);
    free(map->gid);
}
#define cleanup_map __attribute__((cleanup(free_map)))

/* An array of [inside, outside, count]. */
static int take_ranges(JSContext *context, JSValueConst array, struct id_range **ret_ranges, size_t *ret_count)
{
    uint32_t count;
    if (take_length(context, array, 340, &count) < 0) /* the kernel's own limit of lines */
        return -1;
    struct id_range *ranges = calloc(count + 1, sizeof(*ranges));
    int result = ranges ? 0 : -1;
    for (uint32_t i = 0; i < count && result == 0; i++) {
        uint32_t numbers[3];
        JSValue line = JS_GetPropertyUint32(context, array, i);
        for (uint32_t k = 0; k < 3 && result == 0; k++) {
            JSValue number = JS_GetPropertyUint32(context, line, k);
            result = take_unsigned(context, number, &numbers[k]);
            JS_FreeValue(context, number);
        }
        JS_FreeValue(context, line);
        if (result == 0)
            ranges[i] = (struct id_range){numbers[0], numbers[1], numbers[2]};
    }
    if (result < 0) {
        free(ranges);
        return -1;
    }
    *ret_ranges = ranges;
    *ret_count = count;
    return 0;
}

/* {kind, uid, gid} */
static int take_map(JSContext *context, JSValueConst value, struct store_map *map)
{
    JSValue kind = take_property(context, value, "kind"), uid = take_property(context, value, "uid"),
            gid = take_property(context, value, "gid");
    cleanup_bytes struct bytes text = BYTES_NONE;
    int result = take_bytes(context, kind, &text);
    if (result == 0)
        result = take_ranges(context, uid, &map->uid, &map->uid_count);
    if (result == 0)
        result = take_ranges(context, gid, &map->gid, &map->gid_count);
    if (result == 0)
        map->kind = strcmp(text.data, "host") == 0     ? MAP_HOST
                    : strcmp(text.data, "single") == 0 ? MAP_SINGLE
                                                       : MAP_SUBORDINATE;
    JS_FreeValue(context, kind);
    JS_FreeValue(context, uid);
    JS_FreeValue(context, gid);
    return result;
}

static int take_double(JSContext *context, JSValueConst object, const char *name, double *ret_number)
{
    JSValue value = take_property(context, object, name);
    int result = JS_ToFloat64(context, ret_number, value);
    JS_FreeValue(context, value);
    return result;
}

static bool take_flag(JSContext *context, JSValueConst object, const char *name)
{
    JSValue value = take_property(context, object, name);
    bool flag = JS_ToBool(context, value) == 1;
    JS_FreeValue(context, value);
    return flag;
}

static JSValue give_result(JSContext *context, const struct layer_result *result)
{
    JSValue object = JS_NewObject(context);
    give_property(context, object, "blob", give_string(context, result->blob));
    give_property(context, object, "diffId", give_string(context, result->diff_id));
    give_property(context, object, "blobSize", JS_NewInt64(context, (int64_t)result->blob_size));
    give_property(context, object, "size", JS_NewInt64(context, (int64_t)result->size));
    give_property(context, object, "entries", JS_NewInt64(context, (int64_t)result->entries));
    give_property(context, object, "replaced", JS_NewBool(context, result->replaced));
    give_property(context, object, "warnings", give_string(context, result->warnings ? result->warnings : ""));
    return object;
}

/* {prefix, uid, gid, overwrite, plain}; undefined: a layer. 1 when there is one. */
static int take_copy(JSContext *context, JSValueConst request, struct layer_copy *copy)
{
    JSValue value = take_property(context, request, "copy");
    cleanup_bytes struct bytes prefix = BYTES_NONE;
    double uid, gid;
    int result = JS_IsObject(value) ? 1 : 0;
    if (result == 1) {
        JSValue text = take_property(context, value, "prefix");
        if (take_bytes(context, text, &prefix) < 0 || take_double(context, value, "uid", &uid) < 0 ||
            take_double(context, value, "gid", &gid) < 0)
            result = -1;
        JS_FreeValue(context, text);
    }
    if (result == 1) {
        *copy = (struct layer_copy){.uid = (int64_t)uid,
                                    .gid = (int64_t)gid,
                                    .overwrite = take_flag(context, value, "overwrite"),
                                    .plain = take_flag(context, value, "plain")};
        snprintf(copy->prefix, sizeof(copy->prefix), "%s", prefix.data);
    }
    JS_FreeValue(context, value);
    return result;
}

/* applyLayer(target, {source, offset, length, sha512Blob, sha512Diff, needsEnd, byteLimit, entryLimit, recipe, userns?, copy?}, map) */
FUNCTION(apply_layer)
{
    UNUSED;
    cleanup_bytes struct bytes target = BYTES_NONE;
    cleanup_map struct store_map map = {0};
    double source, offset, length, byte_limit, entry_limit, recipe;
    struct layer_result result;
    struct error error = {0};
    if (take_path(context, argv[0], &target) < 0 || take_double(context, argv[1], "source", &source) < 0 ||
        take_double(context, argv[1], "offset", &offset) < 0 || take_double(context, argv[1], "length", &length) < 0 ||
        take_double(context, argv[1], "byteLimit", &byte_limit) < 0 ||
        take_double(context, argv[1], "entryLimit", &entry_limit) < 0 ||
        take_double(context, argv[1], "recipe", &recipe) < 0 || take_map(context, argv[2], &map) < 0)
        return JS_EXCEPTION;
    JSValue userns = take_property(context, argv[1], "userns");
    if (!JS_IsUndefined(userns))
        JS_ToInt32(context, &map.userns, userns);
    JS_FreeValue(context, userns);
    static struct layer_copy copy;
    int copies = take_copy(context, argv[1], &copy);
    if (copies < 0)
        return JS_EXCEPTION;
    cleanup_close int directory = open(target.data, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return throw_errno(context, "open", target.data);
    const struct layer_request request = {
        .source = (int)source,
        .offset = (int64_t)offset,
        .length = (int64_t)length,
        .target = directory,
        .sha512_blob = take_flag(context, argv[1], "sha512Blob"),
        .sha512_diff = take_flag(context, argv[1], "sha512Diff"),
        .needs_end = take_flag(context, argv[1], "needsEnd"),
        .byte_limit = (uint64_t)byte_limit,
        .entry_limit = (uint64_t)entry_limit,
        .recipe = (int)recipe,
        .copy = copies == 1 ? &copy : NULL,
        .map = &map,
    };
    int done = layer_apply(&request, &result, &error);
    JSValue value = done < 0 ? throw_error(context, &error) : give_result(context, &result);
    free(result.warnings);
    return value;
}

/* holdUserns(map) */
FUNCTION(hold_userns)
{
    UNUSED;
    cleanup_map struct store_map map = {0};
    struct error error = {0};
    if (take_map(context, argv[0], &map) < 0)
        return JS_EXCEPTION;
    return userns_hold(&map, &error) < 0 ? throw_error(context, &error) : JS_UNDEFINED;
}

/* removeLayers(paths, map) */
FUNCTION(remove_layers)
{
    UNUSED;
    cleanup_map struct store_map map = {0};
    cleanup_free char **paths = NULL;
    struct error error = {0};
    if (take_words(context, argv[0], &paths) < 0 || take_map(context, argv[1], &map) < 0)
        return JS_EXCEPTION;
    return layer_remove(&map, paths, &error) < 0 ? throw_error(context, &error) : JS_UNDEFINED;
}

/* exportLayer(directory, fd, flags) */
FUNCTION(export_layer)
{
    UNUSED;
    cleanup_bytes struct bytes path = BYTES_NONE;
    int target, flags;
    struct error error = {0};
    if (take_path(context, argv[0], &path) < 0 || take_int(context, argv[1], &target) < 0 ||
        take_int(context, argv[2], &flags) < 0)
        return JS_EXCEPTION;
    cleanup_close int directory = open(path.data, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return throw_errno(context, "open", path.data);
    return layer_export(directory, target, (unsigned)flags, &error) < 0 ? throw_error(context, &error) : JS_UNDEFINED;
}

/* transferOut({root, path, name, target, flags, confined}, map): the kind of what stands there. */
FUNCTION(transfer)
{
    UNUSED;
    cleanup_map struct store_map map = {0};
    cleanup_bytes struct bytes path = BYTES_NONE, name = BYTES_NONE;
    double root, target, flags;
    char kind[TRANSFER_KIND_LIMIT];
    struct error error = {0};
    JSValue path_value = take_property(context, argv[0], "path"), name_value = take_property(context, argv[0], "name");
    int taken = take_path(context, path_value, &path) < 0 ? -1 : take_bytes(context, name_value, &name);
    JS_FreeValue(context, path_value);
    JS_FreeValue(context, name_value);
    if (taken < 0 || take_double(context, argv[0], "root", &root) < 0 ||
        take_double(context, argv[0], "target", &target) < 0 || take_double(context, argv[0], "flags", &flags) < 0 ||
        take_map(context, argv[1], &map) < 0)
        return JS_EXCEPTION;
    const struct transfer_request request = {
        .root = (int)root,
        .path = path.data,
        .name = name.data,
        .target = (int)target,
        .flags = (unsigned)flags,
        .confined = take_flag(context, argv[0], "confined"),
        .map = &map,
    };
    return transfer_out(&request, kind, &error) < 0 ? throw_error(context, &error) : give_string(context, kind);
}

/* assembleLayer(root, recipe, target, sha512, map): the digest of the stream. */
FUNCTION(assemble_layer)
{
    UNUSED;
    cleanup_bytes struct bytes root = BYTES_NONE;
    cleanup_map struct store_map map = {0};
    char digest[LAYER_DIGEST_LIMIT];
    int recipe, target;
    struct error error = {0};
    if (take_path(context, argv[0], &root) < 0 || take_int(context, argv[1], &recipe) < 0 ||
        take_int(context, argv[2], &target) < 0 || take_map(context, argv[4], &map) < 0)
        return JS_EXCEPTION;
    cleanup_close int directory = open(root.data, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return throw_errno(context, "open", root.data);
    const struct layer_assembly request = {
        .root = directory, .recipe = recipe, .target = target, .sha512 = JS_ToBool(context, argv[3]) == 1, .map = &map};
    return layer_assemble(&request, digest, &error) < 0 ? throw_error(context, &error) : give_string(context, digest);
}

/* plain(source, target, byteLimit, ratioLimit) */
FUNCTION(decompress)
{
    UNUSED;
    int source, target;
    double limit, ratio;
    struct error error = {0};
    if (take_int(context, argv[0], &source) < 0 || take_int(context, argv[1], &target) < 0 ||
        JS_ToFloat64(context, &limit, argv[2]) < 0 || JS_ToFloat64(context, &ratio, argv[3]) < 0)
        return JS_EXCEPTION;
    return layer_plain(source, target, (uint64_t)limit, (uint64_t)ratio, &error) < 0 ? throw_error(context, &error)
                                                                                     : JS_UNDEFINED;
}

/* syncFileSystem(path): all that was written to the file system of this directory is on disk. */
FUNCTION(sync_file_system)
{
    UNUSED;
    cleanup_bytes struct bytes path = BYTES_NONE;
    if (take_path(context, argv[0], &path) < 0)
        return JS_EXCEPTION;
    cleanup_close int directory = open(path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || syncfs(directory) < 0)
        return throw_errno(context, "syncfs", path.data);
    return JS_UNDEFINED;
}

/* lockDescriptor(fd, wait): flock(2) on an open file that we share with who started us, and which therefore outlives us; false: busy. */
FUNCTION(lock_descriptor)
{
    UNUSED;
    int fd, result;
    if (take_int(context, argv[0], &fd) < 0)
        return JS_EXCEPTION;
    int how = LOCK_EX | (JS_ToBool(context, argv[1]) == 1 ? 0 : LOCK_NB);
    while ((result = flock(fd, how)) < 0 && errno == EINTR)
        ;
    if (result < 0 && errno != EWOULDBLOCK)
        return throw_errno(context, "flock", "");
    return JS_NewBool(context, result == 0);
}

/* dieWithParent(): nobody goes on writing for a parent that was killed. */
FUNCTION(die_with_parent)
{
    UNUSED;
    (void)argv;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return throw_errno(context, "prctl", "");
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("applyLayer", 3, apply_layer),
    JS_CFUNC_DEF("holdUserns", 1, hold_userns),
    JS_CFUNC_DEF("removeLayers", 2, remove_layers),
    JS_CFUNC_DEF("exportLayer", 3, export_layer),
    JS_CFUNC_DEF("plain", 4, decompress),
    JS_CFUNC_DEF("syncFileSystem", 1, sync_file_system),
    JS_CFUNC_DEF("dieWithParent", 0, die_with_parent),
    JS_CFUNC_DEF("lockDescriptor", 2, lock_descriptor),
    JS_CFUNC_DEF("assembleLayer", 5, assemble_layer),
    JS_CFUNC_DEF("transferOut", 2, transfer),
};

void host_install_layers(JSContext *context, JSValueConst host)
{
    INSTALL(context, host, functions);
}
