/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Orientation: turning an input tensor upright.
 *
 * A camera held sideways stores its pictures sideways and says so in the tag
 * image-orientation.  The network wants them upright.  Resizing and turning commute, so
 * the frame is reduced as it lies and the small tensor is turned, not the frame.
 */
#ifndef GST_VIGIL_ORIENT_H
#define GST_VIGIL_ORIENT_H

#include <gst/video/video.h>
#include "vigil.h"

G_BEGIN_DECLS

/* TRUE when the method exchanges width and height. */
gboolean gst_vigil_orient_swaps(GstVideoOrientationMethod method);

/* Fills `upright` [height][width][3] from `stored` (swaps: [width][height][3], else
 * [height][width][3]), which `method` makes upright.  The two do not overlap. */
void gst_vigil_orient(float *upright, const float *stored, gint height, gint width,
                      GstVideoOrientationMethod method);

/* Fills `stored` (swaps: [width][height], else [height][width]) from `upright`
 * [height][width], which is what `method` made of it.  The two do not overlap. */
void gst_vigil_orient_mask(guint16 *stored, const guint16 *upright, gint height,
                           gint width, GstVideoOrientationMethod method);

/* A rectangle in fractions of the upright picture as one of the stored picture, and the
 * other way round. */
VigilRegion gst_vigil_orient_to_stored(VigilRegion upright,
                                       GstVideoOrientationMethod method);
VigilRegion gst_vigil_orient_to_upright(VigilRegion stored,
                                        GstVideoOrientationMethod method);

G_END_DECLS

#endif
