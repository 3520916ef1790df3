/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilframe.h"
#include "gstvigillayout.h"

/* ---- Fields --------------------------------------------------------------------- */

/* Row r of the image is line `every` * r + `first` of the frame. */
typedef struct Lines {
    guint every, first;
    gboolean apart; /* memory holds these lines alone */
} Lines;

static gboolean top_is_first(const GstVideoInfo *info, GstBuffer *buffer)
{
    if (GST_VIDEO_INFO_INTERLACE_MODE(info) == GST_VIDEO_INTERLACE_MODE_INTERLEAVED &&
        GST_VIDEO_INFO_FIELD_ORDER(info) != GST_VIDEO_FIELD_ORDER_UNKNOWN)
        return GST_VIDEO_INFO_FIELD_ORDER(info) ==
               GST_VIDEO_FIELD_ORDER_TOP_FIELD_FIRST;
    return GST_BUFFER_FLAG_IS_SET(buffer, GST_VIDEO_BUFFER_FLAG_TFF);
}

/* Of two fields the one that was taken first; where only one counts, it is that. */
static Lines lines_of(const GstVideoInfo *info, GstBuffer *buffer)
{
    const GstVideoInterlaceMode mode = GST_VIDEO_INFO_INTERLACE_MODE(info);
    const gboolean apart = mode == GST_VIDEO_INTERLACE_MODE_FIELDS ||
                           mode == GST_VIDEO_INTERLACE_MODE_ALTERNATE;

    if (mode == GST_VIDEO_INTERLACE_MODE_PROGRESSIVE ||
        (mode == GST_VIDEO_INTERLACE_MODE_MIXED &&
         !GST_BUFFER_FLAG_IS_SET(buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED)) ||
        GST_VIDEO_INFO_HEIGHT(info) < 2)
        return (Lines) { 1, 0, FALSE };
    return (Lines) { 2, top_is_first(info, buffer) ? 0 : 1, apart };
}

/* Lines of subsampled chroma alternate, too; what lies between two lines of the frame
 * is nearer to the upper one of the top field and to the lower one of the other.  Where
 * their number is odd a field can have a row more of luma than its chroma reaches,
 * which is left out. */
static void take_field(VigilImage *image, const Lines *lines)
{
    const guint n = gst_vigil_layout_components(image);
    const gint first = (gint)lines->first, frame = image->height;

    image->pixel_aspect = MAX(image->pixel_aspect / 2, 0.001);
    if (image->site_y == 0.5F)
        image->site_y = first ? 0.75F : 0.25F;
    image->height = (frame + 1 - first) / 2;
    for (guint c = 0; c < n && !lines->apart; c++) {
        VigilComponent *component = &image->component[c];
        const gint rows = -(-frame >> component->shift_y);
        const gint own = (rows + 1 - first) / 2;
        component->data += first * component->row_stride;
        component->row_stride *= 2;
        image->height = MIN(image->height, MAX(own, 1) << component->shift_y);
    }
}

/* ---- What is visible ------------------------------------------------------------ */

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
static void move_origin(VigilImage *image, guint n, gint x, gint y)
{
    for (guint c = 0; c < n; c++) {
        VigilComponent *component = &image->component[c];
        component->data +=
            (ptrdiff_t)(y >> component->shift_y) * component->row_stride +
            (ptrdiff_t)(x >> component->shift_x) * component->pixel_stride;
    }
}

typedef struct Rectangle {
    guint x, y, width, height; /* pixels of the frame */
} Rectangle;

/* Narrows the image to what is visible, so that filters do not reach what is not; only
 * an origin inside a block of subsampled chroma stays a fraction.  *left, *above: the
 * column and row of the image that became its first. */
static void narrow(VigilImage *image, const Lines *lines, const Rectangle *seen,
                   gint *left, gint *above)
{
    const guint n = gst_vigil_layout_components(image);
    const gint every = (gint)lines->every, before = every - 1 - (gint)lines->first;
    gint block_x = 1, block_y = 1;

    for (guint c = 0; c < n; c++) {
        block_x = MAX(block_x, 1 << image->component[c].shift_x);
        block_y = MAX(block_y, 1 << image->component[c].shift_y);
    }
    const gint top = MIN(((gint)seen->y + before) / every, image->height - 1);
    const gint end = ((gint)(seen->y + seen->height) + before) / every;
    *left = (gint)seen->x - (gint)seen->x % block_x;
    *above = top - top % block_y;
    move_origin(image, n, *left, *above);
    image->width = (gint)(seen->x + seen->width) - *left;
    image->height = CLAMP(end, top + 1, image->height) - *above;
}

/* A line lies in the middle of its row, so that those of a field begin a quarter of a
 * row before or behind the frame. */
static VigilRegion fractions(const VigilImage *image, const Lines *lines,
                             const Rectangle *seen, gint left, gint above)
{
    const double every = lines->every;
    const double shift = every == 2 ? 0.5 - lines->first : 0;

    return (VigilRegion) {
        .x = (float)(((double)seen->x - left) / image->width),
        .y = (float)(((seen->y + shift) / every - above) / image->height),
        .width = (float)((double)seen->width / image->width),
        .height = (float)(seen->height / every / image->height),
    };
}

/* ---- Interface ------------------------------------------------------------------ */

static gboolean fill(GstVigilFrame *frame, const GstVideoInfo *info, const Lines *lines,
                     GError **error)
{
    const GstVigilPlanes *planes = &frame->planes;
    const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta(planes->buffer);
    VigilImage *image = &frame->image;
    Rectangle seen = { 0, 0, (guint)GST_VIDEO_INFO_WIDTH(info),
                       (guint)GST_VIDEO_INFO_HEIGHT(info) };
    gint left, above;

    if (planes->meta)
        seen.width = planes->meta->width;
    if (planes->meta && !lines->apart)
        seen.height = planes->meta->height;
    gst_vigil_layout_fill(image, info, planes->data, planes->stride);
    image->width = (gint)seen.width;
    image->height = (gint)seen.height;
    if (lines->every == 2)
        take_field(image, lines);
    for (guint c = 0; c < gst_vigil_layout_components(image); c++)
        if (!gst_vigil_planes_hold(planes, info, image, c, error))
            return FALSE;
    if (crop && !check_crop(crop, seen.width, seen.height, error))
        return FALSE;
    if (crop)
        seen = (Rectangle) { crop->x, crop->y, crop->width, crop->height };
    narrow(image, lines, &seen, &left, &above);
    frame->visible = fractions(image, lines, &seen, left, above);
    frame->width = seen.width;
    frame->height = seen.height;
    return TRUE;
}

static gboolean map_and_fill(GstVigilFrame *frame, const GstVideoInfo *info,
                             GstBuffer *buffer, gboolean joined, GError **error)
{
    const Lines lines = lines_of(info, buffer);

    if (!gst_vigil_planes_map(&frame->planes, info, buffer, joined, error))
        return FALSE;
    if (fill(frame, info, &lines, error))
        return TRUE;
    gst_vigil_planes_unmap(&frame->planes);
    return FALSE;
}

gboolean gst_vigil_frame_map(GstVigilFrame *frame, const GstVideoInfo *info,
                             GstBuffer *buffer, GError **error)
{
    GError *apart = NULL;

    if (map_and_fill(frame, info, buffer, FALSE, &apart))
        return TRUE;
    /* A plane may go on in the next memory. */
    if (frame->planes.meta && gst_buffer_n_memory(buffer) > 1 &&
        map_and_fill(frame, info, buffer, TRUE, NULL)) {
        g_error_free(apart);
        return TRUE;
    }
    g_propagate_error(error, apart);
    return FALSE;
}

void gst_vigil_frame_unmap(GstVigilFrame *frame)
{
    gst_vigil_planes_unmap(&frame->planes);
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
