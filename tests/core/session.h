/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs of a model for tests. */
#ifndef VIGIL_TESTS_CORE_SESSION_H
#define VIGIL_TESTS_CORE_SESSION_H

#include "vigil.h"

#include <stdio.h>
#include <stdlib.h>

/* Values in [-2, 2) that follow from the seed alone. */
static inline void fill_values(float *x, size_t n, uint32_t seed)
{
    uint32_t state = seed * 2654435761u + 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(state >> 8) / 4194304.0f - 2.0f;
    }
}

/* A session with its input filled; ends the program when it cannot be opened. */
static inline VigilSession *
open_filled(VigilModel *model, const VigilSessionOptions *options, uint32_t seed)
{
    VigilSession *session = NULL;
    VigilError e;
    if (vigil_session_open(model, options, &session, &e) != VIGIL_OK) {
        printf("Bail out! no session: %s\n", e.message);
        exit(1);
    }
    const VigilInput *in = vigil_session_input_rules(session);
    fill_values(vigil_session_input(session), (size_t)in->height * in->width * 3, seed);
    return session;
}

/* The logits [classes] of a height x width picture that follows from the seed. */
static inline void run_once(VigilModel *model, int height, int width, int threads,
                            uint32_t seed, float *logits)
{
    VigilSessionOptions o = { .input = { .height = height, .width = width },
                              .threads = threads };
    VigilSession *session = open_filled(model, &o, seed);
    vigil_session_run(session);
    const VigilTensor *t = vigil_session_output(session, 0);
    for (int i = 0; i < t->shape[0]; i++)
        logits[i] = t->data[i];
    vigil_session_close(&session);
}

#endif
