/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Activations on vectors.  Errors are stated against the exact functions and checked by
 * tests/kernels.  What is not a number stays so. */
#ifndef VIGIL_KERNELS_LANES_ACTIVATIONS_H
#define VIGIL_KERNELS_LANES_ACTIVATIONS_H

#include "lanes.h"

/* Adding and subtracting it rounds to an integer, which then lies in the low bits. */
#define V_ROUND v_set(0x1.8p23f)

/* exp(n ln 2 / V_STEPS + r) for |r| <= ln 2 / 2 / V_STEPS and n in the low bits of
 * `biased`: minimax, relative error below 1.1e-7. */
#ifdef V_HAS_PICK
#define V_STEPS 8
INLINE vf v_exp_of(vf r, vf biased)
{
    /* 2^(j / 8) with j / 8 taken off its exponent, which n shifted gives it back. */
    static const float powers[8] = { 0x1.000000p+0f, 0x1.f72b84p-1f, 0x1.f06fe0p-1f,
                                     0x1.ebfdaep-1f, 0x1.ea09e6p-1f, 0x1.eace54p-1f,
                                     0x1.ee89fap-1f, 0x1.f5818ep-1f };
    vf p = v_fma(v_set(0x1.555658p-3f), r, v_set(0x1.000874p-1f));
    p = v_fma(p, r, v_set(1.0f));
    p = v_fma(p, r, v_set(1.0f));
    return p * (vf)((vi)v_pick(powers, (vi)biased) + ((vi)biased << 20));
}
#else
#define V_STEPS 1
INLINE vf v_exp_of(vf r, vf biased)
{
    vf p = v_fma(v_set(0x1.106284p-7f), r, v_set(0x1.5729f0p-5f));
    p = v_fma(p, r, v_set(0x1.5557aep-3f));
    p = v_fma(p, r, v_set(0x1.fffdfcp-2f));
    p = v_fma(p, r, v_set(1.0f));
    p = v_fma(p, r, v_set(1.0f));
    return (vf)((vi)p + ((vi)biased << 23));
}
#endif

/* exp(x), relative error below 3e-7 for x in [-87, 88]; outside the value at the nearer
 * end.  x = n ln 2 / V_STEPS + r with ln 2 in two parts. */
INLINE vf v_exp(vf x)
{
    x = v_max(v_set(-87.0f), v_min(v_set(88.0f), x));
    vf biased = v_fma(x, v_set(0x1.715476p+0f * V_STEPS), V_ROUND);
    vf n = biased - V_ROUND;
    vf r = v_fma(n, v_set(-0x1.62e4p-1f / V_STEPS), x);
    r = v_fma(n, v_set(-0x1.7f7d1cp-20f / V_STEPS), r);
    return v_exp_of(r, biased);
}

/* 1 + exp(-x).  Cheaper than v_exp: what is lost by ln 2 in one part vanishes in what
 * the two functions below make of it. */
INLINE vf v_one_plus_exp_minus(vf x)
{
    x = v_max(v_set(-88.0f), v_min(v_set(87.0f), x));
    vf biased = v_fma(x, v_set(-0x1.715476p+0f * V_STEPS), V_ROUND);
    vf r = v_fma(biased - V_ROUND, v_set(-0x1.62e430p-1f / V_STEPS), -x);
    return v_set(1.0f) + v_exp_of(r, biased);
}

/* 1 / (1 + exp(-x)), absolute error below 2e-7. */
INLINE vf v_sigmoid(vf x)
{
    return v_ratio(v_set(1.0f), v_one_plus_exp_minus(x));
}

/* x / (1 + exp(-x)), error below 2e-7 max(1, |x|). */
INLINE vf v_silu(vf x)
{
    return v_ratio(x, v_one_plus_exp_minus(x));
}

/* x (0.5 + erf(x / sqrt 2) / 2), error below 3e-7 max(1, |x|): with the bracket's
 * second term for t = x clamped to [-5.4, 5.4], beyond which it is +-0.5 in float. */
#ifdef V_HAS_PICK
/* Of |t|, that term is one polynomial of degree 5 in each of eight intervals, around
 * multiples of 0.721: minimax fits. */
INLINE vf v_gelu(vf x)
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
    vf size = (vf)((vi)x & 0x7fffffff);
    vf t = v_min(v_set(5.4f), size);
    vf biased = v_fma(t, v_set(1.0f / 0.721f), V_ROUND);
    vf r = v_fma(biased - V_ROUND, v_set(-0.721f), t);
    vf p = v_pick(c[5], (vi)biased);
    UNROLL
    for (int i = 4; i >= 0; i--)
        p = v_fma(p, r, v_pick(c[i], (vi)biased));
    return v_fma(size, p, v_set(0.5f) * x);
}
#else
/* That term is t P(t t) / Q(t t), a minimax fit. */
INLINE vf v_gelu(vf x)
{
    vf t = v_max(v_set(-5.4f), v_min(v_set(5.4f), x));
    vf u = t * t;
    vf p = v_fma(v_set(2.33867996e-08f), u, v_set(6.36001724e-06f));
    p = v_fma(p, u, v_set(1.64321035e-04f));
    p = v_fma(p, u, v_set(4.65084712e-03f));
    p = v_fma(p, u, v_set(3.33721620e-02f));
    p = v_fma(p, u, v_set(3.98942245e-01f));
    vf q = v_fma(v_set(1.21659269e-06f), u, v_set(7.23999840e-05f));
    q = v_fma(q, u, v_set(1.85897772e-03f));
    q = v_fma(q, u, v_set(2.83786494e-02f));
    q = v_fma(q, u, v_set(2.50317694e-01f));
    q = v_fma(q, u, v_set(1.0f));
    return v_fma(x, v_ratio(t * p, q), v_set(0.5f) * x);
}
#endif

INLINE vf v_linear(vf x)
{
    return x;
}

INLINE vf v_relu(vf x)
{
    return v_max(v_zero(), x);
}

INLINE vf v_relu6(vf x)
{
    return v_max(v_zero(), v_min(v_set(6.0f), x));
}

INLINE vf v_hswish(vf x)
{
    return x * v_relu6(x + v_set(3.0f)) * v_set(1.0f / 6.0f);
}

INLINE vf v_hsigmoid(vf x)
{
    return v_relu6(x + v_set(3.0f)) * v_set(1.0f / 6.0f);
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
