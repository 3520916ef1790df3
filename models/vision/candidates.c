/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both are a heap with the worst candidate on top: what is offered has to beat it, and
 * taken off one after the other the worst fill an array from its end. */
#include "vision/candidates.h"

static inline bool before(VigilCandidate a, VigilCandidate b)
{
    if (a.score != b.score)
        return a.score > b.score;
    return a.major != b.major ? a.major < b.major : a.minor < b.minor;
}

/* Puts `candidate` where at[i] was, below which heap[0..n) is in order. */
static void sift(VigilCandidate *at, size_t n, size_t i, VigilCandidate candidate)
{
    for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && before(at[child], at[child + 1]))
            child++;
        if (!before(candidate, at[child]))
            break;
        at[i] = at[child];
        i = child;
    }
    at[i] = candidate;
}

static void make_heap(VigilCandidate *at, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift(at, n, i, at[i]);
}

void vigil_best_offer(VigilBest *best, VigilCandidate candidate)
{
    if (best->count < best->capacity) {
        best->at[best->count++] = candidate;
        if (best->count == best->capacity)
            make_heap(best->at, best->count);
    } else if (before(candidate, best->at[0])) {
        sift(best->at, best->count, 0, candidate);
    }
}

void vigil_candidates_sort(VigilCandidate *at, size_t n)
{
    make_heap(at, n);
    while (n > 1) {
        VigilCandidate last = at[--n];
        at[n] = at[0];
        sift(at, n, 0, last);
    }
}
