/*
 * Multiplications by one matrix in bytes: y = epilogue(W x + bias) with
 *
 *     x ~ step (a - zero)       a of 0..255, from the calibrated range of x
 *     W[o] ~ scale[o] w[o]      w of -64..64, scale[o] from the largest of the row
 *     W x ~ step scale[o] (sum of w[o] a - zero sum of w[o])
 *
 * The first sum is exact; the second goes into the bias.  Weights in the store: the
 * matrix of bytes; [out] factors of sums, [out] biases.
 */
#include "core/ops/conv.h"
#include "core/threads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TILE 64 /* pixels made bytes at a time */

static VigilRange range_of(const VigilNode *n)
{
    return ((VigilConvNode *)n->data)->range;
}

/* ---- Weights ----------------------------------------------------------------------
 */

/* Row o as bytes; returns their scale, and their sum in *sum. */
static double quantise_row(const float *row, size_t k, int8_t *out, double *sum)
{
    float most = 0;
    for (size_t i = 0; i < k; i++)
        most = fmaxf(most, fabsf(row[i]));
    double scale = (double)most / VIGIL_BYTES_WEIGHT;
    *sum = 0;
    for (size_t i = 0; i < k; i++) {
        out[i] = scale > 0 ? (int8_t)lrint(row[i] / scale) : 0;
        *sum += out[i];
    }
    return scale;
}

static VigilStatus pack(const VigilNode *n, const float *rows, const float *bias,
                        int8_t *bytes, VigilWeights *w, VigilBinder *b)
{
    const VigilKernels *kernels = vigil_kernels();
    size_t out = (size_t)n->out_shape.c, k = (size_t)n->in_shape.c;
    double step = (double)vigil_range_step(range_of(n)), sum;
    int zero = vigil_range_zero(range_of(n));
    w->n_bytes = kernels->bytes_pack_size(out, k);
    w->bytes = vigil_slab_alloc(&b->slabs, w->n_bytes);
    w->vector_size = 2 * out;
    w->vector = vigil_calloc_aligned(2 * out, sizeof(float));
    if (!w->bytes || !w->vector)
        return vigil_fail_memory(&b->error, w->n_bytes, n->name);
    for (size_t o = 0; o < out; o++) {
        double factor = step * quantise_row(rows + o * k, k, bytes + o * k, &sum);
        w->vector[o] = (float)factor;
        w->vector[out + o] = (float)(bias[o] - factor * zero * sum);
    }
    kernels->bytes_pack(bytes, out, k, w->bytes);
    return VIGIL_OK;
}

static void bytes_bind(VigilNode *n, VigilBinder *b)
{
    char key[sizeof "int8|" + VIGIL_CONV_KEY] = "int8|";
    size_t size = (size_t)n->out_shape.c * (size_t)n->in_shape.c;
    float *rows, *bias, *bytes;
    vigil_conv_key(n, key + strlen(key));
    if ((n->weights = vigil_bind_find(b, key)) ||
        !vigil_conv_folded(n, b, &rows, &bias) ||
        !(bytes = vigil_bind_alloc(b, size / sizeof *bytes + 1)))
        return;
    VigilWeights w = { 0 };
    b->status = pack(n, rows, bias, (int8_t *)bytes, &w, b);
    if (b->status == VIGIL_OK)
        n->weights = vigil_bind_keep(b, key, &w);
    else
        vigil_weights_clear(&w);
}

/* ---- Running ----------------------------------------------------------------------
 */

static void multiply(const VigilNode *n, const float *x, const float *r, size_t m,
                     float *y, float *scratch)
{
    const VigilKernels *kernels = vigil_kernels();
    size_t in = (size_t)n->in_shape.c, out = (size_t)n->out_shape.c;
    const VigilWeights *w = n->weights;
    float factor = 1 / vigil_range_step(range_of(n));
    int zero = vigil_range_zero(range_of(n));
    VigilBytesGemm g = { .n = out,
                         .k = in,
                         .a = (uint8_t *)scratch,
                         .lda = vigil_bytes_depth(in),
                         .b = w->bytes,
                         .scale = w->vector,
                         .ldc = out };
    for (size_t i = 0; i < m; i += TILE) {
        g.m = m - i < TILE ? m - i : TILE;
        g.c = y + i * out;
        g.epilogue = vigil_conv_epilogue(n, w->vector + out, r ? r + i * out : NULL);
        kernels->quantise_rows(x + i * in, in, g.m, in, factor, zero,
                               (uint8_t *)scratch, g.lda);
        kernels->bytes_gemm(&g);
        vigil_conv_bend(n, g.c, g.m);
    }
}

static void some_pixels(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t in = (size_t)n->in_shape.c, out = (size_t)n->out_shape.c;
    VigilRows all = vigil_all_rows(n, worker);
    multiply(n, all.x + begin * in, all.r ? all.r + begin * out : NULL, end - begin,
             all.y + begin * out, all.scratch);
}

static uint64_t bytes_macs(const VigilNode *n)
{
    return vigil_op_conv.macs(n);
}

static void bytes_run(const VigilNode *n, VigilNet *net)
{
    size_t pixels = vigil_shape_pixels(n->out_shape);
    vigil_parallel(net->threads, pixels, vigil_grain(bytes_macs(n) / pixels),
                   some_pixels, (void *)n);
}

static void bytes_rows(const VigilNode *n, const VigilRows *rows, int row0, int row1)
{
    VigilShape s = n->out_shape;
    multiply(n, vigil_row(rows->x, rows->first_x, row0, n->in_shape),
             vigil_row(rows->r, rows->first_r, row0, s),
             (size_t)(row1 - row0) * (size_t)s.w,
             rows->y + (size_t)(row0 - rows->first_y) * (size_t)s.w * (size_t)s.c,
             rows->scratch);
}

static size_t bytes_scratch(const VigilNode *n)
{
    return TILE * vigil_bytes_depth((size_t)n->in_shape.c) / sizeof(float);
}

static void bytes_kind(const VigilNode *n, char *out, size_t size)
{
    vigil_op_conv.kind(n, out, size);
    strncat(out, " int8", size - strlen(out) - 1);
}

const VigilOp vigil_op_conv_bytes = { .kind = bytes_kind,
                                      .bind = bytes_bind,
                                      .macs = bytes_macs,
                                      .scratch = bytes_scratch,
                                      .run = bytes_run,
                                      .rows = bytes_rows };
