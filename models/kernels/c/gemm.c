/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/c/c.h"

/* Packed b is plain [n][k]: every value of c is the product of two contiguous rows. */

size_t vigil_gemm_pack_size_c(size_t n, size_t k)
{
    return n * k;
}

void vigil_gemm_pack_c(const float *b, size_t n, size_t k, size_t sn, size_t sk,
                       float *packed)
{
    for (size_t column = 0; column < n; column++)
        for (size_t p = 0; p < k; p++)
            packed[column * k + p] = b[p * sk + column * sn];
}

void vigil_gemm_c(const VigilGemm *g)
{
    for (size_t row = 0; row < g->m; row++)
        for (size_t column = 0; column < g->n; column++) {
            const float *a = g->a + row * g->lda, *b = g->b + column * g->k;
            float sum = 0.0f;
            for (size_t p = 0; p < g->k; p++)
                sum += a[p] * b[p];
            g->c[row * g->ldc + column] =
                vigil_epilogue_value_c(&g->epilogue, row, column, sum);
        }
}
