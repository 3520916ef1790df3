/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tiles: a region of a frame cut into parts that overlap, each looked at on its own, so
 * that small objects are large in the network's eyes.
 */
#ifndef GST_VIGIL_TILES_H
#define GST_VIGIL_TILES_H

#include <glib.h>
#include "vigil.h"

G_BEGIN_DECLS

#define GST_VIGIL_TILES_MAX 8 /* columns, and rows */
#define GST_VIGIL_TILES_MAX_OVERLAP 0.9F

typedef struct _GstVigilTiles {
    gint columns, rows; /* 1..GST_VIGIL_TILES_MAX; 1, 1: not cut */
    gfloat overlap;     /* of neighbours, a fraction of a tile */
    gboolean whole;     /* the region itself is looked at, too */
} GstVigilTiles;

/* Sides of a tile that other tiles of the region reach across. */
typedef enum {
    GST_VIGIL_SIDE_LEFT = 1,
    GST_VIGIL_SIDE_RIGHT = 2,
    GST_VIGIL_SIDE_TOP = 4,
    GST_VIGIL_SIDE_BOTTOM = 8,
} GstVigilSides;

typedef struct _GstVigilTile {
    VigilRegion area; /* in fractions of the frame */
    guint inner;      /* GstVigilSides */
} GstVigilTile;

/* "COLUMNSxROWS", each 1..GST_VIGIL_TILES_MAX; NULL and "": 1x1.  FALSE: *error
 * (GST_LIBRARY_ERROR_SETTINGS) quotes the text. */
gboolean gst_vigil_tiles_parse(const gchar *text, GstVigilTiles *tiles, GError **error);

/* How many tiles a large region gives. */
guint gst_vigil_tiles_count(const GstVigilTiles *tiles);

/* Appends the tiles of a region (in fractions of a frame of width x height pixels) to
 * `list`, of GstVigilTile; the region itself before them, where it is wanted.  Tiles
 * are whole pixels, alike in size, and show every pixel that the region touches.  A
 * region of few pixels gives fewer tiles; one that is not cut is given as it is. */
void gst_vigil_tiles_cut(const GstVigilTiles *tiles, const VigilRegion *region,
                         guint width, guint height, GArray *list);

/* TRUE when a box, in fractions of the frame, reaches an inner side of the tile, within
 * a fiftieth of the tile: its object may go on there. */
gboolean gst_vigil_tile_cuts(const GstVigilTile *tile, const VigilDetection *box);

G_END_DECLS

#endif
