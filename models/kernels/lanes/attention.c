/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attention of one head.  The keys are turned to [d][keys] once, so that the logits of
 * a few queries are sums of whole vectors; their softmax stays in scratch and then
 * weighs the rows of v.
 */
#include "activations.h"

#include <float.h>
#include <math.h>

#define QUERIES 4 /* at a time; scratch holds 8 rows of logits */

INLINE size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void transpose_keys(const VigilAttention *a, float *keys, size_t padded)
{
    for (size_t i = 0; i < a->d; i++) {
        float *row = keys + i * padded;
        for (size_t t = 0; t < a->tk; t++)
            row[t] = a->k[t * a->ldk + i];
        for (size_t t = a->tk; t < padded; t++)
            row[t] = 0.0f;
    }
}

/* scores[r][t] = scale q[r] . k[t]; keys that do not exist get the least float. */
INLINE void logits(const VigilAttention *a, const float *q, const float *keys,
                   size_t padded, float *scores, const size_t rows)
{
    const vf scale = v_set(a->scale);
    for (size_t t = 0; t < a->tk; t += LANES) {
        vf acc[QUERIES];
        UNROLL
        for (size_t r = 0; r < rows; r++)
            acc[r] = v_zero();
        for (size_t i = 0; i < a->d; i++) {
            vf key = v_load(keys + i * padded + t);
            UNROLL
            for (size_t r = 0; r < rows; r++)
                acc[r] = v_fma(v_set(q[r * a->ldq + i]), key, acc[r]);
        }
        UNROLL
        for (size_t r = 0; r < rows; r++)
            v_store(scores + r * padded + t, acc[r] * scale);
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t t = a->tk; t < padded; t++)
            scores[r * padded + t] = -FLT_MAX;
}

/* Turns one row of logits into exp(logit - greatest), in place; returns 1 / their sum.
 */
static float exponentials(const VigilAttention *a, float *scores)
{
    vf peaks = v_set(a->extra_zero_keys ? 0.0f : -FLT_MAX), sums = v_zero();
    for (size_t t = 0; t < a->tk; t += LANES)
        peaks = v_max(peaks, v_load(scores + t));
    vf peak = v_set(v_peak(peaks));
    for (size_t t = 0; t < a->tk; t += LANES) {
        vf e = v_exp(v_load(scores + t) - peak);
        sums += e;
        v_store(scores + t, e);
    }
    float sum = v_sum(sums);
    if (a->extra_zero_keys)
        sum += (float)a->extra_zero_keys * expf(-peak[0]);
    return 1.0f / sum;
}

/* o[r] = inverse[r] sum over t of scores[r][t] v[t]. */
INLINE void weigh(const VigilAttention *a, const float *scores, size_t padded,
                  const float *inverse, float *o, const size_t rows)
{
    for (size_t col = 0; col < a->dv; col += LANES) {
        size_t lanes = at_most(LANES, a->dv - col);
        vf acc[QUERIES];
        UNROLL
        for (size_t r = 0; r < rows; r++)
            acc[r] = v_zero();
        for (size_t t = 0; t < a->tk; t++) {
            vf value = v_load_n(a->v + t * a->ldv + col, lanes);
            UNROLL
            for (size_t r = 0; r < rows; r++)
                acc[r] = v_fma(v_set(scores[r * padded + t]), value, acc[r]);
        }
        UNROLL
        for (size_t r = 0; r < rows; r++)
            v_store_n(o + r * a->ldo + col, acc[r] * v_set(inverse[r]), lanes);
    }
}

INLINE void queries(const VigilAttention *a, size_t query, const float *keys,
                    size_t padded, float *scores, const size_t rows)
{
    float inverse[QUERIES];
    logits(a, a->q + query * a->ldq, keys, padded, scores, rows);
    for (size_t r = 0; r < rows; r++)
        inverse[r] = exponentials(a, scores + r * padded);
    weigh(a, scores, padded, inverse, a->o + query * a->ldo, rows);
    for (size_t r = 0; a->map && r < rows; r++)
        for (size_t t = 0; t < a->tk; t++)
            a->map[(query + r) * a->tk + t] = scores[r * padded + t] * inverse[r];
}

void V(attention)(const VigilAttention *a)
{
    size_t padded = (a->tk + 15) & ~(size_t)15, i = 0;
    float *keys = a->scratch, *scores = keys + padded * a->d;
    transpose_keys(a, keys, padded);
    for (; i + QUERIES <= a->tq; i += QUERIES)
        queries(a, i, keys, padded, scores, QUERIES);
    for (; i < a->tq; i++)
        queries(a, i, keys, padded, scores, 1);
}
