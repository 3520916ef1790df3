/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilclassify and geometry: pixel aspect ratio, crop meta, regions and orientation
 * change which picture the network sees, as they should.
 */
#include <string.h>
#include "frames.h"

#define RGB_CAPS "video/x-raw,format=RGB,width=%u,height=%u,framerate=25/1"

/* ---- Geometry ------------------------------------------------------------------- */

/* Squeezed to half its width and marked so, a picture is letterboxed as the whole. */
static void test_pixel_aspect_ratio(void)
{
    const gchar *square = "video/x-raw,format=RGB,width=320,height=120,framerate=25/1,"
                          "pixel-aspect-ratio=1/1";
    const gchar *squeezed =
        "video/x-raw,format=RGB,width=160,height=120,framerate=25/1,"
        "pixel-aspect-ratio=2/1";
    const gchar *unmarked =
        "video/x-raw,format=RGB,width=160,height=120,framerate=25/1,"
        "pixel-aspect-ratio=1/1";
    const gchar *caps[] = { square, squeezed, unmarked };
    Scores scores[3];

    for (guint i = 0; i < 3; i++) {
        const GstVideoInfo info = frame_info(caps[i]);
        GstElement *element = classifier_plain();
        gst_util_set_object_arg(G_OBJECT(element), "resize", "letterbox");
        scores[i] = scores_read(
            classify_once(element, caps[i], frame_new(&info, PICTURE_COLOR, 0)));
    }
    scores_assert_same(&scores[1], &scores[0], "pixel-aspect-ratio 2/1");
    g_assert_cmpfloat(scores_apart(&scores[0], &scores[2]), >, 2 * SCORE_TOLERANCE);
}

static void test_absurd_pixel_aspect_ratio(void)
{
    scores_of_caps("video/x-raw,format=RGB,width=160,height=120,framerate=25/1,"
                   "pixel-aspect-ratio=1/2147483647",
                   PICTURE_COLOR, 0);
}

typedef struct Inset {
    guint x, y, width, height;
    gint halo;
} Inset;

/* The picture inside a rectangle and its edges `halo` pixels on; another one around it.
 */
static void paint_inset(guint x, guint y, guint8 rgb[3], gpointer data)
{
    const Inset *inset = data;
    const gint right = (gint)inset->width - 1, bottom = (gint)inset->height - 1;
    const gint in_x = (gint)x - (gint)inset->x, in_y = (gint)y - (gint)inset->y;
    const gint near_x = CLAMP(in_x, 0, right), near_y = CLAMP(in_y, 0, bottom);
    const gboolean far = MAX(ABS(in_x - near_x), ABS(in_y - near_y)) > inset->halo;

    rgb[0] = far ? 250 : (guint8)(40 + 4 * near_x);
    rgb[1] = far ? (guint8)(x * 3) : (guint8)(200 - 3 * near_y);
    rgb[2] = far ? 10 : (guint8)(90 + 2 * near_x);
}

static Scores score_inset(const Inset *inset, guint width, guint height,
                          const gchar *regions, gboolean crop)
{
    GstBuffer *buffer = frame_paint(width, height, paint_inset, (gpointer)inset);
    const guint shown_width = crop ? inset->width : width;
    const guint shown_height = crop ? inset->height : height;
    gchar *caps = g_strdup_printf(RGB_CAPS, shown_width, shown_height);

    if (crop) {
        GstVideoCropMeta *meta = gst_buffer_add_video_crop_meta(buffer);
        meta->x = inset->x;
        meta->y = inset->y;
        meta->width = inset->width;
        meta->height = inset->height;
        gst_buffer_add_video_meta(buffer, GST_VIDEO_FRAME_FLAG_NONE,
                                  GST_VIDEO_FORMAT_RGB, width, height);
    }
    GstBuffer *out =
        classify_once(classifier_new("regions", regions, NULL), caps, buffer);
    guint meta_width, meta_height;
    gst_vigil_meta_get_frame_size(frame_meta(out), &meta_width, &meta_height);
    g_assert_cmpuint(meta_width, ==, shown_width);
    g_assert_cmpuint(meta_height, ==, shown_height);
    g_free(caps);
    return scores_read(out);
}

static void test_crop_meta(void)
{
    const Inset whole = { .width = 40, .height = 36 };
    const Inset inset = { .x = 17, .y = 9, .width = 40, .height = 36 };
    const Scores want = score_inset(&whole, 40, 36, NULL, FALSE);
    const Scores got = score_inset(&inset, 96, 64, NULL, TRUE);
    const Scores not_cropped = score_inset(&inset, 96, 64, NULL, FALSE);
    /* regions count from the visible rectangle */
    const Scores want_part = score_inset(&whole, 40, 36, "0.5,0.25,0.5,0.5", FALSE);
    const Scores got_part = score_inset(&inset, 96, 64, "0.5,0.25,0.5,0.5", TRUE);

    scores_assert_same(&got, &want, "crop meta");
    scores_assert_same(&got_part, &want_part, "region in a crop meta");
    g_assert_cmpfloat(scores_apart(&want, &not_cropped), >, 2 * SCORE_TOLERANCE);
}

static void test_region_is_cut_out(void)
{
    const Inset whole = { .width = 32, .height = 32 };
    /* filters reach a little past a region */
    const Inset inset = { .x = 64, .y = 32, .width = 32, .height = 32, .halo = 4 };
    const Scores want = score_inset(&whole, 32, 32, NULL, FALSE);
    const Scores got = score_inset(&inset, 128, 64, "0.5,0.5,0.25,0.5", FALSE);

    scores_assert_same(&got, &want, "region");
}

static void test_bad_crop_meta(void)
{
    const gchar *caps = "video/x-raw,format=RGB,width=64,height=64,framerate=25/1";
    const GstVideoInfo info = frame_info(caps);
    GstHarness *h = classifier_harness(classifier_plain(), caps);
    GstBus *bus = gst_bus_new();
    GstBuffer *buffer = frame_new(&info, PICTURE_COLOR, 0);
    GstVideoCropMeta *meta = gst_buffer_add_video_crop_meta(buffer);

    meta->x = 60;
    meta->width = 8;
    meta->height = 8;
    gst_element_set_bus(h->element, bus);
    GstBuffer *out = gst_harness_push_and_pull(h, buffer);
    g_assert_cmpuint(frame_count_metas(out), ==, 0);
    gst_buffer_unref(out);
    gchar *text = bus_text(bus, GST_MESSAGE_WARNING);
    g_assert_nonnull(strstr(text, "8x8 at 60,0"));
    g_free(text);
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
}

/* ---- Orientation ---------------------------------------------------------------- */

/* Where the pixel (x, y) of the upright picture lies in the stored one. */
static const struct {
    const gchar *tag;
    gboolean swap, from_right, from_bottom;
} turns[] = {
    { "rotate-0", FALSE, FALSE, FALSE },     { "rotate-90", TRUE, FALSE, TRUE },
    { "rotate-180", FALSE, TRUE, TRUE },     { "rotate-270", TRUE, TRUE, FALSE },
    { "flip-rotate-0", FALSE, TRUE, FALSE }, { "flip-rotate-180", FALSE, FALSE, TRUE },
};

typedef struct Turned {
    guint turn, width, height; /* of the stored frame */
} Turned;

static void paint_turned(guint x, guint y, guint8 rgb[3], gpointer data)
{
    const Turned *t = data;
    const gboolean swap = turns[t->turn].swap;
    const guint upright_width = swap ? t->height : t->width;
    const guint upright_height = swap ? t->width : t->height;
    const guint sx = turns[t->turn].from_right ? t->width - 1 - x : x;
    const guint sy = turns[t->turn].from_bottom ? t->height - 1 - y : y;

    frame_pixel(PICTURE_COLOR, ((swap ? sy : sx) + 0.5) / upright_width,
                ((swap ? sx : sy) + 0.5) / upright_height, rgb);
}

static void push_orientation(GstHarness *h, const gchar *tag, GstTagScope scope)
{
    GstTagList *tags = gst_tag_list_new(GST_TAG_IMAGE_ORIENTATION, tag, NULL);

    gst_tag_list_set_scope(tags, scope);
    g_assert_true(gst_harness_push_event(h, gst_event_new_tag(tags)));
}

/* A picture stored turned and tagged so; `tag` NULL: not tagged. */
static Scores score_turned(guint turn, const gchar *tag, GstTagScope scope,
                           const gchar *resize)
{
    const gboolean swap = turns[turn].swap;
    Turned t = { turn, swap ? 120 : 160, swap ? 160 : 120 };
    gchar *caps = g_strdup_printf(RGB_CAPS, t.width, t.height);
    GstElement *element = classifier_plain();
    gst_util_set_object_arg(G_OBJECT(element), "resize", resize);
    GstHarness *h = classifier_harness(element, caps);

    if (tag)
        push_orientation(h, tag, scope);
    GstBuffer *out =
        gst_harness_push_and_pull(h, frame_paint(t.width, t.height, paint_turned, &t));
    gst_harness_teardown(h);
    g_free(caps);
    return scores_read(out);
}

static void test_orientation(void)
{
    static const gchar *const resizes[] = { "stretch", "letterbox", "crop" };

    for (guint r = 0; r < G_N_ELEMENTS(resizes); r++) {
        const Scores want = score_turned(0, NULL, GST_TAG_SCOPE_STREAM, resizes[r]);
        for (guint i = 0; i < G_N_ELEMENTS(turns); i++) {
            const Scores got = score_turned(
                i, turns[i].tag, i % 2 ? GST_TAG_SCOPE_GLOBAL : GST_TAG_SCOPE_STREAM,
                resizes[r]);
            scores_assert_same(&got, &want, turns[i].tag);
        }
    }
    const Scores want = score_turned(0, NULL, GST_TAG_SCOPE_STREAM, "stretch");
    const Scores untagged = score_turned(1, NULL, GST_TAG_SCOPE_STREAM, "stretch");
    g_assert_cmpfloat(scores_apart(&want, &untagged), >, 2 * SCORE_TOLERANCE);
}

static GstBuffer *push_upright(GstHarness *h)
{
    Turned t = { 0, 160, 120 };

    return gst_harness_push_and_pull(h,
                                     frame_paint(t.width, t.height, paint_turned, &t));
}

/* A stream's own tag goes before the global one; a new stream forgets both. */
static void test_orientation_scopes(void)
{
    GstHarness *h = classifier_harness(
        classifier_plain(),
        "video/x-raw,format=RGB,width=160,height=120,framerate=25/1");
    const Scores upright = scores_read(push_upright(h));

    push_orientation(h, "rotate-180", GST_TAG_SCOPE_STREAM);
    push_orientation(h, "rotate-0", GST_TAG_SCOPE_GLOBAL);
    const Scores turned = scores_read(push_upright(h));
    g_assert_cmpfloat(scores_apart(&upright, &turned), >, 2 * SCORE_TOLERANCE);

    gst_harness_push_event(h, gst_event_new_stream_start("another"));
    const Scores again = scores_read(push_upright(h));
    scores_assert_same(&again, &upright, "after stream-start");
    gst_harness_teardown(h);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/classify/pixel-aspect-ratio", test_pixel_aspect_ratio);
    g_test_add_func("/classify/pixel-aspect-ratio/absurd",
                    test_absurd_pixel_aspect_ratio);
    g_test_add_func("/classify/region", test_region_is_cut_out);
    g_test_add_func("/classify/crop-meta", test_crop_meta);
    g_test_add_func("/classify/crop-meta/bad", test_bad_crop_meta);
    g_test_add_func("/classify/orientation", test_orientation);
    g_test_add_func("/classify/orientation/scopes", test_orientation_scopes);
    return g_test_run();
}
