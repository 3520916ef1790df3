/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Softmax and the best classes.  A NaN logit counts as -infinity: it scores 0 and comes
 * last.  Of infinite logits the positive ones share the score 1; where all are
 * -infinity or NaN, every score is 0.
 */
#include <math.h>
#include <string.h>

#include "vigil.h"

static float rank_of(float logit)
{
    return isnan(logit) ? -INFINITY : logit;
}

/* exp(logit - largest), also where that difference has no value. */
static double share(float logit, float largest)
{
    if (isinf(largest))
        return largest > 0 && logit == largest;
    return exp((double)rank_of(logit) - largest);
}

/* Where logit belongs in out[0..n), behind its equals. */
static int position(const float *logits, const VigilClass *out, int n, float logit)
{
    int low = 0, high = n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (rank_of(logits[out[middle].index]) >= logit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int vigil_top_classes(const float *logits, int n, int k, VigilClass *out)
{
    int kept = 0;
    if (n < 1 || k < 1)
        return 0;
    for (int i = 0; i < n; i++) {
        int at = position(logits, out, kept, rank_of(logits[i]));
        if (at == k)
            continue;
        if (kept < k)
            kept++;
        memmove(out + at + 1, out + at, (size_t)(kept - at - 1) * sizeof *out);
        out[at].index = i;
    }
    float largest = rank_of(logits[out[0].index]);
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += share(logits[i], largest);
    for (int i = 0; i < kept; i++)
        out[i].score =
            sum > 0 ? (float)(share(logits[out[i].index], largest) / sum) : 0;
    return kept;
}
