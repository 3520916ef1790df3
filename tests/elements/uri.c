/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilsrc with files, and with a web server of the test's own (web.c).
 */
#include <string.h>
#include <gst/gst.h>
#include "gstvigiladdress.h"
#include "play.h"
#include "uri-files.h"
#include "watched.h"
#include "web.h"

/* ---- Addresses ------------------------------------------------------------------- */

static void test_address(void)
{
    static const struct {
        const gchar *uri, *clean, *shown, *user, *password, *host;
        guint port;
    } cases[] = {
        { "rtsp://cam/a", "rtsp://cam/a", "rtsp://cam/a", NULL, NULL, "cam", 554 },
        { "rtsps://cam", "rtsps://cam", "rtsps://cam", NULL, NULL, "cam", 322 },
        { "RTSP://u@cam:8554/a", "RTSP://cam:8554/a", "RTSP://cam:8554/a", "u", NULL,
          "cam", 8554 },
        { "http://u:a%40b@[::1]/", "http://[::1]/", "http://[::1]/", "u", "a@b", "::1",
          80 },
        { "rtsp://u:p@s#1 %@cam/a@b", "rtsp://cam/a@b", "rtsp://cam/a@b", "u",
          "p@s#1 %", "cam", 554 },
        { "https://cam/v?user=u&pwd=p&n=1", "https://cam/v?user=u&pwd=p&n=1",
          "https://cam/v?user=***&pwd=***&n=1", NULL, NULL, "cam", 443 },
        { "rtsp://cam/user=u&password=p&n=1", "rtsp://cam/user=u&password=p&n=1",
          "rtsp://cam/user=***&password=***&n=1", NULL, NULL, "cam", 554 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstVigilAddress address;
        GError *error = NULL;
        g_assert_true(gst_vigil_address_parse(cases[i].uri, &address, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(address.uri, ==, cases[i].clean);
        g_assert_cmpstr(address.shown, ==, cases[i].shown);
        g_assert_cmpstr(address.user, ==, cases[i].user);
        g_assert_cmpstr(address.password, ==, cases[i].password);
        g_assert_cmpstr(address.host, ==, cases[i].host);
        g_assert_cmpuint(address.port, ==, cases[i].port);
        gst_vigil_address_clear(&address);
    }
}

static void test_scrub(void)
{
    static const struct {
        const gchar *text, *password, *clean;
    } cases[] = {
        { "no secret", NULL, "no secret" },
        { "at rtsp://u:p@cam/a, b@c", NULL, "at rtsp://cam/a, b@c" },
        { "\"http://u@cam\" and http://v:w@cam", NULL,
          "\"http://cam\" and http://cam" },
        { "GET /v?a=1&Password=x&b=2", NULL, "GET /v?a=1&Password=***&b=2" },
        { "it said hunter2!", "hunter2", "it said ***!" },
        { "nothing of it", "", "nothing of it" },
    };

    g_assert_null(gst_vigil_address_scrub(NULL, "p"));
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gchar *clean = gst_vigil_address_scrub(cases[i].text, cases[i].password);
        g_assert_cmpstr(clean, ==, cases[i].clean);
        g_free(clean);
    }
}

/* ---- What is refused ------------------------------------------------------------- */

static void test_refused(void)
{
    static const struct {
        const gchar *settings, *words[4];
    } cases[] = {
        { "", { "set uri" } },
        { "uri=gate.mp4", { "\"gate.mp4\" is no URI", "file:///PATH" } },
        { "uri=udp://1.2.3.4:5", { "udp://1.2.3.4:5", "rtsp, rtsps, http" } },
        { "uri=foo://u:hunter2@cam", { "\"foo://cam\"" } },
        { "uri=rtsp://u:hunter2/3@cam/a", { "\"rtsp://cam/a\" is not valid", "%XX" } },
        { "uri=http://", { "not valid" } },
        { "uri=file:///nowhere/gate.mp4", { "/nowhere/gate.mp4", "cannot be read" } },
        { "uri=file:///tmp", { "\"/tmp\" cannot be read", "directory" } },
        { "uri=rtsp://cam credentials-file=/nowhere/c",
          { "/nowhere/c", "cannot be read" } },
        { "uri=rtsp://cam credentials-file=/dev/null", { "USER:PASSWORD" } },
        { "uri=rtsp://cam user-pw-variable=VIGIL_NONE", { "\"VIGIL_NONE\"" } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Play *play = play_new("vigilsrc", cases[i].settings, "");
        watched_add(play);
        g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_READY), ==,
                        GST_STATE_CHANGE_FAILURE);
        play_assert_says(play, GST_MESSAGE_ERROR, cases[i].words);
        play_assert_quiet(play);
        watched_assert_without(play, "hunter2");
        play_free(play);
    }
}

/* ---- Files ----------------------------------------------------------------------- */

static Play *play_file(const gchar *name, const gchar *settings, const gchar *after)
{
    gchar *uri = uri_files_setting(name);
    gchar *all = g_strconcat(uri, " ", settings, NULL);
    Play *play = play_new("vigilsrc", all, after);

    g_free(all);
    g_free(uri);
    return play;
}

static gboolean has_element(GstElement *bin, const gchar *factory)
{
    GstIterator *all =
        gst_bin_iterate_all_by_element_factory_name(GST_BIN(bin), factory);
    GValue value = G_VALUE_INIT;
    const gboolean has = gst_iterator_next(all, &value) == GST_ITERATOR_OK;

    g_value_unset(&value);
    gst_iterator_free(all);
    return has;
}

static void test_file(void)
{
    Play *play = play_file("clip.avi", "", "");

    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_PAUSED), ==,
                    GST_STATE_CHANGE_ASYNC);
    g_assert_cmpint(gst_element_get_state(play->pipeline, NULL, NULL, PLAY_PATIENCE),
                    ==, GST_STATE_CHANGE_SUCCESS);
    play_assert_latency(play, FALSE, 0);
    g_assert_true(has_element(play->pipeline, "jpegdec") ||
                  has_element(play->pipeline, "avdec_mjpeg"));
    g_assert_false(has_element(play->pipeline, "alawdec"));
    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    play_assert_ends(play);
    g_assert_cmpuint(play->frames, ==, 10);
    g_assert_cmpuint(play->starts, ==, 1);
    g_assert_cmpuint(play->segments, ==, 1);
    g_assert_cmpuint(play->last, ==, 900 * GST_MSECOND);
    play_free(play);
}

static void test_loop(void)
{
    Play *play = play_file("clip.avi", "loop=true", "");

    play_start(play);
    play_wait_frames(play, 40);
    g_object_set(play->src, "loop", FALSE, NULL);
    play_assert_ends(play);
    g_assert_cmpuint(play->frames % 10, ==, 0);
    g_assert_cmpuint(play->last, ==, (play->frames - 1) * 100 * GST_MSECOND);
    g_assert_cmpuint(play->widest, ==, 100 * GST_MSECOND);
    g_assert_cmpuint(play->backwards, ==, 0);
    g_assert_cmpuint(play->starts, ==, 1);
    g_assert_cmpuint(play->segments, ==, 1);
    play_assert_quiet(play);
    g_assert_cmpuint(play_stat(play, "losses"), ==, 0);
    play_free(play);
}

/* Times are of the file again when it was stopped between. */
static void test_states(void)
{
    Play *play = play_file("clip.avi", "", "");

    for (guint i = 0; i < 5; i++) {
        play->frames = play->ends = 0;
        gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
        if (i % 2 == 0) { /* else while it begins */
            play_assert_ends(play);
            g_assert_cmpuint(play->last, ==, 900 * GST_MSECOND);
        }
        g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_READY), ==,
                        GST_STATE_CHANGE_SUCCESS);
        play_assert_quiet(play);
    }
    play_free(play);
}

static void test_no_video(void)
{
    static const struct {
        const gchar *name, *words[3];
    } cases[] = {
        { "sound.wav", { "sound.wav cannot be played", "there is no video in it" } },
        { "text.txt", { "text.txt cannot be played" } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        for (guint loop = 0; loop < 2; loop++) {
            Play *play = play_file(cases[i].name, loop ? "loop=true" : "", "");
            gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
            play_assert_says(play, GST_MESSAGE_ERROR, cases[i].words);
            play_free(play);
        }
}

static void test_errors_behind(void)
{
    Play *play = play_file("clip.avi", "loop=true", "identity error-after=5 !");

    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    play_assert_says(play, GST_MESSAGE_ERROR, (const gchar *[]) { NULL });
    play_free(play);
}

static void test_ends_behind(void)
{
    Play *play = play_file("clip.avi", "loop=true", "identity eos-after=15 !");

    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    play_assert_ends(play);
    play_free(play);
}

/* ---- HTTP ------------------------------------------------------------------------ */

static Play *play_web(const gchar *path, const gchar *settings)
{
    gchar *all =
        g_strdup_printf("uri=http://127.0.0.1:%u/%s %s", web_port(), path, settings);
    Play *play = play_new("vigilsrc", all, "");

    g_free(all);
    return play;
}

static void take_message(Play *play, const gchar *name, const gchar *reason)
{
    GstStructure *message = play_take_message(play, name, reason);

    g_assert_nonnull(gst_structure_get_string(message, "uri"));
    gst_structure_free(message);
}

static void test_web_camera(void)
{
    Play *play = play_web("camera", "latency=300");

    g_atomic_int_set(&web_pictures, -1);
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_PAUSED), ==,
                    GST_STATE_CHANGE_NO_PREROLL);
    play_start(play);
    play_assert_latency(play, TRUE, 300 * GST_MSECOND);
    for (guint i = 0; i < 2; i++) {
        g_atomic_int_set(&web_pictures, 2);
        take_message(play, "source-lost", "");
        g_atomic_int_set(&web_pictures, -1);
        take_message(play, "source-found", "it is back after");
        play_wait_frames(play, 3);
    }
    g_assert_cmpuint(play_stat(play, "losses"), ==, 2);
    g_assert_cmpint(GST_STATE(play->pipeline), ==, GST_STATE_PLAYING);
    g_assert_cmpuint(play_count(play, &play->starts), ==, 1);
    g_assert_cmpuint(play_count(play, &play->segments), ==, 1);
    g_assert_cmpuint(play_count(play, &play->backwards), ==, 0);
    g_assert_cmpuint(play_count(play, &play->ends), ==, 0);
    g_assert_true(gst_element_send_event(play->pipeline, gst_event_new_eos()));
    play_assert_ends(play);
    play_free(play);
}

/* Losses while the pipeline changes its state: frames may be held by the sink then. */
static void test_toggled(void)
{
    Play *play = play_web("camera", "");

    g_atomic_int_set(&web_pictures, -1);
    play_start(play);
    for (guint i = 0; i < 20; i++) {
        g_atomic_int_set(&web_pictures, (gint)(i % 3));
        g_usleep(i * 7000);
        g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_PAUSED), !=,
                        GST_STATE_CHANGE_FAILURE);
        g_usleep((20 - i) * 3000);
        g_atomic_int_set(&web_pictures, -1);
        gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    }
    play_wait_frames(play, 3);
    g_assert_cmpuint(play_stat(play, "losses"), >, 0);
    g_assert_cmpuint(play_count(play, &play->segments), ==, 1);
    g_assert_cmpuint(play_count(play, &play->backwards), ==, 0);
    play_free(play);
}

/* What has a length ends, or begins again. */
static void test_web_clip(void)
{
    Play *play = play_web("clip", "");

    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    play_assert_ends(play);
    g_assert_cmpuint(play->frames, ==, 10);
    play_free(play);
    play = play_web("clip", "loop=true");
    play_start(play);
    play_wait_frames(play, 20);
    g_assert_cmpuint(play_count(play, &play->backwards), ==, 0);
    g_assert_cmpuint(play_count(play, &play->segments), ==, 1);
    play_assert_quiet(play);
    play_free(play);
}

static void test_web_refuses(void)
{
    static const struct {
        const gchar *path, *settings, *reason;
    } cases[] = {
        { "missing", "", "404" },
        { "secret", "", "wants a user and a password (401" },
        { "secret", "user-id=u user-pw=hunter2", "refuses the user and password (401" },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        Play *play = play_web(cases[i].path, cases[i].settings);
        watched_add(play);
        gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
        take_message(play, "source-lost", cases[i].reason);
        play_assert_says(
            play, GST_MESSAGE_WARNING,
            (const gchar *[]) { "cannot be played yet", cases[i].reason, NULL });
        g_assert_cmpint(watched_lines(), >, 0);
        watched_assert_without(play, "hunter2");
        if (i) { /* whoever mends that is not made to wait */
            g_object_set(play->src, "user-id", "u", "user-pw", "p", NULL);
            take_message(play, "source-found", "it is there");
        }
        play_free(play);
    }
}

static void test_credentials(void)
{
    gchar *path = uri_files_path("text.txt");
    gchar *settings = g_strdup_printf("credentials-file=%s", path);
    Play *play = play_web("secret", settings);

    play_start(play);
    play_free(play);
    play = play_web("secret", "user-id=u user-pw-variable=VIGIL_TEST_PASSWORD");
    play_start(play);
    play_free(play);
    g_free(settings);
    g_free(path);
}

static void assert_unreachable(const gchar *uri, const gchar *reason)
{
    gchar *settings = g_strdup_printf("uri=%s wait-for-source=false", uri);
    Play *play = play_new("vigilsrc", settings, "");

    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    play_assert_says(play, GST_MESSAGE_ERROR,
                     (const gchar *[]) { "cannot be played", reason, NULL });
    play_free(play);
    g_free(settings);
}

static void test_unreachable(void)
{
    static const gchar *const schemes[] = { "rtsp", "http" };
    /* A port that nobody has: this process had it, and gave it back. */
    GSocketListener *listener = g_socket_listener_new();
    const guint port = g_socket_listener_add_any_inet_port(listener, NULL, NULL);

    g_socket_listener_close(listener);
    g_object_unref(listener);
    for (guint i = 0; i < G_N_ELEMENTS(schemes); i++) {
        gchar *uri = g_strdup_printf("%s://127.0.0.1:%u/cam", schemes[i], port);
        assert_unreachable(uri, "127.0.0.1 refuses connections");
        g_free(uri);
        uri = g_strdup_printf("%s://nowhere.invalid/cam", schemes[i]);
        assert_unreachable(uri, "the host \"nowhere.invalid\" is not found");
        g_free(uri);
    }
}

static void test_properties(void)
{
    Play *play = play_new("vigilsrc", "uri=rtsp://u:hunter2@cam/a user-pw=hunter3", "");
    GObjectClass *klass = G_OBJECT_GET_CLASS(play->src);
    gchar *uri = NULL;

    g_object_get(play->src, "uri", &uri, NULL);
    g_assert_cmpstr(uri, ==, "rtsp://cam/a");
    g_assert_false(g_object_class_find_property(klass, "user-pw")->flags &
                   G_PARAM_READABLE);
    g_free(uri);
    play_free(play);
}

int main(int argc, char **argv)
{
    g_setenv("VIGIL_TEST_PASSWORD", "p", TRUE);
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    watched_init();
    uri_files_init();
    gchar *clip = uri_files_path("clip.avi");
    GBytes *picture = uri_files_picture();
    web_start(picture, clip);
    g_test_add_func("/uri/address", test_address);
    g_test_add_func("/uri/scrub", test_scrub);
    g_test_add_func("/uri/properties", test_properties);
    g_test_add_func("/uri/refused", test_refused);
    g_test_add_func("/uri/file", test_file);
    g_test_add_func("/uri/loop", test_loop);
    g_test_add_func("/uri/states", test_states);
    g_test_add_func("/uri/no-video", test_no_video);
    g_test_add_func("/uri/errors-behind", test_errors_behind);
    g_test_add_func("/uri/ends-behind", test_ends_behind);
    g_test_add_func("/uri/web-camera", test_web_camera);
    g_test_add_func("/uri/toggled", test_toggled);
    g_test_add_func("/uri/web-clip", test_web_clip);
    g_test_add_func("/uri/web-refuses", test_web_refuses);
    g_test_add_func("/uri/credentials", test_credentials);
    g_test_add_func("/uri/unreachable", test_unreachable);
    const int result = g_test_run();
    web_stop();
    uri_files_clear();
    g_bytes_unref(picture);
    g_free(clip);
    return result;
}
