/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Detectors on random outputs against definitions written out in double, and on outputs
 * made to be expensive or strange.  VIGIL_TEST_SEED repeats a run. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scene.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define SCENES 300

static uint64_t state;

static int below(int n)
{
    return (int)(scene_random(&state) % (uint32_t)n);
}

static double uniform(double low, double high)
{
    return low + (high - low) * scene_random(&state) / 4294967296.0;
}

/* ---- The whole, with sigmoids --------------------------------------------------- */

/* Logits are multiples of a quarter, so that many tie; everything that is compared with
 * a threshold comes from a coarse grid and no threshold lies on it. */

typedef struct Truth {
    int anchor, class_index, bucket;
    double logit, box[4]; /* corners */
    bool gone;
} Truth;

static const Scene *sorted_scene; /* qsort() has no argument to hand it on */

static int by_rank(const void *pa, const void *pb)
{
    const Truth *a = pa, *b = pb;
    if (a->logit != b->logit)
        return a->logit > b->logit ? -1 : 1;
    int anchors = a->anchor - b->anchor, classes = a->class_index - b->class_index;
    if (sorted_scene->rules.class_major)
        return classes ? classes : anchors;
    return anchors ? anchors : classes;
}

static double area_of(const double *b)
{
    return (b[2] - b[0]) * (b[3] - b[1]);
}

static double iou(const double *a, const double *b)
{
    double w = fmin(a[2], b[2]) - fmax(a[0], b[0]);
    double h = fmin(a[3], b[3]) - fmax(a[1], b[1]);
    double common = fmax(w, 0) * fmax(h, 0);
    return common / (area_of(a) + area_of(b) - common);
}

static void decode(const Scene *s, Truth *t)
{
    const float *delta = s->boxes + 4 * t->anchor;
    const VigilAnchor *a = &s->anchor[t->anchor];
    double x = a->x + delta[0], y = a->y + delta[1];
    double w = exp(delta[2]), h = exp(delta[3]);
    double corners[4] = { x - w / 2, y - h / 2, x + w / 2, y + h / 2 };
    for (int i = 0; i < 4; i++)
        t->box[i] = s->rules.clip ? fmin(fmax(corners[i], 0), 1) : corners[i];
}

/* Every candidate above its threshold, in order. */
static int list_candidates(Scene *s, const VigilDetectOptions *o, Truth *t)
{
    int n = 0, per_level = s->size[0].width;
    for (int a = 0; a < s->n; a++)
        for (int c = 0; c < s->classes; c++) {
            double logit = *scene_logit(s, a, c), score = 1 / (1 + exp(-logit));
            double own = o->class_threshold[c];
            if (!o->class_wanted[c] || score <= (isnan(own) ? o->threshold : own))
                continue;
            VigilCapScope scope = s->rules.cap_scope;
            t[n] = (Truth) { .anchor = a, .class_index = c, .logit = logit };
            t[n].bucket = scope == VIGIL_CAP_LEVEL   ? a / per_level
                          : scope == VIGIL_CAP_CLASS ? c
                                                     : 0;
            decode(s, &t[n++]);
        }
    sorted_scene = s;
    qsort(t, (size_t)n, sizeof *t, by_rank);
    return n;
}

/* Marks what a bucket has no room for and what the area limits refuse. */
static void drop(const Scene *s, const VigilDetectOptions *o, Truth *t, int n)
{
    int count[16] = { 0 };
    for (int i = 0; i < n; i++) {
        double area = area_of(t[i].box);
        t[i].gone = s->rules.cap && count[t[i].bucket]++ >= s->rules.cap;
        t[i].gone |= area < o->min_area || (o->max_area > 0 && area > o->max_area);
    }
}

/* Leaves what is kept at the beginning of t and returns how many. */
static int suppress(const Scene *s, const VigilDetectOptions *o, Truth *t, int n)
{
    int kept = 0, of_class[16] = { 0 };
    int limit = o->max_detections ? o->max_detections : s->rules.per_picture;
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n && !t[i].gone; k++)
            t[k].gone |= t[i].class_index == t[k].class_index &&
                         iou(t[i].box, t[k].box) > o->iou_threshold;
    for (int i = 0; i < n; i++)
        if (!t[i].gone && (!limit || kept < limit) &&
            (!s->rules.per_class || of_class[t[i].class_index]++ < s->rules.per_class))
            t[kept++] = t[i];
    return kept;
}

static bool agree(const Truth *t, const VigilDetection *d)
{
    return d->class_index == t->class_index &&
           fabs(d->score - 1 / (1 + exp(-t->logit))) < 1e-6 &&
           fabs(d->x - t->box[0]) < 1e-5 && fabs(d->y - t->box[1]) < 1e-5 &&
           fabs((double)d->x + d->width - t->box[2]) < 1e-5 &&
           fabs((double)d->y + d->height - t->box[3]) < 1e-5;
}

static VigilDetectRules random_rules(void)
{
    return (VigilDetectRules) {
        .score = VIGIL_SCORE_SIGMOID,
        .threshold = 0.5f,
        .cap_scope = (VigilCapScope)below(3),
        .cap = below(3) ? 1 + below(60) : 0,
        .centre_variance = 1,
        .size_variance = 1,
        .size_clamp = INFINITY,
        .clip = below(2),
        .per_class = below(2) ? 1 + below(20) : 0,
        .per_picture = below(2) ? 1 + below(60) : 0,
        .class_major = below(2),
    };
}

static void fill(Scene *s)
{
    for (int i = 0; i < s->n; i++) {
        double w = 0.1 * (1 + below(4)), h = 0.1 * (1 + below(4));
        scene_box(s, i, 0.05 * below(20), 0.05 * below(20), w, h);
        for (int c = 0; c < s->classes; c++)
            *scene_logit(s, i, c) = (float)(below(33) - 20) / 4;
    }
}

static bool check_scene(int *compared)
{
    float own[8];
    bool wanted[8];
    VigilDetectRules rules = random_rules();
    Scene *s = scene_open(&rules, 1 + below(4), 1 + below(60), 1 + below(8));
    VigilDetectOptions o = { .has_threshold = true,
                             .has_iou_threshold = true,
                             .threshold = 0.3141f,
                             .iou_threshold = below(2) ? 0.437123f : 0.213777f,
                             .max_detections = below(2) ? 0 : 1 + below(40),
                             .class_threshold = own,
                             .class_wanted = wanted,
                             .min_area = below(2) ? 0.0123f : 0,
                             .max_area = below(2) ? 0.0987f : 0 };
    const VigilDetection *found;
    for (int c = 0; c < s->classes; c++) {
        own[c] = below(3) ? NAN : 0.1234f + 0.1f * (float)below(8);
        wanted[c] = below(5);
    }
    fill(s);
    Truth *t = calloc((size_t)s->n * (size_t)s->classes, sizeof *t);
    int n = list_candidates(s, &o, t);
    drop(s, &o, t, n);
    int kept = suppress(s, &o, t, n);
    bool same = scene_run(s, &o, &found) == kept;
    for (int i = 0; same && i < kept; i++)
        same = agree(&t[i], &found[i]);
    *compared += kept;
    free(t);
    scene_close(s);
    return same;
}

static void check_scenes(void)
{
    int wrong = 0, compared = 0;
    for (int i = 0; i < SCENES; i++)
        wrong += !check_scene(&compared);
    tap_ok(!wrong && compared > SCENES, "%d of %d random scenes differ, %d detections",
           wrong, SCENES, compared);
}

/* ---- Scores --------------------------------------------------------------------- */

static double score_of(Scene *s, int i, int c)
{
    double sum = 0;
    if (s->rules.score == VIGIL_SCORE_SIGMOID)
        return 1 / (1 + exp(-*scene_logit(s, i, c)));
    sum = exp((double)*scene_background(s, i) - *scene_logit(s, i, c));
    for (int k = 0; k < s->classes; k++)
        sum += exp((double)*scene_logit(s, i, k) - *scene_logit(s, i, c));
    return 1 / sum;
}

/* Nothing is suppressed, so that every score above the threshold is found. */
static void check_scores(VigilScoreRule rule, int classes, float threshold,
                         double spread)
{
    VigilDetectRules rules = { .score = rule,
                               .threshold = threshold,
                               .centre_variance = 1,
                               .size_variance = 1,
                               .size_clamp = INFINITY,
                               .iou_threshold = 1 };
    Scene *s = scene_open(&rules, 1, 300, classes);
    const VigilDetection *found;
    int missing = 0, extra = 0, off = 0, above = 0;
    float *scores = calloc((size_t)(300 * classes), sizeof *scores);
    for (int i = 0; i < s->n; i++) {
        scene_box(s, i, 0.1, 0.1, 0.1 + 0.002 * i, 0.5); /* tells the anchor */
        for (int c = 0; c < s->channels; c++)
            s->logits[i * s->channels + c] = (float)uniform(-spread, spread);
    }
    int n = scene_run(s, NULL, &found);
    for (int k = 0; k < n; k++) {
        int i = (int)lrint((found[k].width - 0.1) / 0.002);
        scores[i * classes + found[k].class_index] = found[k].score;
    }
    for (int i = 0; i < s->n; i++)
        for (int c = 0; c < s->classes; c++) {
            double truth = score_of(s, i, c), got = scores[i * classes + c];
            missing += truth > threshold + 1e-6 && got == 0;
            extra += truth < threshold - 1e-6 && got > 0;
            off += got > 0 && fabs(got - truth) > 1e-6;
            above += got > 0;
        }
    tap_ok(!missing && !extra && !off && above > 0,
           "rule %d, %d classes, logits within %g, threshold %g: %d above, %d missing, "
           "%d extra, %d off",
           rule, classes, spread, threshold, above, missing, extra, off);
    free(scores);
    scene_close(s);
}

/* ---- Expensive outputs ---------------------------------------------------------- */

typedef struct Load {
    const char *name;
    int classes;
    bool far; /* no box meets another, else all are equal */
    int cap, per_class, per_picture;
    int expected;
} Load;

/* 102 400 anchors, all scores equal. */
static const Load loads[] = {
    { "all boxes equal", 1, false, 0, 0, 100, 1 },
    { "all boxes equal, two classes", 2, false, 0, 0, 100, 2 },
    { "no two boxes meet", 1, true, 0, 0, 100, 100 },
    { "no two boxes meet, 2000 candidates", 1, true, 2000, 0, 0, 2000 },
    { "no two boxes meet, 200 of a class", 2, true, 0, 200, 0, 400 },
    { "no two boxes meet, all results wanted", 1, true, 16384, 0, 0, 16384 },
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void check_load(const Load *l)
{
    VigilDetectRules rules = { .score = VIGIL_SCORE_SIGMOID,
                               .threshold = 0.1f,
                               .cap = l->cap,
                               .centre_variance = 1,
                               .size_variance = 1,
                               .size_clamp = INFINITY,
                               .iou_threshold = 0.5f,
                               .per_class = l->per_class,
                               .per_picture = l->per_picture };
    Scene *s = scene_open(&rules, 1, 320 * 320, l->classes);
    const VigilDetection *found;
    for (int i = 0; i < s->n; i++) {
        double x = l->far ? i % 320 / 320.0 : 0.5, y = l->far ? i / 320 / 320.0 : 0.5;
        scene_box(s, i, x, y, 0.002, 0.002);
        for (int c = 0; c < l->classes; c++)
            *scene_logit(s, i, c) = 1;
    }
    double start = seconds();
    int n = scene_run(s, NULL, &found);
    double took = seconds() - start;
    tap_ok(n == l->expected && took < 30, "%s: %d found, expected %d, in %.3f s",
           l->name, n, l->expected, took);
    scene_close(s);
}

/* ---- Strange outputs ------------------------------------------------------------ */

static float strange(void)
{
    static const float values[] = { NAN,      INFINITY, -INFINITY, FLT_MAX,
                                    -FLT_MAX, FLT_MIN,  0,         100,
                                    -100,     1e-45f,   3e38f,     88.8f };
    return below(3) ? values[below(COUNT(values))] : (float)uniform(-10, 10);
}

static bool is_sound(const VigilDetection *d, int n)
{
    for (int i = 0; i < n; i++)
        if (!isfinite(d[i].x) || !isfinite(d[i].y) || !(d[i].width >= 0) ||
            !(d[i].height >= 0) || !isfinite(d[i].width * d[i].height) ||
            !(d[i].score > 0 && d[i].score <= 1) || d[i].class_index < 0 ||
            d[i].class_index > 79 || (i && d[i].score > d[i - 1].score))
            return false;
    return true;
}

static void check_strange(const VigilDetectRules *rules, const char *name)
{
    const VigilMapSize maps[] = { { 20, 20 }, { 10, 10 }, { 5, 5 },
                                  { 3, 3 },   { 2, 2 },   { 1, 1 } };
    VigilDetectOptions all = { .has_threshold = true };
    VigilHeadMap outputs[VIGIL_MAX_LEVELS];
    const VigilDetection *found;
    VigilDetect *d = NULL;
    size_t floats = 20 * 20 * 9 * 85;
    float *boxes = malloc(floats * sizeof *boxes);
    float *classes = malloc(floats * sizeof *classes);
    for (int l = 0; l < VIGIL_MAX_LEVELS; l++)
        outputs[l] = (VigilHeadMap) { boxes, classes };
    bool sound = !vigil_detect_open(rules, 80, 320, 320, maps, &d, NULL);
    int results = 0;
    for (int run = 0; sound && run < 6; run++) {
        for (size_t i = 0; i < floats; i++) {
            boxes[i] = run ? strange() : NAN;
            classes[i] = run ? strange() : NAN;
        }
        vigil_detect_configure(d, run & 1 ? &all : NULL, NULL);
        int n = vigil_detect_run(d, outputs, NULL, &found);
        sound = is_sound(found, n) && (run || !n) && n <= VIGIL_MAX_DETECTIONS;
        results += n;
    }
    tap_ok(sound && results > 0, "%s on strange outputs: %d sound results", name,
           results);
    vigil_detect_close(&d);
    free(boxes);
    free(classes);
}

int main(void)
{
    static const float thresholds[] = { 0, 1e-6f, 0.02f, 0.3f, 0.9f, 0.999f };
    const char *seed = getenv("VIGIL_TEST_SEED");
    state = seed ? strtoull(seed, NULL, 0) : 20;
    printf("# seed %llu\n", (unsigned long long)state);
    check_scenes();
    for (int rule = VIGIL_SCORE_SOFTMAX_FIRST; rule <= VIGIL_SCORE_SIGMOID; rule++)
        for (size_t i = 0; i < 2 * COUNT(thresholds); i++)
            check_scores((VigilScoreRule)rule, i % 2 ? 11 : 1, thresholds[i / 2],
                         i < 8 ? 4 : 14);
    for (size_t i = 0; i < COUNT(loads); i++)
        check_load(&loads[i]);
    check_strange(&vigil_detect_mmdet_ssd, "mmdetection SSD");
    check_strange(&vigil_detect_mmdet_retinanet, "mmdetection RetinaNet");
    check_strange(&vigil_detect_cvnets_v1, "ml-cvnets v1");
    check_strange(&vigil_detect_cvnets_v2, "ml-cvnets v2");
    check_strange(&vigil_detect_set, "a set prediction");
    return tap_done();
}
