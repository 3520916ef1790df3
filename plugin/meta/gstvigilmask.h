/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The class of each pixel, as a segmenter tells it.
 *
 * A mask has a size of its own, that of what the network saw, whatever the size of the
 * frame: it lies over a rectangle, in fractions of the frame, and stays right when the
 * frame is scaled.  It never changes, is counted, and is shared by all copies of a
 * meta, so that passing it on copies no pixels.
 *
 *     GstVigilMask *mask = gst_vigil_result_get_mask (result);
 *     gint index = gst_vigil_mask_get_class_at (mask, 0.5, 0.5);
 */
#ifndef GST_VIGIL_MASK_H
#define GST_VIGIL_MASK_H

#include "gstvigilmeta.h"

G_BEGIN_DECLS

/**
 * GstVigilMask:
 *
 * The class of each pixel of a rectangle.
 */
#define GST_TYPE_VIGIL_MASK (gst_vigil_mask_get_type())
GST_VIGIL_API
GType gst_vigil_mask_get_type(void);

#define GST_VIGIL_MASK_MAX 32768 /* width and height, pixels */

/**
 * gst_vigil_mask_new:
 * @x: left edge of the rectangle, in fractions of the frame, as the next three
 * @y: top edge
 * @region_width: above 0; x + region_width at most 1
 * @region_height: above 0; y + region_height at most 1
 * @width: pixels of the mask, 1..%GST_VIGIL_MASK_MAX
 * @height: pixels of the mask, 1..%GST_VIGIL_MASK_MAX
 * @bytes_per_pixel: 1 or 2
 * @pixels: @height rows of @width numbers, without gaps: the class of each pixel, a
 *   byte or a guint16 of this machine's order; the greatest number, 255 or 65535, where
 *   there is none
 * @labels: (array length=n_labels) (nullable): names of the classes from 0 on; interned
 * @n_labels: how many there are; classes above have no name
 *
 * Makes a mask, counting its pixels.  @pixels must not change any more.
 *
 * Returns: (transfer full): the mask
 */
GST_VIGIL_API
GstVigilMask *gst_vigil_mask_new(gfloat x, gfloat y, gfloat region_width,
                                 gfloat region_height, guint width, guint height,
                                 guint bytes_per_pixel, GBytes *pixels,
                                 const gchar *const *labels, guint n_labels);

GST_VIGIL_API
GstVigilMask *gst_vigil_mask_ref(GstVigilMask *mask);
GST_VIGIL_API
void gst_vigil_mask_unref(GstVigilMask *mask);

/* Unique in this process, never 0: what has the same id is the same mask. */
GST_VIGIL_API
guint gst_vigil_mask_get_id(const GstVigilMask *mask);

/**
 * gst_vigil_mask_get_region:
 * @mask: the mask
 * @x: (out) (optional): left edge, 0..1
 * @y: (out) (optional): top edge, 0..1
 * @width: (out) (optional): above 0
 * @height: (out) (optional): above 0
 *
 * The rectangle that the mask covers, in fractions of the frame.  It is that of its
 * result, or less where the network was not shown all of that.
 */
GST_VIGIL_API
void gst_vigil_mask_get_region(const GstVigilMask *mask, gfloat *x, gfloat *y,
                               gfloat *width, gfloat *height);

/**
 * gst_vigil_mask_get_size:
 * @mask: the mask
 * @width: (out) (optional): pixels of the mask
 * @height: (out) (optional): pixels of the mask
 */
GST_VIGIL_API
void gst_vigil_mask_get_size(const GstVigilMask *mask, guint *width, guint *height);

GST_VIGIL_API
guint gst_vigil_mask_get_bytes_per_pixel(const GstVigilMask *mask);

/**
 * gst_vigil_mask_get_pixels:
 * @mask: the mask
 *
 * Returns: (transfer none): as gst_vigil_mask_new() took them
 */
GST_VIGIL_API
GBytes *gst_vigil_mask_get_pixels(const GstVigilMask *mask);

/**
 * gst_vigil_mask_get_pixel:
 * @mask: the mask
 * @x: column of the mask, from 0
 * @y: row of the mask, from 0
 *
 * Returns: the class; -1 where there is none
 */
GST_VIGIL_API
gint gst_vigil_mask_get_pixel(const GstVigilMask *mask, guint x, guint y);

/**
 * gst_vigil_mask_get_class_at:
 * @mask: the mask
 * @x: fraction of the frame
 * @y: fraction of the frame
 *
 * Returns: the class at a point of the frame; -1 where there is none, and outside of
 *   the mask
 */
GST_VIGIL_API
gint gst_vigil_mask_get_class_at(const GstVigilMask *mask, gfloat x, gfloat y);

GST_VIGIL_API
guint gst_vigil_mask_get_n_classes(const GstVigilMask *mask);

/**
 * gst_vigil_mask_get_class:
 * @mask: the mask
 * @i: which, from 0: the one with the most pixels
 *
 * The classes that the mask has, with their share of its pixels, 0..1, as score; of
 * those with equal shares the lower index comes first.
 *
 * Returns: (transfer none) (nullable): class i, NULL past the last; valid as long as
 *   the mask
 */
GST_VIGIL_API
const GstVigilClass *gst_vigil_mask_get_class(const GstVigilMask *mask, guint i);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GstVigilMask, gst_vigil_mask_unref)

G_END_DECLS

#endif
