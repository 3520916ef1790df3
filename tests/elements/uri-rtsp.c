/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilsrc with a network camera that is a process of its own (rtsp-camera.c): it is
 * killed, stopped, moved and locked.
 */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include "play.h"
#include "watched.h"

#ifdef VIGIL_ADDRESS_SANITIZER
#define UNDER_SANITIZER TRUE
#else
#define UNDER_SANITIZER FALSE
#endif

/* ---- The camera ------------------------------------------------------------------ */

typedef struct {
    GSubprocess *process;
    guint port;
} Camera;

static const gchar *program;

/* On the port, or on any (0), with options that end with NULL. */
static Camera camera_start(guint port, const gchar *const options[])
{
    GPtrArray *arguments = g_ptr_array_new_with_free_func(g_free);
    Camera camera = { .port = port };
    GError *error = NULL;

    g_ptr_array_add(arguments, g_strdup(program));
    g_ptr_array_add(arguments, g_strdup_printf("--port=%u", port));
    for (guint i = 0; options && options[i]; i++)
        g_ptr_array_add(arguments, g_strdup(options[i]));
    g_ptr_array_add(arguments, NULL);
    camera.process = g_subprocess_newv((const gchar *const *)arguments->pdata,
                                       G_SUBPROCESS_FLAGS_STDIN_PIPE |
                                           G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                           G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                                       &error);
    g_assert_no_error(error);
    g_ptr_array_unref(arguments);
    GDataInputStream *lines =
        g_data_input_stream_new(g_subprocess_get_stdout_pipe(camera.process));
    gchar *line = g_data_input_stream_read_line(lines, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(line);
    camera.port = (guint)g_ascii_strtoull(line, NULL, 10);
    g_free(line);
    g_object_unref(lines);
    return camera;
}

static void camera_stop(Camera *camera)
{
    g_subprocess_force_exit(camera->process);
    g_subprocess_wait(camera->process, NULL, NULL);
    g_clear_object(&camera->process);
}

/* On a busy machine the first frame takes its time. */
#define PATIENT "timeout=60000000000 "

static Play *play_camera(const Camera *camera, const gchar *path, const gchar *settings)
{
    gchar *all = g_strdup_printf("uri=rtsp://127.0.0.1:%u/%s " PATIENT "%s",
                                 camera->port, path, settings);
    Play *play = play_new("vigilsrc", all, "");

    g_free(all);
    return play;
}

static void take_message(Play *play, const gchar *name, const gchar *reason)
{
    GstStructure *message = play_take_message(play, name, reason);

    g_assert_true(g_str_has_prefix(gst_structure_get_string(message, "uri"),
                                   "rtsp://127.0.0.1:"));
    gst_structure_free(message);
}

static void assert_one_stream(Play *play)
{
    g_assert_cmpint(GST_STATE(play->pipeline), ==, GST_STATE_PLAYING);
    g_assert_cmpuint(play_count(play, &play->starts), ==, 1);
    g_assert_cmpuint(play_count(play, &play->segments), ==, 1);
    g_assert_cmpuint(play_count(play, &play->backwards), ==, 0);
    g_assert_cmpuint(play_count(play, &play->ends), ==, 0);
}

static void assert_width(Play *play, const gchar *width)
{
    g_mutex_lock(&play->lock);
    if (!strstr(play->caps, width))
        g_error("\"%s\" is not in: %s", width, play->caps);
    g_mutex_unlock(&play->lock);
}

/* ---- Losses ---------------------------------------------------------------------- */

/* A second one is told with its reason. */
static void assert_lost_once(Play *play)
{
    if (play_stat(play, "losses") == 1)
        return;
    GstStructure *message = play_take_message(play, "source-lost", "");
    g_error("lost again: %s", gst_structure_get_string(message, "reason"));
}

static void test_killed(gconstpointer settings)
{
    Camera camera = camera_start(0, NULL);
    Play *play = play_camera(&camera, "cam", settings);

    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_PAUSED), ==,
                    GST_STATE_CHANGE_NO_PREROLL);
    play_assert_latency(play, TRUE, 300 * GST_MSECOND);
    play_start(play);
    assert_width(play, "(int)160");
    play_assert_latency(play, TRUE, 300 * GST_MSECOND);
    camera_stop(&camera);
    take_message(play, "source-lost", "");
    play_assert_says(play, GST_MESSAGE_WARNING,
                     (const gchar *[]) { "was lost", "rtsp://127.0.0.1", NULL });
    play_assert_latency(play, TRUE, 300 * GST_MSECOND);
    const GstClockTime before = play->last;
    camera = camera_start(camera.port, (const gchar *[]) { "--width=320", NULL });
    take_message(play, "source-found", "it is back after");
    play_wait_frames(play, 3);
    assert_width(play, "(int)320");
    g_assert_cmpuint(play->last, >, before + 300 * GST_MSECOND);
    assert_one_stream(play);
    assert_lost_once(play);
    play_free(play);
    camera_stop(&camera);
}

/* It is off when the box boots. */
static void test_late(void)
{
    Camera camera = camera_start(0, NULL);
    Play *play = play_camera(&camera, "cam", "transport=tcp");

    camera_stop(&camera);
    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    take_message(play, "source-lost", "refuses connections");
    play_assert_says(play, GST_MESSAGE_WARNING,
                     (const gchar *[]) { "cannot be played yet", NULL });
    camera = camera_start(camera.port, NULL);
    take_message(play, "source-found", "it is there after");
    play_wait_frames(play, 3);
    assert_one_stream(play);
    play_free(play);
    camera_stop(&camera);
}

/* It stands still with its connections open, and then does not answer new ones. */
static void test_stalled(void)
{
    Camera camera = camera_start(0, NULL);
    Play *play = play_camera(&camera, "cam", "transport=tcp timeout=5000000000");

    play_start(play);
    g_subprocess_send_signal(camera.process, SIGSTOP);
    take_message(play, "source-lost", "no frame for 5 s");
    g_subprocess_send_signal(camera.process, SIGCONT);
    take_message(play, "source-found", "it is back");
    play_wait_frames(play, 3);
    assert_one_stream(play);
    g_subprocess_send_signal(camera.process, SIGSTOP);
    take_message(play, "source-lost", "no frame for 5 s");
    g_assert_true(gst_element_send_event(play->pipeline, gst_event_new_eos()));
    play_assert_ends(play);
    play_free(play);
    camera_stop(&camera);
}

/* Stopping does not wait for it, either. */
static void test_states(void)
{
    Camera camera = camera_start(0, NULL);
    Play *play = play_camera(&camera, "cam", "transport=tcp");

    for (guint i = 0; i < 3; i++) {
        play->frames = 0;
        play_start(play);
        g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_READY), ==,
                        GST_STATE_CHANGE_SUCCESS);
    }
    g_subprocess_send_signal(camera.process, SIGSTOP);
    for (guint i = 0; i < 5; i++) {
        gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
        g_usleep(i * 50000);
        const gint64 begin = g_get_monotonic_time();
        g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_NULL), ==,
                        GST_STATE_CHANGE_SUCCESS);
        g_assert_cmpint(g_get_monotonic_time() - begin, <, 9 * G_USEC_PER_SEC);
    }
    play_free(play);
    camera_stop(&camera);
}

/* ---- What stands in the way ------------------------------------------------------ */

static void test_refuses(void)
{
    static const struct {
        const gchar *path, *settings, *reason;
    } cases[] = {
        { "nothing", "", "no such stream (404" },
        { "sound", "", "there is no video in it" },
        { "cam", "transport=udp", "try another transport" },
    };
    Camera camera = camera_start(0, (const gchar *[]) { "--protocols=tcp", NULL });

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Play *play = play_camera(&camera, cases[i].path, cases[i].settings);
        gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
        take_message(play, "source-lost", cases[i].reason);
        play_free(play);
    }
    Play *play = play_camera(&camera, "cam", ""); /* which finds the way itself */
    play_start(play);
    play_free(play);
    camera_stop(&camera);
}

static void test_authentication(gconstpointer method)
{
    Camera camera = camera_start(
        0, (const gchar *[]) { "--user=u", "--password=hunter2", method, NULL });
    static const struct {
        const gchar *settings, *reason;
    } cases[] = {
        { "", "wants a user and a password (401" },
        { "user-id=u user-pw=hunter3", "refuses the user and password (401" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Play *play = play_camera(&camera, "cam", cases[i].settings);
        watched_add(play);
        gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
        take_message(play, "source-lost", cases[i].reason);
        g_object_set(play->src, "user-id", "u", "user-pw", "hunter2", NULL);
        take_message(play, "source-found", "it is there");
        play_wait_frames(play, 1);
        g_assert_cmpint(watched_lines(), >, 0);
        watched_assert_without(play, "hunter");
        play_free(play);
    }
    gchar *uri =
        g_strdup_printf(PATIENT "uri=rtsp://u:hunter2@127.0.0.1:%u/cam", camera.port);
    Play *play = play_new("vigilsrc", uri, "");
    watched_add(play);
    play_start(play);
    camera_stop(&camera);
    take_message(play, "source-lost", "");
    watched_assert_without(play, "hunter");
    play_free(play);
    g_free(uri);
}

static void play_with_tls(const gchar *option)
{
    Camera camera = camera_start(0, (const gchar *[]) { option, NULL });
    gchar *uri = g_strdup_printf(PATIENT "uri=rtsps://127.0.0.1:%u/cam", camera.port);
    gchar *lax = g_strconcat(uri, " ssl-strict=false", NULL);

    Play *play = play_new("vigilsrc", uri, "");
    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    gst_structure_free(
        play_take_message(play, "source-lost", "nobody vouches for its certificate"));
    play_free(play);
    play = play_new("vigilsrc", lax, "");
    play_start(play);
    play_free(play);
    camera_stop(&camera);
    g_free(lax);
    g_free(uri);
}

/* A certificate that nobody has signed, as cameras have. */
static void test_tls(void)
{
    gchar *folder = g_dir_make_tmp("vigil-tls-XXXXXX", NULL);
    gchar *file = g_build_filename(folder, "camera.pem", NULL);
    gchar *command =
        g_strdup_printf("openssl req -x509 -newkey rsa:2048 -nodes -days 2 "
                        "-subj /CN=camera -keyout %s -out %s.crt",
                        file, file);
    gchar *certificate = g_strconcat(file, ".crt", NULL), *pem = NULL, *key = NULL;
    gchar *out = NULL, *noise = NULL;

    if (UNDER_SANITIZER) {
        g_test_skip("the system's certificates take minutes to read under a sanitizer");
    } else if (!g_spawn_command_line_sync(command, &out, &noise, NULL, NULL) ||
               !g_file_get_contents(certificate, &pem, NULL, NULL)) {
        g_test_skip("there is no openssl to make a certificate with");
    } else {
        g_assert_true(g_file_get_contents(file, &key, NULL, NULL));
        gchar *both = g_strconcat(pem, key, NULL);
        g_assert_true(g_file_set_contents(file, both, -1, NULL));
        gchar *option = g_strconcat("--tls=", file, NULL);
        play_with_tls(option);
        g_free(option);
        g_free(both);
    }
    g_unlink(certificate);
    g_unlink(file);
    g_rmdir(folder);
    g_free(out);
    g_free(noise);
    g_free(key);
    g_free(pem);
    g_free(certificate);
    g_free(command);
    g_free(file);
    g_free(folder);
}

/* Last, as they do not come back. */
static void test_no_decoder(void)
{
    static const gchar *const decoders[] = {
        "jpegdec",   "avdec_mjpeg",  "openjpegdec",
        "vajpegdec", "vaapijpegdec", "v4l2jpegdec"
    };
    Camera camera = camera_start(0, NULL);
    Play *play = play_camera(&camera, "cam", "transport=tcp");

    for (guint i = 0; i < G_N_ELEMENTS(decoders); i++)
        play_remove_element(decoders[i]);
    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    play_assert_says(play, GST_MESSAGE_ERROR,
                     (const gchar *[]) { "cannot be played", "no decoder for", "JPEG",
                                         "gstreamer1.0-plugins-good", NULL });
    play_free(play);
    play_remove_element("rtspsrc");
    play = play_camera(&camera, "cam", "");
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_FAILURE);
    play_assert_says(
        play, GST_MESSAGE_ERROR,
        (const gchar *[]) { "no rtspsrc", "gstreamer1.0-plugins-good", NULL });
    play_free(play);
    camera_stop(&camera);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    program = g_getenv("VIGIL_TEST_RTSP_CAMERA");
    if (!program || !program[0]) {
        g_print("1..0 # SKIP the development package of gst-rtsp-server was not there "
                "when the tests were built\n");
        return 0;
    }
    watched_init();
    g_test_add_data_func("/uri-rtsp/killed-tcp", "transport=tcp latency=300",
                         test_killed);
    g_test_add_data_func("/uri-rtsp/killed-udp", "transport=udp latency=300",
                         test_killed);
    g_test_add_func("/uri-rtsp/late", test_late);
    g_test_add_func("/uri-rtsp/stalled", test_stalled);
    g_test_add_func("/uri-rtsp/states", test_states);
    g_test_add_func("/uri-rtsp/refuses", test_refuses);
    g_test_add_data_func("/uri-rtsp/digest", NULL, test_authentication);
    g_test_add_data_func("/uri-rtsp/basic", "--basic", test_authentication);
    g_test_add_func("/uri-rtsp/tls", test_tls);
    g_test_add_func("/uri-rtsp/no-decoder", test_no_decoder);
    return g_test_run();
}
