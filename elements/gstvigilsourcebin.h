/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GstVigilSourceBin: what the sources that survive a loss share.
 *
 * A chain is an element with a pad "src", for one opening of what the subclass reads
 * from; the pad of the source has the chain's as its target.  When it is lost the
 * watcher, a thread of its own, throws the chain away and has the subclass make others
 * until one delivers.  What flows out of all chains is one stream: one stream-start,
 * one segment, and times that never go back.  A chain whose frames stay away for
 * `timeout` is lost, too.
 */
#ifndef GST_VIGIL_SOURCE_BIN_H
#define GST_VIGIL_SOURCE_BIN_H

#include <gio/gio.h>
#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_VIGIL_SOURCE_BIN (gst_vigil_source_bin_get_type())
G_DECLARE_DERIVABLE_TYPE(GstVigilSourceBin, gst_vigil_source_bin, GST, VIGIL_SOURCE_BIN,
                         GstBin)

/* Of what time the frames of a chain are. */
typedef enum _GstVigilTiming {
    GST_VIGIL_TIMING_CLOCK,   /* they have the running time at which they were taken */
    GST_VIGIL_TIMING_ARRIVAL, /* they keep their distances, and are of the running time
                               * at which they come where that is later or they have no
                               * time */
    GST_VIGIL_TIMING_FOLLOW,  /* the first one follows the last one of the chain before
                               */
} GstVigilTiming;

/* What the end of a chain's stream is that nobody asked for. */
typedef enum _GstVigilEnding {
    GST_VIGIL_ENDING_LOSS,
    GST_VIGIL_ENDING_AGAIN, /* it is begun again */
    GST_VIGIL_ENDING_END,   /* the end */
} GstVigilEnding;

/* Functions get errors of the domains GST_RESOURCE_ERROR and GST_STREAM_ERROR, as a
 * chain posted them or as make_chain() returned them. */
struct _GstVigilSourceBinClass {
    GstBinClass parent_class;

    /* NULL to READY: checks what is set, and may add the first chain.  FALSE: an error
     * was posted.  Calls gst_vigil_source_bin_set_nature(). */
    gboolean (*open)(GstVigilSourceBin *self);
    /* Undoes that; may be NULL. */
    void (*close)(GstVigilSourceBin *self);

    /* A chain, floating, with a pad "src"; NULL: *error tells why there can be none
     * now.  In the watcher or in open(), never at the same time. */
    GstElement *(*make_chain)(GstVigilSourceBin *self, GError **error);

    /* Whether an error of a chain is kept from the application, and has the chain
     * replaced; not asked while it is lost.  sent: frames of all chains.  NULL: always.
     * As the next, in the thread that posts the error. */
    gboolean (*takes_error)(GstVigilSourceBin *self, guint sent);
    /* The sentence that the application gets in place of that of an error which is not
     * kept and is the chain's own; to be freed.  NULL: as the error says. */
    gchar *(*complain)(GstVigilSourceBin *self, const GError *error);
    /* What the end of a chain is; not asked while it is lost.  NULL: a loss.  sent:
     * frames of all chains, fresh: none of this one. */
    GstVigilEnding (*ends)(GstVigilSourceBin *self, guint sent, gboolean fresh);

    /* The following are called in the watcher, but for the last. */

    /* The loss begins; may be NULL. */
    void (*begin_search)(GstVigilSourceBin *self);
    /* A clause that tells why it was lost, or (again) what stands in the way; to be
     * freed.  NULL: as the error says. */
    gchar *(*explain)(GstVigilSourceBin *self, const GError *error, gboolean again);
    /* Whether it is of no use to try again; sent: frames of all chains.  NULL: never.
     */
    gboolean (*is_final)(GstVigilSourceBin *self, const GError *error, guint sent);
    /* Longest time between attempts, in microseconds; NULL: two seconds. */
    gint64 (*longest_wait)(GstVigilSourceBin *self, const GError *error);
    /* The sentence of an error (final), of the warning at a loss, or of the warning
     * that something else (again) stands in the way; to be freed. */
    gchar *(*sentence)(GstVigilSourceBin *self, const gchar *why, gboolean again,
                       gboolean final);
    /* An element message without its field "reason": lost, or found again. */
    GstStructure *(*message)(GstVigilSourceBin *self, gboolean found);
    /* Changes a message of a chain that goes out, and returns it or another in its
     * place; NULL: none goes out.  Takes the message.  May be NULL.  In the thread that
     * posts it. */
    GstMessage *(*filter)(GstVigilSourceBin *self, GstMessage *message);
};

/* The pad, whose peer tells what follows; not to be freed. */
GstPad *gst_vigil_source_bin_get_pad(GstVigilSourceBin *self);

/* Whether it is live; how frames get their times; and, for a live one, latency (ns) as
 * long as no chain has told its own. */
void gst_vigil_source_bin_set_nature(GstVigilSourceBin *self, gboolean live,
                                     GstVigilTiming timing, GstClockTime latency);

/* Has make_chain() make the first chain, in open(). */
gboolean gst_vigil_source_bin_add_first_chain(GstVigilSourceBin *self);

/* Frames of all chains since the change to PAUSED. */
guint gst_vigil_source_bin_get_sent(GstVigilSourceBin *self);

/* The next attempt is made at once: what stood in the way may be gone. */
void gst_vigil_source_bin_try_now(GstVigilSourceBin *self);

/* The property timeout, in ns; 0: none. */
GstClockTime gst_vigil_source_bin_get_timeout(GstVigilSourceBin *self);

/* Adds what every source counts. */
void gst_vigil_source_bin_add_stats(GstVigilSourceBin *self, GstStructure *stats);

/* Cancelled when the watcher shall end: explain() and make_chain() heed it. */
GCancellable *gst_vigil_source_bin_get_cancellable(GstVigilSourceBin *self);

/* Posts an error or a warning. */
void gst_vigil_source_bin_post(GstVigilSourceBin *self, GstMessageType type,
                               const GError *error, const gchar *text);

G_END_DECLS

#endif
