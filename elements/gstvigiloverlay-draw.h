/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The picture that vigiloverlay lays over a frame: masks in the colours of their
 * classes, boxes with a caption for results about regions, one panel in a corner for
 * results about the whole frame and for the legend of the masks.
 *
 * All layout is done in display pixels (the frame's height, its width times the pixel
 * aspect ratio) and squeezed at the end, so that text and corners look round wherever
 * the frame is shown as its caps say.
 */
#ifndef GST_VIGIL_OVERLAY_DRAW_H
#define GST_VIGIL_OVERLAY_DRAW_H

#include <gst/video/video.h>
#include <pango/pangocairo.h>

#include "gstvigilmeta.h"

G_BEGIN_DECLS

typedef enum {
    GST_VIGIL_OVERLAY_TOP_LEFT,
    GST_VIGIL_OVERLAY_TOP_RIGHT,
    GST_VIGIL_OVERLAY_BOTTOM_LEFT,
    GST_VIGIL_OVERLAY_BOTTOM_RIGHT,
} GstVigilOverlayPosition;

typedef struct GstVigilOverlayStyle {
    gchar *font_desc;   /* Pango font description; its size is not used */
    gdouble font_scale; /* 1: a thirtieth of the shorter side, at least 11 pixels */
    gdouble line_width; /* display pixels; 0: from the size of the text */
    gboolean draw_labels;
    gboolean draw_scores;
    guint max_classes; /* per result in the panel; 0: no panel */
    GstVigilOverlayPosition panel_position;
    gdouble opacity;      /* 0..1 */
    gdouble mask_opacity; /* 0..1 */
    guint legend_classes; /* in the panel; 0: no legend */
} GstVigilOverlayStyle;

/* Results of one element. */
typedef struct GstVigilOverlayGroup {
    const gchar *title;       /* shown when there are several groups; may be NULL */
    gboolean detects;         /* the results are what a detector found */
    const GPtrArray *results; /* of GstVigilResult */
} GstVigilOverlayGroup;

/* What is to be drawn, resolved to texts and numbers. */
typedef struct GstVigilOverlayScene GstVigilOverlayScene;

/* Sorts results into boxes and panel rows.  Needs nothing of its arguments afterwards.
 */
GstVigilOverlayScene *gst_vigil_overlay_scene_new(const GstVigilOverlayStyle *style,
                                                  const GstVideoInfo *info,
                                                  const GstVigilOverlayGroup *groups,
                                                  guint n_groups);
void gst_vigil_overlay_scene_free(GstVigilOverlayScene *scene);

/* Two scenes with equal keys look alike.  Valid as long as the scene; NULL: nothing to
 * draw. */
const gchar *gst_vigil_overlay_scene_get_key(const GstVigilOverlayScene *scene);

/* Draws a scene that is not empty.  Rectangles of the result never overlap and leave
 * the inside of boxes out: blending costs by the pixel, seen or not. */
GstVideoOverlayComposition *
gst_vigil_overlay_scene_render(const GstVigilOverlayScene *scene, PangoContext *pango);

G_END_DECLS

#endif
