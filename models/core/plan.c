/*
 * One arena for all maps: each lives from the operation that writes it to the last one
 * that reads it, and two that do not live at the same time may share memory.
 */
#include "core/chain.h"

#include <stdlib.h>

typedef struct Block {
    size_t floats, offset;
    int first, last; /* nodes, inclusive */
    VigilMap *map;   /* NULL: scratch */
    VigilNode *node;
} Block;

static size_t rounded(size_t floats)
{
    size_t step = VIGIL_ALIGN / sizeof(float);
    return (floats + step - 1) & ~(step - 1);
}

static bool exists(const VigilNet *net, const VigilMap *m)
{
    const VigilNode *from = m->producer < 0 ? NULL : &net->node[m->producer];
    if (m->moved != VIGIL_NONE || (from && (from->dead || vigil_inlined(from))))
        return false;
    return m->kept || !m->on_demand;
}

static void mark_kept(VigilNet *net, const char *const *keep, size_t n_keep)
{
    for (size_t i = 0; i < n_keep; i++) {
        VigilValue v = vigil_net_find(net, keep[i]);
        if (v != VIGIL_NONE)
            net->map[v].kept = true;
    }
}

static void drop_optional(VigilNet *net)
{
    for (size_t v = 0; v < net->n_maps; v++) {
        const VigilMap *m = &net->map[v];
        if (m->optional && !m->kept)
            net->node[m->producer].dead = true;
    }
}

static void read_by(Block *block, const VigilNode *n, int node)
{
    int at = n->chain ? n->chain->last : node;
    block->last = block->last > at ? block->last : at;
}

static void map_blocks(VigilNet *net, Block *block)
{
    for (size_t v = 0; v < net->n_maps; v++) {
        VigilMap *m = &net->map[v];
        block[v] =
            (Block) { .floats =
                          exists(net, m) ? rounded(vigil_shape_size(m->shape)) : 0,
                      .first = m->producer < 0 ? 0 : m->producer,
                      .last = m->producer < 0 ? 0 : m->producer,
                      .map = m };
    }
    for (size_t i = 0; i < net->n_nodes; i++) {
        const VigilNode *n = &net->node[i];
        if (n->dead)
            continue;
        for (int k = 0; k < n->n_in; k++)
            read_by(&block[n->in[k]], n, (int)i);
        if (n->residual != VIGIL_NONE)
            read_by(&block[n->residual], n, (int)i);
    }
    block[0].last = (int)net->n_nodes; /* the input: it may be run again as it is */
    for (size_t i = 0; i < net->n_outputs; i++)
        block[vigil_net_output_at(net, i, NULL)].last = (int)net->n_nodes;
    for (size_t v = 0; v < net->n_maps; v++)
        if (net->map[v].kept)
            block[v].last = (int)net->n_nodes;
}

static size_t scratch_blocks(VigilNet *net, int threads, Block *block)
{
    size_t n = 0;
    for (size_t i = 0; i < net->n_nodes; i++) {
        VigilNode *node = &net->node[i];
        if (node->dead || vigil_inlined(node) || (!node->chain && !node->op->scratch))
            continue;
        node->scratch_stride =
            rounded(node->chain ? node->chain->floats : node->op->scratch(node));
        block[n++] = (Block) { .floats = node->scratch_stride * (size_t)threads,
                               .first = (int)i,
                               .last = (int)i,
                               .node = node };
    }
    return n;
}

static int larger_first(const void *a, const void *b)
{
    const Block *x = *(Block *const *)a, *y = *(Block *const *)b;
    if (x->floats != y->floats)
        return x->floats < y->floats ? 1 : -1;
    return x->first - y->first;
}

/* The lowest offset at which b fits beside those placed before it that live with it. */
static void place(Block **placed, size_t n, Block *b)
{
    size_t at = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < n; i++) {
            const Block *p = placed[i];
            if (p->first <= b->last && b->first <= p->last && p->floats &&
                at < p->offset + p->floats && p->offset < at + b->floats) {
                at = p->offset + p->floats;
                moved = true;
            }
        }
    }
    b->offset = at;
}

static void finish_nodes(VigilNet *net)
{
    for (size_t i = 0; i < net->n_nodes; i++) {
        VigilNode *n = &net->node[i];
        if (n->dead)
            continue;
        for (int k = 0; k < n->n_in; k++)
            n->x[k] = vigil_net_data(net, n->in[k]);
        n->r = n->residual == VIGIL_NONE ? NULL : vigil_net_data(net, n->residual);
        n->y = vigil_inlined(n) ? NULL : net->arena + net->map[n->out].offset;
        if (n->side != VIGIL_NONE && net->map[n->side].kept)
            n->side_data = net->arena + net->map[n->side].offset;
        n->op->kind(n, n->kind, sizeof n->kind);
    }
}

static bool fits(const VigilNet *net)
{
    for (size_t v = 0; v < net->n_maps; v++) {
        VigilShape s = net->map[v].shape;
        size_t n;
        if (!exists(net, &net->map[v]))
            continue;
        if (!vigil_size_mul((size_t)s.h, (size_t)s.w, &n) ||
            !vigil_size_mul(n, (size_t)s.c, &n) ||
            !vigil_size_mul(n, s.windows ? (size_t)s.windows : 1, &n) ||
            n > SIZE_MAX / 64)
            return false;
    }
    return true;
}

static void lay_out(VigilNet *net, Block *block, Block **order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = &block[i];
    qsort(order, n, sizeof *order, larger_first);
    for (size_t i = 0; i < n; i++) {
        Block *b = order[i];
        place(order, i, b);
        if (b->offset + b->floats > net->arena_floats)
            net->arena_floats = b->offset + b->floats;
        if (b->map)
            b->map->offset = b->offset;
    }
}

VigilStatus vigil_net_plan(VigilNet *net, const char *const *keep, size_t n_keep,
                           int threads, VigilError *error)
{
    size_t most = net->n_maps + net->n_nodes, n;
    Block *block = calloc(most, sizeof *block);
    Block **order = calloc(most, sizeof *order);
    VigilStatus status = VIGIL_OK;
    mark_kept(net, keep, n_keep);
    drop_optional(net);
    vigil_net_chain(net);
    if (vigil_net_status(net, error) != VIGIL_OK) {
        status = vigil_net_status(net, error);
    } else if (!block || !order) {
        status = vigil_fail_memory(error, most * sizeof *block, "planning memory");
    } else if (!fits(net)) {
        status = vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                            "an input of %d x %d needs more memory than there can be",
                            net->config.height, net->config.width);
    } else {
        map_blocks(net, block);
        n = net->n_maps + scratch_blocks(net, threads, block + net->n_maps);
        lay_out(net, block, order, n);
        net->threads = net->most_threads = threads;
        net->arena = vigil_calloc_aligned(net->arena_floats, sizeof(float));
        if (!net->arena)
            status = vigil_fail_memory(error, vigil_net_arena_bytes(net), "the arena");
    }
    for (size_t i = net ? net->n_maps : 0; status == VIGIL_OK && i < most; i++)
        if (block[i].node)
            block[i].node->scratch = net->arena + block[i].offset;
    if (status == VIGIL_OK)
        finish_nodes(net);
    free(block);
    free(order);
    return status;
}
