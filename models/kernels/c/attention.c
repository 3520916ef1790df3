/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernels/c/c.h"

#include <math.h>

/* p [tk] = softmax over the keys of the logits of one query.  Sums over keys, of which
 * there may be ten thousand, are taken in double. */
static void softmax_of_query(const VigilAttention *a, const float *q, float *p)
{
    float greatest = a->extra_zero_keys ? 0.0f : -INFINITY;
    double sum;
    for (size_t t = 0; t < a->tk; t++) {
        float dot = 0.0f;
        for (size_t i = 0; i < a->d; i++)
            dot += q[i] * a->k[t * a->ldk + i];
        p[t] = a->scale * dot;
        greatest = fmaxf(greatest, p[t]);
    }
    sum = (double)a->extra_zero_keys * (double)expf(-greatest);
    for (size_t t = 0; t < a->tk; t++)
        sum += p[t] = expf(p[t] - greatest);
    for (size_t t = 0; t < a->tk; t++)
        p[t] = (float)(p[t] / sum);
}

void vigil_attention_c(const VigilAttention *a)
{
    float *p = a->scratch;
    for (size_t query = 0; query < a->tq; query++) {
        softmax_of_query(a, a->q + query * a->ldq, p);
        for (size_t i = 0; i < a->dv; i++) {
            double sum = 0.0;
            for (size_t t = 0; t < a->tk; t++)
                sum += p[t] * a->v[t * a->ldv + i];
            a->o[query * a->ldo + i] = (float)sum;
        }
        for (size_t t = 0; a->map && t < a->tk; t++)
            a->map[query * a->tk + t] = p[t];
    }
}
