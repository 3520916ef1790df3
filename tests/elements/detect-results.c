/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigildetect: its boxes are the engine's, wherever the network saw them.
 */
#include <math.h>
#include <string.h>
#include "detector.h"

#define WIDTH 200
#define HEIGHT 125
#define FRAME_CAPS "video/x-raw,format=RGB,width=200,height=125,framerate=25/1"
#define SAME 1e-5F

/* Something to see: patches of all sizes. */
static void paint_patches(guint x, guint y, guint8 rgb[3], gpointer data)
{
    const guint cell = (x / 25 * 7 + y / 20 * 13) % 11;

    frame_pixel(PICTURE_COLOR, x / (double)WIDTH, y / (double)HEIGHT, rgb);
    rgb[0] = (guint8)((rgb[0] + 90 * (cell % 4)) & 255);
    rgb[1] = (guint8)((rgb[1] + 60 * (cell % 5)) & 255);
    rgb[2] = (guint8)(cell > 7 ? 255 - rgb[2] : rgb[2]);
}

static GstBuffer *new_frame(void)
{
    return frame_paint(WIDTH, HEIGHT, paint_patches, NULL);
}

static const VigilDetectOptions usual = { .has_threshold = true,
                                          .threshold = DETECT_THRESHOLD };

static Found engine(const VigilRegion *region, const VigilDetectOptions *options)
{
    GstBuffer *frame = new_frame();
    const Found found = engine_look(frame, WIDTH, HEIGHT, region, NULL, options);

    gst_buffer_unref(frame);
    return found;
}

/* ---- Boxes ---------------------------------------------------------------------- */

static void test_whole_frame(void)
{
    const Found want = engine(NULL, &usual);
    const Found got = found_once(detector_new(NULL, NULL), FRAME_CAPS, new_frame());

    found_assert_same(&got, &want, SAME, "whole frame");
    g_assert_cmpuint(got.n, >, 5);
}

static void test_as_published(void)
{
    const Found want = engine(NULL, NULL);
    const Found got =
        found_once(detector_new("threshold", -1.0F, NULL), FRAME_CAPS, new_frame());

    found_assert_same(&got, &want, SAME, "as published");
    g_assert_cmpuint(got.n, ==, 200);
}

static void test_resize(void)
{
    static const struct {
        const gchar *name;
        VigilResize resize;
    } rows[] = { { "stretch", VIGIL_RESIZE_STRETCH },
                 { "letterbox", VIGIL_RESIZE_LETTERBOX } };
    Found got[2];

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const VigilSessionOptions options = { .input = { .has_resize = true,
                                                         .resize = rows[i].resize } };
        GstElement *element = detector_new(NULL, NULL);
        GstBuffer *frame = new_frame();
        gst_util_set_object_arg(G_OBJECT(element), "resize", rows[i].name);
        const Found want = engine_look(frame, WIDTH, HEIGHT, NULL, &options, &usual);
        got[i] = found_once(element, FRAME_CAPS, frame);
        found_assert_same(&got[i], &want, SAME, rows[i].name);
    }
    g_assert_cmpint(memcmp(&got[0], &got[1], sizeof got[0]), !=, 0);
}

static void test_region(void)
{
    const VigilRegion region = { 0.25F, 0.1F, 0.5F, 0.7F };
    const Found want = engine(&region, &usual);
    const Found got = found_once(detector_new("regions", "part=0.25,0.1,0.5,0.7", NULL),
                                 FRAME_CAPS, new_frame());

    found_assert_same(&got, &want, SAME, "region");
    for (guint i = 0; i < got.n; i++) {
        const VigilDetection *d = &got.item[i];
        g_assert_cmpfloat(d->x, >=, 0.25F - SAME);
        g_assert_cmpfloat(d->y, >=, 0.1F - SAME);
        g_assert_cmpfloat(d->x + d->width, <=, 0.75F + SAME);
        g_assert_cmpfloat(d->y + d->height, <=, 0.8F + SAME);
    }
}

static void add_found(Found *all, const Found *more)
{
    memcpy(all->item + all->n, more->item, more->n * sizeof *more->item);
    all->n += more->n;
}

static gint by_score(gconstpointer a, gconstpointer b)
{
    const gfloat left = ((const VigilDetection *)a)->score;
    const gfloat right = ((const VigilDetection *)b)->score;

    return (left < right) - (left > right);
}

/* Apart from each other: all boxes of both, best first, with the name of the region. */
static void test_regions_apart(void)
{
    static const VigilRegion areas[] = { { 0, 0, 0.5F, 1 }, { 0.5F, 0, 0.5F, 1 } };
    const Found left = engine(&areas[0], &usual), right = engine(&areas[1], &usual);
    GstBuffer *out =
        classify_once(detector_new("regions", "left=0,0,0.5,1;right=0.5,0,0.5,1", NULL),
                      FRAME_CAPS, new_frame());
    const Found got = found_read(out);
    Found want = left;

    g_assert_cmpuint(left.n, >, 0);
    g_assert_cmpuint(right.n, >, 0);
    add_found(&want, &right);
    qsort(want.item, want.n, sizeof *want.item, by_score);
    found_assert_same(&got, &want, SAME, "two regions");
    for (guint i = 0; i < got.n; i++)
        g_assert_cmpstr(gst_vigil_result_get_region_name(
                            gst_vigil_meta_get_result(frame_meta(out), i)),
                        ==, got.item[i].x >= 0.5F - SAME ? "right" : "left");
    gst_buffer_unref(out);
}

static gdouble iou(const VigilDetection *a, const VigilDetection *b)
{
    const double width = fmin(a->x + a->width, b->x + b->width) - fmax(a->x, b->x);
    const double height = fmin(a->y + a->height, b->y + b->height) - fmax(a->y, b->y);
    const double both = fmax(width, 0) * fmax(height, 0);

    return both / (a->width * a->height + b->width * b->height - both);
}

/* The same region twice is the region once; overlapping ones repeat nothing. */
static void test_regions_overlap(void)
{
    const Found once =
        found_once(detector_new("regions", "0,0,1,1", NULL), FRAME_CAPS, new_frame());
    const Found twice = found_once(detector_new("regions", "0,0,1,1;0,0,1,1", NULL),
                                   FRAME_CAPS, new_frame());
    const Found some =
        found_once(detector_new("regions", "0,0,0.8,1;0.2,0,0.8,1;0.1,0.1,0.8,0.8",
                                "iou-threshold", 0.3F, NULL),
                   FRAME_CAPS, new_frame());

    found_assert_same(&twice, &once, SAME, "the same region twice");
    g_assert_cmpuint(some.n, >, 3);
    for (guint i = 0; i < some.n; i++)
        for (guint k = 0; k < i; k++)
            if (some.item[i].class_index == some.item[k].class_index)
                g_assert_cmpfloat(iou(&some.item[i], &some.item[k]), <=, 0.3 + 1e-4);
}

static void test_most_of_all_regions(void)
{
    const Found all = found_once(detector_new("regions", "0,0,0.5,1;0.5,0,0.5,1", NULL),
                                 FRAME_CAPS, new_frame());
    Found got = found_once(
        detector_new("regions", "0,0,0.5,1;0.5,0,0.5,1", "max-detections", 3u, NULL),
        FRAME_CAPS, new_frame());
    Found want = all;

    g_assert_cmpuint(all.n, >, 3);
    want.n = 3;
    found_assert_same(&got, &want, SAME, "the best of two regions");
}

/* ---- The frame as it is stored -------------------------------------------------- */

typedef struct Inset {
    guint x, y;
} Inset;

static void paint_inset(guint x, guint y, guint8 rgb[3], gpointer data)
{
    const Inset *inset = data;

    paint_patches(x - inset->x, y - inset->y, rgb, NULL);
}

/* Fractions of what the crop meta leaves. */
static void test_crop_meta(void)
{
    Inset inset = { 24, 16 };
    GstBuffer *frame = frame_paint(WIDTH + 40, HEIGHT + 30, paint_inset, &inset);
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(frame);
    const Found want = engine(NULL, &usual);

    crop->x = inset.x;
    crop->y = inset.y;
    crop->width = WIDTH;
    crop->height = HEIGHT;
    gst_buffer_add_video_meta(frame, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGB,
                              WIDTH + 40, HEIGHT + 30);
    const Found got = found_once(detector_new(NULL, NULL), FRAME_CAPS, frame);
    found_assert_same(&got, &want, 1e-3F, "crop meta");
}

/* Where the pixel (x, y) of the upright picture lies in the stored one. */
static const struct {
    const gchar *tag;
    gboolean swap, from_right, from_bottom;
} turns[] = {
    { "rotate-0", FALSE, FALSE, FALSE },
    { "rotate-90", TRUE, FALSE, TRUE },
    { "rotate-180", FALSE, TRUE, TRUE },
    { "rotate-270", TRUE, TRUE, FALSE },
    { "flip-rotate-0", FALSE, TRUE, FALSE },
    { "flip-rotate-90", TRUE, TRUE, TRUE },
    { "flip-rotate-180", FALSE, FALSE, TRUE },
    { "flip-rotate-270", TRUE, FALSE, FALSE },
};

static void paint_turned(guint x, guint y, guint8 rgb[3], gpointer data)
{
    const guint turn = *(const guint *)data;
    const gboolean swap = turns[turn].swap;
    const guint width = swap ? HEIGHT : WIDTH, height = swap ? WIDTH : HEIGHT;
    const guint sx = turns[turn].from_right ? width - 1 - x : x;
    const guint sy = turns[turn].from_bottom ? height - 1 - y : y;

    paint_patches(swap ? sy : sx, swap ? sx : sy, rgb, NULL);
}

static VigilDetection turn_box(VigilDetection d, guint turn)
{
    if (turns[turn].swap)
        d = (VigilDetection) { d.y, d.x, d.height, d.width, d.class_index, d.score };
    if (turns[turn].from_right)
        d.x = 1 - d.x - d.width;
    if (turns[turn].from_bottom)
        d.y = 1 - d.y - d.height;
    return d;
}

static Found look_turned(guint turn, const gchar *resize)
{
    const gboolean swap = turns[turn].swap;
    const guint width = swap ? HEIGHT : WIDTH, height = swap ? WIDTH : HEIGHT;
    gchar *caps = g_strdup_printf(
        "video/x-raw,format=RGB,width=%u,height=%u,framerate=25/1", width, height);
    GstElement *element = detector_new(NULL, NULL);
    gst_util_set_object_arg(G_OBJECT(element), "resize", resize);
    GstHarness *h = classifier_harness(element, caps);

    g_assert_true(gst_harness_push_event(
        h, gst_event_new_tag(
               gst_tag_list_new(GST_TAG_IMAGE_ORIENTATION, turns[turn].tag, NULL))));
    GstBuffer *out =
        gst_harness_push_and_pull(h, frame_paint(width, height, paint_turned, &turn));
    const Found found = found_read(out);
    gst_buffer_unref(out);
    gst_harness_teardown(h);
    g_free(caps);
    return found;
}

/* A picture stored turned has its boxes where it has its pixels. */
static void test_orientation(void)
{
    static const gchar *const resizes[] = { "stretch", "letterbox" };

    for (guint r = 0; r < G_N_ELEMENTS(resizes); r++) {
        const Found upright = look_turned(0, resizes[r]);
        for (guint i = 0; i < G_N_ELEMENTS(turns); i++) {
            const Found got = look_turned(i, resizes[r]);
            Found want = upright;
            for (guint k = 0; k < want.n; k++)
                want.item[k] = turn_box(want.item[k], i);
            found_assert_same(&got, &want, 1e-3F, turns[i].tag);
        }
    }
}

/* ---- Telling -------------------------------------------------------------------- */

static void test_meta_and_mirrors(void)
{
    GstBuffer *out = classify_once(detector_new("max-detections", 4u, NULL), FRAME_CAPS,
                                   new_frame());
    GstVigilMeta *meta = frame_meta(out);
    const Found found = found_read(out);
    gpointer state = NULL;

    g_assert_cmpstr(gst_vigil_meta_get_source(meta), ==, "detect");
    g_assert_cmpstr(gst_vigil_meta_get_model(meta), ==, "detect");
    g_assert_cmpuint(found.n, ==, 4);
    for (guint i = 0; i < 4; i++) {
        GstVideoRegionOfInterestMeta *roi =
            (GstVideoRegionOfInterestMeta *)gst_buffer_iterate_meta_filtered(
                out, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
        const VigilDetection *d = &found.item[i];
        gdouble x_min = -1, confidence = -1;
        gint id = -1;
        g_assert_nonnull(roi);
        GstStructure *params =
            gst_video_region_of_interest_meta_get_param(roi, "detection");
        g_assert_true(gst_structure_get(params, "x_min", G_TYPE_DOUBLE, &x_min,
                                        "confidence", G_TYPE_DOUBLE, &confidence,
                                        "label_id", G_TYPE_INT, &id, NULL));
        g_assert_cmpfloat(x_min, ==, (gdouble)d->x);
        g_assert_cmpfloat(confidence, ==, (gdouble)d->score);
        g_assert_cmpint(id, ==, d->class_index);
        g_assert_cmpstr(g_quark_to_string(roi->roi_type), ==,
                        gst_structure_get_string(params, "label"));
        g_assert_cmpuint(roi->x, ==, (guint)lrintf(floorf(d->x * WIDTH + 0.5F)));
    }
    g_assert_null(gst_buffer_iterate_meta_filtered(
        out, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE));
    gst_buffer_unref(out);
}

/* Looked at, and nothing found: a meta without results. */
static void test_nothing(void)
{
    GstBuffer *out =
        classify_once(detector_new("threshold", 1.0F, NULL), FRAME_CAPS, new_frame());

    g_assert_cmpuint(frame_count_metas(out), ==, 1);
    g_assert_cmpuint(gst_vigil_meta_get_n_results(frame_meta(out)), ==, 0);
    g_assert_cmpuint(
        gst_buffer_get_n_meta(out, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), ==, 0);
    gst_buffer_unref(out);
}

static void check_object(const GstStructure *object, const VigilDetection *d)
{
    gdouble x = -1, y = -1, width = -1, height = -1, score = -1;
    gint index = -2, region = -2;

    g_assert_true(gst_structure_get(
        object, "x", G_TYPE_DOUBLE, &x, "y", G_TYPE_DOUBLE, &y, "width", G_TYPE_DOUBLE,
        &width, "height", G_TYPE_DOUBLE, &height, "score", G_TYPE_DOUBLE, &score,
        "index", G_TYPE_INT, &index, "region-index", G_TYPE_INT, &region, NULL));
    g_assert_cmpfloat(x, ==, (gdouble)d->x);
    g_assert_cmpfloat(y, ==, (gdouble)d->y);
    g_assert_cmpfloat_with_epsilon(width, (gdouble)d->width, 1e-6);
    g_assert_cmpfloat_with_epsilon(height, (gdouble)d->height, 1e-6);
    g_assert_cmpfloat(score, ==, (gdouble)d->score);
    g_assert_cmpint(index, ==, d->class_index);
    g_assert_cmpint(region, ==, d->x >= 0.5F - SAME);
    g_assert_cmpstr(gst_structure_get_string(object, "region-name"), ==,
                    region ? "right" : NULL);
    g_assert_nonnull(gst_structure_get_string(object, "label"));
}

static void test_messages(void)
{
    GstHarness *h =
        classifier_harness(detector_new("regions", "0,0,0.5,1;right=0.5,0,0.5,1",
                                        "post-messages", TRUE, NULL),
                           FRAME_CAPS);
    GstBus *bus = gst_bus_new();
    GstBuffer *frame = new_frame();
    guint64 time = 0;

    gst_element_set_bus(h->element, bus);
    GST_BUFFER_PTS(frame) = 5 * FRAME_TIME;
    GstBuffer *out = gst_harness_push_and_pull(h, frame);
    const Found found = found_read(out);
    GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT);
    g_assert_nonnull(message);
    const GstStructure *s = gst_message_get_structure(message);
    g_assert_true(gst_structure_has_name(s, "vigil-detection"));
    g_assert_true(gst_structure_get_uint64(s, "timestamp", &time));
    g_assert_cmpuint(time, ==, 5 * FRAME_TIME);
    g_assert_true(gst_structure_get_uint64(s, "running-time", &time));
    const GValue *list = gst_structure_get_value(s, "objects");
    g_assert_cmpuint(found.n, >, 3);
    g_assert_cmpuint(gst_value_array_get_size(list), ==, found.n);
    for (guint i = 0; i < found.n; i++)
        check_object(gst_value_get_structure(gst_value_array_get_value(list, i)),
                     &found.item[i]);
    gst_message_unref(message);
    g_assert_null(gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT));
    g_object_set(h->element, "post-messages", FALSE, NULL);
    gst_buffer_unref(out);
    g_assert_true(frame_is_analysed(h, new_frame()));
    g_assert_null(gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT));
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
}

/* ---- The stream ----------------------------------------------------------------- */

static void test_caps_change(void)
{
    const Found want = engine(NULL, &usual);
    GstHarness *h = classifier_harness(detector_new(NULL, NULL), STREAM_CAPS);

    g_assert_true(frame_is_analysed(h, frame_at(0)));
    gst_harness_set_src_caps_str(h, FRAME_CAPS);
    GstBuffer *out = gst_harness_push_and_pull(h, new_frame());
    const Found got = found_read(out);
    found_assert_same(&got, &want, SAME, "after a caps change");
    gst_buffer_unref(out);
    gst_harness_set_src_caps_str(h, STREAM_CAPS);
    g_assert_true(frame_is_analysed(h, frame_at(1)));
    gst_harness_teardown(h);
}

static void test_cycles(void)
{
    static const GstState tops[] = { GST_STATE_READY, GST_STATE_PAUSED,
                                     GST_STATE_PLAYING };
    const Found want = engine(NULL, &usual);
    GstElement *element = detector_new(NULL, NULL);

    for (guint i = 0; i < 30; i++) {
        g_assert_cmpint(gst_element_set_state(element, tops[i % 3]), ==,
                        GST_STATE_CHANGE_SUCCESS);
        g_assert_cmpint(gst_element_set_state(element, i / 3 % 2 ? GST_STATE_READY
                                                                 : GST_STATE_NULL),
                        ==, GST_STATE_CHANGE_SUCCESS);
    }
    const Found got = found_once(element, FRAME_CAPS, new_frame());
    found_assert_same(&got, &want, SAME, "after thirty cycles");
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/detect/frame", test_whole_frame);
    g_test_add_func("/detect/as-published", test_as_published);
    g_test_add_func("/detect/resize", test_resize);
    g_test_add_func("/detect/region", test_region);
    g_test_add_func("/detect/regions/apart", test_regions_apart);
    g_test_add_func("/detect/regions/overlap", test_regions_overlap);
    g_test_add_func("/detect/regions/most", test_most_of_all_regions);
    g_test_add_func("/detect/crop-meta", test_crop_meta);
    g_test_add_func("/detect/orientation", test_orientation);
    g_test_add_func("/detect/mirrors", test_meta_and_mirrors);
    g_test_add_func("/detect/nothing", test_nothing);
    g_test_add_func("/detect/messages", test_messages);
    g_test_add_func("/detect/caps-change", test_caps_change);
    g_test_add_func("/detect/cycles", test_cycles);
    return g_test_run();
}
