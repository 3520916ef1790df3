/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frame view: a mapped GstVideoFrame seen as the engine's VigilImage, in place.
 *
 * Every value comes from the component table of the format (plane, offset, stride,
 * subsampling), so that a format is data and not a case.  A GstVideoMeta decides
 * strides and offsets, the caps decide colorimetry, chroma site and pixel aspect ratio,
 * and a GstVideoCropMeta decides which rectangle is visible.
 */
#ifndef GST_VIGIL_FRAME_H
#define GST_VIGIL_FRAME_H

#include <gst/video/video.h>
#include "vigil.h"

G_BEGIN_DECLS

/* The formats that a frame view can show: 8 bits a component, linear memory.  Not VYUY:
 * GStreamer 1.22's table has its U and V exchanged. */
#define GST_VIGIL_FRAME_FORMATS                                                        \
    "{ I420, YV12, NV12, NV21, YUY2, YVYU, UYVY, Y42B, NV16, Y41B, Y444, "             \
    "NV24, v308, AYUV, VUYA, RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, "     \
    "ABGR, "                                                                           \
    "GBR, RGBP, BGRP, GRAY8 }"

/* Largest width and height, in pixels. */
#define GST_VIGIL_FRAME_MAX 32768

typedef struct _GstVigilFrame {
    GstVideoFrame video; /* mapped for reading; holds no reference to the buffer */
    VigilImage image;    /* the whole frame; points into `video` */
    VigilRegion
        visible; /* what GstVideoCropMeta leaves of it; 0, 0, 1, 1 without one */
    guint width, height; /* of the visible part, pixels */
} GstVigilFrame;

/* gst_video_info_from_caps(), which forgets the chroma site of caps that do not also
 * have a colorimetry (1.22), put right. */
gboolean gst_vigil_frame_info_from_caps(GstVideoInfo *info, const GstCaps *caps);

/* Maps `buffer`, whose caps are `info`, for reading.  FALSE: nothing is mapped and
 * *error (GST_RESOURCE_ERROR or GST_STREAM_ERROR) says why.  The buffer has to outlive
 * the view; its metadata stays writable while it is mapped. */
gboolean gst_vigil_frame_map(GstVigilFrame *frame, const GstVideoInfo *info,
                             GstBuffer *buffer, GError **error);
void gst_vigil_frame_unmap(GstVigilFrame *frame);

/* A rectangle in fractions of the visible part (NULL: all of it) as one in fractions of
 * `image`. */
VigilRegion gst_vigil_frame_region(const GstVigilFrame *frame,
                                   const VigilRegion *region);

G_END_DECLS

#endif
