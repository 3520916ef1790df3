/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "activations.h"

#include <math.h>

void V(activate_tile)(vf *t, size_t count, VigilActivation activation)
{
#define BODY(f)                                                                        \
    for (size_t i = 0; i < count; i++)                                                 \
    t[i] = f(t[i])
    V_WITH_ACTIVATION(activation, BODY)
#undef BODY
}

void V(activate)(const float *x, size_t n, VigilActivation activation, float *y)
{
    if (activation == VIGIL_LINEAR && x != y)
        memmove(y, x, n * sizeof *y);
#define BODY(f)                                                                        \
    size_t i = 0;                                                                      \
    for (; i + LANES <= n; i += LANES)                                                 \
        v_store(y + i, f(v_load(x + i)));                                              \
    if (i < n)                                                                         \
    v_store_part(y + i, f(v_load_part(x + i, n - i)), n - i)
#define SCOPED(f)                                                                      \
    do {                                                                               \
        BODY(f);                                                                       \
    } while (0)
    V_WITH_ACTIVATION(activation, SCOPED)
#undef SCOPED
#undef BODY
}

void V(epilogue)(float *c, size_t ldc, size_t m, size_t n, const VigilEpilogue *e)
{
    for (size_t r = 0; r < m; r++) {
        float *row = c + r * ldc;
        const float *residual =
            e->residual ? e->residual + r * e->residual_stride : NULL;
        for (size_t i = 0; i < n; i += LANES) {
            size_t lanes = n - i < LANES ? n - i : LANES;
            vf v = v_load_n(row + i, lanes);
            if (e->bias)
                v += v_load_n(e->bias + i, lanes);
            if (e->activation != VIGIL_LINEAR)
                V(activate_tile)(&v, 1, e->activation);
            if (residual)
                v += v_load_n(residual + i, lanes);
            v_store_n(row + i, v, lanes);
        }
    }
}

/* Sum of x[i] - mean, or of its square, over one row. */
INLINE float row_sum(const float *x, size_t c, float mean, bool square)
{
    vf sum = v_zero(), m = v_set(mean);
    size_t i = 0;
    for (; i + LANES <= c; i += LANES) {
        vf v = v_load(x + i) - m;
        sum = square ? v_fma(v, v, sum) : sum + v;
    }
    float total = v_sum(sum);
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

void V(sum_rows)(const float *x, size_t rows, size_t c, double *sum)
{
    size_t i = 0;
    for (; i + LANES <= c; i += LANES) {
        vd total = { 0 };
        for (size_t r = 0; r < rows; r++)
            total += __builtin_convertvector(v_load(x + r * c + i), vd);
        *(vd_unaligned *)(sum + i) = total;
    }
    for (; i < c; i++) {
        sum[i] = 0;
        for (size_t r = 0; r < rows; r++)
            sum[i] += x[r * c + i];
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

void V(add)(const float *a, const float *b, size_t n, float *y)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        v_store(y + i, v_load(a + i) + v_load(b + i));
    for (; i < n; i++)
        y[i] = a[i] + b[i];
}
