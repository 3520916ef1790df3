/* Attention between the pixels, or tokens, of maps. */
#include "core/op.h"

#include <math.h>
#include <stdio.h>

/* Queries that one task handles: the keys are laid out anew for each task. */
#define BLOCK 1024

typedef struct Attention {
    int at[3]; /* first channel of q, k, v */
    int stride[3];
    int width, heads;
    size_t sequences, queries, keys; /* tokens of one sequence */
} Attention;

static const VigilOp op_attention;

static bool fits(VigilNet *net, VigilShape s, int at, const VigilAttend *a)
{
    int sequences = a->sequences ? a->sequences : 1;
    if (a->heads < 1 || a->width < 1 || a->width % a->heads)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE, "attention of %d channels in %d heads",
                       a->width, a->heads);
    else if (at < 0 || at > s.c - a->width)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE,
                       "attention reads channels %d to %d of %d", at, at + a->width - 1,
                       s.c);
    else if (sequences < 1 || vigil_shape_pixels(s) % (size_t)sequences)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE, "%zu tokens in %d sequences",
                       vigil_shape_pixels(s), sequences);
    else
        return true;
    return false;
}

VigilValue vigil_net_attention(VigilNet *net, const VigilAttend *a)
{
    VigilValue in[] = { a->q, a->k, a->v };
    const int at[] = { a->q_at, a->k_at, a->v_at };
    VigilShape shape[3];
    for (int i = 0; i < 3; i++) {
        shape[i] = vigil_net_shape(net, in[i]);
        if (!fits(net, shape[i], at[i], a))
            return VIGIL_NONE;
    }
    if (vigil_shape_pixels(shape[1]) != vigil_shape_pixels(shape[2]))
        vigil_net_fail(net, VIGIL_ERROR_SHAPE, "attention over %zu keys and %zu values",
                       vigil_shape_pixels(shape[1]), vigil_shape_pixels(shape[2]));
    VigilShape out = { shape[0].h, shape[0].w, a->width };
    VigilNode *n =
        vigil_net_append(net, &op_attention, "attended", in, 3, out, sizeof(Attention));
    if (!n)
        return VIGIL_NONE;
    Attention *d = n->data;
    *d = (Attention) { .width = a->width,
                       .heads = a->heads,
                       .sequences = a->sequences ? (size_t)a->sequences : 1 };
    for (int i = 0; i < 3; i++) {
        d->at[i] = at[i];
        d->stride[i] = shape[i].c;
    }
    d->queries = vigil_shape_pixels(shape[0]) / d->sequences;
    d->keys = vigil_shape_pixels(shape[1]) / d->sequences;
    VigilShape weights = { .windows = (int)d->sequences,
                           .h = d->heads,
                           .w = (int)d->queries,
                           .c = (int)d->keys };
    VigilShape map = shape[a->kind == VIGIL_ATTENTION_TO_TOKENS ? 0 : 1];
    vigil_net_attention_tap(net, n, weights, a->kind,
                            a->map_height ? a->map_height : map.h,
                            a->map_width ? a->map_width : map.w);
    return n->out;
}

static size_t blocks_of(const Attention *d)
{
    return (d->queries + BLOCK - 1) / BLOCK;
}

/* Tasks are [sequence][head][block of queries]. */
static void attend_blocks(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    const Attention *d = n->data;
    size_t width = (size_t)(d->width / d->heads), blocks = blocks_of(d);
    for (size_t i = begin; i < end; i++) {
        size_t head = i / blocks % (size_t)d->heads;
        size_t sequence = i / blocks / (size_t)d->heads;
        size_t first = i % blocks * BLOCK, left = d->queries - first;
        size_t q = sequence * d->queries + first, k = sequence * d->keys;
        const float *in[3];
        for (int j = 0; j < 3; j++)
            in[j] =
                n->x[j] + (j ? k : q) * (size_t)d->stride[j] + d->at[j] + head * width;
        VigilAttention a = { .tq = left < BLOCK ? left : BLOCK,
                             .tk = d->keys,
                             .d = width,
                             .dv = width,
                             .q = in[0],
                             .k = in[1],
                             .v = in[2],
                             .ldq = (size_t)d->stride[0],
                             .ldk = (size_t)d->stride[1],
                             .ldv = (size_t)d->stride[2],
                             .o = n->y + q * (size_t)d->width + head * width,
                             .ldo = (size_t)d->width,
                             .scratch = n->scratch + (size_t)worker * n->scratch_stride,
                             .scale = 1 / sqrtf((float)width) };
        if (n->side_data)
            a.map =
                n->side_data +
                ((sequence * (size_t)d->heads + head) * d->queries + first) * d->keys;
        vigil_kernels()->attention(&a);
    }
}

static uint64_t attention_macs(const VigilNode *n)
{
    const Attention *d = n->data;
    return 2 * (uint64_t)d->sequences * d->queries * d->keys * (uint64_t)d->width;
}

static void attention_run(const VigilNode *n, VigilNet *net)
{
    const Attention *d = n->data;
    size_t tasks = d->sequences * (size_t)d->heads * blocks_of(d);
    vigil_net_parallel(net, attention_macs(n), tasks, 1, attend_blocks, n);
}

static size_t attention_scratch(const VigilNode *n)
{
    const Attention *d = n->data;
    return vigil_attention_scratch(d->queries, d->keys, (size_t)(d->width / d->heads));
}

static void attention_kind(const VigilNode *n, char *out, size_t size)
{
    const Attention *d = n->data;
    snprintf(out, size, "attention, %d heads", d->heads);
}

static const VigilOp op_attention = { .kind = attention_kind,
                                      .macs = attention_macs,
                                      .scratch = attention_scratch,
                                      .run = attention_run };
