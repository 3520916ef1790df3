/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Results put on frames at the head of a pipeline, read at its end: which elements let
 * them through, and whether the regions are right then.  The table is what is known of
 * each GStreamer; the one in plugin/README.md is held against it.
 */
#include <gst/gst.h>
#include <gst/video/video.h>

#include "gstvigilmeta.h"

#define FRAMES 3
#define WIDTH 320
#define HEIGHT 240

typedef enum { RIGHT, OFF, LOST } Fate;
static const gchar *const fate_words[] = { "right", "off", "lost" };

/* The columns of the table, 1.x; a GStreamer in between is as the one before it. */
#define N_VERSIONS 2
static const guint versions[N_VERSIONS] = { 22, 26 };

typedef struct Row {
    const gchar *text; /* what is on the way, as README.md has it */
    Fate fate[N_VERSIONS];
} Row;

static const Row passed_on = {
    "`queue`, `multiqueue`, `tee`, `valve`, `input-selector`, "
    "`capsfilter`, `videorate`",
    { RIGHT, RIGHT }
};
static const Row converted = { "`videoconvert`, also to 10 bits", { RIGHT, RIGHT } };
static const Row in_place = { "`videobalance`, `gamma`", { RIGHT, RIGHT } };
static const Row stretched = { "`videoscale`, `videoconvertscale` with "
                               "`add-borders=false`, or to the same aspect ratio",
                               { RIGHT, RIGHT } };
static const Row bordered = { "`videoscale`, `videoconvertscale` with borders (the "
                              "default where the aspect ratio changes)",
                              { OFF, OFF } };
static const Row coded = { "encoder, parser and decoder: JPEG, PNG, Theora, VP8, VP9, "
                           "H.264",
                           { RIGHT, RIGHT } };
static const Row nothing = { "`videocrop`, `videobox` that change nothing",
                             { RIGHT, RIGHT } };
static const Row cropped = { "`videocrop`, `aspectratiocrop`, `videobox`",
                             { LOST, LOST } };
static const Row flipped = { "`videoflip`, each method", { LOST, LOST } };
static const Row mixed = { "`compositor`, `videomixer`, `alpha`, `deinterlace`",
                           { LOST, LOST } };
static const Row muxed = {
    "`matroskamux`, `mp4mux` and their demuxers, in one pipeline (a file "
    "keeps nothing)",
    { RIGHT, RIGHT }
};
static const Row packed = {
    "`flvmux`, `mpegtsmux` and their demuxers; RTP payloader and depayloader",
    { LOST, LOST }
};

static const Row *const rows[] = { &passed_on, &converted, &in_place, &stretched,
                                   &bordered,  &coded,     &nothing,  &cropped,
                                   &flipped,   &mixed,     &muxed,    &packed };

typedef struct Case {
    const gchar *name;
    const Row *row;
    const gchar *chain;  /* between two elements that pass anything */
    guint width, height; /* of the frames at the end; 0: as they were */
    gfloat region[4];    /* where the region ends up; all 0: where it was */
    const gchar *method; /* of the element `flip`; 1.22.0 forgets it in a line */
} Case;

static const Case cases[] = {
    { "queue", &passed_on, "queue ! queue" },
    { "multiqueue", &passed_on, "multiqueue" },
    { "tee", &passed_on, "tee name=t ! queue ! fakesink t. ! queue" },
    { "valve", &passed_on, "valve" },
    { "input-selector", &passed_on, "input-selector" },
    { "capsfilter", &passed_on, "capsfilter caps=video/x-raw,format=I420" },
    { "videorate", &passed_on, "videorate ! video/x-raw,framerate=10/1" },
    { "videoconvert", &converted, "videoconvert ! video/x-raw,format=RGB" },
    { "videoconvert-10bit", &converted, "videoconvert ! video/x-raw,format=I420_10LE" },
    { "videobalance", &in_place, "videobalance saturation=0.5" },
    { "gamma", &in_place, "gamma gamma=2" },
    { "videoscale-stretch", &stretched,
      "videoscale add-borders=false ! video/x-raw,width=500,height=100", 500, 100 },
    { "videoscale-same-aspect", &stretched,
      "videoscale ! video/x-raw,width=160,height=120", 160, 120 },
    { "videoscale-pixel-aspect", &stretched,
      "videoscale ! video/x-raw,width=160,height=160", 160, 160 },
    { "convert-and-scale-twice", &stretched,
      "videoconvertscale add-borders=false ! "
      "video/x-raw,format=BGRA,width=123,height=77 ! "
      "videoconvertscale add-borders=false ! "
      "video/x-raw,format=NV12,width=640,height=480",
      640, 480 },
    { "videoscale-borders",
      &bordered,
      "videoscale ! video/x-raw,width=320,height=320,pixel-aspect-ratio=1/1",
      320,
      320,
      { 0.125f, 0.5f, 0.5f, 0.1875f } },
    { "videoconvertscale-borders",
      &bordered,
      "videoconvertscale ! video/x-raw,width=400,height=240,pixel-aspect-ratio=1/1",
      400,
      240,
      { 0.2f, 0.5f, 0.4f, 0.25f } },
    { "jpeg", &coded, "jpegenc ! jpegparse ! jpegdec" },
    { "png", &coded, "videoconvert ! pngenc ! pngparse ! pngdec" },
    { "theora", &coded, "theoraenc ! theoraparse ! theoradec" },
    { "vp8", &coded, "vp8enc deadline=1 ! vp8dec" },
    { "vp9", &coded, "vp9enc deadline=1 ! vp9parse ! vp9dec" },
    { "h264-x264", &coded, "x264enc tune=zerolatency ! h264parse ! avdec_h264" },
    { "h264-x264-reordered", &coded, "x264enc bframes=2 ! h264parse ! avdec_h264" },
    { "h264-openh264", &coded, "openh264enc ! h264parse ! openh264dec" },
    { "videocrop-nothing", &nothing, "videocrop" },
    { "videobox-nothing", &nothing, "videobox" },
    { "videocrop",
      &cropped,
      "videocrop left=20 right=40 top=20 bottom=10",
      260,
      210,
      { 20 / 260.0f, 100 / 210.0f, 160 / 260.0f, 60 / 210.0f } },
    { "aspectratiocrop",
      &cropped,
      "aspectratiocrop aspect-ratio=1/1",
      240,
      240,
      { 0, 0.5f, 160 / 240.0f, 0.25f } },
    { "videobox",
      &cropped,
      "videobox left=-40 top=-20",
      360,
      260,
      { 80 / 360.0f, 140 / 260.0f, 160 / 360.0f, 60 / 260.0f } },
    { "videoflip-clockwise",
      &flipped,
      "videoflip name=flip",
      240,
      320,
      { 0.25f, 0.125f, 0.25f, 0.5f },
      "clockwise" },
    { "videoflip-rotate-180",
      &flipped,
      "videoflip name=flip",
      320,
      240,
      { 0.375f, 0.25f, 0.5f, 0.25f },
      "rotate-180" },
    { "videoflip-counterclockwise",
      &flipped,
      "videoflip name=flip",
      240,
      320,
      { 0.5f, 0.375f, 0.25f, 0.5f },
      "counterclockwise" },
    { "videoflip-horizontal-flip",
      &flipped,
      "videoflip name=flip",
      320,
      240,
      { 0.375f, 0.5f, 0.5f, 0.25f },
      "horizontal-flip" },
    { "videoflip-vertical-flip",
      &flipped,
      "videoflip name=flip",
      320,
      240,
      { 0.125f, 0.25f, 0.5f, 0.25f },
      "vertical-flip" },
    { "videoflip-upper-left-diagonal",
      &flipped,
      "videoflip name=flip",
      240,
      320,
      { 0.5f, 0.125f, 0.25f, 0.5f },
      "upper-left-diagonal" },
    { "videoflip-upper-right-diagonal",
      &flipped,
      "videoflip name=flip",
      240,
      320,
      { 0.25f, 0.375f, 0.25f, 0.5f },
      "upper-right-diagonal" },
    { "compositor", &mixed, "compositor" },
    { "videomixer", &mixed, "videomixer" },
    { "alpha", &mixed, "alpha alpha=0.5" },
    { "deinterlace", &mixed, "deinterlace mode=interlaced" },
    { "matroska", &muxed, "vp8enc deadline=1 ! matroskamux ! matroskademux ! vp8dec" },
    { "flv", &packed,
      "x264enc tune=zerolatency ! h264parse ! flvmux ! flvdemux ! h264parse ! "
      "avdec_h264" },
    { "mpegts", &packed,
      "x264enc tune=zerolatency ! h264parse ! mpegtsmux ! tsdemux ! h264parse ! "
      "avdec_h264" },
    { "mp4", &muxed,
      "x264enc tune=zerolatency ! h264parse ! mp4mux fragment-duration=100 ! qtdemux ! "
      "h264parse ! avdec_h264" },
    { "rtp", &packed, "jpegenc ! rtpjpegpay ! rtpjpegdepay ! jpegdec" },
};

static const gfloat put_region[] = { 0.125f, 0.5f, 0.5f, 0.25f };
static GstVigilMask *mask; /* the same on all frames: never copied on the way */

static void make_mask(void)
{
    static const guint8 pixels[] = { 1, 1, 3, 0, 1, 3 };
    GBytes *bytes = g_bytes_new_static(pixels, sizeof pixels);
    mask = gst_vigil_mask_new(0.125f, 0.5f, 0.5f, 0.25f, 3, 2, 1, bytes, NULL, 0);
    g_bytes_unref(bytes);
}

static GstPadProbeReturn put(GstPad *pad, GstPadProbeInfo *info, gpointer unused)
{
    GstBuffer *buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
    GstVigilMeta *meta = gst_buffer_add_vigil_meta(buffer, "classify0", "EMO_1M",
                                                   GST_VIGIL_TASK_CLASSIFICATION, WIDTH,
                                                   HEIGHT, GST_BUFFER_PTS(buffer));
    GstVigilResult *whole = gst_vigil_result_new_full_frame();
    gst_vigil_result_add_class(whole, 3, 0.75f, "street");
    gst_vigil_meta_add_result(meta, whole);
    GstVigilResult *region = gst_vigil_result_new_region(put_region[0], put_region[1],
                                                         put_region[2], put_region[3]);
    gst_vigil_result_add_class(region, 7, 0.5f, "person");
    gst_vigil_result_set_mask(region, mask);
    gst_vigil_meta_add_result(meta, region);
    return GST_PAD_PROBE_OK;
}

typedef struct Got {
    const Case *c;
    guint frames, fates[LOST + 1];
} Got;

static gboolean is_right(const Case *c, const GstVigilMeta *meta)
{
    const GstVigilResult *result = gst_vigil_meta_get_result(meta, 1);
    const gfloat *wanted = c->region[2] > 0 ? c->region : put_region;
    gfloat region[4];
    guint width, height;
    gst_vigil_meta_get_frame_size(meta, &width, &height);
    gst_vigil_result_get_region(result, &region[0], &region[1], &region[2], &region[3]);
    g_test_message("frame of %ux%u: region %g,%g %gx%g", width, height, region[0],
                   region[1], region[2], region[3]);
    gboolean right =
        width == (c->width ? c->width : WIDTH) &&
        height == (c->height ? c->height : HEIGHT) &&
        gst_vigil_result_is_full_frame(gst_vigil_meta_get_result(meta, 0)) &&
        gst_vigil_result_get_mask(result) == mask;
    for (int i = 0; i < 4; i++)
        right = right && ABS(region[i] - wanted[i]) < 0.001f;
    return right;
}

static Fate find_fate(const Case *c, GstBuffer *buffer)
{
    GList *metas = gst_vigil_buffer_get_metas(buffer);
    Fate fate = LOST;
    if (metas) {
        g_assert_cmpuint(g_list_length(metas), ==, 1);
        g_assert_cmpuint(gst_vigil_meta_get_n_results(metas->data), ==, 2);
        fate = is_right(c, metas->data) ? RIGHT : OFF;
    }
    g_list_free(metas);
    return fate;
}

static GstPadProbeReturn get(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Got *got = data;
    got->frames++;
    got->fates[find_fate(got->c, GST_PAD_PROBE_INFO_BUFFER(info))]++;
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

static void set_method(GstElement *pipeline, const gchar *method)
{
    GstElement *flip = gst_bin_get_by_name(GST_BIN(pipeline), "flip");
    gst_util_set_object_arg(G_OBJECT(flip), "method", method);
    gst_object_unref(flip);
}

static void play(GstElement *pipeline)
{
    GstBus *bus = gst_element_get_bus(pipeline);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstMessage *message = gst_bus_timed_pop_filtered(
        bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_cmpstr(message ? GST_MESSAGE_TYPE_NAME(message) : "a minute", ==, "eos");
    gst_clear_message(&message);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(bus);
}

/* The column that tells of the GStreamer at hand. */
static guint version_at_hand(void)
{
    guint major, minor, micro, nano, column = 0;
    gst_version(&major, &minor, &micro, &nano);
    while (column + 1 < N_VERSIONS && versions[column + 1] <= minor)
        column++;
    return column;
}

/* NULL, and the test skipped, where one of the elements is missing. */
static GstElement *build(const Case *c)
{
    GError *error = NULL;
    gchar *line = g_strdup_printf("videotestsrc num-buffers=%d ! video/x-raw,"
                                  "format=I420,width=%d,height=%d,framerate=10/1 ! "
                                  "identity name=in ! %s ! fakesink name=out",
                                  FRAMES, WIDTH, HEIGHT, c->chain);
    GstElement *pipeline =
        gst_parse_launch_full(line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
    if (g_error_matches(error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT))
        g_test_skip(error->message);
    else
        g_assert_no_error(error);
    g_clear_error(&error);
    g_free(line);
    return pipeline;
}

static void test_survival(gconstpointer data)
{
    const Case *c = data;
    const Fate fate = c->row->fate[version_at_hand()];
    Got got = { .c = c };
    GstElement *pipeline = build(c);
    if (!pipeline)
        return;
    if (c->method)
        set_method(pipeline, c->method);
    add_probe(pipeline, "in", put, NULL);
    add_probe(pipeline, "out", get, &got);
    play(pipeline);
    g_test_message("of %u frames: %u right, %u off, %u lost; all should be %s",
                   got.frames, got.fates[RIGHT], got.fates[OFF], got.fates[LOST],
                   fate_words[fate]);
    g_assert_cmpuint(got.frames, >=, 1);
    g_assert_cmpuint(got.fates[fate], ==, got.frames);
    if (fate != LOST)
        g_assert_cmpuint(got.frames, ==, FRAMES);
    gst_object_unref(pipeline);
}

/* The line of a table in README.md that starts with the text goes on with the cells,
 * which are taken. */
static void assert_documented(const gchar *readme, const gchar *text, GString *cells)
{
    gchar *start = g_strdup_printf("\n| %s |", text);
    const gchar *line = strstr(readme, start);
    const gchar *rest = line ? line + strlen(start) : "";
    gchar *found = g_strndup(rest, strcspn(rest, "\n"));
    g_test_message("%s", text);
    g_assert_cmpstr(found, ==, cells->str);
    g_string_free(cells, TRUE);
    g_free(found);
    g_free(start);
}

static void test_documented(void)
{
    GError *error = NULL;
    gchar *readme = NULL;
    if (!g_file_get_contents(VIGIL_TEST_README, &readme, NULL, &error))
        g_error("%s", error->message);
    GString *head = g_string_new(NULL);
    for (guint v = 0; v < N_VERSIONS; v++)
        g_string_append_printf(head, " GStreamer 1.%u |", versions[v]);
    assert_documented(readme, "on the way", head);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        GString *cells = g_string_new(NULL);
        for (guint v = 0; v < N_VERSIONS; v++)
            g_string_append_printf(cells, " %s |", fate_words[rows[i]->fate[v]]);
        assert_documented(readme, rows[i]->text, cells);
    }
    g_free(readme);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions(); /* of each case, not of the first alone */
    gst_init(&argc, &argv);
    make_mask();
    g_test_add_func("/survival/documented", test_documented);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gchar *path = g_strconcat("/survival/", cases[i].name, NULL);
        g_test_add_data_func(path, &cases[i], test_survival);
        g_free(path);
    }
    const int result = g_test_run();
    gst_vigil_mask_unref(mask);
    return result;
}
