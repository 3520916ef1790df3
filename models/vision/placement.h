/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which part of a picture goes where in a tensor. */
#ifndef VIGIL_VISION_PLACEMENT_H
#define VIGIL_VISION_PLACEMENT_H

#include "core/status.h"

/* Applies region (NULL: the whole picture), input->resize and image->pixel_aspect.
 * Needs image->width, height and input->height, width in 1..32768 and pixel_aspect in
 * 0.001..1000.  Lengths of the source follow the integer rules of torchvision:
 *
 *   STRETCH    the region, to the whole tensor.
 *   LETTERBOX  the largest size of the region's shape that fits, rounded to whole
 * pixels and at least 1, centred (the odd pixel goes right or below). CROP       the
 * region scaled so that its smaller side relative to the tensor measures resize_shorter
 * / min(height, width) of that side of the tensor, its other side truncated to whole
 * pixels; then the middle, its first row and column rounded half to even. NONE the
 * region, its edges rounded to whole pixels.
 *
 * VIGIL_ERROR_ARGUMENT for a region that is not finite or has no area in the picture,
 * for NONE with another size than the tensor's, and for a resize_shorter below
 * min(height, width) or above 65536. */
VigilStatus vigil_place(const VigilImage *image, const VigilRegion *region,
                        const VigilInput *input, VigilPlacement *placed,
                        VigilError *error);

#endif
