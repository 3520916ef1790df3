/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images of attention weights: every kind against its definition, errors, where they
 * lie in a frame. */
#include "attention_reference.h"
#include "session.h"
#include "tap.h"
#include "vision/placement.h"

#include <string.h>

/* ---- Each kind on weights made up -------------------------------------------------
 */

/* Positive weights whose rows sum to 1. */
static float *make_weights(const VigilAttentionInfo *a)
{
    size_t rows = (size_t)a->windows * a->heads * a->queries, keys = (size_t)a->keys;
    float *w = malloc(rows * keys * sizeof *w);
    if (!w)
        exit(2);
    fill_values(w, rows * keys, 77);
    for (size_t r = 0; r < rows; r++) {
        double sum = 0;
        for (size_t k = 0; k < keys; k++)
            sum += w[r * keys + k] = expf(2 * w[r * keys + k]);
        for (size_t k = 0; k < keys; k++)
            w[r * keys + k] = (float)(w[r * keys + k] / sum);
    }
    return w;
}

static const struct Kind {
    const char *what;
    VigilAttentionInfo info;
    int first_token, end_token;
    double sum; /* of every map of a token; 0: not the same for all */
    double overview;
} kinds[] = {
    { "TO_PIXELS",
      { .kind = VIGIL_ATTENTION_TO_PIXELS, 0, 1, 2, 3, 35, 3, 5, 7 },
      -1,
      3,
      1,
      1 },
    { "TO_TOKENS",
      { .kind = VIGIL_ATTENTION_TO_TOKENS, 0, 1, 2, 35, 3, 3, 5, 7 },
      0,
      3,
      0,
      0 },
    { "WINDOWS, one",
      { .kind = VIGIL_ATTENTION_WINDOWS, 0, 1, 2, 49, 49, 0, 7, 7 },
      -1,
      49,
      1,
      1 },
    { "WINDOWS, 2 x 3",
      { .kind = VIGIL_ATTENTION_WINDOWS, 0, 6, 3, 49, 49, 0, 14, 21 },
      -1,
      14 * 21,
      1,
      1 },
    { "WINDOWS, padded",
      { .kind = VIGIL_ATTENTION_WINDOWS, 0, 6, 3, 49, 49, 0, 8, 15 },
      -1,
      8 * 15,
      0,
      1 },
    { "WINDOWS, mostly padding",
      { .kind = VIGIL_ATTENTION_WINDOWS, 0, 2, 1, 16, 16, 0, 1, 5 },
      -1,
      5,
      0,
      1 },
    { "PATCHES",
      { .kind = VIGIL_ATTENTION_PATCHES, 0, 4, 4, 15, 15, 0, 6, 10 },
      -1,
      60,
      4,
      4 },
    { "SCORES",
      { .kind = VIGIL_ATTENTION_SCORES, 0, 4, 1, 1, 15, 0, 6, 10 },
      -1,
      0,
      0,
      4 },
};
#define N_KINDS (sizeof kinds / sizeof *kinds)

static void check_kind(const struct Kind *k)
{
    VigilAttentionInfo a = k->info;
    int n = a.map_height * a.map_width;
    float *weights = make_weights(&a), *map = malloc((size_t)n * sizeof *map);
    double worst = 0, worst_sum = 0;
    a.name = k->what;
    if (!map)
        exit(2);
    tap_ok(vigil_attention_check(&a, NULL) == VIGIL_OK, "%s go with their map",
           k->what);
    for (int head = -1; head < a.heads; head++)
        for (int token = k->first_token; token < k->end_token; token++) {
            double sum = token < 0 ? k->overview : k->sum;
            worst = fmax(worst, off_by(&a, weights, head, token, map));
            if (sum > 0)
                worst_sum = fmax(worst_sum, fabs(sum_of(map, n) - sum));
        }
    tap_ok(worst <= TOLERANCE, "%s: all heads and tokens, off by %.2g", k->what, worst);
    tap_ok(worst_sum <= 1e-5, "%s: sums of the maps are off by %.2g", k->what,
           worst_sum);
    free(weights);
    free(map);
}

/* Even attention gives an even overview, however the windows are cut. */
static void check_even(void)
{
    for (size_t i = 0; i < N_KINDS; i++) {
        VigilAttentionInfo a = kinds[i].info;
        size_t n = (size_t)a.windows * a.heads * a.queries * a.keys;
        int pixels = a.map_height * a.map_width;
        float *weights = malloc(n * sizeof *weights), map[14 * 21];
        double wanted = kinds[i].overview / pixels, worst = 0;
        if (!weights)
            exit(2);
        for (size_t k = 0; k < n; k++)
            weights[k] = 1.0f / (float)a.keys;
        if (a.kind != VIGIL_ATTENTION_TO_TOKENS) {
            vigil_attention_image(&a, weights, -1, -1, map, NULL);
            for (int k = 0; k < pixels; k++)
                worst = fmax(worst, fabs(map[k] / wanted - 1));
            tap_ok(worst < 1e-6, "%s: even attention is shown even, off by %.2g",
                   kinds[i].what, worst);
        }
        free(weights);
    }
}

/* A weight file cannot, but an input can be so that nothing is left to scale. */
static void check_empty(void)
{
    VigilAttentionInfo a = kinds[4].info;
    float *weights = calloc((size_t)6 * 3 * 49 * 49, sizeof *weights), map[8 * 15];
    if (!weights)
        exit(2);
    vigil_attention_image(&a, weights, -1, -1, map, NULL);
    tap_ok(sum_of(map, 8 * 15) == 0, "no weights, no attention received");
    free(weights);
}

/* ---- What is refused --------------------------------------------------------------
 */

static void check_refused(void)
{
    static const struct {
        size_t kind;
        int head, token;
        const char *message;
    } rows[] = {
        { 0, 2, 0, "TO_PIXELS: head 2; may be -1 (the mean) to 1" },
        { 0, -2, 0, "TO_PIXELS: head -2; may be -1 (the mean) to 1" },
        { 0, 0, 3, "TO_PIXELS: query token 3; may be -1 to 2" },
        { 0, 0, -2, "TO_PIXELS: query token -2; may be -1 to 2" },
        { 1, 0, 3, "TO_TOKENS: key token 3; may be 0 to 2" },
        { 1, 0, -1, "TO_TOKENS: key token -1; may be 0 to 2" },
        { 3, 0, 294, "WINDOWS, 2 x 3: query pixel 294; may be -1 to 293" },
        { 3, 3, 0, "WINDOWS, 2 x 3: head 3; may be -1 (the mean) to 2" },
        { 6, 0, 60, "PATCHES: query pixel 60; may be -1 to 59" },
        { 6, 0, -2, "PATCHES: query pixel -2; may be -1 to 59" },
        { 7, 0, 0, "SCORES: query 0, but the scores have none: it must be -1" },
        { 7, 1, -1, "SCORES: head 1; may be -1 (the mean) to 0" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        VigilAttentionInfo a = kinds[rows[i].kind].info;
        VigilError e = { 0 };
        a.name = kinds[rows[i].kind].what;
        VigilStatus status =
            vigil_attention_image(&a, NULL, rows[i].head, rows[i].token, NULL, &e);
        tap_ok(status == VIGIL_ERROR_ARGUMENT && !strcmp(e.message, rows[i].message),
               "'%s'", e.message);
        tap_ok(vigil_attention_image(&a, NULL, rows[i].head, rows[i].token, NULL,
                                     NULL) == status,
               "the same without an error");
    }
    VigilAttentionInfo tokens = { .name = "t", .tokens = 6, .heads = 4 };
    VigilError e = { 0 };
    tap_ok(
        vigil_attention_image(&tokens, NULL, 0, 0, NULL, &e) == VIGIL_ERROR_ARGUMENT &&
            !strcmp(e.message, "t relates 6 tokens to each other: there is no image"),
        "'%s'", e.message);
}

/* Weights that cannot be those of the map. */
static void check_mismatch(void)
{
    static const VigilAttentionInfo rows[] = {
        { "a", VIGIL_ATTENTION_TO_PIXELS, 0, 1, 2, 3, 34, 3, 5, 7 },
        { "b", VIGIL_ATTENTION_TO_PIXELS, 0, 2, 2, 3, 35, 3, 5, 7 },
        { "c", VIGIL_ATTENTION_TO_TOKENS, 0, 1, 2, 3, 35, 3, 5, 7 },
        { "d", VIGIL_ATTENTION_WINDOWS, 0, 1, 2, 48, 48, 0, 7, 7 },
        { "e", VIGIL_ATTENTION_WINDOWS, 0, 1, 2, 49, 49, 0, 7, 8 },
        { "f", VIGIL_ATTENTION_WINDOWS, 0, 1, 2, 1, 49, 0, 7, 7 },
        { "g", VIGIL_ATTENTION_PATCHES, 0, 4, 1, 15, 15, 0, 5, 12 },
        { "h", VIGIL_ATTENTION_PATCHES, 0, 4, 1, 15, 15, 0, 12, 5 },
        { "i", VIGIL_ATTENTION_PATCHES, 0, 1, 1, 60, 60, 0, 6, 10 },
        { "j", VIGIL_ATTENTION_PATCHES, 0, 4, 1, 1, 15, 0, 6, 10 },
        { "k", VIGIL_ATTENTION_SCORES, 0, 4, 1, 15, 15, 0, 6, 10 },
        { "l", VIGIL_ATTENTION_SCORES, 0, 4, 2, 1, 15, 0, 6, 10 },
        { "m", VIGIL_ATTENTION_SCORES, 0, 4, 1, 1, 16, 0, 6, 10 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        VigilError e = { 0 };
        char wanted[64];
        snprintf(wanted, sizeof wanted, "%d keys are not those of a map of %d x %d",
                 rows[i].keys, rows[i].map_height, rows[i].map_width);
        tap_ok(vigil_attention_check(&rows[i], &e) == VIGIL_ERROR_SHAPE &&
                   strstr(e.message, wanted),
               "'%s'", e.message);
    }
}

/* ---- In a frame -------------------------------------------------------------------
 */

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-4; /* regions are floats */
}

static void check_frames(void)
{
    static const VigilRegion gate = { 0.25f, 0.5f, 0.5f, 0.5f };
    static const struct {
        const char *what;
        VigilResize resize;
        int width, height;
        const VigilRegion *region;
        VigilMapPlace place;
    } rows[] = {
        { "stretch", VIGIL_RESIZE_STRETCH, 448, 672, NULL, { -15, -22.5, 448, 672 } },
        { "letterbox, wide",
          VIGIL_RESIZE_LETTERBOX,
          448,
          224,
          NULL,
          { -15, -112 - 15, 448, 448 } },
        { "letterbox, high",
          VIGIL_RESIZE_LETTERBOX,
          112,
          224,
          NULL,
          { -56 - 7.5, -7.5, 224, 224 } },
        { "crop", VIGIL_RESIZE_CROP, 320, 256, NULL, { 48 - 7.5, 16 - 7.5, 224, 224 } },
        { "crop, twice the size",
          VIGIL_RESIZE_CROP,
          512,
          640,
          NULL,
          { 32 - 15, 96 - 15, 448, 448 } },
        { "none", VIGIL_RESIZE_NONE, 224, 224, NULL, { -7.5, -7.5, 224, 224 } },
        { "a region, stretched",
          VIGIL_RESIZE_STRETCH,
          896,
          448,
          &gate,
          { 224 - 15, 224 - 7.5, 448, 224 } },
        { "a region, letterbox",
          VIGIL_RESIZE_LETTERBOX,
          896,
          448,
          &gate,
          { 224 - 15, 224 - 112 - 15, 448, 448 } },
        { "a region, crop",
          VIGIL_RESIZE_CROP,
          512,
          512,
          &gate,
          { 128 + 16 - 7.5, 256 + 16 - 7.5, 224, 224 } },
    };
    VigilGrid grid = { 0.5, 0.5, 16, 16 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        VigilImage image = { .width = rows[i].width,
                             .height = rows[i].height,
                             .pixel_aspect = 1 };
        VigilInput input = {
            .height = 224, .width = 224, .resize = rows[i].resize, .resize_shorter = 256
        };
        VigilPlacement placed;
        VigilError e = { 0 };
        if (vigil_place(&image, rows[i].region, &input, &placed, &e))
            printf("# %s\n", e.message);
        VigilMapPlace p = vigil_attention_place(grid, 14, 14, &placed);
        const VigilMapPlace *w = &rows[i].place;
        tap_ok(!e.status && near(p.x, w->x) && near(p.y, w->y) &&
                   near(p.width, w->width) && near(p.height, w->height),
               "%s: %g, %g, %g x %g", rows[i].what, p.x, p.y, p.width, p.height);
    }
}

int main(void)
{
    for (size_t i = 0; i < N_KINDS; i++)
        check_kind(&kinds[i]);
    check_even();
    check_empty();
    check_refused();
    check_mismatch();
    check_frames();
    return tap_done();
}
