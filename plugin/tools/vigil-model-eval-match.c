/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vigil-model-eval-match.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 0.5 + 0.05 t, with the rounding that the COCO tool has in its ninth. */
static const double thresholds[AP_THRESHOLDS] = {
    0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.8999999999999999, 0.95,
};

static const struct {
    double least, most;
} areas[AREAS] = {
    [AREA_ALL] = { 0, 1e10 },
    [AREA_SMALL] = { 0, 32 * 32 },
    [AREA_MEDIUM] = { 32 * 32, 96 * 96 },
    [AREA_LARGE] = { 96 * 96, 1e10 },
};

bool ap_area_holds(enum ApArea range, double area)
{
    return area >= areas[range].least && area <= areas[range].most;
}

static double overlap(const ApBox *found, const ApTruth *truth)
{
    const ApBox *box = &truth->box;
    double width =
        fmin(found->x + found->width, box->x + box->width) - fmax(found->x, box->x);
    double height =
        fmin(found->y + found->height, box->y + box->height) - fmax(found->y, box->y);
    if (!(width > 0 && height > 0))
        return 0;
    double area = found->width * found->height;
    double both = width * height;
    return both / (truth->crowd ? area : area + box->width * box->height - both);
}

static bool add_candidate(ApScene *scene, size_t *n, double iou, size_t truth)
{
    if (*n == scene->capacity) {
        size_t capacity = scene->capacity * 2 + 64;
        void *grown =
            reallocarray(scene->candidates, capacity, sizeof *scene->candidates);
        if (!grown)
            return false;
        scene->candidates = grown;
        scene->capacity = capacity;
    }
    scene->candidates[(*n)++] = (ApCandidate) { iou, truth };
    return true;
}

static bool find_candidates(ApScene *scene)
{
    size_t n = 0;
    for (size_t i = 0; i < scene->n_found; i++) {
        scene->first[i] = n;
        for (size_t k = 0; k < scene->n_truths; k++) {
            double iou = overlap(&scene->found[i]->box, scene->truths[k]);
            if (iou >= thresholds[0] && !add_candidate(scene, &n, iou, k))
                return false;
        }
    }
    scene->first[scene->n_found] = n;
    return true;
}

/* The box that detection i takes among those to ignore or among the others: the one it
 * overlaps most, of equal ones the last; n_truths for none. */
static size_t best_truth(const ApScene *scene, size_t i, bool ignored, double least)
{
    size_t best = scene->n_truths;
    for (size_t k = scene->first[i]; k < scene->first[i + 1]; k++) {
        const ApCandidate *c = &scene->candidates[k];
        bool free = !scene->taken[c->truth] || scene->truths[c->truth]->crowd;
        if (scene->ignored[c->truth] == ignored && free && c->iou >= least) {
            best = c->truth;
            least = c->iou;
        }
    }
    return best;
}

static void match_at(ApScene *scene, enum ApArea area, int t, ApOutcome *out)
{
    memset(scene->taken, 0, scene->n_truths * sizeof *scene->taken);
    for (size_t i = 0; i < scene->n_found; i++) {
        const ApBox *box = &scene->found[i]->box;
        unsigned bit = 1u << t;
        size_t k = best_truth(scene, i, false, thresholds[t]);
        bool hit = k < scene->n_truths;
        if (!hit)
            k = best_truth(scene, i, true, thresholds[t]);
        bool took = k < scene->n_truths;
        if (took)
            scene->taken[k] = true;
        if (hit)
            out[i].hit[area] |= (uint16_t)bit;
        else if (took || !ap_area_holds(area, box->width * box->height))
            out[i].skip[area] |= (uint16_t)bit;
    }
}

bool ap_match(ApScene *scene, ApOutcome *out)
{
    if (!find_candidates(scene))
        return false;
    for (size_t i = 0; i < scene->n_found; i++) {
        memset(out[i].hit, 0, sizeof out[i].hit);
        memset(out[i].skip, 0, sizeof out[i].skip);
    }
    for (int area = 0; area < AREAS; area++) {
        for (size_t k = 0; k < scene->n_truths; k++)
            scene->ignored[k] = scene->truths[k]->ignore ||
                                !ap_area_holds(area, scene->truths[k]->area);
        for (int t = 0; t < AP_THRESHOLDS; t++)
            match_at(scene, area, t, out);
    }
    return true;
}
