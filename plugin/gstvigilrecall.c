/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilrecall.h"

typedef struct Track {
    GstVigilResult *result;
    guint64 kept, seen; /* frames */
} Track;

static void free_track(gpointer data)
{
    Track *track = data;

    gst_vigil_result_unref(track->result);
    g_free(track);
}

/* Two trackers may use the same numbers. */
static gchar *new_key(const GstVigilObject *object)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT " %s", object->track,
                           object->source ? object->source : "");
}

static gboolean is_gone(gpointer key, gpointer value, gpointer recall)
{
    const Track *track = value;

    return ((GstVigilRecall *)recall)->frame.number - track->seen >
           GST_VIGIL_RECALL_FRAMES;
}

/* With the lock. */
static GHashTable *get_tracks(GstVigilRecall *recall)
{
    if (!recall->tracks)
        recall->tracks =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_track);
    return recall->tracks;
}

GstVigilRecallFrame gst_vigil_recall_begin(GstVigilRecall *recall)
{
    g_mutex_lock(&recall->lock);
    recall->frame.number++;
    const GstVigilRecallFrame frame = recall->frame;
    if (frame.number % GST_VIGIL_RECALL_FRAMES == 0)
        g_hash_table_foreach_remove(get_tracks(recall), is_gone, recall);
    g_mutex_unlock(&recall->lock);
    return frame;
}

GstVigilResult *gst_vigil_recall_find(GstVigilRecall *recall,
                                      const GstVigilObject *object, guint64 *age)
{
    if (object->track == 0)
        return NULL;
    GstVigilResult *result = NULL;
    gchar *key = new_key(object);

    g_mutex_lock(&recall->lock);
    Track *track = g_hash_table_lookup(get_tracks(recall), key);
    if (track) {
        track->seen = recall->frame.number;
        *age = recall->frame.number - track->kept;
        result = gst_vigil_result_ref(track->result);
    }
    g_mutex_unlock(&recall->lock);
    g_free(key);
    return result;
}

void gst_vigil_recall_keep(GstVigilRecall *recall, const GstVigilRecallFrame *frame,
                           const GstVigilObject *object, GstVigilResult *result)
{
    if (object->track == 0)
        return;
    g_mutex_lock(&recall->lock);
    if (frame->round == recall->frame.round) {
        Track *track = g_new(Track, 1);
        *track = (Track) { gst_vigil_result_ref(result), frame->number, frame->number };
        g_hash_table_replace(get_tracks(recall), new_key(object), track);
    }
    g_mutex_unlock(&recall->lock);
}

void gst_vigil_recall_clear(GstVigilRecall *recall)
{
    g_mutex_lock(&recall->lock);
    g_clear_pointer(&recall->tracks, g_hash_table_unref);
    recall->frame.number = 0;
    recall->frame.round++;
    g_mutex_unlock(&recall->lock);
}
