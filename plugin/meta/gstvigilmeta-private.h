/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of libgstvigil share.
 */
#ifndef GST_VIGIL_META_PRIVATE_H
#define GST_VIGIL_META_PRIVATE_H

#include "gstvigilmeta.h"

struct _GstVigilResult {
    gatomicrefcount refs;
    guint id, parent_id;
    guint64 tracking_id;
    gboolean full_frame;
    gfloat x, y, width, height; /* fractions of the frame */
    const gchar *region_name;   /* interned */

    gboolean of_object;  /* about the very thing that an earlier result or ROI is */
    gboolean of_foreign; /* which is a ROI of somebody else */
    gint foreign_id;     /* its id; may be anything */
    const gchar *object_type; /* the roi_type of the ROI; interned; may be NULL */

    gboolean detected;
    const gchar *label; /* interned */
    gint label_id;
    gfloat confidence;

    GArray *classes; /* of GstVigilClass; NULL: none */
    GstVigilMask *mask;
};

struct _GstVigilMetaPrivate {
    gchar *source, *model, *attribute; /* GRefString or NULL */
    GstVigilTask task;
    guint width, height;
    GstClockTime pts;
    GPtrArray *results;  /* of GstVigilResult */
    GArray *mirrored_as; /* gint ids of the mirrors, by result; 0: not mirrored */
};

/* Never 0; of results and masks together. */
guint gst_vigil_next_id(void);
/* Labels come out of model files: whatever they hold becomes UTF-8, kept for ever. */
const gchar *gst_vigil_intern_utf8(const gchar *text);

/* A mask whose classes have no labels yet; takes a reference to the pixels.  NULL where
 * the numbers do not fit each other, as those of a stranger. */
GstVigilMask *gst_vigil_mask_try_new(const gfloat region[4], guint width, guint height,
                                     guint bytes_per_pixel, GBytes *pixels);
/* Names a class that the mask has; does nothing for others. */
void gst_vigil_mask_set_label(GstVigilMask *mask, gint index, const gchar *label);

/* A result with the given id; 0: a new one. */
GstVigilResult *gst_vigil_result_new(guint id, gboolean full_frame);
/* Cuts the rectangle to the frame. */
void gst_vigil_result_set_region(GstVigilResult *result, gfloat x, gfloat y,
                                 gfloat width, gfloat height);

/* What its region of interest is called: the object, or the place that was looked at.
 */
const gchar *gst_vigil_result_get_roi_type(const GstVigilResult *result);

/* gst_meta_info_register() with what makes a meta cross process borders, where the
 * GStreamer built against knows of that (>= 1.24). */
void gst_vigil_meta_info_add_serialization(GstMetaInfo *info);

#endif
