/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frame view: a video buffer seen as the engine's VigilImage, in place.
 *
 * A GstVideoMeta decides strides and offsets, the caps decide format, colorimetry,
 * chroma site and pixel aspect ratio, and a GstVideoCropMeta decides which rectangle is
 * visible.
 *
 * Of an interlaced frame one field is seen, the one that was taken first (TFF: the
 * upper one), so that what moves is seen once: every second line, without a copy, as
 * pixels of twice the height.
 */
#ifndef GST_VIGIL_FRAME_H
#define GST_VIGIL_FRAME_H

#include <gst/video/video.h>
#include "gstvigilplanes.h"
#include "vigil.h"

G_BEGIN_DECLS

typedef struct _GstVigilFrame {
    GstVigilPlanes planes; /* mapped for reading */
    VigilImage image;      /* the frame or one field of it, at least what is visible */
    VigilRegion visible;   /* in fractions of `image`: what GstVideoCropMeta leaves of
                              the frame; of a field, it reaches out by a quarter row */
    guint width, height;   /* of the visible part, pixels of the frame */
} GstVigilFrame;

/* Maps `buffer`, whose caps are `info`, for reading.  FALSE: nothing is mapped and
 * *error (GST_RESOURCE_ERROR or GST_STREAM_ERROR) says why.  The buffer has to outlive
 * the view; its metadata stays writable while it is mapped.  Copies only where planes
 * go over the end of a memory into the next one. */
gboolean gst_vigil_frame_map(GstVigilFrame *frame, const GstVideoInfo *info,
                             GstBuffer *buffer, GError **error);
void gst_vigil_frame_unmap(GstVigilFrame *frame);

/* A rectangle in fractions of the visible part (NULL: all of it) as one in fractions of
 * `image`. */
VigilRegion gst_vigil_frame_region(const GstVigilFrame *frame,
                                   const VigilRegion *region);

G_END_DECLS

#endif
