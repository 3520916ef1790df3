/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilclassify-private.h"

enum {
    PROP_0,
    PROP_TOP_K,
    PROP_THRESHOLD,
    PROP_POST_MESSAGES,
    PROP_INFERENCE_REGION,
    PROP_OBJECT_CLASS,
    PROP_RECLASSIFY_INTERVAL,
    PROP_MAX_ROIS,
};

#define DEFAULT_TOP_K 1
#define DEFAULT_THRESHOLD 0.0F
#define DEFAULT_POST_MESSAGES FALSE
#define DEFAULT_INFERENCE_REGION GST_VIGIL_INFERENCE_REGION_FULL_FRAME
#define DEFAULT_RECLASSIFY_INTERVAL 1
#define DEFAULT_MAX_ROIS 16

GType gst_vigil_inference_region_get_type(void)
{
    static gsize type = 0;
    static const GEnumValue values[] = {
        { GST_VIGIL_INFERENCE_REGION_FULL_FRAME,
          "The whole frame, or the property regions", "full-frame" },
        { GST_VIGIL_INFERENCE_REGION_ROI_LIST,
          "Each object that an earlier element found", "roi-list" },
        { 0, NULL, NULL },
    };

    if (g_once_init_enter(&type))
        g_once_init_leave(&type,
                          g_enum_register_static("GstVigilInferenceRegion", values));
    return type;
}

static void set_property(GObject *object, guint id, const GValue *value,
                         GParamSpec *pspec)
{
    GstVigilClassify *self = GST_VIGIL_CLASSIFY(object);

    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_TOP_K:
        self->top_k = g_value_get_uint(value);
        break;
    case PROP_THRESHOLD:
        self->threshold = g_value_get_float(value);
        break;
    case PROP_POST_MESSAGES:
        self->post_messages = g_value_get_boolean(value);
        break;
    case PROP_INFERENCE_REGION:
        self->inference_region = (GstVigilInferenceRegion)g_value_get_enum(value);
        break;
    case PROP_OBJECT_CLASS:
        g_free(self->object_class);
        self->object_class = g_value_dup_string(value);
        break;
    case PROP_RECLASSIFY_INTERVAL:
        self->reclassify_interval = g_value_get_uint(value);
        break;
    case PROP_MAX_ROIS:
        self->max_rois = g_value_get_uint(value);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    GstVigilClassify *self = GST_VIGIL_CLASSIFY(object);

    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_TOP_K:
        g_value_set_uint(value, self->top_k);
        break;
    case PROP_THRESHOLD:
        g_value_set_float(value, self->threshold);
        break;
    case PROP_POST_MESSAGES:
        g_value_set_boolean(value, self->post_messages);
        break;
    case PROP_INFERENCE_REGION:
        g_value_set_enum(value, (gint)self->inference_region);
        break;
    case PROP_OBJECT_CLASS:
        g_value_set_string(value, self->object_class);
        break;
    case PROP_RECLASSIFY_INTERVAL:
        g_value_set_uint(value, self->reclassify_interval);
        break;
    case PROP_MAX_ROIS:
        g_value_set_uint(value, self->max_rois);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

/* ---- What gst-inspect shows ----------------------------------------------------- */

#define FLAGS (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static void install_class_properties(GObjectClass *klass)
{
    g_object_class_install_property(
        klass, PROP_TOP_K,
        g_param_spec_uint(
            "top-k", "Top k",
            "How many classes to tell of the frame or of each region, the "
            "best first, as far as they reach the threshold",
            1, GST_VIGIL_CLASSIFY_MAX_TOP_K, DEFAULT_TOP_K, FLAGS));
    g_object_class_install_property(
        klass, PROP_THRESHOLD,
        g_param_spec_float("threshold", "Threshold",
                           "Least score of a class that is told: its softmax "
                           "probability, 0..1; 0: all",
                           0, 1, DEFAULT_THRESHOLD, FLAGS | GST_PARAM_CONTROLLABLE));
    g_object_class_install_property(
        klass, PROP_POST_MESSAGES,
        g_param_spec_boolean(
            "post-messages", "Post messages",
            "Post an element message vigil-classification for the frame "
            "or for each region or object, every time one is looked at",
            DEFAULT_POST_MESSAGES, FLAGS));
}

static void install_object_properties(GObjectClass *klass)
{
    g_object_class_install_property(
        klass, PROP_INFERENCE_REGION,
        g_param_spec_enum("inference-region", "Inference region",
                          "What to look at; with roi-list the property regions is not "
                          "used",
                          GST_TYPE_VIGIL_INFERENCE_REGION, DEFAULT_INFERENCE_REGION,
                          FLAGS));
    g_object_class_install_property(
        klass, PROP_OBJECT_CLASS,
        g_param_spec_string(
            "object-class", "Object classes",
            "Objects that are looked at with inference-region=roi-list, NAME[,NAME...] "
            "as the detector labels them, e.g. person,car; a number is the class of an "
            "object without a label; unset: all",
            NULL, FLAGS));
    g_object_class_install_property(
        klass, PROP_RECLASSIFY_INTERVAL,
        g_param_spec_uint(
            "reclassify-interval", "Reclassify interval",
            "With inference-region=roi-list, look at an object anew every so many "
            "frames that are looked at; one with a track keeps its classes meanwhile, "
            "others have none; 1: every frame; 0: once, or every frame where there is "
            "no track",
            0, G_MAXUINT, DEFAULT_RECLASSIFY_INTERVAL, FLAGS));
    g_object_class_install_property(
        klass, PROP_MAX_ROIS,
        g_param_spec_uint(
            "max-rois", "Most objects",
            "With inference-region=roi-list, look at no more objects in a frame: those "
            "that were not looked at the longest, as far as tracks tell, then those "
            "with the highest scores, of equal scores the largest; 0: all",
            0, G_MAXUINT, DEFAULT_MAX_ROIS, FLAGS));
}

void gst_vigil_classify_install_properties(GObjectClass *klass)
{
    klass->set_property = set_property;
    klass->get_property = get_property;
    install_class_properties(klass);
    install_object_properties(klass);
    gst_type_mark_as_plugin_api(GST_TYPE_VIGIL_INFERENCE_REGION, (GstPluginAPIFlags)0);
}

void gst_vigil_classify_init_properties(GstVigilClassify *self)
{
    self->top_k = DEFAULT_TOP_K;
    self->threshold = DEFAULT_THRESHOLD;
    self->post_messages = DEFAULT_POST_MESSAGES;
    self->inference_region = DEFAULT_INFERENCE_REGION;
    self->reclassify_interval = DEFAULT_RECLASSIFY_INTERVAL;
    self->max_rois = DEFAULT_MAX_ROIS;
}
