/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Results about the objects of earlier elements, and where they are mirrored.
 */
#include <gst/video/video.h>
#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

#include "gstvigilmeta.h"

#define WIDTH 640
#define HEIGHT 480
#define CLASSES "classification_layer_name:logits"
#define ROI_API GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE

static GstVigilMeta *add_meta(GstBuffer *buffer, GstVigilTask task)
{
    return gst_buffer_add_vigil_meta(buffer, "element", "model", task, WIDTH, HEIGHT,
                                     0);
}

static GstVigilResult *add_face(GstVigilMeta *meta, gfloat x)
{
    GstVigilResult *face = gst_vigil_result_new_region(x, 0.25f, 0.125f, 0.125f);
    gst_vigil_result_set_detection(face, "face", 1, 0.9f);
    gst_vigil_result_set_tracking_id(face, 42);
    gst_vigil_result_set_region_name(face, "gate");
    gst_vigil_meta_add_result(meta, face);
    return face;
}

static GstVigilResult *add_age(GstVigilMeta *meta, GstVigilResult *result)
{
    gst_vigil_result_add_class(result, 3, 0.75f, "young");
    gst_vigil_meta_add_result(meta, result);
    return result;
}

static guint count_rois(GstBuffer *buffer)
{
    return gst_buffer_get_n_meta(buffer, ROI_API);
}

static GstVideoRegionOfInterestMeta *get_roi(GstBuffer *buffer, guint i)
{
    gpointer state = NULL;
    GstMeta *meta = NULL;
    for (guint k = 0; k <= i; k++)
        meta = gst_buffer_iterate_meta_filtered(buffer, &state, ROI_API);
    return (GstVideoRegionOfInterestMeta *)meta;
}

static const gchar *age_of(GstVideoRegionOfInterestMeta *roi)
{
    const GstStructure *params =
        gst_video_region_of_interest_meta_get_param(roi, CLASSES);
    return params ? gst_structure_get_string(params, "label") : NULL;
}

static void test_fields(void)
{
    GstBuffer *buffer = gst_buffer_new();
    GstVigilMeta *meta = add_meta(buffer, GST_VIGIL_TASK_DETECTION);
    const GstVigilResult *face = add_face(meta, 0.5f);
    GstVigilResult *age = gst_vigil_result_new_for_object(face);
    GstVigilResult *roi = gst_vigil_result_new_for_roi(9, "car", 0.5f, 0.5f, 2, 2);
    gfloat x, y, width, height;
    g_assert_false(gst_vigil_result_is_for_object(face));
    g_assert_true(gst_vigil_result_is_for_object(age));
    g_assert_cmpuint(gst_vigil_result_get_id(age), !=, gst_vigil_result_get_id(face));
    g_assert_cmpuint(gst_vigil_result_get_parent_id(age), ==,
                     gst_vigil_result_get_id(face));
    g_assert_cmpuint(gst_vigil_result_get_tracking_id(age), ==, 42);
    g_assert_cmpstr(gst_vigil_result_get_region_name(age), ==, "gate");
    g_assert_false(gst_vigil_result_get_detection(age, NULL, NULL, NULL));
    gst_vigil_result_get_region(age, &x, &y, &width, &height);
    g_assert_true(x == 0.5f && y == 0.25f && width == 0.125f && height == 0.125f);

    g_assert_true(gst_vigil_result_is_for_object(roi));
    g_assert_cmpuint(gst_vigil_result_get_parent_id(roi), ==, 9);
    g_assert_cmpstr(gst_vigil_result_get_region_name(roi), ==, "car");
    gst_vigil_result_get_region(roi, &x, &y, &width, &height);
    g_assert_true(x == 0.5f && y == 0.5f && width == 0.5f && height == 0.5f);
    gst_vigil_result_unref(roi);
    roi = gst_vigil_result_new_for_roi(-1, NULL, 0, 0, 1, 1);
    g_assert_cmpuint(gst_vigil_result_get_parent_id(roi), ==, 0);
    g_assert_null(gst_vigil_result_get_region_name(roi));
    gst_vigil_result_unref(roi);
    gst_vigil_result_unref(age);
    gst_buffer_unref(buffer);
}

/* Two faces at one place: each has its own. */
static void test_mirror(void)
{
    GstBuffer *buffer = gst_buffer_new();
    GstVigilMeta *found = add_meta(buffer, GST_VIGIL_TASK_DETECTION);
    GstVigilResult *first = add_face(found, 0.5f), *second = add_face(found, 0.5f);
    g_assert_cmpuint(gst_vigil_meta_mirror(found, buffer), ==, 2);
    GstVigilMeta *meta = add_meta(buffer, GST_VIGIL_TASK_CLASSIFICATION);
    add_age(meta, gst_vigil_result_new_for_object(second));
    g_assert_cmpuint(gst_vigil_meta_mirror(meta, buffer), ==, 0);
    g_assert_cmpuint(count_rois(buffer), ==, 2);
    g_assert_cmpstr(age_of(get_roi(buffer, 0)), ==, NULL);
    g_assert_cmpstr(age_of(get_roi(buffer, 1)), ==, "young");

    GstVigilMeta *more = add_meta(buffer, GST_VIGIL_TASK_CLASSIFICATION);
    add_age(more, gst_vigil_result_new_for_object(first));
    gst_vigil_meta_add_result(more, gst_vigil_result_new_for_object(first));
    g_assert_cmpuint(gst_vigil_meta_mirror(more, buffer), ==, 0);
    g_assert_cmpstr(age_of(get_roi(buffer, 0)), ==, "young");
    g_assert_cmpuint(count_rois(buffer), ==, 2);
    gst_buffer_unref(buffer);
}

/* The object's mirror was lost on the way: it comes back with what is known. */
static void test_mirror_lost(void)
{
    GstBuffer *buffer = gst_buffer_new();
    GstVigilMeta *found = add_meta(buffer, GST_VIGIL_TASK_DETECTION);
    GstVigilResult *face = add_face(found, 0.5f);
    gst_vigil_meta_mirror(found, buffer);
    gst_buffer_remove_meta(buffer, (GstMeta *)get_roi(buffer, 0));
    GstVigilMeta *meta = add_meta(buffer, GST_VIGIL_TASK_CLASSIFICATION);
    add_age(meta, gst_vigil_result_new_for_object(face));
    g_assert_cmpuint(gst_vigil_meta_mirror(meta, buffer), ==, 1);
    g_assert_cmpuint(count_rois(buffer), ==, 1);
    g_assert_cmpstr(age_of(get_roi(buffer, 0)), ==, "young");
    g_assert_cmpstr(g_quark_to_string(get_roi(buffer, 0)->roi_type), ==, "face");
    gst_buffer_unref(buffer);
}

/* Theirs are told from ours, also where the ids are the same. */
static void test_is_mirror(void)
{
    GstBuffer *buffer = gst_buffer_new();
    GstVigilMeta *found = add_meta(buffer, GST_VIGIL_TASK_DETECTION);
    add_face(found, 0.5f);
    gst_vigil_meta_add_result(found, gst_vigil_result_new_full_frame());
    gst_vigil_meta_mirror(found, buffer);
    GstVideoRegionOfInterestMeta *ours = get_roi(buffer, 0);
    GstVideoRegionOfInterestMeta *theirs[3];
    for (guint i = 0; i < 3; i++)
        theirs[i] = gst_buffer_add_video_region_of_interest_meta(
            buffer, i == 2 ? "" : "car", 1, 1, 10, 10);
    theirs[1]->id = ours->id;
    theirs[2]->id = -1; /* as the whole frame, which has no mirror */
    g_assert_true(gst_vigil_buffer_is_mirror(buffer, (GstMeta *)ours));
    for (guint i = 0; i < 3; i++)
        g_assert_false(gst_vigil_buffer_is_mirror(buffer, (GstMeta *)theirs[i]));

    GstVigilMeta *meta = add_meta(buffer, GST_VIGIL_TASK_CLASSIFICATION);
    add_age(meta,
            gst_vigil_result_new_for_roi(theirs[0]->id, "car", 1.0f / WIDTH,
                                         1.0f / HEIGHT, 10.0f / WIDTH, 10.0f / HEIGHT));
    g_assert_cmpuint(gst_vigil_meta_mirror(meta, buffer), ==, 0);
    g_assert_cmpstr(age_of(theirs[0]), ==, "young");
    for (guint i = 0; i < 3; i++)
        g_assert_false(gst_vigil_buffer_is_mirror(buffer, (GstMeta *)theirs[i]));
    gst_buffer_unref(buffer);
}

#ifdef HAVE_GST_ANALYTICS
static void check_class(GstAnalyticsRelationMeta *relations, guint object_id,
                        const gchar *label)
{
    gpointer state = NULL;
    GstAnalyticsMtd classes;
    const gboolean has = gst_analytics_relation_meta_get_direct_related(
        relations, object_id, GST_ANALYTICS_REL_TYPE_CONTAIN,
        gst_analytics_cls_mtd_get_mtd_type(), &state, &classes);
    g_assert_cmpint(has, ==, label != NULL);
    if (!label)
        return;
    g_assert_cmpstr(g_quark_to_string(gst_analytics_cls_mtd_get_quark(
                        (GstAnalyticsClsMtd *)&classes, 0)),
                    ==, label);
    g_assert_cmpint(
        gst_analytics_relation_meta_get_relation(relations, classes.id, object_id), ==,
        GST_ANALYTICS_REL_TYPE_IS_PART_OF);
}

static void test_analytics(void)
{
    GstBuffer *buffer = gst_buffer_new();
    GstVigilMeta *found = add_meta(buffer, GST_VIGIL_TASK_DETECTION);
    add_face(found, 0.25f);
    GstVigilResult *face = add_face(found, 0.5f);
    gst_vigil_meta_mirror(found, buffer);
    GstVigilMeta *meta = add_meta(buffer, GST_VIGIL_TASK_CLASSIFICATION);
    add_age(meta, gst_vigil_result_new_for_object(face));
    gst_vigil_meta_mirror(meta, buffer);
    GstAnalyticsRelationMeta *relations =
        gst_buffer_get_analytics_relation_meta(buffer);
    check_class(relations, get_roi(buffer, 0)->id, NULL);
    check_class(relations, get_roi(buffer, 1)->id, "young");
    /* two faces and their tracks, the class of one */
    g_assert_cmpuint(gst_analytics_relation_get_length(relations), ==, 5);
    gst_buffer_unref(buffer);
}

/* Their region of interest has their object's id; an id that is another object's by
 * chance is not taken for it. */
static void test_analytics_foreign(void)
{
    GstBuffer *buffer = gst_buffer_new();
    GstAnalyticsRelationMeta *relations =
        gst_buffer_add_analytics_relation_meta(buffer);
    GstAnalyticsODMtd object;
    gst_analytics_relation_meta_add_od_mtd(relations, g_quark_from_string("car"), 64,
                                           48, 32, 48, 0.5f, &object);
    const gchar *types[] = { "car", "bus" };
    for (guint i = 0; i < 2; i++)
        gst_buffer_add_video_region_of_interest_meta(buffer, types[i], 64, 48, 32, 48)
            ->id = (gint)object.id;
    for (guint i = 0; i < 2; i++) {
        GstVigilMeta *meta = add_meta(buffer, GST_VIGIL_TASK_CLASSIFICATION);
        add_age(meta, gst_vigil_result_new_for_roi((gint)object.id, types[1 - i], 0.1f,
                                                   0.1f, 0.05f, 0.1f));
        g_assert_cmpuint(gst_vigil_meta_mirror(meta, buffer), ==, 0);
        check_class(relations, object.id, i ? "young" : NULL);
        g_assert_cmpstr(age_of(get_roi(buffer, 1 - i)), ==, "young");
    }
    gst_buffer_unref(buffer);
}
#endif

#if GST_CHECK_VERSION(1, 24, 0)
static void test_serialize(void)
{
    GstBuffer *buffer = gst_buffer_new(), *to = gst_buffer_new();
    GstVigilMeta *meta = add_meta(buffer, GST_VIGIL_TASK_DETECTION);
    const GstVigilResult *face = add_face(meta, 0.5f);
    add_age(meta, gst_vigil_result_new_for_object(face));
    add_age(meta, gst_vigil_result_new_for_roi(0, NULL, 0, 0, 1, 1));
    GByteArray *bytes = g_byte_array_new();
    guint32 consumed = 0;
    g_assert_true(gst_meta_serialize_simple((GstMeta *)meta, bytes));
    meta = (GstVigilMeta *)gst_meta_deserialize(to, bytes->data, bytes->len, &consumed);
    g_assert_nonnull(meta);
    for (guint i = 0; i < 3; i++)
        g_assert_cmpint(
            gst_vigil_result_is_for_object(gst_vigil_meta_get_result(meta, i)), ==,
            i > 0);
    g_byte_array_unref(bytes);
    gst_buffer_unref(to);
    gst_buffer_unref(buffer);
}
#endif

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gst_init(&argc, &argv);
    g_test_add_func("/meta/objects/fields", test_fields);
    g_test_add_func("/meta/objects/mirror", test_mirror);
    g_test_add_func("/meta/objects/mirror-lost", test_mirror_lost);
    g_test_add_func("/meta/objects/is-mirror", test_is_mirror);
#ifdef HAVE_GST_ANALYTICS
    g_test_add_func("/meta/objects/analytics", test_analytics);
    g_test_add_func("/meta/objects/analytics-foreign", test_analytics_foreign);
#endif
#if GST_CHECK_VERSION(1, 24, 0)
    g_test_add_func("/meta/objects/serialize", test_serialize);
#endif
    return g_test_run();
}
