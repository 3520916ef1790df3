/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Properties of vigilcamerasrc. */
#include "gstvigilcamerasrc-private.h"

#define MAX_SIDE 32768

enum {
    PROP_0,
    PROP_CAMERA,
    PROP_DEVICE,
    PROP_WIDTH,
    PROP_HEIGHT,
    PROP_FRAMERATE,
    PROP_CONTROLS,
    PROP_NUM_BUFFERS,
    PROP_IS_LIVE,
    PROP_STATS,
};

static void set_text(GstVigilCameraSrc *self, gchar **text, const GValue *value)
{
    GST_OBJECT_LOCK(self);
    g_free(*text);
    *text = g_value_dup_string(value);
    GST_OBJECT_UNLOCK(self);
}

void gst_vigil_camera_src_set_property(GObject *object, guint id, const GValue *value,
                                       GParamSpec *pspec)
{
    GstVigilCameraSrc *self = GST_VIGIL_CAMERA_SRC(object);
    GstVigilCameraSettings *settings = &self->settings;

    if (id == PROP_CAMERA || id == PROP_DEVICE) {
        set_text(self, &settings->camera, value);
        return;
    }
    if (id == PROP_CONTROLS) {
        set_text(self, &settings->controls, value);
        gst_vigil_camera_src_update_controls(self);
        return;
    }
    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_WIDTH:
        settings->width = g_value_get_int(value);
        break;
    case PROP_HEIGHT:
        settings->height = g_value_get_int(value);
        break;
    case PROP_FRAMERATE:
        settings->rate_num = gst_value_get_fraction_numerator(value);
        settings->rate_den = gst_value_get_fraction_denominator(value);
        break;
    case PROP_NUM_BUFFERS:
        settings->num_buffers = g_value_get_int(value);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

static GstStructure *make_stats(GstVigilCameraSrc *self)
{
    GstStructure *stats = gst_structure_new_empty("vigilcamerasrc-stats");
    gchar fourcc[5];

    gst_vigil_source_bin_add_stats(GST_VIGIL_SOURCE_BIN(self), stats);
    GST_OBJECT_LOCK(self);
    if (self->opened)
        gst_structure_set(
            stats, "camera", G_TYPE_STRING, self->camera.name, "device", G_TYPE_STRING,
            self->camera.device, "bus", G_TYPE_STRING, self->camera.bus, "serial",
            G_TYPE_STRING, self->camera.serial, "format", G_TYPE_STRING,
            vigil_fourcc_text(vigil_camera_formats[self->choice.format].fourcc, fourcc),
            "width", G_TYPE_INT, (gint)self->choice.width, "height", G_TYPE_INT,
            (gint)self->choice.height, "framerate", GST_TYPE_FRACTION,
            (gint)self->choice.rate.num, (gint)self->choice.rate.den, NULL);
    GST_OBJECT_UNLOCK(self);
    return stats;
}

void gst_vigil_camera_src_get_property(GObject *object, guint id, GValue *value,
                                       GParamSpec *pspec)
{
    GstVigilCameraSrc *self = GST_VIGIL_CAMERA_SRC(object);
    const GstVigilCameraSettings *settings = &self->settings;

    if (id == PROP_STATS) {
        g_value_take_boxed(value, make_stats(self));
        return;
    }
    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_CAMERA:
        g_value_set_string(value, settings->camera);
        break;
    case PROP_DEVICE:
        g_value_set_string(value, self->opened ? self->camera.device : NULL);
        break;
    case PROP_WIDTH:
        g_value_set_int(value, settings->width);
        break;
    case PROP_HEIGHT:
        g_value_set_int(value, settings->height);
        break;
    case PROP_FRAMERATE:
        gst_value_set_fraction(value, settings->rate_num, settings->rate_den);
        break;
    case PROP_CONTROLS:
        g_value_set_string(value, settings->controls);
        break;
    case PROP_NUM_BUFFERS:
        g_value_set_int(value, settings->num_buffers);
        break;
    case PROP_IS_LIVE:
        g_value_set_boolean(value, TRUE);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

static void install_mode_properties(GObjectClass *klass, GParamFlags flags)
{
    g_object_class_install_property(
        klass, PROP_WIDTH,
        g_param_spec_int("width", "Width",
                         "Width of the pictures in pixels; 0: that of the caps that "
                         "follow, else as the camera is set",
                         0, MAX_SIDE, 0, flags));
    g_object_class_install_property(
        klass, PROP_HEIGHT,
        g_param_spec_int("height", "Height",
                         "Height of the pictures in pixels; 0: that of the caps that "
                         "follow, else as the camera is set",
                         0, MAX_SIDE, 0, flags));
    g_object_class_install_property(
        klass, PROP_FRAMERATE,
        gst_param_spec_fraction("framerate", "Frame rate",
                                "Frames a second, one percent more or less; 0/1: that "
                                "of the caps that follow, else as the camera is set",
                                0, 1, G_MAXINT, 1, 0, 1, flags));
}

void gst_vigil_camera_src_install_properties(GObjectClass *klass)
{
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
    const GParamFlags reading = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

    g_object_class_install_property(
        klass, PROP_CAMERA,
        g_param_spec_string("camera", "Camera",
                            "Which camera: 0, /dev/video2, name:TEXT, serial:TEXT, "
                            "bus:TEXT, or a part of its name; unset: the first "
                            "(vigil-cameras lists them)",
                            NULL, flags | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        klass, PROP_DEVICE,
        g_param_spec_string("device", "Device",
                            "Setting it sets camera; reading it tells the node that is "
                            "in use, NULL: none is",
                            NULL, flags | GST_PARAM_MUTABLE_READY));
    install_mode_properties(klass, flags | GST_PARAM_MUTABLE_READY);
    g_object_class_install_property(
        klass, PROP_CONTROLS,
        g_param_spec_string("controls", "Controls",
                            "Controls of the camera that are set, in this order: "
                            "NAME=VALUE[,NAME=VALUE...], e.g. brightness=10,gain=4; a "
                            "menu takes the number or the name of an item",
                            NULL, flags | GST_PARAM_MUTABLE_PLAYING));
    g_object_class_install_property(
        klass, PROP_NUM_BUFFERS,
        g_param_spec_int("num-buffers", "Number of buffers",
                         "End after so many frames; -1: do not end", -1, G_MAXINT, -1,
                         flags | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(klass, PROP_IS_LIVE,
                                    g_param_spec_boolean("is-live", "Is live",
                                                         "A camera always is: TRUE",
                                                         TRUE, reading));
    g_object_class_install_property(
        klass, PROP_STATS,
        g_param_spec_boxed(
            "stats", "Statistics",
            "frames that came, losses of the camera; while it is open "
            "also camera, device, bus, serial, format, width, height and "
            "framerate",
            GST_TYPE_STRUCTURE, reading));
}
