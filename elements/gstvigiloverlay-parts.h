/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files that draw a scene share: its parts, measured, and text and shapes.
 * All lengths are display pixels.
 */
#ifndef GST_VIGIL_OVERLAY_PARTS_H
#define GST_VIGIL_OVERLAY_PARTS_H

#include "gstvigiloverlay-scene.h"

typedef struct Rect {
    gdouble x, y, width, height;
} Rect;

/* A mask in its colours. */
typedef struct MaskPart {
    cairo_surface_t *image; /* ARGB32, in pixels of the mask */
    gdouble x, y;           /* where it begins */
    gdouble column, row;    /* size of one of its pixels */
    Rect area;              /* where there are any colours */
} MaskPart;

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
    GArray *masks; /* of MaskPart */
    GArray *boxes; /* of BoxPart */
    GArray *rows;  /* of RowPart */
    Rect panel;
} Drawing;

/* ---- Text and shapes ------------------------------------------------------------ */

/* One line, with dots at the end where it would be wider than max_width. */
PangoLayout *gst_vigil_overlay_new_text(const Drawing *d, const gchar *text, gdouble em,
                                        PangoWeight weight, gdouble max_width);
void gst_vigil_overlay_text_size(PangoLayout *layout, gdouble *width, gdouble *height);
void gst_vigil_overlay_show_text(cairo_t *cr, PangoLayout *layout, gdouble x,
                                 gdouble y);
/* Adds a rectangle with rounded corners to the path. */
void gst_vigil_overlay_add_rounded(cairo_t *cr, Rect r, gdouble radius);
void gst_vigil_overlay_set_color(cairo_t *cr, GstVigilColor color);

/* ---- Parts ---------------------------------------------------------------------- */

/* Colours the masks of the scene: fills d->masks. */
void gst_vigil_overlay_measure_masks(Drawing *d);
void gst_vigil_overlay_draw_mask(cairo_t *cr, const MaskPart *part);
void gst_vigil_overlay_clear_mask_part(gpointer part);

/* Measures the rows of the scene that there is room for, and the panel: fills d->rows
 * and d->panel. */
void gst_vigil_overlay_measure_panel(Drawing *d);
void gst_vigil_overlay_draw_panel(cairo_t *cr, const Drawing *d);
void gst_vigil_overlay_clear_row_part(gpointer part);

#endif
