/*
 * fuzz DIRECTORY SECONDS SEED…: unpacks mutations of the seeds with an account's single-id map. Whatever the archive says, both
 * processes end with a word of their own; a signal or a sanitizer's report is a failure, and so is a file outside the layer.
 */
#include "layer.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static uint64_t state = 88172645463325252u;

static uint32_t any(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16) % below;
}

/* Headers get a right checksum most of the time, or nothing behind them is ever reached. */
static void repair(unsigned char *data, size_t length)
{
    for (size_t at = 0; at + 512 <= length; at += 512) {
        unsigned sum = 0;
        if (memcmp(data + at + 257, "ustar", 5) != 0)
            continue;
        memset(data + at + 148, ' ', 8);
        for (size_t i = 0; i < 512; i++)
            sum += data[at + i];
        char digits[8];
        snprintf(digits, sizeof(digits), "%06o", sum & 0777777);
        memcpy(data + at + 148, digits, 7);
    }
}

static size_t mutate(unsigned char *data, size_t length, size_t room)
{
    static const char *const words[] = {"..",
                                        "../..",
                                        ".wh.",
                                        ".wh..wh..opq",
                                        "/",
                                        ".",
                                        "\xff\xff\xff\xff\xff\xff\xff\xff",
                                        "7777",
                                        "size=",
                                        "path=",
                                        "GNU.sparse.map=1,2,3",
                                        "99999",
                                        "SCHILY.xattr.",
                                        "\x80"};
    for (unsigned count = 1 + any(8); count > 0; count--) {
        size_t at = any((uint32_t)length);
        switch (any(6)) {
        case 0: data[at] ^= (unsigned char)(1u << any(8)); break;
        case 1: data[at] = (unsigned char)any(256); break;
        case 2: {
            const char *word = words[any(sizeof(words) / sizeof(*words))];
            if (at + strlen(word) <= length)
                memcpy(data + at, word, strlen(word));
            break;
        }
        case 3: /* a field of a header */
            at = at / 512 * 512 + (any(2) ? 124 + any(12) : 156);
            if (at < length)
                data[at] = (unsigned char)"012345678gxLKS\0\xff"[any(16)];
            break;
        case 4: /* a block twice */
            at = at / 512 * 512;
            if (length + 512 <= room && at + 512 <= length) {
                memmove(data + at + 512, data + at, length - at);
                length += 512;
            }
            break;
        default:
            if (any(4) == 0 && length > 1024)
                length -= any(512);
        }
    }
    if (any(10) != 0)
        repair(data, length);
    return length;
}

static unsigned entries(const char *path)
{
    unsigned count = 0;
    DIR *list = opendir(path);
    while (list != NULL && readdir(list) != NULL)
        count++;
    if (list != NULL)
        closedir(list);
    return count;
}

static int try_one(const char *directory, int blob, size_t length)
{
    struct id_range uid = {0, getuid(), 1}, gid = {0, getgid(), 1};
    struct store_map map = {.kind = MAP_SINGLE, .uid = &uid, .gid = &gid, .uid_count = 1, .gid_count = 1};
    struct layer_result result;
    struct error error = {0};
    char target[4096], *paths[] = {target, NULL};
    snprintf(target, sizeof(target), "%s/layer", directory);
    mkdir(target, 0755);
    struct layer_request request = {.recipe = -1,
                                    .source = blob,
                                    .offset = 0,
                                    .length = (int64_t)length,
                                    .byte_limit = 16 << 20,
                                    .entry_limit = 1000,
                                    .map = &map};
    request.target = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int done = layer_apply(&request, &result, &error);
    close(request.target);
    free(result.warnings);
    if (done < 0 && (strstr(error.text, "signal") || strstr(error.text, "without a word") ||
                     strstr(error.text, "bad record") || strstr(error.text, "bad chunk"))) {
        printf("%s\n", error.text);
        return -1;
    }
    if (layer_remove(&map, paths, &error) < 0) {
        printf("%s\n", error.text);
        return -1;
    }
    if (entries(directory) != 2) {
        printf("something was made outside the layer\n");
        return -1;
    }
    return done < 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static unsigned char data[1 << 20];
    time_t end = time(NULL) + atoi(argv[2]);
    unsigned tries = 0, whole = 0;
    int blob = memfd_create("blob", 0);
    while (time(NULL) < end) {
        FILE *seed = fopen(argv[3 + any((uint32_t)(argc - 3))], "r");
        size_t length = seed ? fread(data, 1, sizeof(data), seed) : 0;
        if (length == 0)
            return 1;
        fclose(seed);
        length = mutate(data, length, sizeof(data));
        if (ftruncate(blob, 0) < 0 || pwrite(blob, data, length, 0) != (ssize_t)length)
            return 1;
        int result = try_one(argv[1], blob, length);
        if (result < 0) {
            char path[4096];
            snprintf(path, sizeof(path), "%s/failing", argv[1]);
            FILE *kept = fopen(path, "w");
            fwrite(data, 1, length, kept);
            printf("after %u archives; kept in %s\n", tries, path);
            return 1;
        }
        tries++;
        whole += (unsigned)result;
    }
    printf("%u archives, %u of them accepted\n", tries, whole);
    return tries < 100;
}
