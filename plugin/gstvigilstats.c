/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>
#include "gstvigilstats.h"

void gst_vigil_stats_reset(GstVigilStats *stats)
{
    memset(stats, 0, sizeof *stats);
}

void gst_vigil_clock_add(GstVigilClock *clock, guint64 ns)
{
    clock->recent[clock->count++ % GST_VIGIL_STATS_WINDOW] = ns;
    clock->sum += ns;
}

void gst_vigil_stats_add_analysed(GstVigilStats *stats, GstClockTime now)
{
    stats->analysed++;
    if (stats->last_analysed)
        gst_vigil_clock_add(&stats->between, now - stats->last_analysed);
    stats->last_analysed = now;
}

guint64 gst_vigil_clock_last(const GstVigilClock *clock)
{
    return clock->count ? clock->recent[(clock->count - 1) % GST_VIGIL_STATS_WINDOW]
                        : 0;
}

guint64 gst_vigil_clock_mean(const GstVigilClock *clock)
{
    return clock->count ? clock->sum / clock->count : 0;
}

static int compare_times(const void *a, const void *b)
{
    const guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;

    return (x > y) - (x < y);
}

/* Nearest rank: the smallest time that 95 % of the window do not exceed. */
guint64 gst_vigil_clock_p95(const GstVigilClock *clock)
{
    guint64 sorted[GST_VIGIL_STATS_WINDOW];
    const gsize n = MIN(clock->count, GST_VIGIL_STATS_WINDOW);

    if (n == 0)
        return 0;
    memcpy(sorted, clock->recent, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_times);
    return sorted[(n * 95 + 99) / 100 - 1];
}

/* Per second; 0: not known yet. */
static gdouble recent_rate(const GstVigilClock *between)
{
    const gsize n = MIN(between->count, GST_VIGIL_STATS_WINDOW);
    guint64 sum = 0;

    for (gsize i = 0; i < n; i++)
        sum += between->recent[i];
    return sum ? (gdouble)n * GST_SECOND / (gdouble)sum : 0;
}

static void add_clock(GstStructure *structure, const gchar *name,
                      const GstVigilClock *clock)
{
    const struct {
        const gchar *suffix;
        guint64 ns;
    } fields[] = {
        { "last", gst_vigil_clock_last(clock) },
        { "mean", gst_vigil_clock_mean(clock) },
        { "p95", gst_vigil_clock_p95(clock) },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
        gchar *field = g_strdup_printf("%s-%s-ms", name, fields[i].suffix);
        gst_structure_set(structure, field, G_TYPE_DOUBLE,
                          (gdouble)fields[i].ns / GST_MSECOND, NULL);
        g_free(field);
    }
}

GstStructure *gst_vigil_stats_to_structure(const GstVigilStats *stats)
{
    GstStructure *structure = gst_structure_new(
        "vigil-stats", "frames", G_TYPE_UINT64, stats->frames, "inferences",
        G_TYPE_UINT64, stats->inferences, "analysed", G_TYPE_UINT64, stats->analysed,
        "skipped", G_TYPE_UINT64, stats->skipped, "late", G_TYPE_UINT64, stats->late,
        "replaced", G_TYPE_UINT64, stats->replaced, "unattached", G_TYPE_UINT64,
        stats->unattached, "fps", G_TYPE_DOUBLE, recent_rate(&stats->between), NULL);

    add_clock(structure, "preprocess", &stats->preprocess);
    add_clock(structure, "inference", &stats->inference);
    add_clock(structure, "queue-age", &stats->queue_age);
    add_clock(structure, "result-age", &stats->result_age);
    return structure;
}
