/*
 * A seccomp filter that says the same in fewer instructions. Theory.
 *
 * libseccomp writes one comparison for each system call that a profile names. The kernel translates and compiles all of them
 * anew for each process that loads the filter: with 1450 of them that is a fifth of what a health check costs. But neighbours mostly
 * share their answer, so a tree over ranges of numbers needs a fraction.
 *
 * What a filter answers is a function of the architecture, the number and, for some numbers, the arguments. It is found by
 * walking the old program for one architecture and one number until it returns (the answer) or loads something else (the place where
 * the arguments are looked at). Only comparisons with constants are walked, so the answer changes at these constants alone:
 * a walk for each of them and its successor finds all. The new program is
 *   load the architecture; for each: a tree of ranges, whose leaves return or jump into
 *   the copy of the instructions that look at arguments, in their old order.
 * Anything that is not understood (a bit test of the number, scratch memory) is refused; then the old program stays.
 * At the end both are played with every number around every constant, and with arguments that sit at the constants, too: the
 * build fails where they differ.
 */
#include "seccomp-shorter.h"
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = BPF_MAXINSNS, LOAD = BPF_LD | BPF_W | BPF_ABS, RETURN = BPF_RET | BPF_K, UNKNOWN = 0xffff };

/* Where a walk ends: at an instruction that returns or that loads more than architecture and number. */
struct range {
    uint32_t first;
    uint16_t end;
};

struct block {
    uint32_t architecture;
    struct range ranges[MOST];
    size_t count;
};

struct work {
    const struct sock_filter *old;
    size_t length;
    uint32_t edges[2 * MOST + 1]; /* numbers at which the answer may change, ascending */
    size_t edge_count;
    bool kept[MOST];      /* instructions that look at arguments, or follow one */
    uint16_t moved[MOST]; /* their place in the copy */
    size_t kept_count;
    struct sock_filter made[MOST];
    size_t made_count;
};

static bool jumps(const struct sock_filter *at)
{
    return BPF_CLASS(at->code) == BPF_JMP;
}

/* Distance beyond the next instruction; UNKNOWN for a comparison that changes elsewhere than at its constant. */
static uint32_t distance(const struct sock_filter *at, uint32_t value)
{
    switch (at->code) {
    case BPF_JMP | BPF_JA: return at->k;
    case BPF_JMP | BPF_JEQ | BPF_K: return value == at->k ? at->jt : at->jf;
    case BPF_JMP | BPF_JGT | BPF_K: return value > at->k ? at->jt : at->jf;
    case BPF_JMP | BPF_JGE | BPF_K: return value >= at->k ? at->jt : at->jf;
    default: return UNKNOWN;
    }
}

/* The instruction at which the walk ends; UNKNOWN when it is not understood. */
static uint16_t walk(const struct work *w, uint32_t architecture, uint32_t number)
{
    uint32_t value = 0;
    for (size_t at = 0; at < w->length; at++) {
        const struct sock_filter *i = &w->old[at];
        if (i->code == LOAD && i->k == offsetof(struct seccomp_data, arch))
            value = architecture;
        else if (i->code == LOAD && i->k == offsetof(struct seccomp_data, nr))
            value = number;
        else if (i->code == LOAD || i->code == RETURN)
            return (uint16_t)at;
        else if (jumps(i) && distance(i, value) != UNKNOWN)
            at += distance(i, value);
        else
            return UNKNOWN;
    }
    return UNKNOWN;
}

static int by_size(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, two = *(const uint32_t *)b;
    return (one > two) - (one < two);
}

static void find_edges(struct work *w)
{
    w->edges[w->edge_count++] = 0;
    for (size_t i = 0; i < w->length; i++) {
        if (!jumps(&w->old[i]) || w->old[i].code == (BPF_JMP | BPF_JA))
            continue;
        w->edges[w->edge_count++] = w->old[i].k;
        if (w->old[i].k != UINT32_MAX)
            w->edges[w->edge_count++] = w->old[i].k + 1;
    }
    qsort(w->edges, w->edge_count, sizeof *w->edges, by_size);
    size_t unique = 1;
    for (size_t i = 1; i < w->edge_count; i++)
        if (w->edges[i] != w->edges[unique - 1])
            w->edges[unique++] = w->edges[i];
    w->edge_count = unique;
}

static bool same_end(const struct work *w, uint16_t one, uint16_t two)
{
    return one == two || (w->old[one].code == RETURN && w->old[two].code == RETURN && w->old[one].k == w->old[two].k);
}

/* False: not understood. */
static bool find_ranges(const struct work *w, struct block *block)
{
    block->count = 0;
    for (size_t i = 0; i < w->edge_count; i++) {
        uint16_t end = walk(w, block->architecture, w->edges[i]);
        if (end == UNKNOWN || block->count == MOST)
            return false;
        if (block->count == 0 || !same_end(w, block->ranges[block->count - 1].end, end))
            block->ranges[block->count++] = (struct range){w->edges[i], end};
    }
    return true;
}

/* An instruction that looks at arguments, and all that may follow it. Jumps go forward only. */
static void keep_from(struct work *w, uint16_t start)
{
    bool reached[MOST] = {false};
    reached[start] = true;
    for (size_t i = start; i < w->length; i++) {
        if (!reached[i])
            continue;
        w->kept[i] = true;
        if (w->old[i].code == RETURN)
            continue;
        if (!jumps(&w->old[i]))
            reached[i + 1] = true;
        else if (w->old[i].code == (BPF_JMP | BPF_JA))
            reached[i + 1 + w->old[i].k] = true;
        else
            reached[i + 1 + w->old[i].jt] = reached[i + 1 + w->old[i].jf] = true;
    }
}

static void add(struct work *w, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
    if (w->made_count < MOST)
        w->made[w->made_count++] = (struct sock_filter){code, jt, jf, k};
}

/* Leaves that jump into the copy get the old place first; place_copy() turns that into a distance. */
static void add_leaf(struct work *w, uint16_t end)
{
    if (w->old[end].code == RETURN)
        add(w, RETURN, 0, 0, w->old[end].k);
    else
        add(w, BPF_JMP | BPF_JA, 0, 1, end);
}

/* A side of a comparison that leads to an answer; place_answers() gives it its distance. */
struct side {
    uint8_t *jump;
    size_t test;
    uint16_t end;
};

static size_t add_comparisons(struct work *w, const struct range *ranges, size_t count, struct side *sides)
{
    size_t half = count / 2, test = w->made_count, used = 0;
    add(w, BPF_JMP | BPF_JGE | BPF_K, 0, 0, ranges[half].first);
    if (half == 1)
        sides[used++] = (struct side){&w->made[test].jf, test, ranges[0].end};
    else
        used += add_comparisons(w, ranges, half, sides);
    w->made[test].jt = (uint8_t)(w->made_count - test - 1);
    if (count - half == 1)
        sides[used++] = (struct side){&w->made[test].jt, test, ranges[half].end};
    else
        used += add_comparisons(w, ranges + half, count - half, sides + used);
    return used;
}

static void place_answers(struct work *w, const struct side *sides, size_t count)
{
    size_t place[MOST];
    for (size_t i = 0; i < count; i++) {
        size_t same = 0;
        while (!same_end(w, sides[same].end, sides[i].end))
            same++;
        place[i] = same < i ? place[same] : w->made_count;
        if (same == i)
            add_leaf(w, sides[i].end);
        *sides[i].jump = (uint8_t)(place[i] - sides[i].test - 1);
    }
}

static size_t answers(const struct work *w, const struct range *ranges, size_t count)
{
    size_t result = 0;
    for (size_t i = 0; i < count; i++) {
        size_t same = 0;
        while (!same_end(w, ranges[same].end, ranges[i].end))
            same++;
        result += same == i;
    }
    return result;
}

/* Comparisons, then the answers, one of each kind, as near as a conditional jump reaches. */
static void add_tree(struct work *w, const struct range *ranges, size_t count)
{
    struct side sides[UINT8_MAX];
    size_t half = count / 2, test = w->made_count;
    if (count == 1) {
        add_leaf(w, ranges[0].end);
    } else if (count + answers(w, ranges, count) < UINT8_MAX) {
        place_answers(w, sides, add_comparisons(w, ranges, count, sides));
    } else {
        add(w, BPF_JMP | BPF_JGE | BPF_K, 0, 1, ranges[half].first);
        add(w, BPF_JMP | BPF_JA, 0, 0, 0);
        add_tree(w, ranges, half);
        w->made[test + 1].k = (uint32_t)(w->made_count - test - 2);
        add_tree(w, ranges + half, count - half);
    }
}

static void place_copy(struct work *w)
{
    size_t copy = w->made_count;
    for (size_t i = 0; i < w->length; i++)
        w->moved[i] = (uint16_t)(copy + (w->kept[i] ? w->kept_count++ : 0));
    for (size_t i = 0; i < copy; i++)
        if (w->made[i].code == (BPF_JMP | BPF_JA) && w->made[i].jf == 1) {
            w->made[i].k = w->moved[w->made[i].k] - (uint32_t)i - 1;
            w->made[i].jf = 0;
        }
    for (size_t i = 0; i < w->length; i++) {
        struct sock_filter one = w->old[i];
        if (!w->kept[i])
            continue;
        uint16_t from = (uint16_t)(w->moved[i] + 1);
        if (one.code == (BPF_JMP | BPF_JA)) {
            one.k = w->moved[i + 1 + one.k] - from;
        } else if (jumps(&one)) {
            one.jt = (uint8_t)(w->moved[i + 1 + one.jt] - from);
            one.jf = (uint8_t)(w->moved[i + 1 + one.jf] - from);
        }
        add(w, one.code, one.jt, one.jf, one.k);
    }
}

/* What the kernel would answer; no instruction of another kind was let in. */
static uint32_t play(const struct sock_filter *program, size_t length, const struct seccomp_data *data)
{
    uint32_t value = 0;
    for (size_t at = 0; at < length; at++) {
        const struct sock_filter *i = &program[at];
        if (i->code == LOAD)
            memcpy(&value, (const char *)data + i->k, sizeof value);
        else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
            value &= i->k;
        else if (i->code == RETURN)
            return i->k;
        else if (i->code == (BPF_JMP | BPF_JSET | BPF_K))
            at += (value & i->k) != 0 ? i->jt : i->jf;
        else
            at += distance(i, value);
    }
    return UINT32_MAX;
}

static uint32_t random_value(const struct work *w, uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    uint32_t random = (uint32_t)(*seed >> 33);
    /* Most conditions ask for a constant of the program or one beside it. */
    return random % 4 == 0 ? random : w->edges[random % w->edge_count] - random / 4 % 2;
}

/* Ends the build where they differ. */
static void compare(const struct work *w, uint32_t architecture)
{
    uint64_t seed = 1;
    for (size_t i = 0; i < w->edge_count; i++)
        for (uint32_t round = 0; round < 400; round++) {
            struct seccomp_data data = {.nr = (int)(w->edges[i] - round % 2), .arch = architecture};
            for (int argument = 0; argument < 6; argument++)
                data.args[argument] =
                    (uint64_t)(round % 8 < 6 ? 0 : random_value(w, &seed)) << 32 | random_value(w, &seed);
            if (play(w->old, w->length, &data) != play(w->made, w->made_count, &data)) {
                fprintf(stderr, "seccomp: the shorter filter differs for call %u of %#x\n", (unsigned)data.nr,
                        architecture);
                exit(1);
            }
        }
}

static bool understood(const struct work *w)
{
    if (w->length < 2 || w->length > MOST || w->old[0].code != LOAD ||
        w->old[0].k != offsetof(struct seccomp_data, arch))
        return false;
    for (size_t i = 0; i < w->length; i++) {
        uint16_t code = w->old[i].code;
        if (code != LOAD && code != RETURN && code != (BPF_ALU | BPF_AND | BPF_K) &&
            code != (BPF_JMP | BPF_JSET | BPF_K) && !(jumps(&w->old[i]) && distance(&w->old[i], 0) != UNKNOWN))
            return false;
    }
    return true;
}

/* The architectures that the program compares with; all others share one answer. */
static bool make(struct work *w, struct block *block, uint32_t *architectures, size_t *count)
{
    uint16_t other = walk(w, 0, 0);
    if (other == UNKNOWN || w->old[other].code != RETURN)
        return false;
    for (size_t i = 0; i < w->edge_count; i++) {
        block->architecture = w->edges[i];
        uint16_t end = walk(w, block->architecture, 0);
        if (!find_ranges(w, block))
            return false;
        if (block->count == 1 && same_end(w, end, other))
            continue;
        if (*count == 8)
            return false;
        architectures[(*count)++] = block->architecture;
    }
    add(w, LOAD, 0, 0, offsetof(struct seccomp_data, arch));
    for (size_t i = 0; i < *count; i++) {
        size_t test = w->made_count;
        block->architecture = architectures[i];
        find_ranges(w, block);
        for (size_t r = 0; r < block->count; r++)
            if (w->old[block->ranges[r].end].code != RETURN)
                keep_from(w, block->ranges[r].end);
        add(w, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, architectures[i]);
        add(w, BPF_JMP | BPF_JA, 0, 0, 0);
        add(w, LOAD, 0, 0, offsetof(struct seccomp_data, nr));
        add_tree(w, block->ranges, block->count);
        w->made[test + 1].k = (uint32_t)(w->made_count - test - 2);
    }
    add(w, RETURN, 0, 0, w->old[other].k);
    place_copy(w);
    return w->made_count < MOST;
}

size_t seccomp_shorter(const struct sock_filter *program, size_t length, struct sock_filter **ret_program)
{
    struct work *w = calloc(1, sizeof *w);
    struct block *block = calloc(1, sizeof *block);
    uint32_t architectures[8];
    size_t count = 0, result = 0;
    if (w == NULL || block == NULL)
        exit(1);
    w->old = program;
    w->length = length;
    if (understood(w)) {
        find_edges(w);
        if (make(w, block, architectures, &count) && w->made_count < length) {
            compare(w, 0);
            for (size_t i = 0; i < count; i++)
                compare(w, architectures[i]);
            *ret_program = malloc(w->made_count * sizeof *w->made);
            memcpy(*ret_program, w->made, w->made_count * sizeof *w->made);
            result = w->made_count;
        }
    }
    free(block);
    free(w);
    return result;
}
