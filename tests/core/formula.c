/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formula weights and pictures against answers that were computed by others. */
#include "core/formula.h"
#include "tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Values in [-1, 1): what a tensor of the name has before its scale. */
static const struct {
    const char *name;
    uint64_t seed;
    double value[4];
} values[] = {
    { "stage0.0.convs.0.0.weight",
      0,
      { 0.7936517, -0.605100274, 0.252008677, 0.826954246 } },
    { "stage0.0.convs.0.0.weight",
      12345,
      { 0.322631836, -0.800707817, -0.191163301, 0.928787351 } },
    { "tokens.weight", 0, { -0.347329736, 0.79903543, 0.0370304585, 0.0662224293 } },
    { "tokens.weight",
      12345,
      { -0.72904253, -0.484591007, 0.554157257, -0.271988034 } },
    { "head.fc.bias", 0, { -0.756328225, 0.0087505579, -0.823132277, 0.940523624 } },
    { "head.fc.bias", 12345, { 0.632350326, 0.727282524, 0.985700607, -0.292782068 } },
};

static void check_values(void)
{
    const uint64_t vector[] = { 4 }, stem[] = { 4, 3, 3, 3 };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        bool matrix = i < 2, tokens = i / 2 == 1;
        float out[108];
        double worst = 0, scale = matrix ? sqrt(3.0 / 27) * 1.25 : tokens ? 1 : 0.1;
        vigil_formula_fill(values[i].name, matrix ? 4 : 1, matrix ? stem : vector,
                           values[i].seed, 1.25, out);
        for (int k = 0; k < 4; k++)
            worst = fmax(worst, fabs(out[k] / scale - values[i].value[k]));
        tap_ok(worst < 2e-7, "%s, seed %llu: off by %.2g", values[i].name,
               (unsigned long long)values[i].seed, worst);
    }
}

/* The largest value of many is near offset + scale, the smallest near offset - scale.
 */
static void check_scales(void)
{
    static const struct {
        const char *name;
        int rank;
        uint64_t shape[4];
        double gain, offset, scale;
    } rows[] = {
        { "a.weight", 4, { 4000, 3, 3, 3 }, 1, 0, 0.333333343 },
        { "a.weight", 4, { 4000, 3, 3, 3 }, 1.25, 0, 0.416666657 },
        { "a.weight", 2, { 900, 128 }, 1, 0, 0.153093114 },
        { "a.weight", 2, { 900, 128 }, 1.25, 0, 0.191366389 },
        { "a.weight", 4, { 9000, 1, 3, 3 }, 1.25, 0, 0.721687853 },
        { "a.weight", 4, { 100, 960, 1, 1 }, 1, 0, 0.0559016988 },
        { "a.weight", 4, { 100, 960, 1, 1 }, 1.25, 0, 0.0698771253 },
        { "a.weight", 1, { 100000 }, 1.25, 1, 0.25 },
        { "a.bias", 1, { 100000 }, 1.25, 0, 0.1 },
        { "a.running_mean", 1, { 100000 }, 1.25, 0, 0.1 },
        { "a.running_var", 1, { 100000 }, 1.25, 1, 0.5 },
        { "tokens.weight", 3, { 1000, 1, 100 }, 1.25, 0, 1 },
        { "head.queries.weight", 2, { 100, 256 }, 1.25, 0, 1 },
        { "queries.weight", 2, { 900, 128 }, 1, 0, 0.153093114 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = 1;
        for (int k = 0; k < rows[i].rank; k++)
            n *= (size_t)rows[i].shape[k];
        float *out = malloc(n * sizeof *out), low = INFINITY, high = -INFINITY;
        if (!out)
            exit(2);
        vigil_formula_fill(rows[i].name, rows[i].rank, rows[i].shape, 0, rows[i].gain,
                           out);
        for (size_t k = 0; k < n; k++) {
            low = fminf(low, out[k]);
            high = fmaxf(high, out[k]);
        }
        double expect_low = rows[i].offset - rows[i].scale,
               expect_high = rows[i].offset + rows[i].scale,
               near = rows[i].scale * 1e-3;
        tap_ok(low >= expect_low - 1e-7 && low < expect_low + near &&
                   high <= expect_high + 1e-7 && high > expect_high - near,
               "%s of rank %d, gain %g: %.9g to %.9g", rows[i].name, rows[i].rank,
               rows[i].gain, (double)low, (double)high);
        free(out);
    }
}

static void check_images(void)
{
    static const struct {
        int h, w;
        uint64_t hash; /* FNV-1a of all bytes */
        uint8_t first[3], last[3];
    } rows[] = {
        { 224, 224, 0x8027f2867467e547, { 191, 125, 90 }, { 180, 128, 72 } },
        { 256, 256, 0x8a74e8e5285f8444, { 191, 125, 90 }, { 228, 84, 88 } },
        { 240, 200, 0x22615dcfc51a648f, { 191, 125, 90 }, { 44, 139, 127 } },
        { 240, 208, 0xfd7e7c6131fcb003, { 191, 125, 90 }, { 40, 140, 91 } },
        { 256, 320, 0xe2f5bfe9cd3c8c61, { 191, 125, 90 }, { 135, 84, 163 } },
        { 320, 320, 0x30e54a7734109f41, { 191, 125, 90 }, { 135, 119, 99 } },
        { 224, 320, 0xf1513776193de242, { 191, 125, 90 }, { 135, 119, 99 } },
        { 512, 512, 0x626cba0efe5dc117, { 191, 125, 90 }, { 228, 119, 24 } },
        { 384, 384, 0x5af961f73dd8fcf8, { 191, 125, 90 }, { 228, 147, 68 } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = (size_t)rows[i].h * rows[i].w * 3;
        uint8_t *rgb = malloc(n);
        uint64_t hash = 0xcbf29ce484222325;
        if (!rgb)
            exit(2);
        vigil_formula_image(rows[i].h, rows[i].w, rgb);
        for (size_t k = 0; k < n; k++)
            hash = (hash ^ rgb[k]) * 0x100000001b3;
        tap_ok(hash == rows[i].hash && !memcmp(rgb, rows[i].first, 3) &&
                   !memcmp(rgb + n - 3, rows[i].last, 3),
               "the picture of %d x %d has hash %016llx", rows[i].h, rows[i].w,
               (unsigned long long)hash);
        free(rgb);
    }
}

int main(void)
{
    check_values();
    check_scales();
    check_images();
    return tap_done();
}
