/*
 * Which convolutions are computed together, and in strips of how many rows.
 *
 * A chain saves what its inner maps would move between a thread's cache and what lies
 * behind it; but its products read their weights for each strip again, which costs
 * more than it saves where maps are small and weights many.  Operations that follow
 * each other are cut into chains and single operations so that the bytes moved are the
 * fewest.
 */
#include "core/chain.h"

#include <string.h>

/* Of a thread for the maps of a chain.  A larger map does not stay in its cache. */
#define DEFAULT_STRIP_BYTES ((size_t)512 << 10)
/* Operations that are cut together at most. */
#define MOST_IN_A_ROW 64

/* How often a map that does not stay is moved: what was there is fetched before it is
 * written over, then it is written and read. */
#define MOVES_OF_A_MAP 3
/* Pixels for which a product reads its weights once, where they do not stay. */
#define PIXELS_A_PASS 96

/* Bytes that stay in the cache: of strips, and of strips and weights together. */
typedef struct Room {
    size_t strips, all;
} Room;

/* ---- What may follow what ---------------------------------------------------------
 */

/* [n_maps] the one operation that reads a map, -1 for none, -2 for several or for
 * somebody outside. */
static int *single_readers(VigilNet *net)
{
    int *reader = vigil_net_alloc(net, net->n_maps * sizeof *reader);
    if (!reader)
        return NULL;
    for (size_t v = 0; v < net->n_maps; v++)
        reader[v] = net->map[v].kept ? -2 : -1;
    for (size_t i = 0; i < net->n_outputs; i++)
        reader[vigil_net_output_at(net, i, NULL)] = -2;
    for (int i = 0; i < (int)net->n_nodes; i++) {
        const VigilNode *n = &net->node[i];
        if (n->dead)
            continue;
        for (int k = 0; k < n->n_in; k++)
            reader[n->in[k]] = reader[n->in[k]] == -1 ? i : -2;
        if (n->residual != VIGIL_NONE && n->residual != n->in[0])
            reader[n->residual] = reader[n->residual] == -1 ? i : -2;
    }
    return reader;
}

static bool can_be_member(const VigilNode *n)
{
    return !n->dead && n->op->rows && n->side == VIGIL_NONE && !n->in_shape.vector &&
           !n->in_shape.windows && (!n->op->has_rows || n->op->has_rows(n));
}

/* The member after `last` (node index), or -1. */
static int next_member(const VigilNet *net, const int *reader, int last)
{
    int next = reader[net->node[last].out];
    if (next < 0 || !can_be_member(&net->node[next]) ||
        net->node[next].in[0] != net->node[last].out)
        return -1;
    return next;
}

/* ---- Bytes moved ------------------------------------------------------------------
 */

static uint64_t weight_bytes(const VigilNode *n)
{
    const VigilWeights *w = n->weights;
    uint64_t bytes = w->matrix.bytes + w->n_bytes + w->vector_size * sizeof(float);
    for (size_t i = 0; i < w->n_further; i++)
        bytes += w->further[i].bytes;
    return bytes;
}

/* Of its weights, for `times` times `rows` rows of its output. */
static uint64_t weights_moved(const VigilNode *n, int rows, int times)
{
    uint64_t pixels = (uint64_t)rows * (uint64_t)n->out_shape.w;
    uint64_t passes = (pixels + PIXELS_A_PASS - 1) / PIXELS_A_PASS;
    return weight_bytes(n) * passes * (uint64_t)times;
}

static uint64_t moved_alone(const VigilNode *n, Room room)
{
    uint64_t once = weight_bytes(n);
    return once <= room.all ? once : weights_moved(n, n->out_shape.h, 1);
}

/* By the chain as it is laid out. */
static uint64_t moved_in_strips(const VigilChain *c, Room room)
{
    uint64_t once = 0, again = 0;
    int h = c->node[c->n - 1]->out_shape.h, strips = (h + c->strip - 1) / c->strip;
    for (int i = 0; i < c->n; i++) {
        const VigilNode *n = c->node[i];
        once += weight_bytes(n);
        again += weights_moved(n, (n->out_shape.h + strips - 1) / strips, strips);
    }
    return once + c->floats * sizeof(float) <= room.all ? once : again;
}

/* Of a map that is computed whole. */
static uint64_t map_moved(const VigilNode *n, Room room)
{
    uint64_t bytes = vigil_shape_size(n->out_shape) * sizeof(float);
    return bytes <= room.strips ? 0 : MOVES_OF_A_MAP * bytes;
}

/* ---- Strips -----------------------------------------------------------------------
 */

/* The most rows of its input that any `rows` rows of its output need. */
static int most_needed(const VigilNode *n, int rows)
{
    const VigilConv *c = &((const VigilConvNode *)n->data)->conv;
    int most = (rows - 1) * c->stride + (c->kernel - 1) * c->dilation + 1;
    return most < n->in_shape.h ? most : n->in_shape.h;
}

/* Lays out the memory of a thread that computes `strip` rows at a time. */
static void lay_strips(VigilChain *c, int strip)
{
    size_t at = 0, most = 0;
    c->strip = strip;
    for (int i = c->n - 1, rows = strip; i > 0; i--) {
        VigilShape s = c->node[i - 1]->out_shape;
        rows = most_needed(c->node[i], rows);
        c->at[i - 1] = at;
        at += ((size_t)rows * (size_t)s.w * (size_t)s.c + 15) & ~(size_t)15;
    }
    for (int i = 0; i < c->n; i++) {
        const VigilOp *op = c->node[i]->op;
        size_t own = op->scratch ? op->scratch(c->node[i]) : 0;
        most = own > most ? own : most;
    }
    c->own = at;
    c->floats = at + most;
}

/* Of strips that fit, and are as even as they can be, those that move least, and of
 * these the highest; returns the bytes moved. */
static uint64_t choose_strip(VigilChain *c, Room room)
{
    int h = c->node[c->n - 1]->out_shape.h, best = 1;
    uint64_t least = UINT64_MAX;
    for (int strips = h, strip; strips > 0; strips = (h - 1) / strip) {
        strip = (h - 1) / strips + 1;
        lay_strips(c, strip);
        if (strip > 1 && c->floats * sizeof(float) > room.strips)
            break;
        uint64_t moved = moved_in_strips(c, room);
        if (moved <= least) {
            least = moved;
            best = strip;
        }
    }
    lay_strips(c, best);
    return least;
}

/* ---- Cutting ----------------------------------------------------------------------
 */

static void mark(VigilNet *net, const VigilChain *found)
{
    VigilChain *chain = vigil_net_alloc(net, sizeof *chain);
    if (!chain)
        return;
    *chain = *found;
    chain->last = (int)(chain->node[chain->n - 1] - net->node);
    for (int i = 0; i < chain->n; i++)
        chain->node[i]->chain = chain;
}

/* The best way to cut what comes before some operation. */
typedef struct Cut {
    uint64_t moved;
    VigilChain last; /* ends before that operation; one alone is no chain */
} Cut;

/* The best cut of operations 0..end-1, where those of fewer are known. */
static Cut best_cut(const Cut *cut, VigilNode *const *node, int end, Room room)
{
    Cut best = { UINT64_MAX, { 0 } };
    for (int n = 1; n <= end && n <= VIGIL_MAX_CHAIN; n++) {
        Cut c = { 0, { .n = n } };
        memcpy(c.last.node, node + end - n, (size_t)n * sizeof(VigilNode *));
        c.moved =
            n == 1 ? moved_alone(node[end - 1], room) : choose_strip(&c.last, room);
        if (n < end)
            c.moved += cut[end - n].moved + map_moved(node[end - n - 1], room);
        if (c.moved < best.moved)
            best = c;
    }
    return best;
}

/* Makes chains of n operations that follow each other. */
static void make_chains(VigilNet *net, VigilNode *const *node, int n, Room room)
{
    Cut cut[MOST_IN_A_ROW + 1]; /* before operation i, the first left out */
    for (int end = 1; end <= n; end++)
        cut[end] = best_cut(cut, node, end, room);
    for (int end = n; end > 0; end -= cut[end].last.n)
        if (cut[end].last.n > 1)
            mark(net, &cut[end].last);
}

void vigil_net_chain(VigilNet *net)
{
    size_t strips =
        net->config.strip_bytes ? net->config.strip_bytes : DEFAULT_STRIP_BYTES;
    const Room room = { strips, strips + strips / 2 };
    const int *reader = single_readers(net);
    bool *seen = vigil_net_alloc(net, net->n_nodes * sizeof *seen);
    for (int i = 0; reader && seen && i < (int)net->n_nodes; i++) {
        VigilNode *row[MOST_IN_A_ROW];
        int n = 0;
        if (seen[i] || !can_be_member(&net->node[i]))
            continue;
        for (int at = i; at >= 0 && n < MOST_IN_A_ROW;
             at = next_member(net, reader, at)) {
            seen[at] = true;
            row[n++] = &net->node[at];
        }
        make_chains(net, row, n, room);
    }
}
