/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the driver is told to do wrong, once each time: it is survived, or told.
 */
#include <string.h>
#include "camera-guest.h"

/* What the driver refuses: memory for frames, a frame's memory back, to begin. */
static const gchar *const refusals[] = { "inject_vidioc_reqbufs_error",
                                         "inject_vidioc_qbuf_error",
                                         "inject_vidioc_streamon_error" };

/* Frames that the driver marks as damaged pass, and are not looked at. */
static void test_damaged(void)
{
    Play *play = play_new("camera=" FIRST,
                          "vigildetect mode=sync input-size=64x64 name=detect !");
    GstElement *detect = gst_bin_get_by_name(GST_BIN(play->pipeline), "detect");
    guint64 skipped = 0;

    play_start(play);
    gchar *device = play_device(play);
    for (guint i = 0; i < 5; i++) {
        press(device, "inject_v4l2_buf_flag_error");
        play_check(play);
    }
    for (guint i = 0; i < 100 && skipped < 5; i++) {
        GstStructure *stats = NULL;
        play_wait_frames(play, 1);
        g_object_get(detect, "stats", &stats, NULL);
        g_assert_true(gst_structure_get_uint64(stats, "skipped", &skipped));
        gst_structure_free(stats);
    }
    g_assert_cmpuint(skipped, ==, 5);
    g_assert_cmpuint(play_losses(play), ==, 0);
    gst_object_unref(detect);
    g_free(device);
    play_free(play);
}

/* The other refusals would wait for the next start. */
static void test_playing(void)
{
    Play *play = play_new("camera=" FIRST, "");

    play_start(play);
    gchar *device = play_device(play);
    for (guint i = 0; i < 8; i++) { /* more than it has memory for */
        press(device, "inject_vidioc_qbuf_error");
        play_check(play);
    }
    g_assert_cmpuint(play_losses(play), ==, 0);
    g_free(device);
    play_free(play);
}

/* An error that names the camera, and nothing after it; then the camera can be had. */
static void test_start(void)
{
    static const gchar *const words[] = { "The camera \"vivid\" (/dev/video",
                                          "320x180 at 30 frames/s as NV12" };

    for (guint i = 0; i < G_N_ELEMENTS(refusals); i++) {
        Play *play = play_new("camera=" FIRST, "");
        g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_READY), ==,
                        GST_STATE_CHANGE_SUCCESS);
        gchar *device = play_device(play);
        press(device, refusals[i]);
        gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
        gchar *text = play_wait_error(play);
        for (guint k = 0; k < G_N_ELEMENTS(words); k++)
            if (!strstr(text, words[k]))
                g_error("\"%s\" is not in: %s", words[k], text);
        gst_element_set_state(play->pipeline, GST_STATE_NULL);
        play_start(play);
        play_free(play);
        g_free(text);
        g_free(device);
    }
}

/* It is lost, and does wrong when it is back. */
static void test_back(void)
{
    Play *play = play_new("camera=" FIRST, "");

    play_start(play);
    const Held before = held_now();
    for (guint i = 0; i < G_N_ELEMENTS(refusals); i++) {
        gchar *device = play_device(play);
        press(device, refusals[i]);
        press(device, "disconnect");
        play_check_loss(play, "platform:vivid-000", NULL);
        play_check_return(play, "platform:vivid-000");
        play_check(play);
        held_check(&before);
        g_free(device);
    }
    g_assert_cmpuint(play_losses(play), ==, G_N_ELEMENTS(refusals));
    play_free(play);
}

void faults_add_tests(void)
{
    g_test_add_func("/camera/faults/damaged", test_damaged);
    g_test_add_func("/camera/faults/playing", test_playing);
    g_test_add_func("/camera/faults/start", test_start);
    g_test_add_func("/camera/faults/back", test_back);
}
