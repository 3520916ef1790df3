/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigiloverlay-scene.h"

#include <math.h>
#include <string.h>

/* Display pixels. */
typedef struct Rect {
    gdouble x, y, width, height;
} Rect;

/* A box with its caption, measured. */
typedef struct BoxPart {
    const GstVigilOverlayBox *box;
    PangoLayout *caption; /* NULL: none */
    Rect chip;            /* ground of the caption */
} BoxPart;

/* A row of the panel, measured. */
typedef struct RowPart {
    const GstVigilOverlayRow *row;
    PangoLayout *name, *score; /* score is NULL for headings */
    gdouble name_width, score_width, height;
} RowPart;

typedef struct Drawing {
    const GstVigilOverlayScene *scene;
    PangoContext *pango;
    PangoFontDescription *font;
    GArray *boxes; /* of BoxPart */
    GArray *rows;  /* of RowPart */
    Rect panel;
} Drawing;

/* ---- Text and shapes ------------------------------------------------------------ */

static PangoLayout *new_text(const Drawing *d, const gchar *text, gdouble em,
                             PangoWeight weight, gdouble max_width)
{
    PangoLayout *layout = pango_layout_new(d->pango);
    pango_font_description_set_absolute_size(d->font, em * PANGO_SCALE);
    pango_font_description_set_weight(d->font, weight);
    pango_layout_set_font_description(layout, d->font);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    pango_layout_set_text(layout, text, -1);
    int width;
    pango_layout_get_size(layout, &width, NULL);
    if (width > max_width * PANGO_SCALE) {
        pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
        pango_layout_set_width(layout, (int)(fmax(max_width, 1) * PANGO_SCALE));
    }
    return layout;
}

static void text_size(PangoLayout *layout, gdouble *width, gdouble *height)
{
    int w, h;
    pango_layout_get_size(layout, &w, &h);
    *width = (gdouble)w / PANGO_SCALE;
    *height = (gdouble)h / PANGO_SCALE;
}

static void show_text(cairo_t *cr, PangoLayout *layout, gdouble x, gdouble y)
{
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout(cr, layout);
}

static void add_rounded(cairo_t *cr, Rect r, gdouble radius)
{
    radius = fmin(radius, fmin(r.width, r.height) / 2);
    cairo_new_sub_path(cr);
    cairo_arc(cr, r.x + r.width - radius, r.y + radius, radius, -G_PI_2, 0);
    cairo_arc(cr, r.x + r.width - radius, r.y + r.height - radius, radius, 0, G_PI_2);
    cairo_arc(cr, r.x + radius, r.y + r.height - radius, radius, G_PI_2, G_PI);
    cairo_arc(cr, r.x + radius, r.y + radius, radius, G_PI, 3 * G_PI_2);
    cairo_close_path(cr);
}

static void set_color(cairo_t *cr, GstVigilColor color)
{
    cairo_set_source_rgb(cr, color.r, color.g, color.b);
}

/* ---- Boxes ---------------------------------------------------------------------- */

/* The caption sits on the box, inside it where there is no room above, and never leaves
 * the frame at the sides. */
static void measure_box(Drawing *d, const GstVigilOverlayBox *box)
{
    const GstVigilOverlayScene *s = d->scene;
    BoxPart part = { .box = box };
    if (box->text->len) {
        gdouble pad = s->em * 0.35, width, height;
        part.caption = new_text(d, box->text->str, s->em, PANGO_WEIGHT_SEMIBOLD,
                                s->width - 2 * pad);
        text_size(part.caption, &width, &height);
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
    add_rounded(cr, r, line * 1.5);
    cairo_set_source_rgba(cr, 0, 0, 0, 0.55);
    cairo_set_line_width(cr, line + rim);
    cairo_stroke_preserve(cr);
    set_color(cr, box->color);
    cairo_set_line_width(cr, line);
    cairo_stroke(cr);
    cairo_restore(cr);
}

static void draw_caption(cairo_t *cr, const Drawing *d, const BoxPart *part)
{
    const GstVigilOverlayBox *box = part->box;
    gdouble pad = d->scene->em * 0.35;
    gdouble luma = 0.299 * box->color.r + 0.587 * box->color.g + 0.114 * box->color.b;
    add_rounded(cr, part->chip, d->scene->em * 0.2);
    set_color(cr, box->color);
    cairo_fill(cr);
    if (luma > 0.5)
        cairo_set_source_rgb(cr, 0.05, 0.06, 0.08);
    else
        cairo_set_source_rgb(cr, 1, 1, 1);
    show_text(cr, part->caption, part->chip.x + pad, part->chip.y + pad / 4);
}

/* ---- The panel ------------------------------------------------------------------ */

#define PANEL_PAD 0.6   /* all in em */
#define PANEL_GAP 0.45  /* between rows */
#define SCORE_GAP 1.0   /* between name and score */
#define BAR_HEIGHT 0.22 /* under a name, as long as the score */
#define BAR_GAP 0.12

static void measure_row(Drawing *d, const GstVigilOverlayRow *row, gdouble max_width)
{
    const GstVigilOverlayScene *s = d->scene;
    gdouble unused;
    RowPart part = { .row = row };
    if (row->percent < 0) {
        part.name =
            new_text(d, row->text, s->em * 0.75, PANGO_WEIGHT_NORMAL, max_width);
    } else {
        if (s->draw_scores) {
            gchar *score = g_strdup_printf("%d %%", row->percent);
            part.score = new_text(d, score, s->em, PANGO_WEIGHT_NORMAL, max_width);
            text_size(part.score, &part.score_width, &unused);
            g_free(score);
        }
        part.name = new_text(d, row->text, s->em, PANGO_WEIGHT_SEMIBOLD,
                             max_width - part.score_width - SCORE_GAP * s->em);
    }
    text_size(part.name, &part.name_width, &part.height);
    if (row->percent >= 0)
        part.height += (BAR_GAP + BAR_HEIGHT) * s->em;
    g_array_append_val(d->rows, part);
}

static void place_panel(Drawing *d, gdouble width, gdouble height)
{
    const GstVigilOverlayScene *s = d->scene;
    gdouble margin = PANEL_PAD * s->em;
    gboolean right = s->panel_position == GST_VIGIL_OVERLAY_TOP_RIGHT ||
                     s->panel_position == GST_VIGIL_OVERLAY_BOTTOM_RIGHT;
    gboolean bottom = s->panel_position == GST_VIGIL_OVERLAY_BOTTOM_LEFT ||
                      s->panel_position == GST_VIGIL_OVERLAY_BOTTOM_RIGHT;
    d->panel = (Rect) {
        right ? s->width - width - margin : margin,
        bottom ? s->frame_height - height - margin : margin,
        width,
        height,
    };
}

static void measure_panel(Drawing *d)
{
    const GstVigilOverlayScene *s = d->scene;
    gdouble pad = PANEL_PAD * s->em, inner = 7 * s->em, height = 2 * pad;
    gdouble room = s->width - 4 * pad;
    gdouble max_width = fmin(fmax(s->width * 0.5, 14 * s->em), room);
    for (guint i = 0; i < s->rows->len; i++) {
        measure_row(d, &g_array_index(s->rows, GstVigilOverlayRow, i), max_width);
        const RowPart *part = &g_array_index(d->rows, RowPart, i);
        gdouble width = part->name_width;
        if (part->score)
            width += SCORE_GAP * s->em + part->score_width;
        inner = fmax(inner, width);
        height += part->height + (i ? PANEL_GAP * s->em : 0);
    }
    inner = fmax(fmin(inner, room), 1);
    place_panel(d, inner + 2 * pad, height);
}

static void draw_bar(cairo_t *cr, Rect r, const GstVigilOverlayRow *row)
{
    add_rounded(cr, r, r.height / 2);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.18);
    cairo_fill(cr);
    r.width *= row->percent / 100.0;
    if (r.width <= 0)
        return;
    add_rounded(cr, r, r.height / 2);
    set_color(cr, row->color);
    cairo_fill(cr);
}

static void draw_row(cairo_t *cr, const Drawing *d, const RowPart *part, gdouble y)
{
    gdouble em = d->scene->em, pad = PANEL_PAD * em;
    gdouble left = d->panel.x + pad, width = d->panel.width - 2 * pad;
    cairo_set_source_rgba(cr, 1, 1, 1, part->row->percent < 0 ? 0.7 : 1);
    show_text(cr, part->name, left, y);
    if (part->score)
        show_text(cr, part->score, left + width - part->score_width, y);
    if (part->row->percent >= 0)
        draw_bar(
            cr,
            (Rect) { left, y + part->height - BAR_HEIGHT * em, width, BAR_HEIGHT * em },
            part->row);
}

static void draw_panel(cairo_t *cr, const Drawing *d)
{
    gdouble em = d->scene->em;
    gdouble y = d->panel.y + PANEL_PAD * em;
    add_rounded(cr, d->panel, em * 0.5);
    cairo_set_source_rgba(cr, 0.06, 0.07, 0.09, 0.78);
    cairo_fill(cr);
    for (guint i = 0; i < d->rows->len; i++) {
        const RowPart *part = &g_array_index(d->rows, RowPart, i);
        draw_row(cr, d, part, y);
        y += part->height + PANEL_GAP * em;
    }
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

/* Captions lie over the lines of all boxes, and what came first, the best, on top. */
static void draw_parts(cairo_t *cr, const Drawing *d, Layer layer)
{
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
        draw_panel(cr, d);
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

static void clear_row_part(gpointer part)
{
    g_clear_object(&((RowPart *)part)->name);
    g_clear_object(&((RowPart *)part)->score);
}

static void measure(Drawing *d)
{
    const GstVigilOverlayScene *scene = d->scene;
    for (guint i = 0; i < scene->boxes->len; i++)
        measure_box(d, &g_array_index(scene->boxes, GstVigilOverlayBox, i));
    if (scene->rows->len)
        measure_panel(d);
}

GstVideoOverlayComposition *
gst_vigil_overlay_scene_render(const GstVigilOverlayScene *scene, PangoContext *pango)
{
    Drawing d = {
        .scene = scene,
        .pango = pango,
        .font = pango_font_description_from_string(scene->font_desc),
        .boxes = g_array_new(FALSE, FALSE, sizeof(BoxPart)),
        .rows = g_array_new(FALSE, FALSE, sizeof(RowPart)),
    };
    g_array_set_clear_func(d.boxes, clear_box_part);
    g_array_set_clear_func(d.rows, clear_row_part);
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
    g_array_unref(d.boxes);
    g_array_unref(d.rows);
    pango_font_description_free(d.font);
    return composition;
}
