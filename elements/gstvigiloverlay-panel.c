/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigiloverlay-parts.h"

#include <math.h>

/* ---- Text and shapes ------------------------------------------------------------ */

PangoLayout *gst_vigil_overlay_new_text(const Drawing *d, const gchar *text, gdouble em,
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

void gst_vigil_overlay_text_size(PangoLayout *layout, gdouble *width, gdouble *height)
{
    int w, h;
    pango_layout_get_size(layout, &w, &h);
    *width = (gdouble)w / PANGO_SCALE;
    *height = (gdouble)h / PANGO_SCALE;
}

void gst_vigil_overlay_show_text(cairo_t *cr, PangoLayout *layout, gdouble x, gdouble y)
{
    cairo_move_to(cr, x, y);
    pango_cairo_show_layout(cr, layout);
}

void gst_vigil_overlay_add_rounded(cairo_t *cr, Rect r, gdouble radius)
{
    radius = fmin(radius, fmin(r.width, r.height) / 2);
    cairo_new_sub_path(cr);
    cairo_arc(cr, r.x + r.width - radius, r.y + radius, radius, -G_PI_2, 0);
    cairo_arc(cr, r.x + r.width - radius, r.y + r.height - radius, radius, 0, G_PI_2);
    cairo_arc(cr, r.x + radius, r.y + r.height - radius, radius, G_PI_2, G_PI);
    cairo_arc(cr, r.x + radius, r.y + radius, radius, G_PI, 3 * G_PI_2);
    cairo_close_path(cr);
}

void gst_vigil_overlay_set_color(cairo_t *cr, GstVigilColor color)
{
    cairo_set_source_rgb(cr, color.r, color.g, color.b);
}

/* ---- The panel ------------------------------------------------------------------ */

#define PANEL_PAD 0.6   /* all in em */
#define PANEL_GAP 0.45  /* between rows */
#define SCORE_GAP 1.0   /* between name and score */
#define BAR_HEIGHT 0.22 /* under a name, as long as the score */
#define BAR_GAP 0.12
#define SWATCH 0.75 /* side of the square before a name of the legend */
#define SWATCH_GAP 0.45
#define LEGEND_ROOM 0.6 /* of the frame's height: no further rows of the legend */

static gdouble swatch_width(const Drawing *d, const GstVigilOverlayRow *row)
{
    return row->is_legend ? (SWATCH + SWATCH_GAP) * d->scene->em : 0;
}

/* What is less than half a percent, but there, is not told as nothing. */
static gchar *score_text(const GstVigilOverlayRow *row)
{
    if (row->is_legend && row->percent == 0)
        return g_strdup("< 1 %");
    return g_strdup_printf("%d %%", row->percent);
}

static void measure_row(Drawing *d, const GstVigilOverlayRow *row, gdouble max_width)
{
    const GstVigilOverlayScene *s = d->scene;
    gdouble unused;
    RowPart part = { .row = row };
    if (row->percent < 0) {
        part.name = gst_vigil_overlay_new_text(d, row->text, s->em * 0.75,
                                               PANGO_WEIGHT_NORMAL, max_width);
    } else {
        if (s->draw_scores) {
            gchar *score = score_text(row);
            part.score = gst_vigil_overlay_new_text(d, score, s->em,
                                                    PANGO_WEIGHT_NORMAL, max_width);
            gst_vigil_overlay_text_size(part.score, &part.score_width, &unused);
            g_free(score);
        }
        part.name = gst_vigil_overlay_new_text(
            d, row->text, s->em, PANGO_WEIGHT_SEMIBOLD,
            max_width - swatch_width(d, row) - part.score_width - SCORE_GAP * s->em);
    }
    gst_vigil_overlay_text_size(part.name, &part.name_width, &part.height);
    if (row->percent >= 0 && !row->is_legend)
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

void gst_vigil_overlay_measure_panel(Drawing *d)
{
    const GstVigilOverlayScene *s = d->scene;
    gdouble pad = PANEL_PAD * s->em, inner = 7 * s->em, height = 2 * pad;
    gdouble room = s->width - 4 * pad;
    gdouble max_width = fmin(fmax(s->width * 0.5, 14 * s->em), room);
    for (guint i = 0; i < s->rows->len; i++) {
        measure_row(d, &g_array_index(s->rows, GstVigilOverlayRow, i), max_width);
        const RowPart *part = &g_array_index(d->rows, RowPart, i);
        gdouble width = swatch_width(d, part->row) + part->name_width;
        gdouble more = part->height + (i ? PANEL_GAP * s->em : 0);
        if (part->score)
            width += SCORE_GAP * s->em + part->score_width;
        if (i && part->row->is_legend &&
            height + more > LEGEND_ROOM * s->frame_height) {
            g_array_set_size(d->rows, i);
            break;
        }
        inner = fmax(inner, width);
        height += more;
    }
    inner = fmax(fmin(inner, room), 1);
    place_panel(d, inner + 2 * pad, height);
}

static void draw_bar(cairo_t *cr, Rect r, const GstVigilOverlayRow *row)
{
    gst_vigil_overlay_add_rounded(cr, r, r.height / 2);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.18);
    cairo_fill(cr);
    r.width *= row->percent / 100.0;
    if (r.width <= 0)
        return;
    gst_vigil_overlay_add_rounded(cr, r, r.height / 2);
    gst_vigil_overlay_set_color(cr, row->color);
    cairo_fill(cr);
}

static void draw_swatch(cairo_t *cr, const Drawing *d, const RowPart *part, gdouble x,
                        gdouble y)
{
    gdouble side = SWATCH * d->scene->em;
    gst_vigil_overlay_add_rounded(
        cr, (Rect) { x, y + (part->height - side) / 2, side, side }, side / 5);
    gst_vigil_overlay_set_color(cr, part->row->color);
    cairo_fill(cr);
}

static void draw_row(cairo_t *cr, const Drawing *d, const RowPart *part, gdouble y)
{
    gdouble em = d->scene->em, pad = PANEL_PAD * em;
    gdouble left = d->panel.x + pad, width = d->panel.width - 2 * pad;
    cairo_set_source_rgba(cr, 1, 1, 1, part->row->percent < 0 ? 0.7 : 1);
    gst_vigil_overlay_show_text(cr, part->name, left + swatch_width(d, part->row), y);
    if (part->score)
        gst_vigil_overlay_show_text(cr, part->score, left + width - part->score_width,
                                    y);
    if (part->row->is_legend)
        draw_swatch(cr, d, part, left, y);
    else if (part->row->percent >= 0)
        draw_bar(
            cr,
            (Rect) { left, y + part->height - BAR_HEIGHT * em, width, BAR_HEIGHT * em },
            part->row);
}

void gst_vigil_overlay_draw_panel(cairo_t *cr, const Drawing *d)
{
    gdouble em = d->scene->em;
    gdouble y = d->panel.y + PANEL_PAD * em;
    gst_vigil_overlay_add_rounded(cr, d->panel, em * 0.5);
    cairo_set_source_rgba(cr, 0.06, 0.07, 0.09, 0.78);
    cairo_fill(cr);
    for (guint i = 0; i < d->rows->len; i++) {
        const RowPart *part = &g_array_index(d->rows, RowPart, i);
        draw_row(cr, d, part, y);
        y += part->height + PANEL_GAP * em;
    }
}

void gst_vigil_overlay_clear_row_part(gpointer part)
{
    g_clear_object(&((RowPart *)part)->name);
    g_clear_object(&((RowPart *)part)->score);
}
