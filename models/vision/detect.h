/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the raw outputs of a detector's head to boxes: scores, thresholds, the best
 * candidates, box decoding, class-aware non-maximum suppression.
 *
 * VigilDetectRules say how a published implementation does this; rules are constants.
 * Memory is had at open, at most 80 MB (16 bytes an anchor, 12 a candidate, 48 a
 * result).  A run allocates nothing, and its cost is bounded whatever the outputs hold,
 * NaN and infinities included:
 *
 *   scores       every output is read once; a softmax whose background leaves no class
 *                above its threshold is not computed
 *   candidates   at most `cap` of each level or class, and VIGIL_MAX_CANDIDATES in all,
 *                shared out evenly, the best ones; n of m cost O(m log n)
 *   suppression  each candidate is compared with the boxes of its class that were kept
 *                so far: at most candidates x min(per_class, per_picture) comparisons
 *                of some 5 ns.  The worst of the published rules is cvnets_v1 at
 *                threshold 0 where no box meets another: 52 million.
 *
 * A candidate with a NaN score, or whose box is not finite, is none.
 */
#ifndef VIGIL_VISION_DETECT_H
#define VIGIL_VISION_DETECT_H

#include "vision/anchors.h"

#define VIGIL_MAX_CANDIDATES (1 << 18) /* 12 bytes each */
#define VIGIL_MAX_DETECT_CLASSES (1 << 14)

typedef enum VigilScoreRule {
    VIGIL_SCORE_SOFTMAX_FIRST, /* over the classes and a background before them */
    VIGIL_SCORE_SOFTMAX_LAST,  /* over the classes and a background after them */
    VIGIL_SCORE_SIGMOID,       /* each class on its own; no background */
} VigilScoreRule;

/* What the number of candidates is limited for. */
typedef enum VigilCapScope {
    VIGIL_CAP_PICTURE,
    VIGIL_CAP_LEVEL,
    VIGIL_CAP_CLASS,
} VigilCapScope;

typedef struct VigilDetectRules {
    const VigilAnchorRules *anchors;
    VigilScoreRule score;
    bool set; /* a set prediction: VIGIL_SCORE_SOFTMAX_LAST, of an anchor only the best
                 class is a candidate, its box is x, y of the centre, width and height
                 in fractions of the input, and nothing is suppressed */
    bool joined;     /* boxes and classes lie in one map: VigilHeadMap */
    float threshold; /* a candidate's score is above it */
    VigilCapScope cap_scope;
    int cap; /* candidates that go on to suppression, the best ones; 0: all */
    /* A box is centre = anchor centre + delta * centre_variance * anchor size,
     * size = anchor size * exp(delta * size_variance). */
    float centre_variance, size_variance;
    float size_clamp;    /* |delta * size_variance| is cut to this */
    bool clip;           /* boxes are clipped to the picture before suppression */
    float iou_threshold; /* of a set unused: of two boxes of a class that overlap by
                            more than this the lower-scored one goes */
    int per_class, per_picture; /* results, the best ones; 0: all */
    bool class_major; /* of equal scores the lower class comes first, then the lower
                         anchor; else the other way round */
} VigilDetectRules;

/* mmdetection's SSDHead, as SSDLite with EMO was trained (80 classes of COCO). */
extern const VigilDetectRules vigil_detect_mmdet_ssd;
/* mmdetection's RetinaHead. */
extern const VigilDetectRules vigil_detect_mmdet_retinanet;
/* ml-cvnets' SSD as of MobileViT (arXiv 2110.02178); MobileViTv3-S, XS and XXS. */
extern const VigilDetectRules vigil_detect_cvnets_v1;
/* ml-cvnets' SSD as of MobileViTv2 (arXiv 2206.02680); MobileViTv3-0.5, 0.75, 1.0. */
extern const VigilDetectRules vigil_detect_cvnets_v2;

/* DETR's post-processing (Carion et al., "End-to-End Object Detection with
 * Transformers", ECCV 2020, section 3.1) with boxes clipped to the picture: one
 * detection a query. */
extern const VigilDetectRules vigil_detect_set;

/* Outputs of a head of one level, h x w cells with `anchors` boxes each.  `channels`:
 * the classes, and one more where there is a background. */
typedef struct VigilHeadMap {
    const float *boxes;   /* [h][w][anchors][4]: delta x, y, width, height, or of a set
                             those of the box; joined:
                             [h][w][anchors][4 + channels], classes after the box */
    const float *classes; /* [h][w][anchors][channels]; joined: not read */
} VigilHeadMap;

/* For one head at one input size; used by one thread at a time. */
typedef struct VigilDetect VigilDetect;

/* maps: [rules->anchors->levels].  VIGIL_ERROR_ARGUMENT for maps as in
 * vigil_anchors_count(), an input without pixels, and classes not
 * 1..VIGIL_MAX_DETECT_CLASSES.  Keeps `rules`, copies `maps`. */
VigilStatus vigil_detect_open(const VigilDetectRules *rules, int classes, int height,
                              int width, const VigilMapSize *maps, VigilDetect **detect,
                              VigilError *error);
void vigil_detect_close(VigilDetect **detect);

/* Replaces all options by these (NULL: none), from the next run on.  Copies what they
 * point to, allocates nothing; VIGIL_ERROR_ARGUMENT leaves them as they were. */
VigilStatus vigil_detect_configure(VigilDetect *detect,
                                   const VigilDetectOptions *options,
                                   VigilError *error);

/* Detections in the outputs maps [levels], best first, and their number.  placed: where
 * in the input tensor the picture lies, to which boxes are clipped (NULL: all of it).
 * *detections is valid until the next run. */
int vigil_detect_run(VigilDetect *detect, const VigilHeadMap *maps,
                     const VigilPlacement *placed, const VigilDetection **detections);

#endif
