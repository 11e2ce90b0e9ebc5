/*
 * The other half of engine-memory.c, while the heap image is made: blocks lie one after the other at the image's address, and what is
 * freed is used again by the first block that it is large enough for. Only a build runs this.
 */
#include "engine-record.h"
#include "engine-image.h"
#include "engine-memory.h"
#include "engine.h"
#include "host.h"
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a static program relocates at its start (ld(1)); weak, since the program with sanitizers has none. */
extern const Elf64_Rela __rela_iplt_start[] __attribute__((weak)), __rela_iplt_end[] __attribute__((weak));

enum { GRAINS = ENGINE_IMAGE_SIZE / ENGINE_IMAGE_GRAIN, MOST_HOLES = 1 << 16 };

struct hole {
    uint32_t grain, room;
};

/* In grains. A block's room stands at its first grain. */
static uint32_t *rooms;
static struct hole *holes;
static size_t end = (sizeof(struct engine_image) + ENGINE_IMAGE_GRAIN - 1) / ENGINE_IMAGE_GRAIN, hole_count;

static size_t grain_of(const void *block)
{
    return ((uintptr_t)block - ENGINE_IMAGE_ADDRESS) / ENGINE_IMAGE_GRAIN;
}

static void *block_at(size_t grain)
{
    return (void *)(ENGINE_IMAGE_ADDRESS + grain * ENGINE_IMAGE_GRAIN);
}

static size_t record_room(const void *block)
{
    return (size_t)rooms[grain_of(block)] * ENGINE_IMAGE_GRAIN;
}

/* The smallest hole that is large enough, or NULL. */
static struct hole *find_hole(size_t room)
{
    struct hole *best = NULL;
    for (struct hole *hole = holes; hole < holes + hole_count; hole++)
        if (hole->room >= room && (!best || hole->room < best->room))
            best = hole;
    return best;
}

static void *record_malloc(JSMallocState *state, size_t size)
{
    size_t room = size == 0 ? 1 : (size + ENGINE_IMAGE_GRAIN - 1) / ENGINE_IMAGE_GRAIN, grain = end;
    struct hole *hole = find_hole(room);
    if (hole) {
        grain = hole->grain;
        hole->grain += (uint32_t)room;
        hole->room -= (uint32_t)room;
        if (hole->room == 0)
            *hole = holes[--hole_count];
    } else if (end + room < GRAINS) {
        end += room;
    } else {
        return NULL;
    }
    rooms[grain] = (uint32_t)room;
    state->malloc_count++;
    state->malloc_size += room * ENGINE_IMAGE_GRAIN;
    return block_at(grain);
}

static void record_free(JSMallocState *state, void *block)
{
    if (!block)
        return;
    size_t grain = grain_of(block);
    state->malloc_count--;
    state->malloc_size -= record_room(block);
    memset(block, 0, record_room(block));
    if (hole_count < MOST_HOLES)
        holes[hole_count++] = (struct hole){.grain = (uint32_t)grain, .room = rooms[grain]};
    rooms[grain] = 0;
}

static void *record_realloc(JSMallocState *state, void *block, size_t size)
{
    void *moved = size == 0 ? NULL : record_malloc(state, size);
    if (moved && block)
        memcpy(moved, block, size < record_room(block) ? size : record_room(block));
    if (moved || size == 0)
        record_free(state, block);
    return moved;
}

static const JSMallocFunctions recorder = {record_malloc, record_free, record_realloc, record_room};

/* The bit map behind the last block; returns its end. */
static uint64_t *write_starts(void)
{
    uint64_t *starts = block_at(end);
    for (size_t grain = 0; grain < end; grain++)
        if (rooms[grain])
            starts[grain / 64] |= UINT64_C(1) << grain % 64;
    for (struct hole *hole = holes; hole < holes + hole_count; hole++)
        starts[hole->grain / 64] |= UINT64_C(1) << hole->grain % 64;
    starts[end / 64] |= UINT64_C(1) << end % 64;
    return starts + end / 64 + 1;
}

/* The bytes of the base program's bytecode: NULL when it cannot be read. */
static char *read_file(const char *path, size_t *ret_length)
{
    char *data = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read_all(fd, 0, ENGINE_IMAGE_SIZE, &data, ret_length) < 0)
        perror(path);
    if (fd >= 0)
        close(fd);
    return data;
}

/* One of the functions that libc and libm choose by the processor: another machine may have to choose another one. */
static bool is_chosen(uint64_t word)
{
    for (const Elf64_Rela *row = __rela_iplt_start; row < __rela_iplt_end; row++)
        if (*(const uint64_t *)row->r_offset == word)
            return true;
    return false;
}

static bool holds_chosen(void)
{
    for (const uint64_t *word = block_at(0); word < (const uint64_t *)block_at(end); word++)
        if (is_chosen(*word))
            return true;
    return false;
}

static bool write_image(const char *path, const void *image_end)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    size_t length = (uintptr_t)image_end - ENGINE_IMAGE_ADDRESS;
    bool written = fd >= 0 && write_all(fd, block_at(0), length) == 0 && close(fd) == 0;
    if (!written)
        perror(path);
    return written;
}

int engine_record(int argc, char **argv)
{
    size_t length;
    char *bytecode = argc == 3 ? read_file(argv[1], &length) : NULL;
    rooms = calloc(GRAINS, sizeof(*rooms));
    holes = calloc(MOST_HOLES, sizeof(*holes));
    if (!bytecode || !rooms || !holes)
        return EXIT_FAILURE;
    engine_memory_record(&recorder);
    JSContext *context = engine_new();
    if (!context || !engine_load(context, (const uint8_t *)bytecode, length))
        return EXIT_FAILURE;
    if (holds_chosen()) {
        fprintf(stderr, "the heap image depends on the processor: a module uses Math when it is evaluated\n");
        return EXIT_FAILURE;
    }
    engine_image = (struct engine_image){.context = context, .roots = host_roots, .starts = block_at(end)};
    return write_image(argv[2], write_starts()) ? EXIT_SUCCESS : EXIT_FAILURE;
}
