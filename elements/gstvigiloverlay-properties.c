/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigiloverlay-private.h"

enum {
    PROP_0,
    PROP_HOLD_TIME,
    PROP_FONT_DESC,
    PROP_FONT_SCALE,
    PROP_LINE_WIDTH,
    PROP_DRAW_LABELS,
    PROP_DRAW_SCORES,
    PROP_MAX_CLASSES,
    PROP_PANEL_POSITION,
    PROP_OPACITY,
    PROP_MASK_OPACITY,
    PROP_LEGEND_CLASSES,
};

#define DEFAULT_HOLD_TIME (500 * GST_MSECOND)
#define DEFAULT_FONT_DESC "Sans"
#define DEFAULT_FONT_SCALE 1.0
#define DEFAULT_LINE_WIDTH 0.0
#define DEFAULT_DRAW_LABELS TRUE
#define DEFAULT_DRAW_SCORES TRUE
#define DEFAULT_MAX_CLASSES 3
#define DEFAULT_PANEL_POSITION GST_VIGIL_OVERLAY_TOP_LEFT
#define DEFAULT_OPACITY 1.0
#define DEFAULT_MASK_OPACITY 0.5
#define DEFAULT_LEGEND_CLASSES 8

#define GST_TYPE_VIGIL_OVERLAY_POSITION (position_get_type())
static GType position_get_type(void)
{
    static const GEnumValue values[] = {
        { GST_VIGIL_OVERLAY_TOP_LEFT, "Top left corner", "top-left" },
        { GST_VIGIL_OVERLAY_TOP_RIGHT, "Top right corner", "top-right" },
        { GST_VIGIL_OVERLAY_BOTTOM_LEFT, "Bottom left corner", "bottom-left" },
        { GST_VIGIL_OVERLAY_BOTTOM_RIGHT, "Bottom right corner", "bottom-right" },
        { 0, NULL, NULL },
    };
    static gsize type = 0;
    if (g_once_init_enter(&type))
        g_once_init_leave(&type,
                          g_enum_register_static("GstVigilOverlayPosition", values));
    return type;
}

static void set_property(GObject *object, guint id, const GValue *value,
                         GParamSpec *pspec)
{
    GstVigilOverlay *self = GST_VIGIL_OVERLAY(object);
    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_HOLD_TIME:
        self->hold_time = g_value_get_uint64(value);
        break;
    case PROP_FONT_DESC:
        g_free(self->style.font_desc);
        self->style.font_desc = g_value_dup_string(value);
        if (!self->style.font_desc)
            self->style.font_desc = g_strdup(DEFAULT_FONT_DESC);
        break;
    case PROP_FONT_SCALE:
        self->style.font_scale = g_value_get_double(value);
        break;
    case PROP_LINE_WIDTH:
        self->style.line_width = g_value_get_double(value);
        break;
    case PROP_DRAW_LABELS:
        self->style.draw_labels = g_value_get_boolean(value);
        break;
    case PROP_DRAW_SCORES:
        self->style.draw_scores = g_value_get_boolean(value);
        break;
    case PROP_MAX_CLASSES:
        self->style.max_classes = g_value_get_uint(value);
        break;
    case PROP_PANEL_POSITION:
        self->style.panel_position = g_value_get_enum(value);
        break;
    case PROP_OPACITY:
        self->style.opacity = g_value_get_double(value);
        break;
    case PROP_MASK_OPACITY:
        self->style.mask_opacity = g_value_get_double(value);
        break;
    case PROP_LEGEND_CLASSES:
        self->style.legend_classes = g_value_get_uint(value);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
    GstVigilOverlay *self = GST_VIGIL_OVERLAY(object);
    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_HOLD_TIME:
        g_value_set_uint64(value, self->hold_time);
        break;
    case PROP_FONT_DESC:
        g_value_set_string(value, self->style.font_desc);
        break;
    case PROP_FONT_SCALE:
        g_value_set_double(value, self->style.font_scale);
        break;
    case PROP_LINE_WIDTH:
        g_value_set_double(value, self->style.line_width);
        break;
    case PROP_DRAW_LABELS:
        g_value_set_boolean(value, self->style.draw_labels);
        break;
    case PROP_DRAW_SCORES:
        g_value_set_boolean(value, self->style.draw_scores);
        break;
    case PROP_MAX_CLASSES:
        g_value_set_uint(value, self->style.max_classes);
        break;
    case PROP_PANEL_POSITION:
        g_value_set_enum(value, self->style.panel_position);
        break;
    case PROP_OPACITY:
        g_value_set_double(value, self->style.opacity);
        break;
    case PROP_MASK_OPACITY:
        g_value_set_double(value, self->style.mask_opacity);
        break;
    case PROP_LEGEND_CLASSES:
        g_value_set_uint(value, self->style.legend_classes);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

void gst_vigil_overlay_install_properties(GObjectClass *klass)
{
    const GParamFlags flags =
        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
    const GParamFlags controllable = flags | GST_PARAM_CONTROLLABLE;
    klass->set_property = set_property;
    klass->get_property = get_property;
    g_object_class_install_property(
        klass, PROP_HOLD_TIME,
        g_param_spec_uint64("hold-time", "Hold time",
                            "How long results stay on frames that carry none, in ns; "
                            "0: not at all",
                            0, G_MAXUINT64, DEFAULT_HOLD_TIME, flags));
    g_object_class_install_property(
        klass, PROP_FONT_DESC,
        g_param_spec_string("font-desc", "Font description",
                            "Pango font description of the text, as \"Sans\" or "
                            "\"DejaVu Sans Condensed\"; its size is not used",
                            DEFAULT_FONT_DESC, flags));
    g_object_class_install_property(
        klass, PROP_FONT_SCALE,
        g_param_spec_double("font-scale", "Font scale",
                            "Size of the text; 1: a thirtieth of the frame's shorter "
                            "side, at least 11 pixels",
                            0.1, 10, DEFAULT_FONT_SCALE, controllable));
    g_object_class_install_property(
        klass, PROP_LINE_WIDTH,
        g_param_spec_double("line-width", "Line width",
                            "Width of the lines around regions, in pixels of square "
                            "shape; 0: from the size of the text",
                            0, 100, DEFAULT_LINE_WIDTH, controllable));
    g_object_class_install_property(
        klass, PROP_DRAW_LABELS,
        g_param_spec_boolean("draw-labels", "Draw labels",
                             "Whether the names of classes are written",
                             DEFAULT_DRAW_LABELS, controllable));
    g_object_class_install_property(
        klass, PROP_DRAW_SCORES,
        g_param_spec_boolean("draw-scores", "Draw scores",
                             "Whether scores are written, in percent",
                             DEFAULT_DRAW_SCORES, controllable));
    g_object_class_install_property(
        klass, PROP_MAX_CLASSES,
        g_param_spec_uint("max-classes", "Most classes",
                          "How many classes of the whole frame the panel shows, best "
                          "first; 0: no panel",
                          0, 100, DEFAULT_MAX_CLASSES, controllable));
    g_object_class_install_property(
        klass, PROP_PANEL_POSITION,
        g_param_spec_enum("panel-position", "Panel position",
                          "Corner of the frame that the panel with the classes of the "
                          "whole frame sits in",
                          GST_TYPE_VIGIL_OVERLAY_POSITION, DEFAULT_PANEL_POSITION,
                          controllable));
    g_object_class_install_property(
        klass, PROP_OPACITY,
        g_param_spec_double("opacity", "Opacity",
                            "Of all that is drawn; 0: invisible, 1: as designed", 0, 1,
                            DEFAULT_OPACITY, controllable));
    g_object_class_install_property(
        klass, PROP_MASK_OPACITY,
        g_param_spec_double(
            "mask-opacity", "Mask opacity",
            "Of the colours of masks; 0: no masks and no legend, 1: the "
            "picture below is not seen",
            0, 1, DEFAULT_MASK_OPACITY, controllable));
    g_object_class_install_property(
        klass, PROP_LEGEND_CLASSES,
        g_param_spec_uint("legend-classes", "Most classes in the legend",
                          "How many classes of masks the panel names, those with the "
                          "largest share first, as far as there is room; 0: no legend",
                          0, 100, DEFAULT_LEGEND_CLASSES, controllable));
    gst_type_mark_as_plugin_api(GST_TYPE_VIGIL_OVERLAY_POSITION, 0);
}

void gst_vigil_overlay_init_properties(GstVigilOverlay *self)
{
    self->hold_time = DEFAULT_HOLD_TIME;
    self->style = (GstVigilOverlayStyle) {
        .font_desc = g_strdup(DEFAULT_FONT_DESC),
        .font_scale = DEFAULT_FONT_SCALE,
        .line_width = DEFAULT_LINE_WIDTH,
        .draw_labels = DEFAULT_DRAW_LABELS,
        .draw_scores = DEFAULT_DRAW_SCORES,
        .max_classes = DEFAULT_MAX_CLASSES,
        .panel_position = DEFAULT_PANEL_POSITION,
        .opacity = DEFAULT_OPACITY,
        .mask_opacity = DEFAULT_MASK_OPACITY,
        .legend_classes = DEFAULT_LEGEND_CLASSES,
    };
}
