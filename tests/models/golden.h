/* Reading files of goldens and comparing tensors with them; make_goldens.py and
 * make_dense.py tell the formats. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "core/formula.h"
#include "kernels/kernels.h"
#include "tap.h"
#include "vigil.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TAPS 160

enum { MAP, OTHER, ANCHORS, DETECTIONS }; /* kinds of taps */

typedef struct Tap {
    char name[81];
    uint32_t kind, shape[4], samples;
    float tolerance; /* absolute */
    const float *value;
} Tap;

static inline const unsigned char *take(const unsigned char *at, void *out, size_t n)
{
    memcpy(out, at, n);
    return at + n;
}

static inline const unsigned char *read_tap(const unsigned char *p, Tap *t)
{
    p = take(p, t->name, 80);
    p = take(p, &t->kind, 24);
    p = take(p, &t->tolerance, 4);
    t->value = (const float *)p;
    return p + 4 * t->samples;
}

typedef struct Golden {
    char name[81];
    uint32_t height, width, classes, n_taps;
    uint64_t seed, parameters, macs;
    double gain;
    float mean[3], std[3];
    const float *logits; /* [classes]; NULL: a dense network */
    Tap tap[MAX_TAPS];
} Golden;

static inline const unsigned char *read_golden(const unsigned char *p, Golden *g,
                                               bool classifier)
{
    memset(g, 0, sizeof *g);
    p = take(p, g->name, 80);
    p = take(p, &g->height, 16);
    p = take(p, &g->seed, 24);
    p = take(p, &g->gain, 8);
    p = take(p, g->mean, 12);
    p = take(p, g->std, 12);
    if (classifier) {
        g->logits = (const float *)p;
        p += 4 * g->classes;
    }
    if (g->n_taps > MAX_TAPS) {
        printf("Bail out! %s has %u taps, at most %d fit\n", g->name, g->n_taps,
               MAX_TAPS);
        exit(1);
    }
    for (uint32_t i = 0; i < g->n_taps; i++)
        p = read_tap(p, &g->tap[i]);
    return p;
}

static inline unsigned char *read_file(const char *path, size_t *size)
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

/* A file of goldens, which begins with `magic`; NULL and a failed check where it is
 * none.  *count: how many follow the 8 bytes of its head. */
static inline unsigned char *read_goldens(const char *path, const char *magic,
                                          uint32_t *count)
{
    size_t size = 0;
    unsigned char *data = read_file(path, &size);
    if (!data || size < 8 || memcmp(data, magic, 4)) {
        tap_ok(false, "%s is not a file of goldens %s", path, magic);
        free(data);
        return NULL;
    }
    memcpy(count, data + 4, 4);
    return data;
}

/* False, and said so, where VIGIL_ISA names a level that this CPU cannot run. */
static inline bool runs_level(void)
{
    const char *forced = getenv("VIGIL_ISA");
    if (!forced || !strcmp(forced, vigil_isa()))
        return true;
    tap_skip("this CPU cannot run level %s", forced);
    return false;
}

/* The formula picture, channel c of the picture to channel c of the network. */
static inline void fill_input(int height, int width, const float mean[3],
                              const float std[3], float *x)
{
    size_t n = (size_t)height * width;
    uint8_t *rgb = malloc(n * 3);
    vigil_formula_image(height, width, rgb);
    for (size_t i = 0; i < n * 3; i++)
        x[i] = (rgb[i] / 255.0f - mean[i % 3]) / std[i % 3];
    free(rgb);
}

/* The greater of worst and |difference|; a NaN is greater than anything. */
static inline double greater(double worst, double difference)
{
    return isnan(difference) ? INFINITY : fmax(worst, fabs(difference));
}

/* Where sample k lies in the order of the `numel` values it is chosen from. */
static inline uint64_t sample_at(uint64_t numel, uint64_t k)
{
    return numel <= 64 ? k : (k * 2654435761u + 12345) % numel;
}

/* Worst deviation of the samples in tolerances; samples of maps are chosen from
 * [c][h][w], ours are [h][w][c]. */
static inline double tap_error(const Tap *t, const VigilTensor *ours)
{
    uint64_t numel = 1, plane = (uint64_t)t->shape[0] * t->shape[1];
    double worst = 0;
    for (int i = 0; i < 4 && t->shape[i]; i++)
        numel *= t->shape[i];
    for (uint64_t k = 0; k < t->samples; k++) {
        uint64_t i = sample_at(numel, k);
        if (t->kind == MAP)
            i = (i % plane) * t->shape[2] + i / plane;
        worst = greater(worst, (double)ours->data[i] - t->value[k]);
    }
    return worst / t->tolerance;
}

static inline bool same_shape(const Tap *t, const VigilTensor *ours)
{
    for (int i = 0; i < 4; i++)
        if ((uint32_t)(i < ours->rank ? ours->shape[i] : 0) != t->shape[i])
            return false;
    return true;
}

#endif
