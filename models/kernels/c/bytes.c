/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/c/c.h"

#include <math.h>
#include <string.h>

/* Packed b is b, [n][k]. */

size_t vigil_bytes_pack_size_c(size_t n, size_t k)
{
    return n * k;
}

void vigil_bytes_pack_c(const int8_t *b, size_t n, size_t k, int8_t *packed)
{
    memcpy(packed, b, n * k);
}

static int32_t dot(const uint8_t *a, const int8_t *b, size_t k)
{
    int32_t sum = 0;
    for (size_t p = 0; p < k; p++)
        sum += a[p] * b[p];
    return sum;
}

void vigil_bytes_gemm_c(const VigilBytesGemm *g)
{
    for (size_t row = 0; row < g->m; row++)
        for (size_t column = 0; column < g->n; column++) {
            int32_t sum = dot(g->a + row * g->lda, g->b + column * g->k, g->k);
            g->c[row * g->ldc + column] = vigil_epilogue_value_c(
                &g->epilogue, row, column, (float)sum * g->scale[column]);
        }
}

void vigil_quantise_rows_c(const float *x, size_t ldx, size_t rows, size_t c,
                           float factor, int zero, uint8_t *y, size_t ldy)
{
    const float high = (float)(255 - zero);
    for (size_t r = 0; r < rows; r++) {
        memset(y + r * ldy + c, 0, vigil_bytes_depth(c) - c);
        for (size_t i = 0; i < c; i++) {
            float v = x[r * ldx + i] * factor;
            v = nearbyintf(v < high ? v : high) + (float)zero;
            y[r * ldy + i] = (uint8_t)(v < 0 ? 0 : v);
        }
    }
}

int vigil_bytes_pay_c(size_t n, size_t k)
{
    return 0;
}
