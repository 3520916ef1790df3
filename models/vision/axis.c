/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/axis.h"

#include <math.h>

#define NEGLIGIBLE 1e-9 /* of the peak of the filter, which is 1 */
#define TAPS_MULTIPLE 8

typedef struct Window {
    double center, stretch; /* the filter is this much wider than in the source */
    int first, count;
} Window;

static double triangle(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

/* Keys, "Cubic Convolution Interpolation for Digital Image Processing", a = -0.5. */
static double keys(double x)
{
    x = fabs(x);
    if (x < 1)
        return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

static const struct {
    double (*value)(double);
    double half_width;
    bool widens;
} filters[] = {
    [VIGIL_FILTER_BILINEAR] = { triangle, 1, true },
    [VIGIL_FILTER_BICUBIC] = { keys, 2, true },
    [VIGIL_FILTER_POINT_BILINEAR] = { triangle, 1, false },
};

static double weight_at(const VigilAxis *axis, const Window *window, int sample)
{
    return filters[axis->filter].value((sample + 0.5 - window->center) /
                                       window->stretch);
}

static bool negligible(const VigilAxis *axis, const Window *window, int sample)
{
    return fabs(weight_at(axis, window, sample)) < NEGLIGIBLE;
}

static double clamp(double x, double low, double high)
{
    return fmin(fmax(x, low), high);
}

/* The samples that output i is made of; at least one. */
static Window window_of(const VigilAxis *axis, int i)
{
    Window w = { .center = axis->origin + (i + 0.5) * axis->scale, .stretch = 1 };
    if (filters[axis->filter].widens && axis->scale > 1)
        w.stretch = axis->scale;
    double reach = filters[axis->filter].half_width * w.stretch;
    int last = axis->size - 1;
    int low = (int)clamp(ceil(w.center - reach - 0.5), 0, last);
    int high = (int)clamp(floor(w.center + reach - 0.5), 0, last);
    while (low < high && negligible(axis, &w, low))
        low++;
    while (low < high && negligible(axis, &w, high))
        high--;
    w.first = low;
    w.count = high - low + 1;
    return w;
}

static size_t aligned(size_t bytes)
{
    return (bytes + VIGIL_ALIGN - 1) & ~(size_t)(VIGIL_ALIGN - 1);
}

bool vigil_axis_measure(VigilAxis *axis, VigilFilter filter, int size, double origin,
                        double scale, int n)
{
    *axis = (VigilAxis) {
        .filter = filter, .size = size, .origin = origin, .scale = scale, .n = n
    };
    axis->begin = size;
    for (int i = 0; i < n; i++) {
        Window w = window_of(axis, i);
        if (w.first < axis->begin)
            axis->begin = w.first;
        if (w.first + w.count > axis->end)
            axis->end = w.first + w.count;
        if (w.count > axis->longest)
            axis->longest = w.count;
    }
    axis->taps = ((size_t)axis->longest + TAPS_MULTIPLE - 1) / TAPS_MULTIPLE;
    axis->taps *= TAPS_MULTIPLE;
    size_t weights, indices = 2 * aligned((size_t)n * sizeof *axis->first);
    if (!vigil_size_mul((size_t)n * sizeof *axis->weight, axis->taps, &weights) ||
        !vigil_size_add(weights, indices + VIGIL_ALIGN, &axis->bytes))
        return false;
    axis->bytes = aligned(weights) + indices;
    return true;
}

static void fill_weights(const VigilAxis *axis, const Window *window, float *weight)
{
    double sum = 0;
    for (int t = 0; t < window->count; t++)
        sum += weight_at(axis, window, window->first + t);
    for (int t = 0; t < window->count; t++)
        weight[t] = (float)(weight_at(axis, window, window->first + t) / sum);
    if (window->count == 1)
        weight[0] = 1; /* even where it lies just out of reach and the sum is 0 */
}

void vigil_axis_fill(VigilAxis *axis, void *memory)
{
    char *at = memory;
    size_t indices = aligned((size_t)axis->n * sizeof *axis->first);
    axis->first = (int32_t *)at;
    axis->count = (int32_t *)(at + indices);
    axis->weight = (float *)(at + 2 * indices);
    for (int i = 0; i < axis->n; i++) {
        Window w = window_of(axis, i);
        axis->first[i] = w.first - axis->begin;
        axis->count[i] = w.count;
        fill_weights(axis, &w, axis->weight + (size_t)i * axis->taps);
    }
}
