/* Pixels and tokens compared, and the softmax over what comes of it. */
#include "core/op.h"
#include "core/threads.h"

#include <math.h>
#include <stdio.h>

/* ---- Inner products ----------------------------------------------------------------
 */

typedef struct Relate {
    float factor;
} Relate;

static size_t relate_scratch(const VigilNode *n)
{
    return vigil_kernels()->gemm_pack_size((size_t)n->out_shape.c,
                                           (size_t)n->in_shape.c);
}

static void relate_pixels(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t c = (size_t)n->in_shape.c, tokens = (size_t)n->out_shape.c;
    const float factor = ((Relate *)n->data)->factor;
    float *packed = n->scratch + (size_t)worker * n->scratch_stride;
    float *y = n->y + begin * tokens;
    vigil_kernels()->gemm_pack(n->x[1], tokens, c, c, 1, packed);
    vigil_kernels()->gemm(&(VigilGemm) { .m = end - begin,
                                         .n = tokens,
                                         .k = c,
                                         .a = n->x[0] + begin * c,
                                         .lda = c,
                                         .b = packed,
                                         .c = y,
                                         .ldc = tokens });
    for (size_t i = 0; i < (end - begin) * tokens; i++)
        y[i] *= factor;
}

static uint64_t relate_macs(const VigilNode *n)
{
    return vigil_shape_size(n->out_shape) * (uint64_t)n->in_shape.c;
}

static void relate_run(const VigilNode *n, VigilNet *net)
{
    size_t pixels = vigil_shape_pixels(n->in_shape);
    vigil_parallel(net->threads, pixels, vigil_grain(relate_macs(n) / pixels),
                   relate_pixels, (void *)n);
}

static void relate_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "pixels times tokens");
}

static const VigilOp op_relate = { .kind = relate_kind,
                                   .macs = relate_macs,
                                   .scratch = relate_scratch,
                                   .run = relate_run };

VigilValue vigil_net_relate(VigilNet *net, VigilValue x, VigilValue tokens,
                            float factor)
{
    VigilShape s = vigil_net_shape(net, x), t = vigil_net_shape(net, tokens);
    VigilValue in[] = { x, tokens };
    if (s.c != t.c)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "pixels of %d channels and tokens of %d are compared", s.c, t.c);
    VigilShape out = { s.h, s.w, (int)vigil_shape_pixels(t) };
    VigilNode *n =
        vigil_net_append(net, &op_relate, "related", in, 2, out, sizeof(Relate));
    if (!n)
        return VIGIL_NONE;
    ((Relate *)n->data)->factor = factor;
    return n->out;
}

/* ---- Softmax -----------------------------------------------------------------------
 */

static void softmax_pixels(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t c = (size_t)n->in_shape.c;
    for (size_t p = begin; p < end; p++) {
        const float *x = n->x[0] + p * c;
        float *y = n->y + p * c, largest = x[0], sum = 0;
        for (size_t i = 1; i < c; i++)
            largest = x[i] > largest ? x[i] : largest;
        for (size_t i = 0; i < c; i++)
            sum += y[i] = expf(x[i] - largest);
        for (size_t i = 0; i < c; i++)
            y[i] /= sum;
    }
}

static void softmax_run(const VigilNode *n, VigilNet *net)
{
    vigil_parallel(net->threads, vigil_shape_pixels(n->in_shape),
                   vigil_grain(20 * (uint64_t)n->in_shape.c), softmax_pixels,
                   (void *)n);
}

static void softmax_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "softmax over channels");
}

static const VigilOp op_softmax = { .kind = softmax_kind, .run = softmax_run };

VigilValue vigil_net_softmax(VigilNet *net, VigilValue x)
{
    VigilNode *n =
        vigil_net_append(net, &op_softmax, "shares", &x, 1, vigil_net_shape(net, x), 0);
    return n ? n->out : VIGIL_NONE;
}
