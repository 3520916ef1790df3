/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which camera, which mode, and what stands in the way. */
#include "gstvigilcamerasrc-private.h"

#define GST_CAT_DEFAULT gst_vigil_camera_src_debug

static const struct {
    VigilCameraCoding coding;
    const gchar *element, *package;
} decoders[] = {
    { VIGIL_CODING_JPEG, "jpegdec", "gstreamer1.0-plugins-good" },
    { VIGIL_CODING_JPEG, "avdec_mjpeg", "gstreamer1.0-libav" },
    { VIGIL_CODING_H264, "avdec_h264", "gstreamer1.0-libav" },
    { VIGIL_CODING_H264, "openh264dec", "gstreamer1.0-plugins-bad" },
};

const gchar *gst_vigil_camera_decoder(VigilCameraCoding coding)
{
    for (guint i = 0; i < G_N_ELEMENTS(decoders); i++) {
        GstElementFactory *factory = decoders[i].coding == coding
                                         ? gst_element_factory_find(decoders[i].element)
                                         : NULL;
        if (factory) {
            gst_object_unref(factory);
            return decoders[i].element;
        }
    }
    return NULL;
}

static GstResourceError error_code(VigilCameraStatus status)
{
    switch (status) {
    case VIGIL_CAMERA_NOT_FOUND:
        return GST_RESOURCE_ERROR_NOT_FOUND;
    case VIGIL_CAMERA_NO_PERMISSION:
        return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
    case VIGIL_CAMERA_BUSY:
        return GST_RESOURCE_ERROR_BUSY;
    case VIGIL_CAMERA_SETTINGS:
    case VIGIL_CAMERA_NO_MODE:
        return GST_RESOURCE_ERROR_SETTINGS;
    case VIGIL_CAMERA_OK:
    case VIGIL_CAMERA_FAILED:
        break;
    }
    return GST_RESOURCE_ERROR_FAILED;
}

static GError *as_error(const VigilCameraError *error)
{
    return g_error_new_literal(GST_RESOURCE_ERROR, (gint)error_code(error->status),
                               error->message);
}

static void post(GstVigilCameraSrc *self, GstMessageType type,
                 const VigilCameraError *error)
{
    GError *as = as_error(error);

    gst_vigil_source_bin_post(GST_VIGIL_SOURCE_BIN(self), type, as, as->message);
    g_error_free(as);
}

/* ---- What is wished -------------------------------------------------------------- */

/* Whether what follows takes pictures of a raw format. */
static gboolean takes(const GstCaps *caps, const gchar *format)
{
    GstCaps *raw =
        gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, format, NULL);
    const gboolean can = gst_caps_can_intersect(caps, raw);

    gst_caps_unref(raw);
    return can;
}

/* Not all that cameras have is known to v4l2src of each release: P010 from 1.24. */
static gboolean delivers(const gchar *format)
{
    GstElementFactory *factory = gst_element_factory_find("v4l2src");
    GstCaps *raw =
        gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, format, NULL);
    const gboolean can = !factory || gst_element_factory_can_src_any_caps(factory, raw);

    gst_caps_unref(raw);
    g_clear_pointer(&factory, gst_object_unref);
    return can;
}

/* Decoders of cameras' JPEG give 4:2:0 or 4:2:2. */
static gboolean takes_format(const GstCaps *caps, const VigilCameraFormat *format)
{
    if (format->coding == VIGIL_CODING_RAW)
        return delivers(format->raw) && takes(caps, format->raw);
    return takes(caps, "I420") || takes(caps, "Y42B");
}

/* Whether all of the caps have the one value; what can also be changed behind us, as by
 * videorate, is none. */
static gboolean is_fixed(const GstCaps *caps, const gchar *name, GValue *value)
{
    for (guint i = 0; i < gst_caps_get_size(caps); i++) {
        const GValue *here =
            gst_structure_get_value(gst_caps_get_structure(caps, i), name);
        if (!here || !gst_value_is_fixed(here) ||
            (i && gst_value_compare(here, value) != GST_VALUE_EQUAL))
            return FALSE;
        if (!i)
            gst_value_init_and_copy(value, here);
    }
    return G_IS_VALUE(value);
}

static void wish_side(const GstCaps *caps, const gchar *name, guint32 *side)
{
    GValue value = G_VALUE_INIT;

    if (!*side && is_fixed(caps, name, &value) && G_VALUE_HOLDS_INT(&value))
        *side = (guint32)MAX(g_value_get_int(&value), 0);
    if (G_IS_VALUE(&value))
        g_value_unset(&value);
}

static void wish_rate(const GstCaps *caps, VigilRate *rate)
{
    GValue value = G_VALUE_INIT;

    if (!rate->num && is_fixed(caps, "framerate", &value) &&
        GST_VALUE_HOLDS_FRACTION(&value) &&
        gst_value_get_fraction_numerator(&value) > 0)
        *rate = (VigilRate) { (guint32)gst_value_get_fraction_numerator(&value),
                              (guint32)gst_value_get_fraction_denominator(&value) };
    if (G_IS_VALUE(&value))
        g_value_unset(&value);
}

/* Properties go before what follows the pad; a size and rate fixed in all of its caps
 * counts as wished. */
static void make_wish(GstVigilCameraSrc *self, VigilCameraWish *wish)
{
    GstCaps *caps = gst_pad_peer_query_caps(
        gst_vigil_source_bin_get_pad(GST_VIGIL_SOURCE_BIN(self)), NULL);

    GST_OBJECT_LOCK(self);
    *wish = (VigilCameraWish) {
        .width = (guint32)self->settings.width,
        .height = (guint32)self->settings.height,
        .rate = { (guint32)self->settings.rate_num, (guint32)self->settings.rate_den },
    };
    GST_OBJECT_UNLOCK(self);
    for (gsize i = 0; i < vigil_camera_n_formats; i++)
        if (takes_format(caps, &vigil_camera_formats[i]))
            wish->formats |= G_GUINT64_CONSTANT(1) << i;
    if (!gst_caps_is_any(caps)) {
        wish_side(caps, "width", &wish->width);
        wish_side(caps, "height", &wish->height);
        wish_rate(caps, &wish->rate);
    }
    GST_DEBUG_OBJECT(self, "what follows takes %" GST_PTR_FORMAT, caps);
    gst_caps_unref(caps);
}

/* ---- The mode -------------------------------------------------------------------- */

static guint64 formats_of(guint64 formats, VigilCameraCoding coding)
{
    guint64 result = 0;

    for (gsize i = 0; i < vigil_camera_n_formats; i++)
        if (vigil_camera_formats[i].coding == coding)
            result |= formats & G_GUINT64_CONSTANT(1) << i;
    return result;
}

/* Formats that are decoded only where there is who does it. */
static guint64 decodable(guint64 formats)
{
    guint64 result = formats_of(formats, VIGIL_CODING_RAW);

    for (guint i = 0; i < G_N_ELEMENTS(decoders); i++)
        if (gst_vigil_camera_decoder(decoders[i].coding))
            result |= formats_of(formats, decoders[i].coding);
    return result;
}

static const gchar *package_of(VigilCameraCoding coding)
{
    guint i = 0;

    while (decoders[i].coding != coding)
        i++;
    return decoders[i].package;
}

static gboolean fail(VigilCameraError *error, const gchar *format, ...)
    G_GNUC_PRINTF(2, 3);

static gboolean fail(VigilCameraError *error, const gchar *format, ...)
{
    va_list args;

    va_start(args, format);
    error->status = VIGIL_CAMERA_NO_MODE;
    g_vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    return FALSE;
}

/* No mode: it is the decoder, what follows, or the camera. */
static gboolean fail_mode(const VigilCamera *camera, const VigilCameraModes *modes,
                          const VigilCameraWish *wish, const VigilCameraChoice *nearest,
                          VigilCameraError *error)
{
    VigilCameraWish any = *wish;
    VigilCameraChoice choice;
    gchar label[VIGIL_CAMERA_LINE], text[64];

    vigil_camera_label(camera, label);
    if (vigil_camera_choose(modes, wish, &choice)) {
        const VigilCameraCoding coding = vigil_camera_formats[choice.format].coding;
        return fail(
            error,
            "The camera %s has %s, and no decoder for that is installed: install "
            "the Debian package %s.",
            label, vigil_choice_text(&choice, text), package_of(coding));
    }
    any.formats = G_MAXUINT64;
    if (choice.format < 0 && vigil_camera_choose(modes, &any, &choice))
        return fail(error,
                    "The camera %s has %s, but what follows vigilcamerasrc does not "
                    "take that format: put a videoconvert between them.",
                    label, vigil_choice_text(&choice, text));
    vigil_camera_fail_mode(camera, modes, wish, nearest, error);
    return FALSE;
}

static gboolean choose(int fd, const VigilCamera *camera, const VigilCameraWish *wish,
                       VigilCameraChoice *choice, VigilCameraError *error)
{
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    VigilCameraWish can = *wish;
    VigilCameraModes modes;

    if (vigil_camera_modes(v4l2, fd, camera, &modes, error))
        return FALSE;
    can.formats = decodable(wish->formats);
    const gboolean found = vigil_camera_choose(&modes, &can, choice) ||
                           fail_mode(camera, &modes, wish, choice, error);
    vigil_camera_modes_clear(&modes);
    return found &&
           vigil_camera_try(v4l2, fd, camera, choice, error) == VIGIL_CAMERA_OK;
}

/* ---- Controls -------------------------------------------------------------------- */

static gboolean set_controls(GstVigilCameraSrc *self, int fd, const VigilCamera *camera,
                             VigilCameraError *error)
{
    VigilControlSettings settings;

    GST_OBJECT_LOCK(self);
    gchar *text = g_strdup(self->settings.controls);
    GST_OBJECT_UNLOCK(self);
    const gboolean set =
        !vigil_control_settings_parse(text, &settings, error) &&
        !vigil_camera_set_controls(vigil_v4l2_system(), fd, camera, &settings, error);
    g_free(text);
    return set;
}

void gst_vigil_camera_src_update_controls(GstVigilCameraSrc *self)
{
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    VigilCameraError error;

    GST_OBJECT_LOCK(self);
    const gboolean opened = self->opened;
    const VigilCamera camera = self->camera;
    GST_OBJECT_UNLOCK(self);
    if (!opened)
        return;
    const int fd = vigil_camera_open(v4l2, &camera, &error);
    /* A camera that is lost gets them when it is back. */
    if (fd < 0)
        return;
    if (!set_controls(self, fd, &camera, &error))
        post(self, GST_MESSAGE_WARNING, &error);
    v4l2->close(fd);
}

/* ---- Finding --------------------------------------------------------------------- */

static gboolean find(GstVigilCameraSrc *self, VigilCamera *camera,
                     VigilCameraChoice *choice, VigilCameraError *error)
{
    const VigilV4l2 *v4l2 = vigil_v4l2_system();

    GST_OBJECT_LOCK(self);
    gchar *text = g_strdup(self->settings.camera);
    GST_OBJECT_UNLOCK(self);
    const gboolean found = !vigil_selector_parse(v4l2, text, &self->selector, error) &&
                           !vigil_camera_find(v4l2, &self->selector, camera, error);
    g_free(text);
    const int fd = found ? vigil_camera_open(v4l2, camera, error) : -1;
    if (fd < 0)
        return FALSE;
    const gboolean ready = choose(fd, camera, &self->wish, choice, error) &&
                           set_controls(self, fd, camera, error);
    v4l2->close(fd);
    return ready;
}

gboolean gst_vigil_camera_src_find(GstVigilCameraSrc *self)
{
    VigilCameraError error;
    VigilCamera camera;
    VigilCameraChoice choice;
    gchar text[64];

    make_wish(self, &self->wish);
    if (!find(self, &camera, &choice, &error)) {
        post(self, GST_MESSAGE_ERROR, &error);
        return FALSE;
    }
    GST_INFO_OBJECT(self, "%s (%s), %s", camera.name, camera.device,
                    vigil_choice_text(&choice, text));
    GST_OBJECT_LOCK(self);
    self->camera = camera;
    self->choice = choice;
    self->opened = TRUE;
    GST_OBJECT_UNLOCK(self);
    self->chosen = TRUE;
    return TRUE;
}

/* Chooses for one that was found again. */
static gboolean prepare_again(GstVigilCameraSrc *self, const VigilCamera *camera,
                              VigilCameraChoice *choice, VigilCameraError *error)
{
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    const VigilCameraChoice before = self->choice;
    const VigilCameraWish same = {
        .width = before.width,
        .height = before.height,
        .rate = before.rate,
        .formats = G_GUINT64_CONSTANT(1) << before.format,
    };
    VigilCameraError ignored;
    const int fd = vigil_camera_open(v4l2, camera, error);

    if (fd < 0)
        return FALSE;
    /* Behind another hub it may have fewer modes. */
    const gboolean ready = choose(fd, camera, &same, choice, error) ||
                           (error->status == VIGIL_CAMERA_NO_MODE &&
                            choose(fd, camera, &self->wish, choice, error));
    if (ready && !set_controls(self, fd, camera, &ignored))
        post(self, GST_MESSAGE_WARNING, &ignored);
    v4l2->close(fd);
    return ready;
}

gboolean gst_vigil_camera_src_find_again(GstVigilCameraSrc *self, GError **error)
{
    VigilCamera camera;
    VigilCameraChoice choice;
    VigilCameraError obstacle = { .status = VIGIL_CAMERA_NOT_FOUND };

    if (!vigil_camera_find_again(vigil_v4l2_system(), &self->selector, &self->camera,
                                 &self->others, &camera) ||
        !prepare_again(self, &camera, &choice, &obstacle)) {
        *error = as_error(&obstacle);
        return FALSE;
    }
    GST_OBJECT_LOCK(self);
    self->camera = camera;
    self->choice = choice;
    GST_OBJECT_UNLOCK(self);
    return TRUE;
}
