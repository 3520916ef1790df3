/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One operation of the net against its definition, written out in double. */
#ifndef VIGIL_TESTS_CORE_OP_CASE_H
#define VIGIL_TESTS_CORE_OP_CASE_H

#include "build.h"
#include "core/formula.h"
#include "tap.h"

#include <math.h>
#include <string.h>

#define TOLERANCE 5e-6 /* of the rms of the reference */
#define EPS 1e-5f

/* ---- One operation between the map "x" and the output -----------------------------
 */

typedef struct Case {
    VigilNet *net;
    VigilStore *store;
    VigilValue x;
} Case;

/* A network whose map "x" is h x w x c. */
static inline Case begin(int h, int w, int c)
{
    VigilNetConfig config = { h, w, 1, 0 };
    Case t = { .net = vigil_net_new(&config), .store = vigil_store_new() };
    if (!t.net || !t.store)
        exit(2);
    t.x = vigil_net_conv(t.net, vigil_net_input(t.net),
                         &(VigilConv) { .name = "start", .out = c, .bias = true });
    vigil_net_name(t.net, t.x, "x");
    return t;
}

/* Runs it; the values of "x" and the shape of the result. */
static inline const float *finish(Case *t, VigilValue y, VigilShape *out)
{
    static const char *const keep[] = { "x" };
    vigil_net_output(t->net, y, "y");
    build_net(t->net, t->store, keep, 1, NULL, 0, 2);
    vigil_net_run(t->net);
    *out = vigil_net_shape(t->net, y);
    return vigil_net_data(t->net, vigil_net_find(t->net, "x"));
}

/* Compares with the reference [shape of y], frees both. */
static inline void end(Case *t, double *reference, const char *what)
{
    VigilValue v = vigil_net_output_at(t->net, 0, NULL);
    size_t n = vigil_shape_size(vigil_net_shape(t->net, v));
    const float *y = vigil_net_data(t->net, v);
    double worst = 0, sum = 0;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, isfinite(y[i]) ? fabs(y[i] - reference[i]) : INFINITY);
        sum += reference[i] * reference[i];
    }
    worst /= sqrt(sum / (double)n);
    tap_ok(worst <= TOLERANCE && sum > 0, "%s: off by %.2g rms (may be %.2g)", what,
           worst, TOLERANCE);
    free(reference);
    vigil_net_free(&t->net);
    vigil_store_free(&t->store);
}

static inline double *doubles(size_t n)
{
    double *p = calloc(n, sizeof *p);
    if (!p)
        exit(2);
    return p;
}

static inline float *weights(const char *name, int rank, const uint64_t *shape)
{
    size_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= (size_t)shape[i];
    float *p = malloc(n * sizeof *p);
    if (!p)
        exit(2);
    vigil_formula_fill(name, rank, shape, BUILD_SEED, BUILD_GAIN, p);
    return p;
}

static inline float *vector(const char *prefix, const char *last, int c)
{
    char name[64];
    uint64_t shape[] = { (uint64_t)c };
    snprintf(name, sizeof name, "%s.%s", prefix, last);
    return weights(name, 1, shape);
}

#endif
