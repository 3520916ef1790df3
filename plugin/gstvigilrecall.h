/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Recall: the classes that tracked objects had when they were last looked at, so that
 * they need not be looked at in every frame.  Used by any thread.
 */
#ifndef GST_VIGIL_RECALL_H
#define GST_VIGIL_RECALL_H

#include "gstvigilobjects.h"

G_BEGIN_DECLS

/* A track that was not seen in so many frames is forgotten. */
#define GST_VIGIL_RECALL_FRAMES 256

typedef struct _GstVigilRecallFrame {
    guint64 number; /* from 1 */
    guint64 round;  /* how often all was forgotten before */
} GstVigilRecallFrame;

/* Zero-initialised. */
typedef struct _GstVigilRecall {
    GMutex lock;
    GHashTable *tracks;
    GstVigilRecallFrame frame; /* the newest */
} GstVigilRecall;

/* The next frame begins. */
GstVigilRecallFrame gst_vigil_recall_begin(GstVigilRecall *recall);

/* What was last kept of the object (to be unreferenced), and how many frames the
 * newest one is ahead of that; NULL where it has no track or nothing was. */
GstVigilResult *gst_vigil_recall_find(GstVigilRecall *recall,
                                      const GstVigilObject *object, guint64 *age);

/* Keeps a result of that frame; does nothing for objects without a track, and where all
 * was forgotten since. */
void gst_vigil_recall_keep(GstVigilRecall *recall, const GstVigilRecallFrame *frame,
                           const GstVigilObject *object, GstVigilResult *result);

/* Forgets all, and frees what it holds. */
void gst_vigil_recall_clear(GstVigilRecall *recall);

G_END_DECLS

#endif
