/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run allocates and frees nothing, with one thread and with several. */
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
    vigil_model_close(&model);
    return tap_done();
}
