/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Worker: the thread of an element that runs its network in mode latest.  It has one
 * slot, in which a newer look takes the place of one that it has not begun, and one
 * result, which a newer one replaces.  All functions but where it is said are the
 * streaming thread's, or are called while no data flows.
 */
#ifndef GST_VIGIL_INFERENCE_WORKER_H
#define GST_VIGIL_INFERENCE_WORKER_H

#include "gstvigilinference-look.h"

G_BEGIN_DECLS

typedef struct _GstVigilWorker {
    GstVigilInference *self; /* whose object lock may be taken under the lock */
    GMutex lock;
    GCond changed;

    /* Under the lock. */
    GThread *thread;                        /* NULL: nothing was offered yet */
    GstVigilLook *waiting, *running, *done; /* NULL: none */
    GPtrArray *spare;                       /* of GstVigilLook: to be begun again */
    guint64 epoch;        /* of the looks whose results suit the frames that come */
    gboolean interrupted; /* takes nothing and works off nothing */
    gboolean quit;
} GstVigilWorker;

void gst_vigil_worker_init(GstVigilWorker *worker, GstVigilInference *self);
/* After gst_vigil_worker_stop(). */
void gst_vigil_worker_clear(GstVigilWorker *worker);

/* A look to begin, which goes back with offer() or give_back(). */
GstVigilLook *gst_vigil_worker_get_look(GstVigilWorker *worker);
void gst_vigil_worker_give_back(GstVigilWorker *worker, GstVigilLook *look);

/* Puts a look that has its inputs into the slot, and starts the thread where there is
 * none.  What lost its place, to be given back; NULL: nothing did. */
GstVigilLook *gst_vigil_worker_offer(GstVigilWorker *worker, GstVigilLook *look);

/* The newest look that is done, once, to be given back; NULL: none. */
GstVigilLook *gst_vigil_worker_collect(GstVigilWorker *worker);

/* Empties the slot.  TRUE: nothing runs, and nothing will until something is offered.
 */
gboolean gst_vigil_worker_rests(GstVigilWorker *worker);
/* The same, and waits for it: for what runs, all views of a frame. */
void gst_vigil_worker_let_rest(GstVigilWorker *worker);

/* Results of the looks up to now are not collected any more: what follows is another
 * stream or of other caps. */
void gst_vigil_worker_begin_epoch(GstVigilWorker *worker);

/* Waits until all is done that was offered, or until somebody interrupts. */
void gst_vigil_worker_drain(GstVigilWorker *worker);

/* Nobody wants anything any more that is under way: empties the slot, has what runs end
 * with the view at hand, and ends draining.  Any thread; it waits for nothing. */
void gst_vigil_worker_interrupt(GstVigilWorker *worker);
/* After that: begins anew. */
void gst_vigil_worker_resume(GstVigilWorker *worker);

/* Interrupts, and waits for the thread to end: for one run of the network at most. */
void gst_vigil_worker_stop(GstVigilWorker *worker);

G_END_DECLS

#endif
