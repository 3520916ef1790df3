/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Anchors, and detections in recorded outputs of heads, against the original
 * implementations; make_detections.py packs the file and tells its format.
 *
 *     detect_goldens FILE */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "vision/detect.h"

#define LEAST_IOU 0.999
#define SCORE_TOLERANCE 1e-5
/* The originals' sort is not stable, so that equal scores come in any order; scores
 * that rounding may make equal are those within 4 steps of float below 1. */
#define TIE (4 * 5.97e-8)
#define ANCHOR_TOLERANCE 1e-6 /* of the input's side, or of a greater anchor */

static const VigilDetectRules *const rules_of[] = {
    &vigil_detect_mmdet_ssd,
    &vigil_detect_mmdet_retinanet,
    &vigil_detect_cvnets_v1,
    &vigil_detect_cvnets_v2,
};

typedef struct Recorded {
    float box[4], score;
    uint32_t class_index;
} Recorded;

typedef struct Golden {
    char name[81];
    uint32_t kind, height, width, classes, levels;
    uint32_t channels, background,
        joined; /* background: channels where there is none */
    VigilMapSize maps[VIGIL_MAX_LEVELS];
    uint32_t total, n_recorded, n_samples, n_outputs;
    const unsigned char *recorded, *samples, *outputs;
} Golden;

static const unsigned char *take(const unsigned char *at, void *out, size_t n)
{
    memcpy(out, at, n);
    return at + n;
}

static const unsigned char *read_head(const unsigned char *p, Golden *g)
{
    memset(g, 0, sizeof *g);
    p = take(p, g->name, 80);
    p = take(p, &g->kind, 32);
    for (uint32_t l = 0; l < g->levels && l < VIGIL_MAX_LEVELS; l++)
        p = take(p, &g->maps[l], 8);
    p = take(p, &g->total, 8);
    g->recorded = p;
    p = take(p + sizeof(Recorded) * g->n_recorded, &g->n_samples, 4);
    g->samples = p;
    p = take(p + 8 * (size_t)g->n_samples, &g->n_outputs, 4);
    g->outputs = p;
    return p;
}

/* ---- Anchors -------------------------------------------------------------------- */

/* Value `part` of anchor `a` as the original has it: centre form in fractions, or
 * corners in pixels. */
static double as_recorded(const Golden *g, const VigilAnchor *a, uint32_t part)
{
    double side = part % 2 ? g->height : g->width;
    double centre = part % 2 ? a->y : a->x, length = part % 2 ? a->height : a->width;
    if (rules_of[g->kind]->anchors->fractions)
        return part < 2 ? centre : length;
    return (centre + (part < 2 ? -0.5 : 0.5) * length) * side;
}

static void check_anchors(const Golden *g)
{
    const VigilAnchorRules *rules = rules_of[g->kind]->anchors;
    size_t count = 0;
    double worst = 0;
    if (vigil_anchors_count(rules, g->maps, &count, NULL)) {
        tap_ok(false, "%s: anchors cannot be counted", g->name);
        return;
    }
    VigilAnchor *anchors = malloc(count * sizeof *anchors);
    vigil_anchors_fill(rules, (int)g->height, (int)g->width, g->maps, anchors);
    for (uint32_t i = 0; i < g->n_samples; i++) {
        uint32_t index;
        float value;
        take(take(g->samples + 8 * i, &index, 4), &value, 4);
        double unit = rules->fractions ? 1 : index % 2 ? g->height : g->width;
        double ours =
            index / 4 < count ? as_recorded(g, &anchors[index / 4], index % 4) : NAN;
        double off = fabs(ours - value) / fmax(unit, fabs(value));
        worst = off <= worst ? worst : off;
    }
    tap_ok(g->n_samples > 0 && worst <= ANCHOR_TOLERANCE,
           "%s: %u values of %zu anchors off by %.2g (may be %.2g)", g->name,
           g->n_samples, count, worst, ANCHOR_TOLERANCE);
    free(anchors);
}

/* ---- Detections ----------------------------------------------------------------- */

typedef struct Outputs {
    VigilHeadMap map[VIGIL_MAX_LEVELS];
    float *boxes, *classes; /* of all levels; joined: classes lie among the boxes */
    size_t anchors, box_step, class_step;
} Outputs;

/* Nothing anywhere: all classes at -infinity, a background at 0. */
static Outputs empty_outputs(const Golden *g)
{
    const VigilAnchorRules *anchors = rules_of[g->kind]->anchors;
    Outputs o = { .box_step = g->joined ? 4 + g->channels : 4,
                  .class_step = g->joined ? 4 + g->channels : g->channels };
    size_t first = 0;
    vigil_anchors_count(anchors, g->maps, &o.anchors, NULL);
    o.boxes = calloc(o.anchors * o.box_step, sizeof(float));
    o.classes =
        g->joined ? o.boxes + 4 : malloc(o.anchors * o.class_step * sizeof(float));
    for (size_t a = 0; a < o.anchors; a++)
        for (size_t c = 0; c < g->channels; c++)
            o.classes[a * o.class_step + c] = c == g->background ? 0 : -INFINITY;
    for (uint32_t l = 0; l < g->levels; l++) {
        o.map[l].boxes = o.boxes + first * o.box_step;
        o.map[l].classes = g->joined ? NULL : o.classes + first * o.class_step;
        first += (size_t)g->maps[l].height * (size_t)g->maps[l].width *
                 (size_t)vigil_anchors_per_cell(anchors, (int)l);
    }
    return o;
}

static const unsigned char *read_outputs(const Golden *g, Outputs *o)
{
    const unsigned char *p = g->outputs;
    for (uint32_t i = 0; i < g->n_outputs; i++) {
        uint32_t a;
        uint8_t kept, c;
        float rest;
        p = take(p, &a, 4);
        p = take(p, o->boxes + a * o->box_step, 16);
        p = take(p, &rest, 4);
        p = take(p, &kept, 1);
        float *logits = o->classes + a * o->class_step;
        if (g->background < g->channels)
            logits[g->background] = rest;
        for (int k = 0; k < kept; k++) {
            p = take(p, &c, 1);
            p = take(p, &logits[c + (c >= g->background)], 4);
        }
    }
    return p;
}

/* 1 for the same box without area. */
static double iou(const float *a, const VigilDetection *d)
{
    double b[4] = { d->x, d->y, (double)d->x + d->width, (double)d->y + d->height };
    double w = fmin(a[2], b[2]) - fmax(a[0], b[0]);
    double h = fmin(a[3], b[3]) - fmax(a[1], b[1]);
    double off = 0;
    for (int i = 0; i < 4; i++)
        off = fmax(off, fabs(a[i] - b[i]));
    if (off <= 1e-6)
        return 1;
    double common = fmax(w, 0) * fmax(h, 0);
    return common / ((double)(a[2] - a[0]) * (a[3] - a[1]) +
                     (double)d->width * d->height - common);
}

/* Where among those that tie with found[i], and were not seen before, `r` is; -1. */
static int find(const Recorded *r, const VigilDetection *found, int n, int i,
                bool *seen)
{
    int first = i;
    while (first > 0 && found[first - 1].score - found[i].score <= TIE)
        first--;
    for (int k = first; k < n && found[i].score - found[k].score <= TIE; k++)
        if (!seen[k] && found[k].class_index == (int)r->class_index &&
            iou(r->box, &found[k]) >= LEAST_IOU &&
            fabs((double)found[k].score - r->score) <= SCORE_TOLERANCE) {
            seen[k] = true;
            return k;
        }
    return -1;
}

/* found: more than the original kept, for what ties with its last one. */
static void compare(const Golden *g, const VigilDetection *found, int n)
{
    bool *seen = calloc((size_t)n + 1, sizeof *seen);
    int missing = 0, moved = 0, disordered = 0;
    double worst = 0;
    for (int i = 0; i < (int)g->n_recorded; i++) {
        Recorded r;
        take(g->recorded + (size_t)i * sizeof r, &r, sizeof r);
        int k = i < n ? find(&r, found, n, i, seen) : -1;
        missing += k < 0;
        moved += k >= 0 && k != i;
        worst = k < 0 ? worst : fmax(worst, 1 - iou(r.box, &found[k]));
    }
    for (int i = 1; i < n; i++)
        disordered += found[i].score > found[i - 1].score;
    tap_ok(g->n_recorded > 0 && !missing && !disordered,
           "%s: %d of the first %u not found, %d in another order among equals, %d out "
           "of order, IoU at least 1 - %.2g",
           g->name, missing, g->n_recorded, moved, disordered, worst);
    free(seen);
}

static void check_detections(const Golden *g, VigilDetect *detect, const Outputs *o)
{
    const VigilDetection *found;
    VigilDetectOptions more = { .max_detections = (int)g->total + 32 };
    vigil_detect_run(detect, o->map, NULL, &found);
    int n = vigil_detect_run(detect, o->map, NULL, &found); /* nothing is left over */
    tap_ok(n == (int)g->total, "%s: %d detections, the original has %u", g->name, n,
           g->total);
    vigil_detect_configure(detect, &more, NULL);
    n = vigil_detect_run(detect, o->map, NULL, &found);
    compare(g, found, n);
}

/* Returns the end of the golden. */
static const unsigned char *check(const Golden *g)
{
    VigilDetect *detect = NULL;
    VigilError e;
    Outputs o = empty_outputs(g);
    const unsigned char *end = read_outputs(g, &o);
    check_anchors(g);
    if (vigil_detect_open(rules_of[g->kind], (int)g->classes, (int)g->height,
                          (int)g->width, g->maps, &detect, &e))
        tap_ok(false, "%s: %s", g->name, e.message);
    else if (g->n_recorded)
        check_detections(g, detect, &o);
    vigil_detect_close(&detect);
    if (!g->joined)
        free(o.classes);
    free(o.boxes);
    return end;
}

static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    unsigned char *data = NULL;
    if (f && !fseek(f, 0, SEEK_END)) {
        *size = (size_t)ftell(f);
        rewind(f);
        data = malloc(*size + 1);
        if (data && fread(data, 1, *size, f) != *size)
            *size = 0;
    }
    if (f)
        fclose(f);
    return data;
}

int main(int argc, char **argv)
{
    size_t size = 0;
    uint32_t count;
    if (argc < 2)
        return 2;
    unsigned char *data = read_file(argv[1], &size);
    if (!data || size < 8 || memcmp(data, "VGDT", 4)) {
        tap_ok(false, "%s is not a file of detections", argv[1]);
        return tap_done();
    }
    const unsigned char *p = take(data + 4, &count, 4);
    for (uint32_t i = 0; i < count; i++) {
        Golden g;
        read_head(p, &g);
        p = check(&g);
    }
    tap_ok(p == data + size, "the file ends where its last golden ends");
    free(data);
    return tap_done();
}
