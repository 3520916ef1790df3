/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Look: one frame on its way through the network, and what it is looked at with, which
 * is fixed when it comes in, whatever is set meanwhile.
 *
 *     mode sync                                   mode latest
 *     gst_vigil_look_begin(look, buffer, FALSE)   gst_vigil_look_begin(look, buffer,
 * TRUE) gst_vigil_look_list_views(look)             gst_vigil_look_list_views(look)
 *     gst_vigil_look_at(look, &error)             gst_vigil_look_reduce(look, &error)
 *                                                 gst_vigil_look_work(look), the worker
 *     gst_vigil_look_end(look)                    gst_vigil_look_end(look)
 */
#ifndef GST_VIGIL_INFERENCE_LOOK_H
#define GST_VIGIL_INFERENCE_LOOK_H

#include "gstvigilinference.h"

G_BEGIN_DECLS

/* Used by one thread after the other. */
typedef struct _GstVigilLook {
    GstVigilInference *self;
    GstVigilShot shot;   /* the view at hand */
    GstVigilFrame frame; /* mapped by who began the look, while it needs the picture */
    GstVigilRegions *regions;
    GArray *views;        /* of GstVigilView */
    GArray *placements;   /* of VigilPlacement, by view */
    gfloat *inputs;       /* [view][height][width][3] upright; of the worker */
    gsize inputs_size;    /* floats that it holds */
    GstBuffer *carrier;   /* the shot's buffer; NULL: that is the frame */
    GstVigilMeta *meta;   /* on shot.buffer */
    GstClockTime arrived; /* by gst_util_get_timestamp() */
    GstClockTime preprocess, inference; /* ns, summed over the views */
    guint64 epoch;                      /* of the worker: what belongs together */
    gint unwanted;                      /* atomic: nobody waits for the rest */
} GstVigilLook;

GstVigilLook *gst_vigil_look_new(GstVigilInference *self);
void gst_vigil_look_free(GstVigilLook *look);

/* look->frame is mapped from the buffer.  When it is `apart` the look goes on without
 * them once it has its inputs.  Streaming thread. */
void gst_vigil_look_begin(GstVigilLook *look, GstBuffer *buffer, gboolean apart);
/* Forgets the frame; the look may be begun again. */
void gst_vigil_look_end(GstVigilLook *look);

/* FALSE: the frame passes without results. */
gboolean gst_vigil_look_list_views(GstVigilLook *look);

/* Looks at all views; the results are on the buffer, mirrored.  FALSE: *error. */
gboolean gst_vigil_look_at(GstVigilLook *look, GError **error);

/* Makes the inputs of all views of a look apart.  FALSE: *error. */
gboolean gst_vigil_look_reduce(GstVigilLook *look, GError **error);
/* Looks at all views in the inputs; the results are on the carrier.  FALSE: it became
 * unwanted on the way. */
gboolean gst_vigil_look_work(GstVigilLook *look);

G_END_DECLS

#endif
