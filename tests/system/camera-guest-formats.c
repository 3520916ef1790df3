/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The picture of a camera in every format that it gives: the same objects are found in
 * it.  And what mode is taken of those that it has.
 */
#include "camera.h"

#include <math.h>
#include <string.h>

#include "../elements/detector.h"
#include "camera-guest.h"

#define SIZE "width=320,height=180"
#define MODE SIZE ",framerate=60/1"

/* ---- One look -------------------------------------------------------------------- */

enum { FRAME = 3 }; /* the first may have been made before the controls were set */

typedef struct {
    GMutex lock;
    guint frames;
    Found found;
} Look;

static void on_frame(GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
    Look *look = data;

    g_mutex_lock(&look->lock);
    if (++look->frames == FRAME)
        look->found = found_read(buffer);
    g_mutex_unlock(&look->lock);
}

static gboolean has_found(Look *look)
{
    g_mutex_lock(&look->lock);
    const gboolean has = look->frames >= FRAME;
    g_mutex_unlock(&look->lock);
    return has;
}

/* What vigildetect sees behind that source. */
static Found look_at(const gchar *source)
{
    Look *look = g_new0(Look, 1);
    GError *error = NULL;
    gchar *text =
        g_strdup_printf("%s ! vigildetect mode=sync model=%s input-size=64x64 "
                        "threshold=0.1 iou-threshold=1 max-detections=32 ! "
                        "fakesink name=sink signal-handoffs=true sync=false",
                        source, g_getenv("VIGIL_TEST_DETECTOR"));
    GstElement *pipeline = gst_parse_launch(text, &error);
    g_assert_no_error(error);
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
    GstBus *bus = gst_element_get_bus(pipeline);

    g_signal_connect(sink, "handoff", G_CALLBACK(on_frame), look);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    for (guint i = 0; i < 1500 && !has_found(look); i++) {
        GstMessage *message =
            gst_bus_timed_pop_filtered(bus, 10 * GST_MSECOND, GST_MESSAGE_ERROR);
        if (message)
            gst_message_parse_error(message, &error, NULL);
        g_assert_no_error(error);
    }
    g_assert_true(has_found(look));
    gst_element_set_state(pipeline, GST_STATE_NULL);
    const Found found = look->found;
    gst_object_unref(bus);
    gst_object_unref(sink);
    gst_object_unref(pipeline);
    g_free(text);
    g_free(look);
    return found;
}

/* ---- Formats --------------------------------------------------------------------- */

/* What v4l2src can take of the camera, of raw video in that size. */
static GPtrArray *list_formats(const gchar *device)
{
    GPtrArray *formats = g_ptr_array_new_with_free_func(g_free);
    GstElement *source = gst_element_factory_make("v4l2src", NULL);
    GstPad *pad = gst_element_get_static_pad(source, "src");
    GstCaps *size = gst_caps_from_string("video/x-raw," SIZE);

    g_object_set(source, "device", device, NULL);
    gst_element_set_state(source, GST_STATE_READY);
    GstCaps *all = gst_pad_query_caps(pad, size);
    all = gst_caps_normalize(all);
    for (guint i = 0; i < gst_caps_get_size(all); i++) {
        const gchar *format =
            gst_structure_get_string(gst_caps_get_structure(all, i), "format");
        if (format &&
            !g_ptr_array_find_with_equal_func(formats, format, g_str_equal, NULL))
            g_ptr_array_add(formats, g_strdup(format));
    }
    gst_element_set_state(source, GST_STATE_NULL);
    gst_caps_unref(all);
    gst_caps_unref(size);
    gst_object_unref(pad);
    gst_object_unref(source);
    return formats;
}

static gboolean is_taken(const gchar *format)
{
    GstElement *element = gst_element_factory_make("vigildetect", NULL);
    GstPad *pad = gst_element_get_static_pad(element, "sink");
    GstCaps *all = gst_pad_get_pad_template_caps(pad);
    GstCaps *raw =
        gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, format, NULL);
    const gboolean taken = gst_caps_can_intersect(all, raw);

    gst_caps_unref(raw);
    gst_caps_unref(all);
    gst_object_unref(pad);
    gst_object_unref(element);
    return taken;
}

static Found look_plain(const gchar *device, const gchar *format)
{
    gchar *source =
        g_strdup_printf("v4l2src device=%s ! video/x-raw,format=%s," MODE "%s", device,
                        format, is_taken(format) ? "" : " ! videoconvert");
    const Found found = look_at(source);

    g_free(source);
    return found;
}

static Found look_ours(const gchar *device, const gchar *format)
{
    gchar *source = g_strdup_printf(
        "vigilcamerasrc camera=%s ! video/x-raw,format=%s," MODE, device, format);
    const Found found = look_at(source);

    g_free(source);
    return found;
}

/* ---- Comparing ------------------------------------------------------------------- */

enum { COMPARED = 8 }; /* the best of what is found */

#define TOLERANCE 0.02F

static gfloat box_distance(const VigilDetection *a, const VigilDetection *b)
{
    gfloat most = fabsf(a->score - b->score);

    if (a->class_index != b->class_index)
        return 1;
    most = MAX(most, fabsf(a->x - b->x));
    most = MAX(most, fabsf(a->y - b->y));
    most = MAX(most, fabsf(a->x + a->width - b->x - b->width));
    return MAX(most, fabsf(a->y + a->height - b->y - b->height));
}

/* How far the best objects are from those that are next to them in the other picture:
 * scores and edges, 0..1. */
static gfloat distance(const Found *picture, const Found *other)
{
    gfloat most = 0;

    g_assert_cmpuint(picture->n, >=, COMPARED);
    for (guint i = 0; i < COMPARED; i++) {
        gfloat least = 1;
        for (guint k = 0; k < other->n; k++)
            least = MIN(least, box_distance(&picture->item[i], &other->item[k]));
        most = MAX(most, least);
    }
    return most;
}

static void assert_same(const Found *picture, const Found *other, const gchar *what)
{
    const gfloat apart = distance(picture, other);

    g_test_message("%s: %.3f apart", what, (gdouble)apart);
    g_assert_cmpfloat(apart, <=, TOLERANCE);
}

/* ---- Tests ----------------------------------------------------------------------- */

#define PICTURE(pattern) "test_pattern=" pattern ",osd_text_mode=none"

/* Of v4l2src 1.22: one is RGB555 in the other byte order, of the other no frame comes
 * where it has two planes. */
static gboolean is_wrong(const gchar *format)
{
    return g_str_equal(format, "BGR15") || g_str_equal(format, "NV61");
}

static gboolean is_grey(const gchar *format)
{
    return g_str_has_prefix(format, "GRAY");
}

/* Of grey the driver says that it begins at 16, and gives it from 0: only grey looks
 * the same as grey. */
static void compare_formats(const gchar *camera,
                            Found (*look)(const gchar *device, const gchar *format),
                            gboolean (*has)(const gchar *format))
{
    gchar *device = device_of(camera);
    GPtrArray *formats = list_formats(device);

    set_controls(device, PICTURE("100%_colorbar"));
    for (gint grey = 0; grey < 2; grey++) {
        const Found first = look_plain(device, grey ? "GRAY8" : "YUY2");
        for (guint i = 0; i < formats->len; i++) {
            const gchar *format = formats->pdata[i];
            if (!has(format) || is_wrong(format) || is_grey(format) != grey)
                continue;
            const Found found = look(device, format);
            assert_same(&first, &found, format);
        }
    }
    g_ptr_array_unref(formats);
    g_free(device);
}

static gboolean is_ours(const gchar *format)
{
    for (gsize i = 0; i < vigil_camera_n_formats; i++)
        if (!g_strcmp0(vigil_camera_formats[i].raw, format))
            return TRUE;
    return FALSE;
}

static gboolean is_any(const gchar *format)
{
    return TRUE;
}

static void test_ours(gconstpointer camera)
{
    compare_formats(camera, look_ours, is_ours);
}

static void test_plain(gconstpointer camera)
{
    compare_formats(camera, look_plain, is_any);
}

/* Or else all pictures would be the same. */
static void test_other_pictures(void)
{
    gchar *device = device_of(FIRST);

    set_controls(device, PICTURE("100%_red"));
    const Found red = look_plain(device, "YUY2");
    set_controls(device, PICTURE("100%_blue"));
    const Found blue = look_plain(device, "YUY2");
    g_assert_cmpfloat(distance(&red, &blue), >, 2 * TOLERANCE);
    g_free(device);
}

/* ---- Modes ----------------------------------------------------------------------- */

static gchar *sink_caps(Play *play)
{
    GstElement *sink = gst_bin_get_by_name(GST_BIN(play->pipeline), "sink");
    GstPad *pad = gst_element_get_static_pad(sink, "sink");
    GstCaps *caps = gst_pad_get_current_caps(pad);
    gchar *text = gst_caps_to_string(caps);

    gst_caps_unref(caps);
    gst_object_unref(pad);
    gst_object_unref(sink);
    return text;
}

static void plays_as(const gchar *settings, const gchar *after, const gchar *format,
                     const gchar *const words[])
{
    gchar *all = g_strconcat("camera=" FIRST " ", settings, NULL);
    Play *play = play_new(all, after);
    GstStructure *stats = NULL;

    play_start(play);
    gchar *caps = sink_caps(play);
    g_object_get(play->src, "stats", &stats, NULL);
    g_assert_cmpstr(gst_structure_get_string(stats, "format"), ==, format);
    for (guint i = 0; words[i]; i++)
        if (!strstr(caps, words[i]))
            g_error("\"%s\" is not in: %s", words[i], caps);
    gst_structure_free(stats);
    play_free(play);
    g_free(caps);
    g_free(all);
}

/* The cheapest of the driver's formats at the size and rate that are asked for. */
static void test_modes(void)
{
    plays_as("width=640 height=480 framerate=25/1", "", "NV12",
             (const gchar *[]) { "=(int)640", "=(int)480", ")25/1", NULL });
    plays_as("width=0 height=0 framerate=60/1", "", "NV12",
             (const gchar *[]) { "=(int)320", "=(int)180", ")60/1", NULL });
    plays_as("width=1280 height=0 framerate=0/1", "", "NV12",
             (const gchar *[]) { "=(int)1280", "=(int)720", NULL });
    plays_as("width=0 height=0 framerate=0/1",
             "videoconvert ! video/x-raw,width=640,height=360,framerate=40/1 !", "NV12",
             (const gchar *[]) { "=(int)640", "=(int)360", ")40/1", NULL });
    plays_as("framerate=15/1", "video/x-raw,format={BGRx,RGB} !", "RGB3",
             (const gchar *[]) { "=(string)RGB", "=(int)320", ")15/1", NULL });
    plays_as("framerate=50/1", "video/x-raw,format={BGRx,RGB,UYVY} !", "UYVY",
             (const gchar *[]) { "=(string)UYVY", ")50/1", NULL });
}

void formats_add_tests(void)
{
    g_test_add_func("/camera/modes", test_modes);
    g_test_add_func("/camera/formats/other-pictures", test_other_pictures);
    g_test_add_data_func("/camera/formats/first", FIRST, test_ours);
    if (!g_test_slow())
        return;
    g_test_add_data_func("/camera/formats/second", SECOND, test_ours);
    g_test_add_data_func("/camera/formats/first-v4l2src", FIRST, test_plain);
    g_test_add_data_func("/camera/formats/second-v4l2src", SECOND, test_plain);
}
