/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilinference-private.h"

GST_DEBUG_CATEGORY_EXTERN(gst_vigil_inference_debug);
#define GST_CAT_DEFAULT gst_vigil_inference_debug

/* ---- The model that stays ------------------------------------------------------- */

/* The property tells again what runs.  Settings made along with the model count when
 * the network is next opened. */
static void keep_model(GstVigilInference *self, GError *error)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    g_free(priv->settings.model);
    priv->settings.model = g_strdup(priv->network->source);
    priv->settings_changed = TRUE;
    g_prefix_error(&error, "The model in use stays, \"%s\". ", priv->network->name);
    GST_OBJECT_UNLOCK(self);
    g_object_notify(G_OBJECT(self), "model");
    gst_vigil_inference_post(self, GST_MESSAGE_WARNING, error);
}

/* ---- Opening, on a thread of its own -------------------------------------------- */

/* Takes the network or, where there is none, the error.  FALSE: the settings have
 * changed meanwhile, and it was not wanted. */
static gboolean hand_over(GstVigilInference *self, GstVigilNetwork *network,
                          GError *error)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    GstVigilSwap *swap = &priv->swap;

    GST_OBJECT_LOCK(self);
    const gboolean wanted = !swap->cancelled && !priv->settings_changed;
    const gboolean done = swap->cancelled || wanted;
    if (done)
        swap->opening = FALSE;
    if (wanted && network) {
        GstVigilNetwork *older = swap->incoming;
        swap->incoming = network;
        network = older;
    }
    GST_OBJECT_UNLOCK(self);
    gst_vigil_network_close(&network);
    if (error && wanted)
        keep_model(self, error);
    else
        g_clear_error(&error);
    return done;
}

static gboolean open_once(GstVigilInference *self)
{
    GstVigilInferenceClass *klass = GST_VIGIL_INFERENCE_GET_CLASS(self);
    GstVigilNetworkSettings settings;
    GError *error = gst_vigil_inference_take_settings(self, &settings);
    GstVigilNetwork *network = NULL;

    if (!error)
        network = gst_vigil_network_open(&settings, klass->task, &error);
    gst_vigil_network_settings_clear(&settings);
    return hand_over(self, network, error);
}

static gpointer open_until_settled(gpointer data)
{
    while (!open_once((GstVigilInference *)data))
        ;
    return NULL;
}

void gst_vigil_inference_swap_begin(GstVigilInference *self)
{
    GstVigilSwap *swap = &gst_vigil_inference_private(self)->swap;
    GThread *finished = NULL;

    GST_OBJECT_LOCK(self);
    if (!swap->opening) { /* else its thread finds what was set */
        finished = swap->thread;
        swap->opening = TRUE;
        swap->cancelled = FALSE;
        swap->thread = g_thread_new("vigil-model", open_until_settled, self);
    }
    GST_OBJECT_UNLOCK(self);
    if (finished)
        g_thread_join(finished);
}

void gst_vigil_inference_swap_cancel(GstVigilInference *self)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    GThread *thread = priv->swap.thread;
    priv->swap.thread = NULL;
    priv->swap.cancelled = TRUE;
    const gboolean pending = priv->swap.opening || priv->swap.incoming;
    GST_OBJECT_UNLOCK(self);
    if (thread)
        g_thread_join(thread);
    gst_vigil_network_close(&priv->swap.incoming);
    GST_OBJECT_LOCK(self);
    if (pending)
        priv->settings_changed = TRUE; /* to be opened when data flows again */
    GST_OBJECT_UNLOCK(self);
}

/* ---- Taking, between two frames ------------------------------------------------- */

static gboolean use_network(GstVigilInference *self, GstVigilNetwork *network,
                            GError **error)
{
    GstVigilInferenceClass *klass = GST_VIGIL_INFERENCE_GET_CLASS(self);
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    if (klass->prepare && !klass->prepare(self, network, error))
        return FALSE;
    gst_vigil_reducer_clear(&priv->reducer);
    GST_OBJECT_LOCK(self);
    priv->network = network;
    GST_OBJECT_UNLOCK(self);
    return TRUE;
}

static void tell_updated(GstVigilInference *self)
{
    const GstVigilNetwork *network = gst_vigil_inference_private(self)->network;
    const VigilModelInfo *info = vigil_model_info(network->model);
    GstStructure *structure =
        gst_structure_new("model-updated", "model", G_TYPE_STRING, info->file, "name",
                          G_TYPE_STRING, network->name, "variant", G_TYPE_STRING,
                          info->variant, "classes", G_TYPE_INT, network->classes, NULL);

    GST_INFO_OBJECT(self, "%" GST_PTR_FORMAT, structure);
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_element(GST_OBJECT(self), structure));
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_latency(GST_OBJECT(self)));
}

gboolean gst_vigil_inference_swap_waits(GstVigilInference *self)
{
    GST_OBJECT_LOCK(self);
    const gboolean waits = gst_vigil_inference_private(self)->swap.incoming != NULL;
    GST_OBJECT_UNLOCK(self);
    return waits;
}

void gst_vigil_inference_swap_finish(GstVigilInference *self)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    GstVigilNetwork *old = priv->network;
    GError *error = NULL;

    GST_OBJECT_LOCK(self);
    GstVigilNetwork *incoming = priv->swap.incoming;
    priv->swap.incoming = NULL;
    GST_OBJECT_UNLOCK(self);
    if (!incoming)
        return;
    if (!use_network(self, incoming, &error)) {
        gst_vigil_network_close(&incoming);
        keep_model(self, error);
        return;
    }
    gst_vigil_network_close(&old);
    gst_vigil_inference_guess_latency(self);
    tell_updated(self);
}
