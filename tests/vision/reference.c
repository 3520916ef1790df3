/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reference.h"

#include <math.h>
#include <stdlib.h>

/* ---- Placement ------------------------------------------------------------------ */

static void place_crop(const VigilInput *input, double width, double height,
                       VigilPlacement *p)
{
    int s = input->height < input->width ? input->height : input->width;
    int r = input->resize_shorter;
    double scaled_w, scaled_h;
    if (width / input->width <= height / input->height) {
        scaled_w = (double)(r * input->width / s);
        scaled_h = (double)(long)(scaled_w * height / width + 1e-5);
    } else {
        scaled_h = (double)(r * input->height / s);
        scaled_w = (double)(long)(scaled_h * width / height + 1e-5);
    }
    double left = nearbyint((scaled_w - input->width) / 2);
    double top = nearbyint((scaled_h - input->height) / 2);
    double per_x = p->src_width / scaled_w, per_y = p->src_height / scaled_h;
    p->src_x += left * per_x;
    p->src_y += top * per_y;
    p->src_width = input->width * per_x;
    p->src_height = input->height * per_y;
}

static void place_letterbox(const VigilInput *input, double width, double height,
                            VigilPlacement *p)
{
    if (input->width / width < input->height / height)
        p->dst_height = (int)fmax(1, nearbyint(height * input->width / width));
    else
        p->dst_width = (int)fmax(1, nearbyint(width * input->height / height));
    p->dst_x = (input->width - p->dst_width) / 2;
    p->dst_y = (input->height - p->dst_height) / 2;
}

VigilPlacement reference_place(const VigilImage *image, const VigilRegion *region,
                               const VigilInput *input)
{
    double x0 = 0, y0 = 0, x1 = 1, y1 = 1;
    if (region) {
        x0 = fmax(0, region->x);
        y0 = fmax(0, region->y);
        x1 = fmin(1, (double)region->x + region->width);
        y1 = fmin(1, (double)region->y + region->height);
    }
    VigilPlacement p = { x0 * image->width,
                         y0 * image->height,
                         (x1 - x0) * image->width,
                         (y1 - y0) * image->height,
                         0,
                         0,
                         input->width,
                         input->height };
    double shown = p.src_width * image->pixel_aspect;
    if (input->resize == VIGIL_RESIZE_CROP)
        place_crop(input, shown, p.src_height, &p);
    if (input->resize == VIGIL_RESIZE_LETTERBOX)
        place_letterbox(input, shown, p.src_height, &p);
    if (input->resize == VIGIL_RESIZE_NONE) {
        p.src_x = nearbyint(p.src_x);
        p.src_y = nearbyint(p.src_y);
        p.src_width = input->width;
        p.src_height = input->height;
    }
    return p;
}

/* ---- Resampling ----------------------------------------------------------------- */

static double shape(VigilFilter filter, double d)
{
    d = fabs(d);
    if (filter != VIGIL_FILTER_BICUBIC)
        return d < 1 ? 1 - d : 0;
    if (d < 1)
        return 1 - 2.5 * d * d + 1.5 * d * d * d;
    return d < 2 ? 2 - 4 * d + 2.5 * d * d - 0.5 * d * d * d : 0;
}

typedef struct Samples {
    int n, block; /* one sample every `block` pixels */
    double site;  /* of sample 0, in pixels from the edge of the picture */
} Samples;

static Samples samples_of(int pixels, int shift, double site)
{
    int block = 1 << shift;
    return (Samples) { (pixels + block - 1) / block, block, 0.5 + site * (block - 1) };
}

/* weight[k] of every sample for the point `at` pixels from the edge, when one output is
 * `step` pixels wide. */
static void weigh(VigilFilter filter, Samples s, double at, double step, double *weight)
{
    double wide = filter == VIGIL_FILTER_POINT_BILINEAR ? s.block : fmax(step, s.block);
    double sum = 0;
    for (int k = 0; k < s.n; k++) {
        weight[k] = shape(filter, (s.site + (double)k * s.block - at) / wide);
        sum += weight[k];
    }
    for (int k = 0; k < s.n; k++)
        weight[k] /= sum;
}

static double sample_at(const VigilComponent *c, int row, int k)
{
    const uint8_t *p = c->data + row * c->row_stride + k * c->pixel_stride;
    if (!c->bits)
        return *p;
    unsigned word = c->big_endian ? p[0] * 256u + p[1] : p[1] * 256u + p[0];
    return (word >> c->low_bit) % (1u << c->bits);
}

/* [dst_height][dst_width], along the rows first. */
static double *resample(const VigilImage *image, const VigilComponent *c,
                        VigilFilter filter, const VigilPlacement *p)
{
    Samples sx = samples_of(image->width, c->shift_x, image->site_x);
    Samples sy = samples_of(image->height, c->shift_y, image->site_y);
    int w = p->dst_width, h = p->dst_height;
    double *half = calloc((size_t)sy.n * (size_t)w, sizeof(double));
    double *out = calloc((size_t)h * (size_t)w, sizeof(double));
    double *weight = calloc((size_t)(sx.n > sy.n ? sx.n : sy.n), sizeof(double));
    double step_x = p->src_width / w, step_y = p->src_height / h;
    for (int x = 0; x < w; x++) {
        weigh(filter, sx, p->src_x + (x + 0.5) * step_x, step_x, weight);
        for (int k = 0; k < sx.n; k++)
            for (int row = 0; row < sy.n && weight[k] != 0; row++)
                half[row * w + x] += weight[k] * sample_at(c, row, k);
    }
    for (int y = 0; y < h; y++) {
        weigh(filter, sy, p->src_y + (y + 0.5) * step_y, step_y, weight);
        for (int k = 0; k < sy.n; k++)
            for (int x = 0; x < w && weight[k] != 0; x++)
                out[y * w + x] += weight[k] * half[k * w + x];
    }
    free(weight);
    free(half);
    return out;
}

/* ---- Colour --------------------------------------------------------------------- */

/* The codes of black and white, and of no colour and what the axes of colour span. */
typedef struct Codes {
    double black, white, neutral, chroma;
} Codes;

static Codes codes_of(const VigilImage *image, int i)
{
    int bits = image->component[i].bits ? image->component[i].bits : 8;
    double steps = pow(2, bits), finer = pow(2, bits - 8);
    if (image->full_range || image->color == VIGIL_COLOR_RGB)
        return (Codes) { 0, steps - 1, steps / 2, steps - 1 };
    return (Codes) { 16 * finer, 235 * finer, 128 * finer, 224 * finer };
}

/* As the ITU-R recommendations write it: E'Y = kr E'R + kg E'G + kb E'B. */
static void to_rgb(const VigilImage *image, const double v[3], double rgb[3])
{
    double e[3];
    for (int i = 0; i < 3; i++) {
        Codes at = codes_of(image, i);
        bool chroma = i > 0 && image->color == VIGIL_COLOR_YUV;
        e[i] = chroma ? (v[i] - at.neutral) / at.chroma
                      : (v[i] - at.black) / (at.white - at.black);
    }
    if (image->color == VIGIL_COLOR_GRAY) {
        rgb[0] = rgb[1] = rgb[2] = e[0];
    } else if (image->color == VIGIL_COLOR_RGB) {
        for (int i = 0; i < 3; i++)
            rgb[i] = e[i];
    } else {
        rgb[0] = e[0] + e[2] * 2 * (1 - image->kr);
        rgb[2] = e[0] + e[1] * 2 * (1 - image->kb);
        rgb[1] = (e[0] - image->kr * rgb[0] - image->kb * rgb[2]) /
                 (1 - image->kr - image->kb);
    }
}

double *reference_tensor(const VigilImage *image, const VigilInput *input,
                         const VigilPlacement *placed)
{
    int planes = image->color == VIGIL_COLOR_GRAY ? 1 : 3;
    double *plane[3] = { NULL };
    for (int i = 0; i < planes; i++)
        plane[i] = resample(image, &image->component[i], input->filter, placed);
    double *tensor =
        calloc((size_t)input->height * (size_t)input->width * 3, sizeof(double));
    for (int y = 0; y < placed->dst_height; y++)
        for (int x = 0; x < placed->dst_width; x++) {
            double v[3] = { 0 }, rgb[3];
            for (int i = 0; i < planes; i++)
                v[i] = plane[i][y * placed->dst_width + x];
            to_rgb(image, v, rgb);
            double *out = tensor + ((size_t)(y + placed->dst_y) * (size_t)input->width +
                                    (size_t)(x + placed->dst_x)) *
                                       3;
            for (int r = 0; r < 3; r++) {
                double e = rgb[input->channel_order == VIGIL_BGR ? 2 - r : r];
                out[r] = (fmin(fmax(e, 0), 1) - input->mean[r]) / input->std[r];
            }
        }
    for (int i = 0; i < planes; i++)
        free(plane[i]);
    return tensor;
}
