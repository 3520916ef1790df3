/* Where pixels lie, in sinusoids added to a map. */
#include "core/op.h"
#include "core/threads.h"

#include <math.h>
#include <stdio.h>

#define TEMPERATURE 10000.0
#define PI 3.14159265358979323846

typedef struct Positions {
    int heads;
} Positions;

/* Channels that tell a row, or a column, in each head. */
static int half_of(const VigilNode *n)
{
    return n->in_shape.c / ((Positions *)n->data)->heads / 2;
}

/* Sinusoids [count][half] of places along one axis. */
static void fill(float *out, int count, int half)
{
    for (int i = 0; i < count; i++)
        for (int j = 0; j < half; j++) {
            double place = 2 * PI * (i + 0.5) / count;
            double angle = place * pow(TEMPERATURE, -(double)(j / 2 * 2) / half);
            *out++ = (float)(j % 2 ? cos(angle) : sin(angle));
        }
}

/* Vector: [h][half] of the rows, then [w][half] of the columns; it hangs on the size
 * of the map, and on no tensor. */
static void positions_bind(VigilNode *n, VigilBinder *b)
{
    VigilShape s = n->in_shape;
    int half = half_of(n);
    size_t rows = (size_t)s.h * (size_t)half, size = rows + (size_t)s.w * (size_t)half;
    char key[64];
    snprintf(key, sizeof key, "positions of %d x %d in %d channels", s.h, s.w, half);
    if (b->mode != VIGIL_BIND_LOAD || (n->weights = vigil_bind_find(b, key)))
        return;
    VigilWeights w = { .vector = vigil_calloc_aligned(size, sizeof(float)),
                       .vector_size = size };
    if (!w.vector) {
        b->status = vigil_fail_memory(&b->error, size * sizeof(float), key);
        return;
    }
    fill(w.vector, s.h, half);
    fill(w.vector + rows, s.w, half);
    n->weights = vigil_bind_keep(b, key, &w);
}

static void positions_rows(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    size_t half = (size_t)half_of(n), c = (size_t)n->in_shape.c;
    size_t h = (size_t)n->in_shape.h, w = (size_t)n->in_shape.w;
    for (size_t p = begin * w; p < end * w; p++) {
        const float *row = n->weights->vector + p / w * half;
        const float *column = n->weights->vector + (h + p % w) * half;
        for (size_t i = 0; i < c; i += 2 * half) {
            const float *x = n->x[0] + p * c + i;
            float *y = n->y + p * c + i;
            vigil_kernels()->add(x, row, half, y);
            vigil_kernels()->add(x + half, column, half, y + half);
        }
    }
}

static void positions_run(const VigilNode *n, VigilNet *net)
{
    size_t rows = (size_t)n->in_shape.h;
    vigil_parallel(net->threads, rows,
                   vigil_grain(2 * vigil_shape_size(n->in_shape) / rows),
                   positions_rows, (void *)n);
}

static void positions_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "positions");
}

static const VigilOp op_positions = { .kind = positions_kind,
                                      .bind = positions_bind,
                                      .run = positions_run };

VigilValue vigil_net_add_positions(VigilNet *net, VigilValue x, int heads)
{
    VigilShape s = vigil_net_shape(net, x);
    if (heads < 1 || s.c % (4 * heads))
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "positions in %d channels of %d heads: must be a multiple of 4 "
                       "in each",
                       s.c, heads);
    VigilNode *n =
        vigil_net_append(net, &op_positions, "placed", &x, 1, s, sizeof(Positions));
    if (!n)
        return VIGIL_NONE;
    ((Positions *)n->data)->heads = heads;
    return n->out;
}
