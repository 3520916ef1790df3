/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Average precision of a detector, as the COCO tool defines it.
 *
 * Per class and picture the 100 best detections are taken, best first, equal scores in
 * the order given.  At each of ten thresholds of intersection over union (0.5 to 0.95)
 * a detection takes the box that it overlaps most, of those that are not yet taken; a
 * box to ignore only where no other is left.  Precision over recall is interpolated at
 * 101 points.  Detections that took a box to ignore count neither as hits nor as false
 * ones.
 *
 * Nothing here prints, reads files or knows JSON.
 */
#ifndef VIGIL_MODEL_EVAL_AP_H
#define VIGIL_MODEL_EVAL_AP_H

#include <stdbool.h>
#include <stddef.h>

enum {
    AP_MAX_DETECTIONS = 100, /* of a class in a picture */
    AP_THRESHOLDS = 10,
    AP_EVERY_CLASS = -1,
};

typedef struct ApBox {
    double x, y, width, height; /* pixels: left, top; width, height >= 0; finite */
} ApBox;

/* A box that is to be found. */
typedef struct ApTruth {
    int image;       /* >= 0; of equal scores the lower image comes first */
    int class_index; /* AP_EVERY_CLASS: a region to ignore, whatever is found there */
    ApBox box;
    double area; /* of the object, in square pixels, for small, medium and large */
    bool ignore; /* always set for crowds and regions */
    bool crowd;  /* overlap is intersection over the detection's area, and the box can
                    be taken by any number of detections */
} ApTruth;

typedef struct ApFound {
    int image, class_index;
    ApBox box;
    double score; /* finite */
} ApFound;

enum ApFigure {
    AP_MEAN,   /* over the thresholds 0.5, 0.55 ... 0.95 */
    AP_50,     /* at 0.5 */
    AP_75,     /* at 0.75 */
    AP_SMALL,  /* as AP_MEAN, of boxes of at most 32 x 32 pixels in area */
    AP_MEDIUM, /* of 32 x 32 to 96 x 96 */
    AP_LARGE,  /* of at least 96 x 96 */
    AR_100,    /* recall, mean over the thresholds */
    AP_FIGURES,
};

typedef struct ApResult {
    size_t positives;          /* boxes to be found, without those to ignore */
    size_t detections;         /* that were looked at */
    double figure[AP_FIGURES]; /* 0..1; NaN where there is nothing to be found */
} ApResult;

/* Evaluates classes 0..classes-1 into result [classes]; *all gets the mean of each
 * figure over the classes that have one, and the sums of the counts.  False when there
 * is no memory.  Time n log n, and 100 times the boxes of a picture. */
bool ap_evaluate(const ApTruth *truths, size_t n_truths, const ApFound *found,
                 size_t n_found, int classes, ApResult *result, ApResult *all);

#endif
