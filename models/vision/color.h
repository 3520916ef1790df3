/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Colour conversion and normalisation as one matrix. */
#ifndef VIGIL_VISION_COLOR_H
#define VIGIL_VISION_COLOR_H

#include "core/status.h"

/* Tensor channel r of a pixel is
 *     clip(sum over p of matrix[r][p] * component p + offset[r], low[r], high[r])
 * with components as stored, in bytes or in words whose other bits are 0; low and high
 * are what black and white become. */
typedef struct VigilColorMatrix {
    float matrix[3][3], offset[3], low[3], high[3];
} VigilColorMatrix;

/* From image->color, kr, kb, full_range, how the components are stored, and
 * input->channel_order, mean, std.
 * VIGIL_ERROR_ARGUMENT for kr, kb not above 0 with a sum below 1, for a mean or std
 * that is not finite, and for a std that is not above 0 or too small for float. */
VigilStatus vigil_color_matrix(const VigilImage *image, const VigilInput *input,
                               VigilColorMatrix *out, VigilError *error);

#endif
