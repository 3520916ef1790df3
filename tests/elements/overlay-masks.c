/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Masks in vigiloverlay: where they are tinted and how, in the frame and beside it, and
 * their legend.
 */
#include "overlay-frames.h"

#include <string.h>

#define COLUMNS 8
#define ROWS 6
/* Cells are 40 x 40 pixels of the frame. */
static const gchar *const words[] = { "background", "person", "car", "road" };

static GstVigilMask *new_mask(const gchar *cells, const gfloat region[4])
{
    guint8 pixels[COLUMNS * ROWS];

    g_assert_cmpuint(strlen(cells), ==, sizeof pixels);
    for (guint i = 0; i < sizeof pixels; i++)
        pixels[i] = cells[i] == '.' ? 255 : (guint8)(cells[i] - '0');
    GBytes *bytes = g_bytes_new(pixels, sizeof pixels);
    GstVigilMask *mask = gst_vigil_mask_new(region[0], region[1], region[2], region[3],
                                            COLUMNS, ROWS, 1, bytes, words, 4);
    g_bytes_unref(bytes);
    return mask;
}

static const gfloat whole[] = { 0, 0, 1, 1 };

/* Person on the left, car on the right, background below, nothing at the bottom. */
static const gchar usual[] = "11112222"
                             "11112222"
                             "11112222"
                             "00000000"
                             "00000000"
                             "........";

static void add_mask(GstVigilMeta *meta, const gchar *cells, const gfloat region[4])
{
    GstVigilResult *result = gst_vigil_result_new_full_frame();
    GstVigilMask *mask = new_mask(cells, region);

    gst_vigil_result_set_mask(result, mask);
    gst_vigil_mask_unref(mask);
    gst_vigil_meta_add_result(meta, result);
}

static GstBuffer *masked_frame(const Fixture *f, GstClockTime pts, const gchar *cells)
{
    GstBuffer *frame = new_frame(f, pts);

    add_mask(add_meta(frame, "a"), cells, whole);
    return frame;
}

/* Grey, so that a tint can be read. */
static GstBuffer *grey_frame(const Fixture *f, GstClockTime pts, guint8 level)
{
    GstBuffer *frame = new_frame(f, pts);

    gst_buffer_memset(frame, 0, level, gst_buffer_get_size(frame));
    return frame;
}

static void rgb_at(const Fixture *f, GstBuffer *buffer, guint x, guint y, gint rgb[3])
{
    GstVideoInfo info = f->info;
    GstVideoFrame frame;

    g_assert_true(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
    const guint8 *p = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
                      y * (guint)GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0) + 3 * x;
    for (guint c = 0; c < 3; c++)
        rgb[c] = p[c];
    gst_video_frame_unmap(&frame);
}

static gboolean near(const gint a[3], const gint b[3], gint most)
{
    return ABS(a[0] - b[0]) <= most && ABS(a[1] - b[1]) <= most &&
           ABS(a[2] - b[2]) <= most;
}

/* ---- Where ---------------------------------------------------------------------- */

/* Nothing but the classes themselves: background and no class stay bit by bit. */
static void test_where(void)
{
    Fixture f = start("vigiloverlay legend-classes=0", RGB_CAPS);
    const Area area = push(&f, masked_frame(&f, 0, usual));

    g_assert_true(area.x == 0 && area.y == 0 && area.width == 320);
    g_assert_cmpuint(area.height, >=, 120);
    g_assert_cmpuint(area.height, <=, 140); /* fades over half a cell */
    stop(&f);
}

static void test_region(void)
{
    static const gfloat region[] = { 0.5F, 0.25F, 0.25F, 0.5F };
    Fixture f = start("vigiloverlay legend-classes=0", RGB_CAPS);
    GstBuffer *frame = new_frame(&f, 0);

    add_mask(add_meta(frame, "a"), "333333333333333333333333333333333333333333333333",
             region);
    const Area area = push(&f, frame);
    g_assert_true(area.x == 160 && area.y == 60 && area.width == 80 &&
                  area.height == 120);
    stop(&f);
}

/* What is not there leaves the frame as it came, shared or not. */
static void test_nothing(void)
{
    static const gchar *const lines[] = { "vigiloverlay", "vigiloverlay mask-opacity=0",
                                          "vigiloverlay opacity=0" };

    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        Fixture f = start(lines[i], RGB_CAPS);
        GstBuffer *frame = masked_frame(
            &f, 0, i ? usual : "0000000000000000000000000000000000000000........");
        GstBuffer *output = gst_harness_push_and_pull(f.harness, gst_buffer_ref(frame));
        g_assert_true(output == frame);
        g_assert_cmpuint(changed(&f, output).width, ==, 0);
        gst_buffer_unref(output);
        gst_buffer_unref(frame);
        stop(&f);
    }
}

/* ---- How ------------------------------------------------------------------------ */

/* (1 - opacity) of the frame and opacity of the colour that boxes of the class have. */
static void test_colors(void)
{
    static const gdouble opacities[] = { 0.25, 0.5, 1 };
    Fixture f = start("vigiloverlay legend-classes=0 draw-labels=false "
                      "draw-scores=false line-width=8",
                      RGB_CAPS);
    gint color[2][3];
    GstBuffer *frame = grey_frame(&f, 0, 100);
    GstVigilMeta *meta = add_meta(frame, "a");

    for (gint i = 0; i < 2; i++) {
        GstVigilResult *box =
            gst_vigil_result_new_region(0.5F * (gfloat)i, 0.25F, 0.4F, 0.5F);
        gst_vigil_result_set_detection(box, words[i + 1], 40 + i, 0.5F);
        gst_vigil_meta_add_result(meta, box);
    }
    GstBuffer *output = gst_harness_push_and_pull(f.harness, frame);
    rgb_at(&f, output, 6, 120, color[0]);
    rgb_at(&f, output, 166, 120, color[1]);
    gst_buffer_unref(output);
    g_assert_false(near(color[0], color[1], 40));

    for (guint i = 0; i < G_N_ELEMENTS(opacities); i++) {
        gst_harness_set(f.harness, "vigiloverlay", "mask-opacity", opacities[i], NULL);
        frame = grey_frame(&f, i + 1, 100);
        add_mask(add_meta(frame, "a"), usual, whole);
        output = gst_harness_push_and_pull(f.harness, frame);
        for (guint k = 0; k < 2; k++) {
            gint got[3], want[3];
            rgb_at(&f, output, 60 + 160 * k, 60, got);
            for (guint c = 0; c < 3; c++)
                want[c] = (gint)(100 * (1 - opacities[i]) + color[k][c] * opacities[i]);
            g_test_message("%g: %d %d %d, expected %d %d %d", opacities[i], got[0],
                           got[1], got[2], want[0], want[1], want[2]);
            g_assert_true(near(got, want, 3));
        }
        gst_buffer_unref(output);
    }
    stop(&f);
}

static gint distance(const gint a[3], const gint b[3])
{
    return ABS(a[0] - b[0]) + ABS(a[1] - b[1]) + ABS(a[2] - b[2]);
}

/* Two classes meet, and one ends, where they do in the mask: in the middle of the way
 * from one colour to the other. */
static void test_edges(void)
{
    Fixture f = start("vigiloverlay legend-classes=0 mask-opacity=1", RGB_CAPS);
    GstBuffer *frame = grey_frame(&f, 0, 100);
    const gint grey[] = { 100, 100, 100 };
    gint person[3], car[3], at[3];

    add_mask(add_meta(frame, "a"), usual, whole);
    GstBuffer *output = gst_harness_push_and_pull(f.harness, frame);
    rgb_at(&f, output, 20, 60, person);
    rgb_at(&f, output, 300, 60, car);
    rgb_at(&f, output, 157, 60, at);
    g_assert_cmpint(distance(at, person), <, distance(at, car));
    rgb_at(&f, output, 162, 60, at);
    g_assert_cmpint(distance(at, person), >, distance(at, car));
    rgb_at(&f, output, 20, 117, at);
    g_assert_cmpint(distance(at, person), <, distance(at, grey));
    rgb_at(&f, output, 20, 122, at);
    g_assert_cmpint(distance(at, person), >, distance(at, grey));
    rgb_at(&f, output, 0, 0, at);
    g_assert_true(near(at, person, 0)); /* no fading at the rim */
    gst_buffer_unref(output);
    stop(&f);
}

/* The classes of a well-known set all look different. */
static void test_distinct(void)
{
    static const gchar *const voc[] = {
        "aeroplane",   "bicycle", "bird",  "boat",      "bottle",
        "bus",         "car",     "cat",   "chair",     "cow",
        "diningtable", "dog",     "horse", "motorbike", "person",
        "pottedplant", "sheep",   "sofa",  "train",     "tvmonitor",
    };
    Fixture f = start("vigiloverlay legend-classes=0 mask-opacity=1", RGB_CAPS);
    guint8 pixels[20];
    gint colors[20][3];
    guint alike = 0;

    for (guint i = 0; i < 20; i++)
        pixels[i] = (guint8)i;
    GBytes *bytes = g_bytes_new(pixels, sizeof pixels);
    GstVigilMask *mask = gst_vigil_mask_new(0, 0, 1, 1, 20, 1, 1, bytes, voc, 20);
    GstVigilResult *result = gst_vigil_result_new_full_frame();
    GstBuffer *frame = new_frame(&f, 0);
    gst_vigil_result_set_mask(result, mask);
    gst_vigil_meta_add_result(add_meta(frame, "a"), result);
    GstBuffer *output = gst_harness_push_and_pull(f.harness, frame);
    for (guint i = 0; i < 20; i++) {
        rgb_at(&f, output, 16 * i + 8, 120, colors[i]);
        for (guint k = 0; k < i; k++)
            alike += near(colors[i], colors[k], 10);
    }
    g_test_message("%u pairs alike", alike);
    g_assert_cmpuint(alike, <=, 2);
    gst_buffer_unref(output);
    gst_vigil_mask_unref(mask);
    g_bytes_unref(bytes);
    stop(&f);
}

/* A new mask is drawn, the same one is not drawn again, and it ends with its time. */
static void test_changes(void)
{
    static const gchar other[] = "333333333333333333333333333333333333333333333333";
    Fixture f = start("vigiloverlay legend-classes=0 mask-opacity=1", RGB_CAPS);
    gint first[3], second[3], held[3];
    GstBuffer *output;

    output = gst_harness_push_and_pull(f.harness, masked_frame(&f, 0, usual));
    rgb_at(&f, output, 60, 60, first);
    gst_buffer_unref(output);
    output = gst_harness_push_and_pull(f.harness, masked_frame(&f, 1, other));
    rgb_at(&f, output, 60, 60, second);
    gst_buffer_unref(output);
    output = gst_harness_push_and_pull(f.harness, new_frame(&f, 400 * GST_MSECOND));
    rgb_at(&f, output, 60, 60, held);
    gst_buffer_unref(output);
    g_assert_false(near(first, second, 10));
    g_assert_true(near(second, held, 0));
    g_assert_cmpuint(push_at(&f, 600 * GST_MSECOND).width, ==, 0);
    stop(&f);
}

/* ---- The legend ----------------------------------------------------------------- */

static Area legend_area(const gchar *launch, const gchar *caps, const gchar *cells)
{
    Fixture f = start(launch, caps);
    const Area area = push(&f, masked_frame(&f, 0, cells));

    stop(&f);
    return area;
}

/* Only the bottom row has a class: what changes above it is the legend. */
static void test_legend(void)
{
    static const gchar one[] = "000000000000000000000000000000000000000000000001";
    static const gchar three[] = "000000000000000000000000000000000000000033221111";
    const Area a = legend_area("vigiloverlay", RGB_CAPS, one);
    const Area b = legend_area("vigiloverlay legend-classes=0", RGB_CAPS, one);
    const Area c =
        legend_area("vigiloverlay draw-labels=false draw-scores=false", RGB_CAPS, one);

    g_assert_true(a.x < 20 && a.y < 20);
    g_assert_cmpuint(b.y, >, 160);
    g_assert_cmpuint(c.y, >, 160);
    Fixture f = start("vigiloverlay panel-position=bottom-right", RGB_CAPS);
    GstBuffer *output =
        gst_harness_push_and_pull(f.harness, masked_frame(&f, 0, three));
    const Area d = changed(&f, output);
    g_assert_cmpuint(d.y, >, 120);
    gst_buffer_unref(output);
    stop(&f);
}

static guint legend_height(const gchar *launch, const gchar *caps)
{
    Fixture f = start(launch, caps);
    GstBuffer *frame = new_frame(&f, 0);
    guint8 pixels[40];
    guint bottom = 0;

    for (guint i = 0; i < 40; i++)
        pixels[i] = (guint8)i;
    GBytes *bytes = g_bytes_new(pixels, sizeof pixels);
    /* a strip along the right side */
    GstVigilMask *mask =
        gst_vigil_mask_new(0.96F, 0, 0.04F, 1, 1, 40, 1, bytes, NULL, 0);
    GstVigilResult *result = gst_vigil_result_new_full_frame();
    gst_vigil_result_set_mask(result, mask);
    gst_vigil_meta_add_result(add_meta(frame, "a"), result);
    GstBuffer *output = gst_harness_push_and_pull(f.harness, frame);
    GstBuffer *original = new_frame(&f, 0);
    GstVideoFrame before, after;
    g_assert_true(gst_video_frame_map(&before, &f.info, original, GST_MAP_READ));
    g_assert_true(gst_video_frame_map(&after, &f.info, output, GST_MAP_READ));
    for (guint y = 0; y < (guint)f.info.height; y++)
        for (guint x = 0; x < (guint)f.info.width / 2; x++)
            if (differs(&before, &after, 0, x, y))
                bottom = y + 1;
    gst_video_frame_unmap(&after);
    gst_video_frame_unmap(&before);
    gst_buffer_unref(original);
    gst_buffer_unref(output);
    gst_vigil_mask_unref(mask);
    g_bytes_unref(bytes);
    stop(&f);
    return bottom;
}

/* It grows with the classes and the frame, and always leaves room. */
static void test_legend_room(void)
{
    static const gchar *const large =
        "video/x-raw,format=RGB,width=1280,height=720,framerate=10/1";
    static const gchar *const small =
        "video/x-raw,format=RGB,width=96,height=64,framerate=10/1";
    const guint two = legend_height("vigiloverlay legend-classes=2", large);
    const guint four = legend_height("vigiloverlay legend-classes=4", large);
    const guint all = legend_height("vigiloverlay legend-classes=100", large);

    g_assert_cmpuint(two, >, 720 / 15);
    g_assert_cmpuint(four, >, two + 40);
    g_assert_cmpuint(all, >, four + 40);
    g_assert_cmpuint(all, <=, 720 * 2 / 3);
    g_assert_cmpuint(legend_height("vigiloverlay legend-classes=100", small), <=, 56);
    g_assert_cmpuint(legend_height("vigiloverlay legend-classes=2", RGB_CAPS), <, two);
}

/* ---- Formats, and beside the frame ---------------------------------------------- */

static void test_formats(void)
{
    static const gchar *const formats[] = { "I420", "NV12",  "YUY2",
                                            "BGRA", "GRAY8", "Y444" };
    static const guint sizes[][2] = { { 322, 242 }, { 33, 27 }, { 1, 1 } };

    for (guint i = 0; i < G_N_ELEMENTS(formats) * G_N_ELEMENTS(sizes); i++) {
        const guint *size = sizes[i % G_N_ELEMENTS(sizes)];
        gchar *caps =
            g_strdup_printf("video/x-raw,format=%s,width=%u,height=%u,framerate=10/1",
                            formats[i / G_N_ELEMENTS(sizes)], size[0], size[1]);
        g_test_message("%s", caps);
        const Area area = legend_area("vigiloverlay mask-opacity=1", caps, usual);
        g_assert_cmpuint(area.width, ==, size[0]);
        g_free(caps);
    }
}

/* Frames whose rows lie apart. */
static void test_padded(void)
{
    Fixture f = start("vigiloverlay legend-classes=0 mask-opacity=1", RGB_CAPS);
    gsize offset[GST_VIDEO_MAX_PLANES] = { 7 };
    gint stride[GST_VIDEO_MAX_PLANES] = { 320 * 3 + 29 };
    GstBuffer *frame = gst_buffer_new_allocate(NULL, 7 + 240 * (320 * 3 + 29), NULL);
    GstMapInfo map;

    gst_buffer_memset(frame, 0, 100, gst_buffer_get_size(frame));
    GST_BUFFER_PTS(frame) = 0;
    gst_buffer_add_video_meta_full(frame, 0, GST_VIDEO_FORMAT_RGB, 320, 240, 1, offset,
                                   stride);
    add_mask(add_meta(frame, "a"), usual, whole);
    GstBuffer *output = gst_harness_push_and_pull(f.harness, frame);
    g_assert_true(gst_buffer_map(output, &map, GST_MAP_READ));
    for (gsize i = 0; i < map.size; i++) {
        const gsize at = i - 7, row = at / 989, column = at % 989;
        if (i < 7 || column >= 960 || row >= 140)
            g_assert_cmpuint(map.data[i], ==, 100);
    }
    g_assert_cmpuint(map.data[7 + 60 * 989 + 3 * 60], !=, 100);
    gst_buffer_unmap(output, &map);
    gst_buffer_unref(output);
    stop(&f);
}

/* The same picture, whether blended here or by downstream. */
static void test_composition(void)
{
    Fixture f = { gst_harness_new("vigiloverlay") },
            g = start("vigiloverlay", RGB_CAPS);

    gst_harness_add_propose_allocation_meta(
        f.harness, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
    gst_harness_set_sink_caps_str(
        f.harness, "video/x-raw(memory:SystemMemory,meta:GstVideoOverlayComposition),"
                   "format=RGB,width=320,height=240,framerate=10/1");
    set_caps(&f, RGB_CAPS);
    GstBuffer *beside =
        gst_harness_push_and_pull(f.harness, masked_frame(&f, 0, usual));
    GstBuffer *blended =
        gst_harness_push_and_pull(g.harness, masked_frame(&g, 0, usual));
    g_assert_cmpuint(changed(&f, beside).width, ==, 0);
    GstVideoOverlayCompositionMeta *meta =
        gst_buffer_get_video_overlay_composition_meta(beside);
    g_assert_nonnull(meta);
    GstBuffer *frame = new_frame(&f, 0);
    GstVideoFrame video;
    g_assert_true(gst_video_frame_map(&video, &f.info, frame, GST_MAP_READWRITE));
    gst_video_overlay_composition_blend(meta->overlay, &video);
    gst_video_frame_unmap(&video);
    for (guint y = 0; y < 240; y += 7)
        for (guint x = 0; x < 320; x += 5) {
            gint a[3], b[3];
            rgb_at(&f, frame, x, y, a);
            rgb_at(&g, blended, x, y, b);
            g_assert_true(near(a, b, 0));
        }
    gst_buffer_unref(frame);
    gst_buffer_unref(blended);
    gst_buffer_unref(beside);
    stop(&g);
    stop(&f);
}

/* Boxes and captions lie over masks. */
static void test_boxes_on_top(void)
{
    Fixture f = start("vigiloverlay legend-classes=0 mask-opacity=1 draw-labels=false "
                      "draw-scores=false line-width=8",
                      RGB_CAPS);
    gint box[3], mask[3];
    GstBuffer *frame = masked_frame(&f, 0, usual);
    GstVigilResult *result = gst_vigil_result_new_region(0, 0.25F, 0.4F, 0.5F);

    gst_vigil_result_set_detection(result, "car", 2, 0.5F);
    gst_vigil_meta_add_result(add_meta(frame, "b"), result);
    GstBuffer *output = gst_harness_push_and_pull(f.harness, frame);
    rgb_at(&f, output, 6, 90, box);    /* on the line of the box, over person */
    rgb_at(&f, output, 250, 60, mask); /* car */
    g_assert_true(near(box, mask, 3));
    gst_buffer_unref(output);
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gst_init(&argc, &argv);
    g_test_add_func("/overlay-masks/where", test_where);
    g_test_add_func("/overlay-masks/region", test_region);
    g_test_add_func("/overlay-masks/nothing", test_nothing);
    g_test_add_func("/overlay-masks/colors", test_colors);
    g_test_add_func("/overlay-masks/edges", test_edges);
    g_test_add_func("/overlay-masks/distinct", test_distinct);
    g_test_add_func("/overlay-masks/changes", test_changes);
    g_test_add_func("/overlay-masks/legend", test_legend);
    g_test_add_func("/overlay-masks/legend-room", test_legend_room);
    g_test_add_func("/overlay-masks/formats", test_formats);
    g_test_add_func("/overlay-masks/padded", test_padded);
    g_test_add_func("/overlay-masks/composition", test_composition);
    g_test_add_func("/overlay-masks/boxes-on-top", test_boxes_on_top);
    return g_test_run();
}
