/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What bytes.c needs of a level. */
#ifndef VIGIL_KERNELS_LANES_BYTES_H
#define VIGIL_KERNELS_LANES_BYTES_H

#include "lanes.h"

/* v_set_four:  the four bytes at p in every lane.
 * v_float:     the same numbers.
 * v_dot:       sum + a . b over the four bytes of each lane; a 0..255, b, at p,
 * -64..64. v_round:     to the nearest whole number, ties to even; below -2^31: to
 * -2^31. v_put_bytes: the lanes of a, b, c and d, clipped to 0..255, as bytes to p. */

INLINE vi v_set_whole(int32_t x)
{
    return x - (vi) { 0 };
}

INLINE vi v_set_four(const uint8_t *p)
{
    int32_t four;
    memcpy(&four, p, sizeof four);
    return v_set_whole(four);
}

INLINE vf v_float(vi v)
{
    return __builtin_convertvector(v, vf);
}

#if VIGIL_LANES == 16

INLINE vi v_dot(vi sum, vi a, const int8_t *p)
{
    __m512i b = _mm512_loadu_si512(p);
#ifdef __AVX512VNNI__
    return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)a, b);
#else
    __m512i pairs = _mm512_maddubs_epi16((__m512i)a, b);
    return sum + (vi)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
#endif
}

INLINE vi v_round(vf v)
{
    return (vi)_mm512_cvtps_epi32((__m512)v);
}

INLINE void v_put_bytes(uint8_t *p, vi a, vi b, vi c, vi d)
{
    const __m512i order =
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i low = _mm512_packs_epi32((__m512i)a, (__m512i)b);
    __m512i high = _mm512_packs_epi32((__m512i)c, (__m512i)d);
    __m512i bytes = _mm512_packus_epi16(low, high);
    _mm512_storeu_si512(p, _mm512_permutexvar_epi32(order, bytes));
}

#elif VIGIL_LANES == 8

INLINE vi v_dot(vi sum, vi a, const int8_t *p)
{
    __m256i b = _mm256_loadu_si256((const __m256i *)p);
    __m256i pairs = _mm256_maddubs_epi16((__m256i)a, b);
    return sum + (vi)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

INLINE vi v_round(vf v)
{
    return (vi)_mm256_cvtps_epi32((__m256)v);
}

INLINE void v_put_bytes(uint8_t *p, vi a, vi b, vi c, vi d)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i low = _mm256_packs_epi32((__m256i)a, (__m256i)b);
    __m256i high = _mm256_packs_epi32((__m256i)c, (__m256i)d);
    __m256i bytes = _mm256_packus_epi16(low, high);
    _mm256_storeu_si256((__m256i *)p, _mm256_permutevar8x32_epi32(bytes, order));
}

#elif VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_sse2

INLINE vi v_dot(vi sum, vi a, const int8_t *p)
{
    const __m128i zero = _mm_setzero_si128();
    __m128i b = _mm_loadu_si128((const __m128i *)p), sign = _mm_cmpgt_epi8(zero, b);
    __m128 low = (__m128)_mm_madd_epi16(_mm_unpacklo_epi8((__m128i)a, zero),
                                        _mm_unpacklo_epi8(b, sign));
    __m128 high = (__m128)_mm_madd_epi16(_mm_unpackhi_epi8((__m128i)a, zero),
                                         _mm_unpackhi_epi8(b, sign));
    return sum + (vi)_mm_shuffle_ps(low, high, 0x88) +
           (vi)_mm_shuffle_ps(low, high, 0xdd);
}

INLINE vi v_round(vf v)
{
    return (vi)_mm_cvtps_epi32((__m128)v);
}

INLINE void v_put_bytes(uint8_t *p, vi a, vi b, vi c, vi d)
{
    __m128i low = _mm_packs_epi32((__m128i)a, (__m128i)b);
    __m128i high = _mm_packs_epi32((__m128i)c, (__m128i)d);
    _mm_storeu_si128((__m128i *)p, _mm_packus_epi16(low, high));
}

#else

INLINE vi v_dot(vi sum, vi a, const int8_t *p)
{
    int8x16_t b = vld1q_s8(p);
    int16x8_t a0 = (int16x8_t)vmovl_u8(vget_low_u8((uint8x16_t)a));
    int16x8_t a1 = (int16x8_t)vmovl_high_u8((uint8x16_t)a);
    int16x8_t b0 = vmovl_s8(vget_low_s8(b)), b1 = vmovl_high_s8(b);
    int32x4_t low = vpaddq_s32(vmull_s16(vget_low_s16(a0), vget_low_s16(b0)),
                               vmull_high_s16(a0, b0));
    int32x4_t high = vpaddq_s32(vmull_s16(vget_low_s16(a1), vget_low_s16(b1)),
                                vmull_high_s16(a1, b1));
    return sum + (vi)vpaddq_s32(low, high);
}

INLINE vi v_round(vf v)
{
    return (vi)vcvtnq_s32_f32((float32x4_t)v);
}

INLINE void v_put_bytes(uint8_t *p, vi a, vi b, vi c, vi d)
{
    int16x8_t low = vqmovn_high_s32(vqmovn_s32((int32x4_t)a), (int32x4_t)b);
    int16x8_t high = vqmovn_high_s32(vqmovn_s32((int32x4_t)c), (int32x4_t)d);
    vst1q_u8(p, vqmovun_high_s16(vqmovun_s16(low), high));
}

#endif
#endif
