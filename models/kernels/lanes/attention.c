/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attention of one head.  The keys are turned to [d][keys] once, so that the logits of
 * a few queries are a matrix product by register tiles; their softmax stays in scratch
 * and is multiplied by v the same way, v being used where it lies.
 */
#include "activations.h"
#include "tiles.h"

#include <float.h>
#include <math.h>

#define QUERIES ROWS_3 /* at a time, at most VIGIL_ATTENTION_QUERIES */
/* Keys that are summed up before they are added to the others: over the thousands of
 * pixels of a map one running sum would lose three digits.  A multiple of LANES. */
#define SUMMED ((size_t)256)

/* A few queries on their way. */
typedef struct Group {
    const VigilAttention *a;
    const float *q;
    float *o, *map;
    const float *keys; /* [d][padded] */
    size_t padded;     /* tk, rounded up; also between rows of scores */
    float *scores;     /* [QUERIES][padded] */
} Group;

/* 4 x 4 values from rows ld apart to rows to_ld apart, turned. */
INLINE void turn(const float *from, size_t ld, float *to, size_t to_ld)
{
    v4 r[4];
    for (size_t i = 0; i < 4; i++)
        r[i] = *(const v4_unaligned *)(from + i * ld);
    v4 a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
    v4 b = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
    v4 c = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
    v4 d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
    *(v4_unaligned *)to = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    *(v4_unaligned *)(to + to_ld) = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    *(v4_unaligned *)(to + 2 * to_ld) = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    *(v4_unaligned *)(to + 3 * to_ld) = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

static void turn_keys(const VigilAttention *a, float *keys, size_t padded)
{
    size_t whole = a->d / 4 * 4, t = 0;
    for (; t + 4 <= a->tk; t += 4) {
        for (size_t i = 0; i < whole; i += 4)
            turn(a->k + t * a->ldk + i, a->ldk, keys + i * padded + t, padded);
        for (size_t i = whole; i < a->d; i++)
            for (size_t j = t; j < t + 4; j++)
                keys[i * padded + j] = a->k[j * a->ldk + i];
    }
    for (size_t i = 0; i < a->d; i++)
        for (size_t j = t; j < padded; j++)
            keys[i * padded + j] = j < a->tk ? a->k[j * a->ldk + i] : 0.0f;
}

INLINE void logits_of(const Group *g, size_t t, const size_t rows, const size_t vectors)
{
    const vf scale = v_set(g->a->scale);
    vf sum[QUERIES][VECTORS_MAX];
    UNROLL
    for (size_t i = 0; i < rows * vectors; i++)
        sum[i / vectors][i % vectors] = v_zero();
    v_multiply(sum, g->q, g->a->ldq, g->keys + t, false, g->padded, g->a->d, rows,
               vectors, 0);
    UNROLL
    for (size_t i = 0; i < rows * vectors; i++)
        v_store(g->scores + i / vectors * g->padded + t + i % vectors * LANES,
                sum[i / vectors][i % vectors] * scale);
}

/* scores[r][t] = scale q[r] . k[t]; keys that do not exist get the least float. */
INLINE void logits(const Group *g, const size_t rows)
{
    for (size_t t = 0, vectors; t < g->a->tk; t += vectors * LANES) {
        vectors = v_panel((g->a->tk - t + LANES - 1) / LANES);
        if (vectors == 3)
            logits_of(g, t, rows, 3);
        else if (vectors == 2)
            logits_of(g, t, rows, 2);
        else
            logits_of(g, t, rows, 1);
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t t = g->a->tk; t < g->padded; t++)
            g->scores[r * g->padded + t] = -FLT_MAX;
}

/* Turns n vectors into exp(logit - peak), in place; returns their
 * sum. */
INLINE vf exponentials_of(float *scores, vf peak, const size_t n)
{
    vf e[V_TOGETHER], sum = v_zero();
    V_EACH e[i] = v_load(scores + i * LANES) - peak;
    v_exp(e, n);
    V_EACH sum += e[i];
    V_EACH v_store(scores + i * LANES, e[i]);
    return sum;
}

/* Turns one row of logits into exp(logit - greatest), in place; returns 1 / their sum.
 */
INLINE float exponentials(const VigilAttention *a, float *scores)
{
    vf peaks = v_set(a->extra_zero_keys ? 0.0f : -FLT_MAX), sums = v_zero();
    for (size_t t = 0; t < a->tk; t += LANES)
        peaks = v_max(peaks, v_load(scores + t));
    const float highest = v_peak(peaks);
    const vf peak = v_set(highest);
    for (size_t first = 0; first < a->tk; first += SUMMED) {
        size_t end = a->tk - first < SUMMED ? a->tk : first + SUMMED;
        vf part = v_zero();
        size_t t = first;
        for (; t + 4 * LANES <= end; t += 4 * LANES)
            part += exponentials_of(scores + t, peak, 4);
        for (; t < end; t += LANES)
            part += exponentials_of(scores + t, peak, 1);
        sums += part;
    }
    float sum = v_sum(sums);
    if (a->extra_zero_keys)
        sum += (float)a->extra_zero_keys * expf(-highest);
    return 1.0f / sum;
}

/* Vectors of columns from `col` on; the last moved back where it would reach beyond the
 * last column, over such as are done already. */
INLINE void weigh_columns(const Group *g, const float *inverse, size_t col,
                          const size_t rows, const size_t vectors, const bool moved)
{
    const VigilAttention *a = g->a;
    const size_t back = moved ? LANES - a->dv % LANES : 0;
    vf sum[QUERIES][VECTORS_MAX], total[QUERIES][VECTORS_MAX];
    for (size_t i = 0; i < rows * vectors; i++)
        total[i / vectors][i % vectors] = v_zero();
    for (size_t t = 0; t < a->tk; t += SUMMED) {
        const size_t keys = a->tk - t < SUMMED ? a->tk - t : SUMMED;
        UNROLL
        for (size_t i = 0; i < rows * vectors; i++)
            sum[i / vectors][i % vectors] = v_zero();
        v_multiply(sum, g->scores + t, g->padded, a->v + t * a->ldv + col, false,
                   a->ldv, keys, rows, vectors, back);
        for (size_t i = 0; i < rows * vectors; i++)
            total[i / vectors][i % vectors] += sum[i / vectors][i % vectors];
    }
    for (size_t i = 0; i < rows * vectors; i++)
        v_store(g->o + i / vectors * a->ldo + col + i % vectors * LANES -
                    (i % vectors + 1 == vectors ? back : 0),
                total[i / vectors][i % vectors] * v_set(inverse[i / vectors]));
}

/* Fewer columns than a vector has, for a head that narrow. */
INLINE void weigh_narrow(const Group *g, const float *inverse, const size_t rows)
{
    const VigilAttention *a = g->a;
    vf sum[QUERIES], total[QUERIES];
    for (size_t r = 0; r < rows; r++)
        total[r] = v_zero();
    for (size_t first = 0; first < a->tk; first += SUMMED) {
        const size_t end = a->tk - first < SUMMED ? a->tk : first + SUMMED;
        UNROLL
        for (size_t r = 0; r < rows; r++)
            sum[r] = v_zero();
        for (size_t t = first; t < end; t++) {
            vf value = v_load_part(a->v + t * a->ldv, a->dv);
            UNROLL
            for (size_t r = 0; r < rows; r++)
                sum[r] = v_fma(v_set(g->scores[r * g->padded + t]), value, sum[r]);
        }
        for (size_t r = 0; r < rows; r++)
            total[r] += sum[r];
    }
    for (size_t r = 0; r < rows; r++)
        v_store_part(g->o + r * a->ldo, total[r] * v_set(inverse[r]), a->dv);
}

INLINE void weigh_panel(const Group *g, const float *inverse, size_t col,
                        const size_t rows, const size_t vectors)
{
    if (col + vectors * LANES > g->a->dv)
        weigh_columns(g, inverse, col, rows, vectors, true);
    else
        weigh_columns(g, inverse, col, rows, vectors, false);
}

/* o[r] = inverse[r] sum over t of scores[r][t] v[t]. */
INLINE void weigh(const Group *g, const float *inverse, const size_t rows)
{
    const size_t dv = g->a->dv;
    /* The last vector goes with others where a few sums alone would wait for each
     * other. */
    const size_t end = QUERIES < 8 ? dv : dv / LANES * LANES;
    if (dv < LANES) {
        weigh_narrow(g, inverse, rows);
        return;
    }
    for (size_t col = 0, vectors; col < end; col += vectors * LANES) {
        vectors = v_panel((end - col + LANES - 1) / LANES);
        if (vectors == 3)
            weigh_panel(g, inverse, col, rows, 3);
        else if (vectors == 2)
            weigh_panel(g, inverse, col, rows, 2);
        else
            weigh_panel(g, inverse, col, rows, 1);
    }
    if (end < dv)
        weigh_columns(g, inverse, dv - LANES, rows, 1, false);
}

/* The softmaxes of some rows themselves, if they are asked for. */
INLINE void put_map(const Group *g, const float *inverse, const size_t rows)
{
    const size_t keys = g->a->tk;
    for (size_t r = 0; g->map && r < rows; r++)
        for (size_t t = 0; t < keys; t++)
            g->map[r * keys + t] = g->scores[r * g->padded + t] * inverse[r];
}

/* Goes on to the queries behind `rows` of them. */
INLINE void advance(Group *g, const size_t rows)
{
    g->q += rows * g->a->ldq;
    g->o += rows * g->a->ldo;
    if (g->map)
        g->map += rows * g->a->tk;
}

INLINE void attend(Group *g, const size_t rows)
{
    const VigilAttention *a = g->a;
    float inverse[QUERIES];
    logits(g, rows);
    for (size_t r = 0; r < rows; r++)
        inverse[r] = exponentials(a, g->scores + r * g->padded);
    weigh(g, inverse, rows);
    put_map(g, inverse, rows);
    advance(g, rows);
}

/* ---- Few keys ----------------------------------------------------------------------
 */

#define FEW ((size_t)8)
/* Between queries in scores, and between channels of the turned keys. */
#define FEW_STRIDE ((size_t)16)
#define FEW_VECTORS (LANES < FEW ? FEW / LANES : 1)
/* Rows that are weighed at a time, a part of LANES. */
#define FEW_ROWS (QUERIES >= LANES ? LANES : LANES % QUERIES ? 2 : QUERIES)

/* exp(logit - greatest) of turned [keys][LANES], a query in each lane; returns 1 /
 * their sums. */
INLINE vf exponentials_turned(float *turned, size_t keys)
{
    vf peak = v_load(turned), sum = v_zero();
    for (size_t t = 1; t < keys; t++)
        peak = v_max(peak, v_load(turned + t * LANES));
    size_t t = 0;
    for (; t + 3 <= keys; t += 3)
        sum += exponentials_of(turned + t * LANES, peak, 3);
    for (; t < keys; t++)
        sum += exponentials_of(turned + t * LANES, peak, 1);
    return v_set(1.0f) / sum;
}

/* LANES queries against at most FEW keys: their softmaxes are computed side by side,
 * where a vector for each would be mostly empty and waited for. */
static void attend_few(Group *g)
{
    const VigilAttention *a = g->a;
    float scores[LANES * FEW_STRIDE], turned[FEW * LANES], inverse[LANES];
    vf sum[LANES][VECTORS_MAX];
    UNROLL
    for (size_t i = 0; i < LANES * FEW_VECTORS; i++)
        sum[i / FEW_VECTORS][i % FEW_VECTORS] = v_zero();
    v_multiply(sum, g->q, a->ldq, g->keys, false, FEW_STRIDE, a->d, LANES, FEW_VECTORS,
               0);
    UNROLL
    for (size_t i = 0; i < LANES * FEW_VECTORS; i++)
        v_store(scores + i / FEW_VECTORS * FEW_STRIDE + i % FEW_VECTORS * LANES,
                sum[i / FEW_VECTORS][i % FEW_VECTORS] * v_set(a->scale));
    for (size_t t = 0; t < a->tk; t += 4)
        for (size_t r = 0; r < LANES; r += 4)
            turn(scores + r * FEW_STRIDE + t, FEW_STRIDE, turned + t * LANES + r,
                 LANES);
    v_store(inverse, exponentials_turned(turned, a->tk));
    for (size_t t = 0; t < a->tk; t += 4)
        for (size_t r = 0; r < LANES; r += 4)
            turn(turned + t * LANES + r, LANES, scores + r * FEW_STRIDE + t,
                 FEW_STRIDE);
    Group part = *g;
    part.scores = scores;
    for (size_t r = 0; r < LANES; r += FEW_ROWS) {
        weigh(&part, inverse + r, FEW_ROWS);
        put_map(&part, inverse + r, FEW_ROWS);
        advance(&part, FEW_ROWS);
        part.scores += FEW_ROWS * FEW_STRIDE;
    }
    advance(g, LANES);
}

void V(attention)(const VigilAttention *a)
{
    const size_t padded = (a->tk + 15) & ~(size_t)15;
    Group g = { .a = a,
                .q = a->q,
                .o = a->o,
                .map = a->map,
                .keys = a->scratch,
                .padded = padded,
                .scores = a->scratch + padded * a->d };
    turn_keys(a, a->scratch, padded);
    size_t left = a->tq;
    for (; a->tk <= FEW && !a->extra_zero_keys && left >= LANES; left -= LANES)
        attend_few(&g);
    for (; left >= QUERIES; left -= QUERIES)
        attend(&g, QUERIES);
    for (; left >= 2; left -= 2)
        attend(&g, 2);
    if (left)
        attend(&g, 1);
}
