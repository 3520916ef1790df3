/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What preprocessing means, in double precision and without any table: every output
 * pixel asks every sample of a row, and every row, for its weight.  Written from the
 * description in vigil.h; shares nothing with the engine.
 */
#ifndef VIGIL_TESTS_VISION_REFERENCE_H
#define VIGIL_TESTS_VISION_REFERENCE_H

#include "vigil.h"

/* Where the picture goes by the published integer rules. */
VigilPlacement reference_place(const VigilImage *image, const VigilRegion *region,
                               const VigilInput *input);

/* The tensor [input->height][input->width][3]; the caller frees it. */
double *reference_tensor(const VigilImage *image, const VigilInput *input,
                         const VigilPlacement *placed);

#endif
