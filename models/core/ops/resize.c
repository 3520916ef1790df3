/* Resize of maps: bilinear, without antialiasing, and to the nearest pixel. */
#include "core/op.h"
#include "core/threads.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct Resize {
    bool align_corners;
} Resize;

static const VigilOp op_resize;

/* Of the result's pixels, in those of a row of n that becomes m. */
static void spacing(int n, int m, bool align_corners, double *first, double *step)
{
    bool corners = align_corners && n > 1 && m > 1;
    *step = corners ? (double)(n - 1) / (m - 1) : (double)n / m;
    *first = corners ? 0 : (*step - 1) / 2;
}

VigilValue vigil_net_resize(VigilNet *net, VigilValue x, int height, int width,
                            bool align_corners)
{
    VigilShape s = vigil_net_shape(net, x);
    if (height < 1 || width < 1)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE, "a resize of %d x %d pixels to %d x %d",
                       s.h, s.w, height, width);
    VigilNode *n =
        vigil_net_append(net, &op_resize, "resized", &x, 1,
                         (VigilShape) { height, width, s.c }, sizeof(Resize));
    if (!n)
        return VIGIL_NONE;
    ((Resize *)n->data)->align_corners = align_corners;
    double first_y, step_y, first_x, step_x;
    spacing(s.h, height, align_corners, &first_y, &step_y);
    spacing(s.w, width, align_corners, &first_x, &step_x);
    vigil_net_regrid(net, n->out, first_y, step_y, first_x, step_x);
    return n->out;
}

/* Where index o of m lies among n: between first and second. */
typedef struct Place {
    size_t first, second;
    double weight; /* of second */
} Place;

static Place place(size_t o, size_t n, size_t m, bool align_corners)
{
    double at = align_corners ? (m > 1 ? (double)(o * (n - 1)) / (double)(m - 1) : 0)
                              : ((double)o + 0.5) * (double)n / (double)m - 0.5;
    at = fmax(at, 0);
    size_t first = (size_t)at < n ? (size_t)at : n - 1;
    return (Place) { first, first + 1 < n ? first + 1 : first, at - (double)first };
}

static void resize_rows(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    bool corners = ((Resize *)n->data)->align_corners;
    size_t c = (size_t)n->in_shape.c, row = (size_t)n->in_shape.w * c;
    size_t width = (size_t)n->out_shape.w;
    for (size_t y = begin; y < end; y++) {
        Place v = place(y, (size_t)n->in_shape.h, (size_t)n->out_shape.h, corners);
        const float *upper = n->x[0] + v.first * row, *lower = n->x[0] + v.second * row;
        for (size_t x = 0; x < width; x++) {
            Place h = place(x, (size_t)n->in_shape.w, width, corners);
            const float *const corner[] = { upper + h.first * c, upper + h.second * c,
                                            lower + h.first * c, lower + h.second * c };
            const float weight[] = { (float)((1 - v.weight) * (1 - h.weight)),
                                     (float)((1 - v.weight) * h.weight),
                                     (float)(v.weight * (1 - h.weight)),
                                     (float)(v.weight * h.weight) };
            vigil_kernels()->mix(corner, weight, c, n->y + (y * width + x) * c);
        }
    }
}

static void resize_run(const VigilNode *n, VigilNet *net)
{
    size_t rows = (size_t)n->out_shape.h;
    vigil_parallel(net->threads, rows,
                   vigil_grain(4 * vigil_shape_size(n->out_shape) / rows), resize_rows,
                   (void *)n);
}

static void resize_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "resize");
}

static const VigilOp op_resize = { .kind = resize_kind, .run = resize_run };

/* ---- To the nearest pixel ----------------------------------------------------------
 */

static void nearest_rows(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t c = (size_t)n->in_shape.c, h = (size_t)n->in_shape.h,
           w = (size_t)n->in_shape.w;
    size_t height = (size_t)n->out_shape.h, width = (size_t)n->out_shape.w;
    for (size_t y = begin; y < end; y++) {
        const float *row = n->x[0] + y * h / height * w * c;
        for (size_t x = 0; x < width; x++)
            memcpy(n->y + (y * width + x) * c, row + x * w / width * c,
                   c * sizeof(float));
    }
}

static void nearest_run(const VigilNode *n, VigilNet *net)
{
    size_t rows = (size_t)n->out_shape.h;
    vigil_parallel(net->threads, rows,
                   vigil_grain(vigil_shape_size(n->out_shape) / rows), nearest_rows,
                   (void *)n);
}

static void nearest_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "nearest resize");
}

static const VigilOp op_nearest = { .kind = nearest_kind, .run = nearest_run };

VigilValue vigil_net_resize_nearest(VigilNet *net, VigilValue x, int height, int width)
{
    VigilShape s = vigil_net_shape(net, x);
    if (height < 1 || width < 1)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE, "a resize of %d x %d pixels to %d x %d",
                       s.h, s.w, height, width);
    VigilNode *n = vigil_net_append(net, &op_nearest, "resized", &x, 1,
                                    (VigilShape) { height, width, s.c }, 0);
    if (!n)
        return VIGIL_NONE;
    double first_y, step_y, first_x, step_x;
    spacing(s.h, height, false, &first_y, &step_y);
    spacing(s.w, width, false, &first_x, &step_x);
    vigil_net_regrid(net, n->out, first_y, step_y, first_x, step_x);
    return n->out;
}
