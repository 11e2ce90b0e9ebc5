/* Strings, numbers and messages for the tiny program: no allocation, no locale. */
#ifndef BERTH_TINY_TEXT_H
#define BERTH_TINY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The compiler emits calls of these four. */
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

size_t text_length(const char *s);
bool text_equal(const char *a, const char *b);
bool text_starts(const char *s, const char *prefix);
/* First `c` in s, or NULL. */
char *text_find(const char *s, char c);

/* The whole of s is a number in the base (8, 10, 16) that fits; a leading `-` only in the signed form. */
bool text_unsigned(const char *s, unsigned base, uint64_t limit, uint64_t *out);
bool text_signed(const char *s, int64_t *out);

/* A message under construction: what does not fit is cut; the result always ends with NUL. */
struct text {
    char *start;
    size_t length;
    size_t size;
};
#define TEXT(name, n)                                                                                                  \
    char name##_buffer[n];                                                                                             \
    struct text name = {name##_buffer, 0, n};                                                                          \
    name##_buffer[0] = 0

void text_add(struct text *t, const char *s);
/* As text_add, but control characters and bytes above 126 become `?`: the text came from an image (T28). */
void text_add_shown(struct text *t, const char *s);
void text_add_number(struct text *t, int64_t n);
/* Adds each argument up to a NULL. */
void text_add_all(struct text *t, ...);

/* "no such file or directory" for 2 …; "error 123" for others. */
void text_add_error(struct text *t, int error);

#endif
