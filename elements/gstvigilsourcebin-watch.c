/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a loss is noticed, and the thread that deals with it. */
#include "gstvigilsourcebin-private.h"

#define GST_CAT_DEFAULT gst_vigil_source_bin_debug

/* For a chain that failed to come to rest, in microseconds. */
#define LONGEST_REST (2 * G_TIME_SPAN_SECOND)

/* ---- Messages -------------------------------------------------------------------- */

void gst_vigil_source_bin_post_message(GstVigilSourceBin *self, gboolean found,
                                       const gchar *reason)
{
    GstStructure *structure =
        GST_VIGIL_SOURCE_BIN_GET_CLASS(self)->message(self, found);

    gst_structure_set(structure, "reason", G_TYPE_STRING, reason, NULL);
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_element(GST_OBJECT(self), structure));
}

static void tell_found(GstVigilSourceBin *self, GstClockTime away, gboolean first)
{
    gchar *reason = g_strdup_printf("it is %s after %.1f s", first ? "there" : "back",
                                    (gdouble)away / GST_SECOND);

    gst_vigil_source_bin_post_message(self, TRUE, reason);
    g_free(reason);
    /* Another driver, or another mode, may be slower. */
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_latency(GST_OBJECT(self)));
}

/* ---- Noticing -------------------------------------------------------------------- */

void gst_vigil_source_bin_lose(GstVigilSourceBin *self, GError *reason)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    g_mutex_lock(&priv->lock);
    if (!priv->lost) {
        priv->lost = TRUE;
        g_clear_error(&priv->reason);
        priv->reason = g_steal_pointer(&reason);
        if (!priv->away)
            priv->lost_at = gst_util_get_timestamp();
        g_cond_signal(&priv->cond);
    }
    g_mutex_unlock(&priv->lock);
    g_clear_error(&reason);
}

/* The child of the bin that holds the object, with a reference. */
static GstElement *chain_of(GstVigilSourceBin *self, GstObject *object)
{
    GstObject *inner = object ? gst_object_ref(object) : NULL;

    while (inner) {
        GstObject *outer = gst_object_get_parent(inner);
        if (outer == GST_OBJECT(self)) {
            gst_object_unref(outer);
            return GST_ELEMENT(inner);
        }
        gst_object_unref(inner);
        inner = outer;
    }
    return NULL;
}

void gst_vigil_source_bin_note_progress(GstVigilSourceBin *self, GstMessage *message)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    GstProgressType type;

    gst_message_parse_progress(message, &type, NULL, NULL);
    g_mutex_lock(&priv->lock);
    priv->busy = type == GST_PROGRESS_TYPE_START || type == GST_PROGRESS_TYPE_CONTINUE;
    g_cond_broadcast(&priv->cond);
    g_mutex_unlock(&priv->lock);
}

void gst_vigil_source_bin_settle(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    const gint64 end = g_get_monotonic_time() + LONGEST_REST;

    g_mutex_lock(&priv->lock);
    while (priv->failed && priv->busy &&
           g_cond_wait_until(&priv->cond, &priv->lock, end))
        ;
    g_mutex_unlock(&priv->lock);
}

/* An error that a chain got from what follows is not the chain's. */
static gboolean came_from_behind(GstVigilSourceBin *self, GstMessage *message,
                                 GstFlowReturn met)
{
    const GstStructure *details = NULL;
    gint flow = GST_FLOW_OK;

    gst_message_parse_error_details(message, &details);
    if (details)
        gst_structure_get_int(details, "flow-return", &flow);
    return flow == GST_FLOW_NOT_NEGOTIATED ||
           (flow == GST_FLOW_NOT_LINKED &&
            !gst_pad_is_linked(gst_vigil_source_bin_get_pad(self))) ||
           (flow == GST_FLOW_ERROR && met == GST_FLOW_ERROR);
}

/* Once: what follows the first error of a chain is about the same. */
static void complain(GstVigilSourceBin *self, GstMessage *message, gboolean told)
{
    gchar *debug = NULL;
    GError *error = NULL;

    if (told)
        return;
    gst_message_parse_error(message, &error, &debug);
    gst_element_message_full(
        GST_ELEMENT(self), GST_MESSAGE_ERROR, error->domain, error->code,
        GST_VIGIL_SOURCE_BIN_GET_CLASS(self)->complain(self, error), debug, __FILE__,
        GST_FUNCTION, __LINE__);
    g_error_free(error);
}

gboolean gst_vigil_source_bin_takes_message(GstVigilSourceBin *self,
                                            GstMessage *message)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    GstVigilSourceBinClass *klass = GST_VIGIL_SOURCE_BIN_GET_CLASS(self);
    GstElement *chain = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR
                            ? chain_of(self, GST_MESSAGE_SRC(message))
                            : NULL;
    GError *error = NULL;

    if (!chain)
        return FALSE;
    g_mutex_lock(&priv->lock);
    const gboolean known = priv->lost, watching = priv->watching, away = priv->away;
    const guint sent = priv->sent;
    const gboolean told = watching && priv->ending && !sent;
    const GstFlowReturn met = priv->flow;
    priv->failed = TRUE;
    g_mutex_unlock(&priv->lock);
    const gboolean survives =
        watching && (away || !klass->takes_error || klass->takes_error(self, sent));
    const gboolean behind =
        !(survives && known) && came_from_behind(self, message, met);
    gst_object_unref(chain);
    if (survives && !behind) {
        if (!known) {
            gst_message_parse_error(message, &error, NULL);
            gst_vigil_source_bin_lose(self, error);
        }
        return TRUE;
    }
    g_mutex_lock(&priv->lock);
    priv->ending = TRUE; /* of which the EOS that follows tells */
    g_mutex_unlock(&priv->lock);
    if (!klass->complain || (behind && !told))
        return FALSE;
    complain(self, message, told);
    return TRUE;
}

void gst_vigil_source_bin_note_frame(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    g_mutex_lock(&priv->lock);
    const gboolean found = priv->away, first = !priv->sent;
    const GstClockTime away = gst_util_get_timestamp() - priv->lost_at;
    priv->away = priv->fresh = FALSE;
    priv->pushing = TRUE;
    priv->sent++;
    g_mutex_unlock(&priv->lock);
    GST_OBJECT_LOCK(self);
    priv->frames++;
    GST_OBJECT_UNLOCK(self);
    if (found)
        tell_found(self, away, first);
}

void gst_vigil_source_bin_note_frame_taken(GstVigilSourceBin *self, GstFlowReturn flow)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    g_mutex_lock(&priv->lock);
    priv->pushing = FALSE;
    priv->flow = flow;
    priv->heard = g_get_monotonic_time();
    if (flow == GST_FLOW_EOS) { /* what follows has enough, and wants to hear of it */
        priv->closing = TRUE;
        g_cond_signal(&priv->cond);
    }
    g_mutex_unlock(&priv->lock);
}

void gst_vigil_source_bin_note_playing(GstVigilSourceBin *self, gboolean playing)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    g_mutex_lock(&priv->lock);
    priv->playing = playing;
    priv->heard = g_get_monotonic_time();
    g_cond_signal(&priv->cond);
    g_mutex_unlock(&priv->lock);
}

/* ---- Watching -------------------------------------------------------------------- */

/* Waits under `lock` for news, or for frames to stay away. */
static void wait_for_loss(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    const gint64 patience = (gint64)(priv->timeout / 1000);

    if (!priv->live || !priv->playing || !patience || priv->ending || priv->ended) {
        g_cond_wait(&priv->cond, &priv->lock);
        return;
    }
    if (g_cond_wait_until(&priv->cond, &priv->lock, priv->heard + patience))
        return;
    if (priv->pushing) {
        priv->heard = g_get_monotonic_time();
    } else if (!priv->lost && g_get_monotonic_time() - priv->heard >= patience) {
        priv->lost = TRUE;
        if (!priv->away)
            priv->lost_at = gst_util_get_timestamp();
        g_clear_error(&priv->reason);
        priv->reason = g_error_new(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
                                   "it gave no frame for %g s",
                                   (gdouble)patience / G_USEC_PER_SEC);
    }
}

/* Without a chain nobody else does; under `lock`, which is given back between. */
static void end_stream(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    priv->ended = priv->lost = TRUE;
    g_mutex_unlock(&priv->lock);
    gst_vigil_source_bin_remove_chain(self);
    if (!priv->started)
        gst_pad_push_event(priv->src,
                           gst_event_new_stream_start(GST_OBJECT_NAME(self)));
    gst_pad_push_event(priv->src, gst_event_new_eos());
    g_mutex_lock(&priv->lock);
}

static gpointer watch(gpointer data)
{
    GstVigilSourceBin *self = data;
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    g_mutex_lock(&priv->lock);
    while (!priv->stopping) {
        if (priv->ended)
            g_cond_wait(&priv->cond, &priv->lock);
        else if (priv->closing || (priv->lost && priv->ending))
            end_stream(self);
        else if (priv->lost)
            gst_vigil_source_bin_handle_loss(self);
        else
            wait_for_loss(self);
    }
    g_mutex_unlock(&priv->lock);
    return NULL;
}

gboolean gst_vigil_source_bin_end(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    g_mutex_lock(&priv->lock);
    const gboolean flows = priv->watching && !priv->ended;
    priv->closing = TRUE;
    g_cond_signal(&priv->cond);
    g_mutex_unlock(&priv->lock);
    return flows;
}

void gst_vigil_source_bin_try_now(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    g_mutex_lock(&priv->lock);
    priv->hurried = TRUE;
    g_cond_signal(&priv->cond);
    g_mutex_unlock(&priv->lock);
}

guint gst_vigil_source_bin_get_sent(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    g_mutex_lock(&priv->lock);
    const guint sent = priv->sent;
    g_mutex_unlock(&priv->lock);
    return sent;
}

void gst_vigil_source_bin_prepare_watching(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    priv->stopping = priv->ending = priv->closing = priv->ended = FALSE;
    priv->away = priv->hurried = priv->playing = priv->pushing = FALSE;
    priv->busy = priv->failed = FALSE;
    priv->lost = !priv->chain;
    priv->fresh = TRUE;
    priv->flow = GST_FLOW_OK;
    priv->sent = 0;
    priv->heard = g_get_monotonic_time();
    priv->lost_at = gst_util_get_timestamp();
    g_cancellable_reset(priv->cancellable);
    gst_vigil_source_bin_reset_stream(self);
    priv->watching = TRUE;
}

void gst_vigil_source_bin_start_watching(GstVigilSourceBin *self)
{
    gst_vigil_source_bin_private(self)->watcher =
        g_thread_new(GST_OBJECT_NAME(self), watch, self);
}

void gst_vigil_source_bin_stop_watching(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    if (!priv->watcher)
        return;
    g_mutex_lock(&priv->lock);
    priv->stopping = TRUE;
    g_cond_signal(&priv->cond);
    g_mutex_unlock(&priv->lock);
    g_cancellable_cancel(priv->cancellable);
    g_thread_join(priv->watcher);
    priv->watcher = NULL;
}

void gst_vigil_source_bin_forget_loss(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    priv->watching = FALSE;
    g_clear_error(&priv->reason);
}
