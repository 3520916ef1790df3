/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <math.h>
#include "person.h"

/* A part of the picture of the documentation: a man who stands alone. */
#define LEFT 580
#define TOP 280

static void paint_photo(guint x, guint y, guint8 rgb[3], gpointer data)
{
    const GdkPixbuf *photo = data;
    const guint8 *pixel = gdk_pixbuf_read_pixels(photo) +
                          (TOP + y) * (guint)gdk_pixbuf_get_rowstride(photo) +
                          (LEFT + x) * (guint)gdk_pixbuf_get_n_channels(photo);

    for (guint c = 0; c < 3; c++)
        rgb[c] = pixel[c];
}

GstBuffer *person_rgb(guint width, guint height)
{
    static GdkPixbuf *photo;
    GError *error = NULL;
    GstVideoInfo rgb, coarse;

    if (!photo)
        photo = gdk_pixbuf_new_from_file(g_getenv("VIGIL_TEST_PHOTO"), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(MAX(width, height), <=, PERSON_SIDE);
    GstBuffer *frame = frame_paint(width, height, paint_photo, photo);
    gst_video_info_set_format(&rgb, GST_VIDEO_FORMAT_RGB, width, height);
    gst_video_info_set_format(&coarse, GST_VIDEO_FORMAT_Y41B, width, height);
    GstBuffer *less = frame_convert(frame, &rgb, &coarse, 0);
    gst_buffer_unref(frame);
    frame = frame_convert(less, &coarse, &rgb, 0);
    gst_buffer_unref(less);
    return frame;
}

GstBuffer *person_frame(const GstVideoInfo *info, guint padding)
{
    const guint width = (guint)GST_VIDEO_INFO_WIDTH(info);
    const guint height = (guint)GST_VIDEO_INFO_HEIGHT(info);
    GstBuffer *source = person_rgb(width, height);
    GstVideoInfo rgb;

    gst_video_info_set_format(&rgb, GST_VIDEO_FORMAT_RGB, width, height);
    GstBuffer *frame = frame_convert(source, &rgb, info, padding);
    gst_buffer_unref(source);
    return frame;
}

GstElement *person_detector(void)
{
    GstElement *element = gst_element_factory_make("vigildetect", "detect");

    g_assert_nonnull(element);
    g_object_set(element, "threshold", 0.5F, NULL);
    gst_util_set_object_arg(G_OBJECT(element), "mode", "sync"); /* a harness is live */
    return element;
}

Person person_read(GstBuffer *frame)
{
    GstVigilMeta *meta = frame_meta(frame);
    const gchar *label;
    guint width, height;
    gfloat x, y, w, h;
    Person person;

    gst_vigil_meta_get_frame_size(meta, &width, &height);
    g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, 1);
    GstVigilResult *result = gst_vigil_meta_get_result(meta, 0);
    g_assert_true(gst_vigil_result_get_detection(result, &label, NULL, &person.score));
    g_assert_cmpstr(label, ==, "person");
    gst_vigil_result_get_region(result, &x, &y, &w, &h);
    person.left = x * (gfloat)width;
    person.top = y * (gfloat)height;
    person.right = (x + w) * (gfloat)width;
    person.bottom = (y + h) * (gfloat)height;
    return person;
}

GstBuffer *person_look(const gchar *caps, GstBuffer *frame)
{
    static GstHarness *h; /* opening the network takes longer than running it */

    if (!h)
        h = gst_harness_new_with_element(person_detector(), "sink", "src");
    gst_harness_set_src_caps_str(h, caps);
    GstBuffer *out = gst_harness_push_and_pull(h, frame);
    g_assert_nonnull(out);
    return out;
}

Person person_find(const gchar *caps, GstBuffer *frame)
{
    GstBuffer *out = person_look(caps, frame);
    const Person person = person_read(out);

    gst_buffer_unref(out);
    return person;
}

void person_assert_same(const Person *got, const Person *want, gfloat pixels,
                        gfloat score, const gchar *what)
{
    const gfloat apart =
        MAX(MAX(fabsf(got->left - want->left), fabsf(got->top - want->top)),
            MAX(fabsf(got->right - want->right), fabsf(got->bottom - want->bottom)));

    g_test_message("%s: %g,%g to %g,%g, %g pixels apart, score %g for %g", what,
                   (double)got->left, (double)got->top, (double)got->right,
                   (double)got->bottom, (double)apart, (double)got->score,
                   (double)want->score);
    g_assert_cmpfloat(apart, <=, pixels);
    g_assert_cmpfloat(fabsf(got->score - want->score), <=, score);
}
