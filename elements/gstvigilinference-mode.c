/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilinference-private.h"

GST_DEBUG_CATEGORY_EXTERN(gst_vigil_inference_debug);
#define GST_CAT_DEFAULT gst_vigil_inference_debug

/* Before so many frames the guess holds; then the reported latency is checked against
 * the measured one after each doubling, and every so many frames. */
#define LATENCY_FIRST 8
#define LATENCY_CHECK 64

GType gst_vigil_mode_get_type(void)
{
    static gsize type = 0;
    static const GEnumValue values[] = {
        { GST_VIGIL_MODE_AUTO, "latest where the source is live, else sync", "auto" },
        { GST_VIGIL_MODE_SYNC, "Each frame waits for its results", "sync" },
        { GST_VIGIL_MODE_LATEST,
          "No frame waits; the newest is looked at when the last is done, and its "
          "results ride on the frame that comes next",
          "latest" },
        { 0, NULL, NULL },
    };

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstVigilMode", values));
    return type;
}

const gchar *gst_vigil_mode_to_string(GstVigilMode mode)
{
    static const gchar *const names[] = { "auto", "sync", "latest" };

    return names[mode];
}

/* ---- Which ---------------------------------------------------------------------- */

static GstVigilMode choose(GstVigilMode wanted, gboolean live)
{
    if (wanted != GST_VIGIL_MODE_AUTO)
        return wanted;
    return live ? GST_VIGIL_MODE_LATEST : GST_VIGIL_MODE_SYNC;
}

/* Who does not know is taken for a file. */
static gboolean ask_live(GstVigilInference *self)
{
    GstQuery *query = gst_query_new_latency();
    gboolean live = FALSE;

    if (gst_pad_peer_query(GST_BASE_TRANSFORM_SINK_PAD(self), query))
        gst_query_parse_latency(query, &live, NULL, NULL);
    gst_query_unref(query);
    return live;
}

GstVigilMode gst_vigil_inference_take_mode(GstVigilInference *self)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    const gboolean live = priv->live_known ? priv->live : ask_live(self);

    priv->live_known = TRUE;
    GST_OBJECT_LOCK(self);
    const GstVigilMode from = priv->active_mode, to = choose(priv->mode, live);
    priv->active_mode = to;
    priv->live = live;
    GST_OBJECT_UNLOCK(self);
    if (from != to)
        GST_INFO_OBJECT(self, "mode %s", gst_vigil_mode_to_string(to));
    if (from == GST_VIGIL_MODE_LATEST && to == GST_VIGIL_MODE_SYNC) {
        gst_vigil_worker_let_rest(&priv->worker);
        gst_vigil_worker_begin_epoch(&priv->worker);
    }
    return to;
}

/* ---- Latency -------------------------------------------------------------------- */

void gst_vigil_inference_guess_latency(GstVigilInference *self)
{
    GstVigilInferenceClass *klass = GST_VIGIL_INFERENCE_GET_CLASS(self);
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    const guint views = klass->count_views ? klass->count_views(self) : 1;

    GST_OBJECT_LOCK(self);
    priv->latency = priv->network->run_time * MAX(priv->regions->n, 1) * views;
    priv->held = (GstVigilClock) { 0 };
    GST_OBJECT_UNLOCK(self);
}

void gst_vigil_inference_add_latency(GstVigilInference *self, GstQuery *query)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    GstClockTime min, max, own;
    gboolean live;

    gst_query_parse_latency(query, &live, &min, &max);
    GST_OBJECT_LOCK(self);
    own = choose(priv->mode, live) == GST_VIGIL_MODE_LATEST ? 0 : priv->latency;
    GST_OBJECT_UNLOCK(self);
    min += own;
    if (GST_CLOCK_TIME_IS_VALID(max))
        max += own;
    gst_query_set_latency(query, live, min, max);
}

static gboolean is_check_due(guint64 frames)
{
    return frames >= LATENCY_FIRST &&
           ((frames & (frames - 1)) == 0 || frames % LATENCY_CHECK == 0);
}

/* Each change makes the pipeline stutter: what differs by less than a fifth is told as
 * before. */
void gst_vigil_inference_note_held(GstVigilInference *self, GstClockTime held)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    gboolean moved = FALSE;

    GST_OBJECT_LOCK(self);
    gst_vigil_clock_add(&priv->held, held);
    if (is_check_due(priv->held.count)) {
        const GstClockTime usual = gst_vigil_clock_p95(&priv->held);
        moved = usual > priv->latency + priv->latency / 5 ||
                usual < priv->latency - priv->latency / 5;
        if (moved)
            priv->latency = usual;
    }
    GST_OBJECT_UNLOCK(self);
    if (moved)
        gst_element_post_message(GST_ELEMENT(self),
                                 gst_message_new_latency(GST_OBJECT(self)));
}
