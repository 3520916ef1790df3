/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The latency that the inference elements tell is the one they have: as it is seen from
 * outside, and by the latency tracer of GStreamer.  The network is one that takes at
 * least as long as the test says, or until all frames are through.
 */
#include <stdlib.h>
#include <string.h>
#include "frames.h"
#include "vigil.h"

#define LONG (20 * GST_MSECOND)
#define SHORT GST_MSECOND
#define WINDOW 256 /* frames of which the latency is the 95th percentile */
#define FRAMES 32  /* it is told anew after so many */

static gint nap_us, waits, through; /* atomic */

void vigil_session_run(VigilSession *session)
{
    g_usleep((gulong)g_atomic_int_get(&nap_us));
    while (g_atomic_int_get(&waits) && g_atomic_int_get(&through) < FRAMES)
        g_usleep(1000);
}

static void take(GstClockTime time)
{
    g_atomic_int_set(&nap_us, (gint)(time / GST_USECOND));
}

static int compare(const void *a, const void *b)
{
    const guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;

    return (x > y) - (x < y);
}

/* Nearest rank. */
static guint64 p95(const GArray *times)
{
    g_assert_cmpuint(times->len, >, 0);
    qsort(times->data, times->len, sizeof(guint64), compare);
    return g_array_index(times, guint64, (times->len * 95 + 99) / 100 - 1);
}

/* ---- Told when it moves --------------------------------------------------------- */

typedef struct Told {
    GstHarness *h;
    GstBus *bus;
    guint frames;
} Told;

/* How many latency messages n frames make; how long each stayed goes to `times`. */
static guint push(Told *t, guint n, GArray *times)
{
    guint messages = 0;

    for (guint i = 0; i < n; i++) {
        const GstClockTime begin = gst_util_get_timestamp();
        g_assert_true(frame_is_analysed(t->h, frame_at(t->frames++)));
        const guint64 spent = gst_util_get_timestamp() - begin;
        g_array_append_val(times, spent);
        for (GstMessage *m; (m = gst_bus_pop_filtered(t->bus, GST_MESSAGE_LATENCY));) {
            gst_message_unref(m);
            messages++;
        }
    }
    return messages;
}

/* What is told differs by less than a fifth from what was measured inside, which is no
 * shorter than the nap and no longer than the stay. */
static void check_told(const Told *t, GstClockTime least, const GArray *times)
{
    const GstClockTime told = gst_harness_query_latency(t->h);
    gdouble ms = 0;
    GstStructure *stats = NULL;

    g_test_message("%" G_GUINT64_FORMAT " ns are told, %" G_GUINT64_FORMAT " were seen",
                   told, p95(times));
    g_assert_cmpuint(told, >=, least * 4 / 5);
    g_assert_cmpuint(told, <=, p95(times) * 5 / 4);
    g_object_get(t->h->element, "stats", &stats, NULL);
    g_assert_true(gst_structure_get_double(stats, "latency-ms", &ms));
    g_assert_cmpfloat(ms, ==, (gdouble)told / GST_MSECOND);
    gst_structure_free(stats);
}

static void test_told(void)
{
    GArray *times = g_array_new(FALSE, FALSE, sizeof(guint64));
    Told t = { .bus = gst_bus_new() };

    take(SHORT);
    t.h = classifier_harness(classifier_plain(), STREAM_CAPS);
    gst_element_set_bus(t.h->element, t.bus);
    const GstClockTime guess = gst_harness_query_latency(t.h);
    take(LONG);
    const guint messages = push(&t, 64, times);
    g_assert_cmpint(messages > 0, ==, gst_harness_query_latency(t.h) != guess);
    check_told(&t, LONG, times);

    take(SHORT);
    g_array_set_size(times, 0);
    push(&t, WINDOW, times); /* of which the slow ones are no part any more */
    check_told(&t, SHORT, times);
    gst_element_set_bus(t.h->element, NULL);
    gst_object_unref(t.bus);
    gst_harness_teardown(t.h);
    g_array_unref(times);
}

/* ---- As the tracer sees it ------------------------------------------------------ */

typedef struct Traced {
    GArray *times;    /* ns that buffers stayed in the element */
    guint64 reported; /* ns, the last time */
} Traced;

static void read_line(GstDebugCategory *category, GstDebugLevel level,
                      const gchar *file, const gchar *function, gint line,
                      GObject *object, GstDebugMessage *message, gpointer data)
{
    Traced *traced = data;
    const gchar *text = gst_debug_message_get(message);
    guint64 time, min;

    if (!g_str_has_prefix(text, "element-latency,") &&
        !g_str_has_prefix(text, "element-reported-latency,"))
        return;
    GstStructure *record = gst_structure_from_string(text, NULL);
    g_assert_nonnull(record);
    if (g_strcmp0(gst_structure_get_string(record, "element"), "classify") == 0) {
        if (gst_structure_get_uint64(record, "time", &time))
            g_array_append_val(traced->times, time);
        if (gst_structure_get_uint64(record, "min", &min))
            traced->reported = min;
    }
    gst_structure_free(record);
}

static GstPadProbeReturn count_frame(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    g_atomic_int_inc(&through);
    return GST_PAD_PROBE_OK;
}

static void count_frames(GstElement *pipeline)
{
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    GstPad *pad = gst_element_get_static_pad(sink, "sink");

    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, count_frame, NULL, NULL);
    gst_object_unref(pad);
    gst_object_unref(sink);
}

/* Asks for the latency whenever it has changed, and at the end. */
static void play(GstElement *pipeline)
{
    GstBus *bus = gst_element_get_bus(pipeline);
    GstMessageType type;

    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    do {
        GstMessage *message = gst_bus_timed_pop_filtered(
            bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_LATENCY);
        type = GST_MESSAGE_TYPE(message);
        gst_message_unref(message);
        gst_bin_recalculate_latency(GST_BIN(pipeline));
    } while (type != GST_MESSAGE_EOS);
    gst_object_unref(bus);
}

static Traced trace(const gchar *mode)
{
    Traced traced = { g_array_new(FALSE, FALSE, sizeof(guint64)), G_MAXUINT64 };
    gchar *text = g_strdup_printf("videotestsrc is-live=true num-buffers=%d ! "
                                  "video/x-raw,width=160,height=120,framerate=100/1 ! "
                                  "vigilclassify name=classify mode=%s model=%s ! "
                                  "fakesink name=sink sync=false",
                                  FRAMES, mode, g_getenv("VIGIL_TEST_MODEL"));
    GstElement *pipeline = gst_parse_launch(text, NULL);

    count_frames(pipeline);
    gst_debug_add_log_function(read_line, &traced, NULL);
    gst_element_set_state(pipeline, GST_STATE_READY); /* the network has run once */
    g_atomic_int_set(&waits, g_str_equal(mode, "latest"));
    play(pipeline);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_debug_remove_log_function(read_line);
    gst_object_unref(pipeline);
    g_free(text);
    g_test_message("%s: %" G_GUINT64_FORMAT " ns are reported, %" G_GUINT64_FORMAT
                   " ns were traced, %u times",
                   mode, traced.reported, p95(traced.times), traced.times->len);
    g_assert_cmpuint(traced.times->len, ==, FRAMES);
    return traced;
}

static void check_traced(void)
{
    gst_debug_remove_log_function(gst_debug_log_default);
    take(LONG);
    Traced sync = trace("sync");
    g_assert_cmpuint(sync.reported, >=, LONG * 4 / 5);
    g_assert_cmpuint(sync.reported, <=, p95(sync.times) * 5 / 4);
    g_array_unref(sync.times);

    /* The first run ends when the last frame is through. */
    g_atomic_int_set(&through, 0);
    Traced latest = trace("latest");
    g_assert_cmpuint(latest.reported, ==, 0);
    g_array_unref(latest.times);
}

#define TRACED "/latency/tracer/subprocess/traced"
#define PLAIN "/latency/tracer/subprocess/plain"

static void play_plain(void)
{
    GstElement *pipeline = gst_parse_launch("fakesrc num-buffers=1 ! fakesink", NULL);

    play(pipeline);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

static void run_traced(const gchar *path, guint seconds)
{
    g_setenv("GST_TRACERS", "latency(flags=element+reported)", TRUE);
    g_setenv("GST_DEBUG", "GST_TRACER:7", TRUE);
    g_test_trap_subprocess(path, seconds * (guint64)G_USEC_PER_SEC,
                           G_TEST_SUBPROCESS_DEFAULT);
}

/* The tracer of 1.26.2, which Debian 13 has, stops every pipeline for ever. */
static void test_tracer(void)
{
    run_traced(PLAIN, 10);
    if (g_test_trap_reached_timeout()) {
        g_test_skip("the latency tracer stops fakesrc ! fakesink");
        return;
    }
    g_test_trap_assert_passed();
    run_traced(TRACED, 120);
    g_test_trap_assert_passed();
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/latency/told", test_told);
    g_test_add_func("/latency/tracer", test_tracer);
    g_test_add_func(TRACED, check_traced);
    g_test_add_func(PLAIN, play_plain);
    return g_test_run();
}
