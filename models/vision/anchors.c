/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/anchors.h"

#include <math.h>

/* A box of that area whose height is `ratio` times its width. */
static VigilAnchorShape shape_of(double side, double ratio)
{
    return (VigilAnchorShape) { side / sqrt(ratio), side * sqrt(ratio) };
}

static int ssd_shapes(const VigilAnchorLevel *level,
                      VigilAnchorShape shape[VIGIL_MAX_CELL_ANCHORS])
{
    int n = 0;
    shape[n++] = shape_of(level->min, 1);
    shape[n++] = shape_of(sqrt(level->min * level->max), 1);
    for (int ratio = 2; ratio < 2 + level->ratios; ratio++) {
        shape[n++] = shape_of(level->min, 1.0 / ratio);
        shape[n++] = shape_of(level->min, ratio);
    }
    return n;
}

static int retinanet_shapes(const VigilAnchorLevel *level,
                            VigilAnchorShape shape[VIGIL_MAX_CELL_ANCHORS])
{
    static const double ratios[] = { 0.5, 1, 2 };
    int n = 0;
    for (int r = 0; r < 3; r++)
        for (int third = 0; third < 3; third++)
            shape[n++] = shape_of(level->min * exp2(third / 3.0), ratios[r]);
    return n;
}

const VigilAnchorRules vigil_anchors_mmdet_ssd = {
    .shapes = ssd_shapes,
    .offset = 0.5,
    .levels = 6,
    .level = { { 16, 48, 100, 2 },
               { 32, 100, 150, 2 },
               { 64, 150, 202, 2 },
               { 107, 202, 253, 2 },
               { 160, 253, 304, 2 },
               { 320, 304, 320, 2 } },
};

const VigilAnchorRules vigil_anchors_mmdet_retinanet = {
    .shapes = retinanet_shapes,
    .offset = 0,
    .levels = 5,
    .level = { { .stride = 8, .min = 32 },
               { .stride = 16, .min = 64 },
               { .stride = 32, .min = 128 },
               { .stride = 64, .min = 256 },
               { .stride = 128, .min = 512 } },
};

static int query_shape(const VigilAnchorLevel *level,
                       VigilAnchorShape shape[VIGIL_MAX_CELL_ANCHORS])
{
    shape[0] = (VigilAnchorShape) { 1, 1 };
    return 1;
}

const VigilAnchorRules vigil_anchors_queries = {
    .shapes = query_shape, .fractions = true, .offset = 0.5, .levels = 1
};

/* Scale i of the seven that lie evenly from 0.1 to 1.05. */
#define SCALE(i) (0.1 + (i) * (1.05 - 0.1) / 6)

const VigilAnchorRules vigil_anchors_cvnets_ssd = {
    .shapes = ssd_shapes,
    .fractions = true,
    .offset = 0.5,
    .levels = 6,
    .level = { { 0, SCALE(0), SCALE(1), 2 },
               { 0, SCALE(1), SCALE(2), 2 },
               { 0, SCALE(2), SCALE(3), 2 },
               { 0, SCALE(3), SCALE(4), 2 },
               { 0, SCALE(4), SCALE(5), 2 },
               { 0, SCALE(5), SCALE(6), 1 } },
};

bool vigil_anchors_resize(VigilAnchorRules *rules, const float *sizes)
{
    if (rules->shapes != ssd_shapes || !(sizes[0] > 0) || !(sizes[rules->levels] <= 2))
        return false;
    for (int l = 0; l < rules->levels; l++)
        if (!(sizes[l] < sizes[l + 1]))
            return false;
    rules->fractions = true;
    for (int l = 0; l < rules->levels; l++) {
        rules->level[l].stride = 0;
        rules->level[l].min = (double)sizes[l];
        rules->level[l].max = (double)sizes[l + 1];
    }
    return true;
}

int vigil_anchors_per_cell(const VigilAnchorRules *rules, int level)
{
    VigilAnchorShape shape[VIGIL_MAX_CELL_ANCHORS];
    return rules->shapes(&rules->level[level], shape);
}

VigilStatus vigil_anchors_count(const VigilAnchorRules *rules, const VigilMapSize *maps,
                                size_t *count, VigilError *error)
{
    *count = 0;
    for (int l = 0; l < rules->levels; l++) {
        size_t n = (size_t)vigil_anchors_per_cell(rules, l);
        if (maps[l].height < 1 || maps[l].width < 1)
            return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                              "map %d of the head has %dx%d cells: at least 1x1 needed",
                              l, maps[l].width, maps[l].height);
        if (!vigil_size_mul(n, (size_t)maps[l].height, &n) ||
            !vigil_size_mul(n, (size_t)maps[l].width, &n) || n > VIGIL_MAX_ANCHORS ||
            *count + n > VIGIL_MAX_ANCHORS)
            return vigil_fail(error, VIGIL_ERROR_ARGUMENT,
                              "map %d of the head, %dx%d cells of %d anchors, brings "
                              "their number above %d",
                              l, maps[l].width, maps[l].height,
                              vigil_anchors_per_cell(rules, l), VIGIL_MAX_ANCHORS);
        *count += n;
    }
    return VIGIL_OK;
}

static float clamped(double value, bool clamp)
{
    return (float)(clamp ? fmin(fmax(value, 0), 1) : value);
}

/* Anchors of one map; returns where the next map's begin. */
static VigilAnchor *fill_level(const VigilAnchorRules *rules, int l, int height,
                               int width, VigilMapSize map, VigilAnchor *out)
{
    const VigilAnchorLevel *level = &rules->level[l];
    VigilAnchorShape shape[VIGIL_MAX_CELL_ANCHORS];
    int n = rules->shapes(level, shape);
    bool fractions = rules->fractions;
    double step_x = level->stride ? level->stride / width : 1.0 / map.width;
    double step_y = level->stride ? level->stride / height : 1.0 / map.height;
    for (int y = 0; y < map.height; y++)
        for (int x = 0; x < map.width; x++)
            for (int i = 0; i < n; i++)
                *out++ = (VigilAnchor) {
                    clamped((x + rules->offset) * step_x, fractions),
                    clamped((y + rules->offset) * step_y, fractions),
                    clamped(shape[i].width / (fractions ? 1 : width), fractions),
                    clamped(shape[i].height / (fractions ? 1 : height), fractions),
                };
    return out;
}

void vigil_anchors_fill(const VigilAnchorRules *rules, int height, int width,
                        const VigilMapSize *maps, VigilAnchor *anchors)
{
    for (int l = 0; l < rules->levels; l++)
        anchors = fill_level(rules, l, height, width, maps[l], anchors);
}
