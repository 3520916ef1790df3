/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilcaps.h"
#include "gstvigilinference-private.h"

GST_DEBUG_CATEGORY(gst_vigil_inference_debug);
#define GST_CAT_DEFAULT gst_vigil_inference_debug

G_DEFINE_ABSTRACT_TYPE_WITH_CODE(
    GstVigilInference, gst_vigil_inference, GST_TYPE_BASE_TRANSFORM,
    G_ADD_PRIVATE(GstVigilInference)
        GST_DEBUG_CATEGORY_INIT(gst_vigil_inference_debug, "vigilinference", 0,
                                "inference on video frames"))

GstVigilInferencePrivate *gst_vigil_inference_private(GstVigilInference *self)
{
    return gst_vigil_inference_get_instance_private(self);
}

void gst_vigil_inference_post(GstVigilInference *self, GstMessageType type,
                              GError *error)
{
    gst_element_message_full(GST_ELEMENT(self), type, error->domain, error->code,
                             g_strdup(error->message), NULL, __FILE__, GST_FUNCTION,
                             __LINE__);
    g_error_free(error);
}

/* ---- Model and states ----------------------------------------------------------- */

static void close_network(GstVigilInference *self)
{
    GstVigilInferenceClass *klass = GST_VIGIL_INFERENCE_GET_CLASS(self);
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    if (klass->release)
        klass->release(self);
    gst_vigil_reducer_clear(&priv->reducer);
    gst_vigil_network_close(&priv->network);
}

GError *gst_vigil_inference_take_settings(GstVigilInference *self,
                                          GstVigilNetworkSettings *settings)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    GError *error = NULL;

    GST_OBJECT_LOCK(self);
    gst_vigil_network_settings_copy(settings, &priv->settings);
    priv->settings_changed = FALSE;
    if (priv->regions_error)
        error = g_error_copy(priv->regions_error);
    GST_OBJECT_UNLOCK(self);
    settings->model_is_default = !settings->model || !*settings->model;
    if (settings->model_is_default) {
        g_free(settings->model);
        settings->model = g_strdup(GST_VIGIL_INFERENCE_GET_CLASS(self)->default_model);
    }
    return error;
}

static gboolean open_network(GstVigilInference *self)
{
    GstVigilInferenceClass *klass = GST_VIGIL_INFERENCE_GET_CLASS(self);
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    GstVigilNetworkSettings settings;
    GError *error = gst_vigil_inference_take_settings(self, &settings);

    close_network(self);
    if (!error)
        priv->network = gst_vigil_network_open(&settings, klass->task, &error);
    gst_vigil_network_settings_clear(&settings);
    if (!priv->network) {
        gst_vigil_inference_post(self, GST_MESSAGE_ERROR, error);
        return FALSE;
    }
    gst_vigil_inference_guess_latency(self);
    GST_INFO_OBJECT(self, "opened %s: %d classes, one run %" GST_TIME_FORMAT,
                    priv->network->name, priv->network->classes,
                    GST_TIME_ARGS(priv->network->run_time));
    return TRUE;
}

static gboolean prepare(GstVigilInference *self)
{
    GstVigilInferenceClass *klass = GST_VIGIL_INFERENCE_GET_CLASS(self);
    GError *error = NULL;

    if (!klass->prepare ||
        klass->prepare(self, gst_vigil_inference_private(self)->network, &error))
        return TRUE;
    close_network(self);
    gst_vigil_inference_post(self, GST_MESSAGE_ERROR, error);
    return FALSE;
}

/* The network need not be opened when it is open and nothing was set since. */
static gboolean ensure_network(GstVigilInference *self)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    const gboolean fresh =
        priv->network && !priv->settings_changed && !priv->regions_error;
    GST_OBJECT_UNLOCK(self);
    return (fresh || open_network(self)) && prepare(self);
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange transition)
{
    GstVigilInference *self = GST_VIGIL_INFERENCE(element);
    const gboolean upwards = transition == GST_STATE_CHANGE_NULL_TO_READY ||
                             transition == GST_STATE_CHANGE_READY_TO_PAUSED;

    if (upwards && !ensure_network(self))
        return GST_STATE_CHANGE_FAILURE;
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
        gst_vigil_worker_interrupt(&gst_vigil_inference_private(self)->worker);

    GstElementClass *parent = GST_ELEMENT_CLASS(gst_vigil_inference_parent_class);
    const GstStateChangeReturn result = parent->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
        gst_vigil_inference_swap_cancel(self);
    if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
        (transition == GST_STATE_CHANGE_NULL_TO_READY &&
         result == GST_STATE_CHANGE_FAILURE))
        close_network(self);
    return result;
}

/* ---- Stream --------------------------------------------------------------------- */

static gboolean start(GstBaseTransform *trans)
{
    GstVigilInference *self = GST_VIGIL_INFERENCE(trans);
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    gst_vigil_stats_reset(&priv->stats);
    priv->has_stream_orientation = FALSE;
    priv->global_orientation = GST_VIDEO_ORIENTATION_IDENTITY;
    priv->active_mode = GST_VIGIL_MODE_AUTO;
    priv->live = FALSE;
    GST_OBJECT_UNLOCK(self);
    priv->live_known = FALSE;
    gst_vigil_worker_resume(&priv->worker);
    gst_vigil_inference_reset_stream(self);
    return TRUE;
}

static gboolean stop(GstBaseTransform *trans)
{
    gst_vigil_worker_stop(
        &gst_vigil_inference_private(GST_VIGIL_INFERENCE(trans))->worker);
    return TRUE;
}

static gboolean set_caps(GstBaseTransform *trans, GstCaps *in, GstCaps *out)
{
    GstVigilInferencePrivate *priv =
        gst_vigil_inference_private(GST_VIGIL_INFERENCE(trans));

    priv->wait = 0;
    gst_vigil_worker_begin_epoch(&priv->worker);
    return gst_vigil_caps_to_info(in, &priv->info);
}

static void take_tags(GstVigilInference *self, GstEvent *event)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    GstVideoOrientationMethod orientation;
    GstTagList *tags = NULL;

    gst_event_parse_tag(event, &tags);
    if (!gst_video_orientation_from_tag(tags, &orientation))
        return;
    GST_INFO_OBJECT(self, "image-orientation tag, method %d", (gint)orientation);
    GST_OBJECT_LOCK(self);
    if (gst_tag_list_get_scope(tags) == GST_TAG_SCOPE_STREAM) {
        priv->stream_orientation = orientation;
        priv->has_stream_orientation = TRUE;
    } else {
        priv->global_orientation = orientation;
    }
    GST_OBJECT_UNLOCK(self);
}

static void forget_orientation(GstVigilInference *self)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    priv->has_stream_orientation = FALSE;
    priv->global_orientation = GST_VIDEO_ORIENTATION_IDENTITY;
    GST_OBJECT_UNLOCK(self);
}

static void begin_stream(GstVigilInference *self)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    forget_orientation(self);
    priv->live_known = FALSE;
    gst_vigil_worker_begin_epoch(&priv->worker);
}

/* Times of other segments cannot be compared. */
static void take_segment(GstVigilInference *self, GstEvent *event)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    const GstSegment *segment;

    gst_event_parse_segment(event, &segment);
    if (gst_segment_is_equal(segment, &GST_BASE_TRANSFORM(self)->segment))
        return;
    gst_vigil_pace_reset(&priv->pace);
    gst_vigil_worker_begin_epoch(&priv->worker);
}

/* No frame will carry what is under way; it is told all the same, before the end. */
static void end_stream(GstVigilInference *self)
{
    GstVigilWorker *worker = &gst_vigil_inference_private(self)->worker;

    gst_vigil_worker_drain(worker);
    gst_vigil_worker_begin_epoch(worker);
}

static gboolean sink_event(GstBaseTransform *trans, GstEvent *event)
{
    GstVigilInference *self = GST_VIGIL_INFERENCE(trans);
    GstVigilWorker *worker = &gst_vigil_inference_private(self)->worker;

    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_STREAM_START:
        begin_stream(self);
        break;
    case GST_EVENT_SEGMENT:
        take_segment(self, event);
        break;
    case GST_EVENT_EOS:
        end_stream(self);
        break;
    case GST_EVENT_FLUSH_START:
        gst_vigil_worker_interrupt(worker);
        break;
    case GST_EVENT_TAG:
        take_tags(self, event);
        break;
    case GST_EVENT_FLUSH_STOP:
        gst_vigil_worker_resume(worker);
        gst_vigil_inference_reset_stream(self);
        break;
    default:
        break;
    }
    return GST_BASE_TRANSFORM_CLASS(gst_vigil_inference_parent_class)
        ->sink_event(trans, event);
}

static gboolean src_event(GstBaseTransform *trans, GstEvent *event)
{
    if (GST_EVENT_TYPE(event) == GST_EVENT_QOS) {
        GST_OBJECT_LOCK(trans);
        gst_vigil_qos_update(
            &gst_vigil_inference_private(GST_VIGIL_INFERENCE(trans))->qos, event);
        GST_OBJECT_UNLOCK(trans);
    }
    return GST_BASE_TRANSFORM_CLASS(gst_vigil_inference_parent_class)
        ->src_event(trans, event);
}

static gboolean query(GstBaseTransform *trans, GstPadDirection direction,
                      GstQuery *query)
{
    if (!GST_BASE_TRANSFORM_CLASS(gst_vigil_inference_parent_class)
             ->query(trans, direction, query))
        return FALSE;
    if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY && direction == GST_PAD_SRC)
        gst_vigil_inference_add_latency(GST_VIGIL_INFERENCE(trans), query);
    return TRUE;
}

/* ---- Type ----------------------------------------------------------------------- */

static void finalize(GObject *object)
{
    GstVigilInference *self = GST_VIGIL_INFERENCE(object);
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    close_network(self);
    gst_vigil_network_settings_clear(&priv->settings);
    gst_vigil_regions_unref(priv->regions);
    g_clear_error(&priv->regions_error);
    g_free(priv->regions_text);
    gst_vigil_worker_clear(&priv->worker);
    G_OBJECT_CLASS(gst_vigil_inference_parent_class)->finalize(object);
}

static void gst_vigil_inference_init(GstVigilInference *self)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    priv->interval = GST_VIGIL_INFERENCE_DEFAULT_INTERVAL;
    priv->qos_enabled = GST_VIGIL_INFERENCE_DEFAULT_QOS;
    priv->regions = gst_vigil_regions_parse(NULL, NULL);
    priv->mode = GST_VIGIL_INFERENCE_DEFAULT_MODE;
    priv->max_fps = GST_VIGIL_INFERENCE_DEFAULT_MAX_FPS;
    gst_vigil_worker_init(&priv->worker, self);
    gst_video_info_init(&priv->info);
    gst_vigil_qos_reset(&priv->qos);
    gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
    gst_base_transform_set_gap_aware(GST_BASE_TRANSFORM(self), TRUE);
}

static void gst_vigil_inference_class_init(GstVigilInferenceClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS(klass);

    object_class->finalize = finalize;
    gst_vigil_inference_install_properties(object_class);
    GST_ELEMENT_CLASS(klass)->change_state = change_state;
    trans_class->start = start;
    trans_class->stop = stop;
    trans_class->set_caps = set_caps;
    trans_class->sink_event = sink_event;
    trans_class->src_event = src_event;
    trans_class->query = query;
    trans_class->transform_ip = gst_vigil_inference_transform_ip;
    gst_type_mark_as_plugin_api(GST_TYPE_VIGIL_INFERENCE, (GstPluginAPIFlags)0);
}

void gst_vigil_inference_class_add_pads(GstVigilInferenceClass *klass)
{
    GstCaps *caps = gst_vigil_caps_new();

    gst_element_class_add_pad_template(
        GST_ELEMENT_CLASS(klass),
        gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
    gst_element_class_add_pad_template(
        GST_ELEMENT_CLASS(klass),
        gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
    gst_caps_unref(caps);
}
