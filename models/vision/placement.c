/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/placement.h"

#include <math.h>

#define MAX_SHORTER 65536
#define TRUNCATION_SLACK 1e-5 /* fractions and pixel aspects are not exact */

static VigilStatus place_region(const VigilImage *image, const VigilRegion *region,
                                VigilPlacement *placed, VigilError *error)
{
    static const VigilRegion whole = { 0, 0, 1, 1 };
    const VigilRegion *r = region ? region : &whole;
    if (!isfinite(r->x) || !isfinite(r->y) || !isfinite(r->width) ||
        !isfinite(r->height))
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "region x %g, y %g, width %g, height %g is not finite", r->x,
                          r->y, r->width, r->height);
    double x0 = fmax(r->x, 0), x1 = fmin((double)r->x + r->width, 1);
    double y0 = fmax(r->y, 0), y1 = fmin((double)r->y + r->height, 1);
    if (!(x1 > x0 && y1 > y0))
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "region x %g, y %g, width %g, height %g has no area inside "
                          "the picture, which is 0..1",
                          r->x, r->y, r->width, r->height);
    placed->src_x = x0 * image->width;
    placed->src_y = y0 * image->height;
    placed->src_width = (x1 - x0) * image->width;
    placed->src_height = (y1 - y0) * image->height;
    return VIGIL_OK;
}

static VigilStatus place_stretch(const VigilImage *image, const VigilInput *input,
                                 VigilPlacement *placed, VigilError *error)
{
    return VIGIL_OK;
}

static int fitted(double length, int limit)
{
    return (int)fmin(fmax(rint(length), 1), limit);
}

static VigilStatus place_letterbox(const VigilImage *image, const VigilInput *input,
                                   VigilPlacement *placed, VigilError *error)
{
    double width = placed->src_width * image->pixel_aspect;
    double height = placed->src_height;
    double zoom = fmin(input->width / width, input->height / height);
    placed->dst_width = fitted(width * zoom, input->width);
    placed->dst_height = fitted(height * zoom, input->height);
    placed->dst_x = (input->width - placed->dst_width) / 2;
    placed->dst_y = (input->height - placed->dst_height) / 2;
    return VIGIL_OK;
}

static double truncated(double x)
{
    return floor(x + TRUNCATION_SLACK);
}

/* Narrows length at *start to the middle `wanted` of `scaled` pixels. */
static void cut_middle(double *start, double *length, double scaled, int wanted)
{
    double step = *length / scaled;
    *start += rint((scaled - wanted) / 2) * step;
    *length = wanted * step;
}

static VigilStatus place_crop(const VigilImage *image, const VigilInput *input,
                              VigilPlacement *placed, VigilError *error)
{
    int side = input->height < input->width ? input->height : input->width;
    int shorter = input->resize_shorter;
    if (shorter < side || shorter > MAX_SHORTER)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "resize crop: the shorter side becomes %d pixels, but the "
                          "%dx%d input needs %d to %d",
                          shorter, input->width, input->height, side, MAX_SHORTER);
    double width = placed->src_width * image->pixel_aspect;
    double height = placed->src_height;
    double to_width = (int)((int64_t)shorter * input->width / side);
    double to_height = (int)((int64_t)shorter * input->height / side);
    if (to_width * height >= to_height * width)
        to_height = truncated(to_width * height / width);
    else
        to_width = truncated(to_height * width / height);
    cut_middle(&placed->src_x, &placed->src_width, to_width, input->width);
    cut_middle(&placed->src_y, &placed->src_height, to_height, input->height);
    return VIGIL_OK;
}

static VigilStatus place_none(const VigilImage *image, const VigilInput *input,
                              VigilPlacement *placed, VigilError *error)
{
    double x = rint(placed->src_x), y = rint(placed->src_y);
    double width = rint(placed->src_x + placed->src_width) - x;
    double height = rint(placed->src_y + placed->src_height) - y;
    if (width != input->width || height != input->height)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "resize none: the picture has %gx%g pixels, the model takes "
                          "%dx%d",
                          width, height, input->width, input->height);
    *placed =
        (VigilPlacement) { x, y, width, height, 0, 0, input->width, input->height };
    return VIGIL_OK;
}

VigilStatus vigil_place(const VigilImage *image, const VigilRegion *region,
                        const VigilInput *input, VigilPlacement *placed,
                        VigilError *error)
{
    static VigilStatus (*const rule[])(const VigilImage *, const VigilInput *,
                                       VigilPlacement *, VigilError *) = {
        [VIGIL_RESIZE_STRETCH] = place_stretch,
        [VIGIL_RESIZE_LETTERBOX] = place_letterbox,
        [VIGIL_RESIZE_CROP] = place_crop,
        [VIGIL_RESIZE_NONE] = place_none,
    };
    *placed =
        (VigilPlacement) { .dst_width = input->width, .dst_height = input->height };
    VigilStatus status = place_region(image, region, placed, error);
    return status ? status : rule[input->resize](image, input, placed, error);
}
