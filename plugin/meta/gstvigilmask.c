/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilmeta-private.h"

#include <math.h>
#include <string.h>

struct _GstVigilMask {
    gatomicrefcount refs;
    guint id;
    gfloat x, y, region_width, region_height; /* fractions of the frame */
    guint width, height, bytes_per_pixel;
    GBytes *pixels;  /* [height][width] */
    GArray *classes; /* of GstVigilClass, the most pixels first */
};

G_DEFINE_BOXED_TYPE(GstVigilMask, gst_vigil_mask, gst_vigil_mask_ref,
                    gst_vigil_mask_unref)

#define EDGE_SLACK 1e-3f /* fractions that were added up end near 1 */

/* ---- Counting ------------------------------------------------------------------- */

/* Of pixels without a class. */
static guint no_class(const GstVigilMask *mask)
{
    return mask->bytes_per_pixel == 1 ? 0xff : 0xffff;
}

/* The pixels may lie anywhere: no address is taken to be even. */
static guint read_pixel(const guint8 *pixels, guint bytes_per_pixel, gsize i)
{
    guint16 wide;

    if (bytes_per_pixel == 1)
        return pixels[i];
    memcpy(&wide, pixels + 2 * i, sizeof wide);
    return wide;
}

static gint compare_classes(gconstpointer a, gconstpointer b)
{
    const GstVigilClass *left = a, *right = b;

    if (left->score != right->score)
        return left->score > right->score ? -1 : 1;
    return left->index - right->index;
}

static void count_pixels(GstVigilMask *mask)
{
    const guint8 *pixels = g_bytes_get_data(mask->pixels, NULL);
    const gsize n = (gsize)mask->width * mask->height;
    guint *counts = g_new0(guint, no_class(mask) + 1);

    for (gsize i = 0; i < n; i++)
        counts[read_pixel(pixels, mask->bytes_per_pixel, i)]++;
    mask->classes = g_array_new(FALSE, FALSE, sizeof(GstVigilClass));
    for (guint c = 0; c < no_class(mask); c++) {
        if (!counts[c])
            continue;
        GstVigilClass klass = { .index = (gint)c,
                                .score = (gfloat)((gdouble)counts[c] / (gdouble)n) };
        g_array_append_val(mask->classes, klass);
    }
    g_free(counts);
    g_array_sort(mask->classes, compare_classes);
}

/* ---- Making --------------------------------------------------------------------- */

static gboolean is_side(gfloat start, gfloat length)
{
    return isfinite(start) && isfinite(length) && start >= 0 && length > 0 &&
           start + length <= 1 + EDGE_SLACK;
}

static gboolean is_count(guint pixels)
{
    return pixels >= 1 && pixels <= GST_VIGIL_MASK_MAX;
}

GstVigilMask *gst_vigil_mask_try_new(const gfloat region[4], guint width, guint height,
                                     guint bytes_per_pixel, GBytes *pixels)
{
    if (!is_side(region[0], region[2]) || !is_side(region[1], region[3]) ||
        !is_count(width) || !is_count(height) ||
        (bytes_per_pixel != 1 && bytes_per_pixel != 2) ||
        g_bytes_get_size(pixels) != (gsize)width * height * bytes_per_pixel)
        return NULL;
    GstVigilMask *mask = g_new0(GstVigilMask, 1);
    g_atomic_ref_count_init(&mask->refs);
    mask->id = gst_vigil_next_id();
    mask->x = region[0];
    mask->y = region[1];
    mask->region_width = region[2];
    mask->region_height = region[3];
    mask->width = width;
    mask->height = height;
    mask->bytes_per_pixel = bytes_per_pixel;
    mask->pixels = g_bytes_ref(pixels);
    count_pixels(mask);
    return mask;
}

void gst_vigil_mask_set_label(GstVigilMask *mask, gint index, const gchar *label)
{
    for (guint i = 0; i < mask->classes->len; i++) {
        GstVigilClass *klass = &g_array_index(mask->classes, GstVigilClass, i);
        if (klass->index == index)
            klass->label = gst_vigil_intern_utf8(label);
    }
}

GstVigilMask *gst_vigil_mask_new(gfloat x, gfloat y, gfloat region_width,
                                 gfloat region_height, guint width, guint height,
                                 guint bytes_per_pixel, GBytes *pixels,
                                 const gchar *const *labels, guint n_labels)
{
    g_return_val_if_fail(pixels != NULL, NULL);
    const gfloat region[] = { x, y, region_width, region_height };
    GstVigilMask *mask =
        gst_vigil_mask_try_new(region, width, height, bytes_per_pixel, pixels);
    g_return_val_if_fail(mask != NULL, NULL);
    for (guint i = 0; labels && i < mask->classes->len; i++) {
        GstVigilClass *klass = &g_array_index(mask->classes, GstVigilClass, i);
        if ((guint)klass->index < n_labels)
            klass->label = gst_vigil_intern_utf8(labels[klass->index]);
    }
    return mask;
}

GstVigilMask *gst_vigil_mask_ref(GstVigilMask *mask)
{
    g_return_val_if_fail(mask != NULL, NULL);
    g_atomic_ref_count_inc(&mask->refs);
    return mask;
}

void gst_vigil_mask_unref(GstVigilMask *mask)
{
    g_return_if_fail(mask != NULL);
    if (!g_atomic_ref_count_dec(&mask->refs))
        return;
    g_bytes_unref(mask->pixels);
    g_array_unref(mask->classes);
    g_free(mask);
}

/* ---- Reading -------------------------------------------------------------------- */

guint gst_vigil_mask_get_id(const GstVigilMask *mask)
{
    g_return_val_if_fail(mask != NULL, 0);
    return mask->id;
}

void gst_vigil_mask_get_region(const GstVigilMask *mask, gfloat *x, gfloat *y,
                               gfloat *width, gfloat *height)
{
    g_return_if_fail(mask != NULL);
    if (x)
        *x = mask->x;
    if (y)
        *y = mask->y;
    if (width)
        *width = mask->region_width;
    if (height)
        *height = mask->region_height;
}

void gst_vigil_mask_get_size(const GstVigilMask *mask, guint *width, guint *height)
{
    g_return_if_fail(mask != NULL);
    if (width)
        *width = mask->width;
    if (height)
        *height = mask->height;
}

guint gst_vigil_mask_get_bytes_per_pixel(const GstVigilMask *mask)
{
    g_return_val_if_fail(mask != NULL, 0);
    return mask->bytes_per_pixel;
}

GBytes *gst_vigil_mask_get_pixels(const GstVigilMask *mask)
{
    g_return_val_if_fail(mask != NULL, NULL);
    return mask->pixels;
}

gint gst_vigil_mask_get_pixel(const GstVigilMask *mask, guint x, guint y)
{
    g_return_val_if_fail(mask != NULL, -1);
    g_return_val_if_fail(x < mask->width && y < mask->height, -1);
    const guint8 *pixels = g_bytes_get_data(mask->pixels, NULL);
    const guint value =
        read_pixel(pixels, mask->bytes_per_pixel, (gsize)y * mask->width + x);
    return value == no_class(mask) ? -1 : (gint)value;
}

gint gst_vigil_mask_get_class_at(const GstVigilMask *mask, gfloat x, gfloat y)
{
    g_return_val_if_fail(mask != NULL, -1);
    const gdouble column = ((gdouble)x - mask->x) / mask->region_width * mask->width;
    const gdouble row = ((gdouble)y - mask->y) / mask->region_height * mask->height;
    if (!(column >= 0 && column < mask->width && row >= 0 && row < mask->height))
        return -1;
    return gst_vigil_mask_get_pixel(mask, (guint)column, (guint)row);
}

guint gst_vigil_mask_get_n_classes(const GstVigilMask *mask)
{
    g_return_val_if_fail(mask != NULL, 0);
    return mask->classes->len;
}

const GstVigilClass *gst_vigil_mask_get_class(const GstVigilMask *mask, guint i)
{
    g_return_val_if_fail(mask != NULL, NULL);
    if (i >= mask->classes->len)
        return NULL;
    return &g_array_index(mask->classes, GstVigilClass, i);
}
