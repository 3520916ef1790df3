/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilsegment: the right class at the right pixel, wherever the network saw it.  Its
 * input is 96 x 128 and its map of logits 6 x 8: a cell of a grid that is a whole
 * number of sixteens of the input large has sharp edges in the mask.
 */
#include "segmenter.h"
#include <string.h>

static const gfloat whole[] = { 0, 0, 1, 1 };

/* Twice the size of the input: exact to the pixel. */
static const Grid usual = { 256, 192, 4, 3,
                            "rgbr"
                            "bbgg"
                            "grrb" };

static GstBuffer *look(GstElement *element, const Grid *grid, GstBuffer *frame)
{
    gchar *caps = grid_caps(grid);
    GstBuffer *out = classify_once(element, caps, frame);

    g_free(caps);
    g_assert_cmpint(gst_vigil_meta_get_task(frame_meta(out)), ==,
                    GST_VIGIL_TASK_SEGMENTATION);
    return out;
}

static void check(GstElement *element, const Grid *grid, const gfloat region[4],
                  guint width, guint height, gdouble slack)
{
    GstBuffer *out = look(element, grid, grid_frame(grid));

    g_assert_cmpuint(gst_vigil_meta_get_n_results(frame_meta(out)), ==, 1);
    grid_assert(grid, mask_of(out, 0), region, width, height, slack);
    gst_buffer_unref(out);
}

/* ---- Geometry ------------------------------------------------------------------- */

static void test_whole_frame(void)
{
    GstBuffer *out = look(segmenter_new(NULL, NULL), &usual, grid_frame(&usual));
    GstVigilResult *result = gst_vigil_meta_get_result(frame_meta(out), 0);
    const GstVigilMask *mask = mask_of(out, 0);

    g_assert_true(gst_vigil_result_is_full_frame(result));
    g_assert_cmpuint(gst_vigil_result_get_n_classes(result), ==, 0);
    g_assert_cmpuint(gst_vigil_mask_get_bytes_per_pixel(mask), ==, 1);
    grid_assert(&usual, mask, whole, 128, 96, 0);
    g_assert_cmpuint(gst_vigil_mask_get_n_classes(mask), ==, 3);
    g_assert_cmpint(gst_vigil_mask_get_class_at(mask, 0.1F, 0.1F), ==, RED);
    g_assert_cmpint(gst_vigil_mask_get_class_at(mask, 0.6F, 0.1F), ==, BLUE);
    g_assert_cmpint(gst_vigil_mask_get_class_at(mask, 0.1F, 0.9F), ==, GREEN);
    gst_buffer_unref(out);
}

/* The next frame of a stream: its caps, and the frame. */
static GstBuffer *push(GstHarness *h, const Grid *grid, GstBuffer *frame)
{
    gchar *caps = grid_caps(grid);

    gst_harness_set_src_caps_str(h, caps);
    g_free(caps);
    return gst_harness_push_and_pull(h, frame);
}

/* A picture that is no multiple of the input is resized with some blur. */
static void test_odd_sizes(void)
{
    static const guint sizes[][2] = { { 131, 97 }, { 333, 201 }, { 129, 767 },
                                      { 641, 51 }, { 60, 45 },   { 1, 1 } };
    GstHarness *h = classifier_harness(segmenter_new(NULL, NULL), STREAM_CAPS);

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        const gboolean one = sizes[i][0] == 1;
        const Grid grid = { sizes[i][0], sizes[i][1], one ? 1 : 4, one ? 1 : 3,
                            one ? "g" : usual.cells };
        GstBuffer *out = push(h, &grid, grid_frame(&grid));
        grid_assert(&grid, mask_of(out, 0), whole, 128, 96, 4);
        gst_buffer_unref(out);
    }
    gst_harness_teardown(h);
}

static void test_padded(void)
{
    static const guint paddings[] = { 1, 2, 61 };
    GstHarness *h = classifier_harness(segmenter_new(NULL, NULL), STREAM_CAPS);

    for (guint i = 0; i < G_N_ELEMENTS(paddings); i++) {
        GstBuffer *out = push(h, &usual, grid_frame_padded(&usual, paddings[i]));
        grid_assert(&usual, mask_of(out, 0), whole, 128, 96, 0);
        gst_buffer_unref(out);
    }
    gst_harness_teardown(h);
}

static GstElement *resizing(const gchar *resize)
{
    GstElement *element = segmenter_new(NULL, NULL);

    gst_util_set_object_arg(G_OBJECT(element), "resize", resize);
    return element;
}

/* The borders are not in the mask: it is as high or wide as the picture in the input.
 */
static void test_letterbox(void)
{
    static const Grid wide = { 256, 128, 4, 2, "rgbrbbgg" };
    static const Grid high = { 96, 144, 2, 3, "rgbrgb" };

    check(resizing("letterbox"), &wide, whole, 128, 64, 0);
    check(resizing("letterbox"), &high, whole, 64, 96, 0);
}

/* What was cut off is not in the mask: it covers less of the frame. */
static void test_crop(void)
{
    static const Grid wide = { 288, 144, 6, 3,
                               "rgbrgb"
                               "bbggrr"
                               "grrbgr" };
    static const gfloat middle[] = { 1.0F / 6, 0, 2.0F / 3, 1 };

    check(resizing("crop"), &wide, middle, 128, 96, 0);
}

static void test_none(void)
{
    static const Grid same = { 128, 96, 4, 3, "rgbrbbgggrrb" };

    check(resizing("none"), &same, whole, 128, 96, 0);
}

static void test_input_size(void)
{
    check(segmenter_new("input-size", "192x256", NULL), &usual, whole, 256, 192, 0);
}

/* ---- Regions -------------------------------------------------------------------- */

static void test_regions(void)
{
    static const gfloat left[] = { 0, 0, 0.5F, 1 };
    static const gfloat part[] = { 0.25F, 1.0F / 3, 0.5F, 2.0F / 3 };
    const Grid grid = { 256, 192, 4, 3, usual.cells };
    GstBuffer *out =
        look(segmenter_new(
                 "regions",
                 "left=0,0,0.5,1;0.25,0.3333333333333333,0.5,0.6666666666666667", NULL),
             &grid, grid_frame(&grid));
    GstVigilMeta *meta = frame_meta(out);

    g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, 2);
    grid_assert(&grid, mask_of(out, 0), left, 128, 96, 0);
    grid_assert(&grid, mask_of(out, 1), part, 128, 96, 1);
    g_assert_cmpstr(
        gst_vigil_result_get_region_name(gst_vigil_meta_get_result(meta, 0)), ==,
        "left");
    g_assert_false(gst_vigil_result_is_full_frame(gst_vigil_meta_get_result(meta, 1)));
    g_assert_cmpuint(
        gst_buffer_get_n_meta(out, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), ==, 2);
    gst_buffer_unref(out);
}

/* Of a region the mask tells only what was shown. */
static void test_region_crop(void)
{
    static const Grid grid = { 288, 288, 6, 6,
                               "rgbrgb"
                               "bbggrr"
                               "grrbgr"
                               "rgbrgb"
                               "bbggrr"
                               "grrbgr" };
    static const gfloat shown[] = { 1.0F / 6, 0.5F, 2.0F / 3, 0.5F };
    GstElement *element = resizing("crop");

    g_object_set(element, "regions", "0,0.5,1,0.5", NULL);
    GstBuffer *out = look(element, &grid, grid_frame(&grid));
    grid_assert(&grid, mask_of(out, 0), shown, 128, 96, 0);
    gst_buffer_unref(out);
}

/* Less than a pixel is stretched over the input all the same. */
static void test_tiny_region(void)
{
    GstBuffer *out =
        look(segmenter_new("regions", "0.1,0.1,0.00000001,0.00000001", NULL), &usual,
             grid_frame(&usual));
    const GstVigilMask *mask = mask_of(out, 0);

    g_assert_cmpuint(gst_vigil_mask_get_n_classes(mask), ==, 1);
    g_assert_cmpint(gst_vigil_mask_get_class(mask, 0)->index, ==, RED);
    gst_buffer_unref(out);
}

/* ---- The frame as it is stored -------------------------------------------------- */

static void test_crop_meta(void)
{
    const Grid outer = { 256 + 64, 192 + 96, 1, 1, "g" };
    GstBuffer *frame = grid_frame(&outer), *inner = grid_frame(&usual);
    GstMapInfo to, from;

    g_assert_true(gst_buffer_map(frame, &to, GST_MAP_WRITE));
    g_assert_true(gst_buffer_map(inner, &from, GST_MAP_READ));
    for (guint y = 0; y < usual.height; y++)
        memcpy(to.data + ((y + 32) * outer.width + 48) * 3,
               from.data + y * usual.width * 3, usual.width * 3);
    gst_buffer_unmap(inner, &from);
    gst_buffer_unmap(frame, &to);
    gst_buffer_unref(inner);
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(frame);
    *crop = (GstVideoCropMeta) { crop->meta, 48, 32, usual.width, usual.height };
    GstBuffer *out = look(segmenter_new(NULL, NULL), &outer, frame);
    grid_assert(&usual, mask_of(out, 0), whole, 128, 96, 0);
    gst_buffer_unref(out);
}

static void check_turns(const gchar *resize)
{
    static const gchar *const tags[] = {
        "rotate-0",      "rotate-90",      "rotate-180",      "rotate-270",
        "flip-rotate-0", "flip-rotate-90", "flip-rotate-180", "flip-rotate-270",
    };
    static const Grid grid = { 256, 192, 2, 2, "rgbb" };
    GstHarness *h = classifier_harness(resizing(resize), STREAM_CAPS);

    for (guint i = 0; i < G_N_ELEMENTS(tags); i++) {
        const gboolean swaps = i % 2, letterbox = g_str_equal(resize, "letterbox");
        g_assert_true(
            gst_harness_push_event(h, gst_event_new_tag(gst_tag_list_new(
                                          GST_TAG_IMAGE_ORIENTATION, tags[i], NULL))));
        GstBuffer *out = push(h, &grid, grid_frame(&grid));
        g_test_message("%s, %s", tags[i], resize);
        if (swaps && letterbox) /* 3:4 in 4:3: 72 x 96 of the input */
            grid_assert(&grid, mask_of(out, 0), whole, 96, 72, 1);
        else
            grid_assert(&grid, mask_of(out, 0), whole, swaps ? 96 : 128,
                        swaps ? 128 : 96, 0);
        gst_buffer_unref(out);
    }
    gst_harness_teardown(h);
}

/* The mask lies as the frame is stored, whatever the tag says; each turn of these four
 * cells looks different. */
static void test_orientation(void)
{
    check_turns("stretch");
    check_turns("letterbox");
}

/* ---- Many classes --------------------------------------------------------------- */

static void paint_black(guint x, guint y, guint8 rgb[3], gpointer data)
{
    memset(rgb, 0, 3);
}

/* More classes than a byte tells; this model has no labels. */
static void test_wide(void)
{
    GstBuffer *frame = frame_paint(64, 48, paint_black, NULL);
    GstBuffer *out = classify_once(
        segmenter_new("model", g_getenv("VIGIL_TEST_WIDE_SEGMENTER"), NULL),
        "video/x-raw,format=RGB,width=64,height=48,framerate=25/1", frame);
    const GstVigilMask *mask = mask_of(out, 0);

    g_assert_cmpuint(gst_vigil_mask_get_bytes_per_pixel(mask), ==, 2);
    g_assert_cmpuint(g_bytes_get_size(gst_vigil_mask_get_pixels(mask)), ==,
                     96 * 128 * 2);
    g_assert_cmpuint(gst_vigil_mask_get_n_classes(mask), ==, 1);
    g_assert_cmpint(gst_vigil_mask_get_class(mask, 0)->index, ==, 299);
    g_assert_null(gst_vigil_mask_get_class(mask, 0)->label);
    gst_buffer_unref(out);
}

/* ---- Telling -------------------------------------------------------------------- */

static void check_class(const GValue *list, guint i, const gchar *label, gdouble share)
{
    const GstStructure *item =
        gst_value_get_structure(gst_value_array_get_value(list, i));
    gdouble told = -1;

    g_assert_true(gst_structure_get_double(item, "share", &told));
    g_assert_cmpfloat_with_epsilon(told, share, 0.01);
    g_assert_cmpstr(gst_structure_get_string(item, "label"), ==, label);
    g_assert_true(gst_structure_has_field_typed(item, "index", G_TYPE_INT));
}

static void test_messages(void)
{
    static const Grid grid = { 256, 192, 4, 1, "brrr" };
    gchar *caps = grid_caps(&grid);
    GstHarness *h = classifier_harness(
        segmenter_new("post-messages", TRUE, "regions", "all=0,0,1,1", NULL), caps);
    GstBus *bus = gst_bus_new();
    GstBuffer *frame = grid_frame(&grid);
    guint64 time = 0;
    gdouble width = 0;

    gst_element_set_bus(h->element, bus);
    GST_BUFFER_PTS(frame) = 5 * FRAME_TIME;
    gst_buffer_unref(gst_harness_push_and_pull(h, frame));
    GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT);
    g_assert_nonnull(message);
    const GstStructure *s = gst_message_get_structure(message);
    g_assert_true(gst_structure_has_name(s, "vigil-segmentation"));
    g_assert_true(gst_structure_get_uint64(s, "timestamp", &time));
    g_assert_cmpuint(time, ==, 5 * FRAME_TIME);
    g_assert_cmpstr(gst_structure_get_string(s, "region-name"), ==, "all");
    g_assert_true(gst_structure_get_double(s, "width", &width));
    g_assert_cmpfloat(width, ==, 1);
    const GValue *list = gst_structure_get_value(s, "classes");
    g_assert_cmpuint(gst_value_array_get_size(list), ==, 2);
    check_class(list, 0, "red", 0.75);
    check_class(list, 1, "blue", 0.25);
    gst_message_unref(message);
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
    g_free(caps);
}

/* ---- The stream ----------------------------------------------------------------- */

static void test_caps_change(void)
{
    static const Grid grids[] = { { 256, 192, 4, 3, "rgbrbbgggrrb" },
                                  { 384, 96, 2, 3, "rgbrgb" },
                                  { 128, 288, 4, 1, "bgrb" } };
    GstHarness *h = classifier_harness(segmenter_new(NULL, NULL), STREAM_CAPS);

    for (guint i = 0; i < G_N_ELEMENTS(grids); i++) {
        GstBuffer *out = push(h, &grids[i], grid_frame(&grids[i]));
        grid_assert(&grids[i], mask_of(out, 0), whole, 128, 96, 0);
        gst_buffer_unref(out);
    }
    gst_harness_teardown(h);
}

/* Masks that were told stay what they were when further frames come. */
static void test_kept(void)
{
    static const Grid other = { 256, 192, 1, 1, "b" };
    gchar *caps = grid_caps(&usual);
    GstHarness *h = classifier_harness(segmenter_new(NULL, NULL), caps);
    GstBuffer *first = gst_harness_push_and_pull(h, grid_frame(&usual));
    GstBuffer *second = gst_harness_push_and_pull(h, grid_frame(&other));

    grid_assert(&usual, mask_of(first, 0), whole, 128, 96, 0);
    grid_assert(&other, mask_of(second, 0), whole, 128, 96, 0);
    g_assert_cmpuint(gst_vigil_mask_get_id(mask_of(first, 0)), !=,
                     gst_vigil_mask_get_id(mask_of(second, 0)));
    gst_buffer_unref(second);
    gst_harness_teardown(h);
    grid_assert(&usual, mask_of(first, 0), whole, 128, 96, 0);
    gst_buffer_unref(first);
    g_free(caps);
}

static void test_interval_and_gaps(void)
{
    gchar *caps = grid_caps(&usual);
    GstHarness *h =
        classifier_harness(segmenter_new("inference-interval", 2u, NULL), caps);
    GstBuffer *gap = grid_frame(&usual);

    GST_BUFFER_FLAG_SET(gap, GST_BUFFER_FLAG_GAP);
    g_assert_false(frame_is_analysed(h, gap));
    g_assert_true(frame_is_analysed(h, grid_frame(&usual)));
    g_assert_false(frame_is_analysed(h, grid_frame(&usual)));
    g_assert_true(frame_is_analysed(h, grid_frame(&usual)));
    gst_harness_teardown(h);
    g_free(caps);
}

static void test_cycles(void)
{
    static const GstState tops[] = { GST_STATE_READY, GST_STATE_PAUSED,
                                     GST_STATE_PLAYING };
    GstElement *element = segmenter_new(NULL, NULL);

    for (guint i = 0; i < 6; i++) {
        g_object_set(element, "input-size", i % 2 ? "96x128" : "192x256", NULL);
        g_assert_cmpint(gst_element_set_state(element, tops[i % 3]), ==,
                        GST_STATE_CHANGE_SUCCESS);
        g_assert_cmpint(
            gst_element_set_state(element, i % 2 ? GST_STATE_READY : GST_STATE_NULL),
            ==, GST_STATE_CHANGE_SUCCESS);
    }
    check(element, &usual, whole, 128, 96, 0);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/segment/frame", test_whole_frame);
    g_test_add_func("/segment/odd-sizes", test_odd_sizes);
    g_test_add_func("/segment/padded", test_padded);
    g_test_add_func("/segment/letterbox", test_letterbox);
    g_test_add_func("/segment/crop", test_crop);
    g_test_add_func("/segment/none", test_none);
    g_test_add_func("/segment/input-size", test_input_size);
    g_test_add_func("/segment/regions", test_regions);
    g_test_add_func("/segment/regions/crop", test_region_crop);
    g_test_add_func("/segment/regions/tiny", test_tiny_region);
    g_test_add_func("/segment/crop-meta", test_crop_meta);
    g_test_add_func("/segment/orientation", test_orientation);
    g_test_add_func("/segment/wide", test_wide);
    g_test_add_func("/segment/messages", test_messages);
    g_test_add_func("/segment/caps-change", test_caps_change);
    g_test_add_func("/segment/kept", test_kept);
    g_test_add_func("/segment/interval-and-gaps", test_interval_and_gaps);
    g_test_add_func("/segment/cycles", test_cycles);
    return g_test_run();
}
