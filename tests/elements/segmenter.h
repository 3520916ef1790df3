/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of vigilsegment share: the element with the test model, pictures whose
 * classes are known, and whether a mask has them where they are.
 */
#ifndef VIGIL_TESTS_SEGMENTER_H
#define VIGIL_TESTS_SEGMENTER_H

#include "frames.h"

/* The classes of the test model; see make_segmenter.c. */
enum { BLUE, GREEN, RED, DARK };

/* A vigilsegment with the test model and with further properties. */
GstElement *segmenter_new(const gchar *first_property, ...) G_GNUC_NULL_TERMINATED;

/* A picture of columns x rows equal cells, each of one class. */
typedef struct Grid {
    guint width, height; /* of the picture, pixels */
    guint columns, rows;
    const gchar *cells; /* a letter each, row by row: b, g, r */
} Grid;

/* An RGB frame of the grid. */
GstBuffer *grid_frame(const Grid *grid);
/* The same with `padding` bytes at the end of each row, as a GstVideoMeta says. */
GstBuffer *grid_frame_padded(const Grid *grid, guint padding);
/* video/x-raw caps of such frames, to be freed. */
gchar *grid_caps(const Grid *grid);
gint grid_class_at(const Grid *grid, gdouble x, gdouble y);

/* The test fails unless the mask has that region and size, the label of each class, and
 * the right class in each pixel.  Left out are pixels that are less than `slack` pixels
 * of the mask from an edge of a cell, and those around its corners: there logits of
 * three cells are mixed.  The cells must begin on pixels of the map of logits. */
void grid_assert(const Grid *grid, const GstVigilMask *mask, const gfloat region[4],
                 guint width, guint height, gdouble slack);

/* The mask of result i of the first meta, which the buffer owns. */
GstVigilMask *mask_of(GstBuffer *buffer, guint i);

#endif
