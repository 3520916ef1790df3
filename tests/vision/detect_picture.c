/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil_detection_to_picture(): cases by hand, and rectangles that are painted into a
 * picture, found again in the tensor and carried back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "vision/detect.h"
#include "vision/placement.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static bool is_box(const VigilDetection *d, const double *box)
{
    return fabs(d->x - box[0]) < 1e-6 && fabs(d->y - box[1]) < 1e-6 &&
           fabs(d->width - box[2]) < 1e-6 && fabs(d->height - box[3]) < 1e-6;
}

/* ---- By hand -------------------------------------------------------------------- */

typedef struct Carry {
    const char *name;
    VigilResize resize;
    int shorter, width, height; /* of the picture */
    VigilRegion region;
    double in[4], out[4]; /* out: width 0 for not in the picture */
} Carry;

static const Carry carries[] = {
    { "stretched",
      VIGIL_RESIZE_STRETCH,
      0,
      1280,
      720,
      { 0, 0, 1, 1 },
      { 0.25, 0.5, 0.5, 0.25 },
      { 0.25, 0.5, 0.5, 0.25 } },
    { "stretched region",
      VIGIL_RESIZE_STRETCH,
      0,
      1280,
      720,
      { 0.5, 0.25, 0.25, 0.5 },
      { 0, 0.5, 1, 0.5 },
      { 0.5, 0.5, 0.25, 0.25 } },
    { "beyond its region, in the picture",
      VIGIL_RESIZE_STRETCH,
      0,
      1280,
      720,
      { 0.5, 0.25, 0.25, 0.5 },
      { -0.5, -2, 1, 3 },
      { 0.375, 0, 0.25, 0.75 } },
    /* 320 x 180 pixels of the input from row 70 on */
    { "letterboxed",
      VIGIL_RESIZE_LETTERBOX,
      0,
      1280,
      720,
      { 0, 0, 1, 1 },
      { 0.25, 0.21875 + 0.5625 / 2, 0.5, 0.5625 / 4 },
      { 0.25, 0.5, 0.5, 0.25 } },
    { "letterboxed, clipped",
      VIGIL_RESIZE_LETTERBOX,
      0,
      1280,
      720,
      { 0, 0, 1, 1 },
      { -0.25, 0, 0.5, 0.5 },
      { 0, 0, 0.25, 0.5 } },
    { "in the border of a letterbox",
      VIGIL_RESIZE_LETTERBOX,
      0,
      1280,
      720,
      { 0, 0, 1, 1 },
      { 0.25, 0.1, 0.5, 0.1 },
      { 0 } },
    /* 640 x 360, of which the middle 320 x 320: columns 160.., rows 20.. */
    { "cropped",
      VIGIL_RESIZE_CROP,
      360,
      1280,
      720,
      { 0, 0, 1, 1 },
      { 0, 0, 0.5, 1 },
      { 0.25, 20 / 360., 0.25, 320 / 360. } },
    { "cropped, beyond the crop",
      VIGIL_RESIZE_CROP,
      360,
      1280,
      720,
      { 0, 0, 1, 1 },
      { -1, 0, 1.5, 2 },
      { 0, 20 / 360., 0.5, 340 / 360. } },
    { "pixels as they are",
      VIGIL_RESIZE_NONE,
      0,
      640,
      320,
      { 0.5, 0, 0.5, 1 },
      { 0.5, 0.25, 0.25, 0.5 },
      { 0.75, 0.25, 0.125, 0.5 } },
    { "without area",
      VIGIL_RESIZE_STRETCH,
      0,
      640,
      320,
      { 0, 0, 1, 1 },
      { 0.5, 0.25, 0, 0.5 },
      { 0 } },
};

static void check_carry(const Carry *c)
{
    VigilImage image = { .width = c->width, .height = c->height, .pixel_aspect = 1 };
    VigilInput input = {
        .height = 320, .width = 320, .resize = c->resize, .resize_shorter = c->shorter
    };
    VigilDetection d = { (float)c->in[0],
                         (float)c->in[1],
                         (float)c->in[2],
                         (float)c->in[3],
                         7,
                         0.5f },
                   out = { 0 };
    VigilPlacement placed;
    VigilError e;
    if (vigil_place(&image, &c->region, &input, &placed, &e)) {
        tap_ok(false, "%s: %s", c->name, e.message);
        return;
    }
    bool inside =
        vigil_detection_to_picture(&d, &input, &placed, c->width, c->height, &out);
    bool right = inside ? is_box(&out, c->out) && out.class_index == 7 &&
                              out.score == 0.5f && c->out[2] > 0
                        : c->out[2] == 0 && out.score == 0;
    tap_ok(right, "%s: %d, %g %g %g %g", c->name, inside, out.x, out.y, out.width,
           out.height);
}

/* ---- Painted -------------------------------------------------------------------- */

#define WIDTH 640
#define HEIGHT 360
#define TENSOR 160

static const int painted[4] = { 290, 110, 401, 219 }; /* left, top, right, bottom */

static VigilImage paint(uint8_t *pixels)
{
    VigilImage image = {
        .width = WIDTH, .height = HEIGHT, .color = VIGIL_COLOR_GRAY, .pixel_aspect = 1
    };
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            pixels[y * WIDTH + x] =
                x >= painted[0] && x < painted[2] && y >= painted[1] && y < painted[3]
                    ? 255
                    : 0;
    image.component[0] = (VigilComponent) { pixels, WIDTH, 1, 0, 0 };
    image.full_range = true;
    return image;
}

/* The box of what is brighter than half. */
static VigilDetection find_bright(const float *tensor)
{
    int x0 = TENSOR, y0 = TENSOR, x1 = 0, y1 = 0;
    for (int y = 0; y < TENSOR; y++)
        for (int x = 0; x < TENSOR; x++)
            if (tensor[(y * TENSOR + x) * 3] > 0.5f) {
                x0 = x < x0 ? x : x0;
                x1 = x + 1 > x1 ? x + 1 : x1;
                y0 = y < y0 ? y : y0;
                y1 = y + 1 > y1 ? y + 1 : y1;
            }
    return (VigilDetection) { .x = (float)x0 / TENSOR,
                              .y = (float)y0 / TENSOR,
                              .width = (float)(x1 - x0) / TENSOR,
                              .height = (float)(y1 - y0) / TENSOR };
}

/* The greatest distance of an edge, in pixels of the tensor. */
static double edges_off(const VigilDetection *d, const VigilPlacement *placed)
{
    double step_x = placed->src_width / placed->dst_width;
    double step_y = placed->src_height / placed->dst_height;
    double x1 = (double)d->x + d->width, y1 = (double)d->y + d->height;
    return fmax(fmax(fabs(d->x * WIDTH - painted[0]), fabs(x1 * WIDTH - painted[2])) /
                    step_x,
                fmax(fabs(d->y * HEIGHT - painted[1]), fabs(y1 * HEIGHT - painted[3])) /
                    step_y);
}

static void check_painted(VigilResize resize, const VigilRegion *region,
                          const char *name)
{
    static uint8_t pixels[WIDTH * HEIGHT];
    static float tensor[TENSOR * TENSOR * 3];
    VigilImage image = paint(pixels);
    VigilInput input = { .height = TENSOR,
                         .width = TENSOR,
                         .std = { 1, 1, 1 },
                         .resize = resize,
                         .resize_shorter = 180 };
    VigilPreprocess *p = NULL;
    VigilPlacement placed;
    VigilDetection d;
    double off = INFINITY;
    if (!vigil_preprocess_open(&p, NULL) &&
        !vigil_preprocess_run(p, &image, region, &input, tensor, &placed, NULL)) {
        d = find_bright(tensor);
        if (vigil_detection_to_picture(&d, &input, &placed, WIDTH, HEIGHT, &d))
            off = edges_off(&d, &placed);
    }
    /* A pixel of the tensor is brighter than half or not: half of one. */
    tap_ok(off <= 0.51, "painted, %s%s: edges off by %.3f pixels of the tensor", name,
           region ? ", region" : "", off);
    vigil_preprocess_close(&p);
}

int main(void)
{
    static const VigilRegion region = { 0.3f, 0.2f, 0.5f, 0.55f };
    for (size_t i = 0; i < COUNT(carries); i++)
        check_carry(&carries[i]);
    for (int r = 0; r < 2; r++) {
        const VigilRegion *part = r ? &region : NULL;
        check_painted(VIGIL_RESIZE_STRETCH, part, "stretched");
        check_painted(VIGIL_RESIZE_LETTERBOX, part, "letterboxed");
        check_painted(VIGIL_RESIZE_CROP, part, "cropped");
    }
    return tap_done();
}
