/*
 * Dense 3 x 3 convolutions by Winograd's F(2x2, 3x3): Lavin, Gray: "Fast Algorithms for
 * Convolutional Neural Networks", CVPR 2016, section 4.1.  Each tile of 2 x 2 output
 * pixels costs 16 multiplications instead of 36 for each pair of channels; rounding
 * grows by a third.  Larger tiles would save more and round twenty times as much.
 */
#include "core/ops/conv.h"

#include <stdio.h>
#include <stdlib.h>

#define POINTS 16
#define MOST_TILES 64 /* at a time */
#define FEWEST_TILES 8
#define CACHED ((size_t)1 << 18) /* floats that stay in a cache */

/* The input's size does not matter: sessions of all sizes share the weights. */
bool vigil_winograd_fits(const VigilConv *c, int in)
{
    return c->kernel == 3 && c->stride == 1 && c->dilation == 1 && c->groups == 1 &&
           c->shuffle <= 1 && !c->depthwise && in >= 16 && c->out >= 16;
}

/* ---- Weights --------------------------------------------------------------------- */

/* G g G^T of a 3 x 3 filter, in double. */
static void transform_filter(const float *g, size_t step, double u[POINTS])
{
    static const double matrix[4][3] = {
        { 1, 0, 0 }, { 0.5, 0.5, 0.5 }, { 0.5, -0.5, 0.5 }, { 0, 0, 1 }
    };
    for (int row = 0; row < 4; row++)
        for (int col = 0; col < 4; col++) {
            double sum = 0;
            for (int y = 0; y < 3; y++)
                for (int x = 0; x < 3; x++)
                    sum += matrix[row][y] * matrix[col][x] *
                           (double)g[(size_t)(y * 3 + x) * step];
            u[row * 4 + col] = sum;
        }
}

static void fold(const VigilConvWeights *raw, size_t out, size_t in, float *row,
                 float *points, float *bias)
{
    double u[POINTS];
    for (size_t o = 0; o < out; o++) {
        bias[o] = (float)vigil_conv_fold_row(raw, o, in, 9, row);
        for (size_t i = 0; i < in; i++) {
            transform_filter(row + i, in, u);
            for (size_t p = 0; p < POINTS; p++)
                points[(p * out + o) * in + i] = (float)u[p];
        }
    }
}

static void winograd_bind(VigilNode *n, VigilBinder *b)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t in = (size_t)n->in_shape.c, out = (size_t)c->out;
    char key[VIGIL_CONV_KEY + 16], plain[VIGIL_CONV_KEY];
    VigilConvWeights raw;
    if (c->shared && b->mode == VIGIL_BIND_CHECK)
        return;
    vigil_conv_key(n, plain);
    snprintf(key, sizeof key, "%s|winograd", plain);
    if ((n->weights = vigil_bind_find(b, key)) || !vigil_conv_read(n, b, &raw))
        return;
    float *row = vigil_bind_alloc(b, 9 * in);
    float *points = row ? vigil_bind_alloc(b, POINTS * out * in) : NULL;
    VigilWeights w = { .vector = vigil_calloc_aligned(out, sizeof(float)),
                       .vector_size = out };
    if (points && w.vector) {
        fold(&raw, out, in, row, points, w.vector);
        b->status =
            vigil_conv_pack(&w, points, POINTS * out, in, POINTS, &b->slabs, &b->error);
    } else if (b->status == VIGIL_OK) {
        b->status = vigil_fail_memory(&b->error, out * sizeof(float), n->name);
    }
    if (b->status == VIGIL_OK)
        n->weights = vigil_bind_keep(b, key, &w);
    else
        vigil_weights_clear(&w);
}

/* ---- Running --------------------------------------------------------------------- */

static size_t tiles_across(const VigilNode *n)
{
    return ((size_t)n->out_shape.w + 1) / 2;
}

static size_t tile_count(const VigilNode *n)
{
    return ((size_t)n->out_shape.h + 1) / 2 * tiles_across(n);
}

/* Tiles at a time: their factors and products [POINTS][tiles][channels] stay cached. */
static size_t tiles_at_a_time(const VigilNode *n)
{
    size_t channels = (size_t)n->in_shape.c + (size_t)n->out_shape.c;
    size_t fit = CACHED / (POINTS * channels) / 4 * 4;
    return fit < FEWEST_TILES ? FEWEST_TILES : fit > MOST_TILES ? MOST_TILES : fit;
}

typedef struct Tile {
    int y, x; /* first output pixel */
} Tile;

static Tile tile_at(const VigilNode *n, size_t index)
{
    return (Tile) { (int)(2 * (index / tiles_across(n))),
                    (int)(2 * (index % tiles_across(n))) };
}

/* zeros: as many as a pixel has channels. */
static void take_input(const VigilNode *n, Tile tile, const float *zeros, float *v,
                       size_t stride)
{
    VigilShape s = n->in_shape;
    const float *pixel[16];
    for (int k = 0; k < 16; k++) {
        int y = tile.y - 1 + k / 4, x = tile.x - 1 + k % 4;
        bool there = y >= 0 && y < s.h && x >= 0 && x < s.w;
        pixel[k] = there ? n->x[0] + ((size_t)y * s.w + x) * s.c : zeros;
    }
    vigil_kernels()->winograd_input(pixel, (size_t)s.c, v, stride);
}

static void give_output(const VigilNode *n, Tile tile, const float *m, size_t stride)
{
    VigilShape s = n->out_shape;
    VigilWinogradOutput o = { .m = m,
                              .stride = stride,
                              .c = (size_t)s.c,
                              .bias = n->weights->vector,
                              .activation =
                                  ((VigilConvNode *)n->data)->conv.activation };
    for (int k = 0; k < 4; k++) {
        int y = tile.y + k / 2, x = tile.x + k % 2;
        size_t at = ((size_t)y * s.w + x) * s.c;
        bool there = y < s.h && x < s.w;
        o.y[k] = there ? n->y + at : NULL;
        o.r[k] = there && n->r ? n->r + at : NULL;
    }
    vigil_kernels()->winograd_output(&o);
}

static void some_tiles(const VigilNode *n, size_t first, size_t count, float *scratch)
{
    static const VigilEpilogue none;
    size_t in = (size_t)n->in_shape.c, out = (size_t)n->out_shape.c;
    size_t most = tiles_at_a_time(n);
    float *v = scratch, *m = v + POINTS * most * in, *zeros = m + POINTS * most * out;
    for (size_t t = 0; t < count; t++)
        take_input(n, tile_at(n, first + t), zeros, v + t * in, most * in);
    for (size_t p = 0; p < POINTS; p++) {
        const VigilPacked *matrix =
            p ? &n->weights->further[p - 1] : &n->weights->matrix;
        vigil_gemm(matrix, v + p * most * in, in, count, m + p * most * out, out,
                   &none);
    }
    for (size_t t = 0; t < count; t++)
        give_output(n, tile_at(n, first + t), m + t * out, most * out);
}

/* Items are groups of tiles. */
static void winograd_groups(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t most = tiles_at_a_time(n), last = tile_count(n);
    size_t in = (size_t)n->in_shape.c, out = (size_t)n->out_shape.c;
    float *scratch = n->scratch + (size_t)worker * n->scratch_stride;
    float *zeros = scratch + POINTS * most * (in + out);
    for (size_t i = 0; i < in; i++)
        zeros[i] = 0;
    last = end * most < last ? end * most : last;
    for (size_t first = begin * most; first < last; first += most)
        some_tiles(n, first, last - first < most ? last - first : most, scratch);
}

static size_t winograd_scratch(const VigilNode *n)
{
    size_t in = (size_t)n->in_shape.c, out = (size_t)n->out_shape.c;
    return POINTS * tiles_at_a_time(n) * (in + out) + in;
}

/* Of the convolution as papers count them. */
static uint64_t winograd_macs(const VigilNode *n)
{
    return vigil_shape_size(n->out_shape) * 9 * (uint64_t)n->in_shape.c;
}

static void winograd_run(const VigilNode *n, VigilNet *net)
{
    size_t most = tiles_at_a_time(n), groups = (tile_count(n) + most - 1) / most;
    vigil_net_parallel(net, winograd_macs(n), groups, 1, winograd_groups, n);
}

static void winograd_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "conv 3x3, Winograd");
}

const VigilOp vigil_op_winograd = { .kind = winograd_kind,
                                    .bind = winograd_bind,
                                    .macs = winograd_macs,
                                    .scratch = winograd_scratch,
                                    .run = winograd_run };
