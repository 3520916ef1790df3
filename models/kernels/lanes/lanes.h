/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Vectors of VIGIL_LANES floats for the sources of this folder, which are compiled once
 * per instruction set level.  The compiler's own vector types do the arithmetic; the
 * few operations that they lack are written per level here.
 *
 * The build gives VIGIL_LEVEL (sse2, avx2, avx512, vnni or neon) and, through the flags
 * of the level, the instruction set.
 */
#ifndef VIGIL_KERNELS_LANES_H
#define VIGIL_KERNELS_LANES_H

#include "kernels/kernels.h"

#include <stdbool.h>
#include <string.h>

#define VIGIL_LEVEL_IS_sse2 1
#define VIGIL_LEVEL_IS_avx2 2
#define VIGIL_LEVEL_IS_avx512 3
#define VIGIL_LEVEL_IS_neon 4
#define VIGIL_LEVEL_IS_vnni 5
#define VIGIL_PASTE_(a, b) a##b
#define VIGIL_PASTE(a, b) VIGIL_PASTE_(a, b)
#define VIGIL_LEVEL_NUMBER VIGIL_PASTE(VIGIL_LEVEL_IS_, VIGIL_LEVEL)

#if VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_avx512 ||                                     \
    VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_vnni
#if !defined(__AVX512F__) || !defined(__AVX512BW__) || !defined(__AVX512DQ__) ||       \
    !defined(__AVX512VL__)
#error "level avx512 is compiled without its instruction set"
#endif
#if VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_vnni && !defined(__AVX512VNNI__)
#error "level vnni is compiled without its instruction set"
#endif
#define VIGIL_LANES 16
#include <immintrin.h>
#elif VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_avx2
#if !defined(__AVX2__) || !defined(__FMA__) || !defined(__F16C__)
#error "level avx2 is compiled without its instruction set"
#endif
#define VIGIL_LANES 8
#include <immintrin.h>
#elif VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_sse2
#if !defined(__SSE2__)
#error "level sse2 is compiled without its instruction set"
#endif
#define VIGIL_LANES 4
#include <emmintrin.h>
#elif VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_neon
#if !defined(__ARM_NEON) || !defined(__aarch64__)
#error "level neon is compiled without its instruction set"
#endif
#define VIGIL_LANES 4
#include <arm_neon.h>
#else
#error "VIGIL_LEVEL must be sse2, avx2, avx512, vnni or neon"
#endif

/* V(gemm) is vigil_gemm_avx2 at that level. */
#define V__(name, level) vigil_##name##_##level
#define V_(name, level) V__(name, level)
#define V(name) V_(name, VIGIL_LEVEL)

/* The level whose kernels of floats this one uses: its own, or one that the build gives
 * where only those of bytes are compiled again. */
#ifndef VIGIL_FLOAT_LEVEL
#define VIGIL_FLOAT_LEVEL VIGIL_LEVEL
#endif
#define V_FLOATS(name) V_(name, VIGIL_FLOAT_LEVEL)

#define VIGIL_DECLARE_KERNEL(name, result, parameters) result V(name) parameters;
#define VIGIL_DECLARE_FLOATS(name, result, parameters) result V_FLOATS(name) parameters;
VIGIL_KERNELS_OF_FLOATS(VIGIL_DECLARE_FLOATS)
VIGIL_KERNELS_OF_BYTES(VIGIL_DECLARE_KERNEL)
#undef VIGIL_DECLARE_KERNEL
#undef VIGIL_DECLARE_FLOATS

#define LANES ((size_t)VIGIL_LANES)
#define INLINE static inline __attribute__((always_inline))

/* Loops over constant bounds whose bodies index registers must vanish entirely. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

typedef float vf __attribute__((vector_size(4 * VIGIL_LANES)));
typedef int32_t vi __attribute__((vector_size(4 * VIGIL_LANES)));
/* Half as many doubles. */
typedef double vd __attribute__((vector_size(4 * VIGIL_LANES)));
typedef float vf_unaligned
    __attribute__((vector_size(4 * VIGIL_LANES), aligned(4), may_alias));
/* Four floats at every level, for moving values about. */
typedef float v4 __attribute__((vector_size(16)));
typedef float v4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));

INLINE vf v_load(const float *p)
{
    return *(const vf_unaligned *)p;
}

INLINE void v_store(float *p, vf v)
{
    *(vf_unaligned *)p = v;
}

INLINE vf v_zero(void)
{
    return (vf) { 0 };
}

/* a * b + c, fused where the level can. */
INLINE vf v_fma(vf a, vf b, vf c)
{
    return a * b + c;
}

/* v_set:        x in every lane.
 * v_ratio:      a / b for |b| in 1e-30..1e38, to 2 units in the last place.
 * v_min, v_max: b where either is not a number.
 * v_load_half:  LANES numbers of 16 bits from p, finite ones.
 * v_load_part:  the first n < LANES lanes from p, the others 0; reads nothing else.
 * v_store_part: writes the first n < LANES lanes to p and nothing else.
 * v_sum:        of all lanes.
 * v_peak:       the greatest lane.
 * v_low, v_high: the lower and upper half of the lanes, as doubles.
 * v_pick:       of eight values, that which the low three bits of each lane of i
 * number; where V_HAS_PICK. */

#if VIGIL_LANES == 16

INLINE vf v_set(float x)
{
    return (vf)_mm512_set1_ps(x);
}

INLINE vf v_min(vf a, vf b)
{
    return (vf)_mm512_min_ps((__m512)a, (__m512)b);
}

INLINE vf v_max(vf a, vf b)
{
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
}

/* The divider takes twice as long as a reciprocal and one step of Newton. */
INLINE vf v_ratio(vf a, vf b)
{
    vf inverse = (vf)_mm512_rcp14_ps((__m512)b);
    vf q = a * inverse;
    return v_fma(a - q * b, inverse, q);
}

INLINE vf v_load_part(const float *p, size_t n)
{
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}

INLINE void v_store_part(float *p, vf v, size_t n)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
}

INLINE float v_sum(vf v)
{
    return _mm512_reduce_add_ps((__m512)v);
}

INLINE float v_peak(vf v)
{
    return _mm512_reduce_max_ps((__m512)v);
}

INLINE vd v_low(vf v)
{
    return (vd)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)v));
}

INLINE vd v_high(vf v)
{
    return (vd)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)v, 1));
}

INLINE vf v_load_half(const uint16_t *p)
{
    return (vf)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

#define V_HAS_PICK
INLINE vf v_pick(const float values[8], vi i)
{
    __m512 twice = _mm512_broadcast_f32x8(_mm256_loadu_ps(values));
    return (vf)_mm512_permutexvar_ps((__m512i)i, twice);
}

#elif VIGIL_LANES == 8

INLINE vf v_set(float x)
{
    return (vf)_mm256_set1_ps(x);
}

INLINE vf v_min(vf a, vf b)
{
    return (vf)_mm256_min_ps((__m256)a, (__m256)b);
}

INLINE vf v_max(vf a, vf b)
{
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
}

INLINE __m256i v_part_mask(size_t n)
{
    static const int32_t ramp[16] = { -1, -1, -1, -1, -1, -1, -1, -1 };
    return _mm256_loadu_si256((const __m256i *)(ramp + 8 - n));
}

INLINE vf v_load_part(const float *p, size_t n)
{
    return (vf)_mm256_maskload_ps(p, v_part_mask(n));
}

INLINE void v_store_part(float *p, vf v, size_t n)
{
    _mm256_maskstore_ps(p, v_part_mask(n), (__m256)v);
}

INLINE float v_sum(vf v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128((__m256)v),
                          _mm256_extractf128_ps((__m256)v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}

INLINE float v_peak(vf v)
{
    __m128 s = _mm_max_ps(_mm256_castps256_ps128((__m256)v),
                          _mm256_extractf128_ps((__m256)v, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_shuffle_ps(s, s, 1)));
}

INLINE vd v_low(vf v)
{
    return (vd)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)v));
}

INLINE vd v_high(vf v)
{
    return (vd)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)v, 1));
}

INLINE vf v_load_half(const uint16_t *p)
{
    return (vf)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}

#define V_HAS_PICK
INLINE vf v_pick(const float values[8], vi i)
{
    return (vf)_mm256_permutevar8x32_ps(_mm256_loadu_ps(values), (__m256i)i);
}

#else

INLINE vf v_load_part(const float *p, size_t n)
{
    vf v = { p[0] };
    if (n > 1)
        v[1] = p[1];
    if (n > 2)
        v[2] = p[2];
    return v;
}

INLINE void v_store_part(float *p, vf v, size_t n)
{
    p[0] = v[0];
    if (n > 1)
        p[1] = v[1];
    if (n > 2)
        p[2] = v[2];
}

INLINE float v_sum(vf v)
{
    return (v[0] + v[2]) + (v[1] + v[3]);
}

#if VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_sse2

INLINE vf v_set(float x)
{
    return (vf)_mm_set1_ps(x);
}

INLINE vf v_min(vf a, vf b)
{
    return (vf)_mm_min_ps((__m128)a, (__m128)b);
}

INLINE vf v_max(vf a, vf b)
{
    return (vf)_mm_max_ps((__m128)a, (__m128)b);
}

/* Exponent and fraction moved to where a float has them, with the wrong bias. */
INLINE vf v_load_half(const uint16_t *p)
{
    vi bits = (vi)_mm_unpacklo_epi16(_mm_loadl_epi64((const __m128i *)p),
                                     _mm_setzero_si128());
    vf size = (vf)((bits & 0x7fff) << 13) * v_set(0x1p112f);
    return (vf)((vi)size | (bits & 0x8000) << 16);
}

INLINE float v_peak(vf v)
{
    __m128 s = _mm_max_ps((__m128)v, _mm_movehl_ps((__m128)v, (__m128)v));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_shuffle_ps(s, s, 1)));
}

INLINE vd v_low(vf v)
{
    return (vd)_mm_cvtps_pd((__m128)v);
}

INLINE vd v_high(vf v)
{
    return (vd)_mm_cvtps_pd(_mm_movehl_ps((__m128)v, (__m128)v));
}

#else

INLINE vf v_set(float x)
{
    return (vf)vdupq_n_f32(x);
}

INLINE vf v_load_half(const uint16_t *p)
{
    return (vf)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}

INLINE vf v_select(vi mask, vf a, vf b)
{
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
}

INLINE vf v_min(vf a, vf b)
{
    return v_select(a < b, a, b);
}

INLINE vf v_max(vf a, vf b)
{
    return v_select(a > b, a, b);
}

INLINE float v_peak(vf v)
{
    return vmaxvq_f32((float32x4_t)v);
}

INLINE vd v_low(vf v)
{
    return (vd)vcvt_f64_f32(vget_low_f32((float32x4_t)v));
}

INLINE vd v_high(vf v)
{
    return (vd)vcvt_high_f64_f32((float32x4_t)v);
}

#endif
#endif

#if VIGIL_LANES != 16
INLINE vf v_ratio(vf a, vf b)
{
    return a / b;
}
#endif

/* The first n lanes, n in 1..LANES. */
INLINE vf v_load_n(const float *p, size_t n)
{
    return n == LANES ? v_load(p) : v_load_part(p, n);
}

INLINE void v_store_n(float *p, vf v, size_t n)
{
    if (n == LANES)
        v_store(p, v);
    else
        v_store_part(p, v, n);
}

#endif
