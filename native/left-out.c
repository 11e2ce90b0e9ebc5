/*
 * What the static libraries would bring along and no program of ours calls: a tenth of the file. Named here, they are not
 * taken from the libraries.
 */

#ifndef __SANITIZE_ADDRESS__

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

#endif
