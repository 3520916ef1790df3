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
 * A camera that is unplugged while frames flow, or gives none for
 * #GstVigilSourceBin:timeout, is no error.  A warning and an element
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

#include <errno.h>
#include <string.h>

GST_DEBUG_CATEGORY(gst_vigil_camera_src_debug);
#define GST_CAT_DEFAULT gst_vigil_camera_src_debug

G_DEFINE_TYPE_WITH_CODE(GstVigilCameraSrc, gst_vigil_camera_src,
                        GST_TYPE_VIGIL_SOURCE_BIN,
                        GST_DEBUG_CATEGORY_INIT(gst_vigil_camera_src_debug,
                                                "vigilcamerasrc", 0, "camera"))
GST_ELEMENT_REGISTER_DEFINE(vigilcamerasrc, "vigilcamerasrc", GST_RANK_NONE,
                            GST_TYPE_VIGIL_CAMERA_SRC)

/* ---- Opening --------------------------------------------------------------------- */

static gboolean open_camera(GstVigilSourceBin *source)
{
    GstVigilCameraSrc *self = GST_VIGIL_CAMERA_SRC(source);

    if (!gst_vigil_camera_src_find(self))
        return FALSE;
    const VigilRate rate = self->choice.rate;
    gst_vigil_source_bin_set_nature(
        source, TRUE, GST_VIGIL_TIMING_CLOCK,
        rate.num ? gst_util_uint64_scale(GST_SECOND, rate.den, rate.num) : 0);
    return gst_vigil_source_bin_add_first_chain(source);
}

static void close_camera(GstVigilSourceBin *source)
{
    GstVigilCameraSrc *self = GST_VIGIL_CAMERA_SRC(source);

    GST_OBJECT_LOCK(self);
    self->opened = FALSE;
    GST_OBJECT_UNLOCK(self);
}

static GstElement *make_chain(GstVigilSourceBin *source, GError **error)
{
    GstVigilCameraSrc *self = GST_VIGIL_CAMERA_SRC(source);

    if (!self->chosen && !gst_vigil_camera_src_find_again(self, error))
        return NULL;
    self->chosen = FALSE;
    return gst_vigil_camera_src_make_chain(self, error);
}

/* ---- Losses ---------------------------------------------------------------------- */

/* Before the first frame they are of the camera as it was chosen. */
static gboolean takes_error(GstVigilSourceBin *source, guint sent)
{
    return sent > 0;
}

/* An end that nobody asked for is a loss, but not before the first frame. */
static GstVigilEnding ends(GstVigilSourceBin *source, guint sent, gboolean fresh)
{
    GST_OBJECT_LOCK(source);
    const gint all = GST_VIGIL_CAMERA_SRC(source)->settings.num_buffers;
    GST_OBJECT_UNLOCK(source);
    return !sent || (all >= 0 && sent >= (guint)all) ? GST_VIGIL_ENDING_END
                                                     : GST_VIGIL_ENDING_LOSS;
}

static void begin_search(GstVigilSourceBin *source)
{
    vigil_camera_list(vigil_v4l2_system(), &GST_VIGIL_CAMERA_SRC(source)->others);
}

/* A clause: what the system says of the node counts more than what v4l2src made of it.
 */
static gchar *reason_of(const VigilCamera *camera, const GError *error)
{
    VigilCamera now;

    vigil_camera_ask(vigil_v4l2_system(), camera->device, &now);
    if (now.problem == ENOENT || now.problem == ENODEV || now.problem == ENXIO)
        return g_strdup("it was unplugged");
    if (now.problem)
        return g_strdup_printf("it does not answer: %s", g_strerror(now.problem));
    if (strcmp(now.name, camera->name) || strcmp(now.bus, camera->bus))
        return g_strdup("it was unplugged");
    gchar *reason = g_strdup(error->message);
    if (g_str_has_suffix(reason, "."))
        reason[strlen(reason) - 1] = '\0';
    return reason;
}

static gchar *explain(GstVigilSourceBin *source, const GError *error, gboolean again)
{
    return again ? NULL : reason_of(&GST_VIGIL_CAMERA_SRC(source)->camera, error);
}

/* v4l2src does not say which camera it is that cannot be started. */
static gchar *complain(GstVigilSourceBin *source, const GError *error)
{
    GstVigilCameraSrc *self = GST_VIGIL_CAMERA_SRC(source);
    gchar label[VIGIL_CAMERA_LINE], mode[64];

    GST_OBJECT_LOCK(self);
    const VigilCamera camera = self->camera;
    vigil_choice_text(&self->choice, mode);
    GST_OBJECT_UNLOCK(self);
    gchar *reason = reason_of(&camera, error);
    gchar *text = g_strdup_printf("The camera %s does not start at %s: %s. Try it "
                                  "again, plug it in anew, or set another mode.",
                                  vigil_camera_label(&camera, label), mode, reason);
    g_free(reason);
    return text;
}

static gchar *sentence(GstVigilSourceBin *source, const gchar *why, gboolean again,
                       gboolean final)
{
    gchar label[VIGIL_CAMERA_LINE];

    if (again || final)
        return g_strdup(why);
    return g_strdup_printf(
        "The camera %s was lost: %s. It is looked for until it is back.",
        vigil_camera_label(&GST_VIGIL_CAMERA_SRC(source)->camera, label), why);
}

static GstStructure *message(GstVigilSourceBin *source, gboolean found)
{
    GST_OBJECT_LOCK(source);
    const VigilCamera camera = GST_VIGIL_CAMERA_SRC(source)->camera;
    GST_OBJECT_UNLOCK(source);
    return gst_structure_new(found ? "camera-found" : "camera-lost", "camera",
                             G_TYPE_STRING, camera.name, "device", G_TYPE_STRING,
                             camera.device, "bus", G_TYPE_STRING, camera.bus, "serial",
                             G_TYPE_STRING, camera.serial, NULL);
}

/* ---- Type ------------------------------------------------------------------------ */

static void gst_vigil_camera_src_finalize(GObject *object)
{
    GstVigilCameraSrc *self = GST_VIGIL_CAMERA_SRC(object);

    g_free(self->settings.camera);
    g_free(self->settings.controls);
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
    GstVigilSourceBinClass *source_class = GST_VIGIL_SOURCE_BIN_CLASS(klass);

    object_class->set_property = gst_vigil_camera_src_set_property;
    object_class->get_property = gst_vigil_camera_src_get_property;
    object_class->finalize = gst_vigil_camera_src_finalize;
    gst_vigil_camera_src_install_properties(object_class);
    keep_descriptors();

    gst_element_class_set_static_metadata(
        element_class, "Vigil camera", "Source/Video/Hardware",
        "Takes a camera by name, in its cheapest mode, and survives its unplugging",
        "The gst-vigil authors");
    source_class->open = open_camera;
    source_class->close = close_camera;
    source_class->make_chain = make_chain;
    source_class->takes_error = takes_error;
    source_class->complain = complain;
    source_class->ends = ends;
    source_class->begin_search = begin_search;
    source_class->explain = explain;
    source_class->sentence = sentence;
    source_class->message = message;
}

static void gst_vigil_camera_src_init(GstVigilCameraSrc *self)
{
    self->settings.num_buffers = -1;
    self->settings.rate_den = 1;
}
