/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Recall: the classes that tracked objects had when they were last looked at, so that
 * they need not be looked at in every frame.  Used by one thread at a time.
 */
#ifndef GST_VIGIL_RECALL_H
#define GST_VIGIL_RECALL_H

#include "gstvigilobjects.h"

G_BEGIN_DECLS

/* A track that was not seen in so many frames is forgotten. */
#define GST_VIGIL_RECALL_FRAMES 256

/* Zero-initialised. */
typedef struct _GstVigilRecall {
    GHashTable *tracks;
    guint64 frame; /* number of the frame at hand, from 1 */
} GstVigilRecall;

/* The next frame begins. */
void gst_vigil_recall_begin(GstVigilRecall *recall);

/* What was last kept of the object, and in how many frames since (0: in this one); NULL
 * where it has no track or nothing was.  Valid until the next call. */
const GstVigilResult *gst_vigil_recall_find(GstVigilRecall *recall,
                                            const GstVigilObject *object, guint64 *age);

/* Keeps a result of this frame; does nothing for objects without a track. */
void gst_vigil_recall_keep(GstVigilRecall *recall, const GstVigilObject *object,
                           GstVigilResult *result);

/* Forgets all, and frees what it holds. */
void gst_vigil_recall_clear(GstVigilRecall *recall);

G_END_DECLS

#endif
