/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Another model for a classifier while frames flow.
 */
#include <string.h>
#include "frames.h"

#define SHIPPED "cameras10-emo-1m"
#define MOST_FRAMES 3000 /* of 10 ms: a model is there long before */

typedef struct Stream {
    GstHarness *harness;
    GstBus *bus;
    guint frames;
} Stream;

static Stream start(void)
{
    Stream s = { .bus = gst_bus_new() };

    s.harness = classifier_harness(classifier_plain(), STREAM_CAPS);
    gst_element_set_bus(s.harness->element, s.bus);
    return s;
}

static void stop(Stream *s)
{
    gst_element_set_bus(s->harness->element, NULL);
    gst_object_unref(s->bus);
    gst_harness_teardown(s->harness);
}

static void set_model(Stream *s, const gchar *model)
{
    g_object_set(s->harness->element, "model", model, NULL);
}

/* The model that the next frame was looked at with. */
static gchar *next_model(Stream *s)
{
    GstBuffer *out = gst_harness_push_and_pull(s->harness, frame_at(s->frames++));

    g_assert_nonnull(out);
    gchar *name = g_strdup(gst_vigil_meta_get_model(frame_meta(out)));
    gst_buffer_unref(out);
    return name;
}

/* The next message of that type, while frames go through, each of them looked at. */
static GstMessage *wait_for(Stream *s, GstMessageType type)
{
    for (guint i = 0; i < MOST_FRAMES; i++) {
        GstMessage *message = gst_bus_pop_filtered(s->bus, type);
        if (message)
            return message;
        g_free(next_model(s));
        g_usleep(10000);
    }
    g_error("no message after %u frames", MOST_FRAMES);
}

static void assert_model(Stream *s, const gchar *expected)
{
    gchar *name = next_model(s);

    g_assert_cmpstr(name, ==, expected);
    g_free(name);
}

/* Neither the property nor what runs has changed, and the warning says why. */
static void assert_stays(Stream *s, const gchar *first, const gchar *second)
{
    gchar *before = NULL, *after = NULL;
    GError *error = NULL;
    GstMessage *message = wait_for(s, GST_MESSAGE_WARNING);

    gst_message_parse_warning(message, &error, NULL);
    if (!strstr(error->message, "The model in use stays, \"classify\"") ||
        !strstr(error->message, first) || !strstr(error->message, second))
        g_error("'%s' does not name '%s' and '%s'", error->message, first, second);
    g_error_free(error);
    gst_message_unref(message);
    before = g_strdup(g_getenv("VIGIL_TEST_MODEL"));
    g_object_get(s->harness->element, "model", &after, NULL);
    g_assert_cmpstr(before, ==, after);
    g_free(before);
    g_free(after);
    assert_model(s, "classify");
    g_assert_null(gst_bus_pop_filtered(s->bus, GST_MESSAGE_ELEMENT));
}

static void test_updated(void)
{
    Stream s = start();
    gint classes = 0;

    assert_model(&s, "classify");
    set_model(&s, SHIPPED);
    GstMessage *message = wait_for(&s, GST_MESSAGE_ELEMENT);
    const GstStructure *told = gst_message_get_structure(message);
    g_assert_true(gst_structure_has_name(told, "model-updated"));
    g_assert_cmpstr(gst_structure_get_string(told, "name"), ==, SHIPPED);
    g_assert_cmpstr(gst_structure_get_string(told, "variant"), ==, "EMO_1M");
    g_assert_true(gst_structure_get_int(told, "classes", &classes));
    g_assert_cmpint(classes, ==, 10);
    gst_message_unref(message);
    assert_model(&s, SHIPPED);
    set_model(&s, g_getenv("VIGIL_TEST_MODEL"));
    gst_message_unref(wait_for(&s, GST_MESSAGE_ELEMENT));
    assert_model(&s, "classify");
    stop(&s);
}

/* Setting returns before the model is there: nothing waits for it. */
static void test_no_frame_waits(void)
{
    Stream s = start();

    assert_model(&s, "classify");
    set_model(&s, SHIPPED);
    for (guint i = 0; i < 3; i++)
        g_free(next_model(&s));
    const guint64 analysed = stats_count(s.harness->element, "analysed");
    g_assert_cmpuint(analysed, ==, s.frames);
    gst_message_unref(wait_for(&s, GST_MESSAGE_ELEMENT));
    g_assert_cmpuint(stats_count(s.harness->element, "analysed"), ==, s.frames);
    stop(&s);
}

static void test_missing(void)
{
    Stream s = start();

    assert_model(&s, "classify");
    set_model(&s, "/nowhere/other.safetensors");
    assert_stays(&s, "/nowhere/other.safetensors", "Set the property model");
    stop(&s);
}

/* The model of an instance stays as long as it has members; another id may have
 * another. */
static void test_instance(void)
{
    Stream s = start();

    gst_element_set_state(s.harness->element, GST_STATE_NULL);
    g_object_set(s.harness->element, "model-instance-id", "gate", NULL);
    gst_element_set_state(s.harness->element, GST_STATE_PLAYING);
    gst_harness_push_event(s.harness, gst_event_new_stream_start("again"));
    gst_harness_set_src_caps_str(s.harness, STREAM_CAPS);
    assert_model(&s, "classify");
    set_model(&s, SHIPPED);
    assert_stays(&s, SHIPPED, "model-instance-id \"gate\"");
    g_object_set(s.harness->element, "model-instance-id", "yard", NULL);
    set_model(&s, SHIPPED);
    gst_message_unref(wait_for(&s, GST_MESSAGE_ELEMENT));
    assert_model(&s, SHIPPED);
    stop(&s);
}

static void test_other_task(void)
{
    Stream s = start();

    assert_model(&s, "classify");
    set_model(&s, "cameras3-ssdlite-emo-1m");
    assert_stays(&s, "for detection", "not for classification");
    stop(&s);
}

/* Settings that do not fit the new model: nothing is changed by halves. */
static void test_settings_do_not_fit(void)
{
    Stream s = start();

    assert_model(&s, "classify");
    g_object_set(s.harness->element, "labels", "voc21", NULL);
    set_model(&s, SHIPPED);
    assert_stays(&s, "\"voc21\" has 21 labels", "has 10 classes");
    stop(&s);
}

static void test_last_one_counts(void)
{
    Stream s = start();

    assert_model(&s, "classify");
    for (guint i = 0; i < 20; i++) {
        set_model(&s, g_getenv("VIGIL_TEST_MODEL"));
        set_model(&s, "/nowhere/other.safetensors");
        set_model(&s, SHIPPED);
    }
    for (;;) {
        gchar *name = next_model(&s);
        const gboolean there = g_str_equal(name, SHIPPED);
        g_free(name);
        if (there)
            break;
        g_usleep(10000);
        g_assert_cmpuint(s.frames, <, MOST_FRAMES);
    }
    g_usleep(200000);
    assert_model(&s, SHIPPED);
    stop(&s);
}

/* Stopped before the model was taken: it is what runs next. */
static void test_stopped(void)
{
    for (guint i = 0; i < 10; i++) {
        Stream s = start();
        assert_model(&s, "classify");
        set_model(&s, SHIPPED);
        g_usleep(i * 20000);
        gst_element_set_state(s.harness->element, GST_STATE_READY);
        gst_element_set_state(s.harness->element, GST_STATE_PLAYING);
        gst_harness_push_event(s.harness, gst_event_new_stream_start("again"));
        gst_harness_set_src_caps_str(s.harness, STREAM_CAPS);
        s.frames = 0;
        assert_model(&s, SHIPPED);
        stop(&s);
    }
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/swap/updated", test_updated);
    g_test_add_func("/swap/no-frame-waits", test_no_frame_waits);
    g_test_add_func("/swap/missing", test_missing);
    g_test_add_func("/swap/instance", test_instance);
    g_test_add_func("/swap/other-task", test_other_task);
    g_test_add_func("/swap/settings-do-not-fit", test_settings_do_not_fit);
    g_test_add_func("/swap/last-one-counts", test_last_one_counts);
    g_test_add_func("/swap/stopped", test_stopped);
    return g_test_run();
}
