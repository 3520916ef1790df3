/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Matching and average precision of vigil-model eval on scenes whose figures follow
 * from the definition by hand.  Random scenes are in system/cli_eval.py.
 */
#include "tap.h"
#include "vigil-model-eval-ap.h"

#include <math.h>
#include <string.h>

enum { MAX_BOXES = 8, MAX_CLASSES = 3, ANY = -2 };

#define TOLERANCE 1e-12

/* Box of width x height at x, y; area as that. */
#define BOX(x, y, w, h) { x, y, w, h }
#define TRUTH(i, c, x, y, w, h)                                                        \
    { .image = i, .class_index = c, .box = BOX(x, y, w, h), .area = (w) * (h) }
#define IGNORE(i, c, x, y, w, h)                                                       \
    { .image = i,                                                                      \
      .class_index = c,                                                                \
      .box = BOX(x, y, w, h),                                                          \
      .area = (w) * (h),                                                               \
      .ignore = true }
#define CROWD(i, c, x, y, w, h)                                                        \
    { .image = i,                                                                      \
      .class_index = c,                                                                \
      .box = BOX(x, y, w, h),                                                          \
      .area = (w) * (h),                                                               \
      .ignore = true,                                                                  \
      .crowd = true }
#define FOUND(i, c, x, y, w, h, s) { i, c, BOX(x, y, w, h), s }

/* Of class 0 but where another is named; ANY figures are not looked at, NAN is one. */
typedef struct Case {
    const char *name;
    int n_truths, n_found, class_index;
    ApTruth truths[MAX_BOXES];
    ApFound found[MAX_BOXES];
    size_t positives;
    double ap, ap50, ap75, ar;
} Case;

static const Case cases[] = {
    { "all found",
      2,
      2,
      0,
      { TRUTH(0, 0, 0, 0, 10, 10), TRUTH(0, 0, 50, 50, 20, 20) },
      { FOUND(0, 0, 0, 0, 10, 10, 0.9), FOUND(0, 0, 50, 50, 20, 20, 0.8) },
      2,
      1,
      1,
      1,
      1 },
    { "nothing found",
      1,
      0,
      0,
      { TRUTH(0, 0, 0, 0, 10, 10) },
      { { 0 } },
      1,
      0,
      0,
      0,
      0 },
    { "nothing to be found",
      0,
      1,
      0,
      { { 0 } },
      { FOUND(0, 0, 0, 0, 10, 10, 0.9) },
      0,
      NAN,
      NAN,
      NAN,
      NAN },
    { "one of two: precision 1 up to recall 0.5, 51 of 101 points",
      2,
      1,
      0,
      { TRUTH(0, 0, 0, 0, 10, 10), TRUTH(1, 0, 0, 0, 10, 10) },
      { FOUND(0, 0, 0, 0, 10, 10, 0.9) },
      2,
      51 / 101.,
      51 / 101.,
      51 / 101.,
      0.5 },
    { "a false one with a higher score halves the precision",
      1,
      2,
      0,
      { TRUTH(0, 0, 0, 0, 10, 10) },
      { FOUND(0, 0, 80, 80, 10, 10, 0.9), FOUND(0, 0, 0, 0, 10, 10, 0.5) },
      1,
      0.5,
      0.5,
      0.5,
      1 },
    { "a false one with a lower score costs nothing",
      1,
      2,
      0,
      { TRUTH(0, 0, 0, 0, 10, 10) },
      { FOUND(0, 0, 80, 80, 10, 10, 0.1), FOUND(0, 0, 0, 0, 10, 10, 0.5) },
      1,
      1,
      1,
      1,
      1 },
    { "overlap of 80 / 120 is enough at 0.5, 0.55, 0.6 and 0.65",
      1,
      1,
      0,
      { TRUTH(0, 0, 0, 0, 10, 10) },
      { FOUND(0, 0, 2, 0, 10, 10, 0.9) },
      1,
      0.4,
      1,
      0,
      0.4 },
    { "overlap of exactly 0.75 is enough at 0.75",
      1,
      1,
      0,
      { TRUTH(0, 0, 0, 0, 4, 4) },
      { FOUND(0, 0, 0, 0, 3, 4, 0.9) },
      1,
      0.6,
      1,
      1,
      0.6 },
    { "a box is taken once: the second detection is a false one",
      2,
      3,
      0,
      { TRUTH(0, 0, 0, 0, 10, 10), TRUTH(0, 0, 40, 0, 10, 10) },
      { FOUND(0, 0, 0, 0, 10, 10, 0.9), FOUND(0, 0, 0, 0, 10, 10, 0.8),
        FOUND(0, 0, 40, 0, 10, 10, 0.7) },
      2,
      (51 + 50 * 2 / 3.) / 101,
      (51 + 50 * 2 / 3.) / 101,
      ANY,
      1 },
    { "a detection takes the box it overlaps most",
      2,
      2,
      0,
      { TRUTH(0, 0, 0, 0, 10, 10), TRUTH(0, 0, 2, 0, 10, 10) },
      { FOUND(0, 0, 2, 0, 10, 10, 0.9), FOUND(0, 0, 0, 0, 10, 10, 0.8) },
      2,
      1,
      1,
      1,
      1 },
    { "a crowd takes any number, by the share of the detection inside, and is not "
      "found",
      2,
      4,
      0,
      { TRUTH(0, 0, 0, 0, 10, 10), CROWD(0, 0, 100, 100, 100, 100) },
      { FOUND(0, 0, 110, 110, 10, 10, 0.99), FOUND(0, 0, 150, 150, 20, 20, 0.98),
        FOUND(0, 0, 195, 150, 10, 10, 0.97), FOUND(0, 0, 0, 0, 10, 10, 0.5) },
      1,
      ANY,
      1,
      0.5,
      1 },
    { "a box to ignore excuses one detection, not two",
      2,
      3,
      0,
      { IGNORE(0, 0, 100, 100, 20, 20), TRUTH(0, 0, 0, 0, 10, 10) },
      { FOUND(0, 0, 100, 100, 20, 20, 0.99), FOUND(0, 0, 100, 100, 20, 20, 0.98),
        FOUND(0, 0, 0, 0, 10, 10, 0.5) },
      1,
      0.5,
      0.5,
      0.5,
      1 },
    { "a box to ignore is no crowd: a small detection inside is a false one",
      2,
      2,
      0,
      { IGNORE(0, 0, 100, 100, 100, 100), TRUTH(0, 0, 0, 0, 10, 10) },
      { FOUND(0, 0, 110, 110, 10, 10, 0.99), FOUND(0, 0, 0, 0, 10, 10, 0.5) },
      1,
      0.5,
      0.5,
      0.5,
      1 },
    { "a box to be found goes first even where one to ignore overlaps more",
      2,
      1,
      0,
      { IGNORE(0, 0, 2, 0, 10, 10), TRUTH(0, 0, 0, 0, 10, 10) },
      { FOUND(0, 0, 2, 0, 10, 10, 0.9) },
      1,
      0.4,
      1,
      0,
      0.4 },
    { "classes do not mix: the first is not found",
      2,
      2,
      0,
      { TRUTH(0, 0, 0, 0, 10, 10), TRUTH(0, 1, 50, 0, 10, 10) },
      { FOUND(0, 1, 0, 0, 10, 10, 0.9), FOUND(0, 1, 50, 0, 10, 10, 0.8) },
      1,
      0,
      0,
      0,
      0 },
    { "classes do not mix: what was found is of the second",
      2,
      2,
      1,
      { TRUTH(0, 0, 0, 0, 10, 10), TRUTH(0, 1, 50, 0, 10, 10) },
      { FOUND(0, 1, 0, 0, 10, 10, 0.9), FOUND(0, 1, 50, 0, 10, 10, 0.8) },
      1,
      0.5,
      0.5,
      0.5,
      1 },
    { "a region for every class is ignored in the last class too",
      3,
      2,
      2,
      { TRUTH(0, 2, 0, 0, 10, 10), IGNORE(0, AP_EVERY_CLASS, 50, 0, 10, 10),
        IGNORE(1, AP_EVERY_CLASS, 0, 0, 10, 10) },
      { FOUND(0, 2, 50, 0, 10, 10, 0.9), FOUND(0, 2, 0, 0, 10, 10, 0.8) },
      1,
      1,
      1,
      1,
      1 },
    { "pictures do not mix",
      1,
      1,
      0,
      { TRUTH(3, 0, 0, 0, 10, 10) },
      { FOUND(2, 0, 0, 0, 10, 10, 0.9) },
      1,
      0,
      0,
      0,
      0 },
    { "equal scores: the order given decides",
      1,
      2,
      0,
      { TRUTH(0, 0, 0, 0, 10, 10) },
      { FOUND(0, 0, 80, 0, 10, 10, 0.5), FOUND(0, 0, 0, 0, 10, 10, 0.5) },
      1,
      0.5,
      0.5,
      0.5,
      1 },
    { "equal scores: the lower picture comes first whatever the order",
      1,
      2,
      0,
      { TRUTH(4, 0, 0, 0, 10, 10) },
      { FOUND(7, 0, 80, 0, 10, 10, 0.5), FOUND(4, 0, 0, 0, 10, 10, 0.5) },
      1,
      1,
      1,
      1,
      1 },
    { "a box without area is to be found and never is",
      1,
      1,
      0,
      { TRUTH(0, 0, 5, 5, 0, 0) },
      { FOUND(0, 0, 5, 5, 0, 0, 0.5) },
      1,
      0,
      0,
      0,
      0 },
    { "boxes so large that sums overflow are no crash",
      1,
      1,
      0,
      { { .class_index = 0, .box = BOX(1e308, 1e308, 1e308, 1e308), .area = 1 } },
      { FOUND(0, 0, 1e308, 1e308, 1e308, 1e308, 0.5) },
      1,
      ANY,
      ANY,
      ANY,
      ANY },
};

static bool near(double got, double wanted)
{
    return wanted == ANY ||
           (isnan(wanted) ? isnan(got) : fabs(got - wanted) < TOLERANCE);
}

static void check_case(const Case *c)
{
    ApResult result[MAX_CLASSES], all;
    bool done = ap_evaluate(c->truths, (size_t)c->n_truths, c->found,
                            (size_t)c->n_found, MAX_CLASSES, result, &all);
    const ApResult *r = &result[c->class_index];
    tap_ok(done && r->positives == c->positives && near(r->figure[AP_MEAN], c->ap) &&
               near(r->figure[AP_50], c->ap50) && near(r->figure[AP_75], c->ap75) &&
               near(r->figure[AR_100], c->ar),
           "%s: %zu positives, AP %.12g %.12g %.12g, AR %.12g", c->name, r->positives,
           r->figure[AP_MEAN], r->figure[AP_50], r->figure[AP_75], r->figure[AR_100]);
}

/* Both ends of a range belong to it: a box of 32 x 32 is small and medium. */
static void check_areas(void)
{
    const ApTruth truths[] = {
        TRUTH(0, 0, 0, 0, 10, 10),                 /* small, found */
        TRUTH(0, 0, 100, 0, 32, 32),               /* small and medium, found */
        TRUTH(0, 0, 200, 0, 50, 50),               /* medium, not found */
        { .box = BOX(0, 300, 96, 96), .area = 5 }, /* small by its own area, found */
    };
    const ApFound found[] = {
        FOUND(0, 0, 0, 0, 10, 10, 0.9),
        FOUND(0, 0, 100, 0, 32, 32, 0.8),
        FOUND(0, 0, 400, 400, 200, 200, 0.95), /* false, and large */
        FOUND(0, 0, 0, 300, 96, 96, 0.7),
    };
    ApResult r, all;
    bool done = ap_evaluate(truths, 4, found, 4, 1, &r, &all);
    tap_ok(done && near(r.figure[AP_SMALL], 1),
           "small: large false ones are left out, area as told: %.12g",
           r.figure[AP_SMALL]);
    tap_ok(near(r.figure[AP_MEDIUM], 51 / 101.), "medium: one of two: %.12g",
           r.figure[AP_MEDIUM]);
    tap_ok(isnan(r.figure[AP_LARGE]), "large: nothing to be found");
    tap_ok(near(r.figure[AR_100], 0.75), "all: three of four: %.12g", r.figure[AR_100]);
}

/* A box that is not found makes 0 of what has no figure without it. */
static void check_area_ends(void)
{
    const ApTruth small = TRUTH(0, 0, 0, 0, 32, 32), large = TRUTH(0, 0, 0, 0, 96, 96);
    ApResult r, all;
    bool done = ap_evaluate(&small, 1, NULL, 0, 1, &r, &all);
    tap_ok(done && r.figure[AP_SMALL] == 0 && r.figure[AP_MEDIUM] == 0 &&
               isnan(r.figure[AP_LARGE]),
           "32 x 32 is small and medium");
    done = ap_evaluate(&large, 1, NULL, 0, 1, &r, &all);
    tap_ok(done && isnan(r.figure[AP_SMALL]) && r.figure[AP_MEDIUM] == 0 &&
               r.figure[AP_LARGE] == 0,
           "96 x 96 is medium and large");
}

/* 100 false ones, then the right one: it is looked at only where there is room. */
static void check_limit(void)
{
    const ApTruth truth = TRUTH(0, 0, 0, 0, 10, 10);
    ApFound found[AP_MAX_DETECTIONS + 1];
    ApResult r[2], all;
    for (int i = 0; i <= AP_MAX_DETECTIONS; i++)
        found[i] = (ApFound) { 0, 0, BOX(500, 500, 5, 5), 0.9 - i * 0.001 };
    found[AP_MAX_DETECTIONS] = (ApFound)FOUND(0, 0, 0, 0, 10, 10, 0.1);
    bool done = ap_evaluate(&truth, 1, found, AP_MAX_DETECTIONS + 1, 1, r, &all);
    tap_ok(done && r->figure[AP_50] == 0 && r->detections == AP_MAX_DETECTIONS,
           "the 101st detection is not looked at: AP50 %g", r->figure[AP_50]);
    done = ap_evaluate(&truth, 1, found + 1, AP_MAX_DETECTIONS, 1, r, &all);
    tap_ok(done && near(r->figure[AP_50], 0.01), "the 100th is: AP50 %.12g",
           r->figure[AP_50]);
    found[0].class_index = 1;
    done = ap_evaluate(&truth, 1, found, AP_MAX_DETECTIONS + 1, 2, r, &all);
    tap_ok(done && near(r->figure[AP_50], 0.01), "another class takes no place");
}

static void check_mean(void)
{
    const ApTruth truths[] = { TRUTH(0, 0, 0, 0, 10, 10), TRUTH(0, 1, 50, 0, 10, 10) };
    const ApFound found[] = { FOUND(0, 1, 50, 0, 10, 10, 0.8),
                              FOUND(0, 2, 0, 0, 10, 10, 0.9) };
    ApResult r[MAX_CLASSES], all;
    bool done = ap_evaluate(truths, 2, found, 2, MAX_CLASSES, r, &all);
    tap_ok(done && near(all.figure[AP_MEAN], 0.5) && isnan(r[2].figure[AP_MEAN]) &&
               all.positives == 2 && all.detections == 2,
           "the mean leaves out a class without boxes: %.12g", all.figure[AP_MEAN]);
    done = ap_evaluate(NULL, 0, NULL, 0, 0, NULL, &all);
    tap_ok(done && isnan(all.figure[AP_MEAN]) && all.positives == 0, "nothing at all");
}

int main(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
    check_areas();
    check_area_ends();
    check_limit();
    check_mean();
    return tap_done();
}
