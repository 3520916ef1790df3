/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilcamerasrc on cameras of the kernel: how they are lost and found, and what the
 * user is told of them.
 */
#include "camera.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "camera-guest.h"

#define DETECTOR "queue max-size-buffers=2 ! vigildetect input-size=64x64 !"

/* ---- Tests ----------------------------------------------------------------------- */

/* Each shows a colour of its own. */
static void test_apart(void)
{
    static const struct {
        const gchar *camera, *pattern;
        guint bright;
    } cases[] = { { FIRST, "100%_red", 0 }, { SECOND, "100%_green", 1 } };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gchar *settings =
            g_strdup_printf("camera=%s controls=\"test_pattern=%s,osd_text_mode=none\"",
                            cases[i].camera, cases[i].pattern);
        Play *play = play_new(settings, "videoconvert ! video/x-raw,format=RGB !");
        play_start(play);
        for (guint c = 0; c < 3; c++)
            if (c == cases[i].bright)
                g_assert_cmpuint(play->pixel[c], >, 200);
            else
                g_assert_cmpuint(play->pixel[c], <, 60);
        play_free(play);
        g_free(settings);
    }
}

/* How often a camera is lost and found: as often as is asked for, or a part of that. */
static guint times(guint all)
{
    return g_test_slow() ? all : all / 5;
}

/* Ways to lose it that leave the device in its place. */
static void test_for_a_moment(void)
{
    static const gchar *const buttons[] = { "disconnect",
                                            "inject_fatal_streaming_error" };
    Play *play = play_new("camera=" SECOND, DETECTOR);

    play_start(play);
    const Held before = held_now();
    for (guint i = 0; i < times(20); i++) {
        gchar *device = play_device(play);
        press(device, buttons[i % 4 == 1]);
        play_check_loss(play, "platform:vivid-001", NULL);
        play_check_return(play, "platform:vivid-001");
        play_check(play);
        held_check(&before);
        g_free(device);
    }
    play_free(play);
}

/* While the old node is kept open the new one gets another number. */
static void test_unplugged(void)
{
    Play *play = play_new("camera=name:VIVI", DETECTOR);

    g_object_set(play->src, "camera", FIRST, NULL);
    play_start(play);
    const Held before = held_now();
    for (guint i = 0; i < times(20); i++) {
        gchar *device = play_device(play), *after;
        const int held = i % 2 ? -1 : open(device, O_RDWR);
        drive("unbind");
        play_check_loss(play, "platform:vivid-000", "it was unplugged");
        g_usleep(i % 3 * G_USEC_PER_SEC / 4);
        drive("bind");
        play_check_return(play, "platform:vivid-000");
        after = play_device(play);
        if (held >= 0) {
            g_assert_cmpstr(device, !=, after);
            close(held);
        }
        play_check(play);
        held_check(&before);
        g_free(device);
        g_free(after);
    }
    g_assert_cmpuint(play_losses(play), ==, times(20));
    play_free(play);
}

/* Another camera of the same name is not the one that was lost, and plays on.  The
 * driver keeps it away as long as somebody has it open. */
static void test_another_stays(void)
{
    gchar *device = device_of(FIRST);
    gchar *settings = g_strdup_printf("camera=%s", device);
    Play *lost = play_new(settings, ""), *other = play_new("camera=" SECOND, "");
    const int held = open(device, O_RDWR);

    g_assert_cmpint(held, >=, 0);
    play_start(other);
    play_start(lost);
    press(device, "disconnect");
    play_check_loss(lost, "platform:vivid-000", "it was unplugged");
    const guint frames = play_frames(lost);
    play_wait_frames(other, 75); /* attempts to find it come meanwhile */
    g_assert_cmpuint(play_frames(lost), ==, frames);
    g_assert_cmpuint(play_losses(other), ==, 0);
    close(held);
    play_check_return(lost, "platform:vivid-000");
    play_check(lost);
    play_check(other);
    gst_element_set_state(other->pipeline, GST_STATE_NULL);
    play_free(lost);
    play_free(other);
    g_free(settings);
    g_free(device);
}

/* It can be stopped, ended and started again while the camera is away. */
static void test_away(void)
{
    Play *play = play_new("camera=" FIRST, "");

    play_start(play);
    drive("unbind");
    play_check_loss(play, "platform:vivid-000", "it was unplugged");
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_PAUSED), ==,
                    GST_STATE_CHANGE_NO_PREROLL);
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_PLAYING), !=,
                    GST_STATE_CHANGE_FAILURE);
    g_assert_true(gst_element_send_event(play->pipeline, gst_event_new_eos()));
    GstBus *bus = gst_element_get_bus(play->pipeline);
    GstMessage *message =
        gst_bus_timed_pop_filtered(bus, PATIENCE, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
    g_assert_nonnull(message);
    g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, GST_MESSAGE_EOS);
    gst_message_unref(message);
    gst_object_unref(bus);
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_SUCCESS);
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_PLAYING), !=,
                    GST_STATE_CHANGE_FAILURE);
    drive("bind");
    play->frames = 0;
    play_wait_frames(play, 3);
    play_free(play);
}

/* Who has it is told, by both; and a program that ends makes it free. */
static void test_busy(void)
{
    static const gchar *const words[] = { "\"vivid\" (/dev/video", "is in use by",
                                          "\"gst-launch-1.0\" (process ", NULL };
    Play *play = play_new("camera=" SECOND, "");
    gchar *device, *command;
    GPid holder = 0;
    const gchar *arguments[] = { "gst-launch-1.0", "-q", "v4l2src", NULL, "!",
                                 "fakesink",       NULL };

    play_start(play);
    device = play_device(play);
    play_free(play);
    gchar *setting = g_strconcat("device=", device, NULL);
    arguments[3] = setting;
    g_assert_true(g_spawn_async(NULL, (gchar **)arguments, NULL,
                                G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                                    G_SPAWN_STDOUT_TO_DEV_NULL,
                                NULL, NULL, &holder, NULL));
    g_usleep(2 * G_USEC_PER_SEC);
    command = g_strdup_printf("gst-launch-1.0 vigilcamerasrc camera=%s ! fakesink 2>&1",
                              device);
    assert_says(command, TRUE, (const gchar **)words);
    g_free(command);
    command = g_strdup_printf("%s %s", g_getenv("VIGIL_CAMERAS"), device);
    assert_says(command, FALSE,
                (const gchar *[]) { "used by   \"gst-launch-1.0\" (process ", NULL });
    g_free(command);
    kill(holder, SIGKILL);
    g_assert_cmpint(waitpid(holder, NULL, 0), ==, holder);
    play = play_new("camera=" SECOND, "");
    play_start(play);
    play_free(play);
    g_free(setting);
    g_free(device);
}

/* What the command line says of both. */
static void test_listed(void)
{
    static const gchar check[] =
        "import json, sys\n"
        "a, b = json.load(sys.stdin)\n"
        "assert a['bus'][-3:] == '000' and b['bus'][-3:] == '001', (a['bus'], "
        "b['bus'])\n"
        "for c in a, b:\n"
        "    assert c['name'] == 'vivid' and c['problem'] is None, c['problem']\n"
        "    assert any(m['format'] in ('NV12', 'NM12') and m['usable'] and\n"
        "               m['width'] == 640 and m['height'] == 480 and\n"
        "               '25/1' in m['rates'] for m in c['modes'])\n"
        "    assert {'min': 0, 'max': 255, 'default': 128}.items() <= next(\n"
        "        x for x in c['controls'] if x['name'] == 'brightness').items()\n";
    gchar *quoted = g_shell_quote(check);
    gchar *command = g_strdup_printf("%s --json | /usr/bin/python3 -c %s 2>&1",
                                     g_getenv("VIGIL_CAMERAS"), quoted);

    assert_says(command, FALSE, (const gchar *[]) { NULL });
    g_free(command);
    g_free(quoted);
}

static void test_no_permission(void)
{
    const gchar *tool = g_getenv("VIGIL_CAMERAS");
    VigilCameraList list;
    gchar *command;

    vigil_camera_list(vigil_v4l2_system(), &list);
    g_assert_cmpuint(list.n, ==, 2);
    const gchar *device = list.camera[0].device;
    command =
        g_strdup_printf("setpriv --reuid=65534 --regid=65534 --clear-groups %s %s "
                        "2>&1",
                        tool, device);
    assert_says(command, TRUE,
                (const gchar *[]) { "No permission to open the camera", device,
                                    "no group has it", NULL });
    g_assert_cmpint(chown(device, 0, 44), ==, 0);
    g_assert_cmpint(chmod(device, 0660), ==, 0);
    assert_says(
        command, TRUE,
        (const gchar *[]) { "join the group \"video\"", "usermod -aG video", NULL });
    g_free(command);
    command = g_strdup_printf(
        "setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/tmp "
        "gst-launch-1.0 vigilcamerasrc camera=%s ! fakesink 2>&1",
        device);
    assert_says(command, TRUE, (const gchar *[]) { "join the group \"video\"", NULL });
    g_free(command);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/camera/listed", test_listed);
    g_test_add_func("/camera/apart", test_apart);
    dmabuf_add_tests();
    g_test_add_func("/camera/lost/for-a-moment", test_for_a_moment);
    g_test_add_func("/camera/lost/unplugged", test_unplugged);
    g_test_add_func("/camera/lost/another-stays", test_another_stays);
    g_test_add_func("/camera/lost/away", test_away);
    g_test_add_func("/camera/busy", test_busy);
    g_test_add_func("/camera/no-permission", test_no_permission);
    formats_add_tests();
    faults_add_tests();
    return g_test_run();
}
