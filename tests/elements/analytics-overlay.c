/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GStreamer's own overlay of analytics draws what vigildetect found: its outlines are
 * where the objects are, and nowhere else.  The detector is seen.c's.
 */
#include "detector.h"
#include "seen.h"

#define OVERLAY "objectdetectionoverlay draw-labels=false"
#define LINE 3   /* pixels from the edge of the box that an outline may reach */
#define PIXELS 2 /* and that the box may be off: a pixel of the input tensor */

typedef struct Size {
    guint width, height;
} Size;

typedef struct Change {
    guint n;                        /* pixels that are not as they were */
    guint left, top, right, bottom; /* of the rectangle around them, inclusive */
    guint inside;                   /* well inside that rectangle */
} Change;

static void map(GstVideoFrame *frame, const Size *size, GstBuffer *buffer)
{
    GstVideoInfo info;
    gst_video_info_set_format(&info, GST_VIDEO_FORMAT_RGB, size->width, size->height);
    g_assert_true(gst_video_frame_map(frame, &info, buffer, GST_MAP_READ));
}

static gboolean differs(GstVideoFrame *a, GstVideoFrame *b, guint x, guint y)
{
    const gsize at = y * (gsize)GST_VIDEO_FRAME_PLANE_STRIDE(a, 0) + 3 * x;
    return memcmp((guint8 *)GST_VIDEO_FRAME_PLANE_DATA(a, 0) + at,
                  (guint8 *)GST_VIDEO_FRAME_PLANE_DATA(b, 0) + at, 3) != 0;
}

static void count_inside(Change *change, GstVideoFrame *a, GstVideoFrame *b)
{
    for (guint y = change->top + 2 * LINE; y + 2 * LINE <= change->bottom; y++)
        for (guint x = change->left + 2 * LINE; x + 2 * LINE <= change->right; x++)
            change->inside += differs(a, b, x, y);
}

static Change compare(const Size *size, GstBuffer *before, GstBuffer *after)
{
    Change change = { .left = G_MAXUINT, .top = G_MAXUINT };
    GstVideoFrame a, b;
    map(&a, size, before);
    map(&b, size, after);
    for (guint y = 0; y < size->height; y++)
        for (guint x = 0; x < size->width; x++) {
            if (!differs(&a, &b, x, y))
                continue;
            change.n++;
            change.left = MIN(change.left, x);
            change.right = MAX(change.right, x);
            change.top = MIN(change.top, y);
            change.bottom = MAX(change.bottom, y);
        }
    if (change.n)
        count_inside(&change, &a, &b);
    gst_video_frame_unmap(&a);
    gst_video_frame_unmap(&b);
    return change;
}

static const Size frame_size = { 400, 300 };

/* What comes out of the elements for a copy of the frame. */
static GstBuffer *push(const gchar *elements, GstBuffer *frame)
{
    GstHarness *h = gst_harness_new_parse(elements);
    gchar *caps =
        g_strdup_printf("video/x-raw,format=RGB,width=%u,height=%u,framerate=25/1",
                        frame_size.width, frame_size.height);
    gst_harness_set_src_caps_str(h, caps);
    GstBuffer *out = gst_harness_push_and_pull(h, gst_buffer_copy_deep(frame));
    g_assert_nonnull(out);
    gst_harness_teardown(h);
    g_free(caps);
    return out;
}

/* What the overlay draws into the frame when it has been through the elements `way`;
 * FALSE, and the test skipped, where there is no such overlay.  Takes the frame. */
static gboolean draw(GstBuffer *frame, const gchar *way, const gchar *overlay,
                     const Size *size, Change *change)
{
    GstElementFactory *factory = gst_element_factory_find("objectdetectionoverlay");
    const gboolean found = factory != NULL;
    if (found) {
        gchar *elements = g_strdup_printf("%s ! %s", way, overlay);
        GstBuffer *before = push(way, frame), *after = push(elements, frame);
        *change = compare(size, before, after);
        g_test_message("%u pixels changed, in %u..%u x %u..%u", change->n, change->left,
                       change->right, change->top, change->bottom);
        gst_buffer_unref(before);
        gst_buffer_unref(after);
        g_free(elements);
    } else {
        g_test_skip("objectdetectionoverlay is not installed");
    }
    gst_clear_object(&factory);
    gst_buffer_unref(frame);
    return found;
}

static void assert_near(guint value, guint wanted, guint tolerance)
{
    g_assert_cmpuint(value + tolerance, >=, wanted);
    g_assert_cmpuint(value, <=, wanted + tolerance);
}

/* An outline: its four sides are there, and what it surrounds is as it was. */
static void assert_outline(const Change *change, guint x, guint y, guint width,
                           guint height, guint tolerance)
{
    assert_near(change->left, x, tolerance);
    assert_near(change->top, y, tolerance);
    assert_near(change->right, x + width, tolerance);
    assert_near(change->bottom, y + height, tolerance);
    g_assert_cmpuint(change->inside, ==, 0);
    g_assert_cmpuint(change->n, >=, 2 * (width + height) - 4 * tolerance);
}

/* ---- Cases ---------------------------------------------------------------------- */

static GstBuffer *paint(SeenPatch *patches)
{
    return frame_paint(frame_size.width, frame_size.height, seen_paint, patches);
}

static GstBuffer *mirrored_frame(GstVigilResult *result)
{
    SeenPatch none[] = { { 0 } };
    GstBuffer *frame = paint(none);
    GstVigilMeta *meta =
        gst_buffer_add_vigil_meta(frame, "detect0", "model", GST_VIGIL_TASK_DETECTION,
                                  frame_size.width, frame_size.height, 0);
    gst_vigil_meta_add_result(meta, result);
    gst_vigil_meta_mirror(meta, frame);
    return frame;
}

static GstVigilResult *person(void)
{
    GstVigilResult *result = gst_vigil_result_new_region(0.25f, 0.5f, 0.25f, 0.25f);
    gst_vigil_result_set_detection(result, "person", 0, 0.875f);
    return result;
}

static void test_result(void)
{
    Change change;
    if (draw(mirrored_frame(person()), "identity", OVERLAY, &frame_size, &change))
        assert_outline(&change, 100, 150, 100, 75, LINE);
}

static void test_no_object(void)
{
    Change change;
    GstVigilResult *whole = gst_vigil_result_new_full_frame();
    gst_vigil_result_add_class(whole, 3, 0.75f, "street");
    if (draw(mirrored_frame(whole), "identity", OVERLAY, &frame_size, &change))
        g_assert_cmpuint(change.n, ==, 0);
}

/* The name of the class is more than the outline. */
static void test_label(void)
{
    Change outline, labelled;
    if (!draw(mirrored_frame(person()), "identity", OVERLAY, &frame_size, &outline))
        return;
    draw(mirrored_frame(person()), "identity", "objectdetectionoverlay", &frame_size,
         &labelled);
    g_assert_cmpuint(labelled.n, >, outline.n);
}

/* What upstream knows of an object follows its scalers, as our meta does. */
static void test_scaled(void)
{
    static const Size wide = { 800, 300 };
    Change change;
    if (draw(mirrored_frame(person()),
             "videoscale add-borders=false ! "
             "capsfilter caps=video/x-raw,width=800,height=300",
             OVERLAY, &wide, &change))
        assert_outline(&change, 200, 150, 200, 75, LINE);
}

static void test_detect(void)
{
    SeenPatch patches[] = { { 230, 60, 80, 120, SEEN_BLUE }, { 0 } };
    gchar *detect = g_strdup_printf("vigildetect mode=sync model=%s threshold=0.3 "
                                    "input-size=192x256 resize=stretch",
                                    g_getenv("VIGIL_TEST_DETECTOR"));
    Change change;
    if (draw(paint(patches), detect, OVERLAY, &frame_size, &change))
        assert_outline(&change, 230, 60, 80, 120, LINE + PIXELS);
    g_free(detect);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/analytics/overlay/result", test_result);
    g_test_add_func("/analytics/overlay/no-object", test_no_object);
    g_test_add_func("/analytics/overlay/label", test_label);
    g_test_add_func("/analytics/overlay/scaled", test_scaled);
    g_test_add_func("/analytics/overlay/detect", test_detect);
    return g_test_run();
}
