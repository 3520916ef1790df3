/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Results put on frames at the head of a pipeline, read at its end: which elements let
 * them through, and where the regions are then.
 */
#include <gst/gst.h>
#include <gst/video/video.h>

#include "gstvigilmeta.h"

#define FRAMES 3

typedef struct Case {
    const gchar *name;
    const gchar *chain;  /* between two elements that pass anything */
    guint width, height; /* of the frames at the end */
    const gchar *needs;  /* elements that may be missing, comma-separated */
} Case;

static const Case cases[] = {
    { "videoconvert", "videoconvert ! video/x-raw,format=RGB", 320, 240, NULL },
    { "videoconvert-10bit", "videoconvert ! video/x-raw,format=I420_10LE", 320, 240,
      NULL },
    { "videoscale-stretch",
      "videoscale add-borders=false ! video/x-raw,width=500,height=100", 500, 100,
      NULL },
    { "videoscale-same-aspect", "videoscale ! video/x-raw,width=160,height=120", 160,
      120, NULL },
    { "convert-and-scale-twice",
      "videoconvertscale add-borders=false ! "
      "video/x-raw,format=BGRA,width=123,height=77 ! "
      "videoconvertscale add-borders=false ! "
      "video/x-raw,format=NV12,width=640,height=480",
      640, 480, NULL },
    { "queue", "queue ! queue", 320, 240, NULL },
    { "tee", "tee ! queue", 320, 240, NULL },
    { "capsfilter", "capsfilter caps=video/x-raw,format=I420", 320, 240, NULL },
    { "videorate", "videorate ! video/x-raw,framerate=10/1", 320, 240, NULL },
    { "videobalance", "videobalance saturation=0.5", 320, 240, "videobalance" },
    { "jpeg", "jpegenc ! jpegdec", 320, 240, "jpegenc,jpegdec" },
    { "png", "videoconvert ! pngenc ! pngdec", 320, 240, "pngenc,pngdec" },
    { "theora", "theoraenc ! theoradec", 320, 240, "theoraenc,theoradec" },
    { "vp8", "vp8enc deadline=1 ! vp8dec", 320, 240, "vp8enc,vp8dec" },
    { "h264", "x264enc tune=zerolatency ! h264parse ! avdec_h264", 320, 240,
      "x264enc,h264parse,avdec_h264" },
};

static GstVigilMask *mask; /* the same on all frames: never copied on the way */

static void make_mask(void)
{
    static const guint8 pixels[] = { 1, 1, 3, 0, 1, 3 };
    GBytes *bytes = g_bytes_new_static(pixels, sizeof pixels);
    mask = gst_vigil_mask_new(0.25f, 0.5f, 0.5f, 0.25f, 3, 2, 1, bytes, NULL, 0);
    g_bytes_unref(bytes);
}

static GstPadProbeReturn put(GstPad *pad, GstPadProbeInfo *info, gpointer unused)
{
    GstBuffer *buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
    GstVigilMeta *meta = gst_buffer_add_vigil_meta(buffer, "classify0", "EMO_1M",
                                                   GST_VIGIL_TASK_CLASSIFICATION, 320,
                                                   240, GST_BUFFER_PTS(buffer));
    GstVigilResult *whole = gst_vigil_result_new_full_frame();
    gst_vigil_result_add_class(whole, 3, 0.75f, "street");
    gst_vigil_meta_add_result(meta, whole);
    GstVigilResult *region = gst_vigil_result_new_region(0.25f, 0.5f, 0.5f, 0.25f);
    gst_vigil_result_add_class(region, 7, 0.5f, "person");
    gst_vigil_result_set_mask(region, mask);
    gst_vigil_meta_add_result(meta, region);
    return GST_PAD_PROBE_OK;
}

typedef struct Got {
    const Case *c;
    guint frames, good;
} Got;

static gboolean is_good(const Case *c, GstBuffer *buffer)
{
    guint width, height, x, y, w, h;
    GList *metas = gst_vigil_buffer_get_metas(buffer);
    guint n = g_list_length(metas);
    GstVigilMeta *meta = n ? metas->data : NULL;
    g_list_free(metas);
    if (n != 1 || gst_vigil_meta_get_n_results(meta) != 2)
        return FALSE;
    gst_vigil_meta_get_frame_size(meta, &width, &height);
    gst_vigil_result_get_region_pixels(gst_vigil_meta_get_result(meta, 1), width,
                                       height, &x, &y, &w, &h);
    g_test_message("frame of %ux%u: region %u,%u %ux%u", width, height, x, y, w, h);
    if (gst_vigil_result_get_mask(gst_vigil_meta_get_result(meta, 1)) != mask)
        return FALSE;
    return width == c->width && height == c->height && x == (width + 2) / 4 &&
           y == (height + 1) / 2 && w == (width * 3 + 2) / 4 - x &&
           h == (height * 3 + 2) / 4 - y;
}

static GstPadProbeReturn get(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Got *got = data;
    got->frames++;
    got->good += is_good(got->c, GST_PAD_PROBE_INFO_BUFFER(info));
    return GST_PAD_PROBE_OK;
}

static void add_probe(GstElement *pipeline, const gchar *name,
                      GstPadProbeCallback probe, gpointer data)
{
    GstElement *element = gst_bin_get_by_name(GST_BIN(pipeline), name);
    GstPad *pad = gst_element_get_static_pad(element, "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, probe, data, NULL);
    gst_object_unref(pad);
    gst_object_unref(element);
}

static void play(GstElement *pipeline)
{
    GstBus *bus = gst_element_get_bus(pipeline);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstMessage *message = gst_bus_timed_pop_filtered(
        bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_nonnull(message);
    g_assert_cmpstr(GST_MESSAGE_TYPE_NAME(message), ==, "eos");
    gst_message_unref(message);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(bus);
}

static gboolean is_missing(const gchar *needs)
{
    gchar **names = g_strsplit(needs ? needs : "", ",", -1);
    gboolean missing = FALSE;
    for (gchar **name = names; *name && !missing; name++) {
        GstElementFactory *factory = gst_element_factory_find(*name);
        missing = !factory;
        gst_clear_object(&factory);
    }
    g_strfreev(names);
    return missing;
}

static void test_survival(gconstpointer data)
{
    const Case *c = data;
    Got got = { .c = c };
    GError *error = NULL;
    if (is_missing(c->needs)) {
        gchar *why = g_strdup_printf("one of %s is not installed", c->needs);
        g_test_skip(why);
        g_free(why);
        return;
    }
    gchar *line =
        g_strdup_printf("videotestsrc num-buffers=%d ! "
                        "video/x-raw,format=I420,width=320,height=240,framerate=10/1 ! "
                        "identity name=in ! %s ! fakesink name=out",
                        FRAMES, c->chain);
    GstElement *pipeline = gst_parse_launch(line, &error);
    g_assert_no_error(error);
    add_probe(pipeline, "in", put, NULL);
    add_probe(pipeline, "out", get, &got);
    play(pipeline);
    g_assert_cmpuint(got.frames, ==, FRAMES);
    g_assert_cmpuint(got.good, ==, FRAMES);
    gst_object_unref(pipeline);
    g_free(line);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gst_init(&argc, &argv);
    make_mask();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gchar *path = g_strconcat("/survival/", cases[i].name, NULL);
        g_test_add_data_func(path, &cases[i], test_survival);
        g_free(path);
    }
    const int result = g_test_run();
    gst_vigil_mask_unref(mask);
    return result;
}
