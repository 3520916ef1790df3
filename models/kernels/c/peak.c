/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/c/c.h"

double vigil_peak_c(size_t rounds)
{
    enum { SUMS = 48 }; /* enough to hide latency, few enough for registers */
    float sum[SUMS], factor = 0.5f;
    for (int j = 0; j < SUMS; j++)
        sum[j] = (float)j; /* equal sums would be merged */
    for (size_t i = 0; i < rounds; i++) {
        __asm__ volatile(""
                         : "+m"(factor)); /* what it is now, the compiler cannot know */
        for (int j = 0; j < SUMS; j++)
            sum[j] = sum[j] * factor + factor;
    }
    __asm__ volatile("" : : "m"(sum));
    return 2.0 * SUMS * (double)rounds;
}
