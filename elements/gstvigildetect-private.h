/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of vigildetect share.
 */
#ifndef GST_VIGIL_DETECT_PRIVATE_H
#define GST_VIGIL_DETECT_PRIVATE_H

#include "gstvigildetect.h"

G_BEGIN_DECLS

/* As the properties hold them. */
typedef struct _GstVigilDetectSettings {
    gfloat threshold, iou_threshold; /* -1: as published */
    guint max_detections;            /* 0: as published */
    gchar *object_class, *class_thresholds;
    gfloat min_area, max_area; /* fractions of the frame */
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
    GArray *boxes; /* of GstVigilBox: what the regions of a frame gave so far */
};

/* Properties with their accessors. */
void gst_vigil_detect_install_properties(GObjectClass *klass);
/* Sets the defaults. */
void gst_vigil_detect_init_properties(GstVigilDetect *self);

G_END_DECLS

#endif
