/*
 * Calibrated ranges: which values the inputs of multiplications took on pictures, as
 * the __metadata__ of a model file has them.  Where there is a range, an operation can
 * multiply in bytes (ops/conv_bytes.c).
 */
#ifndef VIGIL_CORE_RANGES_H
#define VIGIL_CORE_RANGES_H

#include "core/safetensors.h"

#define VIGIL_RANGES_KEY "int8_ranges"
#define VIGIL_RANGES_LIMIT 1e6f  /* of values */
#define VIGIL_RANGES_LEAST 1e-6f /* width */

/* low <= 0 <= high: 0 is one of the 256 steps. */
typedef struct VigilRange {
    float low, high;
} VigilRange;

static inline float vigil_range_step(VigilRange r)
{
    return (r.high - r.low) / 255;
}

/* The byte that means 0. */
int vigil_range_zero(VigilRange range);

typedef struct VigilRanges VigilRanges;

/* Those of a file; *ranges stays NULL where it has none.  A value that is no object of
 * pairs of numbers, or of pairs out of their bounds, is VIGIL_ERROR_FORMAT. */
VigilStatus vigil_ranges_read(const VigilSafetensors *file, VigilRanges **ranges,
                              VigilError *error);
void vigil_ranges_free(VigilRanges **ranges);

/* NULL: there is none under this key (vigil_conv_key()); so it is with NULL ranges. */
const VigilRange *vigil_ranges_find(const VigilRanges *ranges, const char *key);

#endif
