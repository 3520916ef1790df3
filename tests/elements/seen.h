/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Networks that can be told by hand: a program that has seen.c in place of some
 * functions of libvigil (it is linked with its symbols exported, so that the plugin
 * takes them) has a detector that finds patches of colour, and a classifier that names
 * the colour of what it is shown.  All else, from the frame to the input tensor and
 * from the tensor's boxes to the frame's, is the real thing.
 */
#ifndef VIGIL_TESTS_SEEN_H
#define VIGIL_TESTS_SEEN_H

#include <glib.h>
#include "vigil.h"

/* Classes of both: red, green, blue. */
enum { SEEN_RED, SEEN_GREEN, SEEN_BLUE, SEEN_CLASSES };

/* Patches narrower or lower than this in the input tensor are not seen, pixels. */
#define SEEN_LEAST 6

/* Runs of the network so far. */
guint seen_runs(void);

/* The value of pixel x, y of the frame `data` of width x height for frame_paint():
 * patches on black, the later ones on top. */
typedef struct SeenPatch {
    guint x, y, width, height;
    gint color; /* class; the list ends with width 0 */
} SeenPatch;
void seen_paint(guint x, guint y, guint8 rgb[3], gpointer patches);

#endif
