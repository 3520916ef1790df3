/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Anchors: the boxes that a detector's head starts from, the same few around every cell
 * of every map.
 *
 * One order everywhere: maps as the head has them, cells row by row, the anchors of a
 * cell innermost.
 */
#ifndef VIGIL_VISION_ANCHORS_H
#define VIGIL_VISION_ANCHORS_H

#include "core/status.h"

#define VIGIL_MAX_LEVELS 6          /* maps of a head */
#define VIGIL_MAX_CELL_ANCHORS 9    /* around one cell */
#define VIGIL_MAX_ANCHORS (1 << 22) /* of all maps together */

/* In fractions of the input tensor; not clipped to it. */
typedef struct VigilAnchor {
    float x, y, width, height; /* x, y: the centre */
} VigilAnchor;

/* The side of an anchor at ratio 1.  SSD draws between min and max, RetinaNet from min
 * on. */
typedef struct VigilAnchorLevel {
    double stride; /* pixels from cell to cell; 0: the cells divide the input evenly */
    double min, max;
    int ratios; /* SSD: this many of 2, 3, each also turned upright */
} VigilAnchorLevel;

/* Sides before they are divided by the input's. */
typedef struct VigilAnchorShape {
    double width, height;
} VigilAnchorShape;

/* How a published detector lays its anchors. */
typedef struct VigilAnchorRules {
    /* Writes the shapes around one cell, returns how many. */
    int (*shapes)(const VigilAnchorLevel *level,
                  VigilAnchorShape shape[VIGIL_MAX_CELL_ANCHORS]);
    bool fractions; /* min and max are fractions of each side of the input, and x, y,
                       width and height are clamped to 0..1; else pixels, no clamp */
    double offset;  /* of an anchor's centre in its cell, in strides */
    int levels;
    VigilAnchorLevel level[VIGIL_MAX_LEVELS];
} VigilAnchorRules;

/* mmdetection's SSDAnchorGenerator as SSDLite at 320x320 configures it. */
extern const VigilAnchorRules vigil_anchors_mmdet_ssd;
/* mmdetection's AnchorGenerator of RetinaNet (arXiv 1708.02002, section 4). */
extern const VigilAnchorRules vigil_anchors_mmdet_retinanet;
/* The queries of a set prediction, one a cell in a single row.  Their boxes are
 * predicted whole: as anchors they are all of the input's size. */
extern const VigilAnchorRules vigil_anchors_queries;
/* ml-cvnets' SSD anchors, those of arXiv 1512.02325, section 2.2, with other scales. */
extern const VigilAnchorRules vigil_anchors_cvnets_ssd;

/* SSD's anchors with other sizes [levels + 1], of each level the least and, as that of
 * the next, the largest; fractions of the input, whose cells divide it evenly.  False,
 * and nothing done, unless they rise from above 0 to 2 at most and the rules are SSD's.
 */
bool vigil_anchors_resize(VigilAnchorRules *rules, const float *sizes);

typedef struct VigilMapSize {
    int height, width; /* cells */
} VigilMapSize;

/* Anchors around one cell of map `level`, 0 <= level < rules->levels. */
int vigil_anchors_per_cell(const VigilAnchorRules *rules, int level);

/* Anchors of all maps [rules->levels] together.  VIGIL_ERROR_ARGUMENT for a map without
 * cells and for more than VIGIL_MAX_ANCHORS. */
VigilStatus vigil_anchors_count(const VigilAnchorRules *rules, const VigilMapSize *maps,
                                size_t *count, VigilError *error);

/* Writes these anchors for an input of height x width pixels. */
void vigil_anchors_fill(const VigilAnchorRules *rules, int height, int width,
                        const VigilMapSize *maps, VigilAnchor *anchors);

#endif
