/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilcamerasrc without a camera: drivers are tables (tests/camera/fake.c), and
 * v4l2src is one of the test's own (camera-source.c).
 */
#include <errno.h>
#include <string.h>
#include <gst/gst.h>
#include "camera-source.h"
#include "fake.h"
#include "gstvigilcamerasrc.h"
#include "play.h"

/* ---- Cameras --------------------------------------------------------------------- */

static const FakeMode modes[] = {
    { V4L2_PIX_FMT_H264, FAKE_SIZE(1920, 1080), { FAKE_RATE(30) } },
    { V4L2_PIX_FMT_MJPEG, FAKE_SIZE(1280, 720), { FAKE_RATE(25) } },
    { V4L2_PIX_FMT_YUYV, FAKE_SIZE(640, 480), { FAKE_RATE(25) } },
};
static FakeControl controls[] = {
    { { .id = 0x00980900,
        .type = V4L2_CTRL_TYPE_INTEGER,
        .name = "Brightness",
        .maximum = 64,
        .step = 1 } },
};
static FakeDriver camera = {
    .card = "Test Cam",
    .bus = "usb-1",
    .mode = modes,
    .n_modes = 3,
    .control = controls,
    .n_controls = 1,
    .set_to = { .width = 640, .height = 480, .pixelformat = V4L2_PIX_FMT_YUYV },
    .interval = { 1, 25 },
};

static Play *new_play(const gchar *settings, const gchar *after)
{
    return play_new("vigilcamerasrc", settings, after);
}

/* No descriptor of a camera is open then. */
static void free_play(Play *play)
{
    play_free(play);
    g_assert_cmpint(fake_open_count(), ==, 0);
}

/* The next element message is of the camera at a node that ends so. */
static void assert_message(Play *play, const gchar *name, const gchar *device,
                           const gchar *reason)
{
    GstStructure *message = play_take_message(play, name, reason);

    g_assert_cmpstr(gst_structure_get_string(message, "camera"), ==, "Test Cam");
    g_assert_true(
        g_str_has_suffix(gst_structure_get_string(message, "device"), device));
    g_assert_cmpstr(gst_structure_get_string(message, "bus"), ==, "usb-1");
    g_assert_cmpstr(gst_structure_get_string(message, "serial"), ==, "S1");
    gst_structure_free(message);
}

/* ---- What is refused ------------------------------------------------------------- */

static void refused(const gchar *settings, const gchar *after,
                    const gchar *const words[])
{
    Play *play = new_play(settings, after);

    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_FAILURE);
    play_assert_says(play, GST_MESSAGE_ERROR, words);
    play_assert_quiet(play);
    free_play(play);
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

    fake_plug(1, &camera, "S1");
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        refused(cases[i].settings, cases[i].after, cases[i].words);
    fake_unplug(1);
    refused("", "", (const gchar *[]) { "There is no camera", "plug one in", NULL });
}

static void test_held_back(void)
{
    fake_plug(1, &camera, "S1");
    camera.open_error = EACCES;
    refused("", "", (const gchar *[]) { "No permission", "Test Cam", "group", NULL });
    camera.open_error = 0;
    camera.busy = EBUSY;
    fake_process_file("77/comm", "cheese\n");
    fake_process_link("77/fd/5", 1);
    refused("", "", (const gchar *[]) { "is in use by \"cheese\" (process 77)", NULL });
    camera.busy = 0;
    Play *play = new_play("", "");
    play_start(play); /* what stood in the way is gone */
    free_play(play);
    fake_unplug(1);
}

/* ---- Modes ----------------------------------------------------------------------- */

static void plays_as(const gchar *settings, const gchar *after, const gchar *format,
                     const gchar *const words[])
{
    Play *play = new_play(settings, after);
    GstStructure *stats = NULL;

    play_start(play);
    g_object_get(play->src, "stats", &stats, NULL);
    g_assert_cmpstr(gst_structure_get_string(stats, "format"), ==, format);
    for (guint i = 0; words[i]; i++)
        if (!strstr(play->caps, words[i]))
            g_error("\"%s\" is not in: %s", words[i], play->caps);
    gst_structure_free(stats);
    free_play(play);
}

static void test_modes(void)
{
    static const gchar *const small[] = { "YUY2", "(int)640", "(int)480", "25/1",
                                          NULL };
    static const gchar *const large[] = { "video/x-raw", "I420", "(int)1280",
                                          "(int)720", NULL };

    fake_plug(1, &camera, "S1");
    plays_as("", "", "YUYV", small);
    plays_as("camera=test framerate=25/1", "", "YUYV", small);
    plays_as("device=1 height=720", "", "MJPG", large);
    plays_as("", "videoconvert ! video/x-raw,width=1280,height=720 !", "MJPG", large);
    /* What follows can be had from any rate. */
    plays_as("", "videorate ! video/x-raw,framerate=50/1 !", "YUYV",
             (const gchar *[]) { "(int)640", "50/1", NULL });
    fake_unplug(1);
}

/* ---- Losses ---------------------------------------------------------------------- */

static void test_lost(void)
{
    Play *play = new_play("", "");
    gchar *device = NULL;

    fake_plug(1, &camera, "S1");
    play_start(play);
    for (int node = 1; node < 4; node++) {
        gchar *before = g_strdup_printf("/video%d", node);
        gchar *after = g_strdup_printf("/video%d", node + 1);
        fake_unplug(node);
        assert_message(play, "camera-lost", before, "it was unplugged");
        play_assert_says(play, GST_MESSAGE_WARNING,
                         (const gchar *[]) { "Test Cam", "it was unplugged", NULL });
        g_usleep(250000);
        g_assert_cmpint(GST_STATE(play->pipeline), ==, GST_STATE_PLAYING);
        fake_plug(node + 1, &camera, "S1");
        assert_message(play, "camera-found", after, "it is back after");
        play_wait_frames(play, 3);
        g_free(before);
        g_free(after);
    }
    g_object_get(play->src, "device", &device, NULL);
    g_assert_cmpuint(play_stat(play, "losses"), ==, 3);
    g_assert_true(g_str_has_suffix(device, "/video4"));
    g_free(device);
    g_assert_cmpuint(play_count(play, &play->starts), ==, 1);
    g_assert_cmpuint(play_count(play, &play->segments), ==, 1);
    g_assert_cmpuint(play_count(play, &play->ends), ==, 0);
    g_assert_cmpuint(play_count(play, &play->backwards), ==, 0);
    play_assert_quiet(play);
    fake_unplug(4);
    free_play(play);
}

/* A driver that ends, and one that is taken by another when it is back. */
static void test_lost_otherwise(void)
{
    Play *play = new_play("", "");

    fake_plug(1, &camera, "S1");
    play_start(play);
    g_atomic_int_set(&camera_source_ends, 1);
    assert_message(play, "camera-lost", "/video1", "no more frames");
    assert_message(play, "camera-found", "/video1", "it is back");
    g_atomic_int_set(&camera_source_refuses, 2);
    fake_unplug(1);
    assert_message(play, "camera-lost", "/video1", "it was unplugged");
    gst_message_unref(play_pop(play, GST_MESSAGE_WARNING, PLAY_PATIENCE));
    camera.busy = EBUSY;
    fake_plug(1, &camera, "S1");
    play_assert_says(play, GST_MESSAGE_WARNING,
                     (const gchar *[]) { "is in use by", NULL });
    camera.busy = 0;
    assert_message(play, "camera-found", "/video1", "it is back");
    g_assert_cmpint(g_atomic_int_get(&camera_source_refuses), ==, 0);
    fake_unplug(1);
    free_play(play);
}

/* A camera that is there, and gives nothing. */
static void test_silent(void)
{
    Play *play = new_play("timeout=2000000000", "");

    fake_plug(1, &camera, "S1");
    play_start(play);
    for (guint i = 0; i < 2; i++) {
        g_atomic_int_set(&camera_source_silent, 1);
        assert_message(play, "camera-lost", "/video1", "no frame for 2 s");
        g_atomic_int_set(&camera_source_silent, 0);
        assert_message(play, "camera-found", "/video1", "it is back");
        play_wait_frames(play, 3);
    }
    g_assert_cmpuint(play_stat(play, "losses"), ==, 2);
    g_assert_cmpuint(play_count(play, &play->segments), ==, 1);
    g_assert_cmpuint(play_count(play, &play->backwards), ==, 0);
    fake_unplug(1);
    free_play(play);
}

/* It is not the camera's silence when what follows holds a frame, or it is paused. */
static void test_slow_behind(void)
{
    Play *play = new_play("timeout=1000000000", "identity name=slow !");
    GstElement *slow = gst_bin_get_by_name(GST_BIN(play->pipeline), "slow");

    fake_plug(1, &camera, "S1");
    play_start(play);
    g_object_set(slow, "sleep-time", 2500000, NULL);
    play_wait_frames(play, 1);
    g_object_set(slow, "sleep-time", 0, NULL);
    play_wait_frames(play, 3);
    gst_element_set_state(play->pipeline, GST_STATE_PAUSED);
    g_usleep(1500000);
    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    play_wait_frames(play, 3);
    play_assert_quiet(play);
    g_assert_cmpuint(play_stat(play, "losses"), ==, 0);
    gst_object_unref(slow);
    fake_unplug(1);
    free_play(play);
}

/* The user learns which camera it is, once. */
static void test_does_not_start(void)
{
    fake_plug(1, &camera, "S1");
    g_atomic_int_set(&camera_source_refuses, 1);
    refused("", "",
            (const gchar *[]) { "\"Test Cam\"", "does not start",
                                "640x480 at 25 frames/s as YUYV", "Cannot be opened.",
                                NULL });
    fake_unplug(1);
}

/* What goes wrong behind the element is an error as ever. */
static void test_errors_behind(void)
{
    Play *play = new_play("", "identity error-after=5 !");

    fake_plug(1, &camera, "S1");
    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    play_assert_says(play, GST_MESSAGE_ERROR, (const gchar *[]) { NULL });
    g_usleep(300000);
    GstMessage *message = play_pop(play, GST_MESSAGE_ELEMENT | GST_MESSAGE_WARNING, 0);
    g_assert_null(message);
    fake_unplug(1);
    free_play(play);
}

static void test_ends_behind(void)
{
    Play *play = new_play("", "identity eos-after=5 !");
    GstMessage *message;

    fake_plug(1, &camera, "S1");
    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    message = play_pop(play, GST_MESSAGE_EOS | GST_MESSAGE_ERROR, PLAY_PATIENCE);
    g_assert_nonnull(message);
    g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, GST_MESSAGE_EOS);
    gst_message_unref(message);
    g_usleep(300000);
    play_assert_quiet(play);
    fake_unplug(1);
    free_play(play);
}

static void test_back_in_time(void)
{
    Play *play = new_play("", "");

    fake_plug(1, &camera, "S1");
    play_start(play);
    g_atomic_int_set(&camera_source_steps_back, 3);
    play_wait_frames(play, 10);
    g_assert_cmpint(g_atomic_int_get(&camera_source_steps_back), ==, 0);
    g_assert_cmpuint(play_count(play, &play->backwards), ==, 0);
    fake_unplug(1);
    free_play(play);
}

/* ---- Ends ------------------------------------------------------------------------ */

static void test_ends(void)
{
    for (guint lost = 0; lost < 2; lost++) {
        Play *play = new_play("", "");
        fake_plug(1, &camera, "S1");
        play_start(play);
        if (lost) {
            fake_unplug(1);
            assert_message(play, "camera-lost", "/video1", "unplugged");
        }
        g_assert_true(gst_element_send_event(play->pipeline, gst_event_new_eos()));
        play_assert_ends(play);
        free_play(play);
        if (!lost)
            fake_unplug(1);
    }
}

static void test_num_buffers(void)
{
    Play *play = new_play("num-buffers=100", "");

    fake_plug(1, &camera, "S1");
    play_start(play);
    fake_unplug(1);
    assert_message(play, "camera-lost", "/video1", "unplugged");
    fake_plug(1, &camera, "S1");
    play_assert_ends(play);
    g_assert_cmpuint(play_count(play, &play->frames), ==, 100);
    fake_unplug(1);
    free_play(play);
}

/* Away from PLAYING to READY and back, with the camera away, too. */
static void test_states(void)
{
    Play *play = new_play("", "");

    fake_plug(1, &camera, "S1");
    play_start(play);
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_SUCCESS);
    play->frames = 0;
    play_start(play);
    fake_unplug(1);
    assert_message(play, "camera-lost", "/video1", "unplugged");
    g_assert_cmpint(gst_element_set_state(play->src, GST_STATE_PAUSED), ==,
                    GST_STATE_CHANGE_NO_PREROLL);
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_SUCCESS);
    play->frames = 0;
    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    fake_plug(2, &camera, "S1");
    play_wait_frames(play, 3);
    fake_unplug(2);
    free_play(play);
}

/* ---- The rest -------------------------------------------------------------------- */

/* As v4l2src says, also while the camera is away. */
static void test_latency(void)
{
    Play *play = new_play("", "");

    fake_plug(1, &camera, "S1");
    play_start(play);
    play_assert_latency(play, TRUE, 40 * GST_MSECOND);
    fake_unplug(1);
    assert_message(play, "camera-lost", "/video1", "unplugged");
    play_assert_latency(play, TRUE, 40 * GST_MSECOND);
    free_play(play);
}

static void test_controls(void)
{
    Play *play = new_play("controls=brightness=5", "");

    fake_plug(1, &camera, "S1");
    play_start(play);
    g_assert_cmpint(controls[0].value, ==, 5);
    g_object_set(play->src, "controls", "brightness=9", NULL);
    g_assert_cmpint(controls[0].value, ==, 9);
    g_object_set(play->src, "controls", "brightness=99", NULL);
    play_assert_says(play, GST_MESSAGE_WARNING,
                     (const gchar *[]) { "brightness 0..64", NULL });
    g_assert_cmpint(controls[0].value, ==, 9);
    g_object_set(play->src, "controls", "brightness=7", NULL);
    controls[0].value = 0; /* another device has its own */
    fake_unplug(1);
    assert_message(play, "camera-lost", "/video1", "unplugged");
    fake_plug(1, &camera, "S1");
    assert_message(play, "camera-found", "/video1", "back");
    g_assert_cmpint(controls[0].value, ==, 7);
    fake_unplug(1);
    free_play(play);
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

    fake_plug(1, &camera, "S1");
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
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    gst_element_register_vigilcamerasrc(NULL);
    vigil_v4l2_system(); /* its folders, before there are threads */
    camera_source_init();
    g_test_add_func("/camera/properties", test_properties);
    g_test_add_func("/camera/refused", test_refused);
    g_test_add_func("/camera/held-back", test_held_back);
    g_test_add_func("/camera/modes", test_modes);
    g_test_add_func("/camera/lost", test_lost);
    g_test_add_func("/camera/lost-otherwise", test_lost_otherwise);
    g_test_add_func("/camera/silent", test_silent);
    g_test_add_func("/camera/slow-behind", test_slow_behind);
    g_test_add_func("/camera/does-not-start", test_does_not_start);
    g_test_add_func("/camera/errors-behind", test_errors_behind);
    g_test_add_func("/camera/ends-behind", test_ends_behind);
    g_test_add_func("/camera/back-in-time", test_back_in_time);
    g_test_add_func("/camera/ends", test_ends);
    g_test_add_func("/camera/num-buffers", test_num_buffers);
    g_test_add_func("/camera/states", test_states);
    g_test_add_func("/camera/latency", test_latency);
    g_test_add_func("/camera/controls", test_controls);
    g_test_add_func("/camera/no-elements", test_no_elements);
    const int result = g_test_run();
    fake_clear();
    camera_source_clear();
    return result;
}
