/* Sums, products, activations, scales and means of whole maps. */
#include "core/op.h"
#include "core/threads.h"

#include <stdio.h>

/* ---- Sum of two maps ---------------------------------------------------------------
 */

VigilValue vigil_net_add(VigilNet *net, VigilValue a, VigilValue b)
{
    VigilShape s = vigil_net_shape(net, a), t = vigil_net_shape(net, b);
    VigilValue in[] = { a, b };
    if (s.h != t.h || s.w != t.w || s.c != t.c)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "sum of maps %d x %d x %d and %d x %d x %d", s.h, s.w, s.c, t.h,
                       t.w, t.c);
    VigilNode *n = vigil_net_append(net, &vigil_op_add, "sum", in, 2, s, 0);
    return n ? n->out : VIGIL_NONE;
}

static void add_range(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    vigil_kernels()->add(n->x[0] + begin, n->x[1] + begin, end - begin, n->y + begin);
}

static void add_run(const VigilNode *n, VigilNet *net)
{
    vigil_parallel(net->threads, vigil_shape_size(n->out_shape), vigil_grain(2),
                   add_range, (void *)n);
}

static void add_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "sum");
}

const VigilOp vigil_op_add = { .kind = add_kind, .run = add_run };

/* ---- Product of two maps -----------------------------------------------------------
 */

typedef struct Product {
    float factor;
} Product;

static void multiply_range(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    const float factor = ((Product *)n->data)->factor, *a = n->x[0], *b = n->x[1];
    for (size_t i = begin; i < end; i++)
        n->y[i] = factor * (a[i] * b[i]);
}

static void multiply_run(const VigilNode *n, VigilNet *net)
{
    vigil_parallel(net->threads, vigil_shape_size(n->out_shape), vigil_grain(2),
                   multiply_range, (void *)n);
}

static void multiply_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "product");
}

static const VigilOp op_multiply = { .kind = multiply_kind, .run = multiply_run };

VigilValue vigil_net_multiply(VigilNet *net, VigilValue a, VigilValue b, float factor)
{
    VigilShape s = vigil_net_shape(net, a), t = vigil_net_shape(net, b);
    VigilValue in[] = { a, b };
    if (s.h != t.h || s.w != t.w || s.c != t.c)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "product of maps %d x %d x %d and %d x %d x %d", s.h, s.w, s.c,
                       t.h, t.w, t.c);
    VigilNode *n =
        vigil_net_append(net, &op_multiply, "product", in, 2, s, sizeof(Product));
    if (!n)
        return VIGIL_NONE;
    ((Product *)n->data)->factor = factor;
    return n->out;
}

/* ---- Activation that nothing could be merged with ----------------------------------
 */

static void activate_range(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    vigil_kernels()->activate(n->x[0] + begin, end - begin,
                              ((VigilActivateNode *)n->data)->activation, n->y + begin);
}

static void activate_run(const VigilNode *n, VigilNet *net)
{
    vigil_parallel(net->threads, vigil_shape_size(n->out_shape), vigil_grain(8),
                   activate_range, (void *)n);
}

static void activate_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "activation");
}

const VigilOp vigil_op_activate = { .kind = activate_kind, .run = activate_run };

VigilValue vigil_net_activate(VigilNet *net, VigilValue x, VigilActivation activation)
{
    VigilNode *n = vigil_net_append(net, &vigil_op_activate, "activated", &x, 1,
                                    vigil_net_shape(net, x), sizeof(VigilActivateNode));
    if (!n)
        return VIGIL_NONE;
    ((VigilActivateNode *)n->data)->activation = activation;
    return n->out;
}

/* ---- Channel scale -----------------------------------------------------------------
 */

static void scale_pixels(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t c = (size_t)n->in_shape.c;
    vigil_kernels()->scale_rows(n->x[0] + begin * c, end - begin, c, n->x[1],
                                n->y + begin * c);
}

static void scale_run(const VigilNode *n, VigilNet *net)
{
    vigil_parallel(net->threads, vigil_shape_pixels(n->in_shape),
                   vigil_grain(2 * (uint64_t)n->in_shape.c), scale_pixels, (void *)n);
}

static void scale_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "channel scale");
}

static const VigilOp op_scale = { .kind = scale_kind, .run = scale_run };

VigilValue vigil_net_scale(VigilNet *net, VigilValue x, VigilValue s)
{
    VigilShape shape = vigil_net_shape(net, x);
    VigilValue in[] = { x, s };
    if (vigil_shape_size(vigil_net_shape(net, s)) != (size_t)shape.c)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE, "%zu scales for %d channels",
                       vigil_shape_size(vigil_net_shape(net, s)), shape.c);
    VigilNode *n = vigil_net_append(net, &op_scale, "scaled", in, 2, shape, 0);
    return n ? n->out : VIGIL_NONE;
}

/* ---- Mean over pixels --------------------------------------------------------------
 */

static void mean_run(const VigilNode *n, VigilNet *net)
{
    size_t c = (size_t)n->in_shape.c, pixels = vigil_shape_pixels(n->in_shape);
    double *sum = (double *)n->scratch;
    vigil_kernels()->sum_rows(n->x[0], pixels, c, sum);
    for (size_t i = 0; i < c; i++)
        n->y[i] = (float)(sum[i] / (double)pixels);
}

static size_t mean_scratch(const VigilNode *n)
{
    return 2 * (size_t)n->in_shape.c;
}

static void mean_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "mean over pixels");
}

const VigilOp vigil_op_mean = { .kind = mean_kind,
                                .scratch = mean_scratch,
                                .run = mean_run };

VigilValue vigil_net_mean(VigilNet *net, VigilValue x)
{
    VigilShape s = vigil_net_shape(net, x);
    VigilNode *n = vigil_net_append(net, &vigil_op_mean, "mean", &x, 1,
                                    (VigilShape) { 1, 1, s.c, .vector = true }, 0);
    return n ? n->out : VIGIL_NONE;
}
