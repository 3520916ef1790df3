/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * rtsp-camera: a network camera for tests, on the loopback interface.  It prints its
 * port and serves until it is killed: /cam     JPEG, 10 frames a second, and sound
 *   /sound   sound alone
 *
 * The server lets a stream that no client takes run into nothing; its source must not
 * fail of that, as the pictures then may stand still, too: hence the tee.
 */
#include <gst/rtsp-server/rtsp-server.h>

static gint port, width = 160, height = 120;
static gchar *user, *password, *protocols, *certificate;
static gboolean basic;

static const GOptionEntry options[] = {
    { "port", 0, 0, G_OPTION_ARG_INT, &port, "0: any that is free", "PORT" },
    { "width", 0, 0, G_OPTION_ARG_INT, &width, "of the pictures", "PIXELS" },
    { "height", 0, 0, G_OPTION_ARG_INT, &height, "of the pictures", "PIXELS" },
    { "user", 0, 0, G_OPTION_ARG_STRING, &user, "who alone may look", "USER" },
    { "password", 0, 0, G_OPTION_ARG_STRING, &password, "of the user", "PASSWORD" },
    { "basic", 0, 0, G_OPTION_ARG_NONE, &basic, "the password comes as it is", NULL },
    { "protocols", 0, 0, G_OPTION_ARG_STRING, &protocols, "tcp, udp or both", "LIST" },
    { "tls", 0, 0, G_OPTION_ARG_FILENAME, &certificate, "certificate and key", "FILE" },
    { NULL },
};

static const gchar *role(void)
{
    return user ? user : "anybody";
}

static void add(GstRTSPServer *server, const gchar *path, gchar *launch)
{
    GstRTSPMountPoints *mounts = gst_rtsp_server_get_mount_points(server);
    GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new();

    gst_rtsp_media_factory_set_launch(factory, launch);
    gst_rtsp_media_factory_set_shared(factory, TRUE);
    if (protocols)
        gst_util_set_object_arg(G_OBJECT(factory), "protocols", protocols);
    if (user || certificate)
        gst_rtsp_media_factory_add_role(
            factory, role(), GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN, TRUE,
            GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE, NULL);
    gst_rtsp_mount_points_add_factory(mounts, path, factory);
    g_object_unref(mounts);
    g_free(launch);
}

static void let_in(GstRTSPAuth *auth)
{
    GstRTSPToken *token = gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE,
                                             G_TYPE_STRING, role(), NULL);

    if (!user) {
        gst_rtsp_auth_set_default_token(auth, token);
    } else if (basic) {
        gchar *both = gst_rtsp_auth_make_basic(user, password);
        gst_rtsp_auth_set_supported_methods(auth, GST_RTSP_AUTH_BASIC);
        gst_rtsp_auth_add_basic(auth, both, token);
        g_free(both);
    } else {
        gst_rtsp_auth_set_supported_methods(auth, GST_RTSP_AUTH_DIGEST);
        gst_rtsp_auth_add_digest(auth, user, password, token);
    }
    gst_rtsp_token_unref(token);
}

static gboolean protect(GstRTSPServer *server, GError **error)
{
    GstRTSPAuth *auth = gst_rtsp_auth_new();
    GTlsCertificate *tls =
        certificate ? g_tls_certificate_new_from_file(certificate, error) : NULL;

    let_in(auth);
    if (tls)
        gst_rtsp_auth_set_tls_certificate(auth, tls);
    if (user || tls)
        gst_rtsp_server_set_auth(server, auth);
    g_object_unref(auth);
    g_clear_object(&tls);
    return !*error;
}

static gboolean end(GIOChannel *input, GIOCondition condition, gpointer loop)
{
    g_main_loop_quit(loop);
    return FALSE;
}

int main(int argc, char **argv)
{
    GOptionContext *context = g_option_context_new(NULL);
    GError *error = NULL;

    g_option_context_add_main_entries(context, options, NULL);
    g_option_context_add_group(context, gst_init_get_option_group());
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        g_printerr("rtsp-camera: %s\n", error->message);
        return 2;
    }
    GstRTSPServer *server = gst_rtsp_server_new();
    gchar *service = g_strdup_printf("%d", port);
    gst_rtsp_server_set_address(server, "127.0.0.1");
    gst_rtsp_server_set_service(server, service);
    add(server, "/cam",
        g_strdup_printf(
            "( videotestsrc is-live=true ! "
            "video/x-raw,format=I420,width=%d,height=%d,framerate=10/1 "
            "! jpegenc ! rtpjpegpay name=pay1  audiotestsrc is-live=true ! alawenc ! "
            "tee allow-not-linked=true ! rtppcmapay name=pay0 )",
            width, height));
    add(server, "/sound",
        g_strdup("( audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay0 )"));
    if (!protect(server, &error)) {
        g_printerr("rtsp-camera: %s\n", error->message);
        return 2;
    }
    if (!gst_rtsp_server_attach(server, NULL)) {
        g_printerr("rtsp-camera: port %d cannot be had\n", port);
        return 1;
    }
    g_print("%d\n", gst_rtsp_server_get_bound_port(server));
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    GIOChannel *input = g_io_channel_unix_new(0);
    g_io_add_watch(input, G_IO_IN | G_IO_HUP, end, loop);
    g_main_loop_run(loop);
    return 0;
}
