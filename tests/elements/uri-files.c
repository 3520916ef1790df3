/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "uri-files.h"

#include <glib/gstdio.h>

static gchar *folder;

static void run(const gchar *format, const gchar *path)
{
    gchar *launch = g_strdup_printf(format, path);
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch(launch, &error);
    GstBus *bus = gst_element_get_bus(pipeline);

    g_assert_no_error(error);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstMessage *message = gst_bus_timed_pop_filtered(
        bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, GST_MESSAGE_EOS);
    gst_message_unref(message);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(bus);
    gst_object_unref(pipeline);
    g_free(launch);
}

static void make(const gchar *name, const gchar *format)
{
    gchar *path = uri_files_path(name);

    run(format, path);
    g_free(path);
}

void uri_files_init(void)
{
    GError *error = NULL;

    folder = g_dir_make_tmp("vigil-uri-XXXXXX", &error);
    g_assert_no_error(error);
    make("clip.avi", "videotestsrc num-buffers=10 ! "
                     "video/x-raw,format=I420,width=160,height=120,framerate=10/1 ! "
                     "jpegenc ! queue ! avimux name=mux ! filesink location=%s "
                     "audiotestsrc num-buffers=10 samplesperbuffer=800 ! "
                     "audio/x-raw,rate=8000,channels=1 ! alawenc ! queue ! mux.");
    make("sound.wav", "audiotestsrc num-buffers=10 ! wavenc ! filesink location=%s");
    make("picture.jpg", "videotestsrc num-buffers=1 ! "
                        "video/x-raw,format=I420,width=160,height=120 ! jpegenc ! "
                        "filesink location=%s");
    gchar *path = uri_files_path("text.txt");
    g_assert_true(g_file_set_contents(path, "u:p\n", -1, NULL));
    g_free(path);
}

void uri_files_clear(void)
{
    static const gchar *const names[] = { "clip.avi", "sound.wav", "picture.jpg",
                                          "text.txt" };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        gchar *path = uri_files_path(names[i]);
        g_assert_cmpint(g_unlink(path), ==, 0);
        g_free(path);
    }
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    g_free(folder);
}

gchar *uri_files_path(const gchar *name)
{
    return g_build_filename(folder, name, NULL);
}

gchar *uri_files_setting(const gchar *name)
{
    return g_strdup_printf("uri=file://%s/%s", folder, name);
}

GBytes *uri_files_picture(void)
{
    gchar *path = uri_files_path("picture.jpg"), *data = NULL;
    gsize size = 0;

    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    g_free(path);
    return g_bytes_new_take(data, size);
}
