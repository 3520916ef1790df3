/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Objects: what detectors earlier in the pipeline found on a buffer, ours or others.
 */
#ifndef GST_VIGIL_OBJECTS_H
#define GST_VIGIL_OBJECTS_H

#include <gst/video/video.h>
#include "gstvigilmeta.h"
#include "vigil.h"

G_BEGIN_DECLS

typedef struct _GstVigilObject {
    const GstVigilResult *result; /* the buffer's; NULL: somebody else's, `roi` */
    const GstVideoRegionOfInterestMeta *roi; /* the buffer's; NULL: `result` */
    const gchar *source;                     /* who tracks it; NULL: not known */
    VigilRegion area;   /* in fractions of the visible frame, inside it; may be empty */
    const gchar *label; /* NULL: not known */
    gint label_id;      /* output of the detector; -1: not known */
    gfloat score;       /* 0..1; 0: not known */
    guint64 track;      /* 0: not tracked */
} GstVigilObject;

/* Fills `objects` with the detections that ride on the buffer as results of
 * GstVigilMeta, or, where no detector of ours spoke, with the regions of interest that
 * are not ours, in pixels of a visible frame of width x height.  They live as long as
 * the metas.  FALSE: nobody has said of this buffer what is in it. */
gboolean gst_vigil_objects_list(GstBuffer *buffer, guint width, guint height,
                                GArray *objects);

/* A new result about the object, without classes. */
GstVigilResult *gst_vigil_object_new_result(const GstVigilObject *object);

/* TRUE when one of the names (NULL: any) is its label or, where it has none, the number
 * of its class. */
gboolean gst_vigil_object_is_named(const GstVigilObject *object,
                                   const gchar *const *names);

G_END_DECLS

#endif
