/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands in the way, in words. */
#include "gstvigilsrc-private.h"

#include <string.h>

#define GST_CAT_DEFAULT gst_vigil_src_debug

/* For the question whether there is anybody at all, in seconds. */
#define CONNECT_TIMEOUT 3

/* Cameras lock an account that tries a wrong password again and again. */
#define WAIT_UNAUTHORISED (30 * G_TIME_SPAN_SECOND)
#define WAIT_ELSE (2 * G_TIME_SPAN_SECOND)

static const struct {
    const gchar *media, *package;
} packages[] = {
    { "application/x-rtp", "gstreamer1.0-plugins-good" },
    { "video/quicktime", "gstreamer1.0-plugins-good" },
    { "video/x-matroska", "gstreamer1.0-plugins-good" },
    { "video/webm", "gstreamer1.0-plugins-good" },
    { "video/x-msvideo", "gstreamer1.0-plugins-good" },
    { "multipart/x-mixed-replace", "gstreamer1.0-plugins-good" },
    { "image/jpeg", "gstreamer1.0-plugins-good" },
    { "image/png", "gstreamer1.0-plugins-good" },
    { "video/x-vp8", "gstreamer1.0-plugins-good" },
    { "video/x-vp9", "gstreamer1.0-plugins-good" },
    { "video/mpegts", "gstreamer1.0-plugins-bad" },
    { "video/x-av1", "gstreamer1.0-plugins-bad" },
    { "application/x-hls", "gstreamer1.0-plugins-bad" },
    { "application/dash+xml", "gstreamer1.0-plugins-bad" },
};

const gchar *gst_vigil_src_package(const GstCaps *caps)
{
    const gchar *media = gst_structure_get_name(gst_caps_get_structure(caps, 0));

    for (gsize i = 0; i < G_N_ELEMENTS(packages); i++)
        if (!g_strcmp0(media, packages[i].media))
            return packages[i].package;
    return "gstreamer1.0-libav";
}

/* ---- Why ------------------------------------------------------------------------- */

static gchar *scrub(GstVigilSrc *self, const gchar *text)
{
    GST_OBJECT_LOCK(self);
    gchar *result = gst_vigil_address_scrub(text, self->password);
    GST_OBJECT_UNLOCK(self);
    return result;
}

static gboolean is(const GError *error, GQuark domain, gint code)
{
    return g_error_matches(error, domain, code);
}

static gchar *unreachable(const GstVigilAddress *address, const GError *error)
{
    if (error->domain == G_RESOLVER_ERROR)
        return g_strdup_printf("the host \"%s\" is not found", address->host);
    if (is(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
        return g_strdup_printf("%s refuses connections to port %u", address->host,
                               address->port);
    if (is(error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE))
        return g_strdup(
            "nobody vouches for its certificate; ssl-strict=false takes it");
    if (is(error, G_TLS_ERROR, G_TLS_ERROR_UNAVAILABLE))
        return g_strdup("there is no TLS: install the Debian package glib-networking");
    return g_strdup_printf("%s cannot be reached at port %u: %s", address->host,
                           address->port, error->message);
}

/* Whether the network is to blame: the words of source elements vary with the locale.
 * NULL: somebody is there. */
static gchar *ask_network(GstVigilSrc *self)
{
    GSocketClient *client = g_socket_client_new();
    gchar *why = NULL;
    GError *error = NULL;

    g_socket_client_set_timeout(client, CONNECT_TIMEOUT);
    g_socket_client_set_tls(client, self->address.secure && self->settings.verify);
    GSocketConnection *connection = g_socket_client_connect_to_host(
        client, self->address.host, self->address.port,
        gst_vigil_source_bin_get_cancellable(GST_VIGIL_SOURCE_BIN(self)), &error);
    if (!connection)
        why = unreachable(&self->address, error);
    g_clear_object(&connection);
    g_clear_error(&error);
    g_object_unref(client);
    return why;
}

/* souphttpsrc says no more than that it failed when a host has no address. */
static gboolean may_be_network(const GError *error)
{
    return error->domain == GST_RESOURCE_ERROR ||
           is(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED);
}

static gchar *unauthorised(GstVigilSrc *self)
{
    GST_OBJECT_LOCK(self);
    const gboolean tried = self->password != NULL;
    GST_OBJECT_UNLOCK(self);
    return g_strdup(tried ? "it refuses the user and password (401 Unauthorized)"
                          : "it wants a user and a password (401 Unauthorized): set "
                            "user-id and user-pw, or credentials-file");
}

/* rtspsrc has asked for none, or it got none. */
static gchar *no_stream(GstVigilSrc *self)
{
    GST_OBJECT_LOCK(self);
    const gboolean wanted = self->stream >= 0;
    GST_OBJECT_UNLOCK(self);
    return g_strdup(wanted ? "its video does not come that way: try another transport"
                           : "there is no video in it");
}

gchar *gst_vigil_src_explain(GstVigilSourceBin *bin, const GError *error,
                             gboolean again)
{
    GstVigilSrc *self = GST_VIGIL_SRC(bin);
    gchar *why = NULL;

    if (is(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED))
        return unauthorised(self);
    if (self->address.host && may_be_network(error))
        why = ask_network(self);
    if (why)
        return why;
    if (is(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND) &&
        self->address.host)
        return g_strdup("the server has no such stream (404 Not Found)");
    if (is(error, GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND))
        return g_strdup("it is nothing that GStreamer knows");
    if (is(error, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND) &&
        self->address.protocol == GST_VIGIL_PROTOCOL_RTSP)
        return no_stream(self);
    why = scrub(self, error->message);
    g_strchomp(why);
    if (g_str_has_suffix(why, "."))
        why[strlen(why) - 1] = '\0';
    return why;
}

/* ---- What of it ------------------------------------------------------------------ */

gboolean gst_vigil_src_is_final(GstVigilSourceBin *bin, const GError *error, guint sent)
{
    GstVigilSrc *self = GST_VIGIL_SRC(bin);

    GST_OBJECT_LOCK(self);
    const gboolean wait = self->settings.wait;
    GST_OBJECT_UNLOCK(self);
    if (self->address.protocol == GST_VIGIL_PROTOCOL_FILE)
        return TRUE;
    return !sent && (!wait || error->domain == GST_CORE_ERROR);
}

gint64 gst_vigil_src_longest_wait(GstVigilSourceBin *bin, const GError *error)
{
    return is(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED)
               ? WAIT_UNAUTHORISED
               : WAIT_ELSE;
}

gchar *gst_vigil_src_sentence(GstVigilSourceBin *bin, const gchar *why, gboolean again,
                              gboolean final)
{
    const gchar *shown = GST_VIGIL_SRC(bin)->address.shown;

    if (final)
        return g_strdup_printf("%s cannot be played: %s.", shown, why);
    if (again)
        return g_strdup_printf("%s is not there yet: %s. It is tried again.", shown,
                               why);
    if (!gst_vigil_source_bin_get_sent(bin))
        return g_strdup_printf("%s cannot be played yet: %s. It is tried until it can.",
                               shown, why);
    return g_strdup_printf("%s was lost: %s. It is tried until it is back.", shown,
                           why);
}

/* ---- What others say ------------------------------------------------------------- */

GstMessage *gst_vigil_src_filter(GstVigilSourceBin *bin, GstMessage *message)
{
    GstVigilSrc *self = GST_VIGIL_SRC(bin);
    GstObject *source = GST_MESSAGE_SRC(message);
    GstMessage *clean;
    GError *error = NULL;
    gchar *debug = NULL;

    switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
        gst_message_parse_error(message, &error, &debug);
        break;
    case GST_MESSAGE_WARNING:
        gst_message_parse_warning(message, &error, &debug);
        break;
    case GST_MESSAGE_INFO:
        gst_message_parse_info(message, &error, &debug);
        break;
    default:
        return message;
    }
    gchar *text = scrub(self, error->message), *details = scrub(self, debug);
    GError *as = g_error_new_literal(error->domain, error->code, text);
    clean = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR
                ? gst_message_new_error(source, as, details)
            : GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING
                ? gst_message_new_warning(source, as, details)
                : gst_message_new_info(source, as, details);
    gst_message_unref(message);
    g_error_free(error);
    g_error_free(as);
    g_free(debug);
    g_free(text);
    g_free(details);
    return clean;
}
