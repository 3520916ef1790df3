/* Channels of two maps side by side. */
#include "core/op.h"
#include "core/threads.h"

#include <stdio.h>
#include <string.h>

static void concat_pixels(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t out = (size_t)n->out_shape.c, a = (size_t)n->in_shape.c, b = out - a;
    for (size_t p = begin; p < end; p++) {
        memcpy(n->y + p * out, n->x[0] + p * a, a * sizeof(float));
        memcpy(n->y + p * out + a, n->x[1] + p * b, b * sizeof(float));
    }
}

static void concat_run(const VigilNode *n, VigilNet *net)
{
    vigil_parallel(net->threads, vigil_shape_pixels(n->out_shape),
                   vigil_grain(2 * (uint64_t)n->out_shape.c), concat_pixels, (void *)n);
}

static void concat_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "concatenation");
}

static const VigilOp op_concat = { .kind = concat_kind, .run = concat_run };

VigilValue vigil_net_concat(VigilNet *net, VigilValue a, VigilValue b)
{
    VigilShape s = vigil_net_shape(net, a), t = vigil_net_shape(net, b);
    VigilValue in[] = { a, b };
    if (s.h != t.h || s.w != t.w)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "concatenation of maps %d x %d x %d and %d x %d x %d", s.h, s.w,
                       s.c, t.h, t.w, t.c);
    s.c += t.c;
    s.vector = s.vector && t.vector;
    VigilNode *n = vigil_net_append(net, &op_concat, "concat", in, 2, s, 0);
    return n ? n->out : VIGIL_NONE;
}
