/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/c/c.h"

#include <math.h>

void vigil_layer_norm_c(const float *x, size_t rows, size_t c, const float *gamma,
                        const float *beta, float eps, float *y)
{
    for (size_t r = 0; r < rows; r++, x += c, y += c) {
        double mean = 0.0, variance = 0.0;
        for (size_t i = 0; i < c; i++)
            mean += x[i] / (double)c;
        for (size_t i = 0; i < c; i++)
            variance += (x[i] - mean) * (x[i] - mean) / (double)c;
        for (size_t i = 0; i < c; i++) {
            double v = (x[i] - mean) / sqrt(variance + (double)eps);
            y[i] = (float)(gamma ? v * gamma[i] + beta[i] : v);
        }
    }
}

void vigil_sum_rows_c(const float *x, size_t rows, size_t c, double *sum)
{
    for (size_t i = 0; i < c; i++) {
        sum[i] = 0.0;
        for (size_t r = 0; r < rows; r++)
            sum[i] += x[r * c + i];
    }
}

void vigil_scale_rows_c(const float *x, size_t rows, size_t c, const float *scale,
                        float *y)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < c; i++)
            y[r * c + i] = x[r * c + i] * scale[i];
}

void vigil_add_c(const float *a, const float *b, size_t n, float *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

void vigil_dynamic_relu_c(const float *x, size_t rows, size_t c, const float *t,
                          float *y)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < c; i++) {
            float a = 2.0f * t[i] * x[r * c + i];
            float b = (2.0f * t[c + i] - 1.0f) * x[r * c + i];
            y[r * c + i] = a > b ? a : b;
        }
}

void vigil_interleave_c(const float *x, size_t stride, size_t m, size_t n, float *y)
{
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < m; i++)
            y[j * m + i] = x[i * stride + j];
}
