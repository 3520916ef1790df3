/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Register tiles of matrix products, for gemm.c and attention.c. */
#ifndef VIGIL_KERNELS_LANES_TILES_H
#define VIGIL_KERNELS_LANES_TILES_H

#include "lanes.h"

/* Rows of a tile of 1 or 2, and of 3 vectors: as many as the registers of the level
 * hold beside a row of b and one value of a. */
#if VIGIL_LANES == 16
#define ROWS_2 12
#define ROWS_3 8
#elif VIGIL_LANES == 8
#define ROWS_2 6
#define ROWS_3 4
#elif VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_neon
#define ROWS_2 8
#define ROWS_3 8
#else
#define ROWS_2 4
#define ROWS_3 3
#endif
#define VECTORS_MAX 3

/* Vectors in the next panel when `left` remain: threes and twos, one only for a single.
 */
static inline size_t v_panel(size_t left)
{
    return left == 4 ? 2 : left < 3 ? left : 3;
}

/* sum[rows][vectors] += a [rows][lda] * b [k][ldb]; rows, vectors and whether b has
 * numbers of 16 bits are constants.  The last vector of b lies `back` floats before
 * where the others let it be expected. */
INLINE void v_multiply(vf (*sum)[VECTORS_MAX], const float *a, size_t lda,
                       const void *b, const bool half, size_t ldb, size_t k,
                       const size_t rows, const size_t vectors, const size_t back)
{
    for (size_t p = 0, at = 0; p < k; p++, a++, at += ldb) {
        vf column[VECTORS_MAX];
        UNROLL
        for (size_t i = 0; i < vectors; i++) {
            const size_t from = at + i * LANES - (i + 1 == vectors ? back : 0);
            column[i] = half ? v_load_half((const uint16_t *)b + from)
                             : v_load((const float *)b + from);
        }
        UNROLL
        for (size_t r = 0; r < rows; r++) {
            vf value = v_set(a[r * lda]);
            UNROLL
            for (size_t i = 0; i < vectors; i++)
                sum[r][i] = v_fma(value, column[i], sum[r][i]);
        }
    }
}

#endif
