/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Place: from the upright input tensor, in which a detector speaks, back to the visible
 * part of the frame as it is stored, in which results are told.
 *
 * `placed` is what gst_vigil_reducer_run() told, before turning; `input` are the rules
 * of the session; `orientation` made the tensor upright.
 */
#ifndef GST_VIGIL_PLACE_H
#define GST_VIGIL_PLACE_H

#include "gstvigilframe.h"

G_BEGIN_DECLS

/* The pixels of the upright tensor that the picture takes, as dst_x, dst_y, dst_width
 * and dst_height; what boxes are clipped to. */
VigilPlacement gst_vigil_place_upright(const VigilPlacement *placed,
                                       const VigilInput *input,
                                       GstVideoOrientationMethod orientation);

/* Carries a detection to fractions of the visible frame.  FALSE when nothing of it is
 * in there; *out is then as it was. */
gboolean gst_vigil_place_detection(const GstVigilFrame *frame,
                                   const VigilPlacement *placed,
                                   const VigilInput *input,
                                   GstVideoOrientationMethod orientation,
                                   const VigilDetection *in, VigilDetection *out);

/* The part of the picture that the network was shown, in fractions of the visible
 * frame: all of a region, or what a cut of it left. */
VigilRegion gst_vigil_place_shown(const GstVigilFrame *frame,
                                  const VigilPlacement *placed);

/* The area that the whole visible frame would take at the scale of this placement, in
 * areas of the tensor: below 1 with borders, above 1 for a part of the frame. */
gdouble gst_vigil_place_area(const GstVigilFrame *frame, const VigilPlacement *placed,
                             const VigilInput *input);

G_END_DECLS

#endif
