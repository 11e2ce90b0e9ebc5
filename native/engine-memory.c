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
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { step = 16, largest_small = 2048, classes = largest_small / step };
static const size_t piece_size = (size_t)4 << 20, huge_page = (size_t)2 << 20, ahead = (size_t)128 << 10;

/* Before each block; the block is aligned to 8 bytes, which is what the engine's objects need. */
struct header {
    uint64_t size; /* room of the block */
};

struct free_block {
    struct free_block *next;
};

/* Of each class of sizes; that of class 0 stays empty. */
static struct free_block *free_blocks[classes + 1];
static char *piece, *piece_end, *piece_filled;

/* libc's blocks begin right behind the image, where the kernel does not move them at random. */
static size_t image_size;
static const JSMallocFunctions *recorder;

void engine_memory_of_image(void)
{
    image_size = (uintptr_t)engine_image.starts - ENGINE_IMAGE_ADDRESS;
}

void engine_memory_record(const JSMallocFunctions *functions)
{
    image_size = ENGINE_IMAGE_SIZE;
    recorder = functions;
}

static bool is_in_image(const void *block)
{
    return (uintptr_t)block - ENGINE_IMAGE_ADDRESS < image_size;
}

/* Up to the next block's start, or to the end of the last block. */
static size_t room_in_image(const void *block)
{
    if (recorder)
        return recorder->js_malloc_usable_size(block);
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
    return is_in_image(block) ? room_in_image(block) : ((const struct header *)block - 1)->size;
}

/* What the limit counts: pieces and large blocks. */
static bool account(JSMallocState *state, size_t size)
{
    if (state->malloc_size + size > state->malloc_limit)
        return false;
    state->malloc_size += size;
    return true;
}

static bool is_much;

void engine_memory_expect_much(void)
{
    is_much = true;
    piece = piece_filled = piece_end; /* what is left of it has small pages */
}

/* Of memory that will be filled, huge pages where the system gives them: a fault and a walk of the page tables for 512 pages each. */
static int new_piece(JSMallocState *state)
{
    if (!account(state, piece_size))
        return -1;
    size_t spare = is_much ? huge_page : 0;
    char *pages =
        mmap(NULL, piece_size + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED)
        return -1;
    pages += -(uintptr_t)pages & (spare - (spare > 0));
    if (is_much)
        madvise(pages, piece_size, MADV_HUGEPAGE);
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

static void *new_large(JSMallocState *state, size_t size)
{
    struct header *header = account(state, size) ? malloc(sizeof(*header) + size) : NULL;
    if (!header)
        return NULL;
    header->size = size;
    return header + 1;
}

/* A block that no freed one can be taken for. */
static __attribute__((noinline)) void *new_block(JSMallocState *state, size_t size)
{
    if (recorder)
        return recorder->js_malloc(state, size);
    if (size > largest_small)
        return new_large(state, size);
    size_t room = size == 0 ? step : (size + step - 1) / step * step;
    if ((size_t)(piece_end - piece) < sizeof(struct header) + room && new_piece(state) < 0)
        return NULL;
    struct header *header = (struct header *)piece;
    piece += sizeof(*header) + room;
    if (piece > piece_filled)
        fill_ahead();
    header->size = room;
    return header + 1;
}

static void *engine_malloc(JSMallocState *state, size_t size)
{
    size_t class = (size + step - 1) / step;
    struct free_block *block = class <= classes ? free_blocks[class] : NULL;
    if (!block)
        return new_block(state, size);
    free_blocks[class] = block->next;
    return block;
}

static void engine_free(JSMallocState *state, void *block)
{
    if (!block)
        return;
    if (is_in_image(block)) {
        if (recorder)
            recorder->js_free(state, block);
        return;
    }
    size_t room = ((struct header *)block - 1)->size;
    if (room > largest_small) {
        state->malloc_size -= room;
        free((struct header *)block - 1);
        return;
    }
    struct free_block *freed = block;
    freed->next = free_blocks[room / step];
    free_blocks[room / step] = freed;
}

static void *engine_realloc(JSMallocState *state, void *block, size_t size)
{
    size_t room = room_of(block);
    if (size == 0) {
        engine_free(state, block);
        return NULL;
    }
    if (size <= room)
        return block;
    if (room > largest_small && !is_in_image(block)) {
        struct header *header =
            account(state, size - room) ? realloc((struct header *)block - 1, sizeof(*header) + size) : NULL;
        if (!header)
            return NULL;
        header->size = size;
        return header + 1;
    }
    void *grown = engine_malloc(state, size);
    if (grown && block) {
        memcpy(grown, block, room);
        engine_free(state, block);
    }
    return grown;
}

const JSMallocFunctions engine_memory = {engine_malloc, engine_free, engine_realloc, room_of};
