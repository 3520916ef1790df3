/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilclassify in whole pipelines: states up and down, seeks, many at a time, and
 * nothing left behind.
 */
#include <string.h>
#include "frames.h"

#define SOURCE                                                                         \
    "videotestsrc num-buffers=5 pattern=ball ! "                                       \
    "video/x-raw,format=NV12,width=160,height=120,framerate=25/1 ! "
#define CLASSIFY "vigilclassify name=c model="

static GstElement *launch(const gchar *format, const gchar *rest)
{
    /* A space in the path would end the value. */
    gchar **words = g_strsplit(g_getenv("VIGIL_TEST_MODEL"), " ", -1);
    gchar *model = g_strjoinv("\\ ", words);
    gchar *text = g_strdup_printf(format, model, rest);
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(text, &error);

    g_assert_no_error(error);
    g_free(text);
    g_free(model);
    g_strfreev(words);
    return pipeline;
}

static void wait_for(GstElement *pipeline, GstMessageType type)
{
    GstBus *bus = gst_element_get_bus(pipeline);
    GstMessage *message =
        gst_bus_timed_pop_filtered(bus, 60 * GST_SECOND, type | GST_MESSAGE_ERROR);

    g_assert_nonnull(message);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
        g_error("%s", gst_structure_to_string(gst_message_get_structure(message)));
    gst_message_unref(message);
    gst_object_unref(bus);
}

static void play_to_end(GstElement *pipeline)
{
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    wait_for(pipeline, GST_MESSAGE_EOS);
}

static void stop(GstElement *pipeline)
{
    g_assert_cmpint(gst_element_set_state(pipeline, GST_STATE_NULL), ==,
                    GST_STATE_CHANGE_SUCCESS);
    gst_object_unref(pipeline);
}

static guint64 count(GstElement *pipeline, const gchar *name, const gchar *field)
{
    GstElement *element = gst_bin_get_by_name(GST_BIN(pipeline), name);
    const guint64 value = stats_count(element, field);

    gst_object_unref(element);
    return value;
}

static void test_whole_pipeline(void)
{
    GstElement *pipeline = launch(SOURCE CLASSIFY "%s ! fakesink%s", "");

    play_to_end(pipeline);
    g_assert_cmpuint(count(pipeline, "c", "frames"), ==, 5);
    g_assert_cmpuint(count(pipeline, "c", "analysed"), ==, 5);
    stop(pipeline);
}

/* Every path between the states, a hundred times; the element is one and the same. */
static void test_cycles(void)
{
    static const GstState tops[] = { GST_STATE_READY, GST_STATE_PAUSED,
                                     GST_STATE_PLAYING };
    static const GstState bottoms[] = { GST_STATE_NULL, GST_STATE_READY };
    GstElement *pipeline =
        launch("videotestsrc ! video/x-raw,format=NV12,width=64,height=48 ! " CLASSIFY
               "%s ! fakesink%s",
               "");

    for (guint i = 0; i < 100; i++) {
        const GstState top = tops[i % 3], bottom = bottoms[i / 3 % 2];
        gst_element_set_state(pipeline, top);
        g_assert_cmpint(gst_element_get_state(pipeline, NULL, NULL, 60 * GST_SECOND),
                        ==, GST_STATE_CHANGE_SUCCESS);
        gst_element_set_state(pipeline, bottom);
        g_assert_cmpint(gst_element_get_state(pipeline, NULL, NULL, 60 * GST_SECOND),
                        ==, GST_STATE_CHANGE_SUCCESS);
    }
    stop(pipeline);
}

static void test_stats_start_anew(void)
{
    GstElement *pipeline = launch(SOURCE CLASSIFY "%s ! fakesink%s", "");

    for (guint i = 0; i < 3; i++) {
        play_to_end(pipeline);
        g_assert_cmpuint(count(pipeline, "c", "frames"), ==, 5);
        gst_element_set_state(pipeline, GST_STATE_READY);
    }
    stop(pipeline);
}

/* A flushing seek: results go on, with the times of the new place. */
static void test_seek(void)
{
    GstElement *pipeline = launch(
        "videotestsrc num-buffers=100000 ! video/x-raw,format=NV12,width=64,height=48,"
        "framerate=25/1 ! " CLASSIFY
        "%s inference-interval=50 post-messages=true ! fakesink%s",
        " sync=true");
    GstBus *bus = gst_element_get_bus(pipeline);

    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    wait_for(pipeline, GST_MESSAGE_ASYNC_DONE);
    for (guint i = 1; i <= 5; i++) {
        const GstClockTime target = i * 7 * GST_SECOND;
        guint64 time = 0;

        gst_bus_set_flushing(bus, TRUE);
        gst_bus_set_flushing(bus, FALSE);
        g_assert_true(gst_element_seek_simple(
            pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
            (gint64)target));
        GstMessage *message = gst_bus_timed_pop_filtered(
            bus, 60 * GST_SECOND, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);
        g_assert_nonnull(message);
        g_assert_true(gst_structure_get_uint64(gst_message_get_structure(message),
                                               "stream-time", &time));
        g_assert_cmpuint(time, ==, target);
        gst_message_unref(message);
    }
    gst_object_unref(bus);
    stop(pipeline);
}

static void test_many_at_a_time(void)
{
    GstElement *pipelines[6];

    for (guint i = 0; i < G_N_ELEMENTS(pipelines); i++) {
        pipelines[i] = launch(SOURCE CLASSIFY "%s threads=2 ! %s",
                              "vigilclassify name=d ! fakesink");
        GstElement *second = gst_bin_get_by_name(GST_BIN(pipelines[i]), "d");
        g_object_set(second, "model", g_getenv("VIGIL_TEST_MODEL"), NULL);
        gst_object_unref(second);
        gst_element_set_state(pipelines[i], GST_STATE_PLAYING);
    }
    for (guint i = 0; i < G_N_ELEMENTS(pipelines); i++) {
        wait_for(pipelines[i], GST_MESSAGE_EOS);
        g_assert_cmpuint(count(pipelines[i], "c", "analysed"), ==, 5);
        g_assert_cmpuint(count(pipelines[i], "d", "analysed"), ==, 5);
        stop(pipelines[i]);
    }
}

static void test_error_stops_the_pipeline(void)
{
    GstElement *pipeline = launch(SOURCE CLASSIFY "%s resize=none ! fakesink%s", "");
    GstBus *bus = gst_element_get_bus(pipeline);

    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstMessage *message = gst_bus_timed_pop_filtered(
        bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    GError *error = NULL;
    gst_message_parse_error(message, &error, NULL);
    g_assert_nonnull(strstr(error->message, "160x120"));
    g_assert_nonnull(strstr(error->message, "96x96"));
    g_error_free(error);
    gst_message_unref(message);
    gst_object_unref(bus);
    stop(pipeline);
}

/* ---- What is left --------------------------------------------------------------- */

/* Played, refused and thrown away in the middle; then GStreamer ends, and its leaks
 * tracer names what still lives. */
static void leave_nothing(void)
{
    for (guint i = 0; i < 2; i++) {
        GstElement *pipeline =
            launch(SOURCE CLASSIFY "%s post-messages=true regions=%s",
                   "0,0,1,1;a=0,0,.5,.5 ! fakesink");
        play_to_end(pipeline);
        stop(pipeline);
        pipeline = launch("videotestsrc ! " CLASSIFY "%s%s", "-missing ! fakesink");
        g_assert_cmpint(gst_element_set_state(pipeline, GST_STATE_READY), ==,
                        GST_STATE_CHANGE_FAILURE);
        stop(pipeline);
        pipeline = launch("videotestsrc ! " CLASSIFY "%s ! fakesink%s", "");
        gst_element_set_state(pipeline, GST_STATE_PAUSED);
        stop(pipeline);
    }
    gst_deinit();
}

static void run_under_tracer(void)
{
    g_setenv("GST_TRACERS", "leaks", TRUE);
    g_setenv("GST_DEBUG", "GST_TRACER:7", TRUE);
    g_setenv("GST_DEBUG_NO_COLOR", "1", TRUE);
    g_test_trap_subprocess(NULL, 120 * (guint64)G_USEC_PER_SEC,
                           G_TEST_SUBPROCESS_DEFAULT);
}

#define ALIVE "*object-alive, type-name=(string)Gst*"

static void test_leaks(void)
{
    if (g_test_subprocess()) {
        leave_nothing();
        return;
    }
    run_under_tracer();
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr_unmatched(ALIVE);
}

/* That the test above can fail: an element that is left is named. */
static void test_leaks_are_seen(void)
{
    if (g_test_subprocess()) {
        gst_object_ref_sink(gst_element_factory_make("vigilclassify", NULL));
        gst_deinit();
        return;
    }
    run_under_tracer();
    g_test_trap_assert_failed(); /* the tracer warns, and warnings are fatal here */
    g_test_trap_assert_stderr(ALIVE);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/classify/pipeline", test_whole_pipeline);
    g_test_add_func("/classify/cycles", test_cycles);
    g_test_add_func("/classify/restart", test_stats_start_anew);
    g_test_add_func("/classify/seek", test_seek);
    g_test_add_func("/classify/many", test_many_at_a_time);
    g_test_add_func("/classify/error", test_error_stops_the_pipeline);
    g_test_add_func("/classify/leaks", test_leaks);
    g_test_add_func("/classify/leaks-are-seen", test_leaks_are_seen);
    return g_test_run();
}
