/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mode=latest of the other elements, and what vigiloverlay and vigilmask make of
 * results that come late.
 */
#include <string.h>
#include "detector.h"
#include "late.h"
#include "segmenter.h"

#define HOLD (5 * FRAME_TIME)

static const Grid usual = { 256, 192, 4, 3,
                            "rgbr"
                            "bbgg"
                            "grrb" };

/* The elements after the tested one may change its pixels. */
static GstBuffer *pass(Late *l, GstBuffer *frame)
{
    GST_BUFFER_PTS(frame) = l->frames++ * FRAME_TIME;
    GST_BUFFER_DURATION(frame) = FRAME_TIME;
    g_assert_cmpint(gst_harness_push(l->h, frame), ==, GST_FLOW_OK);
    GstBuffer *out = gst_harness_try_pull(l->h);
    g_assert_nonnull(out);
    return out;
}

/* ---- Detection ------------------------------------------------------------------ */

static Found found_late(Late *l, guint runs)
{
    GstBuffer *out = late_push_after(l, runs, 1);
    const Found found = found_read(out);

    g_assert_cmpuint(late_of_frame(out), ==, 0);
    g_assert_cmpuint(
        gst_buffer_get_n_meta(out, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), ==,
        found.n);
    gst_buffer_unref(out);
    return found;
}

/* The same boxes as in mode sync, of the settings that the frame came in under. */
static void test_detections(void)
{
    static const gchar *const tiles[] = { "1x1", "2x1" };

    for (guint i = 0; i < 2; i++) {
        Late l = late_start(detector_new("tiles", tiles[i], NULL), STREAM_CAPS);
        gate_open();
        const Found want = found_once(detector_new("tiles", tiles[i], NULL),
                                      STREAM_CAPS, late_frame(&l, 0));
        gate_shut();
        late_push_bare(&l, 1);
        gate_wait_came(1);
        g_object_set(l.element, "tiles", "3x3", "threshold", 1.0F, "object-class",
                     "one", NULL);
        late_push_bare(&l, 1); /* takes them in */
        const Found got = found_late(&l, i ? 3 : 1);
        found_assert_same(&got, &want, 0, tiles[i]);
        late_stop(&l);
    }
}

/* ---- Masks ---------------------------------------------------------------------- */

static void test_masks(void)
{
    static const gfloat whole[] = { 0, 0, 1, 1 };
    gchar *caps = grid_caps(&usual);
    Late l = late_start(segmenter_new("post-messages", TRUE, NULL), caps);

    gst_buffer_unref(pass(&l, grid_frame(&usual)));
    gate_let(1);
    late_wait_analysed(&l, 1);
    GstBuffer *out = pass(&l, grid_frame(&usual));
    grid_assert(&usual, mask_of(out, 0), whole, 128, 96, 0);
    g_assert_cmpuint(late_of_frame(out), ==, 0);
    gst_buffer_unref(out);
    late_stop(&l);
    g_free(caps);
}

/* The pixel in the middle of the first cell, which is red. */
static guint8 first_cell(GstBuffer *mask)
{
    guint8 value = 0;

    gst_buffer_extract(mask, 32 * 256 + 32, &value, 1);
    gst_buffer_unref(mask);
    return value;
}

/* A mask is shown from the frame that brings it until it is too old. */
static void test_mask_video(void)
{
    gchar *caps = grid_caps(&usual);
    gchar *text = g_strdup_printf("vigilsegment name=segment model=%s ! vigilmask "
                                  "hold-time=%" G_GUINT64_FORMAT,
                                  g_getenv("VIGIL_TEST_SEGMENTER"), HOLD);
    Late l = late_start_parse(text, "segment", caps);

    g_object_set(l.element, "inference-interval", G_MAXUINT, NULL);
    for (guint i = 0; i < 3; i++)
        g_assert_cmpuint(first_cell(pass(&l, grid_frame(&usual))), ==, 255);
    gate_let(1); /* of frame 0 */
    late_wait_analysed(&l, 1);
    for (guint i = 0; i < 6; i++)
        g_assert_cmpuint(first_cell(pass(&l, grid_frame(&usual))), ==, RED);
    g_assert_cmpuint(first_cell(pass(&l, grid_frame(&usual))), ==, 255);
    late_stop(&l);
    g_free(text);
    g_free(caps);
}

/* ---- Overlay -------------------------------------------------------------------- */

static gboolean is_drawn(Late *l)
{
    GstBuffer *plain = late_frame(l, 0), *out = pass(l, late_frame(l, 0));
    GstMapInfo was;

    g_assert_true(gst_buffer_map(plain, &was, GST_MAP_READ));
    const gboolean drawn = gst_buffer_memcmp(out, 0, was.data, was.size) != 0;
    gst_buffer_unmap(plain, &was);
    gst_buffer_unref(plain);
    gst_buffer_unref(out);
    return drawn;
}

static void check_overlay(const gchar *launch, const gchar *model)
{
    gchar *element = g_strdup_printf(launch, model);
    gchar *text = g_strdup_printf(
        "%s name=late ! vigiloverlay hold-time=%" G_GUINT64_FORMAT, element, HOLD);
    Late l = late_start_parse(text, "late", STREAM_CAPS);

    g_object_set(l.element, "inference-interval", G_MAXUINT, NULL);
    for (guint i = 0; i < 3; i++)
        g_assert_false(is_drawn(&l));
    gate_let(1); /* of frame 0 */
    late_wait_analysed(&l, 1);
    for (guint i = 0; i < 6; i++)
        g_assert_true(is_drawn(&l));
    g_assert_false(is_drawn(&l));
    late_stop(&l);
    g_free(text);
    g_free(element);
}

static void test_overlay(void)
{
    check_overlay("vigilclassify model=%s", g_getenv("VIGIL_TEST_MODEL"));
    check_overlay("vigildetect model=%s threshold=0.3",
                  g_getenv("VIGIL_TEST_DETECTOR"));
    check_overlay("vigilsegment model=%s", g_getenv("VIGIL_TEST_SEGMENTER"));
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/latest-drawn/detections", test_detections);
    g_test_add_func("/latest-drawn/masks", test_masks);
    g_test_add_func("/latest-drawn/mask-video", test_mask_video);
    g_test_add_func("/latest-drawn/overlay", test_overlay);
    return g_test_run();
}
