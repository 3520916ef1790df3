/* Detectors and segmenters on formula weights against what the original implementations
 * compute in float64; goldens/dense_*.bin are packed by make_dense.py, which tells the
 * format.
 *
 *     dense FILE [SUBSTRING...]    only those whose name contains one of them */
#include "golden.h"

static const VigilTensor *output_named(const VigilSession *s, const char *name)
{
    const VigilTensor *t = NULL;
    for (size_t i = 0; (t = vigil_session_output(s, i)) != NULL; i++)
        if (!strcmp(t->name, name))
            break;
    return t;
}

static size_t tensor_size(const VigilTensor *t)
{
    size_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= (size_t)t->shape[i];
    return n;
}

/* Value i of all outputs, one after another; NAN behind the last. */
static double value_of_outputs(const VigilSession *s, size_t i)
{
    const VigilTensor *t;
    for (size_t k = 0; (t = vigil_session_output(s, k)) != NULL; k++) {
        size_t n = tensor_size(t);
        if (i < n)
            return t->data[i];
        i -= n;
    }
    return NAN;
}

/* As tap_error(), over all outputs: anchors [shape[0]] of shape[1] values each, of
 * which shape[2] from shape[3] on are meant. */
static double anchors_error(const Tap *t, const VigilSession *s)
{
    uint64_t step = t->shape[1], c = t->shape[2], numel = t->shape[0] * c;
    double worst = 0;
    if (!isnan(value_of_outputs(s, t->shape[0] * step)))
        return INFINITY;
    for (uint64_t k = 0; k < t->samples; k++) {
        uint64_t i = sample_at(numel, k);
        double ours = value_of_outputs(s, i / c * step + t->shape[3] + i % c);
        worst = greater(worst, ours - t->value[k]);
    }
    return worst / t->tolerance;
}

/* A vector stands for a map of one pixel. */
static bool shape_fits(const Tap *t, const VigilTensor *ours)
{
    Tap vector = { .shape = { t->shape[2] } };
    bool pixel = t->shape[0] == 1 && t->shape[1] == 1;
    return same_shape(t, ours) || (pixel && same_shape(&vector, ours));
}

/* How many of the recorded detections ours have none that is the same. */
static int missing_detections(const Tap *t, const VigilDetection *ours, int n)
{
    bool *used = calloc((size_t)n + 1, sizeof *used);
    int missing = 0;
    for (const float *v = t->value; v < t->value + t->samples; v += 6) {
        int k = 0;
        for (; k < n; k++) {
            const VigilDetection *d = &ours[k];
            float box[] = { d->x, d->y, d->x + d->width, d->y + d->height, d->score };
            bool same = !used[k] && d->class_index == (int)v[5];
            for (int i = 0; i < 5; i++)
                same = same && fabsf(box[i] - v[i]) <= t->tolerance;
            if (same)
                break;
        }
        used[k] = true;
        missing += k == n;
    }
    free(used);
    return missing;
}

static void check_detections(const VigilSession *s, const Golden *g, const Tap *t)
{
    VigilDetector *detector = NULL;
    const VigilDetection *found;
    VigilError e;
    if (vigil_detector_open(s, NULL, &detector, &e) != VIGIL_OK) {
        tap_ok(false, "%s: %s", g->name, e.message);
        return;
    }
    int n = vigil_detector_run(detector, NULL, &found);
    int missing = missing_detections(t, found, n);
    tap_ok(n == (int)t->shape[0] && !missing,
           "%s %ux%u: %d detections, of the original's %u are %d missing", g->name,
           g->height, g->width, n, t->shape[0], missing);
    vigil_detector_close(&detector);
}

/* The mask at the size of the input against the logits "seg" of that size. */
static void check_mask(const VigilSession *s, const Golden *g, const VigilTensor *seg)
{
    size_t pixels = (size_t)g->height * g->width, c = g->classes, wrong = 0;
    uint16_t *mask = calloc(pixels, sizeof *mask);
    VigilSegmenter *segmenter = NULL;
    VigilError e;
    if (vigil_segmenter_open(s, &segmenter, &e) != VIGIL_OK) {
        tap_ok(false, "%s: %s", g->name, e.message);
        free(mask);
        return;
    }
    vigil_segmenter_run(segmenter, NULL, (int)g->height, (int)g->width, mask);
    for (size_t p = 0; p < pixels; p++) {
        const float *logit = seg->data + p * c;
        float most = -INFINITY;
        for (size_t i = 0; i < c; i++)
            most = fmaxf(most, logit[i]);
        wrong += mask[p] >= c || logit[mask[p]] < most - 1e-5f;
    }
    tap_ok(!wrong, "%s %ux%u: %zu of %zu pixels in the mask have not the best class",
           g->name, g->height, g->width, wrong, pixels);
    vigil_segmenter_close(&segmenter);
    free(mask);
}

static double error_of(const Tap *t, const VigilSession *s)
{
    if (t->kind == ANCHORS)
        return anchors_error(t, s);
    const VigilTensor *ours = output_named(s, t->name);
    ours = ours ? ours : vigil_session_tap(s, t->name);
    return ours && shape_fits(t, ours) ? tap_error(t, ours) : INFINITY;
}

/* Under a name of the network. */
static bool is_tap(const Tap *t)
{
    return t->kind == MAP || t->kind == OTHER;
}

/* Outputs are there unasked. */
static size_t names_of_taps(VigilModel *model, const Golden *g, const char **names)
{
    VigilSession *s = NULL;
    size_t n = 0;
    if (vigil_session_open(model, NULL, &s, NULL) != VIGIL_OK)
        return 0;
    for (uint32_t i = 0; i < g->n_taps; i++)
        if (is_tap(&g->tap[i]) && !output_named(s, g->tap[i].name))
            names[n++] = g->tap[i].name;
    vigil_session_close(&s);
    return n;
}

static VigilSession *open_golden(VigilModel *model, const Golden *g, int threads,
                                 const char *const *taps, size_t n_taps)
{
    VigilSession *s = NULL;
    VigilError e;
    VigilSessionOptions o = { .input = { .height = (int)g->height,
                                         .width = (int)g->width },
                              .threads = threads,
                              .taps = taps,
                              .n_taps = n_taps };
    if (vigil_session_open(model, &o, &s, &e) != VIGIL_OK) {
        tap_ok(false, "%s %ux%u: %s", g->name, g->height, g->width, e.message);
        return NULL;
    }
    fill_input((int)g->height, (int)g->width, g->mean, g->std, vigil_session_input(s));
    vigil_session_run(s);
    vigil_session_run(s); /* twice: nothing may be left over from the first run */
    return s;
}

/* Outputs, and with taps also everything else. */
static void check_tensors(VigilModel *model, const Golden *g, int threads, bool taps)
{
    const char *names[MAX_TAPS];
    size_t n_taps = taps ? names_of_taps(model, g, names) : 0;
    VigilSession *s = open_golden(model, g, threads, names, n_taps);
    for (uint32_t i = 0; s && i < g->n_taps; i++) {
        const Tap *t = &g->tap[i];
        if (t->kind == DETECTIONS)
            check_detections(s, g, t);
        if (t->kind == DETECTIONS || (!taps && is_tap(t) && !output_named(s, t->name)))
            continue;
        double worst = error_of(t, s);
        tap_ok(worst <= 1, "%s %ux%u, %s, %d threads: %s off by %.2g of what it may be",
               g->name, g->height, g->width, vigil_isa(), threads, t->name, worst);
    }
    const VigilTensor *seg = s ? vigil_session_tap(s, "seg") : NULL;
    if (seg)
        check_mask(s, g, seg);
    if (s && !taps) {
        uint64_t macs = vigil_session_macs(s);
        tap_ok(macs == g->macs, "%s %ux%u takes %llu MACs, the original %llu", g->name,
               g->height, g->width, (unsigned long long)macs,
               (unsigned long long)g->macs);
    }
    vigil_session_close(&s);
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
    uint64_t have = vigil_model_info(model)->parameters;
    tap_ok(have == g->parameters, "%s has %llu parameters, the original %llu", g->name,
           (unsigned long long)have, (unsigned long long)g->parameters);
    check_tensors(model, g, 1, false);
    check_tensors(model, g, 2, true);
    vigil_model_close(&model);
}

static bool wanted(const char *name, char *const *parts)
{
    for (char *const *part = parts; *part; part++)
        if (strstr(name, *part))
            return true;
    return !*parts;
}

int main(int argc, char **argv)
{
    uint32_t count;
    if (argc < 2)
        return 2;
    if (!runs_level())
        return tap_done();
    unsigned char *data = read_goldens(argv[1], "VGDN", &count);
    const unsigned char *p = data ? data + 8 : NULL;
    for (uint32_t i = 0; p && i < count; i++) {
        Golden g;
        p = read_golden(p, &g, false);
        if (wanted(g.name, argv + 2))
            check(&g);
    }
    free(data);
    return tap_done();
}
