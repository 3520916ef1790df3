/* Adaptive average pooling: a map of any size becomes one of a size that is given. */
#include "core/op.h"
#include "core/threads.h"

#include <stdio.h>

typedef struct Run {
    size_t begin, end;
} Run;

/* What index i of m is the mean of among n. */
static Run run_of(size_t i, size_t n, size_t m)
{
    return (Run) { i * n / m, ((i + 1) * n + m - 1) / m };
}

static void pool_pixels(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t c = (size_t)n->in_shape.c, w = (size_t)n->in_shape.w;
    double *sum = (double *)(n->scratch + (size_t)worker * n->scratch_stride);
    double *of_row = sum + c;
    for (size_t p = begin; p < end; p++) {
        Run rows = run_of(p / (size_t)n->out_shape.w, (size_t)n->in_shape.h,
                          (size_t)n->out_shape.h);
        Run columns = run_of(p % (size_t)n->out_shape.w, w, (size_t)n->out_shape.w);
        size_t width = columns.end - columns.begin;
        for (size_t k = 0; k < c; k++)
            sum[k] = 0;
        for (size_t y = rows.begin; y < rows.end; y++) {
            const float *x = n->x[0] + (y * w + columns.begin) * c;
            vigil_kernels()->sum_rows(x, width, c, of_row);
            for (size_t k = 0; k < c; k++)
                sum[k] += of_row[k];
        }
        for (size_t k = 0; k < c; k++)
            n->y[p * c + k] =
                (float)(sum[k] / (double)((rows.end - rows.begin) * width));
    }
}

static void pool_run(const VigilNode *n, VigilNet *net)
{
    size_t pixels = vigil_shape_pixels(n->out_shape);
    vigil_parallel(net->threads, pixels,
                   vigil_grain(vigil_shape_size(n->in_shape) / pixels), pool_pixels,
                   (void *)n);
}

/* Two lists of doubles. */
static size_t pool_scratch(const VigilNode *n)
{
    return 4 * (size_t)n->in_shape.c;
}

static void pool_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "average pooling");
}

static const VigilOp op_pool = { .kind = pool_kind,
                                 .scratch = pool_scratch,
                                 .run = pool_run };

VigilValue vigil_net_pool(VigilNet *net, VigilValue x, int height, int width)
{
    VigilShape s = vigil_net_shape(net, x);
    if (height < 1 || width < 1)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE, "pooling of %d x %d pixels to %d x %d",
                       s.h, s.w, height, width);
    VigilNode *n = vigil_net_append(net, &op_pool, "pooled", &x, 1,
                                    (VigilShape) { height, width, s.c }, 0);
    if (!n)
        return VIGIL_NONE;
    double step_y = (double)s.h / height, step_x = (double)s.w / width;
    vigil_net_regrid(net, n->out, (step_y - 1) / 2, step_y, (step_x - 1) / 2, step_x);
    return n->out;
}
