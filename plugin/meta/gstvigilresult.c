/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilmeta-private.h"

#include <math.h>

G_DEFINE_BOXED_TYPE(GstVigilClass, gst_vigil_class, gst_vigil_class_copy,
                    gst_vigil_class_free)
G_DEFINE_BOXED_TYPE(GstVigilResult, gst_vigil_result, gst_vigil_result_ref,
                    gst_vigil_result_unref)

static gfloat unit_interval(gfloat value)
{
    return isfinite(value) ? CLAMP(value, 0.0f, 1.0f) : 0.0f;
}

const gchar *gst_vigil_intern_utf8(const gchar *text)
{
    if (!text || g_utf8_validate(text, -1, NULL))
        return g_intern_string(text);
    gchar *valid = g_utf8_make_valid(text, -1);
    const gchar *interned = g_intern_string(valid);
    g_free(valid);
    return interned;
}

GstVigilClass *gst_vigil_class_copy(const GstVigilClass *klass)
{
    return g_memdup2(klass, sizeof *klass);
}

void gst_vigil_class_free(GstVigilClass *klass)
{
    g_free(klass);
}

guint gst_vigil_next_id(void)
{
    static guint last; /* atomic */
    guint id;
    do
        id = (guint)g_atomic_int_add(&last, 1) + 1;
    while (id == 0);
    return id;
}

GstVigilResult *gst_vigil_result_new(guint id, gboolean full_frame)
{
    GstVigilResult *result = g_new0(GstVigilResult, 1);
    g_atomic_ref_count_init(&result->refs);
    result->id = id ? id : gst_vigil_next_id();
    result->full_frame = full_frame;
    result->width = result->height = 1.0f;
    result->label_id = -1;
    return result;
}

void gst_vigil_result_set_region(GstVigilResult *result, gfloat x, gfloat y,
                                 gfloat width, gfloat height)
{
    result->x = unit_interval(x);
    result->y = unit_interval(y);
    result->width = unit_interval(x + width) - result->x;
    result->height = unit_interval(y + height) - result->y;
    result->width = MAX(result->width, 0.0f);
    result->height = MAX(result->height, 0.0f);
}

GstVigilResult *gst_vigil_result_new_full_frame(void)
{
    return gst_vigil_result_new(0, TRUE);
}

GstVigilResult *gst_vigil_result_new_region(gfloat x, gfloat y, gfloat width,
                                            gfloat height)
{
    GstVigilResult *result = gst_vigil_result_new(0, FALSE);
    gst_vigil_result_set_region(result, x, y, width, height);
    return result;
}

GstVigilResult *gst_vigil_result_new_for_object(const GstVigilResult *object)
{
    g_return_val_if_fail(object != NULL, NULL);
    GstVigilResult *result = gst_vigil_result_new(0, object->full_frame);
    result->x = object->x;
    result->y = object->y;
    result->width = object->width;
    result->height = object->height;
    result->region_name = object->region_name;
    result->parent_id = object->id;
    result->tracking_id = object->tracking_id;
    result->of_object = TRUE;
    result->object_type = gst_vigil_result_get_roi_type(object);
    return result;
}

GstVigilResult *gst_vigil_result_new_for_roi(gint roi_id, const gchar *roi_type,
                                             gfloat x, gfloat y, gfloat width,
                                             gfloat height)
{
    GstVigilResult *result = gst_vigil_result_new_region(x, y, width, height);
    result->parent_id = roi_id > 0 ? (guint)roi_id : 0;
    result->region_name =
        roi_type && *roi_type ? gst_vigil_intern_utf8(roi_type) : NULL;
    result->of_object = result->of_foreign = TRUE;
    result->foreign_id = roi_id;
    result->object_type = g_intern_string(roi_type);
    return result;
}

const gchar *gst_vigil_result_get_roi_type(const GstVigilResult *result)
{
    if (result->label)
        return result->label;
    if (result->object_type)
        return result->object_type;
    return result->region_name ? result->region_name : "";
}

GstVigilResult *gst_vigil_result_copy(const GstVigilResult *result)
{
    g_return_val_if_fail(result != NULL, NULL);
    GstVigilResult *copy = g_memdup2(result, sizeof *result);
    g_atomic_ref_count_init(&copy->refs);
    if (result->classes)
        copy->classes = g_array_copy(result->classes);
    if (result->mask)
        gst_vigil_mask_ref(result->mask);
    return copy;
}

GstVigilResult *gst_vigil_result_ref(GstVigilResult *result)
{
    g_return_val_if_fail(result != NULL, NULL);
    g_atomic_ref_count_inc(&result->refs);
    return result;
}

void gst_vigil_result_unref(GstVigilResult *result)
{
    g_return_if_fail(result != NULL);
    if (!g_atomic_ref_count_dec(&result->refs))
        return;
    g_clear_pointer(&result->classes, g_array_unref);
    g_clear_pointer(&result->mask, gst_vigil_mask_unref);
    g_free(result);
}

static gboolean is_writable(GstVigilResult *result)
{
    return g_atomic_ref_count_compare(&result->refs, 1);
}

void gst_vigil_result_add_class(GstVigilResult *result, gint index, gfloat score,
                                const gchar *label)
{
    g_return_if_fail(result != NULL && is_writable(result));
    g_return_if_fail(index >= -1);
    GstVigilClass klass = {
        .index = index,
        .score = unit_interval(score),
        .label = gst_vigil_intern_utf8(label),
    };
    if (!result->classes)
        result->classes = g_array_new(FALSE, FALSE, sizeof klass);
    g_array_append_val(result->classes, klass);
}

void gst_vigil_result_set_region_name(GstVigilResult *result, const gchar *name)
{
    g_return_if_fail(result != NULL && is_writable(result));
    result->region_name = gst_vigil_intern_utf8(name);
}

void gst_vigil_result_set_detection(GstVigilResult *result, const gchar *label,
                                    gint label_id, gfloat confidence)
{
    g_return_if_fail(result != NULL && is_writable(result));
    g_return_if_fail(label_id >= -1);
    result->detected = TRUE;
    result->label = gst_vigil_intern_utf8(label);
    result->label_id = label_id;
    result->confidence = unit_interval(confidence);
}

void gst_vigil_result_set_mask(GstVigilResult *result, GstVigilMask *mask)
{
    g_return_if_fail(result != NULL && is_writable(result));
    if (mask)
        gst_vigil_mask_ref(mask);
    g_clear_pointer(&result->mask, gst_vigil_mask_unref);
    result->mask = mask;
}

void gst_vigil_result_set_parent_id(GstVigilResult *result, guint parent_id)
{
    g_return_if_fail(result != NULL && is_writable(result));
    result->parent_id = parent_id;
}

void gst_vigil_result_set_tracking_id(GstVigilResult *result, guint64 tracking_id)
{
    g_return_if_fail(result != NULL && is_writable(result));
    result->tracking_id = tracking_id;
}

guint gst_vigil_result_get_id(const GstVigilResult *result)
{
    g_return_val_if_fail(result != NULL, 0);
    return result->id;
}

guint gst_vigil_result_get_parent_id(const GstVigilResult *result)
{
    g_return_val_if_fail(result != NULL, 0);
    return result->parent_id;
}

guint64 gst_vigil_result_get_tracking_id(const GstVigilResult *result)
{
    g_return_val_if_fail(result != NULL, 0);
    return result->tracking_id;
}

gboolean gst_vigil_result_is_for_object(const GstVigilResult *result)
{
    g_return_val_if_fail(result != NULL, FALSE);
    return result->of_object;
}

gboolean gst_vigil_result_is_full_frame(const GstVigilResult *result)
{
    g_return_val_if_fail(result != NULL, FALSE);
    return result->full_frame;
}

void gst_vigil_result_get_region(const GstVigilResult *result, gfloat *x, gfloat *y,
                                 gfloat *width, gfloat *height)
{
    g_return_if_fail(result != NULL);
    if (x)
        *x = result->x;
    if (y)
        *y = result->y;
    if (width)
        *width = result->width;
    if (height)
        *height = result->height;
}

const gchar *gst_vigil_result_get_region_name(const GstVigilResult *result)
{
    g_return_val_if_fail(result != NULL, NULL);
    return result->region_name;
}

static void to_pixels(gdouble begin, gdouble length, guint size, guint *first,
                      guint *count)
{
    guint from = (guint)floor(begin * size + 0.5);
    guint to = (guint)floor((begin + length) * size + 0.5);
    to = MIN(to, size);
    from = MIN(from, size ? size - 1 : 0);
    if (to <= from && size)
        to = from + 1;
    if (first)
        *first = from;
    if (count)
        *count = to - from;
}

void gst_vigil_result_get_region_pixels(const GstVigilResult *result, guint frame_width,
                                        guint frame_height, guint *x, guint *y,
                                        guint *width, guint *height)
{
    g_return_if_fail(result != NULL);
    to_pixels(result->x, result->width, frame_width, x, width);
    to_pixels(result->y, result->height, frame_height, y, height);
}

gboolean gst_vigil_result_get_detection(const GstVigilResult *result,
                                        const gchar **label, gint *label_id,
                                        gfloat *confidence)
{
    g_return_val_if_fail(result != NULL, FALSE);
    if (!result->detected)
        return FALSE;
    if (label)
        *label = result->label;
    if (label_id)
        *label_id = result->label_id;
    if (confidence)
        *confidence = result->confidence;
    return TRUE;
}

guint gst_vigil_result_get_n_classes(const GstVigilResult *result)
{
    g_return_val_if_fail(result != NULL, 0);
    return result->classes ? result->classes->len : 0;
}

const GstVigilClass *gst_vigil_result_get_class(const GstVigilResult *result, guint i)
{
    g_return_val_if_fail(result != NULL, NULL);
    if (!result->classes || i >= result->classes->len)
        return NULL;
    return &g_array_index(result->classes, GstVigilClass, i);
}

GstVigilMask *gst_vigil_result_get_mask(const GstVigilResult *result)
{
    g_return_val_if_fail(result != NULL, NULL);
    return result->mask;
}
