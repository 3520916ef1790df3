/* Networks on formula weights against what the original implementations compute in
 * float64; goldens/ is packed by make_goldens.py, which tells the format.
 *
 *     golden FILE [SUBSTRING]    only those whose name contains it */
#include "core/formula.h"
#include "kernels/kernels.h"
#include "tap.h"
#include "vigil.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LOGIT_TOLERANCE 1.5e-5 /* of the rms of the logits */
#define MAX_TAPS 96

enum { MAP, OTHER }; /* kinds of taps */

typedef struct Tap {
    char name[81];
    uint32_t kind, shape[4], samples;
    float tolerance; /* absolute */
    const float *value;
} Tap;

typedef struct Golden {
    char name[81];
    uint32_t height, width, classes, n_taps;
    uint64_t seed, parameters, macs;
    double gain;
    float mean[3], std[3];
    const float *logits;
    Tap tap[MAX_TAPS];
} Golden;

static const unsigned char *take(const unsigned char *at, void *out, size_t n)
{
    memcpy(out, at, n);
    return at + n;
}

static const unsigned char *read_golden(const unsigned char *p, Golden *g)
{
    memset(g, 0, sizeof *g);
    p = take(p, g->name, 80);
    p = take(p, &g->height, 16);
    p = take(p, &g->seed, 24);
    p = take(p, &g->gain, 8);
    p = take(p, g->mean, 12);
    p = take(p, g->std, 12);
    g->logits = (const float *)p;
    p += 4 * g->classes;
    for (uint32_t i = 0; i < g->n_taps && i < MAX_TAPS; i++) {
        Tap *t = &g->tap[i];
        p = take(p, t->name, 80);
        p = take(p, &t->kind, 24);
        p = take(p, &t->tolerance, 4);
        t->value = (const float *)p;
        p += 4 * t->samples;
    }
    return p;
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

/* The formula picture, channel c of the picture to channel c of the network. */
static void fill_input(const Golden *g, float *x)
{
    size_t n = (size_t)g->height * g->width;
    uint8_t *rgb = malloc(n * 3);
    vigil_formula_image((int)g->height, (int)g->width, rgb);
    for (size_t i = 0; i < n * 3; i++)
        x[i] = (rgb[i] / 255.0f - g->mean[i % 3]) / g->std[i % 3];
    free(rgb);
}

static double rms(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * x[i];
    return sqrt(sum / (double)n);
}

static VigilSession *open_golden(VigilModel *model, const Golden *g, int threads,
                                 bool taps)
{
    const char *names[MAX_TAPS];
    VigilSession *session = NULL;
    VigilError e;
    VigilSessionOptions o = { .input = { .height = (int)g->height,
                                         .width = (int)g->width },
                              .threads = threads };
    for (uint32_t i = 0; i < g->n_taps; i++)
        names[i] = g->tap[i].name;
    if (taps) {
        o.taps = names;
        o.n_taps = g->n_taps;
    }
    if (vigil_session_open(model, &o, &session, &e) != VIGIL_OK)
        tap_ok(false, "%s %ux%u: %s", g->name, g->height, g->width, e.message);
    else
        fill_input(g, vigil_session_input(session));
    return session;
}

static void check_logits(VigilModel *model, const Golden *g, int threads)
{
    VigilSession *s = open_golden(model, g, threads, false);
    double worst = 0;
    if (!s)
        return;
    vigil_session_run(s);
    vigil_session_run(s); /* twice: nothing may be left over from the first run */
    const VigilTensor *t = vigil_session_output(s, 0);
    for (uint32_t i = 0; i < g->classes; i++)
        worst = fmax(worst, fabs((double)t->data[i] - g->logits[i]));
    worst /= rms(g->logits, g->classes);
    tap_ok(t->shape[0] == (int)g->classes && worst <= LOGIT_TOLERANCE,
           "%s %ux%u seed %llu, %s, %d threads: logits off by %.2g rms (may be %.2g)",
           g->name, g->height, g->width, (unsigned long long)g->seed, vigil_isa(),
           threads, worst, LOGIT_TOLERANCE);
    vigil_session_close(&s);
}

/* Worst deviation of the samples in tolerances; samples of maps are chosen from
 * [c][h][w], ours are [h][w][c]. */
static double tap_error(const Tap *t, const VigilTensor *ours)
{
    uint64_t numel = 1, plane = (uint64_t)t->shape[0] * t->shape[1];
    double worst = 0;
    for (int i = 0; i < 4 && t->shape[i]; i++)
        numel *= t->shape[i];
    for (uint64_t k = 0; k < t->samples; k++) {
        uint64_t i = numel <= 64 ? k : (k * 2654435761u + 12345) % numel;
        if (t->kind == MAP)
            i = (i % plane) * t->shape[2] + i / plane;
        worst = fmax(worst, fabs((double)ours->data[i] - t->value[k]));
    }
    return worst / t->tolerance;
}

static bool same_shape(const Tap *t, const VigilTensor *ours)
{
    for (int i = 0; i < 4; i++)
        if ((uint32_t)(i < ours->rank ? ours->shape[i] : 0) != t->shape[i])
            return false;
    return true;
}

static void check_taps(VigilModel *model, const Golden *g)
{
    VigilSession *s = open_golden(model, g, 2, true);
    if (!s)
        return;
    vigil_session_run(s);
    for (uint32_t i = 0; i < g->n_taps; i++) {
        const Tap *t = &g->tap[i];
        const VigilTensor *ours = vigil_session_tap(s, t->name);
        bool shape = ours && same_shape(t, ours);
        double worst = shape ? tap_error(t, ours) : INFINITY;
        tap_ok(worst <= 1, "%s %ux%u tap %s off by %.2g of what it may be", g->name,
               g->height, g->width, t->name, worst);
    }
    vigil_session_close(&s);
}

static void check_counts(const VigilModel *model, const Golden *g)
{
    uint64_t have = vigil_model_info(model)->parameters;
    tap_ok(have == g->parameters, "%s has %llu parameters, the original %llu", g->name,
           (unsigned long long)have, (unsigned long long)g->parameters);
    VigilVariant v = { 0 };
    for (size_t i = 0; i < vigil_variant_count(); i++)
        if (vigil_variant_get(i, &v, NULL) == VIGIL_OK &&
            !strncmp(v.name, g->name, strcspn(g->name, "@")) &&
            strlen(v.name) == strcspn(g->name, "@") && v.height == (int)g->height &&
            v.width == (int)g->width)
            tap_ok(v.macs == g->macs, "%s takes %llu MACs, the original %llu", g->name,
                   (unsigned long long)v.macs, (unsigned long long)g->macs);
}

static void check(const Golden *g)
{
    VigilModel *model = NULL;
    VigilError e;
    if (vigil_model_open_formula(g->name, g->seed, g->gain, (int)g->classes, &model,
                                 &e) != VIGIL_OK) {
        tap_ok(false, "%s: %s", g->name, e.message);
        return;
    }
    check_counts(model, g);
    check_logits(model, g, 1);
    check_logits(model, g, 2);
    check_taps(model, g);
    vigil_model_close(&model);
}

int main(int argc, char **argv)
{
    const char *forced = getenv("VIGIL_ISA");
    size_t size = 0;
    uint32_t count;
    if (argc < 2)
        return 2;
    if (forced && strcmp(forced, vigil_isa())) {
        tap_skip("this CPU cannot run level %s", forced);
        return tap_done();
    }
    unsigned char *data = read_file(argv[1], &size);
    if (!data || size < 8 || memcmp(data, "VGLD", 4)) {
        tap_ok(false, "%s is not a file of goldens", argv[1]);
        return tap_done();
    }
    memcpy(&count, data + 4, 4);
    const unsigned char *p = data + 8;
    for (uint32_t i = 0; i < count; i++) {
        Golden g;
        p = read_golden(p, &g);
        if (argc < 3 || strstr(g.name, argv[2]))
            check(&g);
    }
    free(data);
    return tap_done();
}
