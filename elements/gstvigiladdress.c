/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigiladdress.h"

#include <string.h>

static const struct {
    const gchar *scheme;
    GstVigilProtocol protocol;
    guint16 port;
    gboolean secure;
} schemes[] = {
    { "rtsp", GST_VIGIL_PROTOCOL_RTSP, 554 },
    { "rtsps", GST_VIGIL_PROTOCOL_RTSP, 322, TRUE },
    /* rtspsrc's own: the transport is in the name. */
    { "rtspt", GST_VIGIL_PROTOCOL_RTSP, 554 },
    { "rtspu", GST_VIGIL_PROTOCOL_RTSP, 554 },
    { "rtsph", GST_VIGIL_PROTOCOL_RTSP, 554 },
    { "rtspst", GST_VIGIL_PROTOCOL_RTSP, 322, TRUE },
    { "rtspsu", GST_VIGIL_PROTOCOL_RTSP, 322, TRUE },
    { "rtspsh", GST_VIGIL_PROTOCOL_RTSP, 322, TRUE },
    { "http", GST_VIGIL_PROTOCOL_HTTP, 80 },
    { "https", GST_VIGIL_PROTOCOL_HTTP, 443, TRUE },
    { "file", GST_VIGIL_PROTOCOL_FILE, 0 },
};

static const struct {
    const gchar *element, *package;
} readers[] = {
    [GST_VIGIL_PROTOCOL_RTSP] = { "rtspsrc", "gstreamer1.0-plugins-good" },
    [GST_VIGIL_PROTOCOL_HTTP] = { "souphttpsrc", "gstreamer1.0-plugins-good" },
    [GST_VIGIL_PROTOCOL_FILE] = { "filesrc", "libgstreamer1.0-0" },
};

const gchar *gst_vigil_address_element(const GstVigilAddress *address)
{
    return readers[address->protocol].element;
}

const gchar *gst_vigil_address_package(const GstVigilAddress *address)
{
    return readers[address->protocol].package;
}

/* ---- Secrets --------------------------------------------------------------------- */

static gchar *replace(gchar *text, const gchar *pattern, const gchar *by)
{
    GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS, 0, NULL);
    gchar *result = g_regex_replace(regex, text, -1, 0, by, 0, NULL);

    g_regex_unref(regex);
    if (!result) /* not UTF-8: nobody can read it anyway */
        return text;
    g_free(text);
    return result;
}

static gchar *hide_parameters(gchar *text)
{
    return replace(text,
                   "([?&/;](?:[a-z_-]*pass[a-z_-]*|pwd|pw|psw|token|auth|key|secret|"
                   "user|username|usr|login)=)[^&/;?\\s\"']*",
                   "\\1***");
}

static gchar *replace_password(gchar *text, const gchar *password)
{
    gchar **parts = g_strsplit(text, password, -1);
    gchar *result = g_strjoinv("***", parts);

    g_strfreev(parts);
    g_free(text);
    return result;
}

gchar *gst_vigil_address_scrub(const gchar *text, const gchar *password)
{
    gchar *result;

    if (!text)
        return NULL;
    result = g_utf8_make_valid(text, -1);
    result = hide_parameters(replace(result, "://[^/?\\s\"']*@", "://"));
    return password && password[0] ? replace_password(result, password) : result;
}

/* A bad one: up to the last '@', as nobody knows where the password ends. */
gchar *gst_vigil_address_show(const gchar *uri)
{
    GstVigilAddress address;
    gchar *shown;

    if (!uri)
        return NULL;
    if (gst_vigil_address_parse(uri, &address, NULL)) {
        shown = g_strdup(address.shown);
        gst_vigil_address_clear(&address);
        return shown;
    }
    return hide_parameters(replace(g_utf8_make_valid(uri, -1), "://.*@", "://"));
}

/* ---- Parts ----------------------------------------------------------------------- */

static gboolean fail(GError **error, const gchar *uri, const gchar *format)
{
    /* Not by parsing it, which would fail again. */
    gchar *shown =
        hide_parameters(replace(g_utf8_make_valid(uri, -1), "://.*@", "://"));

    g_set_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, format, shown);
    g_free(shown);
    return FALSE;
}

/* Splits user and password off: they may hold what a URI may not. */
static gchar *split_credentials(const gchar *uri, GstVigilAddress *address)
{
    const gchar *begin = strstr(uri, "://") + 3;
    const gsize length = strcspn(begin, "/?");
    const gchar *at = g_strrstr_len(begin, (gssize)length, "@");

    if (!at)
        return g_strdup(uri);
    gchar *both = g_strndup(begin, (gsize)(at - begin));
    gchar *colon = strchr(both, ':');
    if (colon) {
        *colon = '\0';
        address->password = g_uri_unescape_string(colon + 1, NULL);
        if (!address->password)
            address->password = g_strdup(colon + 1);
    }
    address->user = g_uri_unescape_string(both, NULL);
    if (!address->user)
        address->user = g_strdup(both);
    g_free(both);
    gchar *head = g_strndup(uri, (gsize)(begin - uri));
    gchar *result = g_strconcat(head, at + 1, NULL);
    g_free(head);
    return result;
}

static gboolean find_scheme(const gchar *scheme, GstVigilAddress *address)
{
    for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++)
        if (!g_ascii_strcasecmp(scheme, schemes[i].scheme)) {
            address->protocol = schemes[i].protocol;
            address->port = schemes[i].port;
            address->secure = schemes[i].secure;
            return TRUE;
        }
    return FALSE;
}

static gboolean take_host(GstVigilAddress *address)
{
    GUri *parts = g_uri_parse(address->uri, G_URI_FLAGS_ENCODED, NULL);

    if (!parts)
        return FALSE;
    address->host = g_strdup(g_uri_get_host(parts));
    if (g_uri_get_port(parts) > 0)
        address->port = (guint16)g_uri_get_port(parts);
    g_uri_unref(parts);
    return address->host && address->host[0];
}

static gboolean take_place(GstVigilAddress *address)
{
    if (address->protocol != GST_VIGIL_PROTOCOL_FILE)
        return take_host(address);
    address->path = g_filename_from_uri(address->uri, NULL, NULL);
    return address->path != NULL;
}

gboolean gst_vigil_address_parse(const gchar *uri, GstVigilAddress *address,
                                 GError **error)
{
    const gchar *colon = strstr(uri, "://");

    *address = (GstVigilAddress) { 0 };
    if (!colon || colon == uri)
        return fail(error, uri,
                    "\"%s\" is no URI: write rtsp://HOST/PATH, http://HOST/PATH or, "
                    "for a file, file:///PATH.");
    gchar *scheme = g_strndup(uri, (gsize)(colon - uri));
    const gboolean known = find_scheme(scheme, address);
    g_free(scheme);
    if (!known)
        return fail(
            error, uri,
            "Nothing here plays \"%s\": vigilsrc takes rtsp, rtsps, http, https "
            "and file.");
    address->uri = split_credentials(uri, address);
    if (!take_place(address)) {
        gst_vigil_address_clear(address);
        return fail(
            error, uri,
            "The URI \"%s\" is not valid; in a user and password all but letters "
            "and digits is best written as %%XX.");
    }
    address->shown = hide_parameters(g_utf8_make_valid(address->uri, -1));
    return TRUE;
}

void gst_vigil_address_clear(GstVigilAddress *address)
{
    g_free(address->uri);
    g_free(address->shown);
    g_free(address->user);
    g_free(address->password);
    g_free(address->host);
    g_free(address->path);
    *address = (GstVigilAddress) { 0 };
}
