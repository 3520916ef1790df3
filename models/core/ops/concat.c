/* Channels of several maps side by side. */
#include "core/op.h"
#include "core/threads.h"

#include <stdio.h>
#include <string.h>

typedef struct Concat {
    int c[VIGIL_MAX_INPUTS]; /* channels of each input */
} Concat;

static void concat_pixels(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    const Concat *d = n->data;
    float *y = n->y + begin * (size_t)n->out_shape.c;
    for (size_t p = begin; p < end; p++)
        for (int i = 0; i < n->n_in; i++) {
            size_t c = (size_t)d->c[i];
            memcpy(y, n->x[i] + p * c, c * sizeof(float));
            y += c;
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

VigilValue vigil_net_concat_all(VigilNet *net, const VigilValue *maps, int count)
{
    if (count < 1 || count > VIGIL_MAX_INPUTS) {
        vigil_net_fail(net, VIGIL_ERROR_ARGUMENT,
                       "concatenation of %d maps; may be 1 to %d", count,
                       VIGIL_MAX_INPUTS);
        return VIGIL_NONE;
    }
    VigilShape s = vigil_net_shape(net, maps[0]);
    Concat d = { { s.c } };
    for (int i = 1; i < count; i++) {
        VigilShape t = vigil_net_shape(net, maps[i]);
        if (s.h != t.h || s.w != t.w)
            vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                           "concatenation of maps %d x %d x %d and %d x %d x %d", s.h,
                           s.w, s.c, t.h, t.w, t.c);
        d.c[i] = t.c;
        s.c += t.c;
        s.vector = s.vector && t.vector;
    }
    VigilNode *n =
        vigil_net_append(net, &op_concat, "concat", maps, count, s, sizeof(Concat));
    if (!n)
        return VIGIL_NONE;
    *(Concat *)n->data = d;
    return n->out;
}

VigilValue vigil_net_concat(VigilNet *net, VigilValue a, VigilValue b)
{
    return vigil_net_concat_all(net, (VigilValue[]) { a, b }, 2);
}
