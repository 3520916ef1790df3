/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigildetect-private.h"

enum {
    PROP_0,
    PROP_THRESHOLD,
    PROP_IOU_THRESHOLD,
    PROP_MAX_DETECTIONS,
    PROP_OBJECT_CLASS,
    PROP_CLASS_THRESHOLDS,
    PROP_MIN_AREA,
    PROP_MAX_AREA,
    PROP_TILES,
    PROP_TILE_OVERLAP,
    PROP_TILE_FULL_FRAME,
    PROP_POST_MESSAGES,
};

#define AS_PUBLISHED (-1.0F)
#define DEFAULT_THRESHOLD 0.5F
#define DEFAULT_IOU_THRESHOLD AS_PUBLISHED
#define DEFAULT_MAX_DETECTIONS 0
#define DEFAULT_MIN_AREA 0.0F
#define DEFAULT_MAX_AREA 1.0F
#define DEFAULT_TILE_OVERLAP 0.2F
#define DEFAULT_TILE_FULL_FRAME TRUE
#define DEFAULT_POST_MESSAGES FALSE

/* NULL for a property that is no number. */
static gfloat *number_setting(GstVigilDetectSettings *settings, guint id)
{
    switch (id) {
    case PROP_THRESHOLD:
        return &settings->threshold;
    case PROP_IOU_THRESHOLD:
        return &settings->iou_threshold;
    case PROP_MIN_AREA:
        return &settings->min_area;
    case PROP_MAX_AREA:
        return &settings->max_area;
    case PROP_TILE_OVERLAP:
        return &settings->tile_overlap;
    default:
        return NULL;
    }
}

/* NULL for a property that is no text. */
static gchar **text_setting(GstVigilDetectSettings *settings, guint id)
{
    switch (id) {
    case PROP_OBJECT_CLASS:
        return &settings->object_class;
    case PROP_CLASS_THRESHOLDS:
        return &settings->class_thresholds;
    case PROP_TILES:
        return &settings->tiles;
    default:
        return NULL;
    }
}

static void set_text(gchar **text, const GValue *value)
{
    g_free(*text);
    *text = g_value_dup_string(value);
}

static void set_property(GObject *object, guint id, const GValue *value,
                         GParamSpec *pspec)
{
    GstVigilDetect *self = GST_VIGIL_DETECT(object);
    gfloat *number = number_setting(&self->settings, id);
    gchar **text = text_setting(&self->settings, id);

    GST_OBJECT_LOCK(self);
    self->settings_changed = TRUE;
    if (number)
        *number = g_value_get_float(value);
    else if (text)
        set_text(text, value);
    else if (id == PROP_MAX_DETECTIONS)
        self->settings.max_detections = g_value_get_uint(value);
    else if (id == PROP_TILE_FULL_FRAME)
        self->settings.tile_full_frame = g_value_get_boolean(value);
    else if (id == PROP_POST_MESSAGES)
        self->post_messages = g_value_get_boolean(value);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    GstVigilDetect *self = GST_VIGIL_DETECT(object);
    const gfloat *number = number_setting(&self->settings, id);
    gchar **text = text_setting(&self->settings, id);

    GST_OBJECT_LOCK(self);
    if (number)
        g_value_set_float(value, *number);
    else if (text)
        g_value_set_string(value, *text);
    else if (id == PROP_MAX_DETECTIONS)
        g_value_set_uint(value, self->settings.max_detections);
    else if (id == PROP_TILE_FULL_FRAME)
        g_value_set_boolean(value, self->settings.tile_full_frame);
    else if (id == PROP_POST_MESSAGES)
        g_value_set_boolean(value, self->post_messages);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    GST_OBJECT_UNLOCK(self);
}

/* ---- What gst-inspect shows ----------------------------------------------------- */

static const struct {
    guint id;
    const gchar *name, *nick, *blurb;
    gfloat least, most, initial;
} numbers[] = {
    { PROP_THRESHOLD, "threshold", "Threshold",
      "Objects whose score, 0..1, is above this are told; -1: as the network was "
      "published, which is for measuring and tells many that are wrong",
      AS_PUBLISHED, 1, DEFAULT_THRESHOLD },
    { PROP_IOU_THRESHOLD, "iou-threshold", "IoU threshold",
      "Of two boxes of one class whose intersection is more than this share of their "
      "union, 0..1, the one with the lower score goes; -1: as the network was "
      "published, and 0.5 for boxes of different regions or tiles.  Networks that "
      "predict a set (E2E Mobile-Former) use it only between regions or tiles",
      AS_PUBLISHED, 1, DEFAULT_IOU_THRESHOLD },
    { PROP_MIN_AREA, "min-area", "Least area",
      "Smaller boxes are left out before boxes are compared; a fraction of the frame's "
      "area, 0..1; 0: none are left out",
      0, 1, DEFAULT_MIN_AREA },
    { PROP_MAX_AREA, "max-area", "Greatest area",
      "Larger boxes are left out before boxes are compared; a fraction of the frame's "
      "area, 0..1, not below min-area; 1: none are left out",
      0, 1, DEFAULT_MAX_AREA },
    { PROP_TILE_OVERLAP, "tile-overlap", "Overlap of tiles",
      "How much of a tile its neighbour shows, too, a fraction of its width and "
      "height, "
      "0..0.9; an object no larger than this is whole in one of them",
      0, GST_VIGIL_TILES_MAX_OVERLAP, DEFAULT_TILE_OVERLAP },
};

static const struct {
    guint id;
    const gchar *name, *nick, *blurb;
} texts[] = {
    { PROP_OBJECT_CLASS, "object-class", "Object classes",
      "Classes that are told, NAME[,NAME...] as the model's labels have them, e.g. "
      "person,car; a number is the output of that number, from 0; unset: all" },
    { PROP_CLASS_THRESHOLDS, "class-thresholds", "Thresholds of classes",
      "NAME=SCORE[,NAME=SCORE...], scores 0..1, which go before threshold for these "
      "classes, e.g. person=0.6,car=0.4; names as for object-class; unset: none" },
    { PROP_TILES, "tiles", "Tiles",
      "Parts into which the frame, or each region, is cut, each looked at on its own "
      "so "
      "that small objects are seen: COLUMNSxROWS, 1 to 8 each, e.g. 2x2; what they "
      "show "
      "is told once, as of the frame or region; unset or 1x1: not cut" },
};

void gst_vigil_detect_install_properties(GObjectClass *klass)
{
    const GParamFlags flags =
        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

    klass->set_property = set_property;
    klass->get_property = get_property;
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
        g_object_class_install_property(
            klass, numbers[i].id,
            g_param_spec_float(numbers[i].name, numbers[i].nick, numbers[i].blurb,
                               numbers[i].least, numbers[i].most, numbers[i].initial,
                               flags | GST_PARAM_CONTROLLABLE));
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_object_class_install_property(
            klass, texts[i].id,
            g_param_spec_string(texts[i].name, texts[i].nick, texts[i].blurb, NULL,
                                flags));
    g_object_class_install_property(
        klass, PROP_MAX_DETECTIONS,
        g_param_spec_uint("max-detections", "Most detections",
                          "How many objects of a frame are told at most, those with "
                          "the highest scores; 0: as many as the network was published "
                          "with, in each region or tile",
                          0, VIGIL_MAX_DETECTIONS, DEFAULT_MAX_DETECTIONS, flags));
    g_object_class_install_property(
        klass, PROP_TILE_FULL_FRAME,
        g_param_spec_boolean(
            "tile-full-frame", "Full frame beside tiles",
            "Look at the whole frame, or region, beside its tiles, for "
            "objects too large for a tile",
            DEFAULT_TILE_FULL_FRAME, flags));
    g_object_class_install_property(
        klass, PROP_POST_MESSAGES,
        g_param_spec_boolean("post-messages", "Post messages",
                             "Post an element message vigil-detection with all objects "
                             "of a frame, every time one is looked at",
                             DEFAULT_POST_MESSAGES, flags));
}

void gst_vigil_detect_init_properties(GstVigilDetect *self)
{
    self->settings = (GstVigilDetectSettings) {
        .threshold = DEFAULT_THRESHOLD,
        .iou_threshold = DEFAULT_IOU_THRESHOLD,
        .max_detections = DEFAULT_MAX_DETECTIONS,
        .min_area = DEFAULT_MIN_AREA,
        .max_area = DEFAULT_MAX_AREA,
        .tile_overlap = DEFAULT_TILE_OVERLAP,
        .tile_full_frame = DEFAULT_TILE_FULL_FRAME,
    };
    self->settings_changed = TRUE;
    self->post_messages = DEFAULT_POST_MESSAGES;
}
