/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigiloverlay-parts.h"

#include <math.h>
#include <string.h>

/* ---- Boxes ---------------------------------------------------------------------- */

/* The caption sits on the box, inside it where there is no room above, and never leaves
 * the frame at the sides. */
static void measure_box(Drawing *d, const GstVigilOverlayBox *box)
{
    const GstVigilOverlayScene *s = d->scene;
    BoxPart part = { .box = box };
    if (box->text->len) {
        gdouble pad = s->em * 0.35, width, height;
        part.caption = gst_vigil_overlay_new_text(
            d, box->text->str, s->em, PANGO_WEIGHT_SEMIBOLD, s->width - 2 * pad);
        gst_vigil_overlay_text_size(part.caption, &width, &height);
        part.chip.width = width + 2 * pad;
        part.chip.height = height + pad / 2;
        part.chip.x = fmax(fmin(box->x, s->width - part.chip.width), 0);
        part.chip.y = box->y - part.chip.height;
        if (part.chip.y < 0)
            part.chip.y = box->y;
    }
    g_array_append_val(d->boxes, part);
}

static Rect box_area(const BoxPart *part)
{
    const GstVigilOverlayBox *box = part->box;
    return (Rect) { box->x, box->y, box->width, box->height };
}

static void draw_box(cairo_t *cr, const Drawing *d, const BoxPart *part)
{
    const GstVigilOverlayBox *box = part->box;
    gdouble line = d->scene->line_width;
    gdouble rim = fmax(line / 3, 1); /* dark, so that the line shows on any ground */
    gdouble inset = (line + rim) / 2;
    Rect r = { box->x + inset, box->y + inset, fmax(box->width - 2 * inset, 0),
               fmax(box->height - 2 * inset, 0) };
    cairo_rectangle(cr, box->x, box->y, box->width, box->height);
    cairo_save(cr);
    cairo_clip(cr);
    gst_vigil_overlay_add_rounded(cr, r, line * 1.5);
    cairo_set_source_rgba(cr, 0, 0, 0, 0.55);
    cairo_set_line_width(cr, line + rim);
    cairo_stroke_preserve(cr);
    gst_vigil_overlay_set_color(cr, box->color);
    cairo_set_line_width(cr, line);
    cairo_stroke(cr);
    cairo_restore(cr);
}

static void draw_caption(cairo_t *cr, const Drawing *d, const BoxPart *part)
{
    const GstVigilOverlayBox *box = part->box;
    gdouble pad = d->scene->em * 0.35;
    gdouble luma = 0.299 * box->color.r + 0.587 * box->color.g + 0.114 * box->color.b;
    gst_vigil_overlay_add_rounded(cr, part->chip, d->scene->em * 0.2);
    gst_vigil_overlay_set_color(cr, box->color);
    cairo_fill(cr);
    if (luma > 0.5)
        cairo_set_source_rgb(cr, 0.05, 0.06, 0.08);
    else
        cairo_set_source_rgb(cr, 1, 1, 1);
    gst_vigil_overlay_show_text(cr, part->caption, part->chip.x + pad,
                                part->chip.y + pad / 4);
}

/* ---- Layers: parts of the frame that are drawn on ------------------------------- */

typedef struct Layer {
    gint x0, y0, x1, y1; /* pixels of the frame, ends exclusive */
} Layer;

static Layer to_layer(const GstVigilOverlayScene *scene, Rect r)
{
    return (Layer) {
        .x0 = (gint)fmax(floor(r.x / scene->aspect), 0),
        .y0 = (gint)fmax(floor(r.y), 0),
        .x1 = (gint)fmin(ceil((r.x + r.width) / scene->aspect), scene->frame_width),
        .y1 = (gint)fmin(ceil(r.y + r.height), scene->frame_height),
    };
}

static gboolean overlap(Layer a, Layer b)
{
    return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

/* Time to blend, in pixels: each of them, and for each row a walk along the whole row
 * of the frame (measured on NV12: a fortieth as dear per pixel). */
static gdouble cost(const GstVigilOverlayScene *scene, Layer a)
{
    return (gdouble)(a.y1 - a.y0) * (a.x1 - a.x0 + scene->frame_width / 40);
}

/* Layers never overlap (what shines through would be blended twice), and are united
 * where that is cheaper. */
static void add_layer(const GstVigilOverlayScene *scene, GArray *layers, Layer new)
{
    if (new.x0 >= new.x1 || new.y0 >= new.y1)
        return;
    for (guint i = 0; i < layers->len;) {
        Layer old = g_array_index(layers, Layer, i);
        Layer both = { MIN(new.x0, old.x0), MIN(new.y0, old.y0), MAX(new.x1, old.x1),
                       MAX(new.y1, old.y1) };
        if (overlap(new, old) ||
            cost(scene, both) <= cost(scene, new) + cost(scene, old)) {
            new = both;
            g_array_remove_index_fast(layers, i);
            i = 0;
        } else {
            i++;
        }
    }
    g_array_append_val(layers, new);
}

/* The four sides; the inside is left out. */
static void add_box_layers(const Drawing *d, GArray *layers,
                           const GstVigilOverlayBox *box)
{
    const GstVigilOverlayScene *s = d->scene;
    Layer all = to_layer(s, (Rect) { box->x, box->y, box->width, box->height });
    gint side = (gint)ceil(2 * s->line_width / s->aspect) + 1;
    gint top = (gint)ceil(4 * s->line_width); /* with the round of the corners */
    if (all.x1 - all.x0 <= 2 * side || all.y1 - all.y0 <= 2 * top) {
        add_layer(s, layers, all);
        return;
    }
    add_layer(s, layers, (Layer) { all.x0, all.y0, all.x1, all.y0 + top });
    add_layer(s, layers, (Layer) { all.x0, all.y1 - top, all.x1, all.y1 });
    add_layer(s, layers, (Layer) { all.x0, all.y0 + top, all.x0 + side, all.y1 - top });
    add_layer(s, layers, (Layer) { all.x1 - side, all.y0 + top, all.x1, all.y1 - top });
}

static GArray *find_layers(const Drawing *d)
{
    GArray *layers = g_array_new(FALSE, FALSE, sizeof(Layer));
    for (guint i = 0; i < d->masks->len; i++)
        add_layer(d->scene, layers,
                  to_layer(d->scene, g_array_index(d->masks, MaskPart, i).area));
    for (guint i = 0; i < d->boxes->len; i++) {
        const BoxPart *part = &g_array_index(d->boxes, BoxPart, i);
        add_box_layers(d, layers, part->box);
        if (part->caption)
            add_layer(d->scene, layers, to_layer(d->scene, part->chip));
    }
    if (d->rows->len)
        add_layer(d->scene, layers, to_layer(d->scene, d->panel));
    return layers;
}

/* Captions lie over the lines of all boxes, and what came first, the best, on top;
 * masks below all of them. */
static void draw_parts(cairo_t *cr, const Drawing *d, Layer layer)
{
    for (guint i = 0; i < d->masks->len; i++) {
        const MaskPart *part = &g_array_index(d->masks, MaskPart, i);
        if (overlap(layer, to_layer(d->scene, part->area)))
            gst_vigil_overlay_draw_mask(cr, part);
    }
    for (guint i = d->boxes->len; i > 0; i--) {
        const BoxPart *part = &g_array_index(d->boxes, BoxPart, i - 1);
        if (overlap(layer, to_layer(d->scene, box_area(part))))
            draw_box(cr, d, part);
    }
    for (guint i = d->boxes->len; i > 0; i--) {
        const BoxPart *part = &g_array_index(d->boxes, BoxPart, i - 1);
        if (part->caption && overlap(layer, to_layer(d->scene, part->chip)))
            draw_caption(cr, d, part);
    }
    if (d->rows->len && overlap(layer, to_layer(d->scene, d->panel)))
        gst_vigil_overlay_draw_panel(cr, d);
}

static gboolean draw_layer(const Drawing *d, const Layer *layer, guint8 *pixels)
{
    gint width = layer->x1 - layer->x0, height = layer->y1 - layer->y0;
    cairo_surface_t *surface = cairo_image_surface_create_for_data(
        pixels, CAIRO_FORMAT_ARGB32, width, height, width * 4);
    cairo_t *cr = cairo_create(surface);
    cairo_translate(cr, -layer->x0, -layer->y0);
    cairo_scale(cr, 1 / d->scene->aspect, 1);
    if (d->scene->opacity < 1)
        cairo_push_group(cr);
    draw_parts(cr, d, *layer);
    if (d->scene->opacity < 1) {
        cairo_pop_group_to_source(cr);
        cairo_paint_with_alpha(cr, d->scene->opacity);
    }
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    gboolean drawn = cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(surface);
    return drawn;
}

static GstVideoOverlayRectangle *render_layer(const Drawing *d, const Layer *layer)
{
    gint width = layer->x1 - layer->x0, height = layer->y1 - layer->y0;
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, (gsize)width * height * 4, NULL);
    GstVideoOverlayRectangle *rectangle = NULL;
    GstMapInfo map;
    if (!buffer)
        return NULL;
    gst_buffer_add_video_meta(buffer, GST_VIDEO_FRAME_FLAG_NONE,
                              GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, width, height);
    if (gst_buffer_map(buffer, &map, GST_MAP_WRITE)) {
        memset(map.data, 0, map.size);
        gboolean drawn = draw_layer(d, layer, map.data);
        gst_buffer_unmap(buffer, &map);
        if (drawn)
            rectangle = gst_video_overlay_rectangle_new_raw(
                buffer, layer->x0, layer->y0, width, height,
                GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
    }
    gst_buffer_unref(buffer);
    return rectangle;
}

/* ---- All ------------------------------------------------------------------------ */

static void clear_box_part(gpointer part)
{
    g_clear_object(&((BoxPart *)part)->caption);
}

static void measure(Drawing *d)
{
    const GstVigilOverlayScene *scene = d->scene;
    gst_vigil_overlay_measure_masks(d);
    for (guint i = 0; i < scene->boxes->len; i++)
        measure_box(d, &g_array_index(scene->boxes, GstVigilOverlayBox, i));
    if (scene->rows->len)
        gst_vigil_overlay_measure_panel(d);
}

GstVideoOverlayComposition *
gst_vigil_overlay_scene_render(const GstVigilOverlayScene *scene, PangoContext *pango)
{
    Drawing d = {
        .scene = scene,
        .pango = pango,
        .font = pango_font_description_from_string(scene->font_desc),
        .masks = g_array_new(FALSE, FALSE, sizeof(MaskPart)),
        .boxes = g_array_new(FALSE, FALSE, sizeof(BoxPart)),
        .rows = g_array_new(FALSE, FALSE, sizeof(RowPart)),
    };
    g_array_set_clear_func(d.masks, gst_vigil_overlay_clear_mask_part);
    g_array_set_clear_func(d.boxes, clear_box_part);
    g_array_set_clear_func(d.rows, gst_vigil_overlay_clear_row_part);
    measure(&d);

    GstVideoOverlayComposition *composition = gst_video_overlay_composition_new(NULL);
    GArray *layers = find_layers(&d);
    for (guint i = 0; i < layers->len; i++) {
        GstVideoOverlayRectangle *rectangle =
            render_layer(&d, &g_array_index(layers, Layer, i));
        if (!rectangle)
            continue;
        gst_video_overlay_composition_add_rectangle(composition, rectangle);
        gst_video_overlay_rectangle_unref(rectangle);
    }
    g_array_unref(layers);
    g_array_unref(d.masks);
    g_array_unref(d.boxes);
    g_array_unref(d.rows);
    pango_font_description_free(d.font);
    return composition;
}
