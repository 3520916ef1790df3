/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include "gstvigilobjects.h"

/* ---- Ours ----------------------------------------------------------------------- */

static void add_result(GArray *objects, const gchar *source,
                       const GstVigilResult *result)
{
    GstVigilObject object = {
        .result = result,
        .source = source,
        .track = gst_vigil_result_get_tracking_id(result),
    };

    if (!gst_vigil_result_get_detection(result, &object.label, &object.label_id,
                                        &object.score))
        return;
    gst_vigil_result_get_region(result, &object.area.x, &object.area.y,
                                &object.area.width, &object.area.height);
    g_array_append_val(objects, object);
}

static gboolean list_results(GstBuffer *buffer, GArray *objects)
{
    gboolean told = FALSE;
    gpointer state = NULL;
    GstMeta *found;

    while ((found = gst_buffer_iterate_meta_filtered(buffer, &state,
                                                     GST_VIGIL_META_API_TYPE))) {
        const GstVigilMeta *meta = (GstVigilMeta *)found;
        told = told || gst_vigil_meta_get_task(meta) == GST_VIGIL_TASK_DETECTION;
        for (guint i = 0; i < gst_vigil_meta_get_n_results(meta); i++)
            add_result(objects, gst_vigil_meta_get_source(meta),
                       gst_vigil_meta_get_result(meta, i));
    }
    return told || objects->len > 0;
}

/* ---- Of others ------------------------------------------------------------------ */

/* The part of [start, start + length) that is in a frame of `size`, as fractions. */
static void cut_to(guint start, guint length, guint size, float *from, float *share)
{
    const guint64 first = MIN(start, size);
    const guint64 end = MIN((guint64)start + length, size);

    *from = size ? (float)((gdouble)first / size) : 0;
    *share = size ? (float)((gdouble)(end - first) / size) : 0;
}

/* Params in the layout of DL Streamer; whatever they hold is made to fit. */
static void read_params(GstVideoRegionOfInterestMeta *roi, GstVigilObject *object)
{
    const GstStructure *detection =
        gst_video_region_of_interest_meta_get_param(roi, "detection");
    const GstStructure *track =
        gst_video_region_of_interest_meta_get_param(roi, "object_id");
    gdouble score;
    gint number;

    if (detection && gst_structure_get_double(detection, "confidence", &score) &&
        isfinite(score))
        object->score = (gfloat)CLAMP(score, 0, 1);
    if (detection && gst_structure_get_int(detection, "label_id", &number))
        object->label_id = MAX(number, -1);
    if (track && gst_structure_get_int(track, "id", &number) && number > 0)
        object->track = (guint64)number;
}

static void add_roi(GArray *objects, GstVideoRegionOfInterestMeta *roi, guint width,
                    guint height)
{
    const gchar *type = g_quark_to_string(roi->roi_type);
    GstVigilObject object = {
        .roi = roi,
        .label = type && *type ? type : NULL,
        .label_id = -1,
    };

    cut_to(roi->x, roi->w, width, &object.area.x, &object.area.width);
    cut_to(roi->y, roi->h, height, &object.area.y, &object.area.height);
    read_params(roi, &object);
    g_array_append_val(objects, object);
}

static gboolean list_rois(GstBuffer *buffer, guint width, guint height, GArray *objects)
{
    gpointer state = NULL;
    GstMeta *found;

    while ((found = gst_buffer_iterate_meta_filtered(
                buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)))
        if (!gst_vigil_buffer_is_mirror(buffer, found))
            add_roi(objects, (GstVideoRegionOfInterestMeta *)found, width, height);
    return objects->len > 0;
}

/* ---- Both ----------------------------------------------------------------------- */

gboolean gst_vigil_objects_list(GstBuffer *buffer, guint width, guint height,
                                GArray *objects)
{
    g_array_set_size(objects, 0);
    return list_results(buffer, objects) || list_rois(buffer, width, height, objects);
}

GstVigilResult *gst_vigil_object_new_result(const GstVigilObject *object)
{
    if (object->result)
        return gst_vigil_result_new_for_object(object->result);

    GstVigilResult *result = gst_vigil_result_new_for_roi(
        object->roi->id, g_quark_to_string(object->roi->roi_type), object->area.x,
        object->area.y, object->area.width, object->area.height);
    gst_vigil_result_set_tracking_id(result, object->track);
    return result;
}

gboolean gst_vigil_object_is_named(const GstVigilObject *object,
                                   const gchar *const *names)
{
    gchar number[16];
    const gchar *name = object->label;

    if (!names)
        return TRUE;
    if (!name) {
        g_snprintf(number, sizeof number, "%d", object->label_id);
        name = number;
    }
    return g_strv_contains(names, name);
}
