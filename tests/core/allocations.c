/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run allocates and frees nothing, with one thread and with several, nor does looking
 * at its attention.  With one thread it takes no lock either, so that sessions of
 * several threads of a program never wait for each other. */
#include "../faults/allocator.h"
#include "core/model.h"
#include "session.h"
#include "tap.h"

#include <pthread.h>

/* Of this thread: workers look for work for a while after a run, and lock to do so. */
static _Thread_local unsigned long long locks;

/* What the linker puts in the place of pthread_mutex_lock(), in the engine and here. */
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    locks++;
    return __real_pthread_mutex_lock(mutex);
}

typedef struct Counts {
    unsigned long long allocations, frees, locks;
} Counts;

static unsigned long long locks_before;

static void start_counting(void)
{
    faults_start(0); /* takes one */
    locks_before = locks;
}

static Counts stop_counting(void)
{
    unsigned long long taken = locks - locks_before;
    FaultReport r = faults_stop(); /* takes one, too */
    return (Counts) { r.allocations, r.frees, taken };
}

static void tell(const char *what, int threads, Counts c)
{
    tap_ok(!c.allocations && !c.frees && (threads > 1 || !c.locks),
           "%s, %d thread%s: %llu allocations, %llu frees, %llu locks taken", what,
           threads, threads > 1 ? "s" : "", c.allocations, c.frees, c.locks);
}

static void check(VigilModel *model, int threads, int side, bool timed)
{
    VigilSessionOptions o = { .input = { .height = side, .width = side },
                              .threads = threads };
    VigilSession *s = open_filled(model, &o, 1);
    vigil_session_time_layers(s, timed);
    vigil_session_run(s); /* starts the pool */
    start_counting();
    for (int i = 0; i < 3; i++)
        vigil_session_run(s);
    Counts counts = stop_counting();
    char what[96];
    snprintf(what, sizeof what, "%s, %d x %d%s", vigil_model_info(model)->variant, side,
             side, timed ? ", timed" : "");
    tell(what, threads, counts);
    vigil_session_close(&s);
}

static void check_maps(VigilModel *model)
{
    VigilSessionOptions o = { .attention = true, .threads = 1 };
    VigilSession *s = open_filled(model, &o, 1);
    VigilAttentionInfo info;
    static float map[14 * 14];
    vigil_session_run(s);
    start_counting();
    for (size_t i = 0; vigil_session_attention(s, i, &info); i++)
        for (int token = -1; token < 2; token++)
            vigil_session_attention_map(s, i, -1, token, NULL, map, NULL, NULL);
    tell("attention maps", 1, stop_counting());
    vigil_session_close(&s);
}

/* Another classifier. */
static void check_variant(const char *variant)
{
    VigilModel *model = NULL;
    vigil_model_open_formula(variant, 0, 1.25, 10, &model, NULL);
    check(model, 1, 64, false);
    check(model, 2, 64, false);
    vigil_model_close(&model);
}

static void check_results(const char *variant, int threads)
{
    VigilModel *model = NULL;
    VigilDetector *detector = NULL;
    VigilSegmenter *segmenter = NULL;
    VigilSessionOptions o = { .input = { .height = 64, .width = 64 },
                              .threads = threads };
    const VigilDetection *found;
    static uint16_t mask[64 * 64];
    vigil_model_open_formula(variant, 0, 1.25, 10, &model, NULL);
    VigilSession *s = open_filled(model, &o, 1);
    vigil_session_run(s);
    vigil_detector_open(s, NULL, &detector, NULL);
    vigil_segmenter_open(s, &segmenter, NULL);
    start_counting();
    for (int i = 0; i < 3; i++) {
        vigil_session_run(s);
        if (detector)
            vigil_detector_run(detector, NULL, &found);
        if (segmenter)
            vigil_segmenter_run(segmenter, NULL, 64, 64, mask);
    }
    Counts counts = stop_counting();
    char what[96];
    snprintf(what, sizeof what, "results of %s", variant);
    tap_ok(!detector != !segmenter, "%s", what);
    tell(what, threads, counts);
    vigil_detector_close(&detector);
    vigil_segmenter_close(&segmenter);
    vigil_session_close(&s);
    vigil_model_close(&model);
}

int main(void)
{
    VigilModel *model = NULL;
    VigilError e;
    if (vigil_model_open_formula("EMO_1M", 0, 1.25, 10, &model, &e)) {
        printf("Bail out! %s\n", e.message);
        return 1;
    }
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    start_counting();
    pthread_mutex_lock(&mutex);
    Counts one = stop_counting();
    pthread_mutex_unlock(&mutex);
    tap_ok(one.locks == 1, "a lock is counted: %llu", one.locks);
    start_counting();
    free(malloc(1));
    one = stop_counting();
    tap_ok(one.allocations == 1 && one.frees == 1, "one of each is counted");
    check(model, 1, 224, false);
    check(model, 2, 224, false);
    check(model, 2, 225, true);
    check(model, 1, 33, true);
    check_maps(model);
    check_variant("mobile_former_26m");
    check_variant("mobilevit_xxs");
    check_variant("mobilevitv2_200"); /* some of its products are OpenBLAS's */
    for (int threads = 1; threads <= 2; threads++) {
        check_results("ssdlite_emo_1M", threads);
        check_results("e2e_mobile_former_151m", threads);
        check_results("pspnet_emo_1M", threads);
    }
    vigil_model_close(&model);
    return tap_done();
}
