/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Inside of a scene, shared by what fills it and what draws it.
 */
#ifndef GST_VIGIL_OVERLAY_SCENE_H
#define GST_VIGIL_OVERLAY_SCENE_H

#include "gstvigiloverlay-draw.h"

typedef struct GstVigilColor {
    gdouble r, g, b; /* 0..1 */
} GstVigilColor;

typedef struct GstVigilOverlayBox {
    gdouble x, y, width, height; /* display pixels */
    guint id;                    /* of the result */
    guint64 track;               /* 0: none */
    GstVigilColor color;
    GString *text; /* empty: no caption */
} GstVigilOverlayBox;

/* One line of the panel: a heading (score < 0), or a class. */
typedef struct GstVigilOverlayRow {
    gchar *text;
    gint percent; /* -1: heading */
    GstVigilColor color;
} GstVigilOverlayRow;

struct GstVigilOverlayScene {
    gint frame_width, frame_height; /* pixels */
    gdouble aspect;                 /* of one pixel: display width / width */
    gdouble width;                  /* display pixels: frame_width * aspect */
    gdouble em;                     /* height of the text, display pixels */
    gdouble line_width;
    gdouble opacity;
    gboolean draw_scores;
    GstVigilOverlayPosition panel_position;
    gchar *font_desc;
    GArray *boxes; /* of GstVigilOverlayBox */
    GArray *rows;  /* of GstVigilOverlayRow */
    gchar *key;
};

#endif
