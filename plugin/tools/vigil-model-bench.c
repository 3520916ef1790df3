/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vigil-model bench: the time of one run, and where it goes. */
#include "vigil-model.h"

#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP_RUNS = 3 };
#define WARM_UP_NS 100000000u
#define FORMULA_GAIN 1.25

typedef struct Bench {
    const Options *options;
    VigilModel *model;
    VigilSession *session;
    int threads;
    double *ms; /* [runs], ascending */
    double median, p95, gflops, peak;
} Bench;

static bool find_variant(const char *name, VigilVariant *variant)
{
    for (size_t i = 0; i < vigil_variant_count(); i++)
        if (vigil_variant_get(i, variant, NULL) == VIGIL_OK &&
            !strcmp(variant->name, name))
            return true;
    return false;
}

static int open_session(Bench *b)
{
    const char *name = b->options->operand[0];
    VigilError error;
    b->threads = b->options->threads;
    if (!b->threads || b->threads > vigil_processors())
        b->threads = vigil_processors();
    VigilSessionOptions session = { .input = b->options->input,
                                    .threads = b->threads,
                                    .precision = b->options->precision };
    VigilVariant variant;
    VigilStatus status =
        find_variant(name, &variant)
            ? vigil_model_open_formula(name, 0, FORMULA_GAIN, variant.classes,
                                       &b->model, &error)
            : vigil_model_open(name, &b->model, &error);
    if (status == VIGIL_OK)
        status = vigil_session_open(b->model, &session, &b->session, &error);
    if (status == VIGIL_ERROR_NOT_FOUND)
        return fail("%s; nor is it a variant that 'vigil-model list' names",
                    error.message);
    return status == VIGIL_OK ? STATUS_OK : fail("%s", error.message);
}

/* Numbers in -2..2 that are always the same (xorshift). */
static void fill_input(VigilSession *session)
{
    const VigilInput *rules = vigil_session_input_rules(session);
    size_t n = (size_t)rules->height * (size_t)rules->width * 3;
    float *input = vigil_session_input(session);
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        input[i] = (float)(state >> 8) / (1 << 22) - 2;
    }
}

static void warm_up(VigilSession *session)
{
    uint64_t start = now_ns();
    for (int i = 0; i < WARM_UP_RUNS || now_ns() - start < WARM_UP_NS; i++)
        vigil_session_run(session);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Before the runs and after them: other work on the machine only ever lowers it. */
static int measure_peak(Bench *b)
{
    double now = peak_gflops(vigil_isa(), b->threads);
    b->peak = now > b->peak ? now : b->peak;
    return now > 0 ? STATUS_OK
                   : fail("cannot start %d threads to measure the peak", b->threads);
}

/* Multiply-accumulates of a run, without those that merging saved. */
static double macs_done(const VigilSession *session)
{
    VigilLayer layer;
    double sum = 0;
    for (size_t i = 0; vigil_session_layer(session, i, &layer); i++)
        sum += (double)layer.macs;
    return sum;
}

static int measure(Bench *b)
{
    int runs = b->options->runs;
    b->ms = calloc((size_t)runs, sizeof *b->ms);
    if (!b->ms)
        return fail("out of memory: %d runs", runs);
    if (measure_peak(b))
        return STATUS_FAILED;
    fill_input(b->session);
    warm_up(b->session);
    for (int i = 0; i < runs; i++) {
        uint64_t start = now_ns();
        vigil_session_run(b->session);
        b->ms[i] = (double)(now_ns() - start) / 1e6;
    }
    qsort(b->ms, (size_t)runs, sizeof *b->ms, ascending);
    b->median = (b->ms[(runs - 1) / 2] + b->ms[runs / 2]) / 2;
    b->p95 = b->ms[((int64_t)runs * 95 + 99) / 100 - 1];
    b->gflops = 2 * macs_done(b->session) / b->median / 1e6;
    return measure_peak(b);
}

/* The clocks cost a little, so that layers are timed in runs of their own. */
static void measure_layers(Bench *b)
{
    vigil_session_time_layers(b->session, true);
    for (int i = 0; i < b->options->runs; i++)
        vigil_session_run(b->session);
}

typedef struct LayerTime {
    VigilLayer layer;
    double ms, share, gflops, share_of_peak;
} LayerTime;

static uint64_t total_ns(const VigilSession *session)
{
    VigilLayer layer;
    uint64_t sum = 0;
    for (size_t i = 0; vigil_session_layer(session, i, &layer); i++)
        sum += layer.nanoseconds;
    return sum ? sum : 1;
}

static bool layer_time(const Bench *b, size_t i, uint64_t total, LayerTime *out)
{
    if (!vigil_session_layer(b->session, i, &out->layer))
        return false;
    double ns = (double)out->layer.nanoseconds / b->options->runs;
    out->ms = ns / 1e6;
    out->share = (double)out->layer.nanoseconds / (double)total;
    out->gflops = ns > 0 ? 2 * (double)out->layer.macs / ns : 0;
    out->share_of_peak = out->gflops / b->peak;
    return true;
}

static json_t *layers_json(const Bench *b)
{
    json_t *layers = json_array();
    uint64_t total = total_ns(b->session);
    LayerTime t;
    for (size_t i = 0; layer_time(b, i, total, &t); i++) {
        int shape[4], n = tap_shape(t.layer.rank, t.layer.shape, shape);
        json_add(&layers,
                 json_pack("{s:o, s:s, s:o, s:I, s:f, s:f, s:f, s:f}", "name",
                           json_text(t.layer.name), "kind", t.layer.kind, "shape",
                           json_ints(shape, n), "macs", (json_int_t)t.layer.macs, "ms",
                           t.ms, "share", t.share, "gflops", t.gflops, "share_of_peak",
                           t.share_of_peak));
    }
    return layers;
}

static int print_json(const Bench *b)
{
    const VigilModelInfo *info = vigil_model_info(b->model);
    const VigilInput *rules = vigil_session_input_rules(b->session);
    char size[32];
    snprintf(size, sizeof size, "%dx%d", rules->height, rules->width);
    json_t *root = json_pack(
        "{s:o, s:o, s:s, s:I, s:i, s:s, s:s, s:i, s:f, s:f, s:f, s:f, s:f, s:f}",
        "precision", json_precision(info, b->session, b->options), "file",
        json_text(info->file), "variant", info->variant, "macs",
        (json_int_t)vigil_session_macs(b->session), "threads", b->threads, "isa",
        vigil_isa(), "size", size, "runs", b->options->runs, "median_ms", b->median,
        "min_ms", b->ms[0], "p95_ms", b->p95, "gflops", b->gflops, "peak_gflops",
        b->peak, "share_of_peak", b->gflops / b->peak);
    if (root && b->options->layers &&
        json_object_set_new(root, "layers", layers_json(b))) {
        json_decref(root);
        root = NULL;
    }
    return json_print(root, true);
}

static void print_layers(const Bench *b)
{
    LayerWidths w = layer_widths(b->session);
    uint64_t total = total_ns(b->session);
    char shape[64];
    LayerTime t;
    printf("\n%-*s  %-*s  %-*s  %12s  %8s  %6s  %6s\n", w.name, "LAYER", w.kind, "KIND",
           w.shape, "SHAPE", "MACS", "MS", "SHARE", "PEAK");
    for (size_t i = 0; layer_time(b, i, total, &t); i++)
        printf("%-*s  %-*s  %-*s  %12" PRIu64 "  %8.4f  %5.1f%%  %5.1f%%\n", w.name,
               t.layer.name, w.kind, t.layer.kind, w.shape,
               shape_text(t.layer.rank, t.layer.shape, shape), t.layer.macs, t.ms,
               100 * t.share, 100 * t.share_of_peak);
}

static int print_text(const Bench *b)
{
    const VigilModelInfo *info = vigil_model_info(b->model);
    const VigilInput *rules = vigil_session_input_rules(b->session);
    char precision[64], *file = clean_text(info->file);
    printf("%-9s%s\n", "file", file);
    printf("%-9s%s\n", "variant", info->variant);
    printf("%-9s%dx%d\n", "size", rules->height, rules->width);
    printf("%-9s%" PRIu64 "\n", "macs", vigil_session_macs(b->session));
    printf("%-9s%d\n", "threads", b->threads);
    printf("%-9s%s\n", "isa", vigil_isa());
    printf("%-9s%s\n", "numbers", precision_text(info, b->session, precision));
    printf("%-9s%d\n", "runs", b->options->runs);
    printf("%-9s%.3f ms\n", "median", b->median);
    printf("%-9s%.3f ms\n", "min", b->ms[0]);
    printf("%-9s%.3f ms\n", "p95", b->p95);
    printf("%-9s%.1f GFLOP/s, %.1f%% of a peak of %.1f\n", "speed", b->gflops,
           100 * b->gflops / b->peak, b->peak);
    if (b->options->layers)
        print_layers(b);
    g_free(file);
    return STATUS_OK;
}

int command_bench(const Options *options)
{
    Bench b = { .options = options };
    int status = open_session(&b);
    if (status == STATUS_OK)
        status = measure(&b);
    if (status == STATUS_OK && options->layers)
        measure_layers(&b);
    if (status == STATUS_OK)
        status = options->json ? print_json(&b) : print_text(&b);
    free(b.ms);
    vigil_session_close(&b.session);
    vigil_model_close(&b.model);
    return status;
}
