/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Suppression, scores, options and refusals of vigil_detect_run() on cases by hand. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define MAX 5

static const VigilDetectRules plain = {
    .score = VIGIL_SCORE_SIGMOID,
    .threshold = 0.1f,
    .cap_scope = VIGIL_CAP_PICTURE,
    .centre_variance = 1,
    .size_variance = 1,
    .size_clamp = INFINITY,
    .iou_threshold = 0.5f,
    .per_picture = 100,
};

/* ---- Suppression and order ------------------------------------------------------ */

typedef struct Case {
    const char *name;
    int n;
    struct {
        double box[4], score; /* x, y, width, height */
        int class_index;
    } in[MAX];
    int kept, order[MAX]; /* indices into in[] */
} Case;

static const Case cases[] = {
    { "the better of two alike",
      2,
      { { { 0.1, 0.1, 0.4, 0.4 }, 0.6, 0 }, { { 0.11, 0.1, 0.4, 0.4 }, 0.7, 0 } },
      1,
      { 1 } },
    { "two classes do not meet",
      2,
      { { { 0.1, 0.1, 0.4, 0.4 }, 0.6, 0 }, { { 0.1, 0.1, 0.4, 0.4 }, 0.7, 1 } },
      2,
      { 1, 0 } },
    { "what is suppressed suppresses nothing",
      3,
      { { { 0.1, 0.1, 0.3, 0.3 }, 0.9, 0 },
        { { 0.18, 0.1, 0.3, 0.3 }, 0.8, 0 },
        { { 0.26, 0.1, 0.3, 0.3 }, 0.7, 0 } },
      2,
      { 0, 2 } },
    { "a small box in a large one",
      2,
      { { { 0, 0, 1, 1 }, 0.9, 0 }, { { 0.25, 0.25, 0.5, 0.5 }, 0.8, 0 } },
      2,
      { 0, 1 } },
    { "boxes that touch",
      2,
      { { { 0.1, 0.1, 0.2, 0.2 }, 0.9, 0 }, { { 0.3, 0.1, 0.2, 0.2 }, 0.8, 0 } },
      2,
      { 0, 1 } },
    { "equal scores by anchor",
      3,
      { { { 0.1, 0.1, 0.1, 0.1 }, 0.5, 1 },
        { { 0.5, 0.1, 0.1, 0.1 }, 0.5, 0 },
        { { 0.9, 0.1, 0.1, 0.1 }, 0.5, 0 } },
      3,
      { 0, 1, 2 } },
    { "of equal scores the lower anchor suppresses",
      3,
      { { { 0.1, 0.1, 0.1, 0.1 }, 0.4, 0 },
        { { 0.5, 0.1, 0.1, 0.1 }, 0.5, 0 },
        { { 0.5, 0.1, 0.1, 0.1 }, 0.5, 0 } },
      2,
      { 1, 0 } },
    { "at the threshold is not above it",
      2,
      { { { 0.1, 0.1, 0.1, 0.1 }, 0.0999, 0 }, { { 0.1, 0.1, 0.1, 0.1 }, 0.1001, 0 } },
      1,
      { 1 } },
    { "nothing", 1, { { { 0.1, 0.1, 0.1, 0.1 }, 0.05, 0 } }, 0, { 0 } },
};

static bool is_box(const VigilDetection *d, const double *box)
{
    return fabs(d->x - box[0]) < 1e-6 && fabs(d->y - box[1]) < 1e-6 &&
           fabs(d->width - box[2]) < 1e-6 && fabs(d->height - box[3]) < 1e-6;
}

static Scene *scene_of(const Case *c)
{
    Scene *s = scene_open(&plain, 1, c->n, 2);
    for (int i = 0; i < c->n; i++) {
        scene_box(s, i, c->in[i].box[0], c->in[i].box[1], c->in[i].box[2],
                  c->in[i].box[3]);
        *scene_logit(s, i, c->in[i].class_index) = scene_logit_of(c->in[i].score);
    }
    return s;
}

static void check_case(const Case *c)
{
    const VigilDetection *found;
    Scene *s = scene_of(c);
    int n = scene_run(s, NULL, &found);
    bool same = n == c->kept;
    for (int i = 0; same && i < n; i++)
        same = is_box(&found[i], c->in[c->order[i]].box) &&
               found[i].class_index == c->in[c->order[i]].class_index &&
               fabs(found[i].score - c->in[c->order[i]].score) < 1e-6;
    tap_ok(same, "%s: %d kept", c->name, n);
    scene_close(s);
}

/* Boxes of one size, side by side: two shifted by a half overlap by 1/3. */
static void check_iou_threshold(void)
{
    static const struct {
        float threshold;
        int kept;
    } steps[] = { { 0, 1 }, { 0.333f, 1 }, { 0.334f, 2 }, { 1, 2 } };
    const VigilDetection *found;
    Scene *s = scene_open(&plain, 1, 2, 1);
    for (int i = 0; i < 2; i++) {
        scene_box(s, i, 0.2 + 0.1 * i, 0.2, 0.2, 0.2);
        *scene_logit(s, i, 0) = 1;
    }
    for (size_t i = 0; i < COUNT(steps); i++) {
        VigilDetectOptions o = { .has_iou_threshold = true,
                                 .iou_threshold = steps[i].threshold };
        int n = scene_run(s, &o, &found);
        tap_ok(n == steps[i].kept, "overlap of 1/3, iou threshold %g: %d kept",
               steps[i].threshold, n);
    }
    /* Anchor 1 now has the box of anchor 0: an overlap of 1. */
    memcpy(s->boxes + 4, s->boxes, 4 * sizeof *s->boxes);
    s->boxes[4] -= s->anchor[1].x - s->anchor[0].x;
    VigilDetectOptions all = { .has_iou_threshold = true, .iou_threshold = 1 };
    tap_ok(scene_run(s, &all, &found) == 2, "equal boxes, iou threshold 1: both kept");
    scene_close(s);
}

static void check_class_major(void)
{
    VigilDetectRules rules = plain;
    rules.class_major = true;
    const VigilDetection *found;
    Scene *s = scene_open(&rules, 1, 2, 2);
    *scene_logit(s, 0, 1) = *scene_logit(s, 1, 0) = *scene_logit(s, 1, 1) = 1;
    scene_box(s, 1, 0, 0, 0.1, 0.1);
    int n = scene_run(s, NULL, &found);
    tap_ok(n == 3 && found[0].class_index == 0 && found[1].class_index == 1 &&
               found[1].width > 0.5 && found[2].class_index == 1,
           "class_major: equal scores by class, then anchor");
    scene_close(s);
}

/* ---- Scores --------------------------------------------------------------------- */

static void check_softmax(VigilScoreRule score, const char *name)
{
    VigilDetectRules rules = plain;
    rules.score = score;
    rules.threshold = 0.2f;
    const VigilDetection *found;
    Scene *s = scene_open(&rules, 1, 2, 3);
    for (int i = 0; i < 2; i++) {
        *scene_background(s, i) = 0;
        *scene_logit(s, i, 1) =
            (float)M_LN2 + 3 * (float)i; /* anchor 0: 1, 2, 1 of 4 */
        *scene_logit(s, i, 2) = 0;
    }
    *scene_background(s, 1) = 30;
    int n = scene_run(s, NULL, &found);
    tap_ok(n == 2 && found[0].class_index == 1 && fabs(found[0].score - 0.5) < 1e-6 &&
               found[1].class_index == 2 && fabs(found[1].score - 0.25) < 1e-6,
           "softmax, background %s: %d found", name, n);
    scene_close(s);
}

static void check_strange_logits(void)
{
    VigilDetectRules rules = plain;
    rules.score = VIGIL_SCORE_SOFTMAX_LAST;
    const VigilDetection *found;
    Scene *s = scene_open(&rules, 1, 4, 2);
    *scene_logit(s, 0, 0) = INFINITY; /* shares 1 with nobody */
    *scene_background(s, 0) = NAN;
    *scene_logit(s, 1, 0) = NAN; /* no candidate */
    *scene_logit(s, 1, 1) = FLT_MAX;
    *scene_background(s, 1) = FLT_MAX;
    scene_box(s, 1, 0.1, 0.1, 0.1, 0.1);
    *scene_logit(s, 2, 0) = NAN;
    *scene_logit(s, 2, 1) = NAN;
    *scene_background(s, 2) = NAN; /* anchor 3: all at -infinity */
    int n = scene_run(s, NULL, &found);
    tap_ok(n == 2 && found[0].score == 1 && found[0].class_index == 0 &&
               found[1].score == 0.5f && found[1].class_index == 1,
           "NaN and infinite logits: %d found", n);
    scene_close(s);
}

static void check_strange_boxes(void)
{
    static const float strange[] = { NAN, INFINITY, -INFINITY };
    const VigilDetection *found;
    int left = 0;
    Scene *s = scene_open(&plain, 1, 13, 1);
    for (int i = 0; i < 13; i++)
        *scene_logit(s, i, 0) = 1;
    for (int i = 0; i < 12; i++)
        s->boxes[5 * i % 4 + 4 * i] = strange[i / 4];
    int n = scene_run(s, NULL, &found);
    for (int i = 0; i < n; i++)
        left += isfinite(found[i].x + found[i].y + found[i].width + found[i].height);
    /* exp(-infinity) = 0 makes two boxes without area, which are finite */
    tap_ok(n == 3 && left == n,
           "of 12 boxes with NaN or infinity and one without, %d "
           "are left, %d finite",
           n, left);
    scene_close(s);
}

/* ---- Options -------------------------------------------------------------------- */

/* Classes 0, 1, 2, 3 with scores 0.2, 0.4, 0.6, 0.8 and areas 0.01, 0.04, 0.09, 0.16;
 * returns the classes found, the best first, as decimal digits after a 9. */
static int digits(const VigilDetectOptions *options)
{
    const VigilDetection *found;
    Scene *s = scene_open(&plain, 1, 4, 4);
    int out = 9;
    for (int i = 0; i < 4; i++) {
        scene_box(s, i, 0.2, 0.2, 0.1 * (i + 1), 0.1 * (i + 1));
        *scene_logit(s, i, i) = scene_logit_of(0.2 * (i + 1));
    }
    int n = scene_run(s, options, &found);
    for (int i = 0; i < n; i++)
        out = out * 10 + found[i].class_index;
    scene_close(s);
    return out;
}

static void check_options(void)
{
    static const float own[] = { NAN, 0.5f, 0.9f, 0 };
    static const bool wanted[] = { true, false, true, false };
    static const struct {
        const char *name;
        VigilDetectOptions options;
        int digits;
    } steps[] = {
        { "none", { 0 }, 93210 },
        { "threshold", { .has_threshold = true, .threshold = 0.5f }, 932 },
        { "threshold 0", { .has_threshold = true }, 93210 },
        { "threshold 1", { .has_threshold = true, .threshold = 1 }, 9 },
        { "class thresholds", { .class_threshold = own }, 930 },
        { "class thresholds and a common one",
          { .class_threshold = own, .has_threshold = true, .threshold = 0.3f },
          93 },
        { "wanted classes", { .class_wanted = wanted }, 920 },
        { "at most 3", { .max_detections = 3 }, 9321 },
        { "area at least", { .min_area = 0.05f }, 932 },
        { "area at most", { .max_area = 0.05f }, 910 },
        { "area within", { .min_area = 0.03f, .max_area = 0.1f }, 921 },
    };
    for (size_t i = 0; i < COUNT(steps); i++) {
        int got = digits(&steps[i].options);
        tap_ok(got == steps[i].digits, "options, %s: %d, expected %d", steps[i].name,
               got, steps[i].digits);
    }
}

/* A box that the area limits refuse suppresses nothing either. */
static void check_area_first(void)
{
    const VigilDetection *found;
    Scene *s = scene_open(&plain, 1, 2, 1);
    VigilDetectOptions o = { .max_area = 0.2f };
    for (int i = 0; i < 2; i++) {
        scene_box(s, i, 0.1, 0.1, 0.5 - 0.1 * i, 0.5 - 0.1 * i);
        *scene_logit(s, i, 0) = scene_logit_of(0.9 - 0.1 * i);
    }
    int n = scene_run(s, &o, &found);
    tap_ok(n == 1 && fabs(found[0].width - 0.4) < 1e-6,
           "a box outside the area limits suppresses nothing");
    scene_close(s);
}

static void check_clip(void)
{
    VigilDetectRules rules = plain;
    static const VigilPlacement placed = {
        .dst_x = 0, .dst_y = 20, .dst_width = 100, .dst_height = 60
    };
    const VigilDetection *found;
    for (int clip = 0; clip < 2; clip++) {
        rules.clip = clip;
        Scene *s = scene_open(&rules, 1, 1, 1);
        *scene_logit(s, 0, 0) = 1;
        scene_box(s, 0, -0.4, -0.3, 1.2, 1.2);
        scene_run(s, NULL, &found);
        const double whole[2][4] = { { -0.4, -0.3, 1.2, 1.2 }, { 0, 0, 0.8, 0.9 } };
        tap_ok(is_box(&found[0], whole[clip]), "clip %d: to the input", clip);
        vigil_detect_run(s->detect, s->map, &placed, &found);
        const double part[2][4] = { { -0.4, -0.3, 1.2, 1.2 }, { 0, 0.2, 0.8, 0.6 } };
        tap_ok(is_box(&found[0], part[clip]), "clip %d: to where the picture lies",
               clip);
        scene_close(s);
    }
}

static void check_size_clamp(void)
{
    VigilDetectRules rules = plain;
    rules.size_clamp = 0.5f;
    const VigilDetection *found;
    Scene *s = scene_open(&rules, 1, 1, 1);
    *scene_logit(s, 0, 0) = 1;
    s->boxes[2] = 9;
    s->boxes[3] = -9;
    scene_run(s, NULL, &found);
    tap_ok(fabs(found[0].width - exp(0.5)) < 1e-6 &&
               fabs(found[0].height - exp(-0.5)) < 1e-6,
           "sizes are cut to exp(0.5) and exp(-0.5): %g, %g", found[0].width,
           found[0].height);
    scene_close(s);
}

/* ---- Published rules ------------------------------------------------------------ */

/* Numbers that the goldens do not depend on, as the configurations have them. */
static void check_published(void)
{
    static const struct {
        const char *name;
        const VigilDetectRules *rules;
        float threshold;
        VigilCapScope scope;
        int cap, channels[VIGIL_MAX_LEVELS]; /* channels of boxes */
    } published[] = {
        { "mmdetection SSD",
          &vigil_detect_mmdet_ssd,
          0.02f,
          VIGIL_CAP_LEVEL,
          1000,
          { 24, 24, 24, 24, 24, 24 } },
        { "mmdetection RetinaNet",
          &vigil_detect_mmdet_retinanet,
          0.05f,
          VIGIL_CAP_LEVEL,
          1000,
          { 36, 36, 36, 36, 36 } },
        { "ml-cvnets v1",
          &vigil_detect_cvnets_v1,
          0.05f,
          VIGIL_CAP_PICTURE,
          0,
          { 24, 24, 24, 24, 24, 16 } },
        { "ml-cvnets v2",
          &vigil_detect_cvnets_v2,
          0.01f,
          VIGIL_CAP_CLASS,
          400,
          { 24, 24, 24, 24, 24, 16 } },
    };
    for (size_t i = 0; i < COUNT(published); i++) {
        const VigilDetectRules *r = published[i].rules;
        bool same = r->threshold == published[i].threshold &&
                    r->cap_scope == published[i].scope && r->cap == published[i].cap;
        for (int l = 0; l < r->anchors->levels; l++)
            same &=
                4 * vigil_anchors_per_cell(r->anchors, l) == published[i].channels[l];
        tap_ok(same, "%s: threshold %g, cap %d", published[i].name, r->threshold,
               r->cap);
    }
}

/* ---- Refusals ------------------------------------------------------------------- */

static void refused(VigilStatus status, const VigilError *e, const char *a,
                    const char *b)
{
    tap_ok(status == VIGIL_ERROR_ARGUMENT && strstr(e->message, a) &&
               strstr(e->message, b),
           "refused, naming %s and %s: %s", a, b, e->message);
}

static void check_open_refusals(void)
{
    VigilMapSize maps[] = { { 32, 40 }, { 16, 20 }, { 8, 10 }, { 4, 5 }, { 2, 3 } };
    const VigilDetectRules *r = &vigil_detect_mmdet_retinanet;
    VigilDetect *d = NULL;
    VigilError e;
    refused(vigil_detect_open(r, 0, 256, 320, maps, &d, &e), &e, "0 classes", "16384");
    refused(vigil_detect_open(r, 16385, 256, 320, maps, &d, &e), &e, "16385", "16384");
    refused(vigil_detect_open(r, 80, 0, 320, maps, &d, &e), &e, "320x0", "1x1");
    maps[2].width = 0;
    refused(vigil_detect_open(r, 80, 256, 320, maps, &d, &e), &e, "map 2", "0x8");
    maps[2].width = 10;
    maps[4] = (VigilMapSize) { 1 << 15, 1 << 15 };
    refused(vigil_detect_open(r, 80, 256, 320, maps, &d, &e), &e, "map 4", "4194304");
    maps[4] = (VigilMapSize) { INT32_MAX, INT32_MAX };
    refused(vigil_detect_open(r, 80, 256, 320, maps, &d, &e), &e, "map 4", "4194304");
    tap_ok(!d, "nothing was opened");
}

static void check_option_refusals(void)
{
    static const float own[] = { 0.5f, 1.5f };
    static const struct {
        VigilDetectOptions options;
        const char *named[2];
    } steps[] = {
        { { .has_threshold = true, .threshold = -0.5f }, { "threshold -0.5", "1" } },
        { { .has_threshold = true, .threshold = NAN }, { "threshold", "nan" } },
        { { .has_iou_threshold = true, .iou_threshold = 2 }, { "iou", "2" } },
        { { .max_detections = -1 }, { "-1", "16384" } },
        { { .max_detections = 16385 }, { "16385", "16384" } },
        { { .class_threshold = own }, { "1.5", "class 1" } },
        { { .min_area = 0.5f, .max_area = 0.25f }, { "0.5", "0.25" } },
        { { .min_area = -1 }, { "-1", "areas" } },
        { { .max_area = NAN }, { "nan", "areas" } },
    };
    const VigilDetection *found;
    Scene *s = scene_open(&plain, 1, 1, 2);
    VigilError e;
    *scene_logit(s, 0, 0) = 1;
    for (size_t i = 0; i < COUNT(steps); i++)
        refused(vigil_detect_configure(s->detect, &steps[i].options, &e), &e,
                steps[i].named[0], steps[i].named[1]);
    tap_ok(vigil_detect_run(s->detect, s->map, NULL, &found) == 1,
           "refused options change nothing");
    scene_close(s);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        check_case(&cases[i]);
    check_iou_threshold();
    check_class_major();
    check_softmax(VIGIL_SCORE_SOFTMAX_FIRST, "first");
    check_softmax(VIGIL_SCORE_SOFTMAX_LAST, "last");
    check_strange_logits();
    check_strange_boxes();
    check_options();
    check_area_first();
    check_clip();
    check_size_clamp();
    check_published();
    check_open_refusals();
    check_option_refusals();
    return tap_done();
}
