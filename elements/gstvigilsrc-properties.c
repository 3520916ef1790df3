/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Properties of vigilsrc. */
#include "gstvigilsrc-private.h"

#define DEFAULT_LATENCY 200

enum {
    PROP_0,
    PROP_URI,
    PROP_USER_ID,
    PROP_USER_PW,
    PROP_USER_PW_VARIABLE,
    PROP_CREDENTIALS_FILE,
    PROP_TRANSPORT,
    PROP_LATENCY,
    PROP_SSL_STRICT,
    PROP_WAIT_FOR_SOURCE,
    PROP_LOOP,
    PROP_STATS,
};

#define GST_TYPE_VIGIL_TRANSPORT (transport_get_type())
static GType transport_get_type(void)
{
    static const GEnumValue values[] = {
        { GST_VIGIL_TRANSPORT_AUTO, "UDP, and TCP where that does not come", "auto" },
        { GST_VIGIL_TRANSPORT_TCP, "TCP", "tcp" },
        { GST_VIGIL_TRANSPORT_UDP, "UDP", "udp" },
        { GST_VIGIL_TRANSPORT_MULTICAST, "UDP multicast", "multicast" },
        { 0, NULL, NULL },
    };
    static gsize type;

    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstVigilTransport", values));
    return type;
}

/* Where a property of text is held; NULL: it is none. */
static gchar **text_of(GstVigilSrcSettings *settings, guint id)
{
    switch (id) {
    case PROP_URI:
        return &settings->uri;
    case PROP_USER_ID:
        return &settings->user;
    case PROP_USER_PW:
        return &settings->password;
    case PROP_USER_PW_VARIABLE:
        return &settings->password_variable;
    case PROP_CREDENTIALS_FILE:
        return &settings->credentials_file;
    default:
        return NULL;
    }
}

void gst_vigil_src_set_property(GObject *object, guint id, const GValue *value,
                                GParamSpec *pspec)
{
    GstVigilSrc *self = GST_VIGIL_SRC(object);
    GstVigilSrcSettings *settings = &self->settings;
    gchar **text = text_of(settings, id);

    GST_OBJECT_LOCK(self);
    if (text) {
        g_free(*text);
        *text = g_value_dup_string(value);
    }
    switch (id) {
    case PROP_TRANSPORT:
        settings->transport = (GstVigilTransport)g_value_get_enum(value);
        break;
    case PROP_LATENCY:
        settings->latency = g_value_get_uint(value);
        break;
    case PROP_SSL_STRICT:
        settings->verify = g_value_get_boolean(value);
        break;
    case PROP_WAIT_FOR_SOURCE:
        settings->wait = g_value_get_boolean(value);
        break;
    case PROP_LOOP:
        settings->loop = g_value_get_boolean(value);
        break;
    default:
        if (!text)
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
    if (text)
        gst_vigil_source_bin_try_now(GST_VIGIL_SOURCE_BIN(self));
}

static GstStructure *make_stats(GstVigilSrc *self)
{
    GstStructure *stats = gst_structure_new_empty("vigilsrc-stats");

    GST_OBJECT_LOCK(self);
    gchar *shown = gst_vigil_address_show(self->settings.uri);
    GST_OBJECT_UNLOCK(self);
    gst_vigil_source_bin_add_stats(GST_VIGIL_SOURCE_BIN(self), stats);
    gst_structure_set(stats, "uri", G_TYPE_STRING, shown, NULL);
    g_free(shown);
    return stats;
}

void gst_vigil_src_get_property(GObject *object, guint id, GValue *value,
                                GParamSpec *pspec)
{
    GstVigilSrc *self = GST_VIGIL_SRC(object);
    GstVigilSrcSettings *settings = &self->settings;

    if (id == PROP_STATS) {
        g_value_take_boxed(value, make_stats(self));
        return;
    }
    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_URI:
        g_value_take_string(value, gst_vigil_address_show(settings->uri));
        break;
    case PROP_USER_ID:
    case PROP_USER_PW_VARIABLE:
    case PROP_CREDENTIALS_FILE:
        g_value_set_string(value, *text_of(settings, id));
        break;
    case PROP_TRANSPORT:
        g_value_set_enum(value, (gint)settings->transport);
        break;
    case PROP_LATENCY:
        g_value_set_uint(value, settings->latency);
        break;
    case PROP_SSL_STRICT:
        g_value_set_boolean(value, settings->verify);
        break;
    case PROP_WAIT_FOR_SOURCE:
        g_value_set_boolean(value, settings->wait);
        break;
    case PROP_LOOP:
        g_value_set_boolean(value, settings->loop);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    }
    GST_OBJECT_UNLOCK(self);
}

void gst_vigil_src_init_settings(GstVigilSrcSettings *settings)
{
    settings->latency = DEFAULT_LATENCY;
    settings->wait = settings->verify = TRUE;
}

void gst_vigil_src_clear_settings(GstVigilSrcSettings *settings)
{
    for (guint id = PROP_URI; id <= PROP_CREDENTIALS_FILE; id++)
        g_free(*text_of(settings, id));
}

static void install_credentials(GObjectClass *klass)
{
    const GParamFlags flags =
        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

    g_object_class_install_property(
        klass, PROP_USER_ID,
        g_param_spec_string("user-id", "User",
                            "User; goes before that of credentials-file and uri", NULL,
                            flags));
    g_object_class_install_property(
        klass, PROP_USER_PW,
        g_param_spec_string("user-pw", "Password",
                            "Password, which cannot be read; goes before that of the "
                            "environment, credentials-file and uri",
                            NULL, flags & ~G_PARAM_READABLE));
    g_object_class_install_property(
        klass, PROP_USER_PW_VARIABLE,
        g_param_spec_string("user-pw-variable", "Password variable",
                            "Environment variable that holds the password; goes before "
                            "that of credentials-file and uri",
                            NULL, flags));
    g_object_class_install_property(
        klass, PROP_CREDENTIALS_FILE,
        g_param_spec_string("credentials-file", "Credentials file",
                            "File whose first line is USER:PASSWORD, read at every "
                            "attempt to connect; goes before those of uri",
                            NULL, flags));
}

void gst_vigil_src_install_properties(GObjectClass *klass)
{
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
    const GParamFlags ready = flags | GST_PARAM_MUTABLE_READY;
    const GParamFlags playing = flags | GST_PARAM_MUTABLE_PLAYING;

    g_object_class_install_property(
        klass, PROP_URI,
        g_param_spec_string("uri", "URI",
                            "What is played: rtsp, rtsps, http, https or file; read "
                            "without user, password and other secrets",
                            NULL, ready));
    install_credentials(klass);
    g_object_class_install_property(
        klass, PROP_TRANSPORT,
        g_param_spec_enum("transport", "Transport", "How frames come by RTSP",
                          GST_TYPE_VIGIL_TRANSPORT, GST_VIGIL_TRANSPORT_AUTO, ready));
    g_object_class_install_property(
        klass, PROP_LATENCY,
        g_param_spec_uint("latency", "Latency",
                          "Frames of a network may be so late, in ms, and are shown so "
                          "late",
                          0, G_MAXINT, DEFAULT_LATENCY, ready));
    g_object_class_install_property(
        klass, PROP_SSL_STRICT,
        g_param_spec_boolean(
            "ssl-strict", "Strict TLS",
            "Certificates of rtsps and https are checked; cameras often "
            "have some that nobody has signed",
            TRUE, ready));
    g_object_class_install_property(
        klass, PROP_WAIT_FOR_SOURCE,
        g_param_spec_boolean(
            "wait-for-source", "Wait for source",
            "A network source that cannot be reached at first is waited "
            "for; FALSE: that is an error",
            TRUE, playing));
    g_object_class_install_property(
        klass, PROP_LOOP,
        g_param_spec_boolean("loop", "Loop",
                             "A file, or what has a length, begins again at its end; "
                             "times go on",
                             FALSE, playing));
    g_object_class_install_property(
        klass, PROP_STATS,
        g_param_spec_boxed("stats", "Statistics",
                           "frames that came, losses of the source, and its uri",
                           GST_TYPE_STRUCTURE,
                           G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
    gst_type_mark_as_plugin_api(GST_TYPE_VIGIL_TRANSPORT, 0);
}
