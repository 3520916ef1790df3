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

void vigil_weigh_rows_c(const float *x, size_t ld, size_t rows, size_t c,
                        const double *weight, double *sum)
{
    for (size_t i = 0; i < c; i++) {
        sum[i] = 0.0;
        for (size_t r = 0; r < rows; r++)
            sum[i] += weight[r] * x[r * ld + i];
    }
}

void vigil_dot_rows_c(const float *x, size_t rows, size_t c, const float *w, double *y)
{
    for (size_t r = 0; r < rows; r++) {
        y[r] = 0.0;
        for (size_t i = 0; i < c; i++)
            y[r] += (double)x[r * c + i] * w[i];
    }
}

void vigil_scale_rows_c(const float *x, size_t rows, size_t c, const float *scale,
                        float *y)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < c; i++)
            y[r * c + i] = x[r * c + i] * scale[i];
}

void vigil_affine_rows_c(const float *x, size_t rows, size_t c, const float *scale,
                         const float *shift, float *y)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < c; i++)
            y[r * c + i] = x[r * c + i] * scale[i] + shift[i];
}

void vigil_moments_c(const float *x, size_t n, float pivot, double sums[2])
{
    sums[0] = sums[1] = 0.0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)x[i] - (double)pivot;
        sums[0] += d;
        sums[1] += d * d;
    }
}

void vigil_mix_c(const float *const row[4], const float weight[4], size_t n, float *y)
{
    for (size_t i = 0; i < n; i++) {
        float sum = 0.0f;
        for (size_t t = 0; t < 4; t++)
            sum += weight[t] * row[t][i];
        y[i] = sum;
    }
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
