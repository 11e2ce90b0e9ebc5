/*
 * What the static libraries would bring along and no program of ours calls: a tenth of the file. Named here, they are not
 * taken from the libraries.
 */

#ifndef __SANITIZE_ADDRESS__
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Functions of `Math` that no native program may call (test/check/layers.test.ts). */
#define LEFT_OUT(name)                                                                                                 \
    double name(double x);                                                                                             \
    double name(double x)                                                                                              \
    {                                                                                                                  \
        (void)x;                                                                                                       \
        __builtin_trap();                                                                                              \
    }
LEFT_OUT(acos)
LEFT_OUT(acosh)
LEFT_OUT(asin)
LEFT_OUT(asinh)
LEFT_OUT(atan)
LEFT_OUT(atan2)
LEFT_OUT(atanh)
LEFT_OUT(cbrt)
LEFT_OUT(cos)
LEFT_OUT(cosh)
LEFT_OUT(exp)
LEFT_OUT(expm1)
LEFT_OUT(hypot)
LEFT_OUT(log)
LEFT_OUT(log10)
LEFT_OUT(log1p)
LEFT_OUT(sin)
LEFT_OUT(sinh)
LEFT_OUT(tan)
LEFT_OUT(tanh)

/* Decoders of Zstandard's drafts before RFC 8878: a layer that has their magic number meets a context that could not be made. */
#define NO_DRAFT(version)                                                                                              \
    void *ZBUFFv0##version##_createDCtx(void);                                                                         \
    void *ZBUFFv0##version##_createDCtx(void)                                                                          \
    {                                                                                                                  \
        return 0;                                                                                                      \
    }                                                                                                                  \
    void *ZSTDv0##version##_createDCtx(void);                                                                          \
    void *ZSTDv0##version##_createDCtx(void)                                                                           \
    {                                                                                                                  \
        return 0;                                                                                                      \
    }                                                                                                                  \
    NEVER(ZBUFFv0##version##_decompressContinue)                                                                       \
    NEVER(ZBUFFv0##version##_decompressInitDictionary)                                                                 \
    NEVER(ZBUFFv0##version##_freeDCtx)                                                                                 \
    NEVER(ZSTDv0##version##_decompress_usingDict)                                                                      \
    NEVER(ZSTDv0##version##_findFrameSizeInfoLegacy)                                                                   \
    NEVER(ZSTDv0##version##_freeDCtx)                                                                                  \
    NEVER(ZSTDv0##version##_getFrameParams)
#define NEVER(name)                                                                                                    \
    void name(void);                                                                                                   \
    void name(void)                                                                                                    \
    {                                                                                                                  \
        __builtin_trap();                                                                                              \
    }
NO_DRAFT(5)
NO_DRAFT(6)
NO_DRAFT(7)

/*
 * libc's messages in other languages and its character sets: no program of ours leaves the locale C (setlocale(3) is never called), in
 * which a text is its own translation and nothing is converted.
 */
char *__dcgettext(const char *domain, const char *text, int category);
char *__dcgettext(const char *domain, const char *text, int category)
{
    (void)domain;
    (void)category;
    return (char *)(uintptr_t)text;
}
int __gconv_lock;
NEVER(__gconv_close_transform)
NEVER(__gconv_compare_alias)
NEVER(__gconv_find_transform)
NEVER(__gconv_release_step)
NEVER(__gconv_transliterate)

/*
 * sscanf(3) for its one caller, tzset(3), which reads the hours and days of a rule such as `CET-1CEST,M3.5.0,M10.5.0/3`: characters as they
 * are, `%hu` and `%n`. The whole of it, with floating point of four sizes and wide characters, is a fiftieth of the file.
 */
int __isoc23_sscanf(const char *text, const char *format, ...);
int __isoc23_sscanf(const char *text, const char *format, ...)
{
    const char *at = text;
    int found = 0;
    bool good = true;
    va_list values;
    va_start(values, format);
    while (good && *format != '\0') {
        if (strncmp(format, "%n", 2) == 0) {
            *va_arg(values, int *) = (int)(at - text);
            format += 2;
        } else if (strncmp(format, "%hu", 3) == 0) {
            char *end;
            unsigned long number = strtoul(at, &end, 10);
            good = end > at;
            if (good) {
                *va_arg(values, unsigned short *) = (unsigned short)number;
                found++;
            }
            at = end;
            format += 3;
        } else
            good = *at++ == *format++;
    }
    va_end(values);
    return found;
}

#endif
