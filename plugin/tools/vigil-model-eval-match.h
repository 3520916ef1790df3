/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which detections of one class in one picture are hits. */
#ifndef VIGIL_MODEL_EVAL_MATCH_H
#define VIGIL_MODEL_EVAL_MATCH_H

#include "vigil-model-eval-ap.h"

#include <stdint.h>

/* Ranges of area that are evaluated on their own. */
enum ApArea { AREA_ALL, AREA_SMALL, AREA_MEDIUM, AREA_LARGE, AREAS };

/* What became of a detection: bit t of a mask is threshold t. */
typedef struct ApOutcome {
    double score;
    size_t order;                     /* as the scene had it, pictures in turn */
    uint16_t hit[AREAS], skip[AREAS]; /* skip: counts neither as hit nor as false */
} ApOutcome;

/* A detection and a box that overlap by at least the lowest threshold. */
typedef struct ApCandidate {
    double iou;
    size_t truth;
} ApCandidate;

/* One class in one picture.  Memory is kept from one scene to the next. */
typedef struct ApScene {
    const ApTruth **truths; /* [n_truths], in the order of the file */
    size_t n_truths;
    const ApFound **found; /* [n_found], best first, at most AP_MAX_DETECTIONS */
    size_t n_found;

    /* Of detection i: first[i]..first[i + 1]-1, by rising truth. */
    ApCandidate *candidates;
    size_t first[AP_MAX_DETECTIONS + 1];
    size_t capacity;
    bool *ignored, *taken; /* [n_truths] at least */
} ApScene;

/* Whether an area, in square pixels, counts in this range.  Both ends belong to it. */
bool ap_area_holds(enum ApArea range, double area);

/* Sets hit and skip of out [n_found].  False when there is no memory. */
bool ap_match(ApScene *scene, ApOutcome *out);

#endif
