/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lanes.h"

/* How samples are stored; constant in every function of this file. */
typedef enum Stored { BYTES, LITTLE_WORDS, BIG_WORDS } Stored;

/* load_bytes: LANES bytes that lie `step` (1..4) apart, as whole numbers.  For steps
 *             above 1 up to step - 1 bytes behind the last one are read.
 * load_words: LANES words that follow each other, those bits that are set in mask. */
#if VIGIL_LANES == 16

INLINE vi load_bytes(const uint8_t *p, const size_t step)
{
    if (step == 1)
        return (vi)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
    if (step == 2)
        return (vi)_mm512_cvtepu16_epi32(_mm256_and_si256(
            _mm256_loadu_si256((const __m256i *)p), _mm256_set1_epi16(0xff)));
    if (step == 4)
        return (vi)_mm512_and_si512(_mm512_loadu_si512(p), _mm512_set1_epi32(0xff));
    const __m128i third =
        _mm_setr_epi8(0, -1, -1, -1, 3, -1, -1, -1, 6, -1, -1, -1, 9, -1, -1, -1);
    const __m128i late = _mm_add_epi8(third, _mm_set1_epi32(4));
    __m128i a = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p), third);
    __m128i b = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(p + 12)), third);
    __m128i c = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(p + 24)), third);
    __m128i d = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(p + 32)), late);
    return (vi)_mm512_inserti64x4(_mm512_castsi256_si512(_mm256_set_m128i(b, a)),
                                  _mm256_set_m128i(d, c), 1);
}

INLINE vi load_words(const uint8_t *p, const Stored stored, uint16_t mask)
{
    __m256i w = _mm256_loadu_si256((const __m256i *)p);
    if (stored == BIG_WORDS)
        w = _mm256_or_si256(_mm256_slli_epi16(w, 8), _mm256_srli_epi16(w, 8));
    w = _mm256_and_si256(w, _mm256_set1_epi16((short)mask));
    return (vi)_mm512_cvtepu16_epi32(w);
}

#elif VIGIL_LANES == 8

INLINE vi load_bytes(const uint8_t *p, const size_t step)
{
    if (step == 1)
        return (vi)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
    if (step == 2)
        return (vi)_mm256_cvtepu16_epi32(
            _mm_and_si128(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi16(0xff)));
    if (step == 4)
        return (vi)_mm256_and_si256(_mm256_loadu_si256((const __m256i *)p),
                                    _mm256_set1_epi32(0xff));
    const __m128i third =
        _mm_setr_epi8(0, -1, -1, -1, 3, -1, -1, -1, 6, -1, -1, -1, 9, -1, -1, -1);
    const __m128i late = _mm_add_epi8(third, _mm_set1_epi32(4));
    __m128i a = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p), third);
    __m128i b = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(p + 8)), late);
    return (vi)_mm256_set_m128i(b, a);
}

INLINE vi load_words(const uint8_t *p, const Stored stored, uint16_t mask)
{
    __m128i w = _mm_loadu_si128((const __m128i *)p);
    if (stored == BIG_WORDS)
        w = _mm_or_si128(_mm_slli_epi16(w, 8), _mm_srli_epi16(w, 8));
    w = _mm_and_si128(w, _mm_set1_epi16((short)mask));
    return (vi)_mm256_cvtepu16_epi32(w);
}

#elif VIGIL_LEVEL_NUMBER == VIGIL_LEVEL_IS_sse2

INLINE vi load_bytes(const uint8_t *p, const size_t step)
{
    const __m128i zero = _mm_setzero_si128();
    int32_t four;
    if (step == 1) {
        memcpy(&four, p, sizeof four);
        return (vi)_mm_unpacklo_epi16(_mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zero),
                                      zero);
    }
    if (step == 2)
        return (vi)_mm_unpacklo_epi16(
            _mm_and_si128(_mm_loadl_epi64((const __m128i *)p), _mm_set1_epi16(0xff)),
            zero);
    if (step == 4)
        return (vi)_mm_and_si128(_mm_loadu_si128((const __m128i *)p),
                                 _mm_set1_epi32(0xff));
    return (vi) { p[0], p[3], p[6], p[9] };
}

INLINE vi load_words(const uint8_t *p, const Stored stored, uint16_t mask)
{
    __m128i w = _mm_loadl_epi64((const __m128i *)p);
    if (stored == BIG_WORDS)
        w = _mm_or_si128(_mm_slli_epi16(w, 8), _mm_srli_epi16(w, 8));
    w = _mm_and_si128(w, _mm_set1_epi16((short)mask));
    return (vi)_mm_unpacklo_epi16(w, _mm_setzero_si128());
}

#else

INLINE vi load_bytes(const uint8_t *p, const size_t step)
{
    uint32_t four;
    if (step != 1)
        return (vi) { p[0], p[step], p[2 * step], p[3 * step] };
    memcpy(&four, p, sizeof four);
    return (vi)vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four))));
}

INLINE vi load_words(const uint8_t *p, const Stored stored, uint16_t mask)
{
    uint8x8_t w = vld1_u8(p);
    if (stored == BIG_WORDS)
        w = vrev16_u8(w);
    return (vi)vmovl_u16(vand_u16(vreinterpret_u16_u8(w), vdup_n_u16(mask)));
}

#endif

INLINE vf load_samples(const uint8_t *p, const Stored stored, const size_t step,
                       uint16_t mask)
{
    vi whole = stored == BYTES ? load_bytes(p, step) : load_words(p, stored, mask);
    return __builtin_convertvector(whole, vf);
}

INLINE float load_sample(const uint8_t *p, const Stored stored, uint16_t mask)
{
    if (stored == BYTES)
        return (float)*p;
    int word = stored == BIG_WORDS ? p[0] << 8 | p[1] : p[1] << 8 | p[0];
    return (float)(word & mask);
}

/* `vectors` vectors of sums from y[i] on. */
INLINE void rows_at(const uint8_t *const *row, const float *weight, size_t taps,
                    size_t i, const Stored stored, const size_t step, uint16_t mask,
                    float *y, const size_t vectors)
{
    vf sum[4];
    UNROLL
    for (size_t j = 0; j < vectors; j++)
        sum[j] = v_zero();
    for (size_t t = 0; t < taps; t++) {
        const uint8_t *p = row[t] + i * step;
        vf w = v_set(weight[t]);
        UNROLL
        for (size_t j = 0; j < vectors; j++)
            sum[j] = v_fma(w, load_samples(p + j * LANES * step, stored, step, mask),
                           sum[j]);
    }
    UNROLL
    for (size_t j = 0; j < vectors; j++)
        v_store(y + i + j * LANES, sum[j]);
}

INLINE void rows_of(const uint8_t *const *row, const float *weight, size_t taps,
                    size_t n, const Stored stored, const size_t step, uint16_t mask,
                    float *y)
{
    /* Of the last sample only its own byte is readable. */
    const size_t spare = stored == BYTES && step > 1;
    size_t i = 0;
    for (; i + 4 * LANES + spare <= n; i += 4 * LANES)
        rows_at(row, weight, taps, i, stored, step, mask, y, 4);
    for (; i + LANES + spare <= n; i += LANES)
        rows_at(row, weight, taps, i, stored, step, mask, y, 1);
    for (; i < n; i++) {
        y[i] = 0.0f;
        for (size_t t = 0; t < taps; t++)
            y[i] += weight[t] * load_sample(row[t] + i * step, stored, mask);
    }
}

void V(resample_rows)(const uint8_t *const *row, const float *weight, size_t taps,
                      size_t n, size_t step, float *y)
{
    switch (step) {
    case 1:
        rows_of(row, weight, taps, n, BYTES, 1, 0, y);
        break;
    case 2:
        rows_of(row, weight, taps, n, BYTES, 2, 0, y);
        break;
    case 3:
        rows_of(row, weight, taps, n, BYTES, 3, 0, y);
        break;
    default:
        rows_of(row, weight, taps, n, BYTES, 4, 0, y);
        break;
    }
}

void V(resample_words)(const uint8_t *const *row, const float *weight, size_t taps,
                       size_t n, uint16_t mask, bool big_endian, float *y)
{
    if (big_endian)
        rows_of(row, weight, taps, n, BIG_WORDS, 2, mask, y);
    else
        rows_of(row, weight, taps, n, LITTLE_WORDS, 2, mask, y);
}

/* F(k, 0), F(k, 1) ... one for each lane: the constants of a shuffle. */
#define EACH_4(F, k) F(k, 0), F(k, 1), F(k, 2), F(k, 3)
#define EACH_8(F, k) EACH_4(F, k), F(k, 4), F(k, 5), F(k, 6), F(k, 7)
#define EACH_16(F, k)                                                                  \
    EACH_8(F, k), F(k, 8), F(k, 9), F(k, 10), F(k, 11), F(k, 12), F(k, 13), F(k, 14),  \
        F(k, 15)
#define EACH__(F, k, lanes) EACH_##lanes(F, k)
#define EACH_(F, k, lanes) EACH__(F, k, lanes)
#define EACH(F, k) EACH_(F, k, VIGIL_LANES)
#define SHUFFLE __builtin_shufflevector

#if VIGIL_LANES == 4

INLINE vf add_pairs(vf a, vf b)
{
    return SHUFFLE(a, b, 0, 2, 4, 6) + SHUFFLE(a, b, 1, 3, 5, 7);
}

/* Lane i is the sum of the lanes of s[i]. */
INLINE vf sums_of(const vf *s)
{
    return add_pairs(add_pairs(s[0], s[1]), add_pairs(s[2], s[3]));
}

#else

/* Folds two vectors into one: of every 2 k lanes the first k are sums of a, the others
 * of b.  Blends are cheaper than shuffles, so that only one of those is used. */
#define KEPT(k, i) ((i) & (k) ? VIGIL_LANES + (i) : (i))
#define MOVED(k, i) ((i) & (k) ? (i) : VIGIL_LANES + (i))
#define SWAPPED(k, i) ((i) ^ (k))
#define FOLD(k, a, b)                                                                  \
    (SHUFFLE(a, b, EACH(KEPT, k)) +                                                    \
     SHUFFLE(SHUFFLE(a, b, EACH(MOVED, k)), v_zero(), EACH(SWAPPED, k)))

INLINE vf fold_4(const vf *s)
{
    vf a = FOLD(1, s[0], s[1]), b = FOLD(1, s[2], s[3]);
    return FOLD(2, a, b);
}

INLINE vf fold_8(const vf *s)
{
    vf a = fold_4(s), b = fold_4(s + 4);
    return FOLD(4, a, b);
}

INLINE vf sums_of(const vf *s)
{
#if VIGIL_LANES == 8
    return fold_8(s);
#else
    vf a = fold_8(s), b = fold_8(s + 8);
    return FOLD(8, a, b);
#endif
}

#endif

INLINE vf weighted(const float *x, const float *weight, const size_t taps)
{
    vf sums = v_zero();
    size_t t = 0;
    for (; t + LANES <= taps; t += LANES)
        sums = v_fma(v_load(x + t), v_load(weight + t), sums);
    if (t < taps)
        sums = v_fma(v_load_part(x + t, taps - t), v_load_part(weight + t, taps - t),
                     sums);
    return sums;
}

/* n: a multiple of LANES. */
INLINE void columns_of(const float *x, const int32_t *first, const float *weight,
                       const size_t taps, size_t n, float *y)
{
    for (size_t i = 0; i < n; i += LANES) {
        vf sums[LANES];
        UNROLL
        for (size_t j = 0; j < LANES; j++)
            sums[j] = weighted(x + first[i + j], weight + (i + j) * taps, taps);
        v_store(y + i, sums_of(sums));
    }
}

/* Short sums of a known length are unrolled. */
#define COLUMNS_CASE(taps)                                                             \
    case taps:                                                                         \
        columns_of(x, first, weight, taps, whole, y);                                  \
        break;

void V(resample_columns)(const float *x, const int32_t *first, const float *weight,
                         size_t taps, size_t n, size_t step, float *y)
{
    size_t whole = step == 1 ? n - n % LANES : 0;
    switch (taps) {
        COLUMNS_CASE(8)
        COLUMNS_CASE(16)
        COLUMNS_CASE(24)
        COLUMNS_CASE(32)
        COLUMNS_CASE(40)
    default:
        columns_of(x, first, weight, taps, whole, y);
        break;
    }
    for (size_t i = whole; i < n; i++)
        y[i * step] = v_sum(weighted(x + first[i], weight + i * taps, taps));
}

/* y[i] = x[i * step], LANES of them. */
#define STRIDE_LOW(k, i) ((k) * (i) < 2 * VIGIL_LANES ? (k) * (i) : 0)
#define STRIDE_HIGH(k, i) ((k) * (i) < 2 * VIGIL_LANES ? (i) : (k) * (i) - VIGIL_LANES)

INLINE vf every_second(const float *x)
{
    return __builtin_shufflevector(v_load(x), v_load(x + LANES), EACH(STRIDE_LOW, 2));
}

INLINE vf every_third(const float *x)
{
    vf low = __builtin_shufflevector(v_load(x), v_load(x + LANES), EACH(STRIDE_LOW, 3));
    return __builtin_shufflevector(low, v_load(x + 2 * LANES), EACH(STRIDE_HIGH, 3));
}

INLINE vf every_fourth(const float *x)
{
    vf low = every_second(x), high = every_second(x + 2 * LANES);
    return __builtin_shufflevector(low, high, EACH(STRIDE_LOW, 2));
}

void V(resample_split)(const float *x, size_t n, size_t step, float *y)
{
    size_t i = 0;
    if (step == 2)
        for (; i + LANES < n; i += LANES)
            v_store(y + i, every_second(x + i * 2));
    if (step == 3)
        for (; i + LANES < n; i += LANES)
            v_store(y + i, every_third(x + i * 3));
    if (step == 4)
        for (; i + LANES < n; i += LANES)
            v_store(y + i, every_fourth(x + i * 4));
    for (; i < n; i++)
        y[i] = x[i * step];
}

/* Vector k of r0 g0 b0 r1 g1 b1... */
#define RED_GREEN(k, i)                                                                \
    (((k) * VIGIL_LANES + (i)) / 3 +                                                   \
     (((k) * VIGIL_LANES + (i)) % 3 == 1 ? VIGIL_LANES : 0))
#define WITH_BLUE(k, i)                                                                \
    (((k) * VIGIL_LANES + (i)) % 3 == 2 ? VIGIL_LANES + ((k) * VIGIL_LANES + (i)) / 3  \
                                        : (i))

INLINE void store_interleaved(float *out, const vf v[3])
{
#define STORE_VECTOR(k)                                                                \
    v_store(out + (k) * LANES,                                                         \
            __builtin_shufflevector(                                                   \
                __builtin_shufflevector(v[0], v[1], EACH(RED_GREEN, k)), v[2],         \
                EACH(WITH_BLUE, k)))
    STORE_VECTOR(0);
    STORE_VECTOR(1);
    STORE_VECTOR(2);
}

void V(color)(const float *const plane[3], const float matrix[3][3],
              const float offset[3], const float low[3], const float high[3], size_t n,
              float *out)
{
    for (size_t i = 0; i < n; i += LANES) {
        size_t lanes = n - i < LANES ? n - i : LANES;
        vf a = v_load_n(plane[0] + i, lanes), b = v_load_n(plane[1] + i, lanes),
           c = v_load_n(plane[2] + i, lanes), rgb[3];
        UNROLL
        for (size_t r = 0; r < 3; r++) {
            vf v = v_fma(a, v_set(matrix[r][0]), v_set(offset[r]));
            v = v_fma(b, v_set(matrix[r][1]), v);
            v = v_fma(c, v_set(matrix[r][2]), v);
            rgb[r] = v_max(v_set(low[r]), v_min(v_set(high[r]), v));
        }
        if (lanes == LANES)
            store_interleaved(out + i * 3, rgb);
        else
            for (size_t j = 0; j < lanes * 3; j++)
                out[i * 3 + j] = rgb[j % 3][j / 3];
    }
}
