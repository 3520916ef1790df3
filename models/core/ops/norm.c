#include "core/op.h"
#include "core/threads.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static VigilValue append_norm(VigilNet *net, const VigilOp *op, VigilValue x,
                              const char *name, float eps)
{
    VigilShape s = vigil_net_shape(net, x);
    VigilNode *n = vigil_net_append(net, op, name, &x, 1, s, sizeof(VigilNormNode));
    if (!n)
        return VIGIL_NONE;
    ((VigilNormNode *)n->data)->eps = eps;
    return n->out;
}

/* ---- Layer norm over the channels of each pixel -----------------------------------
 */

static const VigilOp op_layer_norm;

VigilValue vigil_net_layer_norm(VigilNet *net, VigilValue x, const char *name,
                                float eps)
{
    return append_norm(net, &op_layer_norm, x, name, eps);
}

/* Vector: weight [c], bias [c]. */
static void bind_weight_and_bias(VigilNode *n, VigilBinder *b)
{
    size_t c = (size_t)n->in_shape.c;
    uint64_t shape[] = { c };
    char full[VIGIL_MAX_NAME];
    if ((n->weights = vigil_bind_find(b, n->name)))
        return;
    const float *weight =
        vigil_bind_tensor(b, vigil_join(full, n->name, "weight"), 1, shape);
    const float *bias =
        vigil_bind_tensor(b, vigil_join(full, n->name, "bias"), 1, shape);
    if (!weight || !bias)
        return;
    VigilWeights w = { .vector = vigil_calloc_aligned(2 * c, sizeof(float)),
                       .vector_size = 2 * c };
    if (!w.vector) {
        b->status = vigil_fail_memory(&b->error, 2 * c * sizeof(float), n->name);
        return;
    }
    memcpy(w.vector, weight, c * sizeof(float));
    memcpy(w.vector + c, bias, c * sizeof(float));
    n->weights = vigil_bind_keep(b, n->name, &w);
}

static void layer_norm_rows(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t c = (size_t)n->in_shape.c;
    const float *v = n->weights->vector;
    vigil_kernels()->layer_norm(n->x[0] + begin * c, end - begin, c, v, v + c,
                                ((VigilNormNode *)n->data)->eps, n->y + begin * c);
}

static void layer_norm_run(const VigilNode *n, VigilNet *net)
{
    vigil_parallel(net->threads, vigil_shape_pixels(n->in_shape),
                   vigil_grain(8 * (uint64_t)n->in_shape.c), layer_norm_rows,
                   (void *)n);
}

static void layer_norm_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "layer norm");
}

static const VigilOp op_layer_norm = { .kind = layer_norm_kind,
                                       .bind = bind_weight_and_bias,
                                       .run = layer_norm_run };

/* ---- Group norm with one group -----------------------------------------------------
 */

/* Values whose moments are added up at a time: the same however many threads do it. */
#define CHUNK 16384

static const VigilOp op_group_norm;

VigilValue vigil_net_group_norm(VigilNet *net, VigilValue x, const char *name,
                                float eps)
{
    return append_norm(net, &op_group_norm, x, name, eps);
}

static size_t chunks_of(const VigilNode *n)
{
    return (vigil_shape_size(n->in_shape) + CHUNK - 1) / CHUNK;
}

/* Scratch of the first thread: moments [chunks][2] in double, scale [c], shift [c]. */
static size_t group_norm_scratch(const VigilNode *n)
{
    return 4 * chunks_of(n) + 2 * (size_t)n->in_shape.c;
}

static void chunk_moments(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t size = vigil_shape_size(n->in_shape);
    for (size_t i = begin; i < end; i++) {
        size_t first = i * CHUNK, left = size - first;
        vigil_kernels()->moments(n->x[0] + first, left < CHUNK ? left : CHUNK,
                                 n->x[0][0], (double *)n->scratch + 2 * i);
    }
}

static void group_norm_rows(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t c = (size_t)n->in_shape.c;
    const float *scale = n->scratch + 4 * chunks_of(n);
    vigil_kernels()->affine_rows(n->x[0] + begin * c, end - begin, c, scale, scale + c,
                                 n->y + begin * c);
}

static void group_norm_run(const VigilNode *n, VigilNet *net)
{
    size_t c = (size_t)n->in_shape.c, chunks = chunks_of(n);
    double sum = 0, square = 0, count = (double)vigil_shape_size(n->in_shape);
    float *scale = n->scratch + 4 * chunks;
    vigil_parallel(net->threads, chunks, vigil_grain(4 * CHUNK), chunk_moments,
                   (void *)n);
    for (size_t i = 0; i < chunks; i++) {
        sum += ((double *)n->scratch)[2 * i];
        square += ((double *)n->scratch)[2 * i + 1];
    }
    double mean = sum / count, variance = square / count - mean * mean;
    double inverse = 1 / sqrt(fmax(variance, 0) + ((VigilNormNode *)n->data)->eps);
    mean += n->x[0][0];
    for (size_t i = 0; i < c; i++) {
        double a = n->weights->vector[i] * inverse;
        scale[i] = (float)a;
        scale[c + i] = (float)(n->weights->vector[c + i] - a * mean);
    }
    vigil_parallel(net->threads, vigil_shape_pixels(n->in_shape),
                   vigil_grain(4 * (uint64_t)c), group_norm_rows, (void *)n);
}

static void group_norm_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "group norm");
}

static const VigilOp op_group_norm = { .kind = group_norm_kind,
                                       .bind = bind_weight_and_bias,
                                       .scratch = group_norm_scratch,
                                       .run = group_norm_run };

/* ---- Batch norm that nothing could be merged with ----------------------------------
 */

VigilValue vigil_net_batch_norm(VigilNet *net, VigilValue x, const char *name,
                                float eps)
{
    return append_norm(net, &vigil_op_batch_norm, x, name, eps);
}

/* Vector: scale [c], shift [c]. */
static void batch_norm_bind(VigilNode *n, VigilBinder *b)
{
    size_t c = (size_t)n->in_shape.c;
    double *scale, *shift;
    if ((n->weights = vigil_bind_find(b, n->name)) ||
        !vigil_bind_batch_norm(b, n->name, c, ((VigilNormNode *)n->data)->eps, &scale,
                               &shift))
        return;
    VigilWeights w = { .vector = vigil_calloc_aligned(2 * c, sizeof(float)),
                       .vector_size = 2 * c };
    if (!w.vector) {
        b->status = vigil_fail_memory(&b->error, 2 * c * sizeof(float), n->name);
        return;
    }
    for (size_t i = 0; i < c; i++) {
        w.vector[i] = (float)scale[i];
        w.vector[c + i] = (float)shift[i];
    }
    n->weights = vigil_bind_keep(b, n->name, &w);
}

static void batch_norm_rows(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t c = (size_t)n->in_shape.c;
    const float *v = n->weights->vector;
    vigil_kernels()->affine_rows(n->x[0] + begin * c, end - begin, c, v, v + c,
                                 n->y + begin * c);
}

static void batch_norm_run(const VigilNode *n, VigilNet *net)
{
    vigil_parallel(net->threads, vigil_shape_pixels(n->in_shape),
                   vigil_grain(4 * (uint64_t)n->in_shape.c), batch_norm_rows,
                   (void *)n);
}

static void batch_norm_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "batch norm");
}

const VigilOp vigil_op_batch_norm = { .kind = batch_norm_kind,
                                      .bind = batch_norm_bind,
                                      .run = batch_norm_run };
