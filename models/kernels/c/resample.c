/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/c/c.h"

void vigil_resample_rows_c(const uint8_t *const *row, const float *weight, size_t taps,
                           size_t n, size_t step, float *y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = 0.0f;
        for (size_t t = 0; t < taps; t++)
            y[i] += weight[t] * (float)row[t][i * step];
    }
}

void vigil_resample_words_c(const uint8_t *const *row, const float *weight, size_t taps,
                            size_t n, uint16_t mask, bool big_endian, float *y)
{
    const size_t high = big_endian ? 0 : 1, low = 1 - high;
    for (size_t i = 0; i < n; i++) {
        y[i] = 0.0f;
        for (size_t t = 0; t < taps; t++) {
            const uint8_t *p = row[t] + 2 * i;
            y[i] += weight[t] * (float)((p[high] << 8 | p[low]) & mask);
        }
    }
}

void vigil_resample_columns_c(const float *x, const int32_t *first, const float *weight,
                              size_t taps, size_t n, size_t step, float *y)
{
    for (size_t i = 0; i < n; i++) {
        float sum = 0.0f;
        for (size_t t = 0; t < taps; t++)
            sum += weight[i * taps + t] * x[(size_t)first[i] + t];
        y[i * step] = sum;
    }
}

void vigil_resample_split_c(const float *x, size_t n, size_t step, float *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i * step];
}

void vigil_color_c(const float *const plane[3], const float matrix[3][3],
                   const float offset[3], const float low[3], const float high[3],
                   size_t n, float *out)
{
    for (size_t i = 0; i < n; i++)
        for (size_t r = 0; r < 3; r++) {
            float v = matrix[r][0] * plane[0][i] + matrix[r][1] * plane[1][i] +
                      matrix[r][2] * plane[2][i] + offset[r];
            out[i * 3 + r] = v < low[r] ? low[r] : v > high[r] ? high[r] : v;
        }
}
