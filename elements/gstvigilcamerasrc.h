/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilcamerasrc.
 */
#ifndef GST_VIGIL_CAMERA_SRC_H
#define GST_VIGIL_CAMERA_SRC_H

#include "gstvigilsourcebin.h"

G_BEGIN_DECLS

#define GST_TYPE_VIGIL_CAMERA_SRC (gst_vigil_camera_src_get_type())
G_DECLARE_FINAL_TYPE(GstVigilCameraSrc, gst_vigil_camera_src, GST, VIGIL_CAMERA_SRC,
                     GstVigilSourceBin)

GST_ELEMENT_REGISTER_DECLARE(vigilcamerasrc)

G_END_DECLS

#endif
