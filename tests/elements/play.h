/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pipeline with a source whose frames, events and messages are watched.
 */
#ifndef VIGIL_TESTS_PLAY_H
#define VIGIL_TESTS_PLAY_H

#include <gst/gst.h>

#define PLAY_PATIENCE (60 * GST_SECOND)

typedef struct {
    GstElement *pipeline, *src, *sink;
    GMutex lock; /* of what follows */
    guint frames, backwards, starts, segments, ends;
    GstClockTime last, widest; /* of the times of frames, and between two */
    gchar *caps;
} Play;

/* "SOURCE SETTINGS ! AFTER fakesink"; what is put after it ends with a '!'. */
Play *play_new(const gchar *source, const gchar *settings, const gchar *after);
/* To NULL first. */
void play_free(Play *play);

/* A counter of the struct. */
guint play_count(Play *play, const guint *counter);
/* Waits for n more frames. */
void play_wait_frames(Play *play, guint n);
/* To PLAYING, until frames come. */
void play_start(Play *play);

/* The next message of these types, but warnings and element messages only of the
 * source; NULL: none came in time. */
GstMessage *play_pop(Play *play, GstMessageType types, GstClockTime timeout);
/* The next warning or error, of that type, says all of the words; NULL ends them. */
void play_assert_says(Play *play, GstMessageType type, const gchar *const words[]);
/* The next element message, to be freed, is of that name and gives a reason with that
 * in it; errors and ends are none. */
GstStructure *play_take_message(Play *play, const gchar *name, const gchar *reason);
/* There is no element message, warning or error now. */
void play_assert_quiet(Play *play);
/* The end comes, and once. */
void play_assert_ends(Play *play);

/* What the source answers. */
void play_assert_latency(Play *play, gboolean live, GstClockTime least);
guint64 play_stat(Play *play, const gchar *name);

/* Takes an element away from this process, where it is. */
void play_remove_element(const gchar *name);

#endif
