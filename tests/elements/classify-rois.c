/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilclassify with inference-region=roi-list: each object that rides on a buffer gets
 * the classes of its own pixels, and nothing else is looked at.
 */
#include <math.h>
#include "rois.h"

/* ---- Ours ----------------------------------------------------------------------- */

static void check_place(const GstVigilResult *result, const GstVigilResult *object)
{
    gfloat a[4], b[4];

    gst_vigil_result_get_region(result, &a[0], &a[1], &a[2], &a[3]);
    gst_vigil_result_get_region(object, &b[0], &b[1], &b[2], &b[3]);
    g_assert_cmpmem(a, sizeof a, b, sizeof b);
}

static void test_detections(void)
{
    static const guint64 tracks[] = { 0, 7, 0, 9 };
    GstHarness *h = start();
    GstBuffer *frame = new_frame();
    GstVigilMeta *found = add_detections(frame, PATCHES, tracks);
    GList *kept = gst_vigil_meta_get_results(found);
    GstBuffer *out = gst_harness_push_and_pull(h, frame);
    GstVigilMeta *meta = own_meta(out);
    gpointer state = NULL;
    guint i = 0;

    g_assert_nonnull(meta);
    g_assert_cmpint(gst_vigil_meta_get_task(meta), ==, GST_VIGIL_TASK_CLASSIFICATION);
    g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, PATCHES);
    g_assert_cmpuint(count_rois(out), ==, PATCHES);
    for (GList *item = kept; item; item = item->next, i++) {
        GstVigilResult *result = result_of(meta, gst_vigil_result_get_id(item->data));
        g_assert_nonnull(result);
        g_assert_true(gst_vigil_result_is_for_object(result));
        g_assert_false(gst_vigil_result_get_detection(result, NULL, NULL, NULL));
        check_place(result, item->data);
        g_assert_cmpuint(gst_vigil_result_get_tracking_id(result), ==, tracks[i]);
        g_assert_cmpstr(gst_vigil_result_get_region_name(result), ==, "gate");
        g_assert_cmpuint(gst_vigil_result_get_n_classes(result), ==, 2);
        g_assert_cmpstr(best_label(result), ==, color_labels[patches[i].color]);
        /* A pure colour: 10 to 0 for the others. */
        g_assert_cmpfloat(gst_vigil_result_get_class(result, 0)->score, >, 0.99F);

        GstVideoRegionOfInterestMeta *roi =
            (GstVideoRegionOfInterestMeta *)gst_buffer_iterate_meta_filtered(
                out, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
        const GstStructure *params =
            gst_video_region_of_interest_meta_get_param(roi, CLASSES);
        g_assert_nonnull(params);
        g_assert_cmpstr(gst_structure_get_string(params, "label"), ==,
                        color_labels[patches[i].color]);
        g_assert_cmpstr(gst_structure_get_string(params, "element_id"), ==, "classify");
        g_assert_nonnull(gst_video_region_of_interest_meta_get_param(roi, "detection"));
        g_assert_cmpuint(g_list_length(roi->params), ==, tracks[i] ? 3 : 2);
    }
    g_assert_cmpuint(stats_count(h->element, "inferences"), ==, PATCHES);
    g_assert_cmpuint(stats_count(h->element, "analysed"), ==, 1);
    g_list_free_full(kept, (GDestroyNotify)gst_vigil_result_unref);
    gst_buffer_unref(out);
    gst_harness_teardown(h);
}

/* A second classifier adds to the same objects, not to what the first one said. */
static void test_two_classifiers(void)
{
    GstHarness *one = start();
    GstElement *second = looker();
    gst_object_set_name(GST_OBJECT(second), "second");
    GstHarness *two = classifier_harness(second, CAPS);
    GstBuffer *frame = new_frame();

    add_detections(frame, 2, NULL);
    add_roi(frame, "theirs", 0, 0, 10, 10); /* of no account: there are ours */
    GstBuffer *out =
        gst_harness_push_and_pull(two, gst_harness_push_and_pull(one, frame));
    GstVideoRegionOfInterestMeta *roi = gst_buffer_get_video_region_of_interest_meta_id(
        out, ((GstVideoRegionOfInterestMeta *)gst_buffer_get_meta(
                  out, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
                 ->id);
    guint n = 0;
    for (GList *item = roi->params; item; item = item->next)
        n += gst_structure_has_name(item->data, CLASSES);
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpuint(count_rois(out), ==, 3);
    g_assert_cmpuint(frame_count_metas(out), ==, 3);
    g_assert_cmpuint(stats_count(two->element, "inferences"), ==, 2);
    gst_buffer_unref(out);
    gst_harness_teardown(one);
    gst_harness_teardown(two);
}

/* The detector did not look at this frame: nothing.  It found nothing: a meta without
 * results.  Regions that were looked at are no objects, nor are their mirrors. */
static void test_nothing(void)
{
    GstHarness *h = start();
    GstBuffer *out = gst_harness_push_and_pull(h, new_frame());
    g_assert_null(own_meta(out));
    gst_buffer_unref(out);

    GstBuffer *frame = new_frame();
    GstVigilMeta *meta = add_meta(frame, GST_VIGIL_TASK_CLASSIFICATION);
    GstVigilResult *region = new_result(&patches[0]);
    gst_vigil_result_set_region_name(region, "door");
    gst_vigil_meta_add_result(meta, region);
    gst_vigil_meta_add_result(meta, gst_vigil_result_new_full_frame());
    gst_vigil_meta_mirror(meta, frame);
    g_assert_cmpuint(count_rois(frame), ==, 1);
    out = gst_harness_push_and_pull(h, frame);
    g_assert_null(own_meta(out));
    gst_buffer_unref(out);
    g_assert_cmpuint(stats_count(h->element, "analysed"), ==, 0);

    frame = new_frame();
    add_detections(frame, 0, NULL);
    out = gst_harness_push_and_pull(h, frame);
    g_assert_nonnull(own_meta(out));
    g_assert_cmpuint(gst_vigil_meta_get_n_results(own_meta(out)), ==, 0);
    gst_buffer_unref(out);
    g_assert_cmpuint(stats_count(h->element, "analysed"), ==, 1);
    g_assert_cmpuint(stats_count(h->element, "frames"), ==, 3);
    g_assert_cmpuint(stats_count(h->element, "inferences"), ==, 0);
    gst_harness_teardown(h);
}

/* ---- Of others ------------------------------------------------------------------ */

static void check_roi(GstVideoRegionOfInterestMeta *roi, const gchar *label)
{
    const GstStructure *params =
        gst_video_region_of_interest_meta_get_param(roi, CLASSES);

    g_assert_cmpstr(params ? gst_structure_get_string(params, "label") : NULL, ==,
                    label);
    g_assert_cmpuint(g_list_length(roi->params), ==, label ? 1 : 0);
}

/* Without ids, partly outside, twice at one place; what has no pixel is left out. */
static void test_foreign(void)
{
    GstHarness *h = start();
    GstBuffer *frame = new_frame();
    const struct {
        guint x, y, width, height;
        const gchar *label; /* NULL: not looked at */
    } rows[] = {
        { 10, 10, 40, 30, "zero" },
        { 70, 20, 31, 50, "one" },
        { 130, 60, 20, 21, "two" },
        { 70, 20, 31, 50, "one" },         /* once more */
        { 160, 5, 1000, 40, "zero" },      /* cut to the frame */
        { 180, 5, G_MAXUINT, 35, "zero" }, /* so large that the sum overflows */
        { 90, 30, 1, 1, "one" },           /* one pixel */
        { 20, 20, 0, 10, NULL },           /* none */
        { 20, 20, 10, 0, NULL },
        { 0, 0, 0, 0, NULL },
        { WIDTH, 0, 10, 10, NULL }, /* outside */
        { 0, HEIGHT + 50, 10, 10, NULL },
        { G_MAXUINT, G_MAXUINT, G_MAXUINT, G_MAXUINT, NULL },
    };

    g_object_set(h->element, "max-rois", 0u, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        add_roi(frame, i % 2 ? "car" : NULL, rows[i].x, rows[i].y, rows[i].width,
                rows[i].height);
    GstBuffer *out = gst_harness_push_and_pull(h, frame);
    gpointer state = NULL;
    g_assert_cmpuint(count_rois(out), ==, G_N_ELEMENTS(rows));
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("row %u", i);
        check_roi((GstVideoRegionOfInterestMeta *)gst_buffer_iterate_meta_filtered(
                      out, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE),
                  rows[i].label);
    }
    GstVigilMeta *meta = own_meta(out);
    g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, 7);
    for (guint i = 0; i < 7; i++) {
        gfloat x, y, width, height;
        gst_vigil_result_get_region(gst_vigil_meta_get_result(meta, i), &x, &y, &width,
                                    &height);
        g_assert_cmpfloat(x + width, <=, 1);
        g_assert_cmpfloat(y + height, <=, 1);
    }
    g_assert_cmpuint(stats_count(h->element, "inferences"), ==, 7);
    gst_buffer_unref(out);
    gst_harness_teardown(h);
}

/* Params as DL Streamer writes them, and what nobody should write. */
static void test_foreign_params(void)
{
    GstHarness *h = start();
    GstBuffer *frame = new_frame();
    GstVideoRegionOfInterestMeta *roi[PATCHES];
    static const gdouble scores[PATCHES] = { 0.2, NAN, INFINITY, 0.9 };

    g_object_set(h->element, "max-rois", 2u, NULL);
    for (guint i = 0; i < PATCHES; i++) {
        roi[i] = add_roi(frame, "car", patches[i].x, patches[i].y, patches[i].width,
                         patches[i].height);
        roi[i]->id = (gint)i * 5 - 1;
        gst_video_region_of_interest_meta_add_param(
            roi[i],
            gst_structure_new("detection", "confidence", G_TYPE_DOUBLE, scores[i],
                              "x_min", G_TYPE_DOUBLE, NAN, "x_max", G_TYPE_DOUBLE,
                              -INFINITY, "label_id", G_TYPE_INT, G_MININT, NULL));
        gst_video_region_of_interest_meta_add_param(
            roi[i], gst_structure_new("object_id", "id",
                                      i % 2 ? G_TYPE_INT : G_TYPE_UINT, 100 + i, NULL));
    }
    GstBuffer *out = gst_harness_push_and_pull(h, frame);
    GstVigilMeta *meta = own_meta(out);
    g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, 2);
    g_assert_nonnull(gst_video_region_of_interest_meta_get_param(roi[0], CLASSES));
    g_assert_nonnull(gst_video_region_of_interest_meta_get_param(roi[3], CLASSES));
    g_assert_null(gst_video_region_of_interest_meta_get_param(roi[1], CLASSES));
    g_assert_null(gst_video_region_of_interest_meta_get_param(roi[2], CLASSES));
    GstVigilResult *best = result_of(meta, 14);
    g_assert_nonnull(best);
    g_assert_cmpuint(gst_vigil_result_get_tracking_id(best), ==, 103);
    g_assert_cmpuint(gst_vigil_result_get_parent_id(gst_vigil_meta_get_result(meta, 1)),
                     ==, 0); /* its ROI has the id -1 */
    gst_buffer_unref(out);
    gst_harness_teardown(h);
}

/* Results that are no place in the frame. */
static void test_bad_results(void)
{
    static const gfloat rects[][4] = {
        { NAN, 0, 0.5F, 0.5F }, { 0, 0, NAN, NAN },          { 2, 2, 1, 1 },
        { -3, -3, 1, 1 },       { 0.5F, 0.5F, 0, 0 },        { 0.5F, 0.5F, -1, -1 },
        { INFINITY, 0, 1, 1 },  { 0.5F, 0.5F, 1e-6F, 0.5F }, { 1, 1, 1, 1 }
    };
    GstHarness *h = start();
    GstBuffer *frame = new_frame();
    GstVigilMeta *meta = add_meta(frame, GST_VIGIL_TASK_DETECTION);

    for (guint i = 0; i < G_N_ELEMENTS(rects); i++) {
        GstVigilResult *result = gst_vigil_result_new_region(rects[i][0], rects[i][1],
                                                             rects[i][2], rects[i][3]);
        gst_vigil_result_set_detection(result, NULL, -1, NAN);
        gst_vigil_meta_add_result(meta, result);
    }
    GstVigilResult *good = new_result(&patches[2]);
    gst_vigil_result_set_detection(good, NULL, 4, 0.5F);
    gst_vigil_meta_add_result(meta, good);
    gst_vigil_meta_mirror(meta, frame);
    GstBuffer *out = gst_harness_push_and_pull(h, frame);
    g_assert_cmpuint(stats_count(h->element, "inferences"), ==, 1);
    GstVigilResult *result = result_of(own_meta(out), gst_vigil_result_get_id(good));
    g_assert_nonnull(result);
    g_assert_cmpstr(best_label(result), ==, "two");
    gst_buffer_unref(out);
    gst_harness_teardown(h);
}

/* ---- Both elements -------------------------------------------------------------- */

#define DETECTOR                                                                       \
    "vigildetect name=detect mode=sync model=%s tiles=2x1 input-size=192x256 "         \
    "resize=stretch "
#define CLASSIFIER                                                                     \
    "vigilclassify name=classify mode=sync model=%s resize=stretch "                   \
    "inference-region=roi-list "

static GstVigilMeta *detected(GstBuffer *buffer)
{
    GList *metas = gst_vigil_buffer_get_metas(buffer);
    GstVigilMeta *meta = metas->data;

    g_assert_cmpint(gst_vigil_meta_get_task(meta), ==, GST_VIGIL_TASK_DETECTION);
    g_list_free(metas);
    return meta;
}

/* Found, brought to another format and size, looked at again, drawn. */
static void test_pipeline(void)
{
    gchar *text = g_strdup_printf(
        DETECTOR "! queue ! videoconvert ! videoscale add-borders=false ! "
                 "video/x-raw,format=I420,width=402,height=240 ! queue ! " CLASSIFIER
                 "! queue ! vigiloverlay ! videoconvert",
        g_getenv("VIGIL_TEST_DETECTOR"), g_getenv("VIGIL_TEST_MODEL"));
    GstHarness *h = gst_harness_new_parse(text);
    gst_harness_set_src_caps_str(h, CAPS);

    for (guint n = 0; n < 3; n++) {
        GstBuffer *frame = new_frame();
        GST_BUFFER_PTS(frame) = n * FRAME_TIME;
        GstBuffer *out = gst_harness_push_and_pull(h, frame);
        GstVigilMeta *found = detected(out), *meta = own_meta(out);
        g_assert_cmpuint(gst_vigil_meta_get_n_results(found), ==, PATCHES);
        g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, PATCHES);
        g_assert_cmpuint(count_rois(out), ==, PATCHES);
        for (guint i = 0; i < PATCHES; i++) {
            GstVigilResult *object = gst_vigil_meta_get_result(found, i);
            GstVigilResult *result = result_of(meta, gst_vigil_result_get_id(object));
            const gchar *label = NULL;
            g_assert_nonnull(result);
            gst_vigil_result_get_detection(object, &label, NULL, NULL);
            g_assert_cmpstr(best_label(result), ==, label); /* one list of colours */
            check_place(result, object);
        }
        gst_buffer_unref(out);
    }
    gst_harness_teardown(h);
    g_free(text);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rois/detections", test_detections);
    g_test_add_func("/rois/two-classifiers", test_two_classifiers);
    g_test_add_func("/rois/nothing", test_nothing);
    g_test_add_func("/rois/foreign", test_foreign);
    g_test_add_func("/rois/foreign-params", test_foreign_params);
    g_test_add_func("/rois/bad-results", test_bad_results);
    g_test_add_func("/rois/pipeline", test_pipeline);
    return g_test_run();
}
