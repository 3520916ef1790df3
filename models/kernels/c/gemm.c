/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/c/c.h"
#include "kernels/half.h"

/* Packed b is plain [k][n]. */

size_t vigil_gemm_pack_size_c(size_t n, size_t k)
{
    return n * k;
}

void vigil_gemm_pack_c(const float *b, size_t n, size_t k, size_t sn, size_t sk,
                       float *packed)
{
    for (size_t p = 0; p < k; p++)
        for (size_t column = 0; column < n; column++)
            packed[p * n + column] = b[p * sk + column * sn];
}

/* A few columns side by side: the compiler makes what vectors it can of them. */
enum { COLUMNS = 16 };

static float weight(const VigilGemm *g, size_t i)
{
    return g->half ? vigil_float_of_half(g->half[i]) : g->b[i];
}

static void row_times_columns(const VigilGemm *g, size_t row, size_t first)
{
    const size_t run = g->runs ? g->k / g->runs : g->k;
    const float *a = g->a + row * g->lda;
    size_t columns = g->n - first < COLUMNS ? g->n - first : COLUMNS;
    float sum[COLUMNS] = { 0 };
    for (size_t p = 0; p < g->k; p++) {
        const float value = a[p / run * g->run_stride + p % run];
        for (size_t i = 0; i < columns; i++)
            sum[i] += value * weight(g, p * g->n + first + i);
    }
    for (size_t i = 0; i < columns; i++)
        g->c[row * g->ldc + first + i] =
            vigil_epilogue_value_c(&g->epilogue, row, first + i, sum[i]);
}

void vigil_gemm_c(const VigilGemm *g)
{
    for (size_t row = 0; row < g->m; row++)
        for (size_t first = 0; first < g->n; first += COLUMNS)
            row_times_columns(g, row, first);
}
