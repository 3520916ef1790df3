/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of vigiloverlay share.
 */
#ifndef GST_VIGIL_OVERLAY_PRIVATE_H
#define GST_VIGIL_OVERLAY_PRIVATE_H

#include "gstvigiloverlay.h"
#include "gstvigiloverlay-draw.h"
#include "gstvigilheld.h"

G_BEGIN_DECLS

struct _GstVigilOverlay {
    GstBaseTransform parent;

    /* properties, under the object lock */
    GstVigilOverlayStyle style;
    GstClockTime hold_time;

    /* streaming thread */
    GstVideoInfo info;
    gboolean attach;     /* downstream blends */
    gint ask_downstream; /* atomic: whether it does is to be asked anew */
    GstVigilHeld held;
    PangoContext *pango;
    GstVideoOverlayComposition *composition; /* of the scene that `key` tells */
    gchar *key;                              /* NULL: nothing to draw */
};

void gst_vigil_overlay_install_properties(GObjectClass *klass);
/* Sets the defaults. */
void gst_vigil_overlay_init_properties(GstVigilOverlay *self);

G_END_DECLS

#endif
