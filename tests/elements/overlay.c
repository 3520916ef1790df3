/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigiloverlay: pixels change where something is drawn and nowhere else, for as long as
 * they should, or travel beside the frame.
 */
#include "overlay-frames.h"

#define COMPOSITION_CAPS                                                               \
    "video/x-raw(memory:SystemMemory,meta:GstVideoOverlayComposition),"                \
    "format=RGB,width=320,height=240,framerate=10/1"

/* ---- Where ---------------------------------------------------------------------- */

static void test_nothing(void)
{
    Fixture f = start("vigiloverlay", RGB_CAPS);
    GstBuffer *frame = new_frame(&f, 0);
    gst_buffer_ref(frame); /* shared: drawing on it would need a copy */
    GstBuffer *output = gst_harness_push_and_pull(f.harness, frame);
    g_assert_true(output == frame);
    g_assert_cmpuint(changed(&f, output).width, ==, 0);
    gst_buffer_unref(output);
    gst_buffer_unref(frame);

    GstBuffer *empty = new_frame(&f, GST_SECOND);
    add_meta(empty, "a");
    g_assert_cmpuint(push(&f, empty).width, ==, 0);
    stop(&f);
}

static void test_shared_frame(void)
{
    Fixture f = start("vigiloverlay", RGB_CAPS);
    GstBuffer *frame = new_frame(&f, 0);
    add_classes(add_meta(frame, "a"));
    GstBuffer *output = gst_harness_push_and_pull(f.harness, gst_buffer_ref(frame));
    g_assert_true(output != frame);
    g_assert_cmpuint(changed(&f, frame).width, ==, 0);
    g_assert_cmpuint(changed(&f, output).width, >, 0);
    g_assert_cmpuint(gst_buffer_get_n_meta(output, GST_VIGIL_META_API_TYPE), ==, 1);
    gst_buffer_unref(output);
    gst_buffer_unref(frame);
    stop(&f);
}

static void test_region(void)
{
    Fixture f = start("vigiloverlay draw-labels=false draw-scores=false", RGB_CAPS);
    GstBuffer *frame = new_frame(&f, 0);
    add_region(add_meta(frame, "a"));
    GstBuffer *output = gst_harness_push_and_pull(f.harness, frame);
    Area area = changed(&f, output);
    g_assert_true(area.x == 160 && area.y == 120 && area.width == 80 &&
                  area.height == 60);

    /* the line is drawn, its inside is not */
    GstVideoFrame before, after;
    GstBuffer *original = new_frame(&f, 0);
    gst_video_frame_map(&before, &f.info, original, GST_MAP_READ);
    gst_video_frame_map(&after, &f.info, output, GST_MAP_READ);
    for (guint y = 130; y < 170; y++)
        for (guint x = 170; x < 230; x++)
            for (guint c = 0; c < 3; c++)
                g_assert_false(differs(&before, &after, c, x, y));
    gst_video_frame_unmap(&after);
    gst_video_frame_unmap(&before);
    gst_buffer_unref(original);
    gst_buffer_unref(output);

    frame = new_frame(&f, GST_SECOND);
    add_region(add_meta(frame, "a"));
    gst_harness_set(f.harness, "vigiloverlay", "draw-scores", TRUE, NULL);
    area = push(&f, frame); /* now with a caption on top */
    g_assert_true(inside(area, 160, 90, 160, 90) && area.y < 118);
    stop(&f);
}

static guint32 pixel_at(const Fixture *f, GstBuffer *buffer, guint x, guint y)
{
    GstVideoInfo info = f->info;
    GstVideoFrame frame;
    g_assert_true(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
    const guint8 *p = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
                      y * (guint)GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0) + 3 * x;
    guint32 rgb = (guint32)p[0] << 16 | (guint32)p[1] << 8 | p[2];
    gst_video_frame_unmap(&frame);
    return rgb;
}

/* The colour of a box depends on the name of its class, or its number, alone. */
static void test_detections(void)
{
    static const struct {
        const gchar *label;
        gint id;
        gfloat score;
    } objects[] = { { "person", 0, 0.9f }, { "person", 7, 0.4f }, { "car", 2, 0.9f },
                    { NULL, 3, 0.5f },     { NULL, 3, 0.7f },     { NULL, 4, 0.5f } };
    guint32 first[G_N_ELEMENTS(objects)];
    Fixture f = start("vigiloverlay draw-labels=false draw-scores=false", RGB_CAPS);
    for (int round = 0; round < 2; round++) {
        GstBuffer *frame = new_frame(&f, round * GST_MSECOND);
        GstVigilMeta *meta = add_meta(frame, "a");
        for (gsize i = 0; i < G_N_ELEMENTS(objects); i++) {
            /* in the second frame in another order: the colours stay */
            gsize place = round ? G_N_ELEMENTS(objects) - 1 - i : i;
            GstVigilResult *object = gst_vigil_result_new_region(
                0.05f + 0.15f * (gfloat)place, 0.25f, 0.125f, 0.5f);
            gst_vigil_result_set_detection(object, objects[i].label, objects[i].id,
                                           objects[i].score);
            gst_vigil_meta_add_result(meta, object);
        }
        GstBuffer *output = gst_harness_push_and_pull(f.harness, frame);
        for (gsize i = 0; i < G_N_ELEMENTS(objects); i++) {
            gsize place = round ? G_N_ELEMENTS(objects) - 1 - i : i;
            guint32 rgb = pixel_at(&f, output, 16 + 48 * (guint)place + 1, 120);
            if (round)
                g_assert_cmphex(rgb, ==, first[i]);
            first[i] = rgb;
        }
        gst_buffer_unref(output);
    }
    g_assert_cmphex(first[0], ==, first[1]);
    g_assert_cmphex(first[0], !=, first[2]);
    g_assert_cmphex(first[3], ==, first[4]);
    g_assert_cmphex(first[3], !=, first[5]);
    stop(&f);
}

/* Of two captions in one place the better object's is seen, and the line of no other
 * box crosses it. */
static void test_best_on_top(void)
{
    Fixture f = start("vigiloverlay draw-labels=true", RGB_CAPS);
    guint32 seen[2];
    for (int alone = 0; alone < 2; alone++) {
        GstBuffer *frame = new_frame(&f, alone * GST_MSECOND);
        GstVigilMeta *meta = add_meta(frame, "a");
        for (int i = 0; i < (alone ? 1 : 2); i++) {
            /* the top line of the second is where the caption of the first is */
            GstVigilResult *object =
                gst_vigil_result_new_region(0.25f, i ? 0.47f : 0.5f, 0.5f, 0.25f);
            gst_vigil_result_set_detection(object, i ? "car" : "person", i, 0.9f);
            gst_vigil_meta_add_result(meta, object);
        }
        GstBuffer *output = gst_harness_push_and_pull(f.harness, frame);
        seen[alone] = pixel_at(&f, output, 80 + 2, 113);
        gst_buffer_unref(output);
    }
    g_assert_cmphex(seen[0], ==, seen[1]);
    stop(&f);
}

static void test_panel_position(void)
{
    static const struct {
        const gchar *position;
        guint x, y;
    } cases[] = { { "top-left", 0, 0 },
                  { "top-right", 100, 0 },
                  { "bottom-left", 0, 140 },
                  { "bottom-right", 100, 140 } };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fixture f = start("vigiloverlay", RGB_CAPS);
        GstElement *overlay = gst_harness_find_element(f.harness, "vigiloverlay");
        gst_util_set_object_arg(G_OBJECT(overlay), "panel-position", cases[i].position);
        gst_object_unref(overlay);
        GstBuffer *frame = new_frame(&f, 0);
        add_classes(add_meta(frame, "a"));
        g_assert_true(inside(push(&f, frame), cases[i].x, cases[i].y, 220, 100));
        stop(&f);
    }
}

static void test_switches(void)
{
    static const gchar *nothing[] = { "vigiloverlay max-classes=0",
                                      "vigiloverlay opacity=0" };
    for (gsize i = 0; i < G_N_ELEMENTS(nothing); i++) {
        Fixture f = start(nothing[i], RGB_CAPS);
        GstBuffer *frame = new_frame(&f, 0);
        add_classes(add_meta(frame, "a"));
        g_assert_cmpuint(push(&f, frame).width, ==, 0);
        stop(&f);
    }

    guint height[2];
    for (int i = 0; i < 2; i++) {
        Fixture f = start(
            i ? "vigiloverlay max-classes=2" : "vigiloverlay max-classes=1", RGB_CAPS);
        GstBuffer *frame = new_frame(&f, 0);
        add_classes(add_meta(frame, "a"));
        height[i] = push(&f, frame).height;
        stop(&f);
    }
    g_assert_cmpuint(height[1], >, height[0] + 10);
}

/* ---- How long ------------------------------------------------------------------- */

static void test_hold(void)
{
    Fixture f = start("vigiloverlay", RGB_CAPS);
    push_classes_at(&f, 0);
    g_assert_cmpuint(push_at(&f, 100 * GST_MSECOND).width, >, 0);
    g_assert_cmpuint(push_at(&f, 500 * GST_MSECOND).width, >, 0);
    g_assert_cmpuint(push_at(&f, 501 * GST_MSECOND).width, ==, 0);
    g_assert_cmpuint(push_at(&f, 502 * GST_MSECOND).width, ==, 0);
    push_classes_at(&f, 600 * GST_MSECOND);
    g_assert_cmpuint(push_at(&f, 100 * GST_MSECOND).width, ==, 0); /* back in time */
    push_classes_at(&f, 700 * GST_MSECOND);
    g_assert_cmpuint(push_at(&f, GST_CLOCK_TIME_NONE).width, ==, 0);
    stop(&f);

    f = start("vigiloverlay hold-time=0", RGB_CAPS);
    push_classes_at(&f, 0);
    g_assert_cmpuint(push_at(&f, GST_MSECOND).width, ==, 0);
    stop(&f);

    f = start("vigiloverlay hold-time=18446744073709551615", RGB_CAPS);
    push_classes_at(&f, 0);
    g_assert_cmpuint(push_at(&f, 1000 * GST_SECOND).width, >, 0);
    stop(&f);
}

static void test_hold_ends(void)
{
    Fixture f = start("vigiloverlay", RGB_CAPS);
    push_classes_at(&f, 0);
    GstBuffer *empty = new_frame(&f, GST_MSECOND);
    add_meta(empty, "a"); /* looked, and found nothing */
    g_assert_cmpuint(push(&f, empty).width, ==, 0);

    push_classes_at(&f, 2 * GST_MSECOND);
    GstBuffer *other = new_frame(&f, 3 * GST_MSECOND);
    add_meta(other, "b"); /* another element's affair */
    g_assert_cmpuint(push(&f, other).width, >, 0);

    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(f.harness, gst_event_new_flush_start());
    gst_harness_push_event(f.harness, gst_event_new_flush_stop(TRUE));
    gst_harness_push_event(f.harness, gst_event_new_segment(&segment));
    g_assert_cmpuint(push_at(&f, 4 * GST_MSECOND).width, ==, 0);
    stop(&f);
}

/* ---- Beside the frame ----------------------------------------------------------- */

static GstVideoOverlayComposition *push_composed(Fixture *f, GstClockTime pts,
                                                 GstBuffer **output)
{
    GstBuffer *frame = new_frame(f, pts);
    GstVigilMeta *meta = add_meta(frame, "a");
    add_classes(meta);
    add_region(meta);
    *output = gst_harness_push_and_pull(f->harness, frame);
    g_assert_cmpuint(changed(f, *output).width, ==, 0);
    GstVideoOverlayCompositionMeta *composed =
        gst_buffer_get_video_overlay_composition_meta(*output);
    g_assert_nonnull(composed);
    return composed->overlay;
}

static gboolean get_area(GstVideoOverlayComposition *composition, guint i, Area *area)
{
    gint x, y;
    if (i >= gst_video_overlay_composition_n_rectangles(composition))
        return FALSE;
    gst_video_overlay_rectangle_get_render_rectangle(
        gst_video_overlay_composition_get_rectangle(composition, i), &x, &y,
        &area->width, &area->height);
    area->x = x;
    area->y = y;
    return TRUE;
}

/* Where rectangles overlapped, what shines through would be blended twice. */
static void check_disjoint(GstVideoOverlayComposition *composition)
{
    Area a, b;
    g_assert_true(get_area(composition, 0, &a));
    for (guint i = 0; get_area(composition, i, &a); i++)
        for (guint k = i + 1; get_area(composition, k, &b); k++)
            g_assert_false(a.x < b.x + b.width && b.x < a.x + a.width &&
                           a.y < b.y + b.height && b.y < a.y + a.height);
}

static void test_composition(void)
{
    Fixture f = { gst_harness_new("vigiloverlay") };
    gst_harness_add_propose_allocation_meta(
        f.harness, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
    gst_harness_set_sink_caps_str(f.harness, COMPOSITION_CAPS);
    set_caps(&f, RGB_CAPS);
    GstBuffer *first, *second;
    GstVideoOverlayComposition *a = push_composed(&f, 0, &first);
    GstVideoOverlayComposition *b = push_composed(&f, GST_MSECOND, &second);
    check_disjoint(a);
    g_assert_true(a == b); /* the same results are not drawn twice */
    gst_buffer_unref(first);
    gst_buffer_unref(second);

    GstBuffer *plain = gst_harness_push_and_pull(f.harness, new_frame(&f, GST_SECOND));
    g_assert_null(gst_buffer_get_video_overlay_composition_meta(plain));
    gst_buffer_unref(plain);
    stop(&f);
}

/* Another overlay's picture stays, and ours does not grow into the cached one. */
static void test_composition_upstream(void)
{
    Fixture f = { gst_harness_new("vigiloverlay") };
    gst_harness_add_propose_allocation_meta(
        f.harness, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
    gst_harness_set_sink_caps_str(f.harness, COMPOSITION_CAPS);
    set_caps(&f, COMPOSITION_CAPS);
    guint ours = 0;
    for (int i = 0; i < 3; i++) {
        GstBuffer *pixels = gst_buffer_new_allocate(NULL, 4 * 4 * 4, NULL);
        gst_buffer_add_video_meta(pixels, 0, GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB,
                                  4, 4);
        GstVideoOverlayRectangle *rectangle = gst_video_overlay_rectangle_new_raw(
            pixels, 0, 0, 4, 4, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
        GstVideoOverlayComposition *theirs =
            gst_video_overlay_composition_new(rectangle);
        GstBuffer *frame = new_frame(&f, i * GST_MSECOND);
        gst_buffer_add_video_overlay_composition_meta(frame, theirs);
        add_region(add_meta(frame, "a"));
        frame = gst_harness_push_and_pull(f.harness, frame);
        GstVideoOverlayCompositionMeta *both =
            gst_buffer_get_video_overlay_composition_meta(frame);
        guint n = gst_video_overlay_composition_n_rectangles(both->overlay);
        g_assert_cmpuint(n, >, 1);
        g_assert_cmpuint(n, ==, i ? ours : n);
        ours = n;
        g_assert_cmpuint(gst_video_overlay_composition_n_rectangles(theirs), ==, 1);
        gst_buffer_unref(frame);
        gst_video_overlay_composition_unref(theirs);
        gst_video_overlay_rectangle_unref(rectangle);
        gst_buffer_unref(pixels);
    }
    stop(&f);
}

/* The feature without the meta in the ALLOCATION answer: blended here. */
static void test_no_allocation_meta(void)
{
    Fixture f = { gst_harness_new("vigiloverlay") };
    gst_harness_set_sink_caps_str(f.harness, COMPOSITION_CAPS);
    set_caps(&f, RGB_CAPS);
    push_classes_at(&f, 0);
    stop(&f);
}

/* Who takes anything is not thought to blend. */
static void test_any_sink(void)
{
    GstElement *pipeline = gst_parse_launch(
        "videotestsrc num-buffers=1 ! vigiloverlay name=o ! fakesink", NULL);
    GstElement *overlay = gst_bin_get_by_name(GST_BIN(pipeline), "o");
    GstPad *pad = gst_element_get_static_pad(overlay, "src");
    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    g_assert_cmpint(gst_element_get_state(pipeline, NULL, NULL, 10 * GST_SECOND), ==,
                    GST_STATE_CHANGE_SUCCESS);
    GstCaps *caps = gst_pad_get_current_caps(pad);
    g_assert_false(gst_caps_features_contains(gst_caps_get_features(caps, 0),
                                              "meta:GstVideoOverlayComposition"));
    gst_caps_unref(caps);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pad);
    gst_object_unref(overlay);
    gst_object_unref(pipeline);
}

static void test_labels(void)
{
    gchar *longest = g_strnfill(100000, 'W');
    const gchar *labels[] = { "",          "two\nlines", "\xff\xfe", "<b>&amp;</b>",
                              "猫 und Öl", longest };
    Fixture f = start("vigiloverlay", RGB_CAPS);
    for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
        GstBuffer *frame = new_frame(&f, i * GST_MSECOND);
        GstVigilMeta *meta = add_meta(frame, labels[i]);
        GstVigilResult *whole = gst_vigil_result_new_full_frame();
        gst_vigil_result_add_class(whole, 0, 1, labels[i]);
        gst_vigil_meta_add_result(meta, whole);
        GstVigilResult *region = gst_vigil_result_new_region(0, 0, 1, 1);
        gst_vigil_result_set_detection(region, labels[i], -1, 0.5f);
        gst_vigil_meta_add_result(meta, region);
        g_assert_cmpuint(push(&f, frame).width, >, 0);
    }
    stop(&f);
    g_free(longest);
}

static void test_states(void)
{
    Fixture f = start("vigiloverlay", RGB_CAPS);
    push_classes_at(&f, 0);
    for (int i = 0; i < 100; i++) {
        g_assert_cmpint(gst_element_set_state(f.harness->element, GST_STATE_NULL), ==,
                        GST_STATE_CHANGE_SUCCESS);
        g_assert_cmpint(gst_element_set_state(f.harness->element, GST_STATE_PLAYING),
                        ==, GST_STATE_CHANGE_SUCCESS);
    }
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gst_init(&argc, &argv);
    g_test_add_func("/overlay/nothing", test_nothing);
    g_test_add_func("/overlay/shared-frame", test_shared_frame);
    g_test_add_func("/overlay/region", test_region);
    g_test_add_func("/overlay/detections", test_detections);
    g_test_add_func("/overlay/best-on-top", test_best_on_top);
    g_test_add_func("/overlay/panel-position", test_panel_position);
    g_test_add_func("/overlay/switches", test_switches);
    g_test_add_func("/overlay/hold", test_hold);
    g_test_add_func("/overlay/hold-ends", test_hold_ends);
    g_test_add_func("/overlay/composition", test_composition);
    g_test_add_func("/overlay/composition-upstream", test_composition_upstream);
    g_test_add_func("/overlay/no-allocation-meta", test_no_allocation_meta);
    g_test_add_func("/overlay/any-sink", test_any_sink);
    g_test_add_func("/overlay/labels", test_labels);
    g_test_add_func("/overlay/states", test_states);
    return g_test_run();
}
