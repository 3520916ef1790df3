/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-vigilclassify
 * @title: vigilclassify
 * @see_also: vigiloverlay
 *
 * Says what is in a video: runs a classification network on every frame, or on regions
 * of it, and attaches the best classes as GstVigilMeta (and, for regions, as
 * #GstVideoRegionOfInterestMeta).  The frames pass in place, pixels untouched.
 *
 * The visible part of the frame (#GstVideoCropMeta) is brought to the size of the
 * network's input with its pixel aspect ratio and colorimetry respected.  A stream with
 * an image-orientation tag is looked at upright; regions and results stay in the
 * coordinates of the frame as it is stored.  Gaps and damaged frames pass without
 * results.
 *
 * With #GstVigilClassify:post-messages, an element message "vigil-classification" is
 * posted for each region of each frame that is looked at.  Its structure has:
 * timestamp, stream-time, running-time, duration (guint64, ns; each absent when not
 * known), region-index (gint, -1: the whole frame), region-name (string, absent when
 * not named), x, y, width, height (gdouble, fractions of the frame), classes (array of
 * structures "class" with index (gint), score (gdouble, 0..1), label (string, absent
 * when not known)), best first; and the first one's index, score and label on the top
 * level, absent when no class reaches the threshold.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 videotestsrc ! vigilclassify top-k=3 ! vigiloverlay ! videoconvert !
 * autovideosink
 * ]| Draws the three best classes.
 * |[
 * gst-launch-1.0 -m filesrc location=gate.mp4 ! decodebin ! videoconvert !
 * vigilclassify post-messages=true regions="gate=0.5,0.2,0.3,0.6" inference-interval=5
 * ! fakesink
 * ]| Prints what is in one part of every fifth frame.
 */

#include "gstvigilclassify.h"

GST_DEBUG_CATEGORY_STATIC(gst_vigil_classify_debug);
#define GST_CAT_DEFAULT gst_vigil_classify_debug

#define DEFAULT_TOP_K 1
#define MAX_TOP_K 100
#define DEFAULT_THRESHOLD 0.0F
#define DEFAULT_POST_MESSAGES FALSE

enum {
    PROP_0,
    PROP_TOP_K,
    PROP_THRESHOLD,
    PROP_POST_MESSAGES,
};

struct _GstVigilClassify {
    GstVigilInference parent;

    /* Under the object lock. */
    guint top_k;
    gfloat threshold;
    gboolean post_messages;
};

G_DEFINE_TYPE_WITH_CODE(GstVigilClassify, gst_vigil_classify, GST_TYPE_VIGIL_INFERENCE,
                        GST_DEBUG_CATEGORY_INIT(gst_vigil_classify_debug,
                                                "vigilclassify", 0,
                                                "image classification"))
GST_ELEMENT_REGISTER_DEFINE(vigilclassify, "vigilclassify", GST_RANK_NONE,
                            GST_TYPE_VIGIL_CLASSIFY)

/* ---- Properties ----------------------------------------------------------------- */

static void gst_vigil_classify_set_property(GObject *object, guint id,
                                            const GValue *value, GParamSpec *pspec)
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
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

static void gst_vigil_classify_get_property(GObject *object, guint id, GValue *value,
                                            GParamSpec *pspec)
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
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

/* ---- Results -------------------------------------------------------------------- */

/* The best classes that reach the threshold, best first. */
static guint best_classes(GstVigilClassify *self, const GstVigilShot *shot,
                          VigilClass classes[MAX_TOP_K])
{
    const VigilTensor *logits = vigil_session_output(shot->network->session, 0);
    guint n = 0;

    GST_OBJECT_LOCK(self);
    const guint top_k = self->top_k;
    const gfloat threshold = self->threshold;
    GST_OBJECT_UNLOCK(self);

    const int found =
        vigil_top_classes(logits->data, logits->shape[0], (int)top_k, classes);
    while (n < (guint)found && classes[n].score >= threshold)
        n++;
    return n;
}

static void set_class(GstStructure *structure, const GstVigilShot *shot,
                      const VigilClass *c)
{
    const gchar *label = gst_vigil_network_label(shot->network, c->index);

    gst_structure_set(structure, "index", G_TYPE_INT, c->index, "score", G_TYPE_DOUBLE,
                      (gdouble)c->score, NULL);
    if (label)
        gst_structure_set(structure, "label", G_TYPE_STRING, label, NULL);
}

static void set_class_list(GstStructure *structure, const GstVigilShot *shot,
                           const VigilClass *classes, guint n)
{
    GValue list = G_VALUE_INIT;

    gst_value_array_init(&list, n);
    for (guint i = 0; i < n; i++) {
        GValue value = G_VALUE_INIT;
        GstStructure *item = gst_structure_new_empty("class");

        set_class(item, shot, &classes[i]);
        g_value_init(&value, GST_TYPE_STRUCTURE);
        g_value_take_boxed(&value, item);
        gst_value_array_append_and_take_value(&list, &value);
    }
    gst_structure_take_value(structure, "classes", &list);
}

static void post_classes(GstVigilClassify *self, const GstVigilShot *shot,
                         const VigilClass *classes, guint n)
{
    GstStructure *structure = gst_vigil_shot_to_structure(
        shot, GST_VIGIL_INFERENCE(self), "vigil-classification");

    if (n > 0)
        set_class(structure, shot, &classes[0]);
    set_class_list(structure, shot, classes, n);
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_element(GST_OBJECT(self), structure));
}

static void gst_vigil_classify_decode(GstVigilInference *base, const GstVigilShot *shot,
                                      GstVigilMeta *meta)
{
    GstVigilClassify *self = GST_VIGIL_CLASSIFY(base);
    GstVigilResult *result = gst_vigil_shot_new_result(shot);
    VigilClass classes[MAX_TOP_K];
    const guint n = best_classes(self, shot, classes);

    for (guint i = 0; i < n; i++)
        gst_vigil_result_add_class(
            result, classes[i].index, classes[i].score,
            gst_vigil_network_label(shot->network, classes[i].index));
    gst_vigil_meta_add_result(meta, result);

    GST_OBJECT_LOCK(self);
    const gboolean post = self->post_messages;
    GST_OBJECT_UNLOCK(self);
    if (post)
        post_classes(self, shot, classes, n);
}

/* ---- Type ----------------------------------------------------------------------- */

static void install_properties(GObjectClass *klass)
{
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                              (GParamFlags)GST_PARAM_MUTABLE_PLAYING;

    g_object_class_install_property(
        klass, PROP_TOP_K,
        g_param_spec_uint(
            "top-k", "Top k",
            "How many classes to tell of the frame or of each region, the "
            "best first, as far as they reach the threshold",
            1, MAX_TOP_K, DEFAULT_TOP_K, flags));
    g_object_class_install_property(
        klass, PROP_THRESHOLD,
        g_param_spec_float("threshold", "Threshold",
                           "Least score of a class that is told: its softmax "
                           "probability, 0..1; 0: all",
                           0, 1, DEFAULT_THRESHOLD,
                           flags | (GParamFlags)GST_PARAM_CONTROLLABLE));
    g_object_class_install_property(
        klass, PROP_POST_MESSAGES,
        g_param_spec_boolean(
            "post-messages", "Post messages",
            "Post an element message vigil-classification for the frame "
            "or for each region, every time one is looked at",
            DEFAULT_POST_MESSAGES, flags));
}

static void gst_vigil_classify_class_init(GstVigilClassifyClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstVigilInferenceClass *inference_class = GST_VIGIL_INFERENCE_CLASS(klass);

    object_class->set_property = gst_vigil_classify_set_property;
    object_class->get_property = gst_vigil_classify_get_property;
    install_properties(object_class);

    gst_element_class_set_static_metadata(
        GST_ELEMENT_CLASS(klass), "Vigil image classifier", "Filter/Analyzer/Video",
        "Says what is in a video, or in regions of it, with a light neural network on "
        "the "
        "CPU",
        "The gst-vigil authors");
    gst_vigil_inference_class_add_pads(inference_class);
    inference_class->task = VIGIL_TASK_CLASSIFICATION;
    inference_class->meta_task = GST_VIGIL_TASK_CLASSIFICATION;
    inference_class->decode = gst_vigil_classify_decode;
}

static void gst_vigil_classify_init(GstVigilClassify *self)
{
    self->top_k = DEFAULT_TOP_K;
    self->threshold = DEFAULT_THRESHOLD;
    self->post_messages = DEFAULT_POST_MESSAGES;
}
