/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where tiles are cut, and what becomes of the boxes that the cuts go through.
 */
#include <gst/gst.h>
#include <math.h>
#include <string.h>
#include "gstvigilmerge.h"
#include "gstvigiltiles.h"

static GArray *cut(gint columns, gint rows, gfloat overlap, gboolean whole,
                   VigilRegion region, guint width, guint height)
{
    const GstVigilTiles tiles = { columns, rows, overlap, whole };
    GArray *list = g_array_new(FALSE, FALSE, sizeof(GstVigilTile));

    gst_vigil_tiles_cut(&tiles, &region, width, height, list);
    return list;
}

/* A fraction that is a whole number of pixels. */
static guint pixels(gfloat fraction, guint size)
{
    const gdouble exact = (gdouble)fraction * size;

    g_assert_cmpfloat(fabs(exact - rint(exact)), <, 0.01);
    return (guint)rint(exact);
}

static void check_cut(const GArray *list, guint width, guint height, guint most)
{
    guint8 *seen = g_malloc0((gsize)width * height);

    g_assert_cmpuint(list->len, >=, 1);
    g_assert_cmpuint(list->len, <=, most);
    for (guint i = 0; i < list->len; i++) {
        const GstVigilTile *tile = &g_array_index(list, GstVigilTile, i);
        const guint x = pixels(tile->area.x, width), y = pixels(tile->area.y, height);
        const guint right = x + pixels(tile->area.width, width);
        const guint bottom = y + pixels(tile->area.height, height);
        g_assert_cmpuint(right, <=, width);
        g_assert_cmpuint(bottom, <=, height);
        g_assert_cmpuint(right, >, x);
        g_assert_cmpuint(bottom, >, y);
        g_assert_cmpint(!!(tile->inner & GST_VIGIL_SIDE_LEFT), ==, x > 0);
        g_assert_cmpint(!!(tile->inner & GST_VIGIL_SIDE_TOP), ==, y > 0);
        g_assert_cmpint(!!(tile->inner & GST_VIGIL_SIDE_RIGHT), ==, right < width);
        g_assert_cmpint(!!(tile->inner & GST_VIGIL_SIDE_BOTTOM), ==, bottom < height);
        for (guint v = y; v < bottom; v++)
            memset(seen + (gsize)v * width + x, 1, right - x);
        for (guint k = 0; k < i; k++)
            g_assert_cmpint(
                memcmp(tile, &g_array_index(list, GstVigilTile, k), sizeof *tile), !=,
                0);
    }
    g_assert_null(memchr(seen, 0, (gsize)width * height));
    g_free(seen);
}

/* Every pixel is in a tile, whatever the size. */
static void test_cover(void)
{
    static const gfloat overlaps[] = { 0, 0.1F, 0.2F, 0.5F, 0.9F };
    const VigilRegion whole = { 0, 0, 1, 1 };
    GRand *rand = g_rand_new_with_seed(1);

    for (guint i = 0; i < 3000; i++) {
        const guint width = (guint)g_rand_int_range(rand, 1, i % 3 ? 300 : 20);
        const guint height = (guint)g_rand_int_range(rand, 1, i % 5 ? 200 : 12);
        const gint columns = g_rand_int_range(rand, 1, 9);
        const gint rows = g_rand_int_range(rand, 1, 9);
        GArray *list = cut(columns, rows, overlaps[i % G_N_ELEMENTS(overlaps)], FALSE,
                           whole, width, height);
        check_cut(list, width, height, (guint)(columns * rows));
        g_array_unref(list);
    }
    g_rand_free(rand);
}

/* A region's tiles show all of it, and nothing farther than a pixel from it. */
static void test_region(void)
{
    GRand *rand = g_rand_new_with_seed(2);

    for (guint i = 0; i < 2000; i++) {
        const guint width = (guint)g_rand_int_range(rand, 1, 32769);
        const guint height = (guint)g_rand_int_range(rand, 1, 2000);
        const gfloat x = (gfloat)g_rand_double_range(rand, 0, 1);
        const gfloat y = (gfloat)g_rand_double_range(rand, 0, 1);
        const VigilRegion region = { x, y,
                                     (gfloat)g_rand_double_range(rand, 0, 1) * (1 - x),
                                     (gfloat)g_rand_double_range(rand, 0, 1) *
                                         (1 - y) };
        GArray *list = cut(4, 3, 0.25F, TRUE, region, width, height);
        gdouble left = 2, top = 2, right = -1, bottom = -1;
        g_assert_cmpint(
            memcmp(&g_array_index(list, GstVigilTile, 0).area, &region, sizeof region),
            ==, 0);
        for (guint k = 1; k < list->len; k++) {
            const VigilRegion *a = &g_array_index(list, GstVigilTile, k).area;
            left = fmin(left, (gdouble)a->x);
            top = fmin(top, (gdouble)a->y);
            right = fmax(right, (gdouble)a->x + (gdouble)a->width);
            bottom = fmax(bottom, (gdouble)a->y + (gdouble)a->height);
        }
        if (list->len > 1) {
            const gdouble ends[] = {
                ((gdouble)region.x - left) * width, ((gdouble)region.y - top) * height,
                (right - (gdouble)region.x - (gdouble)region.width) * width,
                (bottom - (gdouble)region.y - (gdouble)region.height) * height
            };
            for (guint k = 0; k < 4; k++) {
                g_assert_cmpfloat(ends[k], >, -0.02);
                g_assert_cmpfloat(ends[k], <, 1.02);
            }
            g_assert_cmpfloat(left, >=, 0);
            g_assert_cmpfloat(right, <=, 1 + 1e-6);
            g_assert_cmpfloat(bottom, <=, 1 + 1e-6);
        }
        g_array_unref(list);
    }
    g_rand_free(rand);
}

static void test_overlap(void)
{
    const VigilRegion whole = { 0, 0, 1, 1 };
    GArray *list = cut(2, 1, 0.2F, FALSE, whole, 1800, 100);

    g_assert_cmpuint(list->len, ==, 2);
    for (guint i = 0; i < 2; i++) {
        const GstVigilTile *tile = &g_array_index(list, GstVigilTile, i);
        g_assert_cmpuint(pixels(tile->area.x, 1800), ==, 800 * i);
        g_assert_cmpuint(pixels(tile->area.width, 1800), ==, 1000);
        g_assert_cmpuint(tile->inner, ==,
                         i ? GST_VIGIL_SIDE_LEFT : GST_VIGIL_SIDE_RIGHT);
    }
    g_array_unref(list);
}

static void test_cuts(void)
{
    const GstVigilTile tile = { { 0.5F, 0, 0.5F, 0.5F },
                                GST_VIGIL_SIDE_LEFT | GST_VIGIL_SIDE_BOTTOM };
    static const struct {
        gfloat x, y, width, height;
        gboolean cut;
    } rows[] = {
        { 0.5F, 0.1F, 0.2F, 0.2F, TRUE },   { 0.505F, 0.1F, 0.2F, 0.2F, TRUE },
        { 0.52F, 0.1F, 0.2F, 0.2F, FALSE }, { 0.6F, 0, 0.4F, 0.2F, FALSE },
        { 0.6F, 0.4F, 0.1F, 0.1F, TRUE },   { 0.6F, 0.3F, 0.1F, 0.195F, TRUE },
        { 0.6F, 0.3F, 0.1F, 0.15F, FALSE },
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const VigilDetection box = { rows[i].x,      rows[i].y, rows[i].width,
                                     rows[i].height, 0,         1 };
        g_test_message("row %u", i);
        g_assert_cmpint(gst_vigil_tile_cuts(&tile, &box), ==, rows[i].cut);
    }
}

/* ---- Merging -------------------------------------------------------------------- */

#define MOST 4

/* x, y, width, height, class, score; region, its name; view; cut */
static const struct {
    const gchar *what;
    GstVigilBox box[MOST];
    gfloat left[MOST]; /* scores */
} merges[] = {
    { "a part, the surer one, beside the whole",
      { { { 0.2F, 0.2F, 0.1F, 0.2F, 1, 0.9F }, -1, NULL, 0, TRUE },
        { { 0.2F, 0.2F, 0.2F, 0.2F, 1, 0.6F }, -1, NULL, 1, FALSE } },
      { 0.6F } },
    { "of another class",
      { { { 0.2F, 0.2F, 0.1F, 0.2F, 1, 0.9F }, -1, NULL, 0, TRUE },
        { { 0.2F, 0.2F, 0.2F, 0.2F, 2, 0.6F }, -1, NULL, 1, FALSE } },
      { 0.9F, 0.6F } },
    { "a small object in a large one: neither is cut",
      { { { 0.2F, 0.2F, 0.1F, 0.1F, 1, 0.9F }, -1, NULL, 0, FALSE },
        { { 0.2F, 0.2F, 0.4F, 0.4F, 1, 0.6F }, -1, NULL, 1, FALSE } },
      { 0.9F, 0.6F } },
    { "parts on both sides that share little",
      { { { 0.1F, 0.2F, 0.3F, 0.2F, 1, 0.7F }, -1, NULL, 0, TRUE },
        { { 0.3F, 0.2F, 0.3F, 0.2F, 1, 0.8F }, -1, NULL, 1, TRUE } },
      { 0.8F, 0.7F } },
    { "a part in a larger part",
      { { { 0.1F, 0.2F, 0.3F, 0.2F, 1, 0.7F }, -1, NULL, 0, TRUE },
        { { 0.2F, 0.2F, 0.2F, 0.2F, 1, 0.8F }, -1, NULL, 1, TRUE } },
      { 0.7F } },
    { "two of one view are the detector's to compare",
      { { { 0.2F, 0.2F, 0.1F, 0.2F, 1, 0.9F }, -1, NULL, 1, TRUE },
        { { 0.2F, 0.2F, 0.2F, 0.2F, 1, 0.6F }, -1, NULL, 1, FALSE } },
      { 0.9F, 0.6F } },
    { "cut, and seen by no other",
      { { { 0.2F, 0.2F, 0.1F, 0.2F, 1, 0.9F }, -1, NULL, 0, TRUE } },
      { 0.9F } },
    { "two parts and the whole",
      { { { 0.2F, 0.2F, 0.1F, 0.2F, 1, 0.9F }, -1, NULL, 1, TRUE },
        { { 0.28F, 0.2F, 0.12F, 0.2F, 1, 0.95F }, -1, NULL, 2, TRUE },
        { { 0.2F, 0.2F, 0.2F, 0.2F, 1, 0.4F }, -1, NULL, 0, FALSE } },
      { 0.4F } },
};

static void test_merge(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(merges); i++) {
        GArray *boxes = g_array_new(FALSE, FALSE, sizeof(GstVigilBox));
        guint n = 0;
        for (guint k = 0; k < MOST && merges[i].box[k].detection.score > 0; k++)
            g_array_append_val(boxes, merges[i].box[k]);
        gst_vigil_merge(boxes, 0.5F, 0);
        g_test_message("%s", merges[i].what);
        while (n < MOST && merges[i].left[n] > 0)
            n++;
        g_assert_cmpuint(boxes->len, ==, n);
        for (guint k = 0; k < n; k++)
            g_assert_cmpfloat(g_array_index(boxes, GstVigilBox, k).detection.score, ==,
                              merges[i].left[k]);
        g_array_unref(boxes);
    }
}

/* The limit counts those that are left, by score. */
static void test_merge_most(void)
{
    GArray *boxes = g_array_new(FALSE, FALSE, sizeof(GstVigilBox));
    static const GstVigilBox given[] = {
        { { 0, 0, 0.1F, 0.1F, 1, 0.9F }, -1, NULL, 0, TRUE },
        { { 0.5F, 0.5F, 0.1F, 0.1F, 1, 0.3F }, -1, NULL, 1, FALSE },
    };

    g_array_append_vals(boxes, given, 2);
    gst_vigil_merge(boxes, 0.5F, 1);
    g_assert_cmpuint(boxes->len, ==, 1);
    g_assert_cmpfloat(g_array_index(boxes, GstVigilBox, 0).detection.score, ==, 0.9F);
    g_array_unref(boxes);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tiles/cover", test_cover);
    g_test_add_func("/tiles/region", test_region);
    g_test_add_func("/tiles/overlap", test_overlap);
    g_test_add_func("/tiles/cuts", test_cuts);
    g_test_add_func("/merge/cut", test_merge);
    g_test_add_func("/merge/most", test_merge_most);
    return g_test_run();
}
