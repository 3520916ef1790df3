/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The shipped detector and formats: a person in a photograph is found at the same place
 * with the same score in every format, and no element changes a byte of a frame.
 */
#include "person.h"

#include <string.h>

static gchar *caps_of(const gchar *format, guint width, guint height)
{
    return g_strdup_printf("video/x-raw,format=%s,width=%u,height=%u,framerate=25/1",
                           format, width, height);
}

static gboolean is_grey(const gchar *format)
{
    return GST_VIDEO_FORMAT_INFO_IS_GRAY(
        gst_video_format_get_info(gst_video_format_from_string(format)));
}

static Person find_in(const gchar *format, guint width, guint height)
{
    gchar *caps = caps_of(format, width, height);
    const GstVideoInfo info = frame_info(caps);
    const Person person = person_find(caps, person_frame(&info, 0));

    g_free(caps);
    return person;
}

static gboolean is_coarse(const gchar *format)
{
    const GstVideoFormatInfo *info =
        gst_video_format_get_info(gst_video_format_from_string(format));

    return GST_VIDEO_FORMAT_INFO_DEPTH(info, 0) < 8;
}

/* The person in what is left of the photograph in a format of fewer bits than RGB has:
 * GStreamer's conversion cuts bits off, which makes a darker picture, another one. */
static Person find_in_rgb_of(const GstVideoInfo *info)
{
    GstBuffer *coarse = person_frame(info, 0);
    GstVideoInfo rgb;

    gst_video_info_set_format(&rgb, GST_VIDEO_FORMAT_RGB,
                              (guint)GST_VIDEO_INFO_WIDTH(info),
                              (guint)GST_VIDEO_INFO_HEIGHT(info));
    gchar *caps = caps_of("RGB", (guint)rgb.width, (guint)rgb.height);
    const Person person = person_find(caps, frame_convert(coarse, info, &rgb, 0));

    gst_buffer_unref(coarse);
    g_free(caps);
    return person;
}

static void check_all(guint width, guint height, guint padding)
{
    const GValue *formats = frame_formats("vigildetect");
    const Person color = find_in("RGB", width, height);
    const Person grey = find_in("GRAY8", width, height);

    for (guint i = 0; i < gst_value_list_get_size(formats); i++) {
        const gchar *format = g_value_get_string(gst_value_list_get_value(formats, i));
        gchar *caps = caps_of(format, width, height);
        const GstVideoInfo info = frame_info(caps);

        const Person want = is_coarse(format) ? find_in_rgb_of(&info)
                            : is_grey(format) ? grey
                                              : color;
        const Person got = person_find(caps, person_frame(&info, padding));
        person_assert_same(&got, &want, 1, 0.01F, caps);
        g_free(caps);
    }
}

static void test_all(void)
{
    check_all(PERSON_SIDE, PERSON_SIDE, 0);
}

static void test_odd_and_padded(void)
{
    check_all(PERSON_SIDE - 1, PERSON_SIDE - 3, 17);
}

/* ---- What comes out -------------------------------------------------------------- */

static gboolean same_bytes(GstBuffer *a, GstBuffer *b)
{
    GstMapInfo left, right;

    g_assert_true(gst_buffer_map(a, &left, GST_MAP_READ));
    g_assert_true(gst_buffer_map(b, &right, GST_MAP_READ));
    const gboolean same =
        left.size == right.size && memcmp(left.data, right.data, left.size) == 0;
    gst_buffer_unmap(b, &right);
    gst_buffer_unmap(a, &left);
    return same;
}

/* Whether a frame of the photograph comes out of `launch` as it went in. */
static gboolean passes_untouched(GstHarness *h, const gchar *format, guint metas)
{
    gchar *caps = caps_of(format, 64, 48);
    const GstVideoInfo info = frame_info(caps);
    GstBuffer *frame = person_frame(&info, 0);
    GstBuffer *before = gst_buffer_copy_deep(frame);

    gst_harness_set_src_caps_str(h, caps);
    GstBuffer *out = gst_harness_push_and_pull(h, frame);
    g_assert_nonnull(out);
    g_assert_cmpuint(frame_count_metas(out), ==, metas);
    const gboolean same = same_bytes(before, out);
    g_test_message("%s: %s", format, same ? "same" : "other bytes");
    gst_buffer_unref(before);
    gst_buffer_unref(out);
    g_free(caps);
    return same;
}

static void check_untouched(const gchar *launch, guint metas)
{
    const GValue *formats = frame_formats("vigildetect");
    GstHarness *h = gst_harness_new_parse(launch);

    for (guint i = 0; i < gst_value_list_get_size(formats); i++)
        g_assert_true(passes_untouched(
            h, g_value_get_string(gst_value_list_get_value(formats, i)), metas));
    gst_harness_teardown(h);
}

static void test_untouched(void)
{
    gchar *launch =
        g_strdup_printf("vigilclassify mode=sync model=\"%s\" ! vigildetect mode=sync "
                        "model=\"%s\" ! vigilsegment mode=sync model=\"%s\"",
                        g_getenv("VIGIL_TEST_MODEL"), g_getenv("VIGIL_TEST_DETECTOR"),
                        g_getenv("VIGIL_TEST_SEGMENTER"));

    check_untouched(launch, 3);
    check_untouched("vigiloverlay", 0); /* nothing to draw */
    g_free(launch);
}

/* Boxes are drawn in frames of 10 and 16 bits, too. */
static void test_drawn(void)
{
    static const gchar *const formats[] = { "P010_10LE", "I420_10LE", "GRAY16_LE" };

    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        gchar *caps = caps_of(formats[i], PERSON_SIDE, PERSON_SIDE);
        const GstVideoInfo info = frame_info(caps);
        GstHarness *h =
            gst_harness_new_parse("vigildetect mode=sync threshold=0.5 ! vigiloverlay");
        GstBuffer *frame = person_frame(&info, 0);
        GstBuffer *before = gst_buffer_copy_deep(frame);

        gst_harness_set_src_caps_str(h, caps);
        GstBuffer *out = gst_harness_push_and_pull(h, frame);
        person_read(out);
        g_assert_false(same_bytes(before, out));
        gst_buffer_unref(before);
        gst_buffer_unref(out);
        gst_harness_teardown(h);
        g_free(caps);
    }
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/detect/formats/all", test_all);
    g_test_add_func("/detect/formats/odd-and-padded", test_odd_and_padded);
    g_test_add_func("/detect/formats/untouched", test_untouched);
    g_test_add_func("/detect/formats/drawn", test_drawn);
    return g_test_run();
}
