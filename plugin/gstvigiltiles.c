/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <gst/gst.h>
#include "gstvigilparse.h"
#include "gstvigiltiles.h"

#define PIXEL_SLACK 0.01 /* what fractions miss whole pixels by, at most */
#define NEAR_SIDE 0.02F  /* of a tile: as near as detectors place an edge */

gboolean gst_vigil_tiles_parse(const gchar *text, GstVigilTiles *tiles, GError **error)
{
    gint columns = 1, rows = 1;

    if (text && *text &&
        (!gst_vigil_parse_size(text, &columns, &rows) ||
         columns > GST_VIGIL_TILES_MAX || rows > GST_VIGIL_TILES_MAX)) {
        g_set_error(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
                    "The property tiles is \"%s\", which is not COLUMNSxROWS, each 1 "
                    "to %d, as 2x2.",
                    text, GST_VIGIL_TILES_MAX);
        return FALSE;
    }
    tiles->columns = columns;
    tiles->rows = rows;
    return TRUE;
}

guint gst_vigil_tiles_count(const GstVigilTiles *tiles)
{
    const guint n = (guint)(tiles->columns * tiles->rows);

    return n > 1 && tiles->whole ? n + 1 : n;
}

/* One axis of a tile, pixels. */
typedef struct Strip {
    guint start, length;
    gboolean inner_start, inner_end;
} Strip;

/* Cuts [from, from + length) into at most n strips of one length.  With n of length t
 * that overlap by a share s, length = t (n - (n - 1) s). */
static guint cut_axis(guint from, guint length, guint n, gdouble overlap,
                      Strip strips[GST_VIGIL_TILES_MAX])
{
    n = MIN(n, length);
    const gdouble ideal = length / (n - (n - 1) * overlap);
    const guint size = CLAMP((guint)ceil(ideal - PIXEL_SLACK), 1, length);
    guint cut = 0;

    for (guint i = 0; i < n; i++) {
        const guint at = n > 1 ? (i * (length - size) + (n - 1) / 2) / (n - 1) : 0;
        if (cut && from + at == strips[cut - 1].start)
            continue;
        strips[cut++] = (Strip) { from + at, size, at > 0, at + size < length };
    }
    return cut;
}

/* The whole pixels that [start, start + length] touches, at least one. */
static void to_pixels(gdouble start, gdouble length, guint size, guint *from, guint *n)
{
    const gdouble first = floor(start * size + PIXEL_SLACK);
    const gdouble end = ceil((start + length) * size - PIXEL_SLACK);

    *from = (guint)CLAMP(first, 0, size - 1);
    *n = (guint)CLAMP(end, *from + 1, size) - *from;
}

static GstVigilTile to_tile(const Strip *across, const Strip *down, guint width,
                            guint height)
{
    return (GstVigilTile) {
        .area = { (float)((gdouble)across->start / width),
                  (float)((gdouble)down->start / height),
                  (float)((gdouble)across->length / width),
                  (float)((gdouble)down->length / height) },
        .inner = (across->inner_start ? GST_VIGIL_SIDE_LEFT : 0U) |
                 (across->inner_end ? GST_VIGIL_SIDE_RIGHT : 0U) |
                 (down->inner_start ? GST_VIGIL_SIDE_TOP : 0U) |
                 (down->inner_end ? GST_VIGIL_SIDE_BOTTOM : 0U),
    };
}

void gst_vigil_tiles_cut(const GstVigilTiles *tiles, const VigilRegion *region,
                         guint width, guint height, GArray *list)
{
    const GstVigilTile uncut = { .area = *region };
    Strip across[GST_VIGIL_TILES_MAX], down[GST_VIGIL_TILES_MAX];
    guint x, y, w, h;

    to_pixels(region->x, region->width, width, &x, &w);
    to_pixels(region->y, region->height, height, &y, &h);
    const guint columns = cut_axis(x, w, (guint)tiles->columns, tiles->overlap, across);
    const guint rows = cut_axis(y, h, (guint)tiles->rows, tiles->overlap, down);
    if (tiles->whole || columns * rows == 1)
        g_array_append_val(list, uncut);
    for (guint r = 0; columns * rows > 1 && r < rows; r++)
        for (guint c = 0; c < columns; c++) {
            const GstVigilTile tile = to_tile(&across[c], &down[r], width, height);
            g_array_append_val(list, tile);
        }
}

gboolean gst_vigil_tile_cuts(const GstVigilTile *tile, const VigilDetection *box)
{
    const VigilRegion *area = &tile->area;
    const gfloat near_x = NEAR_SIDE * area->width, near_y = NEAR_SIDE * area->height;
    guint reached = 0;

    if (box->x <= area->x + near_x)
        reached |= GST_VIGIL_SIDE_LEFT;
    if (box->x + box->width >= area->x + area->width - near_x)
        reached |= GST_VIGIL_SIDE_RIGHT;
    if (box->y <= area->y + near_y)
        reached |= GST_VIGIL_SIDE_TOP;
    if (box->y + box->height >= area->y + area->height - near_y)
        reached |= GST_VIGIL_SIDE_BOTTOM;
    return (reached & tile->inner) != 0;
}
