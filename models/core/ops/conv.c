/* Dense convolutions: a matrix product per pixel (conv_spatial.c where the kernel is
 * larger than 1 x 1); grouped ones: one product per group. */
#include "core/ops/conv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TILE 64    /* pixels whose groups are computed at a time */
#define BENT 48    /* pixels to which a dynamic ReLU is applied while they are near */
#define FEWEST 12  /* pixels that are worth reading all weights for */
#define FEW_ROWS 8 /* whose products wait for memory */
#define FEW_KEY "|few"
#define SPREAD_MOST 1024 /* values of a matrix */

static int conv_size(const VigilConv *c, int n)
{
    return (n + 2 * vigil_conv_pad(c) - c->dilation * (c->kernel - 1) - 1) / c->stride +
           1;
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

/* Whether the matrices of all groups are computed as one with zeros between them, which
 * also puts the channels where they belong.  So narrow, that takes a half to a third of
 * the time. */
static bool is_spread(const VigilNode *n)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    return is_grouped(c) && n->in_shape.c * c->out <= SPREAD_MOST;
}

/* Whether groups are computed one by one. */
static bool has_groups(const VigilNode *n)
{
    return is_grouped(&((VigilConvNode *)n->data)->conv) && !is_spread(n);
}

bool vigil_conv_is_matrix(const VigilNode *n)
{
    const VigilConv *c = n->op == &vigil_op_conv ? n->data : NULL;
    return c && is_pointwise(c) && !is_grouped(c) && !c->shared;
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
    (c.depthwise ? vigil_depthwise_check : check_groups)(net, &c, in.c);
    const VigilOp *op = c.depthwise                     ? &vigil_op_depthwise
                        : vigil_winograd_fits(&c, in.c) ? &vigil_op_winograd
                                                        : &vigil_op_conv;
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

VigilStatus vigil_conv_pack(VigilWeights *w, const float *rows, size_t out, size_t k,
                            size_t groups, VigilSlabs *slabs, VigilError *error)
{
    size_t n = out / groups;
    VigilStatus s = vigil_packed_init(&w->matrix, rows, n, k, k, 1, slabs, error);
    if (groups == 1 || s != VIGIL_OK)
        return s;
    w->further = calloc(groups - 1, sizeof *w->further);
    if (!w->further)
        return vigil_fail_memory(error, (groups - 1) * sizeof *w->further,
                                 "packed weights");
    for (; s == VIGIL_OK && w->n_further < groups - 1; w->n_further++)
        s = vigil_packed_init(&w->further[w->n_further],
                              rows + (w->n_further + 1) * n * k, n, k, k, 1, slabs,
                              error);
    return s;
}

/* The matrix [out][in] and bias of what is_spread() from rows [out][in / groups];
 * false: out of memory. */
static bool spread(const VigilNode *n, VigilBinder *b, float **rows, float **bias)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t in = (size_t)n->in_shape.c, out = (size_t)c->out, k = in / (size_t)c->groups;
    size_t runs = c->shuffle > 1 ? (size_t)c->shuffle : 1, run = out / runs;
    float *matrix = vigil_bind_alloc(b, out * in), *moved = vigil_bind_alloc(b, out);
    if (!matrix || !moved)
        return false;
    memset(matrix, 0, out * in * sizeof *matrix);
    for (size_t o = 0; o < out; o++) {
        size_t to = o % run * runs + o / run, group = o / (out / (size_t)c->groups);
        memcpy(matrix + to * in + group * k, *rows + o * k, k * sizeof *matrix);
        moved[to] = (*bias)[o];
    }
    *rows = matrix;
    *bias = moved;
    return true;
}

/* Whether reading the weights takes longer than multiplying by them, at any size of the
 * input. */
static bool has_few_rows(const VigilNode *n)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    return (c->linear || n->out_shape.vector) &&
           vigil_shape_pixels(n->out_shape) <= FEW_ROWS;
}

static void narrow(VigilWeights *w)
{
    vigil_packed_narrow(&w->matrix);
    for (size_t i = 0; i < w->n_further; i++)
        vigil_packed_narrow(&w->further[i]);
}

static void conv_bind(VigilNode *n, VigilBinder *b)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t out = (size_t)c->out;
    size_t groups = has_groups(n) ? (size_t)c->groups : 1;
    size_t k = (size_t)(c->kernel * c->kernel) * (size_t)n->in_shape.c / groups;
    char key[VIGIL_CONV_KEY + sizeof FEW_KEY];
    float *rows, *bias;
    if (c->shared && b->mode == VIGIL_BIND_CHECK)
        return;
    vigil_conv_key(n, key);
    if (has_few_rows(n))
        strcat(key, FEW_KEY);
    if ((n->weights = vigil_bind_find(b, key)) ||
        !vigil_conv_folded(n, b, &rows, &bias) ||
        (is_spread(n) && !spread(n, b, &rows, &bias)))
        return;
    VigilWeights w = { .vector = vigil_calloc_aligned(out, sizeof(float)),
                       .vector_size = out };
    if (w.vector) {
        memcpy(w.vector, bias, out * sizeof(float));
        b->status = vigil_conv_pack(&w, rows, out, k, groups, &b->slabs, &b->error);
        if (b->status == VIGIL_OK && has_few_rows(n))
            narrow(&w);
    } else {
        b->status = vigil_fail_memory(&b->error, out * sizeof(float), n->name);
    }
    if (b->status == VIGIL_OK)
        n->weights = vigil_bind_keep(b, key, &w);
    else
        vigil_weights_clear(&w);
}

/* ---- Running --------------------------------------------------------------------- */

/* m pixels of x with all input channels, to y; r: what is added, or NULL. */
static void pointwise(const VigilNode *n, const float *x, const float *r, size_t m,
                      float *y)
{
    const size_t in = (size_t)n->in_shape.c, out = (size_t)n->out_shape.c;
    const size_t step = vigil_conv_has_slopes(n) ? BENT : m;
    for (size_t i = 0; i < m; i += step) {
        size_t pixels = m - i < step ? m - i : step;
        VigilEpilogue e =
            vigil_conv_epilogue(n, n->weights->vector, r ? r + i * out : NULL);
        vigil_gemm(&n->weights->matrix, x + i * in, in, pixels, y + i * out, out, &e);
        vigil_conv_bend(n, y + i * out, pixels);
    }
}

static void pointwise_pixels(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t in = (size_t)n->in_shape.c, out = (size_t)n->out_shape.c;
    pointwise(n, n->x[0] + begin * in, n->r ? n->r + begin * out : NULL, end - begin,
              n->y + begin * out);
}

/* Whether threads share the columns of a product, as its rows are too few. */
static bool shares_columns(const VigilNode *n)
{
    return vigil_shape_pixels(n->out_shape) < 2 * FEWEST && !vigil_conv_has_slopes(n) &&
           !n->weights->matrix.blas;
}

static void pointwise_columns(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    VigilEpilogue e = vigil_conv_epilogue(n, n->weights->vector, n->r);
    vigil_gemm_of_parts(&n->weights->matrix, n->x[0], (size_t)n->in_shape.c,
                        vigil_shape_pixels(n->out_shape), begin, end, n->y,
                        (size_t)n->out_shape.c, &e);
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
            VigilEpilogue e = vigil_conv_epilogue(
                n, w->vector + g * matrix->n,
                n->r && !shuffled ? n->r + first * out + g * matrix->n : NULL);
            vigil_gemm(matrix, n->x[0] + first * in + g * matrix->k, in, m,
                       made + g * matrix->n, out, &e);
        }
        if (shuffled)
            put_shuffled(n, made, first, m);
        vigil_conv_bend(n, n->y + first * out, m);
    }
}

static void conv_run(const VigilNode *n, VigilNet *net)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    size_t pixels = vigil_shape_pixels(n->out_shape);
    uint64_t weights = n->weights->matrix.k * (size_t)c->out, macs = pixels * weights;
    if (is_pointwise(c) && !has_groups(n) && shares_columns(n))
        vigil_net_parallel(net, pixels < FEWEST ? FEWEST * weights : macs,
                           vigil_gemm_parts(&n->weights->matrix), 1, pointwise_columns,
                           n);
    else if (is_pointwise(c) && !has_groups(n))
        vigil_net_parallel(net, macs, pixels, FEWEST, pointwise_pixels, n);
    else if (has_groups(n))
        vigil_net_parallel(net, macs, (pixels + TILE - 1) / TILE, 1, grouped_tiles, n);
    else
        vigil_conv_spatial_run(n, net, macs);
}

static void conv_rows(const VigilNode *n, const VigilRows *r, int row0, int row1)
{
    VigilShape s = n->out_shape;
    size_t w = (size_t)s.w;
    if (!is_pointwise(&((VigilConvNode *)n->data)->conv)) {
        vigil_conv_spatial_rows(n, r, row0, row1);
        return;
    }
    pointwise(n, vigil_row(r->x, r->first_x, row0, n->in_shape),
              vigil_row(r->r, r->first_r, row0, s), (size_t)(row1 - row0) * w,
              r->y + (size_t)(row0 - r->first_y) * w * (size_t)s.c);
}

/* OpenBLAS rounds a row as the number of rows has it. */
static bool conv_has_rows(const VigilNode *n)
{
    return !has_groups(n) && !n->weights->matrix.blas;
}

static size_t conv_scratch(const VigilNode *n)
{
    const VigilConv *c = &((VigilConvNode *)n->data)->conv;
    if (c->shuffle > 1 && has_groups(n))
        return (size_t)TILE * (size_t)c->out;
    return is_pointwise(c) ? 0 : vigil_conv_spatial_scratch(n);
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
        snprintf(out, size, "conv %dx%d%s", c->kernel, c->kernel,
                 c->stride == 2 ? " stride 2" : "");
}

const VigilOp vigil_op_conv = { .kind = conv_kind,
                                .bind = conv_bind,
                                .macs = conv_macs,
                                .scratch = conv_scratch,
                                .run = conv_run,
                                .rows = conv_rows,
                                .has_rows = conv_has_rows };
