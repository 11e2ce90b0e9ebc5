#include "text.h"
#include "sys.h"

size_t text_length(const char *s)
{
    size_t n = 0;
    while (s[n] != 0)
        n++;
    return n;
}

bool text_equal(const char *a, const char *b)
{
    while (*a != 0 && *a == *b)
        a++, b++;
    return *a == *b;
}

bool text_starts(const char *s, const char *prefix)
{
    while (*prefix != 0)
        if (*s++ != *prefix++)
            return false;
    return true;
}

char *text_find(const char *s, char c)
{
    for (; *s != 0; s++)
        if (*s == c)
            return (char *)s;
    return NULL;
}

bool text_unsigned(const char *s, unsigned base, uint64_t limit, uint64_t *out)
{
    uint64_t value = 0;
    if (*s == 0)
        return false;
    for (; *s != 0; s++) {
        unsigned letter = ((unsigned char)*s | 32u) - 'a';
        unsigned digit = (unsigned char)*s - '0';
        if (digit > 9)
            digit = letter < 6 ? letter + 10 : 99;
        if (digit >= base || digit > limit || value > (limit - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = value;
    return true;
}

bool text_signed(const char *s, int64_t *out)
{
    bool negative = *s == '-';
    uint64_t value;
    if (!text_unsigned(s + negative, 10, INT64_MAX, &value))
        return false;
    *out = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

void text_add(struct text *t, const char *s)
{
    while (*s != 0 && t->length + 1 < t->size)
        t->start[t->length++] = *s++;
    t->start[t->length] = 0;
}

void text_add_shown(struct text *t, const char *s)
{
    for (; *s != 0 && t->length + 1 < t->size; s++)
        t->start[t->length++] = (unsigned char)*s < 32 || (unsigned char)*s > 126 ? '?' : *s;
    t->start[t->length] = 0;
}

void text_add_number(struct text *t, int64_t n)
{
    char digits[24];
    char *at = digits + sizeof digits;
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;
    *--at = 0;
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (n < 0)
        *--at = '-';
    text_add(t, at);
}

void text_add_all(struct text *t, ...)
{
    va_list list;
    va_start(list, t);
    for (const char *s; (s = va_arg(list, const char *)) != NULL;)
        text_add(t, s);
    va_end(list);
}

/* Only what the operations can meet; the wording is strerror(3)'s in lower case. */
static const char error_words[] = "\1operation not permitted\0"
                                  "\2no such file or directory\0"
                                  "\3no such process\0"
                                  "\4interrupted system call\0"
                                  "\11bad file descriptor\0"
                                  "\13resource temporarily unavailable\0"
                                  "\14out of memory\0"
                                  "\15permission denied\0"
                                  "\20device or resource busy\0"
                                  "\23no such device\0"
                                  "\24not a directory\0"
                                  "\26invalid argument\0"
                                  "\27too many open files in system\0"
                                  "\30too many open files\0"
                                  "\34no space left on device\0"
                                  "\44file name too long\0"
                                  "\46function not implemented\0"
                                  "\50too many levels of symbolic links\0"
                                  "\137operation not supported\0"
                                  "\157connection refused\0"
#ifndef BERTH_PROBES /* no probe meets these */
                                  "\5input/output error\0"
                                  "\6no such device or address\0"
                                  "\7argument list too long\0"
                                  "\10exec format error\0"
                                  "\21file exists\0"
                                  "\22invalid cross-device link\0"
                                  "\25is a directory\0"
                                  "\32text file busy\0"
                                  "\36read-only file system\0"
                                  "\40broken pipe\0"
                                  "\42numerical result out of range\0"
                                  "\113value too large for defined data type\0"
                                  "\172disk quota exceeded\0"
#endif
    ;

void text_add_error(struct text *t, int error)
{
    for (const char *at = error_words; *at != 0; at += text_length(at) + 1)
        if ((unsigned char)*at == error) {
            text_add(t, at + 1);
            return;
        }
    text_add(t, "error ");
    text_add_number(t, error);
}
