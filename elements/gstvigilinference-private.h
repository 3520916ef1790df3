/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The inner parts of GstVigilInference: the object (states, events, queries) in
 * gstvigilinference.c, its settings in gstvigilinference-properties.c, which frames are
 * looked at and what becomes of them in gstvigilinference-frame.c, from the picture to
 * the results in gstvigilinference-look.c, the thread of mode latest in
 * gstvigilinference-worker.c, the mode and the latency that follows from it in
 * gstvigilinference-mode.c, another model while data flows in gstvigilinference-swap.c.
 */
#ifndef GST_VIGIL_INFERENCE_PRIVATE_H
#define GST_VIGIL_INFERENCE_PRIVATE_H

#include "gstvigilinference-look.h"
#include "gstvigilinference-worker.h"
#include "gstvigilinference.h"
#include "gstvigilpace.h"
#include "gstvigilqos.h"
#include "gstvigilreduce.h"
#include "gstvigilregions.h"
#include "gstvigilstats.h"

G_BEGIN_DECLS

/* Another model for a stream that flows: opened on a thread of its own beside the one
 * in use, taken between two frames.  Under the object lock. */
typedef struct _GstVigilSwap {
    GThread *thread;           /* to be joined; NULL: there is none */
    gboolean opening;          /* the thread has not finished */
    gboolean cancelled;        /* nobody wants what it opens */
    GstVigilNetwork *incoming; /* opened; NULL: none waits */
} GstVigilSwap;

typedef struct _GstVigilInferencePrivate {
    /* Under the object lock. */
    GstVigilNetworkSettings settings;
    gboolean settings_changed; /* since the network was opened */
    guint interval;
    gdouble max_fps;          /* 0: no limit */
    GstVigilMode mode;        /* as set */
    GstVigilMode active_mode; /* of the stream; AUTO: no frame has come yet */
    gboolean live;            /* upstream, as far as it was asked */
    gchar *regions_text;
    GstVigilRegions *regions; /* never NULL */
    GError *regions_error;    /* why regions_text cannot be used */
    gboolean qos_enabled;
    GstVigilQos qos;
    GstVigilStats stats;
    GstClockTime latency; /* what LATENCY queries are told in mode sync */
    GstVigilClock held;   /* how long frames that were looked at stayed, in mode sync */
    GstVideoOrientationMethod stream_orientation, global_orientation;
    gboolean has_stream_orientation;
    GstVigilSwap swap;

    /* Changed while no data flows, or by the streaming thread while the worker rests.
     */
    GstVigilNetwork *network;

    GstVigilWorker worker;

    /* Of the streaming thread. */
    GstVideoInfo info;
    gboolean live_known; /* upstream was asked */
    guint wait;          /* frames to let pass before the next one is due */
    GstVigilPace pace;
    gboolean warned_unmapped; /* once per series */
    GstVigilReducer reducer;
} GstVigilInferencePrivate;

GstVigilInferencePrivate *gst_vigil_inference_private(GstVigilInference *self);

/* The settings as they are now, to be cleared, and why they cannot be used (NULL:
 * nothing is wrong yet). */
GError *gst_vigil_inference_take_settings(GstVigilInference *self,
                                          GstVigilNetworkSettings *settings);

/* ---- Mode and latency, in gstvigilinference-mode.c ------------------------------ */

const gchar *gst_vigil_mode_to_string(GstVigilMode mode);

/* The mode of the frame at hand, sync or latest; streaming thread. */
GstVigilMode gst_vigil_inference_take_mode(GstVigilInference *self);

/* The latency until frames were measured; network of the streaming thread. */
void gst_vigil_inference_guess_latency(GstVigilInference *self);

/* A frame that was looked at in mode sync stayed in the element for so long, ns. */
void gst_vigil_inference_note_held(GstVigilInference *self, GstClockTime held);

/* Adds what the element holds frames back to an answered LATENCY query. */
void gst_vigil_inference_add_latency(GstVigilInference *self, GstQuery *query);

/* ---- Frames, in gstvigilinference-frame.c --------------------------------------- */

/* The next frame is due, and nothing is known of downstream's lateness. */
void gst_vigil_inference_reset_stream(GstVigilInference *self);

/* A frame that was due was not looked at. */
void gst_vigil_inference_count_skipped(GstVigilInference *self);
/* The results of a frame go nowhere. */
void gst_vigil_inference_count_unattached(GstVigilInference *self);
void gst_vigil_inference_note_analysed(const GstVigilLook *look);

/* Of a buffer of the segment that flows; GST_CLOCK_TIME_NONE: not known. */
GstClockTime gst_vigil_inference_stream_time(GstVigilInference *self,
                                             GstBuffer *buffer);
GstClockTime gst_vigil_inference_running_time(GstVigilInference *self,
                                              GstBuffer *buffer);

/* GstBaseTransform::transform_ip. */
GstFlowReturn gst_vigil_inference_transform_ip(GstBaseTransform *trans,
                                               GstBuffer *buffer);

/* ---- Properties and their accessors, in gstvigilinference-properties.c ---------- */

#define GST_VIGIL_INFERENCE_DEFAULT_INTERVAL 1
#define GST_VIGIL_INFERENCE_DEFAULT_QOS TRUE

#define GST_VIGIL_INFERENCE_DEFAULT_MODE GST_VIGIL_MODE_AUTO
#define GST_VIGIL_INFERENCE_DEFAULT_MAX_FPS 0.0

void gst_vigil_inference_install_properties(GObjectClass *klass);

/* ---- Another model, in gstvigilinference-swap.c --------------------------------- */

/* Begins to open the model that the settings name now. */
void gst_vigil_inference_swap_begin(GstVigilInference *self);

/* TRUE: a model has been opened, to be taken. */
gboolean gst_vigil_inference_swap_waits(GstVigilInference *self);

/* Between frames, while the worker rests: takes a model that has been opened, or tells
 * why it does not. */
void gst_vigil_inference_swap_finish(GstVigilInference *self);

/* No data flows any more: what has not been taken is closed. */
void gst_vigil_inference_swap_cancel(GstVigilInference *self);

G_END_DECLS

#endif
