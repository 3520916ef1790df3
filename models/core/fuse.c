/*
 * Merges that are exact in algebra: they drop a pass over a map and change results by
 * rounding only.
 *
 *   batch norm -> 1 x 1 convolution   the norm goes into the weights (no padding there)
 *   convolution -> activation         the activation goes into the epilogue
 *   convolution -> sum                the other summand goes into the epilogue
 *   convolution -> dynamic ReLU       it is applied to pixels that are still near
 *   two linear 1 x 1 convolutions     one, with the product of their matrices, where
 *                                     that is less to multiply
 *   1 x 1 convolution -> mean         the mean first: one pixel to multiply
 *   1 x 1 convolution -> separable    keys are projected after they are summed up,
 *   attention                         which is linear, too
 */
#include "core/ops/conv.h"

#include <stdlib.h>
#include <string.h>

typedef struct Uses {
    int *readers;  /* [n_maps] how many nodes read it */
    bool *visible; /* [n_maps] somebody outside looks at it */
} Uses;

static bool count_uses(const VigilNet *net, const char *const *keep, size_t n_keep,
                       Uses *u)
{
    u->readers = calloc(net->n_maps + 1, sizeof *u->readers);
    u->visible = calloc(net->n_maps + 1, sizeof *u->visible);
    if (!u->readers || !u->visible)
        return false;
    for (size_t i = 0; i < net->n_nodes; i++)
        for (int k = 0; k < net->node[i].n_in; k++)
            u->readers[net->node[i].in[k]]++;
    for (size_t i = 0; i < net->n_outputs; i++)
        u->visible[net->output[i].value] = true;
    for (size_t i = 0; i < n_keep; i++) {
        VigilValue v = vigil_net_find(net, keep[i]);
        if (v != VIGIL_NONE)
            u->visible[v] = true;
    }
    return true;
}

static bool only_reader(const Uses *u, VigilValue v)
{
    return u->readers[v] == 1 && !u->visible[v];
}

static void merge_norm(VigilNet *net, VigilNode *conv, const Uses *u)
{
    VigilConvNode *c = conv->data;
    int p = net->map[conv->in[0]].producer;
    if (conv->op != &vigil_op_conv || c->conv.kernel != 1 || c->conv.stride != 1 ||
        c->conv.groups != 1 || p < 0)
        return;
    VigilNode *norm = &net->node[p];
    if (norm->op != &vigil_op_batch_norm || !only_reader(u, norm->out))
        return;
    c->pre_norm = norm->name;
    c->pre_eps = ((VigilNormNode *)norm->data)->eps;
    conv->in[0] = norm->in[0];
    norm->dead = true;
}

/* The convolution that computes v and may do more in its epilogue, or NULL. */
static VigilNode *convolution_of(VigilNet *net, VigilValue v)
{
    int p = net->map[v].producer;
    VigilNode *n = p < 0 ? NULL : &net->node[p];
    bool conv = n && (n->op == &vigil_op_conv || n->op == &vigil_op_depthwise ||
                      n->op == &vigil_op_winograd);
    return conv && n->residual == VIGIL_NONE && !vigil_conv_has_slopes(n) ? n : NULL;
}

/* The node that computes v if it is a 1 x 1 convolution with neither activation nor
 * residual which only one node reads, or NULL. */
static VigilNode *linear_before(VigilNet *net, VigilValue v, const Uses *u)
{
    int p = net->map[v].producer;
    VigilNode *n = p < 0 ? NULL : &net->node[p];
    if (!n || !vigil_conv_is_matrix(n) || n->residual != VIGIL_NONE ||
        vigil_conv_has_slopes(n) || !only_reader(u, v))
        return NULL;
    return ((VigilConvNode *)n->data)->conv.activation == VIGIL_LINEAR ? n : NULL;
}

/* n reads what `before` read. */
static void skip_over(VigilNode *n, VigilNode *before)
{
    n->in[0] = before->in[0];
    n->in_shape = before->in_shape;
    before->dead = true;
}

static void merge_product(VigilNet *net, VigilNode *n, const Uses *u)
{
    VigilNode *first = vigil_conv_is_matrix(n) ? linear_before(net, n->in[0], u) : NULL;
    if (!first || ((VigilConvNode *)first->data)->first)
        return;
    uint64_t in = (uint64_t)first->in_shape.c, mid = (uint64_t)first->out_shape.c;
    uint64_t out = (uint64_t)n->out_shape.c;
    if (in * out >= mid * (in + out))
        return;
    ((VigilConvNode *)n->data)->first = first;
    skip_over(n, first);
}

static void swap_mean(VigilNet *net, VigilNode *mean, const Uses *u)
{
    VigilNode *conv = linear_before(net, mean->in[0], u);
    if (!conv)
        return;
    VigilNode earlier = *mean, later = *conv;
    earlier.in[0] = conv->in[0];
    earlier.in_shape = conv->in_shape;
    earlier.out = conv->out;
    earlier.out_shape.c = conv->in_shape.c;
    later.in[0] = conv->out;
    later.in_shape = earlier.out_shape;
    later.out = mean->out;
    later.out_shape = mean->out_shape;
    net->map[earlier.out].shape = earlier.out_shape;
    net->map[earlier.out].name = "";
    *conv = earlier;
    *mean = later;
}

static void merge_projection(VigilNet *net, VigilNode *attention, const Uses *u)
{
    VigilNode *projection = linear_before(net, attention->in[0], u);
    if (!projection || ((VigilConvNode *)projection->data)->first)
        return;
    ((VigilSeparableNode *)attention->data)->projection = projection;
    skip_over(attention, projection);
}

/* What `later` computes is from now on what n computes. */
static void take_over(VigilNet *net, VigilNode *n, VigilNode *later, Uses *u)
{
    net->map[n->out].name = net->map[later->out].name;
    net->map[later->out].moved = n->out;
    u->readers[n->out] = u->readers[later->out];
    u->visible[n->out] = u->visible[later->out];
    later->dead = true;
}

static void merge_activation(VigilNet *net, VigilNode *act, Uses *u)
{
    VigilNode *n = convolution_of(net, act->in[0]);
    VigilConvNode *c = n ? n->data : NULL;
    if (!n || c->conv.activation != VIGIL_LINEAR || !only_reader(u, n->out))
        return;
    c->conv.activation = ((VigilActivateNode *)act->data)->activation;
    take_over(net, n, act, u);
}

/* The convolution takes the place of the ReLU, where its slopes are there. */
static void merge_dynamic_relu(VigilNet *net, VigilNode *relu, const Uses *u)
{
    VigilNode *n = convolution_of(net, relu->in[0]);
    if (!n || ((VigilConvNode *)n->data)->conv.activation != VIGIL_LINEAR ||
        !only_reader(u, n->out) || n->op == &vigil_op_winograd)
        return;
    VigilNode merged = *n;
    merged.in[merged.n_in++] = relu->in[1];
    merged.out = relu->out;
    n->dead = true;
    *relu = merged;
}

/* `late` is computed last of the two summands and only for the sum. */
static bool merge_sum(VigilNet *net, VigilNode *add, int late, Uses *u)
{
    VigilNode *n = convolution_of(net, add->in[late]);
    VigilValue other = add->in[1 - late];
    if (!n || !only_reader(u, n->out) ||
        net->map[other].producer >= net->map[n->out].producer)
        return false;
    n->residual = other;
    take_over(net, n, add, u);
    return true;
}

VigilStatus vigil_net_fuse(VigilNet *net, const char *const *keep, size_t n_keep,
                           VigilError *error)
{
    Uses u = { 0 };
    VigilStatus status = vigil_net_status(net, error);
    net->macs = vigil_net_macs(net);
    if (status == VIGIL_OK && !count_uses(net, keep, n_keep, &u))
        status = vigil_fail_memory(error, net->n_maps, "merging operations");
    for (size_t i = 0; status == VIGIL_OK && i < net->n_nodes; i++) {
        VigilNode *n = &net->node[i];
        for (int k = 0; k < n->n_in; k++)
            n->in[k] = vigil_net_resolve(net, n->in[k]);
        merge_norm(net, n, &u);
        merge_product(net, n, &u);
        if (n->op == &vigil_op_mean)
            swap_mean(net, n, &u);
        if (n->op == &vigil_op_separable_attention)
            merge_projection(net, n, &u);
        if (n->op == &vigil_op_activate)
            merge_activation(net, n, &u);
        if (n->op == &vigil_op_dynamic_relu)
            merge_dynamic_relu(net, n, &u);
        if (n->op == &vigil_op_add && !merge_sum(net, n, 1, &u))
            merge_sum(net, n, 0, &u);
    }
    free(u.readers);
    free(u.visible);
    return status;
}
