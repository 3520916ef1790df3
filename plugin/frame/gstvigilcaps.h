/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Caps: which video a frame view can show.
 */
#ifndef GST_VIGIL_CAPS_H
#define GST_VIGIL_CAPS_H

#include <gst/video/video.h>

G_BEGIN_DECLS

/* Largest width and height, in pixels. */
#define GST_VIGIL_CAPS_SIDE 32768

/* What pad templates tell: frames in system memory, with overlays that are not yet
 * blended (their pixels are the plain picture), single fields, and from GStreamer 1.24
 * on DMABufs whose pixels lie row by row. */
GstCaps *gst_vigil_caps_new(void);

/* The frames of these caps.  FALSE: they are none that a frame view can show.  DMABuf
 * caps give the format that lies in the buffer; the chroma site that
 * gst_video_info_from_caps() forgets where there is no colorimetry (1.22) is kept. */
gboolean gst_vigil_caps_to_info(const GstCaps *caps, GstVideoInfo *info);

G_END_DECLS

#endif
