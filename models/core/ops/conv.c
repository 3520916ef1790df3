/* Dense convolutions: a matrix product per pixel, over gathered neighbours where the
 * kernel is larger than 1 x 1; grouped ones: one product per group; depth-wise ones:
 * one plain convolution for each output channel that an input channel has. */
#include "core/op.h"
#include "core/threads.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TILE 64 /* pixels gathered at a time */

static int conv_pad(const VigilConv *c)
{
    return (c->kernel - 1) / 2 * c->dilation;
}

static int conv_size(const VigilConv *c, int n)
{
    return (n + 2 * conv_pad(c) - c->dilation * (c->kernel - 1) - 1) / c->stride + 1;
}

static bool is_pointwise(const VigilConv *c)
{
    return c->kernel == 1 && c->stride == 1;
}

/* Whether channels come in groups or leave in another order. */
static bool is_grouped(const VigilConv *c)
{
    return c->groups > 1 || c->shuffle > 1;
}

static void check_depthwise(VigilNet *net, const VigilConv *c, int in)
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

static void check_groups(VigilNet *net, const VigilConv *c, int in)
{
    if (c->groups < 1 || in % c->groups || c->out % c->groups)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "%s: %d channels in and %d out in %d groups", c->name, in,
                       c->out, c->groups);
    else if (c->shuffle < 0 || (c->shuffle && c->out % c->shuffle))
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "%s: shuffle of %d channels in %d groups", c->name, c->out,
                       c->shuffle);
    else if (is_grouped(c) && !is_pointwise(c))
        vigil_net_fail(net, VIGIL_ERROR_UNSUPPORTED,
                       "%s: kernel %d, stride %d in %d groups; may be 1 and 1", c->name,
                       c->kernel, c->stride, c->groups > 1 ? c->groups : c->shuffle);
}

/* Absolute names of the tensors that hold the weight. */
static void name_parts(VigilNet *net, VigilConvNode *d)
{
    for (const char *const *p = d->conv.parts; p && *p; p++) {
        if (d->n_parts == VIGIL_MAX_PARTS) {
            vigil_net_fail(net, VIGIL_ERROR_ARGUMENT, "%s: more than %d parts",
                           d->conv.name, VIGIL_MAX_PARTS);
            return;
        }
        d->part[d->n_parts++] = vigil_net_absolute(net, *p);
    }
    if (d->n_parts && d->conv.out % d->n_parts)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE, "%s: %d rows in %d parts", d->conv.name,
                       d->conv.out, d->n_parts);
}

VigilValue vigil_net_conv(VigilNet *net, VigilValue x, const VigilConv *conv)
{
    VigilShape in = vigil_net_shape(net, x);
    VigilConv c = *conv;
    c.kernel += !c.kernel;
    c.stride += !c.stride;
    c.dilation += !c.dilation;
    c.groups += !c.groups;
    c.multiplier += !c.multiplier;
    c.out = c.depthwise ? in.c * c.multiplier : c.out;
    VigilShape out = { conv_size(&c, in.h), conv_size(&c, in.w), c.out, in.vector };
    if (out.h < 1 || out.w < 1 || out.c < 1)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "%s: kernel %d over %d x %d x %d gives %d x %d x %d", c.name,
                       c.kernel, in.h, in.w, in.c, out.h, out.w, out.c);
    (c.depthwise ? check_depthwise : check_groups)(net, &c, in.c);
    const VigilOp *op = c.depthwise ? &vigil_op_depthwise : &vigil_op_conv;
    VigilNode *n = vigil_net_append(net, op, c.name, &x, 1, out, sizeof(VigilConvNode));
    if (!n)
        return VIGIL_NONE;
    /* Of an even kernel the middle lies between two pixels. */
    double first = (c.kernel - 1) % 2 * c.dilation / 2.0;
    vigil_net_regrid(net, n->out, first, c.stride, first, c.stride);
    VigilConvNode *d = n->data;
    d->conv = c;
    d->norm = c.norm ? vigil_net_absolute(net, c.norm) : NULL;
    name_parts(net, d);
    return n->out;
}

/* ---- Weights --------------------------------------------------------------------- */

bool vigil_bind_batch_norm(VigilBinder *b, const char *name, size_t c, float eps,
                           double **scale, double **shift)
{
    char full[VIGIL_MAX_NAME];
    uint64_t shape[] = { c };
    const float *gamma =
        vigil_bind_tensor(b, vigil_join(full, name, "weight"), 1, shape);
    const float *beta = vigil_bind_tensor(b, vigil_join(full, name, "bias"), 1, shape);
    const float *mean =
        vigil_bind_tensor(b, vigil_join(full, name, "running_mean"), 1, shape);
    const float *var =
        vigil_bind_tensor(b, vigil_join(full, name, "running_var"), 1, shape);
    double *s =
        gamma && beta && mean && var ? (double *)vigil_bind_alloc(b, 4 * c) : NULL;
    if (!s)
        return false;
    for (size_t i = 0; i < c; i++) {
        s[i] = gamma[i] / sqrt((double)var[i] + (double)eps);
        s[c + i] = beta[i] - s[i] * mean[i];
    }
    *scale = s;
    *shift = s + c;
    return true;
}

typedef struct Raw {
    const float *w, *bias;   /* w [out][in][k * k] */
    double *scale, *shift;   /* batch norm after, or NULL */
    double *pre, *pre_shift; /* batch norm before, or NULL */
} Raw;

/* The tensor `last` of the convolution, put together if it is stored in parts; NULL in
 * CHECK mode and after a failure. */
static const float *read_rows(const VigilNode *n, VigilBinder *b, const char *last,
                              int rank, const uint64_t *shape)
{
    const VigilConvNode *d = n->data;
    char full[VIGIL_MAX_NAME];
    if (!d->n_parts)
        return vigil_bind_tensor(b, vigil_join(full, n->name, last), rank, shape);
    const float *part[VIGIL_MAX_PARTS];
    uint64_t own[4];
    size_t size = 1;
    bool complete = true;
    memcpy(own, shape, (size_t)rank * sizeof *own);
    own[0] /= (uint64_t)d->n_parts;
    for (int i = 0; i < rank; i++)
        size *= (size_t)own[i];
    for (int i = 0; i < d->n_parts; i++) {
        part[i] = vigil_bind_tensor(b, vigil_join(full, d->part[i], last), rank, own);
        complete = complete && part[i];
    }
    float *rows = complete ? vigil_bind_alloc(b, size * (size_t)d->n_parts) : NULL;
    for (int i = 0; rows && i < d->n_parts; i++)
        memcpy(rows + (size_t)i * size, part[i], size * sizeof *rows);
    return rows;
}

/* False in CHECK mode and after a failure. */
static bool read_raw(const VigilNode *n, VigilBinder *b, Raw *raw)
{
    const VigilConvNode *d = n->data;
    const VigilConv *c = &d->conv;
    uint64_t in = c->depthwise ? 1 : (uint64_t)(n->in_shape.c / c->groups);
    uint64_t k = (uint64_t)c->kernel;
    uint64_t shape[] = { (uint64_t)c->out, in, k, k }, out[] = { (uint64_t)c->out };
    bool ok = true;
    memset(raw, 0, sizeof *raw);
    raw->w = read_rows(n, b, "weight", c->linear ? 2 : 4, shape);
    if (c->bias)
        raw->bias = read_rows(n, b, "bias", 1, out);
    if (d->norm)
        ok = vigil_bind_batch_norm(b, d->norm, (size_t)c->out, c->eps, &raw->scale,
                                   &raw->shift);
    if (d->pre_norm)
        ok = vigil_bind_batch_norm(b, d->pre_norm, (size_t)in, d->pre_eps, &raw->pre,
                                   &raw->pre_shift) &&
             ok;
    return ok && raw->w && (raw->bias || !c->bias);
}

/* Row o of the folded matrix, [ky][kx][in]; returns the folded bias. */
static double fold_row(const Raw *raw, size_t o, size_t in, size_t taps, float *row)
{
    double a = raw->scale ? raw->scale[o] : 1, sum = raw->bias ? raw->bias[o] : 0;
    for (size_t i = 0; i < in; i++)
        for (size_t t = 0; t < taps; t++) {
            double w = raw->w[(o * in + i) * taps + t];
            if (raw->pre) {
                sum += w * raw->pre_shift[i];
                w *= raw->pre[i];
            }
            row[t * in + i] = (float)(a * w);
        }
    return a * sum + (raw->shift ? raw->shift[o] : 0);
}

static void conv_key(const VigilNode *n, char key[2 * VIGIL_MAX_NAME])
{
    const VigilConvNode *d = n->data;
    snprintf(key, 2 * VIGIL_MAX_NAME, "%s|%s", d->pre_norm ? d->pre_norm : "", n->name);
}

/* The matrix of each group from the rows of all [out][k]. */
static VigilStatus pack_groups(VigilWeights *w, const float *folded, size_t out,
                               size_t k, size_t groups, VigilError *error)
{
    size_t n = out / groups;
    VigilStatus s = vigil_packed_init(&w->matrix, folded, n, k, k, 1, error);
    if (groups == 1 || s != VIGIL_OK)
        return s;
    w->further = calloc(groups - 1, sizeof *w->further);
    if (!w->further)
        return vigil_fail_memory(error, (groups - 1) * sizeof *w->further,
                                 "packed weights");
    for (; s == VIGIL_OK && w->n_further < groups - 1; w->n_further++)
        s = vigil_packed_init(&w->further[w->n_further],
                              folded + (w->n_further + 1) * n * k, n, k, k, 1, error);
    return s;
}

static void conv_bind(VigilNode *n, VigilBinder *b)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t in = (size_t)(n->in_shape.c / c->groups), out = (size_t)c->out;
    size_t taps = (size_t)(c->kernel * c->kernel), k = taps * in;
    char key[2 * VIGIL_MAX_NAME];
    Raw raw;
    if (c->shared && b->mode == VIGIL_BIND_CHECK)
        return;
    conv_key(n, key);
    if ((n->weights = vigil_bind_find(b, key)) || !read_raw(n, b, &raw))
        return;
    float *folded = vigil_bind_alloc(b, out * k);
    VigilWeights w = { .vector = vigil_calloc_aligned(out, sizeof(float)),
                       .vector_size = out };
    if (folded && w.vector) {
        for (size_t o = 0; o < out; o++)
            w.vector[o] = (float)fold_row(&raw, o, in, taps, folded + o * k);
        b->status = pack_groups(&w, folded, out, k, (size_t)c->groups, &b->error);
    } else if (b->status == VIGIL_OK) {
        b->status = vigil_fail_memory(&b->error, out * sizeof(float), n->name);
    }
    if (b->status == VIGIL_OK)
        n->weights = vigil_bind_keep(b, key, &w);
    else
        vigil_weights_clear(&w);
}

/* Vector, for each of the output channels that an input channel has: taps [k * k][c],
 * then bias [c]. */
static void depthwise_bind(VigilNode *n, VigilBinder *b)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t out = (size_t)c->out, taps = (size_t)(c->kernel * c->kernel);
    size_t channels = (size_t)n->in_shape.c, multiplier = (size_t)c->multiplier;
    char key[2 * VIGIL_MAX_NAME];
    Raw raw;
    conv_key(n, key);
    if ((n->weights = vigil_bind_find(b, key)) || !read_raw(n, b, &raw))
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
        at[taps * channels] = (float)fold_row(&raw, o, 1, taps, row);
        for (size_t t = 0; t < taps; t++)
            at[t * channels] = row[t];
    }
    n->weights = vigil_bind_keep(b, key, &w);
}

/* ---- Running --------------------------------------------------------------------- */

static VigilEpilogue epilogue_at(const VigilNode *n, const float *bias, size_t pixel)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t out = (size_t)c->out;
    return (VigilEpilogue) { .bias = bias,
                             .residual = n->r ? n->r + pixel * out : NULL,
                             .residual_stride = out,
                             .activation = c->activation };
}

static void pointwise_rows(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t in = (size_t)n->in_shape.c, out = (size_t)n->out_shape.c;
    VigilEpilogue e = epilogue_at(n, n->weights->vector, begin);
    vigil_gemm(&n->weights->matrix, n->x[0] + begin * in, in, end - begin,
               n->y + begin * out, out, &e);
}

/* Row of neighbours [ky][kx][in] of output pixel (y, x), zeros outside. */
static void gather(const VigilNode *n, int y, int x, float *row)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    VigilShape s = n->in_shape;
    size_t bytes = (size_t)s.c * sizeof(float);
    for (int ky = 0; ky < c->kernel; ky++) {
        int iy = y * c->stride - conv_pad(c) + ky * c->dilation;
        for (int kx = 0; kx < c->kernel; kx++, row += s.c) {
            int ix = x * c->stride - conv_pad(c) + kx * c->dilation;
            if (iy < 0 || iy >= s.h || ix < 0 || ix >= s.w)
                memset(row, 0, bytes);
            else
                memcpy(row, n->x[0] + ((size_t)iy * s.w + ix) * s.c, bytes);
        }
    }
}

static void spatial_tiles(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t k = n->weights->matrix.k, out = (size_t)n->out_shape.c;
    size_t pixels = (size_t)n->out_shape.h * n->out_shape.w;
    float *rows = n->scratch + (size_t)worker * n->scratch_stride;
    for (size_t tile = begin; tile < end; tile++) {
        size_t first = tile * TILE, m = pixels - first < TILE ? pixels - first : TILE;
        for (size_t i = 0; i < m; i++)
            gather(n, (int)((first + i) / n->out_shape.w),
                   (int)((first + i) % n->out_shape.w), rows + i * k);
        VigilEpilogue e = epilogue_at(n, n->weights->vector, first);
        vigil_gemm(&n->weights->matrix, rows, k, m, n->y + first * out, out, &e);
    }
}

/* What a shuffled convolution has made of m pixels, into their places. */
static void put_shuffled(const VigilNode *n, const float *made, size_t first, size_t m)
{
    size_t out = (size_t)n->out_shape.c;
    size_t groups = (size_t)((VigilConvNode *)n->data)->conv.shuffle;
    float *y = n->y + first * out;
    for (size_t i = 0; i < m; i++)
        vigil_kernels()->interleave(made + i * out, out / groups, groups, out / groups,
                                    y + i * out);
    if (n->r)
        vigil_kernels()->add(y, n->r + first * out, m * out, y);
}

static void grouped_tiles(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    const VigilWeights *w = n->weights;
    size_t in = (size_t)n->in_shape.c, out = (size_t)n->out_shape.c;
    size_t pixels = vigil_shape_pixels(n->out_shape);
    bool shuffled = c->shuffle > 1;
    float *scratch = n->scratch + (size_t)worker * n->scratch_stride;
    for (size_t tile = begin; tile < end; tile++) {
        size_t first = tile * TILE, m = pixels - first < TILE ? pixels - first : TILE;
        float *made = shuffled ? scratch : n->y + first * out;
        for (size_t g = 0; g < (size_t)c->groups; g++) {
            const VigilPacked *matrix = g ? &w->further[g - 1] : &w->matrix;
            VigilEpilogue e = epilogue_at(n, w->vector + g * matrix->n, first);
            e.residual = n->r && !shuffled ? e.residual + g * matrix->n : NULL;
            vigil_gemm(matrix, n->x[0] + first * in + g * matrix->k, in, m,
                       made + g * matrix->n, out, &e);
        }
        if (shuffled)
            put_shuffled(n, made, first, m);
    }
}

static void conv_run(const VigilNode *n, VigilNet *net)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t pixels = (size_t)n->out_shape.h * n->out_shape.w;
    size_t macs = n->weights->matrix.k * (size_t)c->out;
    if (is_pointwise(c) && !is_grouped(c))
        vigil_parallel(net->threads, pixels, vigil_grain(macs), pointwise_rows,
                       (void *)n);
    else
        vigil_parallel(net->threads, (pixels + TILE - 1) / TILE,
                       vigil_grain(macs * TILE),
                       is_grouped(c) ? grouped_tiles : spatial_tiles, (void *)n);
}

static size_t conv_scratch(const VigilNode *n)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    if (c->shuffle > 1)
        return (size_t)TILE * (size_t)c->out;
    return is_pointwise(c) ? 0 : (size_t)TILE * c->kernel * c->kernel * n->in_shape.c;
}

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
                           .pad = conv_pad(c),
                           .dilation = c->dilation,
                           .out_h = n->out_shape.h,
                           .out_w = n->out_shape.w,
                           .x = n->x[0],
                           .weight = weight,
                           .y = n->y,
                           .epilogue = epilogue_at(n, weight + taps, 0) };
}

static void depthwise_rows(void *context, size_t begin, size_t end, int worker)
{
    VigilDwconv d = depthwise_of(context, 0);
    vigil_kernels()->dwconv(&d, (int)begin, (int)end);
}

/* Output rows that scratch holds before the one that is wanted, so that it can be
 * computed as row `lead` of a map that begins lower. */
static int most_lead(const VigilConv *c)
{
    return (conv_pad(c) + c->stride - 1) / c->stride;
}

/* A row by each filter, then the channels of all. */
static void multiplied_row(const VigilNode *n, int row, float *scratch)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t channels = (size_t)n->in_shape.c, m = (size_t)c->multiplier;
    size_t out_w = (size_t)n->out_shape.w, size = out_w * channels;
    int lead = row < most_lead(c) ? row : most_lead(c);
    int above = (row - lead) * c->stride;
    size_t plane = (size_t)(most_lead(c) + 1) * size, at = (size_t)row * m * size;
    float *made = scratch + (size_t)lead * size, *y = n->y + at;
    for (size_t i = 0; i < m; i++) {
        VigilDwconv d = depthwise_of(n, i);
        d.h -= above;
        d.x += (size_t)above * (size_t)d.w * channels;
        d.out_h = lead + 1;
        d.y = scratch + i * plane;
        d.epilogue.residual = NULL;
        vigil_kernels()->dwconv(&d, lead, lead + 1);
        for (size_t p = 0; c->shuffle > 1 && p < out_w; p++)
            memcpy(y + (p * m + i) * channels, made + i * plane + p * channels,
                   channels * sizeof(float));
    }
    if (c->shuffle <= 1)
        vigil_kernels()->interleave(made, plane, m, size, y);
    if (n->r)
        vigil_kernels()->add(y, n->r + at, m * size, y);
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
    return c->multiplier == 1
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
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t rows = (size_t)n->out_shape.h;
    vigil_parallel(net->threads, rows, vigil_grain(depthwise_macs(n) / rows),
                   c->multiplier == 1 ? depthwise_rows : multiplied_rows, (void *)n);
}

static uint64_t conv_macs(const VigilNode *n)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    return vigil_shape_size(n->out_shape) *
           (uint64_t)(c->kernel * c->kernel * (n->in_shape.c / c->groups));
}

static void conv_kind(const VigilNode *n, char *out, size_t size)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    if (c->linear)
        snprintf(out, size, "linear");
    else if (c->groups > 1)
        snprintf(out, size, "conv %dx%d, %d groups", c->kernel, c->kernel, c->groups);
    else
        snprintf(out, size, "%s %dx%d%s", c->depthwise ? "depthwise" : "conv",
                 c->kernel, c->kernel, c->stride == 2 ? " stride 2" : "");
}

const VigilOp vigil_op_conv = { .kind = conv_kind,
                                .bind = conv_bind,
                                .macs = conv_macs,
                                .scratch = conv_scratch,
                                .run = conv_run };
const VigilOp vigil_op_depthwise = { .kind = conv_kind,
                                     .bind = depthwise_bind,
                                     .macs = depthwise_macs,
                                     .scratch = depthwise_scratch,
                                     .run = depthwise_run };
