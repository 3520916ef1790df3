/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mode=latest while a stream flows: no frame waits, the newest is looked at, and
 * results ride on the frame that comes next.
 */
#include <string.h>
#include "late.h"

static Late start(void)
{
    return late_start(classifier_plain(), STREAM_CAPS);
}

static void assert_count(const Late *l, const gchar *field, guint64 expected)
{
    const guint64 got = stats_count(l->element, field);

    if (got != expected)
        g_error("%s is %" G_GUINT64_FORMAT ", not %" G_GUINT64_FORMAT, field, got,
                expected);
}

/* ---- Frames --------------------------------------------------------------------- */

/* One is looked at, one waits, and those between lost their turn. */
static void test_nothing_waits(void)
{
    Late l = start();

    late_push_bare(&l, 1);
    gate_wait_came(1);
    late_push_bare(&l, 19);
    g_assert_cmpuint(gate_came(), ==, 1);
    assert_count(&l, "frames", 20);
    assert_count(&l, "analysed", 0);
    assert_count(&l, "replaced", 18);
    assert_count(&l, "skipped", 18);

    GstBuffer *out = late_push_after(&l, 1, 1);
    g_assert_cmpuint(frame_count_metas(out), ==, 1);
    g_assert_cmpuint(late_of_frame(out), ==, 0);
    g_assert_cmpuint(gst_vigil_meta_get_age(frame_meta(out), GST_BUFFER_PTS(out)), ==,
                     20 * FRAME_TIME);
    gst_buffer_unref(out);

    gate_wait_came(2);
    out = late_push_after(&l, 1, 2);
    g_assert_cmpuint(late_of_frame(out), ==, 19);
    gst_buffer_unref(out);
    late_push_bare(&l, 1); /* told once */
    assert_count(&l, "unattached", 0);
    late_stop(&l);
}

/* What is done twice between two frames is told once, the newer. */
static void test_newest_result(void)
{
    Late l = start();

    late_push_bare(&l, 1);
    gate_wait_came(1);
    late_push_bare(&l, 1);
    GstBuffer *out = late_push_after(&l, 2, 2);
    g_assert_cmpuint(frame_count_metas(out), ==, 1);
    g_assert_cmpuint(late_of_frame(out), ==, 1);
    gst_buffer_unref(out);
    assert_count(&l, "unattached", 1);
    late_stop(&l);
}

static void note_gone(gpointer data, GstMiniObject *object)
{
    *(gboolean *)data = TRUE;
}

/* The camera has its buffer and its memory back while the network runs. */
static void test_lets_go(void)
{
    Late l = start();
    GstBuffer *frame = late_frame(&l, l.frames++), *parent = gst_buffer_new();
    gboolean buffer_gone = FALSE, memory_gone = FALSE, parent_gone = FALSE;

    gst_mini_object_weak_ref(GST_MINI_OBJECT(frame), note_gone, &buffer_gone);
    gst_mini_object_weak_ref(GST_MINI_OBJECT(gst_buffer_peek_memory(frame, 0)),
                             note_gone, &memory_gone);
    gst_mini_object_weak_ref(GST_MINI_OBJECT(parent), note_gone, &parent_gone);
    gst_buffer_add_parent_buffer_meta(frame, parent);
    gst_buffer_unref(parent);
    gst_buffer_unref(gst_harness_push_and_pull(l.h, frame));
    gate_wait_came(1);
    g_assert_true(buffer_gone);
    g_assert_true(memory_gone);
    g_assert_true(parent_gone);
    late_stop(&l);
}

/* The results are those of mode sync. */
static void test_same_results(void)
{
    GstElement *element = classifier_plain();
    Late l = late_start(element, STREAM_CAPS);
    GstBuffer *alone = late_frame(&l, 0);

    gate_open();
    const Scores want =
        scores_read(classify_once(classifier_plain(), STREAM_CAPS, alone));
    late_push_bare(&l, 1);
    late_wait_analysed(&l, 1);
    const Scores got = scores_read(late_push(&l));
    g_assert_cmpint(got.best, ==, want.best);
    g_assert_cmpfloat(scores_apart(&got, &want), ==, 0);
    late_stop(&l);
}

/* All regions of a frame are one turn, as they were set when it came. */
static void test_regions(void)
{
    Late l =
        late_start(classifier_new("regions", "left=0,0,0.5,1;right=0.5,0,0.5,1", NULL),
                   STREAM_CAPS);

    late_push_bare(&l, 1);
    gate_wait_came(1);
    g_object_set(l.element, "regions", "other=0,0,1,0.5", NULL);
    GstBuffer *out = late_push_after(&l, 2, 1);
    GstVigilMeta *meta = frame_meta(out);
    g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, 2);
    for (guint i = 0; i < 2; i++) {
        const GstVigilResult *result = gst_vigil_meta_get_result(meta, i);
        g_assert_cmpstr(gst_vigil_result_get_region_name(result), ==,
                        i ? "right" : "left");
        g_assert_cmpuint(gst_vigil_result_get_n_classes(result), ==, 10);
    }
    gpointer state = NULL;
    guint rois = 0;
    while (gst_buffer_iterate_meta_filtered(out, &state,
                                            GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
        rois++;
    g_assert_cmpuint(rois, ==, 2);
    gst_buffer_unref(out);
    late_stop(&l);
}

/* A frame that cannot be read passes; what is under way goes on. */
static void test_truncated(void)
{
    Late l = start();
    GstBuffer *frame = late_frame(&l, 1);

    late_push_bare(&l, 1);
    gate_wait_came(1);
    gst_buffer_set_size(frame, 1000);
    gst_buffer_unref(gst_harness_push_and_pull(l.h, frame));
    l.frames++;
    gchar *text = bus_text(l.bus, GST_MESSAGE_WARNING);
    g_assert_nonnull(strstr(text, "in 1000 bytes"));
    g_free(text);
    assert_count(&l, "skipped", 1);
    GstBuffer *out = late_push_after(&l, 1, 1);
    g_assert_cmpuint(late_of_frame(out), ==, 0);
    gst_buffer_unref(out);
    late_stop(&l);
}

/* ---- Which frames --------------------------------------------------------------- */

/* Of 20 frames every fifth is offered; one runs, one waits. */
static void check_offered(Late *l)
{
    late_push_bare(l, 1);
    gate_wait_came(1);
    late_push_bare(l, 19);
    assert_count(l, "replaced", 2);
    assert_count(l, "skipped", 2);
    gst_buffer_unref(late_push_after(l, 1, 1));
    GstBuffer *out = late_push_after(l, 1, 2);
    g_assert_cmpuint(late_of_frame(out), ==, 15);
    gst_buffer_unref(out);
    late_stop(l);
}

static void test_interval(void)
{
    Late l = late_start(classifier_new("inference-interval", 5u, NULL), STREAM_CAPS);

    check_offered(&l);
}

static void test_max_fps(void)
{
    Late l = late_start(classifier_new("max-fps", 5.0, NULL), STREAM_CAPS);

    check_offered(&l);
}

static void test_qos_message(void)
{
    Late l = start();
    GstClockTime running_time, stream_time, timestamp, duration;
    guint64 processed, dropped;
    gint64 jitter;
    gboolean live;

    late_push_bare(&l, 1);
    gate_wait_came(1);
    gst_buffer_unref(late_push_after(&l, 1, 1)); /* frame 1 */
    gate_wait_came(2);
    late_push_bare(&l, 2); /* 3 takes the place of 2 */
    GstMessage *message = gst_bus_pop_filtered(l.bus, GST_MESSAGE_QOS);
    g_assert_nonnull(message);
    gst_message_parse_qos(message, &live, &running_time, &stream_time, &timestamp,
                          &duration);
    gst_message_parse_qos_values(message, &jitter, NULL, NULL);
    gst_message_parse_qos_stats(message, NULL, &processed, &dropped);
    g_assert_true(live);
    g_assert_cmpuint(running_time, ==, 2 * FRAME_TIME);
    g_assert_cmpuint(stream_time, ==, 2 * FRAME_TIME);
    g_assert_cmpuint(timestamp, ==, 2 * FRAME_TIME);
    g_assert_cmpuint(duration, ==, FRAME_TIME);
    g_assert_cmpint(jitter, ==, FRAME_TIME);
    g_assert_cmpuint(processed, ==, 1);
    g_assert_cmpuint(dropped, ==, 1);
    gst_message_unref(message);
    g_assert_null(gst_bus_pop_filtered(l.bus, GST_MESSAGE_QOS));
    late_stop(&l);
}

/* Frames that downstream has no time for are not offered; they pass all the same. */
static void test_qos_event(void)
{
    Late l = start();

    late_push_bare(&l, 1);
    gate_wait_came(1);
    gst_buffer_unref(late_push_after(&l, 1, 1)); /* frame 1 */
    gate_wait_came(2);
    gst_harness_push_upstream_event(l.h, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.5,
                                                           2 * FRAME_TIME, FRAME_TIME));
    late_push_bare(&l, 4); /* up to frame 5 */
    assert_count(&l, "late", 4);
    assert_count(&l, "replaced", 0);
    late_push_bare(&l, 1);
    gst_buffer_unref(late_push_after(&l, 1, 2));
    GstBuffer *out = late_push_after(&l, 1, 3);
    g_assert_cmpuint(late_of_frame(out), ==, 6);
    gst_buffer_unref(out);
    late_stop(&l);
}

/* ---- Figures -------------------------------------------------------------------- */

static void test_stats(void)
{
    Late l = start();
    GstStructure *stats = NULL;
    gdouble age, queue, fps, latency;

    late_push_bare(&l, 1);
    gate_wait_came(1);
    late_push_bare(&l, 4);
    gst_buffer_unref(late_push_after(&l, 1, 1));
    gst_buffer_unref(late_push_after(&l, 1, 2));
    g_object_get(l.element, "stats", &stats, NULL);
    g_assert_true(gst_structure_get(stats, "result-age-last-ms", G_TYPE_DOUBLE, &age,
                                    "queue-age-p95-ms", G_TYPE_DOUBLE, &queue, "fps",
                                    G_TYPE_DOUBLE, &fps, "latency-ms", G_TYPE_DOUBLE,
                                    &latency, NULL));
    g_assert_cmpfloat(age, ==, 80); /* of frame 4 on frame 6 */
    g_assert_cmpfloat(queue, >, 0);
    g_assert_cmpfloat(fps, >, 0);
    g_assert_cmpfloat(latency, ==, 0);
    gst_structure_free(stats);
    assert_count(&l, "inferences", 2);
    late_stop(&l);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/latest/nothing-waits", test_nothing_waits);
    g_test_add_func("/latest/newest-result", test_newest_result);
    g_test_add_func("/latest/lets-go", test_lets_go);
    g_test_add_func("/latest/same-results", test_same_results);
    g_test_add_func("/latest/regions", test_regions);
    g_test_add_func("/latest/truncated", test_truncated);
    g_test_add_func("/latest/interval", test_interval);
    g_test_add_func("/latest/max-fps", test_max_fps);
    g_test_add_func("/latest/qos/message", test_qos_message);
    g_test_add_func("/latest/qos/event", test_qos_event);
    g_test_add_func("/latest/stats", test_stats);
    return g_test_run();
}
