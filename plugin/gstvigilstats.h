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
    guint64 analysed;   /* frames that were looked at */
    guint64
        skipped;  /* frames that were due and were not: late, gap, damaged, replaced */
    guint64 late; /* those of `skipped` that downstream had reported as late */
    guint64 replaced;   /* those of `skipped` whose turn a newer one took */
    guint64 unattached; /* those of `analysed` whose results no frame carries */
    GstVigilClock preprocess, inference;
    GstVigilClock queue_age; /* from the frame's arrival to its first run */
    GstVigilClock
        result_age;        /* stream time from the frame to the one with its results */
    GstVigilClock between; /* from one frame that was looked at to the next */
    GstClockTime last_analysed; /* by gst_util_get_timestamp(); 0: none yet */
} GstVigilStats;

void gst_vigil_stats_reset(GstVigilStats *stats);

/* One run took `ns`. */
void gst_vigil_clock_add(GstVigilClock *clock, guint64 ns);
/* Another frame was looked at, at that gst_util_get_timestamp(). */
void gst_vigil_stats_add_analysed(GstVigilStats *stats, GstClockTime now);
/* The latest one, 0 before the first; ns, as the next two. */
guint64 gst_vigil_clock_last(const GstVigilClock *clock);
guint64 gst_vigil_clock_mean(const GstVigilClock *clock);
guint64 gst_vigil_clock_p95(const GstVigilClock *clock);

/* "vigil-stats" with the counters (guint64), for each clock NAME-last-ms, NAME-mean-ms
 * and NAME-p95-ms (gdouble, milliseconds), and fps (gdouble), frames that were looked
 * at per second of real time over the window. */
GstStructure *gst_vigil_stats_to_structure(const GstVigilStats *stats);

G_END_DECLS

#endif
