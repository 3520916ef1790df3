/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigilclassify with inference-region=roi-list: which objects are looked at, and when.
 */
#include "rois.h"

/* ---- Which, and how many -------------------------------------------------------- */

static void test_values_are_kept(void)
{
    GstElement *element = looker();
    gint region = -1;
    guint interval = 0, most = 0;
    gchar *names = NULL;

    g_object_set(element, "object-class", "a,b", "reclassify-interval", 9u, "max-rois",
                 7u, NULL);
    g_object_get(element, "inference-region", &region, "object-class", &names,
                 "reclassify-interval", &interval, "max-rois", &most, NULL);
    g_assert_cmpint(region, ==, 1); /* as DL Streamer numbers them */
    g_assert_cmpstr(names, ==, "a,b");
    g_assert_cmpuint(interval, ==, 9);
    g_assert_cmpuint(most, ==, 7);
    g_free(names);
    gst_object_unref(element);
}

static guint looked_at(GstHarness *h, guint n, const guint64 *tracks)
{
    const guint before = seen_runs();
    GstBuffer *frame = new_frame();

    add_detections(frame, n, tracks);
    gst_buffer_unref(gst_harness_push_and_pull(h, frame));
    return seen_runs() - before;
}

static void test_object_class(void)
{
    static const struct {
        const gchar *names;
        guint n;
    } rows[] = { { "car", 2 },         { "person", 1 }, { "car,person", 3 },
                 { " dog , car ", 3 }, { "cat", 0 },    { "", 4 },
                 { NULL, 4 },          { "ca", 0 },     { "0", 0 } };
    GstHarness *h = start();

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_object_set(h->element, "object-class", rows[i].names, NULL);
        g_assert_cmpuint(looked_at(h, PATCHES, NULL), ==, rows[i].n);
    }
    gst_harness_teardown(h);
}

/* Of a hundred boxes the surest. */
static void test_max_rois(void)
{
    static const struct {
        guint most, runs;
    } rows[] = { { 16, 16 }, { 3, 3 }, { 0, 100 }, { 1000, 100 } };
    GstHarness *h = start();
    guint most = 0;

    g_object_get(h->element, "max-rois", &most, NULL);
    g_assert_cmpuint(most, ==, 16);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        GstBuffer *frame = new_frame();
        GstVigilMeta *found = add_detections(frame, 100, NULL);
        const guint last =
            gst_vigil_result_get_id(gst_vigil_meta_get_result(found, 50));
        const guint before = seen_runs();
        g_object_set(h->element, "max-rois", rows[i].most, NULL);
        GstBuffer *out = gst_harness_push_and_pull(h, frame);
        g_assert_cmpuint(seen_runs() - before, ==, rows[i].runs);
        GstVigilMeta *meta = own_meta(out);
        g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, rows[i].runs);
        if (rows[i].most == 3) /* all from the 50th on have the score 1 */
            for (guint k = 0; k < 3; k++)
                g_assert_cmpuint(
                    gst_vigil_result_get_parent_id(gst_vigil_meta_get_result(meta, k)),
                    >=, last);
        gst_buffer_unref(out);
    }
    gst_harness_teardown(h);
}

/* Without scores the largest goes first. */
static void test_largest(void)
{
    GstHarness *h = start();
    GstBuffer *frame = new_frame();

    g_object_set(h->element, "max-rois", 1u, NULL);
    for (guint i = 0; i < PATCHES; i++)
        add_roi(frame, "car", patches[i].x, patches[i].y, patches[i].width,
                patches[i].height)
            ->id = (gint)i + 1;
    GstBuffer *out = gst_harness_push_and_pull(h, frame);
    g_assert_cmpuint(gst_vigil_meta_get_n_results(own_meta(out)), ==, 1);
    g_assert_nonnull(result_of(own_meta(out), 4));
    gst_buffer_unref(out);
    gst_harness_teardown(h);
}

/* ---- Tracks --------------------------------------------------------------------- */

/* Pushes a frame of tracked patches; each has the classes of its track, looked at now
 * or before. */
static guint push_tracks(GstHarness *h, guint n, const guint64 *tracks)
{
    const guint before = seen_runs();
    GstBuffer *frame = new_frame();
    GstVigilMeta *found = add_detections(frame, n, tracks);
    guint ids[PATCHES];

    for (guint i = 0; i < n; i++)
        ids[i] = gst_vigil_result_get_id(gst_vigil_meta_get_result(found, i));
    GstBuffer *out = gst_harness_push_and_pull(h, frame);
    for (guint i = 0; i < n; i++) {
        GstVigilResult *result = result_of(own_meta(out), ids[i]);
        g_assert_nonnull(result);
        g_assert_cmpstr(best_label(result), ==, color_labels[patches[i].color]);
        g_assert_cmpuint(gst_vigil_result_get_tracking_id(result), ==, tracks[i]);
    }
    g_assert_cmpuint(gst_vigil_meta_get_n_results(own_meta(out)), ==, n);
    g_assert_cmpuint(count_rois(out), ==, n);
    gst_buffer_unref(out);
    return seen_runs() - before;
}

static void test_reclassify(void)
{
    static const guint64 tracks[PATCHES] = { 5, 6, 7, 8 };
    static const guint64 others[PATCHES] = { 5, 6, 9, 10 };
    GstHarness *h = start();

    g_assert_cmpuint(push_tracks(h, 4, tracks), ==, 4);
    g_assert_cmpuint(push_tracks(h, 4, tracks), ==, 4); /* the default: every frame */
    g_object_set(h->element, "reclassify-interval", 3u, NULL);
    g_assert_cmpuint(push_tracks(h, 4, tracks), ==, 0);
    g_assert_cmpuint(push_tracks(h, 4, others), ==, 2); /* the new ones */
    g_assert_cmpuint(push_tracks(h, 4, others), ==, 2); /* the old ones, three later */
    g_assert_cmpuint(push_tracks(h, 4, others), ==, 0);
    g_object_set(h->element, "reclassify-interval", 0u, NULL);
    for (guint i = 0; i < 10; i++)
        g_assert_cmpuint(push_tracks(h, 4, others), ==, 0);
    g_assert_cmpuint(push_tracks(h, 4, tracks), ==, 0); /* seen lately */
    g_assert_true(gst_harness_push_event(h, gst_event_new_flush_start()));
    g_assert_true(gst_harness_push_event(h, gst_event_new_flush_stop(TRUE)));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    g_assert_true(gst_harness_push_event(h, gst_event_new_segment(&segment)));
    g_assert_cmpuint(push_tracks(h, 4, tracks), ==, 4); /* numbers begin anew */
    gst_harness_teardown(h);
}

/* More tracks than may be looked at: each has its turn, and its classes meanwhile. */
static void test_turns(void)
{
    static const guint64 tracks[PATCHES] = { 1, 2, 3, 4 };
    GstHarness *h = start();

    g_object_set(h->element, "max-rois", 2u, NULL);
    g_assert_cmpuint(looked_at(h, 4, tracks), ==, 2);
    g_assert_cmpuint(push_tracks(h, 4, tracks), ==, 2);
    for (guint i = 0; i < 4; i++)
        g_assert_cmpuint(push_tracks(h, 4, tracks), ==, 2);
    gst_harness_teardown(h);
}

/* Without tracks by the number of the frame. */
static void test_untracked(void)
{
    static const guint every_third[] = { 2, 0, 0, 2, 0, 0, 2 };
    GstHarness *h = start();

    g_object_set(h->element, "reclassify-interval", 3u, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(every_third); i++)
        g_assert_cmpuint(looked_at(h, 2, NULL), ==, every_third[i]);
    g_object_set(h->element, "reclassify-interval", 0u, NULL);
    for (guint i = 0; i < 3; i++)
        g_assert_cmpuint(looked_at(h, 2, NULL), ==, 2);
    gst_harness_teardown(h);
}

/* A track that was gone for long is a new one. */
static void test_forgotten(void)
{
    static const guint64 tracks[] = { 3 };
    GstHarness *h = start();

    g_object_set(h->element, "reclassify-interval", 0u, NULL);
    g_assert_cmpuint(looked_at(h, 1, tracks), ==, 1);
    for (guint i = 0; i < 600; i++)
        g_assert_cmpuint(looked_at(h, 0, NULL), ==, 0);
    g_assert_cmpuint(looked_at(h, 1, tracks), ==, 1);
    gst_harness_teardown(h);
}

/* ---- Stream --------------------------------------------------------------------- */

static void test_messages(void)
{
    static const guint64 tracks[] = { 77 };
    GstHarness *h = start();
    GstBus *bus = gst_bus_new();
    GstBuffer *frame = new_frame();
    const guint id = gst_vigil_result_get_id(
        gst_vigil_meta_get_result(add_detections(frame, 1, tracks), 0));
    guint object_id = 0;
    guint64 track = 0;
    gint region = 0;
    gdouble x = -1, width = -1;

    gst_element_set_bus(h->element, bus);
    g_object_set(h->element, "post-messages", TRUE, NULL);
    gst_buffer_unref(gst_harness_push_and_pull(h, frame));
    GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT);
    g_assert_nonnull(message);
    const GstStructure *s = gst_message_get_structure(message);
    g_assert_true(gst_structure_has_name(s, "vigil-classification"));
    g_assert_true(gst_structure_get(
        s, "object-id", G_TYPE_UINT, &object_id, "tracking-id", G_TYPE_UINT64, &track,
        "region-index", G_TYPE_INT, &region, "x", G_TYPE_DOUBLE, &x, "width",
        G_TYPE_DOUBLE, &width, NULL));
    g_assert_cmpuint(object_id, ==, id);
    g_assert_cmpuint(track, ==, 77);
    g_assert_cmpint(region, ==, -1);
    g_assert_cmpfloat_with_epsilon(x * WIDTH, patches[0].x, 1e-3);
    g_assert_cmpfloat_with_epsilon(width * WIDTH, patches[0].width, 1e-3);
    g_assert_cmpstr(gst_structure_get_string(s, "object-label"), ==, "car");
    g_assert_cmpstr(gst_structure_get_string(s, "label"), ==, "zero");
    g_assert_cmpstr(gst_structure_get_string(s, "region-name"), ==, "gate");
    gst_message_unref(message);
    g_assert_null(gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT));
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
}

/* Back to the whole frame and again to objects. */
static void test_switch(void)
{
    GstHarness *h = start();

    for (guint i = 0; i < 4; i++) {
        const gboolean whole = i % 2;
        GstBuffer *frame = new_frame();
        gst_util_set_object_arg(G_OBJECT(h->element), "inference-region",
                                whole ? "full-frame" : "roi-list");
        add_detections(frame, 3, NULL);
        GstBuffer *out = gst_harness_push_and_pull(h, frame);
        GstVigilMeta *meta = own_meta(out);
        g_assert_cmpuint(gst_vigil_meta_get_n_results(meta), ==, whole ? 1 : 3);
        g_assert_cmpint(
            gst_vigil_result_is_full_frame(gst_vigil_meta_get_result(meta, 0)), ==,
            whole);
        g_assert_cmpint(
            gst_vigil_result_is_for_object(gst_vigil_meta_get_result(meta, 0)), ==,
            !whole);
        gst_buffer_unref(out);
    }
    gst_harness_teardown(h);
}

typedef struct Changer {
    GstElement *element;
    gint stop; /* atomic */
} Changer;

static gpointer change(gpointer data)
{
    static const gchar *const names[] = { "car", "person,dog", NULL, "", "cat" };
    Changer *changer = data;

    for (guint i = 0; !g_atomic_int_get(&changer->stop); i++) {
        g_object_set(changer->element, "object-class", names[i % G_N_ELEMENTS(names)],
                     "reclassify-interval", i % 4, "max-rois", i % 5,
                     "inference-region", i % 7 > 0, "post-messages", i % 2 == 0,
                     "regions", i % 3 ? NULL : "a=0,0,0.5,1", NULL);
        g_usleep(200);
    }
    return NULL;
}

static void test_changes(void)
{
    static const guint64 tracks[] = { 1, 2, 0, 4 };
    GstHarness *h = start();
    Changer changer = { h->element, 0 };
    GThread *thread = g_thread_new("change", change, &changer);

    for (guint i = 0; i < 300; i++) {
        GstBuffer *frame = new_frame();
        if (i % 3)
            add_detections(frame, i % 5, tracks);
        else
            add_roi(frame, "car", i % 300, i % 150, i % 50, i % 40);
        gst_buffer_unref(gst_harness_push_and_pull(h, frame));
    }
    g_atomic_int_set(&changer.stop, 1);
    g_thread_join(thread);
    gst_harness_teardown(h);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rois/kept", test_values_are_kept);
    g_test_add_func("/rois/object-class", test_object_class);
    g_test_add_func("/rois/max", test_max_rois);
    g_test_add_func("/rois/largest", test_largest);
    g_test_add_func("/rois/reclassify", test_reclassify);
    g_test_add_func("/rois/turns", test_turns);
    g_test_add_func("/rois/untracked", test_untracked);
    g_test_add_func("/rois/forgotten", test_forgotten);
    g_test_add_func("/rois/messages", test_messages);
    g_test_add_func("/rois/switch", test_switch);
    g_test_add_func("/rois/changes", test_changes);
    return g_test_run();
}
