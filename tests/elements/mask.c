/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilmask: each pixel of its frames is the class that a mask has there.
 */
#include "segmenter.h"
#include <string.h>

#define VIDEO_CAPS "video/x-raw,format=RGB,width=40,height=30,framerate=25/1"

/* A mask of 4 x 3 pixels, a number each. */
typedef struct Small {
    gfloat region[4];
    guint16 pixels[12];
    guint bytes_per_pixel;
} Small;

static const Small plain = { { 0, 0, 1, 1 },
                             { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 254 },
                             1 };

static const gchar *const labels[] = { "sky", "road", "car", "person, sitting", "5" };

static GstVigilMeta *add_meta(GstBuffer *buffer, const gchar *source)
{
    return gst_buffer_add_vigil_meta(buffer, source, "voc", GST_VIGIL_TASK_SEGMENTATION,
                                     40, 30, GST_BUFFER_PTS(buffer));
}

static void add_mask(GstVigilMeta *meta, const Small *small)
{
    guint8 narrow[12];
    GstVigilResult *result = gst_vigil_result_new_full_frame();

    for (guint i = 0; i < 12; i++)
        narrow[i] = (guint8)small->pixels[i];
    GBytes *bytes = small->bytes_per_pixel == 1
                        ? g_bytes_new(narrow, sizeof narrow)
                        : g_bytes_new(small->pixels, sizeof small->pixels);
    GstVigilMask *mask = gst_vigil_mask_new(
        small->region[0], small->region[1], small->region[2], small->region[3], 4, 3,
        small->bytes_per_pixel, bytes, labels, G_N_ELEMENTS(labels));
    gst_vigil_result_set_mask(result, mask);
    gst_vigil_mask_unref(mask);
    g_bytes_unref(bytes);
    gst_vigil_meta_add_result(meta, result);
}

static GstBuffer *frame_without(GstClockTime pts)
{
    static const Grid red = { 40, 30, 1, 1, "r" };
    GstBuffer *frame = grid_frame(&red);
    GST_BUFFER_PTS(frame) = pts;
    GST_BUFFER_DURATION(frame) = FRAME_TIME;
    return frame;
}

static GstBuffer *frame_with(GstClockTime pts, const Small *small)
{
    GstBuffer *frame = frame_without(pts);

    add_mask(add_meta(frame, "segment"), small);
    return frame;
}

/* What came out, a byte a pixel without gaps. */
typedef struct Out {
    guint width, height;
    guint8 *pixels;
} Out;

static Out out_read(GstHarness *h, GstBuffer *buffer)
{
    GstCaps *caps = gst_pad_get_current_caps(h->sinkpad);
    GstVideoInfo info;
    GstVideoFrame frame;

    g_assert_true(gst_video_info_from_caps(&info, caps));
    gst_caps_unref(caps);
    g_assert_cmpint(GST_VIDEO_INFO_FORMAT(&info), ==, GST_VIDEO_FORMAT_GRAY8);
    g_assert_true(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
    Out out = { (guint)info.width, (guint)info.height,
                g_malloc((gsize)info.width * (gsize)info.height) };
    for (guint y = 0; y < out.height; y++)
        memcpy(out.pixels + y * out.width,
               (guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
                   y * (guint)GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0),
               out.width);
    gst_video_frame_unmap(&frame);
    return out;
}

static guint8 out_at(GstHarness *h, GstBuffer *frame, guint x, guint y)
{
    GstBuffer *buffer = gst_harness_push_and_pull(h, frame);
    const Out out = out_read(h, buffer);
    const guint8 value = out.pixels[y * out.width + x];
    gst_buffer_unref(buffer);
    g_free(out.pixels);
    return value;
}

static GstHarness *start(const gchar *launch)
{
    GstHarness *h = gst_harness_new_parse(launch);

    gst_harness_set_src_caps_str(h, VIDEO_CAPS);
    return h;
}

/* ---- Sizes ---------------------------------------------------------------------- */

static void check_size(const gchar *sink_caps, guint width, guint height)
{
    GstHarness *h = gst_harness_new("vigilmask");

    gst_harness_set_sink_caps_str(h, sink_caps);
    gst_harness_set_src_caps_str(h, VIDEO_CAPS);
    GstBuffer *buffer = gst_harness_push_and_pull(h, frame_with(0, &plain));
    const Out out = out_read(h, buffer);
    g_assert_cmpuint(out.width, ==, width);
    g_assert_cmpuint(out.height, ==, height);
    for (guint y = 0; y < height; y++)
        for (guint x = 0; x < width; x++) {
            const guint column = (2 * x + 1) * 4 / (2 * width);
            const guint row = (2 * y + 1) * 3 / (2 * height);
            g_assert_cmpuint(out.pixels[y * width + x], ==,
                             plain.pixels[row * 4 + column]);
        }
    g_free(out.pixels);
    gst_buffer_unref(buffer);
    gst_harness_teardown(h);
}

static void test_sizes(void)
{
    check_size("video/x-raw", 40, 30);
    check_size("video/x-raw,width=4,height=3", 4, 3);
    check_size("video/x-raw,width=7,height=5", 7, 5); /* rows of 8 bytes */
    check_size("video/x-raw,width=1,height=1", 1, 1);
    check_size("video/x-raw,width=1001,height=33", 1001, 33);
    check_size("video/x-raw,width=[64,640]", 64, 30);
    check_size("video/x-raw,width=320,height=240,pixel-aspect-ratio=1/1", 320, 240);
}

/* Shown as large as the video, where downstream lets it. */
static void test_pixel_aspect(void)
{
    GstHarness *h = gst_harness_new("vigilmask");
    gint n = 0, d = 0;

    gst_harness_set_sink_caps_str(h, "video/x-raw,width=40,height=60");
    gst_harness_set_src_caps_str(h, VIDEO_CAPS ",pixel-aspect-ratio=4/3");
    gst_buffer_unref(gst_harness_push_and_pull(h, frame_with(0, &plain)));
    GstCaps *caps = gst_pad_get_current_caps(h->sinkpad);
    g_assert_true(gst_structure_get_fraction(gst_caps_get_structure(caps, 0),
                                             "pixel-aspect-ratio", &n, &d));
    g_assert_true(n == 8 && d == 3);
    gst_caps_unref(caps);
    gst_harness_teardown(h);
}

/* Frames are not looked at: all that raw video knows is taken. */
static void test_formats(void)
{
    static const gchar *const caps[] = {
        "video/x-raw,format=P010_10LE,width=40,height=30,framerate=25/1",
        "video/x-raw(memory:SystemMemory,meta:GstVideoOverlayComposition),format=NV12,"
        "width=40,height=30,framerate=25/1",
        "video/x-raw,format=I420,width=40,height=30,framerate=0/1,"
        "interlace-mode=interleaved",
    };

    for (guint i = 0; i < G_N_ELEMENTS(caps); i++) {
        const GstVideoInfo info = frame_info(caps[i]);
        GstHarness *h = gst_harness_new("vigilmask");
        gst_harness_set_src_caps_str(h, caps[i]);
        GstBuffer *frame = gst_buffer_new_allocate(NULL, info.size, NULL);
        GST_BUFFER_PTS(frame) = 0;
        add_mask(add_meta(frame, "segment"), &plain);
        g_assert_cmpuint(out_at(h, frame, 39, 29), ==, 254);
        gst_harness_teardown(h);
    }
}

static void test_caps_change(void)
{
    GstHarness *h = start("vigilmask");

    g_assert_cmpuint(out_at(h, frame_with(0, &plain), 39, 29), ==, 254);
    gst_harness_set_src_caps_str(
        h, "video/x-raw,format=RGB,width=400,height=300,framerate=25/1");
    const GstVideoInfo info =
        frame_info("video/x-raw,format=RGB,width=400,height=300,framerate=25/1");
    GstBuffer *frame = frame_new(&info, PICTURE_COLOR, 0);
    add_mask(add_meta(frame, "segment"), &plain);
    g_assert_cmpuint(out_at(h, frame, 399, 299), ==, 254);
    gst_harness_set_src_caps_str(h, VIDEO_CAPS);
    g_assert_cmpuint(out_at(h, frame_with(FRAME_TIME, &plain), 39, 29), ==, 254);
    gst_harness_teardown(h);
}

/* ---- Values --------------------------------------------------------------------- */

static void test_background(void)
{
    static const Small part = { { 0.25F, 0, 0.5F, 0.5F },
                                { 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 255 },
                                1 };
    GstHarness *h = start("vigilmask");
    static const struct {
        guint x, y;
        guint8 want; /* 9: the background */
    } points[] = { { 9, 0, 9 },   { 10, 0, 3 },  { 29, 0, 3 },  { 30, 0, 9 },
                   { 10, 14, 3 }, { 10, 15, 9 }, { 29, 14, 9 }, { 24, 14, 3 } };

    for (guint i = 0; i < 2 * G_N_ELEMENTS(points); i++) {
        const guint8 background = i % 2 ? 77 : 255;
        gst_harness_set(h, "vigilmask", "background", (guint)background, NULL);
        const guint8 got =
            out_at(h, frame_with(i, &part), points[i / 2].x, points[i / 2].y);
        g_assert_cmpuint(got, ==, points[i / 2].want == 9 ? background : 3);
    }
    gst_harness_set(h, "vigilmask", "object-class", "3", NULL);
    g_assert_cmpuint(out_at(h, frame_with(100, &part), 9, 0), ==, 0);
    g_assert_cmpuint(out_at(h, frame_with(101, &part), 10, 0), ==, 255);
    g_assert_cmpuint(out_at(h, frame_with(102, &part), 29, 14), ==, 0);
    gst_harness_teardown(h);
}

static void test_object_class(void)
{
    static const struct {
        const gchar *text;
        guint wanted; /* a bit a class */
    } cases[] = {
        { "road", 1u << 1 },
        { "sky,car", 1u << 0 | 1u << 2 },
        { " car , 7 ", 1u << 2 | 1u << 7 },
        { "10", 1u << 10 },
        { "5", 1u << 4 | 1u << 5 }, /* a name here, a number there */
        { "road,nobody", 1u << 1 },
        { "-1", 0 },
        { "  ", 0xffff },
    };
    GstHarness *h = start("vigilmask");

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gst_harness_set(h, "vigilmask", "object-class", cases[i].text, NULL);
        GstBuffer *buffer = gst_harness_push_and_pull(h, frame_with(i, &plain));
        const Out out = out_read(h, buffer);
        for (guint k = 0; k < 11; k++) {
            const guint8 got = out.pixels[(k / 4 * 10 + 5) * 40 + k % 4 * 10 + 5];
            if (cases[i].wanted == 0xffff)
                g_assert_cmpuint(got, ==, k);
            else
                g_assert_cmpuint(got, ==, cases[i].wanted >> k & 1 ? 255 : 0);
        }
        g_free(out.pixels);
        gst_buffer_unref(buffer);
    }
    gst_harness_teardown(h);
}

/* Masks of regions and elements lie over each other in the order that they came in. */
static void test_order(void)
{
    static const Small part = { { 0.5F, 0, 0.5F, 1 },
                                { 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20 },
                                1 };
    GstHarness *h = start("vigilmask");
    GstBuffer *frame = frame_with(0, &plain);

    add_mask(frame_meta(frame), &part);
    g_assert_cmpuint(out_at(h, gst_buffer_copy(frame), 39, 0), ==, 20);
    g_assert_cmpuint(out_at(h, gst_buffer_copy(frame), 0, 0), ==, 0);
    add_mask(add_meta(frame, "other"), &plain);
    g_assert_cmpuint(out_at(h, frame, 39, 0), ==, 3);
    gst_harness_teardown(h);
}

/* A byte is not enough: told once, and the classes can still be asked for. */
static void test_high_classes(void)
{
    static const Small wide = { { 0, 0, 1, 1 },
                                { 3, 254, 255, 256, 40000, 3, 3, 3, 3, 3, 3, 65535 },
                                2 };
    GstHarness *h = gst_harness_new("vigilmask");
    GstBus *bus = gst_bus_new();
    static const guint8 want[] = { 3, 254, 255, 255 };

    gst_harness_set_src_caps_str(h, VIDEO_CAPS);
    gst_element_set_bus(h->element, bus);
    for (guint i = 0; i < 4; i++)
        g_assert_cmpuint(out_at(h, frame_with(i, &wide), 10 * i + 5, 5), ==, want[i]);
    g_assert_cmpuint(out_at(h, frame_with(5, &wide), 39, 29), ==, 255);
    gchar *text = bus_text(bus, GST_MESSAGE_WARNING);
    g_assert_nonnull(strstr(text, "Class 40000"));
    g_assert_nonnull(strstr(text, "object-class"));
    g_free(text);
    text = bus_text(bus, GST_MESSAGE_WARNING);
    g_assert_cmpstr(text, ==, "");
    g_free(text);
    gst_harness_set(h, "vigilmask", "object-class", "40000,255", NULL);
    g_assert_cmpuint(out_at(h, frame_with(6, &wide), 5, 15), ==, 255);
    g_assert_cmpuint(out_at(h, frame_with(7, &wide), 25, 5), ==, 255);
    g_assert_cmpuint(out_at(h, frame_with(9, &wide), 39, 29), ==, 0);
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
}

/* ---- Times ---------------------------------------------------------------------- */

static void test_hold(void)
{
    GstHarness *h = start("vigilmask");
    GstBuffer *empty = frame_without(700 * GST_MSECOND);

    g_assert_cmpuint(out_at(h, frame_with(10, &plain), 39, 29), ==, 254);
    g_assert_cmpuint(out_at(h, frame_without(10 + 500 * GST_MSECOND), 39, 29), ==, 254);
    g_assert_cmpuint(out_at(h, frame_without(11 + 500 * GST_MSECOND), 39, 29), ==, 255);
    g_assert_cmpuint(out_at(h, frame_with(600 * GST_MSECOND, &plain), 39, 29), ==, 254);
    add_meta(empty, "segment"); /* looked, and found nothing */
    g_assert_cmpuint(out_at(h, empty, 39, 29), ==, 255);
    gst_harness_set(h, "vigilmask", "hold-time", (guint64)0, NULL);
    g_assert_cmpuint(out_at(h, frame_with(800 * GST_MSECOND, &plain), 39, 29), ==, 254);
    g_assert_cmpuint(out_at(h, frame_without(801 * GST_MSECOND), 39, 29), ==, 255);
    gst_harness_teardown(h);
}

static void test_flush(void)
{
    GstHarness *h = start("vigilmask hold-time=18446744073709551615");
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    g_assert_cmpuint(out_at(h, frame_with(0, &plain), 39, 29), ==, 254);
    g_assert_cmpuint(out_at(h, frame_without(999 * GST_SECOND), 39, 29), ==, 254);
    gst_harness_push_event(h, gst_event_new_flush_start());
    gst_harness_push_event(h, gst_event_new_flush_stop(TRUE));
    gst_harness_push_event(h, gst_event_new_segment(&segment));
    g_assert_cmpuint(out_at(h, frame_without(999 * GST_SECOND), 39, 29), ==, 255);
    gst_harness_teardown(h);
}

/* A frame of its own for each frame, with its times, its flags and none of its metas;
 * gaps too are painted. */
static void test_frames(void)
{
    GstHarness *h = start("vigilmask");
    GstBuffer *frame = frame_with(7 * FRAME_TIME, &plain);

    gst_buffer_add_video_region_of_interest_meta(frame, "car", 1, 2, 3, 4);
    GST_BUFFER_FLAG_SET(frame, GST_BUFFER_FLAG_GAP);
    gst_buffer_ref(frame);
    GstBuffer *buffer = gst_harness_push_and_pull(h, frame);
    const Out out = out_read(h, buffer);
    g_assert_cmpuint(out.pixels[40 * 30 - 1], ==, 254);
    g_assert_cmpuint(GST_BUFFER_PTS(buffer), ==, 7 * FRAME_TIME);
    g_assert_cmpuint(GST_BUFFER_DURATION(buffer), ==, FRAME_TIME);
    g_assert_cmpuint(
        gst_buffer_get_n_meta(buffer, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), ==,
        0);
    g_assert_cmpuint(frame_count_metas(buffer), ==, 0);
    g_free(out.pixels);
    gst_buffer_unref(buffer);
    gst_buffer_unref(frame);
    gst_harness_teardown(h);
}

/* ---- Pipelines ------------------------------------------------------------------ */

typedef struct Branch {
    guint frames, bright;
    GstClockTime last;
} Branch;

static GstPadProbeReturn count_frame(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    Branch *branch = data;
    GstMapInfo map;

    branch->frames++;
    branch->last = GST_BUFFER_PTS(buffer);
    g_assert_true(gst_buffer_map(buffer, &map, GST_MAP_READ));
    g_assert_cmpuint(map.size, ==, 128 * 96);
    branch->bright = 0;
    for (gsize i = 0; i < map.size; i++) {
        g_assert_true(map.data[i] == 0 || map.data[i] == 255);
        branch->bright += map.data[i] != 0;
    }
    gst_buffer_unmap(buffer, &map);
    return GST_PAD_PROBE_OK;
}

static void watch(GstElement *pipeline, const gchar *name, Branch *branch)
{
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), name);
    GstPad *pad = gst_element_get_static_pad(sink, "sink");

    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, count_frame, branch, NULL);
    gst_object_unref(pad);
    gst_object_unref(sink);
}

/* A video in one colour, looked at once and seen twice behind a tee. */
static void test_tee(void)
{
    Branch red = { 0 }, green = { 0 };
    gchar *line = g_strdup_printf(
        "videotestsrc num-buffers=6 pattern=red ! "
        "video/x-raw,format=I420,width=128,height=96,framerate=25/1 ! "
        "vigilsegment inference-interval=2 model=%s ! tee name=t "
        "t. ! queue ! vigilmask object-class=red ! fakesink name=red "
        "t. ! queue ! vigilmask object-class=green ! fakesink name=green "
        "t. ! queue ! vigiloverlay ! fakesink",
        g_getenv("VIGIL_TEST_SEGMENTER"));
    GstElement *pipeline = gst_parse_launch(line, NULL);
    GstBus *bus = gst_element_get_bus(pipeline);

    watch(pipeline, "red", &red);
    watch(pipeline, "green", &green);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstMessage *message = gst_bus_timed_pop_filtered(
        bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_nonnull(message);
    g_assert_cmpstr(GST_MESSAGE_TYPE_NAME(message), ==, "eos");
    gst_message_unref(message);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    g_assert_cmpuint(red.frames, ==, 6);
    g_assert_cmpuint(red.bright, ==, 128 * 96);
    g_assert_cmpuint(red.last, ==, 5 * FRAME_TIME);
    g_assert_cmpuint(green.frames, ==, 6);
    g_assert_cmpuint(green.bright, ==, 0);
    gst_object_unref(bus);
    gst_object_unref(pipeline);
    g_free(line);
}

/* ---- Properties ----------------------------------------------------------------- */

static void test_properties(void)
{
    static const gchar *const names[] = { "object-class", "hold-time", "background" };
    GstElement *element = gst_element_factory_make("vigilmask", NULL);
    gchar *text = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        GParamSpec *spec =
            g_object_class_find_property(G_OBJECT_GET_CLASS(element), names[i]);
        GValue value = G_VALUE_INIT;
        g_assert_true(spec->flags & GST_PARAM_MUTABLE_PLAYING);
        g_value_init(&value, spec->value_type);
        g_object_get_property(G_OBJECT(element), names[i], &value);
        g_assert_true(g_param_value_defaults(spec, &value));
        if (G_VALUE_HOLDS_UINT(&value)) {
            g_value_set_uint(&value, 256);
            g_assert_true(g_param_value_validate(spec, &value)); /* out of range */
        }
        g_value_unset(&value);
    }
    g_object_set(element, "object-class", "car, road", NULL);
    g_object_get(element, "object-class", &text, NULL);
    g_assert_cmpstr(text, ==, "car, road");
    g_free(text);
    gst_object_unref(element);
}

static void test_states(void)
{
    GstHarness *h = start("vigilmask");

    for (guint i = 0; i < 60; i++)
        g_assert_cmpint(gst_element_set_state(h->element, i % 2 ? GST_STATE_PLAYING
                                                                : GST_STATE_NULL),
                        ==, GST_STATE_CHANGE_SUCCESS);
    gst_harness_teardown(h);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mask/sizes", test_sizes);
    g_test_add_func("/mask/pixel-aspect", test_pixel_aspect);
    g_test_add_func("/mask/formats", test_formats);
    g_test_add_func("/mask/caps-change", test_caps_change);
    g_test_add_func("/mask/background", test_background);
    g_test_add_func("/mask/object-class", test_object_class);
    g_test_add_func("/mask/order", test_order);
    g_test_add_func("/mask/high-classes", test_high_classes);
    g_test_add_func("/mask/hold", test_hold);
    g_test_add_func("/mask/flush", test_flush);
    g_test_add_func("/mask/frames", test_frames);
    g_test_add_func("/mask/tee", test_tee);
    g_test_add_func("/mask/properties", test_properties);
    g_test_add_func("/mask/states", test_states);
    return g_test_run();
}
