/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of mode latest share: an element in a harness, whose network runs
 * behind a gate, and what comes of it.
 */
#ifndef VIGIL_TESTS_LATE_H
#define VIGIL_TESTS_LATE_H

#include "frames.h"
#include "gate.h"

typedef struct Late {
    GstHarness *h;
    GstElement *element; /* under test; the harness's, or one in it */
    GstBus *bus;
    guint frames; /* pushed */
    GstVideoInfo info;
} Late;

/* Takes the element, sets mode=latest and, when all is ready, shuts the gate. */
Late late_start(GstElement *element, const gchar *caps);
/* The same for a bin of several, of which the one of that name is tested. */
Late late_start_parse(const gchar *launch, const gchar *name, const gchar *caps);
/* Opens the gate. */
void late_stop(Late *l);

/* Frame number n, whose pixels no other has. */
GstBuffer *late_frame(const Late *l, guint n);
/* Pushes the next frame, which has to come out at once, with the pixels and the time
 * that it went in with. */
GstBuffer *late_push(Late *l);
/* The same, of n frames that carry no results. */
void late_push_bare(Late *l, guint n);
/* Waits until so many frames were looked at; the next one carries the last results. */
void late_wait_analysed(const Late *l, guint64 n);
void late_wait(const Late *l, const gchar *field, guint64 n);
/* Lets `runs` through, of the frames that make `analysed` of them, and pushes. */
GstBuffer *late_push_after(Late *l, guint runs, guint64 analysed);

/* Whose results the buffer carries: the number of that frame. */
guint late_of_frame(GstBuffer *buffer);
/* A field of stats. */
gchar *late_text(const Late *l, const gchar *field);

#endif
