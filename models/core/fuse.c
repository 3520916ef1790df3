/*
 * Merges that are exact in algebra: they drop a pass over a map and change results by
 * rounding only.
 *
 *   batch norm -> 1 x 1 convolution   the norm goes into the weights (no padding there)
 *   convolution -> sum                the other summand goes into the epilogue
 */
#include "core/op.h"

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
        p < 0)
        return;
    VigilNode *norm = &net->node[p];
    if (norm->op != &vigil_op_batch_norm || !only_reader(u, norm->out))
        return;
    c->pre_norm = norm->name;
    c->pre_eps = ((VigilNormNode *)norm->data)->eps;
    conv->in[0] = norm->in[0];
    norm->dead = true;
}

/* `late` is computed last of the two summands and only for the sum. */
static bool merge_sum(VigilNet *net, VigilNode *add, int late, Uses *u)
{
    int p = net->map[add->in[late]].producer;
    VigilValue other = add->in[1 - late];
    if (p < 0 || !only_reader(u, add->in[late]) || net->map[other].producer >= p)
        return false;
    VigilNode *n = &net->node[p];
    if ((n->op != &vigil_op_conv && n->op != &vigil_op_depthwise) ||
        n->residual != VIGIL_NONE)
        return false;
    n->residual = other;
    net->map[n->out].name = net->map[add->out].name;
    net->map[add->out].moved = n->out;
    u->readers[n->out] = u->readers[add->out];
    u->visible[n->out] = u->visible[add->out];
    add->dead = true;
    return true;
}

VigilStatus vigil_net_fuse(VigilNet *net, const char *const *keep, size_t n_keep,
                           VigilError *error)
{
    Uses u = { 0 };
    VigilStatus status = vigil_net_status(net, error);
    if (status == VIGIL_OK && !count_uses(net, keep, n_keep, &u))
        status = vigil_fail_memory(error, net->n_maps, "merging operations");
    for (size_t i = 0; status == VIGIL_OK && i < net->n_nodes; i++) {
        VigilNode *n = &net->node[i];
        for (int k = 0; k < n->n_in; k++)
            n->in[k] = vigil_net_resolve(net, n->in[k]);
        merge_norm(net, n, &u);
        if (n->op == &vigil_op_add && !merge_sum(net, n, 1, &u))
            merge_sum(net, n, 0, &u);
    }
    free(u.readers);
    free(u.visible);
    return status;
}
