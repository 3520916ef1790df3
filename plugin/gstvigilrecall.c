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

    return ((GstVigilRecall *)recall)->frame - track->seen > GST_VIGIL_RECALL_FRAMES;
}

void gst_vigil_recall_begin(GstVigilRecall *recall)
{
    if (!recall->tracks)
        recall->tracks =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_track);
    if (++recall->frame % GST_VIGIL_RECALL_FRAMES == 0)
        g_hash_table_foreach_remove(recall->tracks, is_gone, recall);
}

const GstVigilResult *gst_vigil_recall_find(GstVigilRecall *recall,
                                            const GstVigilObject *object, guint64 *age)
{
    if (object->track == 0)
        return NULL;
    gchar *key = new_key(object);
    Track *track = g_hash_table_lookup(recall->tracks, key);
    g_free(key);
    if (!track)
        return NULL;
    track->seen = recall->frame;
    *age = recall->frame - track->kept;
    return track->result;
}

void gst_vigil_recall_keep(GstVigilRecall *recall, const GstVigilObject *object,
                           GstVigilResult *result)
{
    if (object->track == 0)
        return;
    Track *track = g_new(Track, 1);
    *track = (Track) { gst_vigil_result_ref(result), recall->frame, recall->frame };
    g_hash_table_replace(recall->tracks, new_key(object), track);
}

void gst_vigil_recall_clear(GstVigilRecall *recall)
{
    g_clear_pointer(&recall->tracks, g_hash_table_unref);
    recall->frame = 0;
}
