/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Set prediction: queries by hand, what each option does to them, and one query after
 * the other against its definition in double. */
#include <math.h>
#include <stdlib.h>

#include "scene.h"
#include "tap.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define CLASSES 3

/* Centre x, y, width, height; shares of the three classes and of no object. */
typedef struct Query {
    float box[4], share[CLASSES + 1];
} Query;

static const Query queries[] = {
    { { 0.5f, 0.5f, 0.2f, 0.4f }, { 0.1f, 0.6f, 0.2f, 0.1f } },
    { { 0.5f, 0.5f, 0.2f, 0.4f }, { 0.1f, 0.7f, 0.1f, 0.1f } },    /* the same box */
    { { 0.1f, 0.9f, 0.4f, 0.4f }, { 0.2f, 0.1f, 0.3f, 0.4f } },    /* over the border */
    { { 0.3f, 0.3f, 0.1f, 0.1f }, { 0.04f, 0.03f, 0.03f, 0.9f } }, /* hardly anything */
    { { 0.7f, 0.2f, 0.2f, 0.2f },
      { 0.25f, 0.25f, 0.2f, 0.3f } }, /* two classes alike */
};

static Scene *open_queries(void)
{
    Scene *s = scene_open(&vigil_detect_set, 1, COUNT(queries), CLASSES);
    for (int i = 0; i < (int)COUNT(queries); i++) {
        for (int k = 0; k < 4; k++)
            s->boxes[4 * i + k] = queries[i].box[k];
        for (int c = 0; c <= CLASSES; c++)
            *scene_logit(s, i, c) = logf(queries[i].share[c]) + (float)i;
    }
    return s;
}

static bool is_near(double a, double b)
{
    return fabs(a - b) < 1e-6;
}

/* The best class of each, the best query first. */
static void check_queries(void)
{
    static const VigilDetection expected[] = {
        { 0.4f, 0.3f, 0.2f, 0.4f, 1, 0.7f },    { 0.4f, 0.3f, 0.2f, 0.4f, 1, 0.6f },
        { 0, 0.7f, 0.3f, 0.3f, 2, 0.3f },       { 0.6f, 0.1f, 0.2f, 0.2f, 0, 0.25f },
        { 0.25f, 0.25f, 0.1f, 0.1f, 0, 0.04f },
    };
    const VigilDetection *found;
    Scene *s = open_queries();
    int n = scene_run(s, NULL, &found);
    tap_ok(n == (int)COUNT(expected), "%d queries, %d detections", (int)COUNT(queries),
           n);
    for (int i = 0; i < n && i < (int)COUNT(expected); i++) {
        const VigilDetection *d = &found[i], *e = &expected[i];
        tap_ok(d->class_index == e->class_index && is_near(d->score, e->score) &&
                   is_near(d->x, e->x) && is_near(d->y, e->y) &&
                   is_near(d->width, e->width) && is_near(d->height, e->height),
               "detection %d: class %d, score %g, %g x %g at %g, %g", i, d->class_index,
               (double)d->score, (double)d->width, (double)d->height, (double)d->x,
               (double)d->y);
    }
    scene_close(s);
}

/* Scores in hundredths, as decimal digits after a 9. */
static long digits(const VigilDetectOptions *options)
{
    const VigilDetection *found;
    Scene *s = open_queries();
    long out = 9;
    int n = scene_run(s, options, &found);
    for (int i = 0; i < n; i++)
        out = out * 100 + lrint(100 * (double)found[i].score);
    scene_close(s);
    return n < 0 ? n : out;
}

static void check_options(void)
{
    static const float own[] = { 0, 0.65f, NAN };
    static const bool first[] = { true, false, false };
    static const bool last[] = { false, false, true };
    static const struct {
        const char *name;
        VigilDetectOptions options;
        long digits;
    } steps[] = {
        { "none", { 0 }, 97060302504 },
        { "threshold", { .has_threshold = true, .threshold = 0.26f }, 9706030 },
        { "threshold 1", { .has_threshold = true, .threshold = 1 }, 9 },
        { "class thresholds",
          { .class_threshold = own, .has_threshold = true, .threshold = 0.5f },
          9702504 },
        /* What is rather something else is not told as what is wanted. */
        { "the first class", { .class_wanted = first }, 92504 },
        { "the last class", { .class_wanted = last }, 930 },
        { "at most 2", { .max_detections = 2 }, 97060 },
        { "more than there are", { .max_detections = 1000 }, 97060302504 },
        { "area at least", { .min_area = 0.085f }, 930 },
        { "area at most", { .max_area = 0.05f }, 92504 },
        { "iou threshold 0", { .has_iou_threshold = true }, 97060302504 },
    };
    for (size_t i = 0; i < COUNT(steps); i++) {
        long got = digits(&steps[i].options);
        tap_ok(got == steps[i].digits, "options, %s: %ld, expected %ld", steps[i].name,
               got, steps[i].digits);
    }
}

/* Boxes end where the picture does, of which the upper left quarter is shown. */
static void check_placed(void)
{
    const VigilPlacement placed = { .dst_width = SCENE_SIDE / 2,
                                    .dst_height = SCENE_SIDE / 2 };
    const VigilDetection *found;
    Scene *s = open_queries();
    int n = vigil_detect_run(s->detect, s->map, &placed, &found), inside = 0;
    for (int i = 0; i < n; i++)
        inside += found[i].x >= 0 && found[i].y >= 0 &&
                  found[i].x + found[i].width <= 0.5f + 1e-6f &&
                  found[i].y + found[i].height <= 0.5f + 1e-6f;
    tap_ok(n == (int)COUNT(queries) && inside == n && is_near(found[0].width, 0.1) &&
               is_near(found[0].height, 0.2),
           "%d of %d end where the picture does", inside, n);
    scene_close(s);
}

static float strange(uint64_t *state)
{
    static const float values[] = { NAN, INFINITY, -INFINITY, -1, 2, 3e38f, -3e38f, 0 };
    uint32_t r = scene_random(state);
    return r % 2 ? values[r / 2 % COUNT(values)] : (float)(r % 1000) / 1000;
}

static void check_strange(void)
{
    uint64_t state = 7;
    const VigilDetection *found;
    Scene *s = scene_open(&vigil_detect_set, 1, 2000, CLASSES);
    for (int i = 0; i < s->n; i++) {
        for (int k = 0; k < 4; k++)
            s->boxes[4 * i + k] = strange(&state);
        for (int c = 0; c <= CLASSES; c++)
            *scene_logit(s, i, c) = strange(&state);
    }
    int n = scene_run(s, NULL, &found), sound = 0;
    for (int i = 0; i < n; i++)
        sound += found[i].x >= 0 && found[i].y >= 0 && found[i].width >= 0 &&
                 found[i].height >= 0 && found[i].x + found[i].width <= 1.000001f &&
                 found[i].y + found[i].height <= 1.000001f && found[i].score > 0 &&
                 found[i].score <= 1;
    tap_ok(n > 100 && sound == n, "strange outputs: %d of %d detections are sound",
           sound, n);
    scene_close(s);
}

static void check_random(void)
{
    enum { QUERIES = 100 };
    uint64_t state = 11;
    const VigilDetection *found;
    int wrong = 0;
    Scene *s = scene_open(&vigil_detect_set, 1, QUERIES, CLASSES);
    for (int i = 0; i < s->n; i++) {
        for (int k = 0; k < 4; k++)
            s->boxes[4 * i + k] = k < 2 ? 0.5f : 0.001f * (float)(i + 1); /* tells i */
        for (int c = 0; c <= CLASSES; c++)
            *scene_logit(s, i, c) = (float)(scene_random(&state) % 8000) / 1000;
    }
    int n = scene_run(s, NULL, &found);
    for (int i = 0; i < n; i++) {
        int query = (int)lrint((double)found[i].width * 1000) - 1, best = 0;
        double sum = 0;
        for (int c = 0; c <= CLASSES; c++)
            sum += exp((double)*scene_logit(s, query, c));
        for (int c = 1; c < CLASSES; c++)
            if (*scene_logit(s, query, c) > *scene_logit(s, query, best))
                best = c;
        wrong +=
            found[i].class_index != best ||
            !is_near(found[i].score, exp((double)*scene_logit(s, query, best)) / sum);
        wrong += i > 0 && found[i].score > found[i - 1].score;
    }
    tap_ok(n == QUERIES && !wrong, "%d random queries, %d detections, %d wrong",
           QUERIES, n, wrong);
    scene_close(s);
}

int main(void)
{
    check_queries();
    check_options();
    check_placed();
    check_random();
    check_strange();
    return tap_done();
}
