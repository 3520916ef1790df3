/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Registration of the elements, and nothing else.
 */
#include <gst/gst.h>

#include "gstvigilcamerasrc.h"
#include "gstvigilclassify.h"
#include "gstvigildetect.h"
#include "gstvigilmaskvideo.h"
#include "gstvigilmeta.h"
#include "gstvigiloverlay.h"
#include "gstvigilsegment.h"
#include "gstvigilsrc.h"

static gboolean (*const register_element[])(GstPlugin *) = {
    gst_element_register_vigilcamerasrc, gst_element_register_vigilclassify,
    gst_element_register_vigildetect,    gst_element_register_vigilmask,
    gst_element_register_vigiloverlay,   gst_element_register_vigilsegment,
    gst_element_register_vigilsrc,
};

static gboolean plugin_init(GstPlugin *plugin)
{
    gboolean registered = TRUE;
    gst_vigil_meta_get_info(); /* known by name to who receives it from a process */
    for (gsize i = 0; i < G_N_ELEMENTS(register_element); i++)
        registered &= register_element[i](plugin);
    return registered;
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, vigil,
                  "Light vision networks on an ordinary CPU", plugin_init, VERSION,
                  "LGPL", PACKAGE, PACKAGE_ORIGIN)
