/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What published detectors do with the outputs of their heads. */
#include "vision/detect.h"

#include <math.h>

#define SIZE_CLAMP 4.135166556742356f /* ln(1000 / 16): mmdetection's wh_ratio_clip */

const VigilDetectRules vigil_detect_mmdet_ssd = {
    .anchors = &vigil_anchors_mmdet_ssd,
    .score = VIGIL_SCORE_SOFTMAX_LAST,
    .threshold = 0.02f,
    .cap_scope = VIGIL_CAP_LEVEL,
    .cap = 1000,
    .centre_variance = 0.1f,
    .size_variance = 0.2f,
    .size_clamp = SIZE_CLAMP,
    .clip = true,
    .iou_threshold = 0.45f,
    .per_picture = 200,
};

const VigilDetectRules vigil_detect_mmdet_retinanet = {
    .anchors = &vigil_anchors_mmdet_retinanet,
    .score = VIGIL_SCORE_SIGMOID,
    .threshold = 0.05f,
    .cap_scope = VIGIL_CAP_LEVEL,
    .cap = 1000,
    .centre_variance = 1,
    .size_variance = 1,
    .size_clamp = SIZE_CLAMP,
    .clip = true,
    .iou_threshold = 0.5f,
    .per_picture = 100,
};

const VigilDetectRules vigil_detect_set = {
    .anchors = &vigil_anchors_queries,
    .score = VIGIL_SCORE_SOFTMAX_LAST,
    .set = true,
    .cap_scope = VIGIL_CAP_PICTURE,
    .clip = true,
};

const VigilDetectRules vigil_detect_cvnets_v1 = {
    .anchors = &vigil_anchors_cvnets_ssd,
    .score = VIGIL_SCORE_SOFTMAX_FIRST,
    .joined = true,
    .threshold = 0.05f,
    .cap_scope = VIGIL_CAP_PICTURE,
    .centre_variance = 0.1f,
    .size_variance = 0.2f,
    .size_clamp = INFINITY,
    .iou_threshold = 0.5f,
    .per_class = 200,
    .class_major = true,
};

const VigilDetectRules vigil_detect_cvnets_v2 = {
    .anchors = &vigil_anchors_cvnets_ssd,
    .score = VIGIL_SCORE_SOFTMAX_FIRST,
    .joined = true,
    .threshold = 0.01f,
    .cap_scope = VIGIL_CAP_CLASS,
    .cap = 400,
    .centre_variance = 0.1f,
    .size_variance = 0.2f,
    .size_clamp = INFINITY,
    .iou_threshold = 0.5f,
    .per_picture = 200,
    .class_major = true,
};
