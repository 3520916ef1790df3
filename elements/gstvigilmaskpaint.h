/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Masks become the pixels of a GRAY8 frame, by the nearest pixel.
 */
#ifndef GST_VIGIL_MASK_PAINT_H
#define GST_VIGIL_MASK_PAINT_H

#include <gst/video/video.h>
#include "gstvigilmask.h"

G_BEGIN_DECLS

/* Zero-initialised.  Used by one thread at a time. */
typedef struct GstVigilMaskPainter {
    gint too_high; /* a class that a byte does not tell, in what was added; -1: none */

    /*< private >*/
    GstVideoFrame *frame;
    gchar *const *wanted;
    guint8 background;
    guint width;    /* how many columns there is room for */
    guint *columns; /* [width of the frame] the column of the mask that is nearest */
    guint8 *values; /* what a pixel of each class becomes */
} GstVigilMaskPainter;

/* Fills the frame with the background.  `wanted`: a list of names, or of numbers, whose
 * classes become 255 and all others 0; NULL: each becomes its number, those above 254
 * the background.  Both are used until the last mask is added. */
void gst_vigil_mask_painter_begin(GstVigilMaskPainter *painter, GstVideoFrame *frame,
                                  gchar *const *wanted, guint8 background);

/* Paints where the mask is, stretched as if its region's frame were this one. */
void gst_vigil_mask_painter_add(GstVigilMaskPainter *painter, const GstVigilMask *mask);

/* Frees what it holds; it may be used again. */
void gst_vigil_mask_painter_clear(GstVigilMaskPainter *painter);

G_END_DECLS

#endif
