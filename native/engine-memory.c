/*
 * Memory for programs that live for milliseconds. Blocks of up to `largest_small` bytes are cut from large pieces by a
 * pointer that only moves on; ahead of it the kernel is asked for pages, many at a time, which costs less than a page fault
 * for each. What is freed waits in a list of its size for the next block of that size. Larger blocks are libc's. Nothing is
 * ever given back: the process ends.
 *
 * Blocks of the heap image (engine-image.h) have no header: a bit map says where they start. What is freed of them is not used
 * again.
 */
#include "engine-memory.h"
#include "engine-image.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { step = 16, largest_small = 2048, classes = largest_small / step };
static const size_t piece_size = (size_t)4 << 20, ahead = (size_t)128 << 10;

/* Before each block; the block is aligned to 8 bytes, which is what the engine's objects need. */
struct header {
    uint64_t size; /* room of the block */
};

struct free_block {
    struct free_block *next;
};

static struct free_block *free_blocks[classes + 1];
static char *piece, *piece_end, *piece_filled;

static int new_piece(void)
{
    void *pages = mmap(NULL, piece_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED)
        return -1;
    piece = piece_filled = pages;
    piece_end = piece + piece_size;
    return 0;
}

/* A kernel without MADV_POPULATE_WRITE (before 5.14) gives the pages one by one. */
static void fill_ahead(void)
{
    size_t left = (size_t)(piece_end - piece_filled), size = left < ahead ? left : ahead;
    madvise(piece_filled, size, MADV_POPULATE_WRITE);
    piece_filled += size;
}

static void *take(size_t size)
{
    if (size > largest_small) {
        struct header *header = malloc(sizeof(*header) + size);
        if (!header)
            return NULL;
        header->size = size;
        return header + 1;
    }
    size_t class = size == 0 ? 1 : (size + step - 1) / step;
    struct free_block *block = free_blocks[class];
    if (block) {
        free_blocks[class] = block->next;
        return block;
    }
    size_t room = class * step;
    if ((size_t)(piece_end - piece) < sizeof(struct header) + room && new_piece() < 0)
        return NULL;
    struct header *header = (struct header *)piece;
    piece += sizeof(*header) + room;
    if (piece > piece_filled)
        fill_ahead();
    header->size = room;
    return header + 1;
}

const JSMallocFunctions *engine_memory_instead;

static bool is_in_image(const void *block)
{
    return (uintptr_t)block - ENGINE_IMAGE_ADDRESS < ENGINE_IMAGE_SIZE;
}

/* Up to the next block's start, or to the end of the last block. */
static size_t room_in_image(const void *block)
{
    size_t grain = ((uintptr_t)block - ENGINE_IMAGE_ADDRESS) / ENGINE_IMAGE_GRAIN + 1;
    const uint64_t *word = engine_image.starts + grain / 64;
    uint64_t bits = *word & (UINT64_MAX << grain % 64);
    while (bits == 0)
        bits = *++word;
    grain = (size_t)(word - engine_image.starts) * 64 + (size_t)__builtin_ctzll(bits);
    return ENGINE_IMAGE_ADDRESS + grain * ENGINE_IMAGE_GRAIN - (uintptr_t)block;
}

static size_t room_of(const void *block)
{
    if (!block)
        return 0;
    if (engine_memory_instead)
        return engine_memory_instead->js_malloc_usable_size(block);
    return is_in_image(block) ? room_in_image(block) : ((const struct header *)block - 1)->size;
}

static void *engine_malloc(JSMallocState *state, size_t size)
{
    if (engine_memory_instead)
        return engine_memory_instead->js_malloc(state, size);
    if (state->malloc_size + size > state->malloc_limit)
        return NULL;
    void *block = take(size);
    if (block) {
        state->malloc_count++;
        state->malloc_size += room_of(block) + sizeof(struct header);
    }
    return block;
}

static void engine_free(JSMallocState *state, void *block)
{
    if (engine_memory_instead)
        engine_memory_instead->js_free(state, block);
    if (!block || is_in_image(block))
        return;
    size_t room = room_of(block);
    state->malloc_count--;
    state->malloc_size -= room + sizeof(struct header);
    if (room > largest_small) {
        free((struct header *)block - 1);
        return;
    }
    struct free_block *freed = block;
    freed->next = free_blocks[room / step];
    free_blocks[room / step] = freed;
}

static void *engine_realloc(JSMallocState *state, void *block, size_t size)
{
    if (engine_memory_instead)
        return engine_memory_instead->js_realloc(state, block, size);
    if (!block)
        return size == 0 ? NULL : engine_malloc(state, size);
    if (size == 0) {
        engine_free(state, block);
        return NULL;
    }
    size_t room = room_of(block);
    if (size <= room)
        return block;
    if (state->malloc_size + size - room > state->malloc_limit)
        return NULL;
    if (room > largest_small && !is_in_image(block)) {
        struct header *header = realloc((struct header *)block - 1, sizeof(*header) + size);
        if (!header)
            return NULL;
        state->malloc_size += size - room;
        header->size = size;
        return header + 1;
    }
    void *grown = engine_malloc(state, size);
    if (grown) {
        memcpy(grown, block, room);
        engine_free(state, block);
    }
    return grown;
}

const JSMallocFunctions engine_memory = {engine_malloc, engine_free, engine_realloc, room_of};
