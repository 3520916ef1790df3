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

/* What follows from them, counted (g_atomic_rc_box_acquire()); it never changes. */
typedef struct _GstVigilDetectChoice {
    VigilDetectOptions options; /* areas are fractions of the frame */
    gfloat *class_threshold;    /* what options points to */
    bool *class_wanted;
    GstVigilTiles tiles;
} GstVigilDetectChoice;

/* What is remembered of a frame. */
typedef struct _GstVigilDetectNotes {
    GstVigilDetectChoice *choice; /* NULL: the notes were not used yet */
    GArray *cut;                  /* of GstVigilTile: by view */
    GArray *boxes;                /* of GstVigilBox: what the views gave so far */
} GstVigilDetectNotes;

struct _GstVigilDetect {
    GstVigilInference parent;

    /* Under the object lock. */
    GstVigilDetectSettings settings;
    gboolean settings_changed; /* since they were last taken */
    gboolean post_messages;

    GstVigilDetectChoice *choice; /* for the next frame; of the streaming thread */
    VigilDetector *detector;      /* of the thread that runs the network */
};

void gst_vigil_detect_clear_settings(GstVigilDetectSettings *settings);
/* Makes what was set since the last call the settings in use.  FALSE: it cannot be
 * used, *error says why, and those in use stay.  Streaming thread, or while no data
 * flows. */
gboolean gst_vigil_detect_update_settings(GstVigilDetect *self,
                                          const GstVigilNetwork *network,
                                          GError **error);
/* Lets one go; NULL does nothing. */
void gst_vigil_detect_clear_choice(GstVigilDetectChoice **choice);

/* Properties with their accessors. */
void gst_vigil_detect_install_properties(GObjectClass *klass);
/* Sets the defaults. */
void gst_vigil_detect_init_properties(GstVigilDetect *self);

G_END_DECLS

#endif
