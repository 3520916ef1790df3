/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vigilmask
 * @title: vigilmask
 * @see_also: vigilsegment
 *
 * Turns the masks that ride on a video into a video of their own: GRAY8, each pixel the
 * number of its class, or with #GstVigilMaskVideo:object-class 255 where one of these
 * classes is and 0 elsewhere.  The video that comes in is not looked at.
 *
 * The masks come out in the size of the video, or in the one that downstream asks for
 * in its caps, stretched over the whole of it, by the nearest pixel: no numbers are
 * made up in between.  Where masks of several regions or elements overlap the later one
 * is seen.
 *
 * A frame without masks gets those of the last frame that had some, for
 * #GstVigilMaskVideo:hold-time; then, as where no mask reaches, it is
 * #GstVigilMaskVideo:background.  A meta without results ends those of its element at
 * once.  Each frame that comes in gives one that goes out, with the same times.
 *
 * A byte tells classes up to 254: a warning is posted once where a mask has higher
 * ones, which become background; with #GstVigilMaskVideo:object-class they are found.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 filesrc location=street.mp4 ! decodebin ! videoconvert !
 * vigilsegment model=deeplabv3_mobilevit_xxs.safetensors ! tee name=t
 * t. ! queue ! videoconvert ! autovideosink
 * t. ! queue ! vigilmask object-class=person ! videoconvert ! autovideosink
 * ]| Shows a video and where people are in it.
 * |[
 * gst-launch-1.0 filesrc location=street.mp4 ! decodebin ! videoconvert !
 * vigilsegment model=deeplabv3_mobilevit_xxs.safetensors ! vigilmask !
 * video/x-raw,width=320,height=180 ! pngenc ! multifilesink location=mask-%05d.png
 * ]| Writes pictures with the number of the class in each pixel.
 */
#include "gstvigilmaskvideo.h"
#include "gstvigilheld.h"
#include "gstvigilmaskpaint.h"

#include <string.h>

GST_DEBUG_CATEGORY_STATIC(gst_vigil_mask_video_debug);
#define GST_CAT_DEFAULT gst_vigil_mask_video_debug

#define DEFAULT_HOLD_TIME (500 * GST_MSECOND)
#define DEFAULT_BACKGROUND 255

enum {
    PROP_0,
    PROP_OBJECT_CLASS,
    PROP_HOLD_TIME,
    PROP_BACKGROUND,
};

struct _GstVigilMaskVideo {
    GstVideoFilter parent;

    /* Under the object lock. */
    gchar *object_class;
    gchar **wanted; /* its names; NULL: not set */
    GstClockTime hold_time;
    guint background;

    /* Of the streaming thread. */
    GstVigilHeld held;
    GstVigilMaskPainter painter;
    gboolean warned; /* of classes that a byte does not tell */
};

#define MASK_CAPS GST_VIDEO_CAPS_MAKE("GRAY8")
#define VIDEO_CAPS                                                                     \
    GST_VIDEO_CAPS_MAKE(GST_VIDEO_FORMATS_ALL)                                         \
    ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES(                                             \
        GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY                                          \
        "," GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION,                       \
        GST_VIDEO_FORMATS_ALL)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(VIDEO_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(MASK_CAPS));

G_DEFINE_TYPE_WITH_CODE(GstVigilMaskVideo, gst_vigil_mask_video, GST_TYPE_VIDEO_FILTER,
                        GST_DEBUG_CATEGORY_INIT(gst_vigil_mask_video_debug, "vigilmask",
                                                0, "masks as video"))
GST_ELEMENT_REGISTER_DEFINE(vigilmask, "vigilmask", GST_RANK_NONE,
                            GST_TYPE_VIGIL_MASK_VIDEO)

/* ---- Properties ----------------------------------------------------------------- */

static void set_object_class(GstVigilMaskVideo *self, const gchar *text)
{
    g_free(self->object_class);
    g_strfreev(self->wanted);
    self->object_class = g_strdup(text);
    self->wanted = text && text[strspn(text, " ")] ? g_strsplit(text, ",", -1) : NULL;
    for (guint i = 0; self->wanted && self->wanted[i]; i++)
        g_strstrip(self->wanted[i]);
}

static void gst_vigil_mask_video_set_property(GObject *object, guint id,
                                              const GValue *value, GParamSpec *pspec)
{
    GstVigilMaskVideo *self = GST_VIGIL_MASK_VIDEO(object);

    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_OBJECT_CLASS:
        set_object_class(self, g_value_get_string(value));
        break;
    case PROP_HOLD_TIME:
        self->hold_time = g_value_get_uint64(value);
        break;
    case PROP_BACKGROUND:
        self->background = g_value_get_uint(value);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

static void gst_vigil_mask_video_get_property(GObject *object, guint id, GValue *value,
                                              GParamSpec *pspec)
{
    GstVigilMaskVideo *self = GST_VIGIL_MASK_VIDEO(object);

    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_OBJECT_CLASS:
        g_value_set_string(value, self->object_class);
        break;
    case PROP_HOLD_TIME:
        g_value_set_uint64(value, self->hold_time);
        break;
    case PROP_BACKGROUND:
        g_value_set_uint(value, self->background);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

/* ---- Caps ----------------------------------------------------------------------- */

/* Only the frame rate is the same on both sides. */
static GstStructure *other_side(const GstStructure *from, GstPadDirection direction)
{
    const GValue *rate = gst_structure_get_value(from, "framerate");
    GstStructure *to = gst_structure_new_empty("video/x-raw");

    if (rate)
        gst_structure_set_value(to, "framerate", rate);
    if (direction == GST_PAD_SINK)
        gst_structure_set(to, "format", G_TYPE_STRING, "GRAY8", "width",
                          GST_TYPE_INT_RANGE, 1, G_MAXINT, "height", GST_TYPE_INT_RANGE,
                          1, G_MAXINT, "pixel-aspect-ratio", GST_TYPE_FRACTION_RANGE, 1,
                          G_MAXINT, G_MAXINT, 1, "interlace-mode", G_TYPE_STRING,
                          "progressive", NULL);
    return to;
}

static GstCaps *gst_vigil_mask_video_transform_caps(GstBaseTransform *base,
                                                    GstPadDirection direction,
                                                    GstCaps *caps, GstCaps *filter)
{
    GstCaps *result = gst_caps_new_empty();

    for (guint i = 0; i < gst_caps_get_size(caps); i++) {
        GstStructure *to = other_side(gst_caps_get_structure(caps, i), direction);
        GstCapsFeatures *features =
            direction == GST_PAD_SRC ? gst_caps_features_new_any() : NULL;
        result = gst_caps_merge_structure_full(result, to, features);
    }
    if (filter) {
        GstCaps *all = result;
        result = gst_caps_intersect_full(filter, all, GST_CAPS_INTERSECT_FIRST);
        gst_caps_unref(all);
    }
    return result;
}

/* The size of the video where it may be chosen, and pixels of such a shape that the
 * mask is shown as large as the video. */
static void fixate_like(GstStructure *to, const GstStructure *video)
{
    gint width, height, own_width, own_height, par_n = 1, par_d = 1;

    if (!gst_structure_get_int(video, "width", &width) ||
        !gst_structure_get_int(video, "height", &height))
        return;
    gst_structure_get_fraction(video, "pixel-aspect-ratio", &par_n, &par_d);
    gst_structure_fixate_field_nearest_int(to, "width", width);
    gst_structure_fixate_field_nearest_int(to, "height", height);
    if (!gst_structure_get_int(to, "width", &own_width) ||
        !gst_structure_get_int(to, "height", &own_height) ||
        !gst_structure_has_field(to, "pixel-aspect-ratio") ||
        !gst_util_fraction_multiply(par_n, par_d, width, own_width, &par_n, &par_d) ||
        !gst_util_fraction_multiply(par_n, par_d, own_height, height, &par_n, &par_d))
        return;
    gst_structure_fixate_field_nearest_fraction(to, "pixel-aspect-ratio", par_n, par_d);
}

static GstCaps *gst_vigil_mask_video_fixate_caps(GstBaseTransform *base,
                                                 GstPadDirection direction,
                                                 GstCaps *caps, GstCaps *othercaps)
{
    othercaps = gst_caps_make_writable(gst_caps_truncate(othercaps));
    if (direction == GST_PAD_SINK && !gst_caps_is_empty(othercaps))
        fixate_like(gst_caps_get_structure(othercaps, 0),
                    gst_caps_get_structure(caps, 0));
    return gst_caps_fixate(othercaps);
}

/* The base class takes who does not look at frames for one that works in place. */
static gboolean gst_vigil_mask_video_set_caps(GstBaseTransform *base, GstCaps *in,
                                              GstCaps *out)
{
    const gboolean ok = GST_BASE_TRANSFORM_CLASS(gst_vigil_mask_video_parent_class)
                            ->set_caps(base, in, out);

    gst_base_transform_set_in_place(base, FALSE);
    return ok;
}

/* ---- Painting ------------------------------------------------------------------- */

static void warn_too_high(GstVigilMaskVideo *self, gint index)
{
    if (!self->warned)
        GST_ELEMENT_WARNING(self, STREAM, FORMAT,
                            ("Class %d is above 254, the highest that a pixel of GRAY8 "
                             "tells; such pixels become background. Set the property "
                             "object-class to see single classes.",
                             index),
                            (NULL));
    self->warned = TRUE;
}

static void paint(GstVigilMaskVideo *self, GstVideoFrame *frame, gchar *const *wanted,
                  guint8 background)
{
    gst_vigil_mask_painter_begin(&self->painter, frame, wanted, background);
    for (guint i = 0; i < self->held.groups->len; i++) {
        const GPtrArray *results =
            g_array_index(self->held.groups, GstVigilHeldGroup, i).results;
        for (guint k = 0; k < results->len; k++) {
            const GstVigilMask *mask =
                gst_vigil_result_get_mask(g_ptr_array_index(results, k));
            if (mask)
                gst_vigil_mask_painter_add(&self->painter, mask);
        }
    }
    if (self->painter.too_high >= 0)
        warn_too_high(self, self->painter.too_high);
}

/* ---- Frames --------------------------------------------------------------------- */

static GstFlowReturn gst_vigil_mask_video_transform(GstBaseTransform *base,
                                                    GstBuffer *input, GstBuffer *output)
{
    GstVigilMaskVideo *self = GST_VIGIL_MASK_VIDEO(base);
    GstVideoInfo *info = &GST_VIDEO_FILTER(base)->out_info;
    GstVideoFrame frame;

    GST_OBJECT_LOCK(self);
    const GstClockTime hold_time = self->hold_time;
    const guint8 background = self->wanted ? 0 : (guint8)self->background;
    gchar **wanted = g_strdupv(self->wanted);
    GST_OBJECT_UNLOCK(self);
    gst_vigil_held_update(&self->held, input, hold_time);
    const gboolean mapped = gst_video_frame_map(&frame, info, output, GST_MAP_WRITE);
    if (mapped) {
        paint(self, &frame, wanted, background);
        gst_video_frame_unmap(&frame);
    } else {
        GST_ELEMENT_ERROR(self, RESOURCE, WRITE,
                          ("A frame of %dx%d GRAY8 cannot be mapped for writing.",
                           GST_VIDEO_INFO_WIDTH(info), GST_VIDEO_INFO_HEIGHT(info)),
                          (NULL));
    }
    g_strfreev(wanted);
    return mapped ? GST_FLOW_OK : GST_FLOW_ERROR;
}

/* What speaks of the picture that came in does not speak of the mask; times and such
 * have no tags. */
static gboolean gst_vigil_mask_video_transform_meta(GstBaseTransform *base,
                                                    GstBuffer *output, GstMeta *meta,
                                                    GstBuffer *input)
{
    const gchar *const *tags = gst_meta_api_type_get_tags(meta->info->api);

    return !tags || !tags[0];
}

static gboolean gst_vigil_mask_video_sink_event(GstBaseTransform *base, GstEvent *event)
{
    GstVigilMaskVideo *self = GST_VIGIL_MASK_VIDEO(base);

    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP ||
        GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) {
        gst_vigil_held_forget(&self->held);
        self->warned = FALSE;
    }
    return GST_BASE_TRANSFORM_CLASS(gst_vigil_mask_video_parent_class)
        ->sink_event(base, event);
}

static gboolean gst_vigil_mask_video_stop(GstBaseTransform *base)
{
    GstVigilMaskVideo *self = GST_VIGIL_MASK_VIDEO(base);

    gst_vigil_held_forget(&self->held);
    return TRUE;
}

/* ---- Type ----------------------------------------------------------------------- */

static void gst_vigil_mask_video_finalize(GObject *object)
{
    GstVigilMaskVideo *self = GST_VIGIL_MASK_VIDEO(object);

    set_object_class(self, NULL);
    gst_vigil_held_clear(&self->held);
    gst_vigil_mask_painter_clear(&self->painter);
    G_OBJECT_CLASS(gst_vigil_mask_video_parent_class)->finalize(object);
}

static void install_properties(GObjectClass *klass)
{
    const GParamFlags flags =
        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

    g_object_class_install_property(
        klass, PROP_OBJECT_CLASS,
        g_param_spec_string("object-class", "Object classes",
                            "Classes that become 255, all else 0: NAME[,NAME...] as "
                            "the masks have them, "
                            "e.g. person,car; a number is the class of that number, "
                            "from 0; unset: every "
                            "pixel is the number of its class",
                            NULL, flags));
    g_object_class_install_property(
        klass, PROP_HOLD_TIME,
        g_param_spec_uint64("hold-time", "Hold time",
                            "How long masks stay on frames that carry none, in ns; 0: "
                            "not at all",
                            0, G_MAXUINT64, DEFAULT_HOLD_TIME, flags));
    g_object_class_install_property(
        klass, PROP_BACKGROUND,
        g_param_spec_uint("background", "Background",
                          "Value of pixels, 0..255, that no mask covers or whose class "
                          "is not known; with object-class it is 0",
                          0, 255, DEFAULT_BACKGROUND, flags));
}

static void gst_vigil_mask_video_class_init(GstVigilMaskVideoClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);
    GstBaseTransformClass *base_class = GST_BASE_TRANSFORM_CLASS(klass);

    object_class->set_property = gst_vigil_mask_video_set_property;
    object_class->get_property = gst_vigil_mask_video_get_property;
    object_class->finalize = gst_vigil_mask_video_finalize;
    install_properties(object_class);

    gst_element_class_set_static_metadata(
        element_class, "Vigil masks as video", "Filter/Converter/Video",
        "Makes a video of the class of each pixel that vigilsegment found",
        "The gst-vigil authors");
    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);

    base_class->transform_caps = gst_vigil_mask_video_transform_caps;
    base_class->fixate_caps = gst_vigil_mask_video_fixate_caps;
    base_class->set_caps = gst_vigil_mask_video_set_caps;
    base_class->transform = gst_vigil_mask_video_transform;
    base_class->transform_meta = gst_vigil_mask_video_transform_meta;
    base_class->sink_event = gst_vigil_mask_video_sink_event;
    base_class->stop = gst_vigil_mask_video_stop;
    base_class->passthrough_on_same_caps = FALSE;
}

static void gst_vigil_mask_video_init(GstVigilMaskVideo *self)
{
    self->hold_time = DEFAULT_HOLD_TIME;
    self->background = DEFAULT_BACKGROUND;
    gst_vigil_held_init(&self->held);
    gst_base_transform_set_gap_aware(GST_BASE_TRANSFORM(self), TRUE);
    gst_base_transform_set_qos_enabled(GST_BASE_TRANSFORM(self), FALSE);
}
