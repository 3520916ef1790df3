/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running and configuring a detector allocates nothing; opening one leaks nothing when
 * memory runs out. */
#include <stdlib.h>
#include <string.h>

#include "../faults/allocator.h"
#include "scene.h"
#include "tap.h"

static void check_run(void)
{
    VigilDetectRules rules = vigil_detect_mmdet_ssd;
    VigilDetectOptions o = { .max_detections = 500 };
    const VigilDetection *found;
    Scene *s = scene_open(&rules, 3, 2000, 20);
    uint64_t state = 1;
    for (int i = 0; i < s->n; i++)
        for (int c = 0; c <= s->classes; c++)
            *scene_logit(s, i, c) = (float)(scene_random(&state) % 1000) / 100;
    faults_start(0);
    vigil_detect_configure(s->detect, &o, NULL);
    int n = vigil_detect_run(s->detect, s->map, NULL, &found);
    FaultReport r = faults_stop();
    tap_ok(n > 0 && !r.allocations && !r.frees,
           "%d detections with %llu allocations, %llu frees", n,
           (unsigned long long)r.allocations, (unsigned long long)r.frees);
    scene_close(s);
}

static void check_open(void)
{
    const VigilMapSize maps[] = { { 20, 20 }, { 10, 10 }, { 5, 5 },
                                  { 3, 3 },   { 2, 2 },   { 1, 1 } };
    VigilDetect *d = NULL;
    VigilError e;
    uint64_t n = 0;
    for (bool failed = true; failed; n++) {
        faults_start(n + 1);
        VigilStatus status =
            vigil_detect_open(&vigil_detect_cvnets_v2, 80, 320, 320, maps, &d, &e);
        vigil_detect_close(&d);
        FaultReport r = faults_stop();
        failed = r.failed;
        tap_ok(!r.live && status == (failed ? VIGIL_ERROR_NO_MEMORY : VIGIL_OK) &&
                   (!failed || strstr(e.message, "detector")),
               "allocation %llu of opening fails: status %d, %zu left over",
               (unsigned long long)n + 1, status, r.live);
    }
    tap_ok(n > 1, "%llu allocations", (unsigned long long)n - 1);
}

int main(void)
{
    check_run();
    check_open();
    return tap_done();
}
