/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GstVigilInference: what all elements that run a network on video frames share.
 *
 * The base opens the model in NULL->READY, decides which frames are looked at, brings
 * each region of them into an input tensor, runs the network and adds a GstVigilMeta to
 * the buffer.  A subclass says which task its models have, and turns the outputs of one
 * run into results.  Frames pass in place, their pixels are only read.
 *
 * In mode sync all of that happens to one frame before the next, in the streaming
 * thread.  In mode latest the streaming thread ends with the input tensors; the worker,
 * a thread of the element, goes on while other frames pass, and the results ride on the
 * one that comes next.  What a subclass has to remember of a frame in between it keeps
 * in the notes of that frame and not in the element.
 */
#ifndef GST_VIGIL_INFERENCE_H
#define GST_VIGIL_INFERENCE_H

#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>
#include "gstvigilframe.h"
#include "gstvigilmeta.h"
#include "gstvigilnetwork.h"
#include "gstvigilregions.h"
#include "vigil.h"

G_BEGIN_DECLS

#define GST_TYPE_VIGIL_INFERENCE (gst_vigil_inference_get_type())
G_DECLARE_DERIVABLE_TYPE(GstVigilInference, gst_vigil_inference, GST, VIGIL_INFERENCE,
                         GstBaseTransform)

/* A part of a frame that is looked at on its own. */
typedef struct _GstVigilView {
    gboolean whole;           /* all of the visible frame: `area` does not count */
    VigilRegion area;         /* in fractions of the visible frame */
    gint region_index;        /* in the property regions; -1: in none of them */
    const gchar *region_name; /* NULL: not named; lives until the frame is finished */
} GstVigilView;

/**
 * GstVigilMode:
 * @GST_VIGIL_MODE_AUTO: latest where the source is live, else sync
 * @GST_VIGIL_MODE_SYNC: each frame waits for its results
 * @GST_VIGIL_MODE_LATEST: no frame waits; the newest is looked at when the last is done
 */
typedef enum {
    GST_VIGIL_MODE_AUTO,
    GST_VIGIL_MODE_SYNC,
    GST_VIGIL_MODE_LATEST,
} GstVigilMode;

#define GST_TYPE_VIGIL_MODE (gst_vigil_mode_get_type())
GType gst_vigil_mode_get_type(void);

/* One run of the network, seen by the subclass.  All pointers are the base's. */
typedef struct _GstVigilShot {
    GstBuffer *buffer; /* the frame; in mode latest one without a picture that has its
                          times, and what earlier elements said of it; writable
                          metadata */
    const GstVigilFrame *frame;     /* its geometry; mapped for list_views only */
    const GstVigilNetwork *network; /* its session holds the outputs */
    guint view;                     /* number of the view, from 0 */
    const VigilRegion *region; /* in fractions of the visible frame; NULL: all of it */
    gint region_index;         /* in the property regions; -1: in none of them */
    const gchar *region_name;  /* NULL: not named */
    VigilPlacement placement;  /* where it went in the tensor, before turning */
    GstVideoOrientationMethod orientation;  /* what turned the tensor upright */
    GstClockTime stream_time, running_time; /* of the frame, ns; NONE: not known */
    gpointer notes; /* the subclass's, of this frame; NULL without new_notes */
} GstVigilShot;

struct _GstVigilInferenceClass {
    GstBaseTransformClass parent_class;

    VigilTask task;             /* models of other tasks are refused */
    GstVigilTask meta_task;     /* what GstVigilMeta says of the results */
    const gchar *default_model; /* the shipped model taken where none is set */

    /* Adds the results of one run to the meta.  Streaming thread or worker; never in
     * two of them at a time. */
    void (*decode)(GstVigilInference *self, const GstVigilShot *shot,
                   GstVigilMeta *meta);

    /* The further ones may be NULL. */

    /* The network is open: in each state change upwards, before data flows; or another
     * one was opened, between two frames, while the worker rests, and what was prepared
     * goes.  FALSE: it stays. */
    gboolean (*prepare)(GstVigilInference *self, const GstVigilNetwork *network,
                        GError **error);
    /* The network is about to be closed; also where it was not prepared.  The worker
     * rests. */
    void (*release)(GstVigilInference *self);
    /* What a subclass remembers of a frame from list_views to finish.  Made once for
     * several frames, which have them one after the other. */
    gpointer (*new_notes)(void);
    void (*free_notes)(gpointer notes);
    /* Appends to `views` what is to be looked at; `frame` has no region yet.  FALSE:
     * the frame passes without results.  NULL: gst_vigil_views_add_regions().
     * Streaming thread. */
    gboolean (*list_views)(GstVigilInference *self, const GstVigilShot *frame,
                           const GstVigilRegions *regions, GArray *views);
    /* How many views list_views makes of a region, for the first guess of the latency;
     * NULL: one. */
    guint (*count_views)(GstVigilInference *self);
    /* All views of a frame were decoded, `last` after the others; without views it is
     * the frame.  The thread of decode. */
    void (*finish)(GstVigilInference *self, const GstVigilShot *last,
                   GstVigilMeta *meta);
    /* Mode latest: adds to the new meta `to` on `buffer` what of the results of an
     * earlier frame, `from`, is true of this one.  NULL: all.  Streaming thread. */
    void (*carry_over)(GstVigilInference *self, const GstVigilMeta *from,
                       GstBuffer *buffer, GstVigilMeta *to);
};

/* Appends a view of each region, or of the whole frame where there are none. */
void gst_vigil_views_add_regions(GArray *views, const GstVigilRegions *regions);

/* A new result about the shot's region or about the whole frame. */
GstVigilResult *gst_vigil_shot_new_result(const GstVigilShot *shot);

/* An empty element message's structure with what places the shot's frame in time:
 * timestamp, stream-time, running-time, duration (guint64, ns, absent when not known).
 */
GstStructure *gst_vigil_shot_to_frame_structure(const GstVigilShot *shot,
                                                const gchar *name);

/* The same, and what places the shot in space: region-index (gint, -1: in no
 * region), region-name (string, absent when not named), x, y, width, height (gdouble,
 * fractions of the visible frame). */
GstStructure *gst_vigil_shot_to_structure(const GstVigilShot *shot, const gchar *name);

/* Posts *error as a message of that type (error or warning), and frees it. */
void gst_vigil_inference_post(GstVigilInference *self, GstMessageType type,
                              GError *error);

/* Adds the always-pads; called in class_init of each element. */
void gst_vigil_inference_class_add_pads(GstVigilInferenceClass *klass);

G_END_DECLS

#endif
