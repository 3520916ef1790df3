/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_VIGIL_CLASSIFY_H
#define GST_VIGIL_CLASSIFY_H

#include "gstvigilinference.h"

G_BEGIN_DECLS

#define GST_TYPE_VIGIL_CLASSIFY (gst_vigil_classify_get_type())
G_DECLARE_FINAL_TYPE(GstVigilClassify, gst_vigil_classify, GST, VIGIL_CLASSIFY,
                     GstVigilInference)

GST_ELEMENT_REGISTER_DECLARE(vigilclassify);

G_END_DECLS

#endif
