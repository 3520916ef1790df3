/* Networks on formula weights against what the original implementations compute in
 * float64; goldens/ is packed by make_goldens.py, which tells the format.
 *
 *     golden FILE [SUBSTRING [once]]
 *
 * Only those whose name contains SUBSTRING; with `once` the first of them in a single
 * run, for processors that are emulated. */
#include "golden.h"

#define LOGIT_TOLERANCE 1.5e-5 /* of the rms of the logits */

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
        fill_input((int)g->height, (int)g->width, g->mean, g->std,
                   vigil_session_input(session));
    return session;
}

static void compare_logits(const VigilSession *s, const Golden *g, int threads)
{
    double worst = 0;
    const VigilTensor *t = vigil_session_output(s, 0);
    for (uint32_t i = 0; i < g->classes; i++)
        worst = greater(worst, (double)t->data[i] - g->logits[i]);
    worst /= rms(g->logits, g->classes);
    tap_ok(t->shape[0] == (int)g->classes && worst <= LOGIT_TOLERANCE,
           "%s %ux%u seed %llu, %s, %d threads: logits off by %.2g rms (may be %.2g)",
           g->name, g->height, g->width, (unsigned long long)g->seed, vigil_isa(),
           threads, worst, LOGIT_TOLERANCE);
}

static void compare_taps(const VigilSession *s, const Golden *g)
{
    for (uint32_t i = 0; i < g->n_taps; i++) {
        const Tap *t = &g->tap[i];
        const VigilTensor *ours = vigil_session_tap(s, t->name);
        bool shape = ours && same_shape(t, ours);
        double worst = shape ? tap_error(t, ours) : INFINITY;
        tap_ok(worst <= 1, "%s %ux%u tap %s off by %.2g of what it may be", g->name,
               g->height, g->width, t->name, worst);
    }
}

static void check_logits(VigilModel *model, const Golden *g, int threads)
{
    VigilSession *s = open_golden(model, g, threads, false);
    if (!s)
        return;
    vigil_session_run(s);
    vigil_session_run(s); /* twice: nothing may be left over from the first run */
    compare_logits(s, g, threads);
    vigil_session_close(&s);
}

/* `logits`: theirs, too, in the same run. */
static void check_taps(VigilModel *model, const Golden *g, bool logits)
{
    VigilSession *s = open_golden(model, g, 2, true);
    if (!s)
        return;
    vigil_session_run(s);
    compare_taps(s, g);
    if (logits)
        compare_logits(s, g, 2);
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

static void check(const Golden *g, bool once)
{
    VigilModel *model = NULL;
    VigilError e;
    if (vigil_model_open_formula(g->name, g->seed, g->gain, (int)g->classes, &model,
                                 &e) != VIGIL_OK) {
        tap_ok(false, "%s: %s", g->name, e.message);
        return;
    }
    check_counts(model, g);
    if (!once) {
        check_logits(model, g, 1);
        check_logits(model, g, 2);
    }
    check_taps(model, g, once);
    vigil_model_close(&model);
}

int main(int argc, char **argv)
{
    uint32_t count;
    bool once = argc > 3 && !strcmp(argv[3], "once");
    if (argc < 2 || argc > 4 || (argc == 4 && !once))
        return 2;
    if (!runs_level())
        return tap_done();
    unsigned char *data = read_goldens(argv[1], "VGLD", &count);
    const unsigned char *p = data ? data + 8 : NULL;
    for (uint32_t i = 0; p && i < count; i++) {
        Golden g;
        p = read_golden(p, &g, true);
        if (argc < 3 || strstr(g.name, argv[2])) {
            check(&g, once);
            p = once ? NULL : p;
        }
    }
    free(data);
    return tap_done();
}
