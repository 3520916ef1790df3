/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The plain parts behind the inference elements: parsing, regions, statistics, quality
 * of service, turning, the frame view, class lists, and merging.
 */
#include <math.h>
#include <string.h>
#include "gstvigilcaps.h"
#include "gstvigilclasslist.h"
#include "gstvigilframe.h"
#include "gstvigilmerge.h"
#include "gstvigilorient.h"
#include "gstvigilparse.h"
#include "gstvigilqos.h"
#include "gstvigilregions.h"
#include "gstvigilstats.h"

static void test_numbers(void)
{
    gdouble v[3] = { 0 };

    g_assert_true(gst_vigil_parse_numbers(" 1 , -2.5e1,.5 ", v, 3));
    g_assert_cmpfloat(v[0], ==, 1);
    g_assert_cmpfloat(v[1], ==, -25);
    g_assert_cmpfloat(v[2], ==, 0.5);
    g_assert_false(gst_vigil_parse_numbers("1,2", v, 3));
    g_assert_false(gst_vigil_parse_numbers("1,2,3,", v, 3));
    g_assert_false(gst_vigil_parse_numbers("1,2,3 4", v, 3));
    g_assert_false(gst_vigil_parse_numbers("1;2;3", v, 3));
    g_assert_false(gst_vigil_parse_numbers("", v, 3));
    g_assert_false(gst_vigil_parse_numbers("1,,3", v, 3));
}

static void test_size(void)
{
    static const gchar *const bad[] = { "",
                                        "x",
                                        "1x",
                                        "x1",
                                        "1 x 2",
                                        "0x1",
                                        "1x65536",
                                        "-1x5",
                                        "1X5",
                                        "1x5 ",
                                        "+1x5",
                                        "1.5x2",
                                        "99999999999999999999x1" };
    gint height = 0, width = 0;

    g_assert_true(gst_vigil_parse_size("160x65535", &height, &width));
    g_assert_cmpint(height, ==, 160);
    g_assert_cmpint(width, ==, 65535);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(gst_vigil_parse_size(bad[i], &height, &width));
}

static void test_regions(void)
{
    GstVigilRegions *regions = gst_vigil_regions_parse(
        " left side =0,0,0.5,1; 0.7 , 0.1 , 0.3 , 0.9 ;\xc3\xa4=0,0,1,1;", NULL);

    g_assert_nonnull(regions);
    g_assert_cmpuint(regions->n, ==, 3);
    g_assert_cmpstr(regions->item[0].name, ==, "left side");
    g_assert_cmpfloat(regions->item[0].area.width, ==, 0.5F);
    g_assert_null(regions->item[1].name);
    g_assert_cmpfloat(regions->item[1].area.x, ==, 0.7F);
    g_assert_cmpfloat(regions->item[1].area.height, ==, 0.9F);
    g_assert_cmpstr(regions->item[2].name, ==, "ä");
    GstVigilRegions *again = gst_vigil_regions_ref(regions);
    gst_vigil_regions_unref(regions);
    g_assert_cmpuint(again->n, ==, 3);
    gst_vigil_regions_unref(again);

    regions = gst_vigil_regions_parse("  ", NULL);
    g_assert_cmpuint(regions->n, ==, 0);
    gst_vigil_regions_unref(regions);
}

static void test_too_many_regions(void)
{
    GString *text = g_string_new(NULL);
    GError *error = NULL;

    for (guint i = 0; i < GST_VIGIL_REGIONS_MAX; i++)
        g_string_append(text, "0,0,1,1;");
    GstVigilRegions *regions = gst_vigil_regions_parse(text->str, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(regions->n, ==, GST_VIGIL_REGIONS_MAX);
    gst_vigil_regions_unref(regions);
    g_string_append(text, "0,0,1,1");
    g_assert_null(gst_vigil_regions_parse(text->str, &error));
    g_assert_error(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS);
    g_assert_nonnull(strstr(error->message, "64"));
    g_error_free(error);
    g_string_free(text, TRUE);
}

static void test_clock(void)
{
    GstVigilClock clock = { 0 };

    g_assert_cmpuint(gst_vigil_clock_last(&clock), ==, 0);
    g_assert_cmpuint(gst_vigil_clock_mean(&clock), ==, 0);
    g_assert_cmpuint(gst_vigil_clock_p95(&clock), ==, 0);
    for (guint64 ns = 100; ns >= 1; ns--)
        gst_vigil_clock_add(&clock, ns);
    g_assert_cmpuint(gst_vigil_clock_last(&clock), ==, 1);
    g_assert_cmpuint(gst_vigil_clock_mean(&clock), ==, 50); /* 5050 / 100 */
    g_assert_cmpuint(gst_vigil_clock_p95(&clock), ==, 95);
    /* only the window counts for the percentile */
    for (guint i = 0; i < GST_VIGIL_STATS_WINDOW; i++)
        gst_vigil_clock_add(&clock, 7);
    g_assert_cmpuint(gst_vigil_clock_p95(&clock), ==, 7);
    g_assert_cmpuint(clock.count, ==, 100 + GST_VIGIL_STATS_WINDOW);
}

static void qos_event(GstVigilQos *qos, GstClockTimeDiff late_by, GstClockTime at)
{
    GstEvent *event = gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2, late_by, at);

    gst_vigil_qos_update(qos, event);
    gst_event_unref(event);
}

static void test_qos(void)
{
    GstVigilQos qos;

    gst_vigil_qos_reset(&qos);
    g_assert_false(gst_vigil_qos_is_late(&qos, 0));
    qos_event(&qos, 10, 100);
    g_assert_false(gst_vigil_qos_is_late(&qos, 110)); /* nothing was looked at yet */
    qos.analysed = 50;
    g_assert_true(gst_vigil_qos_is_late(&qos, 110));
    g_assert_true(gst_vigil_qos_is_late(&qos, 120)); /* twice the lateness */
    g_assert_false(gst_vigil_qos_is_late(&qos, 121));
    g_assert_false(gst_vigil_qos_is_late(&qos, GST_CLOCK_TIME_NONE));
    qos_event(&qos, -30, 100);
    g_assert_true(gst_vigil_qos_is_late(&qos, 70));
    g_assert_false(gst_vigil_qos_is_late(&qos, 71));
    qos_event(&qos, -100, 100); /* as early as can be */
    g_assert_true(gst_vigil_qos_is_late(&qos, 0));
    g_assert_false(gst_vigil_qos_is_late(&qos, 1));
    qos_event(&qos, 5 * GST_SECOND, 0);
    g_assert_true(gst_vigil_qos_is_late(&qos, GST_SECOND));
    g_assert_false(gst_vigil_qos_is_late(&qos, 50 + GST_VIGIL_QOS_PATIENCE));
}

/* 2 high, 3 wide; pixel (y, x) holds 10 y + x. */
static void test_orient(void)
{
    static const struct {
        GstVideoOrientationMethod method;
        gint stored[6]; /* as the rows of it lie in memory; upright it is 0 1 2 10 11 12
                         */
    } turns[] = {
        { GST_VIDEO_ORIENTATION_IDENTITY, { 0, 1, 2, 10, 11, 12 } },
        { GST_VIDEO_ORIENTATION_90R, { 2, 12, 1, 11, 0, 10 } },
        { GST_VIDEO_ORIENTATION_180, { 12, 11, 10, 2, 1, 0 } },
        { GST_VIDEO_ORIENTATION_90L, { 10, 0, 11, 1, 12, 2 } },
        { GST_VIDEO_ORIENTATION_HORIZ, { 2, 1, 0, 12, 11, 10 } },
        { GST_VIDEO_ORIENTATION_VERT, { 10, 11, 12, 0, 1, 2 } },
        { GST_VIDEO_ORIENTATION_UL_LR, { 0, 10, 1, 11, 2, 12 } },
        { GST_VIDEO_ORIENTATION_UR_LL, { 12, 2, 11, 1, 10, 0 } },
    };

    for (guint i = 0; i < G_N_ELEMENTS(turns); i++) {
        float stored[18], upright[18];
        for (guint p = 0; p < 18; p++)
            stored[p] = (float)(turns[i].stored[p / 3] * 3 + (gint)(p % 3));
        gst_vigil_orient(upright, stored, 2, 3, turns[i].method);
        for (gint p = 0; p < 6; p++)
            for (gint c = 0; c < 3; c++)
                g_assert_cmpfloat(upright[3 * p + c], ==,
                                  (float)((p / 3 * 10 + p % 3) * 3 + c));
    }
    g_assert_true(gst_vigil_orient_swaps(GST_VIDEO_ORIENTATION_90R));
    g_assert_false(gst_vigil_orient_swaps(GST_VIDEO_ORIENTATION_180));
}

/* ---- Frame view ----------------------------------------------------------------- */

static GstVigilFrame view(const gchar *text, GstBuffer **buffer)
{
    GstCaps *caps = gst_caps_from_string(text);
    GstVideoInfo info;
    GstVigilFrame frame;
    GError *error = NULL;

    g_assert_true(gst_vigil_caps_to_info(caps, &info));
    *buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
    gst_vigil_frame_map(&frame, &info, *buffer, &error);
    g_assert_no_error(error);
    gst_caps_unref(caps);
    return frame;
}

static void drop(GstVigilFrame *frame, GstBuffer *buffer)
{
    gst_vigil_frame_unmap(frame);
    gst_buffer_unref(buffer);
}

static void test_view_color(void)
{
    static const struct {
        const gchar *fields;
        double kr, kb;
        gboolean full_range;
        float site_x, site_y;
    } cases[] = {
        { "NV12,colorimetry=bt601,chroma-site=jpeg", 0.299, 0.114, FALSE, 0.5F, 0.5F },
        { "NV12,colorimetry=bt709,chroma-site=mpeg2", 0.2126, 0.0722, FALSE, 0, 0.5F },
        { "NV12,colorimetry=bt2020,chroma-site=cosited", 0.2627, 0.0593, FALSE, 0, 0 },
        { "I420,colorimetry=1:4:7:1,chroma-site=v-cosited", 0.299, 0.114, TRUE, 0.5F,
          0 },
        { "I420,chroma-site=mpeg2", 0.299, 0.114, FALSE, 0, 0.5F },
        { "GRAY8", 0.299, 0.114, TRUE, 0.5F, 0.5F },
        { "GRAY8,colorimetry=2:4:7:1", 0.299, 0.114, FALSE, 0.5F, 0.5F },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gchar *text = g_strdup_printf("video/x-raw,width=64,height=48,framerate=25/1,"
                                      "format=%s",
                                      cases[i].fields);
        GstBuffer *buffer;
        GstVigilFrame frame = view(text, &buffer);
        const VigilImage *image = &frame.image;
        const gboolean grey = image->color == VIGIL_COLOR_GRAY;

        g_test_message("%s", text);
        g_assert_cmpint(image->full_range, ==, cases[i].full_range);
        if (!grey) {
            g_assert_cmpfloat_with_epsilon(image->kr, cases[i].kr, 1e-6);
            g_assert_cmpfloat_with_epsilon(image->kb, cases[i].kb, 1e-6);
            g_assert_cmpfloat(image->site_x, ==, cases[i].site_x);
            g_assert_cmpfloat(image->site_y, ==, cases[i].site_y);
        }
        drop(&frame, buffer);
        g_free(text);
    }
}

static void test_view_aspect(void)
{
    static const struct {
        const gchar *fraction;
        double aspect;
    } cases[] = { { "1/1", 1 }, { "16/11", 16.0 / 11 },   { "1/2", 0.5 },
                  { "0/1", 1 }, { "2147483647/1", 1000 }, { "1/2147483647", 0.001 } };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gchar *text = g_strdup_printf("video/x-raw,format=RGB,width=8,height=8,"
                                      "framerate=25/1,pixel-aspect-ratio=%s",
                                      cases[i].fraction);
        GstBuffer *buffer;
        GstVigilFrame frame = view(text, &buffer);
        g_assert_cmpfloat_with_epsilon(frame.image.pixel_aspect, cases[i].aspect, 1e-9);
        drop(&frame, buffer);
        g_free(text);
    }
}

/* A crop that begins inside a block of chroma begins at the block, and the region makes
 * up for it. */
static void test_view_crop(void)
{
    static const struct {
        const gchar *format;
        guint x, y;
        gint width, height; /* of the image */
        gsize luma, chroma; /* bytes to the first samples */
    } cases[] = {
        { "I420", 6, 4, 10, 8, 4 * 32 + 6, 32 * 24 + 2 * 16 + 3 },
        { "I420", 7, 5, 11, 9, 4 * 32 + 6, 32 * 24 + 2 * 16 + 3 },
        { "Y41B", 7, 5, 13, 8, 5 * 32 + 4, 32 * 24 + 5 * 8 + 1 },
        { "YUY2", 7, 5, 11, 8, 5 * 64 + 12, 5 * 64 + 13 },
        { "RGB", 7, 5, 10, 8, 5 * 96 + 21, 5 * 96 + 22 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GstVideoInfo info;
        GstVigilFrame frame;
        gst_video_info_set_format(&info, gst_video_format_from_string(cases[i].format),
                                  32, 24);
        GstBuffer *buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
        GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(buffer);
        crop->x = cases[i].x;
        crop->y = cases[i].y;
        crop->width = 10;
        crop->height = 8;
        g_assert_true(gst_vigil_frame_map(&frame, &info, buffer, NULL));
        const guint8 *base = frame.planes.data[0];
        g_assert_cmpint(frame.image.width, ==, cases[i].width);
        g_assert_cmpint(frame.image.height, ==, cases[i].height);
        g_assert_cmpuint(frame.image.component[0].data - base, ==, cases[i].luma);
        g_assert_cmpuint(frame.image.component[1].data - base, ==, cases[i].chroma);
        const VigilRegion all = gst_vigil_frame_region(&frame, NULL);
        g_assert_cmpfloat_with_epsilon(all.width * (float)cases[i].width, 10, 1e-4);
        g_assert_cmpfloat_with_epsilon(all.x * (float)cases[i].width,
                                       cases[i].width - 10, 1e-4);
        g_assert_cmpfloat_with_epsilon(all.y * (float)cases[i].height,
                                       cases[i].height - 8, 1e-4);
        drop(&frame, buffer);
    }
}

/* Every second line from the first or second on, of each plane; a visible part that
 * begins between two of them keeps the distance. */
static void test_view_fields(void)
{
    static const struct {
        const gchar *format;
        guint height, first, crop_y, crop_height; /* 0: no crop */
        gint rows;
        gsize luma, chroma; /* bytes to the first samples of an image 32 pixels wide */
        float y, visible;   /* rows of the image */
    } cases[] = {
        { "I420", 24, 0, 0, 0, 12, 0, 768, 0.25F, 12 },
        { "I420", 24, 1, 0, 0, 12, 32, 768 + 16, -0.25F, 12 },
        { "I420", 22, 0, 0, 0, 11, 0, 704, 0.25F, 11 },
        { "I420", 22, 1, 0, 0, 10, 32, 704 + 16, -0.25F, 11 },
        { "YUY2", 23, 0, 0, 0, 12, 0, 1, 0.25F, 11.5F },
        { "YUY2", 23, 1, 0, 0, 11, 64, 64 + 1, -0.25F, 11.5F },
        { "YUY2", 24, 0, 5, 8, 4, 6 * 64, 6 * 64 + 1, -0.25F, 4 },
        { "YUY2", 24, 1, 5, 8, 4, 5 * 64, 5 * 64 + 1, 0.25F, 4 },
        { "I420", 24, 1, 3, 1, 2, 32, 768 + 16, 1.25F, 0.5F },
        { "RGB", 1, 0, 0, 0, 1, 0, 1, 0, 1 },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const gboolean split = cases[i].height > 1;
        GstVideoInfo info;
        GstVigilFrame frame;
        gst_video_info_set_interlaced_format(
            &info, gst_video_format_from_string(cases[i].format),
            GST_VIDEO_INTERLACE_MODE_INTERLEAVED, 32, cases[i].height);
        GstBuffer *buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
        if (cases[i].first == 0)
            GST_BUFFER_FLAG_SET(buffer, GST_VIDEO_BUFFER_FLAG_TFF);
        if (cases[i].crop_height) {
            GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(buffer);
            crop->y = cases[i].crop_y;
            crop->width = 32;
            crop->height = cases[i].crop_height;
        }
        g_assert_true(gst_vigil_frame_map(&frame, &info, buffer, NULL));
        const VigilImage *image = &frame.image;
        const guint8 *base = frame.planes.data[0];
        const float rows = (float)cases[i].rows;
        g_test_message("%s %u lines, field %u: %d rows from %td", cases[i].format,
                       cases[i].height, cases[i].first, image->height,
                       image->component[0].data - base);
        g_assert_cmpint(image->height, ==, cases[i].rows);
        g_assert_cmpuint(image->component[0].data - base, ==, cases[i].luma);
        g_assert_cmpuint(image->component[1].data - base, ==, cases[i].chroma);
        g_assert_cmpint(image->component[0].row_stride, ==,
                        info.stride[0] * (split ? 2 : 1));
        g_assert_cmpfloat(image->pixel_aspect, ==, split ? 0.5 : 1);
        g_assert_cmpfloat_with_epsilon(frame.visible.y * rows, cases[i].y, 1e-4);
        g_assert_cmpfloat_with_epsilon(frame.visible.height * rows, cases[i].visible,
                                       1e-4);
        g_assert_cmpuint(frame.height, ==,
                         cases[i].crop_height ? cases[i].crop_height : cases[i].height);
        drop(&frame, buffer);
    }
}

/* ---- Class lists ---------------------------------------------------------------- */

static GstVigilNetwork named_network(const gchar *const *labels, gint classes)
{
    static gchar name[] = "net";

    return (GstVigilNetwork) { .name = name, .labels = labels, .classes = classes };
}

static void test_class_list(void)
{
    static const gchar *const labels[] = { "a=b", "1", "c" };
    const GstVigilNetwork network = named_network(labels, 3);
    bool *wanted;
    gfloat *scores;

    g_assert_true(gst_vigil_class_list_wanted("p", "  ", &network, &wanted, NULL));
    g_assert_null(wanted);
    g_assert_true(gst_vigil_class_list_scores("p", NULL, &network, &scores, NULL));
    g_assert_null(scores);
    /* a label goes before a number */
    g_assert_true(gst_vigil_class_list_wanted("p", "1, 2", &network, &wanted, NULL));
    g_assert_true(!wanted[0] && wanted[1] && wanted[2]);
    g_free(wanted);
    g_assert_true(
        gst_vigil_class_list_scores("p", "a=b = 0.25, 1=1", &network, &scores, NULL));
    g_assert_cmpfloat(scores[0], ==, 0.25F);
    g_assert_cmpfloat(scores[1], ==, 1);
    g_assert_true(isnan(scores[2]));
    g_free(scores);
}

static void test_class_list_names(void)
{
    int count = 0;
    const gchar *const *coco = vigil_labels_builtin("coco80", &count);
    const GstVigilNetwork many = named_network(coco, count);
    const GstVigilNetwork none = named_network(NULL, 7);
    const struct {
        const GstVigilNetwork *network;
        const gchar *name, *words;
    } cases[] = {
        { &many, "Persn", "\"net\": the nearest of its names are person, " },
        { &many, "trafic light", "are traffic light, " },
        { &none, "person", "no labels, only the numbers 0 to 6." },
        { &none, "7", "no labels, only the numbers 0 to 6." },
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;
        bool *wanted;
        g_assert_false(gst_vigil_class_list_wanted("p", cases[i].name, cases[i].network,
                                                   &wanted, &error));
        g_assert_null(wanted);
        g_assert_error(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS);
        if (!strstr(error->message, cases[i].words))
            g_error("\"%s\" does not say \"%s\"", error->message, cases[i].words);
        g_error_free(error);
    }
}

/* ---- Merging -------------------------------------------------------------------- */

static void test_merge(void)
{
    /* x, y, width, height, class, score; region; view */
    static const GstVigilBox given[] = {
        { { 0, 0, 0.5F, 0.5F, 1, 0.5F }, 0, NULL, 0, 0 },     /* as the best, worse */
        { { 0, 0, 0.5F, 0.5F, 1, 0.9F }, 1, NULL, 1, 0 },     /* the best */
        { { 0, 0, 0.5F, 0.5F, 2, 0.4F }, 0, NULL, 0, 0 },     /* of another class */
        { { 0, 0, 0.5F, 0.5F, 1, 0.3F }, 1, NULL, 1, 0 },     /* of the same region */
        { { 0.25F, 0, 0.5F, 0.5F, 1, 0.8F }, 0, NULL, 0, 0 }, /* a third in common */
        { { 0.75F, 0.5F, 0.2F, 0.2F, 1, 0.1F }, 2, NULL, 2, 0 }, /* apart */
    };
    static const gfloat half[] = { 0.9F, 0.8F, 0.4F, 0.3F, 0.1F };
    static const gfloat third[] = { 0.9F, 0.4F, 0.3F, 0.1F };
    static const struct {
        gfloat threshold;
        guint most, n;
        const gfloat *scores;
    } cases[] = { { 0.5F, 0, 5, half }, { 0.3F, 0, 4, third }, { 0.3F, 2, 2, third } };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        GArray *boxes = g_array_new(FALSE, FALSE, sizeof(GstVigilBox));
        g_array_append_vals(boxes, given, G_N_ELEMENTS(given));
        gst_vigil_merge(boxes, cases[i].threshold, cases[i].most);
        g_assert_cmpuint(boxes->len, ==, cases[i].n);
        for (guint k = 0; k < cases[i].n; k++)
            g_assert_cmpfloat(g_array_index(boxes, GstVigilBox, k).detection.score, ==,
                              cases[i].scores[k]);
        g_array_unref(boxes);
    }
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parse/numbers", test_numbers);
    g_test_add_func("/parse/size", test_size);
    g_test_add_func("/regions", test_regions);
    g_test_add_func("/regions/too-many", test_too_many_regions);
    g_test_add_func("/stats/clock", test_clock);
    g_test_add_func("/qos", test_qos);
    g_test_add_func("/orient", test_orient);
    g_test_add_func("/view/color", test_view_color);
    g_test_add_func("/view/aspect", test_view_aspect);
    g_test_add_func("/view/crop", test_view_crop);
    g_test_add_func("/view/fields", test_view_fields);
    g_test_add_func("/class-list", test_class_list);
    g_test_add_func("/class-list/names", test_class_list_names);
    g_test_add_func("/merge", test_merge);
    return g_test_run();
}
