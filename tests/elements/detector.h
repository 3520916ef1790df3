/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of vigildetect share: the element with the test model, its results,
 * and what the engine says of the same picture.
 */
#ifndef VIGIL_TESTS_DETECTOR_H
#define VIGIL_TESTS_DETECTOR_H

#include "frames.h"
#include "vigil.h"

#define DETECT_CLASSES 5
#define DETECT_THRESHOLD 0.3F /* what the tests look for, unless they say */

/* A vigildetect with the test model and that threshold, with further properties. */
GstElement *detector_new(const gchar *first_property, ...) G_GNUC_NULL_TERMINATED;

typedef struct Found {
    guint n;
    VigilDetection item[1000]; /* in fractions of the frame */
} Found;

/* The results of the first meta.  The test fails where one is no detection, or a label
 * does not belong to its number. */
Found found_read(GstBuffer *buffer);
/* Takes the element and the frame. */
Found found_once(GstElement *element, const gchar *caps, GstBuffer *frame);

/* The same boxes in the same order, with edges and scores no further apart than that;
 * there has to be at least one. */
void found_assert_same(const Found *a, const Found *b, gfloat tolerance,
                       const gchar *what);

/* What the engine says of the part `region` (NULL: all) of an RGB frame. */
Found engine_look(GstBuffer *frame, guint width, guint height,
                  const VigilRegion *region, const VigilSessionOptions *session,
                  const VigilDetectOptions *options);

#endif
