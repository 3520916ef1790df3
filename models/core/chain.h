/*
 * Convolutions one after the other, computed in strips of rows.
 *
 * An expansion makes a map several times as large as the block's input, only for a
 * depth-wise convolution to read it once.  Computed whole, such maps go out to a slow
 * cache and come back.  A chain computes a few rows of its last map at a time and, of
 * the maps before it, the rows that these need; rows that the next strip needs again
 * stay.  What is computed, and in which order, is the same: so are the results, bit by
 * bit.
 *
 * A chain's earlier operations are `inlined`: its last one runs them.  Their maps are
 * nobody else's and have no place in the arena but these strips, in its scratch memory.
 */
#ifndef VIGIL_CORE_CHAIN_H
#define VIGIL_CORE_CHAIN_H

#include "core/op.h"

#define VIGIL_MAX_CHAIN 8

/* What an operation reads and writes when it computes some rows: of each map the rows
 * from a first one on. */
typedef struct VigilRows {
    const float *x, *r; /* input and residual (or NULL) */
    float *y, *scratch;
    int first_x, first_r, first_y; /* rows that these point to */
} VigilRows;

struct VigilChain {
    int n;
    VigilNode *node[VIGIL_MAX_CHAIN];
    int strip;                  /* rows of the last map at a time */
    int last;                   /* index of node[n - 1], which runs them all */
    size_t at[VIGIL_MAX_CHAIN]; /* rows of each map but the last, in floats of a
                                   thread's scratch memory */
    size_t own;                 /* behind them: scratch of the operations */
    size_t floats;              /* of scratch that each thread needs */
};

static inline bool vigil_inlined(const VigilNode *n)
{
    return n->chain && n->chain->node[n->chain->n - 1] != n;
}

/* Finds the chains of a net whose weights are bound and kept maps are marked, and marks
 * what they inline; sticks as an error of the net when out of memory. */
void vigil_net_chain(VigilNet *net);

void vigil_chain_run(const VigilChain *chain, VigilNet *net);

#endif
