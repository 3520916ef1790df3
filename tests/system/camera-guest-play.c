/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "camera.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "camera-guest.h"

enum { STREAM_FRAMES = 8 }; /* that v4l2src has at most */

#define DRIVER "/sys/bus/platform/drivers/vivid/"

/* ---- A pipeline that is watched -------------------------------------------------- */

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

Play *play_new(const gchar *settings, const gchar *after)
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

/* How many entries a folder has whose links lead to names that begin so. */
static guint count_entries(const gchar *folder, const gchar *begin)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const gchar *name;
    guint n = 0;

    while ((name = g_dir_read_name(dir))) {
        gchar *path = g_build_filename(folder, name, NULL);
        gchar *target = g_file_read_link(path, NULL);
        n += !begin || (target && g_str_has_prefix(target, begin));
        g_free(target);
        g_free(path);
    }
    g_dir_close(dir);
    return n;
}

Held held_now(void)
{
    Held held = { .descriptors = count_entries("/proc/self/fd", NULL),
                  .threads = count_entries("/proc/self/task", NULL),
                  .frames = count_entries("/proc/self/fd", "/dmabuf") };

    held.descriptors -= MIN(held.frames, held.descriptors);
    return held;
}

static gboolean has_more(const Held *now, const Held *before)
{
    return now->descriptors > before->descriptors || now->threads > before->threads ||
           now->frames > before->frames + STREAM_FRAMES;
}

static void tell_descriptors(void)
{
    GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
    const gchar *name;

    while ((name = g_dir_read_name(dir))) {
        gchar *path = g_build_filename("/proc/self/fd", name, NULL);
        gchar *target = g_file_read_link(path, NULL);
        g_test_message("descriptor %s: %s", name, target ? target : "closed");
        g_free(target);
        g_free(path);
    }
    g_dir_close(dir);
}

void held_check(const Held *before)
{
    Held now = held_now();

    for (guint i = 0; i < 1500 && has_more(&now, before); i++) {
        g_usleep(10000);
        now = held_now();
    }
    if (has_more(&now, before))
        tell_descriptors();
    g_assert_cmpuint(now.descriptors, <=, before->descriptors);
    g_assert_cmpuint(now.threads, <=, before->threads);
    g_assert_cmpuint(now.frames, <=, before->frames + STREAM_FRAMES);
}

void play_free(Play *play)
{
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_NULL), ==,
                    GST_STATE_CHANGE_SUCCESS);
    gst_object_unref(play->src);
    gst_object_unref(play->pipeline);
    g_assert_cmpuint(count_entries("/proc/self/fd", "/dev/video"), ==, 0);
    g_mutex_clear(&play->lock);
    g_free(play);
}

guint play_frames(Play *play)
{
    g_mutex_lock(&play->lock);
    const guint frames = play->frames;
    g_mutex_unlock(&play->lock);
    return frames;
}

static void fail(GstMessage *message, const gchar *wanted)
{
    GError *error = NULL;

    if (message && GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
        gst_message_parse_error(message, &error, NULL);
    g_error("%s instead of %s: %s",
            message ? GST_MESSAGE_TYPE_NAME(message) : "nothing", wanted,
            error ? error->message : "");
}

void play_wait_frames(Play *play, guint n)
{
    const guint wanted = play_frames(play) + n;
    GstBus *bus = gst_element_get_bus(play->pipeline);

    for (guint i = 0; i < 1500 && play_frames(play) < wanted; i++) {
        GstMessage *message = gst_bus_timed_pop_filtered(
            bus, 10 * GST_MSECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
        if (message)
            fail(message, "a frame");
    }
    g_assert_cmpuint(play_frames(play), >=, wanted);
    gst_object_unref(bus);
}

GstStructure *play_wait_message(Play *play, const gchar *name)
{
    GstBus *bus = gst_element_get_bus(play->pipeline);
    GstStructure *found = NULL;

    while (!found) {
        GstMessage *message = gst_bus_timed_pop_filtered(
            bus, PATIENCE, GST_MESSAGE_ERROR | GST_MESSAGE_EOS | GST_MESSAGE_ELEMENT);
        if (!message || GST_MESSAGE_TYPE(message) != GST_MESSAGE_ELEMENT)
            fail(message, name);
        if (gst_message_has_name(message, name))
            found = gst_structure_copy(gst_message_get_structure(message));
        gst_message_unref(message);
    }
    gst_object_unref(bus);
    return found;
}

gchar *play_wait_error(Play *play)
{
    GstBus *bus = gst_element_get_bus(play->pipeline);
    GstMessage *message =
        gst_bus_timed_pop_filtered(bus, PATIENCE, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
    GError *error = NULL;

    g_assert_nonnull(message);
    g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, GST_MESSAGE_ERROR);
    gst_message_parse_error(message, &error, NULL);
    gst_message_unref(message);
    message = gst_bus_timed_pop_filtered(bus, GST_SECOND / 2, GST_MESSAGE_ERROR);
    g_assert_null(message);
    gchar *text = g_strdup(error->message);
    g_error_free(error);
    gst_object_unref(bus);
    return text;
}

void play_start(Play *play)
{
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_PLAYING), !=,
                    GST_STATE_CHANGE_FAILURE);
    play_wait_frames(play, 3);
}

void play_check(Play *play)
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

gchar *play_device(Play *play)
{
    gchar *device;

    g_object_get(play->src, "device", &device, NULL);
    g_assert_nonnull(device);
    return device;
}

guint64 play_losses(Play *play)
{
    GstStructure *stats = NULL;
    guint64 losses = 0;

    g_object_get(play->src, "stats", &stats, NULL);
    g_assert_true(gst_structure_get_uint64(stats, "losses", &losses));
    gst_structure_free(stats);
    return losses;
}

void play_check_loss(Play *play, const gchar *bus, const gchar *reason)
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

void play_check_return(Play *play, const gchar *bus)
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

gchar *device_of(const gchar *camera)
{
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    VigilCameraError error = { 0 };
    VigilSelector selector;
    VigilCamera found;

    if (vigil_selector_parse(v4l2, camera, &selector, &error) ||
        vigil_camera_find(v4l2, &selector, &found, &error))
        g_error("%s", error.message);
    return g_strdup(found.device);
}

void set_controls(const gchar *device, const gchar *controls)
{
    const VigilV4l2 *v4l2 = vigil_v4l2_system();
    VigilCameraError error = { 0 };
    VigilControlSettings settings;
    VigilCamera camera;

    vigil_camera_ask(v4l2, device, &camera);
    const int fd = vigil_camera_open(v4l2, &camera, &error);
    if (fd < 0 || vigil_control_settings_parse(controls, &settings, &error) ||
        vigil_camera_set_controls(v4l2, fd, &camera, &settings, &error))
        g_error("%s", error.message);
    v4l2->close(fd);
}

void press(const gchar *device, const gchar *button)
{
    gchar *text = g_strdup_printf("%s=1", button);

    set_controls(device, text);
    g_free(text);
}

void drive(const gchar *file)
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

void assert_says(const gchar *command, gboolean fails, const gchar *words[])
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
