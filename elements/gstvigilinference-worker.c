/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilinference-private.h"

/* ---- Looks ---------------------------------------------------------------------- */

void gst_vigil_worker_init(GstVigilWorker *worker, GstVigilInference *self)
{
    worker->self = self;
    g_mutex_init(&worker->lock);
    g_cond_init(&worker->changed);
    worker->spare = g_ptr_array_new_with_free_func((GDestroyNotify)gst_vigil_look_free);
}

void gst_vigil_worker_clear(GstVigilWorker *worker)
{
    g_ptr_array_unref(worker->spare);
    g_mutex_clear(&worker->lock);
    g_cond_clear(&worker->changed);
}

/* All take their turns, so that none keeps the room that an earlier setting needed. */
GstVigilLook *gst_vigil_worker_get_look(GstVigilWorker *worker)
{
    GstVigilLook *look = NULL;

    g_mutex_lock(&worker->lock);
    if (worker->spare->len > 0)
        look = g_ptr_array_steal_index(worker->spare, 0);
    g_mutex_unlock(&worker->lock);
    return look ? look : gst_vigil_look_new(worker->self);
}

/* With the lock, as the next two. */
static void put_back(GstVigilWorker *worker, GstVigilLook *look)
{
    gst_vigil_look_end(look);
    g_ptr_array_add(worker->spare, look);
}

static void empty_slot(GstVigilWorker *worker)
{
    if (!worker->waiting)
        return;
    put_back(worker, g_steal_pointer(&worker->waiting));
    gst_vigil_inference_count_skipped(worker->self);
}

/* Nobody has collected it, and nobody will. */
static void drop_done(GstVigilWorker *worker)
{
    if (!worker->done)
        return;
    put_back(worker, g_steal_pointer(&worker->done));
    gst_vigil_inference_count_unattached(worker->self);
}

void gst_vigil_worker_give_back(GstVigilWorker *worker, GstVigilLook *look)
{
    g_mutex_lock(&worker->lock);
    put_back(worker, look);
    g_mutex_unlock(&worker->lock);
}

/* ---- The thread ----------------------------------------------------------------- */

/* NULL: it is over. */
static GstVigilLook *next_look(GstVigilWorker *worker)
{
    g_mutex_lock(&worker->lock);
    while (!worker->waiting && !worker->quit)
        g_cond_wait(&worker->changed, &worker->lock);
    worker->running = worker->quit ? NULL : g_steal_pointer(&worker->waiting);
    GstVigilLook *look = worker->running;
    g_mutex_unlock(&worker->lock);
    return look;
}

/* Who finds the frame counted finds its results, too. */
static void take_done(GstVigilWorker *worker, gboolean whole)
{
    g_mutex_lock(&worker->lock);
    GstVigilLook *look = g_steal_pointer(&worker->running);
    if (whole) {
        drop_done(worker);
        worker->done = look;
        gst_vigil_inference_note_analysed(look);
        if (look->epoch != worker->epoch)
            drop_done(worker);
    } else {
        put_back(worker, look);
        gst_vigil_inference_count_skipped(worker->self);
    }
    g_cond_broadcast(&worker->changed);
    g_mutex_unlock(&worker->lock);
}

static gpointer work(gpointer data)
{
    GstVigilWorker *worker = data;
    GstVigilLook *look;

    while ((look = next_look(worker)))
        take_done(worker, gst_vigil_look_work(look));
    return NULL;
}

/* ---- For the streaming thread --------------------------------------------------- */

GstVigilLook *gst_vigil_worker_offer(GstVigilWorker *worker, GstVigilLook *look)
{
    GstVigilLook *older = NULL;

    g_mutex_lock(&worker->lock);
    if (worker->interrupted) {
        put_back(worker, look);
        gst_vigil_inference_count_skipped(worker->self);
    } else {
        older = worker->waiting;
        look->epoch = worker->epoch;
        worker->waiting = look;
        if (!worker->thread)
            worker->thread = g_thread_new("vigil-infer", work, worker);
        g_cond_broadcast(&worker->changed);
    }
    g_mutex_unlock(&worker->lock);
    return older;
}

GstVigilLook *gst_vigil_worker_collect(GstVigilWorker *worker)
{
    g_mutex_lock(&worker->lock);
    GstVigilLook *look = g_steal_pointer(&worker->done);
    g_mutex_unlock(&worker->lock);
    return look;
}

gboolean gst_vigil_worker_rests(GstVigilWorker *worker)
{
    g_mutex_lock(&worker->lock);
    empty_slot(worker);
    const gboolean rests = !worker->running;
    g_mutex_unlock(&worker->lock);
    return rests;
}

void gst_vigil_worker_let_rest(GstVigilWorker *worker)
{
    g_mutex_lock(&worker->lock);
    empty_slot(worker);
    while (worker->running)
        g_cond_wait(&worker->changed, &worker->lock);
    g_mutex_unlock(&worker->lock);
}

void gst_vigil_worker_begin_epoch(GstVigilWorker *worker)
{
    g_mutex_lock(&worker->lock);
    worker->epoch++;
    drop_done(worker);
    g_mutex_unlock(&worker->lock);
}

void gst_vigil_worker_drain(GstVigilWorker *worker)
{
    g_mutex_lock(&worker->lock);
    while ((worker->waiting || worker->running) && !worker->interrupted)
        g_cond_wait(&worker->changed, &worker->lock);
    g_mutex_unlock(&worker->lock);
}

/* ---- Ends ----------------------------------------------------------------------- */

void gst_vigil_worker_interrupt(GstVigilWorker *worker)
{
    g_mutex_lock(&worker->lock);
    worker->interrupted = TRUE;
    empty_slot(worker);
    if (worker->running)
        g_atomic_int_set(&worker->running->unwanted, TRUE);
    g_cond_broadcast(&worker->changed);
    g_mutex_unlock(&worker->lock);
}

void gst_vigil_worker_resume(GstVigilWorker *worker)
{
    gst_vigil_worker_begin_epoch(worker);
    g_mutex_lock(&worker->lock);
    worker->interrupted = FALSE;
    g_mutex_unlock(&worker->lock);
}

void gst_vigil_worker_stop(GstVigilWorker *worker)
{
    gst_vigil_worker_interrupt(worker);
    g_mutex_lock(&worker->lock);
    GThread *thread = worker->thread;
    worker->quit = TRUE;
    g_cond_broadcast(&worker->changed);
    g_mutex_unlock(&worker->lock);
    if (thread)
        g_thread_join(thread);
    worker->thread = NULL;
    worker->quit = FALSE;
    gst_vigil_worker_begin_epoch(worker);
    g_ptr_array_set_size(worker->spare, 0);
}
