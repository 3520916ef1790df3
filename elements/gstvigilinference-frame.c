/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstvigilinference-private.h"

GST_DEBUG_CATEGORY_EXTERN(gst_vigil_inference_debug);
#define GST_CAT_DEFAULT gst_vigil_inference_debug

/* The reported latency is checked against the measured one every so many frames. */
#define LATENCY_CHECK 64
#define LATENCY_MAX GST_SECOND

/* What one frame is looked at with: fixed when it came in, whatever is set meanwhile.
 */
typedef struct Plan {
    GstVigilRegions *regions;
    GstVigilShot shot;                  /* the view at hand */
    GstClockTime preprocess, inference; /* ns, summed over the views */
} Plan;

void gst_vigil_inference_reset_stream(GstVigilInference *self)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    gst_vigil_qos_reset(&priv->qos);
    GST_OBJECT_UNLOCK(self);
    priv->wait = 0;
    priv->warned_unmapped = FALSE;
}

static GstClockTime running_time(GstVigilInference *self, GstBuffer *buffer)
{
    const GstSegment *segment = &GST_BASE_TRANSFORM(self)->segment;

    if (segment->format != GST_FORMAT_TIME)
        return GST_CLOCK_TIME_NONE;
    return gst_segment_to_running_time(segment, GST_FORMAT_TIME,
                                       GST_BUFFER_PTS(buffer));
}

static GstClockTime stream_time(GstVigilInference *self, GstBuffer *buffer)
{
    const GstSegment *segment = &GST_BASE_TRANSFORM(self)->segment;

    if (segment->format != GST_FORMAT_TIME)
        return GST_CLOCK_TIME_NONE;
    return gst_segment_to_stream_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
}

/* ---- Views ---------------------------------------------------------------------- */

void gst_vigil_views_add_regions(GArray *views, const GstVigilRegions *regions)
{
    const GstVigilView whole = { .whole = TRUE, .region_index = -1 };

    if (regions->n == 0)
        g_array_append_val(views, whole);
    for (guint i = 0; i < regions->n; i++) {
        const GstVigilRegion *item = &regions->item[i];
        const GstVigilView view = { FALSE, item->area, (gint)i, item->name };
        g_array_append_val(views, view);
    }
}

static gboolean list_views(GstVigilInference *self, const Plan *plan)
{
    GstVigilInferenceClass *klass = GST_VIGIL_INFERENCE_GET_CLASS(self);
    GArray *views = gst_vigil_inference_private(self)->views;

    g_array_set_size(views, 0);
    if (klass->list_views)
        return klass->list_views(self, &plan->shot, plan->regions, views);
    gst_vigil_views_add_regions(views, plan->regions);
    return TRUE;
}

/* ---- Results -------------------------------------------------------------------- */

GstVigilResult *gst_vigil_shot_new_result(const GstVigilShot *shot)
{
    const VigilRegion *region = shot->region;

    if (!region)
        return gst_vigil_result_new_full_frame();
    GstVigilResult *result = gst_vigil_result_new_region(region->x, region->y,
                                                         region->width, region->height);
    gst_vigil_result_set_region_name(result, shot->region_name);
    return result;
}

static void set_time(GstStructure *structure, const gchar *field, GstClockTime time)
{
    if (GST_CLOCK_TIME_IS_VALID(time))
        gst_structure_set(structure, field, G_TYPE_UINT64, time, NULL);
}

GstStructure *gst_vigil_shot_to_frame_structure(const GstVigilShot *shot,
                                                GstVigilInference *self,
                                                const gchar *name)
{
    GstStructure *structure = gst_structure_new_empty(name);

    set_time(structure, "timestamp", GST_BUFFER_PTS(shot->buffer));
    set_time(structure, "stream-time", stream_time(self, shot->buffer));
    set_time(structure, "running-time", running_time(self, shot->buffer));
    set_time(structure, "duration", GST_BUFFER_DURATION(shot->buffer));
    return structure;
}

GstStructure *gst_vigil_shot_to_structure(const GstVigilShot *shot,
                                          GstVigilInference *self, const gchar *name)
{
    const VigilRegion whole = { 0, 0, 1, 1 };
    const VigilRegion *area = shot->region ? shot->region : &whole;
    GstStructure *structure = gst_vigil_shot_to_frame_structure(shot, self, name);

    gst_structure_set(structure, "region-index", G_TYPE_INT, shot->region_index, NULL);
    if (shot->region_name)
        gst_structure_set(structure, "region-name", G_TYPE_STRING, shot->region_name,
                          NULL);
    gst_structure_set(structure, "x", G_TYPE_DOUBLE, (gdouble)area->x, "y",
                      G_TYPE_DOUBLE, (gdouble)area->y, "width", G_TYPE_DOUBLE,
                      (gdouble)area->width, "height", G_TYPE_DOUBLE,
                      (gdouble)area->height, NULL);
    return structure;
}

/* ---- Which frames --------------------------------------------------------------- */

static gboolean is_due(GstVigilInference *self)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    priv->stats.frames++;
    /* The interval may have been made shorter meanwhile. */
    priv->wait = MIN(priv->wait, priv->interval - 1);
    GST_OBJECT_UNLOCK(self);
    if (priv->wait == 0)
        return TRUE;
    priv->wait--;
    return FALSE;
}

static void post_qos(GstVigilInference *self, GstBuffer *buffer, GstClockTime time)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    const gint64 jitter = GST_CLOCK_DIFF(time, priv->qos.earliest);
    const gdouble proportion = priv->qos.proportion;
    const guint64 analysed = priv->stats.analysed, late = priv->stats.late;
    GST_OBJECT_UNLOCK(self);

    GstMessage *message =
        gst_message_new_qos(GST_OBJECT(self), FALSE, time, stream_time(self, buffer),
                            GST_BUFFER_PTS(buffer), GST_BUFFER_DURATION(buffer));
    gst_message_set_qos_values(message, jitter, proportion, 1000000);
    gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, analysed, late);
    gst_element_post_message(GST_ELEMENT(self), message);
}

static gboolean skip_late(GstVigilInference *self, GstBuffer *buffer)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    const GstClockTime time = running_time(self, buffer);

    GST_OBJECT_LOCK(self);
    const gboolean late = priv->qos_enabled && gst_vigil_qos_is_late(&priv->qos, time);
    if (late) {
        priv->stats.skipped++;
        priv->stats.late++;
    }
    GST_OBJECT_UNLOCK(self);
    if (late)
        post_qos(self, buffer, time);
    return late;
}

static void count_skipped(GstVigilInference *self)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    priv->stats.skipped++;
    GST_OBJECT_UNLOCK(self);
}

/* A gap holds no picture; what a decoder made up for lost data would be taken for one.
 */
static gboolean skip_empty(GstVigilInference *self, GstBuffer *buffer)
{
    if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP) &&
        !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED))
        return FALSE;
    GST_LOG_OBJECT(self, "gap or damaged frame, not looked at");
    count_skipped(self);
    return TRUE;
}

/* ---- One frame ------------------------------------------------------------------ */

static void make_plan(GstVigilInference *self, const GstVigilFrame *frame,
                      GstBuffer *buffer, Plan *plan)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    *plan = (Plan) {
        .regions = gst_vigil_regions_ref(priv->regions),
        .shot = { .buffer = buffer,
                  .frame = frame,
                  .network = priv->network,
                  .region_index = -1,
                  .orientation = priv->has_stream_orientation
                                     ? priv->stream_orientation
                                     : priv->global_orientation },
    };
    GST_OBJECT_UNLOCK(self);
}

static gboolean reduce(GstVigilInference *self, Plan *plan)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    GstVigilShot *shot = &plan->shot;
    const guint slot = shot->view % GST_VIGIL_REGIONS_MAX;
    GError *error = NULL;
    const GstClockTime begin = gst_util_get_timestamp();

    if (!gst_vigil_reducer_run(&priv->reducer, slot, shot->frame, shot->region,
                               shot->orientation, priv->network->session,
                               &shot->placement, &error)) {
        gst_vigil_inference_post(self, GST_MESSAGE_ERROR, error);
        return FALSE;
    }
    const GstClockTime spent = gst_util_get_timestamp() - begin;
    plan->preprocess += spent;
    GST_OBJECT_LOCK(self);
    gst_vigil_clock_add(&priv->stats.preprocess, spent);
    GST_OBJECT_UNLOCK(self);
    return TRUE;
}

static void run_network(GstVigilInference *self, Plan *plan)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    const GstClockTime begin = gst_util_get_timestamp();

    vigil_session_run(priv->network->session);
    const GstClockTime spent = gst_util_get_timestamp() - begin;
    plan->inference += spent;
    GST_OBJECT_LOCK(self);
    priv->stats.inferences++;
    gst_vigil_clock_add(&priv->stats.inference, spent);
    GST_OBJECT_UNLOCK(self);
}

static gboolean look_at(GstVigilInference *self, Plan *plan, guint i,
                        GstVigilMeta *meta)
{
    const GArray *views = gst_vigil_inference_private(self)->views;
    const GstVigilView *view = &g_array_index(views, GstVigilView, i);

    plan->shot.view = i;
    plan->shot.region = view->whole ? NULL : &view->area;
    plan->shot.region_index = view->region_index;
    plan->shot.region_name = view->region_name;
    if (!reduce(self, plan))
        return FALSE;
    run_network(self, plan);
    GST_VIGIL_INFERENCE_GET_CLASS(self)->decode(self, &plan->shot, meta);
    return TRUE;
}

static gboolean look_at_all(GstVigilInference *self, Plan *plan)
{
    GstVigilInferenceClass *klass = GST_VIGIL_INFERENCE_GET_CLASS(self);
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    GstBuffer *buffer = plan->shot.buffer;
    gchar *source = gst_object_get_name(GST_OBJECT(self));
    GstVigilMeta *meta = gst_buffer_add_vigil_meta(
        buffer, source, priv->network->name, klass->meta_task, plan->shot.frame->width,
        plan->shot.frame->height, GST_BUFFER_PTS(buffer));
    gboolean ok = TRUE;

    g_free(source);
    for (guint i = 0; ok && i < priv->views->len; i++)
        ok = look_at(self, plan, i, meta);
    if (ok && klass->finish)
        klass->finish(self, &plan->shot, meta);
    if (ok)
        gst_vigil_meta_mirror(meta, buffer);
    return ok;
}

/* The latency that was told only grows: each change makes the pipeline stutter. */
static void check_latency(GstVigilInference *self)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    gboolean raised = FALSE;

    GST_OBJECT_LOCK(self);
    if (priv->stats.analysed % LATENCY_CHECK == 0) {
        const GstClockTime usual = (gst_vigil_clock_p95(&priv->stats.preprocess) +
                                    gst_vigil_clock_p95(&priv->stats.inference)) *
                                   MAX(priv->views->len, 1);
        const GstClockTime latency = MIN(usual, LATENCY_MAX);
        raised = latency > priv->latency + priv->latency / 4;
        if (raised)
            priv->latency = latency;
    }
    GST_OBJECT_UNLOCK(self);
    if (raised)
        gst_element_post_message(GST_ELEMENT(self),
                                 gst_message_new_latency(GST_OBJECT(self)));
}

static void note_analysed(GstVigilInference *self, GstBuffer *buffer, const Plan *plan)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    GST_OBJECT_LOCK(self);
    priv->stats.analysed++;
    priv->qos.analysed = running_time(self, buffer);
    priv->wait = priv->interval - 1;
    GST_OBJECT_UNLOCK(self);
    priv->warned_unmapped = FALSE;
    GST_LOG_OBJECT(self,
                   "looked at %" GST_PTR_FORMAT ": preprocess %" GST_TIME_FORMAT
                   ", inference %" GST_TIME_FORMAT,
                   buffer, GST_TIME_ARGS(plan->preprocess),
                   GST_TIME_ARGS(plan->inference));
    check_latency(self);
}

/* One bad frame does not end the stream; a series of them is told once. */
static void note_unmapped(GstVigilInference *self, GError *error)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);

    count_skipped(self);
    GST_WARNING_OBJECT(self, "%s", error->message);
    if (priv->warned_unmapped)
        g_error_free(error);
    else
        gst_vigil_inference_post(self, GST_MESSAGE_WARNING, error);
    priv->warned_unmapped = TRUE;
}

static GstFlowReturn analyse(GstVigilInference *self, GstBuffer *buffer)
{
    GstVigilInferencePrivate *priv = gst_vigil_inference_private(self);
    GstVigilFrame frame;
    GError *error = NULL;
    Plan plan;

    if (!gst_vigil_frame_map(&frame, &priv->info, buffer, &error)) {
        note_unmapped(self, error);
        return GST_FLOW_OK;
    }
    make_plan(self, &frame, buffer, &plan);
    const gboolean wanted = list_views(self, &plan);
    const gboolean ok = !wanted || look_at_all(self, &plan);
    gst_vigil_frame_unmap(&frame);
    if (wanted && ok)
        note_analysed(self, buffer, &plan);
    gst_vigil_regions_unref(plan.regions);
    return ok ? GST_FLOW_OK : GST_FLOW_ERROR;
}

GstFlowReturn gst_vigil_inference_transform_ip(GstBaseTransform *trans,
                                               GstBuffer *buffer)
{
    GstVigilInference *self = GST_VIGIL_INFERENCE(trans);
    const GstClockTime time = stream_time(self, buffer);

    if (GST_CLOCK_TIME_IS_VALID(time))
        gst_object_sync_values(GST_OBJECT(self), time);
    gst_vigil_inference_swap_finish(self);
    if (!is_due(self) || skip_empty(self, buffer) || skip_late(self, buffer))
        return GST_FLOW_OK;
    return analyse(self, buffer);
}
