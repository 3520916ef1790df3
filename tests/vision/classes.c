/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil_top_classes(): order, ties, and numbers that are none. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "vigil.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define MAX 6
#define UNTOUCHED -7

typedef struct Case {
    const char *name;
    int n, k;
    float logits[MAX];
    int written, index[MAX];
    double score[MAX];
} Case;

static const Case cases[] = {
    { "two of three",
      3,
      2,
      { 0, (float)M_LN2, -1e30f },
      2,
      { 1, 0 },
      { 2 / 3., 1 / 3. } },
    { "ties by index",
      4,
      4,
      { 1, 3, 3, 1 },
      4,
      { 1, 2, 0, 3 },
      { 0.440398538, 0.440398538, 0.0596014610, 0.0596014610 } },
    { "ties across the cut", 4, 1, { 2, 2, 2, 2 }, 1, { 0 }, { 0.25 } },
    { "k above n", 2, 6, { -1, -1 }, 2, { 0, 1 }, { 0.5, 0.5 } },
    { "k of 0", 3, 0, { 1, 2, 3 }, 0, { 0 }, { 0 } },
    { "negative k", 3, -1, { 1, 2, 3 }, 0, { 0 }, { 0 } },
    { "no classes", 0, 3, { 0 }, 0, { 0 }, { 0 } },
    { "one class", 1, 1, { -50 }, 1, { 0 }, { 1 } },
    { "far too great for exp",
      3,
      3,
      { 1e4f, 1e4f, -1e4f },
      3,
      { 0, 1, 2 },
      { 0.5, 0.5, 0 } },
    { "the ends of float", 2, 2, { -FLT_MAX, FLT_MAX }, 2, { 1, 0 }, { 1, 0 } },
    { "a NaN comes last and scores 0",
      3,
      3,
      { NAN, 1, 1 },
      3,
      { 1, 2, 0 },
      { 0.5, 0.5, 0 } },
    { "a NaN ranks with -infinity",
      3,
      3,
      { NAN, -INFINITY, NAN },
      3,
      { 0, 1, 2 },
      { 0, 0, 0 } },
    { "+infinity takes all",
      4,
      4,
      { INFINITY, 5, INFINITY, NAN },
      4,
      { 0, 2, 1, 3 },
      { 0.5, 0.5, 0, 0 } },
};

static void check(const Case *c)
{
    VigilClass out[MAX + 1];
    for (size_t i = 0; i < COUNT(out); i++)
        out[i] = (VigilClass) { UNTOUCHED, UNTOUCHED };
    int written = vigil_top_classes(c->logits, c->n, c->k, out);
    bool same = written == c->written;
    for (int i = 0; i < c->written; i++)
        same &= out[i].index == c->index[i] && fabs(out[i].score - c->score[i]) < 1e-7;
    for (size_t i = (size_t)c->written; i < COUNT(out); i++)
        same &= out[i].index == UNTOUCHED;
    tap_ok(same, "%s: %d written, first %d with %g", c->name, written, out[0].index,
           out[0].score);
}

static const float *sorted_logits;

static int by_rank(const void *a, const void *b)
{
    int i = *(const int *)a, j = *(const int *)b;
    if (sorted_logits[i] != sorted_logits[j])
        return sorted_logits[i] > sorted_logits[j] ? -1 : 1;
    return i - j;
}

/* Many classes with many ties, against qsort. */
static void check_many(void)
{
    enum { N = 1000, K = 37 };
    static float logits[N];
    static int order[N];
    VigilClass out[K];
    uint32_t state = 1;
    for (int i = 0; i < N; i++) {
        state = state * 1664525 + 1013904223;
        logits[i] = (float)(state >> 24) / 16;
        order[i] = i;
    }
    sorted_logits = logits;
    qsort(order, N, sizeof *order, by_rank);
    int written = vigil_top_classes(logits, N, K, out), wrong = 0;
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += exp(logits[i]);
    for (int i = 0; i < K; i++)
        wrong += out[i].index != order[i] ||
                 fabs(out[i].score - exp(logits[order[i]]) / sum) > 1e-7;
    tap_ok(written == K && !wrong, "%d of %d classes: %d wrong", written, N, wrong);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        check(&cases[i]);
    check_many();
    return tap_done();
}
