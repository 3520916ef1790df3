/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The meta as bytes, so that unixfdsink and others carry it to another process.  The
 * reader trusts nothing: GVariant checks the form, the setters check the values.
 */
#include "gstvigilmeta-private.h"

#include <string.h>

#define VERSION 2
/* rectangle, size, bytes per pixel, pixels in this machine's order, names of classes */
#define MASK_TYPE "(dddduuuaya(is))"
/* id, parent, track, full frame, rectangle and its name, detection, classes,
 * whether it is for an object, and the type of that, mask */
#define RESULT_TYPE "(uutb(ddddms)(bmsid)a(idms)bmsm" MASK_TYPE ")"
#define META_TYPE "(msmsmsiuuta" RESULT_TYPE ")"

/* NULL for no mask.  The pixels are not copied. */
static GVariant *pack_mask(const GstVigilMask *mask)
{
    gfloat x, y, region_width, region_height;
    guint width, height;
    GVariantBuilder labels;
    if (!mask)
        return NULL;
    gst_vigil_mask_get_region(mask, &x, &y, &region_width, &region_height);
    gst_vigil_mask_get_size(mask, &width, &height);
    g_variant_builder_init(&labels, G_VARIANT_TYPE("a(is)"));
    for (guint i = 0; i < gst_vigil_mask_get_n_classes(mask); i++) {
        const GstVigilClass *klass = gst_vigil_mask_get_class(mask, i);
        if (klass->label)
            g_variant_builder_add(&labels, "(is)", klass->index, klass->label);
    }
    return g_variant_new(
        "(dddduuu@aya(is))", (gdouble)x, (gdouble)y, (gdouble)region_width,
        (gdouble)region_height, width, height, gst_vigil_mask_get_bytes_per_pixel(mask),
        g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING,
                                 gst_vigil_mask_get_pixels(mask), TRUE),
        &labels);
}

static GVariant *pack_result(const GstVigilResult *result)
{
    GVariantBuilder classes;
    g_variant_builder_init(&classes, G_VARIANT_TYPE("a(idms)"));
    for (guint i = 0; i < gst_vigil_result_get_n_classes(result); i++) {
        const GstVigilClass *klass = gst_vigil_result_get_class(result, i);
        g_variant_builder_add(&classes, "(idms)", klass->index, (gdouble)klass->score,
                              klass->label);
    }
    return g_variant_new(
        "(uutb(ddddms)(bmsid)a(idms)bms@m" MASK_TYPE ")", result->id, result->parent_id,
        result->tracking_id, result->full_frame, (gdouble)result->x, (gdouble)result->y,
        (gdouble)result->width, (gdouble)result->height, result->region_name,
        result->detected, result->label, result->label_id, (gdouble)result->confidence,
        &classes, result->of_object, result->object_type,
        g_variant_new_maybe(G_VARIANT_TYPE(MASK_TYPE), pack_mask(result->mask)));
}

static GVariant *pack(const GstVigilMetaPrivate *meta)
{
    GVariantBuilder results;
    g_variant_builder_init(&results, G_VARIANT_TYPE("a" RESULT_TYPE));
    for (guint i = 0; i < meta->results->len; i++)
        g_variant_builder_add_value(&results,
                                    pack_result(g_ptr_array_index(meta->results, i)));
    return g_variant_ref_sink(g_variant_new(
        META_TYPE, meta->source, meta->model, meta->attribute, (gint)meta->task,
        meta->width, meta->height, meta->pts, &results));
}

static gboolean serialize(const GstMeta *meta, GstByteArrayInterface *data,
                          guint8 *version)
{
    GVariant *packed = pack(((const GstVigilMeta *)meta)->priv);
    *version = VERSION;
    gboolean appended = gst_byte_array_interface_append_data(
        data, g_variant_get_data(packed), g_variant_get_size(packed));
    g_variant_unref(packed);
    return appended;
}

/* NULL where there is none, or one whose numbers do not fit each other.  The pixels are
 * copied: the bytes that came belong to others. */
static GstVigilMask *unpack_mask(GVariant *packed)
{
    gdouble x, y, region_width, region_height;
    guint width, height, bytes_per_pixel;
    gint index;
    const gchar *label;
    GVariant *array;
    GVariantIter *labels;
    if (!packed)
        return NULL;
    g_variant_get(packed, "(dddduuu@aya(is))", &x, &y, &region_width, &region_height,
                  &width, &height, &bytes_per_pixel, &array, &labels);
    const gfloat region[] = { x, y, region_width, region_height };
    GBytes *pixels = g_bytes_new(g_variant_get_data(array), g_variant_get_size(array));
    GstVigilMask *mask =
        gst_vigil_mask_try_new(region, width, height, bytes_per_pixel, pixels);
    while (mask && g_variant_iter_next(labels, "(i&s)", &index, &label))
        gst_vigil_mask_set_label(mask, index, label);
    g_bytes_unref(pixels);
    g_variant_iter_free(labels);
    g_variant_unref(array);
    g_variant_unref(packed);
    return mask;
}

static GstVigilResult *unpack_result(GVariant *packed)
{
    guint id, parent_id;
    guint64 tracking_id;
    gboolean full_frame, detected, for_object;
    gdouble x, y, width, height, confidence, score;
    gint label_id, index;
    const gchar *region_name, *label, *object_type;
    GVariantIter *classes;
    GVariant *packed_mask;
    g_variant_get(packed, "(uutb(ddddm&s)(bm&sid)a(idms)bm&sm@" MASK_TYPE ")", &id,
                  &parent_id, &tracking_id, &full_frame, &x, &y, &width, &height,
                  &region_name, &detected, &label, &label_id, &confidence, &classes,
                  &for_object, &object_type, &packed_mask);
    GstVigilMask *mask = unpack_mask(packed_mask);

    GstVigilResult *result = gst_vigil_result_new(id, full_frame);
    if (!full_frame)
        gst_vigil_result_set_region(result, x, y, width, height);
    gst_vigil_result_set_region_name(result, region_name);
    gst_vigil_result_set_parent_id(result, parent_id);
    gst_vigil_result_set_tracking_id(result, tracking_id);
    if (detected)
        gst_vigil_result_set_detection(result, label, MAX(label_id, -1), confidence);
    while (g_variant_iter_next(classes, "(idm&s)", &index, &score, &label))
        gst_vigil_result_add_class(result, MAX(index, -1), score, label);
    g_variant_iter_free(classes);
    result->of_object = for_object;
    result->object_type = g_intern_string(object_type);
    gst_vigil_result_set_mask(result, mask);
    g_clear_pointer(&mask, gst_vigil_mask_unref);
    return result;
}

static GstMeta *unpack(GstBuffer *buffer, GVariant *packed)
{
    const gchar *source, *model, *attribute;
    gint task;
    guint width, height;
    guint64 pts;
    GVariantIter *results;
    GVariant *result;
    g_variant_get(packed, "(m&sm&sm&siuuta" RESULT_TYPE ")", &source, &model,
                  &attribute, &task, &width, &height, &pts, &results);
    GstVigilMeta *meta =
        gst_buffer_add_vigil_meta(buffer, source, model, task, width, height, pts);
    gst_vigil_meta_set_attribute(meta, attribute);
    while ((result = g_variant_iter_next_value(results))) {
        gst_vigil_meta_add_result(meta, unpack_result(result));
        g_variant_unref(result);
    }
    g_variant_iter_free(results);
    return &meta->meta;
}

static GstMeta *deserialize(const GstMetaInfo *info, GstBuffer *buffer,
                            const guint8 *data, gsize size, guint8 version)
{
    if (version != VERSION)
        return NULL;
    GBytes *bytes = g_bytes_new(data, size);
    GVariant *packed =
        g_variant_new_from_bytes(G_VARIANT_TYPE(META_TYPE), bytes, FALSE);
    g_bytes_unref(bytes);
    g_variant_ref_sink(packed);
    GstMeta *meta = g_variant_is_normal_form(packed) ? unpack(buffer, packed) : NULL;
    g_variant_unref(packed);
    return meta;
}

void gst_vigil_meta_info_add_serialization(GstMetaInfo *info)
{
    info->serialize_func = serialize;
    info->deserialize_func = deserialize;
}
