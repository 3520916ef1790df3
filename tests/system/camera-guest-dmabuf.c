/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frames that stay in the driver's buffers: v4l2src exports them as DMABufs, and they
 * are looked at there.
 */
#include "camera-guest.h"

#include <gst/allocators/gstdmabuf.h>
#include <gst/gst.h>

#define FRAMES 8

typedef struct {
    guint frames, on_dmabuf; /* of the streaming thread until it is stopped */
} Seen;

static void on_frame(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
    Seen *seen = data;

    seen->frames++;
    seen->on_dmabuf += gst_is_dmabuf_memory(gst_buffer_peek_memory(buffer, 0));
}

/* Frames of a node that are looked at.  v4l2src copies some where it is short of
 * buffers. */
static void check(const gchar *device, const gchar *format)
{
    GError *error = NULL;
    gchar *text =
        g_strdup_printf("v4l2src device=%s io-mode=dmabuf num-buffers=%d ! "
                        "video/x-raw,format=%s,width=320,height=180 ! vigilclassify "
                        "name=look mode=sync qos=false "
                        "! fakesink name=sink signal-handoffs=true sync=false",
                        device, FRAMES, format);
    GstElement *pipeline = gst_parse_launch(text, &error);
    g_assert_no_error(error);
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    GstElement *look = gst_bin_get_by_name(GST_BIN(pipeline), "look");
    GstBus *bus = gst_element_get_bus(pipeline);
    GstStructure *stats = NULL;
    guint64 analysed = 0;
    Seen seen = { 0 };

    g_signal_connect(sink, "handoff", G_CALLBACK(on_frame), &seen);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstMessage *message = gst_bus_timed_pop_filtered(
        bus, 30 * GST_SECOND,
        GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_EOS);
    if (!message || GST_MESSAGE_TYPE(message) != GST_MESSAGE_EOS)
        g_error("%s, %s: %s instead of an end", device, format,
                message ? GST_MESSAGE_TYPE_NAME(message) : "nothing");
    gst_message_unref(message);
    g_object_get(look, "stats", &stats, NULL);
    g_assert_true(gst_structure_get_uint64(stats, "analysed", &analysed));
    gst_structure_free(stats);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    g_test_message("%s, %s: %u of %u frames on DMABufs", device, format, seen.on_dmabuf,
                   seen.frames);
    g_assert_cmpuint(seen.frames, ==, FRAMES);
    g_assert_cmpuint(analysed, ==, FRAMES);
    g_assert_cmpuint(seen.on_dmabuf, >, 0);
    gst_object_unref(bus);
    gst_object_unref(look);
    gst_object_unref(sink);
    gst_object_unref(pipeline);
    g_free(text);
}

static void test_dmabuf(void)
{
    check("/dev/video0", "NV12");
    check("/dev/video0", "YUY2");
    check("/dev/video0", "GRAY16_LE");
}

void dmabuf_add_tests(void)
{
    g_test_add_func("/camera/dmabuf", test_dmabuf);
}
