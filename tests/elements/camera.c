/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilcamerasrc: what it refuses, modes, ends, states, properties.
 */
#include <errno.h>
#include <string.h>
#include "camera-play.h"

/* ---- What is refused ------------------------------------------------------------- */

static void refused(const gchar *settings, const gchar *after,
                    const gchar *const words[])
{
    Play *play = camera_play(settings, after);

    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_FAILURE);
    play_assert_says(play, GST_MESSAGE_ERROR, words);
    play_assert_quiet(play);
    camera_play_free(play);
}

static void test_refused(void)
{
    static const struct {
        const gchar *settings, *after, *words[5];
    } cases[] = {
        { "camera=name:", "", { "Nothing follows \"name:\"" } },
        { "camera=3", "", { "no camera at", "video3", "\"Test Cam\"", "serial:S1" } },
        { "camera=scanner", "", { "no camera of the name \"scanner\"", "bus:usb-1" } },
        { "width=800", "", { "no width of 800", "640x480 at 25 frames/s as YUYV" } },
        { "",
          "video/x-raw,width=640,height=480,framerate=60/1 !",
          { "no 640x480 at 60 frames/s", "640x480 at 25 frames/s as YUYV" } },
        { "",
          "video/x-raw,format=RGB !",
          { "640x480 at 25 frames/s as YUYV", "does not take", "videoconvert" } },
        { "controls=zoom=1", "", { "no control \"zoom\"", "brightness 0..64" } },
        { "controls=brightness=65", "", { "\"65\"", "brightness 0..64" } },
        { "controls=brightness", "", { "\"brightness\"", "NAME=VALUE" } },
    };

    fake_plug(1, &camera_driver, "S1");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        refused(cases[i].settings, cases[i].after, cases[i].words);
    fake_unplug(1);
    refused("", "", (const gchar *[]) { "There is no camera", "plug one in", NULL });
}

static void test_held_back(void)
{
    fake_plug(1, &camera_driver, "S1");
    camera_driver.open_error = EACCES;
    refused("", "", (const gchar *[]) { "No permission", "Test Cam", "group", NULL });
    camera_driver.open_error = 0;
    camera_driver.busy = EBUSY;
    fake_process_file("77/comm", "cheese\n");
    fake_process_link("77/fd/5", 1);
    refused("", "", (const gchar *[]) { "is in use by \"cheese\" (process 77)", NULL });
    camera_driver.busy = 0;
    Play *play = camera_play("", "");
    play_start(play); /* what stood in the way is gone */
    camera_play_free(play);
    fake_unplug(1);
}

/* The user learns which camera it is, once. */
static void test_does_not_start(void)
{
    fake_plug(1, &camera_driver, "S1");
    g_atomic_int_set(&camera_source_refuses, 1);
    refused("", "",
            (const gchar *[]) { "\"Test Cam\"", "does not start",
                                "640x480 at 25 frames/s as YUYV", "Cannot be opened.",
                                NULL });
    fake_unplug(1);
}

/* ---- Modes ----------------------------------------------------------------------- */

static void plays_as(const gchar *settings, const gchar *after, const gchar *format,
                     const gchar *const words[])
{
    Play *play = camera_play(settings, after);
    GstStructure *stats = NULL;

    play_start(play);
    g_object_get(play->src, "stats", &stats, NULL);
    g_assert_cmpstr(gst_structure_get_string(stats, "format"), ==, format);
    for (guint i = 0; words[i]; i++)
        if (!strstr(play->caps, words[i]))
            g_error("\"%s\" is not in: %s", words[i], play->caps);
    gst_structure_free(stats);
    camera_play_free(play);
}

static void test_modes(void)
{
    static const gchar *const small[] = { "YUY2", "(int)640", "(int)480", "25/1",
                                          NULL };
    static const gchar *const large[] = { "video/x-raw", "I420", "(int)1280",
                                          "(int)720", NULL };

    fake_plug(1, &camera_driver, "S1");
    plays_as("", "", "YUYV", small);
    plays_as("camera=test framerate=25/1", "", "YUYV", small);
    plays_as("device=1 height=720", "", "MJPG", large);
    plays_as("", "videoconvert ! video/x-raw,width=1280,height=720 !", "MJPG", large);
    /* What follows can be had from any rate. */
    plays_as("", "videorate ! video/x-raw,framerate=50/1 !", "YUYV",
             (const gchar *[]) { "(int)640", "50/1", NULL });
    fake_unplug(1);
}

/* ---- Ends ------------------------------------------------------------------------ */

static void test_ends(void)
{
    for (guint lost = 0; lost < 2; lost++) {
        Play *play = camera_play("", "");
        fake_plug(1, &camera_driver, "S1");
        play_start(play);
        if (lost) {
            fake_unplug(1);
            camera_play_assert_message(play, "camera-lost", "/video1", "unplugged");
        }
        g_assert_true(gst_element_send_event(play->pipeline, gst_event_new_eos()));
        play_assert_ends(play);
        camera_play_free(play);
        if (!lost)
            fake_unplug(1);
    }
}

static void test_num_buffers(void)
{
    Play *play = camera_play("num-buffers=100", "");

    fake_plug(1, &camera_driver, "S1");
    play_start(play);
    fake_unplug(1);
    camera_play_assert_message(play, "camera-lost", "/video1", "unplugged");
    fake_plug(1, &camera_driver, "S1");
    play_assert_ends(play);
    g_assert_cmpuint(play_count(play, &play->frames), ==, 100);
    fake_unplug(1);
    camera_play_free(play);
}

/* Away from PLAYING to READY and back, with the camera away, too. */
static void test_states(void)
{
    Play *play = camera_play("", "");

    fake_plug(1, &camera_driver, "S1");
    play_start(play);
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_SUCCESS);
    play->frames = 0;
    play_start(play);
    fake_unplug(1);
    camera_play_assert_message(play, "camera-lost", "/video1", "unplugged");
    g_assert_cmpint(gst_element_set_state(play->src, GST_STATE_PAUSED), ==,
                    GST_STATE_CHANGE_NO_PREROLL);
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_SUCCESS);
    play->frames = 0;
    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    fake_plug(2, &camera_driver, "S1");
    play_wait_frames(play, 3);
    fake_unplug(2);
    camera_play_free(play);
}

/* ---- The rest -------------------------------------------------------------------- */

/* As v4l2src says, also while the camera is away. */
static void test_latency(void)
{
    Play *play = camera_play("", "");

    fake_plug(1, &camera_driver, "S1");
    play_start(play);
    play_assert_latency(play, TRUE, 40 * GST_MSECOND);
    fake_unplug(1);
    camera_play_assert_message(play, "camera-lost", "/video1", "unplugged");
    play_assert_latency(play, TRUE, 40 * GST_MSECOND);
    camera_play_free(play);
}

static void test_controls(void)
{
    Play *play = camera_play("controls=brightness=5", "");

    fake_plug(1, &camera_driver, "S1");
    play_start(play);
    g_assert_cmpint(camera_driver.control->value, ==, 5);
    g_object_set(play->src, "controls", "brightness=9", NULL);
    g_assert_cmpint(camera_driver.control->value, ==, 9);
    g_object_set(play->src, "controls", "brightness=99", NULL);
    play_assert_says(play, GST_MESSAGE_WARNING,
                     (const gchar *[]) { "brightness 0..64", NULL });
    g_assert_cmpint(camera_driver.control->value, ==, 9);
    g_object_set(play->src, "controls", "brightness=7", NULL);
    camera_driver.control->value = 0; /* another device has its own */
    fake_unplug(1);
    camera_play_assert_message(play, "camera-lost", "/video1", "unplugged");
    fake_plug(1, &camera_driver, "S1");
    camera_play_assert_message(play, "camera-found", "/video1", "back");
    g_assert_cmpint(camera_driver.control->value, ==, 7);
    fake_unplug(1);
    camera_play_free(play);
}

static void test_properties(void)
{
    static const struct {
        const gchar *name, *value;
        GParamFlags mutability;
    } properties[] = {
        { "camera", NULL, GST_PARAM_MUTABLE_READY },
        { "device", NULL, GST_PARAM_MUTABLE_READY },
        { "width", "0", GST_PARAM_MUTABLE_READY },
        { "height", "0", GST_PARAM_MUTABLE_READY },
        { "framerate", "0/1", GST_PARAM_MUTABLE_READY },
        { "controls", NULL, GST_PARAM_MUTABLE_PLAYING },
        { "num-buffers", "-1", GST_PARAM_MUTABLE_READY },
        { "is-live", "true", 0 },
        { "timeout", "10000000000", GST_PARAM_MUTABLE_PLAYING },
    };
    GstElement *element = gst_element_factory_make("vigilcamerasrc", NULL);

    for (guint i = 0; i < G_N_ELEMENTS(properties); i++) {
        GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element),
                                                        properties[i].name);
        GValue value = G_VALUE_INIT;
        g_assert_nonnull(spec);
        g_assert_cmpint(spec->flags &
                            (GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PLAYING),
                        ==, properties[i].mutability);
        g_value_init(&value, spec->value_type);
        g_object_get_property(G_OBJECT(element), properties[i].name, &value);
        if (properties[i].value) {
            gchar *text = gst_value_serialize(&value);
            g_assert_cmpstr(text, ==, properties[i].value);
            g_free(text);
        } else {
            g_assert_null(g_value_get_string(&value));
        }
        g_assert_true(g_param_value_defaults(spec, &value));
        g_value_unset(&value);
    }
    gst_object_unref(element);
}

/* Last, as they do not come back. */
static void test_no_elements(void)
{
    static const gchar *const decoders[] = { "jpegdec", "avdec_mjpeg", "avdec_h264",
                                             "openh264dec" };

    fake_plug(1, &camera_driver, "S1");
    for (guint i = 0; i < G_N_ELEMENTS(decoders); i++)
        play_remove_element(decoders[i]);
    refused("width=1280", "",
            (const gchar *[]) { "1280x720 at 25 frames/s as MJPG", "no decoder",
                                "gstreamer1.0-plugins-good", NULL });
    refused("width=1920", "",
            (const gchar *[]) { "as H264", "gstreamer1.0-libav", NULL });
    play_remove_element("v4l2src");
    refused("", "", (const gchar *[]) { "v4l2src", "gstreamer1.0-plugins-good", NULL });
    fake_unplug(1);
}

int main(int argc, char **argv)
{
    camera_play_init(&argc, &argv);
    g_test_add_func("/camera/properties", test_properties);
    g_test_add_func("/camera/refused", test_refused);
    g_test_add_func("/camera/held-back", test_held_back);
    g_test_add_func("/camera/does-not-start", test_does_not_start);
    g_test_add_func("/camera/modes", test_modes);
    g_test_add_func("/camera/ends", test_ends);
    g_test_add_func("/camera/num-buffers", test_num_buffers);
    g_test_add_func("/camera/states", test_states);
    g_test_add_func("/camera/latency", test_latency);
    g_test_add_func("/camera/controls", test_controls);
    g_test_add_func("/camera/no-elements", test_no_elements);
    const int result = g_test_run();
    camera_play_clear();
    return result;
}
