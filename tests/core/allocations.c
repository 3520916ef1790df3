/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run allocates and frees nothing, with one thread and with several, nor does looking
 * at its attention. */
#include "../faults/allocator.h"
#include "core/model.h"
#include "session.h"
#include "tap.h"

static void check(VigilModel *model, int threads, int side, bool timed)
{
    VigilSessionOptions o = { .input = { .height = side, .width = side },
                              .threads = threads };
    VigilSession *s = open_filled(model, &o, 1);
    vigil_session_time_layers(s, timed);
    vigil_session_run(s); /* starts the pool */
    faults_start(0);
    for (int i = 0; i < 3; i++)
        vigil_session_run(s);
    FaultReport r = faults_stop();
    tap_ok(r.allocations == 0 && r.frees == 0,
           "%d x %d, %d threads%s: %llu allocations, %llu frees", side, side, threads,
           timed ? ", timed" : "", (unsigned long long)r.allocations,
           (unsigned long long)r.frees);
    vigil_session_close(&s);
}

static void check_maps(VigilModel *model)
{
    VigilSessionOptions o = { .attention = true, .threads = 1 };
    VigilSession *s = open_filled(model, &o, 1);
    VigilAttentionInfo info;
    static float map[14 * 14];
    vigil_session_run(s);
    faults_start(0);
    for (size_t i = 0; vigil_session_attention(s, i, &info); i++)
        for (int token = -1; token < 2; token++)
            vigil_session_attention_map(s, i, -1, token, NULL, map, NULL, NULL);
    FaultReport r = faults_stop();
    tap_ok(r.allocations == 0 && r.frees == 0,
           "attention maps: %llu allocations, %llu frees",
           (unsigned long long)r.allocations, (unsigned long long)r.frees);
    vigil_session_close(&s);
}

static void check_results(const char *variant)
{
    VigilModel *model = NULL;
    VigilDetector *detector = NULL;
    VigilSegmenter *segmenter = NULL;
    VigilSessionOptions o = { .input = { .height = 64, .width = 64 }, .threads = 2 };
    const VigilDetection *found;
    static uint16_t mask[64 * 64];
    vigil_model_open_formula(variant, 0, 1.25, 10, &model, NULL);
    VigilSession *s = open_filled(model, &o, 1);
    vigil_session_run(s);
    vigil_detector_open(s, NULL, &detector, NULL);
    vigil_segmenter_open(s, &segmenter, NULL);
    faults_start(0);
    for (int i = 0; i < 3; i++) {
        vigil_session_run(s);
        if (detector)
            vigil_detector_run(detector, NULL, &found);
        if (segmenter)
            vigil_segmenter_run(segmenter, NULL, 64, 64, mask);
    }
    FaultReport r = faults_stop();
    tap_ok(!detector != !segmenter && r.allocations == 0 && r.frees == 0,
           "results of %s: %llu allocations, %llu frees", variant,
           (unsigned long long)r.allocations, (unsigned long long)r.frees);
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
    faults_start(0);
    free(malloc(1));
    FaultReport r = faults_stop();
    tap_ok(r.allocations == 1 && r.frees == 1, "one of each is counted");
    check(model, 1, 224, false);
    check(model, 2, 224, false);
    check(model, 2, 225, true);
    check(model, 1, 33, true);
    check_maps(model);
    check_results("ssdlite_emo_1M");
    check_results("pspnet_emo_1M");
    vigil_model_close(&model);
    return tap_done();
}
