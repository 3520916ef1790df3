/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include <string.h>

enum { ROWS = 0, WEIGHT = 6, Y, X };

static const size_t lengths[] = {
    1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 200
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* Every row in pages of its own; sums of weights are below 6. */
void check_resample_rows(Check *c)
{
    for (size_t i = 0; i < COUNT(lengths) * 4 * 6; i++) {
        size_t n = lengths[i / 24], step = 1 + i / 6 % 4, taps = 1 + i % 6;
        const uint8_t *row[6];
        for (size_t t = 0; t < taps; t++)
            row[t] = bytes(ROWS + (int)t, (n - 1) * step + 1);
        float *weight = floats(WEIGHT, taps), *y = floats(Y, n);
        begin_case(c, "resample_rows n %zu step %zu taps %zu", n, step, taps);
        c->level->resample_rows(row, weight, taps, n, step, y);
        for (size_t j = 0; j < n; j++) {
            double want = 0;
            for (size_t t = 0; t < taps; t++)
                want += (double)weight[t] * row[t][j * step];
            near_value(c, y[j], want, 2e-4);
        }
    }
}

void check_resample_words(Check *c)
{
    static const uint16_t masks[] = { 0xffff, 0xffc0, 0x03ff, 0x07e0 };
    for (size_t i = 0; i < COUNT(lengths) * COUNT(masks) * 2 * 6; i++) {
        size_t n = lengths[i / 48], taps = 1 + i % 6;
        const uint16_t mask = masks[i / 12 % 4];
        const bool big = i / 6 % 2;
        const uint8_t *row[6];
        for (size_t t = 0; t < taps; t++)
            row[t] = bytes(ROWS + (int)t, 2 * n);
        float *weight = floats(WEIGHT, taps), *y = floats(Y, n);
        begin_case(c, "resample_words n %zu mask %#x %s taps %zu", n, mask,
                   big ? "big" : "little", taps);
        c->level->resample_words(row, weight, taps, n, mask, big, y);
        for (size_t j = 0; j < n; j++) {
            double want = 0;
            for (size_t t = 0; t < taps; t++) {
                const unsigned high = row[t][2 * j + !big], low = row[t][2 * j + big];
                want += (double)weight[t] * ((high * 256 + low) & mask);
            }
            near_value(c, y[j], want, 5e-2); /* as above, times 256 */
        }
    }
}

void check_resample_columns(Check *c)
{
    static const size_t taps_of[] = {
        1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 18, 21, 33
    };
    for (size_t i = 0; i < COUNT(lengths) * COUNT(taps_of); i++) {
        size_t n = lengths[i / COUNT(taps_of)], taps = taps_of[i % COUNT(taps_of)];
        size_t step = 1 + (size_t)pick(3), out = (n - 1) * step + 1,
               size = taps + (size_t)pick(90);
        float *x = floats(X, size), *weight = floats(WEIGHT, n * taps),
              *y = floats(Y, out);
        float kept[3 * 200];
        int32_t *first = (int32_t *)(void *)floats(ROWS, n);
        memcpy(kept, y, out * sizeof *y);
        for (size_t j = 0; j < n; j++)
            first[j] = pick((int)(size - taps) + 1);
        begin_case(c, "resample_columns n %zu taps %zu step %zu", n, taps, step);
        c->level->resample_columns(x, first, weight, taps, n, step, y);
        for (size_t j = 0; j < out; j++) {
            double want = j % step ? kept[j] : 0;
            for (size_t t = 0; j % step == 0 && t < taps; t++)
                want += (double)weight[j / step * taps + t] *
                        x[(size_t)first[j / step] + t];
            near_value(c, y[j], want, 3e-6);
        }
    }
}

void check_resample_split(Check *c)
{
    for (size_t i = 0; i < COUNT(lengths) * 3; i++) {
        size_t n = lengths[i / 3], step = 2 + i % 3;
        const float *x = floats(X, (n - 1) * step + 1);
        float *y = floats(Y, n);
        begin_case(c, "resample_split n %zu step %zu", n, step);
        c->level->resample_split(x, n, step, y);
        for (size_t j = 0; j < n; j++)
            near_value(c, y[j], x[j * step], 1e-30); /* a copy */
    }
}

void check_color(Check *c)
{
    for (size_t i = 0; i < COUNT(lengths); i++) {
        size_t n = lengths[i];
        const float *plane[3] = { floats(0, n), floats(1, n), floats(2, n) };
        float matrix[3][3], offset[3], low[3], high[3], *out = floats(Y, 3 * n);
        for (size_t r = 0; r < 3; r++) {
            for (size_t p = 0; p < 3; p++)
                matrix[r][p] = (float)uniform(-2, 2);
            offset[r] = (float)uniform(-1, 1);
            low[r] = (float)uniform(-2, -1);
            high[r] = (float)uniform(1, 2);
        }
        if (i % 2)
            plane[1] = plane[2] = plane[0];
        begin_case(c, "color %zu", n);
        c->level->color(plane, matrix, offset, low, high, n, out);
        for (size_t j = 0; j < 3 * n; j++) {
            double want = offset[j % 3];
            for (size_t p = 0; p < 3; p++)
                want += (double)matrix[j % 3][p] * plane[p][j / 3];
            want = want < low[j % 3]    ? low[j % 3]
                   : want > high[j % 3] ? high[j % 3]
                                        : want;
            near_value(c, out[j], want, 1e-6);
        }
    }
}
