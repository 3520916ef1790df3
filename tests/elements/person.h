/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A photograph of a person, and where the shipped detector finds the person.
 */
#ifndef VIGIL_TESTS_PERSON_H
#define VIGIL_TESTS_PERSON_H

#include "frames.h"

/* The picture has this many pixels, a few less are as good. */
#define PERSON_SIDE 150

/* The picture as an RGB frame of `width` x `height`, at most PERSON_SIDE, PTS 0.  Its
 * colours change no faster than formats with less chroma can tell. */
GstBuffer *person_rgb(guint width, guint height);

/* The picture as a frame of these caps; `padding` as of frame_new(). */
GstBuffer *person_frame(const GstVideoInfo *info, guint padding);

/* vigildetect as it is shipped. */
GstElement *person_detector(void);

typedef struct Person {
    gfloat left, top, right, bottom; /* pixels of the frame */
    gfloat score;
} Person;

/* The one person that was found in the frame. */
Person person_read(GstBuffer *frame);

/* Pushes a frame of these caps through one detector, which all calls share, and gives
 * back what came out, or the person that was found in it.  They take the frame. */
GstBuffer *person_look(const gchar *caps, GstBuffer *frame);
Person person_find(const gchar *caps, GstBuffer *frame);

/* The edges within `pixels`, the scores within `score`. */
void person_assert_same(const Person *got, const Person *want, gfloat pixels,
                        gfloat score, const gchar *what);

#endif
