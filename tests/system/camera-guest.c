/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilcamerasrc on cameras of the kernel: two of the test driver vivid, which
 * camera.sh has loaded in a guest.  They are unplugged for a moment, by the driver's
 * control "disconnect", and really, by taking the driver off its device.
 */
#include "camera.h"
#include "camera-guest-dmabuf.h"

#include <fcntl.h>
#include <gst/gst.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST "bus:platform:vivid-000"
#define SECOND "bus:platform:vivid-001"
#define DRIVER "/sys/bus/platform/drivers/vivid/"
#define PATIENCE (15 * GST_SECOND)

/* ---- A pipeline that is watched -------------------------------------------------- */

typedef struct {
    GstElement *pipeline, *src;
    GMutex lock; /* of what follows */
    guint frames, backwards, discont;
    GstClockTime last;
    guint8 pixel[3]; /* of the middle of the last frame, where it is RGB */
    guint width;
} Play;

static void on_frame(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
    Play *play = data;

    g_mutex_lock(&play->lock);
    play->frames++;
    play->backwards += play->frames > 1 && GST_BUFFER_PTS(buffer) <= play->last;
    play->discont += GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT);
    play->last = GST_BUFFER_PTS(buffer);
    if (gst_buffer_get_size(buffer) == 320 * 180 * 3)
        gst_buffer_extract(buffer, (90 * 320 + 160) * 3, play->pixel, 3);
    g_mutex_unlock(&play->lock);
}

static Play *play_new(const gchar *settings, const gchar *after)
{
    Play *play = g_new0(Play, 1);
    GError *error = NULL;
    gchar *text = g_strdup_printf(
        "vigilcamerasrc name=src width=320 height=180 framerate=30/1 %s ! %s fakesink "
        "name=sink signal-handoffs=true sync=false",
        settings, after);

    g_mutex_init(&play->lock);
    play->pipeline = gst_parse_launch(text, &error);
    g_assert_no_error(error);
    play->src = gst_bin_get_by_name(GST_BIN(play->pipeline), "src");
    GstElement *sink = gst_bin_get_by_name(GST_BIN(play->pipeline), "sink");
    g_signal_connect(sink, "handoff", G_CALLBACK(on_frame), play);
    gst_object_unref(sink);
    g_free(text);
    return play;
}

/* How many descriptors of cameras this process has. */
static guint count_descriptors(void)
{
    GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
    const gchar *name;
    guint n = 0;

    while ((name = g_dir_read_name(dir))) {
        gchar *path = g_build_filename("/proc/self/fd", name, NULL);
        gchar *target = g_file_read_link(path, NULL);
        n += target && g_str_has_prefix(target, "/dev/video");
        g_free(target);
        g_free(path);
    }
    g_dir_close(dir);
    return n;
}

static void play_free(Play *play)
{
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_NULL), ==,
                    GST_STATE_CHANGE_SUCCESS);
    gst_object_unref(play->src);
    gst_object_unref(play->pipeline);
    g_assert_cmpuint(count_descriptors(), ==, 0);
    g_mutex_clear(&play->lock);
    g_free(play);
}

static guint play_frames(Play *play)
{
    g_mutex_lock(&play->lock);
    const guint frames = play->frames;
    g_mutex_unlock(&play->lock);
    return frames;
}

/* n more frames come, and no error. */
static void play_wait_frames(Play *play, guint n)
{
    const guint wanted = play_frames(play) + n;
    GstBus *bus = gst_element_get_bus(play->pipeline);

    for (guint i = 0; i < 1500 && play_frames(play) < wanted; i++) {
        GstMessage *message = gst_bus_timed_pop_filtered(
            bus, 10 * GST_MSECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
        if (message)
            g_error("%s instead of a frame", GST_MESSAGE_TYPE_NAME(message));
    }
    g_assert_cmpuint(play_frames(play), >=, wanted);
    gst_object_unref(bus);
}

/* The next element message of that name; errors and ends are none. */
static GstStructure *play_wait_message(Play *play, const gchar *name)
{
    GstBus *bus = gst_element_get_bus(play->pipeline);
    GstStructure *found = NULL;

    while (!found) {
        GstMessage *message = gst_bus_timed_pop_filtered(
            bus, PATIENCE, GST_MESSAGE_ERROR | GST_MESSAGE_EOS | GST_MESSAGE_ELEMENT);
        if (!message || GST_MESSAGE_TYPE(message) != GST_MESSAGE_ELEMENT)
            g_error("%s instead of %s",
                    message ? GST_MESSAGE_TYPE_NAME(message) : "none", name);
        if (gst_message_has_name(message, name))
            found = gst_structure_copy(gst_message_get_structure(message));
        gst_message_unref(message);
    }
    gst_object_unref(bus);
    return found;
}

static void play_start(Play *play)
{
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_PLAYING), !=,
                    GST_STATE_CHANGE_FAILURE);
    play_wait_frames(play, 3);
}

/* Playing, with times that follow each other and the clock. */
static void play_check(Play *play)
{
    GstState state;

    play_wait_frames(play, 3);
    g_assert_cmpint(gst_element_get_state(play->pipeline, &state, NULL, 0), ==,
                    GST_STATE_CHANGE_SUCCESS);
    g_assert_cmpint(state, ==, GST_STATE_PLAYING);
    g_mutex_lock(&play->lock);
    const GstClockTimeDiff late = GST_CLOCK_DIFF(
        play->last, gst_element_get_current_running_time(play->pipeline));
    g_assert_cmpuint(play->backwards, ==, 0);
    g_mutex_unlock(&play->lock);
    g_assert_cmpint(late, >=, 0);
    g_assert_cmpint(late, <, 2 * GST_SECOND);
}

static gchar *play_device(Play *play)
{
    gchar *device;

    g_object_get(play->src, "device", &device, NULL);
    g_assert_nonnull(device);
    return device;
}

/* Posted in this order, with the fields of the camera. */
static void play_check_loss(Play *play, const gchar *bus, const gchar *reason)
{
    GstStructure *lost = play_wait_message(play, "camera-lost");

    g_assert_cmpstr(gst_structure_get_string(lost, "camera"), ==, "vivid");
    g_assert_cmpstr(gst_structure_get_string(lost, "bus"), ==, bus);
    g_assert_nonnull(gst_structure_get_string(lost, "device"));
    g_assert_nonnull(gst_structure_get_string(lost, "reason"));
    if (reason)
        g_assert_cmpstr(gst_structure_get_string(lost, "reason"), ==, reason);
    gst_structure_free(lost);
}

static void play_check_return(Play *play, const gchar *bus)
{
    GstStructure *found = play_wait_message(play, "camera-found");
    gchar *device = play_device(play);

    g_assert_cmpstr(gst_structure_get_string(found, "camera"), ==, "vivid");
    g_assert_cmpstr(gst_structure_get_string(found, "bus"), ==, bus);
    g_assert_cmpstr(gst_structure_get_string(found, "device"), ==, device);
    g_free(device);
    gst_structure_free(found);
}

/* ---- Helpers --------------------------------------------------------------------- */

static void press(const gchar *device, const gchar *button)
{
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    VigilCameraError error = { 0 };
    VigilControlSettings settings;
    VigilCamera camera;
    gchar *text = g_strdup_printf("%s=1", button);

    vigil_camera_ask(v4l2, device, &camera);
    const int fd = vigil_camera_open(v4l2, &camera, &error);
    if (fd < 0 || vigil_control_settings_parse(text, &settings, &error) ||
        vigil_camera_set_controls(v4l2, fd, &camera, &settings, &error))
        g_error("%s", error.message);
    v4l2->close(fd);
    g_free(text);
}

static void drive(const gchar *file)
{
    gchar *path = g_strconcat(DRIVER, file, NULL);
    const int fd = open(path, O_WRONLY);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, "vivid.0", 7), ==, 7);
    close(fd);
    g_free(path);
}

/* What a command prints to both streams; *status: how it ended. */
static gchar *output_of(const gchar *command, gint *status)
{
    gchar *out = NULL, *quoted = g_shell_quote(command), *all;

    all = g_strdup_printf("sh -c %s", quoted);
    g_assert_true(g_spawn_command_line_sync(all, &out, NULL, status, NULL));
    g_free(all);
    g_free(quoted);
    return out;
}

/* The command fails, or does not, and says all of the words. */
static void assert_says(const gchar *command, gboolean fails, const gchar *words[])
{
    gint status;
    gchar *out = output_of(command, &status);

    if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0) != fails)
        g_error("status %d: %s", status, out);
    for (guint i = 0; words[i]; i++)
        if (!strstr(out, words[i]))
            g_error("\"%s\" is not in: %s", words[i], out);
    g_free(out);
}

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

/* Ways to lose it that leave the device in its place. */
static void test_for_a_moment(void)
{
    static const gchar *const buttons[] = { "disconnect",
                                            "inject_fatal_streaming_error",
                                            "disconnect" };
    Play *play = play_new("camera=" SECOND, "");

    play_start(play);
    for (guint i = 0; i < G_N_ELEMENTS(buttons); i++) {
        gchar *device = play_device(play);
        press(device, buttons[i]);
        play_check_loss(play, "platform:vivid-001", NULL);
        play_check_return(play, "platform:vivid-001");
        play_check(play);
        g_free(device);
    }
    play_free(play);
}

/* While the old node is kept open the new one gets another number. */
static void test_unplugged(void)
{
    Play *play = play_new("camera=name:VIVI", "");
    GstStructure *stats = NULL;
    guint64 losses = 0;

    g_object_set(play->src, "camera", FIRST, NULL);
    play_start(play);
    for (guint i = 0; i < 3; i++) {
        gchar *before = play_device(play), *after;
        const int held = i == 1 ? -1 : open(before, O_RDWR);
        drive("unbind");
        play_check_loss(play, "platform:vivid-000", "it was unplugged");
        g_usleep(G_USEC_PER_SEC / 2);
        drive("bind");
        play_check_return(play, "platform:vivid-000");
        after = play_device(play);
        if (held >= 0) {
            g_assert_cmpstr(before, !=, after);
            close(held);
        }
        play_check(play);
        g_free(before);
        g_free(after);
    }
    g_object_get(play->src, "stats", &stats, NULL);
    g_assert_true(gst_structure_get_uint64(stats, "losses", &losses));
    g_assert_cmpuint(losses, ==, 3);
    gst_structure_free(stats);
    play_free(play);
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
    g_test_add_func("/camera/lost/away", test_away);
    g_test_add_func("/camera/busy", test_busy);
    g_test_add_func("/camera/no-permission", test_no_permission);
    return g_test_run();
}
