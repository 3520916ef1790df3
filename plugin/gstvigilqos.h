/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Quality of service: which frames to leave out of inference when downstream says that
 * they come too late.  The frames themselves always go on.  Not locked: the element
 * holds its object lock around every call.
 */
#ifndef GST_VIGIL_QOS_H
#define GST_VIGIL_QOS_H

#include <gst/gst.h>

G_BEGIN_DECLS

/* However late all frames are, one is looked at in so much running time, ns. */
#define GST_VIGIL_QOS_PATIENCE GST_SECOND

typedef struct _GstVigilQos {
    gdouble proportion;    /* of real time that processing takes; 1: just in time */
    GstClockTime earliest; /* running time; frames up to it are late */
    GstClockTime analysed; /* running time of the last frame that was looked at */
} GstVigilQos;

void gst_vigil_qos_reset(GstVigilQos *qos);

/* Takes in a QOS event from downstream. */
void gst_vigil_qos_update(GstVigilQos *qos, GstEvent *event);

/* TRUE when the frame of that running time is late and need not be looked at. */
gboolean gst_vigil_qos_is_late(const GstVigilQos *qos, GstClockTime running_time);

G_END_DECLS

#endif
