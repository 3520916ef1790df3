/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the maps of attention weights are by definition: weights scattered to pixels. */
#ifndef VIGIL_TESTS_CORE_ATTENTION_H
#define VIGIL_TESTS_CORE_ATTENTION_H

#include "core/attention.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TOLERANCE 1e-6 /* of the largest value of a map */

static inline int rounded_up(int n, int step)
{
    return (n + step - 1) / step;
}

/* The pixel that key `key` of a window means, or -1 where it is padding. */
static inline int pixel_of(const VigilAttentionInfo *a, int window, int key)
{
    int y = key / a->map_width, x = key % a->map_width, half = a->map_width / 2;
    if (a->kind == VIGIL_ATTENTION_PATCHES || a->kind == VIGIL_ATTENTION_SCORES) {
        y = 2 * (key / half) + window / 2;
        x = 2 * (key % half) + window % 2;
    } else if (a->kind == VIGIL_ATTENTION_WINDOWS) {
        int side = (int)lrint(sqrt(a->keys));
        int n1 = rounded_up(a->map_height, side), n2 = rounded_up(a->map_width, side);
        y = key / side * n1 + window / n2;
        x = key % side * n2 + window % n2;
    }
    return y < a->map_height && x < a->map_width ? y * a->map_width + x : -1;
}

static inline double weight_at(const VigilAttentionInfo *a, const float *weights,
                               int window, int head, int query, int key)
{
    size_t row = ((size_t)window * a->heads + head) * a->queries + query;
    return weights[row * a->keys + key];
}

/* Adds row `query` of one head and window, divided by `share`. */
static inline void scatter(const VigilAttentionInfo *a, const float *weights,
                           int window, int head, int query, double share, double *map)
{
    for (int key = 0; key < a->keys; key++) {
        int pixel = pixel_of(a, window, key);
        if (pixel >= 0)
            map[pixel] += weight_at(a, weights, window, head, query, key) / share;
    }
}

/* The map of one head for a query pixel, or query token, added up. */
static inline void add_query(const VigilAttentionInfo *a, const float *weights,
                             int head, int token, double share, double *map)
{
    if (a->kind == VIGIL_ATTENTION_TO_PIXELS || a->kind == VIGIL_ATTENTION_SCORES) {
        for (int window = 0; window < a->windows; window++)
            scatter(a, weights, window, head, token, share, map);
        return;
    }
    for (int window = 0; window < a->windows; window++)
        for (int query = 0; query < a->queries; query++) {
            int pixel = pixel_of(a, window, query);
            if (pixel < 0 || (a->kind == VIGIL_ATTENTION_WINDOWS && pixel != token))
                continue;
            int y = pixel / a->map_width, x = pixel % a->map_width;
            bool patch =
                y / 2 == token / a->map_width / 2 && x / 2 == token % a->map_width / 2;
            if (a->kind == VIGIL_ATTENTION_WINDOWS || patch)
                scatter(a, weights, window, head, query, share, map);
        }
}

/* Scales the pixels of each window to their number / all pixels. */
static inline void share_windows(const VigilAttentionInfo *a, double *map)
{
    for (int window = 0; window < a->windows; window++) {
        double sum = 0, pixels = 0, all = (double)a->map_height * a->map_width;
        for (int key = 0; key < a->keys; key++)
            if (pixel_of(a, window, key) >= 0) {
                sum += map[pixel_of(a, window, key)];
                pixels++;
            }
        for (int key = 0; key < a->keys; key++)
            if (pixel_of(a, window, key) >= 0)
                map[pixel_of(a, window, key)] *= pixels / all / sum;
    }
}

static inline double *reference(const VigilAttentionInfo *a, const float *weights,
                                int head, int token)
{
    int pixels = a->map_height * a->map_width;
    int queries = a->kind == VIGIL_ATTENTION_TO_PIXELS ? a->queries : pixels;
    int first = head < 0 ? 0 : head, end = head < 0 ? a->heads : head + 1;
    double *map = calloc((size_t)pixels, sizeof *map);
    if (!map)
        exit(2);
    if (a->kind == VIGIL_ATTENTION_SCORES)
        queries = 1;
    for (int h = first; h < end; h++)
        if (a->kind == VIGIL_ATTENTION_TO_TOKENS)
            for (int i = 0; i < pixels; i++)
                map[i] += weight_at(a, weights, 0, h, i, token) / (end - first);
        else if (token >= 0)
            add_query(a, weights, h, token, end - first, map);
        else
            for (int i = 0; i < queries; i++)
                add_query(a, weights, h, i, (double)(end - first) * queries, map);
    if (a->kind == VIGIL_ATTENTION_WINDOWS && token < 0)
        share_windows(a, map);
    return map;
}

/* How far the map is from it, relative to the largest value; fills the map. */
static inline double off_by(const VigilAttentionInfo *a, const float *weights, int head,
                            int token, float *map)
{
    double worst = 0, largest = 0, *wanted = reference(a, weights, head, token);
    VigilError e = { 0 };
    int n = a->map_height * a->map_width;
    for (int i = 0; i < n; i++)
        map[i] = NAN;
    if (vigil_attention_image(a, weights, head, token, map, &e)) {
        printf("# %s\n", e.message);
        free(wanted);
        return INFINITY;
    }
    for (int i = 0; i < n; i++) {
        largest = fmax(largest, wanted[i]);
        worst = fmax(worst, isfinite(map[i]) ? fabs(map[i] - wanted[i]) : INFINITY);
    }
    free(wanted);
    return worst / largest;
}

static inline double sum_of(const float *map, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += map[i];
    return sum;
}

#endif
