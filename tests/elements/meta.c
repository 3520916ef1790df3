/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The meta by itself: what is written comes back, copies are copies, regions stay where
 * they are, mirrors say the same.
 */
#include <gst/gst.h>
#include <gst/video/video.h>
#include <math.h>
#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

#include "gstvigilmeta.h"

static GstVigilMeta *add_meta(GstBuffer *buffer)
{
    return gst_buffer_add_vigil_meta(buffer, "classify0", "EMO_1M",
                                     GST_VIGIL_TASK_CLASSIFICATION, 640, 480,
                                     2 * GST_SECOND);
}

static GstVigilMeta *only_meta(GstBuffer *buffer)
{
    GList *metas = gst_vigil_buffer_get_metas(buffer);
    g_assert_cmpuint(g_list_length(metas), ==, 1);
    GstVigilMeta *meta = metas->data;
    g_list_free(metas);
    return meta;
}

/* Full frame with two classes, a region with one, a tracked detection inside of it. */
static void add_three_results(GstVigilMeta *meta)
{
    GstVigilResult *whole = gst_vigil_result_new_full_frame();
    gst_vigil_result_add_class(whole, 3, 0.75f, "street");
    gst_vigil_result_add_class(whole, 0, 0.25f, NULL);
    GstVigilResult *region = gst_vigil_result_new_region(0.25f, 0.5f, 0.5f, 0.25f);
    gst_vigil_result_add_class(region, 7, 0.5f, "person");
    gst_vigil_result_set_region_name(region, "gate");
    GstVigilResult *detection = gst_vigil_result_new_region(0.3f, 0.55f, 0.1f, 0.1f);
    gst_vigil_result_set_detection(detection, "face", 1, 0.9f);
    gst_vigil_result_set_tracking_id(detection, 42);
    gst_vigil_result_set_parent_id(detection, gst_vigil_result_get_id(region));
    gst_vigil_meta_add_result(meta, whole);
    gst_vigil_meta_add_result(meta, region);
    gst_vigil_meta_add_result(meta, detection);
}

static void check_whole(const GstVigilResult *whole)
{
    const GstVigilClass *klass = gst_vigil_result_get_class(whole, 0);
    gfloat x, y, width, height;
    g_assert_true(gst_vigil_result_is_full_frame(whole));
    gst_vigil_result_get_region(whole, &x, &y, &width, &height);
    g_assert_true(x == 0 && y == 0 && width == 1 && height == 1);
    g_assert_false(gst_vigil_result_get_detection(whole, NULL, NULL, NULL));
    g_assert_cmpuint(gst_vigil_result_get_n_classes(whole), ==, 2);
    g_assert_cmpint(klass->index, ==, 3);
    g_assert_cmpfloat(klass->score, ==, 0.75f);
    g_assert_cmpstr(klass->label, ==, "street");
    klass = gst_vigil_result_get_class(whole, 1);
    g_assert_cmpint(klass->index, ==, 0);
    g_assert_null(klass->label);
    g_assert_null(gst_vigil_result_get_class(whole, 2));
}

static void check_detection(const GstVigilResult *detection,
                            const GstVigilResult *region)
{
    const gchar *label;
    gint label_id;
    gfloat confidence;
    g_assert_false(gst_vigil_result_is_full_frame(detection));
    g_assert_true(
        gst_vigil_result_get_detection(detection, &label, &label_id, &confidence));
    g_assert_cmpstr(label, ==, "face");
    g_assert_cmpint(label_id, ==, 1);
    g_assert_cmpfloat(confidence, ==, 0.9f);
    g_assert_cmpuint(gst_vigil_result_get_tracking_id(detection), ==, 42);
    g_assert_cmpuint(gst_vigil_result_get_parent_id(detection), ==,
                     gst_vigil_result_get_id(region));
    g_assert_cmpuint(gst_vigil_result_get_n_classes(detection), ==, 0);
}

static void check_three_results(const GstVigilMeta *meta)
{
    gfloat x, y, width, height;
    g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, 3);
    g_assert_null(gst_vigil_meta_get_result(meta, 3));
    const GstVigilResult *region = gst_vigil_meta_get_result(meta, 1);
    check_whole(gst_vigil_meta_get_result(meta, 0));
    check_detection(gst_vigil_meta_get_result(meta, 2), region);
    gst_vigil_result_get_region(region, &x, &y, &width, &height);
    g_assert_true(x == 0.25f && y == 0.5f && width == 0.5f && height == 0.25f);
    g_assert_cmpstr(gst_vigil_result_get_region_name(region), ==, "gate");
    g_assert_null(gst_vigil_result_get_region_name(gst_vigil_meta_get_result(meta, 0)));
}

static void check_meta(const GstVigilMeta *meta, guint width, guint height)
{
    guint frame_width, frame_height;
    gst_vigil_meta_get_frame_size(meta, &frame_width, &frame_height);
    g_assert_cmpuint(frame_width, ==, width);
    g_assert_cmpuint(frame_height, ==, height);
    g_assert_cmpstr(gst_vigil_meta_get_source(meta), ==, "classify0");
    g_assert_cmpstr(gst_vigil_meta_get_model(meta), ==, "EMO_1M");
    g_assert_cmpint(gst_vigil_meta_get_task(meta), ==, GST_VIGIL_TASK_CLASSIFICATION);
    g_assert_cmpuint(gst_vigil_meta_get_pts(meta), ==, 2 * GST_SECOND);
    check_three_results(meta);
}

/* ---- Cases ---------------------------------------------------------------------- */

static void test_add(void)
{
    GstBuffer *buffer = gst_buffer_new();
    GstVigilMeta *meta = add_meta(buffer);
    g_assert_null(gst_vigil_meta_get_attribute(meta));
    gst_vigil_meta_set_attribute(meta, "scene");
    g_assert_cmpstr(gst_vigil_meta_get_attribute(meta), ==, "scene");
    add_three_results(meta);
    check_meta(meta, 640, 480);
    g_assert_true(only_meta(buffer) == meta);

    GstVigilMeta *second = gst_buffer_add_vigil_meta(
        buffer, NULL, NULL, GST_VIGIL_TASK_UNKNOWN, 0, 0, GST_CLOCK_TIME_NONE);
    GList *metas = gst_vigil_buffer_get_metas(buffer);
    g_assert_cmpuint(g_list_length(metas), ==, 2);
    g_assert_true(metas->data == meta && metas->next->data == second);
    g_assert_null(gst_vigil_meta_get_source(second));
    g_list_free(metas);
    gst_buffer_unref(buffer);
}

static void test_ids(void)
{
    GHashTable *seen = g_hash_table_new(NULL, NULL);
    for (int i = 0; i < 1000; i++) {
        GstVigilResult *result = gst_vigil_result_new_full_frame();
        guint id = gst_vigil_result_get_id(result);
        g_assert_cmpuint(id, !=, 0);
        g_assert_true(g_hash_table_add(seen, GUINT_TO_POINTER(id)));
        GstVigilResult *copy = gst_vigil_result_copy(result);
        g_assert_cmpuint(gst_vigil_result_get_id(copy), ==, id);
        gst_vigil_result_unref(copy);
        gst_vigil_result_unref(result);
    }
    g_hash_table_unref(seen);
}

static void test_age(void)
{
    GstBuffer *buffer = gst_buffer_new();
    const GstVigilMeta *meta = add_meta(buffer);
    g_assert_cmpuint(gst_vigil_meta_get_age(meta, 2 * GST_SECOND), ==, 0);
    g_assert_cmpuint(gst_vigil_meta_get_age(meta, 3 * GST_SECOND), ==, GST_SECOND);
    g_assert_true(gst_vigil_meta_get_age(meta, GST_SECOND) == GST_CLOCK_TIME_NONE);
    g_assert_true(gst_vigil_meta_get_age(meta, GST_CLOCK_TIME_NONE) ==
                  GST_CLOCK_TIME_NONE);
    gst_buffer_unref(buffer);
}

static void test_clamp(void)
{
    static const gfloat cases[][8] = {
        /* given x, y, width, height, kept x, y, width, height */
        { -0.5f, -1, 1, 1.5f, 0, 0, 0.5f, 0.5f },
        { 0.75f, 0.5f, 1, 9, 0.75f, 0.5f, 0.25f, 0.5f },
        { 2, 3, 1, 1, 1, 1, 0, 0 },
        { 0.5f, 0.5f, -0.25f, 0, 0.5f, 0.5f, 0, 0 },
        { NAN, INFINITY, 0.5f, 0.5f, 0, 0, 0, 0 },
        { 0.5f, 0.25f, NAN, -INFINITY, 0.5f, 0.25f, 0, 0 },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const gfloat *c = cases[i];
        gfloat got[4];
        GstVigilResult *result = gst_vigil_result_new_region(c[0], c[1], c[2], c[3]);
        gst_vigil_result_get_region(result, &got[0], &got[1], &got[2], &got[3]);
        for (int k = 0; k < 4; k++) {
            g_test_message("case %d field %d: %g", (int)i, k, got[k]);
            g_assert_cmpfloat(got[k], ==, c[4 + k]);
        }
        gst_vigil_result_unref(result);
    }

    GstVigilResult *result = gst_vigil_result_new_full_frame();
    gst_vigil_result_add_class(result, -1, NAN, "a");
    gst_vigil_result_add_class(result, 0, -3, "b");
    gst_vigil_result_add_class(result, 1, 7, "not \xff UTF-8");
    g_assert_cmpfloat(gst_vigil_result_get_class(result, 0)->score, ==, 0);
    g_assert_cmpfloat(gst_vigil_result_get_class(result, 1)->score, ==, 0);
    g_assert_cmpfloat(gst_vigil_result_get_class(result, 2)->score, ==, 1);
    g_assert_true(
        g_utf8_validate(gst_vigil_result_get_class(result, 2)->label, -1, NULL));
    gst_vigil_result_unref(result);
}

static void test_pixels(void)
{
    static const struct {
        gfloat x, width;
        guint frame, first, count;
    } cases[] = {
        { 0, 1, 640, 0, 640 },       { 0.25f, 0.5f, 640, 160, 320 },
        { 0.5f, 0.5f, 1, 0, 1 },     { 1, 0, 100, 99, 1 },
        { 0.999f, 0.001f, 7, 6, 1 }, { 0.1f, 0.0001f, 100, 10, 1 },
        { 0.3f, 0.4f, 0, 0, 0 },     { 1.0f / 3, 1.0f / 3, 17, 6, 5 },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint x, y, width, height;
        g_test_message("case %d", (int)i);
        GstVigilResult *result =
            gst_vigil_result_new_region(cases[i].x, cases[i].x, cases[i].width, 1);
        gst_vigil_result_get_region_pixels(result, cases[i].frame, 0, &x, &y, &width,
                                           &height);
        g_assert_cmpuint(x, ==, cases[i].first);
        g_assert_cmpuint(width, ==, cases[i].count);
        g_assert_cmpuint(y, ==, 0);
        g_assert_cmpuint(height, ==, 0);
        gst_vigil_result_unref(result);
    }
}

static void test_copy(void)
{
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, 64, NULL);
    add_three_results(add_meta(buffer));
    gst_vigil_meta_set_attribute(only_meta(buffer), "scene");
    GstVigilResult *kept =
        gst_vigil_result_ref(gst_vigil_meta_get_result(only_meta(buffer), 0));
    GstBuffer *copies[] = {
        gst_buffer_copy(buffer),
        gst_buffer_copy_deep(buffer),
        gst_buffer_copy_region(buffer, GST_BUFFER_COPY_ALL, 16, 16),
    };
    /* a copy is its own: what is added to it is not in the others */
    gst_vigil_meta_add_result(only_meta(copies[0]), gst_vigil_result_new_full_frame());
    g_assert_cmpuint(gst_vigil_meta_get_n_results(only_meta(copies[0])), ==, 4);
    check_meta(only_meta(buffer), 640, 480);
    gst_buffer_unref(buffer);
    gst_buffer_unref(copies[0]);
    for (int i = 1; i < 3; i++) {
        check_meta(only_meta(copies[i]), 640, 480);
        g_assert_cmpstr(gst_vigil_meta_get_attribute(only_meta(copies[i])), ==,
                        "scene");
        gst_buffer_unref(copies[i]);
    }
    check_whole(kept);
    gst_vigil_result_unref(kept);
}

static void test_scale(void)
{
    GstVideoInfo in, out;
    GstVideoMetaTransform scale = { &in, &out };
    GstBuffer *from = gst_buffer_new(), *to = gst_buffer_new();
    GstMeta *meta = (GstMeta *)add_meta(from);
    add_three_results((GstVigilMeta *)meta);
    gst_video_info_set_format(&in, GST_VIDEO_FORMAT_NV12, 1280, 960);
    gst_video_info_set_format(&out, GST_VIDEO_FORMAT_NV12, 640, 120);
    g_assert_true(meta->info->transform_func(
        to, meta, from, gst_video_meta_transform_scale_get_quark(), &scale));
    check_meta(only_meta(to), 320, 60);
    g_assert_false(meta->info->transform_func(
        to, meta, from, g_quark_from_static_string("another-transform"), NULL));
    g_assert_cmpuint(gst_buffer_get_n_meta(to, GST_VIGIL_META_API_TYPE), ==, 1);
    gst_buffer_unref(from);
    gst_buffer_unref(to);
}

static void test_released(void)
{
    GstBuffer *buffer = gst_buffer_new();
    add_three_results(add_meta(buffer));
    GList *results = gst_vigil_meta_get_results(only_meta(buffer));
    gst_buffer_remove_meta(buffer, (GstMeta *)only_meta(buffer));
    g_assert_null(gst_vigil_buffer_get_metas(buffer));
    gst_buffer_unref(buffer);
    g_assert_cmpuint(g_list_length(results), ==, 3);
    check_whole(results->data);
    g_list_free_full(results, (GDestroyNotify)gst_vigil_result_unref);
}

/* ---- Mirrors -------------------------------------------------------------------- */

static gdouble get_double(const GstStructure *params, const gchar *field)
{
    gdouble value;
    g_assert_true(gst_structure_get_double(params, field, &value));
    return value;
}

static void check_region_roi(GstVideoRegionOfInterestMeta *roi)
{
    const GstStructure *box =
        gst_video_region_of_interest_meta_get_param(roi, "detection");
    gint number;
    g_assert_true(roi->x == 160 && roi->y == 240 && roi->w == 320 && roi->h == 120);
    g_assert_cmpstr(g_quark_to_string(roi->roi_type), ==, "gate");
    g_assert_cmpint(roi->parent_id, ==, -1);
    g_assert_cmpfloat(get_double(box, "x_min"), ==, 0.25);
    g_assert_cmpfloat(get_double(box, "x_max"), ==, 0.75);
    g_assert_cmpfloat(get_double(box, "y_min"), ==, 0.5);
    g_assert_cmpfloat(get_double(box, "y_max"), ==, 0.75);
    g_assert_false(gst_structure_has_field(box, "confidence"));

    const GstStructure *klass =
        gst_video_region_of_interest_meta_get_param(roi, "scene_1-a");
    g_assert_cmpstr(gst_structure_get_string(klass, "label"), ==, "person");
    g_assert_cmpfloat(get_double(klass, "confidence"), ==, 0.5);
    g_assert_true(gst_structure_get_int(klass, "label_id", &number) && number == 7);
    g_assert_true(gst_structure_get_int(klass, "tensor_id", &number) && number == 0);
    g_assert_cmpstr(gst_structure_get_string(klass, "model_name"), ==, "EMO_1M");
    g_assert_cmpstr(gst_structure_get_string(klass, "element_id"), ==, "classify0");
    g_assert_cmpstr(gst_structure_get_string(klass, "layer_name"), ==, "logits");
    g_assert_cmpstr(gst_structure_get_string(klass, "attribute_name"), ==, "scene 1-a");
}

static void check_detection_roi(GstVideoRegionOfInterestMeta *roi, gint parent_id)
{
    const GstStructure *box =
        gst_video_region_of_interest_meta_get_param(roi, "detection");
    const GstStructure *track =
        gst_video_region_of_interest_meta_get_param(roi, "object_id");
    gint number;
    g_assert_cmpstr(g_quark_to_string(roi->roi_type), ==, "face");
    g_assert_cmpint(roi->parent_id, ==, parent_id);
    g_assert_cmpint(roi->id, !=, parent_id);
    g_assert_cmpfloat(get_double(box, "confidence"), ==, (gdouble)0.9f);
    g_assert_true(gst_structure_get_int(box, "label_id", &number) && number == 1);
    g_assert_cmpstr(gst_structure_get_string(box, "label"), ==, "face");
    g_assert_true(gst_structure_get_int(track, "id", &number) && number == 42);
    g_assert_null(gst_video_region_of_interest_meta_get_param(roi, "scene_1-a"));
}

static void test_mirror(void)
{
    GstBuffer *buffer = gst_buffer_new();
    GstVigilMeta *meta = add_meta(buffer);
    add_three_results(meta);
    gst_vigil_meta_set_attribute(meta, "scene 1-a");
    g_assert_cmpuint(gst_vigil_meta_mirror(meta, buffer), ==, 2);

    gpointer state = NULL;
    const GType api = GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE;
    GstVideoRegionOfInterestMeta *rois[2];
    for (int i = 0; i < 2; i++)
        rois[i] = (GstVideoRegionOfInterestMeta *)gst_buffer_iterate_meta_filtered(
            buffer, &state, api);
    g_assert_nonnull(rois[1]);
    g_assert_null(gst_buffer_iterate_meta_filtered(buffer, &state, api));
    check_region_roi(rois[0]);
    check_detection_roi(rois[1], rois[0]->id);
#ifndef HAVE_GST_ANALYTICS
    GstVigilResult *region = gst_vigil_meta_get_result(meta, 1);
    g_assert_cmpint(rois[0]->id, ==, gst_vigil_result_get_id(region));
#endif
    gst_buffer_unref(buffer);
}

/* A later element speaks of a region that an earlier one found. */
static void test_mirror_parent(void)
{
    GstBuffer *buffer = gst_buffer_new();
    GstVigilMeta *first = add_meta(buffer);
    add_three_results(first);
    gst_vigil_meta_mirror(first, buffer);
    GstVigilMeta *second = add_meta(buffer);
    GstVigilResult *part = gst_vigil_result_new_region(0.3f, 0.5f, 0.1f, 0.1f);
    gst_vigil_result_set_parent_id(
        part, gst_vigil_result_get_id(gst_vigil_meta_get_result(first, 1)));
    gst_vigil_meta_add_result(second, part);
    g_assert_cmpuint(gst_vigil_meta_mirror(second, buffer), ==, 1);

    gpointer state = NULL;
    const GType api = GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE;
    GstVideoRegionOfInterestMeta *roi[3];
    for (int i = 0; i < 3; i++)
        roi[i] = (GstVideoRegionOfInterestMeta *)gst_buffer_iterate_meta_filtered(
            buffer, &state, api);
    g_assert_cmpint(roi[2]->parent_id, ==, roi[0]->id);
    g_assert_cmpint(roi[2]->id, !=, roi[0]->id);
    g_assert_cmpint(roi[2]->id, !=, roi[1]->id);
    gst_buffer_unref(buffer);
}

#ifdef HAVE_GST_ANALYTICS
static void check_linked(GstAnalyticsRelationMeta *relations, guint whole, guint part)
{
    g_assert_cmpint(gst_analytics_relation_meta_get_relation(relations, whole, part),
                    ==, GST_ANALYTICS_REL_TYPE_CONTAIN);
    g_assert_cmpint(gst_analytics_relation_meta_get_relation(relations, part, whole),
                    ==, GST_ANALYTICS_REL_TYPE_IS_PART_OF);
}

/* Of the three results the last one is tracked; nobody knows since when. */
static void check_track(GstAnalyticsRelationMeta *relations, guint object_id)
{
    const GstAnalyticsMtdType type = gst_analytics_tracking_mtd_get_mtd_type();
    GstAnalyticsMtd track, none;
    gpointer state = NULL;
    guint64 id;
    GstClockTime first_seen, last_seen;
    gboolean lost;
    g_assert_true(gst_analytics_relation_meta_get_direct_related(
        relations, object_id, GST_ANALYTICS_REL_TYPE_RELATE_TO, type, NULL, &track));
    g_assert_true(gst_analytics_tracking_mtd_get_info(&track, &id, &first_seen,
                                                      &last_seen, &lost));
    g_assert_cmpuint(id, ==, 42);
    g_assert_true(first_seen == GST_CLOCK_TIME_NONE);
    g_assert_cmpuint(last_seen, ==, 2 * GST_SECOND);
    g_assert_false(lost);
    g_assert_true(gst_analytics_relation_meta_iterate(relations, &state, type, &none));
    g_assert_false(gst_analytics_relation_meta_iterate(relations, &state, type, &none));
}

static void test_analytics(void)
{
    GstBuffer *buffer = gst_buffer_new();
    GstVigilMeta *meta = add_meta(buffer);
    add_three_results(meta);
    gst_vigil_meta_mirror(meta, buffer);
    GstAnalyticsRelationMeta *relations =
        gst_buffer_get_analytics_relation_meta(buffer);
    GstAnalyticsMtd classes[2], objects[2], none;
    gpointer state = NULL;
    for (int i = 0; i < 2; i++)
        g_assert_true(gst_analytics_relation_meta_iterate(
            relations, &state, gst_analytics_cls_mtd_get_mtd_type(), &classes[i]));
    g_assert_false(gst_analytics_relation_meta_iterate(
        relations, &state, gst_analytics_cls_mtd_get_mtd_type(), &none));
    state = NULL;
    for (int i = 0; i < 2; i++)
        g_assert_true(gst_analytics_relation_meta_iterate(
            relations, &state, gst_analytics_od_mtd_get_mtd_type(), &objects[i]));
    g_assert_false(gst_analytics_relation_meta_iterate(
        relations, &state, gst_analytics_od_mtd_get_mtd_type(), &none));
    g_assert_cmpuint(gst_analytics_cls_mtd_get_length(&classes[0]), ==, 2);
    g_assert_cmpfloat(gst_analytics_cls_mtd_get_level(&classes[0], 0), ==, 0.75f);
    g_assert_cmpstr(g_quark_to_string(gst_analytics_cls_mtd_get_quark(&classes[0], 1)),
                    ==, "0");
    check_linked(relations, objects[0].id, classes[1].id);
    check_linked(relations, objects[0].id, objects[1].id);
    check_track(relations, objects[1].id);

    gint x, y, width, height;
    gfloat confidence;
    g_assert_true(gst_analytics_od_mtd_get_location(&objects[0], &x, &y, &width,
                                                    &height, &confidence));
    g_assert_true(x == 160 && y == 240 && width == 320 && height == 120);
    GstVideoRegionOfInterestMeta *roi =
        gst_buffer_get_video_region_of_interest_meta_id(buffer, objects[1].id);
    g_assert_cmpstr(g_quark_to_string(roi->roi_type), ==, "face");
    gst_buffer_unref(buffer);
}
#endif

#if GST_CHECK_VERSION(1, 24, 0)
static void test_serialize(void)
{
    GstBuffer *from = gst_buffer_new(), *to = gst_buffer_new();
    GByteArray *bytes = g_byte_array_new();
    guint32 consumed;
    GstVigilMeta *meta = add_meta(from);
    add_three_results(meta);
    gst_vigil_meta_set_attribute(meta, "scene");
    g_assert_true(gst_meta_serialize_simple((GstMeta *)meta, bytes));
    g_assert_nonnull(gst_meta_deserialize(to, bytes->data, bytes->len, &consumed));
    g_assert_cmpuint(consumed, ==, bytes->len);
    check_meta(only_meta(to), 640, 480);
    g_assert_cmpstr(gst_vigil_meta_get_attribute(only_meta(to)), ==, "scene");

    /* bytes of a stranger: each turned over in turn; nothing may break */
    for (guint i = 0; i < bytes->len; i++) {
        GstBuffer *buffer = gst_buffer_new();
        guint8 *broken = g_memdup2(bytes->data, bytes->len);
        broken[i] ^= 0x55;
        gst_meta_deserialize(buffer, broken, bytes->len, &consumed);
        g_free(broken);
        gst_buffer_unref(buffer);
    }
    g_byte_array_unref(bytes);
    gst_buffer_unref(from);
    gst_buffer_unref(to);
}
#endif

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gst_init(&argc, &argv);
    g_test_add_func("/meta/add", test_add);
    g_test_add_func("/meta/ids", test_ids);
    g_test_add_func("/meta/age", test_age);
    g_test_add_func("/meta/clamp", test_clamp);
    g_test_add_func("/meta/pixels", test_pixels);
    g_test_add_func("/meta/copy", test_copy);
    g_test_add_func("/meta/scale", test_scale);
    g_test_add_func("/meta/released", test_released);
    g_test_add_func("/meta/mirror", test_mirror);
    g_test_add_func("/meta/mirror-parent", test_mirror_parent);
#ifdef HAVE_GST_ANALYTICS
    g_test_add_func("/meta/analytics", test_analytics);
#endif
#if GST_CHECK_VERSION(1, 24, 0)
    g_test_add_func("/meta/serialize", test_serialize);
#endif
    return g_test_run();
}
