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

/* One line of the panel: a heading (score < 0), a class of the whole frame, or one of
 * the legend of the masks. */
typedef struct GstVigilOverlayRow {
    gchar *text;
    gint percent; /* -1: heading */
    GstVigilColor color;
    gboolean is_legend;
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
    gdouble mask_opacity;
    GPtrArray *masks; /* of GstVigilMask, later ones over earlier ones */
    GArray *boxes;    /* of GstVigilOverlayBox */
    GArray *rows;     /* of GstVigilOverlayRow */
    gchar *key;
};

/* Depends on the name of a class alone, or on its number where it has none: boxes,
 * rows and masks of a class look alike. */
GstVigilColor gst_vigil_overlay_class_color(const gchar *label, gint index);

/* What is nothing in particular: masks leave it as it is. */
gboolean gst_vigil_overlay_is_background(const GstVigilClass *klass);

/* Adds the mask of a result to the scene, where it has one. */
void gst_vigil_overlay_scene_add_mask(GstVigilOverlayScene *scene,
                                      const GstVigilResult *result);

/* Adds rows that name the classes of all masks, those with the largest share first. */
void gst_vigil_overlay_scene_add_legend(GstVigilOverlayScene *scene,
                                        const GstVigilOverlayStyle *style);

/* The name as it is shown. */
void gst_vigil_overlay_append_class_name(GString *to, const gchar *label, gint index);

#endif
