/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scored boxes before suppression: choosing the best and sorting them, without memory
 * of one's own and in O(n log n) whatever the scores are. */
#ifndef VIGIL_VISION_CANDIDATES_H
#define VIGIL_VISION_CANDIDATES_H

#include "core/status.h"

/* One class at one anchor. */
typedef struct VigilCandidate {
    float score;           /* not NaN */
    uint32_t major, minor; /* decide between equal scores: the lower one comes first */
} VigilCandidate;

/* The best `capacity` >= 1 of all that were offered since `count` was 0. */
typedef struct VigilBest {
    VigilCandidate *at; /* [capacity], in no useful order */
    size_t count, capacity;
} VigilBest;

void vigil_best_offer(VigilBest *best, VigilCandidate candidate);

/* Best first. */
void vigil_candidates_sort(VigilCandidate *at, size_t n);

#endif
