/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_VIGIL_SEGMENT_H
#define GST_VIGIL_SEGMENT_H

#include "gstvigilinference.h"

G_BEGIN_DECLS

#define GST_TYPE_VIGIL_SEGMENT (gst_vigil_segment_get_type())
G_DECLARE_FINAL_TYPE(GstVigilSegment, gst_vigil_segment, GST, VIGIL_SEGMENT,
                     GstVigilInference)

GST_ELEMENT_REGISTER_DECLARE(vigilsegment);

G_END_DECLS

#endif
