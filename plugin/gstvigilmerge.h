/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Merge: the detections of several views of a frame (regions, tiles) become those of
 * the frame.
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
    guint view;               /* the run of the network that gave it */
    gboolean cut;             /* reaches a side that neighbouring views see across */
} GstVigilBox;

/* How much [a, a + a_length) and [b, b + b_length) have in common; 0: nothing. */
gfloat gst_vigil_shared_length(gfloat a, gfloat a_length, gfloat b, gfloat b_length);

/* Sorts the boxes, best first, and removes those that overlap a better one of their
 * class from another view by more than iou_threshold (intersection over union): the
 * detector has compared those of one view already.  A cut box is worse than any that is
 * not, whatever its score, and than a larger cut one; it also goes where it shares more
 * than half of the smaller area with a better one, for it is then a part of that
 * object.  At most VIGIL_MAX_DETECTIONS are compared, and `most` are left (0: all of
 * these). */
void gst_vigil_merge(GArray *boxes, gfloat iou_threshold, guint most);

G_END_DECLS

#endif
