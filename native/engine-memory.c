/*
 * Memory for programs that live for milliseconds. Blocks of up to `largest_small` bytes are cut from large pieces by a
 * pointer that only moves on; ahead of it the kernel is asked for pages, many at a time, which costs less than a page fault
 * for each. What is freed waits in a list of its size for the next block of that size. Larger blocks are libc's. Nothing is
 * ever given back: the process ends.
 */
#include "engine-memory.h"
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

static size_t room_of(const void *block)
{
    return block ? ((const struct header *)block - 1)->size : 0;
}

static void *engine_malloc(JSMallocState *state, size_t size)
{
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
    if (!block)
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
    if (room > largest_small) {
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
