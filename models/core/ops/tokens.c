/* Lists of tokens: those a network begins with, and one of a list. */
#include "core/op.h"

#include <stdio.h>
#include <string.h>

/* ---- Constant tokens ---------------------------------------------------------------
 */

/* Vector: weight [count][width]. */
static void tokens_bind(VigilNode *n, VigilBinder *b)
{
    uint64_t shape[] = { (uint64_t)n->out_shape.w, (uint64_t)n->out_shape.c };
    size_t size = vigil_shape_size(n->out_shape);
    char full[VIGIL_MAX_NAME];
    if ((n->weights = vigil_bind_find(b, n->name)))
        return;
    const float *weight =
        vigil_bind_tensor(b, vigil_join(full, n->name, "weight"), 2, shape);
    if (!weight)
        return;
    VigilWeights w = { .vector = vigil_calloc_aligned(size, sizeof(float)),
                       .vector_size = size };
    if (!w.vector) {
        b->status = vigil_fail_memory(&b->error, size * sizeof(float), n->name);
        return;
    }
    memcpy(w.vector, weight, size * sizeof(float));
    n->weights = vigil_bind_keep(b, n->name, &w);
}

static void tokens_run(const VigilNode *n, VigilNet *net)
{
    memcpy(n->y, n->weights->vector, vigil_shape_size(n->out_shape) * sizeof(float));
}

static void tokens_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "constant tokens");
}

static const VigilOp op_tokens = { .kind = tokens_kind,
                                   .bind = tokens_bind,
                                   .run = tokens_run };

VigilValue vigil_net_tokens(VigilNet *net, const char *name, int count, int width)
{
    VigilValue none = VIGIL_NONE;
    if (count < 1 || width < 1)
        vigil_net_fail(net, VIGIL_ERROR_SHAPE, "%s: %d tokens of %d channels", name,
                       count, width);
    VigilNode *n = vigil_net_append(net, &op_tokens, name, &none, 0,
                                    (VigilShape) { 1, count, width }, 0);
    return n ? n->out : VIGIL_NONE;
}

/* ---- One token ---------------------------------------------------------------------
 */

typedef struct Token {
    int index;
} Token;

static void token_run(const VigilNode *n, VigilNet *net)
{
    size_t c = (size_t)n->in_shape.c, index = (size_t)((Token *)n->data)->index;
    memcpy(n->y, n->x[0] + index * c, c * sizeof(float));
}

static void token_kind(const VigilNode *n, char *out, size_t size)
{
    snprintf(out, size, "token %d", ((Token *)n->data)->index);
}

static const VigilOp op_token = { .kind = token_kind, .run = token_run };

VigilValue vigil_net_token(VigilNet *net, VigilValue tokens, int index)
{
    VigilShape s = vigil_net_shape(net, tokens);
    if (index < 0 || (size_t)index >= vigil_shape_pixels(s))
        vigil_net_fail(net, VIGIL_ERROR_SHAPE, "token %d of %zu", index,
                       vigil_shape_pixels(s));
    VigilNode *n =
        vigil_net_append(net, &op_token, "token", &tokens, 1,
                         (VigilShape) { 1, 1, s.c, .vector = true }, sizeof(Token));
    if (!n)
        return VIGIL_NONE;
    ((Token *)n->data)->index = index;
    return n->out;
}
