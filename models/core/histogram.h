/* How often values occurred, and the range that is best cut into 256 steps. */
#ifndef VIGIL_CORE_HISTOGRAM_H
#define VIGIL_CORE_HISTOGRAM_H

#include "core/ranges.h"

#define VIGIL_BINS 4096

/* Begins as all 0. */
typedef struct VigilHistogram {
    double limit; /* bins cut [-limit, limit], a power of 2; 0: nothing was added */
    float low, high;
    uint64_t count[VIGIL_BINS];
} VigilHistogram;

/* Values that are not finite do not count. */
void vigil_histogram_add(VigilHistogram *histogram, const float *x, size_t n);

/* The range with the least mean square error over all values when those inside are
 * rounded to 256 steps and the others clipped to its ends; among ranges from low i / 64
 * to high j / 64.  0 to 0 where all values were 0. */
VigilRange vigil_histogram_range(const VigilHistogram *histogram);

#endif
