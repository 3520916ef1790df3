/* Errors, sizes and memory of the engine. */
#ifndef VIGIL_CORE_STATUS_H
#define VIGIL_CORE_STATUS_H

#include "vigil.h"

/* Fills *error (may be NULL) and returns status, so that a failing function ends with
 * `return vigil_fail(error, VIGIL_ERROR_SHAPE, "%s: ...", name)`. */
VigilStatus vigil_fail(VigilError *error, VigilStatus status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Out of memory: "out of memory: BYTES bytes for WHAT". */
VigilStatus vigil_fail_memory(VigilError *error, size_t bytes, const char *what);

/* Overflow-checked sizes: false where the true result does not fit. */
static inline bool vigil_size_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool vigil_size_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

/* Every tensor starts on such a boundary: a cache line, and the widest vector. */
#define VIGIL_ALIGN 64

/* 64-byte aligned memory, not cleared; NULL when there is none or `bytes` is 0.  Ends
 * with free(). */
void *vigil_alloc_aligned(size_t bytes);

/* count elements of size bytes, 64-byte aligned and cleared; NULL on overflow too. */
void *vigil_calloc_aligned(size_t count, size_t size);

#endif
