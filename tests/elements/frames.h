/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of the inference elements share: test pictures in every format, a
 * classifier in a harness, its results.
 */
#ifndef VIGIL_TESTS_FRAMES_H
#define VIGIL_TESTS_FRAMES_H

#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include "gstvigilmeta.h"

/* Smooth pictures, so that formats with less chroma or with limited range hold the same
 * picture.  All are functions of the position in fractions of the frame. */
typedef enum { PICTURE_COLOR, PICTURE_GREY, PICTURE_OTHER } Picture;

/* The frame of a caps string; aborts on one that is none. */
GstVideoInfo frame_info(const gchar *caps);

/* The pixel at x, y in 0..1. */
void frame_pixel(Picture picture, double x, double y, guint8 rgb[3]);

/* A frame of the picture, PTS 0.  `padding` > 0: rows and planes lie that many pixels
 * apart from each other, as a GstVideoMeta says. */
GstBuffer *frame_new(const GstVideoInfo *info, Picture picture, guint padding);

/* The picture of a frame in another format, of the same size. */
GstBuffer *frame_convert(GstBuffer *frame, const GstVideoInfo *from,
                         const GstVideoInfo *to, guint padding);

/* The formats of the first structure of an element's pad template, so that a test
 * leaves none out. */
const GValue *frame_formats(const gchar *element);

/* An RGB frame of `width` x `height`, every pixel from paint(x, y, rgb, data). */
typedef void (*FramePaint)(guint x, guint y, guint8 rgb[3], gpointer data);
GstBuffer *frame_paint(guint width, guint height, FramePaint paint, gpointer data);

/* A vigilclassify with the test model and top-k 10, with further properties as
 * g_object_set(), or without. */
GstElement *classifier_plain(void);
GstElement *classifier_new(const gchar *first_property, ...) G_GNUC_NULL_TERMINATED;

/* Takes the element; the source side has `caps`. */
GstHarness *classifier_harness(GstElement *element, const gchar *caps);

/* Its first meta; the test fails when there is none. */
GstVigilMeta *frame_meta(GstBuffer *buffer);
guint frame_count_metas(GstBuffer *buffer);
/* Class i of result 0. */
const GstVigilClass *frame_class(GstBuffer *buffer, guint i);

/* The frames of a stream: the colour picture in STREAM_CAPS, number n. */
#define STREAM_CAPS "video/x-raw,format=NV12,width=160,height=120,framerate=25/1"
#define FRAME_TIME (GST_SECOND / 25)
GstBuffer *frame_at(guint n);

/* Whether the frame comes out with results. */
gboolean frame_is_analysed(GstHarness *h, GstBuffer *frame);

/* Pushes a frame of the picture through a new classifier with the given properties and
 * gives back what came out. */
GstBuffer *classify_once(GstElement *element, const gchar *caps, GstBuffer *frame);

/* All scores of a frame by class, and the best class. */
typedef struct Scores {
    gint best;
    gfloat score[10];
} Scores;

/* Takes the buffer. */
Scores scores_read(GstBuffer *buffer);
/* Pushes a frame of the picture through a new classifier. */
Scores scores_of_caps(const gchar *caps, Picture picture, guint padding);
/* The largest difference of two scores of one class. */
gfloat scores_apart(const Scores *a, const Scores *b);
/* The same best class, and no score further apart than 0.01. */
#define SCORE_TOLERANCE 0.01F
void scores_assert_same(const Scores *a, const Scores *b, const gchar *what);

/* The text of the next message of that type on the bus, "" when there is none. */
gchar *bus_text(GstBus *bus, GstMessageType type);

guint64 stats_count(GstElement *element, const gchar *field);

/* NULL->READY fails, and the error has all the words, which NULL ends, and a full stop.
 * Takes the element. */
void element_assert_refused(GstElement *element, const gchar *const *words);

#endif
