/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "play.h"

#include <string.h>

static GstPadProbeReturn on_data(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Play *play = data;

    g_mutex_lock(&play->lock);
    if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
        const GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
        play->backwards += play->frames && pts <= play->last;
        if (play->frames && pts > play->last)
            play->widest = MAX(play->widest, pts - play->last);
        play->last = pts;
        play->frames++;
    } else {
        GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
        GstCaps *caps = NULL;
        play->starts += GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START;
        play->segments += GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT;
        play->ends += GST_EVENT_TYPE(event) == GST_EVENT_EOS;
        if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
            gst_event_parse_caps(event, &caps);
            g_free(play->caps);
            play->caps = gst_caps_to_string(caps);
        }
    }
    g_mutex_unlock(&play->lock);
    return GST_PAD_PROBE_OK;
}

Play *play_new(const gchar *source, const gchar *settings, const gchar *after)
{
    Play *play = g_new0(Play, 1);
    GError *error = NULL;
    gchar *text = g_strdup_printf("%s name=src %s ! %s fakesink name=sink sync=false",
                                  source, settings, after);

    g_mutex_init(&play->lock);
    play->pipeline = gst_parse_launch(text, &error);
    g_assert_no_error(error);
    play->src = gst_bin_get_by_name(GST_BIN(play->pipeline), "src");
    play->sink = gst_bin_get_by_name(GST_BIN(play->pipeline), "sink");
    GstPad *pad = gst_element_get_static_pad(play->sink, "sink");
    gst_pad_add_probe(pad,
                      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
                      on_data, play, NULL);
    gst_object_unref(pad);
    g_free(text);
    return play;
}

void play_free(Play *play)
{
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_NULL), ==,
                    GST_STATE_CHANGE_SUCCESS);
    gst_object_unref(play->src);
    gst_object_unref(play->sink);
    gst_object_unref(play->pipeline);
    g_mutex_clear(&play->lock);
    g_free(play->caps);
    g_free(play);
}

guint play_count(Play *play, const guint *counter)
{
    g_mutex_lock(&play->lock);
    const guint count = *counter;
    g_mutex_unlock(&play->lock);
    return count;
}

void play_wait_frames(Play *play, guint n)
{
    const guint wanted = play_count(play, &play->frames) + n;

    for (guint i = 0; i < 6000 && play_count(play, &play->frames) < wanted; i++)
        g_usleep(10000);
    g_assert_cmpuint(play_count(play, &play->frames), >=, wanted);
}

void play_start(Play *play)
{
    g_assert_cmpint(gst_element_set_state(play->pipeline, GST_STATE_PLAYING), !=,
                    GST_STATE_CHANGE_FAILURE);
    play_wait_frames(play, 3);
}

static gboolean is_of_source(Play *play, GstMessage *message)
{
    return !(GST_MESSAGE_TYPE(message) & (GST_MESSAGE_WARNING | GST_MESSAGE_ELEMENT)) ||
           GST_MESSAGE_SRC(message) == GST_OBJECT(play->src);
}

GstMessage *play_pop(Play *play, GstMessageType types, GstClockTime timeout)
{
    GstBus *bus = gst_element_get_bus(play->pipeline);
    GstMessage *message;

    while ((message = gst_bus_timed_pop_filtered(bus, timeout, types)) &&
           !is_of_source(play, message))
        gst_message_unref(message);
    gst_object_unref(bus);
    return message;
}

/* The next warning or error, which says all of the words; NULL ends them. */
void play_assert_says(Play *play, GstMessageType type, const gchar *const words[])
{
    GstMessage *message = play_pop(play, GST_MESSAGE_ERROR | type, PLAY_PATIENCE);
    GError *error = NULL;

    g_assert_nonnull(message);
    g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, type);
    if (type == GST_MESSAGE_ERROR)
        gst_message_parse_error(message, &error, NULL);
    else
        gst_message_parse_warning(message, &error, NULL);
    for (guint i = 0; words[i]; i++)
        if (!strstr(error->message, words[i]))
            g_error("\"%s\" is not in: %s", words[i], error->message);
    g_error_free(error);
    gst_message_unref(message);
}

GstStructure *play_take_message(Play *play, const gchar *name, const gchar *reason)
{
    GstMessage *message = play_pop(
        play, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR | GST_MESSAGE_EOS, PLAY_PATIENCE);

    g_assert_nonnull(message);
    g_assert_cmpstr(GST_MESSAGE_TYPE_NAME(message), ==, "element");
    GstStructure *structure = gst_structure_copy(gst_message_get_structure(message));
    gst_message_unref(message);
    g_assert_cmpstr(gst_structure_get_name(structure), ==, name);
    const gchar *said = gst_structure_get_string(structure, "reason");
    if (!strstr(said, reason))
        g_error("\"%s\" is not in: %s", reason, said);
    return structure;
}

void play_assert_quiet(Play *play)
{
    GstMessage *message = play_pop(
        play, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING, 0);

    if (message)
        g_error("%s", GST_MESSAGE_TYPE_NAME(message));
}

void play_assert_ends(Play *play)
{
    GstMessage *message =
        play_pop(play, GST_MESSAGE_EOS | GST_MESSAGE_ERROR, PLAY_PATIENCE);

    g_assert_nonnull(message);
    g_assert_cmpint(GST_MESSAGE_TYPE(message), ==, GST_MESSAGE_EOS);
    gst_message_unref(message);
    g_usleep(300000);
    g_assert_cmpuint(play_count(play, &play->ends), ==, 1);
}

void play_assert_latency(Play *play, gboolean live, GstClockTime least)
{
    GstQuery *query = gst_query_new_latency();
    GstPad *pad = gst_element_get_static_pad(play->src, "src");
    GstClockTime min, max;
    gboolean is_live;

    g_assert_true(gst_pad_query(pad, query));
    gst_object_unref(pad);
    gst_query_parse_latency(query, &is_live, &min, &max);
    g_assert_cmpint(is_live, ==, live);
    g_assert_cmpuint(min, ==, least);
    g_assert_cmpuint(max, >=, min);
    gst_query_unref(query);
}

guint64 play_stat(Play *play, const gchar *name)
{
    GstStructure *stats = NULL;
    guint64 value = 0;

    g_object_get(play->src, "stats", &stats, NULL);
    g_assert_true(gst_structure_get_uint64(stats, name, &value));
    gst_structure_free(stats);
    return value;
}

void play_remove_element(const gchar *name)
{
    GstRegistry *registry = gst_registry_get();
    GstPluginFeature *feature =
        gst_registry_find_feature(registry, name, GST_TYPE_ELEMENT_FACTORY);

    if (feature) {
        gst_registry_remove_feature(registry, feature);
        gst_object_unref(feature);
    }
}
