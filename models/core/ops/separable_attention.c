/*
 * Separable self-attention (Mehta and Rastegari, "Separable Self-attention for Mobile
 * Vision Transformers", 2022, section 3.2), on tokens whose projections are there or,
 * where the convolution that makes them was merged (fuse.c), on tokens before it.  Then
 * the tokens are summed up and the sum is projected to the context: a projection is
 * linear and the scores sum to 1.  Nothing but queries and values is made of each
 * token, and the bias of the queries, which changes no score, is left out.
 *
 * Scores and contexts are computed in double: there are few of them, and what a context
 * is off by is added to every token of its run alike, so that rounding does not average
 * out as it does elsewhere.
 */
#include "core/ops/conv.h"
#include "core/threads.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

VigilValue vigil_net_separable_attention(VigilNet *net, VigilValue x, int map_height,
                                         int map_width)
{
    VigilShape s = vigil_net_shape(net, x), out = { s.h, s.w, s.c / 2 };
    if (s.c < 3 || s.c % 2 == 0)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "%d channels are no query, keys and values", s.c);
    VigilNode *n = vigil_net_append(net, &vigil_op_separable_attention, "attended", &x,
                                    1, out, sizeof(VigilSeparableNode));
    if (!n)
        return VIGIL_NONE;
    vigil_net_attention_tap(net, n,
                            (VigilShape) { .windows = s.h, .h = 1, .w = 1, .c = s.w },
                            VIGIL_ATTENTION_SCORES, map_height, map_width);
    return n->out;
}

/* ---- Weights of the projection ----------------------------------------------------
 */

/* Matrix: values; vector: query, biases of keys and of values [c] each, then keys
 * [in][out]. */
static void separable_bind(VigilNode *n, VigilBinder *b)
{
    const VigilNode *projection = ((VigilSeparableNode *)n->data)->projection;
    size_t c = (size_t)n->out_shape.c;
    char key[VIGIL_CONV_KEY + 16], plain[VIGIL_CONV_KEY];
    float *rows, *bias;
    if (!projection)
        return;
    vigil_conv_key(projection, plain);
    snprintf(key, sizeof key, "separable %s", plain);
    if ((n->weights = vigil_bind_find(b, key)) ||
        !vigil_conv_folded(projection, b, &rows, &bias))
        return;
    VigilWeights w = { .vector = vigil_calloc_aligned((3 + c) * c, sizeof(float)),
                       .vector_size = (3 + c) * c };
    if (w.vector) {
        memcpy(w.vector, rows, c * sizeof(float));
        memcpy(w.vector + c, bias + 1, 2 * c * sizeof(float));
        for (size_t i = 0; i < c * c; i++)
            w.vector[3 * c + i] = rows[(1 + i % c) * c + i / c];
        b->status = vigil_packed_init(&w.matrix, rows + (1 + c) * c, c, c, c, 1,
                                      &b->slabs, &b->error);
    } else {
        b->status = vigil_fail_memory(&b->error, (3 + c) * c * sizeof(float), n->name);
    }
    if (b->status == VIGIL_OK)
        n->weights = vigil_bind_keep(b, key, &w);
    else
        vigil_weights_clear(&w);
}

static uint64_t separable_macs(const VigilNode *n)
{
    uint64_t c = (uint64_t)n->out_shape.c;
    uint64_t runs = (uint64_t)n->out_shape.h, tokens = (uint64_t)n->out_shape.w;
    return n->weights ? runs * (tokens * c * (c + 1) + c * c) : 0;
}

/* ---- Scores and contexts ----------------------------------------------------------
 */

/* The contexts [runs][channels] lie where the scratch of the first thread begins; each
 * thread's own scores [tokens], sums [channels] and sums projected [channels], in
 * double, come after as many floats, then its queries [tokens]. */
static size_t context_floats(const VigilNode *n)
{
    return ((size_t)n->out_shape.h * n->out_shape.c + 15) & ~(size_t)15;
}

static size_t separable_scratch(const VigilNode *n)
{
    return context_floats(n) + 2 * (size_t)n->out_shape.w + 4 * (size_t)n->out_shape.c;
}

/* Queries in, their softmax over tokens out. */
static void softmax(size_t tokens, double *score)
{
    double greatest = -INFINITY, sum = 0;
    for (size_t i = 0; i < tokens; i++)
        greatest = fmax(greatest, score[i]);
    for (size_t i = 0; i < tokens; i++)
        sum += score[i] = exp(score[i] - greatest);
    for (size_t i = 0; i < tokens; i++)
        score[i] /= sum;
}

/* From the tokens of a run their scores; returns their weighted sum, projected. */
static const double *pool(const VigilNode *n, const float *x, double *score)
{
    const VigilKernels *kernels = vigil_kernels();
    size_t tokens = (size_t)n->in_shape.w, stride = (size_t)n->in_shape.c;
    size_t c = (size_t)n->out_shape.c;
    double *sum = score + tokens, *projected = sum + c;
    if (!n->weights) {
        for (size_t i = 0; i < tokens; i++)
            score[i] = x[i * stride];
        softmax(tokens, score);
        kernels->weigh_rows(x + 1, stride, tokens, c, score, sum);
        return sum;
    }
    const float *v = n->weights->vector;
    kernels->dot_rows(x, tokens, c, v, score);
    softmax(tokens, score);
    kernels->weigh_rows(x, stride, tokens, c, score, sum);
    kernels->weigh_rows(v + 3 * c, c, c, c, sum, projected);
    for (size_t i = 0; i < c; i++)
        projected[i] += v[c + i];
    return projected;
}

/* Of each run the context and, where tapped, the scores. */
static void pool_runs(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t tokens = (size_t)n->in_shape.w, c = (size_t)n->out_shape.c;
    double *score =
        (double *)(n->scratch + (size_t)worker * n->scratch_stride + context_floats(n));
    for (size_t run = begin; run < end; run++) {
        const double *sum =
            pool(n, n->x[0] + run * tokens * (size_t)n->in_shape.c, score);
        for (size_t i = 0; i < c; i++)
            n->scratch[run * c + i] = (float)sum[i];
        for (size_t i = 0; n->side_data && i < tokens; i++)
            n->side_data[run * tokens + i] = (float)score[i];
    }
}

/* ---- Values -----------------------------------------------------------------------
 */

/* y = ReLU(values) * context of the run, for tokens that lie in one run. */
static void weigh_part(const VigilNode *n, size_t begin, size_t end)
{
    size_t tokens = (size_t)n->in_shape.w, stride = (size_t)n->in_shape.c;
    size_t c = (size_t)n->out_shape.c, count = end - begin;
    const VigilKernels *kernels = vigil_kernels();
    const float *x = n->x[0] + begin * stride;
    float *y = n->y + begin * c;
    if (n->weights)
        vigil_gemm(&n->weights->matrix, x, c, count, y, c,
                   &(VigilEpilogue) { .bias = n->weights->vector + 2 * c,
                                      .activation = VIGIL_RELU });
    else
        for (size_t i = 0; i < count; i++)
            kernels->activate(x + i * stride + 1 + c, c, VIGIL_RELU, y + i * c);
    kernels->scale_rows(y, count, c, n->scratch + begin / tokens * c, y);
}

static void weigh_tokens(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t tokens = (size_t)n->in_shape.w;
    while (begin < end) {
        size_t run_end = (begin / tokens + 1) * tokens;
        size_t part_end = run_end < end ? run_end : end;
        weigh_part(n, begin, part_end);
        begin = part_end;
    }
}

static void separable_run(const VigilNode *n, VigilNet *net)
{
    size_t runs = (size_t)n->in_shape.h, tokens = (size_t)n->in_shape.w;
    uint64_t c = (uint64_t)n->out_shape.c;
    vigil_parallel(net->threads, runs, vigil_grain(tokens * c), pool_runs, (void *)n);
    vigil_parallel(net->threads, runs * tokens, vigil_grain(n->weights ? c * c : 4 * c),
                   weigh_tokens, (void *)n);
}

static void separable_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "separable attention");
}

const VigilOp vigil_op_separable_attention = { .kind = separable_kind,
                                               .bind = separable_bind,
                                               .macs = separable_macs,
                                               .scratch = separable_scratch,
                                               .run = separable_run };
