/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilframe.h"

gboolean gst_vigil_frame_info_from_caps(GstVideoInfo *info, const GstCaps *caps)
{
    if (!gst_video_info_from_caps(info, caps))
        return FALSE;
    const gchar *site =
        gst_structure_get_string(gst_caps_get_structure(caps, 0), "chroma-site");
    if (site)
        GST_VIDEO_INFO_CHROMA_SITE(info) = gst_video_chroma_site_from_string(site);
    return TRUE;
}

/* First and past-the-last byte that component `c` touches, relative to the plane. */
static void component_extent(const GstVideoFrame *video, guint c, gint64 *first,
                             gint64 *end)
{
    const gint64 stride = GST_VIDEO_FRAME_COMP_STRIDE(video, c);
    const gint64 down = stride * (GST_VIDEO_FRAME_COMP_HEIGHT(video, c) - 1);
    const gint64 across = (gint64)GST_VIDEO_FRAME_COMP_PSTRIDE(video, c) *
                          (GST_VIDEO_FRAME_COMP_WIDTH(video, c) - 1);
    const gint64 offset = GST_VIDEO_FRAME_COMP_POFFSET(video, c);

    *first = offset + MIN(down, 0);
    *end = offset + MAX(down, 0) + across + 1;
}

/* A GstVideoMeta may promise more bytes than its memory has. */
static gboolean component_inside(const GstVideoFrame *video, guint c)
{
    const guint plane = GST_VIDEO_FRAME_COMP_PLANE(video, c);
    const GstMapInfo *map = &video->map[video->meta ? plane : 0];
    const guint8 *data = GST_VIDEO_FRAME_PLANE_DATA(video, plane);
    gint64 first, end;

    component_extent(video, c, &first, &end);
    const gint64 at = data - map->data;
    return at + first >= 0 && at + end <= (gint64)map->size;
}

static guint component_count(const GstVideoFrame *video)
{
    return MIN(GST_VIDEO_FRAME_N_COMPONENTS(video), 3); /* alpha is the fourth */
}

static gboolean check_bounds(const GstVideoFrame *video, GError **error)
{
    for (guint c = 0; c < component_count(video); c++) {
        if (component_inside(video, c))
            continue;
        g_set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                    "The frame's memory is smaller than its GstVideoMeta says: %dx%d "
                    "%s does not fit in %" G_GSIZE_FORMAT " bytes.",
                    GST_VIDEO_FRAME_WIDTH(video), GST_VIDEO_FRAME_HEIGHT(video),
                    gst_video_format_to_string(GST_VIDEO_FRAME_FORMAT(video)),
                    gst_buffer_get_size(video->buffer));
        return FALSE;
    }
    return TRUE;
}

static VigilColor frame_color(const GstVideoFormatInfo *format)
{
    if (GST_VIDEO_FORMAT_INFO_IS_GRAY(format))
        return VIGIL_COLOR_GRAY;
    return GST_VIDEO_FORMAT_INFO_IS_RGB(format) ? VIGIL_COLOR_RGB : VIGIL_COLOR_YUV;
}

static void fill_components(VigilImage *image, const GstVideoFrame *video)
{
    for (guint c = 0; c < component_count(video); c++) {
        image->component[c] = (VigilComponent) {
            .data = GST_VIDEO_FRAME_COMP_DATA(video, c),
            .row_stride = GST_VIDEO_FRAME_COMP_STRIDE(video, c),
            .pixel_stride = GST_VIDEO_FRAME_COMP_PSTRIDE(video, c),
            .shift_x = (int)GST_VIDEO_FORMAT_INFO_W_SUB(video->info.finfo, c),
            .shift_y = (int)GST_VIDEO_FORMAT_INFO_H_SUB(video->info.finfo, c),
        };
    }
}

/* A matrix that is unknown, or that is RGB's on a YUV format, is taken as BT.601. */
static void fill_color(VigilImage *image, const GstVideoInfo *info)
{
    const GstVideoColorimetry *color = &info->colorimetry;

    if (!gst_video_color_matrix_get_Kr_Kb(color->matrix, &image->kr, &image->kb))
        gst_video_color_matrix_get_Kr_Kb(GST_VIDEO_COLOR_MATRIX_BT601, &image->kr,
                                         &image->kb);
    /* Without a range in the caps, video is limited and GStreamer's grey is full. */
    image->full_range =
        color->range == GST_VIDEO_COLOR_RANGE_0_255 ||
        (color->range == GST_VIDEO_COLOR_RANGE_UNKNOWN && !GST_VIDEO_INFO_IS_YUV(info));
    image->site_x = info->chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED ? 0 : 0.5F;
    image->site_y = info->chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED ? 0 : 0.5F;
}

/* A fraction that no camera has is held to what the engine takes. */
static double pixel_aspect(const GstVideoInfo *info)
{
    const int n = GST_VIDEO_INFO_PAR_N(info), d = GST_VIDEO_INFO_PAR_D(info);

    return n > 0 && d > 0 ? CLAMP((double)n / d, 0.001, 1000) : 1;
}

static void fill_image(VigilImage *image, const GstVideoFrame *video)
{
    const GstVideoInfo *info = &video->info;

    *image = (VigilImage) {
        .width = GST_VIDEO_INFO_WIDTH(info),
        .height = GST_VIDEO_INFO_HEIGHT(info),
        .color = frame_color(info->finfo),
        .pixel_aspect = pixel_aspect(info),
    };
    fill_components(image, video);
    fill_color(image, info);
}

static gboolean check_crop(const GstVideoCropMeta *crop, guint width, guint height,
                           GError **error)
{
    if (crop->width && crop->height && crop->x < width && crop->y < height &&
        crop->width <= width - crop->x && crop->height <= height - crop->y)
        return TRUE;
    g_set_error(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
                "The frame's GstVideoCropMeta, %ux%u at %u,%u, is not inside the frame "
                "of %ux%u.",
                crop->width, crop->height, crop->x, crop->y, width, height);
    return FALSE;
}

/* Moves the first pixel of the image to x, y, multiples of every subsampling. */
static void move_origin(VigilImage *image, guint n, guint x, guint y)
{
    for (guint c = 0; c < n; c++) {
        VigilComponent *component = &image->component[c];
        component->data +=
            (ptrdiff_t)(y >> component->shift_y) * component->row_stride +
            (ptrdiff_t)(x >> component->shift_x) * component->pixel_stride;
    }
}

/* Narrows the image to what is visible, so that filters do not reach what is not; only
 * an origin inside a block of subsampled chroma stays a fraction. */
static gboolean fill_visible(GstVigilFrame *frame, GstBuffer *buffer, GError **error)
{
    const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta(buffer);
    VigilImage *image = &frame->image;
    const guint n = component_count(&frame->video);
    guint block_x = 1, block_y = 1;

    frame->width = (guint)image->width;
    frame->height = (guint)image->height;
    frame->visible = (VigilRegion) { 0, 0, 1, 1 };
    if (!crop)
        return TRUE;
    if (!check_crop(crop, frame->width, frame->height, error))
        return FALSE;
    for (guint c = 0; c < n; c++) {
        block_x = MAX(block_x, 1U << image->component[c].shift_x);
        block_y = MAX(block_y, 1U << image->component[c].shift_y);
    }
    const guint left = crop->x % block_x, top = crop->y % block_y;
    move_origin(image, n, crop->x - left, crop->y - top);
    image->width = (int)(left + crop->width);
    image->height = (int)(top + crop->height);
    frame->width = crop->width;
    frame->height = crop->height;
    frame->visible = (VigilRegion) {
        .x = (float)left / (float)image->width,
        .y = (float)top / (float)image->height,
        .width = (float)crop->width / (float)image->width,
        .height = (float)crop->height / (float)image->height,
    };
    return TRUE;
}

gboolean gst_vigil_frame_map(GstVigilFrame *frame, const GstVideoInfo *info,
                             GstBuffer *buffer, GError **error)
{
    const GstMapFlags flags =
        (GstMapFlags)GST_VIDEO_FRAME_MAP_FLAG_NO_REF | GST_MAP_READ;

    if (!gst_video_frame_map(&frame->video, info, buffer, flags)) {
        g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
                    "A frame of %dx%d %s in %" G_GSIZE_FORMAT " bytes cannot be mapped "
                    "for reading; the caps ask for %" G_GSIZE_FORMAT " bytes.",
                    GST_VIDEO_INFO_WIDTH(info), GST_VIDEO_INFO_HEIGHT(info),
                    gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(info)),
                    gst_buffer_get_size(buffer), GST_VIDEO_INFO_SIZE(info));
        return FALSE;
    }
    fill_image(&frame->image, &frame->video);
    if (!check_bounds(&frame->video, error) || !fill_visible(frame, buffer, error)) {
        gst_vigil_frame_unmap(frame);
        return FALSE;
    }
    return TRUE;
}

void gst_vigil_frame_unmap(GstVigilFrame *frame)
{
    gst_video_frame_unmap(&frame->video);
}

VigilRegion gst_vigil_frame_region(const GstVigilFrame *frame,
                                   const VigilRegion *region)
{
    const VigilRegion *in = &frame->visible;

    if (!region)
        return *in;
    return (VigilRegion) {
        .x = in->x + region->x * in->width,
        .y = in->y + region->y * in->height,
        .width = region->width * in->width,
        .height = region->height * in->height,
    };
}
