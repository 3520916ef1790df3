/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vigil-model-eval-ap.h"
#include "vigil-model-eval-match.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { RECALLS = 101 };

/* ---- Order: by class and picture; boxes as given, detections best first -----------
 */

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_truths(const void *one, const void *other)
{
    const ApTruth *a = *(const ApTruth *const *)one;
    const ApTruth *b = *(const ApTruth *const *)other;
    if (a->class_index != b->class_index)
        return COMPARE(a->class_index, b->class_index);
    return a->image != b->image ? COMPARE(a->image, b->image) : COMPARE(a, b);
}

static int compare_found(const void *one, const void *other)
{
    const ApFound *a = *(const ApFound *const *)one;
    const ApFound *b = *(const ApFound *const *)other;
    if (a->class_index != b->class_index)
        return COMPARE(a->class_index, b->class_index);
    if (a->image != b->image)
        return COMPARE(a->image, b->image);
    return a->score != b->score ? COMPARE(b->score, a->score) : COMPARE(a, b);
}

static int compare_outcomes(const void *one, const void *other)
{
    const ApOutcome *a = one, *b = other;
    return a->score != b->score ? COMPARE(b->score, a->score)
                                : COMPARE(a->order, b->order);
}

/* ---- One class over all pictures --------------------------------------------------
 */

typedef struct Evaluation {
    const ApTruth **truths; /* regions for every class come first */
    size_t n_truths, n_regions;
    const ApFound **found;
    size_t n_found;
    size_t truth, detection; /* the next ones of the class under way */

    ApScene scene;
    ApOutcome *outcomes; /* [n_outcomes] of the class, room for n_found */
    size_t n_outcomes;
    size_t positives[AREAS];
    double *precision, *recall; /* [n_found] */
} Evaluation;

static void evaluation_clear(Evaluation *e)
{
    free(e->truths);
    free(e->found);
    free(e->scene.truths);
    free(e->scene.ignored);
    free(e->scene.taken);
    free(e->scene.candidates);
    free(e->outcomes);
    free(e->precision);
    free(e->recall);
}

static bool evaluation_open(Evaluation *e, const ApTruth *truths, size_t n_truths,
                            const ApFound *found, size_t n_found)
{
    *e = (Evaluation) { .n_truths = n_truths, .n_found = n_found };
    e->truths = calloc(n_truths + 1, sizeof *e->truths);
    e->found = calloc(n_found + 1, sizeof *e->found);
    e->scene.truths = calloc(n_truths + 1, sizeof *e->scene.truths);
    e->scene.ignored = calloc(n_truths + 1, sizeof *e->scene.ignored);
    e->scene.taken = calloc(n_truths + 1, sizeof *e->scene.taken);
    e->outcomes = calloc(n_found + 1, sizeof *e->outcomes);
    e->precision = calloc(n_found + 1, sizeof *e->precision);
    e->recall = calloc(n_found + 1, sizeof *e->recall);
    if (!e->truths || !e->found || !e->scene.truths || !e->scene.ignored ||
        !e->scene.taken || !e->outcomes || !e->precision || !e->recall)
        return false;
    for (size_t i = 0; i < n_truths; i++) {
        e->truths[i] = &truths[i];
        e->n_regions += truths[i].class_index == AP_EVERY_CLASS;
    }
    for (size_t i = 0; i < n_found; i++)
        e->found[i] = &found[i];
    qsort(e->truths, n_truths, sizeof *e->truths, compare_truths);
    qsort(e->found, n_found, sizeof *e->found, compare_found);
    e->truth = e->n_regions;
    return true;
}

/* True while there are boxes or detections of the class; *image is their next. */
static bool next_image(const Evaluation *e, int class_index, int *image)
{
    bool any = false;
    if (e->truth < e->n_truths && e->truths[e->truth]->class_index == class_index) {
        *image = e->truths[e->truth]->image;
        any = true;
    }
    if (e->detection < e->n_found &&
        e->found[e->detection]->class_index == class_index) {
        int other = e->found[e->detection]->image;
        *image = any && *image < other ? *image : other;
        any = true;
    }
    return any;
}

/* Boxes of the class and regions, *region being the next of those, as they were given.
 */
static void gather_truths(Evaluation *e, int class_index, int image, size_t *region)
{
    ApScene *scene = &e->scene;
    scene->n_truths = 0;
    while (*region < e->n_regions && e->truths[*region]->image < image)
        ++*region;
    for (;;) {
        const ApTruth *own = e->truth < e->n_truths ? e->truths[e->truth] : NULL;
        const ApTruth *common = *region < e->n_regions ? e->truths[*region] : NULL;
        bool has_own = own && own->class_index == class_index && own->image == image;
        bool has_common = common && common->image == image;
        if (!has_own && !has_common)
            return;
        bool take_own = has_own && (!has_common || own < common);
        scene->truths[scene->n_truths++] = take_own ? own : common;
        ++*(take_own ? &e->truth : region);
    }
}

static void gather_found(Evaluation *e, int class_index, int image)
{
    ApScene *scene = &e->scene;
    scene->found = &e->found[e->detection];
    scene->n_found = 0;
    for (; e->detection < e->n_found; e->detection++) {
        const ApFound *f = e->found[e->detection];
        if (f->class_index != class_index || f->image != image)
            return;
        scene->n_found += scene->n_found < AP_MAX_DETECTIONS;
    }
}

static void count_positives(Evaluation *e)
{
    for (size_t k = 0; k < e->scene.n_truths; k++)
        for (int area = 0; area < AREAS; area++)
            e->positives[area] += !e->scene.truths[k]->ignore &&
                                  ap_area_holds(area, e->scene.truths[k]->area);
}

/* Fills outcomes, in falling order of score, and positives. */
static bool match_class(Evaluation *e, int class_index)
{
    size_t region = 0;
    int image;
    e->n_outcomes = 0;
    for (int area = 0; area < AREAS; area++)
        e->positives[area] = 0;
    while (next_image(e, class_index, &image)) {
        ApOutcome *out = &e->outcomes[e->n_outcomes];
        gather_truths(e, class_index, image, &region);
        gather_found(e, class_index, image);
        count_positives(e);
        if (!ap_match(&e->scene, out))
            return false;
        for (size_t i = 0; i < e->scene.n_found; i++) {
            out[i].score = e->scene.found[i]->score;
            out[i].order = e->n_outcomes++;
        }
    }
    qsort(e->outcomes, e->n_outcomes, sizeof *e->outcomes, compare_outcomes);
    return true;
}

/* ---- Precision and recall ---------------------------------------------------------
 */

/* Precision that is reached at this recall or a higher one, mean over the recalls 0,
 * 0.01 ... 1. */
static double interpolated(Evaluation *e)
{
    size_t n = e->n_outcomes, at = 0;
    double sum = 0;
    for (size_t i = n; i-- > 1;)
        e->precision[i - 1] = fmax(e->precision[i - 1], e->precision[i]);
    for (int r = 0; r < RECALLS; r++) {
        while (at < n && e->recall[at] < r * 0.01)
            at++;
        sum += at < n ? e->precision[at] : 0;
    }
    return sum / RECALLS;
}

static double average_precision(Evaluation *e, enum ApArea area, int t, double *recall)
{
    double hits = 0, wrong = 0;
    for (size_t i = 0; i < e->n_outcomes; i++) {
        const ApOutcome *o = &e->outcomes[i];
        bool hit = o->hit[area] >> t & 1, skip = o->skip[area] >> t & 1;
        hits += hit;
        wrong += !hit && !skip;
        e->recall[i] = hits / (double)e->positives[area];
        e->precision[i] = hits / (hits + wrong + DBL_EPSILON);
    }
    *recall = hits / (double)e->positives[area];
    return interpolated(e);
}

static double area_figures(Evaluation *e, enum ApArea area, ApResult *result)
{
    double sum = 0, recalls = 0;
    for (int t = 0; t < AP_THRESHOLDS; t++) {
        double recall, ap = average_precision(e, area, t, &recall);
        sum += ap;
        recalls += recall;
        if (area == AREA_ALL && t == 0)
            result->figure[AP_50] = ap;
        if (area == AREA_ALL && t == 5)
            result->figure[AP_75] = ap;
    }
    if (area == AREA_ALL)
        result->figure[AR_100] = recalls / AP_THRESHOLDS;
    return sum / AP_THRESHOLDS;
}

static void class_figures(Evaluation *e, ApResult *result)
{
    static const enum ApFigure figures[AREAS] = { AP_MEAN, AP_SMALL, AP_MEDIUM,
                                                  AP_LARGE };
    *result = (ApResult) { .positives = e->positives[0], .detections = e->n_outcomes };
    for (int i = 0; i < AP_FIGURES; i++)
        result->figure[i] = NAN;
    for (int area = 0; area < AREAS; area++)
        if (e->positives[area])
            result->figure[figures[area]] = area_figures(e, area, result);
}

static void mean_figures(const ApResult *result, int classes, ApResult *all)
{
    *all = (ApResult) { 0 };
    for (int c = 0; c < classes; c++) {
        all->positives += result[c].positives;
        all->detections += result[c].detections;
    }
    for (int i = 0; i < AP_FIGURES; i++) {
        double sum = 0;
        int n = 0;
        for (int c = 0; c < classes; c++)
            if (!isnan(result[c].figure[i])) {
                sum += result[c].figure[i];
                n++;
            }
        all->figure[i] = n ? sum / n : NAN;
    }
}

bool ap_evaluate(const ApTruth *truths, size_t n_truths, const ApFound *found,
                 size_t n_found, int classes, ApResult *result, ApResult *all)
{
    Evaluation e;
    bool good = evaluation_open(&e, truths, n_truths, found, n_found);
    for (int c = 0; good && c < classes; c++) {
        good = match_class(&e, c);
        if (good)
            class_figures(&e, &result[c]);
    }
    if (good)
        mean_figures(result, classes, all);
    evaluation_clear(&e);
    return good;
}
