/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Masks in the meta: what is counted, that copies share it, that scaling leaves it
 * alone, that mirrors and bytes say the same.
 */
#include <gst/gst.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>
#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

#include "gstvigilmask.h"

#define WIDTH 5
#define HEIGHT 3

static const guint8 pixels8[WIDTH * HEIGHT] = { 2, 2, 2, 2, 7, /* */
                                                2, 0, 0, 2, 7, /* */
                                                2, 0, 0, 2, 255 };
static const gchar *const labels[] = { "road", NULL, "sky" };

static GstVigilMask *new_mask(guint bytes_per_pixel)
{
    guint16 pixels16[WIDTH * HEIGHT];

    for (guint i = 0; i < WIDTH * HEIGHT; i++)
        pixels16[i] = pixels8[i] == 255 ? 65535 : pixels8[i] == 7 ? 40000 : pixels8[i];
    GBytes *bytes = bytes_per_pixel == 1 ? g_bytes_new(pixels8, sizeof pixels8)
                                         : g_bytes_new(pixels16, sizeof pixels16);
    GstVigilMask *mask = gst_vigil_mask_new(0.25F, 0.5F, 0.5F, 0.25F, WIDTH, HEIGHT,
                                            bytes_per_pixel, bytes, labels, 3);
    g_bytes_unref(bytes);
    return mask;
}

static GstVigilMeta *add_mask(GstBuffer *buffer, guint bytes_per_pixel)
{
    GstVigilMeta *meta = gst_buffer_add_vigil_meta(buffer, "segment0", "voc",
                                                   GST_VIGIL_TASK_SEGMENTATION, 640,
                                                   480, 2 * GST_SECOND);
    GstVigilResult *result = gst_vigil_result_new_region(0.25F, 0.5F, 0.5F, 0.5F);
    GstVigilMask *mask = new_mask(bytes_per_pixel);

    gst_vigil_result_set_mask(result, mask);
    gst_vigil_mask_unref(mask);
    gst_vigil_meta_add_result(meta, result);
    return meta;
}

static GstVigilMask *only_mask(GstBuffer *buffer)
{
    GList *metas = gst_vigil_buffer_get_metas(buffer);

    g_assert_cmpuint(g_list_length(metas), ==, 1);
    GstVigilMask *mask =
        gst_vigil_result_get_mask(gst_vigil_meta_get_result(metas->data, 0));
    g_list_free(metas);
    g_assert_nonnull(mask);
    return mask;
}

static void check_class(const GstVigilMask *mask, guint i, gint index, guint count,
                        const gchar *label)
{
    const GstVigilClass *klass = gst_vigil_mask_get_class(mask, i);

    g_assert_nonnull(klass);
    g_assert_cmpint(klass->index, ==, index);
    g_assert_cmpfloat_with_epsilon(klass->score, (gfloat)count / (WIDTH * HEIGHT),
                                   1e-6);
    g_assert_cmpstr(klass->label, ==, label);
}

static void check_mask(const GstVigilMask *mask, guint bytes_per_pixel)
{
    const gint high = bytes_per_pixel == 1 ? 7 : 40000;
    gfloat x, y, width, height;
    guint columns, rows;

    g_assert_cmpuint(gst_vigil_mask_get_id(mask), !=, 0);
    gst_vigil_mask_get_region(mask, &x, &y, &width, &height);
    g_assert_true(x == 0.25F && y == 0.5F && width == 0.5F && height == 0.25F);
    gst_vigil_mask_get_size(mask, &columns, &rows);
    g_assert_true(columns == WIDTH && rows == HEIGHT);
    g_assert_cmpuint(gst_vigil_mask_get_bytes_per_pixel(mask), ==, bytes_per_pixel);
    g_assert_cmpuint(gst_vigil_mask_get_n_classes(mask), ==, 3);
    check_class(mask, 0, 2, 8, "sky");
    check_class(mask, 1, 0, 4, "road");
    check_class(mask, 2, high, 2, NULL);
    g_assert_null(gst_vigil_mask_get_class(mask, 3));
    for (guint i = 0; i < WIDTH * HEIGHT; i++) {
        const gint want = pixels8[i] == 255 ? -1 : pixels8[i] == 7 ? high : pixels8[i];
        g_assert_cmpint(gst_vigil_mask_get_pixel(mask, i % WIDTH, i / WIDTH), ==, want);
    }
}

/* ---- Cases ---------------------------------------------------------------------- */

static void test_count(void)
{
    for (guint bytes = 1; bytes <= 2; bytes++) {
        GstVigilMask *mask = new_mask(bytes);
        check_mask(mask, bytes);
        gst_vigil_mask_unref(mask);
    }
}

static void test_class_at(void)
{
    static const struct {
        gfloat x, y;
        gint want;
    } cases[] = {
        { 0.25F, 0.5F, 2 },   { 0.24F, 0.5F, -1 },    { 0.25F, 0.49F, -1 },
        { 0.749F, 0.51F, 7 }, { 0.75F, 0.51F, -1 },   { 0.749F, 0.749F, -1 },
        { 0.45F, 0.625F, 0 }, { 0.749F, 0.625F, 7 },  { 0.5F, 0.75F, -1 },
        { NAN, 0.6F, -1 },    { 0.5F, INFINITY, -1 }, { -1e30F, 0.6F, -1 },
    };
    GstVigilMask *mask = new_mask(1);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %u", i);
        g_assert_cmpint(gst_vigil_mask_get_class_at(mask, cases[i].x, cases[i].y), ==,
                        cases[i].want);
    }
    gst_vigil_mask_unref(mask);
}

/* A caller's fault: told, and no mask. */
static void test_refused(void)
{
    static const struct {
        gfloat x, y, region_width, region_height;
        guint width, height, bytes_per_pixel;
    } cases[] = {
        { 0, 0, 1, 1, 4, 3, 1 },     { 0, 0, 1, 1, 5, 3, 2 },
        { 0, 0, 1, 1, 0, 3, 1 },     { 0, 0, 1, 1, 5, 0, 1 },
        { 0, 0, 1, 1, 5, 3, 0 },     { 0, 0, 1, 1, 5, 3, 4 },
        { 0, 0, 0, 1, 5, 3, 1 },     { 0, 0, 1, -1, 5, 3, 1 },
        { NAN, 0, 1, 1, 5, 3, 1 },   { 0, 0, INFINITY, 1, 5, 3, 1 },
        { 0.5F, 0, 1, 1, 5, 3, 1 },  { 0, -0.5F, 1, 1, 5, 3, 1 },
        { 0, 0, 1, 1, 32769, 1, 1 }, { 0, 0, 1, 1, 0x40000005, 3, 1 },
    };
    GBytes *bytes = g_bytes_new(pixels8, sizeof pixels8);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %u", i);
        g_test_expect_message(NULL, G_LOG_LEVEL_CRITICAL, "*mask != NULL*");
        GstVigilMask *mask = gst_vigil_mask_new(
            cases[i].x, cases[i].y, cases[i].region_width, cases[i].region_height,
            cases[i].width, cases[i].height, cases[i].bytes_per_pixel, bytes, NULL, 0);
        g_test_assert_expected_messages();
        g_assert_null(mask);
    }
    g_bytes_unref(bytes);
}

/* Pixels need not lie on an even address. */
static void test_unaligned(void)
{
    const guint8 data[] = { 0xff, 1, 1, 2, 2, 3, 3 };
    GBytes *all = g_bytes_new(data, sizeof data),
           *part = g_bytes_new_from_bytes(all, 1, 6);
    GstVigilMask *mask = gst_vigil_mask_new(0, 0, 1, 1, 3, 1, 2, part, NULL, 0);

    g_assert_cmpint(gst_vigil_mask_get_pixel(mask, 2, 0), ==, 0x303);
    g_assert_cmpint(gst_vigil_mask_get_class(mask, 0)->index, ==, 0x101);
    gst_vigil_mask_unref(mask);
    g_bytes_unref(part);
    g_bytes_unref(all);
}

static void test_shared(void)
{
    GstBuffer *buffer = gst_buffer_new();
    add_mask(buffer, 1);
    GstVigilMask *mask = gst_vigil_mask_ref(only_mask(buffer));
    GstBuffer *copy = gst_buffer_copy(buffer);
    GstVigilResult *edited = gst_vigil_result_copy(gst_vigil_meta_get_result(
        (GstVigilMeta *)gst_buffer_get_meta(buffer, GST_VIGIL_META_API_TYPE), 0));

    gst_buffer_unref(buffer);
    g_assert_true(only_mask(copy) == mask);
    gst_buffer_unref(copy);
    g_assert_true(gst_vigil_result_get_mask(edited) == mask);
    gst_vigil_result_set_mask(edited, NULL);
    g_assert_null(gst_vigil_result_get_mask(edited));
    gst_vigil_result_unref(edited);
    check_mask(mask, 1);
    gst_vigil_mask_unref(mask);
}

static void test_scale(void)
{
    GstVideoInfo in, out;
    GstVideoMetaTransform scale = { &in, &out };
    GstBuffer *from = gst_buffer_new(), *to = gst_buffer_new();
    GstMeta *meta = (GstMeta *)add_mask(from, 2);
    guint width, height;

    gst_video_info_set_format(&in, GST_VIDEO_FORMAT_NV12, 640, 480);
    gst_video_info_set_format(&out, GST_VIDEO_FORMAT_NV12, 320, 120);
    g_assert_true(meta->info->transform_func(
        to, meta, from, gst_video_meta_transform_scale_get_quark(), &scale));
    g_assert_true(only_mask(to) == only_mask(from));
    gst_vigil_meta_get_frame_size(
        (GstVigilMeta *)gst_buffer_get_meta(to, GST_VIGIL_META_API_TYPE), &width,
        &height);
    g_assert_true(width == 320 && height == 120);
    gst_buffer_unref(from);
    check_mask(only_mask(to), 2);
    gst_buffer_unref(to);
}

/* ---- Mirrors -------------------------------------------------------------------- */

/* A region of interest for a region, nothing about its pixels. */
static void test_roi(void)
{
    GstBuffer *buffer = gst_buffer_new();

    g_assert_cmpuint(gst_vigil_meta_mirror(add_mask(buffer, 1), buffer), ==, 1);
    GstVideoRegionOfInterestMeta *roi =
        (GstVideoRegionOfInterestMeta *)gst_buffer_get_meta(
            buffer, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
    g_assert_true(roi->x == 160 && roi->y == 240 && roi->w == 320 && roi->h == 240);
    g_assert_cmpuint(g_list_length(roi->params), ==, 1);
    gst_buffer_unref(buffer);
}

#ifdef HAVE_GST_ANALYTICS_SEGMENTATION
static void check_segmentation(GstAnalyticsSegmentationMtd *segmentation,
                               GstVigilMask *mask)
{
    const guint bytes = gst_vigil_mask_get_bytes_per_pixel(mask);
    gint x, y;
    guint width, height;
    GstMapInfo map;
    GstBuffer *pixels =
        gst_analytics_segmentation_mtd_get_mask(segmentation, &x, &y, &width, &height);
    GstVideoMeta *video = gst_buffer_get_video_meta(pixels);

    g_assert_true(x == 160 && y == 240 && width == 320 && height == 120);
    g_assert_true(video->width == WIDTH && video->height == HEIGHT);
    g_assert_cmpint(video->stride[0], ==, WIDTH * bytes);
    g_assert_cmpint(video->format, ==,
                    bytes == 1 ? GST_VIDEO_FORMAT_GRAY8 : GST_VIDEO_FORMAT_GRAY16_LE);
    g_assert_true(gst_buffer_map(pixels, &map, GST_MAP_READ));
    g_assert_true(map.data ==
                  g_bytes_get_data(gst_vigil_mask_get_pixels(mask), NULL)); /* shared */
    gst_buffer_unmap(pixels, &map);
    gst_buffer_unref(pixels);
    for (guint i = 0; i < 3; i++) {
        gsize at = 99;
        const gint index = gst_vigil_mask_get_class(mask, i)->index;
        g_assert_true(
            gst_analytics_segmentation_mtd_get_region_index(segmentation, &at, index));
        g_assert_cmpuint(at, ==, i);
    }
}

static void test_analytics(void)
{
    static const gchar *const names[] = { "sky", "road", NULL };

    for (guint bytes = 1; bytes <= 2; bytes++) {
        GstBuffer *buffer = gst_buffer_new();
        GstAnalyticsMtd segmentation, classes, object;
        gpointer state = NULL;
        gst_vigil_meta_mirror(add_mask(buffer, bytes), buffer);
        GstAnalyticsRelationMeta *relations =
            gst_buffer_get_analytics_relation_meta(buffer);
        g_assert_true(gst_analytics_relation_meta_iterate(
            relations, &state, gst_analytics_segmentation_mtd_get_mtd_type(),
            &segmentation));
        check_segmentation(&segmentation, only_mask(buffer));
        g_assert_true(gst_analytics_relation_meta_get_direct_related(
            relations, segmentation.id, GST_ANALYTICS_REL_TYPE_RELATE_TO,
            gst_analytics_cls_mtd_get_mtd_type(), NULL, &classes));
        g_assert_cmpuint(gst_analytics_cls_mtd_get_length(&classes), ==, 3);
        for (guint i = 0; i < 3; i++)
            g_assert_cmpstr(
                g_quark_to_string(gst_analytics_cls_mtd_get_quark(&classes, i)), ==,
                names[i] ? names[i] : (bytes == 1 ? "7" : "40000"));
        g_assert_true(gst_analytics_relation_meta_get_direct_related(
            relations, segmentation.id, GST_ANALYTICS_REL_TYPE_IS_PART_OF,
            gst_analytics_od_mtd_get_mtd_type(), NULL, &object));
        GstBuffer *copy = gst_buffer_copy(buffer);
        gst_buffer_unref(buffer);
        state = NULL;
        g_assert_true(gst_analytics_relation_meta_iterate(
            gst_buffer_get_analytics_relation_meta(copy), &state,
            gst_analytics_segmentation_mtd_get_mtd_type(), &segmentation));
        check_segmentation(&segmentation, only_mask(copy));
        gst_buffer_unref(copy);
    }
}
#endif

/* ---- Bytes ---------------------------------------------------------------------- */

#if GST_CHECK_VERSION(1, 24, 0)
static void test_serialize(void)
{
    for (guint bytes_per_pixel = 1; bytes_per_pixel <= 2; bytes_per_pixel++) {
        GstBuffer *from = gst_buffer_new(), *to = gst_buffer_new();
        GByteArray *bytes = g_byte_array_new();
        guint32 consumed;
        g_assert_true(gst_meta_serialize_simple(
            (GstMeta *)add_mask(from, bytes_per_pixel), bytes));
        g_assert_nonnull(gst_meta_deserialize(to, bytes->data, bytes->len, &consumed));
        check_mask(only_mask(to), bytes_per_pixel);
        g_assert_cmpuint(gst_vigil_mask_get_id(only_mask(to)), !=,
                         gst_vigil_mask_get_id(only_mask(from)));

        /* bytes of a stranger: each turned over in turn; nothing may break */
        for (guint i = 0; i < bytes->len; i++) {
            GstBuffer *buffer = gst_buffer_new();
            guint8 *broken = g_memdup2(bytes->data, bytes->len);
            broken[i] ^= 0x55;
            gst_meta_deserialize(buffer, broken, bytes->len, &consumed);
            g_free(broken);
            gst_buffer_unref(buffer);
        }
        g_byte_array_unref(bytes);
        gst_buffer_unref(from);
        gst_buffer_unref(to);
    }
}
#endif

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gst_init(&argc, &argv);
    g_test_add_func("/mask/count", test_count);
    g_test_add_func("/mask/class-at", test_class_at);
    g_test_add_func("/mask/refused", test_refused);
    g_test_add_func("/mask/unaligned", test_unaligned);
    g_test_add_func("/mask/shared", test_shared);
    g_test_add_func("/mask/scale", test_scale);
    g_test_add_func("/mask/roi", test_roi);
#ifdef HAVE_GST_ANALYTICS_SEGMENTATION
    g_test_add_func("/mask/analytics", test_analytics);
#endif
#if GST_CHECK_VERSION(1, 24, 0)
    g_test_add_func("/mask/serialize", test_serialize);
#endif
    return g_test_run();
}
