/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilclassify and formats: the same picture gives the same answer in every format,
 * size, stride and colorimetry.
 */
#include "frames.h"

#define RGB_CAPS "video/x-raw,format=RGB,width=%u,height=%u,framerate=25/1"

static Scores score_rgb(guint width, guint height, Picture picture)
{
    gchar *caps = g_strdup_printf(RGB_CAPS, width, height);
    const Scores scores = scores_of_caps(caps, picture, 0);

    g_free(caps);
    return scores;
}

/* One element sees all formats, one after the other. */
static void check_formats(guint width, guint height, guint padding)
{
    const GValue *formats = frame_formats("vigilclassify");
    const Scores color = score_rgb(width, height, PICTURE_COLOR);
    const Scores grey = score_rgb(width, height, PICTURE_GREY);
    GstHarness *h = gst_harness_new_with_element(classifier_plain(), "sink", "src");

    g_assert_cmpfloat(scores_apart(&color, &grey), >, 5 * SCORE_TOLERANCE);
    for (guint i = 0; i < gst_value_list_get_size(formats); i++) {
        const gchar *format = g_value_get_string(gst_value_list_get_value(formats, i));
        const gboolean is_grey = g_str_has_prefix(format, "GRAY");
        gchar *caps =
            g_strdup_printf("video/x-raw,format=%s,width=%u,height=%u,framerate=25/1",
                            format, width, height);
        const GstVideoInfo info = frame_info(caps);

        gst_harness_set_src_caps_str(h, caps);
        const Scores got = scores_read(gst_harness_push_and_pull(
            h, frame_new(&info, is_grey ? PICTURE_GREY : PICTURE_COLOR, padding)));
        scores_assert_same(&got, is_grey ? &grey : &color, caps);
        g_free(caps);
    }
    gst_object_unref(h->element);
    gst_harness_teardown(h);
}

static void test_formats(void)
{
    check_formats(320, 240, 0);
}

static void test_odd_sizes(void)
{
    check_formats(161, 117, 0);
}

static void test_padded(void)
{
    check_formats(160, 120, 24);
}

static void test_required_formats(void)
{
    static const gchar *const required[] = {
        "RGB",   "BGR",  "RGBx", "BGRx", "xRGB", "xBGR", "RGBA", "BGRA", "ARGB", "ABGR",
        "GRAY8", "I420", "YV12", "NV12", "NV21", "YUY2", "YVYU", "UYVY", "Y42B", "Y444",
    };
    const GValue *formats = frame_formats("vigilclassify");

    for (guint i = 0; i < G_N_ELEMENTS(required); i++) {
        gboolean found = FALSE;
        for (guint j = 0; j < gst_value_list_get_size(formats); j++)
            found |= g_str_equal(
                required[i], g_value_get_string(gst_value_list_get_value(formats, j)));
        g_assert_true(found);
    }
}

/* ---- Sizes that pass ------------------------------------------------------------ */

static void test_tiny_and_thin(void)
{
    static const guint sizes[][2] = { { 1, 1 },   { 1, 40 }, { 40, 1 },   { 3, 3 },
                                      { 17, 5 },  { 7, 96 }, { 2049, 3 }, { 3, 2049 },
                                      { 96, 96 }, { 97, 95 } };
    static const gchar *const formats[] = { "I420", "YUY2", "NV12", "RGB", "Y41B" };
    GstHarness *h = gst_harness_new_with_element(classifier_plain(), "sink", "src");

    for (guint i = 0; i < G_N_ELEMENTS(sizes) * G_N_ELEMENTS(formats); i++) {
        const guint *size = sizes[i / G_N_ELEMENTS(formats)];
        gchar *caps =
            g_strdup_printf("video/x-raw,format=%s,width=%u,height=%u,framerate=25/1",
                            formats[i % G_N_ELEMENTS(formats)], size[0], size[1]);
        const GstVideoInfo info = frame_info(caps);
        gfloat sum = 0;

        gst_harness_set_src_caps_str(h, caps);
        const Scores scores = scores_read(
            gst_harness_push_and_pull(h, frame_new(&info, PICTURE_COLOR, 0)));
        for (guint c = 0; c < 10; c++)
            sum += scores.score[c];
        g_assert_cmpfloat_with_epsilon(sum, 1, 1e-4);
        g_free(caps);
    }
    gst_object_unref(h->element);
    gst_harness_teardown(h);
}

/* ---- Colour --------------------------------------------------------------------- */

#define NV12 "video/x-raw,format=NV12,width=160,height=120,framerate=25/1"

static void test_colorimetry(void)
{
    static const gchar *const spaces[] = { "bt601",   "bt709",   "bt2020",   "1:4:7:1",
                                           "2:4:7:1", "1:3:5:1", "smpte240m" };
    const Scores want = score_rgb(160, 120, PICTURE_COLOR);

    for (guint i = 0; i < G_N_ELEMENTS(spaces); i++) {
        gchar *caps = g_strdup_printf(NV12 ",colorimetry=%s", spaces[i]);
        const Scores got = scores_of_caps(caps, PICTURE_COLOR, 0);
        scores_assert_same(&got, &want, caps);
        g_free(caps);
    }
}

/* The caps are believed: the same bytes under other caps are another picture. */
static void test_colorimetry_counts(void)
{
    const GstVideoInfo info = frame_info(NV12 ",colorimetry=bt709");
    const Scores right = scores_of_caps(NV12 ",colorimetry=bt709", PICTURE_COLOR, 0);
    const Scores matrix =
        scores_read(classify_once(classifier_plain(), NV12 ",colorimetry=2:4:7:1",
                                  frame_new(&info, PICTURE_COLOR, 0)));
    const Scores range =
        scores_read(classify_once(classifier_plain(), NV12 ",colorimetry=1:3:5:1",
                                  frame_new(&info, PICTURE_COLOR, 0)));

    g_assert_cmpfloat(scores_apart(&right, &matrix), >, SCORE_TOLERANCE / 4);
    g_assert_cmpfloat(scores_apart(&right, &range), >, SCORE_TOLERANCE);
}

static void test_chroma_site(void)
{
    static const gchar *const sites[] = { "jpeg", "mpeg2", "cosited", "v-cosited" };
    const Scores want = score_rgb(160, 120, PICTURE_COLOR);

    for (guint i = 0; i < G_N_ELEMENTS(sites); i++) {
        gchar *caps = g_strdup_printf(NV12 ",chroma-site=%s", sites[i]);
        const Scores got = scores_of_caps(caps, PICTURE_COLOR, 0);
        scores_assert_same(&got, &want, caps);
        g_free(caps);
    }
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/classify/formats/required", test_required_formats);
    g_test_add_func("/classify/formats/all", test_formats);
    g_test_add_func("/classify/formats/odd", test_odd_sizes);
    g_test_add_func("/classify/formats/padded", test_padded);
    g_test_add_func("/classify/sizes", test_tiny_and_thin);
    g_test_add_func("/classify/colorimetry", test_colorimetry);
    g_test_add_func("/classify/colorimetry-counts", test_colorimetry_counts);
    g_test_add_func("/classify/chroma-site", test_chroma_site);
    return g_test_run();
}
