/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pipeline with vigilcamerasrc whose frames, events and messages are watched.
 */
#ifndef VIGIL_TESTS_CAMERA_PLAY_H
#define VIGIL_TESTS_CAMERA_PLAY_H

#include <gst/gst.h>

#define PLAY_PATIENCE (10 * GST_SECOND)

typedef struct {
    GstElement *pipeline, *src, *sink;
    GMutex lock; /* of what follows */
    guint frames, backwards, starts, segments, ends;
    GstClockTime last;
    gchar *caps;
} Play;

/* "vigilcamerasrc SETTINGS ! AFTER fakesink"; what is put after it ends with a '!'. */
Play *play_new(const gchar *settings, const gchar *after);
/* To NULL first; no descriptor of a camera is open then. */
void play_free(Play *play);

/* A counter of the struct. */
guint play_count(Play *play, const guint *counter);
/* Waits for n more frames. */
void play_wait_frames(Play *play, guint n);
/* To PLAYING, until frames come. */
void play_start(Play *play);

/* The next message of these types; NULL: none came in time. */
GstMessage *play_pop(Play *play, GstMessageType types, GstClockTime timeout);
/* The next warning or error, of that type, says all of the words; NULL ends them. */
void play_assert_says(Play *play, GstMessageType type, const gchar *const words[]);
/* The next element message is of that name, of the camera "Test Cam" at a node that
 * ends so, and gives a reason with that in it; errors and ends are none. */
void play_assert_message(Play *play, const gchar *name, const gchar *device,
                         const gchar *reason);
/* There is no element message, warning or error now. */
void play_assert_quiet(Play *play);

#endif
