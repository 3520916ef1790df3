/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Counters and clocks behind the property `stats` of the inference elements.  Not
 * locked: the element holds its object lock around every call.
 */
#ifndef GST_VIGIL_STATS_H
#define GST_VIGIL_STATS_H

#include <gst/gst.h>

G_BEGIN_DECLS

/* The 95th percentile is taken over so many of the latest times. */
#define GST_VIGIL_STATS_WINDOW 256

typedef struct _GstVigilClock {
    guint64 count, sum;                     /* runs since the reset, ns */
    guint64 recent[GST_VIGIL_STATS_WINDOW]; /* ring, ns */
} GstVigilClock;

typedef struct _GstVigilStats {
    guint64 frames;     /* that came in */
    guint64 inferences; /* runs of the network: one per region and frame */
    guint64 analysed;   /* frames that got results */
    guint64 skipped;    /* frames that were due and got none: late, gap, damaged */
    guint64 late;       /* those of `skipped` that downstream had reported as late */
    GstVigilClock preprocess, inference;
} GstVigilStats;

void gst_vigil_stats_reset(GstVigilStats *stats);

/* One run took `ns`. */
void gst_vigil_clock_add(GstVigilClock *clock, guint64 ns);
/* The latest one, 0 before the first; ns, as the next two. */
guint64 gst_vigil_clock_last(const GstVigilClock *clock);
guint64 gst_vigil_clock_mean(const GstVigilClock *clock);
guint64 gst_vigil_clock_p95(const GstVigilClock *clock);

/* "vigil-stats" with the counters (guint64) and, for preprocess and inference,
 * NAME-last-ms, NAME-mean-ms and NAME-p95-ms (gdouble, milliseconds). */
GstStructure *gst_vigil_stats_to_structure(const GstVigilStats *stats);

G_END_DECLS

#endif
