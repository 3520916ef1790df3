#include "core/op.h"
#include "core/threads.h"

#include <stdio.h>

static void dynamic_relu_pixels(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t c = (size_t)n->in_shape.c;
    vigil_kernels()->dynamic_relu(n->x[0] + begin * c, end - begin, c, n->x[1],
                                  n->y + begin * c);
}

static void dynamic_relu_run(const VigilNode *n, VigilNet *net)
{
    vigil_parallel(net->threads, vigil_shape_pixels(n->in_shape),
                   vigil_grain(2 * (uint64_t)n->in_shape.c), dynamic_relu_pixels,
                   (void *)n);
}

static void dynamic_relu_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "dynamic ReLU");
}

static const VigilOp op_dynamic_relu = { .kind = dynamic_relu_kind,
                                         .run = dynamic_relu_run };

VigilValue vigil_net_dynamic_relu(VigilNet *net, VigilValue x, VigilValue slopes)
{
    VigilShape shape = vigil_net_shape(net, x);
    size_t have = vigil_shape_size(vigil_net_shape(net, slopes));
    VigilValue in[] = { x, slopes };
    if (have != 2 * (size_t)shape.c)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "%zu slopes for a dynamic ReLU of %d channels, which needs %d",
                       have, shape.c, 2 * shape.c);
    VigilNode *n =
        vigil_net_append(net, &op_dynamic_relu, "dynamic_relu", in, 2, shape, 0);
    return n ? n->out : VIGIL_NONE;
}
