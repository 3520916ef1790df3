/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "activations.h"

#include <math.h>

/* y [0..n vectors] = f(x), the last vector maybe of fewer lanes. */
#define VECTORS(f, n, lanes)                                                           \
    do {                                                                               \
        vf v[n];                                                                       \
        UNROLL                                                                         \
        for (size_t j = 0; j < n; j++)                                                 \
            v[j] = v_load_n(x + i + j * LANES, lanes);                                 \
        f(v, n);                                                                       \
        UNROLL                                                                         \
        for (size_t j = 0; j < n; j++)                                                 \
            v_store_n(y + i + j * LANES, v[j], lanes);                                 \
    } while (0)

void V(activate)(const float *x, size_t n, VigilActivation activation, float *y)
{
#define BODY(f)                                                                        \
    for (; i + 4 * LANES <= n; i += 4 * LANES)                                         \
        VECTORS(f, 4, LANES);                                                          \
    for (; i + LANES <= n; i += LANES)                                                 \
        VECTORS(f, 1, LANES);                                                          \
    if (i < n)                                                                         \
    VECTORS(f, 1, n - i)
    size_t i = 0;
    V_WITH_ACTIVATION(activation, BODY)
#undef BODY
#undef VECTORS
}

void V(epilogue)(float *c, size_t ldc, size_t m, size_t n, const VigilEpilogue *e)
{
    const float *bias = e->bias, *residual = e->residual;
    const size_t stride = e->residual_stride;
#define BODY(f)                                                                        \
    for (size_t r = 0; r < m; r++, c += ldc) {                                         \
        for (size_t i = 0; i < n; i += LANES) {                                        \
            size_t lanes = n - i < LANES ? n - i : LANES;                              \
            vf v = v_load_n(c + i, lanes);                                             \
            if (bias)                                                                  \
                v += v_load_n(bias + i, lanes);                                        \
            f(&v, 1);                                                                  \
            v_store_n(c + i, residual ? v + v_load_n(residual + i, lanes) : v, lanes); \
        }                                                                              \
        if (residual)                                                                  \
            residual += stride;                                                        \
    }
    V_WITH_ACTIVATION(e->activation, BODY)
#undef BODY
}

INLINE vf deviation(vf sum, vf v, vf mean, const bool square)
{
    v -= mean;
    return square ? v_fma(v, v, sum) : sum + v;
}

/* Sum of x[i] - mean, or of its square, over one row, in four chains. */
INLINE float row_sum(const float *x, size_t c, float mean, const bool square)
{
    vf sum[4], m = v_set(mean);
    size_t i = 0;
    UNROLL
    for (size_t j = 0; j < 4; j++)
        sum[j] = v_zero();
    for (; i + 4 * LANES <= c; i += 4 * LANES) {
        UNROLL
        for (size_t j = 0; j < 4; j++)
            sum[j] = deviation(sum[j], v_load(x + i + j * LANES), m, square);
    }
    for (; i + LANES <= c; i += LANES)
        sum[0] = deviation(sum[0], v_load(x + i), m, square);
    float total = v_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
    for (; i < c; i++) {
        float v = x[i] - mean;
        total += square ? v * v : v;
    }
    return total;
}

void V(layer_norm)(const float *x, size_t rows, size_t c, const float *gamma,
                   const float *beta, float eps, float *y)
{
    for (size_t r = 0; r < rows; r++, x += c, y += c) {
        float mean = row_sum(x, c, 0.0f, false) / (float)c;
        float variance = row_sum(x, c, mean, true) / (float)c;
        float inverse = 1.0f / sqrtf(variance + eps);
        vf m = v_set(mean), s = v_set(inverse);
        for (size_t i = 0; i < c; i += LANES) {
            size_t lanes = c - i < LANES ? c - i : LANES;
            vf v = (v_load_n(x + i, lanes) - m) * s;
            if (gamma)
                v = v_fma(v, v_load_n(gamma + i, lanes), v_load_n(beta + i, lanes));
            v_store_n(y + i, v, lanes);
        }
    }
}

/* The sums of `vectors` vectors of columns, of rows ld apart; of `lanes` columns where
 * that is less than a vector.  weight NULL: all 1. */
INLINE void sum_columns(const float *x, size_t ld, size_t rows, const double *weight,
                        double *sum, const size_t vectors, size_t lanes)
{
    vd low[4], high[4];
    UNROLL
    for (size_t i = 0; i < vectors; i++)
        low[i] = high[i] = (vd) { 0 };
    for (size_t r = 0; r < rows; r++, x += ld) {
        UNROLL
        for (size_t i = 0; i < vectors; i++) {
            vf v = v_load_n(x + i * LANES, lanes);
            low[i] += weight ? v_low(v) * weight[r] : v_low(v);
            high[i] += weight ? v_high(v) * weight[r] : v_high(v);
        }
    }
    for (size_t i = 0; i < vectors; i++)
        for (size_t j = 0; j < lanes; j++)
            sum[i * LANES + j] = j < LANES / 2 ? low[i][j] : high[i][j - LANES / 2];
}

INLINE void sum_all(const float *x, size_t ld, size_t rows, size_t c,
                    const double *weight, double *sum)
{
    size_t i = 0;
    for (; i + 4 * LANES <= c; i += 4 * LANES)
        sum_columns(x + i, ld, rows, weight, sum + i, 4, LANES);
    for (; i + 2 * LANES <= c; i += 2 * LANES)
        sum_columns(x + i, ld, rows, weight, sum + i, 2, LANES);
    for (; i + LANES <= c; i += LANES)
        sum_columns(x + i, ld, rows, weight, sum + i, 1, LANES);
    if (i < c)
        sum_columns(x + i, ld, rows, weight, sum + i, 1, c - i);
}

void V(sum_rows)(const float *x, size_t rows, size_t c, double *sum)
{
    sum_all(x, c, rows, c, NULL, sum);
}

void V(weigh_rows)(const float *x, size_t ld, size_t rows, size_t c,
                   const double *weight, double *sum)
{
    sum_all(x, ld, rows, c, weight, sum);
}

void V(dot_rows)(const float *x, size_t rows, size_t c, const float *w, double *y)
{
    for (size_t r = 0; r < rows; r++, x += c) {
        vd low = { 0 }, high = { 0 };
        for (size_t i = 0; i < c; i += LANES) {
            size_t lanes = c - i < LANES ? c - i : LANES;
            vf a = v_load_n(x + i, lanes), b = v_load_n(w + i, lanes);
            low += v_low(a) * v_low(b);
            high += v_high(a) * v_high(b);
        }
        low += high;
        y[r] = 0;
        for (size_t i = 0; i < LANES / 2; i++)
            y[r] += low[i];
    }
}

void V(scale_rows)(const float *x, size_t rows, size_t c, const float *scale, float *y)
{
    for (size_t r = 0; r < rows; r++, x += c, y += c)
        for (size_t i = 0; i < c; i += LANES) {
            size_t lanes = c - i < LANES ? c - i : LANES;
            v_store_n(y + i, v_load_n(x + i, lanes) * v_load_n(scale + i, lanes),
                      lanes);
        }
}

void V(affine_rows)(const float *x, size_t rows, size_t c, const float *scale,
                    const float *shift, float *y)
{
    for (size_t r = 0; r < rows; r++, x += c, y += c)
        for (size_t i = 0; i < c; i += LANES) {
            size_t lanes = c - i < LANES ? c - i : LANES;
            v_store_n(y + i,
                      v_fma(v_load_n(x + i, lanes), v_load_n(scale + i, lanes),
                            v_load_n(shift + i, lanes)),
                      lanes);
        }
}

void V(moments)(const float *x, size_t n, float pivot, double sums[2])
{
    vd sum[4], square[4], p = v_low(v_set(pivot));
    size_t i = 0;
    UNROLL
    for (size_t j = 0; j < 4; j++)
        sum[j] = square[j] = (vd) { 0 };
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        UNROLL
        for (size_t j = 0; j < 4; j++) {
            vf v = v_load(x + i + j / 2 * LANES);
            vd d = (j % 2 ? v_high(v) : v_low(v)) - p;
            sum[j] += d;
            square[j] += d * d;
        }
    }
    vd first = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    vd second = (square[0] + square[1]) + (square[2] + square[3]);
    sums[0] = sums[1] = 0.0;
    for (size_t j = 0; j < LANES / 2; j++) {
        sums[0] += first[j];
        sums[1] += second[j];
    }
    for (; i < n; i++) {
        double d = (double)x[i] - (double)pivot;
        sums[0] += d;
        sums[1] += d * d;
    }
}

void V(mix)(const float *const row[4], const float weight[4], size_t n, float *y)
{
    const vf w0 = v_set(weight[0]), w1 = v_set(weight[1]), w2 = v_set(weight[2]),
             w3 = v_set(weight[3]);
    for (size_t i = 0; i < n; i += LANES) {
        size_t lanes = n - i < LANES ? n - i : LANES;
        vf upper =
            v_fma(v_load_n(row[1] + i, lanes), w1, v_load_n(row[0] + i, lanes) * w0);
        vf lower =
            v_fma(v_load_n(row[3] + i, lanes), w3, v_load_n(row[2] + i, lanes) * w2);
        v_store_n(y + i, upper + lower, lanes);
    }
}

void V(add)(const float *a, const float *b, size_t n, float *y)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        v_store(y + i, v_load(a + i) + v_load(b + i));
    for (; i < n; i++)
        y[i] = a[i] + b[i];
}

/* n vectors of channels of every row, the last maybe of fewer lanes. */
INLINE void bend(const float *x, size_t rows, size_t c, const float *t, float *y,
                 const size_t n, size_t lanes)
{
    vf a[4], b[4];
    UNROLL
    for (size_t i = 0; i < n; i++) {
        a[i] = v_load_n(t + i * LANES, lanes);
        b[i] = v_load_n(t + c + i * LANES, lanes);
        a[i] += a[i];
        b[i] += b[i] - v_set(1.0f);
    }
    for (size_t r = 0; r < rows; r++, x += c, y += c) {
        UNROLL
        for (size_t i = 0; i < n; i++) {
            vf v = v_load_n(x + i * LANES, lanes);
            v_store_n(y + i * LANES, v_max(a[i] * v, b[i] * v), lanes);
        }
    }
}

/* Rows that stay near while their channels are gone through. */
#define BEND_ROWS ((size_t)48)

void V(dynamic_relu)(const float *x, size_t rows, size_t c, const float *t, float *y)
{
    for (size_t r = 0; r < rows; r += BEND_ROWS) {
        const size_t count = rows - r < BEND_ROWS ? rows - r : BEND_ROWS;
        const size_t at = r * c;
        size_t i = 0;
        for (; i + 4 * LANES <= c; i += 4 * LANES)
            bend(x + at + i, count, c, t + i, y + at + i, 4, LANES);
        for (; i + LANES <= c; i += LANES)
            bend(x + at + i, count, c, t + i, y + at + i, 1, LANES);
        if (i < c)
            bend(x + at + i, count, c, t + i, y + at + i, 1, c - i);
    }
}

INLINE v4 zip_low(v4 a, v4 b)
{
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
}

INLINE v4 zip_high(v4 a, v4 b)
{
    return __builtin_shufflevector(a, b, 2, 6, 3, 7);
}

INLINE void store_4(float *y, v4 v)
{
    *(v4_unaligned *)y = v;
}

/* p, q, r hold two pairs each: one pair of each in turn. */
INLINE void store_pairs(float *y, v4 p, v4 q, v4 r)
{
    store_4(y, __builtin_shufflevector(p, q, 0, 1, 4, 5));
    store_4(y + 4, __builtin_shufflevector(r, p, 0, 1, 6, 7));
    store_4(y + 8, __builtin_shufflevector(q, r, 2, 3, 6, 7));
}

/* Four values of each of m runs. */
INLINE void interleave_4(const float *x, size_t stride, const size_t m, float *y)
{
    v4 a[6];
    UNROLL
    for (size_t i = 0; i < m; i++)
        a[i] = *(const v4_unaligned *)(x + i * stride);
    if (m == 2) {
        store_4(y, zip_low(a[0], a[1]));
        store_4(y + 4, zip_high(a[0], a[1]));
    } else if (m == 3) {
        v4 low = zip_low(a[0], a[1]), high = zip_high(a[0], a[1]);
        v4 middle = __builtin_shufflevector(low, a[2], 3, 5, 3, 5);
        store_4(y, __builtin_shufflevector(low, a[2], 0, 1, 4, 2));
        store_4(y + 4, __builtin_shufflevector(middle, high, 0, 1, 4, 5));
        store_4(y + 8, __builtin_shufflevector(high, a[2], 6, 2, 3, 7));
    } else if (m == 4) {
        v4 even = zip_low(a[0], a[2]), odd = zip_low(a[1], a[3]);
        store_4(y, zip_low(even, odd));
        store_4(y + 4, zip_high(even, odd));
        even = zip_high(a[0], a[2]);
        odd = zip_high(a[1], a[3]);
        store_4(y + 8, zip_low(even, odd));
        store_4(y + 12, zip_high(even, odd));
    } else {
        store_pairs(y, zip_low(a[0], a[1]), zip_low(a[2], a[3]), zip_low(a[4], a[5]));
        store_pairs(y + 12, zip_high(a[0], a[1]), zip_high(a[2], a[3]),
                    zip_high(a[4], a[5]));
    }
}

INLINE size_t interleave_runs(const float *x, size_t stride, const size_t m, size_t n,
                              float *y)
{
    size_t j = 0;
    for (; j + 4 <= n; j += 4)
        interleave_4(x + j, stride, m, y + j * m);
    return j;
}

/* The multipliers and group counts of published networks in vectors of four. */
void V(interleave)(const float *x, size_t stride, size_t m, size_t n, float *y)
{
    size_t j = 0;
    if (m == 2)
        j = interleave_runs(x, stride, 2, n, y);
    else if (m == 3)
        j = interleave_runs(x, stride, 3, n, y);
    else if (m == 4)
        j = interleave_runs(x, stride, 4, n, y);
    else if (m == 6)
        j = interleave_runs(x, stride, 6, n, y);
    for (; j < n; j++)
        for (size_t i = 0; i < m; i++)
            y[j * m + i] = x[i * stride + j];
}
