/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lanes.h"

/* Enough independent sums to hide the latency of two units; few enough for 16
 * registers. */
#define SUMS 12

double V(peak)(size_t rounds)
{
    vf sum[SUMS], factor = v_set(0.5f);
    UNROLL
    for (int j = 0; j < SUMS; j++)
        sum[j] = v_set((float)j); /* equal sums would be merged */
    for (size_t i = 0; i < rounds; i++) {
        __asm__ volatile("" : "+m"(factor)); /* keeps the rounds from being merged */
        vf f = factor;
        UNROLL
        for (int j = 0; j < SUMS; j++)
            sum[j] = v_fma(sum[j], f, f);
    }
    vf total = v_zero();
    UNROLL
    for (int j = 0; j < SUMS; j++)
        total += sum[j];
    __asm__ volatile("" : : "m"(total));
    return 2.0 * SUMS * VIGIL_LANES * (double)rounds;
}
