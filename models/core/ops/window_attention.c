/*
 * Window attention of EMO (Zhang et al., ICCV 2023, section 3.2).
 *
 * The map is cut into n1 x n2 interleaved windows of w x w pixels, n1 = ceil(H / w):
 * pixel (y, x) belongs to window (y mod n1, x mod n2).  Inside a window every head
 * attends to all pixels; queries and keys are projections of x, the values are x
 * itself.
 *
 * Where H or W is no multiple of w the original pads x with zeros below and to the
 * right and does not mask them.  A padded pixel has value 0, and key equal to the key
 * bias; that bias adds the same amount to every logit of a query, so it is dropped, and
 * the padded keys have logit 0.  They are counted in the softmax and never stored;
 * unless the weights of all pairs are tapped: then padded pixels are gathered as zeros.
 */
#include "core/op.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Windows {
    int heads, window;
} Windows;

static const VigilOp op_window_attention;

static size_t window_count(const VigilNode *n)
{
    int w = ((Windows *)n->data)->window;
    return (size_t)((n->in_shape.h + w - 1) / w) *
           (size_t)((n->in_shape.w + w - 1) / w);
}

VigilValue vigil_net_window_attention(VigilNet *net, VigilValue x, const char *name,
                                      int heads, int window)
{
    VigilShape s = vigil_net_shape(net, x);
    if (heads < 1 || s.c % heads)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE, "%d channels in %d heads", s.c, heads);
    if (window < 1)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE, "windows of %d x %d pixels", window,
                       window);
    VigilNode *n =
        vigil_net_append(net, &op_window_attention, name, &x, 1, s, sizeof(Windows));
    if (!n)
        return VIGIL_NONE;
    *(Windows *)n->data = (Windows) { heads, window };
    VigilShape weights = { .windows = (int)window_count(n),
                           .h = heads,
                           .w = window * window,
                           .c = window * window };
    vigil_net_attention_tap(net, n, weights, VIGIL_ATTENTION_WINDOWS, s.h, s.w);
    return n->out;
}

/* Matrix: [q; k] of c rows each; vector: the q half of the bias, then zeros. */
static void attention_bind(VigilNode *n, VigilBinder *b)
{
    size_t c = (size_t)n->in_shape.c;
    uint64_t shape[] = { 2 * c, c, 1, 1 };
    char full[VIGIL_MAX_NAME];
    if ((n->weights = vigil_bind_find(b, n->name)))
        return;
    const float *w =
        vigil_bind_tensor(b, vigil_join(full, n->name, "weight"), 4, shape);
    const float *bias =
        vigil_bind_tensor(b, vigil_join(full, n->name, "bias"), 1, shape);
    if (!w || !bias)
        return;
    VigilWeights out = { .vector = vigil_calloc_aligned(2 * c, sizeof(float)),
                         .vector_size = 2 * c };
    if (!out.vector) {
        b->status = vigil_fail_memory(&b->error, 2 * c * sizeof(float), n->name);
        return;
    }
    memcpy(out.vector, bias, c * sizeof(float));
    b->status = vigil_packed_init(&out.matrix, w, 2 * c, c, c, 1, &b->slabs, &b->error);
    if (b->status == VIGIL_OK)
        n->weights = vigil_bind_keep(b, n->name, &out);
    else
        free(out.vector);
}

/* Pixels of one window, gathered: x [t][c], o [t][c], q and k [t][2c]. */
typedef struct Gathered {
    float *x, *qk, *o, *attention;
} Gathered;

static size_t most_tokens(const VigilNode *n)
{
    size_t w = (size_t)((Windows *)n->data)->window;
    return w * w;
}

static Gathered gathered(const VigilNode *n, int worker)
{
    size_t c = (size_t)n->in_shape.c, t = (most_tokens(n) + 15) & ~(size_t)15;
    float *p = n->scratch + (size_t)worker * n->scratch_stride;
    return (Gathered) {
        .x = p, .o = p + t * c, .qk = p + 2 * t * c, .attention = p + 4 * t * c
    };
}

static size_t attention_scratch(const VigilNode *n)
{
    size_t c = (size_t)n->in_shape.c, t = (most_tokens(n) + 15) & ~(size_t)15;
    size_t d = c / (size_t)((Windows *)n->data)->heads;
    return 4 * t * c + vigil_attention_scratch(t, t, d);
}

static void attend(const VigilNode *n, const Gathered *g, size_t tokens, float *map)
{
    const Windows *win = n->data;
    size_t c = (size_t)n->in_shape.c, d = c / (size_t)win->heads;
    for (size_t h = 0; h < (size_t)win->heads; h++) {
        VigilAttention a = { .tq = tokens,
                             .tk = tokens,
                             .d = d,
                             .dv = d,
                             .q = g->qk + h * d,
                             .k = g->qk + c + h * d,
                             .v = g->x + h * d,
                             .ldq = 2 * c,
                             .ldk = 2 * c,
                             .ldv = c,
                             .ldo = c,
                             .o = g->o + h * d,
                             .scratch = g->attention,
                             .scale = 1 / sqrtf((float)d),
                             .extra_zero_keys = most_tokens(n) - tokens };
        if (map)
            a.map = map + h * tokens * tokens;
        vigil_kernels()->attention(&a);
    }
}

/* Copies the pixels of window (a, b) out of a map, or back into it; `padded`: with
 * those outside of the map, as zeros. */
static size_t move_window(const VigilNode *n, int a, int b, float *map, float *rows,
                          bool back, bool padded)
{
    VigilShape s = n->in_shape;
    int w = ((Windows *)n->data)->window;
    int n1 = (s.h + w - 1) / w, n2 = (s.w + w - 1) / w;
    size_t t = 0, bytes = (size_t)s.c * sizeof(float);
    for (int i = 0; i < w; i++)
        for (int j = 0; j < w; j++) {
            int y = i * n1 + a, x = j * n2 + b;
            bool inside = y < s.h && x < s.w;
            float *row = rows + t * (size_t)s.c;
            if (inside) {
                float *pixel = map + ((size_t)y * s.w + x) * s.c;
                memcpy(back ? pixel : row, back ? row : pixel, bytes);
            } else if (!back && padded) {
                memset(row, 0, bytes);
            }
            t += inside || padded;
        }
    return t;
}

static void attention_windows(void *context, size_t begin, size_t end, int worker)
{
    const VigilNode *n = context;
    int w = ((Windows *)n->data)->window, n2 = (n->in_shape.w + w - 1) / w;
    size_t c = (size_t)n->in_shape.c;
    size_t t = most_tokens(n), map_size = t * t * (size_t)((Windows *)n->data)->heads;
    Gathered g = gathered(n, worker);
    VigilEpilogue e = { .bias = n->weights->vector };
    for (size_t i = begin; i < end; i++) {
        int a = (int)i / n2, b = (int)i % n2;
        float *map = n->side_data ? n->side_data + i * map_size : NULL;
        size_t tokens = move_window(n, a, b, (float *)n->x[0], g.x, false, map);
        vigil_gemm(&n->weights->matrix, g.x, c, tokens, g.qk, 2 * c, &e);
        attend(n, &g, tokens, map);
        move_window(n, a, b, n->y, g.o, true, map);
    }
}

/* As the reference counts: the projection of all pixels, and both products of whole
 * windows. */
static uint64_t attention_macs(const VigilNode *n)
{
    uint64_t c = (uint64_t)n->in_shape.c, t = most_tokens(n);
    uint64_t pixels = t * window_count(n);
    return pixels * 2 * c * c + pixels * t * 2 * c;
}

static void attention_run(const VigilNode *n, VigilNet *net)
{
    vigil_net_parallel(net, attention_macs(n), window_count(n), 1, attention_windows,
                       n);
}

static void attention_kind(const VigilNode *n, char *out, size_t size)
{
    const Windows *win = n->data;
    snprintf(out, size, "attention %dx%d, %d heads", win->window, win->window,
             win->heads);
}

static const VigilOp op_window_attention = { .kind = attention_kind,
                                             .bind = attention_bind,
                                             .macs = attention_macs,
                                             .scratch = attention_scratch,
                                             .run = attention_run };
