/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of vigildetect share.
 */
#ifndef GST_VIGIL_DETECT_PRIVATE_H
#define GST_VIGIL_DETECT_PRIVATE_H

#include "gstvigildetect.h"
#include "gstvigiltiles.h"

G_BEGIN_DECLS

/* As the properties hold them. */
typedef struct _GstVigilDetectSettings {
    gfloat threshold, iou_threshold; /* -1: as published */
    guint max_detections;            /* 0: as published */
    gchar *object_class, *class_thresholds;
    gfloat min_area, max_area; /* fractions of the frame */
    gchar *tiles;
    gfloat tile_overlap;
    gboolean tile_full_frame;
} GstVigilDetectSettings;

struct _GstVigilDetect {
    GstVigilInference parent;

    /* Under the object lock. */
    GstVigilDetectSettings settings;
    gboolean settings_changed; /* since they were last taken */
    gboolean post_messages;

    /* Of the streaming thread while data flows. */
    VigilDetector *detector;
    VigilDetectOptions options; /* in use; areas are fractions of the frame */
    gfloat *class_threshold;    /* what options points to */
    bool *class_wanted;
    GstVigilTiles tiles; /* in use */
    GArray *cut;         /* of GstVigilTile: by view of the frame at hand */
    GArray *boxes;       /* of GstVigilBox: what the views of a frame gave so far */
};

void gst_vigil_detect_clear_settings(GstVigilDetectSettings *settings);
/* Makes what was set since the last call the settings in use.  FALSE: it cannot be
 * used, *error says why, and those in use stay.  Streaming thread, or while no data
 * flows. */
gboolean gst_vigil_detect_update_settings(GstVigilDetect *self,
                                          const GstVigilNetwork *network,
                                          GError **error);
/* Frees what the options in use point to. */
void gst_vigil_detect_forget_options(GstVigilDetect *self);

/* Properties with their accessors. */
void gst_vigil_detect_install_properties(GObjectClass *klass);
/* Sets the defaults. */
void gst_vigil_detect_init_properties(GstVigilDetect *self);

G_END_DECLS

#endif
