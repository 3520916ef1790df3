/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-vigilcamerasrc
 * @title: vigilcamerasrc
 * @see_also: v4l2src, vigil-cameras(1)
 *
 * A camera, as a live source of raw video.  It is told by #GstVigilCameraSrc:camera:
 * its node (`0`, `/dev/video2`), a part of its name (`webcam`, `name:...`), its serial
 * (`serial:...`) or where it is plugged in (`bus:...`); the command `vigil-cameras`
 * lists what there is.  Without it the first camera is taken.
 *
 * Of the modes that have the size and rate of #GstVigilCameraSrc:width,
 * #GstVigilCameraSrc:height and #GstVigilCameraSrc:framerate, or else of fixed caps
 * that follow, it takes the one that costs the least CPU and that what follows can
 * take: raw video with few bytes a pixel before such with many, then JPEG, then H.264,
 * which are decoded.  What is not wished stays as the camera is set, or the nearest to
 * it.
 *
 * What stands in the way is found in the change to READY and told in a sentence: no
 * such camera, no permission, another program that uses it, no such mode, no such
 * control, no decoder.
 *
 * A camera that is unplugged while frames flow is no error.  A warning and an element
 * message "camera-lost" are posted, the pipeline plays on, without frames, and the
 * camera is looked for: it is known by its serial, its name and where it is plugged in,
 * not by the number of its node.  When it is back its stream goes on in the running
 * time that has come meanwhile, and a message "camera-found" is posted with the first
 * frame.  Both have the fields "camera" (its name), "device", "bus", "serial" and
 * "reason", all strings.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 vigilcamerasrc ! vigilclassify ! vigiloverlay ! videoconvert !
 * autovideosink
 * ]| Classifies what the first camera sees.
 * |[
 * gst-launch-1.0 -m vigilcamerasrc camera=name:webcam width=1280 height=720
 * framerate=30/1 controls="brightness=10,power_line_frequency=1" ! vigildetect !
 * vigiloverlay ! videoconvert ! autovideosink
 * ]| Takes a camera by its name, in a mode, with controls.
 */
#include "gstvigilcamerasrc-private.h"

GST_DEBUG_CATEGORY(gst_vigil_camera_src_debug);
#define GST_CAT_DEFAULT gst_vigil_camera_src_debug

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

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));

G_DEFINE_TYPE_WITH_CODE(GstVigilCameraSrc, gst_vigil_camera_src, GST_TYPE_BIN,
                        GST_DEBUG_CATEGORY_INIT(gst_vigil_camera_src_debug,
                                                "vigilcamerasrc", 0, "camera"))
GST_ELEMENT_REGISTER_DEFINE(vigilcamerasrc, "vigilcamerasrc", GST_RANK_NONE,
                            GST_TYPE_VIGIL_CAMERA_SRC)

/* ---- Properties ------------------------------------------------------------------ */

static void set_text(GstVigilCameraSrc *self, gchar **text, const GValue *value)
{
    GST_OBJECT_LOCK(self);
    g_free(*text);
    *text = g_value_dup_string(value);
    GST_OBJECT_UNLOCK(self);
}

static void gst_vigil_camera_src_set_property(GObject *object, guint id,
                                              const GValue *value, GParamSpec *pspec)
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
    GstStructure *stats =
        gst_structure_new("vigilcamerasrc-stats", "frames", G_TYPE_UINT64, self->frames,
                          "losses", G_TYPE_UINT64, self->losses, NULL);
    gchar fourcc[5];

    if (self->opened)
        gst_structure_set(
            stats, "camera", G_TYPE_STRING, self->camera.name, "device", G_TYPE_STRING,
            self->camera.device, "bus", G_TYPE_STRING, self->camera.bus, "serial",
            G_TYPE_STRING, self->camera.serial, "format", G_TYPE_STRING,
            vigil_fourcc_text(vigil_camera_formats[self->choice.format].fourcc, fourcc),
            "width", G_TYPE_INT, (gint)self->choice.width, "height", G_TYPE_INT,
            (gint)self->choice.height, "framerate", GST_TYPE_FRACTION,
            (gint)self->choice.rate.num, (gint)self->choice.rate.den, NULL);
    return stats;
}

static void gst_vigil_camera_src_get_property(GObject *object, guint id, GValue *value,
                                              GParamSpec *pspec)
{
    GstVigilCameraSrc *self = GST_VIGIL_CAMERA_SRC(object);
    const GstVigilCameraSettings *settings = &self->settings;

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
    case PROP_STATS:
        g_value_take_boxed(value, make_stats(self));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

/* ---- States ---------------------------------------------------------------------- */

static gboolean open_camera(GstVigilCameraSrc *self)
{
    if (!gst_vigil_camera_src_find(self))
        return FALSE;
    g_mutex_lock(&self->swap);
    const gboolean added = gst_vigil_camera_src_add_chain(self);
    g_mutex_unlock(&self->swap);
    return added;
}

static void close_camera(GstVigilCameraSrc *self)
{
    g_mutex_lock(&self->swap);
    gst_vigil_camera_src_remove_chain(self);
    g_mutex_unlock(&self->swap);
    GST_OBJECT_LOCK(self);
    self->opened = FALSE;
    self->least = self->most = GST_CLOCK_TIME_NONE;
    GST_OBJECT_UNLOCK(self);
}

static gboolean before_change(GstVigilCameraSrc *self, GstStateChange transition)
{
    switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
        return open_camera(self);
    case GST_STATE_CHANGE_READY_TO_PAUSED:
        gst_vigil_camera_src_start_watching(self);
        return TRUE;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
        gst_vigil_camera_src_stop_watching(self);
        return TRUE;
    default:
        return TRUE;
    }
}

static GstStateChangeReturn gst_vigil_camera_src_change_state(GstElement *element,
                                                              GstStateChange transition)
{
    GstVigilCameraSrc *self = GST_VIGIL_CAMERA_SRC(element);
    GstStateChangeReturn result = GST_STATE_CHANGE_FAILURE;

    if (before_change(self, transition)) {
        g_mutex_lock(&self->swap);
        result = GST_ELEMENT_CLASS(gst_vigil_camera_src_parent_class)
                     ->change_state(element, transition);
        g_mutex_unlock(&self->swap);
    }
    const gboolean failed = result == GST_STATE_CHANGE_FAILURE;
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && failed)
        gst_vigil_camera_src_stop_watching(self);
    if ((transition == GST_STATE_CHANGE_READY_TO_PAUSED && failed) ||
        transition == GST_STATE_CHANGE_PAUSED_TO_READY)
        gst_vigil_camera_src_forget_loss(self);
    if ((transition == GST_STATE_CHANGE_NULL_TO_READY && failed) ||
        transition == GST_STATE_CHANGE_READY_TO_NULL)
        close_camera(self);
    /* Live, whether the camera is there or lost. */
    if (result == GST_STATE_CHANGE_SUCCESS &&
        GST_STATE_TRANSITION_NEXT(transition) == GST_STATE_PAUSED)
        return GST_STATE_CHANGE_NO_PREROLL;
    return result;
}

/* ---- Events, queries, messages --------------------------------------------------- */

static gboolean gst_vigil_camera_src_send_event(GstElement *element, GstEvent *event)
{
    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
        gst_vigil_camera_src_end(GST_VIGIL_CAMERA_SRC(element));
    return GST_ELEMENT_CLASS(gst_vigil_camera_src_parent_class)
        ->send_event(element, event);
}

/* v4l2src answers once it has caps.  Before, and while the camera is lost, the answer
 * is the last one, or a frame. */
static gboolean answer_latency(GstVigilCameraSrc *self, GstQuery *query,
                               gboolean answered)
{
    gboolean live = FALSE;

    GST_OBJECT_LOCK(self);
    if (answered) {
        GstClockTime least, most;
        gst_query_parse_latency(query, &live, &least, &most);
        if (live) {
            self->least = least;
            self->most = most;
        }
    }
    const VigilRate rate = self->choice.rate;
    const GstClockTime frame =
        rate.num ? gst_util_uint64_scale(GST_SECOND, rate.den, rate.num) : 0;
    if (!live && GST_CLOCK_TIME_IS_VALID(self->least))
        gst_query_set_latency(query, TRUE, self->least, self->most);
    else if (!live)
        gst_query_set_latency(query, TRUE, frame, GST_CLOCK_TIME_NONE);
    GST_OBJECT_UNLOCK(self);
    return TRUE;
}

static gboolean query_src(GstPad *pad, GstObject *parent, GstQuery *query)
{
    GstVigilCameraSrc *self = GST_VIGIL_CAMERA_SRC(parent);

    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
        return gst_pad_query_default(pad, parent, query);
    GstPad *target = gst_ghost_pad_get_target(GST_GHOST_PAD(pad));
    const gboolean answered = target && gst_pad_query(target, query);
    gst_clear_object(&target);
    return answer_latency(self, query, answered);
}

static void gst_vigil_camera_src_handle_message(GstBin *bin, GstMessage *message)
{
    if (gst_vigil_camera_src_takes_message(GST_VIGIL_CAMERA_SRC(bin), message))
        gst_message_unref(message);
    else
        GST_BIN_CLASS(gst_vigil_camera_src_parent_class)->handle_message(bin, message);
}

/* ---- Type ------------------------------------------------------------------------ */

static void gst_vigil_camera_src_finalize(GObject *object)
{
    GstVigilCameraSrc *self = GST_VIGIL_CAMERA_SRC(object);

    g_free(self->settings.camera);
    g_free(self->settings.controls);
    g_free(self->reason);
    g_mutex_clear(&self->swap);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->cond);
    G_OBJECT_CLASS(gst_vigil_camera_src_parent_class)->finalize(object);
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

static void install_properties(GObjectClass *klass)
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

/* Before 1.26 v4l2src loses its buffer pool, with an open descriptor of the camera, each
 * time it gives buffers up to the kernel instead of waiting for them; a camera with a
 * loose plug would use up all descriptors.  This makes it wait. */
static void keep_descriptors(void)
{
    guint major, minor, micro, nano;

    gst_version(&major, &minor, &micro, &nano);
    if (major == 1 && minor < 26)
        g_setenv("GST_V4L2_FORCE_DRAIN", "1", FALSE);
}

static void gst_vigil_camera_src_class_init(GstVigilCameraSrcClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);
    GstElementClass *element_class = GST_ELEMENT_CLASS(klass);

    object_class->set_property = gst_vigil_camera_src_set_property;
    object_class->get_property = gst_vigil_camera_src_get_property;
    object_class->finalize = gst_vigil_camera_src_finalize;
    install_properties(object_class);
    keep_descriptors();

    gst_element_class_set_static_metadata(
        element_class, "Vigil camera", "Source/Video/Hardware",
        "Takes a camera by name, in its cheapest mode, and survives its unplugging",
        "The gst-vigil authors");
    gst_element_class_add_static_pad_template(element_class, &src_template);
    element_class->change_state = gst_vigil_camera_src_change_state;
    element_class->send_event = gst_vigil_camera_src_send_event;
    GST_BIN_CLASS(klass)->handle_message = gst_vigil_camera_src_handle_message;
}

static void gst_vigil_camera_src_init(GstVigilCameraSrc *self)
{
    GstPadTemplate *template = gst_static_pad_template_get(&src_template);

    self->settings.num_buffers = -1;
    self->settings.rate_den = 1;
    self->least = self->most = GST_CLOCK_TIME_NONE;
    g_mutex_init(&self->swap);
    g_mutex_init(&self->lock);
    g_cond_init(&self->cond);
    self->src = gst_ghost_pad_new_no_target_from_template("src", template);
    gst_object_unref(template);
    gst_pad_set_query_function(self->src, query_src);
    gst_element_add_pad(GST_ELEMENT(self), self->src);
    /* A source also while there is nothing in it. */
    gst_bin_set_suppressed_flags(GST_BIN(self), GST_ELEMENT_FLAG_SOURCE);
    GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}
