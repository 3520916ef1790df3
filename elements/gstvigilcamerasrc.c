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

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-raw"));

G_DEFINE_TYPE_WITH_CODE(GstVigilCameraSrc, gst_vigil_camera_src, GST_TYPE_BIN,
                        GST_DEBUG_CATEGORY_INIT(gst_vigil_camera_src_debug,
                                                "vigilcamerasrc", 0, "camera"))
GST_ELEMENT_REGISTER_DEFINE(vigilcamerasrc, "vigilcamerasrc", GST_RANK_NONE,
                            GST_TYPE_VIGIL_CAMERA_SRC)

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

/* Before 1.26 v4l2src loses its buffer pool, with an open descriptor of the camera,
 * each time it gives buffers up to the kernel instead of waiting for them; a camera
 * with a loose plug would use up all descriptors.  This makes it wait. */
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
    gst_vigil_camera_src_install_properties(object_class);
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
