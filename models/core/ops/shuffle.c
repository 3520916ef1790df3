/* Channel shuffle on its own, where no convolution comes before it. */
#include "core/op.h"
#include "core/threads.h"

#include <stdio.h>

typedef struct Shuffle {
    int groups;
} Shuffle;

static void shuffle_pixels(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t c = (size_t)n->in_shape.c, groups = (size_t)((Shuffle *)n->data)->groups;
    for (size_t p = begin; p < end; p++)
        vigil_kernels()->interleave(n->x[0] + p * c, c / groups, groups, c / groups,
                                    n->y + p * c);
}

static void shuffle_run(const VigilNode *n, VigilNet *net)
{
    vigil_parallel(net->threads, vigil_shape_pixels(n->in_shape),
                   vigil_grain(2 * (uint64_t)n->in_shape.c), shuffle_pixels, (void *)n);
}

static void shuffle_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "channel shuffle");
}

static const VigilOp op_shuffle = { .kind = shuffle_kind, .run = shuffle_run };

VigilValue vigil_net_shuffle(VigilNet *net, VigilValue x, int groups)
{
    VigilShape s = vigil_net_shape(net, x);
    if (groups < 1 || s.c % groups)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE, "shuffle of %d channels in %d groups",
                       s.c, groups);
    VigilNode *n =
        vigil_net_append(net, &op_shuffle, "shuffled", &x, 1, s, sizeof(Shuffle));
    if (!n)
        return VIGIL_NONE;
    ((Shuffle *)n->data)->groups = groups;
    return n->out;
}
