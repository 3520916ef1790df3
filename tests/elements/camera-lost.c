/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilcamerasrc when its camera is unplugged, ends, fails or says nothing.
 */
#include <errno.h>
#include "camera-play.h"

static void test_lost(void)
{
    Play *play = camera_play("", "");
    gchar *device = NULL;

    fake_plug(1, &camera_driver, "S1");
    play_start(play);
    for (int node = 1; node < 4; node++) {
        gchar *before = g_strdup_printf("/video%d", node);
        gchar *after = g_strdup_printf("/video%d", node + 1);
        fake_unplug(node);
        camera_play_assert_message(play, "camera-lost", before, "it was unplugged");
        play_assert_says(play, GST_MESSAGE_WARNING,
                         (const gchar *[]) { "Test Cam", "it was unplugged", NULL });
        g_usleep(250000);
        g_assert_cmpint(GST_STATE(play->pipeline), ==, GST_STATE_PLAYING);
        fake_plug(node + 1, &camera_driver, "S1");
        camera_play_assert_message(play, "camera-found", after, "it is back after");
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
    camera_play_free(play);
}

/* A driver that ends, and one that is taken by another when it is back. */
static void test_lost_otherwise(void)
{
    Play *play = camera_play("", "");

    fake_plug(1, &camera_driver, "S1");
    play_start(play);
    g_atomic_int_set(&camera_source_ends, 1);
    camera_play_assert_message(play, "camera-lost", "/video1", "no more frames");
    camera_play_assert_message(play, "camera-found", "/video1", "it is back");
    g_atomic_int_set(&camera_source_refuses, 2);
    fake_unplug(1);
    camera_play_assert_message(play, "camera-lost", "/video1", "it was unplugged");
    gst_message_unref(play_pop(play, GST_MESSAGE_WARNING, PLAY_PATIENCE));
    camera_driver.busy = EBUSY;
    fake_plug(1, &camera_driver, "S1");
    play_assert_says(play, GST_MESSAGE_WARNING,
                     (const gchar *[]) { "is in use by", NULL });
    camera_driver.busy = 0;
    camera_play_assert_message(play, "camera-found", "/video1", "it is back");
    g_assert_cmpint(g_atomic_int_get(&camera_source_refuses), ==, 0);
    fake_unplug(1);
    camera_play_free(play);
}

/* A camera that is there, and gives nothing. */
static void test_silent(void)
{
    Play *play = camera_play("timeout=2000000000", "");

    fake_plug(1, &camera_driver, "S1");
    play_start(play);
    for (guint i = 0; i < 2; i++) {
        g_atomic_int_set(&camera_source_silent, 1);
        camera_play_assert_message(play, "camera-lost", "/video1", "no frame for 2 s");
        g_atomic_int_set(&camera_source_silent, 0);
        camera_play_assert_message(play, "camera-found", "/video1", "it is back");
        play_wait_frames(play, 3);
    }
    g_assert_cmpuint(play_stat(play, "losses"), ==, 2);
    g_assert_cmpuint(play_count(play, &play->segments), ==, 1);
    g_assert_cmpuint(play_count(play, &play->backwards), ==, 0);
    fake_unplug(1);
    camera_play_free(play);
}

/* A camera that has given nothing yet, and fails when it is tried again. */
static void test_silent_from_the_start(void)
{
    Play *play = camera_play("timeout=1000000000", "");

    fake_plug(1, &camera_driver, "S1");
    gst_element_set_state(play->pipeline, GST_STATE_PAUSED);
    g_atomic_int_set(&camera_source_silent, 1);
    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    camera_play_assert_message(play, "camera-lost", "/video1", "no frame for 1 s");
    g_atomic_int_set(&camera_source_fails, 1);
    g_atomic_int_set(&camera_source_silent, 0);
    camera_play_assert_message(play, "camera-found", "/video1", "it is there");
    g_assert_cmpint(g_atomic_int_get(&camera_source_fails), ==, 0);
    play_wait_frames(play, 3);
    fake_unplug(1);
    camera_play_free(play);
}

/* It is not the camera's silence when what follows holds a frame, or it is paused. */
static void test_slow_behind(void)
{
    Play *play = camera_play("timeout=1000000000", "identity name=slow !");
    GstElement *slow = gst_bin_get_by_name(GST_BIN(play->pipeline), "slow");

    fake_plug(1, &camera_driver, "S1");
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
    camera_play_free(play);
}

/* What goes wrong behind the element is an error as ever. */
static void test_errors_behind(void)
{
    Play *play = camera_play("", "identity error-after=5 !");

    fake_plug(1, &camera_driver, "S1");
    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    play_assert_says(play, GST_MESSAGE_ERROR, (const gchar *[]) { NULL });
    g_usleep(300000);
    GstMessage *message = play_pop(play, GST_MESSAGE_ELEMENT | GST_MESSAGE_WARNING, 0);
    g_assert_null(message);
    fake_unplug(1);
    camera_play_free(play);
}

static void test_ends_behind(void)
{
    Play *play = camera_play("", "identity eos-after=5 !");
    GstMessage *message;

    fake_plug(1, &camera_driver, "S1");
    gst_element_set_state(play->pipeline, GST_STATE_PLAYING);
    message = play_pop(play, GST_MESSAGE_EOS | GST_MESSAGE_ERROR, PLAY_PATIENCE);
    g_assert_nonnull(message);
    g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, GST_MESSAGE_EOS);
    gst_message_unref(message);
    g_usleep(300000);
    play_assert_quiet(play);
    fake_unplug(1);
    camera_play_free(play);
}

static void test_back_in_time(void)
{
    Play *play = camera_play("", "");

    fake_plug(1, &camera_driver, "S1");
    play_start(play);
    g_atomic_int_set(&camera_source_steps_back, 3);
    play_wait_frames(play, 10);
    g_assert_cmpint(g_atomic_int_get(&camera_source_steps_back), ==, 0);
    g_assert_cmpuint(play_count(play, &play->backwards), ==, 0);
    fake_unplug(1);
    camera_play_free(play);
}

int main(int argc, char **argv)
{
    camera_play_init(&argc, &argv);
    g_test_add_func("/camera-lost/unplugged", test_lost);
    g_test_add_func("/camera-lost/otherwise", test_lost_otherwise);
    g_test_add_func("/camera-lost/silent", test_silent);
    g_test_add_func("/camera-lost/silent-from-the-start", test_silent_from_the_start);
    g_test_add_func("/camera-lost/slow-behind", test_slow_behind);
    g_test_add_func("/camera-lost/errors-behind", test_errors_behind);
    g_test_add_func("/camera-lost/ends-behind", test_ends_behind);
    g_test_add_func("/camera-lost/back-in-time", test_back_in_time);
    const int result = g_test_run();
    camera_play_clear();
    return result;
}
