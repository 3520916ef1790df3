/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include <string.h>

enum { X, WEIGHT, Y, EXPECTED, BIAS, RESIDUAL };

typedef struct Shape {
    int kernel, stride, dilation;
    double tolerance;
} Shape;

/* About five standard deviations of the rounding errors of kernel^2 products. */
static const Shape shapes[] = {
    { 3, 1, 1, 3e-6 }, { 3, 2, 1, 3e-6 }, { 5, 1, 1, 6e-6 }, { 5, 2, 1, 6e-6 },
    { 7, 1, 1, 1e-5 }, { 7, 2, 1, 1e-5 }, { 3, 1, 2, 3e-6 }, { 3, 2, 2, 3e-6 },
    { 5, 1, 2, 6e-6 }, { 3, 1, 4, 3e-6 },
};
static const int channels[] = { 1, 3, 4, 7, 8, 9, 12, 15, 16, 17, 24, 31, 33, 48 };
static const int widths[] = { 1, 2, 3, 5, 7, 8, 9, 13, 14, 15, 16, 17, 23, 29 };

#define COUNT(list) (sizeof(list) / sizeof *(list))

static double exact(const VigilDwconv *d, int row, int col, int channel)
{
    double sum = d->epilogue.bias ? d->epilogue.bias[channel] : 0.0;
    for (int tap = 0; tap < d->kernel * d->kernel; tap++) {
        int y = row * d->stride - d->pad_y + tap / d->kernel * d->dilation;
        int x = col * d->stride - d->pad_x + tap % d->kernel * d->dilation;
        if (y >= 0 && y < d->h && x >= 0 && x < d->w)
            sum += (double)d->x[(y * d->w + x) * d->c + channel] *
                   d->weight[tap * d->c + channel];
    }
    return activation_exact(sum, d->epilogue.activation);
}

/* Rows row0..row1-1 of the twin's map, all others untouched. */
static void check_rows(Check *c, const VigilDwconv *d, size_t size, double tolerance)
{
    const VigilEpilogue *e = &d->epilogue;
    float *want = floats(EXPECTED, size);
    int row0 = pick(d->out_h), row1 = row0 + 1 + pick(d->out_h - row0);
    memcpy(want, d->y, size * sizeof *want);
    if (c->is_twin) {
        int per_row = d->out_w * d->c;
        for (int i = row0 * per_row; i < row1 * per_row; i++) {
            double v = exact(d, i / per_row, i % per_row / d->c, i % d->c);
            size_t pixel = (size_t)(i / d->c), channel = (size_t)(i % d->c);
            if (e->residual)
                v += e->residual[pixel * e->residual_stride + channel];
            want[pixel * d->y_stride + channel] = (float)v;
        }
    } else {
        VigilDwconv twin = *d;
        twin.y = want;
        if (e->residual == d->y)
            twin.epilogue.residual = want;
        c->twin->dwconv(&twin, row0, row1);
    }
    c->level->dwconv(d, row0, row1);
    near_floats(c, d->y, want, size, tolerance);
}

static void check_shape(Check *c, const Shape *s, int h, int w, int channel_count)
{
    int reach = s->dilation * (s->kernel - 1);
    int pad = pick(3) ? reach / 2 : pick(reach / 2 + 1);
    while (h + 2 * pad <= reach || w + 2 * pad <= reach)
        pad++;
    int pad_y = pad;
    if (!pick(3)) {
        pad_y = -pick(4);
        h += reach - pad_y;
    }
    VigilDwconv d = { .h = h,
                      .w = w,
                      .c = channel_count,
                      .kernel = s->kernel,
                      .stride = s->stride,
                      .pad_y = pad_y,
                      .pad_x = pad,
                      .dilation = s->dilation,
                      .out_h = (h + pad_y + pad - reach - 1) / s->stride + 1,
                      .out_w = (w + 2 * pad - reach - 1) / s->stride + 1 };
    size_t n = (size_t)channel_count, pixels = (size_t)(d.out_h * d.out_w);
    d.y_stride = n + (pick(3) ? 0 : (size_t)pick(9));
    float *y = floats(Y, pixels * d.y_stride);
    int residual = pick(3);
    d.x = floats(X, (size_t)(h * w) * n);
    d.weight = floats(WEIGHT, (size_t)(s->kernel * s->kernel) * n);
    d.y = y;
    d.epilogue =
        (VigilEpilogue) { .activation = (VigilActivation)pick(VIGIL_ACTIVATIONS),
                          .bias = pick(2) ? floats(BIAS, n) : NULL };
    if (residual) {
        d.epilogue.residual_stride = residual == 1 ? d.y_stride : n + (size_t)pick(4);
        d.epilogue.residual =
            residual == 1 ? y : floats(RESIDUAL, pixels * d.epilogue.residual_stride);
    }
    begin_case(c,
               "dwconv kernel %d stride %d dilation %d pad %d, %d, %d x %d x %d, "
               "activation %d bias %d residual %d",
               s->kernel, s->stride, s->dilation, pad_y, pad, h, w, channel_count,
               (int)d.epilogue.activation, d.epilogue.bias != NULL, residual);
    check_rows(c, &d, pixels * d.y_stride, s->tolerance);
}

void check_dwconv(Check *c)
{
    for (size_t s = 0; s < COUNT(shapes); s++)
        for (size_t w = 0; w < COUNT(widths); w++)
            for (size_t i = 0; i < COUNT(channels); i++)
                check_shape(c, &shapes[s], 1 + pick(9), widths[w], channels[i]);
}
