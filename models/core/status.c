#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

VigilStatus vigil_fail(VigilError *error, VigilStatus status, const char *format, ...)
{
    if (error) {
        va_list args;
        error->status = status;
        va_start(args, format);
        vsnprintf(error->message, sizeof error->message, format, args);
        va_end(args);
    }
    return status;
}

VigilStatus vigil_fail_memory(VigilError *error, size_t bytes, const char *what)
{
    return vigil_fail(error, VIGIL_ERROR_NO_MEMORY, "out of memory: %zu bytes for %s",
                      bytes, what);
}

void *vigil_alloc_aligned(size_t bytes)
{
    size_t rounded;
    if (!bytes || !vigil_size_add(bytes, VIGIL_ALIGN - 1, &rounded))
        return NULL;
    return aligned_alloc(VIGIL_ALIGN, rounded & ~(size_t)(VIGIL_ALIGN - 1));
}

void *vigil_calloc_aligned(size_t count, size_t size)
{
    size_t bytes;
    if (!vigil_size_mul(count, size, &bytes))
        return NULL;
    void *p = vigil_alloc_aligned(bytes);
    return p ? memset(p, 0, bytes) : NULL;
}
