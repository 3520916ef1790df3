/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigiloverlay in every format and in sizes from one pixel to 4K.
 */
#include "overlay-frames.h"

#include <string.h>

static gchar *caps_of(const gchar *format, guint width, guint height, const gchar *more)
{
    return g_strdup_printf("video/x-raw,format=%s,width=%u,height=%u,framerate=10/1%s",
                           format, width, height, more);
}

/* Noise around the box comes through bit by bit, to the neighbouring chroma sample. */
static void test_formats(void)
{
    static const gchar *formats[] = {
        "RGB",  "BGR",  "RGBx", "BGRx", "xRGB", "xBGR", "RGBA", "BGRA", "ARGB", "ABGR",
        "I420", "YV12", "NV12", "NV21", "YUY2", "YVYU", "UYVY", "Y42B", "Y444", "GRAY8",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        gchar *caps = caps_of(formats[i], 322, 242, "");
        Fixture f = start("vigiloverlay draw-labels=false draw-scores=false", caps);
        GstBuffer *frame = new_frame(&f, 0);
        add_region(add_meta(frame, "a"));
        g_test_message("%s", formats[i]);
        g_assert_true(inside(push(&f, frame), 160, 120, 84, 64));
        stop(&f);
        g_free(caps);
    }
}

static gboolean equal_bytes(const Fixture *f, GstBuffer *buffer)
{
    GstMapInfo a, b;
    GstBuffer *original = new_frame(f, 0);
    gst_buffer_map(original, &a, GST_MAP_READ);
    gst_buffer_map(buffer, &b, GST_MAP_READ);
    gboolean equal = a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
    gst_buffer_unmap(buffer, &b);
    gst_buffer_unmap(original, &a);
    gst_buffer_unref(original);
    return equal;
}

static void test_every_format(void)
{
    GstElementFactory *factory = gst_element_factory_find("vigiloverlay");
    const GList *templates = gst_element_factory_get_static_pad_templates(factory);
    GstCaps *all = gst_static_pad_template_get_caps(templates->data);
    const GValue *formats =
        gst_structure_get_value(gst_caps_get_structure(all, 0), "format");
    guint n = gst_value_list_get_size(formats);
    g_assert_cmpuint(n, >, 50);
    for (guint i = 0; i < n; i++) {
        const gchar *format = g_value_get_string(gst_value_list_get_value(formats, i));
        gchar *caps = caps_of(format, 160, 128, "");
        Fixture f = start("vigiloverlay", caps);
        GstBuffer *frame = new_frame(&f, 0);
        add_classes(add_meta(frame, "a"));
        g_test_message("%s", format);
        frame = gst_harness_push_and_pull(f.harness, frame);
        g_assert_nonnull(frame);
        g_assert_false(equal_bytes(&f, frame));
        gst_buffer_unref(frame);
        stop(&f);
        g_free(caps);
    }
    gst_caps_unref(all);
    gst_object_unref(factory);
}

static void test_sizes(void)
{
    static const guint sizes[][2] = { { 1, 1 },   { 2, 1 },     { 16, 16 },
                                      { 17, 3 },  { 3, 97 },    { 31, 33 },
                                      { 321, 7 }, { 641, 481 }, { 3840, 2160 } };
    static const gchar *formats[] = { "I420", "RGB", "YUY2" };
    for (gsize i = 0; i < G_N_ELEMENTS(sizes) * G_N_ELEMENTS(formats); i++) {
        const guint *size = sizes[i / G_N_ELEMENTS(formats)];
        gchar *caps = caps_of(formats[i % G_N_ELEMENTS(formats)], size[0], size[1], "");
        Fixture f = start("vigiloverlay", caps);
        GstBuffer *frame = new_frame(&f, 0);
        GstVigilMeta *meta = add_meta(frame, "a");
        add_classes(meta);
        add_region(meta);
        g_test_message("%s", caps);
        frame = gst_harness_push_and_pull(f.harness, frame);
        g_assert_nonnull(frame);
        g_assert_false(size[0] > 16 && size[1] > 16 && equal_bytes(&f, frame));
        gst_buffer_unref(frame);
        stop(&f);
        g_free(caps);
    }
}

static void test_caps_change(void)
{
    Fixture f = start("vigiloverlay", RGB_CAPS);
    push_classes_at(&f, 0);
    gchar *caps = caps_of("NV12", 640, 360, "");
    set_caps(&f, caps);
    g_assert_cmpuint(push_at(&f, GST_MSECOND).width, >, 0); /* held, in the new size */
    push_classes_at(&f, 2 * GST_MSECOND);
    g_free(caps);
    caps = caps_of("BGRx", 64, 48, "");
    set_caps(&f, caps);
    push_classes_at(&f, 3 * GST_MSECOND);
    set_caps(&f, RGB_CAPS);
    g_assert_cmpuint(push_at(&f, GST_SECOND).width, ==, 0);
    g_free(caps);
    stop(&f);
}

/* Pixels twice as wide: the panel looks the same and so has half as many of them. */
static void test_pixel_aspect(void)
{
    guint width[2];
    for (int i = 0; i < 2; i++) {
        gchar *caps = caps_of("RGB", 640, 480, i ? ",pixel-aspect-ratio=2/1" : "");
        Fixture f = start("vigiloverlay", caps);
        GstBuffer *frame = new_frame(&f, 0);
        add_classes(add_meta(frame, "a"));
        width[i] = push(&f, frame).width;
        stop(&f);
        g_free(caps);
    }
    g_assert_cmpint(ABS((gint)width[0] - 2 * (gint)width[1]), <=, 3);
}

/* The panel is nearly black: it lets some light through and no colour. */
static void test_colors(void)
{
    static const gchar *formats[] = { "I420", "NV12", "Y444", "Y42B" };
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        gchar *caps = caps_of(formats[i], 320, 240, "");
        Fixture f = start("vigiloverlay", caps);
        GstVideoFrame frame;
        GstBuffer *buffer = new_frame(&f, 0);
        gst_buffer_memset(buffer, 0, 128, f.info.size); /* grey */
        add_classes(add_meta(buffer, "a"));
        buffer = gst_harness_push_and_pull(f.harness, buffer);
        g_assert_true(gst_video_frame_map(&frame, &f.info, buffer, GST_MAP_READ));
        guint8 value[3]; /* in the padding of the panel */
        for (guint c = 0; c < 3; c++)
            value[c] = *((guint8 *)GST_VIDEO_FRAME_COMP_DATA(&frame, c) +
                         (10 >> GST_VIDEO_FORMAT_INFO_H_SUB(frame.info.finfo, c)) *
                             GST_VIDEO_FRAME_COMP_STRIDE(&frame, c) +
                         (40 >> GST_VIDEO_FORMAT_INFO_W_SUB(frame.info.finfo, c)) *
                             GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, c));
        gst_video_frame_unmap(&frame);
        g_test_message("%s: %d %d %d", formats[i], value[0], value[1], value[2]);
        g_assert_cmpint(ABS(value[0] - 52), <=, 3);
        g_assert_cmpint(ABS(value[1] - 129), <=, 3);
        g_assert_cmpint(ABS(value[2] - 127), <=, 3);
        gst_buffer_unref(buffer);
        stop(&f);
        g_free(caps);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gst_init(&argc, &argv);
    g_test_add_func("/overlay-formats/formats", test_formats);
    g_test_add_func("/overlay-formats/every-format", test_every_format);
    g_test_add_func("/overlay-formats/colors", test_colors);
    g_test_add_func("/overlay-formats/sizes", test_sizes);
    g_test_add_func("/overlay-formats/caps-change", test_caps_change);
    g_test_add_func("/overlay-formats/pixel-aspect", test_pixel_aspect);
    return g_test_run();
}
