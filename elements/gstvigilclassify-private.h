/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of vigilclassify share: the element in gstvigilclassify.c, its
 * settings in gstvigilclassify-properties.c, the objects of earlier elements in
 * gstvigilclassify-objects.c.
 */
#ifndef GST_VIGIL_CLASSIFY_PRIVATE_H
#define GST_VIGIL_CLASSIFY_PRIVATE_H

#include "gstvigilclassify.h"
#include "gstvigilobjects.h"
#include "gstvigilrecall.h"

G_BEGIN_DECLS

#define GST_VIGIL_CLASSIFY_MAX_TOP_K 100

/**
 * GstVigilInferenceRegion:
 * @GST_VIGIL_INFERENCE_REGION_FULL_FRAME: the whole frame, or the property regions
 * @GST_VIGIL_INFERENCE_REGION_ROI_LIST: each object that rides on the buffer
 */
typedef enum {
    GST_VIGIL_INFERENCE_REGION_FULL_FRAME,
    GST_VIGIL_INFERENCE_REGION_ROI_LIST,
} GstVigilInferenceRegion;

#define GST_TYPE_VIGIL_INFERENCE_REGION (gst_vigil_inference_region_get_type())
GType gst_vigil_inference_region_get_type(void);

struct _GstVigilClassify {
    GstVigilInference parent;

    /* Under the object lock. */
    guint top_k;
    gfloat threshold;
    gboolean post_messages;
    GstVigilInferenceRegion inference_region;
    gchar *object_class;
    guint reclassify_interval, max_rois;

    /* Of the streaming thread while data flows. */
    gboolean of_objects; /* the frame at hand */
    GArray *objects;     /* of GstVigilObject: what rides on it */
    GArray *candidates;  /* of those wanted: the ones to look at first, by view */
    guint looked_at;     /* how many of them are */
    GstVigilRecall recall;
};

/* Properties with their accessors. */
void gst_vigil_classify_install_properties(GObjectClass *klass);
/* Sets the defaults. */
void gst_vigil_classify_init_properties(GstVigilClassify *self);

void gst_vigil_classify_init_objects(GstVigilClassify *self);
void gst_vigil_classify_clear_objects(GstVigilClassify *self);
/* Appends views of those objects on the frame's buffer that are to be looked at.
 * FALSE: nobody has said what is in the frame. */
gboolean gst_vigil_classify_list_objects(GstVigilClassify *self,
                                         const GstVigilShot *frame, GArray *views);
/* The object of a view. */
const GstVigilObject *gst_vigil_classify_get_object(GstVigilClassify *self, guint view);
/* Adds results for the others, as far as they are known from earlier frames. */
void gst_vigil_classify_recall_objects(GstVigilClassify *self, GstVigilMeta *meta);

G_END_DECLS

#endif
