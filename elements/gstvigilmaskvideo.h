/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilmask.  (GstVigilMask is the mask itself, in libgstvigil.)
 */
#ifndef GST_VIGIL_MASK_VIDEO_H
#define GST_VIGIL_MASK_VIDEO_H

#include <gst/video/gstvideofilter.h>

G_BEGIN_DECLS

#define GST_TYPE_VIGIL_MASK_VIDEO (gst_vigil_mask_video_get_type())
G_DECLARE_FINAL_TYPE(GstVigilMaskVideo, gst_vigil_mask_video, GST, VIGIL_MASK_VIDEO,
                     GstVideoFilter)

GST_ELEMENT_REGISTER_DECLARE(vigilmask)

G_END_DECLS

#endif
