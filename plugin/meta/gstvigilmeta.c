/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilmeta-private.h"

#include <gst/video/video.h>

GType gst_vigil_task_get_type(void)
{
    static const GEnumValue values[] = {
        { GST_VIGIL_TASK_UNKNOWN, "GST_VIGIL_TASK_UNKNOWN", "unknown" },
        { GST_VIGIL_TASK_CLASSIFICATION, "GST_VIGIL_TASK_CLASSIFICATION",
          "classification" },
        { GST_VIGIL_TASK_DETECTION, "GST_VIGIL_TASK_DETECTION", "detection" },
        { GST_VIGIL_TASK_SEGMENTATION, "GST_VIGIL_TASK_SEGMENTATION", "segmentation" },
        { 0, NULL, NULL },
    };
    static gsize type = 0;
    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstVigilTask", values));
    return type;
}

/* With other spellings of the tags videoconvert drops the meta. */
GType gst_vigil_meta_api_get_type(void)
{
    static const gchar *tags[] = { GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR,
                                   GST_META_TAG_VIDEO_ORIENTATION_STR, NULL };
    static gsize type = 0;
    if (g_once_init_enter(&type))
        g_once_init_leave(&type, gst_meta_api_type_register("GstVigilMetaAPI", tags));
    return type;
}

static gchar *string_ref(gchar *string)
{
    return string ? g_ref_string_acquire(string) : NULL;
}

static void set_string(gchar **field, const gchar *value)
{
    g_clear_pointer(field, g_ref_string_release);
    if (!value)
        return;
    gchar *valid = g_utf8_make_valid(value, -1);
    /* Not interned: of GLib's table another thread may get a string that was released
     * for the last time and is not yet taken out. */
    *field = g_ref_string_new(valid);
    g_free(valid);
}

static gboolean gst_vigil_meta_init(GstMeta *meta, gpointer params, GstBuffer *buffer)
{
    GstVigilMetaPrivate *priv = g_new0(GstVigilMetaPrivate, 1);
    priv->pts = GST_CLOCK_TIME_NONE;
    priv->results =
        g_ptr_array_new_with_free_func((GDestroyNotify)gst_vigil_result_unref);
    ((GstVigilMeta *)meta)->priv = priv;
    return TRUE;
}

static void gst_vigil_meta_free(GstMeta *meta, GstBuffer *buffer)
{
    GstVigilMetaPrivate *priv = ((GstVigilMeta *)meta)->priv;
    set_string(&priv->source, NULL);
    set_string(&priv->model, NULL);
    set_string(&priv->attribute, NULL);
    g_ptr_array_unref(priv->results);
    g_clear_pointer(&priv->mirrored_as, g_array_unref);
    g_free(priv);
}

static gpointer result_ref(gconstpointer result, gpointer unused)
{
    return gst_vigil_result_ref((GstVigilResult *)result);
}

static GstVigilMetaPrivate *copy_to(GstBuffer *buffer, const GstVigilMetaPrivate *from)
{
    GstVigilMeta *meta =
        (GstVigilMeta *)gst_buffer_add_meta(buffer, GST_VIGIL_META_INFO, NULL);
    if (!meta)
        return NULL;
    GstVigilMetaPrivate *to = meta->priv;
    to->source = string_ref(from->source);
    to->model = string_ref(from->model);
    to->attribute = string_ref(from->attribute);
    to->task = from->task;
    to->width = from->width;
    to->height = from->height;
    to->pts = from->pts;
    g_ptr_array_unref(to->results);
    to->results = g_ptr_array_copy(from->results, result_ref, NULL);
    if (from->mirrored_as)
        to->mirrored_as = g_array_copy(from->mirrored_as);
    return to;
}

static guint scaled(guint value, gint from, gint to)
{
    if (from <= 0 || to <= 0)
        return value;
    return (guint)gst_util_uint64_scale_int_round(value, to, from);
}

/* Rectangles are fractions, so that scaling moves only the reference size. */
static gboolean gst_vigil_meta_transform(GstBuffer *dest, GstMeta *meta,
                                         GstBuffer *buffer, GQuark type, gpointer data)
{
    const GstVigilMetaPrivate *from = ((GstVigilMeta *)meta)->priv;
    if (GST_META_TRANSFORM_IS_COPY(type))
        return copy_to(dest, from) != NULL;
    if (!GST_VIDEO_META_TRANSFORM_IS_SCALE(type))
        return FALSE;

    const GstVideoMetaTransform *scale = data;
    GstVigilMetaPrivate *to = copy_to(dest, from);
    if (!to)
        return FALSE;
    to->width = scaled(from->width, GST_VIDEO_INFO_WIDTH(scale->in_info),
                       GST_VIDEO_INFO_WIDTH(scale->out_info));
    to->height = scaled(from->height, GST_VIDEO_INFO_HEIGHT(scale->in_info),
                        GST_VIDEO_INFO_HEIGHT(scale->out_info));
    return TRUE;
}

static const GstMetaInfo *register_info(void)
{
#if GST_CHECK_VERSION(1, 24, 0)
    GstMetaInfo *info = gst_meta_info_new(GST_VIGIL_META_API_TYPE, "GstVigilMeta",
                                          sizeof(GstVigilMeta));
    info->init_func = gst_vigil_meta_init;
    info->free_func = gst_vigil_meta_free;
    info->transform_func = gst_vigil_meta_transform;
    gst_vigil_meta_info_add_serialization(info);
    return gst_meta_info_register(info);
#else
    return gst_meta_register(GST_VIGIL_META_API_TYPE, "GstVigilMeta",
                             sizeof(GstVigilMeta), gst_vigil_meta_init,
                             gst_vigil_meta_free, gst_vigil_meta_transform);
#endif
}

const GstMetaInfo *gst_vigil_meta_get_info(void)
{
    static const GstMetaInfo *info = NULL;
    if (g_once_init_enter(&info))
        g_once_init_leave(&info, register_info());
    return info;
}

GstVigilMeta *gst_buffer_add_vigil_meta(GstBuffer *buffer, const gchar *source,
                                        const gchar *model, GstVigilTask task,
                                        guint width, guint height, GstClockTime pts)
{
    g_return_val_if_fail(GST_IS_BUFFER(buffer), NULL);
    GstVigilMeta *meta =
        (GstVigilMeta *)gst_buffer_add_meta(buffer, GST_VIGIL_META_INFO, NULL);
    if (!meta)
        return NULL;
    set_string(&meta->priv->source, source);
    set_string(&meta->priv->model, model);
    meta->priv->task = task;
    meta->priv->width = width;
    meta->priv->height = height;
    meta->priv->pts = pts;
    return meta;
}

GList *gst_vigil_buffer_get_metas(GstBuffer *buffer)
{
    g_return_val_if_fail(GST_IS_BUFFER(buffer), NULL);
    GList *list = NULL;
    gpointer state = NULL;
    GstMeta *meta;
    while ((meta = gst_buffer_iterate_meta_filtered(buffer, &state,
                                                    GST_VIGIL_META_API_TYPE)))
        list = g_list_prepend(list, meta);
    return g_list_reverse(list);
}

void gst_vigil_meta_add_result(GstVigilMeta *meta, GstVigilResult *result)
{
    g_return_if_fail(meta != NULL && result != NULL);
    g_ptr_array_add(meta->priv->results, result);
}

void gst_vigil_meta_set_attribute(GstVigilMeta *meta, const gchar *attribute)
{
    g_return_if_fail(meta != NULL);
    set_string(&meta->priv->attribute, attribute);
}

const gchar *gst_vigil_meta_get_source(const GstVigilMeta *meta)
{
    g_return_val_if_fail(meta != NULL, NULL);
    return meta->priv->source;
}

const gchar *gst_vigil_meta_get_model(const GstVigilMeta *meta)
{
    g_return_val_if_fail(meta != NULL, NULL);
    return meta->priv->model;
}

GstVigilTask gst_vigil_meta_get_task(const GstVigilMeta *meta)
{
    g_return_val_if_fail(meta != NULL, GST_VIGIL_TASK_UNKNOWN);
    return meta->priv->task;
}

const gchar *gst_vigil_meta_get_attribute(const GstVigilMeta *meta)
{
    g_return_val_if_fail(meta != NULL, NULL);
    return meta->priv->attribute;
}

void gst_vigil_meta_get_frame_size(const GstVigilMeta *meta, guint *width,
                                   guint *height)
{
    g_return_if_fail(meta != NULL);
    if (width)
        *width = meta->priv->width;
    if (height)
        *height = meta->priv->height;
}

GstClockTime gst_vigil_meta_get_pts(const GstVigilMeta *meta)
{
    g_return_val_if_fail(meta != NULL, GST_CLOCK_TIME_NONE);
    return meta->priv->pts;
}

GstClockTime gst_vigil_meta_get_age(const GstVigilMeta *meta, GstClockTime pts)
{
    g_return_val_if_fail(meta != NULL, GST_CLOCK_TIME_NONE);
    if (!GST_CLOCK_TIME_IS_VALID(pts) || !GST_CLOCK_TIME_IS_VALID(meta->priv->pts) ||
        pts < meta->priv->pts)
        return GST_CLOCK_TIME_NONE;
    return pts - meta->priv->pts;
}

guint gst_vigil_meta_get_n_results(const GstVigilMeta *meta)
{
    g_return_val_if_fail(meta != NULL, 0);
    return meta->priv->results->len;
}

GstVigilResult *gst_vigil_meta_get_result(const GstVigilMeta *meta, guint i)
{
    g_return_val_if_fail(meta != NULL, NULL);
    if (i >= meta->priv->results->len)
        return NULL;
    return g_ptr_array_index(meta->priv->results, i);
}

GList *gst_vigil_meta_get_results(const GstVigilMeta *meta)
{
    g_return_val_if_fail(meta != NULL, NULL);
    GList *list = NULL;
    for (guint i = meta->priv->results->len; i > 0; i--)
        list = g_list_prepend(
            list, gst_vigil_result_ref(gst_vigil_meta_get_result(meta, i - 1)));
    return list;
}
