/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilmeta-private.h"

#include <gst/video/video.h>
#include <math.h>
#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

#define NOT_MIRRORED (-1)
#define LAYER "logits"

/* Readers of other metas know a class by its name only. */
static const gchar *class_label(const GstVigilClass *klass, gchar *number, gsize size)
{
    if (klass->label)
        return klass->label;
    g_snprintf(number, size, "%d", klass->index);
    return number;
}

/* ---- Region-of-interest params -------------------------------------------------- */

/* Names of structures: a letter, then letters, digits and "/-_.:+". */
static gchar *structure_name(const gchar *attribute)
{
    if (!attribute)
        return g_strdup("classification_layer_name:" LAYER);
    gchar *name =
        g_strconcat(g_ascii_isalpha(attribute[0]) ? "" : "attribute_", attribute, NULL);
    return g_strcanon(name,
                      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                      "0123456789/-_.:+",
                      '_');
}

static void set_optional(GstStructure *params, const gchar *field, const gchar *value)
{
    if (value)
        gst_structure_set(params, field, G_TYPE_STRING, value, NULL);
}

static GstStructure *detection_params(const GstVigilMetaPrivate *meta,
                                      const GstVigilResult *result)
{
    GstStructure *params =
        gst_structure_new("detection", "x_min", G_TYPE_DOUBLE, (gdouble)result->x,
                          "x_max", G_TYPE_DOUBLE, (gdouble)(result->x + result->width),
                          "y_min", G_TYPE_DOUBLE, (gdouble)result->y, "y_max",
                          G_TYPE_DOUBLE, (gdouble)(result->y + result->height), NULL);
    if (result->detected) {
        gst_structure_set(params, "confidence", G_TYPE_DOUBLE,
                          (gdouble)result->confidence, NULL);
        if (result->label_id >= 0)
            gst_structure_set(params, "label_id", G_TYPE_INT, result->label_id, NULL);
        set_optional(params, "label", result->label);
        set_optional(params, "model_name", meta->model);
    }
    return params;
}

static GstStructure *class_params(const GstVigilMetaPrivate *meta,
                                  const GstVigilClass *best)
{
    gchar number[16];
    gchar *name = structure_name(meta->attribute);
    GstStructure *params = gst_structure_new(
        name, "label", G_TYPE_STRING, class_label(best, number, sizeof number),
        "confidence", G_TYPE_DOUBLE, (gdouble)best->score, "layer_name", G_TYPE_STRING,
        LAYER, "model_name", G_TYPE_STRING, meta->model ? meta->model : "", "tensor_id",
        G_TYPE_INT, 0, NULL);
    g_free(name);
    if (best->index >= 0)
        gst_structure_set(params, "label_id", G_TYPE_INT, best->index, NULL);
    set_optional(params, "attribute_name", meta->attribute);
    set_optional(params, "element_id", meta->source);
    return params;
}

static GstStructure *tracking_params(const GstVigilResult *result)
{
    return gst_structure_new("object_id", "id", G_TYPE_INT,
                             (gint)(result->tracking_id & G_MAXINT), NULL);
}

static void add_roi(const GstVigilMetaPrivate *meta, GstBuffer *buffer,
                    const GstVigilResult *result, gint id, gint parent_id)
{
    guint x, y, width, height;
    gst_vigil_result_get_region_pixels(result, meta->width, meta->height, &x, &y,
                                       &width, &height);
    GstVideoRegionOfInterestMeta *roi = gst_buffer_add_video_region_of_interest_meta(
        buffer, gst_vigil_result_get_roi_type(result), x, y, width, height);
    if (!roi)
        return;
    roi->id = id;
    roi->parent_id = parent_id;
    gst_video_region_of_interest_meta_add_param(roi, detection_params(meta, result));
    const GstVigilClass *best = gst_vigil_result_get_class(result, 0);
    if (best)
        gst_video_region_of_interest_meta_add_param(roi, class_params(meta, best));
    if (result->tracking_id)
        gst_video_region_of_interest_meta_add_param(roi, tracking_params(result));
}

/* ---- GstAnalytics --------------------------------------------------------------- */

#ifdef HAVE_GST_ANALYTICS
static GstAnalyticsRelationMeta *get_relations(GstBuffer *buffer)
{
    GstAnalyticsRelationMeta *relations =
        gst_buffer_get_analytics_relation_meta(buffer);
    return relations ? relations : gst_buffer_add_analytics_relation_meta(buffer);
}

static void link_both_ways(GstAnalyticsRelationMeta *relations, guint whole, guint part)
{
    gst_analytics_relation_meta_set_relation(relations, GST_ANALYTICS_REL_TYPE_CONTAIN,
                                             whole, part);
    gst_analytics_relation_meta_set_relation(
        relations, GST_ANALYTICS_REL_TYPE_IS_PART_OF, part, whole);
}

/* False where there are no classes. */
static gboolean add_classes(GstAnalyticsRelationMeta *relations,
                            const GstVigilResult *result, GstAnalyticsClsMtd *classes)
{
    guint n = gst_vigil_result_get_n_classes(result);
    if (n == 0)
        return FALSE;
    gfloat *scores = g_new(gfloat, n);
    GQuark *labels = g_new(GQuark, n);
    for (guint i = 0; i < n; i++) {
        const GstVigilClass *klass = gst_vigil_result_get_class(result, i);
        gchar number[16];
        scores[i] = klass->score;
        labels[i] = g_quark_from_string(class_label(klass, number, sizeof number));
    }
    gboolean added =
        gst_analytics_relation_meta_add_cls_mtd(relations, n, scores, labels, classes);
    g_free(scores);
    g_free(labels);
    return added;
}

#ifdef HAVE_GST_ANALYTICS_SEGMENTATION
#define NOT_KNOWN (-1.0f) /* how sure one is of a class: upstream's sign for that */

static GstBuffer *wrap_pixels(const GstVigilMask *mask)
{
    const GstVideoFormat wide = G_BYTE_ORDER == G_LITTLE_ENDIAN
                                    ? GST_VIDEO_FORMAT_GRAY16_LE
                                    : GST_VIDEO_FORMAT_GRAY16_BE;
    const guint bytes = gst_vigil_mask_get_bytes_per_pixel(mask);
    const gsize offset[GST_VIDEO_MAX_PLANES] = { 0 };
    gint stride[GST_VIDEO_MAX_PLANES] = { 0 };
    guint width, height;
    gst_vigil_mask_get_size(mask, &width, &height);
    stride[0] = (gint)(width * bytes);
    GstBuffer *buffer = gst_buffer_new_wrapped_bytes(gst_vigil_mask_get_pixels(mask));
    gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE,
                                   bytes == 1 ? GST_VIDEO_FORMAT_GRAY8 : wide, width,
                                   height, 1, offset, stride);
    return buffer;
}

/* The regions of a segmentation are its classes: a region id is the number in the mask,
 * and the class of the same place in this list tells its name. */
static void add_mask_classes(GstAnalyticsRelationMeta *relations,
                             const GstVigilMask *mask, guint segmentation_id)
{
    const guint n = gst_vigil_mask_get_n_classes(mask);
    gfloat *levels = g_new(gfloat, n);
    GQuark *labels = g_new(GQuark, n);
    GstAnalyticsClsMtd classes;
    for (guint i = 0; i < n; i++) {
        gchar number[16];
        levels[i] = NOT_KNOWN;
        labels[i] = g_quark_from_string(
            class_label(gst_vigil_mask_get_class(mask, i), number, sizeof number));
    }
    if (gst_analytics_relation_meta_add_cls_mtd(relations, n, levels, labels, &classes))
        gst_analytics_relation_meta_set_relation(
            relations, GST_ANALYTICS_REL_TYPE_RELATE_TO, segmentation_id, classes.id);
    g_free(levels);
    g_free(labels);
}

/* FALSE where there is no mask, or one without classes. */
static gboolean add_mask(GstAnalyticsRelationMeta *relations,
                         const GstVigilMetaPrivate *meta, const GstVigilMask *mask,
                         GstAnalyticsSegmentationMtd *segmentation)
{
    const guint n = mask ? gst_vigil_mask_get_n_classes(mask) : 0;
    gfloat x, y, width, height;
    if (n == 0)
        return FALSE;
    gst_vigil_mask_get_region(mask, &x, &y, &width, &height);
    const gint left = (gint)lrintf(x * (gfloat)meta->width);
    const gint top = (gint)lrintf(y * (gfloat)meta->height);
    const gint right = (gint)lrintf((x + width) * (gfloat)meta->width);
    const gint bottom = (gint)lrintf((y + height) * (gfloat)meta->height);
    guint *ids = g_new(guint, n);
    for (guint i = 0; i < n; i++)
        ids[i] = (guint)gst_vigil_mask_get_class(mask, i)->index;
    GstBuffer *pixels = wrap_pixels(mask);
    const gboolean added = gst_analytics_relation_meta_add_segmentation_mtd(
        relations, pixels, GST_SEGMENTATION_TYPE_SEMANTIC, n, ids, left, top,
        (guint)MAX(right - left, 1), (guint)MAX(bottom - top, 1), segmentation);
    g_free(ids);
    if (added)
        add_mask_classes(relations, mask, segmentation->id);
    else
        gst_buffer_unref(pixels);
    return added;
}
#else
typedef GstAnalyticsMtd GstAnalyticsSegmentationMtd;

static gboolean add_mask(GstAnalyticsRelationMeta *relations,
                         const GstVigilMetaPrivate *meta, const GstVigilMask *mask,
                         GstAnalyticsSegmentationMtd *segmentation)
{
    return FALSE;
}
#endif

/* Who gave the region is sure of it, unless it was a detector. */
static gboolean add_object(GstAnalyticsRelationMeta *relations,
                           const GstVigilMetaPrivate *meta,
                           const GstVigilResult *result, GstAnalyticsODMtd *object)
{
    guint x, y, width, height;
    gst_vigil_result_get_region_pixels(result, meta->width, meta->height, &x, &y,
                                       &width, &height);
    return gst_analytics_relation_meta_add_od_mtd(
        relations, g_quark_from_string(result->label ? result->label : ""), x, y, width,
        height, result->detected ? result->confidence : 1.0f, object);
}

/* Since when there is the track is not known here. */
static void add_track(GstAnalyticsRelationMeta *relations,
                      const GstVigilMetaPrivate *meta, const GstVigilResult *result,
                      guint object_id)
{
    GstAnalyticsTrackingMtd track;
    if (!result->tracking_id ||
        !gst_analytics_relation_meta_add_tracking_mtd(relations, result->tracking_id,
                                                      GST_CLOCK_TIME_NONE, &track))
        return;
    gst_analytics_tracking_mtd_update_last_seen(&track, meta->pts);
    gst_analytics_relation_meta_set_relation(
        relations, GST_ANALYTICS_REL_TYPE_RELATE_TO, object_id, track.id);
}

/* The id of the object, by which others find it from the region of interest. */
static gint add_analytics(const GstVigilMetaPrivate *meta, GstBuffer *buffer,
                          const GstVigilResult *result, gint parent_id)
{
    GstAnalyticsRelationMeta *relations = get_relations(buffer);
    GstAnalyticsClsMtd classes;
    GstAnalyticsODMtd object, parent;
    GstAnalyticsSegmentationMtd mask;
    gboolean has_classes = add_classes(relations, result, &classes);
    gboolean has_mask = add_mask(relations, meta, result->mask, &mask);
    if (result->full_frame || !add_object(relations, meta, result, &object))
        return NOT_MIRRORED;
    if (has_classes)
        link_both_ways(relations, object.id, classes.id);
    if (has_mask)
        link_both_ways(relations, object.id, mask.id);
    if (parent_id != NOT_MIRRORED &&
        gst_analytics_relation_meta_get_od_mtd(relations, parent_id, &parent))
        link_both_ways(relations, parent.id, object.id);
    add_track(relations, meta, result, object.id);
    return object.id;
}

/* Where the object is not among the relations, its classes are not either. */
static void add_analytics_of(GstBuffer *buffer, const GstVigilResult *result,
                             gint object_id)
{
    GstAnalyticsRelationMeta *relations =
        gst_buffer_get_analytics_relation_meta(buffer);
    GstAnalyticsClsMtd classes;
    GstAnalyticsODMtd object;
    if (relations && object_id >= 0 &&
        gst_analytics_relation_meta_get_od_mtd(relations, object_id, &object) &&
        gst_analytics_od_mtd_get_obj_type(&object) ==
            g_quark_from_string(result->object_type) &&
        add_classes(relations, result, &classes))
        link_both_ways(relations, object.id, classes.id);
}
#else
static void add_analytics_of(GstBuffer *buffer, const GstVigilResult *result,
                             gint object_id)
{
}

static gint add_analytics(const GstVigilMetaPrivate *meta, GstBuffer *buffer,
                          const GstVigilResult *result, gint parent_id)
{
    return result->full_frame ? NOT_MIRRORED : (gint)result->id;
}
#endif

/* ---- Both ----------------------------------------------------------------------- */

static gboolean find_in(const GstVigilMetaPrivate *meta, guint id, gint *mirrored_as)
{
    for (guint i = 0; meta->mirrored_as && i < meta->mirrored_as->len; i++) {
        const GstVigilResult *result = g_ptr_array_index(meta->results, i);
        if (result->id != id)
            continue;
        *mirrored_as = g_array_index(meta->mirrored_as, gint, i);
        return TRUE;
    }
    return FALSE;
}

/* What the parent is called in the mirrors: a result of ours, in any meta of the
 * buffer, or else a region of interest of somebody else. */
static gint mirrored_parent(GstBuffer *buffer, const GstVigilResult *result)
{
    gint id = NOT_MIRRORED;
    gpointer state = NULL;
    GstMeta *meta;
    if (result->parent_id == 0)
        return NOT_MIRRORED;
    while ((meta = gst_buffer_iterate_meta_filtered(buffer, &state,
                                                    GST_VIGIL_META_API_TYPE)))
        if (find_in(((GstVigilMeta *)meta)->priv, result->parent_id, &id))
            return id;
    return (gint)result->parent_id;
}

/* The pixels of a frame of `size` that [start, start + length) is in. */
static guint cut_to(guint start, guint length, guint size, guint *first)
{
    *first = MIN(start, size);
    return (guint)(MIN((guint64)start + length, size) - *first);
}

static gboolean same_place(const GstVigilMetaPrivate *meta,
                           const GstVigilResult *result,
                           const GstVideoRegionOfInterestMeta *roi)
{
    guint x, y, width, height, roi_x, roi_y;
    const guint roi_width = cut_to(roi->x, roi->w, meta->width, &roi_x);
    const guint roi_height = cut_to(roi->y, roi->h, meta->height, &roi_y);
    gst_vigil_result_get_region_pixels(result, meta->width, meta->height, &x, &y,
                                       &width, &height);
    return x == roi_x && y == roi_y && width == roi_width && height == roi_height;
}

static gboolean has_classes_of(GstVideoRegionOfInterestMeta *roi,
                               const GstStructure *params)
{
    for (GList *item = roi->params; item; item = item->next)
        if (gst_structure_has_name(item->data, gst_structure_get_name(params)) &&
            g_strcmp0(gst_structure_get_string(item->data, "element_id"),
                      gst_structure_get_string(params, "element_id")) == 0)
            return TRUE;
    return FALSE;
}

/* The object's region of interest; of several that cannot be told from each other the
 * next one without these classes. */
static GstVideoRegionOfInterestMeta *find_roi(const GstVigilMetaPrivate *meta,
                                              GstBuffer *buffer,
                                              const GstVigilResult *result, gint id,
                                              const GstStructure *params)
{
    const GQuark type = g_quark_from_string(result->object_type);
    gpointer state = NULL;
    GstMeta *found;
    while ((found = gst_buffer_iterate_meta_filtered(
                buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))) {
        GstVideoRegionOfInterestMeta *roi = (GstVideoRegionOfInterestMeta *)found;
        if (roi->id != id || roi->roi_type != type)
            continue;
        if (result->of_foreign && !same_place(meta, result, roi))
            continue;
        if (!params || !has_classes_of(roi, params))
            return roi;
    }
    return NULL;
}

/* Classes of an object that is mirrored already.  FALSE: it is no more. */
static gboolean add_to_object(const GstVigilMetaPrivate *meta, GstBuffer *buffer,
                              const GstVigilResult *result, gint id)
{
    const GstVigilClass *best = gst_vigil_result_get_class(result, 0);
    GstStructure *params = best ? class_params(meta, best) : NULL;
    GstVideoRegionOfInterestMeta *roi = find_roi(meta, buffer, result, id, params);
    if (roi && params)
        gst_video_region_of_interest_meta_add_param(roi, params);
    else if (params)
        gst_structure_free(params);
    if (roi)
        add_analytics_of(buffer, result, id);
    return roi != NULL;
}

guint gst_vigil_meta_mirror(GstVigilMeta *meta, GstBuffer *buffer)
{
    g_return_val_if_fail(meta != NULL && gst_buffer_is_writable(buffer), 0);
    GstVigilMetaPrivate *priv = meta->priv;
    g_return_val_if_fail(priv->mirrored_as == NULL, 0);

    guint regions = 0;
    priv->mirrored_as = g_array_new(FALSE, FALSE, sizeof(gint));
    for (guint i = 0; i < priv->results->len; i++) {
        const GstVigilResult *result = g_ptr_array_index(priv->results, i);
        gint parent_id =
            result->of_foreign ? result->foreign_id : mirrored_parent(buffer, result);
        if (result->of_object && add_to_object(priv, buffer, result, parent_id)) {
            g_array_append_val(priv->mirrored_as, parent_id);
            continue;
        }
        gint id = add_analytics(priv, buffer, result, parent_id);
        g_array_append_val(priv->mirrored_as, id);
        if (result->full_frame)
            continue;
        add_roi(priv, buffer, result, id, parent_id);
        regions++;
    }
    return regions;
}

static gboolean is_mirrored_in(const GstVigilMetaPrivate *meta,
                               const GstVideoRegionOfInterestMeta *roi)
{
    for (guint i = 0; meta->mirrored_as && i < meta->mirrored_as->len; i++) {
        const GstVigilResult *result = g_ptr_array_index(meta->results, i);
        if (!result->full_frame && !result->of_object &&
            g_array_index(meta->mirrored_as, gint, i) == roi->id &&
            g_quark_from_string(gst_vigil_result_get_roi_type(result)) == roi->roi_type)
            return TRUE;
    }
    return FALSE;
}

gboolean gst_vigil_buffer_is_mirror(GstBuffer *buffer, const GstMeta *roi)
{
    g_return_val_if_fail(GST_IS_BUFFER(buffer) && roi != NULL, FALSE);
    gpointer state = NULL;
    GstMeta *meta;
    while ((meta = gst_buffer_iterate_meta_filtered(buffer, &state,
                                                    GST_VIGIL_META_API_TYPE)))
        if (is_mirrored_in(((GstVigilMeta *)meta)->priv,
                           (const GstVideoRegionOfInterestMeta *)roi))
            return TRUE;
    return FALSE;
}
