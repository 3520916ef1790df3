/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of vigilclassify with inference-region=roi-list share: frames with
 * patches of colour, objects on them, and what was said of each.  The classifier,
 * seen.c's, names the colour.
 */
#ifndef VIGIL_TESTS_ROIS_H
#define VIGIL_TESTS_ROIS_H

#include "frames.h"
#include "seen.h"

#define WIDTH 201
#define HEIGHT 120
#define CAPS "video/x-raw,format=RGB,width=201,height=120,framerate=25/1"
#define CLASSES "classification_layer_name:logits"
#define PATCHES 4

/* Labels of the colours, and patches of them, side by side with black between. */
extern const gchar *const color_labels[SEEN_CLASSES];
extern const SeenPatch patches[PATCHES + 1];

GstBuffer *new_frame(void);
/* A vigilclassify that looks at objects, and tells two classes of each. */
GstElement *looker(void);
GstHarness *start(void);

GstVigilMeta *add_meta(GstBuffer *buffer, GstVigilTask task);
/* About the place of a patch. */
GstVigilResult *new_result(const SeenPatch *p);
/* Detections of n patches, the later the surer: car, person, dog, car, and again from
 * the first; `tracks` [n], NULL: not tracked. */
GstVigilMeta *add_detections(GstBuffer *buffer, guint n, const guint64 *tracks);
GstVideoRegionOfInterestMeta *add_roi(GstBuffer *buffer, const gchar *type, guint x,
                                      guint y, guint width, guint height);

/* What the element under test said; NULL: nothing. */
GstVigilMeta *own_meta(GstBuffer *buffer);
const gchar *best_label(const GstVigilResult *result);
/* The result with that parent; NULL: none. */
GstVigilResult *result_of(GstVigilMeta *meta, guint parent_id);
guint count_rois(GstBuffer *buffer);

#endif
