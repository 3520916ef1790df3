/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of vigilclassify share: the element in gstvigilclassify.c, its
 * settings in gstvigilclassify-properties.c, the objects of earlier elements in
 * gstvigilclassify-objects.c, and in gstvigilclassify-late.c what was found out about
 * them when their frame had passed.
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

    GstVigilRecall recall;
    GArray *present; /* of GstVigilObject: of the streaming thread */
};

/* What is remembered of a frame. */
typedef struct _GstVigilClassifyNotes {
    gboolean of_objects; /* inference-region */
    GstVigilRecallFrame frame;
    GArray *objects;    /* of GstVigilObject: what rides on it */
    GArray *candidates; /* of those wanted: the ones to look at first, by view */
    guint looked_at;    /* how many of them are */
} GstVigilClassifyNotes;

/* Properties with their accessors. */
void gst_vigil_classify_install_properties(GObjectClass *klass);
/* Sets the defaults. */
void gst_vigil_classify_init_properties(GstVigilClassify *self);

/* GstVigilInference::new_notes and its like. */
gpointer gst_vigil_classify_new_notes(void);
void gst_vigil_classify_free_notes(gpointer notes);
/* Appends views of those objects on the frame's buffer that are to be looked at.
 * FALSE: nobody has said what is in the frame. */
gboolean gst_vigil_classify_list_objects(GstVigilClassify *self,
                                         const GstVigilShot *frame, GArray *views);
/* The object of a view. */
const GstVigilObject *gst_vigil_classify_get_object(const GstVigilClassifyNotes *notes,
                                                    guint view);
/* Adds results for the others, as far as they are known from earlier frames. */
void gst_vigil_classify_recall_objects(GstVigilClassify *self,
                                       const GstVigilClassifyNotes *notes,
                                       GstVigilMeta *meta);
/* A new result about the object with the classes that another one has. */
GstVigilResult *gst_vigil_classify_new_same(const GstVigilObject *object,
                                            const GstVigilResult *same);

/* GstVigilInference::carry_over, in gstvigilclassify-late.c. */
void gst_vigil_classify_carry_over(GstVigilInference *base, const GstVigilMeta *from,
                                   GstBuffer *buffer, GstVigilMeta *to);

G_END_DECLS

#endif
