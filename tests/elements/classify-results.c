/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What vigilclassify tells: results on the buffer, messages, statistics.
 */
#include <string.h>
#include "frames.h"

static void test_metas_are_kept(void)
{
    GstHarness *h = classifier_harness(
        classifier_new("regions", "a=0,0,0.5,1;b=0.5,0,0.5,1", NULL), STREAM_CAPS);
    GstBuffer *frame = frame_at(0);

    gst_buffer_add_video_region_of_interest_meta(frame, "face", 1, 2, 3, 4);
    gst_buffer_add_vigil_meta(frame, "other", "model", GST_VIGIL_TASK_CLASSIFICATION,
                              160, 120, 0);
    GstBuffer *out = gst_harness_push_and_pull(h, frame);
    GList *metas = gst_vigil_buffer_get_metas(out);
    g_assert_cmpuint(g_list_length(metas), ==, 2);
    g_assert_cmpstr(gst_vigil_meta_get_source(metas->data), ==, "other");
    g_assert_cmpstr(gst_vigil_meta_get_source(metas->next->data), ==, "classify");
    g_list_free(metas);
    /* the one that was there, and one for each region */
    g_assert_cmpuint(
        gst_buffer_get_n_meta(out, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), ==, 3);
    gst_buffer_unref(out);
    gst_harness_teardown(h);
}

static void test_results(void)
{
    GstHarness *h = classifier_harness(
        classifier_new("regions", "a=0,0,0.5,1;b=0.5,0.25,0.5,0.5", "top-k", 3u, NULL),
        STREAM_CAPS);
    GstBuffer *out = gst_harness_push_and_pull(h, frame_at(7));
    GstVigilMeta *meta = frame_meta(out);
    gfloat x, y, width, height;

    g_assert_cmpstr(gst_vigil_meta_get_source(meta), ==, "classify");
    g_assert_cmpstr(gst_vigil_meta_get_model(meta), ==, "classify");
    g_assert_cmpint(gst_vigil_meta_get_task(meta), ==, GST_VIGIL_TASK_CLASSIFICATION);
    g_assert_cmpuint(gst_vigil_meta_get_pts(meta), ==, 7 * FRAME_TIME);
    g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, 2);
    GstVigilResult *second = gst_vigil_meta_get_result(meta, 1);
    gst_vigil_result_get_region(second, &x, &y, &width, &height);
    g_assert_cmpfloat(x, ==, 0.5F);
    g_assert_cmpfloat(y, ==, 0.25F);
    g_assert_cmpfloat(width, ==, 0.5F);
    g_assert_cmpfloat(height, ==, 0.5F);
    g_assert_cmpuint(gst_vigil_result_get_n_classes(second), ==, 3);
    for (guint i = 1; i < 3; i++)
        g_assert_cmpfloat(gst_vigil_result_get_class(second, i - 1)->score, >=,
                          gst_vigil_result_get_class(second, i)->score);
    g_assert_nonnull(gst_vigil_result_get_class(second, 0)->label);
    gst_buffer_unref(out);
    gst_harness_teardown(h);
}

static void test_threshold(void)
{
    GstHarness *h = classifier_harness(classifier_plain(), STREAM_CAPS);
    GstBuffer *out = gst_harness_push_and_pull(h, frame_at(0));
    const gfloat second = frame_class(out, 1)->score;

    gst_buffer_unref(out);
    g_object_set(h->element, "threshold", second, NULL);
    out = gst_harness_push_and_pull(h, frame_at(1));
    g_assert_cmpuint(
        gst_vigil_result_get_n_classes(gst_vigil_meta_get_result(frame_meta(out), 0)),
        ==, 2);
    gst_buffer_unref(out);
    /* nothing is sure enough: a result without classes */
    g_object_set(h->element, "threshold", 1.0F, NULL);
    out = gst_harness_push_and_pull(h, frame_at(2));
    g_assert_cmpuint(
        gst_vigil_result_get_n_classes(gst_vigil_meta_get_result(frame_meta(out), 0)),
        ==, 0);
    gst_buffer_unref(out);
    gst_harness_teardown(h);
}

/* ---- Telling -------------------------------------------------------------------- */

static void check_message(GstMessage *message, const gchar *region, gint index,
                          GstVigilResult *result)
{
    const GstStructure *s = gst_message_get_structure(message);
    const GstVigilClass *best = gst_vigil_result_get_class(result, 0);
    guint64 time = 0;
    gint number = -2;
    gdouble score = -1;

    g_assert_true(gst_structure_has_name(s, "vigil-classification"));
    g_assert_true(gst_structure_get_uint64(s, "timestamp", &time));
    g_assert_cmpuint(time, ==, 5 * FRAME_TIME);
    g_assert_true(gst_structure_get_uint64(s, "running-time", &time));
    g_assert_cmpuint(time, ==, 5 * FRAME_TIME);
    g_assert_true(gst_structure_get_uint64(s, "stream-time", &time));
    g_assert_true(gst_structure_get_int(s, "region-index", &number));
    g_assert_cmpint(number, ==, index);
    g_assert_cmpstr(gst_structure_get_string(s, "region-name"), ==, region);
    g_assert_cmpstr(gst_vigil_result_get_region_name(result), ==, region);
    g_assert_cmpstr(gst_structure_get_string(s, "label"), ==, best->label);
    g_assert_true(gst_structure_get_int(s, "index", &number));
    g_assert_cmpint(number, ==, best->index);
    g_assert_true(gst_structure_get_double(s, "score", &score));
    g_assert_cmpfloat(score, ==, (gdouble)best->score);
    const GValue *list = gst_structure_get_value(s, "classes");
    g_assert_cmpuint(gst_value_array_get_size(list), ==, 2);
    const GstStructure *second =
        gst_value_get_structure(gst_value_array_get_value(list, 1));
    g_assert_cmpstr(gst_structure_get_string(second, "label"), ==,
                    gst_vigil_result_get_class(result, 1)->label);
}

static void test_messages(void)
{
    GstElement *element = classifier_new("regions", "0,0,0.5,1;right=0.5,0,0.5,1",
                                         "post-messages", TRUE, "top-k", 2u, NULL);
    GstHarness *h = classifier_harness(element, STREAM_CAPS);
    GstBus *bus = gst_bus_new();

    gst_element_set_bus(h->element, bus);
    GstBuffer *out = gst_harness_push_and_pull(h, frame_at(5));
    for (gint i = 0; i < 2; i++) {
        GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT);
        g_assert_nonnull(message);
        check_message(message, i ? "right" : NULL, i,
                      gst_vigil_meta_get_result(frame_meta(out), (guint)i));
        gst_message_unref(message);
    }
    gst_buffer_unref(out);
    g_assert_null(gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT));
    g_object_set(h->element, "post-messages", FALSE, NULL);
    g_assert_true(frame_is_analysed(h, frame_at(6)));
    g_assert_null(gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT));
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
}

static void test_stats(void)
{
    static const gchar *const clocks[] = { "preprocess", "inference" };
    GstHarness *h = classifier_harness(
        classifier_new("regions", "0,0,1,1;0,0,.5,.5", NULL), STREAM_CAPS);
    GstStructure *stats = NULL;

    for (guint i = 0; i < 3; i++)
        g_assert_true(frame_is_analysed(h, frame_at(i)));
    g_assert_cmpuint(stats_count(h->element, "frames"), ==, 3);
    g_assert_cmpuint(stats_count(h->element, "inferences"), ==, 6);
    g_object_get(h->element, "stats", &stats, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(clocks); i++) {
        gdouble last = 0, mean = 0, p95 = 0;
        gchar *name = g_strdup_printf("%s-last-ms", clocks[i]);
        g_assert_true(gst_structure_get_double(stats, name, &last));
        memcpy(strstr(name, "last"), "mean", 4);
        g_assert_true(gst_structure_get_double(stats, name, &mean));
        g_free(name);
        name = g_strdup_printf("%s-p95-ms", clocks[i]);
        g_assert_true(gst_structure_get_double(stats, name, &p95));
        g_free(name);
        g_assert_cmpfloat(last, >, 0);
        g_assert_cmpfloat(mean, >, 0);
        g_assert_cmpfloat(p95, >=, last);
    }
    gst_structure_free(stats);
    gst_harness_teardown(h);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/classify/results/metas", test_metas_are_kept);
    g_test_add_func("/classify/results", test_results);
    g_test_add_func("/classify/threshold", test_threshold);
    g_test_add_func("/classify/messages", test_messages);
    g_test_add_func("/classify/stats", test_stats);
    return g_test_run();
}
