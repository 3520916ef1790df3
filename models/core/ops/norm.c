#include "core/op.h"
#include "core/threads.h"

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
static void layer_norm_bind(VigilNode *n, VigilBinder *b)
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
    vigil_parallel(net->threads, (size_t)n->in_shape.h * n->in_shape.w,
                   vigil_grain(8 * (uint64_t)n->in_shape.c), layer_norm_rows,
                   (void *)n);
}

static void layer_norm_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "layer norm");
}

static const VigilOp op_layer_norm = { .kind = layer_norm_kind,
                                       .bind = layer_norm_bind,
                                       .run = layer_norm_run };

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
    float *y = n->y + begin * c;
    VigilEpilogue shift = { .bias = n->weights->vector + c };
    vigil_kernels()->scale_rows(n->x[0] + begin * c, end - begin, c, n->weights->vector,
                                y);
    vigil_kernels()->epilogue(y, c, end - begin, c, &shift);
}

static void batch_norm_run(const VigilNode *n, VigilNet *net)
{
    vigil_parallel(net->threads, (size_t)n->in_shape.h * n->in_shape.w,
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
