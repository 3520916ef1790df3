/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* States, queries and messages of sources that survive a loss. */
#include "gstvigilsourcebin-private.h"

GST_DEBUG_CATEGORY(gst_vigil_source_bin_debug);
#define GST_CAT_DEFAULT gst_vigil_source_bin_debug

#define DEFAULT_TIMEOUT (10 * GST_SECOND)

enum { PROP_0, PROP_TIMEOUT };

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));

G_DEFINE_ABSTRACT_TYPE_WITH_CODE(
    GstVigilSourceBin, gst_vigil_source_bin, GST_TYPE_BIN,
    G_ADD_PRIVATE(GstVigilSourceBin)
        GST_DEBUG_CATEGORY_INIT(gst_vigil_source_bin_debug, "vigilsourcebin", 0,
                                "sources that survive a loss"))

GstVigilSourceBinPrivate *gst_vigil_source_bin_private(GstVigilSourceBin *self)
{
    return gst_vigil_source_bin_get_instance_private(self);
}

/* ---- States ---------------------------------------------------------------------- */

static void close_source(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    GstVigilSourceBinClass *klass = GST_VIGIL_SOURCE_BIN_GET_CLASS(self);

    gst_vigil_source_bin_remove_chain(self);
    if (klass->close)
        klass->close(self);
    GST_OBJECT_LOCK(self);
    priv->least = priv->most = GST_CLOCK_TIME_NONE;
    GST_OBJECT_UNLOCK(self);
}

static gboolean open_source(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    GST_OBJECT_LOCK(self);
    priv->frames = priv->losses = 0;
    GST_OBJECT_UNLOCK(self);
    return GST_VIGIL_SOURCE_BIN_GET_CLASS(self)->open(self);
}

static gboolean before_change(GstVigilSourceBin *self, GstStateChange transition)
{
    switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
        return open_source(self);
    case GST_STATE_CHANGE_READY_TO_PAUSED:
        gst_vigil_source_bin_prepare_watching(self);
        return TRUE;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
        gst_vigil_source_bin_note_playing(self, FALSE);
        gst_vigil_source_bin_settle(self);
        return TRUE;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
        gst_vigil_source_bin_stop_watching(self);
        gst_vigil_source_bin_settle(self);
        return TRUE;
    default:
        return TRUE;
    }
}

static void after_change(GstVigilSourceBin *self, GstStateChange transition,
                         gboolean failed)
{
    switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
        if (failed)
            close_source(self);
        break;
    case GST_STATE_CHANGE_READY_TO_PAUSED:
        if (failed)
            gst_vigil_source_bin_forget_loss(self);
        else
            gst_vigil_source_bin_start_watching(self);
        break;
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
        gst_vigil_source_bin_note_playing(self, !failed);
        break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
        if (!gst_vigil_source_bin_private(self)->opens_early)
            gst_vigil_source_bin_remove_chain(self);
        gst_vigil_source_bin_forget_loss(self);
        break;
    case GST_STATE_CHANGE_READY_TO_NULL:
        close_source(self);
        break;
    default:
        break;
    }
}

/* Of the bin, with its chain. */
static GstStateChangeReturn change_chain(GstVigilSourceBin *self,
                                         GstStateChange transition)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    g_mutex_lock(&priv->swap);
    const GstStateChangeReturn result =
        GST_ELEMENT_CLASS(gst_vigil_source_bin_parent_class)
            ->change_state(GST_ELEMENT(self), transition);
    priv->target = result == GST_STATE_CHANGE_FAILURE
                       ? GST_STATE_TRANSITION_CURRENT(transition)
                       : GST_STATE_TRANSITION_NEXT(transition);
    g_mutex_unlock(&priv->swap);
    return result;
}

static GstStateChangeReturn gst_vigil_source_bin_change_state(GstElement *element,
                                                              GstStateChange transition)
{
    GstVigilSourceBin *self = GST_VIGIL_SOURCE_BIN(element);
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    GstStateChangeReturn result = GST_STATE_CHANGE_FAILURE;

    if (before_change(self, transition))
        result = change_chain(self, transition);
    after_change(self, transition, result == GST_STATE_CHANGE_FAILURE);
    if (result == GST_STATE_CHANGE_FAILURE)
        return result;
    /* Live, or not, whether there is a chain or not, and whatever it waits for. */
    return priv->live && GST_STATE_TRANSITION_NEXT(transition) == GST_STATE_PAUSED
               ? GST_STATE_CHANGE_NO_PREROLL
               : GST_STATE_CHANGE_SUCCESS;
}

/* ---- Events, queries, messages --------------------------------------------------- */

static gboolean gst_vigil_source_bin_send_event(GstElement *element, GstEvent *event)
{
    if (GST_EVENT_TYPE(event) != GST_EVENT_EOS)
        return GST_ELEMENT_CLASS(gst_vigil_source_bin_parent_class)
            ->send_event(element, event);
    gst_event_unref(event);
    return gst_vigil_source_bin_end(GST_VIGIL_SOURCE_BIN(element));
}

/* A chain answers once it has caps.  Before, and while there is none, the answer is the
 * last one, or what is expected. */
static gboolean answer_latency(GstVigilSourceBin *self, GstQuery *query,
                               gboolean answered)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    gboolean live = FALSE;
    GstClockTime least, most;

    GST_OBJECT_LOCK(self);
    if (answered && priv->live) {
        gst_query_parse_latency(query, &live, &least, &most);
        if (live) {
            priv->least = least;
            priv->most = most;
        }
    }
    if (!priv->live)
        gst_query_set_latency(query, FALSE, 0, GST_CLOCK_TIME_NONE);
    else if (!live && GST_CLOCK_TIME_IS_VALID(priv->least))
        gst_query_set_latency(query, TRUE, priv->least, priv->most);
    else if (!live)
        gst_query_set_latency(query, TRUE, priv->expected, GST_CLOCK_TIME_NONE);
    GST_OBJECT_UNLOCK(self);
    return TRUE;
}

static gboolean src_query(GstPad *pad, GstObject *parent, GstQuery *query)
{
    GstVigilSourceBin *self = GST_VIGIL_SOURCE_BIN(parent);
    GstFormat format;

    switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_LATENCY: {
        GstPad *target = gst_ghost_pad_get_target(GST_GHOST_PAD(pad));
        const gboolean answered = target && gst_pad_query(target, query);
        gst_clear_object(&target);
        return answer_latency(self, query, answered);
    }
    case GST_QUERY_SEEKING:
        gst_query_parse_seeking(query, &format, NULL, NULL, NULL);
        gst_query_set_seeking(query, format, FALSE, 0, -1);
        return TRUE;
    case GST_QUERY_URI: /* it may hold a password */
        return FALSE;
    default:
        return gst_pad_query_default(pad, parent, query);
    }
}

/* The chain's own waiting is not the application's. */
static gboolean stays_inside(GstMessage *message)
{
    switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ASYNC_START:
    case GST_MESSAGE_ASYNC_DONE:
    case GST_MESSAGE_BUFFERING:
    case GST_MESSAGE_PROGRESS:
        return TRUE;
    default:
        return FALSE;
    }
}

static void gst_vigil_source_bin_handle_message(GstBin *bin, GstMessage *message)
{
    GstVigilSourceBin *self = GST_VIGIL_SOURCE_BIN(bin);
    GstVigilSourceBinClass *klass = GST_VIGIL_SOURCE_BIN_GET_CLASS(self);

    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_PROGRESS)
        gst_vigil_source_bin_note_progress(self, message);
    if (stays_inside(message) || gst_vigil_source_bin_takes_message(self, message)) {
        gst_message_unref(message);
        return;
    }
    if (klass->filter)
        message = klass->filter(self, message);
    if (message)
        GST_BIN_CLASS(gst_vigil_source_bin_parent_class)->handle_message(bin, message);
}

/* ---- For subclasses -------------------------------------------------------------- */

GstPad *gst_vigil_source_bin_get_pad(GstVigilSourceBin *self)
{
    return gst_vigil_source_bin_private(self)->src;
}

void gst_vigil_source_bin_set_nature(GstVigilSourceBin *self, gboolean live,
                                     GstVigilTiming timing, GstClockTime latency)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    GST_OBJECT_LOCK(self);
    priv->live = live;
    priv->timing = timing;
    priv->expected = latency;
    GST_OBJECT_UNLOCK(self);
}

GstClockTime gst_vigil_source_bin_get_timeout(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    g_mutex_lock(&priv->lock);
    const GstClockTime timeout = priv->timeout;
    g_mutex_unlock(&priv->lock);
    return timeout;
}

void gst_vigil_source_bin_add_stats(GstVigilSourceBin *self, GstStructure *stats)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    GST_OBJECT_LOCK(self);
    gst_structure_set(stats, "frames", G_TYPE_UINT64, priv->frames, "losses",
                      G_TYPE_UINT64, priv->losses, NULL);
    GST_OBJECT_UNLOCK(self);
}

GCancellable *gst_vigil_source_bin_get_cancellable(GstVigilSourceBin *self)
{
    return gst_vigil_source_bin_private(self)->cancellable;
}

void gst_vigil_source_bin_post(GstVigilSourceBin *self, GstMessageType type,
                               const GError *error, const gchar *text)
{
    gst_element_message_full(GST_ELEMENT(self), type, error->domain, error->code,
                             g_strdup(text), NULL, __FILE__, GST_FUNCTION, __LINE__);
}

/* ---- Type ------------------------------------------------------------------------ */

static void gst_vigil_source_bin_set_property(GObject *object, guint id,
                                              const GValue *value, GParamSpec *pspec)
{
    GstVigilSourceBin *self = GST_VIGIL_SOURCE_BIN(object);
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);

    if (id != PROP_TIMEOUT) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
        return;
    }
    g_mutex_lock(&priv->lock);
    priv->timeout = g_value_get_uint64(value);
    g_cond_signal(&priv->cond);
    g_mutex_unlock(&priv->lock);
}

static void gst_vigil_source_bin_get_property(GObject *object, guint id, GValue *value,
                                              GParamSpec *pspec)
{
    if (id == PROP_TIMEOUT)
        g_value_set_uint64(
            value, gst_vigil_source_bin_get_timeout(GST_VIGIL_SOURCE_BIN(object)));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_vigil_source_bin_finalize(GObject *object)
{
    GstVigilSourceBinPrivate *priv =
        gst_vigil_source_bin_private(GST_VIGIL_SOURCE_BIN(object));

    g_clear_error(&priv->reason);
    g_free(priv->obstacle);
    g_object_unref(priv->cancellable);
    g_mutex_clear(&priv->swap);
    g_mutex_clear(&priv->lock);
    g_cond_clear(&priv->cond);
    G_OBJECT_CLASS(gst_vigil_source_bin_parent_class)->finalize(object);
}

static void gst_vigil_source_bin_class_init(GstVigilSourceBinClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

    object_class->set_property = gst_vigil_source_bin_set_property;
    object_class->get_property = gst_vigil_source_bin_get_property;
    object_class->finalize = gst_vigil_source_bin_finalize;
    g_object_class_install_property(
        object_class, PROP_TIMEOUT,
        g_param_spec_uint64("timeout", "Timeout",
                            "A live source that gives no frame for so long, in ns, is "
                            "lost, while it is connected to, too; 0: never",
                            0, G_MAXINT64, DEFAULT_TIMEOUT,
                            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                GST_PARAM_MUTABLE_PLAYING));
    gst_element_class_add_static_pad_template(element_class, &src_template);
    element_class->change_state = gst_vigil_source_bin_change_state;
    element_class->send_event = gst_vigil_source_bin_send_event;
    GST_BIN_CLASS(klass)->handle_message = gst_vigil_source_bin_handle_message;
    gst_type_mark_as_plugin_api(GST_TYPE_VIGIL_SOURCE_BIN, 0);
}

static void gst_vigil_source_bin_init(GstVigilSourceBin *self)
{
    GstVigilSourceBinPrivate *priv = gst_vigil_source_bin_private(self);
    GstPadTemplate *template = gst_static_pad_template_get(&src_template);

    priv->timeout = DEFAULT_TIMEOUT;
    priv->least = priv->most = GST_CLOCK_TIME_NONE;
    priv->target = GST_STATE_NULL;
    priv->cancellable = g_cancellable_new();
    g_mutex_init(&priv->swap);
    g_mutex_init(&priv->lock);
    g_cond_init(&priv->cond);
    priv->src = gst_ghost_pad_new_no_target_from_template("src", template);
    gst_object_unref(template);
    gst_pad_set_query_function(priv->src, src_query);
    gst_vigil_source_bin_init_stream(self, priv->src);
    gst_element_add_pad(GST_ELEMENT(self), priv->src);
    /* A source also while there is nothing in it. */
    gst_bin_set_suppressed_flags(GST_BIN(self), GST_ELEMENT_FLAG_SOURCE);
    GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}
