/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mode=latest where something else comes than the next frame: the end, a flush, other
 * caps or times, another mode or model, a change of state, settings from other threads.
 */
#include "late.h"

#define SHIPPED "cameras10-emo-1m"

static Late start(void)
{
    return late_start(classifier_new("post-messages", TRUE, NULL), STREAM_CAPS);
}

/* A first frame runs, and a second one waits. */
static void fill(Late *l)
{
    late_push_bare(l, 1);
    gate_wait_came(1);
    late_push_bare(l, 1);
}

static void assert_count(const Late *l, const gchar *field, guint64 expected)
{
    g_assert_cmpuint(stats_count(l->element, field), ==, expected);
}

static guint count_messages(const Late *l)
{
    guint n = 0;

    for (GstMessage *m; (m = gst_bus_pop_filtered(l->bus, GST_MESSAGE_ELEMENT));) {
        n += gst_structure_has_name(gst_message_get_structure(m),
                                    "vigil-classification");
        gst_message_unref(m);
    }
    return n;
}

/* ---- The end -------------------------------------------------------------------- */

typedef struct End {
    const Late *l;
    guint64 analysed; /* when the end came out */
} End;

static GstPadProbeReturn note_end(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    End *end = data;

    if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS)
        end->analysed = stats_count(end->l->element, "analysed");
    return GST_PAD_PROBE_OK;
}

static gpointer push_eos(gpointer data)
{
    const Late *l = data;

    gst_harness_push_event(l->h, gst_event_new_eos()); /* FALSE where it is cut short */
    return NULL;
}

/* What was under way is told before the end, though no frame carries it. */
static void test_eos(void)
{
    Late l = start();
    End end = { &l, 0 };

    gst_pad_add_probe(l.h->sinkpad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, note_end, &end,
                      NULL);
    fill(&l);
    GThread *thread = g_thread_new("eos", push_eos, &l);
    gate_let(2);
    g_thread_join(thread);
    g_assert_cmpuint(end.analysed, ==, 2);
    g_assert_cmpuint(count_messages(&l), ==, 2);
    assert_count(&l, "unattached", 2);
    late_stop(&l);
}

/* ---- Flush ---------------------------------------------------------------------- */

static void flush(Late *l)
{
    GstSegment segment;

    gst_harness_push_event(l->h, gst_event_new_flush_start());
    gst_harness_push_event(l->h, gst_event_new_flush_stop(TRUE));
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(l->h, gst_event_new_segment(&segment));
}

/* Nothing of before is told after it, and it waits for nothing. */
static void test_flush(void)
{
    Late l = start();

    fill(&l);
    flush(&l);
    late_push_bare(&l, 1); /* frame 2: waits for the run of frame 0 */
    gate_let(1);
    gate_wait_came(2);
    assert_count(&l, "analysed", 0);
    assert_count(&l, "skipped", 2);
    g_assert_cmpuint(count_messages(&l), ==, 0);
    GstBuffer *out = late_push_after(&l, 1, 1);
    g_assert_cmpuint(late_of_frame(out), ==, 2);
    gst_buffer_unref(out);
    late_stop(&l);
}

static void test_flush_ends_waiting(void)
{
    Late l = start();

    fill(&l);
    GThread *thread = g_thread_new("eos", push_eos, &l);
    g_usleep(20000); /* as a rule it waits by now; either way it ends */
    gst_harness_push_event(l.h, gst_event_new_flush_start());
    g_thread_join(thread); /* with the gate shut */
    gst_harness_push_event(l.h, gst_event_new_flush_stop(TRUE));
    g_assert_cmpuint(gate_came(), ==, 1);
    late_stop(&l);
}

/* ---- Other frames --------------------------------------------------------------- */

/* Results of before are told in messages, and no frame of after carries them. */
static void check_not_carried(Late *l)
{
    late_push_bare(l, 1); /* takes the slot */
    gate_let(1);
    late_wait(l, "unattached", 1); /* just after it is counted as analysed */
    assert_count(l, "analysed", 1);
    g_assert_cmpuint(count_messages(l), ==, 1);
    const guint first = l->frames - 1;
    GstBuffer *out = late_push_after(l, 1, 2);
    g_assert_cmpuint(late_of_frame(out), ==, first);
    gst_buffer_unref(out);
    late_stop(l);
}

static void test_caps(void)
{
    static const gchar *const other =
        "video/x-raw,format=RGB,width=64,height=200,framerate=25/1";
    Late l = start();

    fill(&l);
    gst_harness_set_src_caps_str(l.h, other);
    l.info = frame_info(other);
    check_not_carried(&l);
}

static void test_segment(void)
{
    Late l = start();
    GstSegment segment;

    fill(&l);
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.base = GST_SECOND;
    gst_harness_push_event(l.h, gst_event_new_segment(&segment));
    check_not_carried(&l);
}

static void test_stream(void)
{
    Late l = start();

    fill(&l);
    gst_harness_push_event(l.h, gst_event_new_stream_start("another"));
    gst_harness_set_src_caps_str(l.h, STREAM_CAPS);
    check_not_carried(&l);
}

/* ---- Modes ---------------------------------------------------------------------- */

static void assert_mode(const Late *l, const gchar *expected)
{
    gchar *mode = late_text(l, "mode");

    g_assert_cmpstr(mode, ==, expected);
    g_free(mode);
}

/* It is told at once what the latency will be. */
static void set_mode(Late *l, const gchar *mode)
{
    gst_util_set_object_arg(G_OBJECT(l->element), "mode", mode);
    GstMessage *message = gst_bus_pop_filtered(l->bus, GST_MESSAGE_LATENCY);
    g_assert_nonnull(message);
    gst_message_unref(message);
}

static gpointer push_frame(gpointer data)
{
    return late_push(data);
}

/* The frame after the change waits for its own results. */
static void test_to_sync(void)
{
    Late l = start();

    fill(&l);
    assert_mode(&l, "latest");
    set_mode(&l, "sync");
    g_assert_cmpuint(gst_harness_query_latency(l.h), >, 0);
    GThread *thread = g_thread_new("frame", push_frame, &l);
    late_wait(&l, "skipped", 1); /* the one that waited */
    gate_let(2);
    GstBuffer *out = g_thread_join(thread);
    g_assert_cmpuint(gate_came(), ==, 2);
    g_assert_cmpuint(frame_count_metas(out), ==, 1);
    g_assert_cmpuint(late_of_frame(out), ==, 2);
    gst_buffer_unref(out);
    assert_mode(&l, "sync");
    assert_count(&l, "unattached", 1);
    assert_count(&l, "skipped", 1);
    late_stop(&l);
}

static void test_to_latest(void)
{
    Late l = start();

    set_mode(&l, "sync");
    gate_let(1);
    GstBuffer *out = late_push(&l);
    g_assert_cmpuint(late_of_frame(out), ==, 0);
    gst_buffer_unref(out);
    set_mode(&l, "latest");
    g_assert_cmpuint(gst_harness_query_latency(l.h), ==, 0);
    late_push_bare(&l, 3);
    assert_mode(&l, "latest");
    late_stop(&l);
}

/* A harness calls itself live. */
static void test_auto(void)
{
    Late l = start();

    set_mode(&l, "auto");
    assert_mode(&l, "auto");
    gst_harness_set_upstream_latency(l.h, 7 * GST_MSECOND);
    g_assert_cmpuint(gst_harness_query_latency(l.h), ==, 7 * GST_MSECOND);
    late_push_bare(&l, 2);
    assert_mode(&l, "latest");
    g_assert_null(gst_bus_pop_filtered(l.bus, GST_MESSAGE_LATENCY));
    late_stop(&l);
}

static void check_source(const gchar *source, const gchar *mode)
{
    gchar *text =
        g_strdup_printf("%s num-buffers=3 ! video/x-raw,width=160,height=120 ! queue ! "
                        "vigilclassify name=classify model=%s ! fakesink",
                        source, g_getenv("VIGIL_TEST_MODEL"));
    GstElement *pipeline = gst_parse_launch(text, NULL);
    Late l = { .element = gst_bin_get_by_name(GST_BIN(pipeline), "classify") };
    GstBus *bus = gst_element_get_bus(pipeline);

    for (guint i = 0; i < 2; i++) {
        gst_element_set_state(pipeline, GST_STATE_PLAYING);
        gst_message_unref(
            gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS));
        assert_mode(&l, mode);
        assert_count(&l, "frames", 3);
        gst_element_set_state(pipeline, GST_STATE_READY);
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(bus);
    gst_object_unref(l.element);
    gst_object_unref(pipeline);
    g_free(text);
}

static void test_sources(void)
{
    check_source("videotestsrc", "sync");
    check_source("videotestsrc is-live=true", "latest");
}

/* ---- Models --------------------------------------------------------------------- */

/* A model that was opened is taken when the run in progress is over; frames go on. */
static void test_swap(void)
{
    Late l = start();
    GstMessage *message = NULL;

    fill(&l);
    g_object_set(l.element, "model", SHIPPED, NULL);
    gate_wait_came(2); /* the run by which it is measured */
    gate_let_one(2);
    late_push_bare(&l, 20);
    g_assert_cmpuint(gate_came(), ==, 2);
    gate_open();
    while (!message) {
        gst_buffer_unref(late_push(&l));
        message = gst_bus_pop_filtered(l.bus, GST_MESSAGE_ELEMENT);
        if (message && !gst_message_has_name(message, "model-updated"))
            gst_clear_message(&message);
        g_usleep(10000);
        g_assert_cmpuint(l.frames, <, 3000);
    }
    gst_message_unref(message);
    for (gboolean told = FALSE; !told;) {
        GstBuffer *out = late_push(&l);
        told = frame_count_metas(out) &&
               g_str_equal(gst_vigil_meta_get_model(frame_meta(out)), SHIPPED);
        gst_buffer_unref(out);
        g_usleep(10000);
        g_assert_cmpuint(l.frames, <, 3000);
    }
    late_stop(&l);
}

/* ---- States --------------------------------------------------------------------- */

static gpointer stop_element(gpointer data)
{
    const Late *l = data;

    g_assert_cmpint(gst_element_set_state(l->element, GST_STATE_NULL), ==,
                    GST_STATE_CHANGE_SUCCESS);
    return NULL;
}

/* It waits for the run in progress, and for no other. */
static void test_stop(void)
{
    Late l = start();

    fill(&l);
    GThread *thread = g_thread_new("stop", stop_element, &l);
    late_wait(&l, "skipped", 1); /* the slot is empty */
    gate_let(1);
    g_thread_join(thread);
    g_assert_cmpuint(gate_came(), ==, 1);
    assert_count(&l, "skipped", 2);
    assert_count(&l, "analysed", 0);
    late_stop(&l);
}

static void test_stop_while_ending(void)
{
    Late l = start();

    fill(&l);
    GThread *end = g_thread_new("eos", push_eos, &l);
    g_usleep(20000); /* as a rule it waits by now */
    GThread *thread = g_thread_new("stop", stop_element, &l);
    late_wait(&l, "skipped", 1);
    gate_let(1);
    g_thread_join(thread);
    g_thread_join(end);
    late_stop(&l);
}

static void test_cycles(void)
{
    Late l = start();

    gate_open();
    for (guint i = 0; i < 30; i++) {
        gst_element_set_state(l.element, GST_STATE_READY);
        gst_element_set_state(l.element, GST_STATE_PLAYING);
        gst_harness_push_event(l.h, gst_event_new_stream_start("again"));
        gst_harness_set_src_caps_str(l.h, STREAM_CAPS);
        for (guint n = 0; n < i % 4; n++)
            gst_buffer_unref(late_push(&l));
    }
    late_stop(&l);
}

/* ---- Threads -------------------------------------------------------------------- */

typedef struct Meddler {
    const Late *l;
    gint over; /* atomic */
} Meddler;

static gpointer meddle(gpointer data)
{
    static const gchar *const regions[] = { NULL, "a=0,0,0.5,1;b=0.5,0,0.5,1" };
    static const gchar *const modes[] = { "latest", "sync", "auto" };
    Meddler *m = data;

    for (guint i = 0; !g_atomic_int_get(&m->over); i++) {
        GstElement *element = m->l->element;
        GstStructure *stats = NULL;
        g_object_set(element, "regions", regions[i % 2], "inference-interval",
                     1 + i % 3, "top-k", 1 + i % 5, "max-fps", i % 7 ? 0.0 : 20.0,
                     NULL);
        if (i % 16 == 0)
            gst_util_set_object_arg(G_OBJECT(element), "mode", modes[i / 16 % 3]);
        if (i % 64 == 0)
            g_object_set(element, "model", g_getenv("VIGIL_TEST_MODEL"), NULL);
        g_object_get(element, "stats", &stats, NULL);
        gst_structure_free(stats);
        gst_harness_query_latency(m->l->h);
        g_usleep(500);
    }
    return NULL;
}

/* Whatever is set meanwhile: every frame comes out, as it was. */
static void test_meddling(void)
{
    Late l = start();
    Meddler m = { &l, FALSE };

    gate_open();
    GThread *thread = g_thread_new("meddler", meddle, &m);
    for (guint i = 0; i < 300; i++) {
        gst_buffer_unref(late_push(&l));
        if (i % 50 == 49)
            flush(&l);
        g_usleep(2000);
    }
    g_atomic_int_set(&m.over, TRUE);
    g_thread_join(thread);
    assert_count(&l, "frames", 300);
    g_assert_cmpuint(stats_count(l.element, "analysed"), >, 0);
    g_assert_null(gst_bus_pop_filtered(l.bus, GST_MESSAGE_ERROR));
    late_stop(&l);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/latest/eos", test_eos);
    g_test_add_func("/latest/flush/forgets", test_flush);
    g_test_add_func("/latest/flush/ends-waiting", test_flush_ends_waiting);
    g_test_add_func("/latest/caps", test_caps);
    g_test_add_func("/latest/segment", test_segment);
    g_test_add_func("/latest/stream", test_stream);
    g_test_add_func("/latest/mode/to-sync", test_to_sync);
    g_test_add_func("/latest/mode/to-latest", test_to_latest);
    g_test_add_func("/latest/mode/auto", test_auto);
    g_test_add_func("/latest/mode/sources", test_sources);
    g_test_add_func("/latest/swap", test_swap);
    g_test_add_func("/latest/stop", test_stop);
    g_test_add_func("/latest/stop-while-ending", test_stop_while_ending);
    g_test_add_func("/latest/cycles", test_cycles);
    g_test_add_func("/latest/meddling", test_meddling);
    return g_test_run();
}
