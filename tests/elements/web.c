/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "web.h"

#include <string.h>

#define BOUNDARY "--frame\r\n"

gint web_pictures = -1;

static GSocketService *service;
static guint16 port;
static GBytes *picture;
static gchar *clip_path;
static gint stopping;

static gboolean send_text(GOutputStream *out, const gchar *text)
{
    return g_output_stream_write_all(out, text, strlen(text), NULL, NULL, NULL);
}

static gboolean send_picture(GOutputStream *out)
{
    gsize size;
    const void *data = g_bytes_get_data(picture, &size);
    gchar *head = g_strdup_printf(BOUNDARY "Content-Type: image/jpeg\r\n"
                                           "Content-Length: %zu\r\n\r\n",
                                  size);
    const gboolean sent =
        send_text(out, head) &&
        g_output_stream_write_all(out, data, size, NULL, NULL, NULL) &&
        send_text(out, "\r\n");

    g_free(head);
    return sent;
}

static void serve_camera(GOutputStream *out)
{
    gboolean sent = send_text(
        out, "HTTP/1.1 200 OK\r\nConnection: close\r\n"
             "Content-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n");

    while (sent && !g_atomic_int_get(&stopping)) {
        const gint left = g_atomic_int_get(&web_pictures);
        if (!left)
            return;
        if (left > 0)
            g_atomic_int_add(&web_pictures, -1);
        sent = send_picture(out);
        g_usleep(40000);
    }
}

static void serve_clip(GOutputStream *out)
{
    gchar *data = NULL;
    gsize size = 0;

    g_assert_true(g_file_get_contents(clip_path, &data, &size, NULL));
    gchar *head = g_strdup_printf("HTTP/1.1 200 OK\r\nConnection: close\r\n"
                                  "Content-Type: video/x-msvideo\r\n"
                                  "Content-Length: %zu\r\n\r\n",
                                  size);
    if (send_text(out, head))
        g_output_stream_write_all(out, data, size, NULL, NULL, NULL);
    g_free(head);
    g_free(data);
}

/* The request line and whether the user is the one. */
static gchar *read_request(GInputStream *in, gboolean *known)
{
    GDataInputStream *lines = g_data_input_stream_new(in);
    gchar *basic = g_base64_encode((const guchar *)"u:p", 3);
    gchar *first = NULL, *line;

    g_data_input_stream_set_newline_type(lines, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
    g_filter_input_stream_set_close_base_stream(G_FILTER_INPUT_STREAM(lines), FALSE);
    *known = FALSE;
    while ((line = g_data_input_stream_read_line(lines, NULL, NULL, NULL)) && line[0]) {
        *known |= strstr(line, basic) != NULL;
        if (!first)
            first = g_strdup(line);
        g_free(line);
    }
    g_free(line);
    g_free(basic);
    g_object_unref(lines);
    return first ? first : g_strdup("");
}

static gboolean run(GThreadedSocketService *threaded, GSocketConnection *connection,
                    GObject *source, gpointer data)
{
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
    gboolean known;
    gchar *request =
        read_request(g_io_stream_get_input_stream(G_IO_STREAM(connection)), &known);

    if (strstr(request, " /camera ") || (known && strstr(request, " /secret ")))
        serve_camera(out);
    else if (strstr(request, " /clip "))
        serve_clip(out);
    else if (strstr(request, " /secret "))
        send_text(out, "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n"
                       "WWW-Authenticate: Basic realm=\"camera\"\r\n"
                       "Content-Length: 0\r\n\r\n");
    else
        send_text(out, "HTTP/1.1 404 Not Found\r\nConnection: close\r\n"
                       "Content-Length: 0\r\n\r\n");
    g_free(request);
    return TRUE;
}

static gpointer loop(gpointer data)
{
    GMainContext *context = data;

    g_main_context_push_thread_default(context);
    while (!g_atomic_int_get(&stopping))
        g_main_context_iteration(context, TRUE);
    g_main_context_pop_thread_default(context);
    return NULL;
}

static GMainContext *context;
static GThread *thread;

void web_start(GBytes *pictures, const gchar *clip)
{
    GError *error = NULL;
    GInetAddress *loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    GSocketAddress *address = g_inet_socket_address_new(loopback, 0);
    GSocketAddress *got = NULL;

    picture = g_bytes_ref(pictures);
    clip_path = g_strdup(clip);
    context = g_main_context_new();
    g_main_context_push_thread_default(context);
    service = g_threaded_socket_service_new(16);
    g_socket_listener_add_address(G_SOCKET_LISTENER(service), address,
                                  G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL,
                                  &got, &error);
    g_assert_no_error(error);
    port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(got));
    g_signal_connect(service, "run", G_CALLBACK(run), NULL);
    g_socket_service_start(service);
    g_main_context_pop_thread_default(context);
    thread = g_thread_new("web", loop, context);
    g_object_unref(got);
    g_object_unref(address);
    g_object_unref(loopback);
}

void web_stop(void)
{
    g_atomic_int_set(&stopping, 1);
    g_main_context_wakeup(context);
    g_thread_join(thread);
    g_socket_service_stop(service);
    g_socket_listener_close(G_SOCKET_LISTENER(service));
    g_object_unref(service);
    g_main_context_unref(context);
    g_bytes_unref(picture);
    g_free(clip_path);
}

guint16 web_port(void)
{
    return port;
}
