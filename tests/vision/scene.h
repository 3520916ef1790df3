/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Outputs of a made-up head whose boxes and scores a test chooses: one row of cells a
 * level, one anchor a cell, all as large as the input; deltas are fractions of it. */
#ifndef VIGIL_TESTS_VISION_SCENE_H
#define VIGIL_TESTS_VISION_SCENE_H

#include "vision/detect.h"

#define SCENE_SIDE 100 /* pixels of the input */

typedef struct Scene {
    VigilDetectRules rules;
    VigilAnchorRules anchors;
    VigilMapSize size[VIGIL_MAX_LEVELS];
    VigilHeadMap map[VIGIL_MAX_LEVELS];
    int classes, channels, n; /* anchors of all levels */
    VigilAnchor *anchor;      /* [n] */
    float *boxes;             /* [n][4] */
    float *logits;            /* [n][channels] */
    VigilDetect *detect;
} Scene;

/* rules->anchors is not looked at.  Every logit is -infinity, every box the anchor. */
Scene *scene_open(const VigilDetectRules *rules, int levels, int per_level,
                  int classes);
void scene_close(Scene *s);

/* The logit of class c, the background not counted, at anchor i. */
float *scene_logit(Scene *s, int i, int c);
float *scene_background(Scene *s, int i);

/* Makes the box of anchor i this one. */
void scene_box(Scene *s, int i, double x, double y, double width, double height);

/* With these options, NULL: none. */
int scene_run(Scene *s, const VigilDetectOptions *options,
              const VigilDetection **found);

/* The logit of which the sigmoid is `score`. */
float scene_logit_of(double score);

/* Numbers 0..2^32 - 1 that *state leads to. */
uint32_t scene_random(uint64_t *state);

#endif
