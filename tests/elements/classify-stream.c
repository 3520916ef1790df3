/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilclassify in a stream: the buffer passes as it is, which frames are looked at,
 * caps, events and queries.
 */
#include <string.h>
#include "frames.h"

/* ---- The buffer ----------------------------------------------------------------- */

static gchar *checksum(GstBuffer *buffer)
{
    GstMapInfo map;

    g_assert_true(gst_buffer_map(buffer, &map, GST_MAP_READ));
    gchar *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, map.data, map.size);
    gst_buffer_unmap(buffer, &map);
    return sum;
}

static void test_untouched(void)
{
    GstHarness *h = classifier_harness(classifier_plain(), STREAM_CAPS);
    GstBuffer *frame = frame_at(3), *kept = frame;
    GstMemory *memory = gst_buffer_peek_memory(frame, 0);
    gchar *before = checksum(frame);

    GstBuffer *out = gst_harness_push_and_pull(h, frame);
    gchar *after = checksum(out);
    g_assert_true(out == kept);
    g_assert_true(gst_buffer_peek_memory(out, 0) == memory);
    g_assert_cmpstr(before, ==, after);
    g_assert_cmpuint(GST_BUFFER_PTS(out), ==, 3 * FRAME_TIME);
    g_assert_cmpuint(GST_BUFFER_DURATION(out), ==, FRAME_TIME);
    g_free(before);
    g_free(after);
    gst_buffer_unref(out);
    gst_harness_teardown(h);
}

/* A buffer that somebody else holds gets results on a copy, of the same memory. */
static void test_shared_buffer(void)
{
    GstHarness *h = classifier_harness(classifier_plain(), STREAM_CAPS);
    GstBuffer *frame = frame_at(0);
    GstBuffer *out = gst_harness_push_and_pull(h, gst_buffer_ref(frame));

    g_assert_true(out != frame);
    g_assert_true(gst_buffer_peek_memory(out, 0) == gst_buffer_peek_memory(frame, 0));
    g_assert_cmpuint(frame_count_metas(frame), ==, 0);
    g_assert_cmpuint(frame_count_metas(out), ==, 1);
    gst_buffer_unref(frame);
    gst_buffer_unref(out);
    gst_harness_teardown(h);
}

static void test_planes_in_separate_memories(void)
{
    const GstVideoInfo info = frame_info(STREAM_CAPS);
    GstHarness *h = classifier_harness(classifier_plain(), STREAM_CAPS);
    GstBuffer *whole = frame_at(0), *split = gst_buffer_new();
    const gsize luma = info.offset[1];

    gst_buffer_append(
        split, gst_buffer_copy_region(
                   whole, GST_BUFFER_COPY_MEMORY | GST_BUFFER_COPY_DEEP, 0, luma));
    gst_buffer_append(split, gst_buffer_copy_region(
                                 whole, GST_BUFFER_COPY_MEMORY | GST_BUFFER_COPY_DEEP,
                                 luma, info.size - luma));
    gst_buffer_add_video_meta(split, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_NV12,
                              160, 120);
    g_assert_cmpuint(gst_buffer_n_memory(split), ==, 2);
    const Scores want = scores_read(gst_harness_push_and_pull(h, whole));
    GstBuffer *out = gst_harness_push_and_pull(h, split);
    g_assert_cmpuint(gst_buffer_n_memory(out), ==, 2);
    const Scores got = scores_read(out);
    scores_assert_same(&got, &want, "two memories");
    gst_harness_teardown(h);
}

/* ---- Which frames --------------------------------------------------------------- */

static void test_interval(void)
{
    GstHarness *h =
        classifier_harness(classifier_new("inference-interval", 3u, NULL), STREAM_CAPS);

    for (guint i = 0; i < 10; i++)
        g_assert_cmpint(frame_is_analysed(h, frame_at(i)), ==, i % 3 == 0);
    g_assert_cmpuint(stats_count(h->element, "frames"), ==, 10);
    g_assert_cmpuint(stats_count(h->element, "analysed"), ==, 4);
    g_assert_cmpuint(stats_count(h->element, "skipped"), ==, 0);
    /* a shorter interval counts at once */
    g_object_set(h->element, "inference-interval", 1u, NULL);
    g_assert_true(frame_is_analysed(h, frame_at(10)));
    gst_harness_teardown(h);
}

/* By stream time, whichever way it goes and however fast. */
static void test_max_fps(void)
{
    static const gdouble rates[] = { 1, 2, -1 };

    for (guint r = 0; r < G_N_ELEMENTS(rates); r++) {
        GstHarness *h =
            classifier_harness(classifier_new("max-fps", 5.0, NULL), STREAM_CAPS);
        GstSegment segment;
        gst_segment_init(&segment, GST_FORMAT_TIME);
        segment.rate = rates[r];
        segment.stop = GST_SECOND;
        gst_harness_push_event(h, gst_event_new_segment(&segment));
        for (guint i = 0; i < 20; i++)
            g_assert_cmpint(frame_is_analysed(h, frame_at(rates[r] > 0 ? i : 20 - i)),
                            ==, i % 5 == 0);
        g_assert_cmpuint(stats_count(h->element, "skipped"), ==, 0);
        gst_harness_teardown(h);
    }
}

/* Whichever asks for less. */
static void test_max_fps_and_interval(void)
{
    GstHarness *h = classifier_harness(
        classifier_new("max-fps", 5.0, "inference-interval", 3u, NULL), STREAM_CAPS);

    for (guint i = 0; i < 20; i++)
        g_assert_cmpint(frame_is_analysed(h, frame_at(i)), ==, i % 5 == 0);
    g_object_set(h->element, "max-fps", 0.0, NULL);
    for (guint i = 20; i < 30; i++)
        g_assert_cmpint(frame_is_analysed(h, frame_at(i)), ==, i % 3 == 2);
    gst_harness_teardown(h);
}

static void test_flush_makes_the_next_frame_due(void)
{
    GstHarness *h = classifier_harness(classifier_new("inference-interval", 100u, NULL),
                                       STREAM_CAPS);
    GstSegment segment;

    g_assert_true(frame_is_analysed(h, frame_at(0)));
    g_assert_false(frame_is_analysed(h, frame_at(1)));
    gst_harness_push_event(h, gst_event_new_flush_start());
    gst_harness_push_event(h, gst_event_new_flush_stop(TRUE));
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(h, gst_event_new_segment(&segment));
    g_assert_true(frame_is_analysed(h, frame_at(2)));
    g_assert_false(frame_is_analysed(h, frame_at(3)));
    gst_harness_teardown(h);
}

static void test_gap_and_damaged(void)
{
    GstHarness *h =
        classifier_harness(classifier_new("inference-interval", 2u, NULL), STREAM_CAPS);
    GstBuffer *gap = frame_at(0), *damaged = frame_at(1);

    GST_BUFFER_FLAG_SET(gap, GST_BUFFER_FLAG_GAP);
    GST_BUFFER_FLAG_SET(damaged, GST_BUFFER_FLAG_CORRUPTED);
    GstBuffer *out = gst_harness_push_and_pull(h, gap);
    g_assert_cmpuint(frame_count_metas(out), ==, 0);
    g_assert_true(GST_BUFFER_FLAG_IS_SET(out, GST_BUFFER_FLAG_GAP));
    gst_buffer_unref(out);
    g_assert_false(frame_is_analysed(h, damaged));
    /* the first good one is due, whatever the interval */
    g_assert_true(frame_is_analysed(h, frame_at(2)));
    g_assert_cmpuint(stats_count(h->element, "skipped"), ==, 2);
    gst_harness_teardown(h);
}

static void push_qos(GstHarness *h, GstClockTimeDiff late_by, GstClockTime at)
{
    gst_harness_push_upstream_event(
        h, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.5, late_by, at));
}

static void test_late_frames(void)
{
    GstHarness *h = classifier_harness(classifier_plain(), STREAM_CAPS);
    GstBus *bus = gst_bus_new();
    GstClockTime running_time;
    guint64 processed, dropped;

    gst_element_set_bus(h->element, bus);
    g_assert_true(frame_is_analysed(h, frame_at(0)));
    push_qos(h, 2 * FRAME_TIME,
             0); /* nothing up to 4 frames from the start is in time */
    g_assert_false(frame_is_analysed(h, frame_at(1)));
    g_assert_false(frame_is_analysed(h, frame_at(4)));
    g_assert_true(frame_is_analysed(h, frame_at(5)));

    GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_QOS);
    g_assert_nonnull(message);
    gst_message_parse_qos(message, NULL, &running_time, NULL, NULL, NULL);
    g_assert_cmpuint(running_time, ==, FRAME_TIME);
    gst_message_parse_qos_stats(message, NULL, &processed, &dropped);
    g_assert_cmpuint(processed, ==, 1);
    g_assert_cmpuint(dropped, ==, 1);
    gst_message_unref(message);
    g_assert_cmpuint(stats_count(h->element, "late"), ==, 2);

    /* hopelessly late: still one a second */
    push_qos(h, 100 * GST_SECOND, 5 * FRAME_TIME);
    g_assert_false(frame_is_analysed(h, frame_at(6)));
    g_assert_false(frame_is_analysed(h, frame_at(29)));
    g_assert_true(frame_is_analysed(h, frame_at(30)));
    g_assert_false(frame_is_analysed(h, frame_at(31)));
    g_object_set(h->element, "qos", FALSE, NULL);
    g_assert_true(frame_is_analysed(h, frame_at(32)));
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
}

/* Without times there is no lateness, and results all the same. */
static void test_no_timestamps(void)
{
    GstHarness *h = classifier_harness(classifier_plain(), STREAM_CAPS);

    push_qos(h, GST_SECOND, 0);
    for (guint i = 0; i < 3; i++) {
        GstBuffer *frame = frame_at(0);
        GST_BUFFER_PTS(frame) = GST_BUFFER_DURATION(frame) = GST_CLOCK_TIME_NONE;
        GstBuffer *out = gst_harness_push_and_pull(h, frame);
        g_assert_cmpuint(frame_count_metas(out), ==, 1);
        g_assert_cmpuint(gst_vigil_meta_get_pts(frame_meta(out)), ==,
                         GST_CLOCK_TIME_NONE);
        gst_buffer_unref(out);
    }
    gst_harness_teardown(h);
}

/* A frame of too few bytes: told once, and the stream goes on. */
static void test_truncated_frame(void)
{
    GstHarness *h = classifier_harness(classifier_plain(), STREAM_CAPS);
    GstBus *bus = gst_bus_new();

    gst_element_set_bus(h->element, bus);
    for (guint i = 0; i < 2; i++) {
        GstBuffer *frame = frame_at(i);
        gst_buffer_set_size(frame, 1000);
        g_assert_false(frame_is_analysed(h, frame));
    }
    gchar *text = bus_text(bus, GST_MESSAGE_WARNING);
    g_assert_nonnull(strstr(text, "160x120 NV12 in 1000 bytes"));
    g_assert_nonnull(strstr(text, "28800"));
    g_free(text);
    g_assert_null(gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING));
    g_assert_true(frame_is_analysed(h, frame_at(2)));
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
}

/* A GstVideoMeta that reaches past its memory is not followed. */
static void test_lying_video_meta(void)
{
    GstHarness *h = classifier_harness(classifier_plain(), STREAM_CAPS);
    GstBuffer *frame = frame_at(0);
    gsize offset[GST_VIDEO_MAX_PLANES] = { 0, 160 * 120 };
    gint stride[GST_VIDEO_MAX_PLANES] = { 160, 16000 };

    gst_buffer_add_video_meta_full(frame, GST_VIDEO_FRAME_FLAG_NONE,
                                   GST_VIDEO_FORMAT_NV12, 160, 120, 2, offset, stride);
    g_assert_false(frame_is_analysed(h, frame));
    g_assert_cmpuint(stats_count(h->element, "skipped"), ==, 1);
    gst_harness_teardown(h);
}

/* ---- Caps, queries, end --------------------------------------------------------- */

static void test_caps_change(void)
{
    static const gchar *const caps[] = {
        "video/x-raw,format=I420,width=160,height=120,framerate=25/1",
        "video/x-raw,format=RGB,width=161,height=119,framerate=25/1",
        "video/x-raw,format=UYVY,width=640,height=360,framerate=25/1",
        "video/x-raw,format=I420,width=160,height=120,framerate=25/1",
    };
    const Scores want = scores_of_caps(caps[0], PICTURE_COLOR, 0);
    GstHarness *h =
        classifier_harness(classifier_new("inference-interval", 10u, NULL), caps[0]);

    for (guint i = 0; i < G_N_ELEMENTS(caps); i++) {
        const GstVideoInfo info = frame_info(caps[i]);
        gst_harness_set_src_caps_str(h, caps[i]);
        GstBuffer *out =
            gst_harness_push_and_pull(h, frame_new(&info, PICTURE_COLOR, 0));
        const Scores got = scores_read(out); /* the first of each caps is due */
        scores_assert_same(&got, &want, caps[i]);
    }
    gst_harness_teardown(h);
}

static void test_unsupported_caps(void)
{
    GstHarness *h = gst_harness_new_with_element(classifier_plain(), "sink", "src");
    const GstVideoInfo info =
        frame_info("video/x-raw,format=v210,width=16,height=16,framerate=25/1");

    gst_harness_set_src_caps_str(
        h, "video/x-raw,format=v210,width=16,height=16,framerate=25/1");
    g_assert_cmpint(gst_harness_push(h, gst_buffer_new_allocate(NULL, info.size, NULL)),
                    ==, GST_FLOW_NOT_NEGOTIATED);
    gst_object_unref(h->element);
    gst_harness_teardown(h);
}

static void test_end_of_stream(void)
{
    GstHarness *h = classifier_harness(classifier_plain(), STREAM_CAPS);
    gboolean ended = FALSE;

    g_assert_true(frame_is_analysed(h, frame_at(0)));
    g_assert_true(gst_harness_push_event(h, gst_event_new_eos()));
    for (GstEvent *event; (event = gst_harness_try_pull_event(h));) {
        ended |= GST_EVENT_TYPE(event) == GST_EVENT_EOS;
        gst_event_unref(event);
    }
    g_assert_true(ended);
    gst_harness_teardown(h);
}

static gboolean proposes_video_meta(GstHarness *h)
{
    GstCaps *caps = gst_caps_from_string(STREAM_CAPS);
    GstQuery *query = gst_query_new_allocation(caps, TRUE);
    const gboolean answered = gst_pad_peer_query(h->srcpad, query);
    const gboolean found = answered && gst_query_find_allocation_meta(
                                           query, GST_VIDEO_META_API_TYPE, NULL);

    gst_query_unref(query);
    gst_caps_unref(caps);
    return found;
}

/* The frame goes on as it is, so what downstream can take is what counts. */
static void test_allocation(void)
{
    GstHarness *with = classifier_harness(classifier_plain(), STREAM_CAPS);
    GstHarness *without = classifier_harness(classifier_plain(), STREAM_CAPS);

    gst_harness_add_propose_allocation_meta(with, GST_VIDEO_META_API_TYPE, NULL);
    g_assert_true(frame_is_analysed(with, frame_at(0)));
    g_assert_true(frame_is_analysed(without, frame_at(0)));
    g_assert_true(proposes_video_meta(with));
    g_assert_false(proposes_video_meta(without));
    gst_harness_teardown(with);
    gst_harness_teardown(without);
}

static void test_latency(void)
{
    GstHarness *h = classifier_harness(classifier_plain(), STREAM_CAPS);

    gst_harness_set_upstream_latency(h, 10 * GST_MSECOND);
    const GstClockTime latency = gst_harness_query_latency(h);
    g_assert_cmpuint(latency, >, 10 * GST_MSECOND);
    g_assert_cmpuint(latency, <, 5 * GST_SECOND);
    gst_harness_teardown(h);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/classify/buffer/untouched", test_untouched);
    g_test_add_func("/classify/buffer/shared", test_shared_buffer);
    g_test_add_func("/classify/buffer/memories", test_planes_in_separate_memories);
    g_test_add_func("/classify/interval", test_interval);
    g_test_add_func("/classify/max-fps", test_max_fps);
    g_test_add_func("/classify/max-fps-and-interval", test_max_fps_and_interval);
    g_test_add_func("/classify/flush", test_flush_makes_the_next_frame_due);
    g_test_add_func("/classify/gap", test_gap_and_damaged);
    g_test_add_func("/classify/qos", test_late_frames);
    g_test_add_func("/classify/no-timestamps", test_no_timestamps);
    g_test_add_func("/classify/truncated", test_truncated_frame);
    g_test_add_func("/classify/video-meta", test_lying_video_meta);
    g_test_add_func("/classify/caps/change", test_caps_change);
    g_test_add_func("/classify/caps/unsupported", test_unsupported_caps);
    g_test_add_func("/classify/eos", test_end_of_stream);
    g_test_add_func("/classify/allocation", test_allocation);
    g_test_add_func("/classify/latency", test_latency);
    return g_test_run();
}
