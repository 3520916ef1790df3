/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/c/c.h"
#include "kernels/half.h"

/* Packed b: panels [k][COLUMNS], the last one of as many columns as are left.  A row of
 * a panel is summed side by side: the compiler makes what vectors it can of that. */
enum { COLUMNS = 16 };

static size_t panel_width(size_t n, size_t first)
{
    return n - first < COLUMNS ? n - first : COLUMNS;
}

size_t vigil_gemm_pack_size_c(size_t n, size_t k)
{
    return n * k;
}

void vigil_gemm_pack_c(const float *b, size_t n, size_t k, size_t sn, size_t sk,
                       float *packed)
{
    for (size_t first = 0; first < n; first += COLUMNS)
        for (size_t p = 0; p < k; p++)
            for (size_t i = 0; i < panel_width(n, first); i++)
                *packed++ = b[p * sk + (first + i) * sn];
}

size_t vigil_gemm_columns_c(void)
{
    return COLUMNS;
}

static float weight(const VigilGemm *g, size_t i)
{
    return g->half ? vigil_float_of_half(g->half[i]) : g->b[i];
}

static void row_times_columns(const VigilGemm *g, size_t row, size_t first)
{
    const size_t run = g->runs ? g->k / g->runs : g->k;
    const float *a = g->a + row * g->lda;
    const size_t columns = panel_width(g->n, first), panel = first * g->k;
    float sum[COLUMNS] = { 0 };
    for (size_t p = 0; p < g->k; p++) {
        const float value = a[p / run * g->run_stride + p % run];
        for (size_t i = 0; i < columns; i++)
            sum[i] += value * weight(g, panel + p * columns + i);
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
