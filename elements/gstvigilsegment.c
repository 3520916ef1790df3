/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-vigilsegment
 * @title: vigilsegment
 * @see_also: vigilmask, vigiloverlay
 *
 * Says of each pixel of a video what it belongs to: runs a segmentation network on
 * every frame, or on regions of it, and attaches a mask of classes as GstVigilMeta. The
 * frames pass in place, pixels untouched.
 *
 * The shipped segmenter, which is taken where #GstVigilSegment:model is not set, knows
 * streets.  vigil-convert makes a file from a published checkpoint of another one.
 *
 * A mask has as many pixels as the network saw of the frame or region, which is what
 * #GstVigilSegment:input-size says, less the borders of #GstVigilSegment:resize.  It
 * covers that region, or the part of it that a cut of #GstVigilSegment:resize left, of
 * the visible frame (#GstVideoCropMeta) as it is stored, whatever an image-orientation
 * tag says.  Gaps and damaged frames pass without results.
 *
 * With #GstVigilSegment:post-messages, an element message "vigil-segmentation" is
 * posted for each region of each frame that is looked at.  Its structure has:
 * timestamp, stream-time, running-time, duration (guint64, ns; each absent when not
 * known), region-index (gint, -1: the whole frame), region-name (string, absent when
 * not named), x, y, width, height (gdouble, fractions of the frame) and classes, an
 * array of structures "class", the one with the most pixels first, with index (gint),
 * share (gdouble, 0..1, of the pixels), label (string, absent when not known).
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert !
 * vigilsegment model=deeplabv3_mobilevit_xxs.safetensors ! vigiloverlay ! videoconvert
 * ! autovideosink
 * ]| Colours what a camera sees.
 * |[
 * gst-launch-1.0 -m filesrc location=street.mp4 ! decodebin ! videoconvert !
 * vigilsegment model=deeplabv3_mobilevit_xxs.safetensors post-messages=true ! fakesink
 * ]| Prints how much of each frame is of which class.
 */

#include "gstvigilsegment.h"
#include "gstvigilorient.h"
#include "gstvigilplace.h"

GST_DEBUG_CATEGORY_STATIC(gst_vigil_segment_debug);
#define GST_CAT_DEFAULT gst_vigil_segment_debug

#define DEFAULT_POST_MESSAGES FALSE

#define DEFAULT_MODEL "streets11-deeplabv3-emo-1m"

enum {
    PROP_0,
    PROP_POST_MESSAGES,
};

struct _GstVigilSegment {
    GstVigilInference parent;

    gboolean post_messages; /* under the object lock */

    /* Of the thread that runs the network. */
    VigilSegmenter *segmenter;
    guint16 *upright, *stored; /* [input height x width] the mask, before and after it
                                  is turned */
};

G_DEFINE_TYPE_WITH_CODE(GstVigilSegment, gst_vigil_segment, GST_TYPE_VIGIL_INFERENCE,
                        GST_DEBUG_CATEGORY_INIT(gst_vigil_segment_debug, "vigilsegment",
                                                0, "segmentation"))
GST_ELEMENT_REGISTER_DEFINE(vigilsegment, "vigilsegment", GST_RANK_NONE,
                            GST_TYPE_VIGIL_SEGMENT)

/* ---- Properties ----------------------------------------------------------------- */

static void gst_vigil_segment_set_property(GObject *object, guint id,
                                           const GValue *value, GParamSpec *pspec)
{
    GstVigilSegment *self = GST_VIGIL_SEGMENT(object);

    GST_OBJECT_LOCK(self);
    if (id == PROP_POST_MESSAGES)
        self->post_messages = g_value_get_boolean(value);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    GST_OBJECT_UNLOCK(self);
}

static void gst_vigil_segment_get_property(GObject *object, guint id, GValue *value,
                                           GParamSpec *pspec)
{
    GstVigilSegment *self = GST_VIGIL_SEGMENT(object);

    GST_OBJECT_LOCK(self);
    if (id == PROP_POST_MESSAGES)
        g_value_set_boolean(value, self->post_messages);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    GST_OBJECT_UNLOCK(self);
}

/* ---- The segmenter -------------------------------------------------------------- */

static void gst_vigil_segment_release(GstVigilInference *base)
{
    GstVigilSegment *self = GST_VIGIL_SEGMENT(base);

    vigil_segmenter_close(&self->segmenter);
    g_clear_pointer(&self->upright, g_free);
    g_clear_pointer(&self->stored, g_free);
}

static gboolean gst_vigil_segment_prepare(GstVigilInference *base,
                                          const GstVigilNetwork *network,
                                          GError **error)
{
    GstVigilSegment *self = GST_VIGIL_SEGMENT(base);
    const VigilInput *input = vigil_session_input_rules(network->session);
    const gsize pixels = (gsize)input->height * (gsize)input->width;
    VigilSegmenter *segmenter = NULL;
    VigilError e = { 0 };

    if (vigil_segmenter_open(network->session, &segmenter, &e) != VIGIL_OK) {
        const gboolean full = e.status == VIGIL_ERROR_NO_MEMORY;
        g_set_error(error, GST_RESOURCE_ERROR,
                    full ? GST_RESOURCE_ERROR_NO_SPACE_LEFT
                         : GST_RESOURCE_ERROR_SETTINGS,
                    "%s. %s.", e.message,
                    full ? "Free some memory or choose a smaller model"
                         : "Choose another model");
        return FALSE;
    }
    gst_vigil_segment_release(base);
    self->segmenter = segmenter;
    self->upright = g_new(guint16, pixels);
    self->stored = g_new(guint16, pixels);
    return TRUE;
}

/* ---- Results -------------------------------------------------------------------- */

/* A byte a pixel where that is enough, with 255 left for pixels without a class. */
static GBytes *pack_pixels(const guint16 *mask, gsize n, gint classes)
{
    if (classes > 255)
        return g_bytes_new(mask, n * sizeof *mask);
    guint8 *pixels = g_malloc(n);
    for (gsize i = 0; i < n; i++)
        pixels[i] = (guint8)mask[i];
    return g_bytes_new_take(pixels, n);
}

/* The mask of the pixels of the tensor that the picture took, as the frame lies. */
static GstVigilMask *new_mask(GstVigilSegment *self, const GstVigilShot *shot)
{
    const VigilInput *input = vigil_session_input_rules(shot->network->session);
    const VigilPlacement upright =
        gst_vigil_place_upright(&shot->placement, input, shot->orientation);
    const gint width = upright.dst_width, height = upright.dst_height;
    const gboolean swaps = gst_vigil_orient_swaps(shot->orientation);
    const gboolean turned = shot->orientation != GST_VIDEO_ORIENTATION_IDENTITY;
    const gint classes = shot->network->classes;
    VigilPlacement pixels = upright; /* one of the mask is one of the tensor */

    pixels.src_x = pixels.src_y = 0;
    pixels.src_width = width;
    pixels.src_height = height;
    vigil_segmenter_run(self->segmenter, &pixels, height, width, self->upright);
    if (turned)
        gst_vigil_orient_mask(self->stored, self->upright, height, width,
                              shot->orientation);

    const VigilRegion shown = gst_vigil_place_shown(shot->frame, &shot->placement);
    GBytes *packed = pack_pixels(turned ? self->stored : self->upright,
                                 (gsize)width * (gsize)height, classes);
    GstVigilMask *mask = gst_vigil_mask_new(
        shown.x, shown.y, shown.width, shown.height, (guint)(swaps ? height : width),
        (guint)(swaps ? width : height), classes > 255 ? 2 : 1, packed,
        shot->network->labels, shot->network->labels ? (guint)classes : 0);
    g_bytes_unref(packed);
    return mask;
}

static void append_class(GValue *list, const GstVigilClass *klass)
{
    GstStructure *item =
        gst_structure_new("class", "index", G_TYPE_INT, klass->index, "share",
                          G_TYPE_DOUBLE, (gdouble)klass->score, NULL);
    GValue value = G_VALUE_INIT;

    if (klass->label)
        gst_structure_set(item, "label", G_TYPE_STRING, klass->label, NULL);
    g_value_init(&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed(&value, item);
    gst_value_array_append_and_take_value(list, &value);
}

static void post_classes(GstVigilSegment *self, const GstVigilShot *shot,
                         const GstVigilMask *mask)
{
    GstStructure *structure = gst_vigil_shot_to_structure(shot, "vigil-segmentation");
    const guint n = gst_vigil_mask_get_n_classes(mask);
    GValue list = G_VALUE_INIT;

    gst_value_array_init(&list, n);
    for (guint i = 0; i < n; i++)
        append_class(&list, gst_vigil_mask_get_class(mask, i));
    gst_structure_take_value(structure, "classes", &list);
    gst_element_post_message(GST_ELEMENT(self),
                             gst_message_new_element(GST_OBJECT(self), structure));
}

static void gst_vigil_segment_decode(GstVigilInference *base, const GstVigilShot *shot,
                                     GstVigilMeta *meta)
{
    GstVigilSegment *self = GST_VIGIL_SEGMENT(base);
    GstVigilResult *result = gst_vigil_shot_new_result(shot);
    GstVigilMask *mask = new_mask(self, shot);

    GST_OBJECT_LOCK(self);
    const gboolean post = self->post_messages;
    GST_OBJECT_UNLOCK(self);
    if (post)
        post_classes(self, shot, mask);
    gst_vigil_result_set_mask(result, mask);
    gst_vigil_mask_unref(mask);
    gst_vigil_meta_add_result(meta, result);
}

/* ---- Type ----------------------------------------------------------------------- */

static void gst_vigil_segment_finalize(GObject *object)
{
    gst_vigil_segment_release(GST_VIGIL_INFERENCE(object)); /* before the session */
    G_OBJECT_CLASS(gst_vigil_segment_parent_class)->finalize(object);
}

static void gst_vigil_segment_class_init(GstVigilSegmentClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstVigilInferenceClass *inference_class = GST_VIGIL_INFERENCE_CLASS(klass);

    object_class->finalize = gst_vigil_segment_finalize;
    object_class->set_property = gst_vigil_segment_set_property;
    object_class->get_property = gst_vigil_segment_get_property;
    g_object_class_install_property(
        object_class, PROP_POST_MESSAGES,
        g_param_spec_boolean(
            "post-messages", "Post messages",
            "Post an element message vigil-segmentation with the share of each class "
            "for the frame or for each region, every time one is looked at",
            DEFAULT_POST_MESSAGES,
            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));

    gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Vigil segmenter",
                                          "Filter/Analyzer/Video",
                                          "Says of each pixel of a video, or of "
                                          "regions of it, what it belongs to, with a "
                                          "light neural network on the CPU",
                                          "The gst-vigil authors");
    gst_vigil_inference_class_add_pads(inference_class);
    inference_class->task = VIGIL_TASK_SEGMENTATION;
    inference_class->meta_task = GST_VIGIL_TASK_SEGMENTATION;
    inference_class->default_model = DEFAULT_MODEL;
    inference_class->prepare = gst_vigil_segment_prepare;
    inference_class->release = gst_vigil_segment_release;
    inference_class->decode = gst_vigil_segment_decode;
}

static void gst_vigil_segment_init(GstVigilSegment *self)
{
    self->post_messages = DEFAULT_POST_MESSAGES;
}
