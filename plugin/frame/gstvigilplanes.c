/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilplanes.h"

#define SMALLER "The frame's memory is smaller than its GstVideoMeta says: "
#define MAX_SIDE (1 << 20) /* what products of sides do not overflow with */

/* Formats of DMABuf caps have a name of their own. */
static gboolean same_format(GstVideoFormat meta, GstVideoFormat caps)
{
#if GST_CHECK_VERSION(1, 24, 0)
    if (meta == GST_VIDEO_FORMAT_DMA_DRM)
        return TRUE;
#endif
    return meta == caps;
}

/* Of one field a meta may tell its own height or the frame's. */
static gboolean check_meta(const GstVideoMeta *meta, const GstVideoInfo *info,
                           GError **error)
{
    const GstVideoInterlaceMode mode = GST_VIDEO_INFO_INTERLACE_MODE(info);
    const gboolean apart = mode == GST_VIDEO_INTERLACE_MODE_FIELDS ||
                           mode == GST_VIDEO_INTERLACE_MODE_ALTERNATE;
    const gint height = GST_VIDEO_INFO_HEIGHT(info);
    const gint rows = apart ? GST_ROUND_UP_2(height) / 2 : height;

    if (same_format(meta->format, GST_VIDEO_INFO_FORMAT(info)) &&
        meta->n_planes == GST_VIDEO_INFO_N_PLANES(info) && meta->width <= MAX_SIDE &&
        meta->height <= MAX_SIDE && (gint)meta->width >= GST_VIDEO_INFO_WIDTH(info) &&
        (gint)meta->height >= rows)
        return TRUE;
    g_set_error(
        error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
        "The frame's GstVideoMeta says %ux%u %s in %u planes, its caps %dx%d %s "
        "in %u.",
        meta->width, meta->height, gst_video_format_to_string(meta->format),
        meta->n_planes, GST_VIDEO_INFO_WIDTH(info), rows,
        gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(info)),
        GST_VIDEO_INFO_N_PLANES(info));
    return FALSE;
}

/* Only metas tell where two fields lie that are not interleaved. */
static gboolean check_no_meta(const GstVideoInfo *info, GError **error)
{
    if (GST_VIDEO_INFO_INTERLACE_MODE(info) != GST_VIDEO_INTERLACE_MODE_FIELDS)
        return TRUE;
    g_set_error_literal(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                        "The caps say interlace-mode=fields, but the frame has no "
                        "GstVideoMeta that tells where its fields are.");
    return FALSE;
}

static gboolean fail_map(const GstVideoInfo *info, GstBuffer *buffer, GError **error)
{
    g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
                "A frame of %dx%d %s in %" G_GSIZE_FORMAT " bytes cannot be mapped for "
                "reading; the caps ask for %" G_GSIZE_FORMAT " bytes.",
                GST_VIDEO_INFO_WIDTH(info), GST_VIDEO_INFO_HEIGHT(info),
                gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(info)),
                gst_buffer_get_size(buffer), GST_VIDEO_INFO_SIZE(info));
    return FALSE;
}

static gboolean fail_plane(const GstVigilPlanes *planes, guint plane,
                           const GstVideoInfo *info, GError **error)
{
    const gsize at = planes->meta->offset[plane];
    const gsize size = gst_buffer_get_size(planes->buffer);

    if (at < size)
        return fail_map(info, planes->buffer, error);
    g_set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                SMALLER "plane %u of %ux%u %s begins at byte %" G_GSIZE_FORMAT
                        " of %" G_GSIZE_FORMAT ".",
                plane, planes->meta->width, planes->meta->height,
                gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(info)), at, size);
    return FALSE;
}

static gboolean map_joined(GstVigilPlanes *planes, const GstVideoInfo *info,
                           GError **error)
{
    const GstVideoMeta *meta = planes->meta;

    if (!gst_buffer_map(planes->buffer, &planes->map[0], GST_MAP_READ))
        return fail_map(info, planes->buffer, error);
    planes->n_maps = 1;
    for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES(info); i++) {
        planes->at[i] = meta ? meta->offset[i] : info->offset[i];
        planes->data[i] = planes->map[0].data + MIN(planes->at[i], planes->map[0].size);
        planes->stride[i] = meta ? meta->stride[i] : info->stride[i];
    }
    return TRUE;
}

static gboolean map_each(GstVigilPlanes *planes, const GstVideoInfo *info,
                         GError **error)
{
    planes->each = TRUE;
    for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES(info); i++) {
        gpointer data;
        if (!gst_video_meta_map(planes->meta, i, &planes->map[i], &data,
                                &planes->stride[i], GST_MAP_READ)) {
            gst_vigil_planes_unmap(planes);
            return fail_plane(planes, i, info, error);
        }
        planes->data[i] = data;
        planes->at[i] = (gsize)(planes->data[i] - planes->map[i].data);
        planes->n_maps = i + 1;
    }
    return TRUE;
}

gboolean gst_vigil_planes_map(GstVigilPlanes *planes, const GstVideoInfo *info,
                              GstBuffer *buffer, gboolean joined, GError **error)
{
    *planes = (GstVigilPlanes) {
        .buffer = buffer,
        .meta = gst_buffer_get_video_meta(buffer),
    };
    if (planes->meta ? !check_meta(planes->meta, info, error)
                     : !check_no_meta(info, error))
        return FALSE;
    return planes->meta && !joined ? map_each(planes, info, error)
                                   : map_joined(planes, info, error);
}

void gst_vigil_planes_unmap(GstVigilPlanes *planes)
{
    for (guint i = 0; i < planes->n_maps; i++) {
        if (planes->each)
            gst_video_meta_unmap(planes->meta, i, &planes->map[i]);
        else
            gst_buffer_unmap(planes->buffer, &planes->map[i]);
    }
    planes->n_maps = 0;
}

/* First and past-the-last byte of a component, counted from its sample (0, 0). */
static void component_extent(const VigilImage *image, const VigilComponent *c,
                             gint64 *first, gint64 *end)
{
    const gint64 rows = -(-image->height >> c->shift_y);
    const gint64 columns = -(-image->width >> c->shift_x);
    const gint64 down = (rows - 1) * c->row_stride;

    *first = MIN(down, 0);
    *end = MAX(down, 0) + (columns - 1) * c->pixel_stride + (c->bits ? 2 : 1);
}

gboolean gst_vigil_planes_hold(const GstVigilPlanes *planes, const GstVideoInfo *info,
                               const VigilImage *image, guint c, GError **error)
{
    const VigilComponent *component = &image->component[c];
    const guint plane = GST_VIDEO_FORMAT_INFO_PLANE(info->finfo, c);
    const gsize size = planes->map[planes->each ? plane : 0].size;
    gint64 first, end;

    component_extent(image, component, &first, &end);
    const gint64 at =
        (gint64)planes->at[plane] + (component->data - planes->data[plane]);
    if (planes->at[plane] <= size && at + first >= 0 && at + end <= (gint64)size)
        return TRUE;
    if (!planes->meta)
        return fail_map(info, planes->buffer, error);
    g_set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                SMALLER "plane %u of %ux%u %s takes bytes %" G_GINT64_FORMAT
                        " to %" G_GINT64_FORMAT " of %" G_GSIZE_FORMAT ".",
                plane, planes->meta->width, planes->meta->height,
                gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(info)), at + first,
                at + end, size);
    return FALSE;
}
