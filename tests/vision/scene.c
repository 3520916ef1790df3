/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int whole(const VigilAnchorLevel *level,
                 VigilAnchorShape shape[VIGIL_MAX_CELL_ANCHORS])
{
    shape[0] = (VigilAnchorShape) { 1, 1 };
    return 1;
}

Scene *scene_open(const VigilDetectRules *rules, int levels, int per_level, int classes)
{
    Scene *s = calloc(1, sizeof *s);
    VigilError e;
    s->rules = *rules;
    s->rules.anchors = &s->anchors;
    s->anchors = (VigilAnchorRules) {
        .shapes = whole, .fractions = true, .offset = 0.5, .levels = levels
    };
    s->classes = classes;
    s->channels = classes + (rules->score != VIGIL_SCORE_SIGMOID);
    s->n = levels * per_level;
    s->anchor = calloc((size_t)s->n, sizeof *s->anchor);
    s->boxes = calloc((size_t)s->n * 4, sizeof *s->boxes);
    s->logits = calloc((size_t)s->n * (size_t)s->channels, sizeof *s->logits);
    for (size_t i = 0; i < (size_t)s->n * (size_t)s->channels; i++)
        s->logits[i] = -INFINITY;
    for (int l = 0; l < levels; l++) {
        s->size[l] = (VigilMapSize) { 1, per_level };
        s->map[l].boxes = s->boxes + (size_t)l * (size_t)per_level * 4;
        s->map[l].classes =
            s->logits + (size_t)l * (size_t)per_level * (size_t)s->channels;
    }
    vigil_anchors_fill(&s->anchors, SCENE_SIDE, SCENE_SIDE, s->size, s->anchor);
    if (vigil_detect_open(&s->rules, classes, SCENE_SIDE, SCENE_SIDE, s->size,
                          &s->detect, &e)) {
        printf("Bail out! %s\n", e.message);
        exit(1);
    }
    return s;
}

void scene_close(Scene *s)
{
    vigil_detect_close(&s->detect);
    free(s->anchor);
    free(s->boxes);
    free(s->logits);
    free(s);
}

float *scene_logit(Scene *s, int i, int c)
{
    int first = s->rules.score == VIGIL_SCORE_SOFTMAX_FIRST;
    return &s->logits[(size_t)i * (size_t)s->channels + (size_t)(c + first)];
}

float *scene_background(Scene *s, int i)
{
    return scene_logit(s, i,
                       s->rules.score == VIGIL_SCORE_SOFTMAX_FIRST ? -1 : s->classes);
}

void scene_box(Scene *s, int i, double x, double y, double width, double height)
{
    float *delta = s->boxes + 4 * (size_t)i;
    delta[0] = (float)((x + width / 2 - s->anchor[i].x) / s->rules.centre_variance);
    delta[1] = (float)((y + height / 2 - s->anchor[i].y) / s->rules.centre_variance);
    delta[2] = (float)(log(width) / s->rules.size_variance);
    delta[3] = (float)(log(height) / s->rules.size_variance);
}

int scene_run(Scene *s, const VigilDetectOptions *options, const VigilDetection **found)
{
    VigilError e;
    if (vigil_detect_configure(s->detect, options, &e)) {
        printf("# %s\n", e.message);
        return -1;
    }
    return vigil_detect_run(s->detect, s->map, NULL, found);
}

float scene_logit_of(double score)
{
    return (float)log(score / (1 - score));
}

uint32_t scene_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (uint32_t)((z ^ z >> 31) >> 32);
}
