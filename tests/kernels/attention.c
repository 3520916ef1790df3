/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include <math.h>
#include <string.h>

enum { Q, K, V, O, EXPECTED, MAP, EXPECTED_MAP, SCRATCH };

typedef struct Case {
    size_t tq, tk, d, dv, extra;
    double gain; /* of q: how far apart the logits lie */
    double tolerance;
} Case;

/* Logits of size L carry rounding errors of some L 2^-24, which the softmax turns into
 * relative errors of its values: the tolerance grows with the gain. */
static const Case cases[] = {
    { 1, 1, 1, 1, 0, 1, 1e-6 },       { 3, 7, 5, 3, 0, 1, 1e-6 },
    { 7, 8, 16, 8, 1, 1, 1e-6 },      { 8, 9, 16, 9, 0, 1, 1e-6 },
    { 9, 15, 3, 15, 3, 1, 1e-6 },     { 16, 16, 16, 16, 0, 1, 1e-6 },
    { 17, 17, 20, 17, 5, 1, 1e-6 },   { 31, 33, 21, 31, 0, 1, 1e-6 },
    { 33, 31, 17, 33, 2, 4, 2e-6 },   { 49, 49, 16, 40, 0, 4, 2e-6 },
    { 49, 49, 20, 80, 15, 4, 2e-6 },  { 5, 100, 21, 84, 40, 40, 1e-5 },
    { 64, 256, 24, 48, 0, 4, 2e-6 },  { 2, 49, 16, 40, 7, 400, 1e-4 },
    { 3, 12544, 12, 12, 0, 1, 1e-6 }, { 6, 12544, 8, 40, 0, 1, 1e-6 },
    { 2, 9999, 3, 3, 0, 1, 1e-6 },    { 33, 6, 8, 8, 0, 1, 1e-6 },
    { 50, 3, 6, 6, 0, 4, 2e-6 },      { 37, 8, 12, 17, 0, 4, 2e-6 },
    { 16, 5, 3, 40, 0, 40, 1e-5 },    { 19, 4, 4, 5, 2, 1, 1e-6 },
    { 40, 1, 24, 24, 0, 1, 1e-6 },
};

/* p [tk], o [dv] of one query. */
static void exact(const VigilAttention *a, size_t query, double *p, double *o)
{
    double greatest = a->extra_zero_keys ? 0.0 : -INFINITY;
    for (size_t t = 0; t < a->tk; t++) {
        p[t] = 0.0;
        for (size_t i = 0; i < a->d; i++)
            p[t] += (double)a->q[query * a->ldq + i] * a->k[t * a->ldk + i];
        p[t] *= (double)a->scale;
        greatest = fmax(greatest, p[t]);
    }
    double sum = (double)a->extra_zero_keys * exp(-greatest);
    for (size_t t = 0; t < a->tk; t++)
        sum += p[t] = exp(p[t] - greatest);
    memset(o, 0, a->dv * sizeof *o);
    for (size_t t = 0; t < a->tk; t++) {
        p[t] /= sum;
        for (size_t i = 0; i < a->dv; i++)
            o[i] += p[t] * a->v[t * a->ldv + i];
    }
}

static float *scratch(const VigilAttention *a)
{
    size_t n = vigil_attention_scratch(a->tq, a->tk, a->d);
    float *p = floats(SCRATCH, n);
    while ((uintptr_t)p %
           64) /* bound by the end of the buffer only when that is aligned */
        p = floats(SCRATCH, (n + 15) / 16 * 16);
    return p;
}

static void compare(Check *c, const VigilAttention *a, size_t out, double tolerance)
{
    float *want = floats(EXPECTED, out);
    memcpy(want, a->o, out * sizeof *want);
    if (c->is_twin) {
        double *p = doubles(a->tk + a->dv), *o = p + a->tk;
        c->level->attention(a);
        for (size_t r = 0; r < a->tq; r++) {
            exact(a, r, p, o);
            near_doubles(c, a->o + r * a->ldo, o, a->dv, tolerance);
            if (a->map)
                near_doubles(c, a->map + r * a->tk, p, a->tk, tolerance);
            if (r + 1 < a->tq)
                near_floats(c, a->o + r * a->ldo + a->dv, want + r * a->ldo + a->dv,
                            a->ldo - a->dv, 1e-30);
        }
        return;
    }
    VigilAttention twin = *a;
    twin.o = want;
    twin.map = a->map ? floats(EXPECTED_MAP, a->tq * a->tk) : NULL;
    c->twin->attention(&twin);
    c->level->attention(a);
    near_floats(c, a->o, want, out, tolerance);
    if (a->map)
        near_floats(c, a->map, twin.map, a->tq * a->tk, tolerance);
}

void check_attention(Check *c)
{
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const Case *s = &cases[i / 2];
        size_t gap = i % 2 ? (size_t)pick(5) : 0;
        VigilAttention a = { .tq = s->tq,
                             .tk = s->tk,
                             .d = s->d,
                             .dv = s->dv,
                             .ldq = s->d + gap,
                             .ldk = s->d + gap,
                             .ldv = s->dv + gap,
                             .ldo = s->dv + gap,
                             .extra_zero_keys = s->extra,
                             .scale = (float)(s->gain / sqrt((double)s->d)) };
        size_t out = (s->tq - 1) * a.ldo + s->dv;
        a.q = floats(Q, (s->tq - 1) * a.ldq + s->d);
        a.k = floats(K, (s->tk - 1) * a.ldk + s->d);
        a.v = floats(V, (s->tk - 1) * a.ldv + s->dv);
        /* With values of one sign the running sums over many keys grow large. */
        for (size_t j = 0; s->tk > 1000 && j < (s->tk - 1) * a.ldv + s->dv; j++)
            ((float *)a.v)[j] += 1.0f;
        a.o = floats(O, out);
        a.map = i % 2 ? floats(MAP, s->tq * s->tk) : NULL;
        a.scratch = scratch(&a);
        begin_case(c, "attention tq %zu tk %zu d %zu dv %zu, %zu zero keys, gain %g",
                   s->tq, s->tk, s->d, s->dv, s->extra, s->gain);
        compare(c, &a, out, s->tolerance);
    }
}
