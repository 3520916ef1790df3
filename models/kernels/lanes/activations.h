/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Activations of a few vectors at a time, in place: each step is done for all of them
 * before the next one is, so that none waits for its own result.  Errors are stated
 * against the exact functions and checked by tests/kernels.  What is not a number stays
 * so. */
#ifndef VIGIL_KERNELS_LANES_ACTIVATIONS_H
#define VIGIL_KERNELS_LANES_ACTIVATIONS_H

#include "lanes.h"

/* As many as hide the latencies and, with their constants, fit the registers. */
#define V_TOGETHER ((size_t)4)

/* A step for each of n vectors, a constant up to V_TOGETHER. */
#define V_EACH                                                                         \
    UNROLL                                                                             \
    for (size_t i = 0; i < n; i++)

/* Adding and subtracting it rounds to an integer, which then lies in the low bits. */
#define V_ROUND v_set(0x1.8p23f)

/* exp(n ln 2 / V_STEPS + r) for |r| <= ln 2 / 2 / V_STEPS and n in the low bits of
 * `biased`, as a product: of r's polynomial, which replaces r, and of a power of two,
 * which replaces `biased`.  Minimax, relative error below 1.1e-7. */
#ifdef V_HAS_PICK
#define V_STEPS 8
INLINE void v_exp_of(vf *r, vf *biased, const size_t n)
{
    /* 2^(j / 8) with j / 8 taken off its exponent, which n shifted gives it back. */
    static const float powers[8] = { 0x1.000000p+0f, 0x1.f72b84p-1f, 0x1.f06fe0p-1f,
                                     0x1.ebfdaep-1f, 0x1.ea09e6p-1f, 0x1.eace54p-1f,
                                     0x1.ee89fap-1f, 0x1.f5818ep-1f };
    vf p[V_TOGETHER];
    V_EACH p[i] = v_fma(v_set(0x1.555658p-3f), r[i], v_set(0x1.000874p-1f));
    V_EACH p[i] = v_fma(p[i], r[i], v_set(1.0f));
    V_EACH r[i] = v_fma(p[i], r[i], v_set(1.0f));
    V_EACH biased[i] = (vf)((vi)v_pick(powers, (vi)biased[i]) + ((vi)biased[i] << 20));
}
#else
#define V_STEPS 1
INLINE void v_exp_of(vf *r, vf *biased, const size_t n)
{
    vf p[V_TOGETHER];
    V_EACH p[i] = v_fma(v_set(0x1.106284p-7f), r[i], v_set(0x1.5729f0p-5f));
    V_EACH p[i] = v_fma(p[i], r[i], v_set(0x1.5557aep-3f));
    V_EACH p[i] = v_fma(p[i], r[i], v_set(0x1.fffdfcp-2f));
    V_EACH p[i] = v_fma(p[i], r[i], v_set(1.0f));
    V_EACH r[i] = v_fma(p[i], r[i], v_set(1.0f));
    V_EACH biased[i] = (vf)(((vi)biased[i] << 23) + 0x3f800000);
}
#endif

/* The two factors of exp(x), or of exp(-x), for an exponent in [-87, 88].  As ln 2 is
 * taken in one part, the relative error grows with |x|, to 6e-8 |x|: that vanishes in
 * what the functions below make of it. */
INLINE void v_exp_factors(const vf *x, const bool minus, vf *r, vf *biased,
                          const size_t n)
{
    const vf steps = v_set((minus ? -1 : 1) * 0x1.715476p+0f * V_STEPS);
    V_EACH biased[i] = v_fma(x[i], steps, V_ROUND);
    V_EACH r[i] = v_fma(biased[i] - V_ROUND, v_set(-0x1.62e430p-1f / V_STEPS),
                        minus ? -x[i] : x[i]);
    v_exp_of(r, biased, n);
}

/* exp(x) for x <= 0, absolute error below 2e-7; below -87 the value there. */
INLINE void v_exp(vf *x, const size_t n)
{
    vf r[V_TOGETHER], biased[V_TOGETHER];
    V_EACH x[i] = v_max(v_set(-87.0f), x[i]);
    v_exp_factors(x, false, r, biased, n);
    V_EACH x[i] = r[i] * biased[i];
}

/* 1 + exp(-x). */
INLINE void v_one_plus_exp_minus(const vf *x, vf *y, const size_t n)
{
    vf near[V_TOGETHER], biased[V_TOGETHER];
    V_EACH near[i] = v_max(v_set(-88.0f), v_min(v_set(87.0f), x[i]));
    v_exp_factors(near, true, y, biased, n);
    V_EACH y[i] = v_fma(y[i], biased[i], v_set(1.0f));
}

/* 1 / (1 + exp(-x)), absolute error below 2e-7. */
INLINE void v_sigmoid(vf *x, const size_t n)
{
    vf y[V_TOGETHER];
    v_one_plus_exp_minus(x, y, n);
    V_EACH x[i] = v_ratio(v_set(1.0f), y[i]);
}

/* x / (1 + exp(-x)), error below 2e-7 max(1, |x|). */
INLINE void v_silu(vf *x, const size_t n)
{
    vf y[V_TOGETHER];
    v_one_plus_exp_minus(x, y, n);
    V_EACH x[i] = v_ratio(x[i], y[i]);
}

/* x (0.5 + erf(x / sqrt 2) / 2), error below 3e-7 max(1, |x|): with the bracket's
 * second term for t = x clamped to [-5.4, 5.4], beyond which it is +-0.5 in float. */
#ifdef V_HAS_PICK
/* Of |t|, that term is one polynomial of degree 5 in each of eight intervals, around
 * multiples of 0.721: minimax fits. */
INLINE void v_gelu(vf *x, const size_t n)
{
    static const float c[6][8] = {
        { 0.0f, 0x1.0ee4e4p-2f, 0x1.b38ea6p-2f, 0x1.f05ceep-2f, 0x1.fdfd56p-2f,
          0x1.ffd716p-2f, 0x1.fffe02p-2f, 0x1.fffff0p-2f },
        { 0x1.988446p-2f, 0x1.3b0344p-2f, 0x1.20e074p-3f, 0x1.3b094cp-5f,
          0x1.9893f0p-8f, 0x1.3b1774p-11f, 0x1.21043cp-15f, 0x1.3faf56p-20f },
        { 0x1.fb6846p-18f, -0x1.c6214cp-4f, -0x1.a092eep-4f, -0x1.54cceep-5f,
          -0x1.269516p-7f, -0x1.1b91e6p-10f, -0x1.370480p-14f, -0x1.7c6c0ap-19f },
        { -0x1.10b64ep-4f, -0x1.936f7ap-6f, 0x1.9f898ap-6f, 0x1.825e50p-6f,
          0x1.f26eb4p-8f, 0x1.3ad7b0p-10f, 0x1.a955d2p-14f, 0x1.4f706ep-18f },
        { 0x1.cfb932p-12f, 0x1.6dc77cp-6f, 0x1.022208p-7f, -0x1.6eca1ep-8f,
          -0x1.054982p-8f, -0x1.e999a2p-11f, -0x1.b7dbe6p-14f, -0x1.8f900cp-18f },
        { 0x1.2b5cb0p-7f, 0x1.de5e3cp-12f, -0x1.8254ecp-8f, -0x1.1ab086p-10f,
          0x1.2759fap-10f, 0x1.f48024p-12f, 0x1.320b92p-14f, 0x1.6eaffep-18f },
    };
    vf size[V_TOGETHER], biased[V_TOGETHER], r[V_TOGETHER], p[V_TOGETHER];
    V_EACH size[i] = (vf)((vi)x[i] & 0x7fffffff);
    V_EACH r[i] = v_min(v_set(5.4f), size[i]);
    V_EACH biased[i] = v_fma(r[i], v_set(1.0f / 0.721f), V_ROUND);
    V_EACH r[i] = v_fma(biased[i] - V_ROUND, v_set(-0.721f), r[i]);
    V_EACH p[i] = v_pick(c[5], (vi)biased[i]);
    UNROLL
    for (int k = 4; k >= 0; k--)
        V_EACH p[i] = v_fma(p[i], r[i], v_pick(c[k], (vi)biased[i]));
    V_EACH x[i] = v_fma(size[i], p[i], v_set(0.5f) * x[i]);
}
#else
/* That term is t P(t t) / Q(t t), a minimax fit. */
INLINE void v_gelu(vf *x, const size_t n)
{
    vf t[V_TOGETHER], u[V_TOGETHER], p[V_TOGETHER], q[V_TOGETHER];
    V_EACH t[i] = v_max(v_set(-5.4f), v_min(v_set(5.4f), x[i]));
    V_EACH u[i] = t[i] * t[i];
    V_EACH p[i] = v_fma(v_set(2.33867996e-08f), u[i], v_set(6.36001724e-06f));
    V_EACH p[i] = v_fma(p[i], u[i], v_set(1.64321035e-04f));
    V_EACH p[i] = v_fma(p[i], u[i], v_set(4.65084712e-03f));
    V_EACH p[i] = v_fma(p[i], u[i], v_set(3.33721620e-02f));
    V_EACH p[i] = v_fma(p[i], u[i], v_set(3.98942245e-01f));
    V_EACH q[i] = v_fma(v_set(1.21659269e-06f), u[i], v_set(7.23999840e-05f));
    V_EACH q[i] = v_fma(q[i], u[i], v_set(1.85897772e-03f));
    V_EACH q[i] = v_fma(q[i], u[i], v_set(2.83786494e-02f));
    V_EACH q[i] = v_fma(q[i], u[i], v_set(2.50317694e-01f));
    V_EACH q[i] = v_fma(q[i], u[i], v_set(1.0f));
    V_EACH x[i] = v_fma(x[i], v_ratio(t[i] * p[i], q[i]), v_set(0.5f) * x[i]);
}
#endif

INLINE void v_linear(vf *x, const size_t n)
{
}

INLINE void v_relu(vf *x, const size_t n)
{
    V_EACH x[i] = v_max(v_zero(), x[i]);
}

INLINE void v_relu6(vf *x, const size_t n)
{
    V_EACH x[i] = v_max(v_zero(), v_min(v_set(6.0f), x[i]));
}

/* min(max(x + 3, 0), 6) / 6 */
INLINE vf v_ramp(vf x)
{
    return v_max(v_zero(), v_min(v_set(6.0f), x + v_set(3.0f))) * v_set(1.0f / 6.0f);
}

INLINE void v_hswish(vf *x, const size_t n)
{
    V_EACH x[i] *= v_ramp(x[i]);
}

INLINE void v_hsigmoid(vf *x, const size_t n)
{
    V_EACH x[i] = v_ramp(x[i]);
}

/* Runs `body` with f bound to the vector function of the activation, so that the choice
 * is made once and not per vector. */
#define V_WITH_ACTIVATION(activation, body)                                            \
    switch (activation) {                                                              \
    case VIGIL_RELU:                                                                   \
        body(v_relu);                                                                  \
        break;                                                                         \
    case VIGIL_RELU6:                                                                  \
        body(v_relu6);                                                                 \
        break;                                                                         \
    case VIGIL_SILU:                                                                   \
        body(v_silu);                                                                  \
        break;                                                                         \
    case VIGIL_GELU:                                                                   \
        body(v_gelu);                                                                  \
        break;                                                                         \
    case VIGIL_SIGMOID:                                                                \
        body(v_sigmoid);                                                               \
        break;                                                                         \
    case VIGIL_HSWISH:                                                                 \
        body(v_hswish);                                                                \
        break;                                                                         \
    case VIGIL_HSIGMOID:                                                               \
        body(v_hsigmoid);                                                              \
        break;                                                                         \
    default:                                                                           \
        body(v_linear);                                                                \
        break;                                                                         \
    }

#endif
