/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which range is calibrated from values, against all ranges that there are to choose.
 */
#include "core/histogram.h"
#include "session.h"
#include "tap.h"

#include <math.h>
#include <string.h>

enum { N = 20000 };

/* By so much of the least may the error of a chosen range be larger, as root mean
 * square: it is chosen from bins, which do not know where in a step a value lies. */
#define TOLERANCE 0.1

/* Root mean square error of values that are cut into 256 steps, by the values
 * themselves.
 */
static double error_of(const float *x, double low, double high)
{
    double step = (high - low) / 255, sum = 0;
    for (int i = 0; i < N; i++) {
        double a = rint((fmin(fmax(x[i], low), high) - low) / step);
        double d = low + a * step - x[i];
        sum += d * d;
    }
    return sqrt(sum / N);
}

static double least_error(const float *x, double low, double high)
{
    double least = INFINITY;
    for (int i = low < 0; i <= (low < 0 ? 64 : 0); i++)
        for (int j = high > 0; j <= (high > 0 ? 64 : 0); j++)
            least = fmin(least, error_of(x, low * i / 64, high * j / 64));
    return least;
}

static VigilRange range_of(const float *x)
{
    static VigilHistogram h;
    memset(&h, 0, sizeof h);
    /* In pieces of another size each time. */
    for (int i = 0, n = 1; i < N; i += n, n = n * 3 % 101 + 1)
        vigil_histogram_add(&h, x + i, (size_t)(n < N - i ? n : N - i));
    return vigil_histogram_range(&h);
}

static void check(const char *what, const float *x)
{
    double low = 0, high = 0;
    for (int i = 0; i < N; i++) {
        low = fmin(low, x[i]);
        high = fmax(high, x[i]);
    }
    VigilRange r = range_of(x);
    double got = error_of(x, r.low, r.high), best = least_error(x, low, high);
    double all = error_of(x, low, high);
    tap_ok(r.low <= 0 && r.high >= 0 && r.low >= low && r.high <= high &&
               got <= (1 + TOLERANCE) * best,
           "%s, %g to %g: cut to %g and %g, error %.3g; %.3g is the least, %.3g of all",
           what, low, high, (double)r.low, (double)r.high, got, best, all);
}

static void check_shapes(void)
{
    static float x[N];
    fill_values(x, N, 1);
    check("even", x);
    for (int i = 0; i < N; i++)
        x[i] = x[i] * x[i] * x[i] * x[i] * x[i];
    check("with long tails", x);
    for (int i = 0; i < N; i++)
        x[i] = fmaxf(x[i], 0);
    check("none below 0", x);
    for (int i = 0; i < N; i++)
        x[i] = -x[i];
    check("none above 0", x);
    fill_values(x, N, 2);
    for (int i = 0; i < N; i++)
        x[i] *= (float)pow(10, i * 8.0 / N - 4);
    check("ever larger", x);
    fill_values(x, N, 3);
    x[N / 2] = 300;
    check("one far outside", x);
    VigilRange r = range_of(x);
    tap_ok(r.high > 250 && r.high < 299, "which is clipped a little: %g",
           (double)r.high);
}

static void check_odd(void)
{
    static float x[N];
    VigilRange r = range_of(x);
    tap_ok(r.low == 0 && r.high == 0, "zeros alone have no range");
    x[3] = NAN;
    x[4] = INFINITY;
    x[5] = -INFINITY;
    x[6] = 0.5f;
    r = range_of(x);
    tap_ok(r.low == 0 && r.high > 0.4f && r.high <= 0.5f,
           "what is not finite does not count: %g to %g", (double)r.low,
           (double)r.high);
    for (int i = 0; i < N; i++)
        x[i] = i % 2 ? 3e38f : -3e38f;
    r = range_of(x);
    tap_ok(r.low == -VIGIL_RANGES_LIMIT && r.high == VIGIL_RANGES_LIMIT,
           "ranges end at %g and %g", (double)r.low, (double)r.high);
    for (int i = 0; i < N; i++)
        x[i] = i % 2 ? 1e-42f : -1e-45f;
    r = range_of(x);
    tap_ok(r.high - r.low < VIGIL_RANGES_LEAST, "subnormal values: %g to %g",
           (double)r.low, (double)r.high);
}

int main(void)
{
    check_shapes();
    check_odd();
    return tap_done();
}
