/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "camera-play.h"
#include "gstvigilcamerasrc.h"

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
FakeDriver camera_driver = {
    .card = "Test Cam",
    .bus = "usb-1",
    .mode = modes,
    .n_modes = 3,
    .control = controls,
    .n_controls = 1,
    .set_to = { .width = 640, .height = 480, .pixelformat = V4L2_PIX_FMT_YUYV },
    .interval = { 1, 25 },
};

Play *camera_play(const gchar *settings, const gchar *after)
{
    return play_new("vigilcamerasrc", settings, after);
}

void camera_play_free(Play *play)
{
    play_free(play);
    g_assert_cmpint(fake_open_count(), ==, 0);
}

void camera_play_assert_message(Play *play, const gchar *name, const gchar *device,
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

void camera_play_init(int *argc, char ***argv)
{
    gst_init(argc, argv);
    g_test_init(argc, argv, NULL);
    gst_element_register_vigilcamerasrc(NULL);
    vigil_v4l2_system(); /* its folders, before there are threads */
    camera_source_init();
}

void camera_play_clear(void)
{
    fake_clear();
    camera_source_clear();
}
