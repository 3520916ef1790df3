/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winograd's transforms, a vector of channels at a time, first down and then across. */
#include "activations.h"

/* B^T of four values `step` apart. */
INLINE void transform_input(vf *d, const size_t step)
{
    vf a = d[0] - d[2 * step], b = d[step] + d[2 * step];
    vf c = d[2 * step] - d[step], e = d[step] - d[3 * step];
    d[0] = a;
    d[step] = b;
    d[2 * step] = c;
    d[3 * step] = e;
}

INLINE void input_lanes(const float *const x[16], size_t at, size_t lanes, float *v,
                        size_t stride)
{
    vf d[16];
    UNROLL
    for (size_t k = 0; k < 16; k++)
        d[k] = v_load_n(x[k] + at, lanes);
    UNROLL
    for (size_t col = 0; col < 4; col++)
        transform_input(d + col, 4);
    UNROLL
    for (size_t row = 0; row < 4; row++)
        transform_input(d + 4 * row, 1);
    UNROLL
    for (size_t k = 0; k < 16; k++)
        v_store_n(v + k * stride + at, d[k], lanes);
}

void V(winograd_input)(const float *const x[16], size_t c, float *v, size_t stride)
{
    size_t at = 0;
    for (; at + LANES <= c; at += LANES)
        input_lanes(x, at, LANES, v, stride);
    if (at < c)
        input_lanes(x, at, c - at, v, stride);
}

/* A^T of four values `step` apart, to the first two. */
INLINE void transform_output(vf *m, const size_t step)
{
    vf a = m[0] + m[step] + m[2 * step];
    vf b = m[step] - m[2 * step] - m[3 * step];
    m[0] = a;
    m[step] = b;
}

INLINE void output_lanes(const VigilWinogradOutput *o, size_t at, size_t lanes, vf *y)
{
    vf m[16];
    UNROLL
    for (size_t k = 0; k < 16; k++)
        m[k] = v_load_n(o->m + k * o->stride + at, lanes);
    UNROLL
    for (size_t col = 0; col < 4; col++)
        transform_output(m + col, 4);
    transform_output(m, 1);
    transform_output(m + 4, 1);
    vf bias = o->bias ? v_load_n(o->bias + at, lanes) : v_zero();
    UNROLL
    for (size_t pixel = 0; pixel < 4; pixel++)
        y[pixel] = m[pixel / 2 * 4 + pixel % 2] + bias;
}

void V(winograd_output)(const VigilWinogradOutput *o)
{
#define BODY(f)                                                                        \
    for (size_t at = 0; at < o->c; at += LANES) {                                      \
        size_t lanes = o->c - at < LANES ? o->c - at : LANES;                          \
        vf y[4];                                                                       \
        output_lanes(o, at, lanes, y);                                                 \
        f(y, 4);                                                                       \
        for (int k = 0; k < 4; k++) {                                                  \
            if (!o->y[k])                                                              \
                continue;                                                              \
            if (o->r[k])                                                               \
                y[k] += v_load_n(o->r[k] + at, lanes);                                 \
            v_store_n(o->y[k] + at, y[k], lanes);                                      \
        }                                                                              \
    }
    V_WITH_ACTIVATION(o->activation, BODY)
#undef BODY
}
