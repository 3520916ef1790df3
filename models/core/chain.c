#include "core/chain.h"
#include "core/clock.h"
#include "core/threads.h"

#include <string.h>

/* ---- Which rows an operation needs ------------------------------------------------
 */

typedef struct Range {
    int begin, end;
} Range;

/* Rows of its input, of those that exist. */
static Range rows_needed(const VigilNode *n, Range out)
{
    const VigilConv *c = &((const VigilConvNode *)n->data)->conv;
    int pad = (c->kernel - 1) / 2 * c->dilation;
    int begin = out.begin * c->stride - pad;
    int end = (out.end - 1) * c->stride - pad + (c->kernel - 1) * c->dilation + 1;
    return (Range) { begin < 0 ? 0 : begin, end > n->in_shape.h ? n->in_shape.h : end };
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
