/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rois.h"

const gchar *const color_labels[SEEN_CLASSES] = { "zero", "one", "two" };

const SeenPatch patches[PATCHES + 1] = { { 10, 10, 40, 30, SEEN_RED },
                                         { 70, 20, 31, 50, SEEN_GREEN },
                                         { 130, 60, 20, 21, SEEN_BLUE },
                                         { 160, 5, 41, 40, SEEN_RED },
                                         { 0 } };

GstBuffer *new_frame(void)
{
    return frame_paint(WIDTH, HEIGHT, seen_paint, (gpointer)(gintptr)patches);
}

GstElement *looker(void)
{
    GstElement *element = classifier_new("top-k", 2u, NULL);

    gst_util_set_object_arg(G_OBJECT(element), "inference-region", "roi-list");
    gst_util_set_object_arg(G_OBJECT(element), "resize", "stretch");
    return element;
}

GstHarness *start(void)
{
    return classifier_harness(looker(), CAPS);
}

GstVigilMeta *add_meta(GstBuffer *buffer, GstVigilTask task)
{
    return gst_buffer_add_vigil_meta(buffer, "found", "detector", task, WIDTH, HEIGHT,
                                     0);
}

GstVigilResult *new_result(const SeenPatch *p)
{
    return gst_vigil_result_new_region((gfloat)p->x / WIDTH, (gfloat)p->y / HEIGHT,
                                       (gfloat)p->width / WIDTH,
                                       (gfloat)p->height / HEIGHT);
}

GstVigilMeta *add_detections(GstBuffer *buffer, guint n, const guint64 *tracks)
{
    static const gchar *const names[] = { "car", "person", "dog", "car" };
    GstVigilMeta *meta = add_meta(buffer, GST_VIGIL_TASK_DETECTION);

    for (guint i = 0; i < n; i++) {
        GstVigilResult *result = new_result(&patches[i % PATCHES]);
        gst_vigil_result_set_detection(result, names[i % PATCHES], (gint)i,
                                       0.5F + (gfloat)i * 0.01F);
        gst_vigil_result_set_region_name(result, "gate");
        if (tracks)
            gst_vigil_result_set_tracking_id(result, tracks[i]);
        gst_vigil_meta_add_result(meta, result);
    }
    gst_vigil_meta_mirror(meta, buffer);
    return meta;
}

GstVideoRegionOfInterestMeta *add_roi(GstBuffer *buffer, const gchar *type, guint x,
                                      guint y, guint width, guint height)
{
    return gst_buffer_add_video_region_of_interest_meta(buffer, type, x, y, width,
                                                        height);
}

GstVigilMeta *own_meta(GstBuffer *buffer)
{
    GList *metas = gst_vigil_buffer_get_metas(buffer);
    GstVigilMeta *own = NULL;

    for (GList *item = metas; item; item = item->next)
        if (g_strcmp0(gst_vigil_meta_get_source(item->data), "classify") == 0) {
            g_assert_null(own);
            own = item->data;
        }
    g_list_free(metas);
    return own;
}

const gchar *best_label(const GstVigilResult *result)
{
    const GstVigilClass *best = gst_vigil_result_get_class(result, 0);

    return best ? best->label : NULL;
}

GstVigilResult *result_of(GstVigilMeta *meta, guint parent_id)
{
    for (guint i = 0; i < gst_vigil_meta_get_n_results(meta); i++) {
        GstVigilResult *result = gst_vigil_meta_get_result(meta, i);
        if (gst_vigil_result_get_parent_id(result) == parent_id)
            return result;
    }
    return NULL;
}

guint count_rois(GstBuffer *buffer)
{
    return gst_buffer_get_n_meta(buffer, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
}
