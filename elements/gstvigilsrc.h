/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilsrc.
 */
#ifndef GST_VIGIL_SRC_H
#define GST_VIGIL_SRC_H

#include "gstvigilsourcebin.h"

G_BEGIN_DECLS

#define GST_TYPE_VIGIL_SRC (gst_vigil_src_get_type())
G_DECLARE_FINAL_TYPE(GstVigilSrc, gst_vigil_src, GST, VIGIL_SRC, GstVigilSourceBin)

GST_ELEMENT_REGISTER_DECLARE(vigilsrc)

G_END_DECLS

#endif
