/*
 * Separable self-attention (Mehta and Rastegari, "Separable Self-attention for Mobile
 * Vision Transformers", 2022, section 3.2), on tokens whose projections are there.
 *
 * Scores and contexts are computed in double: there are few of them, and what a context
 * is off by is added to every token of its run alike, so that rounding does not average
 * out as it does elsewhere.
 */
#include "core/op.h"
#include "core/threads.h"

#include <math.h>
#include <stdio.h>

static const VigilOp op_separable_attention;

VigilValue vigil_net_separable_attention(VigilNet *net, VigilValue x, int map_height,
                                         int map_width)
{
    VigilShape s = vigil_net_shape(net, x), out = { s.h, s.w, s.c / 2 };
    if (s.c < 3 || s.c % 2 == 0)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "%d channels are no query, keys and values", s.c);
    VigilNode *n =
        vigil_net_append(net, &op_separable_attention, "attended", &x, 1, out, 0);
    if (!n)
        return VIGIL_NONE;
    vigil_net_attention_tap(net, n,
                            (VigilShape) { .windows = s.h, .h = 1, .w = 1, .c = s.w },
                            VIGIL_ATTENTION_SCORES, map_height, map_width);
    return n->out;
}

/* The contexts [runs][channels] lie where the scratch of the first thread begins; each
 * thread's own scores [tokens] and sums [channels], in double, come after as many
 * floats. */
static size_t context_floats(const VigilNode *n)
{
    return ((size_t)n->out_shape.h * n->out_shape.c + 15) & ~(size_t)15;
}

static size_t separable_scratch(const VigilNode *n)
{
    return context_floats(n) + 2 * ((size_t)n->out_shape.w + (size_t)n->out_shape.c);
}

/* score [tokens] = softmax over tokens of x[token][0] */
static void softmax(const float *x, size_t stride, size_t tokens, double *score)
{
    double greatest = -INFINITY, sum = 0;
    for (size_t i = 0; i < tokens; i++)
        greatest = fmax(greatest, x[i * stride]);
    for (size_t i = 0; i < tokens; i++)
        sum += score[i] = exp(x[i * stride] - greatest);
    for (size_t i = 0; i < tokens; i++)
        score[i] /= sum;
}

static void pool_runs(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t tokens = (size_t)n->in_shape.w, stride = (size_t)n->in_shape.c;
    size_t c = (size_t)n->out_shape.c;
    double *score =
        (double *)(n->scratch + (size_t)worker * n->scratch_stride + context_floats(n));
    double *sum = score + tokens;
    for (size_t run = begin; run < end; run++) {
        const float *x = n->x[0] + run * tokens * stride;
        softmax(x, stride, tokens, score);
        vigil_kernels()->weigh_rows(x + 1, stride, tokens, c, score, sum);
        for (size_t i = 0; i < c; i++)
            n->scratch[run * c + i] = (float)sum[i];
        for (size_t i = 0; n->side_data && i < tokens; i++)
            n->side_data[run * tokens + i] = (float)score[i];
    }
}

/* y = ReLU(values) * context of the run */
static void weigh_tokens(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t tokens = (size_t)n->in_shape.w, stride = (size_t)n->in_shape.c;
    size_t c = (size_t)n->out_shape.c;
    for (size_t i = begin; i < end; i++) {
        float *y = n->y + i * c;
        vigil_kernels()->activate(n->x[0] + i * stride + 1 + c, c, VIGIL_RELU, y);
        vigil_kernels()->scale_rows(y, 1, c, n->scratch + i / tokens * c, y);
    }
}

static void separable_run(const VigilNode *n, VigilNet *net)
{
    size_t runs = (size_t)n->in_shape.h, tokens = (size_t)n->in_shape.w;
    uint64_t c = (uint64_t)n->out_shape.c;
    vigil_parallel(net->threads, runs, vigil_grain(tokens * c), pool_runs, (void *)n);
    vigil_parallel(net->threads, runs * tokens, vigil_grain(4 * c), weigh_tokens,
                   (void *)n);
}

static void separable_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "separable attention");
}

static const VigilOp op_separable_attention = { .kind = separable_kind,
                                                .scratch = separable_scratch,
                                                .run = separable_run };
