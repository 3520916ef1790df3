/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include "late.h"

#define PATIENCE (60 * G_TIME_SPAN_SECOND)

static Late start(GstHarness *h, GstElement *element, const gchar *caps)
{
    Late l = { .h = h, .element = element, .bus = gst_bus_new() };

    l.info = frame_info(caps);
    gst_util_set_object_arg(G_OBJECT(element), "mode", "latest");
    gst_element_set_bus(element, l.bus);
    gst_harness_set_src_caps_str(h, caps);
    gate_shut();
    return l;
}

Late late_start(GstElement *element, const gchar *caps)
{
    GstHarness *h = gst_harness_new_with_element(element, "sink", "src");

    gst_object_unref(element);
    return start(h, element, caps);
}

Late late_start_parse(const gchar *launch, const gchar *name, const gchar *caps)
{
    GstHarness *h = gst_harness_new_parse(launch);
    GstElement *element = gst_bin_get_by_name(GST_BIN(h->element), name);

    g_assert_nonnull(element);
    gst_object_unref(element); /* the bin holds it */
    return start(h, element, caps);
}

void late_stop(Late *l)
{
    gate_open();
    gst_element_set_bus(l->element, NULL);
    gst_object_unref(l->bus);
    gst_harness_teardown(l->h);
}

GstBuffer *late_frame(const Late *l, guint n)
{
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, l->info.size, NULL);
    GstMapInfo map;

    g_assert_true(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    for (gsize i = 0; i < map.size; i++)
        map.data[i] = (guint8)(i * 7 + n * 31 + i / 997);
    gst_buffer_unmap(buffer, &map);
    GST_BUFFER_PTS(buffer) = n * FRAME_TIME;
    GST_BUFFER_DURATION(buffer) = FRAME_TIME;
    return buffer;
}

static void assert_untouched(const Late *l, GstBuffer *out, guint n)
{
    GstBuffer *fresh = late_frame(l, n);
    GstMapInfo was;

    g_assert_true(gst_buffer_map(fresh, &was, GST_MAP_READ));
    g_assert_cmpuint(gst_buffer_get_size(out), ==, was.size);
    g_assert_cmpint(gst_buffer_memcmp(out, 0, was.data, was.size), ==, 0);
    g_assert_cmpuint(GST_BUFFER_PTS(out), ==, GST_BUFFER_PTS(fresh));
    g_assert_cmpuint(GST_BUFFER_DURATION(out), ==, GST_BUFFER_DURATION(fresh));
    gst_buffer_unmap(fresh, &was);
    gst_buffer_unref(fresh);
}

GstBuffer *late_push(Late *l)
{
    const guint n = l->frames++;

    g_assert_cmpint(gst_harness_push(l->h, late_frame(l, n)), ==, GST_FLOW_OK);
    GstBuffer *out = gst_harness_try_pull(l->h);
    g_assert_nonnull(out);
    assert_untouched(l, out, n);
    return out;
}

void late_push_bare(Late *l, guint n)
{
    for (guint i = 0; i < n; i++) {
        GstBuffer *out = late_push(l);
        g_assert_cmpuint(frame_count_metas(out), ==, 0);
        gst_buffer_unref(out);
    }
}

void late_wait(const Late *l, const gchar *field, guint64 n)
{
    const gint64 end = g_get_monotonic_time() + PATIENCE;

    while (stats_count(l->element, field) < n) {
        if (g_get_monotonic_time() > end)
            g_error("%s is %" G_GUINT64_FORMAT
                    " after a minute, not %" G_GUINT64_FORMAT,
                    field, stats_count(l->element, field), n);
        g_usleep(1000);
    }
}

void late_wait_analysed(const Late *l, guint64 n)
{
    late_wait(l, "analysed", n);
}

GstBuffer *late_push_after(Late *l, guint runs, guint64 analysed)
{
    gate_let(runs);
    late_wait_analysed(l, analysed);
    return late_push(l);
}

guint late_of_frame(GstBuffer *buffer)
{
    return (guint)(gst_vigil_meta_get_pts(frame_meta(buffer)) / FRAME_TIME);
}

gchar *late_text(const Late *l, const gchar *field)
{
    GstStructure *stats = NULL;

    g_object_get(l->element, "stats", &stats, NULL);
    gchar *text = g_strdup(gst_structure_get_string(stats, field));
    gst_structure_free(stats);
    return text;
}
