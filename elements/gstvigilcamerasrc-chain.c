/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One opening of the camera: v4l2src, its caps, a decoder; and what its probes do so
 * that several of them are one stream. */
#include "gstvigilcamerasrc-private.h"

#define GST_CAT_DEFAULT gst_vigil_camera_src_debug

/* ---- Probes ---------------------------------------------------------------------- */

/* Whether it is what follows that has enough. */
static gboolean ended_behind(GstPad *pad)
{
    GstObject *source = gst_pad_get_parent(pad);
    GstObject *chain = source ? gst_object_get_parent(source) : NULL;
    const gboolean ended =
        chain && gst_vigil_camera_src_flow_behind(GST_ELEMENT(chain)) == GST_FLOW_EOS;

    gst_clear_object(&chain);
    gst_clear_object(&source);
    return ended;
}

/* An end that nobody asked for is a loss, but not before the first frame. */
static GstPadProbeReturn source_event(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    GstVigilCameraSrc *self = data;

    if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS)
        return GST_PAD_PROBE_OK;
    const gboolean behind = ended_behind(pad);
    GST_OBJECT_LOCK(self);
    const gint all = self->settings.num_buffers;
    GST_OBJECT_UNLOCK(self);
    g_mutex_lock(&self->lock);
    self->ending |= behind || !self->sent || (all >= 0 && self->sent >= (guint)all);
    const gboolean passes = self->ending && !self->ended;
    self->ended |= passes;
    g_mutex_unlock(&self->lock);
    if (passes)
        return GST_PAD_PROBE_OK;
    gst_vigil_camera_src_lose(self, NULL);
    return GST_PAD_PROBE_DROP;
}

/* Time never goes back, whatever the clock of the driver does. */
static GstPadProbeReturn source_buffer(GstPad *pad, GstPadProbeInfo *info,
                                       gpointer data)
{
    GstVigilCameraSrc *self = data;
    const GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));

    g_mutex_lock(&self->lock);
    self->sent++;
    g_mutex_unlock(&self->lock);
    if (GST_CLOCK_TIME_IS_VALID(pts)) {
        if (GST_CLOCK_TIME_IS_VALID(self->last_pts) && pts <= self->last_pts) {
            GST_WARNING_OBJECT(self,
                               "dropped a frame of %" GST_TIME_FORMAT
                               ", not after %" GST_TIME_FORMAT,
                               GST_TIME_ARGS(pts), GST_TIME_ARGS(self->last_pts));
            return GST_PAD_PROBE_DROP;
        }
        self->last_pts = pts;
    }
    return GST_PAD_PROBE_OK;
}

/* A stream begins once. */
static GstPadProbeReturn chain_event(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    GstVigilCameraSrc *self = data;
    gboolean *seen = NULL;

    switch (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info))) {
    case GST_EVENT_STREAM_START:
        seen = &self->started;
        break;
    case GST_EVENT_SEGMENT:
        seen = &self->has_segment;
        break;
    default:
        return GST_PAD_PROBE_OK;
    }
    if (*seen)
        return GST_PAD_PROBE_DROP;
    *seen = TRUE;
    return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn chain_buffer(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    GstVigilCameraSrc *self = data;

    GST_OBJECT_LOCK(self);
    self->frames++;
    GST_OBJECT_UNLOCK(self);
    gst_vigil_camera_src_first_frame(self);
    return GST_PAD_PROBE_OK;
}

static void watch_pad(GstVigilCameraSrc *self, GstElement *element,
                      GstPadProbeCallback event, GstPadProbeCallback buffer)
{
    GstPad *pad = gst_element_get_static_pad(element, "src");

    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, event, self, NULL);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, buffer, self, NULL);
    gst_object_unref(pad);
}

/* ---- Elements -------------------------------------------------------------------- */

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
    GST_OBJECT_LOCK(self);
    const gint wanted = self->settings.num_buffers;
    GST_OBJECT_UNLOCK(self);
    g_mutex_lock(&self->lock);
    const gint left = wanted < 0 ? -1 : MAX(wanted - (gint)self->sent, 0);
    g_mutex_unlock(&self->lock);
    return left;
}

static GstElement *add_source(GstVigilCameraSrc *self, GstElement *chain)
{
    GstElement *source = add(chain, NULL, "v4l2src");

    if (!source) {
        GST_ELEMENT_ERROR(
            self, CORE, MISSING_PLUGIN,
            ("There is no v4l2src to read cameras with: install the Debian "
             "package gstreamer1.0-plugins-good."),
            (NULL));
        return NULL;
    }
    g_object_set(source, "device", self->camera.device, "num-buffers",
                 buffers_left(self), NULL);
    watch_pad(self, source, source_event, source_buffer);
    return source;
}

/* Takes the chain as far as it was built.  The decoder is there, or its formats would
 * not have been chosen. */
static gboolean fill(GstVigilCameraSrc *self, GstElement *chain)
{
    const gchar *decoder =
        gst_vigil_camera_decoder(vigil_camera_formats[self->choice.format].coding);
    GstElement *last = add_source(self, chain);
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
    watch_pad(self, chain, chain_event, chain_buffer);
    return TRUE;
}

gboolean gst_vigil_camera_src_add_chain(GstVigilCameraSrc *self)
{
    GstElement *chain = gst_bin_new(NULL);

    if (!fill(self, chain)) {
        gst_object_unref(gst_object_ref_sink(chain));
        return FALSE;
    }
    GstPad *pad = gst_element_get_static_pad(chain, "src");
    self->chain = chain;
    gst_bin_add(GST_BIN(self), chain);
    gst_ghost_pad_set_target(GST_GHOST_PAD(self->src), pad);
    gst_object_unref(pad);
    return TRUE;
}

void gst_vigil_camera_src_remove_chain(GstVigilCameraSrc *self)
{
    GstElement *chain = self->chain;

    if (!chain)
        return;
    gst_element_set_locked_state(chain, TRUE);
    gst_element_set_state(chain, GST_STATE_NULL);
    gst_ghost_pad_set_target(GST_GHOST_PAD(self->src), NULL);
    self->chain = NULL;
    gst_bin_remove(GST_BIN(self), chain);
}
