/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include <string.h>

enum { X, V, WANT, BIAS, RESIDUAL };

static const size_t widths[] = { 1, 3, 7, 8, 9, 16, 17, 31, 32, 33, 96 };

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* A row of the 1-D transform of four values, as the paper writes it out. */
static double down(const double d[4], int row)
{
    return row == 0   ? d[0] - d[2]
           : row == 1 ? d[1] + d[2]
           : row == 2 ? d[2] - d[1]
                      : d[1] - d[3];
}

void check_winograd_input(Check *c)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        size_t n = widths[i], stride = n + (size_t)pick(20);
        float *x = floats(X, 16 * n), *v = floats(V, 15 * stride + n);
        const float *pixel[16];
        for (size_t k = 0; k < 16; k++)
            pixel[k] = x + k * n;
        begin_case(c, "winograd_input of %zu channels", n);
        c->level->winograd_input(pixel, n, v, stride);
        for (size_t channel = 0; channel < n; channel++)
            for (int row = 0; row < 4; row++)
                for (int col = 0; col < 4; col++) {
                    double across[4];
                    for (int y = 0; y < 4; y++) {
                        double d[4];
                        for (int z = 0; z < 4; z++)
                            d[z] = pixel[y * 4 + z][channel];
                        across[y] = down(d, col);
                    }
                    near_value(c, v[(size_t)(row * 4 + col) * stride + channel],
                               down(across, row), 5e-7);
                }
    }
}

/* Pixel (row, col) of the inverse transform. */
static double inverse(const float *m, size_t stride, int row, int col)
{
    double sum = 0;
    for (int y = 0; y < 4; y++)
        for (int z = 0; z < 4; z++) {
            int a = row ? (y > 0) - 2 * (y > 1) : y < 3;
            int b = col ? (z > 0) - 2 * (z > 1) : z < 3;
            sum += a * b * (double)m[(size_t)(y * 4 + z) * stride];
        }
    return sum;
}

static void check_output(Check *c, size_t n, VigilActivation activation)
{
    size_t stride = n + (size_t)pick(20);
    float *y = floats(V, 4 * n), *residual = floats(RESIDUAL, 4 * n);
    float *before = floats(WANT, 4 * n);
    VigilWinogradOutput o = { .m = floats(X, 15 * stride + n),
                              .stride = stride,
                              .c = n,
                              .bias = pick(2) ? floats(BIAS, n) : NULL,
                              .activation = activation };
    bool added = pick(2);
    for (size_t k = 0; k < 4; k++) {
        o.y[k] = pick(5) ? y + k * n : NULL;
        o.r[k] = added ? residual + k * n : NULL;
    }
    memcpy(before, y, 4 * n * sizeof *y);
    begin_case(c,
               "winograd_output of %zu channels, activation %d, bias %d, residual %d",
               n, (int)activation, o.bias != NULL, added);
    c->level->winograd_output(&o);
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < n; i++) {
            double sum = inverse(o.m + i, stride, (int)k / 2, (int)k % 2);
            sum = activation_exact(sum + (o.bias ? (double)o.bias[i] : 0), activation);
            sum += added ? (double)residual[k * n + i] : 0;
            near_value(c, y[k * n + i], o.y[k] ? sum : (double)before[k * n + i],
                       o.y[k] ? 5e-6 : 1e-12);
        }
}

void check_winograd_output(Check *c)
{
    for (size_t i = 0; i < COUNT(widths); i++)
        for (int a = 0; a < VIGIL_ACTIVATIONS; a++)
            check_output(c, widths[i], (VigilActivation)a);
}
