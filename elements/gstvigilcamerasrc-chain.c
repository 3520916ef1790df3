/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One opening of the camera: v4l2src, its caps, a decoder. */
#include "gstvigilcamerasrc-private.h"

#define GST_CAT_DEFAULT gst_vigil_camera_src_debug

static GstCaps *choice_caps(const VigilCameraChoice *choice)
{
    const VigilCameraFormat *format = &vigil_camera_formats[choice->format];
    GstCaps *caps = gst_caps_new_empty_simple(
        format->coding == VIGIL_CODING_RAW    ? "video/x-raw"
        : format->coding == VIGIL_CODING_JPEG ? "image/jpeg"
                                              : "video/x-h264");

    gst_caps_set_simple(caps, "width", G_TYPE_INT, (gint)choice->width, "height",
                        G_TYPE_INT, (gint)choice->height, NULL);
    if (format->raw)
        gst_caps_set_simple(caps, "format", G_TYPE_STRING, format->raw, NULL);
    if (choice->rate.num)
        gst_caps_set_simple(caps, "framerate", GST_TYPE_FRACTION,
                            (gint)choice->rate.num, (gint)choice->rate.den, NULL);
    return caps;
}

/* Adds an element behind `last`; NULL: there is none of that kind. */
static GstElement *add(GstElement *chain, GstElement *last, const gchar *factory)
{
    GstElement *element = gst_element_factory_make(factory, factory);

    if (!element)
        return NULL;
    gst_bin_add(GST_BIN(chain), element);
    if (last)
        gst_element_link(last, element);
    return element;
}

static gint buffers_left(GstVigilCameraSrc *self)
{
    const guint sent = gst_vigil_source_bin_get_sent(GST_VIGIL_SOURCE_BIN(self));

    GST_OBJECT_LOCK(self);
    const gint wanted = self->settings.num_buffers;
    GST_OBJECT_UNLOCK(self);
    return wanted < 0 ? -1 : MAX(wanted - (gint)sent, 0);
}

static GstElement *add_source(GstVigilCameraSrc *self, GstElement *chain,
                              GError **error)
{
    GstElement *source = add(chain, NULL, "v4l2src");

    if (source)
        g_object_set(source, "device", self->camera.device, "num-buffers",
                     buffers_left(self), NULL);
    else
        g_set_error(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
                    "There is no v4l2src to read cameras with: install the Debian "
                    "package gstreamer1.0-plugins-good.");
    return source;
}

/* Takes the chain as far as it was built.  The decoder is there, or its formats would
 * not have been chosen. */
static gboolean fill(GstVigilCameraSrc *self, GstElement *chain, GError **error)
{
    const gchar *decoder =
        gst_vigil_camera_decoder(vigil_camera_formats[self->choice.format].coding);
    GstElement *last = add_source(self, chain, error);
    GstCaps *caps = choice_caps(&self->choice);

    if (last) {
        last = add(chain, last, "capsfilter");
        g_object_set(last, "caps", caps, NULL);
    }
    if (last && decoder)
        last = add(chain, last, decoder);
    gst_caps_unref(caps);
    if (!last)
        return FALSE;
    GstPad *pad = gst_element_get_static_pad(last, "src");
    gst_element_add_pad(chain, gst_ghost_pad_new("src", pad));
    gst_object_unref(pad);
    return TRUE;
}

GstElement *gst_vigil_camera_src_make_chain(GstVigilCameraSrc *self, GError **error)
{
    GstElement *chain = gst_bin_new(NULL);

    if (fill(self, chain, error))
        return chain;
    gst_object_unref(gst_object_ref_sink(chain));
    return NULL;
}
