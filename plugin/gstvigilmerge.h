/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Merge: the detections of several regions of a frame become those of the frame.
 */
#ifndef GST_VIGIL_MERGE_H
#define GST_VIGIL_MERGE_H

#include <glib.h>
#include "vigil.h"

G_BEGIN_DECLS

typedef struct _GstVigilBox {
    VigilDetection detection; /* in fractions of the frame */
    gint region_index;        /* where it was found; -1: in the whole frame */
    const gchar *region_name; /* NULL: not named */
} GstVigilBox;

/* Sorts the boxes, best first, and removes those that overlap a better one of their
 * class from another region by more than iou_threshold (intersection over union): the
 * detector has compared those of one region already.  At most VIGIL_MAX_DETECTIONS are
 * compared, and `most` are left (0: all of these). */
void gst_vigil_merge(GArray *boxes, gfloat iou_threshold, guint most);

G_END_DECLS

#endif
