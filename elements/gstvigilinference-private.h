/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The inner parts of GstVigilInference: the object (states, events, queries) in
 * gstvigilinference.c, its settings in gstvigilinference-properties.c, the way of a
 * frame in gstvigilinference-frame.c, another model while data flows in
 * gstvigilinference-swap.c.
 */
#ifndef GST_VIGIL_INFERENCE_PRIVATE_H
#define GST_VIGIL_INFERENCE_PRIVATE_H

#include "gstvigilinference.h"
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
    gchar *regions_text;
    GstVigilRegions *regions; /* never NULL */
    GError *regions_error;    /* why regions_text cannot be used */
    gboolean qos_enabled;
    GstVigilQos qos;
    GstVigilStats stats;
    GstClockTime latency; /* what LATENCY queries are told */
    GstVideoOrientationMethod stream_orientation, global_orientation;
    gboolean has_stream_orientation;
    GstVigilSwap swap;

    /* Changed while no data flows, or by the streaming thread. */
    GstVigilNetwork *network;

    /* Of the streaming thread. */
    GstVideoInfo info;
    GArray *views;            /* of GstVigilView: of the frame at hand */
    guint wait;               /* frames to let pass before the next one is due */
    gboolean warned_unmapped; /* once per series */
    GstVigilReducer reducer;
} GstVigilInferencePrivate;

GstVigilInferencePrivate *gst_vigil_inference_private(GstVigilInference *self);

/* The settings as they are now, to be cleared, and why they cannot be used (NULL:
 * nothing is wrong yet). */
GError *gst_vigil_inference_take_settings(GstVigilInference *self,
                                          GstVigilNetworkSettings *settings);

/* The latency until frames were measured; network of the streaming thread. */
void gst_vigil_inference_guess_latency(GstVigilInference *self);

/* The next frame is due, and nothing is known of downstream's lateness. */
void gst_vigil_inference_reset_stream(GstVigilInference *self);

#define GST_VIGIL_INFERENCE_DEFAULT_INTERVAL 1
#define GST_VIGIL_INFERENCE_DEFAULT_QOS TRUE

/* Properties and their accessors, in gstvigilinference-properties.c. */
void gst_vigil_inference_install_properties(GObjectClass *klass);

/* Begins to open the model that the settings name now, in gstvigilinference-swap.c. */
void gst_vigil_inference_swap_begin(GstVigilInference *self);

/* Between frames: takes a model that has been opened, or tells why it does not. */
void gst_vigil_inference_swap_finish(GstVigilInference *self);

/* No data flows any more: what has not been taken is closed. */
void gst_vigil_inference_swap_cancel(GstVigilInference *self);

/* GstBaseTransform::transform_ip. */
GstFlowReturn gst_vigil_inference_transform_ip(GstBaseTransform *trans,
                                               GstBuffer *buffer);

G_END_DECLS

#endif
