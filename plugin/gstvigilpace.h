/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pace: which frames to look at so that no more than so many a second are.  Positions
 * are ns of stream time, mirrored where the stream plays backwards, so that they grow.
 * Used by one thread at a time.
 */
#ifndef GST_VIGIL_PACE_H
#define GST_VIGIL_PACE_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct _GstVigilPace {
    gboolean begun; /* FALSE: nothing was taken yet, what follows does not count */
    gint64 taken;   /* position of the last frame that was looked at */
    gdouble next;   /* where the next one is wanted */
} GstVigilPace;

/* Forgets what was: the next frame is due. */
void gst_vigil_pace_reset(GstVigilPace *pace);

/* TRUE when the frame at that position is to be looked at, at `fps` a second (0: all).
 * Frames are wanted at even distances, and one that comes up to a tenth of a distance
 * early is taken: on the average there are no more than `fps`, and of a stream of that
 * very rate none is lost to rounded or unsteady times. */
gboolean gst_vigil_pace_is_due(const GstVigilPace *pace, gint64 position, gdouble fps);

/* The frame at that position is looked at. */
void gst_vigil_pace_take(GstVigilPace *pace, gint64 position, gdouble fps);

G_END_DECLS

#endif
