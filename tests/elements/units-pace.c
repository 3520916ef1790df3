/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which frames are looked at under max-fps, and how often they were.
 */
#include <math.h>
#include "gstvigilpace.h"
#include "gstvigilstats.h"

#define SECOND G_GINT64_CONSTANT(1000000000)

static gboolean step(GstVigilPace *pace, gint64 position, gdouble fps)
{
    const gboolean due = gst_vigil_pace_is_due(pace, position, fps);

    if (due)
        gst_vigil_pace_take(pace, position, fps);
    return due;
}

/* How many of n frames of that rate are taken, with times off by up to `jitter`. */
static guint count(guint n, gdouble rate, gdouble fps, gint64 jitter)
{
    GstVigilPace pace = { 0 };
    guint taken = 0;

    for (guint i = 0; i < n; i++)
        taken += (guint)step(
            &pace,
            (gint64)(i * 1e9 / rate) +
                (jitter ? g_test_rand_int_range((gint32)-jitter, (gint32)jitter) : 0),
            fps);
    return taken;
}

static void test_every_fifth(void)
{
    GstVigilPace pace = { 0 };

    for (gint64 i = 0; i < 100; i++)
        g_assert_cmpint(step(&pace, i * SECOND / 25, 5), ==, i % 5 == 0);
    gst_vigil_pace_reset(&pace);
    g_assert_true(step(&pace, 0, 5));
    g_assert_false(step(&pace, SECOND / 25, 5));
    g_assert_true(step(&pace, SECOND / 25, 0)); /* no limit */
}

/* A stream that is no faster than the limit loses nothing, rounded or unsteady. */
static void test_own_rate(void)
{
    static const gdouble rates[] = { 23.976, 24, 25, 29.97, 30, 50, 59.94, 60 };

    for (guint i = 0; i < G_N_ELEMENTS(rates); i++) {
        g_assert_cmpuint(count(2000, rates[i], rates[i], 0), ==, 2000);
        g_assert_cmpuint(count(2000, rates[i], rates[i], 800000), ==, 2000);
        g_assert_cmpuint(count(2000, rates[i], 1000, 0), ==, 2000);
    }
}

/* Never more than the limit, and, where frames allow it, not much less. */
static void test_average(void)
{
    for (guint i = 0; i < 300; i++) {
        const gdouble rate = g_test_rand_double_range(5, 120);
        const gdouble fps = g_test_rand_double_range(0.1, 60);
        const guint n = 3000, taken = count(n, rate, fps, i % 2 ? 1000000 : 0);
        const gdouble wished = n / rate * fps;
        if (taken > wished + 2 || taken < MIN(wished, n) * 0.75 - 1)
            g_error("%u of %u frames of %g a second, at most %g", taken, n, rate, fps);
    }
}

/* Another limit counts at once; what jumps begins anew. */
static void test_changes(void)
{
    GstVigilPace pace = { 0 };

    g_assert_true(step(&pace, 0, 0.01));
    g_assert_false(step(&pace, 10 * SECOND, 0.01));
    g_assert_true(step(&pace, 10 * SECOND, 1));
    g_assert_false(step(&pace, 10 * SECOND + SECOND / 2, 1));
    g_assert_true(step(&pace, 500 * SECOND, 1)); /* a gap is not made up for */
    g_assert_false(step(&pace, 500 * SECOND + SECOND / 2, 1));
    g_assert_true(step(&pace, 3 * SECOND, 1)); /* back */
    g_assert_false(step(&pace, 3 * SECOND + SECOND / 2, 1));
    g_assert_true(step(&pace, 4 * SECOND, 1));
}

static gdouble fps_of(const GstVigilStats *stats)
{
    GstStructure *structure = gst_vigil_stats_to_structure(stats);
    gdouble fps = -1;

    g_assert_true(gst_structure_get_double(structure, "fps", &fps));
    gst_structure_free(structure);
    return fps;
}

static void test_rate(void)
{
    GstVigilStats stats;
    GstClockTime now = 77;

    gst_vigil_stats_reset(&stats);
    g_assert_cmpfloat(fps_of(&stats), ==, 0);
    gst_vigil_stats_add_analysed(&stats, now);
    g_assert_cmpfloat(fps_of(&stats), ==, 0);
    for (guint i = 0; i < 10; i++)
        gst_vigil_stats_add_analysed(&stats, now += 100 * GST_MSECOND);
    g_assert_cmpfloat_with_epsilon(fps_of(&stats), 10, 1e-9);
    for (guint i = 0; i < GST_VIGIL_STATS_WINDOW; i++)
        gst_vigil_stats_add_analysed(&stats, now += 20 * GST_MSECOND);
    g_assert_cmpfloat_with_epsilon(fps_of(&stats), 50, 1e-9); /* the window */
    g_assert_cmpuint(stats.analysed, ==, 11 + GST_VIGIL_STATS_WINDOW);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pace/every-fifth", test_every_fifth);
    g_test_add_func("/pace/own-rate", test_own_rate);
    g_test_add_func("/pace/average", test_average);
    g_test_add_func("/pace/changes", test_changes);
    g_test_add_func("/stats/rate", test_rate);
    return g_test_run();
}
