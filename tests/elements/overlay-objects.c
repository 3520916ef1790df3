/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigiloverlay: classes that one element told of the objects of another.
 */
#include "overlay-frames.h"

static GstVigilResult *add_car(GstBuffer *frame, gfloat x, gfloat y)
{
    GstVigilMeta *meta =
        gst_buffer_add_vigil_meta(frame, "detect", "detector", GST_VIGIL_TASK_DETECTION,
                                  320, 240, GST_BUFFER_PTS(frame));
    GstVigilResult *car = gst_vigil_result_new_region(x, y, 0.1f, 0.1f);
    gst_vigil_result_set_detection(car, "car", 2, 0.9f);
    gst_vigil_meta_add_result(meta, car);
    return car;
}

static void add_color(GstBuffer *frame, const GstVigilResult *object)
{
    GstVigilResult *color = gst_vigil_result_new_for_object(object);
    gst_vigil_result_add_class(color, 1, 0.8f, "red");
    gst_vigil_meta_add_result(add_meta(frame, "colour"), color);
}

/* They lengthen the object's caption, in this frame and, until the object is gone or
 * elsewhere, in the next ones. */
static void test_classes_of_objects(void)
{
    Fixture f = start("vigiloverlay hold-time=10000000000", RGB_CAPS);
    GstBuffer *frame = new_frame(&f, 0);
    add_car(frame, 0.1f, 0.4f);
    Area plain = push(&f, frame);

    frame = new_frame(&f, GST_MSECOND);
    add_color(frame, add_car(frame, 0.1f, 0.4f));
    Area both = push(&f, frame);
    g_assert_cmpuint(both.width, >, plain.width);
    g_assert_cmpuint(both.x, ==, plain.x);
    g_assert_cmpuint(both.height, ==, plain.height);

    frame = new_frame(&f, 2 * GST_MSECOND);
    add_car(frame, 0.11f, 0.4f); /* it moved a little */
    g_assert_cmpuint(push(&f, frame).width, ==, both.width);
    frame = new_frame(&f, 3 * GST_MSECOND);
    add_car(frame, 0.5f, 0.4f); /* another one */
    Area other = push(&f, frame);
    g_assert_cmpuint(other.width, ==, plain.width);
    g_assert_cmpuint(other.x, >=, 160);
    frame = new_frame(&f, 4 * GST_MSECOND);
    gst_buffer_add_vigil_meta(frame, "detect", "detector", GST_VIGIL_TASK_DETECTION,
                              320, 240, GST_BUFFER_PTS(frame));
    g_assert_cmpuint(push(&f, frame).width, ==, 0); /* none */
    stop(&f);
}

/* Tracks tell where it went, and that what is here now is another one. */
static void test_classes_of_tracks(void)
{
    Fixture f = start("vigiloverlay hold-time=10000000000", RGB_CAPS);
    GstBuffer *frame = new_frame(&f, 0);
    GstVigilResult *car = add_car(frame, 0.1f, 0.4f);
    gst_vigil_result_set_tracking_id(car, 5);
    add_color(frame, car);
    Area both = push(&f, frame);

    frame = new_frame(&f, GST_MSECOND);
    gst_vigil_result_set_tracking_id(add_car(frame, 0.5f, 0.4f), 5);
    Area moved = push(&f, frame);
    g_assert_cmpuint(moved.width, ==, both.width);
    frame = new_frame(&f, 2 * GST_MSECOND);
    gst_vigil_result_set_tracking_id(add_car(frame, 0.1f, 0.4f), 6);
    g_assert_cmpuint(push(&f, frame).width, <, both.width);
    stop(&f);
}

/* Nobody tells which objects of others there are: a box of its own. */
static void test_classes_of_rois(void)
{
    Fixture f = start("vigiloverlay", RGB_CAPS);
    GstBuffer *frame = new_frame(&f, 0);
    GstVigilResult *color =
        gst_vigil_result_new_for_roi(3, "car", 0.5f, 0.5f, 0.25f, 0.25f);
    gst_vigil_result_add_class(color, 1, 0.8f, "red");
    gst_vigil_meta_add_result(add_meta(frame, "colour"), color);
    Area area = push(&f, frame);
    g_assert_true(inside(area, 160, 90, 160, 90));
    g_assert_cmpuint(area.width, >=, 80);
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    gst_init(&argc, &argv);
    g_test_add_func("/overlay/classes-of-objects", test_classes_of_objects);
    g_test_add_func("/overlay/classes-of-tracks", test_classes_of_tracks);
    g_test_add_func("/overlay/classes-of-rois", test_classes_of_rois);
    return g_test_run();
}
