/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watched.h"

#include <string.h>

static GMutex lock;
static GString *said;
static gint n_logged;

static void note(const gchar *text)
{
    g_mutex_lock(&lock);
    g_string_append(said, text ? text : "");
    g_string_append_c(said, '\n');
    g_mutex_unlock(&lock);
}

static void on_log(GstDebugCategory *category, GstDebugLevel level, const gchar *file,
                   const gchar *function, gint line, GObject *object,
                   GstDebugMessage *message, gpointer data)
{
    if (!g_str_has_prefix(gst_debug_category_get_name(category), "vigil"))
        return;
    note(gst_debug_message_get(message));
    g_atomic_int_inc(&n_logged);
}

static void note_value(const GValue *value)
{
    gchar *text = g_strdup_value_contents(value);

    note(text);
    g_free(text);
    if (GST_VALUE_HOLDS_STRUCTURE(value) && g_value_get_boxed(value)) {
        text = gst_structure_to_string(g_value_get_boxed(value));
        note(text);
        g_free(text);
    }
}

static void note_property(GObject *object, GParamSpec *spec)
{
    GValue value = G_VALUE_INIT;

    if (!(spec->flags & G_PARAM_READABLE))
        return;
    g_value_init(&value, spec->value_type);
    g_object_get_property(object, spec->name, &value);
    note_value(&value);
    g_value_unset(&value);
}

static void on_notify(GstObject *pipeline, GstObject *object, GParamSpec *spec,
                      gpointer data)
{
    note_property(G_OBJECT(object), spec);
}

static GstBusSyncReply on_message(GstBus *bus, GstMessage *message, gpointer data)
{
    const GstStructure *structure = gst_message_get_structure(message);
    GError *error = NULL;
    gchar *text = structure ? gst_structure_to_string(structure) : NULL;

    note(text);
    g_free(text);
    text = NULL;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING)
        gst_message_parse_warning(message, &error, &text);
    else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
        gst_message_parse_error(message, &error, &text);
    note(error ? error->message : NULL);
    note(text);
    g_clear_error(&error);
    g_free(text);
    return GST_BUS_PASS;
}

void watched_init(void)
{
    said = g_string_new(NULL);
    gst_debug_set_active(TRUE);
    gst_debug_set_threshold_from_string("vigil*:9", FALSE);
    gst_debug_remove_log_function(gst_debug_log_default);
    gst_debug_add_log_function(on_log, NULL, NULL);
}

void watched_add(Play *play)
{
    GstBus *bus = gst_element_get_bus(play->pipeline);

    gst_bus_set_sync_handler(bus, on_message, NULL, NULL);
    gst_object_unref(bus);
    g_signal_connect(play->pipeline, "deep-notify", G_CALLBACK(on_notify), NULL);
}

void watched_assert_without(Play *play, const gchar *secret)
{
    guint n;
    GParamSpec **specs =
        g_object_class_list_properties(G_OBJECT_GET_CLASS(play->src), &n);

    for (guint i = 0; i < n; i++)
        note_property(G_OBJECT(play->src), specs[i]);
    g_free(specs);
    g_mutex_lock(&lock);
    const gchar *found = strstr(said->str, secret);
    if (found)
        g_error("\"%s\" was said: %.200s", secret, found - MIN(found - said->str, 100));
    g_string_truncate(said, 0);
    g_mutex_unlock(&lock);
}

gint watched_lines(void)
{
    return g_atomic_int_get(&n_logged);
}
