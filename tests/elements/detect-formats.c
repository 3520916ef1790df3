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

/* GStreamer's conversion to 5 bits cuts the others off: a darker picture. */
static gboolean is_coarse(const gchar *format)
{
    const GstVideoFormatInfo *info =
        gst_video_format_get_info(gst_video_format_from_string(format));

    return GST_VIDEO_FORMAT_INFO_DEPTH(info, 0) < 8;
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

        const Person got = person_find(caps, person_frame(&info, padding));
        person_assert_same(&got, is_grey(format) ? &grey : &color,
                           is_coarse(format) ? 3 : 1, is_coarse(format) ? 0.05F : 0.01F,
                           caps);
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

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/detect/formats/all", test_all);
    g_test_add_func("/detect/formats/odd-and-padded", test_odd_and_padded);
    return g_test_run();
}
