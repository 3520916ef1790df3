#include "core/histogram.h"

#include <math.h>
#include <string.h>

#define HALF (VIGIL_BINS / 2)
#define FRACTIONS 64

/* Bins twice as wide: pairs of them become one. */
static void widen(VigilHistogram *h)
{
    for (int i = 0; i < HALF; i++)
        h->count[i] = h->count[2 * i] + h->count[2 * i + 1];
    memmove(h->count + HALF / 2, h->count, HALF * sizeof *h->count);
    memset(h->count, 0, HALF / 2 * sizeof *h->count);
    memset(h->count + HALF / 2 * 3, 0, HALF / 2 * sizeof *h->count);
    h->limit *= 2;
}

/* Until the value is inside. */
static void make_room(VigilHistogram *h, double size)
{
    int exponent;
    if (!h->limit && size > 0) {
        frexp(size, &exponent);
        /* Zeros that came before lie in the middle at any width. */
        h->limit = ldexp(1, exponent);
    }
    while (size > h->limit)
        widen(h);
}

void vigil_histogram_add(VigilHistogram *h, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            continue;
        make_room(h, fabs((double)x[i]));
        h->low = fminf(h->low, x[i]);
        h->high = fmaxf(h->high, x[i]);
        int bin = h->limit ? (int)((x[i] / h->limit + 1) * HALF) : HALF;
        h->count[bin < VIGIL_BINS ? bin : VIGIL_BINS - 1]++;
    }
}

/* Sum of the squares of what a range does to the values. */
static double error_of(const VigilHistogram *h, double low, double high)
{
    double step = (high - low) / 255, sum = 0, width = h->limit / HALF;
    for (int i = 0; i < VIGIL_BINS; i++) {
        double v = (i + 0.5) * width - h->limit;
        double over = v > high ? v - high : v < low ? low - v : 0;
        sum += (double)h->count[i] * (over * over + (over > 0 ? 0 : step * step / 12));
    }
    return sum;
}

/* The fraction of `end` that is best while the other end stays. */
static double best_end(const VigilHistogram *h, double end, double other)
{
    double best = end, least = INFINITY;
    for (int i = FRACTIONS; i > 0; i--) {
        double tried = end * i / FRACTIONS;
        double error = error_of(h, fmin(tried, other), fmax(tried, other));
        if (error < least) {
            least = error;
            best = tried;
        }
    }
    return best;
}

VigilRange vigil_histogram_range(const VigilHistogram *h)
{
    double low = h->low, high = h->high;
    for (int turn = 0; turn < 2; turn++) {
        high = high > 0 ? best_end(h, h->high, low) : 0;
        low = low < 0 ? best_end(h, h->low, high) : 0;
    }
    low = fmax(low, (double)-VIGIL_RANGES_LIMIT);
    high = fmin(high, (double)VIGIL_RANGES_LIMIT);
    return (VigilRange) { (float)low, (float)high };
}
