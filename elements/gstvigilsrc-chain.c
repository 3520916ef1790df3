/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One opening: the source element, a decoder of the first video stream. */
#include "gstvigilsrc-private.h"

#include <gst/pbutils/pbutils.h>
#include <string.h>

#define GST_CAT_DEFAULT gst_vigil_src_debug

/* What rtspsrc waits for packets by UDP before it takes TCP; a third of the timeout at
 * most, as the rest is needed to begin anew. */
#define LONGEST_UDP_WAIT (5 * GST_SECOND)

/* Answers to decodebin's "autoplug-continue". */
#define GO_ON TRUE
#define AS_IT_IS FALSE

/* ---- Credentials ----------------------------------------------------------------- */

static gboolean read_file(const gchar *path, gchar **user, gchar **password,
                          GError **error)
{
    gchar *text = NULL;
    GError *cause = NULL;

    if (!g_file_get_contents(path, &text, NULL, &cause)) {
        g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                    "The credentials-file cannot be read: %s.", cause->message);
        g_error_free(cause);
        return FALSE;
    }
    text[strcspn(text, "\r\n")] = '\0';
    gchar *colon = strchr(text, ':');
    if (colon) {
        *colon = '\0';
        *user = g_strdup(text);
        *password = g_strdup(colon + 1);
    } else {
        g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                    "The credentials-file \"%s\" has no line USER:PASSWORD.", path);
    }
    g_free(text);
    return colon != NULL;
}

static gboolean read_variable(const gchar *name, gchar **password, GError **error)
{
    const gchar *value = g_getenv(name);

    if (!value) {
        g_set_error(
            error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
            "There is no environment variable \"%s\" to take the password from.", name);
        return FALSE;
    }
    g_free(*password);
    *password = g_strdup(value);
    return TRUE;
}

static void prefer(gchar **value, const gchar *better)
{
    if (!better)
        return;
    g_free(*value);
    *value = g_strdup(better);
}

gboolean gst_vigil_src_credentials(GstVigilSrc *self, gchar **user, gchar **password,
                                   GError **error)
{
    GST_OBJECT_LOCK(self);
    gchar *set_user = g_strdup(self->settings.user);
    gchar *set_password = g_strdup(self->settings.password);
    gchar *variable = g_strdup(self->settings.password_variable);
    gchar *file = g_strdup(self->settings.credentials_file);
    GST_OBJECT_UNLOCK(self);
    *user = *password = NULL;
    gboolean read = !file || read_file(file, user, password, error);
    if (!file) {
        *user = g_strdup(self->address.user);
        *password = g_strdup(self->address.password);
    }
    read = read && (!variable || read_variable(variable, password, error));
    prefer(user, set_user);
    prefer(password, set_password);
    g_free(set_user);
    g_free(set_password);
    g_free(variable);
    g_free(file);
    return read;
}

/* ---- Sources --------------------------------------------------------------------- */

static gboolean is_video(const GstCaps *caps)
{
    return g_strcmp0(gst_structure_get_string(gst_caps_get_structure(caps, 0), "media"),
                     "video") == 0;
}

/* rtspsrc asks for every stream of the camera: the first video is wanted, others do not
 * even come over the network. */
static gboolean select_stream(GstElement *source, guint number, GstCaps *caps,
                              GstVigilSrc *self)
{
    gboolean wanted = FALSE;

    GST_OBJECT_LOCK(self);
    if (is_video(caps) && self->stream < 0)
        self->stream = (gint)number;
    wanted = self->stream == (gint)number;
    GST_OBJECT_UNLOCK(self);
    GST_DEBUG_OBJECT(self, "stream %u is %s", number, wanted ? "taken" : "left");
    return wanted;
}

static void set_up_rtsp(GstVigilSrc *self, GstElement *source)
{
    static const gchar *const protocols[] = {
        [GST_VIGIL_TRANSPORT_TCP] = "tcp",
        [GST_VIGIL_TRANSPORT_UDP] = "udp",
        [GST_VIGIL_TRANSPORT_MULTICAST] = "udp-mcast",
    };
    const GstVigilSrcSettings *settings = &self->settings;
    const GstClockTime timeout =
        gst_vigil_source_bin_get_timeout(GST_VIGIL_SOURCE_BIN(self));

    g_object_set(source, "latency", settings->latency, NULL);
    if (timeout)
        g_object_set(source, "timeout",
                     (guint64)(MIN(LONGEST_UDP_WAIT, timeout / 3) / GST_USECOND),
                     "tcp-timeout", (guint64)(timeout / GST_USECOND), NULL);
    if (settings->transport != GST_VIGIL_TRANSPORT_AUTO)
        gst_util_set_object_arg(G_OBJECT(source), "protocols",
                                protocols[settings->transport]);
    if (!settings->verify)
        gst_util_set_object_arg(G_OBJECT(source), "tls-validation-flags", "no-flags");
    g_signal_connect(source, "select-stream", G_CALLBACK(select_stream), self);
}

static void set_up_http(GstVigilSrc *self, GstElement *source)
{
    const GstClockTime timeout =
        gst_vigil_source_bin_get_timeout(GST_VIGIL_SOURCE_BIN(self));

    /* It waits in seconds, for an hour at most. */
    const GstClockTime seconds = (timeout + GST_SECOND - 1) / GST_SECOND;

    g_object_set(source, "timeout", (guint)MIN(seconds, 3600), "ssl-strict",
                 self->settings.verify, "iradio-mode", FALSE, NULL);
}

/* Nobody hears of its properties that are set before it is in a bin. */
static GstElement *make_source(GstVigilSrc *self, GError **error)
{
    const GstVigilAddress *address = &self->address;
    const gchar *factory = gst_vigil_address_element(address);
    GstElement *source;
    gchar *user, *password;

    if (!gst_vigil_src_credentials(self, &user, &password, error)) {
        g_free(user);
        g_free(password);
        return NULL;
    }
    source = gst_element_factory_make(factory, NULL);
    if (!source) {
        g_set_error(
            error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
            "There is no %s to read \"%s\" with: install the Debian package %s.",
            factory, address->shown, gst_vigil_address_package(address));
    } else if (address->protocol == GST_VIGIL_PROTOCOL_FILE) {
        g_object_set(source, "location", address->path, NULL);
    } else {
        g_object_set(source, "location", address->uri, NULL);
        if (user || password)
            g_object_set(source, "user-id", user ? user : "", "user-pw",
                         password ? password : "", NULL);
    }
    g_free(user);
    GST_OBJECT_LOCK(self);
    g_free(self->password);
    self->password = password;
    self->stream = -1;
    self->video = NULL;
    self->shown = FALSE;
    GST_OBJECT_UNLOCK(self);
    return source;
}

/* ---- Streams --------------------------------------------------------------------- */

static void fail(GstElement *chain, GQuark domain, gint code, gchar *text)
{
    gst_element_message_full(chain, GST_MESSAGE_ERROR, domain, code, text, NULL,
                             __FILE__, GST_FUNCTION, __LINE__);
}

static gboolean is_of(GstPad *pad, const gchar *kind)
{
    GstElement *element = gst_pad_get_parent_element(pad);
    const gchar *klass =
        element ? gst_element_class_get_metadata(GST_ELEMENT_GET_CLASS(element),
                                                 GST_ELEMENT_METADATA_KLASS)
                : NULL;
    const gboolean is = klass && strstr(klass, kind);

    gst_clear_object(&element);
    return is;
}

/* Whether a demuxer's stream is the one that is decoded. */
static gboolean wants(GstVigilSrc *self, GstPad *pad, const gchar *media)
{
    gboolean wanted;

    if (!g_str_has_prefix(media, "video/") && !g_str_has_prefix(media, "image/"))
        return FALSE;
    GST_OBJECT_LOCK(self);
    wanted = !self->video || self->video == pad;
    if (wanted)
        self->video = pad;
    GST_OBJECT_UNLOCK(self);
    return wanted;
}

static gboolean autoplug_continue(GstElement *decoder, GstPad *pad, GstCaps *caps,
                                  GstVigilSrc *self)
{
    const gchar *media = gst_structure_get_name(gst_caps_get_structure(caps, 0));

    if (is_of(pad, "Demux"))
        return wants(self, pad, media) ? GO_ON : AS_IT_IS;
    return g_str_has_prefix(media, "audio/") || g_str_has_prefix(media, "text/")
               ? AS_IT_IS
               : GO_ON;
}

/* The first decoded video leaves the chain; who else is exposed stays unlinked. */
static void decoder_pad_added(GstElement *decoder, GstPad *pad, GstVigilSrc *self)
{
    GstElement *chain = GST_ELEMENT(gst_element_get_parent(decoder));
    GstCaps *caps = gst_pad_query_caps(pad, NULL);
    const gboolean video =
        !gst_caps_is_empty(caps) && !gst_caps_is_any(caps) &&
        gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw");

    gint64 length;
    /* At its end every stream has a length. */
    const gboolean finite =
        gst_pad_query_duration(pad, GST_FORMAT_TIME, &length) && length >= 0;

    gst_caps_unref(caps);
    GST_OBJECT_LOCK(self);
    const gboolean first = video && !self->shown;
    self->shown |= video;
    if (first)
        self->finite = finite;
    GST_OBJECT_UNLOCK(self);
    if (first) {
        GstPad *out = gst_element_get_static_pad(chain, "src");
        gst_ghost_pad_set_target(GST_GHOST_PAD(out), pad);
        gst_object_unref(out);
    }
    gst_object_unref(chain);
}

static void no_more_pads(GstElement *decoder, GstVigilSrc *self)
{
    GST_OBJECT_LOCK(self);
    const gboolean shown = self->shown;
    GST_OBJECT_UNLOCK(self);
    if (shown)
        return;
    GstElement *chain = GST_ELEMENT(gst_element_get_parent(decoder));
    fail(chain, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE,
         g_strdup("there is no video in it"));
    gst_object_unref(chain);
}

/* Again when rtspsrc changes from UDP to TCP: the pad before is gone. */
static void source_pad_added(GstElement *source, GstPad *pad, GstElement *decoder)
{
    GstPad *sink = gst_element_get_static_pad(decoder, "sink");

    gst_pad_link(pad, sink);
    gst_object_unref(sink);
}

static void unknown_type(GstElement *decoder, GstPad *pad, GstCaps *caps,
                         GstVigilSrc *self)
{
    GstElement *chain = GST_ELEMENT(gst_element_get_parent(decoder));
    gchar *name = gst_pb_utils_get_codec_description(caps);

    fail(chain, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
         g_strdup_printf("there is no decoder for %s: install the Debian package %s",
                         name, gst_vigil_src_package(caps)));
    g_free(name);
    gst_object_unref(chain);
}

/* A camera's pictures begin at once, whatever else its stream might have. */
static void element_added(GstBin *decoder, GstElement *element, gpointer data)
{
    GstElementFactory *factory = gst_element_get_factory(element);

    if (factory && !strcmp(GST_OBJECT_NAME(factory), "multipartdemux"))
        g_object_set(element, "single-stream", TRUE, NULL);
}

/* ---- Chains ---------------------------------------------------------------------- */

static void connect_decoder(GstVigilSrc *self, GstElement *decoder)
{
    g_signal_connect(decoder, "autoplug-continue", G_CALLBACK(autoplug_continue), self);
    g_signal_connect(decoder, "pad-added", G_CALLBACK(decoder_pad_added), self);
    g_signal_connect(decoder, "no-more-pads", G_CALLBACK(no_more_pads), self);
    g_signal_connect(decoder, "unknown-type", G_CALLBACK(unknown_type), self);
    g_signal_connect(decoder, "element-added", G_CALLBACK(element_added), NULL);
}

static void connect_source(GstVigilSrc *self, GstElement *source, GstElement *decoder)
{
    switch (self->address.protocol) {
    case GST_VIGIL_PROTOCOL_RTSP:
        set_up_rtsp(self, source);
        g_signal_connect(source, "pad-added", G_CALLBACK(source_pad_added), decoder);
        return;
    case GST_VIGIL_PROTOCOL_HTTP:
        set_up_http(self, source);
        break;
    case GST_VIGIL_PROTOCOL_FILE:
        break;
    }
    gst_element_link(source, decoder);
}

GstElement *gst_vigil_src_make_chain(GstVigilSourceBin *bin, GError **error)
{
    GstVigilSrc *self = GST_VIGIL_SRC(bin);
    GstElement *source = make_source(self, error);
    GstElement *decoder = source ? gst_element_factory_make("decodebin", NULL) : NULL;

    if (!decoder) {
        if (source)
            g_set_error(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
                        "There is no decodebin to decode with: install the Debian "
                        "package gstreamer1.0-plugins-base.");
        g_clear_pointer(&source, gst_object_unref);
        return NULL;
    }
    GstElement *chain = gst_bin_new(NULL);
    gst_bin_add_many(GST_BIN(chain), source, decoder, NULL);
    gst_element_add_pad(chain, gst_ghost_pad_new_no_target("src", GST_PAD_SRC));
    connect_decoder(self, decoder);
    connect_source(self, source, decoder);
    return chain;
}
