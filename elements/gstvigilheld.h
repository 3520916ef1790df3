/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The results that are in force: the last ones of each element, kept for a while on
 * buffers that carry none.  Used by one thread at a time.
 */
#ifndef GST_VIGIL_HELD_H
#define GST_VIGIL_HELD_H

#include <gst/gst.h>

G_BEGIN_DECLS

/* Results of one element. */
typedef struct GstVigilHeldGroup {
    gchar *source;      /* name of the element; may be NULL */
    gboolean detects;   /* it says what is where */
    GPtrArray *results; /* of GstVigilResult */
    GstClockTime seen;  /* PTS of the last buffer that carried them */
} GstVigilHeldGroup;

typedef struct GstVigilHeld {
    GArray *groups; /* of GstVigilHeldGroup, by first appearance */
} GstVigilHeld;

void gst_vigil_held_init(GstVigilHeld *held);
void gst_vigil_held_clear(GstVigilHeld *held);
void gst_vigil_held_forget(GstVigilHeld *held);

/* Takes in the metas of a buffer, each replacing the results of its element (an empty
 * one ends them), and drops what was seen more than @hold_time ns before the buffer,
 * or, where a time is not known or runs backwards, before this buffer at all. */
void gst_vigil_held_update(GstVigilHeld *held, GstBuffer *buffer,
                           GstClockTime hold_time);

G_END_DECLS

#endif
