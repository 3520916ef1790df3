/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Agreement with the resizers that the published models were trained with.  Here
 * nothing is rounded; PIL rounds to whole bytes after each of its two passes, so that
 * the first error of 0.5 goes through the weights of the second pass before another 0.5
 * is added. The absolute weights of a triangle add up to 1, those of Keys' filter to at
 * most 1.25.
 */
#include <math.h>

#include "tap.h"
#include "vigil.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define MAX_PIXELS (97 * 61)

typedef struct Golden {
    const char *library;
    VigilFilter filter;
    int width, height, shorter; /* 0: stretched */
    double box[4];              /* left, top, right, bottom in pixels */
    uint8_t pixels[12 * 12 * 3];
} Golden;

#include "goldens.h"

/* As picture() of make_goldens.py. */
static VigilImage picture(int width, int height, uint8_t *pixels)
{
    VigilImage image = {
        .width = width, .height = height, .color = VIGIL_COLOR_RGB, .pixel_aspect = 1
    };
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++) {
                uint32_t i = (uint32_t)((y * width + x) * 3 + c);
                uint32_t noise = i * 2654435761u >> 27;
                pixels[i] =
                    (uint8_t)(60 + (x * (3 + c) + y * (5 - c)) % 101 + (int)noise);
            }
    for (int c = 0; c < 3; c++)
        image.component[c] = (VigilComponent) { pixels + c, width * 3, 3, 0, 0 };
    return image;
}

static double greatest_difference(VigilPreprocess *p, const Golden *g)
{
    static uint8_t pixels[MAX_PIXELS * 3];
    float tensor[GOLDEN_SIDE * GOLDEN_SIDE * 3];
    VigilImage image = picture(g->width, g->height, pixels);
    VigilRegion region = { (float)(g->box[0] / g->width),
                           (float)(g->box[1] / g->height),
                           (float)((g->box[2] - g->box[0]) / g->width),
                           (float)((g->box[3] - g->box[1]) / g->height) };
    VigilInput input = { .height = GOLDEN_SIDE,
                         .width = GOLDEN_SIDE,
                         .std = { 1, 1, 1 },
                         .resize =
                             g->shorter ? VIGIL_RESIZE_CROP : VIGIL_RESIZE_STRETCH,
                         .resize_shorter = g->shorter,
                         .filter = g->filter };
    if (vigil_preprocess_run(p, &image, &region, &input, tensor, NULL, NULL))
        return INFINITY;
    double greatest = 0;
    for (size_t i = 0; i < COUNT(tensor); i++)
        greatest = fmax(greatest, fabs(tensor[i] * 255.0 - g->pixels[i]));
    return greatest;
}

static const struct {
    const char *name;
    double tolerance; /* steps of a byte */
} filter[] = {
    [VIGIL_FILTER_BILINEAR] = { "bilinear", 0.5 * 1 + 0.5 },
    [VIGIL_FILTER_BICUBIC] = { "bicubic", 0.5 * 1.25 + 0.5 },
    [VIGIL_FILTER_POINT_BILINEAR] = { "point bilinear", 1 },
};

int main(void)
{
    VigilPreprocess *p = NULL;
    if (!tap_ok(vigil_preprocess_open(&p, NULL) == VIGIL_OK, "open"))
        return tap_done();
    for (size_t i = 0; i < COUNT(goldens); i++) {
        const Golden *g = &goldens[i];
        double off = greatest_difference(p, g);
        tap_ok(off <= filter[g->filter].tolerance,
               "%s, %s, %dx%d, %s: off by %.3f of %.3f steps", g->library,
               filter[g->filter].name, g->width, g->height,
               g->shorter ? "shorter side and centre" : "stretched", off,
               filter[g->filter].tolerance);
    }
    vigil_preprocess_close(&p);
    return tap_done();
}
