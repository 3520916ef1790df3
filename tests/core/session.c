/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions: sizes, taps, threads, sharing of weights, listings. */
#include "session.h"
#include "core/model.h"
#include "tap.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#define CLASSES 5

static VigilModel *model;

/* ---- Sizes ------------------------------------------------------------------------
 */

static void check_sizes(void)
{
    static const struct {
        int height, width, last_h, last_w;
    } rows[] = {
        { 32, 32, 1, 1 },  { 33, 47, 2, 2 }, { 225, 65, 8, 3 }, { 32, 200, 1, 7 },
        { 161, 33, 6, 2 }, { 64, 96, 2, 3 }, { 97, 97, 4, 4 },  { 32, 1000, 1, 32 },
    };
    static const char *const taps[] = { "input", "stage1.0", "stage4.2", "norm" };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        VigilSessionOptions o = { .input = { .height = rows[i].height,
                                             .width = rows[i].width },
                                  .taps = taps,
                                  .n_taps = 4 };
        VigilSession *s = open_filled(model, &o, 3);
        vigil_session_run(s);
        const VigilTensor *in = vigil_session_tap(s, "input"),
                          *last = vigil_session_tap(s, "stage4.2"),
                          *logits = vigil_session_output(s, 0);
        double sum = 0;
        for (int k = 0; k < CLASSES; k++)
            sum += fabs((double)logits->data[k]);
        tap_ok(in->rank == 3 && in->shape[0] == rows[i].height &&
                   in->shape[1] == rows[i].width && in->shape[2] == 3 &&
                   last->rank == 3 && last->shape[0] == rows[i].last_h &&
                   last->shape[1] == rows[i].last_w && last->shape[2] == 168 &&
                   logits->rank == 1 && logits->shape[0] == CLASSES && sum > 0 &&
                   isfinite(sum),
               "%d x %d pixels: the last stage is %d x %d", rows[i].height,
               rows[i].width, last->shape[0], last->shape[1]);
        tap_ok((uintptr_t)vigil_session_input(s) % 64 == 0 &&
                   in->data == vigil_session_input(s) && !vigil_session_output(s, 1) &&
                   !strcmp(logits->name, "logits"),
               "its input is aligned, its output is one");
        vigil_session_close(&s);
        tap_ok(!s, "closing clears the pointer");
    }
    vigil_session_close(NULL);
}

static void check_refused(void)
{
    static const char *const unknown[] = { "stage1.0", "stage9.0" };
    static const struct {
        VigilSessionOptions options;
        const char *message;
    } rows[] = {
        { { .threads = -1 }, "-1 threads; may be 0 or more" },
        { { .taps = unknown, .n_taps = 2 }, "EMO_1M has no tap 'stage9.0'" },
        { { .input = { .height = 31, .width = 32 } }, "31 x 32 pixels" },
        { { .input = { .height = 32 } }, "32 x 0 pixels" },
        { { .input = { .height = 64, .width = 4097 } }, "64 x 4097 pixels" },
        { { .input = { .has_std = true } }, "a standard deviation of 0" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        VigilSession *s = NULL;
        VigilError e = { 0 };
        VigilStatus status = vigil_session_open(model, &rows[i].options, &s, &e);
        tap_ok(status == VIGIL_ERROR_ARGUMENT && e.status == status && !s &&
                   strstr(e.message, rows[i].message),
               "'%s'", e.message);
        status = vigil_session_open(model, &rows[i].options, &s, NULL);
        tap_ok(status == VIGIL_ERROR_ARGUMENT && !s, "the same without an error");
    }
}

/* ---- Runs -------------------------------------------------------------------------
 */

static void logits_of(int side, int threads, uint32_t seed, float out[CLASSES])
{
    run_once(model, side, side + 15, threads, seed, out);
}

static void check_repeats(void)
{
    float first[CLASSES], other[CLASSES];
    VigilSessionOptions o = { .input = { .height = 65, .width = 80 }, .threads = 2 };
    VigilSession *s = open_filled(model, &o, 3);
    const size_t n = (size_t)65 * 80 * 3;
    vigil_session_run(s);
    memcpy(first, vigil_session_output(s, 0)->data, sizeof first);
    fill_values(vigil_session_input(s), n, 4);
    vigil_session_run(s);
    memcpy(other, vigil_session_output(s, 0)->data, sizeof other);
    fill_values(vigil_session_input(s), n, 3);
    vigil_session_run(s);
    tap_ok(!memcmp(vigil_session_output(s, 0)->data, first, sizeof first) &&
               memcmp(other, first, sizeof first),
           "the same picture after another one gives the same, bit by bit");
    vigil_session_close(&s);
}

/* Rows of a map are computed alike whichever thread does them and wherever its range
 * begins, so that the number of threads changes nothing. */
static void check_threads(void)
{
    static const int threads[] = { 0, 2, 3, 64, 2147483647 };
    float one[CLASSES], more[CLASSES];
    for (int side = 32; side < 120; side += 81) {
        logits_of(side, 1, 9, one);
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
            logits_of(side, threads[i], 9, more);
            tap_ok(!memcmp(one, more, sizeof one),
                   "%d x %d: %d threads as one, bit by bit", side, side + 15,
                   threads[i]);
        }
    }
}

static void check_taps(void)
{
    static const char *const taps[] = { "stage0.1", "stage2.1.v.conv", "stage3.1.sum",
                                        "norm", "stage0.1" };
    float plain[CLASSES];
    logits_of(64, 1, 9, plain);
    VigilSessionOptions o = { .input = { .height = 64, .width = 79 },
                              .taps = taps,
                              .n_taps = 5 };
    VigilSession *s = open_filled(model, &o, 9);
    vigil_session_run(s);
    double worst = 0, sum = 0;
    const float *logits = vigil_session_output(s, 0)->data;
    for (int i = 0; i < CLASSES; i++) {
        worst = fmax(worst, fabs((double)logits[i] - plain[i]));
        sum += fabs((double)plain[i]) / CLASSES;
    }
    tap_ok(worst <= 1e-5 * sum, "taps change logits by %.2g of their size",
           worst / sum);
    for (int i = 0; i < 4; i++) {
        const VigilTensor *t = vigil_session_tap(s, taps[i]);
        tap_ok(t && !strcmp(t->name, taps[i]) && t->rank == 3 && isfinite(t->data[0]),
               "tap '%s'", taps[i]);
    }
    tap_ok(!vigil_session_tap(s, "stage4.0") && !vigil_session_tap(s, ""),
           "what was not asked for is no tap");
    vigil_session_close(&s);
}

/* ---- Listings ---------------------------------------------------------------------
 */

static void check_layers(void)
{
    VigilSessionOptions o = { .input = { .height = 64, .width = 48 }, .threads = 1 };
    VigilSession *s = open_filled(model, &o, 1);
    VigilLayer layer, last = { .name = "" };
    uint64_t macs = 0, parameters = 0;
    size_t n = 0, named = 0;
    for (; vigil_session_layer(s, n, &layer); n++) {
        macs += layer.macs;
        parameters += layer.parameters;
        named += *layer.name && *layer.kind && strlen(layer.kind) < 31 &&
                 layer.shape[0] > 0 && (layer.rank == 1 || layer.shape[2] > 0) &&
                 layer.nanoseconds == 0;
        last = layer;
    }
    tap_ok(n > 50 && named == n, "%zu layers, all of them described", n);
    /* The projection of the stem, 24 x 24 at stride 2, is merged into what follows. */
    macs += 24 * 24 * (64 / 2) * (48 / 2);
    tap_ok(macs == vigil_session_macs(s),
           "their MACs and those saved are the session's: %llu, %llu",
           (unsigned long long)macs, (unsigned long long)vigil_session_macs(s));
    tap_ok(parameters == vigil_model_info(model)->parameters,
           "their parameters are the model's: %llu, %llu",
           (unsigned long long)parameters,
           (unsigned long long)vigil_model_info(model)->parameters);
    tap_ok(!strcmp(last.name, "head") && !strcmp(last.kind, "linear") &&
               last.rank == 1 && last.shape[0] == CLASSES &&
               last.parameters == CLASSES * 169 && last.macs == CLASSES * 168,
           "the last is '%s', %s", last.name, last.kind);
    vigil_session_layer(s, 0, &layer);
    tap_ok(!strcmp(layer.kind, "conv 3x3 stride 2") && !strcmp(last.kind, "linear"),
           "a listing stays as it was: %s, %s", layer.kind, last.kind);
    vigil_session_close(&s);
}

static uint64_t spent(const VigilSession *s, size_t *zero)
{
    VigilLayer layer;
    uint64_t sum = 0;
    *zero = 0;
    for (size_t i = 0; vigil_session_layer(s, i, &layer); i++) {
        sum += layer.nanoseconds;
        *zero += !layer.nanoseconds;
    }
    return sum;
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void check_clocks(void)
{
    VigilSessionOptions o = { .input = { .height = 64, .width = 48 }, .threads = 1 };
    VigilSession *s = open_filled(model, &o, 1);
    size_t zero;
    vigil_session_run(s);
    tap_ok(spent(s, &zero) == 0, "clocks stand while they are off");
    vigil_session_time_layers(s, true);
    uint64_t begin = now();
    vigil_session_run(s);
    uint64_t whole = now() - begin, sum = spent(s, &zero);
    tap_ok(sum <= whole && sum > whole / 2 && !zero,
           "layers took %llu of %llu ns, %zu of them nothing", (unsigned long long)sum,
           (unsigned long long)whole, zero);
    vigil_session_run(s);
    uint64_t twice = spent(s, &zero);
    tap_ok(twice > sum, "a second run adds to it");
    vigil_session_time_layers(s, false);
    vigil_session_run(s);
    tap_ok(spent(s, &zero) == 0, "switching clears them");
    vigil_session_close(&s);
}

/* ---- Sharing ----------------------------------------------------------------------
 */

static void check_sharing(void)
{
    static const char *const taps[] = { "stage1.1.norm" };
    VigilSessionOptions small = { .input = { .height = 48, .width = 33 } };
    VigilSessionOptions tapped = { .taps = taps, .n_taps = 1 };
    size_t before = vigil_store_bytes(model->store);
    VigilSession *a = open_filled(model, NULL, 1), *b = open_filled(model, &small, 1);
    tap_ok(before == vigil_model_info(model)->memory_bytes &&
               vigil_store_bytes(model->store) == before,
           "two sessions of two sizes hold the model's %zu bytes of weights", before);
    tap_ok(vigil_session_arena_bytes(b) < vigil_session_arena_bytes(a) / 4,
           "their working memory is their own: %zu and %zu bytes",
           vigil_session_arena_bytes(a), vigil_session_arena_bytes(b));
    VigilSession *c = open_filled(model, &tapped, 1);
    size_t with_tap = vigil_store_bytes(model->store);
    tap_ok(with_tap > before && with_tap < before + before / 50,
           "a norm that is kept adds what is not merged: %zu bytes", with_tap - before);
    vigil_session_close(&a);
    vigil_session_close(&b);
    vigil_session_close(&c);
}

static void check_references(void)
{
    VigilModel *own = NULL, *second;
    float before[CLASSES], after[CLASSES];
    if (vigil_model_open_formula("EMO_1M", 1, 1.25, CLASSES, &own, NULL))
        exit(1);
    second = vigil_model_ref(own);
    tap_ok(second == own && own->references == 2, "a reference is counted");
    vigil_model_close(&second);
    tap_ok(!second && own->references == 1, "and given back");
    VigilSessionOptions o = { .input = { .height = 40, .width = 40 } };
    VigilSession *s = open_filled(own, &o, 2);
    vigil_session_run(s);
    memcpy(before, vigil_session_output(s, 0)->data, sizeof before);
    vigil_model_close(&own);
    fill_values(vigil_session_input(s), (size_t)40 * 40 * 3, 2);
    vigil_session_run(s);
    memcpy(after, vigil_session_output(s, 0)->data, sizeof after);
    tap_ok(!own && !memcmp(before, after, sizeof before),
           "a session keeps its model after it was closed");
    vigil_session_close(&s);
}

/* ---- Many at once -----------------------------------------------------------------
 */

typedef struct Worker {
    int side, threads;
    float expected[CLASSES];
    int different;
    pthread_t thread;
} Worker;

static void *work(void *context)
{
    Worker *w = context;
    for (int i = 0; i < 5; i++) {
        float out[CLASSES];
        logits_of(w->side, w->threads, 11, out);
        w->different += memcmp(out, w->expected, sizeof out) != 0;
    }
    return NULL;
}

static void check_concurrent(void)
{
    enum { WORKERS = 16 };
    Worker w[WORKERS] = { { 0 } };
    int different = 0;
    for (int i = 0; i < WORKERS; i++) {
        w[i].side = 32 + 17 * (i % 5);
        w[i].threads = i % 3;
        logits_of(w[i].side, 1, 11, w[i].expected);
    }
    for (int i = 0; i < WORKERS; i++)
        if (pthread_create(&w[i].thread, NULL, work, &w[i]))
            exit(2);
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(w[i].thread, NULL);
        different += w[i].different;
    }
    tap_ok(!different, "%d threads open and run sessions: %d results are others",
           WORKERS, different);
}

int main(void)
{
    VigilError e;
    if (vigil_model_open_formula("EMO_1M", 0, 1.25, CLASSES, &model, &e)) {
        printf("Bail out! %s\n", e.message);
        return 1;
    }
    check_sharing();
    check_sizes();
    check_refused();
    check_repeats();
    check_threads();
    check_taps();
    check_layers();
    check_clocks();
    check_references();
    check_concurrent();
    vigil_model_close(&model);
    return tap_done();
}
