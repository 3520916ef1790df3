/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilmaskpaint.h"

#include <string.h>

#define MAX_CLASSES 65536
#define NOT_COVERED G_MAXUINT

static gboolean is_wanted(gchar *const *wanted, const GstVigilClass *klass)
{
    gchar number[16];

    g_snprintf(number, sizeof number, "%d", klass->index);
    for (guint i = 0; wanted[i]; i++)
        if (g_strcmp0(wanted[i], klass->label) == 0 || strcmp(wanted[i], number) == 0)
            return TRUE;
    return FALSE;
}

/* What the classes of this mask become. */
static void fill_values(GstVigilMaskPainter *p, const GstVigilMask *mask)
{
    guint8 *values = p->values;
    const GstVigilClass *klass;

    values[gst_vigil_mask_get_bytes_per_pixel(mask) == 1 ? 0xff : 0xffff] =
        p->background;
    for (guint i = 0; (klass = gst_vigil_mask_get_class(mask, i)); i++) {
        if (p->wanted) {
            values[klass->index] = is_wanted(p->wanted, klass) ? 255 : 0;
        } else if (klass->index < 255) {
            values[klass->index] = (guint8)klass->index;
        } else {
            values[klass->index] = p->background;
            p->too_high = klass->index;
        }
    }
}

/* The pixel of the mask that lies nearest to pixel i of n of the frame. */
static guint nearest(guint i, guint n, gfloat start, gfloat length, guint pixels)
{
    const gdouble at = ((i + 0.5) / n - start) / length * pixels;

    return at >= 0 && at < pixels ? (guint)at : NOT_COVERED;
}

static void paint_row(const GstVigilMaskPainter *p, guint8 *to, guint width,
                      const guint8 *from, guint bytes_per_pixel)
{
    for (guint x = 0; x < width; x++) {
        const guint column = p->columns[x];
        guint16 wide;
        if (column == NOT_COVERED)
            continue;
        if (bytes_per_pixel == 1) {
            to[x] = p->values[from[column]];
        } else {
            memcpy(&wide, from + 2 * (gsize)column, sizeof wide);
            to[x] = p->values[wide];
        }
    }
}

void gst_vigil_mask_painter_begin(GstVigilMaskPainter *p, GstVideoFrame *frame,
                                  gchar *const *wanted, guint8 background)
{
    const guint width = (guint)GST_VIDEO_FRAME_WIDTH(frame);

    if (!p->values)
        p->values = g_new0(guint8, MAX_CLASSES);
    if (p->width < width)
        p->columns = g_renew(guint, p->columns, width);
    p->width = MAX(p->width, width);
    p->frame = frame;
    p->wanted = wanted;
    p->background = background;
    p->too_high = -1;
    for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT(frame); y++)
        memset((guint8 *)GST_VIDEO_FRAME_PLANE_DATA(frame, 0) +
                   (gssize)y * GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0),
               background, width);
}

void gst_vigil_mask_painter_add(GstVigilMaskPainter *p, const GstVigilMask *mask)
{
    GstVideoFrame *frame = p->frame;
    const guint width = (guint)GST_VIDEO_FRAME_WIDTH(frame);
    const guint height = (guint)GST_VIDEO_FRAME_HEIGHT(frame);
    const guint bytes = gst_vigil_mask_get_bytes_per_pixel(mask);
    const guint8 *pixels = g_bytes_get_data(gst_vigil_mask_get_pixels(mask), NULL);
    gfloat left, top, region_width, region_height;
    guint columns, rows;

    fill_values(p, mask);
    gst_vigil_mask_get_region(mask, &left, &top, &region_width, &region_height);
    gst_vigil_mask_get_size(mask, &columns, &rows);
    for (guint x = 0; x < width; x++)
        p->columns[x] = nearest(x, width, left, region_width, columns);
    for (guint y = 0; y < height; y++) {
        const guint row = nearest(y, height, top, region_height, rows);
        guint8 *to = (guint8 *)GST_VIDEO_FRAME_PLANE_DATA(frame, 0) +
                     (gssize)y * GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0);
        if (row != NOT_COVERED)
            paint_row(p, to, width, pixels + (gsize)row * columns * bytes, bytes);
    }
}

void gst_vigil_mask_painter_clear(GstVigilMaskPainter *p)
{
    g_clear_pointer(&p->columns, g_free);
    g_clear_pointer(&p->values, g_free);
    p->width = 0;
}
