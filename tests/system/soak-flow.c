/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>
#include "gstvigilmeta.h"
#include "soak.h"

/* ---- The element ----------------------------------------------------------------- */

static GstPadProbeReturn on_enter(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    SoakFlow *flow = data;

    g_mutex_lock(&flow->lock);
    const guint64 number = ++flow->entered;
    flow->begin[number % G_N_ELEMENTS(flow->begin)] = gst_util_get_timestamp();
    g_mutex_unlock(&flow->lock);
    GST_BUFFER_OFFSET(GST_PAD_PROBE_INFO_BUFFER(info)) = number;
    return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn on_leave(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    SoakFlow *flow = data;
    const guint64 number = GST_BUFFER_OFFSET(GST_PAD_PROBE_INFO_BUFFER(info));
    const GstClockTime now = gst_util_get_timestamp();

    g_mutex_lock(&flow->lock);
    flow->took[flow->timed++ % SOAK_WINDOW] =
        now - flow->begin[number % G_N_ELEMENTS(flow->begin)];
    g_mutex_unlock(&flow->lock);
    return GST_PAD_PROBE_OK;
}

static gint compare_times(gconstpointer a, gconstpointer b)
{
    const GstClockTime x = *(const GstClockTime *)a, y = *(const GstClockTime *)b;

    return (x > y) - (x < y);
}

GstClockTime soak_flow_p95(SoakFlow *flow)
{
    GstClockTime sorted[SOAK_WINDOW];

    g_mutex_lock(&flow->lock);
    g_assert_cmpuint(flow->timed, >=, SOAK_WINDOW);
    memcpy(sorted, flow->took, sizeof sorted);
    g_mutex_unlock(&flow->lock);
    qsort(sorted, SOAK_WINDOW, sizeof *sorted, compare_times);
    return sorted[SOAK_WINDOW * 95 / 100];
}

/* ---- The sink -------------------------------------------------------------------- */

/* Frames go missing only where the pipeline was flushed. */
static const gchar *find_disorder(const SoakFlow *flow, guint64 number,
                                  GstClockTime time)
{
    if (number <= flow->last)
        return "comes again or late";
    if (number != flow->last + 1 && !flow->flushed)
        return "comes after frames that were lost";
    if (flow->began && time != flow->segment.start)
        return "is not the first of its segment";
    if (!flow->began && time <= flow->time)
        return "goes back in time";
    return NULL;
}

static void note_frame(SoakFlow *flow, GstBuffer *buffer)
{
    const guint64 number = GST_BUFFER_OFFSET(buffer);
    const gchar *wrong = find_disorder(flow, number, GST_BUFFER_PTS(buffer));

    if (wrong && flow->disordered++ == 0)
        flow->disorder = g_strdup_printf(
            "frame %" G_GUINT64_FORMAT " at %" GST_TIME_FORMAT
            " after frame %" G_GUINT64_FORMAT " at %" GST_TIME_FORMAT " %s",
            number, GST_TIME_ARGS(GST_BUFFER_PTS(buffer)), flow->last,
            GST_TIME_ARGS(flow->time), wrong);
    flow->segments += flow->began;
    flow->flushed = flow->began = FALSE;
    flow->last = number;
    flow->time = GST_BUFFER_PTS(buffer);
    flow->arrived++;
    flow->bare += !gst_buffer_get_meta(buffer, GST_VIGIL_META_API_TYPE);
}

static GstPadProbeReturn on_arrive(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    SoakFlow *flow = data;

    g_mutex_lock(&flow->lock);
    if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
        note_frame(flow, GST_PAD_PROBE_INFO_BUFFER(info));
    } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_SEGMENT) {
        gst_event_copy_segment(GST_PAD_PROBE_INFO_EVENT(info), &flow->segment);
        flow->began = TRUE;
    } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_FLUSH_STOP) {
        flow->flushed = TRUE;
    }
    g_mutex_unlock(&flow->lock);
    return GST_PAD_PROBE_OK;
}

/* ---- Both ------------------------------------------------------------------------ */

static void add_probe(GstElement *element, const gchar *name, gint type,
                      GstPadProbeCallback callback, SoakFlow *flow)
{
    GstPad *pad = gst_element_get_static_pad(element, name);

    gst_pad_add_probe(pad, (GstPadProbeType)type, callback, flow, NULL);
    gst_object_unref(pad);
}

void soak_flow_init(SoakFlow *flow, GstElement *element, GstElement *sink)
{
    g_mutex_init(&flow->lock);
    add_probe(element, "sink", GST_PAD_PROBE_TYPE_BUFFER, on_enter, flow);
    add_probe(element, "src", GST_PAD_PROBE_TYPE_BUFFER, on_leave, flow);
    add_probe(sink, "sink",
              GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                  GST_PAD_PROBE_TYPE_EVENT_FLUSH,
              on_arrive, flow);
}

void soak_flow_clear(SoakFlow *flow)
{
    g_free(flow->disorder);
    g_mutex_clear(&flow->lock);
}

guint64 soak_flow_arrived(SoakFlow *flow)
{
    g_mutex_lock(&flow->lock);
    const guint64 arrived = flow->arrived;
    g_mutex_unlock(&flow->lock);
    return arrived;
}

guint64 soak_flow_bare(SoakFlow *flow)
{
    g_mutex_lock(&flow->lock);
    const guint64 bare = flow->bare;
    g_mutex_unlock(&flow->lock);
    return bare;
}
