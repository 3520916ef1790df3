/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How what comes out of several chains is one stream. */
#include "gstvigilsourcebin-private.h"

#define GST_CAT_DEFAULT gst_vigil_source_bin_debug

/* Of a frame that does not tell how long it is shown. */
#define USUAL_DURATION (GST_SECOND / 25)

/* ---- Ends ------------------------------------------------------------------------ */

/* Whether the end of a chain's stream is the end; otherwise it is a loss, or it begins
 * again. */
static gboolean is_end(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    GstVigilSourceBinClass *klass = GST_VIGIL_SOURCE_BIN_GET_CLASS(self);

    g_mutex_lock(&priv->lock);
    const guint sent = priv->sent;
    const gboolean fresh = priv->fresh, known = priv->lost, away = priv->away;
    g_mutex_unlock(&priv->lock);
    if (known) /* after the error that was the loss */
        return FALSE;
    const GstVigilEnding ending =
        klass->ends && !away ? klass->ends(self, sent, fresh) : GST_VIGIL_ENDING_LOSS;
    g_mutex_lock(&priv->lock);
    priv->ending |= ending == GST_VIGIL_ENDING_END;
    const gboolean passes = priv->ending && !priv->closing;
    priv->ended |= passes;
    g_mutex_unlock(&priv->lock);
    if (!passes)
        gst_vigil_source_bin_lose(
            self, ending == GST_VIGIL_ENDING_AGAIN
                      ? NULL
                      : g_error_new_literal(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
                                            "it gives no more frames"));
    return passes;
}

/* ---- Events ---------------------------------------------------------------------- */

/* The first one becomes that of running time. */
static GstPadProbeReturn take_segment(GstVigilSourceBin *self, GstPadProbeInfo *info)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
    GstSegment segment;

    gst_event_copy_segment(event, &priv->segment);
    if (priv->has_segment)
        return GST_PAD_PROBE_DROP;
    priv->has_segment = TRUE;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    GST_PAD_PROBE_INFO_DATA(info) = gst_event_new_segment(&segment);
    gst_event_unref(event);
    return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn chain_event(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    GstVigilSourceBin *self = data;
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    switch (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info))) {
    case GST_EVENT_STREAM_START:
        if (priv->started)
            return GST_PAD_PROBE_DROP;
        priv->started = TRUE;
        return GST_PAD_PROBE_OK;
    case GST_EVENT_SEGMENT:
        return take_segment(self, info);
    case GST_EVENT_EOS:
        return is_end(self) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
    /* What a chain does to itself, and times of its own. */
    case GST_EVENT_FLUSH_START:
    case GST_EVENT_FLUSH_STOP:
    case GST_EVENT_GAP:
    case GST_EVENT_SEGMENT_DONE:
    case GST_EVENT_STREAM_COLLECTION:
    case GST_EVENT_STREAM_GROUP_DONE:
        return GST_PAD_PROBE_DROP;
    default:
        return GST_PAD_PROBE_OK;
    }
}

/* Decoders skip frames by what a sink tells of their times. */
static GstEvent *qos_of_chain(const GstVigilSourceBinPrivate *priv, GstEvent *event)
{
    GstQOSType type;
    gdouble proportion;
    GstClockTimeDiff diff;
    GstClockTime time;

    gst_event_parse_qos(event, &type, &proportion, &diff, &time);
    gst_event_unref(event);
    if (!GST_CLOCK_TIME_IS_VALID(time) || (gint64)time < priv->offset)
        return NULL;
    return gst_event_new_qos(type, proportion, diff,
                             (GstClockTime)((gint64)time - priv->offset));
}

static gboolean src_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstVigilSourceBin *self = GST_VIGIL_SOURCE_BIN(parent);

    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_SEEK:
        gst_event_unref(event);
        return FALSE;
    case GST_EVENT_QOS:
        event = qos_of_chain(gst_vigil_source_bin_private(self), event);
        return !event || gst_pad_event_default(pad, parent, event);
    default:
        return gst_pad_event_default(pad, parent, event);
    }
}

/* ---- Frames ---------------------------------------------------------------------- */

/* Where a frame of that running time of the chain goes, or one that has none. */
static GstClockTime place(GstVigilSourceBin *self, GstClockTime time)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    const gboolean arrives = priv->timing == GST_VIGIL_TIMING_ARRIVAL;
    const GstClockTime now =
        arrives ? gst_element_get_current_running_time(GST_ELEMENT(self))
                : GST_CLOCK_TIME_NONE;

    if (!GST_CLOCK_TIME_IS_VALID(time))
        return arrives ? now : priv->last_end;
    if (!priv->placed && priv->timing == GST_VIGIL_TIMING_FOLLOW &&
        GST_CLOCK_TIME_IS_VALID(priv->last_end))
        priv->offset = (gint64)priv->last_end;
    if (GST_CLOCK_TIME_IS_VALID(now) &&
        (!priv->placed || (gint64)now > (gint64)(time + priv->expected) + priv->offset))
        priv->offset = (gint64)now - (gint64)time;
    priv->placed = TRUE;
    return (GstClockTime)((gint64)time + priv->offset);
}

/* Gives the frame its time.  FALSE: it is of the past. */
static gboolean stamp(GstVigilSourceBin *self, GstBuffer **buffer)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    const GstClockTime had = GST_BUFFER_PTS(*buffer);
    const GstClockTime length = GST_BUFFER_DURATION_IS_VALID(*buffer)
                                    ? GST_BUFFER_DURATION(*buffer)
                                    : USUAL_DURATION;
    const GstClockTime pts = place(
        self, GST_CLOCK_TIME_IS_VALID(had)
                  ? gst_segment_to_running_time(&priv->segment, GST_FORMAT_TIME, had)
                  : had);

    if (GST_CLOCK_TIME_IS_VALID(pts)) {
        if (GST_CLOCK_TIME_IS_VALID(priv->last_pts) && pts <= priv->last_pts) {
            GST_WARNING_OBJECT(self,
                               "dropped a frame of %" GST_TIME_FORMAT
                               ", not after %" GST_TIME_FORMAT,
                               GST_TIME_ARGS(pts), GST_TIME_ARGS(priv->last_pts));
            return FALSE;
        }
        priv->last_pts = pts;
        priv->last_end = pts + length;
    }
    if (pts != had) {
        *buffer = gst_buffer_make_writable(*buffer);
        GST_BUFFER_PTS(*buffer) = pts;
        GST_BUFFER_DTS(*buffer) = GST_CLOCK_TIME_NONE;
    }
    return TRUE;
}

/* Of the inner side of the pad, which all chains share. */
static GstFlowReturn push_frame(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GstVigilSourceBin *self = gst_pad_get_element_private(pad);

    if (!stamp(self, &buffer)) {
        gst_buffer_unref(buffer);
        return GST_FLOW_OK;
    }
    gst_vigil_source_bin_note_frame(self);
    const GstFlowReturn flow = gst_proxy_pad_chain_default(pad, parent, buffer);
    gst_vigil_source_bin_note_frame_taken(self, flow);
    return flow;
}

void gst_vigil_source_bin_init_stream(GstVigilSourceBin *self, GstPad *src)
{
    GstPad *inner = GST_PAD(gst_proxy_pad_get_internal(GST_PROXY_PAD(src)));

    gst_pad_set_event_function(src, src_event);
    gst_pad_set_element_private(inner, self);
    gst_pad_set_chain_function(inner, push_frame);
    gst_object_unref(inner);
}

void gst_vigil_source_bin_reset_stream(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    priv->started = priv->has_segment = priv->placed = FALSE;
    priv->offset = 0;
    priv->last_pts = GST_CLOCK_TIME_NONE;
    priv->last_end = priv->timing == GST_VIGIL_TIMING_FOLLOW ? 0 : GST_CLOCK_TIME_NONE;
}

/* ---- Chains ---------------------------------------------------------------------- */

void gst_vigil_source_bin_add_chain(GstVigilSourceBin *self, GstElement *chain)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    GstPad *pad = gst_element_get_static_pad(chain, "src");

    gst_pad_add_probe(
        pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH,
        chain_event, self, NULL);
    gst_segment_init(&priv->segment, GST_FORMAT_TIME);
    priv->placed = FALSE;
    priv->offset = 0;
    priv->chain = chain;
    gst_bin_add(GST_BIN(self), chain);
    gst_ghost_pad_set_target(GST_GHOST_PAD(priv->src), pad);
    gst_object_unref(pad);
}

void gst_vigil_source_bin_remove_chain(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    g_mutex_lock(&priv->swap);
    GstElement *chain = g_steal_pointer(&priv->chain);
    if (chain)
        gst_element_set_locked_state(chain, TRUE);
    g_mutex_unlock(&priv->swap);
    if (!chain)
        return;
    /* A frame of it may be held until the pipeline changes its state, and that must not
     * wait for us. */
    gst_element_set_state(chain, GST_STATE_NULL);
    gst_ghost_pad_set_target(GST_GHOST_PAD(priv->src), NULL);
    gst_bin_remove(GST_BIN(self), chain);
}
