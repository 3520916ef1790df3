#include "core/chain.h"
#include "core/clock.h"
#include "core/threads.h"

#include <string.h>

/* Maps that are together smaller stay in a thread's cache as they are. */
#define DEFAULT_STRIP_BYTES ((size_t)512 << 10)

/* ---- Which rows an operation needs ------------------------------------------------
 */

typedef struct Range {
    int begin, end;
} Range;

static const VigilConv *conv_of(const VigilNode *n)
{
    return &((const VigilConvNode *)n->data)->conv;
}

/* Rows of its input, of those that exist. */
static Range rows_needed(const VigilNode *n, Range out)
{
    const VigilConv *c = conv_of(n);
    int pad = (c->kernel - 1) / 2 * c->dilation;
    int begin = out.begin * c->stride - pad;
    int end = (out.end - 1) * c->stride - pad + (c->kernel - 1) * c->dilation + 1;
    return (Range) { begin < 0 ? 0 : begin, end > n->in_shape.h ? n->in_shape.h : end };
}

/* The most of these for any `rows` rows of its output. */
static int most_needed(const VigilNode *n, int rows)
{
    const VigilConv *c = conv_of(n);
    int most = (rows - 1) * c->stride + (c->kernel - 1) * c->dilation + 1;
    return most < n->in_shape.h ? most : n->in_shape.h;
}

/* ---- Finding chains ---------------------------------------------------------------
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

static size_t map_bytes(const VigilNode *n)
{
    return vigil_shape_size(n->out_shape) * sizeof(float);
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

/* The highest strips that fit. */
static void choose_strip(VigilChain *c, size_t bytes)
{
    int h = c->node[c->n - 1]->out_shape.h, low = 1;
    for (int high = h; low < high;) {
        int middle = low + (high - low + 1) / 2;
        lay_strips(c, middle);
        if (c->floats <= bytes / sizeof(float))
            low = middle;
        else
            high = middle - 1;
    }
    /* As even as they can be. */
    int strips = (h + low - 1) / low;
    lay_strips(c, (h + strips - 1) / strips);
}

/* The chain from node `first` on, where there is one worth it. */
static void chain_from(VigilNet *net, const int *reader, int first, size_t bytes)
{
    VigilChain found = { .n = 1, .node = { &net->node[first] } };
    size_t held = 0;
    for (int at = first; found.n < VIGIL_MAX_CHAIN; found.n++) {
        size_t own = map_bytes(&net->node[at]);
        if ((at = next_member(net, reader, at)) < 0)
            break;
        held += own;
        found.node[found.n] = &net->node[at];
    }
    if (found.n < 2 || held <= bytes)
        return;
    VigilChain *chain = vigil_net_alloc(net, sizeof *chain);
    if (!chain)
        return;
    *chain = found;
    choose_strip(chain, bytes);
    chain->last = (int)(chain->node[chain->n - 1] - net->node);
    for (int i = 0; i < chain->n; i++)
        chain->node[i]->chain = chain;
}

void vigil_net_chain(VigilNet *net)
{
    size_t bytes =
        net->config.strip_bytes ? net->config.strip_bytes : DEFAULT_STRIP_BYTES;
    const int *reader = single_readers(net);
    for (int i = 0; reader && i < (int)net->n_nodes; i++) {
        const VigilNode *n = &net->node[i];
        if (can_be_member(n) && !n->chain)
            chain_from(net, reader, i, bytes);
    }
}

/* ---- Running ----------------------------------------------------------------------
 */

typedef struct Run {
    const VigilChain *chain;
    bool timed;
} Run;

/* A thread's view of a chain. */
typedef struct Strips {
    const VigilChain *chain;
    float *memory;
    Range held[VIGIL_MAX_CHAIN]; /* rows of each map but the last */
    bool timed;
} Strips;

/* Rows `want` of member i, whose inputs are there. */
static void compute(Strips *s, int i, Range want)
{
    const VigilChain *c = s->chain;
    VigilNode *n = c->node[i];
    uint64_t start = s->timed ? vigil_now() : 0;
    VigilRows rows = {
        .x = n->x[0], .r = n->r, .y = n->y, .scratch = s->memory + c->own
    };
    if (i > 0) {
        rows.x = s->memory + c->at[i - 1];
        rows.first_x = s->held[i - 1].begin;
        if (n->residual == n->in[0]) {
            rows.r = rows.x;
            rows.first_r = rows.first_x;
        }
    }
    if (i < c->n - 1) {
        rows.y = s->memory + c->at[i];
        rows.first_y = s->held[i].begin;
    }
    n->op->rows(n, &rows, want.begin, want.end);
    if (s->timed)
        n->nanoseconds += vigil_now() - start;
}

/* Lets go of the rows of map i below `begin`. */
static void forget(Strips *s, int i, int begin)
{
    Range *held = &s->held[i];
    VigilShape shape = s->chain->node[i]->out_shape;
    size_t row = (size_t)shape.w * (size_t)shape.c;
    float *map = s->memory + s->chain->at[i];
    if (begin >= held->end)
        held->end = begin;
    else if (begin > held->begin)
        memmove(map, map + (size_t)(begin - held->begin) * row,
                (size_t)(held->end - begin) * row * sizeof(float));
    held->begin = begin;
}

/* What all members must compute so that rows `want` of the last are there. */
static void compute_strip(Strips *s, Range want)
{
    const VigilChain *c = s->chain;
    Range todo[VIGIL_MAX_CHAIN];
    todo[c->n - 1] = want;
    for (int i = c->n - 1; i > 0; i--) {
        Range need = rows_needed(c->node[i], todo[i]);
        forget(s, i - 1, need.begin);
        todo[i - 1] = (Range) { s->held[i - 1].end, need.end };
    }
    for (int i = 0; i < c->n; i++) {
        if (todo[i].begin < todo[i].end)
            compute(s, i, todo[i]);
        if (i < c->n - 1 && todo[i].end > s->held[i].end)
            s->held[i].end = todo[i].end;
    }
}

static void strips(void *context, size_t begin, size_t end, int worker)
{
    const Run *run = context;
    const VigilChain *c = run->chain;
    const VigilNode *last = c->node[c->n - 1];
    Strips s = { .chain = c,
                 .memory = last->scratch + (size_t)worker * last->scratch_stride,
                 .timed = run->timed && worker == 0 };
    int h = last->out_shape.h;
    for (size_t i = begin; i < end; i++) {
        Range want = { (int)i * c->strip, (int)(i + 1) * c->strip };
        want.end = want.end < h ? want.end : h;
        compute_strip(&s, want);
    }
}

void vigil_chain_run(const VigilChain *chain, VigilNet *net)
{
    int h = chain->node[chain->n - 1]->out_shape.h;
    size_t count = (size_t)((h + chain->strip - 1) / chain->strip);
    Run run = { chain, net->timed };
    /* Where a range begins, rows are computed that the range before has too: few. */
    size_t ranges = 2 * (size_t)net->threads;
    vigil_parallel_large(net->threads, count, (count + ranges - 1) / ranges, strips,
                         &run);
}
