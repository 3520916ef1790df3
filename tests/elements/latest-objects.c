/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mode=latest with inference-region=roi-list: what is found out about an object goes to
 * the object as it is on the frame that comes next.
 */
#include "late.h"
#include "rois.h"

static Late begin(void)
{
    return late_start(looker(), CAPS);
}

/* The frames have the same picture, however the objects on them move. */
static GstBuffer *pass(Late *l, GstBuffer *frame)
{
    GST_BUFFER_PTS(frame) = l->frames++ * FRAME_TIME;
    g_assert_cmpint(gst_harness_push(l->h, frame), ==, GST_FLOW_OK);
    GstBuffer *out = gst_harness_try_pull(l->h);
    g_assert_nonnull(out);
    return out;
}

/* Objects on a first frame, which is looked at. */
static void look(Late *l, GstBuffer *frame, guint views)
{
    GstBuffer *out = pass(l, frame);

    g_assert_null(own_meta(out));
    gst_buffer_unref(out);
    for (guint i = 1; i <= views; i++) {
        gate_wait_came(i);
        gate_let(1);
    }
    late_wait_analysed(l, 1);
}

static GstBuffer *frame_with(guint n, const guint64 *tracks)
{
    GstBuffer *frame = new_frame();

    add_detections(frame, n, tracks);
    return frame;
}

/* The detections are the first meta. */
static GstVigilResult *detection(GstBuffer *buffer, guint i)
{
    return gst_vigil_meta_get_result(frame_meta(buffer), i);
}

static void assert_same_place(const GstVigilResult *a, const GstVigilResult *b)
{
    gfloat p[4], q[4];

    gst_vigil_result_get_region(a, &p[0], &p[1], &p[2], &p[3]);
    gst_vigil_result_get_region(b, &q[0], &q[1], &q[2], &q[3]);
    g_assert_cmpmem(p, sizeof p, q, sizeof q);
}

static guint count_classified(GstBuffer *buffer)
{
    gpointer state = NULL;
    guint n = 0;

    for (GstMeta *m; (m = gst_buffer_iterate_meta_filtered(
                          buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE));)
        n += gst_video_region_of_interest_meta_get_param(
                 (GstVideoRegionOfInterestMeta *)m, CLASSES) != NULL;
    return n;
}

/* ---- Ours ----------------------------------------------------------------------- */

static void test_found_again(void)
{
    Late l = begin();

    look(&l, frame_with(PATCHES, NULL), PATCHES);
    GstBuffer *out = pass(&l, frame_with(PATCHES, NULL));
    GstVigilMeta *meta = own_meta(out);
    g_assert_nonnull(meta);
    g_assert_cmpuint(gst_vigil_meta_get_pts(meta), ==, 0);
    g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, PATCHES);
    for (guint i = 0; i < PATCHES; i++) {
        const GstVigilResult *object = detection(out, i);
        const GstVigilResult *result = result_of(meta, gst_vigil_result_get_id(object));
        g_assert_nonnull(result);
        g_assert_cmpstr(best_label(result), ==, color_labels[patches[i].color]);
        g_assert_cmpuint(gst_vigil_result_get_n_classes(result), ==, 2);
        assert_same_place(result, object);
    }
    g_assert_cmpuint(count_rois(out), ==, PATCHES); /* those of the detector */
    g_assert_cmpuint(count_classified(out), ==, PATCHES);
    gst_buffer_unref(out);
    late_stop(&l);
}

/* What is there no more is not told. */
static void test_gone(void)
{
    Late l = begin();

    look(&l, frame_with(PATCHES, NULL), PATCHES);
    GstBuffer *out = pass(&l, frame_with(2, NULL));
    GstVigilMeta *meta = own_meta(out);
    g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, 2);
    g_assert_cmpuint(count_rois(out), ==, 2);
    for (guint i = 0; i < 2; i++)
        g_assert_nonnull(result_of(meta, gst_vigil_result_get_id(detection(out, i))));
    gst_buffer_unref(out);
    late_stop(&l);
}

static void add_tracked(GstVigilMeta *meta, const SeenPatch *at, guint64 track)
{
    GstVigilResult *result = new_result(at);

    gst_vigil_result_set_detection(result, "car", 2, 0.9F);
    gst_vigil_result_set_tracking_id(result, track);
    gst_vigil_meta_add_result(meta, result);
}

/* The track tells where it went, and that what is in its place is another one. */
static void test_tracks(void)
{
    static const guint64 tracks[] = { 5, 6 };
    Late l = begin();
    GstBuffer *frame = new_frame();
    GstVigilMeta *meta = add_meta(frame, GST_VIGIL_TASK_DETECTION);

    look(&l, frame_with(2, tracks), 2);
    add_tracked(meta, &patches[0], 7); /* where 5 was */
    add_tracked(meta, &patches[3], 6); /* was elsewhere */
    GstBuffer *out = pass(&l, frame);
    meta = own_meta(out);
    g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, 1);
    const GstVigilResult *result = gst_vigil_meta_get_result(meta, 0);
    g_assert_cmpuint(gst_vigil_result_get_tracking_id(result), ==, 6);
    g_assert_cmpstr(best_label(result), ==, color_labels[patches[1].color]);
    assert_same_place(result, detection(out, 1));
    gst_buffer_unref(out);
    late_stop(&l);
}

/* Where nobody says what is in the frame they stay where they were. */
static void test_nobody_says(void)
{
    Late l = begin();
    GstBuffer *first = frame_with(2, NULL);
    GList *kept = gst_vigil_meta_get_results(frame_meta(first));

    look(&l, first, 2);
    GstBuffer *out = pass(&l, new_frame());
    GstVigilMeta *meta = own_meta(out);
    g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, 2);
    for (GList *item = kept; item; item = item->next) {
        const GstVigilResult *result =
            result_of(meta, gst_vigil_result_get_id(item->data));
        g_assert_nonnull(result);
        assert_same_place(result, item->data);
    }
    g_assert_cmpuint(count_rois(out), ==, 2);
    g_assert_cmpuint(stats_count(l.element, "analysed"), ==, 1);
    gst_buffer_unref(out);
    g_list_free_full(kept, (GDestroyNotify)gst_vigil_result_unref);
    late_stop(&l);
}

/* A frame without objects does not take the place of one that has some. */
static void test_slot(void)
{
    Late l = begin();

    gst_buffer_unref(pass(&l, frame_with(1, NULL)));
    gate_wait_came(1);
    gst_buffer_unref(pass(&l, frame_with(2, NULL)));
    gst_buffer_unref(pass(&l, new_frame()));
    g_assert_cmpuint(stats_count(l.element, "replaced"), ==, 0);
    gate_let(3);
    late_wait_analysed(&l, 2);
    GstBuffer *out = pass(&l, frame_with(2, NULL));
    g_assert_cmpuint(gst_vigil_meta_get_pts(own_meta(out)), ==, FRAME_TIME);
    gst_buffer_unref(out);
    late_stop(&l);
}

/* Tracked objects are not looked at again, also where the answer came late. */
static void test_reclassify(void)
{
    static const guint64 tracks[] = { 5, 6 };
    GstElement *element = looker();
    g_object_set(element, "reclassify-interval", 0u, NULL);
    Late l = late_start(element, CAPS);

    look(&l, frame_with(2, tracks), 2);
    for (guint i = 0; i < 3; i++) {
        GstBuffer *out = pass(&l, frame_with(2, tracks));
        GstVigilMeta *meta = own_meta(out);
        g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, 2);
        g_assert_cmpuint(gst_vigil_meta_get_pts(meta), ==, i * FRAME_TIME);
        late_wait_analysed(&l, i + 2);
        gst_buffer_unref(out);
    }
    g_assert_cmpuint(gate_came(), ==, 2);
    late_stop(&l);
}

/* ---- Of others ------------------------------------------------------------------ */

static void test_foreign(void)
{
    Late l = begin();
    GstBuffer *frames[2];

    for (guint i = 0; i < 2; i++) {
        const SeenPatch *p = &patches[1];
        frames[i] = new_frame();
        add_roi(frames[i], "face", p->x + 2 * i, p->y, p->width, p->height);
    }
    look(&l, frames[0], 1);
    GstBuffer *out = pass(&l, frames[1]);
    g_assert_cmpuint(gst_vigil_meta_get_n_results(own_meta(out)), ==, 1);
    g_assert_cmpuint(count_rois(out), ==, 1);
    g_assert_cmpuint(count_classified(out), ==, 1);
    gst_buffer_unref(out);
    late_stop(&l);
}

/* ---- Both elements -------------------------------------------------------------- */

#define MOST_FRAMES 3000 /* of 5 ms */

static void check_both(const gchar *detect, const gchar *classify)
{
    gchar *text = g_strdup_printf(
        "vigildetect name=detect mode=%s model=%s resize=stretch input-size=192x256 ! "
        "queue ! vigilclassify name=classify mode=%s model=%s resize=stretch "
        "inference-region=roi-list ! vigiloverlay hold-time=10000000000",
        detect, g_getenv("VIGIL_TEST_DETECTOR"), classify,
        g_getenv("VIGIL_TEST_MODEL"));
    GstHarness *h = gst_harness_new_parse(text);
    guint told = 0;

    gst_harness_set_src_caps_str(h, CAPS);
    for (guint n = 0; told < 3; n++) {
        GstBuffer *frame = new_frame();
        GST_BUFFER_PTS(frame) = n * FRAME_TIME;
        GstBuffer *out = gst_harness_push_and_pull(h, frame);
        GstVigilMeta *meta = own_meta(out);
        for (guint i = 0; meta && i < gst_vigil_meta_get_n_results(meta); i++) {
            const GstVigilResult *result = gst_vigil_meta_get_result(meta, i);
            gfloat x;
            gst_vigil_result_get_region(result, &x, NULL, NULL, NULL);
            for (guint k = 0; k < PATCHES; k++) /* which one it is */
                if (ABS(x * WIDTH - (gfloat)patches[k].x) < 3) {
                    g_assert_cmpstr(best_label(result), ==,
                                    color_labels[patches[k].color]);
                    told += i == 0;
                }
        }
        gst_buffer_unref(out);
        g_assert_cmpuint(n, <, MOST_FRAMES);
        g_usleep(5000);
    }
    gst_harness_teardown(h);
    g_free(text);
}

static void test_both(void)
{
    check_both("latest", "sync");
    check_both("sync", "latest");
    check_both("latest", "latest");
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/latest-objects/found-again", test_found_again);
    g_test_add_func("/latest-objects/gone", test_gone);
    g_test_add_func("/latest-objects/tracks", test_tracks);
    g_test_add_func("/latest-objects/nobody-says", test_nobody_says);
    g_test_add_func("/latest-objects/slot", test_slot);
    g_test_add_func("/latest-objects/reclassify", test_reclassify);
    g_test_add_func("/latest-objects/foreign", test_foreign);
    g_test_add_func("/latest-objects/both", test_both);
    return g_test_run();
}
