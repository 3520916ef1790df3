/* Dense convolutions: a matrix product per pixel, over gathered neighbours where the
 * kernel is larger than 1 x 1. */
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
    c.out = c.depthwise ? in.c : c.out;
    VigilShape out = { conv_size(&c, in.h), conv_size(&c, in.w), c.out, in.vector };
    if (out.h < 1 || out.w < 1 || out.c < 1)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "%s: kernel %d over %d x %d x %d gives %d x %d x %d", c.name,
                       c.kernel, in.h, in.w, in.c, out.h, out.w, out.c);
    if (c.depthwise &&
        (c.kernel < 3 || c.kernel > 7 || c.kernel % 2 == 0 || c.stride > 2))
        vigil_net_fail(net, VIGIL_ERROR_UNSUPPORTED,
                       "%s: depth-wise kernel %d, stride %d; may be 3, 5 or 7 and 1 "
                       "or 2",
                       c.name, c.kernel, c.stride);
    const VigilOp *op = c.depthwise ? &vigil_op_depthwise : &vigil_op_conv;
    VigilNode *n = vigil_net_append(net, op, c.name, &x, 1, out, sizeof(VigilConvNode));
    if (!n)
        return VIGIL_NONE;
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
    uint64_t in = c->depthwise ? 1 : (uint64_t)n->in_shape.c, k = (uint64_t)c->kernel;
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

static void conv_bind(VigilNode *n, VigilBinder *b)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t in = (size_t)n->in_shape.c, out = (size_t)c->out;
    size_t taps = (size_t)(c->kernel * c->kernel), k = taps * in;
    char key[2 * VIGIL_MAX_NAME];
    Raw raw;
    conv_key(n, key);
    if ((n->weights = vigil_bind_find(b, key)) || !read_raw(n, b, &raw))
        return;
    float *folded = vigil_bind_alloc(b, out * k);
    VigilWeights w = { .vector = vigil_calloc_aligned(out, sizeof(float)),
                       .vector_size = out };
    if (folded && w.vector) {
        for (size_t o = 0; o < out; o++)
            w.vector[o] = (float)fold_row(&raw, o, in, taps, folded + o * k);
        b->status = vigil_packed_init(&w.matrix, folded, out, k, k, 1, &b->error);
    } else if (b->status == VIGIL_OK) {
        b->status = vigil_fail_memory(&b->error, out * sizeof(float), n->name);
    }
    if (b->status == VIGIL_OK)
        n->weights = vigil_bind_keep(b, key, &w);
    else
        free(w.vector);
}

/* Vector: taps [k * k][c], then bias [c]. */
static void depthwise_bind(VigilNode *n, VigilBinder *b)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t out = (size_t)c->out, taps = (size_t)(c->kernel * c->kernel);
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
        w.vector[taps * out + o] = (float)fold_row(&raw, o, 1, taps, row);
        for (size_t t = 0; t < taps; t++)
            w.vector[t * out + o] = row[t];
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

static bool is_pointwise(const VigilConv *c)
{
    return c->kernel == 1 && c->stride == 1;
}

static void conv_run(const VigilNode *n, VigilNet *net)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t pixels = (size_t)n->out_shape.h * n->out_shape.w;
    size_t macs = n->weights->matrix.k * n->weights->matrix.n;
    if (is_pointwise(c))
        vigil_parallel(net->threads, pixels, vigil_grain(macs), pointwise_rows,
                       (void *)n);
    else
        vigil_parallel(net->threads, (pixels + TILE - 1) / TILE,
                       vigil_grain(macs * TILE), spatial_tiles, (void *)n);
}

static size_t conv_scratch(const VigilNode *n)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    return is_pointwise(c) ? 0 : (size_t)TILE * c->kernel * c->kernel * n->in_shape.c;
}

static void depthwise_rows(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t taps = (size_t)(c->kernel * c->kernel) * (size_t)c->out;
    VigilDwconv d = { .h = n->in_shape.h,
                      .w = n->in_shape.w,
                      .c = c->out,
                      .kernel = c->kernel,
                      .stride = c->stride,
                      .pad = conv_pad(c),
                      .dilation = c->dilation,
                      .out_h = n->out_shape.h,
                      .out_w = n->out_shape.w,
                      .x = n->x[0],
                      .weight = n->weights->vector,
                      .y = n->y,
                      .epilogue = epilogue_at(n, n->weights->vector + taps, 0) };
    vigil_kernels()->dwconv(&d, (int)begin, (int)end);
}

static uint64_t depthwise_macs(const VigilNode *n)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    return vigil_shape_size(n->out_shape) * (uint64_t)(c->kernel * c->kernel);
}

static void depthwise_run(const VigilNode *n, VigilNet *net)
{
    size_t rows = (size_t)n->out_shape.h;
    vigil_parallel(net->threads, rows, vigil_grain(depthwise_macs(n) / rows),
                   depthwise_rows, (void *)n);
}

static uint64_t conv_macs(const VigilNode *n)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    return vigil_shape_size(n->out_shape) *
           (uint64_t)(c->kernel * c->kernel * n->in_shape.c);
}

static void conv_kind(const VigilNode *n, char *out, size_t size)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    if (c->linear)
        snprintf(out, size, "linear");
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
                                     .run = depthwise_run };
