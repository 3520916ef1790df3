/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigiloverlay-parts.h"

#include <string.h>

#define MAX_CLASSES 65536

/* Pixels of the mask, ends exclusive. */
typedef struct Bounds {
    guint x0, y0, x1, y1;
} Bounds;

/* Premultiplied ARGB of a class. */
static guint32 to_argb(GstVigilColor color, gdouble opacity)
{
    const guint32 a = (guint32)(opacity * 255 + 0.5), r = (guint32)(color.r * a + 0.5),
                  g = (guint32)(color.g * a + 0.5), b = (guint32)(color.b * a + 0.5);
    return a << 24 | r << 16 | g << 8 | b;
}

/* [MAX_CLASSES] what each class of the mask looks like; 0: not painted. */
static guint32 *make_colors(const GstVigilMask *mask, gdouble opacity)
{
    guint32 *colors = g_new0(guint32, MAX_CLASSES);
    const GstVigilClass *klass;
    for (guint i = 0; (klass = gst_vigil_mask_get_class(mask, i)); i++)
        if (!gst_vigil_overlay_is_background(klass))
            colors[klass->index] = to_argb(
                gst_vigil_overlay_class_color(klass->label, klass->index), opacity);
    return colors;
}

static guint32 color_at(const guint8 *pixels, guint bytes_per_pixel, gsize i,
                        const guint32 *colors)
{
    guint16 wide;
    if (bytes_per_pixel == 1)
        return colors[pixels[i]];
    memcpy(&wide, pixels + 2 * i, sizeof wide);
    return colors[wide];
}

static void paint_row(guint32 *to, const GstVigilMask *mask, guint y,
                      const guint32 *colors, Bounds *bounds)
{
    const guint8 *pixels = g_bytes_get_data(gst_vigil_mask_get_pixels(mask), NULL);
    const guint bytes_per_pixel = gst_vigil_mask_get_bytes_per_pixel(mask);
    guint width;
    gst_vigil_mask_get_size(mask, &width, NULL);
    for (guint x = 0; x < width; x++) {
        to[x] = color_at(pixels, bytes_per_pixel, (gsize)y * width + x, colors);
        if (!to[x])
            continue;
        bounds->x0 = MIN(bounds->x0, x);
        bounds->x1 = MAX(bounds->x1, x + 1);
        bounds->y0 = MIN(bounds->y0, y);
        bounds->y1 = MAX(bounds->y1, y + 1);
    }
}

/* The whole mask in its colours; bounds gets where there are any. */
static cairo_surface_t *paint(const GstVigilMask *mask, gdouble opacity, Bounds *bounds)
{
    guint width, height;
    gst_vigil_mask_get_size(mask, &width, &height);
    cairo_surface_t *image =
        cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)width, (int)height);
    guint8 *data = cairo_image_surface_get_data(image);
    *bounds = (Bounds) { width, height, 0, 0 };
    if (!data) /* no memory: nothing is seen of it */
        return image;
    guint32 *colors = make_colors(mask, opacity);
    for (guint y = 0; y < height; y++)
        paint_row(
            (guint32 *)(gpointer)(data +
                                  (gsize)y * cairo_image_surface_get_stride(image)),
            mask, y, colors, bounds);
    g_free(colors);
    cairo_surface_mark_dirty(image);
    return image;
}

/* Colours that end fade over half a pixel of the mask beyond it. */
static Bounds grow(Bounds b, guint width, guint height)
{
    return (Bounds) { b.x0 ? b.x0 - 1 : 0, b.y0 ? b.y0 - 1 : 0, MIN(b.x1 + 1, width),
                      MIN(b.y1 + 1, height) };
}

static MaskPart place(const GstVigilOverlayScene *s, const GstVigilMask *mask,
                      cairo_surface_t *image, Bounds b)
{
    gfloat x, y, region_width, region_height;
    guint width, height;
    gst_vigil_mask_get_region(mask, &x, &y, &region_width, &region_height);
    gst_vigil_mask_get_size(mask, &width, &height);
    b = grow(b, width, height);
    MaskPart part = {
        .image = image,
        .x = x * s->width,
        .y = (gdouble)y * s->frame_height,
        .column = region_width * s->width / width,
        .row = (gdouble)region_height * s->frame_height / height,
    };
    part.area = (Rect) { part.x + b.x0 * part.column, part.y + b.y0 * part.row,
                         (b.x1 - b.x0) * part.column, (b.y1 - b.y0) * part.row };
    return part;
}

void gst_vigil_overlay_measure_masks(Drawing *d)
{
    const GstVigilOverlayScene *s = d->scene;
    for (guint i = 0; i < s->masks->len; i++) {
        const GstVigilMask *mask = g_ptr_array_index(s->masks, i);
        Bounds bounds;
        cairo_surface_t *image = paint(mask, s->mask_opacity, &bounds);
        if (bounds.x0 < bounds.x1) {
            MaskPart part = place(s, mask, image, bounds);
            g_array_append_val(d->masks, part);
        } else {
            cairo_surface_destroy(image);
        }
    }
}

/* Scaled up smoothly: pixels of a mask are often larger than those of the frame. */
void gst_vigil_overlay_draw_mask(cairo_t *cr, const MaskPart *part)
{
    const Rect *area = &part->area;
    cairo_save(cr);
    cairo_rectangle(cr, area->x, area->y, area->width, area->height);
    cairo_translate(cr, part->x, part->y);
    cairo_scale(cr, part->column, part->row);
    cairo_set_source_surface(cr, part->image, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_BILINEAR);
    cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
    cairo_fill(cr);
    cairo_restore(cr);
}

void gst_vigil_overlay_clear_mask_part(gpointer part)
{
    cairo_surface_destroy(((MaskPart *)part)->image);
}
