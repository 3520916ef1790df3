/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lanes.h"

/* LANES bytes that lie `step` apart, as floats.  For steps above 1 up to step - 1 bytes
 * behind the last one are read. */
INLINE vf load_bytes(const uint8_t *p, const size_t step)
{
#if VIGIL_LANES == 16
    if (step == 1)
        return (vf)_mm512_cvtepi32_ps(
            _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)));
    if (step == 2)
        return (vf)_mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm256_and_si256(
            _mm256_loadu_si256((const __m256i *)p), _mm256_set1_epi16(0xff))));
    if (step == 4)
        return (vf)_mm512_cvtepi32_ps(
            _mm512_and_si512(_mm512_loadu_si512(p), _mm512_set1_epi32(0xff)));
#elif VIGIL_LANES == 8
    if (step == 1)
        return (vf)_mm256_cvtepi32_ps(
            _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
    if (step == 2)
        return (vf)_mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(
            _mm_and_si128(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi16(0xff))));
    if (step == 4)
        return (vf)_mm256_cvtepi32_ps(_mm256_and_si256(
            _mm256_loadu_si256((const __m256i *)p), _mm256_set1_epi32(0xff)));
#elif VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_sse2
    const __m128i zero = _mm_setzero_si128();
    int32_t four;
    if (step == 1) {
        memcpy(&four, p, sizeof four);
        return (vf)_mm_cvtepi32_ps(
            _mm_unpacklo_epi16(_mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zero), zero));
    }
    if (step == 2)
        return (vf)_mm_cvtepi32_ps(_mm_unpacklo_epi16(
            _mm_and_si128(_mm_loadl_epi64((const __m128i *)p), _mm_set1_epi16(0xff)),
            zero));
    if (step == 4)
        return (vf)_mm_cvtepi32_ps(
            _mm_and_si128(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi32(0xff)));
#endif
    vf v;
    UNROLL
    for (size_t i = 0; i < LANES; i++)
        v[i] = (float)p[i * step];
    return v;
}

INLINE void rows_of_step(const uint8_t *const *row, const float *weight, size_t taps,
                         size_t n, const size_t step, float *y)
{
    size_t i = 0;
    for (; i + LANES < n + (step == 1); i += LANES) {
        vf sum = v_zero();
        for (size_t t = 0; t < taps; t++)
            sum = v_fma(v_set(weight[t]), load_bytes(row[t] + i * step, step), sum);
        v_store(y + i, sum);
    }
    for (; i < n; i++) {
        y[i] = 0.0f;
        for (size_t t = 0; t < taps; t++)
            y[i] += weight[t] * (float)row[t][i * step];
    }
}

void V(resample_rows)(const uint8_t *const *row, const float *weight, size_t taps,
                      size_t n, size_t step, float *y)
{
    switch (step) {
    case 1:
        rows_of_step(row, weight, taps, n, 1, y);
        break;
    case 2:
        rows_of_step(row, weight, taps, n, 2, y);
        break;
    case 3:
        rows_of_step(row, weight, taps, n, 3, y);
        break;
    default:
        rows_of_step(row, weight, taps, n, 4, y);
        break;
    }
}

void V(resample_columns)(const float *x, const int32_t *first, const float *weight,
                         size_t taps, size_t n, size_t step, float *y)
{
    for (size_t i = 0; i < n; i++, weight += taps) {
        const float *p = x + first[i];
        vf sums = v_zero();
        size_t t = 0;
        for (; t + LANES <= taps; t += LANES)
            sums = v_fma(v_load(p + t), v_load(weight + t), sums);
        if (t < taps)
            sums = v_fma(v_load_part(p + t, taps - t),
                         v_load_part(weight + t, taps - t), sums);
        y[i * step] = v_sum(sums);
    }
}

void V(color)(const float *const plane[3], const float matrix[3][3],
              const float offset[3], const float low[3], const float high[3], size_t n,
              float *out)
{
    for (size_t i = 0; i < n; i += LANES) {
        size_t lanes = n - i < LANES ? n - i : LANES;
        vf a = v_load_n(plane[0] + i, lanes), b = v_load_n(plane[1] + i, lanes),
           c = v_load_n(plane[2] + i, lanes);
        for (size_t r = 0; r < 3; r++) {
            vf v = v_fma(a, v_set(matrix[r][0]), v_set(offset[r]));
            v = v_fma(b, v_set(matrix[r][1]), v);
            v = v_fma(c, v_set(matrix[r][2]), v);
            v = v_max(v_set(low[r]), v_min(v_set(high[r]), v));
            for (size_t j = 0; j < lanes; j++)
                out[(i + j) * 3 + r] = v[j];
        }
    }
}
