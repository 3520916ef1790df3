/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the loss of a chain to one that starts. */
#include "gstvigilsourcebin-private.h"

#define GST_CAT_DEFAULT gst_vigil_source_bin_debug

/* Between attempts to open it again, in microseconds. */
#define FIRST_WAIT (100 * G_TIME_SPAN_MILLISECOND)
#define LONGEST_WAIT (2 * G_TIME_SPAN_SECOND)

/* From one loss to the next for the waits to begin anew, in microseconds. */
#define STEADY (5 * G_TIME_SPAN_SECOND)

/* How long the same thing may stand in the way before it is told: rights of a node that
 * has just appeared are given a little later. */
#define PATIENCE (2 * G_TIME_SPAN_SECOND)

/* ---- Messages -------------------------------------------------------------------- */

static void tell(GstVigilSourceBin *self, GstMessageType type, const GError *error,
                 const gchar *why, gboolean again)
{
    gchar *text = GST_VIGIL_SOURCE_BIN_GET_CLASS(self)->sentence(
        self, why, again, type == GST_MESSAGE_ERROR);

    gst_vigil_source_bin_post(self, type, error, text);
    g_free(text);
}

static void tell_lost(GstVigilSourceBin *self, const GError *error, const gchar *why)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    GST_OBJECT_LOCK(self);
    priv->losses++;
    GST_OBJECT_UNLOCK(self);
    gst_vigil_source_bin_post_message(self, FALSE, why);
    tell(self, GST_MESSAGE_WARNING, error, why, FALSE);
}

/* ---- What stands in the way ------------------------------------------------------ */

/* It is told once it has done so for a while. */
static void note_obstacle(GstVigilSourceBin *self, const GError *error,
                          const gchar *why)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    const gint64 now = g_get_monotonic_time();

    if (g_strcmp0(priv->obstacle, why)) {
        g_free(priv->obstacle);
        priv->obstacle = g_strdup(why);
        priv->since = now;
        priv->told = FALSE;
    } else if (why[0] && !priv->told && now - priv->since > PATIENCE) {
        tell(self, GST_MESSAGE_WARNING, error, why, TRUE);
        priv->told = TRUE;
    }
}

static gboolean give_up(GstVigilSourceBin *self, const GError *error, const gchar *why)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    GstVigilSourceBinClass *klass = GST_VIGIL_SOURCE_BIN_GET_CLASS(self);

    if (!klass->is_final ||
        !klass->is_final(self, error, gst_vigil_source_bin_get_sent(self)))
        return FALSE;
    tell(self, GST_MESSAGE_ERROR, error, why, FALSE);
    g_mutex_lock(&priv->lock);
    priv->closing = TRUE;
    g_mutex_unlock(&priv->lock);
    return TRUE;
}

/* A chain is lost, or could not be made. */
static void note_failure(GstVigilSourceBin *self, const GError *error)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    GstVigilSourceBinClass *klass = GST_VIGIL_SOURCE_BIN_GET_CLASS(self);

    g_mutex_lock(&priv->lock);
    const gboolean again = priv->away;
    priv->away = TRUE;
    g_mutex_unlock(&priv->lock);
    gchar *why = klass->explain ? klass->explain(self, error, again) : NULL;
    if (!why)
        why = g_strdup(error->message);
    g_mutex_lock(&priv->lock);
    const gboolean stopping = priv->stopping;
    g_mutex_unlock(&priv->lock);
    GST_INFO_OBJECT(self, "%s: %s", again ? "not found" : "lost", why);
    if (!stopping && !give_up(self, error, why)) {
        if (again) {
            note_obstacle(self, error, why);
        } else {
            tell_lost(self, error, why);
            g_free(priv->obstacle);
            priv->obstacle = g_strdup(why);
            priv->told = TRUE;
        }
        const gint64 longest =
            klass->longest_wait ? klass->longest_wait(self, error) : LONGEST_WAIT;
        priv->wait =
            CLAMP(priv->wait, longest > LONGEST_WAIT ? longest : FIRST_WAIT, longest);
    }
    g_free(why);
}

/* ---- Finding again --------------------------------------------------------------- */

static gboolean add_and_start(GstVigilSourceBin *self, GstElement *chain)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    g_mutex_lock(&priv->swap);
    gst_vigil_source_bin_add_chain(self, chain);
    const gboolean started =
        gst_element_set_state(chain, priv->target) != GST_STATE_CHANGE_FAILURE;
    g_mutex_unlock(&priv->swap);
    return started;
}

/* Puts a new chain in its place. */
static gboolean start_chain(GstVigilSourceBin *self, GstElement *chain, GError **error)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    g_mutex_lock(&priv->lock);
    priv->lost = FALSE;
    priv->fresh = TRUE;
    priv->flow = GST_FLOW_OK;
    priv->pushing = priv->busy = priv->failed = FALSE;
    priv->heard = g_get_monotonic_time();
    g_mutex_unlock(&priv->lock);
    if (add_and_start(self, chain))
        return TRUE;
    gst_vigil_source_bin_remove_chain(self);
    g_mutex_lock(&priv->lock);
    priv->lost = TRUE;
    *error = g_steal_pointer(&priv->reason);
    g_mutex_unlock(&priv->lock);
    if (!*error)
        *error =
            g_error_new_literal(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ_WRITE,
                                "it cannot be opened");
    return FALSE;
}

static gboolean attempt(GstVigilSourceBin *self)
{
    GError *error = NULL;
    GstElement *chain = GST_VIGIL_SOURCE_BIN_GET_CLASS(self)->make_chain(self, &error);
    const gboolean started = chain && start_chain(self, chain, &error);

    if (!started)
        note_failure(self, error);
    g_clear_error(&error);
    return started;
}

gboolean gst_vigil_source_bin_add_first_chain(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    GError *error = NULL;

    priv->opens_early = TRUE;
    g_mutex_lock(&priv->swap);
    GstElement *chain = GST_VIGIL_SOURCE_BIN_GET_CLASS(self)->make_chain(self, &error);
    if (chain)
        gst_vigil_source_bin_add_chain(self, chain);
    else
        gst_vigil_source_bin_post(self, GST_MESSAGE_ERROR, error, error->message);
    g_mutex_unlock(&priv->swap);
    g_clear_error(&error);
    return chain != NULL;
}

static gboolean is_over(const GstVigilSourceBinPrivate *priv)
{
    return priv->stopping || priv->ending || priv->closing;
}

/* Waits under `lock`.  FALSE: there is nothing more to look for. */
static gboolean wait_for_attempt(GstVigilSourceBinPrivate *priv)
{
    const gint64 end = g_get_monotonic_time() + priv->wait;

    priv->wait = CLAMP(2 * priv->wait, FIRST_WAIT, LONGEST_WAIT);
    while (!is_over(priv) && !priv->hurried &&
           g_cond_wait_until(&priv->cond, &priv->lock, end))
        ;
    priv->hurried = FALSE;
    return !is_over(priv);
}

/* Sinks and queues give back the frames they hold: the driver lets go of a camera only
 * when all of its memory is free. */
static void drain(GstVigilSourceBin *self)
{
    GstQuery *query = gst_query_new_drain();

    gst_pad_peer_query(gst_vigil_source_bin_get_pad(self), query);
    gst_query_unref(query);
}

/* The search begins, or goes on when it was lost before its first frame. */
static void begin_search(GstVigilSourceBin *self, GError *reason, gboolean again)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    GstVigilSourceBinClass *klass = GST_VIGIL_SOURCE_BIN_GET_CLASS(self);
    const gint64 now = g_get_monotonic_time();

    if (!again) {
        /* What is lost again and again is not hurried for. */
        if (!reason || now - priv->began > STEADY)
            priv->wait = 0;
        priv->began = now;
        if (reason && klass->begin_search)
            klass->begin_search(self);
    }
    if (reason)
        note_failure(self, reason);
    if (reason && !again)
        drain(self);
    g_clear_error(&reason);
}

void gst_vigil_source_bin_handle_loss(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    const gboolean again = priv->away;
    GError *reason = g_steal_pointer(&priv->reason);
    gboolean found = FALSE;

    g_mutex_unlock(&priv->lock);
    gst_vigil_source_bin_settle(self);
    gst_vigil_source_bin_remove_chain(self);
    begin_search(self, reason, again);
    g_mutex_lock(&priv->lock);
    while (!found && wait_for_attempt(priv)) {
        g_mutex_unlock(&priv->lock);
        found = attempt(self);
        g_mutex_lock(&priv->lock);
    }
}
