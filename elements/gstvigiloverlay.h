/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_VIGIL_OVERLAY_H
#define GST_VIGIL_OVERLAY_H

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_VIGIL_OVERLAY (gst_vigil_overlay_get_type())
G_DECLARE_FINAL_TYPE(GstVigilOverlay, gst_vigil_overlay, GST, VIGIL_OVERLAY,
                     GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE(vigiloverlay)

G_END_DECLS

#endif
