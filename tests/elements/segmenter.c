/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "segmenter.h"
#include <math.h>
#include <string.h>

#define CORNER 8.0 /* half a pixel of the map, in pixels of the input */

GstElement *segmenter_new(const gchar *first_property, ...)
{
    GstElement *element = gst_element_factory_make("vigilsegment", "segment");
    va_list args;

    g_assert_nonnull(element);
    g_object_set(element, "model", g_getenv("VIGIL_TEST_SEGMENTER"), NULL);
    gst_util_set_object_arg(G_OBJECT(element), "mode", "sync"); /* a harness is live */
    va_start(args, first_property);
    g_object_set_valist(G_OBJECT(element), first_property, args);
    va_end(args);
    return element;
}

/* ---- Pictures ------------------------------------------------------------------- */

gint grid_class_at(const Grid *grid, gdouble x, gdouble y)
{
    const guint column = MIN((guint)(x * grid->columns), grid->columns - 1);
    const guint row = MIN((guint)(y * grid->rows), grid->rows - 1);

    switch (grid->cells[row * grid->columns + column]) {
    case 'b':
        return BLUE;
    case 'g':
        return GREEN;
    default:
        return RED;
    }
}

static void paint_cell(guint x, guint y, guint8 rgb[3], gpointer data)
{
    const Grid *grid = data;

    memset(rgb, 0, 3);
    rgb[2 - grid_class_at(grid, (x + 0.5) / grid->width, (y + 0.5) / grid->height)] =
        255;
}

GstBuffer *grid_frame(const Grid *grid)
{
    Grid copy = *grid;

    g_assert_cmpuint(strlen(grid->cells), ==, grid->columns * grid->rows);
    return frame_paint(grid->width, grid->height, paint_cell, &copy);
}

GstBuffer *grid_frame_padded(const Grid *grid, guint padding)
{
    const guint row = 3 * grid->width, stride = row + padding;
    gsize offset[GST_VIDEO_MAX_PLANES] = { 5 };
    gint strides[GST_VIDEO_MAX_PLANES] = { (gint)stride };
    GstBuffer *buffer =
        gst_buffer_new_allocate(NULL, offset[0] + stride * grid->height, NULL);
    GstMapInfo map;

    g_assert_true(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    memset(map.data, 0x55, map.size);
    for (guint y = 0; y < grid->height; y++)
        for (guint x = 0; x < grid->width; x++)
            paint_cell(x, y, map.data + offset[0] + y * stride + 3 * x,
                       (gpointer)(guintptr)grid);
    gst_buffer_unmap(buffer, &map);
    gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE,
                                   GST_VIDEO_FORMAT_RGB, grid->width, grid->height, 1,
                                   offset, strides);
    GST_BUFFER_PTS(buffer) = 0;
    return buffer;
}

gchar *grid_caps(const Grid *grid)
{
    return g_strdup_printf("video/x-raw,format=RGB,width=%u,height=%u,framerate=25/1",
                           grid->width, grid->height);
}

/* ---- Masks ---------------------------------------------------------------------- */

static void check_labels(const GstVigilMask *mask)
{
    static const gchar *const labels[] = { "blue", "green", "red", "dark" };
    const guint n = gst_vigil_mask_get_n_classes(mask);
    gdouble sum = 0;

    g_assert_cmpuint(n, >, 0);
    for (guint i = 0; i < n; i++) {
        const GstVigilClass *klass = gst_vigil_mask_get_class(mask, i);
        g_assert_cmpint(klass->index, <, G_N_ELEMENTS(labels));
        g_assert_cmpstr(klass->label, ==, labels[klass->index]);
        sum += klass->score;
    }
    g_assert_cmpfloat_with_epsilon(sum, 1, 1e-6);
}

/* How far a point is from the next edge between n cells, in cells. */
static gdouble to_edge(gdouble at, guint n)
{
    const gdouble edge = CLAMP(round(at * n), 1, n - 1);

    return n > 1 ? fabs(at * n - edge) : n;
}

void grid_assert(const Grid *grid, const GstVigilMask *mask, const gfloat region[4],
                 guint width, guint height, gdouble slack)
{
    gfloat x, y, w, h;
    guint mask_width, mask_height, looked = 0;

    gst_vigil_mask_get_region(mask, &x, &y, &w, &h);
    gst_vigil_mask_get_size(mask, &mask_width, &mask_height);
    g_test_message("mask of %ux%u over %g,%g %gx%g", mask_width, mask_height,
                   (gdouble)x, (gdouble)y, (gdouble)w, (gdouble)h);
    g_assert_cmpfloat_with_epsilon(x, region[0], 1e-6);
    g_assert_cmpfloat_with_epsilon(y, region[1], 1e-6);
    g_assert_cmpfloat_with_epsilon(w, region[2], 1e-6);
    g_assert_cmpfloat_with_epsilon(h, region[3], 1e-6);
    g_assert_cmpuint(mask_width, ==, width);
    g_assert_cmpuint(mask_height, ==, height);
    check_labels(mask);
    for (guint j = 0; j < height; j++) {
        for (guint i = 0; i < width; i++) {
            const gdouble fx = x + (i + 0.5) / width * w;
            const gdouble fy = y + (j + 0.5) / height * h;
            const gdouble dx = to_edge(fx, grid->columns) / grid->columns / w * width;
            const gdouble dy = to_edge(fy, grid->rows) / grid->rows / h * height;
            if (dx < slack || dy < slack || (dx < CORNER && dy < CORNER))
                continue;
            looked++;
            if (gst_vigil_mask_get_pixel(mask, i, j) != grid_class_at(grid, fx, fy))
                g_error("pixel %u, %u is of class %d, not %d", i, j,
                        gst_vigil_mask_get_pixel(mask, i, j),
                        grid_class_at(grid, fx, fy));
        }
    }
    g_assert_cmpuint(2 * looked, >, width * height);
}

GstVigilMask *mask_of(GstBuffer *buffer, guint i)
{
    GstVigilResult *result = gst_vigil_meta_get_result(frame_meta(buffer), i);

    g_assert_nonnull(result);
    GstVigilMask *mask = gst_vigil_result_get_mask(result);
    g_assert_nonnull(mask);
    return mask;
}
