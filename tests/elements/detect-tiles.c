/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vigildetect with tiles: what is in the frame is told once, where it is, wherever the
 * tiles were cut.  The detector is seen.c's.
 */
#include <math.h>
#include <string.h>
#include "detector.h"
#include "seen.h"

#define WIDTH 400
#define HEIGHT 301
#define INPUT_SIZE "192x256" /* the whole frame becomes smaller, a tile larger */
#define PIXELS 2.0F          /* a pixel of the tensor is up to 1.6 of the frame */

static gchar *caps_of(guint width, guint height)
{
    return g_strdup_printf("video/x-raw,format=RGB,width=%u,height=%u,framerate=25/1",
                           width, height);
}

static GstElement *tiler(const gchar *tiles)
{
    GstElement *element = detector_new("tiles", tiles, "input-size", INPUT_SIZE, NULL);

    gst_util_set_object_arg(G_OBJECT(element), "resize", "stretch");
    return element;
}

static GstHarness *start(GstElement *element, guint width, guint height)
{
    gchar *caps = caps_of(width, height);
    GstHarness *h = classifier_harness(element, caps);

    g_free(caps);
    return h;
}

static Found push(GstHarness *h, guint width, guint height, SeenPatch *patches)
{
    GstBuffer *out =
        gst_harness_push_and_pull(h, frame_paint(width, height, seen_paint, patches));
    const Found found = found_read(out);

    gst_buffer_unref(out);
    return found;
}

static void check_box(const VigilDetection *d, const SeenPatch *patch)
{
    const gfloat x = d->x * WIDTH, y = d->y * HEIGHT;

    g_assert_cmpint(d->class_index, ==, patch->color);
    g_assert_cmpfloat(fabsf(x - (gfloat)patch->x), <=, PIXELS);
    g_assert_cmpfloat(fabsf(y - (gfloat)patch->y), <=, PIXELS);
    g_assert_cmpfloat(fabsf(x + d->width * WIDTH - (gfloat)(patch->x + patch->width)),
                      <=, PIXELS);
    g_assert_cmpfloat(
        fabsf(y + d->height * HEIGHT - (gfloat)(patch->y + patch->height)), <=, PIXELS);
}

static void check_once(const Found *found, const SeenPatch *patch)
{
    if (found->n != 1)
        g_error("%ux%u at %u,%u is told %u times", patch->width, patch->height,
                patch->x, patch->y, found->n);
    check_box(&found->item[0], patch);
}

/* ---- Places --------------------------------------------------------------------- */

/* Every place of the frame, its edges and those of the tiles included. */
static void test_places(gconstpointer data)
{
    GstHarness *h = start(tiler(data), WIDTH, HEIGHT);

    for (guint y = 0; y < HEIGHT + 40; y += 41)
        for (guint x = 0; x < WIDTH + 36; x += 37) {
            SeenPatch patches[] = {
                { MIN(x, WIDTH - 26), MIN(y, HEIGHT - 18), 26, 18, SEEN_GREEN }, { 0 }
            };
            const Found found = push(h, WIDTH, HEIGHT, patches);
            check_once(&found, &patches[0]);
        }
    gst_harness_teardown(h);
}

/* The same without the whole frame: the tiles alone cover it. */
static void test_places_in_tiles(void)
{
    GstElement *element = tiler("3x2");
    g_object_set(element, "tile-full-frame", FALSE, NULL);
    GstHarness *h = start(element, WIDTH, HEIGHT);

    for (guint y = 0; y < HEIGHT + 42; y += 43)
        for (guint x = 0; x < WIDTH + 28; x += 29) {
            SeenPatch patches[] = {
                { MIN(x, WIDTH - 22), MIN(y, HEIGHT - 14), 22, 14, SEEN_BLUE }, { 0 }
            };
            const Found found = push(h, WIDTH, HEIGHT, patches);
            check_once(&found, &patches[0]);
        }
    gst_harness_teardown(h);
}

static void test_small(void)
{
    SeenPatch patches[] = { { 330, 210, 6, 6, SEEN_RED }, { 0 } };
    GstHarness *h = start(tiler(NULL), WIDTH, HEIGHT);

    const Found alone = push(h, WIDTH, HEIGHT, patches);
    g_assert_cmpuint(alone.n, ==, 0);
    g_object_set(h->element, "tiles", "2x2", NULL);
    const Found tiled = push(h, WIDTH, HEIGHT, patches);
    check_once(&tiled, &patches[0]);
    gst_harness_teardown(h);
}

/* Larger than any tile: the whole frame shows it, and none of its parts is told. */
static void test_large(void)
{
    SeenPatch patches[] = { { 30, 20, 340, 250, SEEN_RED }, { 0 } };
    GstHarness *h = start(tiler("3x3"), WIDTH, HEIGHT);

    const Found whole = push(h, WIDTH, HEIGHT, patches);
    check_once(&whole, &patches[0]);
    g_object_set(h->element, "tile-full-frame", FALSE, NULL);
    const Found parts = push(h, WIDTH, HEIGHT, patches);
    g_assert_cmpuint(parts.n, >, 1);
    gst_harness_teardown(h);
}

/* Boxes of different classes never push each other out, neighbours of one class
 * neither. */
static void test_several(void)
{
    SeenPatch patches[] = { { 180, 130, 40, 40, SEEN_RED },
                            { 190, 140, 16, 18, SEEN_GREEN },
                            { 224, 132, 30, 36, SEEN_RED },
                            { 10, 10, 20, 20, SEEN_BLUE },
                            { 0 } };
    GstHarness *h = start(tiler("2x2"), WIDTH, HEIGHT);
    const Found found = push(h, WIDTH, HEIGHT, patches);

    g_assert_cmpuint(found.n, ==, 4);
    for (guint i = 0; i < 4; i++) {
        guint same = 0;
        for (guint k = 0; k < 4; k++)
            same += fabsf(found.item[k].x * WIDTH - (gfloat)patches[i].x) <= PIXELS &&
                    found.item[k].class_index == patches[i].color;
        g_assert_cmpuint(same, ==, 1);
        if (i)
            g_assert_cmpfloat(found.item[i - 1].score, >=, found.item[i].score);
    }
    gst_harness_teardown(h);
}

/* ---- Regions, sizes, orientation ------------------------------------------------ */

static void test_regions(void)
{
    SeenPatch patches[] = { { 90, 140, 20, 16, SEEN_RED },
                            { 290, 140, 20, 16, SEEN_RED },
                            { 190, 20, 20, 16, SEEN_BLUE }, /* in none */
                            { 0 } };
    GstElement *element = tiler("2x2");
    g_object_set(element, "regions", "a=0,0.25,0.45,0.7;b=0.55,0.25,0.45,0.7", NULL);
    GstHarness *h = start(element, WIDTH, HEIGHT);
    GstBuffer *out =
        gst_harness_push_and_pull(h, frame_paint(WIDTH, HEIGHT, seen_paint, patches));
    const Found found = found_read(out);

    g_assert_cmpuint(found.n, ==, 2);
    for (guint i = 0; i < 2; i++) {
        const gboolean left = found.item[i].x < 0.5F;
        check_box(&found.item[i], &patches[left ? 0 : 1]);
        g_assert_cmpstr(gst_vigil_result_get_region_name(
                            gst_vigil_meta_get_result(frame_meta(out), i)),
                        ==, left ? "a" : "b");
    }
    g_assert_cmpuint(stats_count(h->element, "inferences"), ==, 2 * 5);
    gst_buffer_unref(out);
    gst_harness_teardown(h);
}

/* Frames with hardly more pixels than tiles, and the longest. */
static void test_sizes(void)
{
    static const struct {
        guint width, height, runs;
    } sizes[] = { { 1, 1, 1 },  { 2, 1, 1 },     { 1, 3, 3 },    { 3, 5, 9 },
                  { 7, 9, 49 }, { 13, 400, 65 }, { 2000, 1, 9 }, { 32768, 2, 9 } };

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        SeenPatch patches[] = { { 0, 0, 32768, 32768, SEEN_GREEN }, { 0 } };
        GstHarness *h = start(tiler("8x8"), sizes[i].width, sizes[i].height);
        const Found found = push(h, sizes[i].width, sizes[i].height, patches);
        g_test_message("%ux%u", sizes[i].width, sizes[i].height);
        g_assert_cmpuint(found.n, ==, 1);
        g_assert_cmpfloat(found.item[0].x, ==, 0);
        g_assert_cmpfloat(found.item[0].width, ==, 1);
        g_assert_cmpfloat(found.item[0].height, ==, 1);
        g_assert_cmpuint(stats_count(h->element, "inferences"), ==, sizes[i].runs);
        gst_harness_teardown(h);
    }
}

/* Tiles are cut from the frame as it is stored. */
static void test_orientation(void)
{
    SeenPatch patches[] = { { 195, 60, 20, 14, SEEN_BLUE }, { 0 } };
    GstHarness *h = start(tiler("2x2"), WIDTH, HEIGHT);

    g_assert_true(
        gst_harness_push_event(h, gst_event_new_tag(gst_tag_list_new(
                                      GST_TAG_IMAGE_ORIENTATION, "rotate-90", NULL))));
    const Found found = push(h, WIDTH, HEIGHT, patches);
    check_once(&found, &patches[0]);
    gst_harness_teardown(h);
}

/* ---- Settings ------------------------------------------------------------------- */

static void test_values_are_kept(void)
{
    GstElement *element = tiler("4x3");
    gfloat overlap = -1;
    gboolean full = TRUE;
    gchar *tiles = NULL;

    g_object_set(element, "tile-overlap", 0.375F, "tile-full-frame", FALSE, NULL);
    g_object_get(element, "tiles", &tiles, "tile-overlap", &overlap, "tile-full-frame",
                 &full, NULL);
    g_assert_cmpstr(tiles, ==, "4x3");
    g_assert_cmpfloat(overlap, ==, 0.375F);
    g_assert_false(full);
    g_free(tiles);
    gst_object_unref(element);
}

static void test_runs(void)
{
    static const struct {
        const gchar *tiles;
        gboolean full;
        guint runs;
    } rows[] = { { NULL, TRUE, 1 },   { "", FALSE, 1 },    { "1x1", TRUE, 1 },
                 { "2x2", TRUE, 5 },  { "2x2", FALSE, 4 }, { "3x1", TRUE, 4 },
                 { "8x8", TRUE, 65 }, { "1x1", FALSE, 1 } };
    GstHarness *h = start(tiler(NULL), WIDTH, HEIGHT);
    SeenPatch none[] = { { 0 } };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const guint64 before = stats_count(h->element, "inferences");
        const guint seen = seen_runs();
        g_object_set(h->element, "tiles", rows[i].tiles, "tile-full-frame",
                     rows[i].full, NULL);
        push(h, WIDTH, HEIGHT, none);
        g_assert_cmpuint(stats_count(h->element, "inferences") - before, ==,
                         rows[i].runs);
        g_assert_cmpuint(seen_runs() - seen, ==, rows[i].runs);
    }
    g_assert_cmpuint(stats_count(h->element, "analysed"), ==, G_N_ELEMENTS(rows));
    gst_harness_teardown(h);
}

/* A text that is none posts a warning, and what is in use stays. */
static void test_refused(void)
{
    static const gchar *const texts[] = { "2",   "0x2",  "9x1",  "1x9", "2x2x2",
                                          "axb", "-1x2", "2x2 ", "x" };
    GstHarness *h = start(tiler("2x2"), WIDTH, HEIGHT);
    GstBus *bus = gst_bus_new();
    SeenPatch none[] = { { 0 } };

    gst_element_set_bus(h->element, bus);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        const guint before = seen_runs();
        g_object_set(h->element, "tiles", texts[i], NULL);
        push(h, WIDTH, HEIGHT, none);
        gchar *text = bus_text(bus, GST_MESSAGE_WARNING);
        if (!strstr(text, "tiles") || !strstr(text, texts[i]))
            g_error("\"%s\" does not name \"%s\"", text, texts[i]);
        g_assert_cmpuint(seen_runs() - before, ==, 5);
        g_free(text);
    }
    g_object_set(h->element, "tiles", "3x1", NULL);
    const guint before = seen_runs();
    push(h, WIDTH, HEIGHT, none);
    g_assert_cmpuint(seen_runs() - before, ==, 4);
    gst_element_set_bus(h->element, NULL);
    gst_object_unref(bus);
    gst_harness_teardown(h);
}

static void test_refused_at_start(void)
{
    GstElement *element = tiler("9x9");
    GstBus *bus = gst_bus_new();

    gst_element_set_bus(element, bus);
    g_assert_cmpint(gst_element_set_state(element, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_FAILURE);
    gchar *text = bus_text(bus, GST_MESSAGE_ERROR);
    g_assert_nonnull(strstr(text, "9x9"));
    g_free(text);
    g_object_set(element, "tiles", "2x2", NULL);
    g_assert_cmpint(gst_element_set_state(element, GST_STATE_READY), ==,
                    GST_STATE_CHANGE_SUCCESS);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_element_set_bus(element, NULL);
    gst_object_unref(bus);
    gst_object_unref(element);
}

typedef struct Changer {
    GstElement *element;
    gint stop; /* atomic */
} Changer;

static gpointer change(gpointer data)
{
    static const gchar *const tiles[] = { "2x2", "1x1", "4x3", "1x2", NULL };
    Changer *changer = data;

    for (guint i = 0; !g_atomic_int_get(&changer->stop); i++) {
        g_object_set(changer->element, "tiles", tiles[i % G_N_ELEMENTS(tiles)],
                     "tile-overlap", (gfloat)(i % 9) * 0.1F, "tile-full-frame",
                     i % 3 > 0, "regions", i % 4 ? NULL : "a=0,0,1,1;b=0.2,0.2,0.6,0.7",
                     NULL);
        g_usleep(300);
    }
    return NULL;
}

/* Set by another thread, frame by frame: each frame is looked at with one of them. */
static void test_changes(void)
{
    SeenPatch patches[] = { { 190, 140, 22, 20, SEEN_RED }, { 0 } };
    GstHarness *h = start(tiler("2x2"), WIDTH, HEIGHT);
    Changer changer = { h->element, 0 };
    GThread *thread = g_thread_new("change", change, &changer);

    for (guint i = 0; i < 150; i++) {
        const Found found = push(h, WIDTH, HEIGHT, patches);
        g_assert_cmpuint(found.n, >=, 1);
    }
    g_atomic_int_set(&changer.stop, 1);
    g_thread_join(thread);
    gst_harness_teardown(h);
}

static guint64 latency(GstHarness *h)
{
    return gst_harness_query_latency(h);
}

/* The first guess knows of the tiles. */
static void test_latency(void)
{
    GstHarness *one = start(tiler(NULL), WIDTH, HEIGHT);
    GstHarness *many = start(tiler("8x8"), WIDTH, HEIGHT);

    g_test_message("%" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT " ns", latency(one),
                   latency(many));
    g_assert_cmpuint(latency(many), >, latency(one));
    gst_harness_teardown(one);
    gst_harness_teardown(many);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/tiles/places/1x1", "1x1", test_places);
    g_test_add_data_func("/tiles/places/2x2", "2x2", test_places);
    g_test_add_data_func("/tiles/places/1x3", "1x3", test_places);
    g_test_add_data_func("/tiles/places/3x2", "3x2", test_places);
    g_test_add_func("/tiles/places/no-full-frame", test_places_in_tiles);
    g_test_add_func("/tiles/small", test_small);
    g_test_add_func("/tiles/large", test_large);
    g_test_add_func("/tiles/several", test_several);
    g_test_add_func("/tiles/regions", test_regions);
    g_test_add_func("/tiles/sizes", test_sizes);
    g_test_add_func("/tiles/orientation", test_orientation);
    g_test_add_func("/tiles/kept", test_values_are_kept);
    g_test_add_func("/tiles/runs", test_runs);
    g_test_add_func("/tiles/refused", test_refused);
    g_test_add_func("/tiles/refused-at-start", test_refused_at_start);
    g_test_add_func("/tiles/changes", test_changes);
    g_test_add_func("/tiles/latency", test_latency);
    return g_test_run();
}
