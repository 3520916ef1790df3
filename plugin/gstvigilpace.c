/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilpace.h"

#define SECOND 1e9
#define EARLY 0.1 /* of a distance */

void gst_vigil_pace_reset(GstVigilPace *pace)
{
    *pace = (GstVigilPace) { FALSE };
}

gboolean gst_vigil_pace_is_due(const GstVigilPace *pace, gint64 position, gdouble fps)
{
    if (fps <= 0 || !pace->begun || position < pace->taken)
        return TRUE;
    const gdouble distance = SECOND / fps;
    /* The rate may have been made higher meanwhile. */
    const gdouble latest = (gdouble)pace->taken + (1 + EARLY) * distance;

    return (gdouble)position >= MIN(pace->next, latest) - EARLY * distance;
}

void gst_vigil_pace_take(GstVigilPace *pace, gint64 position, gdouble fps)
{
    const gdouble distance = fps > 0 ? SECOND / fps : 0;
    const gdouble next = pace->next + distance;
    const gboolean steady = pace->begun && position >= pace->taken &&
                            next > (gdouble)position &&
                            next <= (gdouble)position + (1 + EARLY) * distance;

    pace->next = steady ? next : (gdouble)position + distance;
    pace->taken = position;
    pace->begun = TRUE;
}
