/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vision/candidates.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

typedef struct Box {
    float x0, y0, x1, y1;
} Box;

/* A box that was kept, in a list of those of its class. */
typedef struct Kept {
    Box box;
    float area;
    int next; /* -1: the last one */
} Kept;

struct VigilDetect {
    const VigilDetectRules *rules;
    int classes, height, width;
    size_t first[VIGIL_MAX_LEVELS + 1]; /* first anchor of each level, their number */
    void *memory;                       /* of all arrays below */
    VigilAnchor *anchors;

    float *threshold;   /* [classes] INFINITY: not wanted */
    float *least_logit; /* [classes] sigmoid: none below it is above the threshold */
    float most_lead; /* softmax: nor is any class that the background leads by more */
    float iou_threshold, min_area, max_area;
    int limit; /* results */

    VigilBest *bucket; /* [n_buckets]: one per level, class, or picture */
    size_t n_buckets;
    VigilCandidate *candidates; /* those of all buckets */
    float *shares;              /* [classes] of one softmax */

    Kept *kept;
    VigilDetection *detections; /* of the kept */
    int *head;                  /* [classes] the first kept of a class, or -1 */
    int *of_class;              /* [classes] kept ones */
};

/* ---- Opening -------------------------------------------------------------------- */

static size_t bucket_count(const VigilDetect *d)
{
    switch (d->rules->cap_scope) {
    case VIGIL_CAP_LEVEL:
        return (size_t)d->rules->anchors->levels;
    case VIGIL_CAP_CLASS:
        return (size_t)d->classes;
    default:
        return 1;
    }
}

/* Candidates that could come into bucket i and may stay there. */
static size_t bucket_capacity(const VigilDetect *d, size_t i)
{
    const VigilDetectRules *r = d->rules;
    size_t anchors = d->first[r->anchors->levels], classes = (size_t)d->classes;
    size_t cap = VIGIL_MAX_CANDIDATES / d->n_buckets;
    if (r->cap)
        cap = MIN(cap, (size_t)r->cap);
    if (r->cap_scope == VIGIL_CAP_CLASS)
        classes = 1;
    else if (r->cap_scope == VIGIL_CAP_LEVEL)
        anchors = d->first[i + 1] - d->first[i];
    return anchors > cap / classes ? cap : anchors * classes;
}

/* Candidates of all buckets. */
static size_t total_capacity(const VigilDetect *d)
{
    size_t total = 0;
    for (size_t i = 0; i < d->n_buckets; i++)
        total += bucket_capacity(d, i);
    return total;
}

/* `count` elements at `*at` in the working memory `base` (NULL while it is measured),
 * which then ends behind them. */
static void *part(char *base, size_t *at, size_t count, size_t size)
{
    size_t start = *at;
    *at = (start + count * size + VIGIL_ALIGN - 1) & ~(size_t)(VIGIL_ALIGN - 1);
    return base ? base + start : NULL;
}

/* Lays out the working memory; returns its size, which the limits in detect.h and
 * anchors.h keep below 80 MB. */
static size_t lay_out(VigilDetect *d, char *base)
{
    size_t at = 0, classes = (size_t)d->classes, candidates = total_capacity(d);
    size_t results = MIN(candidates, VIGIL_MAX_DETECTIONS);
    size_t anchors = d->first[d->rules->anchors->levels];
    d->anchors = part(base, &at, anchors, sizeof *d->anchors);
    d->threshold = part(base, &at, classes, sizeof *d->threshold);
    d->least_logit = part(base, &at, classes, sizeof *d->least_logit);
    d->shares = part(base, &at, classes, sizeof *d->shares);
    d->head = part(base, &at, classes, sizeof *d->head);
    d->of_class = part(base, &at, classes, sizeof *d->of_class);
    d->bucket = part(base, &at, d->n_buckets, sizeof *d->bucket);
    d->candidates = part(base, &at, candidates, sizeof *d->candidates);
    d->kept = part(base, &at, results, sizeof *d->kept);
    d->detections = part(base, &at, results, sizeof *d->detections);
    return at;
}

static void fill_buckets(VigilDetect *d)
{
    VigilCandidate *at = d->candidates;
    for (size_t i = 0; i < d->n_buckets; i++) {
        d->bucket[i] = (VigilBest) { .at = at, .capacity = bucket_capacity(d, i) };
        at += d->bucket[i].capacity;
    }
}

static VigilStatus check_open(int classes, int height, int width, VigilError *error)
{
    if (classes < 1 || classes > VIGIL_MAX_DETECT_CLASSES)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "a detector of %d classes: 1 to %d are possible", classes,
                          VIGIL_MAX_DETECT_CLASSES);
    if (height < 1 || width < 1)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "a detector's input of %dx%d pixels: at least 1x1 needed",
                          width, height);
    return VIGIL_OK;
}

VigilStatus vigil_detect_open(const VigilDetectRules *rules, int classes, int height,
                              int width, const VigilMapSize *maps, VigilDetect **detect,
                              VigilError *error)
{
    size_t anchors;
    *detect = NULL;
    VigilStatus status = check_open(classes, height, width, error);
    if (!status)
        status = vigil_anchors_count(rules->anchors, maps, &anchors, error);
    if (status)
        return status;
    VigilDetect *d = calloc(1, sizeof *d);
    if (!d)
        return vigil_fail_memory(error, sizeof *d, "a detector");
    *d = (VigilDetect) {
        .rules = rules, .classes = classes, .height = height, .width = width
    };
    for (int l = 0; l < rules->anchors->levels; l++)
        d->first[l + 1] =
            d->first[l] + (size_t)maps[l].height * (size_t)maps[l].width *
                              (size_t)vigil_anchors_per_cell(rules->anchors, l);
    d->n_buckets = bucket_count(d);
    size_t bytes = lay_out(d, NULL);
    d->memory = vigil_alloc_aligned(bytes);
    if (!d->memory) {
        vigil_detect_close(&d);
        return vigil_fail_memory(error, bytes, "the candidates of a detector");
    }
    lay_out(d, d->memory);
    fill_buckets(d);
    vigil_anchors_fill(rules->anchors, height, width, maps, d->anchors);
    *detect = d;
    return vigil_detect_configure(d, NULL, error);
}

void vigil_detect_close(VigilDetect **detect)
{
    if (!detect || !*detect)
        return;
    free((*detect)->memory);
    free(*detect);
    *detect = NULL;
}

/* ---- Options -------------------------------------------------------------------- */

static bool is_fraction(float x)
{
    return x >= 0 && x <= 1;
}

static VigilStatus check_classes(const VigilDetect *d, const VigilDetectOptions *o,
                                 VigilError *error)
{
    for (int c = 0; o->class_threshold && c < d->classes; c++)
        if (!isnan(o->class_threshold[c]) && !is_fraction(o->class_threshold[c]))
            return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                              "threshold %g of class %d is not 0 to 1",
                              o->class_threshold[c], c);
    return VIGIL_OK;
}

static VigilStatus check_options(const VigilDetect *d, const VigilDetectOptions *o,
                                 VigilError *error)
{
    if (o->has_threshold && !is_fraction(o->threshold))
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT, "threshold %g is not 0 to 1",
                          o->threshold);
    if (o->has_iou_threshold && !is_fraction(o->iou_threshold))
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT, "iou threshold %g is not 0 to 1",
                          o->iou_threshold);
    if (o->max_detections < 0 || o->max_detections > VIGIL_MAX_DETECTIONS)
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "%d detections at most: 1 to %d are possible",
                          o->max_detections, VIGIL_MAX_DETECTIONS);
    if (!(o->min_area >= 0) || !(o->max_area >= 0) ||
        (o->max_area > 0 && o->min_area > o->max_area))
        return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                          "areas from %g to %g: the least must not be negative, nor "
                          "above the greatest",
                          o->min_area, o->max_area);
    return check_classes(d, o, error);
}

/* The logit of a little less than `score`, so that rounding matters not. */
static float logit_below(float score)
{
    double s = fmin(score, 1) * (1 - 1e-5);
    return (float)log(s / (1 - s));
}

/* per_picture (0: no limit), within what there is memory for. */
static int result_limit(const VigilDetect *d, int per_picture)
{
    int most = (int)MIN(total_capacity(d), VIGIL_MAX_DETECTIONS);
    return per_picture ? MIN(per_picture, most) : most;
}

VigilStatus vigil_detect_configure(VigilDetect *d, const VigilDetectOptions *options,
                                   VigilError *error)
{
    static const VigilDetectOptions none;
    const VigilDetectOptions *o = options ? options : &none;
    const VigilDetectRules *r = d->rules;
    VigilStatus status = check_options(d, o, error);
    if (status)
        return status;
    float lowest = INFINITY, common = o->has_threshold ? o->threshold : r->threshold;
    for (int c = 0; c < d->classes; c++) {
        float own = o->class_threshold ? o->class_threshold[c] : NAN;
        bool wanted = !o->class_wanted || o->class_wanted[c];
        d->threshold[c] = !wanted ? INFINITY : isnan(own) ? common : own;
        d->least_logit[c] = logit_below(d->threshold[c]);
        lowest = fminf(lowest, d->threshold[c]);
    }
    d->most_lead = -logit_below(lowest);
    d->iou_threshold = o->has_iou_threshold ? o->iou_threshold : r->iou_threshold;
    d->min_area = o->min_area;
    d->max_area = o->max_area > 0 ? o->max_area : INFINITY;
    d->limit = result_limit(d, o->max_detections ? o->max_detections : r->per_picture);
    return VIGIL_OK;
}

/* ---- Scores --------------------------------------------------------------------- */

/* Offers class c at an anchor of level l. */
static void offer(VigilDetect *d, int l, size_t anchor, int c, float score)
{
    const VigilDetectRules *r = d->rules;
    uint32_t a = (uint32_t)anchor, k = (uint32_t)c;
    size_t bucket = r->cap_scope == VIGIL_CAP_LEVEL   ? (size_t)l
                    : r->cap_scope == VIGIL_CAP_CLASS ? (size_t)c
                                                      : 0;
    if (score > d->threshold[c])
        vigil_best_offer(&d->bucket[bucket],
                         (VigilCandidate) { .score = score,
                                            .major = r->class_major ? k : a,
                                            .minor = r->class_major ? a : k });
}

/* In float, as the originals do: close to 1 the same logits then tie. */
static float sigmoid(float logit)
{
    return 1 / (1 + expf(-logit));
}

static void offer_sigmoid(VigilDetect *d, int l, size_t anchor, const float *logits)
{
    for (int c = 0; c < d->classes; c++)
        if (logits[c] >= d->least_logit[c])
            offer(d, l, anchor, c, sigmoid(logits[c]));
}

/* exp(logit - largest); a NaN counts as -infinity, infinities of one sign share alike.
 */
static float share(float logit, float largest)
{
    if (isinf(largest))
        return largest > 0 && logit == largest;
    return logit > -INFINITY ? expf(logit - largest) : 0;
}

static void offer_softmax(VigilDetect *d, int l, size_t anchor, const float *logits)
{
    bool first = d->rules->score == VIGIL_SCORE_SOFTMAX_FIRST;
    float background = logits[first ? 0 : d->classes], largest = -INFINITY;
    int best = 0;
    logits += first;
    for (int c = 0; c < d->classes; c++)
        if (logits[c] > largest)
            largest = logits[best = c];
    if (background - largest > d->most_lead)
        return;
    largest = background > largest ? background : largest;
    double sum = share(background, largest);
    for (int c = 0; c < d->classes; c++)
        sum += d->shares[c] = share(logits[c], largest);
    for (int c = 0; c < d->classes && sum > 0; c++)
        if (!d->rules->set || c == best)
            offer(d, l, anchor, c, (float)(d->shares[c] / sum));
}

static void collect(VigilDetect *d, const VigilHeadMap *maps)
{
    const VigilDetectRules *r = d->rules;
    size_t step = (size_t)d->classes + (r->score != VIGIL_SCORE_SIGMOID);
    step += r->joined ? 4 : 0;
    for (size_t i = 0; i < d->n_buckets; i++)
        d->bucket[i].count = 0;
    for (int l = 0; l < r->anchors->levels; l++) {
        const float *logits = r->joined ? maps[l].boxes + 4 : maps[l].classes;
        for (size_t a = d->first[l]; a < d->first[l + 1]; a++, logits += step)
            if (r->score == VIGIL_SCORE_SIGMOID)
                offer_sigmoid(d, l, a, logits);
            else
                offer_softmax(d, l, a, logits);
    }
}

/* Brings the buckets together, best first; returns how many candidates there are. */
static size_t sort_candidates(VigilDetect *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n_buckets; i++) {
        const VigilBest *b = &d->bucket[i];
        memmove(d->candidates + n, b->at, b->count * sizeof *b->at);
        n += b->count;
    }
    vigil_candidates_sort(d->candidates, n);
    return n;
}

/* ---- Boxes ---------------------------------------------------------------------- */

/* NaN stays. */
static float clampf(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}

static float area_of(const Box *b)
{
    return (b->x1 - b->x0) * (b->y1 - b->y0);
}

static const float *deltas_of(const VigilDetect *d, const VigilHeadMap *maps,
                              size_t anchor)
{
    const VigilDetectRules *r = d->rules;
    size_t background = r->score != VIGIL_SCORE_SIGMOID;
    size_t step = 4 + (r->joined ? (size_t)d->classes + background : 0);
    int l = 0;
    while (anchor >= d->first[l + 1])
        l++;
    return maps[l].boxes + (anchor - d->first[l]) * step;
}

/* False where the box is not finite. */
static bool decode(const VigilDetectRules *r, const VigilAnchor *a, const float *delta,
                   const Box *bounds, Box *out)
{
    float limit = r->size_clamp;
    float x = a->x + delta[0] * r->centre_variance * a->width;
    float y = a->y + delta[1] * r->centre_variance * a->height;
    float w = a->width * expf(clampf(delta[2] * r->size_variance, -limit, limit));
    float h = a->height * expf(clampf(delta[3] * r->size_variance, -limit, limit));
    if (r->set)
        x = delta[0], y = delta[1], w = clampf(delta[2], 0, 1),
        h = clampf(delta[3], 0, 1);
    *out = (Box) { x - w / 2, y - h / 2, x + w / 2, y + h / 2 };
    if (!isfinite(area_of(out)))
        return false;
    if (r->clip)
        *out = (Box) { clampf(out->x0, bounds->x0, bounds->x1),
                       clampf(out->y0, bounds->y0, bounds->y1),
                       clampf(out->x1, bounds->x0, bounds->x1),
                       clampf(out->y1, bounds->y0, bounds->y1) };
    return true;
}

static bool overlap(const Kept *a, const Box *b, float area, float threshold)
{
    float w = MIN(a->box.x1, b->x1) - MAX(a->box.x0, b->x0);
    float h = MIN(a->box.y1, b->y1) - MAX(a->box.y0, b->y0);
    if (!(w > 0 && h > 0))
        return false;
    float common = w * h;
    return common / (a->area + area - common) > threshold;
}

static bool is_suppressed(const VigilDetect *d, int c, const Box *box, float area)
{
    for (int k = d->head[c]; k >= 0; k = d->kept[k].next)
        if (overlap(&d->kept[k], box, area, d->iou_threshold))
            return true;
    return false;
}

static void keep(VigilDetect *d, int n, int c, const Box *box, float area, float score)
{
    d->kept[n] = (Kept) { *box, area, d->head[c] };
    d->head[c] = n;
    d->of_class[c]++;
    d->detections[n] = (VigilDetection) { box->x0,           box->y0, box->x1 - box->x0,
                                          box->y1 - box->y0, c,       score };
}

/* Greedy, from the best of n candidates on; returns how many were kept. */
static int suppress(VigilDetect *d, const VigilHeadMap *maps, const Box *bounds,
                    size_t n)
{
    const VigilDetectRules *r = d->rules;
    int kept = 0;
    for (int c = 0; c < d->classes; c++) {
        d->head[c] = -1;
        d->of_class[c] = 0;
    }
    for (size_t i = 0; i < n && kept < d->limit; i++) {
        const VigilCandidate *k = &d->candidates[i];
        int c = (int)(r->class_major ? k->major : k->minor);
        size_t anchor = r->class_major ? k->minor : k->major;
        Box box;
        if (r->per_class && d->of_class[c] == r->per_class)
            continue;
        if (!decode(r, &d->anchors[anchor], deltas_of(d, maps, anchor), bounds, &box))
            continue;
        float area = area_of(&box);
        if (area < d->min_area || area > d->max_area ||
            (!r->set && is_suppressed(d, c, &box, area)))
            continue;
        keep(d, kept++, c, &box, area, k->score);
    }
    return kept;
}

int vigil_detect_run(VigilDetect *d, const VigilHeadMap *maps,
                     const VigilPlacement *placed, const VigilDetection **detections)
{
    Box bounds = { 0, 0, 1, 1 };
    if (placed)
        bounds =
            (Box) { (float)placed->dst_x / (float)d->width,
                    (float)placed->dst_y / (float)d->height,
                    (float)(placed->dst_x + placed->dst_width) / (float)d->width,
                    (float)(placed->dst_y + placed->dst_height) / (float)d->height };
    collect(d, maps);
    *detections = d->detections;
    return suppress(d, maps, &bounds, sort_candidates(d));
}

/* ---- To the picture ------------------------------------------------------------- */

/* `at`, a fraction of `size` pixels of the tensor, as a fraction of the picture's `of`,
 * clipped to it. */
static double carry(double at, int size, int dst, int dst_length, double src,
                    double src_length, int of)
{
    double pixel = src + (at * size - dst) * src_length / dst_length;
    return fmin(fmax(pixel / of, 0), 1);
}

bool vigil_detection_to_picture(const VigilDetection *in, const VigilInput *input,
                                const VigilPlacement *p, int width, int height,
                                VigilDetection *out)
{
    double x[2], y[2];
    for (int i = 0; i < 2; i++) {
        x[i] = carry((double)in->x + i * (double)in->width, input->width, p->dst_x,
                     p->dst_width, p->src_x, p->src_width, width);
        y[i] = carry((double)in->y + i * (double)in->height, input->height, p->dst_y,
                     p->dst_height, p->src_y, p->src_height, height);
    }
    if (!(x[1] > x[0] && y[1] > y[0]))
        return false;
    *out =
        (VigilDetection) { (float)x[0],          (float)y[0],     (float)(x[1] - x[0]),
                           (float)(y[1] - y[0]), in->class_index, in->score };
    return true;
}
