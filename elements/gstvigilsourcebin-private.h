/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of GstVigilSourceBin share.
 */
#ifndef GST_VIGIL_SOURCE_BIN_PRIVATE_H
#define GST_VIGIL_SOURCE_BIN_PRIVATE_H

#include "gstvigilsourcebin.h"

G_BEGIN_DECLS

typedef struct _GstVigilSourceBinPrivate {
    GstPad *src; /* ghost pad, the bin's */

    /* Under the object lock. */
    guint64 frames, losses;
    GstClockTime least, most; /* latency as a chain told last; NONE: not known */
    GstClockTime expected;    /* latency until then */

    /* Set when it is opened, before there is a watcher. */
    gboolean live;
    GstVigilTiming timing;
    gboolean opens_early; /* there are chains in READY, too */

    GMutex swap;       /* held while a chain is added or chains change their state */
    GstElement *chain; /* NULL while there is none; of the holder of `swap` */
    GstState target;   /* the state of chains; of the holder of `swap` */

    GThread *watcher; /* from PAUSED up; of the thread that changes states */
    GCancellable *cancellable;
    GMutex lock; /* of what follows, and of `cond` */
    GCond cond;
    GstClockTime timeout; /* 0: none */
    gboolean watching;    /* errors of the chain are losses: from PAUSED up */
    gboolean stopping;    /* the watcher shall end */
    gboolean lost;        /* the chain shall be thrown away, or there is none */
    GError *reason;       /* why; NULL: there was none yet, or it is begun again */
    gboolean away;        /* a loss was told, and no frame has come since */
    GstClockTime lost_at; /* monotonic time */
    gboolean hurried;     /* the next attempt is made at once */
    gboolean ending;      /* all frames have come: EOS of the chain passes */
    gboolean closing;     /* EOS was sent to the element */
    gboolean ended;       /* EOS has gone out */
    guint sent;           /* frames of all chains */
    gboolean fresh;       /* this chain has sent none yet */
    GstFlowReturn flow;   /* what its last frame met */
    gboolean playing;     /* frames are due */
    gboolean pushing;     /* what follows has the frame: it is its time that passes */
    gboolean busy;        /* the chain has told that it works at a request */
    gboolean failed;      /* the chain has told of an error */
    gint64 heard;         /* monotonic time in us at which the next frame was due */

    /* Of the watcher: from a loss to the next frame. */
    gint64 began;    /* monotonic time in us of the loss before */
    gint64 wait;     /* before the next attempt, in microseconds */
    gchar *obstacle; /* what stands in the way */
    gint64 since;    /* monotonic time in us at which that came up */
    gboolean told;

    /* Of the streaming thread; chains never run at the same time. */
    gboolean started, has_segment; /* what a stream begins with was passed on */
    GstSegment segment;            /* of the chain */
    gboolean placed;               /* the chain's offset is known */
    gint64 offset;                 /* from its running time to ours, in ns */
    GstClockTime last_pts, last_end;
} GstVigilSourceBinPrivate;

GstVigilSourceBinPrivate *gst_vigil_source_bin_private(GstVigilSourceBin *self);

/* ---- gstvigilsourcebin-stream.c -------------------------------------------------- */

/* Makes the pad. */
void gst_vigil_source_bin_init_stream(GstVigilSourceBin *self, GstPad *src);
/* A new stream begins. */
void gst_vigil_source_bin_reset_stream(GstVigilSourceBin *self);

/* Takes a floating chain: the target of the pad is its pad.  Its state is NULL.  Under
 * `swap`. */
void gst_vigil_source_bin_add_chain(GstVigilSourceBin *self, GstElement *chain);
/* Stops the chain and throws it away; nothing where there is none.  Not under `swap`.
 */
void gst_vigil_source_bin_remove_chain(GstVigilSourceBin *self);

/* ---- gstvigilsourcebin-search.c -------------------------------------------------- */

/* Throws the chain away and has others made until one starts, or there is nothing more
 * to look for.  In the watcher, under `lock`, which is given back between. */
void gst_vigil_source_bin_handle_loss(GstVigilSourceBin *self);

/* ---- gstvigilsourcebin-watch.c --------------------------------------------------- */

/* Tells the watcher that the chain is lost, once for a chain; NULL: it is begun again.
 * Takes the error. */
void gst_vigil_source_bin_lose(GstVigilSourceBin *self, GError *reason);

/* TRUE: the message is a chain's error, and the application shall not see it.  It says
 * that the chain is lost, which the watcher now knows; or it was told as an error of
 * the element, once for a chain. */
gboolean gst_vigil_source_bin_takes_message(GstVigilSourceBin *self,
                                            GstMessage *message);

/* Takes note of a chain's progress, and waits, but not for long, until one that failed
 * has come to rest: rtspsrc frees its connection after it has told of the error, and
 * must not be stopped meanwhile. */
void gst_vigil_source_bin_note_progress(GstVigilSourceBin *self, GstMessage *message);
void gst_vigil_source_bin_settle(GstVigilSourceBin *self);

/* Posts that it was lost or found. */
void gst_vigil_source_bin_post_message(GstVigilSourceBin *self, gboolean found,
                                       const gchar *reason);

/* Before and after a frame is handed on; posts that it was found when the first one
 * after a loss comes. */
void gst_vigil_source_bin_note_frame(GstVigilSourceBin *self);
void gst_vigil_source_bin_note_frame_taken(GstVigilSourceBin *self, GstFlowReturn flow);
/* Frames are due from now on, or are not. */
void gst_vigil_source_bin_note_playing(GstVigilSourceBin *self, gboolean playing);

/* Errors of the chain are losses from here on ... */
void gst_vigil_source_bin_prepare_watching(GstVigilSourceBin *self);
void gst_vigil_source_bin_start_watching(GstVigilSourceBin *self);
/* Returns when the watcher has ended.  Errors are losses still, ... */
void gst_vigil_source_bin_stop_watching(GstVigilSourceBin *self);
/* ... until the loss is forgotten: when the chain has stopped. */
void gst_vigil_source_bin_forget_loss(GstVigilSourceBin *self);

/* EOS was sent to the element: the watcher stops the chain and sends it.  FALSE:
 * nothing flows. */
gboolean gst_vigil_source_bin_end(GstVigilSourceBin *self);

GST_DEBUG_CATEGORY_EXTERN(gst_vigil_source_bin_debug);

G_END_DECLS

#endif
