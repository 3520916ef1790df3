/* Depth-wise convolutions: one plain convolution for each output channel that an input
 * channel has. */
#include "core/ops/conv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEAR ((size_t)6 << 10) /* floats that stay in the first-level cache */

void vigil_depthwise_check(VigilNet *net, const VigilConv *c, int in)
{
    if (c->kernel < 3 || c->kernel > 7 || c->kernel % 2 == 0 || c->stride > 2)
        vigil_net_fail(net, VIGIL_ERROR_UNSUPPORTED,
                       "%s: depth-wise kernel %d, stride %d; may be 3, 5 or 7 and 1 "
                       "or 2",
                       c->name, c->kernel, c->stride);
    if (c->shuffle > 1 && c->shuffle != in)
        vigil_net_fail(net, VIGIL_ERROR_UNSUPPORTED,
                       "%s: shuffle in %d groups after a depth-wise convolution of %d "
                       "channels; may be as many",
                       c->name, c->shuffle, in);
}

/* ---- Weights --------------------------------------------------------------------- */

/* Vector, for each of the output channels that an input channel has: taps [k * k][c],
 * then bias [c]. */
static void depthwise_bind(VigilNode *n, VigilBinder *b)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t out = (size_t)c->out, taps = (size_t)(c->kernel * c->kernel);
    size_t channels = (size_t)n->in_shape.c, multiplier = (size_t)c->multiplier;
    char key[VIGIL_CONV_KEY];
    VigilConvWeights raw;
    vigil_conv_key(n, key);
    if ((n->weights = vigil_bind_find(b, key)) || !vigil_conv_read(n, b, &raw))
        return;
    VigilWeights w = { .vector_size = (taps + 1) * out };
    float *row = vigil_bind_alloc(b, taps);
    w.vector = vigil_calloc_aligned(w.vector_size, sizeof(float));
    if (!w.vector || !row) {
        free(w.vector);
        if (b->status == VIGIL_OK)
            b->status = vigil_fail_memory(&b->error, w.vector_size, n->name);
        return;
    }
    for (size_t o = 0; o < out; o++) {
        float *at = w.vector + o % multiplier * (taps + 1) * channels + o / multiplier;
        at[taps * channels] = (float)vigil_conv_fold_row(&raw, o, 1, taps, row);
        for (size_t t = 0; t < taps; t++)
            at[t * channels] = row[t];
    }
    n->weights = vigil_bind_keep(b, key, &w);
}

/* ---- Running --------------------------------------------------------------------- */

/* The convolution with filter i of each channel. */
static VigilDwconv depthwise_of(const VigilNode *n, size_t i)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t channels = (size_t)n->in_shape.c;
    size_t taps = (size_t)(c->kernel * c->kernel) * channels;
    const float *weight = n->weights->vector + i * (taps + channels);
    return (VigilDwconv) { .h = n->in_shape.h,
                           .w = n->in_shape.w,
                           .c = n->in_shape.c,
                           .kernel = c->kernel,
                           .stride = c->stride,
                           .pad_y = vigil_conv_pad(c),
                           .pad_x = vigil_conv_pad(c),
                           .dilation = c->dilation,
                           .out_h = n->out_shape.h,
                           .out_w = n->out_shape.w,
                           .x = n->x[0],
                           .weight = weight,
                           .y = n->y,
                           .y_stride = (size_t)n->in_shape.c,
                           .epilogue = vigil_conv_epilogue(n, weight + taps, n->r) };
}

/* Rows row0..row1-1 by filter i of each channel: as rows 0.. of maps that begin where
 * they do. */
static void filtered_rows(const VigilNode *n, const VigilRows *r, size_t i, int row0,
                          int row1)
{
    const size_t out = (size_t)n->out_shape.c;
    const float *residual = vigil_row(r->r, r->first_r, row0, n->out_shape);
    VigilDwconv d = depthwise_of(n, i);
    d.h -= r->first_x;
    d.pad_y += r->first_x - row0 * d.stride;
    d.out_h -= row0;
    d.x = r->x;
    d.y_stride = out;
    d.y = r->y + (size_t)(row0 - r->first_y) * (size_t)d.out_w * out + i * (size_t)d.c;
    d.epilogue.residual = residual ? residual + i * (size_t)d.c : NULL;
    vigil_kernels()->dwconv(&d, 0, row1 - row0);
}

/* The channels of each filter lie side by side.  What is done to a row after another is
 * done while it is near. */
static void some_rows(const VigilNode *n, const VigilRows *r, int row0, int row1)
{
    const size_t filters = (size_t)((VigilConvNode *)n->data)->conv.multiplier;
    const size_t pixels = (size_t)n->out_shape.w,
                 width = pixels * (size_t)n->out_shape.c;
    const int near = width < NEAR ? (int)(NEAR / width) : 1;
    const bool alone = filters == 1 && !vigil_conv_has_slopes(n);
    for (int row = row0, end; row < row1; row = end) {
        end = alone || row1 - row < near ? row1 : row + near;
        for (size_t i = 0; i < filters; i++)
            filtered_rows(n, r, i, row, end);
        vigil_conv_bend(n, r->y + (size_t)(row - r->first_y) * width,
                        (size_t)(end - row) * pixels);
    }
}

static void depthwise_rows(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    VigilRows all = vigil_all_rows(n, worker);
    some_rows(n, &all, (int)begin, (int)end);
}

static bool has_rows(const VigilNode *n)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    return c->multiplier == 1 || c->shuffle > 1;
}

/* Output rows that scratch holds before the one that is wanted, so that it can be
 * computed as row `lead` of a map that begins lower. */
static int most_lead(const VigilConv *c)
{
    return (vigil_conv_pad(c) + c->stride - 1) / c->stride;
}

/* A row by each filter, then the channels of all in turn. */
static void multiplied_row(const VigilNode *n, int row, float *scratch)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t channels = (size_t)n->in_shape.c, m = (size_t)c->multiplier;
    size_t size = (size_t)n->out_shape.w * channels;
    int lead = row < most_lead(c) ? row : most_lead(c);
    int above = (row - lead) * c->stride;
    size_t plane = (size_t)(most_lead(c) + 1) * size, at = (size_t)row * m * size;
    float *y = n->y + at;
    for (size_t i = 0; i < m; i++) {
        VigilDwconv d = depthwise_of(n, i);
        d.h -= above;
        d.x += (size_t)above * (size_t)d.w * channels;
        d.out_h = lead + 1;
        d.y = scratch + i * plane;
        d.epilogue.residual = NULL;
        vigil_kernels()->dwconv(&d, lead, lead + 1);
    }
    vigil_kernels()->interleave(scratch + (size_t)lead * size, plane, m, size, y);
    if (n->r)
        vigil_kernels()->add(y, n->r + at, m * size, y);
    vigil_conv_bend(n, y, (size_t)n->out_shape.w);
}

static void multiplied_rows(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    for (size_t row = begin; row < end; row++)
        multiplied_row(n, (int)row, n->scratch + (size_t)worker * n->scratch_stride);
}

static size_t depthwise_scratch(const VigilNode *n)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    return has_rows(n)
               ? 0
               : (size_t)(most_lead(c) + 1) * (size_t)n->out_shape.w * (size_t)c->out;
}

static uint64_t depthwise_macs(const VigilNode *n)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    return vigil_shape_size(n->out_shape) * (uint64_t)(c->kernel * c->kernel);
}

static void depthwise_run(const VigilNode *n, VigilNet *net)
{
    vigil_net_parallel(net, depthwise_macs(n), (size_t)n->out_shape.h, 1,
                       has_rows(n) ? depthwise_rows : multiplied_rows, n);
}

static void depthwise_kind(const VigilNode *n, char *out, size_t size)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    snprintf(out, size, "depthwise %dx%d%s", c->kernel, c->kernel,
             c->stride == 2 ? " stride 2" : "");
}

const VigilOp vigil_op_depthwise = { .kind = depthwise_kind,
                                     .bind = depthwise_bind,
                                     .macs = depthwise_macs,
                                     .scratch = depthwise_scratch,
                                     .run = depthwise_run,
                                     .rows = some_rows,
                                     .has_rows = has_rows };
