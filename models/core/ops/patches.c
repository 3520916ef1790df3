/* Between maps and the tokens of their 2 x 2 patches. */
#include "core/op.h"
#include "core/threads.h"

#include <stdio.h>
#include <string.h>

#define PATCH 2

typedef struct Patches {
    int height, width; /* of the map */
    bool fold;
} Patches;

static const VigilOp op_patches;

static VigilValue append_patches(VigilNet *net, VigilValue x, const Patches *p,
                                 VigilShape out)
{
    VigilNode *n = vigil_net_append(net, &op_patches, p->fold ? "folded" : "unfolded",
                                    &x, 1, out, sizeof *p);
    if (!n)
        return VIGIL_NONE;
    *(Patches *)n->data = *p;
    return n->out;
}

VigilValue vigil_net_unfold(VigilNet *net, VigilValue x)
{
    VigilShape s = vigil_net_shape(net, x);
    if (s.h % PATCH || s.w % PATCH)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE, "patches of %d x %d in a map of %d x %d",
                       PATCH, PATCH, s.h, s.w);
    VigilShape out = { PATCH * PATCH, s.h / PATCH * (s.w / PATCH), s.c };
    return append_patches(net, x, &(Patches) { s.h, s.w, false }, out);
}

VigilValue vigil_net_fold(VigilNet *net, VigilValue x, int height, int width)
{
    VigilShape s = vigil_net_shape(net, x);
    if (height % PATCH || width % PATCH || s.h != PATCH * PATCH ||
        s.w != height / PATCH * (width / PATCH))
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "%d runs of %d tokens are no patches of a map of %d x %d", s.h,
                       s.w, height, width);
    return append_patches(net, x, &(Patches) { height, width, true },
                          (VigilShape) { height, width, s.c });
}

/* Both rows of pixels of the patches begin..end-1, counted downwards. */
static void move_rows(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    const Patches *d = n->data;
    size_t c = (size_t)n->out_shape.c, across = (size_t)(d->width / PATCH);
    size_t run = (size_t)(d->height / PATCH) * across;
    for (size_t y = begin * PATCH; y < end * PATCH; y++)
        for (size_t x = 0; x < (size_t)d->width; x++) {
            size_t pixel = y * (size_t)d->width + x;
            size_t token =
                (y % PATCH * PATCH + x % PATCH) * run + y / PATCH * across + x / PATCH;
            memcpy(n->y + (d->fold ? pixel : token) * c,
                   n->x[0] + (d->fold ? token : pixel) * c, c * sizeof(float));
        }
}

static void patches_run(const VigilNode *n, VigilNet *net)
{
    const Patches *d = n->data;
    size_t rows = (size_t)(d->height / PATCH);
    vigil_parallel(net->threads, rows,
                   vigil_grain(vigil_shape_size(n->out_shape) / rows), move_rows,
                   (void *)n);
}

static void patches_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, ((Patches *)n->data)->fold ? "fold" : "unfold");
}

static const VigilOp op_patches = { .kind = patches_kind, .run = patches_run };
