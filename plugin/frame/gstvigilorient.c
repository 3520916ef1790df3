/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include "gstvigilorient.h"

/* How a stored pixel is found from an upright one: axes exchanged first, then counted
 * from the far end. */
typedef struct Walk {
    gboolean swap, from_right, from_bottom;
} Walk;

static const Walk walks[] = {
    [GST_VIDEO_ORIENTATION_IDENTITY] = { FALSE, FALSE, FALSE },
    [GST_VIDEO_ORIENTATION_90R] = { TRUE, FALSE, TRUE },
    [GST_VIDEO_ORIENTATION_180] = { FALSE, TRUE, TRUE },
    [GST_VIDEO_ORIENTATION_90L] = { TRUE, TRUE, FALSE },
    [GST_VIDEO_ORIENTATION_HORIZ] = { FALSE, TRUE, FALSE },
    [GST_VIDEO_ORIENTATION_VERT] = { FALSE, FALSE, TRUE },
    [GST_VIDEO_ORIENTATION_UL_LR] = { TRUE, FALSE, FALSE },
    [GST_VIDEO_ORIENTATION_UR_LL] = { TRUE, TRUE, TRUE },
};

static const Walk *find_walk(GstVideoOrientationMethod method)
{
    return &walks[(guint)method < G_N_ELEMENTS(walks) ? method : 0];
}

gboolean gst_vigil_orient_swaps(GstVideoOrientationMethod method)
{
    return find_walk(method)->swap;
}

/* The same rectangle seen from the other ends of its axes. */
static VigilRegion mirror(VigilRegion area, const Walk *walk)
{
    if (walk->from_right)
        area.x = 1 - (area.x + area.width);
    if (walk->from_bottom)
        area.y = 1 - (area.y + area.height);
    return area;
}

static VigilRegion exchange_axes(VigilRegion area, const Walk *walk)
{
    if (!walk->swap)
        return area;
    return (VigilRegion) { area.y, area.x, area.height, area.width };
}

VigilRegion gst_vigil_orient_to_stored(VigilRegion upright,
                                       GstVideoOrientationMethod method)
{
    const Walk *walk = find_walk(method);

    return mirror(exchange_axes(upright, walk), walk);
}

VigilRegion gst_vigil_orient_to_upright(VigilRegion stored,
                                        GstVideoOrientationMethod method)
{
    const Walk *walk = find_walk(method);

    return exchange_axes(mirror(stored, walk), walk);
}

/* Number of the stored pixel, in rows, that is pixel x, y of the upright picture of
 * width x height. */
static gsize stored_pixel(const Walk *walk, gint width, gint height, gint x, gint y)
{
    const gint stored_height = walk->swap ? width : height;
    const gint stored_width = walk->swap ? height : width;
    gint sx = walk->swap ? y : x, sy = walk->swap ? x : y;

    if (walk->from_right)
        sx = stored_width - 1 - sx;
    if (walk->from_bottom)
        sy = stored_height - 1 - sy;
    return (gsize)sy * (gsize)stored_width + (gsize)sx;
}

void gst_vigil_orient(float *upright, const float *stored, gint height, gint width,
                      GstVideoOrientationMethod method)
{
    const Walk *walk = find_walk(method);

    for (gint y = 0; y < height; y++)
        for (gint x = 0; x < width; x++)
            memcpy(upright + ((gsize)y * width + x) * 3,
                   stored + stored_pixel(walk, width, height, x, y) * 3,
                   3 * sizeof(float));
}

void gst_vigil_orient_mask(guint16 *stored, const guint16 *upright, gint height,
                           gint width, GstVideoOrientationMethod method)
{
    const Walk *walk = find_walk(method);

    for (gint y = 0; y < height; y++)
        for (gint x = 0; x < width; x++)
            stored[stored_pixel(walk, width, height, x, y)] =
                upright[(gsize)y * (gsize)width + (gsize)x];
}
