/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilinference-private.h"

GST_DEBUG_CATEGORY_EXTERN(gst_vigil_inference_debug);
#define GST_CAT_DEFAULT gst_vigil_inference_debug

#define MAX_THREADS 1024

enum {
    PROP_0,
    PROP_MODEL,
    PROP_MODEL_INSTANCE_ID,
    PROP_LABELS_FILE,
    PROP_LABELS,
    PROP_INPUT_SIZE,
    PROP_RESIZE,
    PROP_CHANNEL_ORDER,
    PROP_MEAN,
    PROP_STD,
    PROP_PRECISION,
    PROP_THREADS,
    PROP_INFERENCE_INTERVAL,
    PROP_REGIONS,
    PROP_MODE,
    PROP_MAX_FPS,
    PROP_QOS,
    PROP_STATS,
};

static gchar **text_setting(GstVigilNetworkSettings *settings, guint id)
{
    switch (id) {
    case PROP_MODEL:
        return &settings->model;
    case PROP_MODEL_INSTANCE_ID:
        return &settings->instance_id;
    case PROP_LABELS_FILE:
        return &settings->labels_file;
    case PROP_LABELS:
        return &settings->labels;
    case PROP_INPUT_SIZE:
        return &settings->input_size;
    case PROP_MEAN:
        return &settings->mean;
    case PROP_STD:
        return &settings->std;
    default:
        return NULL;
    }
}

/* The session goes on with the old settings until it is next opened. */
static void note_setting(GstVigilInference *self, GParamSpec *pspec)
{
    gst_vigil_inference_private(self)->settings_changed = TRUE;
    if (GST_STATE(self) > GST_STATE_READY && pspec->param_id != PROP_MODEL)
        GST_WARNING_OBJECT(self,
                           "%s takes effect when the model is set, or in the state "
                           "change from READY",
                           pspec->name);
}

static void set_regions(GstVigilInference *self, const gchar *text)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    GError *error = NULL;
    GstVigilRegions *regions = gst_vigil_regions_parse(text, &error);

    if (!regions && GST_STATE(self) > GST_STATE_READY) {
        gst_vigil_inference_post(self, GST_MESSAGE_WARNING, error);
        return; /* what is in use stays */
    }
    GST_OBJECT_LOCK(self);
    g_free(priv->regions_text);
    priv->regions_text = g_strdup(text);
    g_clear_error(&priv->regions_error);
    priv->regions_error = error;
    if (regions) {
        GstVigilRegions *old = priv->regions;
        priv->regions = regions;
        gst_vigil_regions_unref(old);
    }
    GST_OBJECT_UNLOCK(self);
}

static void set_value(GstVigilInference *self, guint id, const GValue *value,
                      GParamSpec *pspec)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    gchar **text = text_setting(&priv->settings, id);

    if (text) {
        g_free(*text);
        *text = g_value_dup_string(value);
        note_setting(self, pspec);
        return;
    }
    switch (id) {
    case PROP_RESIZE:
        priv->settings.resize = (GstVigilResizeMode)g_value_get_enum(value);
        note_setting(self, pspec);
        break;
    case PROP_CHANNEL_ORDER:
        priv->settings.channel_order = (GstVigilChannelOrder)g_value_get_enum(value);
        note_setting(self, pspec);
        break;
    case PROP_PRECISION:
        priv->settings.precision = (GstVigilPrecision)g_value_get_enum(value);
        note_setting(self, pspec);
        break;
    case PROP_THREADS:
        priv->settings.threads = g_value_get_uint(value);
        note_setting(self, pspec);
        break;
    case PROP_INFERENCE_INTERVAL:
        priv->interval = g_value_get_uint(value);
        break;
    case PROP_MODE:
        priv->mode = (GstVigilMode)g_value_get_enum(value);
        break;
    case PROP_MAX_FPS:
        priv->max_fps = g_value_get_double(value);
        break;
    case PROP_QOS:
        priv->qos_enabled = g_value_get_boolean(value);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(self, id, pspec);
    }
}

static void set_property(GObject *object, guint id, const GValue *value,
                         GParamSpec *pspec)
{
    GstVigilInference *self = GST_VIGIL_INFERENCE(object);

    if (id == PROP_REGIONS) {
        set_regions(self, g_value_get_string(value));
        return;
    }
    GST_OBJECT_LOCK(self);
    set_value(self, id, value, pspec);
    GST_OBJECT_UNLOCK(self);
    if (GST_STATE(self) <= GST_STATE_READY)
        return;
    if (id == PROP_MODEL)
        gst_vigil_inference_swap_begin(self);
    if (id == PROP_MODE) /* which is what LATENCY queries go by */
        gst_element_post_message(GST_ELEMENT(self),
                                 gst_message_new_latency(GST_OBJECT(self)));
}

static GstStructure *new_stats(const GstVigilInferencePrivate *priv)
{
    GstStructure *stats = gst_vigil_stats_to_structure(&priv->stats);
    const gboolean waits = priv->active_mode == GST_VIGIL_MODE_SYNC;

    gst_structure_set(stats, "mode", G_TYPE_STRING,
                      gst_vigil_mode_to_string(priv->active_mode), "live",
                      G_TYPE_BOOLEAN, priv->live, "latency-ms", G_TYPE_DOUBLE,
                      waits ? (gdouble)priv->latency / GST_MSECOND : 0.0, NULL);
    return stats;
}

static void get_value(GstVigilInference *self, guint id, GValue *value,
                      GParamSpec *pspec)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    gchar **text = text_setting(&priv->settings, id);

    if (text) {
        g_value_set_string(value, *text);
        return;
    }
    switch (id) {
    case PROP_RESIZE:
        g_value_set_enum(value, (gint)priv->settings.resize);
        break;
    case PROP_CHANNEL_ORDER:
        g_value_set_enum(value, (gint)priv->settings.channel_order);
        break;
    case PROP_PRECISION:
        g_value_set_enum(value, (gint)priv->settings.precision);
        break;
    case PROP_THREADS:
        g_value_set_uint(value, priv->settings.threads);
        break;
    case PROP_INFERENCE_INTERVAL:
        g_value_set_uint(value, priv->interval);
        break;
    case PROP_REGIONS:
        g_value_set_string(value, priv->regions_text);
        break;
    case PROP_MODE:
        g_value_set_enum(value, (gint)priv->mode);
        break;
    case PROP_MAX_FPS:
        g_value_set_double(value, priv->max_fps);
        break;
    case PROP_QOS:
        g_value_set_boolean(value, priv->qos_enabled);
        break;
    case PROP_STATS:
        g_value_take_boxed(value, new_stats(priv));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(self, id, pspec);
    }
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    GstVigilInference *self = GST_VIGIL_INFERENCE(object);

    GST_OBJECT_LOCK(self);
    get_value(self, id, value, pspec);
    GST_OBJECT_UNLOCK(self);
}

/* ---- What gst-inspect shows ----------------------------------------------------- */

/* The session is made from these: they count when it is opened. */
#define READY_FLAGS                                                                    \
    (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define PLAYING_FLAGS                                                                  \
    (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static const struct {
    guint id;
    const gchar *name, *nick, *blurb;
} text_properties[] = {
    { PROP_MODEL_INSTANCE_ID, "model-instance-id", "Model instance id",
      "Elements of the process with the same one share a model: that of the first that "
      "opens it, with its labels, input-size, resize, channel-order, mean, std and "
      "threads; the others need not set model, and set to another file it is an error; "
      "unset: elements with the same file share only its weights" },
    { PROP_LABELS_FILE, "labels-file", "Labels file",
      "UTF-8 text file with the name of one class a line, as many as the model has "
      "classes; goes before the property labels; unset: the labels that the model file "
      "holds, or the built-in set that fits the model" },
    { PROP_LABELS, "labels", "Built-in labels",
      "Name of a built-in label set: imagenet1k, coco80, voc21, ade20k150 or camvid11; "
      "unset: as for labels-file" },
    { PROP_INPUT_SIZE, "input-size", "Input size",
      "Size that pictures are brought to for the network, HEIGHTxWIDTH in pixels, "
      "32..4096 each as far as the network allows, e.g. 160x160; larger is slower and "
      "sees more; unset: what the model was trained with" },
    { PROP_MEAN, "mean", "Mean",
      "RED,GREEN,BLUE, subtracted from pixel values scaled to 0..1, e.g. "
      "0.485,0.456,0.406; unset: what the model was trained with" },
    { PROP_STD, "std", "Standard deviation",
      "RED,GREEN,BLUE, each above 0, that pixel values scaled to 0..1 are divided by "
      "after the mean was subtracted, e.g. 0.229,0.224,0.225; unset: what the model "
      "was "
      "trained with" },
};

static void install_network_properties(GObjectClass *klass)
{
    g_object_class_install_property(
        klass, PROP_MODEL,
        g_param_spec_string(
            "model", "Model",
            "Weight file in safetensors form, or name of a shipped model; unset: the "
            "shipped default model of this element. While the stream flows the new "
            "model is opened beside the one in use and taken between two frames, "
            "together with what else was set; a message model-updated tells it, a "
            "warning why the old one stays",
            NULL, PLAYING_FLAGS));
    for (gsize i = 0; i < G_N_ELEMENTS(text_properties); i++)
        g_object_class_install_property(
            klass, text_properties[i].id,
            g_param_spec_string(text_properties[i].name, text_properties[i].nick,
                                text_properties[i].blurb, NULL, READY_FLAGS));
    g_object_class_install_property(
        klass, PROP_RESIZE,
        g_param_spec_enum(
            "resize", "Resize",
            "How a frame or region of any size becomes the network's input",
            GST_TYPE_VIGIL_RESIZE_MODE, GST_VIGIL_RESIZE_MODEL, READY_FLAGS));
    g_object_class_install_property(
        klass, PROP_CHANNEL_ORDER,
        g_param_spec_enum("channel-order", "Channel order",
                          "Order of the colours in the network's input, whatever the "
                          "format of the video",
                          GST_TYPE_VIGIL_CHANNEL_ORDER, GST_VIGIL_CHANNEL_ORDER_MODEL,
                          READY_FLAGS));
    g_object_class_install_property(
        klass, PROP_PRECISION,
        g_param_spec_enum(
            "precision", "Precision",
            "What the network multiplies in; int8 is faster, a little less exact, and "
            "needs a model file that vigil-model calibrate made; layers that are not "
            "faster so on this processor stay in float32",
            GST_TYPE_VIGIL_PRECISION, GST_VIGIL_PRECISION_AUTO, READY_FLAGS));
    g_object_class_install_property(
        klass, PROP_THREADS,
        g_param_spec_uint(
            "threads", "Threads",
            "Most threads that this element uses at a time, out of the one "
            "pool of the process; 0: as many as the process has processors",
            0, MAX_THREADS, 0, READY_FLAGS));
}

static void install_stream_properties(GObjectClass *klass)
{
    g_object_class_install_property(
        klass, PROP_INFERENCE_INTERVAL,
        g_param_spec_uint(
            "inference-interval", "Inference interval",
            "Look at every n-th frame; the others pass without results; 1: "
            "every frame",
            1, G_MAXUINT, GST_VIGIL_INFERENCE_DEFAULT_INTERVAL,
            PLAYING_FLAGS | GST_PARAM_CONTROLLABLE));
    g_object_class_install_property(
        klass, PROP_REGIONS,
        g_param_spec_string(
            "regions", "Regions",
            "Rectangles to look at instead of the whole frame, each on its own: "
            "[NAME=]X,Y,WIDTH,HEIGHT[;...] in fractions of the frame, 0..1, at "
            "most " G_STRINGIFY(
                GST_VIGIL_REGIONS_MAX) ", e.g. left=0,0,0.5,1;right=0.5,0,0.5,1; "
                                       "unset: the whole frame",
            NULL, PLAYING_FLAGS));
    g_object_class_install_property(
        klass, PROP_MODE,
        g_param_spec_enum(
            "mode", "Mode",
            "Whether frames wait for results.  sync: each frame that is looked at "
            "carries its own, and stays until it has them.  latest: no frame stays; "
            "the network runs beside the stream, always on the newest frame, and its "
            "results ride on a later one, with the PTS of their own.  auto: latest "
            "where the source is live, else sync, decided at the first frame (mode in "
            "stats)",
            GST_TYPE_VIGIL_MODE, GST_VIGIL_INFERENCE_DEFAULT_MODE, PLAYING_FLAGS));
    g_object_class_install_property(
        klass, PROP_MAX_FPS,
        g_param_spec_double(
            "max-fps", "Most frames a second",
            "Look at no more frames per second of stream time, on the average, evenly "
            "spread, e.g. 5 or 0.2; inference-interval counts, too; 0: no limit",
            0, 1000, GST_VIGIL_INFERENCE_DEFAULT_MAX_FPS,
            PLAYING_FLAGS | GST_PARAM_CONTROLLABLE));
    g_object_class_install_property(
        klass, PROP_QOS,
        g_param_spec_boolean("qos", "Quality of service",
                             "Do not look at frames that are too late for downstream, "
                             "except one a second; the frames themselves always go on",
                             GST_VIGIL_INFERENCE_DEFAULT_QOS, PLAYING_FLAGS));
    g_object_class_install_property(
        klass, PROP_STATS,
        g_param_spec_boxed(
            "stats", "Statistics",
            "Since the stream was started: frames, analysed, inferences (one a "
            "region, tile or object), skipped (due and not analysed), of these late "
            "and replaced (by a newer frame before their turn), unattached (analysed, "
            "and no frame carries the results) (guint64).  Of preprocess, inference, "
            "queue-age (from a frame's arrival to its turn) and result-age (from a "
            "frame's time to that of the one with its results) each NAME-last-ms, "
            "NAME-mean-ms and NAME-p95-ms (gdouble, milliseconds).  fps (gdouble, "
            "analysed per second of real time).  p95 and fps are of the "
            "last " G_STRINGIFY(
                GST_VIGIL_STATS_WINDOW) ".  mode (string; auto: not decided "
                                        "yet), live (gboolean), latency-ms (gdouble, "
                                        "as LATENCY queries are told)",
            GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

void gst_vigil_inference_install_properties(GObjectClass *klass)
{
    klass->set_property = set_property;
    klass->get_property = get_property;
    install_network_properties(klass);
    install_stream_properties(klass);
    gst_type_mark_as_plugin_api(GST_TYPE_VIGIL_MODE, (GstPluginAPIFlags)0);
    gst_type_mark_as_plugin_api(GST_TYPE_VIGIL_RESIZE_MODE, (GstPluginAPIFlags)0);
    gst_type_mark_as_plugin_api(GST_TYPE_VIGIL_CHANNEL_ORDER, (GstPluginAPIFlags)0);
    gst_type_mark_as_plugin_api(GST_TYPE_VIGIL_PRECISION, (GstPluginAPIFlags)0);
}
