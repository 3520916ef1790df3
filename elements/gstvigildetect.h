/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_VIGIL_DETECT_H
#define GST_VIGIL_DETECT_H

#include "gstvigilinference.h"

G_BEGIN_DECLS

#define GST_TYPE_VIGIL_DETECT (gst_vigil_detect_get_type())
G_DECLARE_FINAL_TYPE(GstVigilDetect, gst_vigil_detect, GST, VIGIL_DETECT,
                     GstVigilInference)

GST_ELEMENT_REGISTER_DECLARE(vigildetect);

G_END_DECLS

#endif
